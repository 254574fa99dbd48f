"""What an agent's own rules would have done to every call it made: the document of `policy dry-run`, and what only they have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256

import msgspec

from lang.times import iso
from model.chain import Step
from model.words import Effect, VerdictWord
from policy.agents.asks import commonest_asks, lacking
from policy.agents.base import Adapter, AgentPolicy, Answer, Call, RuleFile, Slip
from policy.agents.calls import named
from policy.change import NAMES, transition
from policy.decisions import Cancelled, Progress
from policy.diagnostics import Diagnostic
from policy.dryrun import KINDS, SUMMARY, DryRun, Flip, HistoryInfo, PolicyInfo, RuleResult, Summary, Verdicts
from policy.model import ALLOW, ASK, DENY, UNKNOWN
from review.documents import Doc
from review.policy.agent_answers import answer_document, problem_document, stated_trust
from review.policy.agent_history import AgentHistory, steps_of
from review.policy.agent_ledger import friction, ledger, with_idle
from review.show.consequences import Consequences
from review.workspace import Workspace

_CODES = {Effect.ALLOW: ALLOW, Effect.ASK: ASK, Effect.DENY: DENY, Effect.UNKNOWN: UNKNOWN}
_HARM = (VerdictWord.OUTSIDE.value, VerdictWord.ESCALATE.value)
_CALLS_SHOWN = 100
_SLICE = 100
"""Calls judged between two looks at whether the answers are still wanted."""


class Judged:
    """A policy's answers to the distinct calls of a history, each asked for once.

    `progress` is told how many are, and stops it by answering False: then `Cancelled` is raised.
    """

    def __init__(
        self,
        adapter: Adapter,
        files: Sequence[RuleFile],
        policy: AgentPolicy,
        history: AgentHistory,
        progress: Progress | None = None,
    ) -> None:
        self.adapter, self.files, self.policy = adapter, files, policy
        self._history, self._trusted = history, stated_trust(files)
        self.answers = [policy.judge(call) for call in self._asked(progress)]

    def _asked(self, progress: Progress | None) -> Iterator[Call]:
        """The calls, in a project trusted as the layers of the files say where the call itself does not."""
        for number, call in enumerate(self._history.calls):
            if progress is not None and number % _SLICE == 0 and progress(number, len(self._history.calls)) is False:
                raise Cancelled
            unsaid = self._trusted is not None and call.trusted is None
            yield msgspec.structs.replace(call, trusted=self._trusted) if unsaid else call

    @cached_property
    def stood_in(self) -> list[int]:
        """The numbers of the calls whose answer rests on the trust that the layers of the files stand in for."""
        if self._trusted is None:
            return []
        unsaid = ((at, call) for at, call in enumerate(self._history.calls) if call.trusted is None)
        known = ((at, call) for at, call in unsaid if self.answers[at].effect is not Effect.UNKNOWN)
        return [at for at, call in known if self.policy.judge(call).effect is not self.answers[at].effect]

    def slips(self, progress: Progress | None = None) -> list[Sequence[Slip]]:
        """For each call, the rules that did not do on it what they say."""
        calls = self._asked(progress)
        return [self.policy.slips(call, answer) for call, answer in zip(calls, self.answers, strict=True)]

    @property
    def info(self) -> PolicyInfo:
        text = "\0".join(f"{file.layer}\0{file.text}" for file in self.files)
        names = ", ".join(file.name for file in self.files)
        return PolicyInfo(self.adapter.id, sha256(text.encode("utf-8", "replace")).hexdigest(), len(self.policy.written()), names)


def run_document(
    work: Workspace,
    history: AgentHistory,
    judged: Judged,
    baseline: Judged | None,
    against: str,
    limit: int,
    progress: Progress | None = None,
) -> Doc:
    """The dry-run of a policy against what was recorded, or against another policy's answers; `limit` cuts the list of flips.

    Beside the fields of `DryRun` it has `lints`, every problem of the files with the historical calls that slipped
    through it, and `asks`, the commands that most often caused a question for want of a rule.
    """
    run = _Run(work, history, judged, baseline)
    return run.result(against, limit).as_json() | {"lints": run.lints(limit, progress), "asks": run.asks()}


class _Run:
    """Counts by distinct call; only flips and slips are looked at one by one."""

    def __init__(self, work: Workspace, history: AgentHistory, judged: Judged, baseline: Judged | None) -> None:
        self._work, self._history, self._judged, self._baseline = work, history, judged, baseline
        self._consequences = Consequences(work)
        self._step = steps_of(work, history)
        after = [_CODES[answer.effect] for answer in judged.answers]
        before = None if baseline is None else [_CODES[answer.effect] for answer in baseline.answers]
        seen = [_CODES[effect] for effect in history.before] if before is None else [before[at] for at in history.call]
        table = [[transition(b, a, before is None) for a in range(4)] for b in range(4)]
        self._kinds = bytearray(table[b][after[at]] for b, at in zip(seen, history.call, strict=True))
        self._seen, self._after = seen, after

    def _tasks(self) -> dict[int, Counter[int]]:
        found: dict[int, Counter[int]] = {}
        for task, kind in zip(self._history.task, self._kinds, strict=True):
            found.setdefault(task, Counter())[kind] += 1
        return found

    def _summary(self, groups: dict[str, set[int]]) -> Summary:
        counts = Counter(kind for kinds in groups.values() for kind in kinds if kind)
        counts[0] = sum(1 for kinds in groups.values() if not kinds - {0})
        return Summary(**{NAMES[kind]: count for kind, count in counts.items()})

    def result(self, against: str, limit: int) -> DryRun:
        history, tasks = self._history, self._tasks()
        counts = Counter(NAMES[kind] for kind in self._kinds)
        by_task = {history.tasks[task][0]: set(kinds) for task, kinds in tasks.items()}
        by_principal: dict[str, set[int]] = {}
        for task, kinds in tasks.items():
            if principal := history.tasks[task][1]:
                by_principal.setdefault(principal, set()).update(kinds)
        first, last = history.span
        return DryRun(
            policy=self._judged.info,
            history=HistoryInfo(len(history), len(history.calls), len(history.tasks), iso(first), iso(last)),
            baseline=against,
            summary=Summary(**{name: counts[name] for name in SUMMARY}),
            by_tasks=self._summary(by_task),
            by_principals=self._summary(by_principal),
            verdicts=self._verdicts(tasks),
            rules=with_idle(self._rules(), self._judged.policy, self._judged.answers),
            flips=self._flips(limit),
            flips_total=sum(counts[kind] for kind in KINDS),
            missing_attributes=self._missing(),
            friction=friction(history, self._seen, self._after),
            ledger=ledger(history, self._judged.adapter.id, self._judged.answers, self._judged.stood_in),
        )

    def _missing(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        unjudged = Counter(
            at for at, kind in zip(self._history.call, self._kinds, strict=True) if kind == NAMES.index("cannot_judge")
        )
        for at, count in unjudged.items():
            answer = self._judged.answers[at]
            if answer.effect is not Effect.UNKNOWN and self._baseline is not None:
                answer = self._baseline.answers[at]
            for name in answer.missing or (answer.reason or "a fact the record lacks",):
                found[named(name)] += count
        return dict(found.most_common())

    def _verdicts(self, tasks: dict[int, Counter[int]]) -> Verdicts:
        words = {one.task: one.verdict.value for one in self._work.store.verdicts() if one.kind == "task"}
        found = Verdicts()
        if not words:
            return found
        stopped = {
            task
            for task, at in zip(self._history.task, self._history.call, strict=True)
            if self._judged.answers[at].effect in (Effect.DENY, Effect.ASK)
        }
        for task, kinds in tasks.items():
            word = words.get(self._history.tasks[task][0], "")
            denied, asked = kinds[NAMES.index("newly_denied")], kinds[NAMES.index("newly_asked")]
            if word in _HARM:
                found.harm_judged += 1
                found.harm_stopped += denied > 0
                found.harm_missed += task not in stopped
            elif word == VerdictWord.WITHIN.value:
                found.work_judged += 1
                found.work_broken += denied > 0
                found.friction_added += asked
        return found

    def _rules(self) -> list[RuleResult]:
        found: dict[str, RuleResult] = {}
        calls = Counter(self._history.call)
        flips = Counter(at for at, kind in zip(self._history.call, self._kinds, strict=True) if NAMES[kind] in KINDS)
        for at, answer in enumerate(self._judged.answers):
            for name in _rules(answer):
                held = found.setdefault(name, RuleResult(name, answer.effect.value, 0, 0, 0, []))
                held.hits += calls[at]
            if name := _decider(answer):
                held = found[name]
                held.effect = answer.effect.value if answer.effect is not Effect.UNKNOWN else held.effect
                held.decides += calls[at]
                held.flips += flips[at]
        return [found[name] for name in sorted(found)]

    def _flips(self, limit: int) -> list[Flip]:
        order = {kind: at for at, kind in enumerate(KINDS)}
        flipped = [n for n, kind in enumerate(self._kinds) if NAMES[kind] in KINDS]
        flipped.sort(key=lambda n: (order[NAMES[self._kinds[n]]], self._history.at[n], n))
        return [self._flip(n) for n in flipped[:limit]]

    def _flip(self, n: int) -> Flip:
        history = self._history
        step, task = self._step(n), history.tasks[history.task[n]][0]
        answer, kind = self._judged.answers[history.call[n]], NAMES[self._kinds[n]]
        told = answer_document(answer)
        request = msgspec.to_builtins(history.calls[history.call[n]])
        request |= {"operations": told["operations"], "lacking": lacking(answer), "reason": answer.reason}
        before = next(effect.value for effect, code in _CODES.items() if code == self._seen[n])
        falls = self._consequences.of_step(task, step.id) if kind == "newly_denied" else []
        later = sorted({one.step for one in falls})
        rule = answer.rule or None
        return Flip(task, step.id, before, answer.effect.value, rule, request, later, kind, iso(step.at), consequences=falls)

    def lints(self, limit: int, progress: Progress | None = None) -> list[Doc]:
        """Every problem of the files, with the first calls that slipped through it and how many did."""
        return lint_documents(self._judged, self._history, self._step, min(limit, _CALLS_SHOWN), progress)

    def asks(self) -> list[Doc]:
        tasks: dict[int, set[int]] = {}
        calls: Counter[int] = Counter()
        for task, at in zip(self._history.task, self._history.call, strict=True):
            if lacking(self._judged.answers[at]):
                tasks.setdefault(at, set()).add(task)
                calls[at] += 1
        judged = self._judged
        asked = ((self._history.calls[at], judged.answers[at], calls[at], tasks[at]) for at in sorted(calls))
        shape: list[Doc] = msgspec.to_builtins(commonest_asks(asked, judged.adapter, judged.files))
        return shape


def lint_documents(
    judged: Judged, history: AgentHistory, step: Callable[[int], Step], limit: int, progress: Progress | None = None
) -> list[Doc]:
    """The problems of a policy's files as documents: `calls` are `{task, step, command}`, `total` counts all of them."""
    texts: dict[tuple[str, int, int, str], dict[int, str]] = {}
    for at, slips in enumerate(judged.slips(progress)):
        for slip in slips:
            texts.setdefault((slip.file, slip.line, slip.column, slip.code), {}).setdefault(at, slip.text)
    made: dict[int, list[int]] = {}
    slipped = {at for found in texts.values() for at in found}
    for n, at in enumerate(history.call):
        if at in slipped:
            made.setdefault(at, []).append(n)
    return [
        _lint(file, one, texts.get((file, one.line, one.column, one.code), {}), made, history, step, limit)
        for file, one in _once(judged)
    ]


def _once(judged: Judged) -> list[tuple[str, Diagnostic]]:
    return list(dict.fromkeys(judged.policy.problems))


def _lint(
    file: str, problem: Diagnostic, texts: dict[int, str], made: dict[int, list[int]], history: AgentHistory,
    step: Callable[[int], Step], limit: int,
) -> Doc:  # fmt: skip
    times = sorted(n for at in texts for n in made[at])
    calls = []
    for n in times[:limit]:
        one = step(n)
        calls.append({"task": one.task, "step": one.id, "command": texts[history.call[n]]})
    return problem_document(file, problem) | {"calls": calls, "total": len(times)}


def _rules(answer: Answer) -> list[str]:
    names = [
        _decider(answer),
        *(f"{answer.place}: {part.rule}" if answer.place else part.rule for part in answer.parts if part.rule),
    ]
    return [name for name in dict.fromkeys(names) if name]


def _decider(answer: Answer) -> str:
    return f"{answer.place}: {answer.rule}" if answer.place and answer.rule else answer.rule
