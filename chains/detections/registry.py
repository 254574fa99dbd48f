"""What a detection is, and the registry that finds them: one module per family, metadata beside the function."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache

import msgspec

from chains.context import Context
from chains.exclusions import Exclusions
from chains.shelf import by_id
from model.chain import Finding, TaskChain
from model.event import Attr, digest, short_id
from model.words import Severity


class Hit(msgspec.Struct, kw_only=True):
    """One thing a detection saw. `anchor` (call key, credential or scope) with the detection and task makes the finding's id.

    `blind_spot` marks an absence outside coverage: told, never counted as a finding.
    """

    anchor: str
    why: str
    step: str = ""
    at: int | None = None
    evidence: Iterable[str] = ()
    blind_spot: bool = False
    severity: Severity | None = None
    facts: dict[str, Attr] = msgspec.field(default_factory=dict)


class Unjudged(msgspec.Struct, frozen=True):
    """A detection that could not judge for want of a fact: told with the fact's name, never fired."""

    fact: str


Function = Callable[[TaskChain, Context, dict[str, object]], Iterator[Hit | Unjudged]]


class Example(msgspec.Struct, frozen=True):
    """A chain that must (`matches`) or must not be seen, with the context it needs; each is a test."""

    title: str
    matches: bool
    chain: Callable[[], tuple[TaskChain, Context]]


class Detection(msgspec.Struct, frozen=True):
    """A detection's metadata, parameters (name -> default, meaning), known limits, function and examples.

    `own` marks one of the organisation's own: `digest` is that of its definition, `controls` are what it speaks to as
    (framework, id). What a built-in one speaks to stands in the crosswalk.
    """

    id: str
    title: str
    severity: Severity
    needs: tuple[str, ...]
    looks_for: str
    limits: str
    version: int
    parameters: dict[str, tuple[object, str]]
    function: Function
    examples: tuple[Example, ...] = ()
    own: bool = False
    digest: str = ""
    controls: tuple[tuple[str, str], ...] = ()

    @property
    def family(self) -> str:
        return self.id.partition("-")[0]


_FOUND: dict[str, Detection] = {}


def detection(
    id: str,
    title: str,
    severity: Severity,
    *,
    needs: tuple[str, ...],
    looks_for: str,
    limits: str,
    version: int = 1,
    parameters: dict[str, tuple[object, str]] | None = None,
    examples: tuple[Example, ...] = (),
) -> Callable[[Function], Function]:
    """Register a function as a detection."""

    def register(function: Function) -> Function:
        _FOUND[id] = Detection(id, title, severity, needs, looks_for, limits, version, parameters or {}, function, examples)
        return function

    return register


@cache
def registry() -> dict[str, Detection]:
    """All detections by id; every module of this package is read."""
    package = importlib.import_module("chains.detections")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"chains.detections.{module.name}")
    return dict(sorted(_FOUND.items()))


class Judged(msgspec.Struct):
    """What the detections made of one task.

    `findings` in a stable order; `unjudged` detection -> missing fact; `hidden` detection -> why -> how many findings the
    organisation file has them not report.
    """

    findings: list[Finding]
    unjudged: dict[str, str]
    hidden: dict[str, dict[str, int]]


def run(chain: TaskChain, context: Context) -> tuple[list[Finding], dict[str, str]]:
    """Every built-in detection over one task: findings in a stable order, and what could not be judged."""
    found = judge(chain, context)
    return found.findings, found.unjudged


def judge(chain: TaskChain, context: Context, own: Iterable[Detection] = (), exclusions: Exclusions | None = None) -> Judged:
    """Every detection over one task, the organisation's own after the built-in ones, less what is excluded."""
    found: dict[str, Finding] = {}
    unjudged: dict[str, str] = {}
    hidden: dict[str, dict[str, int]] = {}
    for one in (*registry().values(), *own):
        made: dict[str, Finding] = {}
        for told in _told(one, chain, context):
            if isinstance(told, Unjudged):
                unjudged.setdefault(one.id, told.fact)
            else:
                made.setdefault(told.id, told)
        why = _excluded(one.id, made, chain, exclusions) if exclusions is not None and one.id in exclusions else {}
        why |= _beyond(made, context.parameters(one.id).get("at_most"))
        if why:
            hidden[one.id] = dict(sorted(why.items()))
        found |= made
    _date(found.values(), chain)
    ordered = sorted(found.values(), key=lambda f: (_RANK[f.severity], f.detection, f.at or 0, f.id))
    return Judged(ordered, unjudged, hidden)


