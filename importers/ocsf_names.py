"""OCSF by its captions: classes, activities and verdicts where a writer kept the names of the schema and left its numbers off.

The numbers are the schema's, from 1.0 to 1.6; a name that the schema does not know stands for nothing.
"""

from __future__ import annotations

from importers.shared.fields import Json, mapping, number, text
from importers.shared.told import effect_of
from model.words import Effect

_CLASSES = {
    "file system activity": 1001, "module activity": 1005, "scheduled job activity": 1006, "process activity": 1007,
    "vulnerability finding": 2002, "compliance finding": 2003, "detection finding": 2004, "incident finding": 2005,
    "account change": 3001, "authentication": 3002, "authorize session": 3003, "entity management": 3004,
    "user access management": 3005, "user access": 3005, "group management": 3006, "network activity": 4001, "http activity": 4002,
    "dns activity": 4003, "web resources activity": 6001, "application lifecycle": 6002, "api activity": 6003,
    "web resource access activity": 6004, "datastore activity": 6005, "file hosting activity": 6006,
}  # fmt: skip
_CRUD = {"create": 1, "read": 2, "update": 3, "delete": 4}
_ACTIVITIES: dict[int, dict[str, int]] = {
    1001: _CRUD | {"rename": 5, "set attributes": 6, "set security": 7, "get attributes": 8, "get security": 9, "open": 14},
    1007: {"launch": 1, "terminate": 2, "open": 3, "inject": 4, "set user id": 5},
    3002: {"logon": 1, "logoff": 2, "authentication ticket": 3, "service ticket request": 4},
    4001: {"open": 1, "close": 2, "reset": 3, "fail": 4, "refuse": 5, "traffic": 6, "listen": 7},
    6003: _CRUD,
    6004: {"access grant": 1, "access deny": 2, "access revoke": 3, "access error": 4},
}
_TYPE = 100
"""A type's number is its class's, times this, and its activity's."""
_TYPES = 100_000


def current(entry: Json) -> Json:
    """An event of a schema before 1.0 in today's words: who acted stood in `identity`, calls of clouds had a category of their own
    (whose numbers are inventories now), and what had no place was a list of pairs; any other event as it is.
    """
    found = entry
    if isinstance(who := entry.get("identity"), dict) and "actor" not in entry:
        found = {**found, "actor": who}
    if isinstance(rest := entry.get("unmapped"), list):
        found = {
            **found,
            "unmapped": dict(one for one in rest if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str)),
        }
    api = entry.get("api")
    if (
        text(entry.get("category_name")).lower() != "cloud activity"
        or not isinstance(api, dict)
        or not text(api.get("operation"))
    ):
        return found
    more = mapping(found.get("unmapped"))
    request, response = mapping(api.get("request")), mapping(api.get("response"))
    stated = {
        "request": {"data": more.get("requestParameters"), **request},
        "response": {"data": more.get("responseElements"), **response},
    }
    found = {**found, "class_uid": _CLASSES["api activity"], "type_uid": None, "api": {**api, **stated}}
    # There was no status yet: a response with a place for an error and none in it went well.
    if "error" in response and response["error"] is None and not entry.get("status") and entry.get("status_id") is None:
        found["status_id"] = 1
    return found


def class_of(entry: Json) -> int | None:
    """The class of an event: by its number, by its type's, else by its name."""
    stated = number(entry.get("class_uid"))
    if stated is None and (kind := number(entry.get("type_uid"))) is not None and kind >= _TYPES:
        stated = kind // _TYPE
    return stated if stated is not None else _CLASSES.get(text(entry.get("class_name")).strip().lower())


def activity_of(entry: Json, class_uid: int) -> int | None:
    """What of its class an event is: by its number, by its type's, else by its name."""
    stated = number(entry.get("activity_id"))
    if stated is None and (kind := number(entry.get("type_uid"))) is not None and kind // _TYPE == class_uid:
        stated = kind % _TYPE
    named = text(entry.get("activity_name")) or text(entry.get("activity"))
    return stated if stated is not None else _ACTIVITIES.get(class_uid, {}).get(named.strip().lower())


def said_effect(entry: Json) -> Effect:
    """The verdict in the captions of disposition and action, where the number of neither is there."""
    for name in ("disposition", "action"):
        if number(entry.get(f"{name}_id")) is None and (said := effect_of(entry.get(name))) is not Effect.UNKNOWN:
            return said
    return Effect.UNKNOWN
