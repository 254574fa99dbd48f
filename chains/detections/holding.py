"""How detections read credentials: which ones a task holds, what they are called, and when the task was over."""

from __future__ import annotations

from chains.context import Context
from model.chain import Coverage, Credential, TaskChain
from model.words import Phase, Vantage

TOGETHER = 10_000_000
"""Microseconds within which a store's lease and what a cloud made for it are issued: the store waits for the cloud."""


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
    made = leased(around)
    for one in around.credentials.values():
        given = [turn for turn in one.turns if turn.phase is Phase.ISSUED]
        if len({turn.point.partition(":")[0] for turn in given}) > 1 or one.id in made:
            found.update(turn.record for turn in given)
    return frozenset(found)


def leased(around: Context) -> dict[str, Credential]:
    """By its id a cloud's credential that a secret store had made for a lease of its own, with the lease: one credential, of which two logs tell
    by names that nothing ties.

    Vault's audit log hides what it handed out, and its AWS engine calls users and sessions `vault-...` after whom it made them for.
    """
    made = [one for one in around.credentials.values() if one.kind.startswith("aws.") and _of_vault(one)]
    leases = [one for one in around.credentials.values() if one.kind == "vault-lease" and one.issued_task] if made else []
    found: dict[str, Credential] = {}
    for one in made:
        near = [lease for lease in leases if lease.issued_task == one.issued_task and _together(one, lease, around)]
        if len(near) == 1 and not _with_own(one, around):
            found[one.id] = near[0]
    return found


def _of_vault(one: Credential) -> bool:
    return bool(one.issued_task) and one.subject.rpartition("/")[2].startswith("vault-")


def _with_own(one: Credential, around: Context) -> bool:
    """Whether the task used what it was made with for something else too: then it was the task's key and no store's."""
    given = {turn.record for turn in one.turns if turn.phase is Phase.ISSUED}
    keys = (other for other in around.credentials.values() if set(one.via) & set(other.names or (other.key,)))
    return any(u.task == one.issued_task and u.record not in given for other in keys for u in other.use_list)


def _together(one: Credential, other: Credential, around: Context) -> bool:
    first, second = (
        [turn.at - around.skews.get(turn.point, 0) for turn in each.turns if turn.phase is Phase.ISSUED and turn.at is not None]
        for each in (one, other)
    )
    return any(abs(a - b) <= TOGETHER for a in first for b in second)


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
