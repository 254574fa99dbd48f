"""AUD: whether the evidence itself can be relied on."""

from __future__ import annotations

from collections.abc import Iterator

from chains.context import Context
from chains.detections.examples import at, chain, context, example, step
from chains.detections.reading import seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import Item, Step, TaskChain
from model.event import Event, Key
from model.words import EventKind, KeyRole, Phase, Severity, Vantage

SKEW = "skew:"
"""How the anchor of a finding on a source's clock begins; it is told on every task that rests on that clock."""


def _item(id: str, phase: Phase, vantage: Vantage, moment: int) -> Item:
    return Item(id, f"rec-{id}", phase, vantage, "github" if vantage is Vantage.TARGET else "claude-code", moment)


def _seen(id: str, vantage: Vantage, seconds: float, request: str) -> Event:
    point = "github" if vantage is Vantage.TARGET else "gateway"
    kind = EventKind.EFFECT if vantage is Vantage.TARGET else EventKind.DECISION
    return Event(
        kind,
        Phase.OBSERVED,
        vantage,
        point,
        id=id,
        record=f"rec-{id}",
        at=at(seconds),
        keys=(Key(KeyRole.CALL, "request", request),),
    )


@detection(
    "AUD-02",
    "Clock skew or impossible order of events",
    Severity.MEDIUM,
    needs=("event time, receipt time, offset, sequence",),
    looks_for="an effect seen before the call that caused it or before the verdict that let its request through, a result before its call, two versions of one record, or a source whose clock "
    "stands off against exact pairs",
    limits="Differences below the tolerance are normal. Lines of a transcript that stand out of order are not skew: order comes from "
    "causality there.",
    parameters={
        "tolerance_seconds": (30, "difference that still counts as one moment"),
        "skew_seconds": (30, "offset of a source's clock above which it is told"),
    },
    examples=(
        example("the target saw it ten minutes before the call", True,
                chain(step("repo.write", at=at(700), effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(100)),)))),
        example("the target saw it two seconds before", False,
                chain(step("repo.write", at=at(102), effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(100)),)))),
        example("the target's clock is known to be ten minutes behind", True,
                chain(step("repo.write", at=at(700), effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(102)),))),
                context(skews={"github": -600_000_000})),
        example("done ten minutes before the gateway let the same request through", True,
                chain(step("repo.write", _item("d1", Phase.VERDICT, Vantage.ENFORCER, at(700)), at=at(100),
                           effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(100)),)),
                      events=(_seen("e1", Vantage.TARGET, 100, "r"), _seen("d1", Vantage.ENFORCER, 700, "r")))),
        example("a later verdict on another request", False,
                chain(step("repo.write", _item("d1", Phase.VERDICT, Vantage.ENFORCER, at(700)), at=at(100),
                           effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(100)),)),
                      events=(_seen("e1", Vantage.TARGET, 100, "q"), _seen("d1", Vantage.ENFORCER, 700, "r")))),
        example("one record id with two contents", True, chain(step("exec")), context(conflicts=("rec-1",))),
        example("in order", False, chain(step("exec", at=at(1), effects=(_item("e1", Phase.OBSERVED, Vantage.TARGET, at(2)),)))),
    ),
)  # fmt: skip
def impossible_order(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    tolerance = seconds(parameters["tolerance_seconds"], 30)
    for record in sorted(around.conflicts):
        yield Hit(
            anchor=record,
            evidence=(record,),
            at=task.task.started,
            why="one record id stands for different bytes: all versions are kept, the one with the smallest digest speaks",
        )
    bar = seconds(parameters["skew_seconds"], 30)
    for point in sorted({item.point for one in task.steps for item in (*one.effects, *one.decisions)} & set(around.skews)):
        skew = around.skews[point]
        if abs(skew) > bar:
            yield Hit(
                anchor=f"{SKEW}{point}",
                at=task.task.started,
                evidence=_of_point(task, point),
                why=f"the clock of {point} stands {abs(skew) / 1e6:.0f} s {'ahead of' if skew > 0 else 'behind'} the records it is tied to",
                facts={"point": point, "skew_seconds": round(skew / 1e6, 3)},
            )
    for one in task.steps:
        early, start = _before_its_cause(one, tolerance, around), _call_time(one)
        if early is None:
            early, start = _before_its_verdict(one, task, tolerance, around)
        if early is not None:
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=(early.record, *one.records),
                why=f"{early.point} reports at {when(early.at)} what was called for or let through only at {when(start)}: no clock or no order to rely on",
                facts={"point": early.point, "seconds": round(((start or 0) - (early.at or 0)) / 1e6, 3)},
            )


def _call_time(one: Step) -> int | None:
    calls = [i.at for i in one.actions if i.phase is Phase.CALL and i.at is not None]
    return min(calls) if calls else None


def _before_its_cause(one: Step, tolerance: int, around: Context) -> Item | None:
    call = _call_time(one)
    start = one.at if call is None else call
    if start is None:
        return None
    # The agent's clock tells when it called; a step that none of its calls heads begins by the clock of whoever saw it.
    items = [
        i
        for i in (*one.effects, *(i for i in one.actions if i.phase is Phase.RESULT))
        if call is not None or i.point not in around.skews
    ]
    early = [i for i in items if i.at is not None and i.at - around.skews.get(i.point, 0) < start - tolerance]
    return min(early, key=lambda i: (i.at or 0, i.id)) if early else None


def _before_its_verdict(one: Step, task: TaskChain, tolerance: int, around: Context) -> tuple[Item | None, int | None]:
    """An effect of a request that an enforcer was asked about only later, and when; both records name the request."""

    def requests(item: Item) -> set[str]:
        event = task.events.get(item.id)
        return {key.name for key in event.keys if key.role is KeyRole.CALL} if event is not None else set()

    def moment(item: Item) -> int | None:
        return None if item.at is None else item.at - around.skews.get(item.point, 0)

    for effect in sorted(one.effects, key=lambda i: (i.at or 0, i.id)):
        seen = moment(effect)
        asked = [
            at
            for item in one.decisions
            if item.vantage is Vantage.ENFORCER and item.point != effect.point and requests(item) & requests(effect)
            if (at := moment(item)) is not None
        ]
        if seen is not None and asked and seen < min(asked) - tolerance:
            return effect, min(asked)
    return None, None


def _of_point(task: TaskChain, point: str) -> list[str]:
    return [i.record for one in task.steps for i in (*one.effects, *one.decisions) if i.point == point][:5]


@detection(
    "AUD-04",
    "Record too poor to judge (mandatory fields missing)",
    Severity.MEDIUM,
    needs=("schema conformance of each record",),
    looks_for="a record of more than 4 MB, whose long texts were cut for reading: what they held was not looked at",
    limits="A record that lacks a field its format makes mandatory is rejected and stands in the reconciliation of its source, not here.",
    examples=(
        example("a record of many megabytes", True, chain(step("exec")), context(oversized=("rec-1",))),
        example("records of usual size", False, chain(step("exec"))),
    ),
)
def too_poor(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for record in around.oversized:
        where = next((one for one in task.steps if record in one.records), None)
        yield Hit(
            anchor=record,
            step=where.id if where else "",
            at=where.at if where else task.task.started,
            evidence=(record,),
            why="the record is larger than 4 MB: it is kept whole, but its long texts were cut for reading and not judged",
        )
