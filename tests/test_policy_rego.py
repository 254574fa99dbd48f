"""Rego as a policy language: what it is told where a fact is missing, held to rego-cpp itself over every way it may turn out."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lang.cel.requests import project
from model.evidence import RequestRow
from model.request import ASKED
from policy import History, Replayer, format_of
from policy.decisions import Cancelled, EngineFailed
from policy.model import ANSWERS
from policy.rego import engine
from policy.rego.replay import document, judged
from review.policy.asked import written

pytest.importorskip("regopy")
REGO = format_of("rego")

VALUES: dict[str, list[Any]] = {
    "action.verb": ["repo.write", "file.read"],
    "principal.kind": ["human", "agent"],
    "context.ticket": ["A", "B"],
    "agent.depth": [0, 1, 2],
    "action.forced": [True, False],
    "action.verbs": [["repo.write"], ["repo.write", "exec"], []],
}
ATOMS = (
    'input.action.verb == "repo.write"', 'input.context.ticket != "A"', "input.action.forced", "not input.context.ticket",
    'startswith(input.action.verb, "repo")', "input.agent.depth > 0", '"exec" in input.action.verbs',
    'every y in input.action.verbs { y != "exec" }', 'input.action.verbs[_] == "exec"', "writes", "not writes", "deep(input.agent.depth)",
    'object.get(input, ["context", "ticket"], "none") == "none"', "count(bad) == 0", 'not "y" in bad', 'level == "hi"',
    'count({v | some v in input.action.verbs; input.action.forced}) > 0', 'writes with input.principal.kind as "human"',
    'facts.kind == "human"', 'some k, v in input.action; k == "verb"; v == "file.read"',
)  # fmt: skip
HELPERS = """package p
import rego.v1
deep(n) if { n > 1; input.action.forced }
level := "hi" if input.agent.depth > 1
level := "lo" if input.agent.depth <= 1
facts := {"kind": input.principal.kind, "forced": input.action.forced}
bad contains "x" if { input.action.forced; input.principal.kind == "human" }
bad contains input.context.ticket if { input.agent.depth == 0 }
default writes := false
writes if { input.action.verb == "repo.write"; not input.principal.kind == "human" } else := false if { input.action.forced }
"""


def policy(text: str) -> Any:
    checked = REGO.check(text)
    assert checked.policy is not None, checked.errors
    return checked.policy


def some_policy(dice: random.Random) -> str:
    def body() -> str:
        return "; ".join(dice.choice(ATOMS) for _ in range(dice.randint(1, 3)))

    rules = [
        f'deny contains "a" if {{ {body()} }}',
        f"ask contains input.principal.kind if {{ {body()} }}",
        f"allow if {{ {body()} }}",
    ]
    rules.append(f"allow if {{ {body()} }} else := {dice.choice(('true', 'false'))} if {{ {body()} }}")
    return HELPERS + "\n".join(rules) + dice.choice(("", "\ndefault allow := false")) + "\n"


def own(input: Any, masked: Any = ()) -> dict[str, Any]:
    return {ASKED: json.dumps({"input": input, "masked": masked})}


def test_answers_hold_however_what_is_missing_turns_out() -> None:
    dice = random.Random(3)
    known = open_ = 0
    for _ in range(10):
        made = policy(some_policy(dice))
        parts = [project({n: dice.choice(v) for n, v in VALUES.items() if dice.random() < 0.6}) for _ in range(6)]
        said = judged(made, parts)
        whole = [
            {n: project({n: dice.choice(v)})[n] for n, v in VALUES.items() if dice.random() < 0.8} | p
            for p in parts
            for _ in range(6)
        ]
        # The same text asked as OPA was: whatever is not there is not there, and the engine's word is final.
        final = made.__class__(**{name: getattr(made, name) for name in made.__struct_fields__} | {"foreign": True})
        for number, told in enumerate(judged(final, [own(document(one)) for one in whole])):
            answer = said[number // 6]
            assert told.effect != "unknown" or "two values" in " ".join(told.why), told
            if answer.effect != "unknown" and told.effect != "unknown":
                known += 1
                assert told.effect == answer.effect, (parts[number // 6], whole[number])
            open_ += answer.effect == "unknown"
    assert known > 100 and open_ > 100


def test_a_history_is_answered_as_each_of_its_requests_is_once_per_combination(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        RequestRow(f"s{n}", "t", n, "allow", {"action.verb": ["exec", "file.read"][n % 2], "context.cwd": f"/{n}"})
        for n in range(50)
    ]
    made = policy('package p\nimport rego.v1\ndeny contains "no shells" if input.action.verb == "exec"\n')
    asked: list[int] = []
    run = engine.ENGINE.run

    def counted(source: engine.Source, some: Any) -> Any:
        asked.append(len(some))
        return run(source, some)

    monkeypatch.setattr(engine.ENGINE, "run", counted)
    history = History.from_rows(rows)
    said = Replayer(history).decisions(made)
    assert sum(asked) == 2
    assert [ANSWERS[int(code)] for code in said.effect] == ["deny", "allow"] * 25
    assert [(rule.id, rule.effect, rule.hits) for rule in said.rules] == [("deny:3", "deny", 25)]


def test_progress_is_told_and_a_replay_can_be_stopped() -> None:
    rows = [RequestRow(f"s{n}", "t", n, "allow", {"agent.depth": n}) for n in range(80)]
    replayer = Replayer(History.from_rows(rows))
    made = policy("package p\nimport rego.v1\nallow if input.agent.depth > 5\n")
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> bool:
        told.append((done, total))
        return done < 32

    with pytest.raises(Cancelled):
        replayer.decisions(made, progress)
    assert told == [(0, 80), (32, 80)]
    stopped_at, first = 80, len(told)
    replayer.decisions(made, lambda done, total: progress(done, total) or done < stopped_at)
    assert told[first] == (0, 48)  # what was judged before is kept


@pytest.mark.parametrize(
    ("body", "column"),
    [
        ('regex.match("(?=x)", input.action.tool)', 10),
        ('not regex.match("*.env", input.action.tool)', 14),
        ('regex.replace(input.action.tool, "[a", "b") == "x"', 10),
        (r'regex.match("^a\\.b\\s", input.action.tool)', 0),
        (r"regex.match(`^a\.b\s`, input.action.tool)", 0),
        ('regex.match(input.action.tool, "[a")', 0),
    ],
)
def test_a_pattern_that_is_none_is_told(body: str, column: int) -> None:
    found = REGO.check(f"package p\nimport rego.v1\nallow if {body}\n")
    assert found.policy is not None
    assert [(one.line, one.column) for one in found.diagnostics if one.code == "bad-pattern"] == [(3, column)] * bool(column)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("package p\nimport rego.v1\nallow if { input.a == }\n", 3, 20, ""),
        ('package p\ndeny[{"msg": "é"}] { true }\ndeny[x] { x := }\n', 3, 13, ""),
        ("package p\nimport rego.v1\nallow if { foo.bar(1) }\n", 3, 12, "`foo.bar` is neither"),
        ("package p\nimport rego.v1\nallow if { x == 1 }\n", 3, 12, "given no value"),
        ("package p\nimport rego.v1\nallow if b\nb if allow\n", 4, 6, "defined by itself"),
        ("package p\nimport rego.v1\nf(x) := f(x + 1)\nallow if f(1)\n", 3, 9, "defined by itself"),
        ("package p\nallow = true\npackage q\n", 3, 9, "one package"),
        ("package p\nother = true\n", 1, 1, "no rule says what is decided"),
        ("package p\nallow = " + "[" * 200, 2, 109, "nested more than"),
        ("package p\n\0", 2, 1, "no text"),
        ("", 1, 1, "begins with `package`"),
        ("package p\nallow = 1\n#" + "x" * 500_000, 1, 1, "split the policy"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text: str, line: int, column: int, words: str) -> None:
    found = REGO.check(text)
    assert found.policy is None
    assert any((one.line, one.column) == (line, column) and words in one.message for one in found.errors), found.errors


@pytest.mark.parametrize(
    ("rules", "request_", "effect", "reason"),
    [
        ("allow if input.action.forced", {"action.forced": True}, "allow", "rule allow:3 matches"),
        ("default allow := false", {}, "deny", "no rule matches; the default is deny"),
        ('deny contains "x" if input.action.forced', {"action.forced": False}, "allow", "no rule matches; the default is allow"),
        ('deny contains {"msg": "why"} if input.action.forced', {"action.forced": True}, "deny", "why"),
        ('violation[{"msg": m}] { m := "old" }', {}, "deny", "old"),
        ('ask contains "sure?" if true\nallow if true', {}, "ask", "sure?"),
        ('decision := {"allow": false, "reason": "so"}', {}, "deny", "so"),
        ('decision := {"effect": "ask", "subject": "s"}', {}, "ask", "rule decision:3 matches"),
        ('# METADATA\n# entrypoint: true\ngate := "allow"\nallow := false', {}, "allow", "rule gate:5 matches"),
        ('allow := "yes"', {}, "unknown", 'cannot judge: `allow` came to "yes", which is no decision'),
        ("allow := 5", {}, "unknown", "cannot judge: `allow` came to 5, which is no decision"),
        ("allow if input.context.ticket", {}, "unknown", "cannot judge: allow:3 needs context.ticket"),
        (
            "allow if data.admins[input.principal.id]",
            {"principal.id": "a"},
            "unknown",
            "cannot judge: allow:3 needs data.admins.a",
        ),
        ("allow if time.now_ns() > 5", {}, "unknown", "cannot judge: allow:3 needs time.now_ns()"),
        ("allow if opa.runtime().env.HOME", {}, "unknown", "cannot judge: allow:3 needs opa.runtime()"),
        ("allow := true if true\nallow := false if true", {}, "unknown", "cannot judge: `allow` has two values at once"),
        ("allow if 1 / 0 == 1", {}, "deny", "no rule matches; the default is deny"),
        ('allow if input.action.command == "a\\"b\\\\c\\n"', {"action.command": 'a"b\\c\n'}, "allow", "rule allow:3 matches"),
        ("allow if input.nobody.knows", {}, "unknown", "cannot judge: allow:3 needs input.nobody.knows"),
    ],
)
def test_the_usual_shapes_of_a_decision(rules: str, request_: dict[str, Any], effect: str, reason: str) -> None:
    told = REGO.explain(policy(f"package p\nimport rego.v1\n{rules}\n"), request_)
    assert (told["effect"], told["reason"]) == (effect, reason)


def test_what_opa_was_asked_is_replayed_as_it_was_and_what_was_taken_out_is_unknown() -> None:
    made = policy('package p\nimport rego.v1\ndeny contains "sudo" if contains(input.tool_input.command, "sudo")\n')
    entry = {
        "decision_id": "1",
        "input": {"tool_input": {"command": "sudo ls", "note": "x"}},
        "erased": ["/input/tool_input/note"],
    }
    secret = {"decision_id": "2", "input": {"tool_input": {"command": "curl -H REDACTED.token.0123456789ab"}}}
    erased = {"decision_id": "3", "input": {"user": "a"}, "erased": ["/input/tool_input/command"]}
    answers = judged(made, [{ASKED: written(one)} for one in (entry, secret, erased)] + [own({"tool_input": {}}), {}])
    assert [one.effect for one in answers] == ["deny", "unknown", "unknown", "allow", "unknown"]
    assert answers[1].why == ("input.tool_input.command",)


def test_an_engine_that_ends_at_one_request_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = policy("package p\nimport rego.v1\nallow if input.agent.depth > 0\n")
    run = engine.ENGINE.run

    def fragile(source: engine.Source, some: Any) -> Any:
        if any(one["input"]["agent"]["depth"] == 9 for one in some):
            raise EngineFailed("the engine ended")
        return run(source, some)

    monkeypatch.setattr(engine.ENGINE, "run", fragile)
    found = judged(made, [project({"agent.depth": depth}) for depth in (1, 9, 0)])
    assert [(one.effect, one.why) for one in found] == [("allow", ()), ("unknown", ("the engine ended",)), ("deny", ())]
    with pytest.raises(EngineFailed):
        judged(made, [project({"agent.depth": 9})] * 9)


def test_a_policy_that_does_not_end_is_stopped() -> None:
    swift = engine.Engine(seconds=2)
    text = (
        "package p\nimport rego.v1\nallow if { some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i * j == 0 }\n"
    )
    source = engine.Source("x", text, ("p/allow",), ())
    assert "error" not in swift.load(source)
    with pytest.raises(EngineFailed, match="took more than 2 seconds"):
        swift.run(source, [{"input": {}}])
    swift.stop()


def test_what_this_program_once_held_is_not_held_against_the_engine() -> None:
    """Linux hands the peak of a process on to those it starts."""
    code = (
        "from policy.rego import engine, worker\n"
        "bytearray(b'x') * (worker.MEMORY + (64 << 20))\n"
        "source = engine.Source('x', 'package p\\nallow := true\\n', ('p/allow',), ())\n"
        "assert 'error' not in engine.ENGINE.load(source)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


@pytest.mark.parametrize(("name", "extra"), [("rego", "policy.rego.check"), ("cedar", "policy.cedar.check")])
def test_without_the_engine_the_extra_is_named(name: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{extra}.available", lambda: False)
    found = format_of(name).check("package without_the_engine")
    assert found.policy is None
    assert f"pip install 'remit[{name}]'" in found.errors[0].message
