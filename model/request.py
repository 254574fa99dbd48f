"""The normalised question a policy answers: the published request schema, name by name."""

from __future__ import annotations

from typing import Literal

import msgspec

from model.words import TargetClass, Verb

FieldType = Literal["string", "int", "bool", "list<string>", "timestamp"]


ENDLESS = (1 << 53) - 1
"""The life time in seconds that stands for no end: longer than any limit, and a number every JSON reader keeps exact."""


class Field(msgspec.Struct, frozen=True):
    """One attribute of a request: its dotted name, CEL type, meaning, and its closed list of values if it has one.

    A timestamp is the beginning of a day, UTC, written `2026-03-01`: a shape knows no time of day.
    """

    name: str
    type: FieldType
    doc: str
    values: tuple[str, ...] = ()


FIELDS: tuple[Field, ...] = (
    Field("principal.id", "string", "who acts, after aliases of the organisation file"),
    Field("principal.kind", "string", "what kind of identity acts", ("human", "workload", "agent", "service")),
    Field("principal.origin", "string", "where it acts from", ("endpoint", "ci", "vendor", "cloud", "cluster")),
    Field("principal.on_behalf_of", "string", "the person or workload the agent works for"),
    Field("agent.name", "string", "agent product, e.g. claude-code"),
    Field("agent.version", "string", "agent version"),
    Field("agent.mode", "string", "permission mode or approval policy in force"),
    Field("agent.sandbox", "string", "sandbox in force"),
    Field("agent.depth", "int", "0 for a task of its own, 1 for its sub-agent, and so on"),
    Field("action.verb", "string", "what is to be done", tuple(v.value for v in Verb)),
    Field("action.tool", "string", "tool name as the agent calls it"),
    Field("action.command", "string", "command line of an exec step"),
    Field("action.verbs", "list<string>", "verbs of the step and of every operation inside it"),
    Field("action.targets", "list<string>", "targets of every operation inside the step, as class:name"),
    Field("action.forced", "bool", "history is overwritten or checks are skipped"),
    Field("action.arguments.path", "string", "file the call was given"),
    Field("action.arguments.url", "string", "address the call was given"),
    Field("action.arguments.server", "string", "MCP server the call goes to"),
    Field("action.arguments.agent_type", "string", "kind of sub-agent the call asks for"),
    Field("resource.class", "string", "class of the target", tuple(c.value for c in TargetClass)),
    Field("resource.name", "string", "name of the target, e.g. acme/payments"),
    Field("resource.detail", "string", "part of the target: branch, path, secret key"),
    Field("resource.owner", "string", "owner of the target, from the organisation file"),
    Field("resource.environment", "string", "environment the target belongs to"),
    Field("resource.classification", "string", "data classification of the target"),
    Field("context.project", "string", "project of the task"),
    Field("context.repository", "string", "repository the task works in"),
    Field("context.environment", "string", "environment of the step: the target's, else the task's"),
    Field("context.branch", "string", "branch the agent stands on"),
    Field("context.ticket", "string", "ticket the task states"),
    Field("context.has_ticket", "bool", "the task states a ticket"),
    Field("context.in_change_window", "bool", "the step's time lies in a change window of its environment"),
    Field("context.day", "timestamp", "day of the step, UTC"),
    Field("context.cwd", "string", "working directory"),
    Field("credential.kind", "string", "kind of credential used"),
    Field("credential.issuer", "string", "issuer of the credential used"),
    Field("credential.ttl_seconds", "int", f"life time granted; {ENDLESS} where it never expires"),
    Field("credential.task_bound", "bool", "issued in this task with an expiry"),
)

FIELD: dict[str, Field] = {f.name: f for f in FIELDS}


class Derived(msgspec.Struct, frozen=True):
    """A name conditions may use that is computed from one attribute: it is stated where that is, and adds no shape."""

    name: str
    type: Literal["duration"]
    of: str
    doc: str


DERIVED: dict[str, Derived] = {
    d.name: d
    for d in (
        Derived("credential.ttl", "duration", "credential.ttl_seconds", "life time granted; 292 years where it never expires"),
    )
}
ASSUMED = "remit.assumed"
TOLD_BY = "remit.told_by"
ASKED = "remit.asked"
RECORDED = "recorded"
"""The name under which `remit.assumed` lists a recorded answer that was joined to its request by inference."""
SEPARATOR = "\n"

PROVENANCE: tuple[Field, ...] = (
    Field(ASSUMED, "string", "attributes of this request that Remit derived or assumed, one a line"),
    Field(TOLD_BY, "string", "enforcement points whose records tell of this request, one a line"),
    Field(ASKED, "string", "JSON of the input a policy engine was asked with, where a policy in its language is replayed"),
)
"""What replay keeps beside a request and no policy can read: where its values come from."""

REPLAYED: tuple[Field, ...] = (*FIELDS, *PROVENANCE)
