"""What the webhook bodies of code hosts have in common: the ways deliveries are kept, and what a push says of its commits."""

from __future__ import annotations

import re
from typing import NamedTuple

from importers.shared.chat import json_of
from importers.shared.fields import Json, commit_id, key, keys, mapping, text
from model.event import Key
from model.words import KeyRole

CHECKPOINT = re.compile(r"^Entire-Checkpoint:\s*([0-9a-f]{12})\s*$", re.M)
MAX_COMMITS = 200
_WRAPS = ("payload", "body")


class Kept(NamedTuple):
    """A body, and when it came where what is kept around it says so."""

    body: Json
    at: object = None
    headers: Json = {}  # noqa: RUF012  # never written to


def body_of(record: Json, marks: tuple[str, ...]) -> Kept:
    """The body that has one of these members: the record itself, or what it keeps under `payload` or `body`, also as JSON text."""
    if any(mark in record for mark in marks):
        return Kept(record)
    for holder in (record, mapping(record.get("request"))):
        for name in _WRAPS:
            inner = mapping(json_of(holder.get(name)))
            if any(mark in inner for mark in marks):
                return Kept(inner, came_at(record), mapping(holder.get("headers")))
    return Kept(record)


def came_at(record: Json) -> object:
    """When a delivery came, where what was kept around its body says so: a queue's or a receiver's word, a gateway's epoch."""
    stated = next((record[name] for name in ("delivered_at", "received_at", "timestamp") if record.get(name)), None)
    return stated or mapping(record.get("requestContext")).get("timeEpoch")


def commits_of(head: object, listed: object, name: str) -> tuple[Key, ...]:
    """The commits of a push, its head first, and the Entire checkpoints their messages name."""
    commits = [mapping(one) for one in listed[:MAX_COMMITS]] if isinstance(listed, list) else []
    shas = [commit_id(head), *(commit_id(one.get(name)) for one in commits)]
    points = [m.group(1) for one in commits if (m := CHECKPOINT.search(text(one.get("message"))))]
    return keys(
        *(key(KeyRole.REFERENCE, "commit", sha) for sha in shas),
        *(key(KeyRole.REFERENCE, "entire.checkpoint", point) for point in points),
    )
