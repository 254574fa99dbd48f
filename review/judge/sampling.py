"""Samples for review: which tasks to look at when not all can be, drawn so that anybody can draw them again."""

from __future__ import annotations

import math
import secrets
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from hashlib import sha256

from lang.times import iso
from model.event import digest
from model.review import Sample
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.show.filters import task_filter
from review.workspace import Workspace
from store.rows import TaskRow, page_key

METHODS = ("random", "by-risk", "per-agent")
_PAGE = 500


def draw(
    work: Workspace,
    *,
    size: int = 0,
    percent: float = 0,
    filter: str = "",
    method: str = "random",
    seed: str = "",
    reason: str = "",
) -> Doc:
    """Draw tasks from those a filter matches, and write down how: method, seed, size, and a digest of what was drawn from.

    `random` gives every task the same chance; `by-risk` one in proportion to its risk plus one; `per-agent` parts the size
    among agents by their share, at least one each as far as it goes.
    """
    if method not in METHODS:
        raise RemitError(f"--method {method[:40]!r}: choose from {', '.join(METHODS)}")
    rows = list(_population(work, filter))
    if not rows:
        raise RemitError("no task matches, so there is nothing to draw from")
    if percent:
        if not 0 < percent <= 100:
            raise RemitError("--percent is a number above 0, at most 100")
        size = max(1, math.ceil(len(rows) * percent / 100))
    if size < 1:
        raise RemitError("say how many tasks to draw: --size N or --percent P")
    seed = seed.strip() or secrets.token_hex(8)
    drawn = chosen(rows, min(size, len(rows)), method, seed)
    told = work.redactor.redact_text(reason.strip())
    held = Sample(filter, method, seed, size, len(rows), _digest(rows), tuple(drawn), work.identity, time.time_ns() // 1000, told)
    return sample_document(work.store.add_statement(held))


def chosen(rows: Sequence[TaskRow], size: int, method: str, seed: str) -> list[str]:
    """The ids drawn, in the order of their lots. A task's lot is SHA-256 over the seed and its id: no generator is involved."""
    if method == "per-agent":
        return _per_agent(rows, size, seed)
    # The lot to the power of one over the weight, as a logarithm: the largest of these are a weighted sample without return.
    weight = {row.id: row.risk + 1 if method == "by-risk" else 1 for row in rows}
    return sorted(weight, key=lambda id: (-math.log(_lot(seed, id)) / weight[id], id))[:size]


def _per_agent(rows: Sequence[TaskRow], size: int, seed: str) -> list[str]:
    groups: dict[str, list[TaskRow]] = defaultdict(list)
    for row in rows:
        groups[row.agent].append(row)
    queues = {agent: chosen(held, len(held), "random", seed) for agent, held in sorted(groups.items())}
    taken = dict.fromkeys(queues, 0)
    # One more for whichever agent is furthest below its share; one that has none yet comes before all others.
    for _ in range(size):
        open_ = [agent for agent, ids in queues.items() if taken[agent] < len(ids)]
        if not open_:
            break
        taken[min(open_, key=lambda a: (taken[a] > 0, (taken[a] + 1) / len(queues[a]), a))] += 1
    return [id for agent, ids in queues.items() for id in ids[: taken[agent]]]


def _lot(seed: str, id: str) -> float:
    """A number above 0 and at most 1."""
    made = sha256(f"{seed}\0{id}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(made[:7], "big") + 1) / 2**56


def samples(work: Workspace) -> list[Doc]:
    """Every sample drawn, oldest first, with how many of its tasks were judged since."""
    judged = {one.subject for one in work.store.verdicts() if one.kind == "task"}
    return [sample_document(one) | {"judged": sum(task in judged for task in one.drawn)} for one in work.store.statements(Sample)]


def redraw(work: Workspace, number: int) -> Doc:
    """Draw a recorded sample again: `same`, or why it cannot come out as it did."""
    held = next((one for one in work.store.statements(Sample) if one.seq == number), None)
    if held is None:
        raise NotFoundError(f"no sample has the number {number}; `remit sample` lists them")
    rows = list(_population(work, held.filter))
    if _digest(rows) != held.population_digest:
        why = f"the tasks to draw from have changed since: {held.population:,} then, {len(rows):,} now"
        return sample_document(held) | {"same": None, "why": why}
    same = tuple(chosen(rows, min(held.size, len(rows)), held.method, held.seed)) == held.drawn
    return sample_document(held) | {"same": same, "why": "" if same else "the recorded draw is not what its seed gives"}


def _population(work: Workspace, filter: str) -> Iterator[TaskRow]:
    asked = task_filter(filter)
    after = None
    while page := work.store.task_rows(asked, "started", _PAGE, after):
        yield from page
        after = page_key(page[-1], "started")


def _digest(rows: Sequence[TaskRow]) -> str:
    """Of what a draw depends on: ids, and the risks and agents that weigh them."""
    return digest(*sorted(f"{row.id} {row.risk} {row.agent}" for row in rows))


def sample_document(one: Sample) -> Doc:
    return {
        "seq": one.seq,
        "filter": one.filter,
        "method": one.method,
        "seed": one.seed,
        "size": len(one.drawn),
        "population": one.population,
        "population_sha256": one.population_digest,
        "tasks": list(one.drawn),
        "by": one.by,
        "at": iso(one.at),
        "reason": one.reason,
    }
