"""What an agent was authorised to do at one moment, as a document: `show TASK --at T` and the time cursor."""

from __future__ import annotations

from collections.abc import Iterable

from chains.asof import AsOf
from chains.authority import Answer, Change, Cursor, Grant, Handed, Stated
from lang.times import iso, parse_time
from model.chain import Step, TaskChain
from model.review import PolicyVersion
from review.derive.building import told_skews
from review.documents import Doc, operation
from review.errors import NotFoundError, RemitError
from review.workspace import Workspace

_DIGITS = 7
"""A number of more digits is no step's but a time."""


def as_of(work: Workspace, chain: TaskChain) -> AsOf:
    """A task made ready to be asked about any moment; its events are read with it."""
    id = chain.task.id
    chain.events = {event.id: event for event in work.store.events_of_task(id)}
    children = work.store.task_bodies(chain.task.children)
    return AsOf(chain, work.store.credentials(task=id), work.facts, children, told_skews(work.store))


def load(work: Workspace, task: str) -> AsOf:
    """The same by the task's id."""
    chain = work.store.chain(task)
    if chain is None:
        raise NotFoundError(f"there is no task {task}")
    return as_of(work, chain)


def cursor(steps: Iterable[Step], text: str) -> Cursor:
    """A moment as a person writes it: a step's number, its id or the unique beginning of it, or a time; raises RemitError."""
    steps = list(steps)
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        step = next((one for one in steps if one.n == int(text)), None)
        if step is None:
            count = f"its steps are 1 to {steps[-1].n}" if steps else "it has no steps"
            raise RemitError(f"--at: the task has no step {int(text)}; {count}")
        return Cursor(step.at, step.n)
    if text.startswith("step-"):
        meant = [one for one in steps if one.id.startswith(text)]
        if len(meant) != 1:
            problem = "no step of the task is called" if not meant else f"{len(meant)} steps of the task begin with"
            raise RemitError(f"--at: {problem} {text[:80]!r}; give a step's number or more of its id")
        return Cursor(meant[0].at, meant[0].n)
    at, _ = parse_time(text)
    if at is None:
        raise RemitError(f"--at: {text[:80]!r} is no time, step number or step id; write 2026-06-01T14:00:00Z, 12 or step-…")
    return Cursor(at)


def authority_document(work: Workspace, ready: AsOf, where: Cursor) -> Doc:
    """Policy, mode, credentials, delegations, ticket, window, what was asked and refused, and what is unknown and why."""
    found = ready.at(where)
    return {
        "at": iso(found.at),
        "step": found.step.id if found.step else None,
        "n": found.step.n if found.step else None,
        "mode": found.mode.value if found.mode else None,
        "sandbox": found.sandbox.value if found.sandbox else None,
        "stated": {"mode": _stated(found.mode), "sandbox": _stated(found.sandbox)},
        "policy": next((one.policy or one.revision for one in found.policies), None),
        "policies": [
            {"by": p.by, "policy": p.policy or None, "revision": p.revision or None, "stated_at": iso(p.at)}
            for p in found.policies
        ],
        "saved_policies": saved_policies(work.store.policies(), found.at),
        "intent": found.intent.text if found.intent else None,
        "ticket": found.ticket or None,
        "environment": found.environment or None,
        "change_window": {True: "open", False: "closed", None: "unknown"}[found.window],
        "stated_change_window": found.stated_window or None,
        "credentials": [_grant(one) for one in found.live],
        "uncertain_credentials": [_grant(one) for one in found.uncertain],
        "ended_credentials": [_grant(one) for one in found.over],
        "delegations": [_handed(one) for one in found.delegations],
        "asked": [_answer(one) for one in found.asked],
        "refused": [_answer(one) for one in found.refused],
        "begun": found.begun,
        "ended": found.ended,
        "unknown": [{"what": what, "why": why} for what, why in found.unknown],
    }


def saved_policies(versions: Iterable[PolicyVersion], at: int | None) -> list[Doc]:
    """Of each policy kept in the store the version that was the latest at a moment; that it was in force, no record says."""
    latest: dict[str, PolicyVersion] = {}
    for one in versions:
        if at is not None and one.at <= at and (one.name not in latest or one.version > latest[one.name].version):
            latest[one.name] = one
    return [
        {"name": one.name, "version": one.version, "sha256": one.sha256, "saved": iso(one.at)}
        for _, one in sorted(latest.items())
    ]


def change_documents(changes: Iterable[Change]) -> list[Doc]:
    return [{"at": iso(one.at), "what": one.what} for one in changes]


def _stated(one: Stated | None) -> Doc | None:
    return {"at": iso(one.at), "by": one.by} if one else None


def _grant(one: Grant) -> Doc:
    held = one.credential
    return {
        "id": held.id,
        "kind": held.kind or None,
        "issuer": held.issuer or None,
        "subject": held.subject or None,
        "scope": list(held.scope),
        "ttl_left_seconds": None if one.left is None else one.left // 1_000_000,
        "standing": one.standing,
        "task_bound": one.bound,
        "since": iso(one.since),
        "uses": one.uses,
        "why": one.why or None,
        "ended": iso(one.ended),
    }


def _handed(one: Handed) -> Doc:
    return {
        "step": one.step.id,
        "n": one.step.n,
        "task": one.step.child,
        "at": iso(one.step.at),
        "scope": one.scope or None,
        "running": one.running,
    }


def _answer(one: Answer) -> Doc:
    return {
        "step": one.step.id,
        "n": one.step.n,
        "at": iso(one.at),
        "verb": one.step.verb.value,
        "target": one.step.target.name or one.step.title,
        "by": one.by,
        "rule": one.rule or None,
        "reason": one.reason or None,
        "answer": one.answer.value,
        "operations": [operation(o) for o in one.step.operations],
    }
