"""Trajectories in the Agent Trajectory Interchange Format (ATIF 1.x), which Harbor makes of the runs of many agents.

One object per run: the agent, and steps in which a user spoke or the agent called tools and was answered. A call's id is
unique within its step alone; where the agent's own was kept, it joins the agent's log. Steps copied from an earlier trajectory
are told there. A sub-agent's trajectory stands within its parent's, or in a file of its own that the answer of a call names.
Source: RFC 0001 of Harbor (`docs/rfcs/0001-trajectory-format.md`), versions 1.0 to 1.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agents import Frame, call_id, field, names_one_call, scope_id, words_of
from importers.shared.fields import Json, first_text, mapping, number, surest, truth
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import cost_of, state, tokens_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri

POINT = "atif"

_SOURCES = frozenset({"user", "agent", "system"})
_DEEPEST = 8
_ERRORS = ("is_error", "tool_result_is_error", "error")
_BESIDE = ("tool_metadata", "tool_result_metadata", "metadata")
_CODES = ("exit_code", "exitCode", "returncode")
_FAILED = frozenset(
    {"failed", "failure", "error", "errored", "declined", "denied", "cancelled", "canceled", "timed_out", "timeout"}
)
_DONE = frozenset({"success", "succeeded", "ok"})


class Atif:
    id = "atif"
    title = "ATIF trajectories (Harbor)"
    evidence = "documentation"
    version = 2
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> _Reader:
        return _Reader()


def _surely(record: Json) -> int:
    if field(record, "schema_version").upper().startswith("ATIF-V"):
        return 97
    return 70 if "step_id" in record and field(record, "source") in _SOURCES and "message" in record else 0


class _Reader:
    """One file: a trajectory as a whole, or what stands beside its steps and then the steps one by one."""

    def __init__(self) -> None:
        self._run = _Run("", {})

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a trajectory")
        if "step_id" in record:
            source = field(record, "source")
            frame, events = self._run.step(record)
            parsed = Parsed(events, scope=self._run.file.session, type=f"step/{source}"[:100], at=frame.at)
            if source not in _SOURCES:
                parsed.unknown_type = parsed.type
            return parsed
        missing = [name for name, kind in (("agent", dict), ("steps", list)) if not isinstance(record.get(name), kind)]
        if missing:
            raise BadRecord(f"an ATIF trajectory without {' and '.join(missing)}")
        self._run = _Run(first_text(record, "session_id", "trajectory_id"), record)
        events = list(self._run.whole(record, 0))
        return Parsed(events, scope=self._run.file.session, type="trajectory", at=events[0].at if events else None)


class _Run:
    """One trajectory; `called` names, by the trajectory's id, the call that a sub-agent answered."""

    def __init__(self, session: str, record: Json) -> None:
        agent = mapping(record.get("agent"))
        self.file = Transcript(POINT, field(agent, "name")[:100])
        self.file.begin(session, record)
        self.file.know(model=field(agent, "model_name"), agent_version=first_text(agent, "version"))
        self.called: dict[str, str] = {}
        self._delegated = False
        # Whether the end said it already for steps that come one by one: tokens, money.
        self._counted = (False, False)

    def whole(self, record: Json, depth: int) -> Iterator[Event]:
        steps = objects(record.get("steps"))
        frame = self.file.frame(next((one.get("timestamp") for one in steps if one.get("timestamp")), None))
        started = frame.event(EventKind.ACTION, Phase.STARTED)
        # What its steps do not say says the end: tokens without those of sub-agents, money with theirs.
        metrics = [mapping(one.get("metrics")) for one in steps]
        counts = {name.removeprefix("total_"): value for name, value in mapping(record.get("final_metrics")).items()}
        tokens = 0 if any(map(tokens_of, metrics)) else tokens_of(counts)
        cost = 0.0 if any(cost_of(one.get("cost_usd")) for one in metrics) else cost_of(counts.get("cost_usd"))
        self._counted = (not steps and tokens > 0, not steps and cost > 0)
        state(started, tokens, max(cost - sum(map(_cost, objects(record.get("subagent_trajectories")))), 0.0) if cost else 0.0)
        yield started
        for step in steps:
            yield from self.step(step)[1]
        for child in objects(record.get("subagent_trajectories")) if depth < _DEEPEST else []:
            yield from self._child(child, depth)

    def _child(self, record: Json, depth: int) -> Iterator[Event]:
        """A sub-agent's trajectory; its session may be its parent's, its trajectory is its own."""
        name = first_text(record, "trajectory_id")
        run = _Run(name or f"{self.file.session}/{first_text(record, 'session_id') or depth}", record)
        run.file.parent(self.file.session, self.called.get(name, ""))
        run._delegated = True
        yield from run.whole(record, depth + 1)

    def step(self, step: Json) -> tuple[Frame, list[Event]]:
        """The frame and the events of one step; what it cost stands with its first event."""
        place = first_text(step, "step_id")
        self.file.know(model=field(step, "model_name"))
        frame = self.file.frame(step.get("timestamp"), ref=place)
        if step.get("is_copied_context") is True:
            return frame, []
        events = list(self._said(step, frame)) + list(self._acted(step, place, frame))
        metrics = mapping(step.get("metrics"))
        if events:
            tokens, cost = tokens_of(metrics), cost_of(metrics.get("cost_usd"))
            state(events[0], 0 if self._counted[0] else tokens, 0.0 if self._counted[1] else cost)
        return frame, events

    def _said(self, step: Json, frame: Frame) -> Iterator[Event]:
        words = words_of(step.get("message"))
        if field(step, "source") == "user" and words.strip():
            yield frame.intent(Phase.DELEGATED if self._delegated else Phase.PROMPT, words)

    def _acted(self, step: Json, place: str, frame: Frame) -> Iterator[Event]:
        calls = objects(step.get("tool_calls"))
        names: dict[str, str] = {}
        for ordinal, call in enumerate(calls):
            stated = call_id(call.get("tool_call_id"))
            name = stated if names_one_call(stated) else f"{self.file.session}/{place}/{stated or ordinal}"[:200]
            names[stated or str(ordinal)] = name
            yield from self.file.call(frame, name, field(call, "function_name"), call.get("arguments"))
        answers = objects(mapping(step.get("observation")).get("results"))
        for answer in answers:
            # An answer that names no call is a call's where there is no other.
            alone = len(answers) == len(names) == 1 and not answer.get("source_call_id")
            call_name = next(iter(names.values())) if alone else names.get(call_id(answer.get("source_call_id")), "")
            for ref in objects(answer.get("subagent_trajectory_ref")):
                yield from self._spawned(ref, call_name, frame)
            if call_name:
                around = mapping(step.get("extra"))
                own = mapping(mapping(around.get("tool_call_details")).get(first_text(answer, "source_call_id")))
                yield from self._answer(answer, call_name, own or (around if len(names) == 1 else {}), frame)

    def _answer(self, answer: Json, name: str, around: Json, frame: Frame) -> Iterator[Event]:
        """What came back; whether it went well is said, if at all, in what the producer keeps beside it."""
        more = mapping(answer.get("extra"))
        places = [mapping(found) for one in (more, around) for found in (one, *(one.get(name) for name in _BESIDE))]
        failed = next((said for one in places if (said := _failed(one)) is not None), None)
        code = next((found for one in places for key in _CODES if (found := number(one.get(key))) is not None), None)
        if code is not None:
            failed = code != 0
        ok = Tri.UNKNOWN if failed is None else Tri.NO if failed else Tri.YES
        status = "" if code is None else str(code)
        yield from self.file.result(frame, name, ok, words_of(answer.get("content")), status=status)

    def _spawned(self, ref: Json, call: str, frame: Frame) -> Iterator[Event]:
        """A sub-agent of the call: its trajectory within this record is met later, one in a file of its own is named now."""
        if name := first_text(ref, "trajectory_id"):
            self.called.setdefault(name, call)
        child = scope_id(ref.get("session_id")) or scope_id(name)
        if first_text(ref, "trajectory_path") and child and child != self.file.session and self.file.first("child", child):
            spawned = Transcript(POINT)
            spawned.begin(child)
            spawned.parent(self.file.session, call)
            attrs: dict[str, Attr] = {"title": first_text(mapping(ref.get("extra")), "summary")[:300]}
            scope = spawned.frame().scope
            yield frame._replace(scope=scope, ref="").event(
                EventKind.ACTION, Phase.STARTED, attrs={k: v for k, v in attrs.items() if v}
            )


def _failed(beside: Json) -> bool | None:
    """Whether what is kept beside an answer says that its call failed; None where it says neither."""
    for key in _ERRORS:
        said = beside.get(key)
        if isinstance(said, str | dict) and said and truth(said) is None:
            return True
        if (told := truth(said)) is not None:
            return told
    if (told := truth(beside.get("success"))) is not None:
        return not told
    status = field(beside, "status").lower()
    return True if status in _FAILED else False if status in _DONE else None


def _cost(record: Json, depth: int = 0) -> float:
    """What a sub-agent's trajectory states for itself and those it started."""
    steps = sum(cost_of(mapping(one.get("metrics")).get("cost_usd")) for one in objects(record.get("steps")))
    total = cost_of(mapping(record.get("final_metrics")).get("total_cost_usd"))
    within = objects(record.get("subagent_trajectories")) if depth < _DEEPEST else []
    return max(total, steps + sum(_cost(one, depth + 1) for one in within))


IMPORTER = Atif()
