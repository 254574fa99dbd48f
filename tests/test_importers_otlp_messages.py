"""Messages of a conversation in telemetry: what a person said, the calls a model asked for, and what came back, in every place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importers.otlp import IMPORTER
from model.event import Event
from model.words import EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import names, only, survives
from tests.otlp_records import PARENT, SESSION, SPAN, TRACE, attrs, events, one_span, span

ASKED = {"command": "git push"}
CALL = "tooluse_xOV9KoGAjpkuz"
J = json.dumps


def told(name: str, **given: Any) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": "1771846829375000000", "attributes": attrs(**given)}


def with_events(given: dict[str, str], *happened: dict[str, Any]) -> dict[str, Any]:
    payload = span(given=given)
    one_span(payload)["events"] = list(happened)
    return payload


def record(body: object, name: str = "strands.telemetry.tracer", **given: Any) -> dict[str, Any]:
    """A record as Amazon's log groups hold it, one a line."""
    return {
        "resource": {"attributes": {"service.name": "helper"}},
        "scope": {"name": "strands.telemetry.tracer"},
        "timeUnixNano": 1771846829275000000,
        "observedTimeUnixNano": 1771846829275000000,
        "severityNumber": 9,
        "body": body,
        "attributes": {**({"event.name": name} if name else {}), "session.id": SESSION, **given},
        "traceId": TRACE,
        "spanId": SPAN,
    }


def kinds(found: list[Event]) -> list[str]:
    return [f"{event.kind}/{event.phase}" for event in found]


TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "shell"}
MESSAGE = {"role": "tool", "parts": [{"type": "tool_call", "name": "shell", "id": CALL, "arguments": ASKED}]}
ANSWER = {"role": "tool", "parts": [{"type": "tool_call_response", "id": CALL, "response": [{"text": "pushed"}]}]}


@pytest.mark.parametrize(
    "payload",
    [
        with_events(
            TOOL,
            told("gen_ai.tool.message", role="tool", content=J(ASKED), id=CALL),
            told("gen_ai.choice", message=J([{"text": "pushed"}]), id=CALL),
        ),
        with_events(
            TOOL,
            told("gen_ai.client.inference.operation.details", gen_ai__input__messages=J([MESSAGE])),
            told("gen_ai.client.inference.operation.details", gen_ai__output__messages=J([ANSWER])),
        ),
    ],
)
def test_a_tool_span_whose_events_hold_what_it_was_given_and_gave_back(payload: dict[str, Any]) -> None:
    found = events(payload)
    call, result = only(found, EventKind.ACTION, Phase.CALL), only(found, EventKind.ACTION, Phase.RESULT)
    assert (call.verb, call.attrs["command"], result.attrs["output"]) == (Verb.EXEC, "git push", "pushed")
    assert names(call, KeyRole.CALL) == names(result, KeyRole.CALL) == [f"call:{CALL}", f"span:{TRACE}/{SPAN}"]


def test_a_jaeger_span_has_its_events_as_logs() -> None:
    fields = [("event", "gen_ai.tool.message"), ("content", J(ASKED)), ("id", CALL)]
    one = {
        "traceID": TRACE,
        "spanID": SPAN,
        "operationName": "execute_tool shell",
        "startTime": 1771846829275000,
        "duration": 1000,
        "tags": [{"key": name, "type": "string", "value": value} for name, value in TOOL.items()],
        "logs": [{"timestamp": 1771846829275000, "fields": [{"key": k, "type": "string", "value": v} for k, v in fields]}],
        "process": {"serviceName": "helper", "tags": []},
    }
    call = only(events(one), EventKind.ACTION, Phase.CALL)
    assert (call.attrs["command"], names(call, KeyRole.CALL)[0]) == ("git push", f"call:{CALL}")


