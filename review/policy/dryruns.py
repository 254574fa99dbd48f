"""A dry-run in full: the first figures, and what is told a moment later, each computed from the store as it stands.

The second half is computed apart from the first and may run on another thread, so that figures at each key never wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from pathlib import PurePath
from typing import Any

import msgspec

from model.review import PolicyVersion
from policy import AnyPolicy, History, Replayer, format_of
from policy.change import Change
from policy.decisions import Decisions, EngineFailed, Progress
from policy.details import Details
from policy.dryrun import Figures, RuleResult
from policy.model import FORMAT
from policy.replay import flips_of
from review.documents import Doc
from review.errors import RemitError
from review.policy.control_effects import Findings, control_effects
from review.policy.selfcheck import SelfCheck, self_check
from review.show.consequences import Consequences, Tally
from review.workspace import Workspace

ENDINGS = frozenset({".yaml", ".yml", ".json", ".jsonc", ".toml", ".rules", ".cedar", ".rego", ".sh"})
"""Endings of files that policies are written in: they are no part of a policy's name."""
SLICE = 200
"""Tasks with a denied step that are followed down the chain between two words of how far it is."""

_MINUTE = 60 * 10**9

Told = Callable[[Doc], None]


class Current(msgspec.Struct, frozen=True):
    """The current policy: the version of a name that stands for what is in force now, checked."""

    version: PolicyVersion
    policy: AnyPolicy


class Run(msgspec.Struct, frozen=True):
    """What the first figures rest on; nothing in it changes afterwards."""

    history: History
    policy: AnyPolicy
    after: Decisions
    before: Decisions | None
    before_policy: AnyPolicy | None
    current: Decisions | None
    current_version: PolicyVersion | None
    rules: tuple[RuleResult, ...]


