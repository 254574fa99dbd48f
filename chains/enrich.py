"""What can be said of an event by itself, once and for all: the operations inside it and the keys that let it be found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec.structs import replace

from chains.hollow import hollow
from chains.masked import with_masks
from chains.match import match_keys
from lang.names import host_name
from lang.shell import parse
from model.event import Event, Operation, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

MAX_COMMAND = 100_000
"""A command longer than this is not parsed: its one operation is unknown, never safe."""

_UNPARSED = (Operation(Verb.UNKNOWN, text="", certain=False),)
_WRITES = frozenset({Verb.FILE_WRITE, Verb.FILE_DELETE})
_PATHS: tuple[tuple[re.Pattern[str], Verb, TargetClass], ...] = (
    (
        re.compile(
            r"(?:^|/)(?:\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml|\.circleci/config\.ya?ml|jenkinsfile|azure-pipelines\.ya?ml"
            r"|bitbucket-pipelines\.ya?ml|\.buildkite/.+|\.github/actions/.+)$"
        ),
        Verb.CI_MODIFY,
        TargetClass.CI_CD,
    ),
    (
        re.compile(
            r"(?:^|/)(?:\.(?:claude|codex|gemini)/(?:settings(?:\.local)?\.json|config\.toml|hooks\.json|hooks/.+|rules/.+|policies/.+)"
            r"|\.git/hooks/.+|\.pre-commit-config\.yaml|\.husky/.+|opencode\.jsonc?)$"
        ),
        Verb.GUARDRAIL_CHANGE,
        TargetClass.AGENT,
    ),
    (
        re.compile(
            r"(?:^|/)(?:claude(?:\.local)?\.md|agents\.md|gemini\.md|memory\.md|\.cursorrules|\.windsurfrules|\.clinerules"
            r"|\.github/copilot-instructions\.md|\.cursor/rules/.+|\.(?:claude|codex)/(?:memory|memories|agents|commands|skills|prompts)/.+)$"
        ),
        Verb.INSTRUCTIONS_WRITE,
        TargetClass.AGENT,
    ),
)


def enrich(event: Event) -> Event:
    """The event with its operations and MATCH keys. Enriching twice is enriching once.

    Shell commands are parsed wherever a record carries one, so that a verdict on a command and the call itself hold the
    same operations. A credential of which the log shows only a part is narrowed to one session or principal; what only
    says that there was no identifier is no key. MATCH keys
    have these kinds: `match` (verb, target and time bucket), `did` (verb and target of what a
    target saw changed, whatever the time), `holder` (a credential this event issued, exposed or used
    under a scope of its own), `sha` (a commit by its first digits), `user` (in whose home folder an agent made its call)
    and, for events without a scope, `record` (their record, whose events stand or fall together) and `agent` (the product
    they name); `record` also where the scope is a connection's.
    """
    operations = event.operations or _operations(event)
    kept = tuple([key for key in with_masks(event) if key.role is not KeyRole.MATCH and not hollow(key)])
    made = replace(event, operations=operations, target=_target(event), keys=kept)
    made.keys = kept + match_keys(made)
    return made


def accept_uses(events: Sequence[Event]) -> None:
    """Note on the uses of credentials whether they were let through, where another event of the same record says so."""
    uses = [e for e in events if e.kind is EventKind.CREDENTIAL and e.phase is Phase.USED and e.outcome is None]
    if not uses:
        return
    denied = any(e.decision is not None and e.decision.effect is Effect.DENY for e in events)
    allowed = any(e.decision is not None and e.decision.effect is Effect.ALLOW and e.vantage is Vantage.ENFORCER for e in events)
    seen = [e for e in events if e.kind is EventKind.EFFECT and e.phase is Phase.OBSERVED]
    done = [e.outcome.effect for e in seen if e.outcome is not None and e.outcome.effect is not Tri.UNKNOWN]
    done += [Tri.YES for e in seen if e.outcome is None]
    if denied or done or allowed:
        for use in uses:
            use.attrs = {**use.attrs, "accepted": not denied and Tri.NO not in done}


def _operations(event: Event) -> tuple[Operation, ...]:
    command = event.attrs.get("command")
    if event.verb is Verb.EXEC and isinstance(command, str) and command.strip():
        return parse(command).operations if len(command) <= MAX_COMMAND else _UNPARSED
    if event.verb in _WRITES:
        path = event.attrs.get("path") or event.target.name
        if isinstance(path, str) and (found := path_operation(path)):
            return (found,)
    return ()


@lru_cache(maxsize=4096)
def path_operation(path: str) -> Operation | None:
    """What writing this path means beyond writing a file: a pipeline, a guardrail or the agent's own instructions changed."""
    text = path.replace("\\", "/").casefold()[-500:]
    for pattern, verb, cls in _PATHS:
        if pattern.search(text):
            return Operation(verb, Target(cls, path), text=path)
    return None


def _target(event: Event) -> Target:
    """A request's host where the importer left the target open."""
    if event.target.cls is TargetClass.UNKNOWN and not event.target.name and event.verb in (Verb.HTTP_REQUEST, Verb.NET_CONNECT):
        host = host_name(str(event.attrs.get("url") or ""))
        return Target(TargetClass.NETWORK, host, event.target.detail) if host else event.target
    return event.target
