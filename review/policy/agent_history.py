"""What one agent called, as its own rules are asked about it: each distinct call once, and where it was made."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import msgspec

from model.chain import Step
from model.event import Attr, Event
from model.request import ASSUMED, RECORDED, SEPARATOR
from model.words import Effect, Tri, Vantage
from policy.agents.base import Call
from review.derive.enforced import call_of, is_call
from review.show.filters import task_filter
from review.workspace import Workspace
from store.rows import page_key

_TASKS = 500
_TOLD_EVERY = 5_000
_NOT_READ = frozenset({"output", "tokens", "cost_usd", "duration_ms", "model"})


class AgentHistory:
    """The distinct `calls` in the order they were first made, and for each time one was made: which, in which task, when.

    A time takes some thirty bytes however long the call is; the step's id is read again where it is wanted (`step`).
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.tasks: list[tuple[str, str]] = []
        """(id, principal) of every task with a call."""
        self.call = array("L")
        self.task = array("L")
        self.number = array("L")
        self.at = array("q")
        self.before: list[Effect] = []
        self.inferred = bytearray()
        """Whether the recorded answer was joined to the call by inference."""
        self.who = array("L")
        """The number of the developer it was made for, 0 where none is named."""
        self._people: dict[str, int] = {}
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.call)

    def add(self, task: int, step: Step, call: Call) -> None:
        key = msgspec.json.encode(call, order="sorted")
        at = self._known.setdefault(key, len(self.calls))
        if at == len(self.calls):
            self.calls.append(call)
        self.call.append(at)
        self.task.append(task)
        self.number.append(step.n)
        self.at.append(-1 if step.at is None else step.at)
        self.before.append(recorded(step))
        self.inferred.append(RECORDED in str(step.request.get(ASSUMED) or "").split(SEPARATOR))
        person = _developer(step)
        self.who.append(self._people.setdefault(person, len(self._people) + 1) if person else 0)

    @property
    def span(self) -> tuple[int | None, int | None]:
        """When the first and the last call were made."""
        known = [at for at in self.at if at >= 0]
        return (min(known), max(known)) if known else (None, None)


def read_history(work: Workspace, agent: str, filter: str = "", progress: Callable[[int], None] | None = None) -> AgentHistory:
    """Every call that tasks of an agent made, a filter's tasks alone where there is one; `progress` is told how many are read."""
    found = AgentHistory()
    for task, principal in _tasks(work, agent, filter):
        steps = claimed(work, task)
        if not steps:
            continue
        found.tasks.append((task, principal))
        for step, call in calls_of(work, steps):
            found.add(len(found.tasks) - 1, step, call)
            if progress is not None and len(found) % _TOLD_EVERY == 0:
                progress(len(found))
    return found


def claimed(work: Workspace, task: str) -> list[Step]:
    """The steps of a task that its agent tells as calls of its tools."""
    return [step for step in work.store.steps(task) if step.agent_claimed and is_call(step)]


def calls_of(work: Workspace, steps: Sequence[Step]) -> Iterator[tuple[Step, Call]]:
    """The steps of one task as calls, with what its other steps tell of all of them.

    The agent was started where it first was; a person who refused one call was there for the others; a sandbox that was
    named once holds until another is.
    """
    ids = [item.id for step in steps for item in step.actions if item.vantage is Vantage.AGENT]
    events = work.store.events(ids)
    told = [_attrs(step, events) for step in steps]
    start = next((cwd for step, attrs in zip(steps, told, strict=True) if (cwd := _cwd(step, attrs))), "")
    present = True if any(attrs.get("refused") == "user" or attrs.get("interactive") is True for attrs in told) else None
    sandbox = ""
    for step, attrs in zip(steps, told, strict=True):
        call = call_of(step, start=start, attrs=attrs)
        sandbox = call.sandbox or sandbox
        yield step, msgspec.structs.replace(call, sandbox=sandbox, interactive=present)


def steps_of(work: Workspace, history: AgentHistory) -> Callable[[int], Step]:
    """Reads the step of the call made n-th; tasks read last are kept."""

    @lru_cache(maxsize=8)
    def of(task: str) -> dict[int, Step]:
        return {step.n: step for step in work.store.steps(task)}

    return lambda n: of(history.tasks[history.task[n]][0])[history.number[n]]


def _attrs(step: Step, events: dict[str, Event]) -> dict[str, Attr]:
    """What the agent's own records state of a step, the first to state a thing being believed."""
    found: dict[str, Attr] = {}
    for item in step.actions:
        event = events.get(item.id)
        for name, value in event.attrs.items() if event is not None else ():
            if value not in ("", None) and name not in _NOT_READ:
                found.setdefault(name, value)
    return found


def _developer(step: Step) -> str:
    """Whom the agent works for, else the principal where that is a person; "" where neither is named."""
    own = step.request.get("principal.id") if step.request.get("principal.kind") == "human" else ""
    return str(step.request.get("principal.on_behalf_of") or own or "")


def _cwd(step: Step, attrs: dict[str, Attr]) -> str:
    return str(step.request.get("context.cwd") or attrs.get("cwd") or "")


def _tasks(work: Workspace, agent: str, filter: str) -> Iterator[tuple[str, str]]:
    chosen, after = task_filter(filter), None
    while page := work.store.task_rows(chosen, "risk", _TASKS, after):
        yield from ((row.id, row.principal) for row in page if row.agent == agent)
        after = page_key(page[-1], "risk")


def recorded(step: Step) -> Effect:
    """What became of a call: what policy answered, else allowed where it is known to have run. A transcript holds no approvals."""
    if step.outcome.answered is not Effect.UNKNOWN:
        return step.outcome.answered
    return Effect.ALLOW if step.outcome.tool is not Tri.UNKNOWN and step.outcome.permitted is not Effect.DENY else Effect.UNKNOWN
