"""What a draft policy would have done: counts by request and task, flips, rules, verdicts; the shape of `policy dry-run`."""

from __future__ import annotations

from typing import Any

import msgspec

# The order in which flips are listed: a door opened first, then work stopped, then work interrupted.
KINDS = ("newly_allowed", "newly_denied", "newly_asked")
SUMMARY = ("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge")


class PolicyInfo(msgspec.Struct):
    """The draft: its format, the digest of its text, the number of its rules."""

    format: str
    sha256: str
    rules: int
    name: str = ""


class HistoryInfo(msgspec.Struct):
    """What was replayed; `first` and `last` are ISO 8601, None where no request has a time."""

    requests: int
    shapes: int
    tasks: int
    first: str | None = msgspec.field(name="from")
    last: str | None = msgspec.field(name="to")


class Summary(msgspec.Struct):
    """Requests (or tasks, or principals) by what becomes of them.

    Of tasks and principals, each is counted under every kind that at least one of its requests has; `unchanged` are
    those of which no request has any other.
    """

    newly_denied: int = 0
    newly_asked: int = 0
    newly_allowed: int = 0
    unchanged: int = 0
    cannot_judge: int = 0


class Verdicts(msgspec.Struct):
    """The draft against reviewers' verdicts.

    `harm_stopped`: tasks outside their remit (or escalated) with at least one newly denied request. `harm_missed`: such
    tasks of which no request is denied or asked. `work_broken`: tasks within their remit with at least one newly denied
    request. `friction_added`: newly asked requests of tasks within their remit.
    """

    harm_stopped: int = 0
    harm_missed: int = 0
    work_broken: int = 0
    friction_added: int = 0


class RuleResult(msgspec.Struct):
    """One rule: requests it matches, decides and flips; `shadowed_by` names the rules that decide all it matches."""

    id: str
    effect: str
    hits: int
    decides: int
    flips: int
    shadowed_by: list[str]
    expired: bool = False


class Flip(msgspec.Struct):
    """One request whose answer changes; `rule` is the rule that now decides, None for the default."""

    task: str
    step: str
    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")
    rule: str | None
    request: dict[str, Any]
    downstream: list[str]
    kind: str
    at: str | None


class Referee(msgspec.Struct):
    """How many shapes another engine judged the same."""

    engine: str
    agree: int
    of: int


class DryRun(msgspec.Struct):
    """The whole result. `flips` may be cut short, `flips_total` and every count never are."""

    policy: PolicyInfo
    history: HistoryInfo
    baseline: str
    summary: Summary
    by_tasks: Summary
    by_principals: Summary
    verdicts: Verdicts
    rules: list[RuleResult]
    flips: list[Flip]
    flips_total: int
    missing_attributes: dict[str, int]
    referee: Referee | None = None

    def as_json(self) -> dict[str, Any]:
        """The result as plain values, in the published shape."""
        out = msgspec.to_builtins(self)
        assert isinstance(out, dict)
        return out
