"""What publishing a draft would mean for framework controls: findings its rules would have stopped, doors they open.

Rules name controls, detections map to them by the crosswalk. None of it says that a control is met.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence

import msgspec

from chains.detections import registry
from model.chain import Finding
from policy.change import Change
from policy.details import Details, Fate
from policy.dryrun import RuleResult
from reports.catalogue import frameworks
from review.show.detection_pages import controls
from review.workspace import Workspace

Name = tuple[str, str]

NOTE = "What the draft would have changed in findings on record; it does not say that a control is met."


class ControlEffect(msgspec.Struct):
    """One control. `findings` is what is on record for it; of their own steps, `denied` and `asked` are those the draft newly
    stops or puts to a person, `allowed` those it newly lets through. `falls` hang on a step it newly denies.

    `newly_allowed` are requests that a rule for this control lets through now, or stopped before.
    """

    framework: str
    id: str
    title: str
    rules: list[str]
    findings: int = 0
    denied: int = 0
    asked: int = 0
    allowed: int = 0
    falls: int = 0
    newly_allowed: int = 0


class Effects(msgspec.Struct):
    """`controls` are those a rule names or the draft has an effect on; `silent` have findings and no rule that names them.

    `unknown` are names in rules that no catalogue has.
    """

    controls: list[ControlEffect]
    silent: list[ControlEffect]
    unknown: list[str]
    note: str = NOTE


class Findings:
    """The findings of a store by control; read once."""

    def __init__(self, work: Workspace) -> None:
        known = registry() | {one.id: one for one in work.own.detections}
        of_detection: dict[str, list[Name]] = {
            id: [(str(c["framework"]), str(c["id"])) for c in controls(one)] for id, one in known.items()
        }
        self.found = [one for one in work.store.findings() if not one.blind_spot]
        self.controls: dict[str, list[Name]] = {one.id: of_detection.get(one.detection, []) for one in self.found}
        self.titles: dict[Name, str] = {(f.id, item.id): item.title for f in frameworks() for item in f.by_id.values()}
        self.steps: dict[str, list[str]] = defaultdict(list)
        for one in self.found:
            if one.step and one.task:
                self.steps[one.task].append(one.step)

    def by_control(self) -> dict[Name, list[Finding]]:
        out: dict[Name, list[Finding]] = defaultdict(list)
        for one in self.found:
            for name in self.controls[one.id]:
                out[name].append(one)
        return out


def control_effects(
    details: Details,
    change: Change,
    findings: Findings,
    rules: Sequence[RuleResult],
    before: Mapping[str, Sequence[str]],
    falls: Callable[[str], frozenset[str]],
) -> Effects:
    """The effect on every control.

    `before` are the controls each rule of the baseline policy names, `falls` the steps of a task that hang on a denied one.
    """
    named: dict[Name, list[str]] = defaultdict(list)
    unknown: set[str] = set()
    for rule in rules:
        for text in rule.controls:
            name = _name(text)
            if name in findings.titles:
                named[name].append(rule.id)
            else:
                unknown.add(text)
    allowed = _allowed(details, change, rules, before)
    fates = details.fates(change, findings.steps)
    of_control = findings.by_control()
    effects = []
    for name in sorted(named.keys() | of_control.keys() | allowed.keys()):
        one = ControlEffect(*name, findings.titles.get(name, ""), named.get(name, []), newly_allowed=allowed[name])
        for finding in of_control.get(name, ()):
            _count(one, finding, fates.get(finding.step), falls)
        effects.append(one)
    effects.sort(key=lambda one: (not one.rules, -one.newly_allowed, -one.denied, -one.asked, one.framework, one.id))
    spoken = [one for one in effects if one.rules or one.denied or one.asked or one.allowed or one.falls or one.newly_allowed]
    silent = [one for one in effects if not one.rules and one.findings]
    return Effects(spoken, sorted(silent, key=lambda one: (-one.findings, one.framework, one.id)), sorted(unknown))


def _count(one: ControlEffect, finding: Finding, fate: Fate | None, falls: Callable[[str], frozenset[str]]) -> None:
    one.findings += 1
    if fate is None:
        return
    one.denied += fate.kind == "newly_denied"
    one.asked += fate.kind == "newly_asked"
    one.allowed += fate.kind == "newly_allowed"
    one.falls += fate.answer != "deny" and finding.step in falls(finding.task)


def _allowed(details: Details, change: Change, rules: Sequence[RuleResult], before: Mapping[str, Sequence[str]]) -> Counter[Name]:
    """Newly allowed requests by control of the rule that decides now, or that decided before."""
    now = {rule.id: rule.controls for rule in rules}
    found: Counter[Name] = Counter()
    for (was, decides), count in details.allowed_by_rules(change).items():
        for text in {*now.get(decides or "", ()), *before.get(was or "", ())}:
            found[_name(text)] += count
    return found


def _name(text: str) -> Name:
    framework, _, id = text.partition(":")
    return framework, id
