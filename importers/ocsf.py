"""OCSF events of any product: API, datastore, authentication, file, process, network, HTTP, DNS and findings; read leniently.

Writers depart from the schema: times as texts of nanoseconds, `policy_decision` at the top, severity without its id, activity
ids of their own, enrichments as an object, numbers as texts. What is stated is taken, nothing is made up for what is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.ocsf_names import activity_of, class_of, current
from importers.ocsf_parts import answer_of, decision_of, describe, enrichments, given_of, keys_of, principal_of, used_of
from importers.shared.fields import Json, clip, dig, first_moment, first_text, mapping, moment, number, surest, text, truth
from importers.shared.told import Told
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase, Vantage, Verb

# Class, where its events are seen from; those of None are told without an event: they judge other events.
_CLASSES: dict[int, Vantage | None] = {
    1001: Vantage.WITNESS, 1002: Vantage.WITNESS, 1003: Vantage.WITNESS, 1004: Vantage.WITNESS, 1005: Vantage.WITNESS,
    1006: Vantage.WITNESS, 1007: Vantage.WITNESS, 1008: Vantage.WITNESS, 1009: Vantage.WITNESS, 201001: Vantage.WITNESS,
    201002: Vantage.WITNESS, 2001: None, 2002: None, 2003: None, 2004: None, 2005: None, 2006: None, 2007: None, 2008: None,
    3001: Vantage.TARGET, 3002: Vantage.TARGET, 3003: Vantage.TARGET, 3004: Vantage.TARGET, 3005: Vantage.TARGET,
    3006: Vantage.TARGET, 4001: Vantage.WITNESS, 4002: Vantage.WITNESS, 4003: Vantage.WITNESS, 4004: Vantage.WITNESS,
    4005: Vantage.WITNESS, 4006: Vantage.WITNESS, 4007: Vantage.WITNESS, 4008: Vantage.WITNESS, 4009: Vantage.WITNESS,
    4010: Vantage.WITNESS, 4011: Vantage.WITNESS, 4012: Vantage.WITNESS, 4013: Vantage.WITNESS, 4014: Vantage.WITNESS,
    5001: None, 5002: None, 5003: None, 5004: None, 5019: None, 5020: None, 6001: Vantage.TARGET, 6002: Vantage.TARGET,
    6003: Vantage.TARGET, 6004: Vantage.TARGET, 6005: Vantage.TARGET, 6006: Vantage.TARGET, 6007: None, 6008: None,
}  # fmt: skip
_LIFE = {
    "session_created": Phase.STARTED,
    "session_started": Phase.STARTED,
    "session_destroyed": Phase.ENDED,
    "session_expired": Phase.ENDED,
}


class OcsfReader:
    """Reads one file; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = current(mapping(record))
        number_of = class_of(entry)
        if number_of is None:
            raise BadRecord("not an OCSF event: no class_uid, nor a class by its name")
        at, clock = first_moment(entry, "time", "time_dt", "start_time", "event_time")
        metadata = mapping(entry.get("metadata"))
        if at is None:
            at, clock = moment(metadata.get("logged_time"))
        if at is None:
            raise BadRecord("an OCSF event without a readable time")
        activity = activity_of(entry, number_of)
        code = first_text(metadata, "event_code")
        kind_name = " ".join(part for part in (f"{number_of}/{'' if activity is None else activity}", code) if part)
        product = first_text(mapping(metadata.get("product")), "name", "vendor_name").lower().replace(" ", "-")
        name = first_text(metadata, "uid") or first_text(entry, "ref_event_uid")
        identity = f"{product}:{name}" if name else None
        parsed = Parsed(identity=identity, type=clip(kind_name, 100), at=at)
        if number_of not in _CLASSES:
            parsed.unknown_type = f"class {number_of}"
            return parsed
        vantage = _CLASSES[number_of]
        told = Told("ocsf", f"ocsf:{product}" if product else "ocsf", vantage or Vantage.ENFORCER, at, clock, principal_of(entry))
        told.keys = keys_of(entry, number_of)
        if code in _LIFE:
            parsed.events = [told.event(EventKind.ACTION, _LIFE[code])]
            return parsed
        if truth(entry.get("agent_internal")) is True:
            return parsed
        known = describe(told, entry, number_of, activity, enrichments(entry))
        _note(told, entry)
        parsed.events = _events(told, entry, number_of, activity, known and vantage is not None)
        if not parsed.events and vantage is not None:
            parsed.unknown_type = clip(kind_name, 80)
        return parsed


def _note(told: Told, entry: Json) -> None:
    cloud = mapping(entry.get("cloud"))
    http = mapping(entry.get("http_request"))
    told.note(
        account=first_text(mapping(cloud.get("account")), "uid", "name"),
        region=text(cloud.get("region")),
        host=first_text(mapping(entry.get("src_endpoint")), "ip", "hostname")
        or first_text(mapping(entry.get("device")), "hostname", "ip"),
        user_agent=clip(first_text(http, "user_agent"), 300),
        status=first_text(entry, "status_code", "status_detail", "exit_code", "status"),
    )
    if (took := number(entry.get("duration"))) is not None:
        told.attrs["duration_ms"] = took


def _events(told: Told, entry: Json, number_of: int, activity: int | None, seen: bool) -> list[Event]:
    effect, rule, reason = decision_of(entry)
    events: list[Event] = []
    if effect is not Effect.UNKNOWN:
        events.append(told.verdict(effect, rule=rule, reason=reason))
    events += used_of(told, entry)
    if not seen:
        return events
    done = answer_of(entry, number_of, activity)
    if effect is Effect.DENY:
        done = False
    if done is not False:
        events += given_of(told, entry)
    if number_of == 1007 and activity == 2:
        code = number(entry.get("exit_code"))
        return [*events, told.result(None if code is None else code == 0)]
    if number_of == 3002 and told.verb is Verb.CREDENTIAL_ISSUE:
        if effect is Effect.UNKNOWN and done is not None:
            events.insert(
                0, told.verdict(Effect.ALLOW if done else Effect.DENY, reason=first_text(entry, "status_detail", "message"))
            )
        return events
    return [*events, told.observed(done, permitted=effect if effect is Effect.DENY else Effect.UNKNOWN)]


class Ocsf:
    """Events in the Open Cybersecurity Schema Framework."""

    id = "ocsf"
    title = "OCSF events"
    evidence = "fixture"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> OcsfReader:
        return OcsfReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    stated = number(record.get("class_uid"))
    if stated is not None and ("metadata" in record or "type_uid" in record):
        return 93 if dig(record, "metadata", "product") or "type_uid" in record else 80
    named = stated is None and class_of(record) is not None and dig(record, "metadata", "product") is not None
    return 80 if named else 0


IMPORTER = Ocsf()
