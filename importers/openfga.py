"""OpenFGA's server log: checks of relations as decisions, one for each of a batch, and changes of relations and models.

Each call of its API is one entry (`grpc_method`, `raw_request`, `raw_response`); a check that failed decided nothing. The members of a
request go by protobuf's names or by JSON's. Source: pkg/middleware/logging of openfga and its API.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.shared.fields import Json, dig, first_moment, first_text, key, keys, mapping, number, surest, text, trace_id
from importers.shared.told import Told
from importers.shared.tool_calls import tool_call
from importers.shared.transcript import objects
from model.event import BadRecord, Event, Parsed, Principal, Target
from model.words import Effect, KeyRole, TargetClass, Vantage, Verb

_SERVICE = "openfga."
_CHANGES = frozenset({"Write", "WriteAuthorizationModel", "CreateStore", "UpdateStore", "DeleteStore"})
_OBJECT = re.compile(r"^([^:\s]{1,100}):(.{1,1000})$", re.DOTALL)
_KINDS = {"user": "human", "agent": "agent", "service": "service", "service_account": "workload", "workload": "workload"}
_MOST = 1000
_TIMES = ("timestamp", "ts", "time")


class OpenFgaReader:
    """Reads one server's log; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        service, method = text(entry.get("grpc_service")), text(entry.get("grpc_method")).rpartition("/")[2]
        at, clock = first_moment(entry, *_TIMES)
        if not method:
            if entry.get("msg") is not None and entry.get("level") is not None:
                return Parsed(type="the server's own words", at=at)
            raise BadRecord("not an entry of OpenFGA's log: no grpc_method")
        told = Told(OpenFga.id, "openfga", Vantage.ENFORCER, at=at, clock=clock)
        if not service.startswith(_SERVICE):
            return Parsed(type=service or method, at=at)
        request, response = mapping(entry.get("raw_request")), mapping(entry.get("raw_response"))
        told.note(
            user_agent=first_text(entry, "user_agent"),
            policy_revision=first_text(entry, "authorization_model_id") or _either(request, "authorization_model_id"),
        )
        traced = key(KeyRole.SCOPE, "trace", trace_id(entry.get("trace_id")))
        told.keys = keys(traced, key(KeyRole.CALL, "request", first_text(entry, "request_id")))
        events: list[Event] = []
        if method == "Check":
            events.append(_check(told, entry, request, response))
        elif method == "BatchCheck":
            # One request asks about many things, which are steps of their own.
            told.keys = keys(traced)
            answers = mapping(response.get("result"))
            for one in objects(request.get("checks"))[:_MOST]:
                events.append(_check(told, entry, one, mapping(answers.get(_either(one, "correlation_id")))))
        elif method in _CHANGES:
            told.verb, told.tool = Verb.GUARDRAIL_CHANGE, method
            told.target = Target(TargetClass.CLOUD, "openfga", _changed(request))
            code = number(entry.get("grpc_code"))
            events.append(told.observed(None if code is None else code == 0))
        return Parsed(events=events, type=method, at=at)


def _check(told: Told, entry: Json, asked: Json, answer: Json) -> Event:
    """One question and its answer; an error, the request's or its own, is none."""
    tuple_key = mapping(asked.get("tuple_key")) or mapping(asked.get("tupleKey"))
    told.principal = _who(text(tuple_key.get("user")))
    relation, thing = text(tuple_key.get("relation")), text(tuple_key.get("object"))
    named = _OBJECT.match(thing)
    resource = {"kind": named.group(1), "id": named.group(2)} if named else thing
    told.verb, told.target, _ = tool_call("", relation, None, resource)
    told.tool = relation
    wrong = first_text(entry, "error", "internal_error") or first_text(mapping(answer.get("error")), "message")
    allowed = answer.get("allowed")
    if wrong or number(entry.get("grpc_code")) not in (None, 0) or not isinstance(allowed, bool):
        return told.verdict(Effect.UNKNOWN, reason=wrong or first_text(answer, "message"))
    return told.verdict(Effect.ALLOW if allowed else Effect.DENY, reason=first_text(answer, "resolution"))


def _who(user: str) -> Principal | None:
    """`user:dana` is a person, `group:eng#member` a set of them by its whole name."""
    named = _OBJECT.match(user)
    if named is None or "#" in user:
        return Principal(user) if user else None
    return Principal(named.group(2), _KINDS.get(named.group(1).lower(), "unknown"))


def _changed(request: Json) -> str:
    """The first relation that was written or deleted, as `user relation object`."""
    for name in ("writes", "deletes"):
        held = mapping(request.get(name))
        for one in objects(held.get("tuple_keys") or held.get("tupleKeys"))[:1]:
            return " ".join(part for part in (text(dig(one, part)) for part in ("user", "relation", "object")) if part)
    return ""


def _either(place: Json, name: str) -> str:
    """A member by protobuf's name or by JSON's."""
    first, *rest = name.split("_")
    return first_text(place, name, first + "".join(part.capitalize() for part in rest))


class OpenFga:
    """Entries of OpenFGA's server log."""

    id = "openfga"
    title = "OpenFGA log (checks and changes)"
    evidence = "documentation"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> OpenFgaReader:
        return OpenFgaReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    asked = text(record.get("grpc_service")).startswith(_SERVICE) and "grpc_method" in record
    timed = any(name in record for name in _TIMES)
    # Behind a time of a terminal's stands the rest of an entry; another reader knows the whole line.
    return (92 if timed else 20) if asked and ("raw_request" in record or "grpc_code" in record) else 0


IMPORTER = OpenFga()
