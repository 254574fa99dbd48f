"""Per control one of five words, with what stands behind it. Pure functions; silence never makes a word better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from fnmatch import fnmatchcase

import msgspec

from lang.times import parse_time
from model.chain import Coverage
from model.org import Org, PointFact
from model.words import ResultWord, Vantage
from reports.catalogue import Framework, Item
from reports.crosswalk import Crosswalk
from reports.hits import Found
from reports.input import Delivered, Detection, PackInput
from reports.standing import Desk
from reports.vocabulary import Vocabulary

THREAT_WORDS = {
    ResultWord.EXCEPTIONS: "observed",
    ResultWord.NONE_FOUND: "not observed",
    ResultWord.INSUFFICIENT: "not covered",
    ResultWord.NOT_ASSESSABLE: "not covered",
    ResultWord.NOT_IN_SCOPE: "not in scope",
}
LAYER_WORDS = {**THREAT_WORDS, ResultWord.EXCEPTIONS: "touched", ResultWord.NONE_FOUND: "not touched"}


class Ability(msgspec.Struct, frozen=True):
    """What one detection can say here: whether it ran, what it lacks, how many units it looked at and could not judge.

    `points` are the enforcement points whose events it rests on; `blind` is True where in every task with units something
    could not be judged.
    """

    detection: str
    run: bool
    missing: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    population: str = "steps"
    units: int = 0
    cannot_judge: int = 0
    excluded: int = 0
    points: tuple[str, ...] = ()
    blind: bool = False
    optional: bool = False

    @property
    def judged(self) -> int:
        return 0 if self.blind else self.units

    @property
    def speaks(self) -> bool:
        """True where no finding means no exception in the covered population."""
        return self.run and not self.missing and not self.incomplete and self.judged > 0

    def lack(self) -> str:
        """Why its silence says nothing, "" where it does."""
        if self.missing:
            return f"{self.detection} lacks {', '.join(self.missing)}"
        if self.incomplete:
            return f"{self.detection} rests on {', '.join(self.incomplete)}, expected and not seen"
        if self.units == 0:
            return f"{self.detection} had nothing to look at"
        if self.judged == 0:
            return f"{self.detection} could judge none of {self.units}"
        return ""


class Control(msgspec.Struct, kw_only=True):
    """The result of one control or threat. `word` is what is printed, `result` the vocabulary word behind it."""

    id: str
    title: str
    kind: str
    parent: str
    level: str
    result: ResultWord
    word: str
    reason: str
    open: int
    accepted: int
    dismissed: int
    blind_spots: int
    cannot_judge: int
    population: dict[str, int]
    ran: tuple[str, ...]
    not_run: tuple[str, ...]
    lacking: tuple[str, ...]
    shows: str
    does_not_show: str
    findings: tuple[str, ...]
    points: tuple[str, ...]
    overridden: tuple[str, ...]


def observed(given: PackInput) -> tuple[Coverage, ...]:
    """The coverage that holds records and reaches into the period.

    What was seen outside the period says nothing of it, and the row of a point that is merely expected holds no record.
    """
    return tuple(c for c in given.coverage if c.records and _reaches(c, given.start, given.end))


def _reaches(seen: Coverage, start: int | None, end: int | None) -> bool:
    first = seen.start if start is None else max(start, seen.start)
    last = seen.end if end is None else min(end, seen.end)
    return first <= last and not any(gap.start <= first and last <= gap.end for gap in seen.gaps)


def delivered_within(given: PackInput) -> tuple[Delivered, ...]:
    """What was delivered by enforcement points that were seen in the period, or of which no period is known."""
    outside = {c.point for c in given.coverage if c.records} - {c.point for c in observed(given)}
    return tuple(row for row in given.delivered if row.point not in outside)


def unseen_points(given: PackInput) -> tuple[PointFact, ...]:
    """Enforcement points the organisation expects in the period and of which nothing was imported."""
    return missing_points(given.org, {c.point for c in observed(given)}, given.end)


def missing_points(org: Org | None, points: set[str], end: int | None) -> tuple[PointFact, ...]:
    """Enforcement points the organisation says exist in the period and of which nothing was imported."""
    if org is None:
        return ()
    absent = []
    for fact in org.enforcement_points:
        since = parse_time(fact.since)[0] if fact.since else None
        begun = since is None or end is None or since <= end
        if begun and not any(fnmatchcase(point, fact.id) for point in points):
            absent.append(fact)
    return tuple(sorted(absent, key=lambda f: (f.id, f.vantage, f.scope)))


def org_facts(org: Org | None) -> frozenset[str]:
    """Names of the facts the organisation file states, as the evidence vocabulary spells them."""
    if org is None:
        return frozenset()
    stated = {
        "org.environments": any(r.environment for r in org.resources),
        "org.policies": bool(org.policies),
        "org.change_windows": bool(org.change_windows),
        "org.ticket_pattern": bool(org.ticket_pattern),
        "org.approved_registries": org.approved_registries is not None,
        "org.approved_mcp_servers": org.approved_mcp_servers is not None,
        "org.approved_hosts": org.approved_hosts is not None,
    }
    return frozenset(name for name, known in stated.items() if known)


def facts_of(given: PackInput) -> frozenset[str]:
    """Facts that follow from what was handed over; fewer sources never give more of them."""
    seen = observed(given)
    derived = {
        "coverage": bool(seen),
        "decider_coverage": any(c.decides for c in seen),
        "lifetimes": any(c.ttl_seconds is not None or c.expires is not None for c in given.credentials),
        "task_ends": any(t.ended is not None for t in given.tasks),
        "reviews": bool(given.verdicts),
    }
    return org_facts(given.org) | {name for name, known in derived.items() if known}


def populations(given: PackInput, counts: Mapping[str, int]) -> dict[str, int]:
    """Sizes of the populations detections look over."""
    return {
        "steps": counts.get("steps", 0),
        "covered_steps": counts.get("covered_steps", 0),
        "decided_steps": counts.get("decided_steps", 0),
        "tasks": counts.get("tasks", 0),
        "credentials": len(given.credentials),
        "records": sum(s.accepted for s in given.sources),
        "findings": sum(not f.finding.blind_spot for f in given.findings),
    }


def abilities(
    given: PackInput,
    counts: Mapping[str, int],
    crosswalk: Crosswalk,
    words: Vocabulary,
    reached: Mapping[str, Set[str]] | None = None,
) -> dict[str, Ability]:
    """What every detection of the crosswalk, and every one that ran, can say about this state.

    `reached` holds by population the tasks that have a unit of it, as the tally counts them.
    """
    rows = delivered_within(given)
    met = words.met(rows, facts_of(given))
    points = {name: words.terms[name].points(rows) for name in words.terms}
    absent = unseen_points(given)
    sizes = populations(given, counts)
    ran = {d.id: d for d in given.detections}
    result: dict[str, Ability] = {}
    for name in sorted({*crosswalk.detections, *ran}):
        need = words.need_of(name)
        missing = tuple(words.terms[t].title for t in need.needs if t not in met)
        rests_on = {v for t in need.needs for v in words.terms[t].vantages}
        incomplete = tuple(p.id for p in absent if not p.vantage or p.vantage in {Vantage(v).value for v in rests_on})
        result[name] = Ability(
            detection=name,
            run=name in ran,
            missing=missing,
            incomplete=incomplete,
            population=need.population,
            units=sizes[need.population],
            cannot_judge=ran[name].cannot_judge if name in ran else 0,
            excluded=sum(ran[name].excluded.values()) if name in ran else 0,
            points=tuple(sorted({point for t in need.needs for point in points[t]})),
            blind=name in ran and _blind(ran[name], sizes[need.population], (reached or {}).get(need.population)),
            optional=need.optional,
        )
    return result


def _blind(ran: Detection, units: int, reached: Set[str] | None) -> bool:
    """Whether a detection could judge nothing: by its tasks where they are named, else by counting units."""
    if ran.unjudged and reached is not None:
        return bool(reached) and reached <= ran.unjudged
    return ran.cannot_judge >= units > 0


def left_off(given: PackInput, words: Vocabulary, framework: Framework) -> str:
    """Why a framework may not appear at all, "" where it may."""
    rule = words.needs_classification.get(framework.id)
    if rule is None or any(c.framework == framework.id and c.by for c in given.classifications):
        return ""
    return f"left off until it is stated {rule.ask}"


class Assessor:
    """Assesses frameworks one after another over the same state."""

    def __init__(
        self,
        given: PackInput,
        counts: Mapping[str, int],
        crosswalk: Crosswalk,
        words: Vocabulary,
        reached: Mapping[str, Set[str]] | None = None,
        found: Found | None = None,
    ) -> None:
        self._given = given
        self._crosswalk = crosswalk
        self._words = words
        self._found = found or Found(given, Desk(given.verdicts, given.exceptions, given.as_of))
        self.desk, self.hits = self._found.desk, self._found.hits
        self.abilities = abilities(given, counts, crosswalk, words, reached)

    def left_off(self, framework: Framework) -> str:
        return left_off(self._given, self._words, framework)

    def is_threat_list(self, framework: Framework) -> bool:
        return framework.reading == "threats" or framework.id in self._words.threat_lists

    def assess(self, framework: Framework) -> list[Control]:
        """Every assessable item of a framework with its result, in the catalogue's order."""
        return [self._control(framework, item) for item in framework.assessable]

    def _control(self, framework: Framework, item: Item) -> Control:
        names = speaking(self._crosswalk, framework, item)
        hits = [self.hits[n] for n in names if n in self.hits]
        able = [self.abilities[n] for n in names if n in self.abilities]
        standing = sum(h.open + h.accepted for h in hits)
        result, reason = self._result(framework, item, able, standing)
        threats = self.is_threat_list(framework)
        vocabulary = LAYER_WORDS if item.kind == "layer" else THREAT_WORDS
        run = [n for n in names if self.abilities[n].run]
        shows, does_not_show, level = sentences(self._crosswalk, framework, item, names, run)
        ran = [a for a in able if a.run]
        return Control(
            id=item.id,
            title=item.title,
            kind=item.kind,
            parent=item.parent or "",
            level=level,
            result=result,
            word=vocabulary[result] if threats else result.value,
            reason=reason,
            open=sum(h.open for h in hits),
            accepted=sum(h.accepted for h in hits),
            dismissed=sum(h.dismissed for h in hits),
            blind_spots=sum(h.blind_spots for h in hits),
            cannot_judge=sum(a.cannot_judge for a in ran),
            population={a.population: a.units for a in sorted(ran, key=lambda a: a.population)},
            ran=tuple(a.detection for a in ran),
            not_run=tuple(a.detection for a in able if not a.run),
            lacking=tuple(a.lack() for a in ran if not a.speaks),
            shows=shows,
            does_not_show=does_not_show,
            findings=self._found.listed(names),
            points=tuple(sorted({point for a in ran for point in a.points})),
            overridden=self._crosswalk.overridden.get(framework.id, {}).get(item.id, ()),
        )

    def _result(self, framework: Framework, item: Item, able: list[Ability], standing: int) -> tuple[ResultWord, str]:
        outside = self._out_of_scope(framework, item)
        if outside:
            return ResultWord.NOT_IN_SCOPE, outside
        reason = self._crosswalk.not_assessable.get(framework.id, {}).get(item.id)
        if reason:
            return ResultWord.NOT_ASSESSABLE, reason
        if not able:
            return ResultWord.NOT_ASSESSABLE, "no detection of the crosswalk speaks to it"
        if standing:
            return ResultWord.EXCEPTIONS, ""
        ran = [a for a in able if a.run]
        if not ran:
            return ResultWord.INSUFFICIENT, "no implemented detection speaks to it"
        asked = [a for a in ran if not a.optional or a.incomplete] or ran
        lacking = [a.lack() for a in asked if not a.speaks]
        if lacking:
            return ResultWord.INSUFFICIENT, "; ".join(lacking)
        left = [f"{a.excluded} findings of {a.detection}" for a in ran if a.excluded]
        return ResultWord.NONE_FOUND, f"not reported, by the organisation's exclusions: {', '.join(left)}" if left else ""

    def _out_of_scope(self, framework: Framework, item: Item) -> str:
        stated = self._given.out_of_scope.get(framework.id, {}).get(item.id)
        if stated:
            return stated
        if item.kind in self._words.listed_only:
            return self._words.listed_only[item.kind]
        rule = self._words.needs_classification.get(framework.id)
        if rule is None:
            return ""
        roles = {c.role for c in self._given.classifications if c.framework == framework.id}
        bound = {role for role, ids in rule.roles.items() if item.id in ids}
        if not bound or "both" in roles or bound & roles:
            return ""
        return f"binds the {' and the '.join(sorted(bound))}; stated role: {', '.join(sorted(roles))}"


