"""How far an action reaches, and how far a granted scope would let one reach: one scale for what was done and what could be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum

import msgspec

from chains.detections.reading import operations, said, set_out
from model.chain import Credential, Step
from model.event import Operation
from model.words import Verb


class Breadth(IntEnum):
    """From nothing known to what gives authority over others; each covers those before it."""

    UNKNOWN = 0
    READ = 1
    LOCAL = 2
    SHARED = 3
    CONTROL = 4

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Breadth.UNKNOWN: "not known",
    Breadth.READ: "reads",
    Breadth.LOCAL: "changes its own machine",
    Breadth.SHARED: "changes what others use",
    Breadth.CONTROL: "takes or changes authority",
}

_VERBS = {
    Breadth.READ: (Verb.FILE_READ, Verb.REPO_READ, Verb.NET_CONNECT, Verb.HTTP_REQUEST),
    Breadth.LOCAL: (Verb.EXEC, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.PACKAGE_INSTALL, Verb.AGENT_SPAWN, Verb.AGENT_MESSAGE),
    Breadth.SHARED: (
        Verb.REPO_WRITE,
        Verb.PR_OPEN,
        Verb.TICKET_OPEN,
        Verb.TICKET_UPDATE,
        Verb.CI_RUN,
        Verb.MCP_CALL,
        Verb.CLOUD_CALL,
        Verb.CLUSTER_CALL,
        Verb.DB_QUERY,
    ),
    Breadth.CONTROL: (
        Verb.REPO_MERGE,
        Verb.PR_MERGE,
        Verb.PACKAGE_PUBLISH,
        Verb.SECRET_READ,
        Verb.SECRET_WRITE,
        Verb.CREDENTIAL_ISSUE,
        Verb.CREDENTIAL_RENEW,
        Verb.CREDENTIAL_REVOKE,
        Verb.CI_MODIFY,
        Verb.INSTRUCTIONS_WRITE,
        Verb.GUARDRAIL_CHANGE,
    ),
}
_OF_VERB = {verb: breadth for breadth, verbs in _VERBS.items() for verb in verbs}
_MAY_ONLY_READ = frozenset({Verb.CLOUD_CALL, Verb.CLUSTER_CALL, Verb.MCP_CALL})
_READS = re.compile(
    r"(?:^|[:._/\s])(?:batch)?(?:get|list|describe|head|lookup|query|scan|search|view|watch|read|fetch)(?![a-z])", re.I
)
_READS_CAMEL = re.compile(
    r"(?:^|[:._/])(?:BatchGet|Get|List|Describe|Head|Lookup|Query|Scan|Search|View|Watch|Read|Fetch)(?=[A-Z]|$)"
)

_SCOPES = (
    (Breadth.CONTROL, re.compile(r"\*|(?:^|[^a-z])(?:admin|administrator|administratoraccess|poweruser\w*|owner|root|sudo|superuser|merge)(?![a-z])", re.I)),
    (Breadth.SHARED, re.compile(r"(?:^|[^a-z])(?:write|rw|push|publish|deploy\w*|maintain|full|repo|workflow|modify|edit|ops)(?![a-z])", re.I)),
    (Breadth.READ, re.compile(r"(?:^|[^a-z])(?:read|readonly|readonlyaccess|view|viewer|list|get|pull|plan|audit)(?![a-z])", re.I)),
)  # fmt: skip


class Reach(msgspec.Struct, frozen=True):
    """How far, by what: an operation of a step (`n`, `step`) that was done, or the scope of a credential that was granted."""

    breadth: Breadth
    what: str
    environment: str = ""
    step: str = ""
    n: int = 0
    at: int | None = None
    credential: str = ""

    @property
    def words(self) -> str:
        return self.breadth.words + (f" in {self.environment}" if self.environment else "")

    @property
    def rank(self) -> tuple[int, bool]:
        return self.breadth, self.environment.casefold() in ("prod", "production")


def breadth_of(operation: Operation, tool: str = "") -> Breadth:
    """How far one operation reaches; a call of a cloud, cluster or MCP server that only looks, by its name, reads."""
    if operation.verb in _MAY_ONLY_READ:
        for name in (tool, operation.target.name, operation.target.detail):
            if name and (_READS_CAMEL.search(name) or _READS.search(name)):
                return Breadth.READ
    return _OF_VERB.get(operation.verb, Breadth.UNKNOWN)


def scope_breadth(scope: str) -> Breadth:
    """How far a granted scope, role or policy reaches by what it is called; unknown where its name does not tell."""
    return next((breadth for breadth, pattern in _SCOPES if pattern.search(scope)), Breadth.UNKNOWN)


def done(steps: Iterable[Step]) -> tuple[Reach | None, int]:
    """The farthest that steps not known to have been stopped reach, the first that does, and how many could not be read."""
    best: Reach | None = None
    unread = 0
    for step in steps:
        if not set_out(step):
            continue
        readable = False
        for one in operations(step):
            breadth = breadth_of(one, step.tool)
            readable = readable or (breadth is not Breadth.UNKNOWN and one.certain)
            target = one.target.name or one.target.detail or step.target.name or said(step, 60)
            reach = Reach(breadth, f"{one.verb.value} {target}".strip(), step.environment, step.id, step.n, step.at)
            if breadth is not Breadth.UNKNOWN and (best is None or reach.rank > best.rank):
                best = reach
        unread += not readable
    return best, unread


def granted(held: Iterable[Credential]) -> Reach | None:
    """The farthest any scope of these credentials reaches; None where no scope is stated or none tells."""
    best: Reach | None = None
    for one in held:
        for scope in one.scope:
            reach = Reach(scope_breadth(scope), scope, at=one.issued, credential=one.id)
            if reach.breadth is not Breadth.UNKNOWN and (best is None or reach.rank > best.rank):
                best = reach
    return best


def farther(*reaches: Reach | None) -> Reach | None:
    """The farthest of these, the first of equals."""
    best: Reach | None = None
    for one in reaches:
        if one is not None and (best is None or one.rank > best.rank):
            best = one
    return best
