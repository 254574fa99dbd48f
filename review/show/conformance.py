"""`remit conformance`: where an enforcement point did another thing than the policy in force at it says."""

from __future__ import annotations

from collections import defaultdict

from lang.counted import count
from lang.times import iso
from model.conformance import Compared, Conformance
from review.documents import Doc
from review.workspace import Workspace


def conformance(work: Workspace) -> list[Doc]:
    """Every step in which what happened is another thing than the policy says, in order of time."""
    return [{"task": task, "at": iso(at), **compared_document(one)} for task, at, one in work.store.compared()]


def compared_document(one: Compared) -> Doc:
    """One comparison; `certain` where it is known since when the policy was in force: only then it is a finding, if it is one."""
    return {
        "step": one.step,
        "kind": one.kind.value,
        "point": one.expected.point,
        "policy": one.expected.policy or None,
        "says": one.expected.effect.value,
        "rule": one.expected.rule or None,
        "why": one.why or None,
        "certain": one.expected.certain,
    }


def counts(work: Workspace) -> list[Doc]:
    """Each policy in force with how many steps were held against it, and why some could not be judged."""
    kinds: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    reasons: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for point, policy, kind, why, steps in work.store.conformance_counts():
        kinds[point, policy][kind] = kinds[point, policy].get(kind, 0) + steps
        if kind == Conformance.UNKNOWN.value:
            reasons[point, policy][why] = reasons[point, policy].get(why, 0) + steps
    return [
        {
            "point": point,
            "policy": policy or None,
            "steps": sum(found.values()),
            **{kind.value.replace(" ", "_"): found.get(kind.value, 0) for kind in Conformance},
            "reasons": dict(sorted(reasons[point, policy].items(), key=lambda pair: (-pair[1], pair[0]))),
        }
        for (point, policy), found in sorted(kinds.items())
    ]


def sentence(row: Doc) -> str:
    """One row of either listing in one sentence."""
    if "steps" in row:
        told = ", ".join(f"{row[kind.value.replace(' ', '_')]} {kind.value}" for kind in Conformance)
        return f"{row['policy'] or 'an unnamed policy'} at {row['point']}: {count(row['steps'], 'step')}, {told}"
    doubt = "" if row["certain"] else "; since when the policy held is not stated"
    return (
        f"{row['at'] or 'at an unknown time'}: {row['kind']}: {row['policy'] or 'the policy'} at {row['point']} says {row['says']} by "
        f"{row['rule']}; {row['why']}{doubt} (step {row['step']}, task {row['task']})"
    )
