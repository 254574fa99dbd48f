"""What may be written at a place of a filter: fields by name, values by how often the store has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from review.show.filter_words import quoted, words
from review.show.filters import ALIASES, FIELDS

Doc = dict[str, Any]
Values = Callable[[str], Sequence[tuple[str, int]]]
"""The values of a field in the store with how many tasks have each, the most frequent first."""

MOST = 50
_TIMES = (("1h", "the last hour"), ("24h", "the last day"), ("7d", "the last week"), ("30d", "the last month"))


def complete(expression: str, cursor: int, values: Values) -> Doc:
    """`candidates` for what stands at the cursor ([start, end) of the filter is replaced), and a `hint` on the field.

    A candidate has `text` to write, `shown`, `doc` and `tasks` (None where nothing was counted).
    """
    here = next((word for word in words(expression, unfinished=True) if word.start < cursor <= word.end), None)
    if here is None:
        return _answer(cursor, cursor, _fields("") if not expression.strip() else [], "")
    sign = here.start + here.negated
    colon = sign + len(here.field)
    if not here.field or cursor <= colon:
        typed = expression[sign:cursor]
        end = colon + 1 if here.field else here.end
        return _answer(sign, end, _fields(typed) if typed and not here.values[0].quoted else [], "")
    name = ALIASES.get(here.field.lower(), here.field.lower())
    field = FIELDS.get(name)
    value = next((one for one in here.values if one.start <= cursor <= one.end), None)
    if field is None or value is None:
        return _answer(cursor, cursor, [], "")
    return _answer(value.start, value.end, _of_field(name, value.text, values), field.help)


def _answer(start: int, end: int, candidates: list[Doc], hint: str) -> Doc:
    return {"start": start, "end": end, "candidates": candidates[:MOST], "hint": hint}


def _fields(typed: str) -> list[Doc]:
    found = [(name, field.help) for name, field in FIELDS.items() if name.startswith(typed.lower())]
    found += [(name, FIELDS[ALIASES[name]].help) for name in ALIASES if typed and name.startswith(typed.lower())]
    return [{"text": f"{name}:", "shown": f"{name}:", "doc": help, "tasks": None} for name, help in found]


def _of_field(name: str, typed: str, values: Values) -> list[Doc]:
    if FIELDS[name].column == "started":
        return [{"text": text, "shown": text, "doc": doc, "tasks": None} for text, doc in _TIMES if text.startswith(typed)]
    counts = dict(values(name))
    known = [(word, counts.get(word, 0)) for word in FIELDS[name].words] or [
        (text, count) for text, count in counts.items() if text
    ]
    lower = typed.lower()
    begun = [one for one in known if one[0].lower().startswith(lower)]
    within = [one for one in known if lower in one[0].lower() and one not in begun]
    return [
        {"text": quoted(text), "shown": text, "doc": "", "tasks": count if counts else None}
        for text, count in (*begun, *within)
        if text != typed
    ]