def current(work: Workspace, *names: str, format: str = FORMAT) -> Current | None:
    """The version that counts as the current policy: of the first of these names that is saved, the one in force, else the last.

    Where none is saved, the one policy that the organisation file says is in force, else the one last put in force, else
    the only one there is. None where there is no sound one. Only policies of the draft's own language count.
    """
    declared = {one.saved for one in work.organisation.policies if one.saved}
    in_force = {one.name: one.version for one in work.store.promotions() if not one.point}
    saved = [one for one in work.store.policies() if one.format == format]
    known = {one.name for one in saved}
    further = (*(declared if len(declared) == 1 else ()), *list(in_force)[-1:], *(known if len(known) == 1 else ()))
    for name in (*(stem(name) for name in names), *further):
        kept = [one for one in saved if one.name == name]
        if kept:
            version = next((one for one in kept if one.version == in_force.get(name)), kept[-1])
            found = _sound(format, version.text, time.time_ns() // _MINUTE)
            return Current(version, found) if found is not None else None
    return None


@lru_cache(8)
def _sound(format: str, text: str, minute: int) -> AnyPolicy | None:
    """The policy of a text, its rules expired as of this minute; None where it has errors. It is asked for at every key."""
    found: AnyPolicy | None = format_of(format).check(text, minute * _MINUTE // 1000).policy
    return found


def stem(name: str) -> str:
    """A policy's name without the folder and the ending of its file."""
    file = PurePath(name)
    return file.stem if file.suffix.lower() in ENDINGS else file.name


def first_figures(
    work: Workspace,
    replayer: Replayer,
    draft: AnyPolicy,
    baseline: AnyPolicy | None,
    against: str,
    limit: int,
    held: Current | None,
    progress: Progress | None = None,
) -> tuple[Doc, Run]:
    """The figures against one baseline, rules and flips; and what telling the rest needs to know. Raises `Cancelled`."""
    words = _verdicts(work)
    found = replayer.run(draft, baseline, baseline_name=against, verdicts=words, flips_limit=limit, progress=progress)
    for flip in found.flips:
        flip.verdict = words.get(flip.task, "")
    run = Run(
        history=replayer.history,
        policy=draft,
        after=replayer.decisions(draft),
        before=None if baseline is None else replayer.decisions(baseline),
        before_policy=baseline,
        current=None if held is None else replayer.decisions(held.policy, progress),
        current_version=None if held is None else held.version,
        rules=tuple(found.rules),
    )
    return found.as_json(), run


def _verdicts(work: Workspace) -> dict[str, str]:
    return {v.task: v.verdict.value for v in work.store.verdicts() if v.kind == "task"}


class Figuring:
    """The parts of a dry-run that need nothing but its history."""

    def __init__(self, details: Details) -> None:
        self.details = details

    def all(self, run: Run) -> Doc:
        """Every part."""
        change = Change(self.details.history, run.before, run.after)
        return {**self.baselines(run, change), **self.rules(run, change), **self.ledger(run, change)}

    def baselines(self, run: Run, change: Change) -> Doc:
        """The draft against the recorded decisions and against the current policy, side by side; and its friction."""
        found: list[Figures] = [self.details.figures(run.after, None, "recorded")]
        if run.current is not None and run.current_version is not None:
            one = self.details.figures(run.after, run.current, run.current_version.name)
            one.version = run.current_version.version
            found.append(one)
        return {"baselines": _plain(found), "friction": _plain(self.details.friction(change))}

    def ledger(self, run: Run, change: Change) -> Doc:
        try:
            return {"ledger": _plain(self.details.ledger(run.policy, run.after))}
        except EngineFailed as error:
            raise RemitError(str(error)) from error

    def rules(self, run: Run, change: Change) -> Doc:
        """Each rule with the narrower ones it voids and covers."""
        wider = self.details.wider(run.after)
        rules: list[Doc] = _plain(run.rules)
        for rule in rules:
            rule["voids"], rule["covers"] = wider.get(rule["id"], ([], []))
        return {"rules": rules}


class Telling(Figuring):
    """Tells the rest of a dry-run over one history. What no draft changes is read once: the self-check, findings, webs."""

    def __init__(self, work: Workspace, history: History) -> None:
        super().__init__(Details(history))
        self.work = work
        self.consequences = Consequences(work)
        self._checked: SelfCheck | None = None

    @cached_property
    def _findings(self) -> Findings:
        return Findings(self.work)

    def self_check(self, wanted: Callable[[], None] | None = None) -> Doc:
        """The self-check of the recorded decisions, which no draft changes."""
        if self._checked is None:
            self._checked = self_check(self.work, wanted)
        return {"self_check": {**_plain(self._checked), "sentence": self._checked.sentence}}

    def change(self, run: Run) -> Change:
        return Change(self.details.history, run.before, run.after)

    def tell(self, run: Run, told: Told, wanted: Callable[[], None] = lambda: None) -> None:
        """Tell everything but the self-check in parts, the cheap ones first.

        `wanted` is called between them and may raise to give up.
        """
        change = self.change(run)
        for part in (self.baselines, self.rules, self.ledger, self.controls):
            wanted()
            told(part(run, change))
        for totals in self._down(change, wanted):
            told(totals)

    def flips(self, run: Run, limit: int) -> Doc:
        """So many flips, where the first figures listed but a few."""
        words = _verdicts(self.work)
        found = flips_of(self.change(run), run.policy, limit)
        for flip in found:
            flip.verdict = words.get(flip.task, "")
        return {"flips": _plain(found)}

    def controls(self, run: Run, change: Change) -> Doc:
        """The effect on each framework control."""
        before = {rule.id: rule.controls for rule in getattr(run.before_policy, "rules", ()) if hasattr(rule, "controls")}

        def falls(task: str) -> frozenset[str]:
            denied = self.details.denied_in(change, task)
            return frozenset(one.step for one in self.consequences.of(task, denied).steps) if denied else frozenset()

        return {"controls": _plain(control_effects(self.details, change, self._findings, run.rules, before, falls))}

    def _down(self, change: Change, wanted: Callable[[], None]) -> Iterator[Doc]:
        """What falls with all newly denied requests, a slice of the tasks at a time."""
        tasks = self.details.denied_tasks(change)
        details = self.details
        tally = Tally(
            self.consequences,
            len(tasks),
            lambda task: details.denied_in(change, task),
            lambda task: details.stopped_in(change, task),
        )
        for begin in range(0, len(tasks), SLICE):
            for task in tasks[begin : begin + SLICE]:
                wanted()
                tally.add(task)
            yield {"downstream_total": _plain(tally.totals)}
        if not tasks:
            yield {"downstream_total": _plain(tally.totals)}

    def follow(self, flip: Doc) -> None:
        """Add to a flip that is denied what hangs on it: ids under `downstream`, reasons under `consequences`."""
        if flip["to"] == "deny" and not flip["consequences"]:
            found = self.consequences.of_step(flip["task"], flip["step"])
            flip["consequences"] = _plain(found)
            flip["downstream"] = sorted({one.step for one in found})


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
