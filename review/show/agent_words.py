"""What only a dry-run of an agent's own rules tells, in sentences: what lacked a rule, and what slipped through one."""

from __future__ import annotations

from collections.abc import Iterator

from lang.counted import count
from review.documents import Doc

SHOWN = 12
CALLS = 5


def sentences(run: Doc) -> Iterator[str]:
    """The commonest commands without a rule, then each rule that did not do what it says, with its calls."""
    for ask in run.get("asks", ())[:SHOWN]:
        yield asked(ask)
    for lint in run.get("lints", ()):
        if lint["total"]:
            yield f"{lint['file']}:{lint['line']}:{lint['column']}: {lint['message']}"
            yield from slipped(lint)


def asked(ask: Doc) -> str:
    """`Lacked a rule 40 times in 3 tasks: npm run build; Bash(npm run build:*) would let all of them run.`"""
    start = f"Lacked a rule {count(ask['count'], 'time')} in {count(ask['tasks'], 'task')}: {ask['command']}"
    if not ask["rule"]:
        return f"{start}; no rule can allow it."
    if not ask["covers"]:
        return f"{start}; {ask['rule']} would still not let it run."
    all_of_them = "all of them" if ask["covers"] == ask["count"] else f"{ask['covers']:,} of {ask['tried']:,}"
    return f"{start}; {ask['rule']} would let {all_of_them} run."


def slipped(lint: Doc) -> Iterator[str]:
    """The calls that slipped through one problem, the first of them."""
    for call in lint.get("calls", ())[:CALLS]:
        yield f"  slipped through: {call['command']} (step {call['step']} of task {call['task']})"
    if lint.get("total", 0) > CALLS:
        yield f"  {lint['total']:,} calls in all"
