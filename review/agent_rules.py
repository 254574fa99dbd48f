"""The agents' own rule files, checked, asked about one call, and dry-run as they are over what that agent did."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

import msgspec

from lang.times import iso
from model.chain import Step
from model.words import Effect, Tri, VerdictWord
from policy.agents import adapter_of, adapters
from policy.agents.base import Adapter, AgentPolicy, Answer, Call, RuleFile
from policy.dryrun import KINDS, DryRun, Flip, HistoryInfo, PolicyInfo, RuleResult, Summary, Verdicts
from review.consequences import Consequences
from review.documents import Doc
from review.enforced import call_of, is_call
from review.errors import RemitError
from review.filters import task_filter
from review.policies import read_policy
from review.workspace import Workspace
from store.rows import page_key

_HARM = (VerdictWord.OUTSIDE.value, VerdictWord.ESCALATE.value)
_AFTER = {Effect.DENY: "newly_denied", Effect.ASK: "newly_asked", Effect.ALLOW: "newly_allowed"}


def known() -> tuple[str, ...]:
    """The agents whose own rules are modelled."""
    return tuple(adapters())


def rule_files(adapter: Adapter, names: Sequence[str]) -> list[RuleFile]:
    """Files given as `FILE` or `LAYER=FILE`, in the order of the program's layers; raises RemitError for an unknown layer."""
    found = []
    for name in names:
        layer, split, path = name.partition("=")
        if not split or "/" in layer:
            layer, path = adapter.layers[0], name
        if layer not in adapter.layers:
            raise RemitError(f"{name}: {adapter.title} has no layer {layer!r}; its layers: {', '.join(adapter.layers)}")
        found.append(RuleFile(layer, path, read_policy(path)))
    return found


def check(format: str, names: Sequence[str]) -> Doc:
    """What does not load, and which rules do not do what they say, each at its place."""
    adapter = adapter_of(format)
    problems = [{"file": file, **msgspec.to_builtins(one)} for file, one in adapter.load(rule_files(adapter, names)).problems]
    ok = not any(one["severity"] == "error" for one in problems)
    return {"policy": ", ".join(names), "format": adapter.id, "modelled": adapter.modelled, "ok": ok, "diagnostics": problems}


def explain(format: str, names: Sequence[str], requests: Iterator[tuple[str, str]]) -> Iterator[Doc]:
    """One answer per call (JSON of tool, input, cwd, mode ...), in order; what cannot be read answers with its `error` in place."""
    adapter = adapter_of(format)
    policy = adapter.load(rule_files(adapter, names))
    for where, text in requests:
        try:
            call = msgspec.convert(json.loads(text), Call)
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            yield answer_document(Answer(Effect.UNKNOWN, reason=f"{where}: {error}")) | {"error": f"{where}: {error}"}
        else:
            yield answer_document(policy.judge(call))


def answer_document(answer: Answer) -> Doc:
    return {
        "effect": answer.effect.value,
        "rule": answer.rule or None,
        "file": answer.place or None,
        "reason": answer.reason or None,
        "missing": list(answer.missing),
        "parts": [{"text": one.text, "effect": one.effect.value, "rule": one.rule or None} for one in answer.parts],
    }


def dry_run(work: Workspace, format: str, names: Sequence[str], *, filter: str = "", limit: int = 1000) -> Doc:
    """What the files would have done to every call of that agent's in the history: the document of `policy dry-run`."""
    adapter = adapter_of(format)
    files = rule_files(adapter, names)
    policy = adapter.load(files)
    broken = next((f"{file}:{one.line}: {one.message}" for file, one in policy.problems if one.severity == "error"), "")
    if broken:
        raise RemitError(broken)
    run = _Run(work, policy, limit)
    for task, principal in _tasks(work, adapter.id, filter):
        run.take(task, principal, work.store.steps(task))
    text = "\0".join(file.text for file in files)
    found = run.result(PolicyInfo(adapter.id, sha256(text.encode()).hexdigest(), len(run.rules), ", ".join(names)))
    return found.as_json()


def _tasks(work: Workspace, agent: str, filter: str) -> Iterator[tuple[str, str]]:
    chosen, after = task_filter(filter), None
    while page := work.store.task_rows(chosen, "risk", 500, after):
        yield from ((row.id, row.principal) for row in page if row.agent == agent)
        after = page_key(page[-1], "risk")


