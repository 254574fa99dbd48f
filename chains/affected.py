"""Which earlier events must be placed again when new ones arrive: never too few, seldom too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from chains.attribution import REFERENCES
from chains.facts import OrgFacts
from chains.infer import SLACK
from chains.match import match_names, values_of
from chains.reach import is_call, names_connection, prints
from chains.runs import asked_names
from chains.words import WORDS_REACH
from model.event import Key
from model.evidence import CONNECTIONS, EventIndex, Stub
from model.words import KeyRole, Verb

EVERY = 100_000
"""Carriers of one key that are looked at: a key that has just become hot must still release whom it placed."""

_TOGETHER = 200
"""Keys asked for in one go."""

_TASKS = frozenset({KeyRole.SCOPE, KeyRole.PARENT})
"""What a sub-agent's records say of who acts counts for its parent too."""


def affected(new: Sequence[Stub], index: EventIndex, facts: OrgFacts, skews: Mapping[str, int] | None = None) -> list[Stub]:
    """The new events and every event whose attribution they may change, sorted by id.

    The index must hold the new events already; they may be asked about in parts. What changes the strongest scope key of
    a whole task is not looked for here: the store moves such a task as one.
    """
    drift = max((abs(skew) for skew in (skews or {}).values()), default=0)
    window = max(facts.org.inference_window_seconds * 1_000_000, WORDS_REACH)
    search = _Search(index, {stub.id for stub in new}, window + SLACK + 2 * drift, drift)
    wave = search.take(sorted(new, key=lambda s: s.id))
    while wave:
        wave = search.spread(wave)
    return [search.seen[id] for id in sorted(search.seen)]


class _Search:
    """Follows keys from event to event, as attribution does, but in the other direction; one wave after the other."""

    def __init__(self, index: EventIndex, new: set[str], reach: int, drift: int) -> None:
        self.index = index
        self.new = new
        self.reach = reach
        self.drift = drift
        self.seen: dict[str, Stub] = {}
        self._asked: set[str] = set()

    def take(self, stubs: Iterable[Stub]) -> list[Stub]:
        """Those of these events that were not met before."""
        fresh = {stub.id: stub for stub in stubs if stub.id not in self.seen}
        self.seen.update(fresh)
        return list(fresh.values())

    def spread(self, wave: Sequence[Stub]) -> list[Stub]:
        """The events that what these say of their keys may move: those with a scope of their own only over a call."""
        calls = {key.name for stub in wave for key in stub.keys if key.role is KeyRole.CALL}
        names = {name for stub in wave for name in self._names(stub)}
        scopes = {key.name for stub in wave if self._tells(stub) for key in stub.keys if key.role in _TASKS}
        names |= {name for stub in wave if stub.id in self.new for name in _joined(stub)}
        asked: set[str] = set()
        while scopes:
            # One task may go by several scope keys; an event that carries two of them says so.
            aliases: set[str] = set()
            for stub in self._carriers(scopes):
                aliases.update(key.name for key in stub.keys if key.role is KeyRole.SCOPE)
                names.update(key.name for key in stub.keys if _leads(stub, key))
                if is_call(stub) or prints(stub):
                    names.update(self._buckets(stub))
                    asked.update(key.name for key in stub.keys if key.role is KeyRole.CALL)
            scopes = aliases - self._asked
        # What a call printed may stand in another session's log, as where a session was forked.
        beside = self.index.carrying(sorted(asked), EVERY, self.seen) if asked else {}
        names.update(name for stubs in beside.values() for stub in stubs if prints(stub) for name in self._buckets(stub))
        found = list(self._carriers(calls))
        near = list(self._carriers(names - calls))
        # Who carries another name of the same credential looks here too.
        near += self._carriers({name for stub in near for name in _credentials(stub) if names.intersection(_credentials(stub))})
        found += [stub for stub in near if not _scoped(stub) or names_connection(stub)]
        # Whose the calls on a connection are says whose its opening is, and no more of one another.
        over = {key.name for stub in wave if names_connection(stub) for key in stub.keys if key.role is KeyRole.SCOPE}
        found += [stub for stub in self._carriers(over) if stub.verb is not Verb.MCP_CALL]
        return self.take(found)

    def _tells(self, stub: Stub) -> bool:
        """Whether a new event says of its whole task who acts in it or whose sub-agent it is: that counts for all its calls."""
        return stub.id in self.new and (bool(stub.principal) or any(key.role is KeyRole.PARENT for key in stub.keys))

    def _names(self, stub: Stub) -> Iterator[str]:
        for key in stub.keys:
            if _leads(stub, key):
                yield key.name
            elif key.role in (KeyRole.CREDENTIAL, KeyRole.VIA):
                yield f"holder:{key.name}"
        if _scoped(stub) or stub.id in self.new:
            yield from self._buckets(stub)
            yield from asked_names(stub, self.drift)

    def _buckets(self, stub: Stub) -> list[str]:
        return match_names(sorted(values_of(stub.keys)), stub.at, self.reach) if stub.at is not None else []

    def _carriers(self, names: Iterable[str]) -> Iterator[Stub]:
        """Events that carry any of these keys; no key is asked for twice."""
        wanted = sorted(set(names) - self._asked)
        self._asked.update(wanted)
        for start in range(0, len(wanted), _TOGETHER):
            for stubs in self.index.carrying(wanted[start : start + _TOGETHER], EVERY, self.seen).values():
                yield from stubs


def _joined(stub: Stub) -> list[str]:
    """The connections whose session an event tells: whoever names one of them may have been placed without that."""
    scopes = [key for key in stub.keys if key.role is KeyRole.SCOPE]
    return [key.name for key in scopes if key.kind in CONNECTIONS] if len(scopes) > 1 else []


def _scoped(stub: Stub) -> bool:
    return any(key.role is KeyRole.SCOPE for key in stub.keys)


def _credentials(stub: Stub) -> list[str]:
    return [key.name for key in stub.keys if key.role is KeyRole.CREDENTIAL]


def _leads(stub: Stub, key: Key) -> bool:
    """Whether others are placed by what this event says of a key; a mere unscoped use of a credential places nobody."""
    if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA):
        holds = any(k.kind == "holder" and k.value == key.name for k in stub.keys)
        return holds or (key.role is KeyRole.CREDENTIAL and len(_credentials(stub)) > 1)
    if key.role is KeyRole.REFERENCE:
        return key.kind in REFERENCES
    return key.role is KeyRole.MATCH and key.kind in ("sha", "record")