def speaking(crosswalk: Crosswalk, framework: Framework, item: Item) -> tuple[str, ...]:
    """Detections that speak to an item; for a layer also those that speak to a threat within it."""
    names = set(crosswalk.detections_of(framework.id, item.id))
    if item.kind == "layer":
        for child in framework.items:
            if child.parent == item.id:
                names.update(crosswalk.detections_of(framework.id, child.id))
    return tuple(sorted(names))


def sentences(
    crosswalk: Crosswalk, framework: Framework, item: Item, names: Sequence[str], run: Sequence[str]
) -> tuple[str, str, str]:
    """What the evidence shows and does not show of an item, and the level; empty where none of `names` speaks to it.

    `run` are those that ran. Without sentences of its own an item is told of by the patterns they look for.
    """
    own = crosswalk.evidence.get(framework.id, {}).get(item.id)
    if own is None and not names:
        return "", "", ""
    known = crosswalk.detections
    titles = [known[n].title or n if n in known else n for n in run]
    shows = f"whether these patterns occur in the covered population: {'; '.join(titles)}"
    if not titles:
        shows = "nothing so far: no detection that ran speaks to it"
    beyond = f"{item.title} in forms that leave none of these patterns, and whether an adversary was behind one"
    if own is None:
        return shows, beyond, "indicator"
    unsaid = "nothing further is claimed" if own.does_not_show == "-" else own.does_not_show
    return own.shows or shows, unsaid or beyond, own.level
