"""Translated JMESPath agrees with the library's interpreter on whatever a record holds."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from importers.mapping.expressions import JMESPathError, _Functions, compiled

INTERPRETER = TreeInterpreter(jmespath.Options(custom_functions=_Functions()))
EXPRESSIONS = (
    "a", "a.b.c", '"a.b"', "a || b", "a && b || c", "!a", "!(a && b)", "a == 'x'", "'x' != a", "a == b", "a == `0`", "a != `true`",
    "b < `2`", "a[0]", "a[-1].b", "a[1:]", "a[].b", "a[*].b", "a[?b]", "a[?b == 'x'].c | [0]", "a[?b][0]", "[a, b.c]", "a.[b, c]",
    "{x: a, y: b}", "*.b", "values(@)[?b]", "contains(['x', 'y'], a || '')", "starts_with(a, 'x')", "length(a)", "to_string(a)",
    "join(',', a)", "sort_by(a, &b)", "pairs(@)[?value.b].name | [0]", "zip(a, b)", "(a || b).c", "@", "`null`", "'x'", "not_null(a, b)",
    "a[].[b, c][] | [?@] | [0]",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.just(0.0) | st.sampled_from(["", "x", "xy"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c", "a.b"]), inner, max_size=3),
    max_leaves=12,
)


def outcome(look: Any, *arguments: object) -> tuple[str, object]:
    try:
        return "value", look(*arguments)
    except (JMESPathError, TypeError, ValueError, AttributeError) as error:
        return "error", type(error).__name__


@given(st.sampled_from(EXPRESSIONS), JSON)
def test_both_say_the_same(source: str, value: object) -> None:
    parsed = Parser().parse(source).parsed
    mine, theirs = outcome(compiled(source), value), outcome(INTERPRETER.visit, parsed, value)
    assert (mine[0], repr(mine[1])) == (theirs[0], repr(theirs[1]))


@pytest.mark.parametrize("source", ["", "a[", "a..b", "a ||", "{x}"])
def test_what_is_no_expression_is_refused(source: str) -> None:
    with pytest.raises(JMESPathError):
        compiled(source)
