"""Which principals may be one and the same: what the logs say for it, and what against. Nothing is ever merged by this.

Names seen in one step, under one credential, in one session or on one host in one second; names that hold the same e-mail
address or login. An organisation merges them by listing one as an alias of the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import NamedTuple

from chains.facts import OrgFacts
from model.evidence import NamedAct, StepEnds
from model.words import KeyRole, LinkKind

CROWD = 5
"""More names than this under one key or on one host say that it is shared, not that they are one."""
SAMPLES = 3
"""Records kept for each side of a reason."""
HOST_SECONDS = 500_000
"""Host and second are held against each other up to this many; a larger store has too many coincidences to tell anything."""

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_SEPARATORS = re.compile(r"[/:|#\\]")
_GENERIC = frozenset(
    {"root", "admin", "administrator", "ubuntu", "debian", "ec2-user", "runner", "user", "users", "default", "system", "service"}
    | {"bot", "agent", "build", "ci", "deploy", "nobody", "githubactions", "github-actions", "gitlab-ci", "jenkins", "terraform"}
    | {"info", "support", "noreply", "no-reply", "security", "ops", "team", "test", "anonymous"}
)
"""Names that many people go by."""


class Reason(NamedTuple):
    """One kind of evidence: `key` says over what (the one with the most records), `keys` over how many, `total` is how many records."""

    reason: str
    key: str
    keys: int
    total: int
    records: tuple[str, ...]


class Candidate(NamedTuple):
    """Two names that may be one, with what speaks for it, the strongest first."""

    one: str
    other: str
    reasons: tuple[Reason, ...]


REASONS = {
    "step": "one call was decided for the one and seen from the other",
    "credential": "both used or were given the same credential",
    "session": "both acted in the same session, job or trace",
    "task": "both acted in one task, put there by an identifier and not by inference",
    "source_identity": "the log states that the one acts as the other",
    "email": "both names hold the same e-mail address",
    "login": "the login of the one is the session name, user name or e-mail name of the other",
    "host_second": "both acted from the same host in the same second, and nobody else did",
}
"""Why two names may be one, the strongest first."""

_NAMED = frozenset({"email", "login"})
_SUBSUMED = (("email", "login"), ("step", "task"), ("session", "task"))


class _Shared:
    """What one key shows: by identity, how many records, and a few of them."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.records: dict[str, list[str]] = {}

    def see(self, identity: str, record: str) -> None:
        self.counts[identity] = self.counts.get(identity, 0) + 1
        kept = self.records.setdefault(identity, [])
        if record not in kept:
            kept.append(record)
            kept.sort()
            del kept[SAMPLES:]


def candidates(acts: Callable[[], Iterable[NamedAct]], steps: Iterable[StepEnds], facts: OrgFacts) -> list[Candidate]:
    """Every two names of which at least one is unknown to the organisation and something says that they are one.

    `acts` is read twice. The result depends on the set of events alone.
    """
    contested = _contested(acts(), facts)
    shared: dict[tuple[str, str], _Shared] = {}

    def see(reason: str, key: str, identity: str, record: str) -> None:
        shared.setdefault((reason, key), _Shared()).see(identity, record)

    seen: dict[str, list[str]] = {}
    for act in acts():
        identity = facts.identity(act.principal)
        for place in _places(act):
            if place in contested:
                see(*place, identity, act.record)
        kept = seen.setdefault(act.principal, [])
        if len(kept) < SAMPLES or act.record < kept[-1]:
            kept[:] = sorted({*kept, act.record})[:SAMPLES]
        if act.on_behalf_of and ":assumed-role/" in act.principal:
            for name in (act.principal, act.on_behalf_of):
                see("source_identity", f"{act.principal}={act.on_behalf_of}", facts.identity(name), act.record)
    for step in steps:
        for named in _tied(step, facts):
            for identity, record in named:
                see("step", step.id, identity, record)
    for name, records in seen.items():
        for reason, handle in _handles(name):
            for record in records:
                see(reason, handle, facts.identity(name), record)
    known = {facts.identity(name) for name in seen}
    return _paired(shared, known, facts)


