"""Who speaks in a signal and of which session: product, vantage, scope keys and principal, in all known spellings."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from importers import claude_code_words, codex_prompts
from importers.otel_signals import Signal
from importers.shared.agents import Frame, call_id, scope_id, scope_key, words_of
from importers.shared.fields import Json, first_text, key, keys
from lang.names import repository_name
from model.event import Attr, Event, Key, Principal
from model.words import KeyRole, Vantage

_SESSIONS = (
    "copilot_chat.chat_session_id", "copilot_chat.session_id", "session.id", "gen_ai.conversation.id", "conversation.id", "gen_ai.session.id", "session_id", "conversation_id",
    "langfuse.session.id", "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
    "traceloop.association.properties.chat_id", "lmnr.association.properties.session_id",
    "langsmith.metadata.thread_id", "langsmith.metadata.session_id", "langsmith.metadata.conversation_id", "langsmith.trace.session_id",
    "mlflow.trace.session", "gcp.vertex.agent.session_id", "gen_ai.thread.id", "thread_id", "langgraph.thread_id", "ai.telemetry.metadata.sessionId",
)  # fmt: skip
PARENT_SESSIONS = ("copilot_chat.parent_chat_session_id",)
_SDK_OF_LANGSMITH = frozenset({"langsmith.span.id", "langsmith.span.dotted_order", "langsmith.trace.session_name"})
_PEOPLE = ("user.email", "enduser.id", "user.name", "user.account_uuid", "user.account_id", "gen_ai.user.id", "langfuse.user.id",
           "traceloop.association.properties.user_id")  # fmt: skip
# Names of a person or an account where the application sets them; an agent's own telemetry puts its installation's id there.
_ACCOUNTS = ("user.id", "ai.telemetry.metadata.userId", "langsmith.metadata.user_id", "lmnr.association.properties.user_id",
             "mlflow.trace.user")  # fmt: skip
_NOBODY = re.compile(r"^[0-9a-f]{32,}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$", re.I)
_AGENTS = ("gen_ai.agent.name", "agent.name", "agent_name")
_PRODUCTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("claude-code", ("claude-code", "claude_code", "com.anthropic.claude_code")),
    ("codex", ("codex",)),
    ("gemini-cli", ("gemini-cli", "gemini_cli")),
    ("copilot", ("copilot",)),
)
_GATEWAY = re.compile(
    r"(?:^|[^a-z])(?:gateway|proxy|envoy|litellm|portkey|kong|istio|traefik|apigee|firewall)|agentgateway", re.I
)
_HIDDEN = ("<REDACTED>", "[REDACTED]")
_MACHINE = (*claude_code_words.MACHINE, *codex_prompts.MACHINE)
_COMMAND = re.compile(r"^/[a-z][a-z0-9:_-]{0,60}$")
_BRANCHES = ("github.copilot.git.branch", "copilot_chat.repo.head_branch_name", "vcs.ref.head.name")
_REPOSITORIES = ("github.copilot.git.repository", "copilot_chat.repo.remote_url", "vcs.repository.url.full")
_MCP_SESSION = ("mcp.session.id", "mcp.session_id")


class Speaker(NamedTuple):
    """`point` names the enforcement point or agent; `agent` the product, "" where a gateway or a server speaks."""

    point: str
    agent: str
    vantage: Vantage


def speaker_of(signal: Signal) -> Speaker:
    """The agent's own SDK makes a claim; a gateway is a witness; a server's span is the target's own word."""
    service = signal.service
    marks = (service.lower(), signal.scope.lower(), signal.name.lower())
    for product, words in _PRODUCTS:
        if any(mark.startswith(word) or (product == "copilot" and word in mark) for mark in marks for word in words):
            return Speaker(product, product, Vantage.AGENT)
    point = f"otel:{service}"[:200] if service else "otel"
    if _GATEWAY.search(service) or _GATEWAY.search(signal.scope):
        return Speaker(point, "", Vantage.WITNESS)
    if signal.kind == "server" and first_text(signal.attrs, "mcp.method.name", "mcp.method", "rpc.method", "gen_ai.tool.name"):
        return Speaker(point, "", Vantage.TARGET)
    return Speaker(point, (first_text(signal.attrs, *_AGENTS) or service)[:200], Vantage.AGENT)


