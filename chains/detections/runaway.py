"""BND: loops, rates and budgets."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chains.context import Context
from chains.detections.examples import at, chain, example, step
from chains.detections.reading import count, refused, said, seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import Step, TaskChain
from model.words import Clock, Severity


@detection(
    "BND-08",
    "Rate, loop or cost runaway",
    Severity.MEDIUM,
    needs=("event counts, tokens or cost per task and time",),
    looks_for="the same command or address called over and over within minutes, more steps a minute than a person could follow, or more "
    "tokens or money than the budget",
    limits="Calls are the same where their command or address is, word for word; calls that state neither are not compared. Waiting on purpose "
    "(a loop inside one command) is one call. Budgets are judged where one is set and the log states tokens or cost; what a log states may leave "
    "messages out that called no tool.",
    parameters={
        "repeats": (20, "equal calls within the window that make a loop"),
        "window_seconds": (600, "the window of a loop"),
        "steps_per_minute": (120, "steps of one task in a minute that make a runaway"),
        "max_tokens": (None, "tokens one task may use; not judged without"),
        "max_cost_usd": (None, "US dollars one task may cost; not judged without"),
    },
    examples=(
        example("the same failing command thirty times", True, chain(*(step("exec", command="make test", tool="no", at=at(n * 5)) for n in range(30)))),
        example("the same command over a day", False, chain(*(step("exec", command="git status", at=at(n * 1200)) for n in range(30)))),
        example("many different commands", False, chain(*(step("exec", command=f"cat src/{n}.py", at=at(n * 5)) for n in range(30)))),
        example("three hundred steps in a minute", True, chain(*(step("file.read", name=f"{n}.py", at=at(n * 0.2)) for n in range(300)))),
        example("all records bear one time", False, chain(*(step("file.read", name=f"{n}.py", at=at(1)) for n in range(300)))),
    ),
)  # fmt: skip
def runaway(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    yield from _loops(task, count(parameters["repeats"], 20), seconds(parameters["window_seconds"], 600))
    yield from _rate(task, count(parameters["steps_per_minute"], 120))
    for name, attr, unit in (("max_tokens", "tokens", "tokens"), ("max_cost_usd", "cost_usd", "US dollars")):
        budget = parameters[name]
        if isinstance(budget, int | float) and not isinstance(budget, bool):
            yield from _spent(task, attr, float(budget), unit)


def _loops(task: TaskChain, most: int, window: int) -> Iterator[Hit]:
    """Each call that was made `most` times within the window, once. Of a step its time and place are held: a task may have very many."""
    recent: dict[tuple[str, str], deque[tuple[int, int]]] = {}
    told: set[tuple[str, str]] = set()
    totals: dict[tuple[str, str], int] = {}
    hits: list[tuple[tuple[str, str], int, int]] = []
    for place, one in enumerate(task.steps):
        words = str(one.request.get("action.command") or "") or _address(task, one) or (one.title if one.operations else "")
        if not words or one.at is None or not one.agent_claimed:
            continue
        call = (one.tool, " ".join(words.split()))
        totals[call] = totals.get(call, 0) + 1
        last = recent.setdefault(call, deque(maxlen=max(most, 2)))
        last.append((one.at, place))
        if call not in told and len(last) == most and one.at - last[0][0] <= window:
            told.add(call)
            hits.append((call, last[0][1], place))
    for call, begun, ended in hits:
        first, last_ = task.steps[begun], task.steps[ended]
        yield Hit(
            anchor=f"loop:{first.call or first.id}",
            step=last_.id,
            at=first.at,
            evidence=(*first.records, *last_.records),
            why=f"`{said(first)}` was called {totals[call]} times, {most} of them between {when(first.at)} and {when(last_.at)}",
            facts={"calls": totals[call]},
        )


def _address(task: TaskChain, one: Step) -> str:
    return next((str(url) for i in one.actions if i.id in task.events and (url := task.events[i.id].attrs.get("url"))), "")


def _rate(task: TaskChain, most: int) -> Iterator[Hit]:
    """The first minute with more steps than a task may take; times that only stand for an order say nothing."""
    minute: deque[tuple[int, int]] = deque()
    timed = (
        (one.at, place)
        for place, one in enumerate(task.steps)
        if one.at is not None
        and one.agent_claimed
        and not refused(one)
        and not any(i.clock is Clock.ORDER_ONLY for i in one.actions)
    )
    for moment, place in sorted(timed):
        minute.append((moment, place))
        while moment - minute[0][0] >= 60_000_000:
            minute.popleft()
        if len(minute) > most and len({at for at, _ in minute}) * 2 > len(minute):
            first, one = task.steps[minute[0][1]], task.steps[place]
            yield Hit(
                anchor="rate",
                step=first.id,
                at=first.at,
                evidence=(*first.records, *one.records),
                why=f"more than {most} steps within a minute, from {when(first.at)} on",
                facts={"steps_per_minute": most},
            )
            return


def _spent(task: TaskChain, attr: str, budget: float, unit: str) -> Iterator[Hit | Unjudged]:
    stated = [(e.at or 0, e.id, e.record, v) for e in task.events.values() if isinstance(v := e.attrs.get(attr), int | float)]
    if not stated:
        yield Unjudged(f"{unit} the task used")
        return
    total = 0.0
    for moment, _, record, value in sorted(stated):
        total += float(value)
        if total > budget:
            spent = sum(float(v) for *_, v in stated)
            yield Hit(
                anchor=f"budget:{attr}",
                at=moment or task.task.started,
                evidence=(record,),
                why=f"the task used {spent:g} {unit}, its budget is {budget:g}; it was passed at {when(moment or None)}",
                facts={attr: round(spent, 6)},
            )
            return
