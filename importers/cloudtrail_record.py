"""The CloudTrail record inside whatever carries it, under the names CloudTrail itself uses.

Carriers: EventBridge (`detail`), the Lookup API (`CloudTrailEvent`), CloudTrail Lake (`eventJson`, `eventData` of an integration,
rows of a query), log lines (`message`). Tables (Athena, SIEMs) write names in lower case and objects as texts, either as
JSON or as `{name=value, name=value}`; some have a column for each member of the identity, its name glued together. The console's
event history is a table with headings in words and a row's few facts.
"""

from __future__ import annotations

import re

from importers.mapping.columns import heading
from importers.shared.fields import Json, decode, mapping, text
from importers.shared.headings import in_zone
from model.event import BadRecord

_NAMES = (
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
    "requestParameters", "responseElements", "eventID", "requestID", "readOnly", "eventType", "managementEvent",
    "recipientAccountId", "eventCategory", "userIdentity", "errorCode", "errorMessage", "sharedEventID", "resources",
    "additionalEventData", "insightDetails", "vpcEndpointId", "serviceEventDetails", "apiVersion",
    "type", "principalId", "arn", "accountId", "accessKeyId", "userName", "sessionContext", "invokedBy",
    "identityProvider", "sessionIssuer", "webIdFederationData", "federatedProvider", "sourceIdentity", "attributes",
    "onBehalfOf", "userId", "identityStoreArn", "credentialId", "creationDate", "mfaAuthenticated", "ec2RoleDelivery",
)  # fmt: skip
_SPELLING = {name.lower(): name for name in _NAMES}
# What Microsoft's table of these records calls them.
_SPELLING |= {"awseventid": "eventID", "awsrequestid": "requestID", "eventtypename": "eventType", "timegenerated": "eventTime"}
_IDENTITY = (("useridentity", ()), ("sessionissuer", ("sessionContext", "sessionIssuer")))
_WITHIN = (("sessioncontext", "sessionContext"), ("sessionissuer", "sessionIssuer"), ("attributes", "attributes"))
_NO_ERROR = frozenset({"noerror", "none", "null", "nan", "-"})
"""What tables write for an error where there was none."""
_OBJECTS = ("userIdentity", "requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "resources")
_HOLDERS = ("detail", "eventData", "CloudTrailEvent", "eventJson", "eventjson", "message")
_PAIR = re.compile(r"(?:^|,)\s*([\w.:/-]+)=")
_DEEPEST = 8


def record_of(entry: Json) -> Json:
    """The record itself; what holds none is given back as it is."""
    if "Event name" in entry:
        return _of_console(entry)
    if not ("eventName" in entry and "eventVersion" in entry):
        entry = _inside(entry)
    if "eventName" not in entry and ("eventname" in entry or ".amazonaws." in text(entry.get("EventSource"))):
        entry = _spelled(entry)
    if "userIdentity" not in entry and "eventName" in entry:
        entry = _with_identity(entry)
    if any(text(entry.get(name)).lower() in _NO_ERROR for name in ("errorCode", "errorMessage")):
        entry = {name: one for name, one in entry.items() if name[:5] != "error" or text(one).lower() not in _NO_ERROR}
    stated = [name for name in _OBJECTS if isinstance(entry.get(name), str)]
    if not stated:
        return entry
    entry = {**entry, **{name: _object(text(entry[name])) for name in stated}}
    identity = entry.get("userIdentity")
    if "userIdentity" in stated and isinstance(identity, dict):
        entry["userIdentity"] = _renamed(identity)
    return entry


def rows_of(entry: Json) -> list[Json]:
    """The records of a whole envelope that came as one, and of an answer of CloudTrail Lake: rows of one-member objects."""
    listed = entry.get("Records")
    if isinstance(listed, list):
        return [one for one in listed if isinstance(one, dict) and "Records" not in one]
    listed = entry.get("QueryResultRows")
    rows: list[Json] = []
    for row in listed if isinstance(listed, list) else []:
        cells = row if isinstance(row, list) else []
        rows.append({name: value for cell in cells if isinstance(cell, dict) for name, value in cell.items()})
    return [row for row in rows if row]


def is_envelope(entry: Json) -> bool:
    return isinstance(entry.get("Records"), list) or isinstance(entry.get("QueryResultRows"), list)


def _of_console(entry: Json) -> Json:
    """A row of the console's event history; whose kind of identity it was is not in it."""
    own = {"".join(word for word in re.split(r"[ -]", name) if word).lower(): value for name, value in entry.items()}
    record = {_SPELLING[name]: value for name, value in own.items() if name in _SPELLING and name != "username"}
    key = text(own.get("awsaccesskey")) or text(record.pop("accessKeyId", None))
    record["userIdentity"] = {"userName": own.get("username"), "accessKeyId": key or None}
    if name := text(own.get("resourcename")):
        record["resources"] = [{"ARN": name, "type": own.get("resourcetype")}]
    return record


def _inside(entry: Json) -> Json:
    for holder in _HOLDERS:
        inner = entry.get(holder)
        if isinstance(inner, str) and inner.lstrip()[:1] == "{":
            inner = decode(inner.encode("utf-8", "replace"))
        if isinstance(inner, dict) and ("eventName" in inner or "eventname" in inner):
            if holder != "eventData":
                return inner
            # An integration's own event: what the lake says of it stands around it.
            around = {name: value for name, value in entry.items() if name.startswith("event") or name == "recipientAccountId"}
            return {**around, **inner, "eventID": entry.get("eventID") or inner.get("UID")}
    return entry


def _spelled(entry: Json) -> Json:
    """A copy in another case with the names CloudTrail itself uses; parameters keep the names they have."""
    timed = any(heading(name) == "eventtime" for name in entry)
    own: Json = {}
    for name, value in entry.items():
        plain = heading(name)
        if not (timed and plain == "timegenerated"):
            own.setdefault(_SPELLING.get(plain, name), in_zone(name, value))
    identity = own.get("userIdentity")
    if isinstance(identity, dict):
        own["userIdentity"] = _renamed(identity)
    return own


def _with_identity(entry: Json) -> Json:
    """The identity put together of columns such as `userIdentitytype`, `UserIdentityArn` and `SessionIssuerUserName`."""
    identity: Json = {}
    for name, value in entry.items():
        plain = name.lower().replace("_", "")
        for prefix, path in _IDENTITY:
            if not plain.startswith(prefix) or plain == prefix or value in (None, ""):
                continue
            rest, place = plain[len(prefix) :], list(path)
            for word, inner in _WITHIN:
                if rest.startswith(word) and rest != word:
                    rest, place = rest[len(word) :], [*place, inner]
            if rest in _SPELLING:
                _put(identity, place, _SPELLING[rest], value)
            break
    return {**entry, "userIdentity": identity} if identity else entry


def _put(into: Json, place: list[str], name: str, value: object) -> None:
    for one in place:
        inner = into.setdefault(one, {})
        if not isinstance(inner, dict):
            return
        into = inner
    into.setdefault(name, value)


def _renamed(value: object, depth: int = 0) -> object:
    if not isinstance(value, dict) or depth > _DEEPEST:
        return value
    return {_SPELLING.get(name, name): _renamed(inner, depth + 1) for name, inner in value.items()}


def _object(stated: str) -> object:
    """What a text stands for: JSON, the `{name=value}` of a table's cell, else the text."""
    begin = stated.lstrip()[:1]
    if begin not in ("{", "["):
        return None if stated in ("", "null") else stated
    try:
        return decode(stated.encode("utf-8", "replace"))
    except BadRecord:
        return _cell(stated.strip()) if begin == "{" else stated


def _cell(stated: str, depth: int = 0) -> object:
    """`{a=1, b={c=2}}` as an object; a value ends where, outside any braces, the next name begins."""
    if not (stated.startswith("{") and stated.endswith("}")) or depth > _DEEPEST or len(stated) > 1 << 20:
        return None if stated == "null" else stated
    inner = stated[1:-1]
    level, open_at = 0, bytearray(len(inner) + 1)
    for at, char in enumerate(inner):
        open_at[at] = level > 0
        level += (char == "{") - (char == "}")
    names = [m for m in _PAIR.finditer(inner) if not open_at[m.start()]]
    if not names:
        return stated
    ends = [m.start() for m in names[1:]] + [len(inner)]
    return {name.group(1): _cell(inner[name.end() : end].strip(), depth + 1) for name, end in zip(names, ends, strict=True)}


def insight(entry: Json) -> bool:
    """An unusual rate of calls, told by their number: it names no call and nobody who made it."""
    kind = text(entry.get("eventCategory")), text(entry.get("eventType"))
    return kind[0] == "Insight" or kind[1] == "AwsCloudTrailInsight" or bool(mapping(entry.get("insightDetails")))