def _excluded(detection: str, made: dict[str, Finding], chain: TaskChain, exclusions: Exclusions) -> dict[str, int]:
    """Takes away what is not to be reported, and says how much for which reason."""
    why: dict[str, int] = {}
    steps = by_id(chain.steps) if made else {}
    for finding in list(made.values()):
        if reason := exclusions.reason(detection, chain.task, steps.get(finding.step)):
            del made[finding.id]
            why[reason] = why.get(reason, 0) + 1
    return why


def _beyond(made: dict[str, Finding], at_most: object) -> dict[str, int]:
    """Takes away what a task has beyond so many findings of one detection, the most severe and the first being kept."""
    if not isinstance(at_most, int) or at_most < 1:
        return {}
    real = sorted((f for f in made.values() if not f.blind_spot), key=lambda f: (_RANK[f.severity], f.at or 0, f.id))
    for finding in real[at_most:]:
        del made[finding.id]
    return {f"more than {at_most} in one task": len(real) - at_most} if len(real) > at_most else {}


def run_one(id: str, chain: TaskChain, context: Context) -> list[Finding]:
    """The findings of one detection over one task: of those that read what is known only when findings are read."""
    found = [told for told in _told(registry()[id], chain, context) if isinstance(told, Finding)]
    _date(found, chain)
    return found


def severity_of(id: str, context: Context) -> Severity | None:
    """How severe what a detection finds is where the finding says nothing else, as the organisation has set it; None where it is turned off."""
    settings = context.parameters(id)
    return None if settings.get("enabled") is False else _set(settings.get("severity")) or registry()[id].severity


def _told(one: Detection, chain: TaskChain, context: Context) -> Iterator[Finding | Unjudged]:
    settings = context.parameters(one.id)
    if settings.get("enabled") is False:
        return
    parameters = {name: settings.get(name, default) for name, (default, _) in one.parameters.items()}
    for hit in one.function(chain, context, parameters):
        yield hit if isinstance(hit, Unjudged) else _finding(one, hit, chain, settings.get("severity"))


_SEVERITIES = tuple(severity.value for severity in Severity)
_RANK = {Severity.CRITICAL: 0, Severity.HIGH: 1, Severity.MEDIUM: 2, Severity.LOW: 3}


def _date(findings: Collection[Finding], chain: TaskChain) -> None:
    """Say of each finding when the last of its evidence was written, by the last event of each record."""
    logged: dict[str, int | None] = {record: None for one in findings for record in one.evidence}
    for event in chain.events.values() if logged else ():
        if event.record in logged and event.at is not None:
            before = logged[event.record]
            logged[event.record] = event.at if before is None else max(event.at, before)
    for one in findings:
        one.evident = max((at for record in one.evidence if (at := logged[record]) is not None), default=None)


def _set(severity: object) -> Severity | None:
    return Severity(str(severity)) if severity in _SEVERITIES else None


def _finding(one: Detection, hit: Hit, chain: TaskChain, severity: object) -> Finding:
    evidence = tuple(dict.fromkeys(e for e in hit.evidence if e))
    chosen = _set(severity) or hit.severity or one.severity
    return Finding(
        id=short_id("blind" if hit.blind_spot else "find", one.id, chain.task.id, hit.anchor),
        detection=one.id,
        title=one.title,
        severity=chosen,
        task=chain.task.id,
        anchor=hit.anchor,
        step=hit.step,
        at=hit.at,
        evidence=evidence,
        evidence_digest=digest(*sorted(evidence)),
        why=hit.why,
        blind_spot=hit.blind_spot,
        facts=hit.facts,
    )
