"""LiteLLM proxy: standard logging payloads and spend logs, one model or tool call a record.

Which virtual key paid (`user_api_key_hash`, `api_key`), what each guardrail said, which MCP tool was called, and the tool calls
that the model's answer asks for, with what the next request brings back of them (`shared.model_calls`). The spend log holds metadata, messages and response as JSON texts; "None" and "" mean nothing there.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.shared.fields import Json, clip, decode, first_moment, key, keys, mapping, session_id, surest, text, trace_id
from importers.shared.model_calls import asked, brought
from importers.shared.told import Told, duration_ms, effect_of, session_key
from importers.shared.tool_calls import tool_call
from importers.shared.usage import cost_of, state, tokens_of
from lang.names import host_name
from model.event import BadRecord, CredentialFact, Event, Key, Parsed, Principal, Target
from model.words import Effect, KeyRole, TargetClass, Tri, Vantage, Verb

_NOTHING = frozenset({"None", "null", "N/A", "not-provided", "[REDACTED]"})
# What a call was is at times said as "" or "None", and left out of exports that select columns.
_OF_A_CALL = frozenset({"call_type", "spend", "response_cost"})
_SAID = {
    "success": Effect.ALLOW, "not_run": Effect.UNKNOWN, "guardrail_intervened": Effect.DENY, "blocked": Effect.DENY,
    "guardrail_failed_to_respond": Effect.UNKNOWN, "failure": Effect.UNKNOWN,
    # It would have blocked, and was set to watch.
    "guardrail_monitored": Effect.ALLOW,
}  # fmt: skip

# What runs before the model: had it stopped the call, nothing could have come of it.
_BEFORE = frozenset({"pre_call", "pre_mcp_call"})
# What runs over the log alone changes the log and stops nothing.
_LOGGED = "logging_only"
# The proxy's own refusals, by the class of its error; a provider's errors name the provider.
_REFUSALS = frozenset({"BudgetExceededError", "GuardrailRaisedException", "BlockedPiiEntityError", "RejectedRequestError"})


class LiteLlmReader:
    """Reads one log; it remembers which tool calls and results were told."""

    def __init__(self) -> None:
        self._tools: dict[str, None] = {}

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        name = _stated(entry, "request_id", "id", "litellm_call_id")
        kind = _stated(entry, "call_type")
        if not name or not _OF_A_CALL & entry.keys():
            raise BadRecord("not a LiteLLM record: needs id or request_id, and call_type, spend or response_cost")
        begin, clock = first_moment(entry, "startTime", "start_time")
        end, _ = first_moment(entry, "endTime", "end_time")
        if begin is None:
            raise BadRecord("a LiteLLM record without a readable startTime")
        metadata = mapping(_json(entry.get("metadata")))
        told = Told("litellm", "litellm", Vantage.ENFORCER, begin, clock)
        told.principal = _who(entry, metadata)
        told.agent = _stated(entry, "agent_id")
        told.keys = _keys(entry, metadata, name)
        model = _stated(entry, "model", "model_group")
        _describe(told, entry, metadata, kind, model)
        took = duration_ms(begin, end)
        failure = mapping(entry.get("error_information")) or mapping(metadata.get("error_information"))
        status = _stated(entry, "status") or _stated(metadata, "status")
        told.note(
            model=model,
            host=_stated(entry, "requester_ip_address") or _stated(metadata, "requester_ip_address"),
            user_agent=_stated(metadata, "user_agent"),
            status=" ".join(part for part in (status, _stated(failure, "error_code"), _stated(failure, "error_class")) if part),
        )
        if took is not None:
            told.attrs["duration_ms"] = took
        events = self._guardrails(told, entry, metadata, went_on=status == "success")
        if status == "failure" and not any(event.decision and event.decision.effect is Effect.DENY for event in events):
            events += _refusal(told, failure)
        hashed = _stated(metadata, "user_api_key_hash", "user_api_key") or _stated(entry, "api_key", "user_api_key_hash")
        label = _stated(metadata, "user_api_key_alias", "user_api_key_team_alias")
        fact = CredentialFact(
            kind="litellm-key", issuer="litellm", subject=told.principal.name if told.principal else "", label=label
        )
        events += told.used(key(KeyRole.CREDENTIAL, "litellm.key", hashed), fact=fact)
        refused = any(event.decision and event.decision.effect is Effect.DENY for event in events)
        ok = None if not status else status == "success" and not refused
        # A tool that failed answers like any other: the request went well, the answer says that the tool did not.
        events.append(told.result(ok and not _failed_tool(entry, metadata), transport=Tri.YES if ok else Tri.UNKNOWN))
        state(events[-1], tokens_of(entry), cost_of(entry.get("spend", entry.get("response_cost"))))
        events = [*self._brought(told, entry, name), *events]
        if not refused:
            told.at = begin if end is None or end < begin else end
            events += asked(self._tools, told, _place(told, name), _json(entry.get("response")))
        return Parsed(events=events, identity=name, type=kind, at=begin, digests=_digests(entry, metadata))

    def _brought(self, told: Told, entry: Json, name: str) -> list[Event]:
        """The results in a request's messages, which the spend log keeps with the request where it keeps them at all."""
        request = mapping(_json(entry.get("proxy_server_request")))
        given = (_json(entry.get("messages")), request.get("messages"), request.get("input"))
        messages = next((one for one in given if isinstance(one, list)), None)
        return list(brought(self._tools, told, _place(told, name), messages))

    def _guardrails(self, told: Told, entry: Json, metadata: Json, *, went_on: bool) -> list[Event]:
        """One verdict per guardrail that answered; one that did not run or failed has decided nothing.

        To intervene is to block or to mask: it was masked where the call went on.
        """
        stated = entry.get("guardrail_information") or metadata.get("guardrail_information")
        answers = stated if isinstance(stated, list) else [stated]
        events: list[Event] = []
        for one in answers[:20]:
            answer = mapping(one)
            word = _stated(answer, "guardrail_status", "guardrail_action")
            effect = _SAID.get(word) if word in _SAID else effect_of(word)
            if word == "guardrail_intervened" and ((went_on and _only_masked(answer)) or _modes(answer) == [_LOGGED]):
                effect = Effect.ALLOW
            if effect in (Effect.ALLOW, Effect.DENY):
                rule = _stated(answer, "guardrail_name", "guardrail_id")
                events.append(
                    told.verdict(effect, rule=rule, reason=f"{_stated(answer, 'guardrail_mode')} guardrail {word}".strip())
                )
        return events