class _Run:
    """Counts what becomes of each call; memory follows the flips listed and the tasks, not the calls."""

    def __init__(self, work: Workspace, policy: AgentPolicy, limit: int) -> None:
        self._policy = policy
        self._limit = limit
        self._consequences = Consequences(work)
        self._words = {v.task: v.verdict.value for v in work.store.verdicts() if v.kind == "task"}
        self._by: dict[str, dict[str, set[str]]] = {"task": {}, "principal": {}}
        self._seen: dict[str, set[str]] = {"task": set(), "principal": set()}
        self.rules: dict[str, RuleResult] = {}
        self.flips: list[Flip] = []
        self.counts: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self.verdicts = Verdicts()
        self.times: list[int] = []

    def take(self, task: str, principal: str, steps: Sequence[Step]) -> None:
        kinds: Counter[str] = Counter()
        stopped = False
        for step in steps:
            if not step.agent_claimed or not is_call(step):
                continue
            answer = self._policy.judge(call_of(step))
            before = recorded(step)
            kind = _kind(before, answer.effect)
            kinds[kind] += 1
            stopped = stopped or answer.effect in (Effect.DENY, Effect.ASK)
            if step.at is not None:
                self.times = [min([step.at, *self.times]), max([step.at, *self.times])]
            if kind == "cannot_judge":
                self.missing.update(answer.missing or (answer.reason or "a fact the record lacks",))
            self._rule(answer, kind)
            if kind in KINDS:
                self._flip(task, step, before, answer, kind)
        self._count(task, principal, kinds)
        self._judged(self._words.get(task, ""), kinds, stopped)

    def _rule(self, answer: Answer, kind: str) -> None:
        name = f"{answer.place}: {answer.rule}" if answer.place else answer.rule
        if not name:
            return
        held = self.rules.setdefault(name, RuleResult(name, answer.effect.value, 0, 0, 0, []))
        held.hits += 1
        held.decides += 1
        held.flips += kind in KINDS

    def _flip(self, task: str, step: Step, before: Effect, answer: Answer, kind: str) -> None:
        if len(self.flips) >= self._limit:
            return
        call = msgspec.to_builtins(call_of(step)) | {"parts": answer_document(answer)["parts"], "reason": answer.reason}
        falls = self._consequences.of_step(task, step.id) if kind == "newly_denied" else []
        later = sorted({one.step for one in falls})
        rule = answer.rule or None
        self.flips.append(
            Flip(task, step.id, before.value, answer.effect.value, rule, call, later, kind, iso(step.at), consequences=falls)
        )

    def _count(self, task: str, principal: str, kinds: Counter[str]) -> None:
        self.counts.update(kinds)
        for who, name in (("task", task), ("principal", principal)):
            if kinds and name:
                self._seen[who].add(name)
                for kind in kinds:
                    self._by[who].setdefault(kind, set()).add(name)

    def _judged(self, word: str, kinds: Counter[str], stopped: bool) -> None:
        if word in _HARM and kinds:
            self.verdicts.harm_stopped += kinds["newly_denied"] > 0
            self.verdicts.harm_missed += not stopped
        elif word == VerdictWord.WITHIN.value:
            self.verdicts.work_broken += kinds["newly_denied"] > 0
            self.verdicts.friction_added += kinds["newly_asked"]

    def _summary(self, who: str) -> Summary:
        changed = {kind: names for kind, names in self._by[who].items() if kind != "unchanged"}
        touched = set().union(*changed.values()) if changed else set()
        return Summary(**{kind: len(names) for kind, names in changed.items()}, unchanged=len(self._seen[who] - touched))

    def result(self, policy: PolicyInfo) -> DryRun:
        first, last = (self.times[0], self.times[-1]) if self.times else (None, None)
        calls = self.counts.total()
        order = {kind: n for n, kind in enumerate(KINDS)}
        return DryRun(
            policy=policy,
            history=HistoryInfo(calls, calls, len(self._seen["task"]), iso(first), iso(last)),
            baseline="recorded",
            summary=Summary(**self.counts),
            by_tasks=self._summary("task"),
            by_principals=self._summary("principal"),
            verdicts=self.verdicts,
            rules=[self.rules[name] for name in sorted(self.rules)],
            flips=sorted(self.flips, key=lambda flip: (order[flip.kind], flip.at or "", flip.step)),
            flips_total=sum(self.counts[kind] for kind in KINDS),
            missing_attributes=dict(self.missing.most_common()),
        )


def recorded(step: Step) -> Effect:
    """What became of a call: what policy answered, else allowed where it is known to have run. A transcript holds no approvals."""
    if step.outcome.answered is not Effect.UNKNOWN:
        return step.outcome.answered
    return Effect.ALLOW if step.outcome.tool is not Tri.UNKNOWN and step.outcome.permitted is not Effect.DENY else Effect.UNKNOWN


def _kind(before: Effect, after: Effect) -> str:
    if after is Effect.UNKNOWN or before is Effect.UNKNOWN:
        return "cannot_judge" if after is Effect.UNKNOWN else "unchanged"
    return "unchanged" if before is after else _AFTER[after]
