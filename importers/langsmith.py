"""LangSmith runs: the spans of agents built with LangChain and LangGraph, as the API, an export or the SDK writes them.

A run of the type `tool` is a call, the first run of a trace the agent at work, a run of the type `llm` a question to a model.
`session_id` is a project, not a session; a conversation is named in the metadata, else the trace is all there is. A run may hold
those below it (`child_runs`); what an SDK sends is told in two halves, as a run begins and as it ends, also as a batch of both
(`post`, `patch`). What the command line exports has names of its own (`run_id`, `custom_metadata`, `token_usage`).
Source: LangSmith's published run format, SDK and command line.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import msgspec

from importers.otel_context import principal_of, speaker_of, with_principal
from importers.otel_signals import Signal
from importers.otel_spans import Spans
from importers.shared.fields import Json, first_text, mapping, moment, number, surest, text
from importers.shared.transcript import objects
from model.event import BadRecord, Event, Parsed

_TYPES = frozenset({"tool", "llm", "chain", "retriever", "embedding", "prompt", "parser"})
_THREADS = ("thread_id", "session_id", "conversation_id")
_HALVES = ("post", "patch")
_LITERAL = 20_000
_NESTING = 20
_REMEMBERED = 20_000
_DOLLARS = re.compile(r"\d{1,9}(?:\.\d{1,30})?(?:[eE]-?\d{1,2})?")
_ORDER = re.compile(r"\d{8}T\d{9,12}Z[0-9a-f-]{36}")


class LangSmith:
    id = "langsmith"
    title = "LangSmith runs"
    evidence = "documentation"
    version = 5

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> _Reader:
        return _Reader()


def _surely(record: Json) -> int:
    if _is_batch(record):
        return max((_surely(one) for name in _HALVES for one in objects(record.get(name))[:3]), default=0)
    record = _plain(record)
    if text(record.get("run_type")) not in _TYPES or not text(record.get("id")):
        # The half that ends a run need not repeat what it is.
        return 80 if text(record.get("id")) and _ORDER.match(text(record.get("dotted_order"))) else 0
    return 90 if "dotted_order" in record or "trace_id" in record else 70 if "inputs" in record else 0


def _is_batch(record: Json) -> bool:
    return "id" not in record and any(isinstance(record.get(name), list) for name in _HALVES)


def _plain(run: Json) -> Json:
    """A run as the API tells it, of one that the command line exported."""
    if "run_id" not in run or "id" in run:
        return run
    about, used = mapping(run.get("custom_metadata")), mapping(run.get("token_usage"))
    return {**run, "id": run["run_id"], "extra": {"metadata": about}, **used}


class _Reader:
    """Reads one file; remembers the runs that have not ended, and those that another run held."""

    def __init__(self) -> None:
        self._spans = Spans()
        self._begun: dict[str, tuple[Json, list[Event]]] = {}
        self._held: dict[str, None] = {}

    def read(self, record: object) -> Parsed:
        run = mapping(record)
        if not _is_batch(run):
            return self._told(run)
        parsed = Parsed(type="batch")
        for name in _HALVES:
            for one in objects(run.get(name)):
                told = self._told(one)
                parsed.events += told.events
                parsed.at = told.at if parsed.at is None else parsed.at
        return parsed

    def _told(self, run: Json) -> Parsed:
        run = _plain(run)
        ident = text(run.get("id"))
        if ident in self._held:
            return Parsed([], ident, type="run another one held")
        begun, before = self._begun.pop(ident, ({}, []))
        whole = {**begun, **{name: value for name, value in run.items() if value is not None}}
        missing = [name for name in ("id", "run_type", "name") if not text(whole.get(name))]
        if missing and not (ident and "run_type" not in run and "dotted_order" in run):
            raise BadRecord(f"a LangSmith run without {', '.join(missing)}")
        kind, ended = text(whole.get("run_type")), whole.get("end_time") is not None
        parsed = Parsed(
            [], ident if ended else f"{ident}/begun", type=kind[:100] or "end of a run", at=moment(whole.get("end_time"))[0]
        )
        if missing:
            # What began it lies elsewhere: that something ended is all that is said.
            return parsed
        signals = [_signal(one, text(one.get("run_type"))) for one in self._below(whole)]
        self._spans.learn(signals)
        for signal in signals:
            parsed.events += with_principal(list(self._spans.events(signal, speaker_of(signal))), principal_of(signal))
        parsed.at = signals[0].at
        if not ended and len(self._begun) < _REMEMBERED:
            self._begun[ident] = (whole, parsed.events)
        parsed.events = [one for one in parsed.events if _mark(one) not in {_mark(other) for other in before}]
        if kind not in _TYPES:
            parsed.unknown_type = kind[:100]
        return parsed

    def _below(self, run: Json) -> Iterator[Json]:
        """The run and all that it holds, each with the trace and the parent that its place says."""
        waiting = [run]
        while waiting:
            one = waiting.pop()
            yield one
            for child in reversed(objects(one.get("child_runs"))):
                if len(self._held) < _REMEMBERED:
                    self._held[text(child.get("id"))] = None
                waiting.append({"trace_id": first_text(one, "trace_id", "id"), "parent_run_id": text(one.get("id")), **child})


def _mark(event: Event) -> tuple[object, ...]:
    return event.kind, event.phase, event.keys, event.text


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
        "gen_ai.usage.cost": _money(run.get("total_cost")),
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
        status="error" if run.get("error") or run.get("status") == "error" else "",
        reason=text(run.get("error"))[:2000].partition("\n")[0],
        body=None,
    )


def _money(value: object) -> object:
    """US dollars, which the API tells as a text."""
    return float(value) if isinstance(value, str) and _DOLLARS.fullmatch(value) else value


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
