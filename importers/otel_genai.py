"""What a GenAI span says, whatever convention its attributes follow: OpenTelemetry's, OpenInference, OpenLLMetry, Langfuse,
Logfire, MLflow, MCP and the vendors' own; each fact is looked for under all its known names, the standard's first.
"""

from __future__ import annotations

from typing import NamedTuple

from importers.otel_context import json_in, prompt_of
from importers.otel_signals import Signal
from importers.shared.agents import Act, call_id, exec_act, file_act, mcp_act, words_of
from importers.shared.fields import Json, first_text, mapping, text
from importers.shared.tool_calls import tool_call
from model.words import Tri, Verb

_OPERATIONS = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "gen_ai.span.kind", "langfuse.observation.type",
               "mlflow.spanType", "lmnr.span.type", "langsmith.span.kind", "ai.operationId", "copilot_chat.operation.name", "span.type")  # fmt: skip
_SORTS = {
    name: sort
    for sort, names in (
        ("tool", "execute_tool tool_call tool running_tool ai.toolcall"),
        ("agent", "invoke_agent agent agent_call invoke_workflow workflow ai.agent"),
        ("chat", "chat generate_content text_completion completion llm llm_call generation chat_model"),
    )
    for name in names.split()
}
_TOOLS = ("gen_ai.tool.name", "tool.name", "tool_call.function.name", "mcp.tool.name", "mcp.request.params.name", "tool_name", "ai.toolCall.name",
          "traceloop.entity.name", "function.name")  # fmt: skip
_CALLS = ("gen_ai.tool.call.id", "gen_ai.tool.call_id", "tool_call.id", "tool.call_id", "tool_call_id", "tool_use_id", "ai.toolCall.id",
          "tool.id", "call_id")  # fmt: skip
_GIVEN = ("gen_ai.tool.call.arguments", "gen_ai.tool.arguments", "gen_ai.tool.input", "tool.parameters", "tool_call.function.arguments",
          "tool_arguments", "ai.toolCall.args", "mcp.request.params.arguments", "mcp.request.argument", "mcp.request.arguments", "input.value",
          "traceloop.entity.input", "langfuse.observation.input", "mlflow.spanInputs", "lmnr.span.input", "gcp.vertex.agent.tool_call_args",
          "gen_ai.input", "gen_ai.prompt")  # fmt: skip
_RETURNED = ("gen_ai.tool.call.result", "gen_ai.tool.result", "gen_ai.tool.output", "tool_response", "ai.toolCall.result", "output.value",
             "traceloop.entity.output", "langfuse.observation.output", "mlflow.spanOutputs", "lmnr.span.output",
             "gcp.vertex.agent.tool_response", "gen_ai.output", "gen_ai.completion")  # fmt: skip
_SAID = ("gen_ai.input.messages", "user_prompt", "gen_ai.prompt", "llm.input_messages", "input.value", "traceloop.entity.input",
         "langfuse.observation.input", "all_messages_events", "lmnr.span.input", "mlflow.spanInputs")  # fmt: skip
_MCP = ("mcp.method.name", "mcp.method", "rpc.method")
_SERVERS = ("mcp.server.name", "mcp.target", "gen_ai.tool.server.name", "gen_ai.mcp.server.name", "mcp_server", "server.name",
            "github.copilot.tool.parameters.mcp_server_name", "github.copilot.mcp.server.name")  # fmt: skip
# What GitHub Copilot says of a call besides its arguments, which it leaves out unless asked to keep them.
_COPILOT = "github.copilot.tool.parameters."
_APART = (
    ("full_command", "command"),
    ("file_path", "file_path"),
    (f"{_COPILOT}command", "command"),
    (f"{_COPILOT}file_path", "file_path"),
)
_WRAPPERS = ("arguments", "kwargs", "inputs", "input", "args")
_FLAT_MESSAGES = (("llm.input_messages.", ".message.role", ".message.content"), ("gen_ai.prompt.", ".role", ".content"))
_MAX_MESSAGES = 2000
_ERRORS = ("error.type", "error.message", "exception.type", "exception.message")


class Use(NamedTuple):
    """One use of a tool as a span tells it."""

    tool: str
    call: str
    act: Act
    output: str
    status: str
    went: Tri
    mcp: bool


def sort_of(signal: Signal) -> str:
    """tool, agent, chat, or "" for a span that is about something else."""
    attrs = signal.attrs
    for name in _OPERATIONS:
        if (word := first_text(attrs, name)) and (sort := _SORTS.get(word.lower().replace(" ", "_"))):
            return sort
    if mcp_method(signal):
        return "tool" if mcp_method(signal) == "tools/call" else ""
    if first_text(attrs, "gen_ai.tool.name", "gen_ai.tool.call.id", "ai.toolCall.name"):
        return "tool"
    begin = signal.name.partition(" ")[0].lower()
    return _SORTS.get(begin, "") if begin in ("execute_tool", "invoke_agent", "chat") else ""


