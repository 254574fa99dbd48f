"""The published schema of exported events and requests, and how each becomes a row: column by column, in order.

A change that readers would notice is a new version. Unknown is null; lists are lists, empty where a thing is known to have
none; times are microseconds, UTC. The names of request columns are those of the request schema with `_` for `.`.
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lang.cel.requests import project, writable
from model.event import Attr, Operation
from model.request import ASSUMED, FIELDS, TOLD_BY
from model.words import Effect, KeyRole, TargetClass, Tri, Verb
from store.lake import EventOut, RequestOut

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
Kind = Literal["events", "requests"]
KINDS: tuple[Kind, ...] = ("events", "requests")
ANSWERED = ("allow", "ask", "deny")


class Column(NamedTuple):
    """One column: its name, its type by a word of `TYPES`, and what it says."""

    name: str
    type: str
    doc: str


TYPES = {
    "text": "string",
    "time": "timestamp, microseconds, UTC",
    "day": "date",
    "int": "64-bit integer",
    "truth": "boolean",
    "texts": "list of strings",
    "keys": "list of {role, kind, id}",
    "operations": "list of {verb, class, name, detail, text, flags, certain}",
    "attributes": "map of string to string",
}
"""What each word for a type is in Parquet."""

EVENTS = tuple(
    Column(*one)
    for one in (
        ("remit", "text", "this schema: `events/1`"),
        ("event", "text", "id of the event"),
        ("record", "text", "id of the record that says it"),
        ("task", "text", "task it belongs to"),
        ("source", "text", "where the record lies: source"),
        ("name", "text", "file, below what was imported"),
        ("line", "int", "line, from 1"),
        ("index", "int", "place in a list or envelope, from 1"),
        ("offset", "int", "byte"),
        ("digest", "text", "SHA-256 of the original record"),
        ("at", "time", "when it happened"),
        ("clock", "text", "how exactly that is known"),
        ("format", "text", "format of the log"),
        ("kind", "text", "intent, decision, credential, action or effect"),
        ("phase", "text", "phase of that kind"),
        ("vantage", "text", "who says so: agent, enforcer, target or witness"),
        ("point", "text", "the enforcement point"),
        ("principal", "text", "who acted"),
        ("principal_kind", "text", "human, workload, agent or service"),
        ("principal_origin", "text", "where from"),
        ("on_behalf_of", "text", "for whom"),
        ("agent", "text", "agent product"),
        ("verb", "text", "what was done"),
        ("tool", "text", "tool as the agent calls it"),
        ("target_class", "text", "class of the target"),
        ("target", "text", "name of the target"),
        ("target_detail", "text", "part of the target"),
        ("operations", "operations", "operations inside the step"),
        ("text", "text", "the event in words, redacted"),
        ("keys", "keys", "identifiers that join it to others"),
        ("ref", "text", "what later records call this one"),
        ("after", "text", "the record it answers"),
        ("decision", "text", "allow, ask, deny or unknown"),
        ("decision_rule", "text", "the deciding rule"),
        ("decision_reason", "text", "the decider's reason"),
        ("decision_policy", "text", "the policy"),
        ("decision_by", "text", "the decider"),
        ("credential_kind", "text", "kind of credential"),
        ("credential_issuer", "text", "its issuer"),
        ("credential_subject", "text", "its subject"),
        ("credential_scope", "texts", "what it grants"),
        ("credential_ttl_seconds", "int", "life time granted, -1 for no end"),
        ("credential_expires", "time", "when it ends"),
        ("credential_label", "text", "its name"),
        ("permitted", "text", "outcome: what was permitted"),
        ("transport", "text", "outcome: whether it was carried, yes or no"),
        ("tool_result", "text", "outcome: whether the tool succeeded"),
        ("effect", "text", "outcome: whether the target changed"),
        ("attributes", "attributes", "further facts; a value that is no text is JSON"),
    )
)

_FIELD_TYPES = {"string": "text", "int": "int", "bool": "truth", "list<string>": "texts", "timestamp": "day"}


def column_of(attribute: str) -> str:
    """The column that states an attribute of a request."""
    return attribute.replace(".", "_")


REQUESTS = (
    Column("remit", "text", "this schema: `requests/1`"),
    Column("task", "text", "task"),
    Column("step", "text", "step that asked"),
    Column("at", "time", "when"),
    Column("recorded", "text", "what policy answered then: allow, ask or deny"),
    *(Column(column_of(field.name), _FIELD_TYPES[field.type], field.doc) for field in FIELDS),
    Column(column_of(ASSUMED), "text", "attributes Remit derived or assumed, one a line"),
    Column(column_of(TOLD_BY), "text", "enforcement points whose records tell of it, one a line"),
)
COLUMNS: dict[Kind, tuple[Column, ...]] = {"events": EVENTS, "requests": REQUESTS}


def arrow_schema(kind: Kind) -> pa.Schema:
    """The schema as Arrow has it."""
    import pyarrow as pa

    text = pa.string()
    key = pa.struct([("role", text), ("kind", text), ("id", text)])
    operation = pa.struct(
        [("verb", text), ("class", text), ("name", text), ("detail", text), ("text", text), ("flags", pa.list_(text)),
         ("certain", pa.bool_())]
    )  # fmt: skip
    types = {
        "text": text,
        "time": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "int": pa.int64(),
        "truth": pa.bool_(),
        "texts": pa.list_(text),
        "keys": pa.list_(key),
        "operations": pa.list_(operation),
        "attributes": pa.map_(text, text),
    }
    fields = [pa.field(column.name, types[column.type]) for column in COLUMNS[kind]]
    return pa.schema(fields, metadata={"remit.schema": f"{kind}/{VERSION}"})


def event_row(out: EventOut) -> tuple[Any, ...]:
    """An event as the values of its columns."""
    event, ref = out.event, out.ref
    who, decision, credential, outcome = event.principal, event.decision, event.credential, event.outcome
    keys = [{"role": key.role.value, "kind": key.kind, "id": key.value} for key in event.keys if key.role is not KeyRole.MATCH]
    return (
        f"events/{VERSION}",
        event.id,
        event.record,
        out.task or None,
        *((None,) * 6 if ref is None else (ref.source, ref.name, ref.line, ref.index, ref.offset, ref.digest)),
        event.at,
        event.clock.value,
        event.format,
        event.kind.value,
        event.phase.value,
        event.vantage.value,
        event.point,
        *((None,) * 4 if who is None else (who.name, _known(who.kind), who.origin or None, who.on_behalf_of or None)),
        event.agent or None,
        None if event.verb is Verb.UNKNOWN else event.verb.value,
        event.tool or None,
        None if event.target.cls is TargetClass.UNKNOWN else event.target.cls.value,
        event.target.name or None,
        event.target.detail or None,
        [_operation(one) for one in event.operations],
        event.text or None,
        keys,
        event.ref or None,
        event.after or None,
        *((None,) * 5 if decision is None else (decision.effect.value, decision.rule or None, decision.reason or None,
                                                decision.policy or None, decision.by or None)),
        *((None,) * 7 if credential is None else (credential.kind or None, credential.issuer or None, credential.subject or None,
                                                  list(credential.scope), credential.ttl_seconds, credential.expires,
                                                  credential.label or None)),
        *((None,) * 4 if outcome is None else (None if outcome.permitted is Effect.UNKNOWN else outcome.permitted.value,
                                               *(None if one is Tri.UNKNOWN else one.value
                                                 for one in (outcome.transport, outcome.tool, outcome.effect)))),
        [(name, _said(value)) for name, value in sorted(event.attrs.items())],
    )  # fmt: skip


def request_row(out: RequestOut) -> tuple[Any, ...]:
    """A request as the values of its columns; a value of another type than its column's is unknown."""
    stated = project(out.request)
    values: list[Any] = []
    for field in FIELDS:
        value = stated.get(field.name)
        if value is None:
            values.append(None)
        else:
            values.append(
                date.fromisoformat(str(writable(field, value))) if field.type == "timestamp" else writable(field, value)
            )
    told = (out.request.get(name) for name in (ASSUMED, TOLD_BY))
    recorded = out.recorded if out.recorded in ANSWERED else None
    return (
        f"requests/{VERSION}",
        out.task,
        out.step,
        out.at,
        recorded,
        *values,
        *(one if isinstance(one, str) else None for one in told),
    )


def mapping_text() -> str:
    """The mapping with which `remit history add` reads exported requests."""
    lines = ["# Which column of requests/ states which attribute: for `remit history add NAME --mapping`.", "task: task", "step: step",
             "at: at", "recorded: recorded", "attributes:"]  # fmt: skip
    return (
        "\n".join([*lines, *(f"  {name}: {column_of(name)}" for name in (*(field.name for field in FIELDS), ASSUMED, TOLD_BY))])
        + "\n"
    )


def _known(kind: str) -> str | None:
    return None if kind in ("", "unknown") else kind


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "verb": one.verb.value,
        "class": None if one.target.cls is TargetClass.UNKNOWN else one.target.cls.value,
        "name": one.target.name or None,
        "detail": one.target.detail or None,
        "text": one.text or None,
        "flags": list(one.flags),
        "certain": one.certain,
    }


def _said(value: Attr) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
