"""What an agent was authorised to do at one moment: the question Remit is named for."""

from __future__ import annotations

from lang.times import iso
from model.chain import Credential, Step, TaskChain
from model.words import Effect
from review.documents import Doc, operation
from review.workspace import Workspace


def authorised(work: Workspace, chain: TaskChain, held: list[Credential], at: int) -> Doc:
    """Mode, policy, live credentials with the time they had left, delegations, ticket, window and refusals at a moment.

    Everything is what the imported evidence says; what no record states is null, never "no".
    """
    past = [step for step in chain.steps if step.at is not None and step.at <= at]
    mode = next((step.mode for step in reversed(past) if step.mode), "")
    answers = [item for step in past for item in step.decisions if item.decision is not None and item.decision.policy]
    task = chain.task
    window = work.facts.in_change_window(task.environment, at)
    return {
        "at": iso(at),
        "mode": mode or task.mode or None,
        "policy": (answers[-1].decision.policy if answers and answers[-1].decision else None) or None,
        "intent": next((i.text for i in reversed(chain.intents) if i.at is not None and i.at <= at), None),
        "ticket": task.ticket or None,
        "change_window": {True: "open", False: "closed", None: "unknown"}[window],
        "credentials": [_live(one, at) for one in held if _is_live(one, at)],
        "delegations": [{"step": step.id, "task": step.child, "at": iso(step.at)} for step in past if step.child],
        "refused": [_refusal(step) for step in past if step.outcome.permitted is Effect.DENY],
        "ended": task.ended is not None and at > task.ended,
    }


def _is_live(one: Credential, at: int) -> bool:
    begun = one.issued if one.issued is not None else one.first_use
    if begun is None or begun > at:
        return False
    return not any(end is not None and end <= at for end in (one.revoked, one.expires))


def _live(one: Credential, at: int) -> Doc:
    return {
        "id": one.id,
        "kind": one.kind or None,
        "subject": one.subject or None,
        "scope": list(one.scope),
        "ttl_left_seconds": None if one.expires is None else (one.expires - at) // 1_000_000,
    }


def _refusal(step: Step) -> Doc:
    by = next((d.point for d in step.decisions if d.decision is not None and d.decision.effect is Effect.DENY), "")
    return {
        "step": step.id,
        "at": iso(step.at),
        "verb": step.verb.value,
        "target": step.target.name or step.title,
        "by": by,
        "operations": [operation(o) for o in step.operations],
    }