def mcp_method(signal: Signal) -> str:
    """The MCP method a span is about, "" for any other span."""
    named = first_text(signal.attrs, "mcp.method.name", "mcp.method")
    if not named and first_text(signal.attrs, "rpc.system", "rpc.system.name") in ("mcp", "jsonrpc"):
        named = first_text(signal.attrs, *_MCP)
    return named if named else "tools/call" if signal.name.startswith("tools/call") else ""


def use_of(signal: Signal) -> Use:
    """The tool, what it was given, and how it went: an ended span without an error went well, so the convention."""
    attrs = signal.attrs
    given = _unwrapped(json_in(_first(attrs, *_GIVEN)))
    tool = first_text(attrs, *_TOOLS)
    if not tool and isinstance(raw := mapping(json_in(_first(attrs, *_GIVEN))), dict):
        tool = first_text(raw, "tool_name", "name")
    # A tool's span that names it nowhere else is called after it, alone or behind the word for what is done.
    tool = (tool or signal.name.partition(" ")[2] or first_text(attrs, "langsmith.trace.name") or signal.name)[:300]
    error = first_text(attrs, *_ERRORS)
    failed = signal.status == "error" or bool(error)
    went = Tri.NO if failed else Tri.YES if signal.end is not None else Tri.UNKNOWN
    output = words_of(_first(attrs, *_RETURNED)) or _message(json_in(_first(attrs, *_RETURNED)))
    status = first_text(attrs, "error.type", "exception.type", "http.response.status_code", "rpc.response.status_code")
    over_mcp = bool(mcp_method(signal)) or first_text(attrs, "gen_ai.tool.type") == "mcp"
    act = _act(signal, tool, given, over_mcp)
    return Use(tool, call_id(first_text(attrs, *_CALLS)), act, output, status[:200], went, bool(mcp_method(signal)))


def request_in(signal: Signal, sort: str) -> str:
    """The person's words in an agent's or a model's span: the last message, where it is theirs."""
    attrs = signal.attrs
    for prefix, role, content in _FLAT_MESSAGES:
        numbers = [
            int(n)
            for name in attrs
            if name.startswith(prefix) and (n := name[len(prefix) :].partition(".")[0]).isdecimal() and len(n) < 5
        ]
        if numbers and len(numbers) < _MAX_MESSAGES:
            last = f"{prefix}{max(numbers)}"
            return prompt_of(attrs, last + content) if attrs.get(last + role) in ("user", "human") else ""
    for name in _SAID:
        found = json_in(attrs.get(name))
        if isinstance(found, list):
            return _last_of(found)
        if isinstance(found, dict):
            inner = found.get("messages")
            if isinstance(inner, list):
                return _last_of(inner)
            if sort == "agent" and (words := first_text(found, "input", "prompt", "query", "question", "content", "task")):
                return prompt_of({"said": words}, "said")
        elif isinstance(found, str) and sort == "agent" and (words := prompt_of(attrs, name)):
            return words
    return ""


def _last_of(messages: list[object]) -> str:
    last = mapping(messages[-1]) if messages else {}
    if first_text(last, "role") not in ("user", "human"):
        return ""
    return _message(last)


def _message(value: object) -> str:
    """The text of a message in parts or with content, or of a result of the usual shapes."""
    if isinstance(value, str):
        return value
    found = mapping(value)
    parts = found.get("parts")
    if isinstance(parts, list):
        return words_of([{"text": first_text(part, "content", "text")} for part in parts if isinstance(part, dict)])
    return words_of(found.get("content")) or first_text(found, "output", "result", "text")


def _first(attrs: Json, *names: str) -> object:
    return next((attrs[name] for name in names if attrs.get(name) not in (None, "")), None)


def _unwrapped(given: object) -> Json:
    """The arguments themselves where an instrumentation logged the call around them."""
    found = mapping(given)
    for name in _WRAPPERS:
        inner = json_in(found.get(name))
        if isinstance(inner, dict) and len(found) <= 4:
            return inner
    return found


def _act(signal: Signal, tool: str, given: Json, over_mcp: bool) -> Act:
    attrs = signal.attrs
    inner = first_text(attrs, f"{_COPILOT}mcp_tool_name")[:300]
    if (server := first_text(attrs, *_SERVERS)[:300]) or inner:
        return mcp_act(server, inner or tool, given)
    if tool.startswith("mcp__"):
        named, _, inner = tool[5:].partition("__")
        return mcp_act(named, inner, given)
    if over_mcp:
        server = signal.service if signal.kind == "server" else first_text(attrs, "server.address", "network.peer.address")
        return mcp_act(server, tool, given)
    for name, here in _APART:
        if here not in given and (found := first_text(attrs, name)):
            given = {**given, here: found}
    verb, target, more = tool_call(tool, "", given, None)
    command, path = more.get("command"), more.get("path")
    if verb is Verb.EXEC and isinstance(command, str):
        return exec_act(command)
    if verb in (Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE) and isinstance(path, str):
        return file_act(verb, path)
    if verb is Verb.UNKNOWN and f"{_COPILOT}edit_type" in attrs:
        return file_act(Verb.FILE_WRITE, text(given.get("file_path")))
    return Act(verb, target, more)
