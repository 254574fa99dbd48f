"""The scalar evaluator, the vectorised one and, where installed, Google's CEL give the same three-valued answers."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cel_agreement import differences
from benchmarks.cel_writer import DATES, MAPS, NAMES, NUMBERS, WORDS, Writer
from lang.cel import compile_condition, evaluate
from lang.cel.columns import Rows, Texts
from lang.cel.functions import FUNCTIONS, pattern
from lang.cel.regex import matching, required
from lang.cel.scalar import closure
from lang.cel.spans import moment_of, parse_day
from lang.cel.vector import Evaluator
from model.request import FIELD
from policy.google_cel import Program, available
from policy.referee import compare

text = st.sampled_from((*WORDS, "\x00"))
KINDS = {
    "string": text,
    "int": st.sampled_from(NUMBERS),
    "bool": st.booleans(),
    "list<string>": st.lists(text, max_size=3).map(tuple),
    "timestamp": st.sampled_from(DATES).map(parse_day),
}
READ = sorted({*NAMES, *(f"{group}.{key}" for group, keys in MAPS.items() for key in keys)})
requests = st.lists(st.fixed_dictionaries({}, optional={n: KINDS[FIELD[n].type] for n in READ}), max_size=24)
conditions = st.integers(0, 1 << 40).map(lambda seed: Writer(Random(seed)).boolean(3))


@given(condition=conditions, rows=requests)
@settings(max_examples=100, deadline=None)
def test_scalar_and_vector_agree_on_value_and_missing_names(condition: str, rows: list[dict[str, Any]]) -> None:
    compiled = compile_condition(condition)
    assert compiled.tree is not None, (condition, compiled.problems)
    table = Rows(rows, {n: FIELD[n].type for n in READ})
    got = Evaluator(table).evaluate(compiled.tree)
    true = np.unpackbits(got.true)
    unknown = np.unpackbits(got.unknown)
    missing = {name: np.unpackbits(bits) for name, bits in got.missing.items()}
    for i, row in enumerate(rows):
        want = evaluate(compiled.tree, row)
        value = None if unknown[i] else bool(true[i])
        assert not (unknown[i] and true[i])
        assert (value, {n for n, bits in missing.items() if bits[i]}) == (want.value, set(want.missing)), (condition, row)
    assert not true[len(rows) :].any()
    assert not unknown[len(rows) :].any()


@given(conditions=st.lists(conditions, min_size=2, max_size=5), rows=requests)
@settings(max_examples=60, deadline=None)
def test_answers_do_not_depend_on_what_was_asked_before(conditions: list[str], rows: list[dict[str, Any]]) -> None:
    table = Rows(rows, {n: FIELD[n].type for n in READ})
    shared, tiny = Evaluator(table), Evaluator(table, cache_bytes=1)
    for condition in (*conditions, *conditions):
        tree = compile_condition(condition).tree
        assert tree is not None
        fresh = Evaluator(table).evaluate(tree)
        for other in (shared.evaluate(tree), tiny.evaluate(tree)):
            assert (other.true == fresh.true).all()
            assert (other.unknown == fresh.unknown).all()


@pytest.mark.skipif(not available(), reason="Google's CEL is not installed: the extra `referee`")
def test_google_cel_agrees() -> None:
    """The small form of `make cel-agreement`."""
    wrong, done = differences(conditions=150, requests=120, seed=20)
    assert not wrong, wrong[:3]
    assert done["compared"] == 150 * 120
    assert 0.1 < done["unknown"] / done["compared"] < 0.6
    assert 0.1 < done["true"] / done["compared"] < 0.6


@pytest.mark.skipif(not available(), reason="Google's CEL is not installed: the extra `referee`")
def test_a_wrong_evaluator_is_found_by_google_cel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "getMonth", lambda micros: moment_of(micros).month)
    tree = compile_condition("context.day.getMonth() == 2 || credential.ttl > duration('1h')").tree
    assert tree is not None
    rows: list[Any] = [{"context.day": parse_day("2026-03-01")}, {"credential.ttl_seconds": 7200}, {}]
    closure.cache_clear()
    table = Rows(rows, {"context.day": "timestamp", "credential.ttl_seconds": "int"})
    found = compare(tree, Program("context.day.getMonth() == 2 || credential.ttl > duration('1h')"), Evaluator(table))
    closure.cache_clear()
    assert found.differ.tolist() == [True, False, False]
    assert found.examples == [(0, None, True)]


@given(values=st.lists(text, unique=True), needle=text | st.sampled_from(("ab", "push", "--", "xx", "本")))
@settings(deadline=None)
def test_text_predicates_equal_those_of_python(values: list[str], needle: str) -> None:
    texts = Texts.of([v.encode() for v in values])
    data = needle.encode()
    assert texts.containing(data).tolist() == [needle in v for v in values]
    assert texts.starting(data).tolist() == [v.startswith(needle) for v in values]
    assert texts.ending(data).tolist() == [v.endswith(needle) for v in values]
    assert texts.equal(data).tolist() == [v == needle for v in values]
    assert texts.sizes.tolist() == [len(v) for v in values]
    assert list(texts.lowered.values()) == ["".join(c.lower() if c.isascii() else c for c in v) for v in values]


def test_text_predicates_over_many_values() -> None:
    values = [f"{i:05d}-{'ab' * (i % 7)}-{'é' * (i % 3)}" for i in range(3000)]
    texts = Texts.of([v.encode() for v in values])
    for needle in ("1", "0-", "ab", "abab-é", "-é", "00042-", "ééé", values[2999]):
        data = needle.encode()
        assert texts.containing(data).tolist() == [needle in v for v in values]
        assert texts.starting(data).tolist() == [v.startswith(needle) for v in values]
        assert texts.ending(data).tolist() == [v.endswith(needle) for v in values]
        assert texts.equal(data).tolist() == [v == needle for v in values]


PIECES = (
    "a",
    "b",
    "ab",
    ".",
    "\\.",
    "\\d",
    "[ab]",
    "[^a]",
    "(ab)",
    "a?",
    "b*",
    "(a)?",
    "a{2}",
    "b{0,1}",
    "^",
    "$",
    "\\x61",
    "\\pL",
    "\\b",
    "+",
)


@given(expression=st.lists(st.sampled_from(PIECES), max_size=6).map("".join), value=st.text("ab.1{} ", max_size=10))
@settings(max_examples=100, deadline=None)
def test_required_literals_are_in_every_match(expression: str, value: str) -> None:
    try:
        matcher = pattern(expression)
    except ValueError:
        return
    if matcher.found_in(value):
        assert all(literal in value for literal in required(expression)), (expression, required(expression))


def test_required_literals_are_found_where_they_help() -> None:
    assert required("^curl .*example\\.org/") == ("example.org/", "curl ")
    assert required("acme/(pay|web)-1[|]?") == ("acme/", "-1")
    assert required("a|b") == required("(?i)abc") == required("[a-z]+") == ()


@given(
    expression=st.lists(
        st.sampled_from((*PIECES, "|", "(?i)A", "(?:a|b)", "[^b]", "\\s", "\\A", "\\z", "(?s).", "(?m)^a", "\n")), max_size=6
    ).map("".join),
    values=st.lists(st.text("abA.1 \n\r", max_size=8), unique=True, max_size=12),
)
@settings(max_examples=100, deadline=None)
def test_one_scan_over_all_texts_equals_one_match_each(expression: str, values: list[str]) -> None:
    try:
        matcher = pattern(expression)
    except ValueError:
        return
    many = [*values, *(f"x{i}" for i in range(80))]
    got = matching(Texts.of([v.encode() for v in many]), expression)
    assert got.tolist() == [matcher.found_in(v) for v in many]
