"""What a GenAI span says, whatever convention its attributes follow: OpenTelemetry's, OpenInference, OpenLLMetry, Langfuse,
Logfire, MLflow, MCP and the vendors' own; each fact is looked for under all its known names, the standard's first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from importers.otel_context import json_in, prompt_of
from importers.otel_messages import Talk, ran, spoken, talk_of
from importers.otel_signals import Signal
from importers.otel_wrapped import arguments_in, is_schema, message_in, messages_in, returned_in
from importers.shared.agents import Act, call_id, exec_act, file_act, mcp_act, words_of
from importers.shared.fields import Json, first_text, mapping, text
from importers.shared.tool_calls import tool_call
from model.words import Effect, Tri, Verb

_OPERATIONS = ("gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind", "gen_ai.span.kind", "langfuse.observation.type",
               "mlflow.spanType", "lmnr.span.type", "langsmith.span.kind", "ai.operationId", "copilot_chat.operation.name", "span.type", "llm.request.type")  # fmt: skip
_SORTS = {
    name: sort
    for sort, names in (
        ("tool", "execute_tool tool_call tool running_tool ai.toolcall"),
        ("agent", "invoke_agent agent agent_call invoke_workflow workflow ai.agent invoke_swarm invoke_graph"),
        (
            "chat",
            "chat call_llm chat.completions generate_content text_completion text.completions completion llm llm_call generation chat_model"
            " ai.generatetext.dogenerate ai.streamtext.dostream",
        ),
    )
    for name in names.split()
}
_TOOLS = ("gen_ai.tool.name", "tool.name", "tool_call.function.name", "mcp.tool.name", "mcp.request.params.name", "tool_name", "ai.toolCall.name",
          "traceloop.entity.name", "function.name")  # fmt: skip
_CALLS = ("gen_ai.tool.call.id", "gen_ai.tool.call_id", "tool_call.id", "tool.call_id", "tool_call_id", "tool_use_id", "ai.toolCall.id",
          "tool.id", "call_id")  # fmt: skip
_GIVEN = ("gen_ai.tool.call.arguments", "gen_ai.tool.arguments", "gen_ai.tool.input", "tool_call.function.arguments",
          "tool_arguments", "ai.toolCall.args", "mcp.request.params.arguments", "mcp.request.argument", "mcp.request.arguments",
          "mcp.tool.arguments", "input.value", "tool.parameters",
          "traceloop.entity.input", "langfuse.observation.input", "mlflow.spanInputs", "lmnr.span.input", "gcp.vertex.agent.tool_call_args",
          "braintrust.input_json", "gen_ai.input", "gen_ai.prompt")  # fmt: skip
# Sentry's: an attribute for each argument.
_SPREAD = "mcp.request.argument."
_RETURNED = ("gen_ai.tool.call.result", "gen_ai.tool.result", "gen_ai.tool.output", "tool_response", "mcp.tool.result.content",
             "ai.toolCall.result", "output.value", "traceloop.entity.output", "langfuse.observation.output", "mlflow.spanOutputs", "lmnr.span.output",
             "gcp.vertex.agent.tool_response", "braintrust.output_json", "gen_ai.output", "gen_ai.completion")  # fmt: skip
# All that was said in a run, the answers among it.
_WHOLE = ("pydantic_ai.all_messages", "all_messages_events")
_SAID = ("gen_ai.input.messages", "user_prompt", "gen_ai.task.input", "gen_ai.prompt", "llm.input_messages", "input.value", "ai.prompt",
         "traceloop.entity.input",         "langfuse.observation.input", "lmnr.span.input", "mlflow.spanInputs")  # fmt: skip
# What Google's kit says once more of calls it ran side by side.
_MERGED = "(merged tools)"
_MCP_ACTS = {"tools/call": "", "resources/read": "mcp.resource.uri", "prompts/get": "gen_ai.prompt.name"}
"""The methods that do something, and where what they are about stands if it is no tool."""
_MCP = ("mcp.method.name", "mcp.method", "rpc.method")
_SERVERS = ("mcp.server.name", "fastmcp.server.name", "mcp.target", "gen_ai.tool.server.name", "gen_ai.mcp.server.name", "mcp_server",
            "server.name", "github.copilot.tool.parameters.mcp_server_name", "github.copilot.mcp.server.name")  # fmt: skip
# What GitHub Copilot says of a call besides its arguments, which it leaves out unless asked to keep them.
_COPILOT = "github.copilot.tool.parameters."
_APART = (
    ("full_command", "command"),
    ("file_path", "file_path"),
    (f"{_COPILOT}command", "command"),
    (f"{_COPILOT}file_path", "file_path"),
)
_STATUS = ("gen_ai.tool.status", "tool.status", "langfuse.observation.level", "gen_ai.task.status")
_FAILED = frozenset({"error", "failure", "failed"})
# Pydantic AI ends a call's span where it leaves the call to somebody else, a person's approval among others.
DEFERRED = "pydantic_ai.tool.deferral.name"
# Google's kit answers with an `error` where a call failed, waits for a person, or was rejected by one: its span ends well each time.
_KIT_ANSWER = "gcp.vertex.agent.tool_response"
_KIT_RULED = {
    "This tool call requires confirmation, please approve or reject.": Effect.ASK,
    "This tool call is rejected.": Effect.DENY,
}
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
    if "fastmcp.provider.type" in attrs or first_text(attrs, "gen_ai.tool.name") == _MERGED:
        return ""  # Below a server's own span, or behind those of single calls: they tell of the same.
    for name in _OPERATIONS:
        if (word := first_text(attrs, name)) and (sort := _SORTS.get(word.lower().replace(" ", "_"))):
            return sort
    if sort := _SORTS.get(first_text(mapping(json_in(attrs.get("braintrust.span_attributes"))), "type"), ""):
        return sort
    if mcp_method(signal):
        return "tool" if mcp_method(signal) in _MCP_ACTS else ""
    if signal.name == "agent run" and first_text(attrs, "agent_name", "gen_ai.agent.name"):
        return "agent"  # Pydantic AI's, before it named operations.
    if first_text(attrs, "gen_ai.tool.name", "gen_ai.tool.call.id", "ai.toolCall.name"):
        return "tool"
    if first_text(attrs, "traceloop.span.kind") == "task" and first_text(attrs, "traceloop.entity.name").endswith("Tool.task"):
        return "tool"
    begin = signal.name.partition(" ")[0].lower()
    return _SORTS.get(begin, "") if begin in ("execute_tool", "invoke_agent", "chat", "call_llm") else ""


def agent_named(signal: Signal) -> str:
    """The agent that an agent's span is about, "" where it has no name."""
    names = ("gen_ai.agent.name", "agent.name", "agent_name", "traceloop.entity.name", "copilot_chat.mode")
    return first_text(signal.attrs, *names)[:200]


