"""JSON with comments: what stands in a text is no comment, and what is never closed costs its length."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.jsonc import loads

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["// no", "/* no */", ",]", '"', "\\", "*/"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_plain_json_is_what_it_is(value: Any) -> None:
    assert loads(json.dumps(value, indent=1)) == value == loads("\ufeff" + json.dumps(value))


@given(VALUES, st.sampled_from(["// , } ]\n", "/* , } ] \n ** */", " \n"]))
def test_comments_and_trailing_commas_are_left_out(value: Any, said: str) -> None:
    text = f'{said}{{"a": {said}{json.dumps(value)}{said},{said}{said}}}{said}'
    assert loads(text) == {"a": value}


@pytest.mark.parametrize("text", ["", "{", '{"a": 1,, }', "{'a': 1}", '{"a" /* 1}', "[1,]]", "// only"])
def test_what_is_no_json_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        loads(text)


@pytest.mark.parametrize("piece", ['"\\', "/*", '"', "/", ",//\n", ",/**/", "/**", ", ", ",/*"])
def test_what_is_never_closed_is_looked_at_once(piece: str) -> None:
    # At the square of it, each of these takes minutes.
    with pytest.raises(ValueError):
        loads(piece * 100_001)
