"""How detections read credentials: which ones a task holds, what they are called, and when the task was over."""

from __future__ import annotations

from chains.context import Context
from model.chain import Coverage, Credential, TaskChain
from model.words import Phase, Vantage


def end_known(task: TaskChain) -> bool:
    """Whether the agent's own records, or a stated end, tell when the task was over."""
    return "agent" in task.task.vantages or not task.events or any(e.phase is Phase.ENDED for e in task.events.values())


def end_of(task: TaskChain, around: Context) -> int | None:
    """When the task and the sub-agents it spawned were over, None where it is not known."""
    if task.task.ended is None or not end_known(task):
        return None
    return max([task.task.ended, *(child.ended for child in around.children.values() if child.ended is not None)])


def brokered(around: Context) -> frozenset[str]:
    """Records of calls by which a secret store made what it handed out: the target and the store both tell of the issuance.

    What the target saw such a call made with is the store's own. Two logs of one cloud are no store and a target.
    """
    found: set[str] = set()
    for one in around.credentials.values():
        given = [turn for turn in one.turns if turn.phase is Phase.ISSUED]
        if len({turn.point.partition(":")[0] for turn in given}) > 1:
            found.update(turn.record for turn in given)
    return frozenset(found)


def held(task: TaskChain, around: Context) -> list[Credential]:
    """Credentials issued to or used by this task; one that only lay in its text is CRED-08's concern."""
    mine = task.task.id
    stores = brokered(around)
    return [
        c
        for _, c in sorted(around.credentials.items())
        if c.issued_task == mine
        or any(u.task == mine and not (u.vantage is Vantage.TARGET and u.record in stores) for u in c.use_list)
        or (not c.use_list and mine in c.tasks and c.issued_task == mine)
    ]


def records_of(one: Credential, task: str) -> list[str]:
    return [u.record for u in one.use_list if u.task == task][:20]


def step_of(task: TaskChain, one: Credential) -> str:
    return next((s.id for s in task.steps if one.id in s.credentials), "")


def name_of(one: Credential) -> str:
    what = one.kind or "credential"
    return f"{what} {one.id}" + (f" of {one.subject}" if one.subject else "")


def span(length: int) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if length >= size and length % size == 0:
            return f"{length // size} {unit}"
    return f"{length} s"


def whole(coverage: Coverage, start: int, end: int) -> bool:
    """Whether a span lies in what a log covers, without a gap."""
    return coverage.start <= start and coverage.end >= end and not any(g.start < end and g.end > start for g in coverage.gaps)
