"""Completion offers what may stand where the cursor is, also while the policy does not parse yet."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lang.cel import evaluate
from lang.yamltree import lines_of
from model.evidence import RequestRow
from policy import History, check
from policy.completion import Completion, complete
from policy.seen import Seen

RULES = "version: 1\nname: x\ndefault: ask\nrules:\n  - id: a\n    effect: deny\n"
NAMES = ["acme/web", "acme/pay", 'it"s', "o'neil", "back\\slash", "a: b #c", "[x]", "\x1b[31m", "7"]


def _row(n: int, name: str) -> RequestRow:
    request: dict[str, Any] = {
        "resource.name": name,
        "action.verbs": ["exec", "repo.write"] if n % 2 else ["exec"],
        "agent.depth": n % 3,
    }
    return RequestRow(f"s{n}", "t", n, "allow", {**request, "context.day": "2026-03-01", "action.forced": n > 3})


HISTORY = History.from_rows(_row(n, name) for n, name in enumerate([*NAMES, "acme/web", "acme/web"]))
SEEN = Seen(HISTORY)


def at(text: str, history: bool = True) -> Completion:
    """Completion where `|` stands."""
    before, _, after = text.partition("¦")
    lines = lines_of(before)
    return complete(before + after, len(lines) - 1, len(lines[-1]), SEEN if history else None)


def shown(text: str, history: bool = True) -> list[str]:
    return [one.shown or one.text for one in at(text, history).candidates]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("¦", ["version", "name", "default", "rules"]),
        ("version: 1\nn¦", ["name"]),
        ("version: 1\ndefault: ¦", ["deny", "ask", "allow"]),
        ("{version: 1, default: a¦", ["ask", "allow"]),
        (RULES + "    ¦", ["when", "reason", "controls", "expires", "tests"]),
        (RULES + "    w¦", ["when"]),
        (RULES + "  - i¦", ["id"]),
        ("rules:\n- id: a\n  e¦", ["effect", "expires"]),
        ("rules:\n- id: a\n  effect: al¦", ["allow"]),
        ("rules:\n- {id: a, ¦", ["effect", "when", "reason"]),
        (RULES + "    tests:\n      ¦", ["match", "not_match"]),
        (RULES + "    tests:\n      match:\n        - action.f¦", ["action.forced"]),
        (RULES + "    tests:\n      match:\n        - action:\n            fo¦", ["forced"]),
        (RULES + "    tests:\n      match:\n        - {action.verb: exec, resource: {na¦", ["name"]),
        (RULES + "    tests:\n      match:\n        - {action.verb: exec, resource.name: acme¦", ["acme/web", "acme/pay"]),
        (RULES + "    tests:\n      match:\n        - {principal.kind: h¦", ["human"]),
        (RULES + "    tests:\n      match: [{action.verbs: [re¦", ["repo.write", "repo.read"]),
        (RULES + "    tests:\n      match: [{context.day: ¦", ["2026-03-01"]),
        (RULES + "    when: resource.n¦", ["resource.name"]),
        (RULES + "    when: own¦", ["resource.owner"]),
        (RULES + "    when: >-\n      action.forced &&\n      credential.tt¦", ["credential.ttl_seconds", "credential.ttl"]),
        (RULES + "    when: |\n      action.forced &&\n\n      credential.k¦\n    reason: x\n", ["credential.kind"]),
        (RULES + "    when: action.forced\n      && credential.k¦", ["credential.kind"]),
        (RULES + "    when: resource.name.st¦", ["startsWith"]),
        (RULES + "    when: resource.name.lowerAscii().ends¦", ["endsWith"]),
        (RULES + "    when: action.verbs.e¦", ["exists"]),
        (RULES + "    when: context.day.getD¦", ["getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"]),
        (RULES + "    when: credential.ttl.¦", ["getHours", "getMinutes", "getSeconds"]),
        (RULES + '    when: resource.name == "ac¦', ["acme/web", "acme/pay"]),
        (RULES + '    when: \'resource.name in ["x", "ac¦', ["acme/web", "acme/pay"]),
        (RULES + '    when: resource.name.startsWith("acme/p¦', ["acme/pay"]),
        (RULES + "    when: resource.name == ¦", ["acme/web"]),
        (RULES + "    when: principal.kind == ¦", ["human", "workload", "agent", "service"]),
        (RULES + "    when: agent.depth > ¦", ["0", "1", "2"]),
        (RULES + '    when: action.verbs.exists(v, v == "re¦', ["repo.write", "repo.read"]),
        (RULES + "    when: action.verbs.exists(verb, ve¦", ["verb"]),
        (RULES + '    when: action.arguments["¦', ["path", "url", "server", "agent_type"]),
        (RULES + '    when: action.arguments.exists(k, k == "u¦', ["url"]),
        (RULES + '    when: "resource.name == \\"ac¦', ["acme/web", "acme/pay"]),
        (RULES + "    when: '\"repo.w¦", ["repo.write"]),
        (RULES + "    when: action.forced ¦", ["&&", "||"]),
        (RULES + "    when: resource.name ¦", ["==", "!=", "in"]),
        (RULES + "    when: (du¦", ["duration"]),
        (RULES + "    effect: deny # no¦", []),
        (RULES + "    reason: res¦", []),
        (RULES + "    when: action.verbs.exists(¦", []),
        (RULES + '    when: duration("¦', []),
        (RULES + "    unknown: a¦", []),
        (RULES + "    when: 1¦", []),
    ],
)
def test_what_is_offered_first(text: str, first: list[str]) -> None:
    assert shown(text)[: len(first)] == first if first else shown(text) == []


def test_values_come_with_how_many_requests_have_them_and_without_a_history_only_the_schemas_own() -> None:
    found = at(RULES + '    when: resource.name == "acme¦').candidates
    assert [(one.shown, one.seen) for one in found] == [("acme/web", 3), ("acme/pay", 1)]
    assert shown(RULES + '    when: resource.name == "ac¦', history=False) == []
    assert shown(RULES + '    when: principal.kind == "w¦', history=False) == ["workload"]
    assert "\x1b[31m" not in shown(RULES + '    when: resource.name == "¦')


@pytest.mark.parametrize("style", ["", "'", '"', "|", ">-"])
@pytest.mark.parametrize("inner", ['"', "'", "none"])
@pytest.mark.parametrize("value", NAMES)
def test_what_is_accepted_is_sound_in_every_way_of_writing(style: str, inner: str, value: str) -> None:
    begin = "resource.name == " + ("" if inner == "none" else inner)
    if style == "'":
        begin = begin.replace("'", "''")
    elif style == '"':
        begin = begin.replace('"', '\\"')
    lead = f"    when: {style}{begin}" if style in ("", "'", '"') else f"    when: {style}\n      {begin}"
    text = RULES + lead
    found = at(text + "¦")
    chosen = next((one for one in found.candidates if one.shown == value), None)
    if chosen is None:
        assert value in ("\x1b[31m", "a: b #c") or ("\\" in value and style == '"')
        return
    lines = text.split("\n")
    lines[-1] = lines[-1][: found.start] + chosen.text + (style if style in ("'", '"') else "")
    checked = check("\n".join(lines) + "\n")
    assert checked.policy is not None, ("\n".join(lines), checked.diagnostics)
    assert evaluate(checked.policy.rules[0].tree, {"resource.name": value}).value is True


@pytest.mark.parametrize("value", NAMES)
@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_values_of_tests_are_sound_yaml(value: str, quote: str) -> None:
    text = RULES + f"    when: 'true'\n    tests:\n      match:\n        - resource.name: {quote}"
    found = at(text + "¦")
    chosen = next((one for one in found.candidates if one.shown == value), None)
    if chosen is None:
        assert value == "\x1b[31m"
        return
    policy = check(text + chosen.text + "\n").policy
    assert policy is not None
    assert policy.rules[0].examples[0].request == {"resource.name": value}


WHOLE = (
    RULES
    + """    when: >-
      action.verbs.exists(v, v == "exec") && resource["name"] in ["a", 'b'] || // why
      credential.ttl > duration("1h") ? has(resource.owner) : context.day.getDayOfWeek() == 0
    tests: {match: [{action: {verb: exec}, "resource.name": 'x'}]}
"""
)


@given(
    text=st.just(WHOLE)
    | st.lists(st.sampled_from(("rules:", "\n", "  ", "- ", "when: ", "tests: ", "match: ", "{", "}", "[", "]", ",", ": ", '"', "'", "\\", "|\n", "a.b", ".exists(", "(", ")", "== ", "é", "\x00", "#", "\r\n", "\u2028")), max_size=24).map("".join),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_any_place_of_any_text_is_answered(text: str, data: st.DataObject) -> None:
    lines = lines_of(text)
    line = data.draw(st.integers(0, len(lines)))
    column = data.draw(st.integers(0, len(lines[line]) + 1 if line < len(lines) else 3))
    found = complete(text, line, column, SEEN)
    assert 0 <= found.start <= column
    assert len({one.text for one in found.candidates}) == len(found.candidates)