SCHEMA = J({"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]})
SMOL = J({"command": {"type": "string", "description": "what to run"}})
CONSTRUCTED = {
    "lc": 1,
    "type": "constructor",
    "id": ["langchain", "schema", "messages", "ToolMessage"],
    "kwargs": {"content": "pushed", "type": "tool", "name": "shell", "tool_call_id": CALL, "status": "success"},
}
DUMPED = {"type": "tool", "data": {"content": "pushed", "name": "shell", "tool_call_id": CALL, "status": "success"}}
OPENINFERENCE = {"openinference.span.kind": "TOOL", "tool.name": "shell"}


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ({**OPENINFERENCE, "tool.parameters": SCHEMA, "input.value": J(ASKED)}, J(DUMPED)),
        ({**OPENINFERENCE, "tool.parameters": SMOL, "input.value": J({"args": [], "kwargs": ASKED})}, J(DUMPED)),
        ({**OPENINFERENCE, "input.value": "{'command': 'git push'}"}, f"content='pushed' name='shell' tool_call_id='{CALL}'"),
        (
            {**OPENINFERENCE, "input.value": J(ASKED)},
            J({"output": f"content=\"pushed\" name='shell' id='e9' tool_call_id='{CALL}'"}),
        ),
        (
            {
                "traceloop.span.kind": "tool",
                "gen_ai.tool.name": "shell",
                "traceloop.entity.input": J(
                    {"input_str": str(ASKED), "tags": [], "metadata": {}, "inputs": ASKED, "kwargs": {"color": "x"}}
                ),
            },
            J({"output": CONSTRUCTED, "kwargs": {"color": "x"}}),
        ),
    ],
)
def test_what_a_framework_wrote_around_arguments_and_answer(given: dict[str, str], returned: str) -> None:
    name = "traceloop.entity.output" if "traceloop.span.kind" in given else "output.value"
    found = events(span(given={**given, name: returned}))
    call, result = only(found, EventKind.ACTION, Phase.CALL), only(found, EventKind.ACTION, Phase.RESULT)
    assert (call.attrs["command"], result.attrs["output"], result.outcome.tool) == ("git push", "pushed", Tri.YES)
    assert names(call, KeyRole.CALL) == [f"call:{CALL}", f"span:{TRACE}/{SPAN}"]


def test_what_a_tool_takes_is_not_what_it_was_given() -> None:
    call = only(events(span(given={**OPENINFERENCE, "tool.parameters": SCHEMA})), EventKind.ACTION, Phase.CALL)
    assert "command" not in call.attrs and "arguments" not in call.attrs


@pytest.mark.parametrize(
    "given",
    [
        {
            **OPENINFERENCE,
            "input.value": J(ASKED),
            "output.value": J({"type": "tool", "content": "no", "tool_call_id": "c", "status": "error"}),
        },
        {"langfuse.observation.type": "tool", "langfuse.observation.level": "ERROR", "langfuse.observation.input": J(ASKED)},
        {**TOOL, "gen_ai.tool.status": "error"},
        {**TOOL, "tool.status": "error"},
    ],
)
def test_a_call_that_failed_says_so_below_the_span_too(given: dict[str, str]) -> None:
    assert only(events(span(given=given)), EventKind.ACTION, Phase.RESULT).outcome.tool is Tri.NO


def test_a_task_of_llamaindex_is_a_call_where_its_name_says_tool() -> None:
    given = {
        "traceloop.span.kind": "task",
        "traceloop.entity.name": "FunctionTool.task",
        "traceloop.entity.input": J({"kwargs": ASKED}),
        "traceloop.entity.output": J({"blocks": [{"block_type": "text", "text": "pushed"}], "tool_name": "shell"}),
    }
    found = events(span(given=given))
    assert [(event.tool, event.attrs.get("command"), event.attrs.get("output")) for event in found] == [
        ("shell", "git push", None),
        ("shell", None, "pushed"),
    ]
    assert events(span(given={**given, "traceloop.entity.name": "BaseWorkflowAgent.task"})) == []


OPENAI_CALL = {"id": CALL, "type": "function", "function": {"name": "shell", "arguments": J(ASKED)}}
USER = {"role": "user", "content": "push it"}
CHAT = {"gen_ai.operation.name": "chat"}
VERCEL = {"ai.operationId": "ai.generateText.doGenerate"}
SPREAD = "llm.output_messages.0.message.tool_calls.0.tool_call"


