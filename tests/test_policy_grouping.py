"""Counted requests to a history: names of shapes looked up without a dictionary, equal rows told by hash and by a second look."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import shaping
from policy.grouping import Names
from policy.history import NAME_BYTES
from policy.shaping import Shapes, distinct_rows

# Few different bytes, so that names share their first halves and are equal.
NAMES = st.lists(
    st.binary(min_size=1, max_size=1).map(lambda b: bytes([b[0] % 3])), min_size=NAME_BYTES, max_size=NAME_BYTES
).map(b"".join)
FEW = st.sampled_from([bytes(8) + n.to_bytes(8, "big") for n in range(5)]) | NAMES
MATRICES = st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), max_size=30).map(
    lambda rows: np.array(rows, np.uint32).reshape(-1, 3)
)


@given(st.lists(FEW, max_size=40), st.lists(FEW, max_size=10))
def test_names_are_found_at_their_places(told: list[bytes], asked: list[bytes]) -> None:
    names = Names(b"".join(told))
    known = sorted(set(told))
    assert list(names) == known and len(names) == len(known)
    assert [known[place] for place in names.of_row.tolist()] == told
    assert names.places(asked).tolist() == [known.index(one) if one in known else -1 for one in asked]
    assert all((one in names) == (one in known) for one in asked)
    assert "x" not in names and b"short" not in names


@given(MATRICES)
def test_equal_rows_are_one(matrix: np.ndarray[tuple[int, int], np.dtype[np.uint32]]) -> None:
    number, first = distinct_rows(matrix)
    rows = [tuple(row) for row in matrix.tolist()]
    known = list(dict.fromkeys(rows))
    assert [known[n] for n in number.tolist()] == rows
    assert [rows[n] for n in first.tolist()] == known and first.tolist() == [rows.index(one) for one in known]


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_one_hash_are_looked_at_themselves(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(seed).integers(0, 2, (40, 3)).astype(np.uint32)
    want = [one.tolist() for one in distinct_rows(matrix)]
    # Whatever the hash is, all rows have the same.
    monkeypatch.setattr(shaping, "row_hashes", lambda rows: np.zeros(len(rows), np.uint64))
    assert [one.tolist() for one in distinct_rows(matrix)] == want


def test_what_is_added_is_what_is_numbered() -> None:
    requests = [{"action.verb": verb, "unknown": n} for n, verb in enumerate(("exec", "read", "exec", "", "read"))] + [{}]
    added, numbered = Shapes(), Shapes()
    numbers = [numbered.number(one) for one in requests]
    for one in requests:
        added.add(one)
    assert added.settle().tolist() == numbers
    (columns, size), (others, other_size) = added.columns(), numbered.columns()
    assert size == other_size == 4
    assert {name: column.codes.tolist() for name, column in columns.items()} == {
        name: column.codes.tolist() for name, column in others.items()
    }
