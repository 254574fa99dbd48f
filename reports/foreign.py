"""What of a state came from outside: names of people and all other texts, for whoever leaves them out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reports.input import PackInput
from reports.overrides import Override
from reports.text import EXCERPT

SAFE = re.compile(r"(?:hash:[0-9a-f]{16}|[0-9a-f]{16,}|[a-z]+-[0-9a-f]{12,}|\d{4}-\d\d-\d\dT[0-9:.]+Z|\*|)")
MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
HOME = re.compile(
    r"(?i)(?<=[/\\]home[/\\])[^/\\\s\"'`:;,()]+|(?<=[/\\]users[/\\])[^/\\\s\"'`:;,()]+|(?<=-home-)[^-/\\\s]+|(?<=-users-)[^-/\\\s]+"
)


def cut(text: str) -> tuple[str, ...]:
    """A text and its beginnings as a report prints them."""
    return tuple({text, text[:160], text[:EXCERPT]})


def people(given: PackInput, more: Iterable[str] = ()) -> Iterator[tuple[str, str]]:
    """(spelling, whole name), casefolded, of every identity the state knows; the parts of a mail address speak for it."""
    org = given.org
    aliases = {a.casefold(): name.casefold() for name, names in (org.identities.items() if org else ()) for a in (name, *names)}
    systems = {t.agent.casefold() for t in given.tasks} | {c.point.casefold() for c in given.coverage}
    systems |= {s.format.casefold() for s in given.sources} | {"", "*", "unknown", "system"}
    named = {n.casefold() for n in (*_names(given), *more)} | set(aliases)
    for source in (*(c.path for c in given.custody), *(s.name for s in given.sources)):
        named |= {m.group().casefold() for m in HOME.finditer(source)}
        named |= {m.group().casefold() for m in MAIL.finditer(source)}
    parts: dict[str, set[str]] = {}
    for name in sorted(named - systems):
        whole = aliases.get(name, name)
        parts.setdefault(name, set()).add(whole)
        local, at, _ = name.partition("@")
        if at:
            for part in {local, *re.split(r"[._+]", local)}:
                if len(part) > 2 and part not in systems:
                    parts.setdefault(part, set()).add(whole)
    for part, wholes in sorted(parts.items()):
        # What stands for several people is a name of its own.
        yield part, min(wholes) if len(wholes) == 1 else part


def _names(given: PackInput) -> Iterator[str]:
    for task in given.tasks:
        yield from (task.principal, task.on_behalf_of)
    for verdict in given.verdicts:
        yield from (verdict.reviewer, verdict.by)
    for exception in given.exceptions:
        yield from (exception.owner, exception.by)
    for remedy in given.remedies:
        yield from (remedy.owner, remedy.by)
    yield from (a.who for a in given.attestations)
    yield from (s.who for s in given.sign_offs)
    yield from (p.author for p in given.policies)
    yield from (c.by for c in given.custody)
    yield from (c.by for c in given.classifications)
    yield from (c.subject for c in given.credentials)


def authors(overrides: Sequence[Override]) -> Iterator[str]:
    """Who stands behind own readings of frameworks, and who classified the system in them."""
    yield from (one.by for one in overrides)
    yield from (c.classification.by for one in overrides for c in one.frameworks.values() if c.classification is not None)


def sentences(overrides: Sequence[Override]) -> Iterator[str]:
    """What own readings say of controls in place of our sentences: a name may stand in them."""
    for one in overrides:
        for changes in one.frameworks.values():
            yield from (text for said in changes.sentences.values() for text in (said.shows, said.does_not_show) if text)


def texts(given: PackInput, overrides: Sequence[Override] = ()) -> Iterator[str]:
    """Every text of the state that came from outside and is no id, word of ours, or too short to be told from one."""
    parts: list[Any] = [given.organisation, given.system, *_names(given), *authors(overrides)]
    parts += [(one.reason, [list(c.not_in_scope.values()) for c in one.frameworks.values()]) for one in overrides]
    parts += [list(d.params.values()) for d in given.detections if d.own]
    parts += [(t.title, t.agent, t.repository, t.environment, t.ticket, t.project, list(t.owners)) for t in given.tasks]
    parts += [(s.name, list(s.points), s.note, list(s.reject_reasons)) for s in given.sources]
    parts += [(c.point, c.scope) for c in given.coverage]
    parts += [(d.point,) for d in given.delivered]
    parts += [(c.issuer, c.kind, list(c.scope)) for c in given.credentials]
    parts += [(p.name,) for p in given.policies]
    parts += [(e.ticket, e.where) for e in given.exceptions]
    parts += [(r.cause, r.closure) for r in given.remedies]
    parts += [(c.path,) for c in given.custody]
    if given.org is not None:
        parts += [(p.id, p.scope) for p in given.org.enforcement_points]
        parts += [(r.match, r.owner, r.environment, r.project) for r in given.org.resources]
        parts += [(name, list(names)) for name, names in given.org.identities.items()]
        parts += [[e.reason for e in held] for held in given.org.exclusions.values()]
        parts += [[v for name, v in held.items() if name != "severity"] for held in given.org.detections.values()]
    pending = parts
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            if len(one) > 2 and not SAFE.fullmatch(one):
                yield from cut(one)
        elif isinstance(one, dict):
            pending.extend(one.values())
        elif isinstance(one, list | tuple | set | frozenset):
            pending.extend(one)
