"""A dry-run by the book: one request after the other, with the evaluator of single requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from model.evidence import RequestRow
from policy import Policy, decide, read_request
from policy.dryrun import KINDS

NAMES = ("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge")


def distinct(kinds: Iterable[set[str]]) -> dict[str, int]:
    """Of tasks or principals, how many have each kind; `unchanged` are those with no other."""
    listed = list(kinds)
    return {n: sum((k == {"unchanged"}) if n == "unchanged" else n in k for k in listed) for n in NAMES}


def readable(row: RequestRow) -> Any:
    """The request of a row without what Remit notes beside it; one value of the generated rows is of a wrong type on purpose."""
    return read_request({k: v for k, v in row.request.items() if v != "a day" and not k.startswith("remit.")})


def brute(
    policy: Policy, rows: list[RequestRow], baseline: Policy | None = None, read: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a dry-run has to say; `read` are the rows' requests by step where they are read already."""
    kinds: dict[str, str] = {}
    tasks: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    missing: dict[str, int] = {}
    hits: dict[str, int] = {r.id: 0 for r in policy.rules}
    decides, flips = dict(hits), dict(hits)
    flip_list = []
    for row in rows:
        request = read[row.step] if read is not None else readable(row)
        after = decide(policy, request)
        before = decide(baseline, request) if baseline is not None else None
        was = row.recorded if before is None else before.effect
        if after.effect == "unknown" or (before is not None and was == "unknown"):
            kind = "cannot_judge"
            names = {
                n for d in (after, before) if d is not None and d.effect == "unknown" for u in d.undetermined for n in u.missing
            }
            for name in names:
                missing[name] = missing.get(name, 0) + 1
        elif after.effect == was or (was == "unknown" and after.effect == "allow"):
            kind = "unchanged"
        else:
            kind = {"allow": "newly_allowed", "ask": "newly_asked", "deny": "newly_denied"}[after.effect]
        kinds[row.step] = kind
        tasks.setdefault(row.task, set()).add(kind)
        if (who := row.request.get("principal.id")) is not None:
            people.setdefault(str(who), set()).add(kind)
        for rule in after.matched:
            hits[rule] += 1
        if after.rule:
            decides[after.rule] += 1
        if kind in KINDS:
            flip_list.append(
                (
                    KINDS.index(kind),
                    row.task,
                    float("inf") if row.at is None else row.at,
                    row.step,
                    was,
                    after.effect,
                    after.rule or None,
                )
            )
            if after.rule:
                flips[after.rule] += 1
    return {
        "summary": {n: sum(k == n for k in kinds.values()) for n in NAMES},
        "by_tasks": distinct(tasks.values()),
        "by_principals": distinct(people.values()),
        "missing": missing,
        "rules": [(r.id, hits[r.id], decides[r.id], flips[r.id]) for r in policy.rules],
        "flips": [flip[1:2] + flip[3:] for flip in sorted(flip_list)],
    }


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": result["summary"],
        "by_tasks": result["by_tasks"],
        "by_principals": result["by_principals"],
        "missing": result["missing_attributes"],
        "rules": [(r["id"], r["hits"], r["decides"], r["flips"]) for r in result["rules"]],
        "flips": [(f["task"], f["step"], f["from"], f["to"], f["rule"]) for f in result["flips"]],
    }
