"""Rows of Azure's own tables of Kubernetes audit events (AKSAudit, AKSAuditAdmin), as events of the API server.

A cluster that logs "resource-specific" writes columns instead of the audit event. An export names a time's column with its
zone (`RequestReceivedTime [UTC]`) and, as CSV, holds what was an object as JSON text. The portal's CSV writes the times as a
browser shows them in American English, whatever the reader's own language.
"""

from __future__ import annotations

import re

from importers.shared.fields import Json, decode, first_text

_COLUMNS = {
    "Annotations": "annotations",
    "AuditId": "auditID",
    "Level": "level",
    "ObjectRef": "objectRef",
    "RequestObject": "requestObject",
    "RequestReceivedTime": "requestReceivedTimestamp",
    "RequestUri": "requestURI",
    "ResponseObject": "responseObject",
    "ResponseStatus": "responseStatus",
    "SourceIps": "sourceIPs",
    "Stage": "stage",
    "StageReceivedTime": "stageTimestamp",
    "TimeGenerated": "timestamp",
    "User": "user",
    "UserAgent": "userAgent",
    "Verb": "verb",
}
_ZONE = " [UTC]"
_SHOWN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d\d:\d\d(?:\.\d+)?) ([AP])M")


def is_row(entry: Json) -> bool:
    """Whether this is a row of such a table; no other of Azure's tables has these two columns."""
    return "AuditId" in entry and "RequestUri" in entry and "Verb" in entry


def event_of(entry: Json) -> tuple[Json, str]:
    """The audit event the row was made from, and its cluster."""
    event: Json = {}
    for column, value in entry.items():
        if (name := _COLUMNS.get(column.removesuffix(_ZONE))) is not None and value not in (None, ""):
            event[name] = _held(value, column.endswith(_ZONE)) if isinstance(value, str) else value
    return event, first_text(entry, "_ResourceId", "ResourceId").rstrip("/").rpartition("/")[2].lower()


def _held(value: str, utc: bool) -> object:
    if value[0] in "{[":
        return decode(value.encode("utf-8", "replace"))
    if not utc or (shown := _SHOWN.fullmatch(value)) is None:
        return value
    month, day, year, hour, rest, half = shown.groups()
    return f"{year}-{int(month):02}-{int(day):02}T{int(hour) % 12 + (12 if half == 'P' else 0):02}:{rest}Z"
