"""Proposals as text of a policy: rules to be pasted, each with what it rests on and what it opens in comments above it."""

from __future__ import annotations

from collections.abc import Iterable

from lang.counted import count
from lang.safe import safe_line
from policy.mining.grants import Grant
from policy.mining.space import Counted, Proposal

_WIDTH = 300


def rules_text(name: str, rules: Iterable[str], remarks: Iterable[str] = (), default: str = "ask") -> str:
    """A whole policy of these rules; `default` is what becomes of everything else."""
    head = [f"# {_said(remark)}" for remark in remarks]
    body = "".join(rules)
    return (
        "\n".join([*head, "version: 1", f"name: {_yaml(name)}", f"default: {default}", "rules:" if body else "rules: []", ""])
        + body
    )


def proposal_text(one: Proposal, indent: str = "  ") -> str:
    """One rule as it stands under `rules:`, its comments first."""
    remarks = []
    if one.kind == "catch":
        remarks.append(
            f"matches {_counted(_sum(one))}: {_counted(one.harm)} judged outside, {_counted(one.findings)} with an open finding, {_counted(one.broken)} in tasks judged within"
        )
    else:
        remarks.append(f"beyond what it is meant for it would also allow {_counted(one.beyond)}")
        remarks += [f"  e.g. {example}" for example in one.examples]
        remarks.append(f"it is meant for {_counted(one.covers)}")
        remarks += [f"  e.g. {example}" for example in one.covered]
    return _rule(one.id, one.effect, one.when, one.reason, remarks, indent)


def grant_text(one: Grant, indent: str = "  ") -> str:
    """The rule for a grant's use, with how it would be issued in the comments."""
    longest = f"; the longest took {one.longest_seconds} s" if one.longest_seconds > one.ttl_seconds else ""
    remarks = [
        f"in place of the standing credential {one.credential} ({one.kind or 'kind unknown'}, {one.subject or 'subject unknown'})",
        f"it was used {count(one.uses.requests, 'time')} in {count(one.uses.tasks, 'task')} by {count(one.uses.principals, 'principal')}, {one.first or '?'} to {one.last or '?'}",
        f"a life of {one.ttl_seconds} s is enough for 95 of 100 tasks ({one.measured_tasks:,} measured){longest}",
        *(f"  used for {use}" for use in one.used[:10]),
        *([f"  and for {len(one.used) - 10:,} more"] if len(one.used) > 10 else []),
        f"held scope: {', '.join(one.held_scope) or 'not stated'}",
        *([f"{count(one.homeless, 'use')} of no task would have no grant"] if one.homeless else []),
        *([f"{count(one.refused, 'use')} in tasks judged outside their remit would have none either"] if one.refused else []),
        f"issue it when: {one.issue_when}",
    ]
    return _rule(one.id, "allow", one.when, f"task-bound grant in place of {one.credential}", remarks, indent)


def _rule(id: str, effect: str, when: str, reason: str, remarks: Iterable[str], indent: str) -> str:
    lines = [f"{indent}# {_said(remark)}" for remark in remarks]
    lines += [
        f"{indent}- id: {id}",
        f"{indent}  effect: {effect}",
        f"{indent}  when: {_yaml(when)}",
        f"{indent}  reason: {_yaml(_said(reason))}",
    ]
    return "\n".join(lines) + "\n"


def _said(text: str) -> str:
    return safe_line(text, _WIDTH)


def _yaml(text: str) -> str:
    """A single-quoted scalar; the texts given here hold printable characters only."""
    return "'" + text.replace("'", "''") + "'"


def _sum(one: Proposal) -> Counted:
    return Counted(one.beyond.requests + one.covers.requests, 0, 0)


def _counted(counted: Counted) -> str:
    told = count(counted.requests, "request")
    if not counted.tasks:
        return told
    people = count(counted.principals, "principal")
    return f"{told} of {count(counted.tasks, 'task')} by {people}"
