"""LangSmith runs: the spans of agents built with LangChain and LangGraph, as the API, an export or the SDK writes them.

A run of the type `tool` is a call, the first run of a trace the agent at work, a run of the type `llm` a question to a model.
`session_id` is a project, not a session; a conversation is named in the metadata, else the trace is all there is. Source:
LangSmith's published run format.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

import msgspec

from importers.otel_context import principal_of, speaker_of, with_principal
from importers.otel_signals import Signal
from importers.otel_spans import Spans
from importers.shared.fields import Json, first_text, mapping, moment, number, surest, text
from model.event import BadRecord, Parsed

_TYPES = frozenset({"tool", "llm", "chain", "retriever", "embedding", "prompt", "parser"})
_THREADS = ("thread_id", "session_id", "conversation_id")
_LITERAL = 20_000
_NESTING = 20


class LangSmith:
    id = "langsmith"
    title = "LangSmith runs"
    evidence = "documentation"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> _Reader:
        return _Reader()


def _surely(record: Json) -> int:
    if text(record.get("run_type")) not in _TYPES or not text(record.get("id")):
        return 0
    return 90 if "dotted_order" in record or "trace_id" in record else 70 if "inputs" in record else 0


class _Reader:
    def __init__(self) -> None:
        self._spans = Spans()

    def read(self, record: object) -> Parsed:
        run = mapping(record)
        kind = text(run.get("run_type"))
        missing = [name for name in ("id", "run_type", "name") if not text(run.get(name))]
        if missing:
            raise BadRecord(f"a LangSmith run without {', '.join(missing)}")
        signal = _signal(run, kind)
        self._spans.learn([signal])
        events = list(self._spans.events(signal, speaker_of(signal)))
        parsed = Parsed(with_principal(events, principal_of(signal)), text(run["id"]), type=kind[:100], at=signal.at)
        if kind not in _TYPES:
            parsed.unknown_type = kind[:100]
        return parsed


def _signal(run: Json, kind: str) -> Signal:
    about = mapping(mapping(run.get("extra")).get("metadata"))
    ident, trace = text(run.get("id")), first_text(run, "trace_id", "id")
    parent = first_text(run, "parent_run_id")
    at, clock = moment(run.get("start_time"))
    attrs: Json = {
        "session.id": first_text(about, *_THREADS),
        "enduser.id": first_text(about, "user_id"),
        "error.message": text(run.get("error"))[:2000],
        "gen_ai.usage.input_tokens": number(run.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": number(run.get("completion_tokens")),
        "input.value": _given(run.get("inputs")),
        "output.value": mapping(run.get("outputs")),
    }
    if kind == "tool":
        message = mapping(mapping(run.get("outputs")).get("output"))
        attrs |= {"gen_ai.operation.name": "execute_tool", "tool.name": text(run.get("name"))}
        attrs["tool_call_id"] = first_text(message, "tool_call_id") or first_text(about, "tool_call_id")
        if message:
            attrs["output.value"] = message.get("content")
    elif not parent:
        attrs |= {"gen_ai.operation.name": "invoke_agent", "agent.name": text(run.get("name"))}
    elif kind == "llm":
        attrs["gen_ai.operation.name"] = "chat"
    return Signal(
        is_span=True,
        name=text(run.get("name"))[:300],
        attrs={name: value for name, value in attrs.items() if value not in (None, "", {})},
        resource={"service.name": "langsmith"},
        scope="",
        at=at,
        clock=clock,
        end=moment(run.get("end_time"))[0],
        trace=trace.replace("-", "").lower(),
        span=ident.replace("-", "").lower(),
        parent=parent.replace("-", "").lower(),
        kind="",
        status="error" if run.get("error") else "",
        body=None,
    )


def _given(inputs: object) -> object:
    """What a run was given; LangChain tells a tool's arguments as the text of a Python dictionary."""
    found = mapping(inputs)
    words = found.get("input")
    if len(found) != 1 or not isinstance(words, str):
        return found
    if not words.startswith("{") or len(words) > _LITERAL or max(words.count(one) for one in "{[(") > _NESTING:
        return words
    try:
        return msgspec.to_builtins(ast.literal_eval(words), str_keys=True)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return words


IMPORTER = LangSmith()
