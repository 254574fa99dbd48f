"""OpenFGA's log: who was asked about, what was answered, and what of it is no decision."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import given

from importers import open_source
from importers.openfga import IMPORTER
from importers.openfga_text import IMPORTER as TEXT
from model.event import BadRecord, Principal, RawRecord
from model.words import Effect, EventKind, KeyRole, TargetClass, Tri, Verb
from tests.importer_checks import JSON, mutated, names, only, read, survives

Record = dict[str, object]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def entry(method: str, request: Record, response: Record, **members: object) -> Record:
    made: Record = {
        "level": "info",
        "timestamp": "2026-06-01T14:00:00.123Z",
        "msg": "grpc_req_complete",
        "grpc_service": "openfga.v1.OpenFGAService",
        "grpc_method": method,
        "raw_request": {"store_id": "01", **request},
        "raw_response": response,
        "request_id": "q-1",
        "trace_id": TRACE,
        "authorization_model_id": "m-2",
        "grpc_code": 0,
    }
    return made | members


def asked(user: str = "user:dana", relation: str = "push", thing: str = "repo:acme/pay") -> Record:
    return {"tuple_key": {"user": user, "relation": relation, "object": thing}}


CHECK = entry("Check", asked(), {"allowed": False, "resolution": ""})
BATCH = entry(
    "BatchCheck",
    {
        "checks": [
            {**asked("agent:coder-7"), "correlation_id": "a"},
            {**asked("group:eng#member", "read", "doc:roadmap"), "correlation_id": "b"},
            {**asked("user:eve", "owner"), "correlation_id": "c"},
        ]
    },
    {"result": {"b": {"allowed": True}, "a": {"allowed": False}, "c": {"error": {"message": "no such relation"}}}},
)
WRITE = entry("Write", {"writes": {"tuple_keys": [{"user": "user:dana", "relation": "admin", "object": "org:acme"}]}}, {})


@pytest.mark.parametrize(("allowed", "effect"), [(True, Effect.ALLOW), (False, Effect.DENY)])
def test_a_check_is_a_decision(allowed: bool, effect: Effect) -> None:
    told = only(read(IMPORTER, CHECK | {"raw_response": {"allowed": allowed}}).events, EventKind.DECISION)
    assert told.decision and told.decision.effect is effect
    assert (told.principal, told.verb, told.target.cls, told.target.name) == (
        Principal("dana", "human"), Verb.REPO_WRITE, TargetClass.REPOSITORY, "acme/pay",
    )  # fmt: skip
    assert (names(told, KeyRole.CALL), names(told, KeyRole.SCOPE)) == (["request:q-1"], [f"trace:{TRACE}"])
    assert told.attrs["policy_revision"] == "m-2"


@pytest.mark.parametrize(
    "members",
    [
        {"grpc_code": 2000, "error": "relation 'x' not found", "raw_response": {"code": "validation_error", "message": "no"}},
        {"internal_error": "storage", "raw_response": {"allowed": False}},
        {"raw_response": {}},
        {"raw_response": {"allowed": "true"}},
    ],
    ids=["error", "internal", "none", "text"],
)
def test_an_error_decides_nothing(members: Record) -> None:
    told = only(read(IMPORTER, CHECK | members).events, EventKind.DECISION)
    assert told.decision and told.decision.effect is Effect.UNKNOWN


def test_each_check_of_a_batch_has_its_own_answer() -> None:
    events = read(IMPORTER, BATCH).events
    assert [(e.principal and e.principal.name, e.target.name, e.decision and e.decision.effect) for e in events] == [
        ("coder-7", "acme/pay", Effect.DENY),
        ("group:eng#member", "roadmap", Effect.ALLOW),
        ("eve", "acme/pay", Effect.UNKNOWN),
    ]
    assert all(names(e, KeyRole.CALL) == [] for e in events)
    # A document of a policy engine's is no file of ours.
    assert (events[1].verb, events[1].target.cls) == (Verb.UNKNOWN, TargetClass.UNKNOWN)


@pytest.mark.parametrize(("code", "done"), [(0, Tri.YES), (2017, Tri.NO)])
def test_a_relation_written_changes_who_may_what(code: int, done: Tri) -> None:
    told = only(read(IMPORTER, WRITE | {"grpc_code": code}).events, EventKind.EFFECT)
    assert (told.verb, told.target.detail) == (Verb.GUARDRAIL_CHANGE, "user:dana admin org:acme")
    assert told.outcome and told.outcome.effect is done


def test_what_is_asked_of_nobody_holds_no_event() -> None:
    assert read(IMPORTER, CHECK | {"grpc_service": "grpc.health.v1.Health"}).events == []
    assert read(IMPORTER, entry("ListObjects", {"user": "user:dana"}, {"objects": []})).events == []
    assert read(IMPORTER, {"level": "info", "msg": "starting", "timestamp": "2026-06-01T14:00:00Z"}).events == []
    with pytest.raises(BadRecord, match="no grpc_method"):
        read(IMPORTER, {"timestamp": "2026-06-01T14:00:00Z"})


def test_the_console_has_the_time_before_the_entry() -> None:
    told = {name: value for name, value in CHECK.items() if name not in ("level", "timestamp", "msg")}
    told = {"grpc_service": told.pop("grpc_service"), **told}
    lines = [
        "2026-06-01T14:00:00.000Z\tINFO\tstarting openfga",
        f"2026-06-01T14:00:00.123Z\tINFO\tgrpc_req_complete\t{json.dumps(told)}",
    ]
    source = open_source(BytesIO("\n".join(lines).encode()))
    assert source.format == "openfga-text"
    reader = TEXT.open()
    parsed = [reader.read(json.loads(item.data)) for item in source.items() if isinstance(item, RawRecord)]
    assert parsed[0].events == []
    (event,) = parsed[1].events
    assert (event.at, event.decision and event.decision.effect) == (1_780_322_400_123_000, Effect.DENY)
    carried = "\n".join(json.dumps({"log": f"{line}\n", "stream": "stdout"}) for line in lines)
    assert open_source(BytesIO(carried.encode())).format == "openfga-text"
    with pytest.raises(BadRecord, match="begins with no time"):
        reader.read({"line": "hello"})


@given(mutated([CHECK, BATCH, WRITE]) | JSON)
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)