def _contested(acts: Iterable[NamedAct], facts: OrgFacts) -> set[tuple[str, str]]:
    """Keys, and hosts in a second, under which more than one name was seen."""
    first: dict[tuple[str, str], str] = {}
    found: set[tuple[str, str]] = set()
    hosts = 0
    for act in acts:
        identity = facts.identity(act.principal)
        for place in _places(act):
            holder = first.get(place)
            if holder is None:
                first[place] = identity
                hosts += place[0] == "host_second"
            elif holder != identity:
                found.add(place)
    return found if hosts <= HOST_SECONDS else {place for place in found if place[0] != "host_second"}


def _places(act: NamedAct) -> Iterator[tuple[str, str]]:
    """Where an act can meet another's."""
    for key in act.keys:
        if key.role is KeyRole.SCOPE:
            yield "session", key.name
        elif key.role in (KeyRole.CREDENTIAL, KeyRole.VIA):
            yield "credential", key.name
    if act.task:
        yield "task", act.task
    if act.host and act.at is not None:
        yield "host_second", f"{act.host}@{act.at // 1_000_000}"


def _tied(step: StepEnds, facts: OrgFacts) -> Iterator[list[tuple[str, str]]]:
    """The names that stand on both ends of an identifier in one step; what was only inferred proves nothing."""
    group: dict[str, str] = {}

    def root(event: str) -> str:
        while (above := group.get(event, event)) != event:
            event = above
        return event

    for start, end, kind in step.links:
        if kind is not LinkKind.INFERRED:
            group[root(end)] = root(start)
    found: dict[str, list[tuple[str, str]]] = {}
    for event, (principal, record) in step.named.items():
        found.setdefault(root(event), []).append((facts.identity(principal), record))
    for named in found.values():
        if len({identity for identity, _ in named}) > 1:
            yield named


def _handles(name: str) -> Iterator[tuple[str, str]]:
    """The e-mail addresses and logins that a name holds: `arn:...:assumed-role/x/dana@acme.example` holds both."""
    folded = name.casefold()
    addresses = set(_EMAIL.findall(folded))
    for address in addresses:
        yield "email", address
    last = _SEPARATORS.split(folded.rstrip("/:"))[-1]
    logins = {address.partition("@")[0] for address in addresses} | ({last} if "@" not in last else set())
    for login in sorted(logins):
        if len(login) > 2 and login not in _GENERIC:
            yield "login", login


def _meeting(reason: str, names: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs of names that one key speaks of: each with the plainest where names hold it, else all of a few."""
    pairs = ((names[0], name) for name in names[1:]) if reason in _NAMED else combinations(names, 2)
    if reason in _NAMED or len(names) <= CROWD:
        yield from ((min(pair), max(pair)) for pair in pairs)


def _paired(shared: dict[tuple[str, str], _Shared], known: set[str], facts: OrgFacts) -> list[Candidate]:
    pairs: dict[tuple[str, str], dict[str, list[tuple[int, str, set[str]]]]] = {}
    for (reason, key), one in shared.items():
        for pair in _meeting(reason, sorted(one.counts, key=lambda name: (len(name), name))):
            if _apart(pair, reason, known, facts):
                continue
            records = {record for name in pair for record in one.records[name]}
            count = one.counts[pair[0]] + one.counts[pair[1]]
            pairs.setdefault(pair, {}).setdefault(reason, []).append((count, key, records))
    found = []
    for pair, held in sorted(pairs.items()):
        for stronger, weaker in _SUBSUMED:
            if stronger in held:
                held.pop(weaker, None)
        reasons = [_reason(name, held[name]) for name in REASONS if name in held]
        found.append(Candidate(*pair, tuple(reasons)))
    return sorted(found, key=lambda c: (list(REASONS).index(c.reasons[0].reason), -c.reasons[0].total, c.one, c.other))


def _apart(pair: tuple[str, str], reason: str, known: set[str], facts: OrgFacts) -> bool:
    """Whether a pair is no candidate: told apart by the organisation, never seen, or two roles that merely share a session name."""
    if not known.issuperset(pair) or all(facts.knows_identity(name) for name in pair):
        return True
    return reason == "login" and all(name.startswith("arn:") for name in pair)


def _reason(name: str, held: list[tuple[int, str, set[str]]]) -> Reason:
    held.sort(key=lambda one: (-one[0], one[1]))
    records = sorted({record for _, _, records in held[:SAMPLES] for record in records})
    return Reason(name, held[0][1], len(held), sum(count for count, _, _ in held), tuple(records[: 2 * SAMPLES]))
