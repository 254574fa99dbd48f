"""A warning that a condition never or always matches is never wrong: it is held against the evaluator itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cel_writer import Writer
from lang.cel import compile_condition, evaluate
from lang.cel.certain import possible
from lang.cel.spans import parse_day
from model.request import FIELD
from policy import check

# One attribute of each type, and a second of the commonest, so that parts meet the same attribute often.
KINDS: dict[str, Any] = {
    "resource.name": st.sampled_from(("", "a", "a\x00", "ab", "b", "B")),
    "resource.owner": st.sampled_from(("a", "b")),
    "principal.kind": st.sampled_from(FIELD["principal.kind"].values),
    "agent.depth": st.integers(-3, 6) | st.sampled_from((-(1 << 63), (1 << 63) - 1)),
    "credential.ttl_seconds": st.sampled_from((-1, 0, 3599, 3600, 3601, (1 << 53) - 1, (1 << 63) - 1)),
    "action.forced": st.booleans(),
    "action.verbs": st.lists(st.sampled_from(("a", "b")), max_size=2).map(tuple),
    "context.day": st.sampled_from(("0001-01-01", "2026-02-28", "2026-03-01", "9999-12-31")).map(parse_day),
}
ATOMS = (
    'resource.name == "a"', 'resource.name != "b"', 'resource.name < "b"', 'resource.name >= "ab"', 'resource.name > "a"',
    'resource.name in ["a", "b"]', 'resource.name.startsWith("a")', 'resource.name.size() > 1', 'resource.name == resource.owner',
    "resource.name == resource.name", "has(resource.name)", 'resource.owner == "a"', 'resource["owner"] == "b"',
    'principal.kind == "human"', 'principal.kind in ["human", "agent"]', 'principal.kind != "human"', 'principal.kind.contains("a")',
    "agent.depth > 3", "agent.depth < 3", "agent.depth == 3", "agent.depth >= 0", "agent.depth + 1 > agent.depth", "1 / agent.depth > 0",
    'credential.ttl > duration("1h")', 'credential.ttl <= duration("3600.5s")', "credential.ttl_seconds > 3600",
    'credential.ttl == duration("9223372036s")', "credential.ttl_seconds < 0", "action.forced", "action.forced == true",
    '"a" in action.verbs', "action.verbs == []", 'action.verbs.all(v, v == "a")', 'context.day > timestamp("2026-02-28T12:00:00Z")',
    'context.day < timestamp("2026-03-01T00:00:00Z")', "context.day.getFullYear() == 2026", "true", "1 == 1", "1 / 0 == 1",
    '"owner" in resource',
)  # fmt: skip


def _joined(parts: Any) -> Any:
    return st.one_of(
        parts.map("!({})".format),
        st.tuples(parts, st.sampled_from(("&&", "||")), parts).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.lists(parts, min_size=2, max_size=4).map(" && ".join).map("({})".format),
        st.lists(parts, min_size=2, max_size=4).map(lambda p: " || ".join(f"({one})" for one in p)).map("({})".format),
        st.tuples(parts, parts, parts).map(lambda t: f"({t[0]}) ? ({t[1]}) : ({t[2]})"),
    )


conditions = st.recursive(st.sampled_from(ATOMS), _joined, max_leaves=6)
requests = st.lists(st.fixed_dictionaries({}, optional=KINDS), min_size=1, max_size=20)


@given(condition=conditions | st.integers(0, 1 << 40).map(lambda seed: Writer(Random(seed)).boolean(2)), rows=requests)
@settings(max_examples=100, deadline=None)
def test_what_is_called_impossible_never_happens(condition: str, rows: list[dict[str, Any]]) -> None:
    tree = compile_condition(condition).tree
    assert tree is not None
    may = possible(tree, FIELD)
    for row in (*rows, {}):
        answer = evaluate(tree, row).value
        assert {True: may.true, False: may.false, None: may.unknown}[answer], (condition, row, answer, may)


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ('action.verb == "exec" && action.verb == "file.read"', "cel-never"),
        ('action.verb == "exec" && (resource.name == "x" && action.verb == "file.read")', "cel-never"),
        ('action.verb in ["exec"] && action.forced && !(action.verb == "exec")', "cel-never"),
        ('resource.name == "a" && resource.name != "a"', "cel-never"),
        ('resource.name == "a" && !resource.name.startsWith("a")', "cel-never"),
        ('resource.name > "a" && resource.name < "a\\x00"', "cel-never"),
        ("agent.depth > 3 && agent.depth < 4 && resource.name == 'a'", "cel-never"),
        ('credential.ttl > duration("1h") && credential.ttl_seconds < 60', "cel-never"),
        ('context.day < timestamp("2026-01-01T00:00:00Z") && context.day > timestamp("2026-01-01T00:00:00Z")', "cel-never"),
        ("!has(resource.owner) && resource.owner == 'a'", "cel-never"),
        ("action.forced && !action.forced", "cel-never"),
        ("action.forced ? !action.forced : action.forced", "cel-never"),
        ('"a" == "b"', "cel-never"),
        ("false", "cel-never"),
        ("1 / 0 == 1", "cel-never"),
        ("has(resource.name) || !has(resource.name)", "cel-always"),
        ("1 == 1", "cel-always"),
        ("resource.name == 'a' || resource.owner == 'b' || 1 == 1", "cel-always"),
        # Possible, if only just; or not known to be impossible.
        ("true", ""),
        ("resource.name == 'a' || resource.name != 'a'", ""),
        ('resource.name > "a" && resource.name < "a\\x00\\x00"', ""),
        ("agent.depth > 3 && agent.depth < 5", ""),
        ('"exec" in action.verbs && "file.read" in action.verbs', ""),
        ('action.verb == "exec" || action.verb == "file.read"', ""),
        ("resource.name == 'a' && resource.owner == 'b'", ""),
        ("context.day.getMonth() == 12", ""),
    ],
)
def test_what_can_never_or_must_always_match_is_warned_of(when: str, code: str) -> None:
    compiled = compile_condition(when)
    assert compiled.tree is not None
    assert [p.code for p in compiled.problems] == ([code] if code else [])
    assert all((p.start, p.end, p.severity) == (0, len(when), "warning") for p in compiled.problems)


def test_tests_that_contradict_the_rule_or_each_other_are_told_where_they_stand() -> None:
    text = """\
version: 1
default: ask
rules:
  - id: a
    effect: deny
    when: action.forced && resource.name == "x"
    tests:
      match:
        - {action.forced: true, resource.name: x}
        - {action.forced: false}
        - {resource.name: x}
      not_match:
        - {resource: {name: y}}
        - action: {forced: true}
          resource.name: x
"""
    checked = check(text)
    assert [(d.line, d.column, d.severity, d.code) for d in checked.diagnostics] == [
        (10, 11, "warning", "failing-test"),
        (11, 11, "warning", "failing-test"),
        (14, 11, "error", "contradiction"),
    ]
    assert "does not match it" in checked.diagnostics[0].message
    assert "does not state action.forced" in checked.diagnostics[1].message
    assert "under `match` in line 9" in checked.diagnostics[2].message
