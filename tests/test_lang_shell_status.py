"""What a script's good end vouches for."""

from __future__ import annotations

import pytest

from lang.shell_status import MAX_LENGTH, vouched


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("git push", ("git push",)),
        ("cd x && git push -f && echo ok", ("cd x", "git push -f", "echo ok")),
        ("git add -A; git push", ("git push",)),
        ("git add -A\ngit push\n", ("git push",)),
        ("git push; echo done", ("echo done",)),
        ("git push && true; echo done", ("echo done",)),
        ("git push | tail -3", ("tail -3",)),
        ("git push 2>&1 | tail -3", ("tail -3",)),
        ("cd x && git push > out 2>&1", ("cd x", "git push")),
        ("(cd x && git push)", ("cd x", "git push")),
        ("{ true; git push; }", ("git push",)),
        ("A=1 git push", ("A=1 git push",)),
        ("git push # now\n", ("git push",)),
        ("git commit -m 'é…' && git push", ("git commit -m 'é…'", "git push")),
        ("git push || true", ()),
        ("git push && echo ok || echo no", ()),
        ("git push &", ()),
        ("true && git push &", ()),
        ("! git push", ()),
        ("if true; then git push; fi", ()),
        ("for x in a b; do git push $x; done", ()),
        ("f() { git push; }", ()),
        ("git push && (", ()),
        ("", ()),
        ("git push " + "x" * MAX_LENGTH, ()),
        ("|" * 3000, ()),
    ],
)
def test_what_must_have_ended_well(script: str, expected: tuple[str, ...]) -> None:
    assert vouched(script) == expected