def _failed_tool(entry: Json, metadata: Json) -> bool:
    """Whether what an MCP tool answered says that it failed."""
    called = mapping(metadata.get("mcp_tool_call_metadata"))
    return any(mapping(_json(one)).get("isError") is True for one in (entry.get("response"), called.get("result")))


def _only_masked(answer: Json) -> bool:
    """Whether a guardrail that intervened in a call that went on cannot have blocked it."""
    return bool(mapping(answer.get("masked_entity_count"))) or all(one in _BEFORE for one in _modes(answer))


def _modes(answer: Json) -> list[str]:
    """When a guardrail ran: before, beside or after the model, or only over what is logged."""
    mode = answer.get("guardrail_mode")
    return [text(one) for one in (mode if isinstance(mode, list) else [mode])]


def _refusal(told: Told, failure: Json) -> list[Event]:
    """The proxy's own refusal of a key, a model it may not use, or a budget that is spent."""
    kind = _stated(failure, "error_class")
    refused = kind in _REFUSALS or _stated(failure, "error_code") in ("401", "403")
    if not refused or _stated(failure, "llm_provider"):
        return []
    return [told.verdict(Effect.DENY, rule=kind, reason=_stated(failure, "error_message"))]


def _digests(entry: Json, metadata: Json) -> tuple[str, ...]:
    """What stands where the virtual key would: the proxy writes its SHA-256."""
    return tuple({_stated(entry, "api_key"), _stated(metadata, "user_api_key")} - {""})


