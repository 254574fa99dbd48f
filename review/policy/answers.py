"""What a policy of any format answers to every request of the history that it is about, step by step.

Versions, tests from verdicts and exports all ask this; the dry-run has faster ways to its sums.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec
import numpy as np

from model.words import Effect
from policy import Checked, Replayer, format_of, formats
from policy.agents import adapter_of, adapters
from policy.agents.base import AgentPolicy, Answer, Call, RuleFile
from policy.change import CANNOT_JUDGE, NEWLY_ALLOWED, NEWLY_ASKED, NEWLY_DENIED, UNCHANGED, transition
from policy.decisions import DEFAULT, EngineFailed
from policy.model import ANSWERS, CODE
from review.errors import RemitError
from review.policy.agent_history import calls_of, claimed, recorded
from review.policy.agent_rules import sound
from review.policy.asked import ENGINES
from review.policy.policies import history, read_policy, today_micros
from review.policy.rule_files import rule_files
from review.show.filters import task_filter
from review.workspace import Workspace
from store.rows import page_key

_KINDS = {
    NEWLY_DENIED: "newly_denied", NEWLY_ASKED: "newly_asked", NEWLY_ALLOWED: "newly_allowed", UNCHANGED: "unchanged",
    CANNOT_JUDGE: "cannot_judge",
}  # fmt: skip


class Answered(msgspec.Struct, frozen=True):
    """One step and what the policy says of it; `rule` is "" for a default, `recorded` what was answered then."""

    step: str
    effect: Effect
    rule: str = ""
    missing: tuple[str, ...] = ()
    recorded: Effect = Effect.UNKNOWN


def known_formats() -> tuple[str, ...]:
    """Every format a policy can be written in here."""
    return tuple(sorted({*formats(), *adapters()}))


def read_files(format: str, names: Sequence[str]) -> list[RuleFile]:
    """The files of a policy: one, or those of an agent's layers (`FILE` or `LAYER=FILE`). Raises RemitError, UnreadableError."""
    if format in adapters():
        return rule_files(adapter_of(format), names)
    if format not in formats():
        raise RemitError(f"policy format {format!r} is not supported; supported: {', '.join(known_formats())}")
    if len(names) != 1:
        raise RemitError(f"a policy of format {format} is one file; several were given")
    return [RuleFile("", names[0], read_policy(names[0]))]


def digest_of(files: Sequence[RuleFile]) -> str:
    """SHA-256 of a policy's text, of several files with a zero byte between them."""
    return sha256("\0".join(file.text for file in files).encode("utf-8", "replace")).hexdigest()


def sound_policy(format: str, files: Sequence[RuleFile]) -> object:
    """The policy of files without errors; raises RemitError with the first error and its place."""
    if format in adapters():
        return sound(adapter_of(format), files)
    checked: Checked[object] = format_of(format).check(files[0].text, today_micros())
    if checked.policy is None:
        first = next((d for d in checked.diagnostics if d.severity == "error"), checked.diagnostics[0])
        raise RemitError(f"{files[0].name}:{first.line}:{first.column}: {first.message}")
    return checked.policy


class History:
    """The requests of a store, read when first asked for, so that several policies are asked over one reading."""

    def __init__(self, work: Workspace, replayer: Replayer | None = None) -> None:
        self._work = work
        self._replayer = replayer
        self._asked: dict[str, Replayer] = {}

    @property
    def replayer(self) -> Replayer:
        if self._replayer is None:
            self._replayer = Replayer(history(self._work))
        return self._replayer

    def replayer_of(self, format: str) -> Replayer:
        """The replayer for a format: one whose engine's log holds what it was asked has a history of its own."""
        if format not in ENGINES:
            return self.replayer
        if format not in self._asked:
            self._asked[format] = Replayer(history(self._work, format=format))
        return self._asked[format]

    def answers(self, format: str, policy: object, tasks: frozenset[str] | None = None) -> Iterator[tuple[str, list[Answered]]]:
        """By task, what the policy answers to each of its requests; `tasks` narrows which."""
        if format in adapters():
            yield from self._called(format, policy, tasks)  # type: ignore[arg-type]
        else:
            yield from self._replayed(policy, self.replayer_of(format), tasks)

    @staticmethod
    def _replayed(policy: object, replayer: Replayer, tasks: frozenset[str] | None) -> Iterator[tuple[str, list[Answered]]]:
        held = replayer.history
        try:
            said = replayer.decisions(policy)  # type: ignore[arg-type]
        except EngineFailed as error:
            raise RemitError(str(error)) from error
        for number in range(len(held.tasks)):
            task = held.tasks.value(number)
            if tasks is not None and task not in tasks:
                continue
            found = []
            for place in held.places(np.arange(int(held.task_starts[number]), int(held.task_starts[number + 1]))):
                shape = int(held.cell_shape[place.cell])
                decider = int(said.decider[shape])
                rule = said.rules[decider].id if decider != DEFAULT else ""
                effect, was = Effect(ANSWERS[int(said.effect[shape])]), Effect(ANSWERS[int(held.cell_recorded[place.cell])])
                found.append(Answered(place.step, effect, rule, (), was))
            yield task, found

    def _called(self, format: str, policy: AgentPolicy, tasks: frozenset[str] | None) -> Iterator[tuple[str, list[Answered]]]:
        chosen, after = task_filter(""), None
        while page := self._work.store.task_rows(chosen, "risk", 500, after):
            for row in page:
                if row.agent != format or (tasks is not None and row.id not in tasks):
                    continue
                found = []
                for step, call in calls_of(self._work, claimed(self._work, row.id)):
                    answer: Answer = policy.judge(call)
                    found.append(Answered(step.id, answer.effect, answer.rule, answer.missing, recorded(step)))
                yield row.id, found
            after = page_key(page[-1], "risk")

    def calls(self, agent: str) -> Iterator[tuple[str, Call, dict[str, object]]]:
        """Every call of an agent's: step, the call as its own rules read it, the request as ours do."""
        chosen, after = task_filter(""), None
        while page := self._work.store.task_rows(chosen, "risk", 500, after):
            for row in page:
                for step, call in calls_of(self._work, claimed(self._work, row.id)) if row.agent == agent else ():
                    yield step.id, call, dict(step.request)
            after = page_key(page[-1], "risk")

    def compared(self, format: str, before: object, after: object) -> dict[str, int]:
        """Requests by what becomes of them from one policy to the other, both of one format: the keys of a dry-run's summary."""
        counts: Counter[str] = Counter()
        for (_, old), (_, new) in zip(self.answers(format, before), self.answers(format, after), strict=True):
            for was, now in zip(old, new, strict=True):
                counts[_KINDS[transition(CODE[was.effect.value], CODE[now.effect.value], False)]] += 1
        return {name: counts[name] for name in _KINDS.values()}
