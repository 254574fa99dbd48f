"""A Cloud Logging entry under the names of its own API, whatever store it was kept in."""

from __future__ import annotations

import re

from importers.shared.fields import Json, decode, mapping
from model.event import BadRecord

_SPELLING = {"protopayload": "protoPayload", "insertid": "insertId", "logname": "logName", "receivetimestamp": "receiveTimestamp"}
_TEXTS = {"requestJson": "request", "responseJson": "response", "metadataJson": "metadata"}
_SNAKE = re.compile(r"_([a-z0-9])")
_OWN_WORDS = frozenset({"request", "response", "metadata", "labels"})
"""Members of an entry that hold another's names, which are no words of the log's."""
_DEEPEST = 12


def entry_of(entry: Json) -> Json:
    """The entry itself; one of a BigQuery sink, of Log Analytics or with names in lower case as the API would give it."""
    if "protoPayload" in entry:
        return entry
    if isinstance(held := entry.get("protopayload_auditlog"), dict):
        return {**entry, "protoPayload": _of_sink(held)}
    if isinstance(mapping(entry.get("proto_payload")).get("audit_log"), dict):
        told = mapping(_camel({name: one for name, one in entry.items() if name != "proto_payload"}))
        return {**told, "protoPayload": _camel(mapping(entry["proto_payload"])["audit_log"])}
    if "protopayload" in entry:
        return {_SPELLING.get(name, name): value for name, value in entry.items()}
    return entry


def _of_sink(payload: Json) -> Json:
    """A payload as BigQuery keeps it: requests and answers are texts of JSON there."""
    told = dict(payload)
    for name, own in _TEXTS.items():
        stated = told.get(name)
        if isinstance(stated, str) and own not in told:
            try:
                told[own] = decode(stated.encode("utf-8", "replace"))
            except BadRecord:
                continue
    return told


def _camel(value: object, depth: int = 0) -> object:
    """`method_name` as `methodName`, as deep as these are words of the log's."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        return [_camel(one, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        _SNAKE.sub(lambda found: found.group(1).upper(), name): one if name in _OWN_WORDS else _camel(one, depth + 1)
        for name, one in value.items()
    }
