"""Why the events of a task stand together: every link is drawn here, each pair of records once per key."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from chains.credentials import strength
from chains.groups import Group
from chains.heads import owns
from chains.held import Held
from chains.order import Ordered
from model.chain import Link
from model.event import Event, digest
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage


class Drawing:
    """Draws links; of two between the same records under the same key the first stays.

    `links` are all but those within a step, which whoever asks for them keeps.
    """

    def __init__(self, ordered: Ordered, known: Iterable[Link], held: Held) -> None:
        self.ordered = ordered
        self.held = held
        self.links: list[Link] = []
        self._tied = bytearray(len(ordered.events))
        """By place whether a call of the agent's own tells of the event."""
        self._seen: set[bytes] = set()
        for link in sorted((self._from_issuance(k) for k in known), key=lambda k: (k.target, k.source, k.key)):
            self._draw(link)

    def _from_issuance(self, link: Link) -> Link:
        """A credential issued in several logs has one beginning: the first of them."""
        made = self.held.named(link.key) if link.kind is LinkKind.DERIVED else None
        source = self._event(link.source)
        if made is None or source is None or source.phase is not Phase.ISSUED or link.target == made.issued_event:
            return link
        first = self._event(made.issued_event)
        return replace(link, source=first.id) if first is not None and _carries(first, link.key) else link

    def _event(self, id: str) -> Event | None:
        return self.ordered.by_id.get(id)

    def _draw(self, link: Link) -> None:
        source, target = self._event(link.source), self._event(link.target)
        if self._first(_record(source, link.source), _record(target, link.target), link.key):
            self.links.append(link)
            if target is not None and link.kind is LinkKind.EXACT and source is not None and _calls(source):
                self._tied[self.ordered.position[target.id]] = True

    def _first(self, one: str, other: str, key: str) -> bool:
        """Whether no link has been drawn between these records under this key."""
        if one == other:
            return False
        mark = bytes.fromhex(digest(one, other, key)[:24])
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True

    # -- exact: the same identifier in both

    def within(self, group: Group) -> list[Link]:
        """Call keys inside a step: from the agent's call, else from the first event that carries the key; then what was inferred."""
        drawn: list[Link] = []
        carrying: dict[str, list[Event]] = {}
        for event in ([group.call] if group.call else []) + group.events:
            for key in event.keys:
                if key.role is KeyRole.CALL:
                    carrying.setdefault(key.name, []).append(event)
        inside = {event.id: (event, place) for event, place in zip(group.events, group.places, strict=True)}
        for name, events in carrying.items():
            opener = events[0]
            if opener is not group.call and len({e.point for e in events}) > 1:
                opener = next((e for e in events if owns(e)), opener)
            calls = _calls(opener)
            for event in events:
                if self._first(opener.record or opener.id, event.record or event.id, name):
                    drawn.append(Link(opener.id, event.id, LinkKind.EXACT, name))
                    self._tied[inside[event.id][1]] |= calls
        for link in group.links:
            (source, _), (target, _) = inside[link.source], inside[link.target]
            if self._first(source.record or source.id, target.record or target.id, link.key):
                drawn.append(link)
        return drawn

    def scopes(self) -> None:
        """From a task's opening to every record of another log that names the same scope and is tied by no call."""
        events = self.ordered.events
        own = next((e for e in events if owns(e) and e.vantage is Vantage.AGENT and e.phase is not Phase.ENDED), None)
        opening = own or next((e for e in events if owns(e) and e.kind is not EventKind.INTENT), None)
        if opening is None:
            return
        names = {key.name for key in opening.keys if key.role is KeyRole.SCOPE}
        untied: list[tuple[str, Link]] = []
        for place, event in enumerate(events):
            same_log = own is not None and (event.format, event.point) == (opening.format, opening.point)
            if same_log or self._tied[place]:
                continue
            shared = next((k.name for k in event.keys if k.role is KeyRole.SCOPE and k.name in names), "")
            if shared:
                untied.append((event.record or event.id, Link(opening.id, event.id, LinkKind.EXACT, shared)))
        records = {record for record, _ in untied}
        if records:
            told = (e.record or e.id for e, tied in zip(events, self._tied, strict=True) if tied)
            records.difference_update(told)
        for record, link in untied:
            if record in records:
                self._draw(link)

    # -- derived: a credential's way from issuance to use

    def credentials(self) -> None:
        """From a credential's issuance, or where that is not seen its exposure, to everything done with it."""
        for event in self.ordered.events:
            if event.phase is Phase.EXPOSED:
                continue
            drawn: set[str] = set()
            keys = [key for key in event.keys if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA)]
            for key in sorted(keys, key=lambda k: strength(k.name)):
                made = self.held.named(key.name)
                source = (made.issued_event or next((u.event for u in made.exposures), "")) if made else ""
                origin = self._event(source) if source else None
                carried = origin is None or _carries(origin, key.name)
                if source and carried and source not in drawn:
                    drawn.add(source)
                    self._draw(Link(source, event.id, LinkKind.DERIVED, key.name))


def _record(event: Event | None, id: str) -> str:
    return (event.record or id) if event is not None else id


def _calls(event: Event) -> bool:
    """Whether an event is an action told by the agent's own log of this scope."""
    own = owns(event) and event.vantage is Vantage.AGENT and event.phase is not Phase.ENDED
    return own and event.kind is EventKind.ACTION


def _carries(event: Event, name: str) -> bool:
    return any(key.name == name for key in event.keys)
