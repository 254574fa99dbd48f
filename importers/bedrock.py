"""Amazon Bedrock model invocation log: who called which model, where a guardrail stepped in, and which tools the model asked for.

`requestId` is the one CloudTrail keeps of the same call. What was said is not taken up: it is the agent's to report.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.cloudtrail_identity import principal_of, stated_keys
from importers.shared.chat import json_of
from importers.shared.fields import (
    Json,
    dig,
    first_moment,
    first_text,
    is_session_id,
    key,
    keys,
    mapping,
    names_session,
    number,
    session_id,
    surest,
    text,
)
from importers.shared.model_calls import asked, brought
from importers.shared.told import Told, session_key
from importers.shared.usage import state, tokens_of
from model.event import BadRecord, Event, Parsed, Target
from model.words import Effect, KeyRole, TargetClass, Vantage, Verb

_STEPPED_IN = ("guardrail_intervened", "content_filtered")
_NODES = 5_000


class BedrockReader:
    """Reads one delivery; it remembers which tool calls and results were told."""

    def __init__(self) -> None:
        self._tools: dict[str, None] = {}

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        name, operation = text(entry.get("requestId")), text(entry.get("operation"))
        missing = [field for field, value in (("requestId", name), ("operation", operation)) if not value]
        if missing:
            raise BadRecord(f"a Bedrock invocation record without {' and '.join(missing)}")
        at, clock = first_moment(entry, "timestamp")
        if at is None:
            raise BadRecord("a Bedrock invocation record without a readable timestamp")
        identity = {"type": "", **mapping(entry.get("identity"))}
        account, model = text(entry.get("accountId")), text(entry.get("modelId"))
        told = Told("bedrock", f"bedrock:{account}" if account else "bedrock", Vantage.TARGET, at, clock, principal_of(identity))
        told.verb, told.tool = Verb.CLOUD_CALL, f"bedrock:{operation}"
        told.target = Target(TargetClass.CLOUD, f"bedrock:{operation}", model)
        scopes = stated_keys(identity, {}, {}, {})
        for tag, value in mapping(entry.get("requestMetadata")).items():
            if names_session(tag):
                scopes = keys(*scopes, session_key(value if is_session_id(tag) else session_id(value)))
        told.keys = keys(*scopes, key(KeyRole.CALL, "request", name))
        failed = text(entry.get("errorCode"))
        told.note(account=account, region=text(entry.get("region")), model=model, status=failed)
        made, given = (json_of(dig(entry, *place)) for place in (("output", "outputBodyJson"), ("input", "inputBodyJson")))
        answer = mapping(made)
        if (took := number(dig(answer, "metrics", "latencyMs"))) is not None:
            told.attrs["duration_ms"] = took
        events: list[Event] = []
        judged = _guardrail(mapping(entry.get("output")), mapping(entry.get("input")))
        if failed in ("AccessDeniedException", "AccessDenied"):
            judged = (Effect.DENY, "", failed)
        if judged is not None:
            events.append(told.verdict(judged[0], policy=judged[1], reason=judged[2]))
        refused = judged is not None and judged[0] is Effect.DENY
        events.append(told.observed(not failed and not refused, permitted=Effect.DENY if refused else Effect.UNKNOWN))
        counted = {name: dig(entry, "input", name) for name in ("inputTokenCount", "cacheWriteInputTokenCount")}
        state(events[-1], tokens_of({**counted, "outputTokenCount": dig(entry, "output", "outputTokenCount")}))
        place = next((one.name for one in scopes if one.role is KeyRole.SCOPE), name)
        events = [*brought(self._tools, told, place, mapping(given).get("messages")), *events]
        if not refused and not failed:
            events += asked(self._tools, told, place, made)
        stamp = text(entry.get("timestamp"))
        return Parsed(events=events, identity=f"{name}:{operation}:{stamp}", type=operation, at=at)


def _guardrail(output: Json, asked: Json) -> tuple[Effect, str, str] | None:
    """What a guardrail did: DENY where it blocked, ALLOW where it says it did not, only masked, or the model came to an end under it.

    Blocking and masking both count as intervening; the stated reason, else what each assessment did, tells them apart.
    """
    # Some deliveries hold the bodies as JSON in a text. A stream states its end and its trace in chunks of their own.
    body = json_of(output.get("outputBodyJson"))
    actions, stops, reasons, traces = [], [], [], []
    for chunk in map(mapping, body) if isinstance(body, list) else [mapping(body)]:
        actions.append(first_text(chunk, "amazon-bedrock-guardrailAction", "guardrailAction").upper())
        stop = first_text(chunk, "stopReason", "stop_reason") or text(dig(chunk, "messageStop", "stopReason"))
        stops.append(stop or text(dig(chunk, "delta", "stop_reason")))
        for held in (chunk.get("amazon-bedrock-trace"), chunk.get("trace"), dig(chunk, "metadata", "trace")):
            if trace := mapping(dig(mapping(held), "guardrail")):
                traces.append(trace)
                reasons.append(first_text(trace, "actionReason"))
    named = text(dig(mapping(json_of(asked.get("inputBodyJson"))), "guardrailConfig", "guardrailIdentifier"))
    named = named or next((name for trace in traces for name in _guardrails(trace)), "")
    stop = next((stop for stop in stops if stop), "")
    reason = next((one for one in reasons if one), "")
    if any(one in ("INTERVENED", "GUARDRAIL_INTERVENED") for one in actions) or any(one in _STEPPED_IN for one in stops):
        if _only_masked(reason, traces):
            return Effect.ALLOW, named, reason or "the guardrail masked what it found"
        return Effect.DENY, named, reason or next((stop for stop in stops if stop in _STEPPED_IN), "guardrail intervened")
    if "NONE" in actions or (traces and stop):
        return Effect.ALLOW, named, reason or stop
    return None


def _guardrails(trace: Json) -> Iterator[str]:
    """The guardrails a trace names: its assessments are kept under them, one or a list."""
    for place in ("input", "inputAssessment", "outputs", "outputAssessments"):
        held = trace.get(place)
        for one in held if isinstance(held, list) else [held]:
            yield from mapping(one)


def _only_masked(reason: str, traces: Sequence[Json]) -> bool:
    if "blocked" in reason.lower():
        return False
    if "masked" in reason.lower():
        return True
    did: set[str] = set()
    waiting: list[object] = list(traces)
    for _ in range(_NODES):
        if not waiting:
            break
        one = waiting.pop()
        if isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            did.add(text(one.get("action")).upper())
            waiting.extend(value for value in one.values() if isinstance(value, dict | list))
    return "ANONYMIZED" in did and "BLOCKED" not in did and not waiting


class Bedrock:
    """Model invocation logging of Amazon Bedrock."""

    id = "bedrock"
    title = "Amazon Bedrock invocation log"
    evidence = "fixture"
    version = 5

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> BedrockReader:
        return BedrockReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if record.get("schemaType") == "ModelInvocationLog":
        return 96
    if "modelId" in record and "requestId" in record and "operation" in record:
        return 75
    return 0


IMPORTER = Bedrock()
