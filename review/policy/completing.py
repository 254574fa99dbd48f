"""What may be written at a place in a policy, with the values its history has."""

from __future__ import annotations

from pathlib import Path

import msgspec

from policy.completion import Values, complete
from policy.history import History
from policy.seen import Seen
from review import locations
from review.documents import Doc
from review.policy.history_index import open_history
from review.workspace import open_workspace


def values_of(history: History) -> Values:
    """The values of a history by attribute, counted when first asked for."""
    return Seen(history)


def stored_values(store: str | None, org: str | None) -> Values | None:
    """The values in a store; None where none is named and the usual one is not there."""
    where = store or locations.default_store()
    if store is None and not locations.is_url(where) and not Path(where).exists():
        return None
    with open_workspace(store, org, readonly=True) as work:
        return Seen(open_history(work))


def completion(text: str, line: int, column: int, values: Values | None) -> Doc:
    """The candidates before the character at (line, column), both from 1, as a document."""
    found = complete(text, line - 1, column - 1, values)
    return {
        "line": line, "column": found.start + 1, "end_column": column,
        "candidates": [msgspec.to_builtins(one) | {"shown": one.shown or one.text} for one in found.candidates],
    }  # fmt: skip