def mcp_method(signal: Signal) -> str:
    """The MCP method a span is about, "" for any other span."""
    named = first_text(signal.attrs, "mcp.method.name", "mcp.method")
    if not named and first_text(signal.attrs, "rpc.system", "rpc.system.name") in ("mcp", "jsonrpc"):
        named = first_text(signal.attrs, *_MCP)
    return named if named else "tools/call" if signal.name.startswith("tools/call") else ""


def ruled_on(signal: Signal) -> Effect | None:
    """What a call's own span says was ruled on it: that a person is to be asked, or said no; None where nothing was."""
    if signal.attrs.get(DEFERRED) == "ApprovalRequired":
        return Effect.ASK
    return _KIT_RULED.get(_kit_error(signal.attrs))


def use_of(signal: Signal) -> Use:
    """The tool, what it was given, and how it went: an ended span without an error went well, so the convention."""
    attrs = signal.attrs
    given = _given(attrs)
    own = ran(talk_of(signal)) if not given else None
    if own is not None:
        given = mapping(own.given)
    answer = _first(attrs, *_RETURNED)
    back = returned_in(answer)
    tool = first_text(attrs, *_TOOLS)
    if tool.endswith("Tool.task"):
        tool = (back.tool if back else "") or tool
    if not tool:
        tool = first_text(mapping(json_in(_first(attrs, *_GIVEN))), "tool_name", "name") or (back.tool if back else "")
    # A tool's span that names it nowhere else is called after it, alone or behind the word for what is done.
    _, _, behind = signal.name.partition(" tools/call " if signal.name.startswith("MCP ") else " ")
    tool = (tool or behind or first_text(attrs, "langsmith.trace.name") or signal.name)[:300]
    failed = _failed(signal, answer) or bool(back and back.failed)
    waits = DEFERRED in attrs or ruled_on(signal) is Effect.ASK
    went = Tri.UNKNOWN if waits and not failed else Tri.NO if failed else Tri.YES if signal.end is not None else Tri.UNKNOWN
    answered = json_in(answer)
    output = spoken(back.content) if back else words_of(answered) or words_of(answer) or _message(answered)
    output = output or (own.output if own else "") or (_why(signal) if failed else "")
    if ruled_on(signal) is Effect.ASK and _kit_error(attrs):
        output = ""  # What the model is told for as long as nobody has answered.
    status = first_text(attrs, "error.type", "exception.type", "http.response.status_code", "rpc.response.status_code")
    method = mcp_method(signal)
    over_mcp = bool(method) or first_text(attrs, "gen_ai.tool.type") == "mcp"
    about = _MCP_ACTS.get(method, "")
    act = _act(signal, (first_text(attrs, about) or behind)[:300] if about else tool, {} if about else given, over_mcp)
    tool = method if about else tool
    call = call_id(first_text(attrs, *_CALLS) or (own.id if own else "") or (back.call if back else ""))
    return Use(tool, call, act, output, status[:200], went, bool(mcp_method(signal)))