@pytest.mark.parametrize(
    "payload",
    [
        span(
            given={
                **CHAT,
                "gen_ai.input.messages": J([{"role": "user", "parts": [{"type": "text", "content": "push it"}]}]),
                "gen_ai.output.messages": J([{**MESSAGE, "role": "assistant"}]),
            }
        ),
        with_events(
            CHAT,
            told("gen_ai.user.message", content=J([{"text": "push it"}])),
            told(
                "gen_ai.choice",
                finish_reason="tool_use",
                message=J([{"toolUse": {"name": "shell", "input": ASKED, "toolUseId": CALL}}]),
            ),
        ),
        span(
            given={
                **VERCEL,
                "ai.prompt.messages": J([{"role": "user", "content": [{"type": "text", "text": "push it"}]}]),
                "ai.response.toolCalls": J(
                    [{"toolCallType": "function", "toolCallId": CALL, "toolName": "shell", "args": J(ASKED)}]
                ),
            }
        ),
        span(
            given={
                "openinference.span.kind": "LLM",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.contents.0.message_content.text": "push it",
                "llm.output_messages.0.message.role": "assistant",
                f"{SPREAD}.id": CALL,
                f"{SPREAD}.function.name": "shell",
                f"{SPREAD}.function.arguments": J(ASKED),
            }
        ),
        span(
            given={
                "llm.request.type": "chat",
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": "push it",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.tool_calls.0.id": CALL,
                "gen_ai.completion.0.tool_calls.0.name": "shell",
                "gen_ai.completion.0.tool_calls.0.arguments": J(ASKED),
            }
        ),
        with_events(
            CHAT,
            told("gen_ai.user.message", gen_ai__event__content=J({"role": "user", "content": {"text": {"value": "push it"}}})),
            told(
                "gen_ai.choice", gen_ai__event__content=J({"message": {"content": "", "tool_calls": [OPENAI_CALL]}, "index": 0})
            ),
        ),
        span(
            given={
                "braintrust.span_attributes": J({"type": "llm", "name": "triage"}),
                "braintrust.input_json": J([USER]),
                "braintrust.output_json": J([{"role": "assistant", "content": None, "tool_calls": [OPENAI_CALL]}]),
            }
        ),
        span(
            given={
                "gen_ai.operation.name": "generate_content",
                "gcp.vertex.agent.llm_request": J({"contents": [{"role": "user", "parts": [{"text": "push it"}]}]}),
                "gcp.vertex.agent.llm_response": J(
                    {"content": {"role": "model", "parts": [{"function_call": {"id": CALL, "name": "shell", "args": ASKED}}]}}
                ),
            }
        ),
        record({"input": {"messages": [USER]}, "output": {"messages": [{"role": "assistant", "tool_calls": [OPENAI_CALL]}]}}),
    ],
)
def test_a_request_and_the_call_a_model_asked_for(payload: dict[str, Any]) -> None:
    prompt, call = events(payload)
    assert (prompt.kind, prompt.phase, prompt.text) == (EventKind.INTENT, Phase.PROMPT, "push it")
    assert (call.phase, call.verb, call.tool, call.attrs["command"]) == (Phase.CALL, Verb.EXEC, "shell", "git push")
    assert names(call, KeyRole.CALL) == [f"call:{CALL}"]


def test_a_prompt_among_a_spans_events() -> None:
    prompt = told("gen_ai.content.prompt", gen_ai__prompt=J([USER]))
    answer = told("gen_ai.content.completion", gen_ai__completion=J([{"role": "Assistant", "content": "done"}]))
    assert only(events(with_events(CHAT, prompt, answer)), EventKind.INTENT, Phase.PROMPT).text == "push it"


def test_what_the_program_adds_to_a_request_does_not_hide_it() -> None:
    added = {"role": "system", "parts": [{"type": "text", "content": "The user has uploaded files."}]}
    found = events(span(given={"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": J([added, USER, added])}))
    assert only(found, EventKind.INTENT, Phase.PROMPT).text == "push it"


def test_history_is_told_once_and_ends_with_nobodys_words() -> None:
    history = [
        USER,
        {"role": "assistant", "tool_calls": [OPENAI_CALL]},
        {"role": "tool", "tool_call_id": CALL, "content": "pushed"},
    ]
    first = span(given={**CHAT, "gen_ai.input.messages": J(history[:1]), "gen_ai.output.messages": J(history[1:2])})
    second = span(given={**CHAT, "gen_ai.input.messages": J(history)})
    found = events(first, second, second)
    assert kinds(found) == ["intent/prompt", "action/call", "action/result"]
    assert (found[1].at, found[2].at) == (1771846830275000, 1771846829275000)
    assert (found[2].attrs["output"], found[2].outcome.tool) == ("pushed", Tri.UNKNOWN)


