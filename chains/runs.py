"""The CI run behind an OIDC subject: a cloud's or secret store's record names repository and ref, and not the run that asked.

GitHub and GitLab sign tokens for subjects such as `repo:acme/payments:ref:refs/heads/main` or
`project_path:group/proj:ref_type:branch:ref:main`. Which run it was follows from which runs of that repository and ref
were under way at that moment. Shapes: GitHub's "OpenID Connect reference", GitLab's "OpenID Connect (OIDC) authentication
using ID tokens".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from chains.reach import Reach
from lang.names import repository_name
from model.chain import Candidate, Link
from model.event import Event, Key
from model.evidence import Stub
from model.words import KeyRole, LinkKind, Phase, Vantage, Verb

SUBJECT = "oidc.subject"
LONGEST_JOB = 6 * 3_600_000_000
"""Microseconds a run whose end nobody logged is taken to last at most: GitHub's own limit of a job, and twelve times GitLab's default."""
BUCKET = 900_000_000
"""Microseconds of a time bucket; a look-up takes all buckets around a moment, so the width changes no result."""
SLACK = 30_000_000
"""Microseconds by which a token may seem to be asked for before its run began or after it ended."""

STATED = 0.60
"""The subject is that of the run's repository and ref: who asked, and for what."""
PERHAPS = 0.50
"""The subject is that of the run's repository; the run's log does not say of which ref or trigger it was."""
TIME = 0.15
"""Full for a run that has just begun, nothing for one as old as the longest job."""
DURING = 0.10
"""The run is known to have been under way still."""
UNIQUE = 0.15
"""Divided among the runs that fit."""
MARGIN = 0.10
"""The best run must lead the second by this much, or the record stays unattributed."""
RIVALS = 5

_GITHUB = re.compile(r"(?:^|[:/])repo:([\w.-]+)(?:@\d+)?/([\w.-]+?)(?:@\d+)?:(.+)$")
_GITLAB = re.compile(r"(?:^|[:/])project_path:([^:]+)(?::ref_type:(?:branch|tag):ref:(.+))?$")
_TRIGGERS = frozenset(
    {"push", "pull_request", "pull_request_target", "workflow_dispatch", "repository_dispatch", "schedule", "merge_group"}
    | {"release", "workflow_run", "deployment", "issue_comment", "issues", "create", "delete"}
)


class Wanted(NamedTuple):
    """What a subject says of its run: the CI system with the repository, and one word on the run ("" where it says nothing)."""

    place: str
    word: str


def wanted(subject: str) -> Wanted | None:
    """The run a subject speaks of; None where it names no repository."""
    if found := _GITHUB.search(subject):
        owner, name, rest = found.groups()
        what, _, value = rest.partition(":")
        word = {"ref": f"ref:{_ref(value)}", "environment": f"environment:{value}", "pull_request": "event:pull_request"}
        return Wanted(f"github-actions:{repository_name(f'{owner}/{name}')}", word.get(what, ""))
    if found := _GITLAB.search(subject):
        project, ref = found.groups()
        return Wanted(f"gitlab-ci:{repository_name(project)}", f"ref:{_ref(ref)}" if ref else "")
    return None


def _ref(value: str) -> str:
    return re.sub(r"^refs/(?:heads|tags)/", "", value)


def run_keys(event: Event) -> list[Key]:
    """MATCH keys by which a run and a subject find each other: `ci.run` (repository and time) with what is known of the run
    (`ci.known`), and `ci.asked` for a record that names a subject and no run."""
    if event.at is None:
        return []
    scope = event.first_key(KeyRole.SCOPE)
    if scope is None:
        places = dict.fromkeys(found.place for key in event.keys if key.kind == SUBJECT and (found := wanted(key.value)))
        return [Key(KeyRole.MATCH, "ci.asked", f"{place}|{event.at // BUCKET}") for place in places]
    job = next((key for key in event.keys if key.role is KeyRole.SCOPE and key.kind == "ci.job"), None)
    if job is None or event.verb is not Verb.CI_RUN or event.vantage is Vantage.AGENT:
        return []
    place = job.value.rpartition(":")[0]
    if not place:
        return []
    known = {"ref": _ref(str(event.attrs.get("branch") or "")), "environment": str(event.attrs.get("environment") or "")}
    known["event"] = next(
        (one for one in (event.attrs.get("trigger"), event.tool) if isinstance(one, str) and one in _TRIGGERS), ""
    )
    run = [Key(KeyRole.MATCH, "ci.run", f"{place}|{event.at // BUCKET}")]
    return run + [Key(KeyRole.MATCH, "ci.known", f"{job.value}|{what}:{value}") for what, value in known.items() if value]


def by_the_clock(stub: Stub) -> bool:
    """Whether an event says of its run that a schedule began it: whoever made the commit it ran on had no part in that."""
    return any(key.kind == "ci.known" and key.value.endswith("|event:schedule") for key in stub.keys)


def asked_names(stub: Stub, drift: int = 0) -> list[str]:
    """The keys under which records lie that this event of a run may place: no farther from it than the longest job."""
    if stub.at is None:
        return []
    places = dict.fromkeys(k.value.rpartition("|")[0] for k in stub.keys if k.role is KeyRole.MATCH and k.kind == "ci.run")
    reach = LONGEST_JOB + SLACK + 2 * drift
    low, high = (stub.at - reach) // BUCKET, (stub.at + reach) // BUCKET
    return [f"ci.asked:{place}|{bucket}" for place in places for bucket in range(low, high + 1)]