def session_of(signal: Signal) -> str:
    named: tuple[str, ...] = _SESSIONS
    if (
        "langsmith.span.id" in signal.attrs
        or "langsmith.session.name" in signal.attrs
        or "langsmith.trace.session_name" in signal.attrs
    ):
        # LangSmith's own SDK calls a project, which all its traces share, a session.
        named = tuple(name for name in _SESSIONS if name != "langsmith.trace.session_id")
    answer = first_text(signal.attrs, "gen_ai.response.id")
    # Copilot Chat calls the id of a model's answer a conversation.
    names = (one for name in named if (one := first_text(signal.attrs, name)) and one != answer)
    return scope_id(next(names, "") or first_text(signal.resource, "session.id"))


def frame_of(signal: Signal, who: Speaker, more: dict[str, Attr] | None = None) -> Frame:
    """The frame around a signal's events: the session (or the sub-agent within it), the trace, the run.

    A sub-agent shares its parent's trace, so the trace joins nothing there; nor does it for the log records of programs
    that name the session in each.
    """
    session = session_of(signal)
    child = call_id(signal.attrs.get("agent_id")) if who.point == "claude-code" else ""
    if session and child:
        scope = (Key(KeyRole.SCOPE, "claude.agent", f"{session}/{child}"), *scope_key("session", session, KeyRole.PARENT))
    else:
        above = first_text(signal.attrs, *PARENT_SESSIONS)
        scope = (*scope_key("session", session), *scope_key("session", scope_id(above), KeyRole.PARENT))
        if (signal.is_span and not above) or not session:
            scope += scope_key("trace", signal.trace)
        scope += scope_key("assay.run", call_id(signal.attrs.get("assay.run.id")))
        scope += scope_key("mcp.session", first_text(signal.attrs, *_MCP_SESSION)[:200])
    attrs: dict[str, Attr] = {}
    named = {
        "agent_version": first_text(signal.resource, "service.version") or first_text(signal.attrs, "app.version"),
        "host": first_text(signal.resource, "host.name"),
        "model": first_text(signal.attrs, "gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "model"),
        "environment": first_text(signal.resource, "deployment.environment.name", "deployment.environment"),
        "cwd": first_text(signal.attrs, "cwd", "process.working_directory"),
        "branch": first_text(signal.attrs, *_BRANCHES) or first_text(signal.resource, *_BRANCHES),
        "repository": repository_name(
            (first_text(signal.attrs, *_REPOSITORIES) or first_text(signal.resource, *_REPOSITORIES))[:1000]
        ),
    }
    attrs.update({name: value[:500] for name, value in named.items() if value})
    attrs.update(more or {})
    return Frame(who.point, signal.at, signal.clock, "", "", scope, attrs, who.agent)


def principal_of(signal: Signal) -> Principal | None:
    """The person a signal names; an installation's anonymous id names nobody."""
    name = first_text(signal.attrs, *_PEOPLE) or first_text(signal.resource, *_PEOPLE)
    if name:
        return Principal(name[:300], "human")
    account = first_text(signal.attrs, *_ACCOUNTS) or first_text(signal.resource, *_ACCOUNTS)
    if not account or _NOBODY.match(account):
        return None
    return Principal(account[:300], "human" if "@" in account else "unknown")


def span_key(trace: str, span: str) -> tuple[Key, ...]:
    """The call key of a span: what is logged within it, or answers it, belongs to the same step."""
    return keys(key(KeyRole.CALL, "span", f"{trace}/{span}" if trace and span else ""))


def request_key(signal: Signal) -> tuple[Key, ...]:
    """A JSON-RPC id within its session: by itself it is unique to a connection only, and used again."""
    number = first_text(signal.attrs, "jsonrpc.request.id", "rpc.jsonrpc.request_id", "mcp.request.id")
    session = first_text(signal.attrs, *_MCP_SESSION)
    return keys(key(KeyRole.CALL, "jsonrpc", f"{session}/{number}" if session and number else ""))


def prompt_of(attrs: Json, *names: str) -> str:
    """The words a program logged, "" where it was told to leave them out or they are no request:
    a bare command to the program, or a text it put there itself.
    """
    words = next((found for name in names if (found := words_of(attrs.get(name)))), "")
    return "" if words in _HIDDEN or _COMMAND.match(words) or words.startswith(_MACHINE) else words


def with_principal(events: list[Event], who: Principal | None) -> list[Event]:
    if who is not None:
        for event in events:
            event.principal = who
    return events


def object_in(value: object) -> Json:
    """An object, or the one that a text holds as JSON; empty where there is none."""
    found = json_in(value)
    return found if isinstance(found, dict) else {}


def json_in(value: object) -> object:
    """A value that may have been logged as JSON text; the text itself where it is none."""
    if isinstance(value, str) and value[:64].lstrip()[:1] in ("{", "["):
        try:
            return msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return value
    return value
