"""Facets: how many tasks of a queue have which value of a field, each with the word of the filter language that narrows to it."""

from __future__ import annotations

from typing import Any

from lang.counted import count
from review.errors import RemitError
from review.show.filter_words import quoted
from review.show.filters import ALIASES, FIELDS, UNKNOWN, task_filter, with_word
from review.sitting.queueing import FACETS, SHOWN
from store import Store

Doc = dict[str, Any]
VALUES = 2_000
"""Values of a field that completion chooses from; the most frequent."""


def facet(store: Store, field: str, filter: str = "", most: int = SHOWN) -> list[Doc]:
    """The most frequent values of a field in the tasks that pass a filter: `field`, `value`, `tasks` and the `word` for it."""
    name = ALIASES.get(field, field)
    if name not in FACETS:
        raise RemitError(f"no facet of {field[:40]!r}; facets: {', '.join(FACETS)}")
    column = FIELDS[name].column
    counted = store.facet(column, task_filter(filter), most)
    return [{"field": name, "value": value or None, "tasks": tasks, "word": word(name, value)} for value, tasks in counted]


def facets(store: Store, filter: str = "", most: int = SHOWN) -> list[Doc]:
    """Every facet of the tasks that pass a filter, one after the other."""
    return [row for name in FACETS for row in facet(store, name, filter, most)]


def word(field: str, value: str) -> str:
    """The word of the filter language for a value; for what is not known, that there is none."""
    return f"{field}:{quoted(value)}" if value else f"-{field}:*"


def narrowed(filter: str, word: str, *, out: bool = False) -> str:
    """A filter with one word more; with `out` what the word names is left out."""
    turned = word[1:] if word.startswith("-") else f"-{word}"
    return with_word(filter, turned if out else word)


def sentence(row: Doc) -> str:
    return f"{row['field']} {row['value'] or UNKNOWN}: {count(row['tasks'], 'task')} ({row['word']})"
