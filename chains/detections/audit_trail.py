"""AUD: whether the record is whole, and whether it is what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chains.context import Context
from chains.detections.examples import at, chain, context, example, opa_coverage, org, spoken, step
from chains.detections.reading import answers, operations, ran, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.facts import glob
from model.chain import Coverage, Gap, Step, TaskChain
from model.event import Event
from model.org import PointFact
from model.words import KeyRole, Severity, Vantage, Verb

_OPA = org(points=(PointFact("opa:*", "enforcer"),))
_BEATING = org(points=(PointFact("opa:*", "enforcer", heartbeat=5),))
_NEVER = Coverage("opa:*", Vantage.ENFORCER, "*", at(0), at(1000), 0, (Gap(at(0), at(1000)),))


@detection(
    "AUD-01",
    "Audit gap: missing window or sequence gap",
    Severity.HIGH,
    needs=("sequence numbers", "heartbeats", "source coverage window"),
    looks_for="an enforcement point the organisation expects that fell silent while the task ran, and records missing from a log that numbers "
    "its own",
    limits="Without a stated heartbeat the silence of a decider counts only where the task did what it decides on and nobody else gave a verdict; "
    "of any other point it is unknown whether silence is a gap. A point of which nothing at all was imported is not judged: its log was not given. "
    "Numbers are compared where the format counts its records.",
    examples=(
        example("the policy engine falls silent while commands run", True,
                chain(step("exec", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(40, 1000)), facts=_OPA)),
        example("silence in which nothing it decides on happened", False,
                chain(step("file.read", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(40, 1000)), facts=_OPA)),
        example("no heartbeat for a minute", True,
                chain(step("file.read", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(20, 80)), facts=_BEATING)),
        example("nobody expects the point", False,
                chain(step("exec", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(40, 1000)))),
        example("a gap after the task", False,
                chain(step("exec", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(200, 800)), facts=_BEATING)),
        example("its log was never imported", False, chain(step("exec", tool="yes", at=at(50))), context(_NEVER, facts=_OPA)),
        example("numbers are missing", True, chain(step("exec"), events=(spoken(missing_before=3),))),
        example("every number is there", False, chain(step("exec"), events=(spoken(),))),
    ),
)  # fmt: skip
def silent(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    yield from _numbers(task)
    start, end = task.task.started, task.task.ended
    if start is None or end is None:
        return
    names = _names(task)
    for fact in around.facts.expected_points():
        pattern = glob(fact.id)
        rows = [c for c in around.coverages if pattern.match(c.point.casefold())]
        if not any(c.records for c in rows):
            yield Unjudged(f"any record of {fact.id}")
            continue
        for row in rows:
            gaps = [g for g in row.gaps if g.start < end and g.end > start]
            if not gaps or not row.records or not _concerns(row, fact.scope, names):
                continue
            if fact.heartbeat is not None and row.scope == "*":
                yield _gap(task, row, gaps[0], (), f"it is to be heard every {fact.heartbeat} s")
            elif row.decides:
                unheard = [(g, one) for g in gaps for one in task.steps if _unheard(one, row, g)]
                if unheard:
                    gap, first = unheard[0]
                    ran_on = len({one.id for _, one in unheard})
                    said = f"{ran_on} steps of this task that it decides on ran in that time, and no verdict on them is there"
                    yield _gap(task, row, gap, first.records, said)
            elif row.scope == "*" and fact.heartbeat is None and not _decider(rows, row.point):
                yield Unjudged(f"heartbeat of {row.point}")


def _gap(task: TaskChain, row: Coverage, gap: Gap, records: Iterable[str], why: str) -> Hit:
    until = f"from {when(gap.start)} to {when(gap.end)}" if gap.end < row.end else f"from {when(gap.start)} on"
    return Hit(
        anchor=f"gap:{row.point}",
        at=max(gap.start, task.task.started or gap.start),
        evidence=tuple(records),
        why=f"{row.point} is expected and was silent {until}, while this task ran; {why}",
        facts={"point": row.point},
    )


def _decider(rows: Iterable[Coverage], point: str) -> bool:
    return any(c.point == point and c.decides for c in rows)


def _unheard(one: Step, row: Coverage, gap: Gap) -> bool:
    """Whether a step ran in the gap that this decider would have decided on, and nothing of it is there."""
    if one.at is None or not gap.start < one.at < gap.end or not ran(one) or not one.agent_claimed:
        return False
    if any(item.vantage is Vantage.ENFORCER for item in answers(one)):
        return False
    return not row.verbs or bool(({o.verb for o in operations(one)} | {one.verb}) & set(row.verbs) - {Verb.UNKNOWN})


def _names(task: TaskChain) -> set[str]:
    head = task.task
    names = {head.principal, head.on_behalf_of, head.scope}
    names |= {str(one.request.get("principal.id") or "") for one in task.steps}
    for event in task.events.values():
        names.add(str(event.attrs.get("host") or ""))
        names |= {k.name for k in event.keys if k.role is KeyRole.SCOPE}
    return names - {""}


def _concerns(row: Coverage, scope: str, names: set[str]) -> bool:
    """Whether the point watches this task: by the scope the organisation states, and by whom the point's own log names."""
    pattern = glob(scope)
    stated = scope in ("", "*") or any(pattern.match(name.casefold()) for name in names)
    return stated and (row.scope == "*" or row.scope in names or row.scope.partition(":")[2] in names)


