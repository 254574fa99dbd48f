"""A dry-run in full: the first figures, and what is told a moment later, each computed from the store as it stands.

The second half is computed apart from the first and may run on another thread, so that figures at each key never wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import PurePath
from typing import Any

import msgspec

import policy as engine
from model.review import PolicyVersion
from policy import AnyPolicy, History, Replayer
from policy.change import Change
from policy.decisions import Decisions
from policy.details import Details
from policy.dryrun import Figures, RuleResult
from review.consequences import Consequences, Tally
from review.control_effects import Findings, control_effects
from review.documents import Doc
from review.selfcheck import SelfCheck, self_check
from review.workspace import Workspace

SLICE = 200
"""Tasks with a denied step that are followed down the chain between two words of how far it is."""

Told = Callable[[Doc], None]


class Current(msgspec.Struct, frozen=True):
    """The current policy: the version of a name that stands for what is in force now, checked."""

    version: PolicyVersion
    policy: engine.Policy


class Run(msgspec.Struct, frozen=True):
    """What the first figures rest on; nothing in it changes afterwards."""

    policy: AnyPolicy
    after: Decisions
    before: Decisions | None
    before_policy: AnyPolicy | None
    current: Decisions | None
    current_version: PolicyVersion | None
    rules: tuple[RuleResult, ...]


def current(work: Workspace, *names: str) -> Current | None:
    """The saved version that counts as the current policy, of the first of these names that is saved: the one in force, else the last.

    Where none is, the one policy that the organisation file says is in force. None where there is no sound one.
    """
    declared = {one.saved for one in work.organisation.policies if one.saved}
    for name in (*(stem(name) for name in names), *(declared if len(declared) == 1 else ())):
        kept = list(work.store.policies(name)) if name else []
        if kept:
            put = next(reversed(work.store.promotions(name)), None)
            version = next((one for one in kept if put is not None and one.version == put.version), kept[-1])
            checked = engine.check(version.text)
            return Current(version, checked.policy) if checked.policy is not None else None
    return None


def stem(name: str) -> str:
    """A policy's name without the folder and the ending of its file."""
    return PurePath(name).name.removesuffix(".yaml").removesuffix(".yml")


def first_figures(
    work: Workspace,
    replayer: Replayer,
    draft: AnyPolicy,
    baseline: AnyPolicy | None,
    against: str,
    limit: int,
    held: Current | None,
) -> tuple[Doc, Run]:
    """The figures against one baseline, rules and flips; and what telling the rest needs to know."""
    words = {v.task: v.verdict.value for v in work.store.verdicts() if v.kind == "task"}
    found = replayer.run(draft, baseline, baseline_name=against, verdicts=words, flips_limit=limit)
    run = Run(
        policy=draft,
        after=replayer.decisions(draft),
        before=None if baseline is None else replayer.decisions(baseline),
        before_policy=baseline,
        current=None if held is None else replayer.decisions(held.policy),
        current_version=None if held is None else held.version,
        rules=tuple(found.rules),
    )
    return found.as_json(), run


class Telling:
    """Tells the rest of a dry-run over one history. What no draft changes is read once: the self-check, findings, webs."""

    def __init__(self, work: Workspace, history: History) -> None:
        self.work = work
        self.details = Details(history)
        self.consequences = Consequences(work)
        self._checked: SelfCheck | None = None

    @cached_property
    def _findings(self) -> Findings:
        return Findings(self.work)

    def checked(self, wanted: Callable[[], None] | None = None) -> SelfCheck:
        """The self-check of this history's recorded decisions."""
        if self._checked is None:
            self._checked = self_check(self.work, wanted)
        return self._checked

    def change(self, run: Run) -> Change:
        return Change(self.details.history, run.before, run.after)

    def tell(self, run: Run, told: Told, wanted: Callable[[], None] = lambda: None) -> None:
        """Tell everything in parts, the cheap ones first; `wanted` is called between them and may raise to give up."""
        change = self.change(run)
        for part in (self.baselines, self.ledger, self.rules, self.self_check, self.controls):
            wanted()
            told(part(run, change, wanted))
        for totals in self._down(change, wanted):
            told(totals)

    def baselines(self, run: Run, change: Change, wanted: Callable[[], None]) -> Doc:
        """The draft against the recorded decisions and against the current policy, side by side; and its friction."""
        found: list[Figures] = [self.details.figures(run.after, None, "recorded")]
        if run.current is not None and run.current_version is not None:
            one = self.details.figures(run.after, run.current, run.current_version.name)
            one.version = run.current_version.version
            found.append(one)
        return {"baselines": _plain(found), "friction": _plain(self.details.friction(change))}

    def ledger(self, run: Run, change: Change, wanted: Callable[[], None]) -> Doc:
        return {"ledger": _plain(self.details.ledger(run.policy, run.after))}

    def rules(self, run: Run, change: Change, wanted: Callable[[], None]) -> Doc:
        """Each rule with the narrower ones it voids and covers."""
        wider = self.details.wider(run.after)
        rules: list[Doc] = _plain(run.rules)
        for rule in rules:
            rule["voids"], rule["covers"] = wider.get(rule["id"], ([], []))
        return {"rules": rules}

    def self_check(self, run: Run, change: Change, wanted: Callable[[], None]) -> Doc:
        checked = self.checked(wanted)
        return {"self_check": {**_plain(checked), "sentence": checked.sentence}}

    def controls(self, run: Run, change: Change, wanted: Callable[[], None]) -> Doc:
        """The effect on each framework control."""
        before = {rule.id: rule.controls for rule in getattr(run.before_policy, "rules", ()) if hasattr(rule, "controls")}

        def falls(task: str) -> frozenset[str]:
            denied = self.details.denied_in(change, task)
            return frozenset(one.step for one in self.consequences.of(task, denied).steps) if denied else frozenset()

        return {"controls": _plain(control_effects(self.details, change, self._findings, run.rules, before, falls))}

    def _down(self, change: Change, wanted: Callable[[], None]) -> Iterator[Doc]:
        """What falls with all newly denied requests, a slice of the tasks at a time."""
        tasks = self.details.denied_tasks(change)
        tally = Tally(self.consequences, len(tasks), lambda task: self.details.denied_in(change, task))
        for begin in range(0, len(tasks), SLICE):
            wanted()
            for task in tasks[begin : begin + SLICE]:
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
