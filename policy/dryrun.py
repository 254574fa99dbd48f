"""What a draft policy would have done: counts by request and task, flips, rules, verdicts; the shape of `policy dry-run`."""

from __future__ import annotations

from typing import Any

import msgspec

# The order in which flips are listed: a door opened first, then work stopped, then work interrupted.
KINDS = ("newly_allowed", "newly_denied", "newly_asked")
LIMITS = (
    "First order: after a denial the agent would have done something else, which no replay can tell.",
    "Logged calls only: what was never logged, or never tried, is not in these figures.",
    "Rules on rates, on the order of calls or on what happened before cannot be written, and are not replayed.",
)
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
    request. `friction_added`: newly asked requests of tasks within their remit. `harm_judged` and `work_judged`: the tasks
    of either kind of verdict that are in the history.
    """

    harm_stopped: int = 0
    harm_missed: int = 0
    work_broken: int = 0
    friction_added: int = 0
    harm_judged: int = 0
    work_judged: int = 0


class Figures(msgspec.Struct):
    """The draft against one baseline: `name` is `recorded` or the policy's, `version` the saved version it was."""

    name: str
    summary: Summary
    by_tasks: Summary
    by_principals: Summary
    flips_total: int
    version: int | None = None


class Friction(msgspec.Struct):
    """Asks the draft adds and takes away, of requests that name a developer; `per_developer_day` is their difference
    divided by `developer_days`, the days on which each of `developers` was active, added up. None where there is no such
    day. `unattributed` are the asks added and removed of requests that name nobody.
    """

    asks_added: int = 0
    asks_removed: int = 0
    developers: int = 0
    developer_days: int = 0
    per_developer_day: float | None = None
    unattributed: int = 0


class Lacking(msgspec.Struct):
    """An attribute no record states, the requests that hang on it, and how many of them each point tells of without it."""

    attribute: str
    requests: int
    told_by: dict[str, int]


class Ledger(msgspec.Struct):
    """How requests were replayed: `exact` + `stand_in` + `not_replayable` is all of them.

    `log_next` sums what is missing and what was stood in for: the attributes to log, the most wanted first.
    `recorded_by_inference` are requests whose recorded answer was joined to them by inference.
    """

    exact: int
    stand_in: int
    not_replayable: int
    recorded_by_inference: int
    missing: list[Lacking]
    stand_ins: list[Lacking]
    log_next: list[Lacking]


class Consequence(msgspec.Struct):
    """A step that hangs on a denied one: over a credential, as part of a sub-agent, or over another link of authority.

    `by` is the step it directly hangs on; `why` says it in words.
    """

    step: str
    task: str
    n: int
    kind: str
    by: str
    why: str


class RuleResult(msgspec.Struct):
    """One rule: requests it matches, decides and flips; `shadowed_by` names the rules that decide all it matches.

    `voids` and `covers` are the narrower rules, of a weaker and of the same effect, all of whose requests it matches;
    `line` is where it stands in the policy, 0 where the format does not tell.
    """

    id: str
    effect: str
    hits: int
    decides: int
    flips: int
    shadowed_by: list[str]
    expired: bool = False
    voids: list[str] = []
    covers: list[str] = []
    line: int = 0
    controls: list[str] = []


class Flip(msgspec.Struct):
    """One request whose answer changes; `rule` is the rule that now decides, None for the default, `line` where it stands.

    `downstream` are the steps that hang on a denied one, `consequences` the same with their reasons. `verdict` is the
    reviewers' word on the task, "" where there is none.
    """

    task: str
    step: str
    before: str = msgspec.field(name="from")
    after: str = msgspec.field(name="to")
    rule: str | None
    request: dict[str, Any]
    downstream: list[str]
    kind: str
    at: str | None
    line: int = 0
    consequences: list[Consequence] = []
    verdict: str = ""


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
    baselines: list[Figures] = []
    friction: Friction | None = None
    ledger: Ledger | None = None
    limits: list[str] = msgspec.field(default_factory=lambda: list(LIMITS))

    def as_json(self) -> dict[str, Any]:
        """The result as plain values, in the published shape."""
        out = msgspec.to_builtins(self)
        assert isinstance(out, dict)
        return out
