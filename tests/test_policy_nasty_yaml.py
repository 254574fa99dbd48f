"""Whatever YAML can do to a policy, the answer is a problem at its place and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.yamltree import lines_of
from policy import check
from tests.running import run

pytestmark = pytest.mark.usefixtures("alone")
HEAD = "version: 1\ndefault: deny\nrules:\n"
RULE = HEAD + "  - id: x\n    effect: deny\n    when: "
TESTED = HEAD + "  - {id: x, effect: deny, when: 'true', tests: {match: [%s]}}\n"


@pytest.mark.parametrize(
    ("text", "at", "says"),
    [
        (HEAD + "  - &a {id: x, effect: deny, when: 'true'}\n  - *a\n", "*a", "write it out"),
        (HEAD + "  - {<<: {effect: deny}, id: y, effect: ask, when: 'true'}\n", "<<", "merged keys"),
        (HEAD + "  - {id: x, effect: deny, when: 'true', id: y}\n", "id", "given twice"),
        (TESTED % "{agent.depth: 1, agent.depth: 2}", "agent.depth", "given twice in a request"),
        (TESTED % "{agent: {depth: 1, depth: 2}}", "depth", "given twice in a request"),
        (TESTED % "{agent: {depth: 1}, agent.depth: 2}", "depth", "is stated twice"),
        (TESTED % "{agent.depth: 99999999999999999999}", "agent.depth", "64 bits"),
        (HEAD + "\t- id: x\n", "\t", "indented with spaces, not tabs"),
        (HEAD + "  - id: x\n\teffect: deny\n", "\t", "indented with spaces, not tabs"),
        (RULE + '"exec" in action.verbs\n', "i", "below `>-`"),
        (RULE + '["a"].exists(x, x == resource.name)\n', ".", "below `>-`"),
        (RULE + "action.forced ? true : false\n", ":", "below `>-`"),
        (RULE + "!action.forced\n", "!action.forced", "is a tag"),
        (RULE + "!action.forced && action.forced\n", "&", "below `>-`"),
        ("{version: 1, default: deny, rules: [{id: x, effect: deny, when: action.forced && nope}]}", "nope", "unknown name"),
        (RULE + 'resource.name == "a #b"\n', '"a', "begins a comment"),
        (RULE + "&x\n", "&", "empty"),
        (RULE + "~\n", "~", "unexpected"),
        (RULE + "3\n", "3", "must be true or false"),
        (RULE + "action.forced\t&& nope\n", "nope", "unknown name"),
        (RULE + ">-\n      action.forced\t&&\n      \tnope\n", "nope", "unknown name"),
        (RULE + "|+2\n        nope\n\n\n    reason: x\n", "nope", "unknown name"),
        (RULE + "> # why\n      nope\n", "nope", "unknown name"),
        (RULE + "!!str |\n      action.forced &&\n      nope\n", "nope", "unknown name"),
        (RULE + "&w\n      !!str\n      nope\n", "nope", "unknown name"),
        (RULE + "'resource.name == ''a''\n      && nope'\n", "nope", "unknown name"),
        (RULE + 'resource.name == "😀😀" && nope\n', "nope", "unknown name"),
        (RULE + ">-\n      resource.name == '😀' ||\n\n        nope\n", "nope", "unknown name"),
        ("%YAML 1.1\n---\n" + RULE + "nope\n", "nope", "unknown name"),
        (HEAD + "  - {id: !!python/object/apply:os.system ['x'], effect: deny, when: 'true'}\n", "!!python", "one text"),
        (HEAD + '  - {id: x, effect: deny, when: "\\ud800"}\n', "d", "not valid YAML"),
        (HEAD + '  - {id: x, effect: deny, when: "a\\0b"}\n', "\\0", "U+0000"),
        ("a: " + "[" * 100_000, "[", "nested more than"),
        ("a: " + "{a: " * 100_000, "{", "nested more than"),
        ("\n".join(" " * i + "a:" for i in range(1_000)), "a", "nested more than"),
        ("x" * 500_000 + ": 1\n", ":", "not valid YAML"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "bom"])
def test_one_problem_at_its_place(text: str, at: str, says: str, end: str) -> None:
    text = "\ufeff" + text if end == "bom" else text.replace("\n", end)
    checked = check(text)
    assert checked.policy is None
    lines = lines_of(text)
    errors = [d for d in checked.diagnostics if d.severity == "error"]
    assert len(errors) == 1, errors
    [found] = errors
    assert lines[found.line - 1][found.column - 1 :].startswith(at), (found, lines[found.line - 1][:80])
    assert says in found.message


def test_a_policy_in_another_encoding_is_refused_in_one_sentence(tmp_path: Path) -> None:
    text = HEAD + "  - {id: x, effect: deny, when: 'true', reason: é}\n"
    file = tmp_path / "policy.yaml"
    for name in ("latin-1", "utf-16", "utf-32"):
        file.write_bytes(text.encode(name))
        ran = run("policy", "check", file)
        assert (ran.code, ran.err.count("\n")) == (3, 1)
        assert "it is not UTF-8 text" in ran.err
    file.write_bytes(text.encode("utf-8-sig"))
    assert run("policy", "check", file).code == 0
