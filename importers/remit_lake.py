"""remit-lake: the events of a `remit export --parquet`, read back as the events they were.

Rows are those of docs/lake.md, schema `events/1`. What Remit works out anew (keys made for matching, tasks) is left to it.
Exported requests are worked out from events and are no records.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec.structs import replace

from importers.remit_events import EXPORTED, event_of
from importers.shared.fields import Json, mapping, moment, text
from model.event import Attr, BadRecord, Parsed
from model.words import Clock

_TRUTHS = frozenset({"forced", "interactive", "accepted", "redirected"})
_NUMBERS = frozenset({"duration_ms", "tokens", "cost_usd", "missing_before"})
_PARTS: dict[str, dict[str, str]] = {
    "principal": {
        "principal": "name",
        "principal_kind": "kind",
        "principal_origin": "origin",
        "on_behalf_of": "on_behalf_of",
    },
    "target": {"target_class": "class", "target": "name", "target_detail": "detail"},
    "decision": {"decision": "effect", "decision_rule": "rule", "decision_reason": "reason", "decision_policy": "policy"},
    "credential": {
        "credential_kind": "kind",
        "credential_issuer": "issuer",
        "credential_subject": "subject",
        "credential_scope": "scope",
        "credential_ttl_seconds": "ttl_seconds",
        "credential_expires": "expires",
        "credential_label": "label",
    },
    "outcome": {"permitted": "permitted", "transport": "transport", "tool_result": "tool", "effect": "effect"},
}
"""Members of a remit-events record by the columns they are made of."""
_SAME = ("kind", "phase", "vantage", "point", "agent", "verb", "tool", "text")


class RemitLake:
    id = "remit-lake"
    title = "Remit's own export (events in Parquet)"
    evidence = "real"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        ours = sum(1 for record in sample if isinstance(record, dict) and record.get("remit") == EXPORTED)
        return 100 if ours and ours * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def read(self, record: object) -> Parsed:
        row = mapping(record)
        if row.get("remit") != EXPORTED:
            raise BadRecord(f"remit: must be {EXPORTED!r}; this Remit reads no other")
        name = text(row.get("event"))
        if not name:
            raise BadRecord("event: is missing")
        at, clock = moment(row.get("at"))
        stated = text(row.get("clock"))
        event = event_of(_as_remit_event(row), at, Clock(stated) if stated in {one.value for one in Clock} else clock)
        event.ref, event.after = text(row.get("ref")), text(row.get("after"))
        if event.decision is not None:
            event.decision = replace(event.decision, by=text(row.get("decision_by")))
        stated_attributes = mapping(row.get("attributes")).items()
        event.attrs = {name: _attribute(name, value) for name, value in stated_attributes if isinstance(value, str)}
        sure = [mapping(one).get("certain") is not False for one in _list(row, "operations")]
        event.operations = tuple(replace(one, certain=known) for one, known in zip(event.operations, sure, strict=True))
        return Parsed([event], name, type=f"{event.kind.value}/{event.phase.value}", at=event.at, keyed=True)


def _as_remit_event(row: Json) -> Json:
    """A row in the shape of remit-events."""
    found: Json = {name: row[name] for name in _SAME if name in row}
    for part, columns in _PARTS.items():
        stated = {inner: row[column] for column, inner in columns.items() if column in row}
        if part != "principal" or "name" in stated:
            found |= {part: stated} if stated else {}
    keys = (mapping(one) for one in _list(row, "keys"))
    # Not `value`: beside a kind called `secret` or `token` that would be taken for one in clear.
    found["keys"] = [{"role": one.get("role"), "kind": one.get("kind"), "value": one.get("id")} for one in keys]
    found["operations"] = [_operation(mapping(one)) for one in _list(row, "operations")]
    return found


def _operation(one: Json) -> Json:
    target = {name: one[name] for name in ("class", "name", "detail") if name in one}
    return {"verb": one.get("verb"), "target": target, "text": one.get("text"), "flags": one.get("flags")}


def _attribute(name: str, value: str) -> Attr:
    """An attribute's value, which stands as JSON where it is no text."""
    if not (name in _TRUTHS or name in _NUMBERS or value[:1] == "["):
        return value
    try:
        said: Attr = json.loads(value)
    except ValueError:
        return value
    fits = isinstance(said, bool) if name in _TRUTHS else type(said) in (int, float) if name in _NUMBERS else _is_texts(said)
    return said if fits else value


def _is_texts(said: object) -> bool:
    return isinstance(said, list) and all(isinstance(one, str) for one in said)


def _list(row: Json, name: str) -> list[object]:
    found = row.get(name)
    return found if isinstance(found, list) else []


IMPORTER = RemitLake()
