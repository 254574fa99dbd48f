"""Things in a cloud: which of them a command names and which a record of the cloud's is about, in one spelling.

Amazon S3 and Google Cloud Storage log each object by itself; a command names objects, folders, buckets or patterns of them. A resource of
Azure's has a name within its group, and both sides say the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lang.late import late
from model.event import Event, Operation
from model.words import TargetClass, Verb

_VALUE = f"{Verb.CLOUD_CALL.value}|"
_ADDRESS = late(r"\b(s3|gs)://([^\s'\"|;&<>()]{0,1000})")
_BUCKET = late(r" --bucket[ =](\S{1,300})")
_KEY = late(r" --(?:key|prefix)[ =](\S{1,1000})")
_OPEN = late(r"[*?\[{$`\\]")
_S3 = late(r"^(?:arn:[^:]{1,20}:s3:::)?([a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/.{0,1000})?)$")
_GS = late(r"^projects/[^/]{1,60}/buckets/([^/]{1,222})(?:/objects/(.{0,1000}))?$")
_RESOURCE = late(r"/subscriptions/[^/]{1,60}/resourcegroups/([^/]{1,90})/providers/[^/]{1,90}/[^/]{1,90}/([^/]{1,90})", re.I)
_LONGEST = 120
_MOST = 10


def objects_asked(operation: Operation) -> Iterator[str]:
    """What a command at a store names; of a pattern or a variable what stands whole before it, the store alone where that is nothing."""
    if operation.verb is not Verb.CLOUD_CALL:
        return
    if operation.text.startswith("az "):
        stated = dict(flag.split("=", 1) for flag in operation.flags if "=" in flag)
        group, name = stated.get("resource-group") or stated.get("g"), stated.get("name") or stated.get("n")
        if group and name:
            yield _value("azure", f"{group}/{name}".casefold())
    if operation.text.startswith("aws s3api ") and (bucket := _stated(operation.text)):
        yield _value("s3", bucket if _OPEN.search(bucket) is None else "")
        return
    if "://" not in operation.text:
        return
    for number, found in enumerate(_ADDRESS.finditer(operation.text)):
        if number == _MOST:
            # Of more than are looked through any may be meant.
            yield f"{_VALUE}{found.group(1)}://"
            return
        place = found.group(2)
        if cut := _OPEN.search(place):
            place = place[: cut.start()].rpartition("/")[0]
        yield _value(found.group(1), place)


def _stated(text: str) -> str:
    """The bucket that options name and, where it stands whole, the key in it."""
    bucket, key = _BUCKET.search(text), _KEY.search(text)
    if bucket is None:
        return ""
    named = key.group(1).strip("'\"") if key else ""
    return "/".join(filter(None, (bucket.group(1).strip("'\""), named if not _OPEN.search(named) else "")))


def object_seen(event: Event) -> Iterator[str]:
    """What a store's record is about, where it says so."""
    target = event.target
    if target.cls is not TargetClass.CLOUD or event.verb is not Verb.CLOUD_CALL:
        return
    if target.name.startswith("s3:") and (found := _S3.fullmatch(target.detail)):
        yield _value("s3", found.group(1))
    elif target.name.startswith("storage:") and (found := _GS.fullmatch(target.detail)):
        yield _value("gs", "/".join(filter(None, found.groups())))
    elif found := _RESOURCE.fullmatch(target.name):
        yield _value("azure", "/".join(found.groups()).casefold())


def other_object(seen: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether both of two sets of values name objects of one store, and none of these lies in another or is it."""
    mine, theirs = ([value for value in values if _is_object(value)] for values in (seen, asked))
    stores = {_store(value) for value in mine} & {_store(value) for value in theirs}
    return bool(stores) and not any(_within(one, other) or _within(other, one) for one in mine for other in theirs)


def _value(store: str, place: str) -> str:
    return f"{_VALUE}{store}://{place.strip('/')[:_LONGEST]}"


def _is_object(value: str) -> bool:
    return value.startswith((f"{_VALUE}s3://", f"{_VALUE}gs://", f"{_VALUE}azure://"))


def _store(value: str) -> str:
    return value.partition("://")[0]


def _within(one: str, other: str) -> bool:
    """Whether one is the other or lies in it; what was cut short may."""
    return one == other or other.endswith("://") or one.startswith(f"{other}/")