def test_log_records_with_one_message_each() -> None:
    found = events(
        record({"content": "push it"}, "gen_ai.user.message"),
        record(
            J({"index": 0, "message": {"role": "assistant", "tool_calls": [OPENAI_CALL]}, "finish_reason": "tool_calls"}),
            "gen_ai.choice",
        ),
        record({"content": "pushed", "id": CALL}, "gen_ai.tool.message"),
        record({"tool_calls": [OPENAI_CALL]}, "", **{"gen_ai.system": "aws.bedrock"}),
        record({"content": [{"text": "x"}], "id": CALL + "2"}, "", **{"gen_ai.system": "aws.bedrock"}),
        record({"content": "You are helpful"}, "gen_ai.system.message"),
        record({"content": "a program's own", "id": "7"}, ""),
    )
    assert kinds(found) == ["intent/prompt", "action/call", "action/result", "action/result"]
    assert [names(event, KeyRole.CALL) for event in found[1:]] == [[f"call:{CALL}"], [f"call:{CALL}"], [f"call:{CALL}2"]]


@pytest.mark.parametrize(
    ("given", "answer", "call"),
    [
        (
            {"role": "tool", "content": {"content": J(ASKED), "role": "tool", "id": CALL}},
            {"role": "tool", "content": {"message": J([{"text": "pushed"}]), "id": CALL}},
            CALL,
        ),
        ({"content": J(ASKED)}, {"role": "tool", "name": "shell", "content": "pushed"}, ""),
        ({"role": "user", "content": J(ASKED)}, {"role": "assistant", "content": J(DUMPED)}, CALL),
        ({"content": J({"kwargs": ASKED})}, {"content": J({"blocks": [{"text": "pushed"}], "tool_name": "shell"})}, ""),
    ],
)
def test_what_amazons_distribution_took_out_of_a_tools_span(given: dict[str, Any], answer: dict[str, Any], call: str) -> None:
    found = events(record({"input": {"messages": [given]}, "output": {"messages": [answer]}}))
    assert kinds(found) == ["action/call", "action/result"]
    assert all(names(event, KeyRole.CALL) == [*([f"call:{call}"] if call else []), f"span:{TRACE}/{SPAN}"] for event in found)
    assert found[1].attrs["output"] == "pushed"
    assert "command" in found[0].attrs or "arguments" in found[0].attrs


def test_a_graphs_state_holds_the_conversation_and_arguments_are_nobodys_words() -> None:
    human = {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain", "schema", "messages", "HumanMessage"],
        "kwargs": {"content": "push it"},
    }
    asked = {
        "type": "ai",
        "data": {"content": "", "tool_calls": [{"name": "shell", "args": ASKED, "id": CALL, "type": "tool_call"}]},
    }
    state = {"outputs": {"messages": [human, asked, CONSTRUCTED]}, "kwargs": {"tags": []}}
    inner = {"role": "user", "content": J({"inputs": {"messages": [["user", "push it"]]}, "tags": []})}
    found = events(record({"input": {"messages": [inner]}, "output": {"messages": [{"role": "assistant", "content": J(state)}]}}))
    assert kinds(found) == ["intent/prompt", "action/call", "action/result"]
    assert (found[1].attrs["command"], found[2].attrs["output"], found[2].outcome.tool) == ("git push", "pushed", Tri.YES)
    unclear = {
        "input": {"messages": [{"role": "user", "content": J(ASKED)}]},
        "output": {"messages": [{"role": "assistant", "content": "x"}]},
    }
    assert events(record(unclear)) == []


def test_what_a_chain_was_asked_stands_below_what_its_callbacks_add() -> None:
    asked = J({"inputs": {"question": "push it"}, "tags": [], "metadata": {}, "kwargs": {"name": "RunnableSequence"}})
    found = events(span(given={"gen_ai.operation.name": "invoke_agent", "gen_ai.task.input": asked}))
    assert only(found, EventKind.INTENT, Phase.PROMPT).text == "push it"