def _json(value: object) -> object:
    """A JSON text opened, where it can be; any other value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return decode(value.encode("utf-8", "replace"))
        except BadRecord:
            return value
    return value


def _stated(place: Json, *names: str) -> str:
    """The first member that says something."""
    return next((found for name in names if (found := text(place.get(name)).strip()) and found not in _NOTHING), "")


def _who(entry: Json, metadata: Json) -> Principal | None:
    name = _stated(metadata, "user_api_key_user_email", "user_api_key_user_id") or _stated(entry, "user")
    name = name or _stated(metadata, "user_api_key_alias")
    behalf = _stated(entry, "end_user") or _stated(metadata, "user_api_key_end_user_id")
    if not name:
        return None
    return Principal(name, "human" if "@" in name else "unknown", "", "" if len(behalf) > 200 or behalf == name else behalf)


def _keys(entry: Json, metadata: Json, name: str) -> tuple[Key, ...]:
    """The session as the caller states it: in its own field, in request metadata, or within the end user as agents send it."""
    requester = mapping(metadata.get("requester_metadata"))
    session = (
        _stated(entry, "session_id", "litellm_session_id") or _stated(metadata, "session_id") or _stated(requester, "session_id")
    )
    user = _stated(requester, "user_id") or _stated(entry, "end_user") or _stated(metadata, "user_api_key_end_user_id")
    within = session_id(user.rpartition("session_")[2]) if "session_" in user else ""
    # What ties a payload's requests is the session the caller states, under another name; the spend log calls it by its own.
    trace = _stated(entry, "trace_id", "litellm_trace_id")
    connection = _stated(mapping(metadata.get("mcp_tool_call_metadata")), "mcp_session_id")
    return keys(
        key(KeyRole.SCOPE, "session", within),
        session_key(session or ("" if within or trace_id(trace) else trace)),
        key(KeyRole.SCOPE, "mcp.session", connection),
        key(KeyRole.SCOPE, "trace", trace_id(trace) if "-" not in trace else ""),
        key(KeyRole.CALL, "litellm.request", name),
    )


def _place(told: Told, name: str) -> str:
    """The conversation a request belongs to, the request itself where none is stated."""
    return next((one.name for one in told.keys if one.role is KeyRole.SCOPE), name)


def _describe(told: Told, entry: Json, metadata: Json, kind: str, model: str) -> None:
    told.tool = kind
    called = mapping(metadata.get("mcp_tool_call_metadata"))
    named = _stated(called, "namespaced_tool_name", "name") or _stated(entry, "mcp_namespaced_tool_name")
    if kind == "list_mcp_tools":
        # Servers asked for what they offer: no tool is called, and there may be several.
        server = _stated(called, "mcp_server_name")
        told.target = Target(TargetClass.MCP_SERVER, clip(server, 300))
        told.note(mcp_server=server)
        return
    if named or kind in ("call_mcp_tool", "mcp"):
        server, _, tool = named.partition("/") if "/" in named else ("", "", named)
        server = _stated(called, "mcp_server_name") or server
        told.verb, told.tool = Verb.MCP_CALL, tool or kind
        told.target = Target(TargetClass.MCP_SERVER, clip(server, 300), clip(tool, 300))
        told.note(mcp_server=server)
        _, _, attrs = tool_call(told.tool, "", called.get("arguments"), None)
        told.note(command=attrs.get("command"), path=attrs.get("path"))
        return
    base = _stated(entry, "api_base") or _stated(mapping(entry.get("hidden_params")), "api_base")
    host = host_name(base) or _stated(entry, "custom_llm_provider")
    told.verb = Verb.HTTP_REQUEST
    told.target = Target(TargetClass.NETWORK, host, model)
    told.note(url=base)


class LiteLlm:
    """Calls that passed a LiteLLM proxy."""

    id = "litellm"
    title = "LiteLLM logging payload or spend log"
    evidence = "fixture"
    version = 9

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> LiteLlmReader:
        return LiteLlmReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    if "call_type" not in record:
        return 0
    marks = ("response_cost", "custom_llm_provider", "hidden_params", "spend", "cache_hit", "model_group", "request_tags")
    found = sum(name in record for name in marks)
    return 92 if found >= 2 and ("startTime" in record or "start_time" in record) else 40 if found else 0


IMPORTER = LiteLlm()