def _numbers(task: TaskChain) -> Iterator[Hit]:
    """Holes a log's own numbering shows, as its reader found them, one finding for each point."""
    holes: dict[str, list[Event]] = {}
    counted = (e for e in task.events.values() if e.attrs.get("missing_before"))
    for event in sorted(counted, key=lambda e: (e.at or 0, e.order, e.id)):
        missing = event.attrs.get("missing_before")
        if isinstance(missing, int) and not isinstance(missing, bool) and missing > 0:
            holes.setdefault(event.point, []).append(event)
    for point, found in holes.items():
        records = {e.record: int(str(e.attrs["missing_before"])) for e in found}
        yield Hit(
            anchor=f"sequence:{point}",
            at=found[0].at,
            evidence=tuple(records)[:20],
            why=f"{sum(records.values())} records are missing from the log of {point} by its own numbers, first before {when(found[0].at)}",
            facts={"point": point, "missing": sum(records.values())},
        )


@detection(
    "AUD-03",
    "Log tampering: hash chain or signature break",
    Severity.CRITICAL,
    needs=("record hashes", "chain", "signature", "checkpoint"),
    looks_for="a record that does not fit into the hash chain its own log keeps, or whose signature does not hold",
    limits="Checked where the format chains its records (nono, agentsh, AgentMesh) or hashes them (Assay's mandates; whose key signed is not checked). Of a chain keyed with a secret (agentsh) only the links are "
    "checked, not the contents. A log that was exported in part breaks its chain too: nothing tells leaving out from taking out. A log that "
    "ends early breaks nothing. A report judges it where at least one record could be held against its chain.",
    examples=(
        example("a record was changed", True, chain(step("exec"), events=(spoken(chain_broken="the record's hash does not match its contents"),))),
        example("the chain holds", False, chain(step("exec"), events=(spoken(),))),
    ),
)  # fmt: skip
def tampered(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    broken: dict[str, list[Event]] = {}
    unfit = (e for e in task.events.values() if e.attrs.get("chain_broken"))
    for event in sorted(unfit, key=lambda e: (e.at or 0, e.order, e.id)):
        broken.setdefault(event.point, []).append(event)
    for point, found in broken.items():
        records = list(dict.fromkeys(e.record for e in found))
        more = f"; {len(records) - 1} further records do not fit either" if len(records) > 1 else ""
        yield Hit(
            anchor=f"chain:{point}",
            at=found[0].at,
            evidence=records[:20],
            why=f"the log of {point} is not what was written: at {when(found[0].at)}, {found[0].attrs['chain_broken']}{more}",
            facts={"point": point, "records": len(records)},
        )
