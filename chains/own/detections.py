"""Definitions as detections: the same metadata, settings, findings and ids as built-in ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from chains.context import Context
from chains.detections.registry import Detection, Function, Hit, Unjudged
from chains.facts import glob
from chains.own.definition import Definition, Parameter
from chains.own.document import attributes_of
from chains.own.matching import Match, Matcher, Watched
from chains.own.rows import Row, rows_of
from chains.own.telling import names_of, span, why
from lang.cel.requests import well_typed
from lang.cel.typed import Value
from model.chain import TaskChain
from model.event import Attr
from model.words import Vantage


def as_detections(definitions: Iterable[Definition]) -> tuple[Detection, ...]:
    """Definitions ready to run, by id; those that look at the same rows of a task share them."""
    ordered = sorted(definitions, key=lambda d: d.id)
    names: dict[str, frozenset[str]] = {}
    for one in ordered:
        names[one.over] = names.get(one.over, frozenset()) | attributes_of(one) | names_of(one.why)
    return tuple(_detection(one, names[one.over]) for one in ordered)


def _detection(one: Definition, names: frozenset[str]) -> Detection:
    return Detection(
        id=one.id,
        title=one.title,
        severity=one.severity,
        needs=tuple(sorted(n for n in attributes_of(one) if not n.startswith("param."))),
        looks_for=one.looks_for or one.title,
        limits=one.limits or "None stated.",
        version=one.version,
        parameters={p.field.name.removeprefix("param."): (_plain(p.default), p.help) for p in one.parameters},
        function=_function(one, names),
        own=True,
        digest=one.digest,
        controls=one.controls,
    )


def _plain(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def _function(one: Definition, names: frozenset[str]) -> Function:
    matcher = Matcher(one)
    read = sorted(n for n in attributes_of(one) if not n.startswith("param."))

    def run(chain: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
        values = parameter_values(one.parameters, parameters)
        rows = _rows(one, chain, around, names)
        watched = _watched(one, chain, around)
        certain: list[Match] = []
        blind: list[Match] = []
        for found in matcher.matches(rows, values, watched):
            if not isinstance(found, Match):
                yield Unjudged(", ".join(sorted(found.missing)) or "a value that can be computed")
            elif found.blind:
                blind.append(found)
            elif one.once:
                certain.append(found)
            else:
                yield _hit(one, found, values, read)
        if certain:
            hit = _hit(one, certain[0], values, read)
            hit.anchor, hit.why = "task", why(one, certain[0].rows, values, len(certain))
            hit.evidence = tuple(dict.fromkeys(r for match in certain for row in match.rows for r in row.records))
            yield hit
        if blind:
            hit = _hit(one, blind[0], values, read)
            assert one.without is not None
            side = "before" if one.without.before else "after"
            hit.anchor, hit.step, hit.blind_spot = "scope", "", True
            hit.why = (
                f"{len(blind)} of {len(rows)} {one.over}: whether {one.without.when} held within {span(one.without.within)} {side} "
                f"cannot be told, for nobody who would have seen it was watching throughout; the first is `{blind[0].rows[-1].title}`"
            )
            yield hit

    return run


def parameter_values(declared: Iterable[Parameter], given: Mapping[str, object]) -> dict[str, Value]:
    """Parameters as conditions read them; one that is set to a value of another type is missing, so that it is told."""
    found: dict[str, Value] = {}
    for one in declared:
        name = one.field.name.removeprefix("param.")
        value = well_typed(one.field, given.get(name, one.default))
        if value is not None:
            found[one.field.name] = value
    return found


def _rows(one: Definition, chain: TaskChain, around: Context, names: frozenset[str]) -> list[Row]:
    key = ("own rows", one.over, one.refused, names)
    if key not in around.memo:
        events = one.over == "events"
        around.memo[key] = list(rows_of(chain, names, events=events, refused=one.refused, skews=around.skews))
    return cast("list[Row]", around.memo[key])


def _hit(one: Definition, match: Match, parameters: Mapping[str, Value], read: Iterable[str]) -> Hit:
    last = match.rows[-1]
    facts: dict[str, Attr] = {}
    for name in read:
        value = last.values.get(name)
        if value is not None:
            facts[name] = [str(v) for v in value] if isinstance(value, tuple) else value
    return Hit(
        anchor=last.anchor,
        step=last.step,
        at=last.told_at,
        evidence=tuple(dict.fromkeys(record for row in match.rows for record in row.records)),
        why=why(one, match.rows, parameters),
        facts=facts,
    )


def _watched(one: Definition, chain: TaskChain, around: Context) -> Watched:
    """Whether whoever would have seen what is absent was watching from one moment to another, all of them throughout.

    Where the definition names no points it is the agent's own records that would have shown it.
    """
    if one.without is None:
        return lambda start, end: True
    if one.without.seen_by:
        globs = [glob(pattern) for pattern in one.without.seen_by]
        points = {c.point for c in around.coverages if any(g.match(c.point.casefold()) for g in globs)}
    else:
        points = {item.point for step in chain.steps for item in step.actions if item.vantage is Vantage.AGENT}
    task = chain.task
    names = {task.principal, task.on_behalf_of, task.scope} - {""}
    rows = [c for c in around.coverages if c.point in points and (c.scope == "*" or {c.scope, c.scope.partition(":")[2]} & names)]

    def watched(start: int, end: int) -> bool:
        if not points:
            return False
        seen = {
            c.point
            for c in rows
            if c.start <= start and end <= c.end and not any(g.start < end and start < g.end for g in c.gaps)
        }
        return seen == points

    return watched