def _failed(signal: Signal, answer: object) -> bool:
    """Whether a call failed: its span says so, or only its answer does, as MCP's may."""
    attrs = signal.attrs
    if signal.status == "error" or first_text(attrs, *_ERRORS) or attrs.get("mcp.tool.result.is_error") in (True, "true"):
        return True
    if _KIT_RULED.get(kit := _kit_error(attrs), Effect.DENY if kit else None) is Effect.DENY:
        return True
    return first_text(attrs, *_STATUS).lower() in _FAILED or mapping(json_in(answer)).get("isError") is True


def _kit_error(attrs: Json) -> str:
    """The `error` in what Google's kit says a tool gave back, "" without one."""
    told = mapping(json_in(attrs.get(_KIT_ANSWER))).get("error")
    return text(told) or ("error" if told else "")


def _why(signal: Signal) -> str:
    """Why a call failed, where it gave nothing back: its exception's words, or its status'."""
    thrown = (first_text(held, "exception.message") for name, held in signal.happened if name == "exception")
    return next((words for words in thrown if words), "") or signal.reason


def _given(attrs: Json) -> Json:
    """A tool's arguments; what it takes at all stands under the same name in some conventions, and before them in others."""
    spread = {name.removeprefix(_SPREAD): json_in(value) for name, value in attrs.items() if name.startswith(_SPREAD)}
    if spread:
        return spread
    for name in _GIVEN:
        value = attrs.get(name)
        if value not in (None, "") and not (name == "tool.parameters" and is_schema(value)):
            return arguments_in(value)
    return {}


def request_in(signal: Signal, sort: str) -> str:
    """The person's words in an agent's or a model's span: the last message, where it is theirs."""
    attrs, talk = signal.attrs, talk_of(signal)
    if sort == "agent" and (words := prompt_of(attrs, "copilot_chat.user_request")):
        return words
    if talk.given:
        return words_asked(talk)
    for name in _WHOLE:
        if isinstance(found := json_in(attrs.get(name)), list):
            return next((words for one in reversed(found) if (words := _last_of([one]))), "")
    for name in _SAID:
        found = json_in(attrs.get(name))
        if isinstance(found, list):
            return _last_of(found)
        if isinstance(found, dict):
            if inner := list(messages_in(found)):
                return _last_of(inner)
            held = arguments_in(found) or found
            if sort == "agent" and (words := first_text(held, "input", "prompt", "query", "question", "content", "task")):
                return prompt_of({"said": words}, "said")
        elif isinstance(found, str) and sort == "agent" and (words := prompt_of(attrs, name)):
            return words
    return ""


def words_asked(talk: Talk) -> str:
    """A person's words, where they are the last thing that was said to the model."""
    last = next((message for message in reversed(talk.given) if message.role != "system"), None)
    return prompt_of({"said": last.words}, "said") if last is not None and last.role == "user" and not last.answered else ""


def act_asked(tool: str, given: object) -> Act:
    """What a call does that a model asked for, by its tool and arguments alone."""
    if tool.startswith("mcp__"):
        server, _, inner = tool[5:].partition("__")
        return mcp_act(server, inner, given)
    return _tool_act(tool, mapping(given))


def _last_of(messages: Sequence[object]) -> str:
    last = message_in(messages[-1]) if messages else None
    return _message(last) if last is not None and last.get("role") == "user" else ""


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
    act = _tool_act(tool, given)
    if act.verb is Verb.UNKNOWN and f"{_COPILOT}edit_type" in attrs:
        return file_act(Verb.FILE_WRITE, text(given.get("file_path")))
    return act


def _tool_act(tool: str, given: Json) -> Act:
    verb, target, more = tool_call(tool, "", given, None)
    command, path = more.get("command"), more.get("path")
    if verb is Verb.EXEC and isinstance(command, str):
        return exec_act(command)
    if verb in (Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE) and isinstance(path, str):
        return file_act(verb, path)
    return Act(verb, target, more)