def test_a_tool_of_braintrusts() -> None:
    given = {"braintrust.span_attributes": J({"type": "tool", "name": "shell"}), "braintrust.input_json": J(ASKED)}
    call = only(events(span("shell", given={**given, "braintrust.output_json": J("pushed")})), EventKind.ACTION, Phase.CALL)
    assert (call.tool, call.attrs["command"]) == ("shell", "git push")


def test_an_agents_run_with_all_that_was_said_tells_the_request() -> None:
    said = [
        USER,
        {"role": "assistant", "parts": MESSAGE["parts"]},
        {"role": "user", "parts": ANSWER["parts"]},
        {"role": "assistant", "content": "done"},
    ]
    found = events(span(given={"gen_ai.operation.name": "invoke_agent", "pydantic_ai.all_messages": J(said)}))
    assert [event.text for event in found if event.phase is Phase.PROMPT] == ["push it"]


def test_a_servers_inner_span_is_not_told_beside_its_own() -> None:
    inner = {"mcp.method.name": "tools/call", "fastmcp.provider.type": "LocalProvider", "fastmcp.component.key": "tool:echo@"}
    assert events(span("delegate echo", given=inner)) == []
    own = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "echo", "fastmcp.server.name": "demo"}
    seen = only(events(span("tools/call echo", given=own, kind=2)), EventKind.EFFECT, Phase.OBSERVED)
    assert (seen.target.name, seen.target.detail) == ("demo", "echo")


@pytest.mark.parametrize(
    "value",
    ["[" * 5000, J([[[]]]), J({"messages": 7}), J([{"role": 5, "parts": [None, 7, {"type": "tool_call"}], "content": {"content": {}}}]),
     "{'a': " * 3000, "content='" + "\\'" * 9000, J({"output": {"output": {"output": {}}}}), J([{"role": "tool", "content": None}])],
)  # fmt: skip
def test_hostile_messages(value: str) -> None:
    for name in ("gen_ai.input.messages", "gen_ai.output.messages", "input.value", "output.value", "ai.response.toolCalls", "ai.prompt.messages",
                 "gen_ai.completion.0.tool_calls.0.arguments", "gen_ai.prompt.99999.content", "gen_ai.prompt.²", "pydantic_ai.all_messages"):  # fmt: skip
        for given in (CHAT, TOOL, {"gen_ai.operation.name": "invoke_agent"}):
            survives(IMPORTER, span(given={**given, name: value}))
    survives(
        IMPORTER, with_events(CHAT, told("gen_ai.choice", message=value), told("gen_ai.content.prompt", gen_ai__prompt=value))
    )
    survives(IMPORTER, record({"input": {"messages": [{"role": "tool", "content": value}]}, "output": {"messages": value}}))
    survives(IMPORTER, record(value, "gen_ai.tool.message"))


@pytest.mark.parametrize("id", ["call_9f2ab34c", "call_1"])
@pytest.mark.parametrize("session", [{}, {"gen_ai.conversation.id": SESSION}], ids=["trace", "session"])
def test_a_call_that_a_model_asked_for_and_a_tool_ran_is_one(id: str, session: dict[str, str]) -> None:
    asked = [{"role": "assistant", "parts": [{"type": "tool_call", "id": id, "name": "bash", "arguments": {"command": "ls"}}]}]
    chat = {"gen_ai.operation.name": "chat", "gen_ai.output.messages": json.dumps(asked), "gen_ai.conversation.id": SESSION}
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "bash", "gen_ai.tool.call.id": id, **session}
    model, ran = span("chat", given=chat), span("execute_tool bash", given=tool, spanId=PARENT)
    for payloads in ((model, ran), (ran, model)):
        found = events(*payloads)
        assert [event.phase for event in found] == [Phase.CALL, Phase.RESULT]
        assert len({name for event in found for name in names(event, KeyRole.CALL) if name.startswith("call:")}) == 1
    other = span("execute_tool bash", given=tool, spanId=PARENT, traceId="cd" * 16)
    again = [event.phase for event in events(model, ran, other)]
    assert again.count(Phase.CALL) == (2 if id == "call_1" or not session else 1)