class Run(msgspec.Struct):
    """A run that may have asked: its task, its first event, whether it was surely under way, and whether its ref is stated."""

    task: str
    first: Stub
    age: int
    during: bool
    stated: bool

    def score(self, runs: int) -> tuple[float, dict[str, float]]:
        factors = {"subject": STATED if self.stated else PERHAPS, "time": TIME * (1 - min(abs(self.age) / LONGEST_JOB, 1))}
        factors["unique"] = UNIQUE / runs
        if self.during:
            factors["during"] = DURING
        factors = {name: round(value, 4) for name, value in factors.items()}
        return round(min(sum(factors.values()), 1.0), 4), factors


class Runs:
    """Finds the runs behind the subjects of a store's records."""

    def __init__(self, reach: Reach, skews: Mapping[str, int], threshold: float) -> None:
        self.reach = reach
        self.skews = skews
        self.threshold = threshold
        self.drift = max((abs(skew) for skew in skews.values()), default=0)

    def names(self, stubs: Iterable[Stub]) -> list[str]:
        """Keys under which the runs lie that any of these events may have been asked for by."""
        found: dict[str, None] = {}
        for stub, _, sought in _subjects(stubs):
            at = self.moment(stub)
            low, high = (at - LONGEST_JOB - SLACK - self.drift) // BUCKET, (at + SLACK + self.drift) // BUCKET
            found.update(dict.fromkeys(f"ci.run:{sought.place}|{bucket}" for bucket in range(low, high + 1)))
        return list(found)

    def derived(self, stubs: Sequence[Stub]) -> tuple[str, Link] | None:
        """The one run that fits, if it was surely under way and nothing it must say is unknown."""
        for stub, key, sought in _subjects(stubs):
            runs = self._fitting(stub, sought)
            if len(runs) == 1 and runs[0].during and runs[0].stated:
                return runs[0].task, Link(runs[0].first.id, stub.id, LinkKind.DERIVED, key.name)
            if runs:
                return None
        return None

    def inferred(self, stubs: Sequence[Stub], holders: frozenset[str]) -> tuple[str, Link] | None:
        """The likeliest of several runs, or one that is not known to have been under way still; the rivals are kept."""
        for stub, key, sought in _subjects(stubs):
            runs = [run for run in self._fitting(stub, sought) if not holders or run.task in holders]
            scored = sorted(((*run.score(len(runs)), run) for run in runs), key=lambda one: (-one[0], one[2].first.id))
            if not scored:
                continue
            best, factors, run = scored[0]
            if best < self.threshold or (len(scored) > 1 and best - scored[1][0] < MARGIN):
                return None
            rivals = tuple(Candidate(r.task, r.first.id, score, why) for score, why, r in scored[1 : RIVALS + 1])
            return run.task, Link(run.first.id, stub.id, LinkKind.INFERRED, key.name, best, rivals, factors)
        return None

    def _fitting(self, stub: Stub, sought: Wanted) -> list[Run]:
        """Runs that may have been under way and of which nothing speaks against the subject."""
        tasks: dict[str, list[Stub]] = {}
        for name in self.names((stub,)):
            for other in self.reach.carriers(name):
                place = self.reach.direct(other)
                if place is not None and place[0]:
                    tasks.setdefault(place[0], []).append(other)
        found = [self._run(task, seen, self.moment(stub), sought) for task, seen in sorted(tasks.items())]
        return [run for run in found if run is not None]

    def _run(self, task: str, seen: Sequence[Stub], at: int, sought: Wanted) -> Run | None:
        all_of = {one.id: one for one in seen}
        for key in dict.fromkeys(k for one in seen for k in one.keys if k.role is KeyRole.SCOPE and k.kind == "ci.job"):
            all_of.update({one.id: one for one in self.reach.carriers(key.name) if one.at is not None and _of_run(one)})
        stubs = sorted(all_of.values(), key=lambda one: (self.moment(one), one.id))
        ends = [self.moment(one) for one in stubs if one.phase is Phase.ENDED]
        begun, last = self.moment(stubs[0]), self.moment(stubs[-1])
        if at < begun - SLACK or at - begun > LONGEST_JOB or (ends and at > max(last, *ends) + SLACK):
            return None
        stated = _says(stubs, sought.word)
        if stated is None:
            return None
        return Run(task, stubs[0], at - begun, at <= last + (SLACK if ends else 0), stated)

    def moment(self, stub: Stub) -> int:
        """When it happened by the clock of the agents, 0 where it has no time."""
        return (stub.at or 0) - self.skews.get(stub.point, 0)


def _subjects(stubs: Iterable[Stub]) -> list[tuple[Stub, Key, Wanted]]:
    timed = (stub for stub in stubs if stub.at is not None)
    return [(s, k, found) for s in timed for k in s.keys if k.kind == SUBJECT and (found := wanted(k.value)) is not None]


def _of_run(stub: Stub) -> bool:
    return any(key.kind == "ci.run" for key in stub.keys)


def _says(stubs: Iterable[Stub], word: str) -> bool | None:
    """Whether a run says of itself what the subject says of it; None where it says otherwise.

    An environment is a job's, and runs seldom log it: where none is stated, that speaks neither for nor against.
    """
    known = {key.value.partition("|")[2] for stub in stubs for key in stub.keys if key.kind == "ci.known"}
    what = word.partition(":")[0]
    if what == "ref" and "event:pull_request" in known:
        # Such a run asks as `pull_request`, whatever its branch.
        return None
    if not word or word in known:
        return True
    if any(one.startswith(f"{what}:") for one in known):
        return None
    return what == "environment"
