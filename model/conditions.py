"""What the condition of a detection may read beside the request of a step: how the step ended, and one event of it."""

from __future__ import annotations

from model.request import FIELDS, Field
from model.words import EventKind, Phase, Vantage, Verb

OUTCOME_FIELDS: tuple[Field, ...] = (
    Field("outcome.permitted", "string", "what was decided, the strictest answer", ("allow", "deny", "ask")),
    Field("outcome.ran", "bool", "the tool reported success or the target saw the effect; false where it was stopped or failed"),
    Field("outcome.refused", "bool", "the step was certainly stopped: denied, and nothing shows that it ran"),
    Field("outcome.effect", "bool", "the target itself, or a witness, saw the effect"),
    Field("outcome.disputed", "bool", "vantages contradict each other"),
)
"""How a step ended; every step has them, unknown where no record says."""

EVENT_FIELDS: tuple[Field, ...] = (
    Field("event.kind", "string", "link of the chain", tuple(k.value for k in EventKind)),
    Field("event.phase", "string", "what the event reports", tuple(p.value for p in Phase)),
    Field("event.vantage", "string", "who saw it", tuple(v.value for v in Vantage)),
    Field("event.point", "string", "enforcement point, e.g. `cloudtrail:123456789012`"),
    Field("event.format", "string", "log format, e.g. `cloudtrail`; see `remit formats`"),
    Field("event.verb", "string", "what was done, as this event has it", tuple(v.value for v in Verb)),
    Field("event.tool", "string", "the call as its log names it: `s3:GetObject`, `repo.create`, `create pods`"),
    Field("event.principal", "string", "who acted, as its log names them"),
    Field("event.target", "string", "name of the target, as its log names it"),
    Field("event.command", "string", "command line"),
    Field("event.image", "string", "program that was run, where a witness of the system saw it"),
    Field("event.path", "string", "file acted on"),
    Field("event.url", "string", "address asked for"),
    Field("event.cwd", "string", "working directory"),
    Field("event.destination_host", "string", "host name connected to"),
    Field("event.destination_ip", "string", "address connected to, where the log has an address"),
    Field("event.destination_port", "int", "port connected to"),
    Field("event.host", "string", "host name or address the request came from"),
    Field("event.user_agent", "string", "client software, its first 300 characters"),
    Field("event.account", "string", "cloud account, organisation or cluster that owns the target"),
    Field("event.region", "string", "cloud region"),
    Field("event.repository", "string", "repository, as its log names it"),
    Field("event.status", "string", "status or error code; empty where the target did what it was asked and logged none"),
)
"""One event of a step; read by conditions that look at events."""

STEP_CONDITION: dict[str, Field] = {f.name: f for f in (*FIELDS, *OUTCOME_FIELDS)}
EVENT_CONDITION: dict[str, Field] = STEP_CONDITION | {f.name: f for f in EVENT_FIELDS}
