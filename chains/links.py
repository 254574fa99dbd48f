"""Why the events of a task stand together: every link is drawn here, each pair of records once per key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from chains.credentials import strength
from chains.grouping import Group
from chains.heads import owns
from chains.held import Held
from model.chain import Link
from model.event import Event
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage


class Drawing:
    """Collects links; of two between the same records under the same key the first stays."""

    def __init__(self, events: Sequence[Event], known: Iterable[Link], held: Held) -> None:
        self.events = {event.id: event for event in events}
        self.held = held
        self.links: list[Link] = []
        self._seen: set[tuple[str, str, str]] = set()
        for link in sorted((self._from_issuance(k) for k in known), key=lambda k: (k.target, k.source, k.key)):
            self.draw(link)

    def record(self, event: str) -> str:
        known = self.events.get(event)
        return known.record or event if known is not None else event

    def _from_issuance(self, link: Link) -> Link:
        """A credential issued in several logs has one beginning: the first of them."""
        made = self.held.named(link.key) if link.kind is LinkKind.DERIVED else None
        source = self.events.get(link.source)
        if made is None or source is None or source.phase is not Phase.ISSUED or link.target == made.issued_event:
            return link
        first = self.events.get(made.issued_event)
        return replace(link, source=first.id) if first is not None and _carries(first, link.key) else link

    def draw(self, link: Link) -> None:
        ends = (self.record(link.source), self.record(link.target))
        if ends[0] != ends[1] and (*ends, link.key) not in self._seen:
            self._seen.add((*ends, link.key))
            self.links.append(link)

    # -- exact: the same identifier in both

    def within(self, group: Group) -> None:
        """Call keys inside a step: from the agent's call, else from the first event that carries the key."""
        carrying: dict[str, list[Event]] = {}
        for event in ([group.call] if group.call else []) + group.events:
            for key in event.keys:
                if key.role is KeyRole.CALL:
                    carrying.setdefault(key.name, []).append(event)
        for name, events in carrying.items():
            opener = events[0]
            if opener is not group.call and len({e.point for e in events}) > 1:
                opener = next((e for e in events if owns(e)), opener)
            for event in events:
                self.draw(Link(opener.id, event.id, LinkKind.EXACT, name))
        for link in group.links:
            self.draw(link)

    def scopes(self, ordered: Sequence[Event]) -> None:
        """From a task's opening to every record of another log that names the same scope and is tied by no call."""
        agent = [e for e in ordered if owns(e) and e.vantage is Vantage.AGENT and e.phase is not Phase.ENDED]
        opening = next(iter(agent), None) or next((e for e in ordered if owns(e) and e.kind is not EventKind.INTENT), None)
        if opening is None:
            return
        called = {e.id for e in agent if e.kind is EventKind.ACTION}
        exact = [link for link in self.links if link.kind is LinkKind.EXACT and link.source in called]
        tied = {self.record(link.target) for link in exact}
        names = {key.name for key in opening.keys if key.role is KeyRole.SCOPE}
        for event in ordered:
            same_log = bool(agent) and (event.format, event.point) == (opening.format, opening.point)
            if same_log or self.record(event.id) in tied:
                continue
            shared = next((k.name for k in event.keys if k.role is KeyRole.SCOPE and k.name in names), "")
            if shared:
                self.draw(Link(opening.id, event.id, LinkKind.EXACT, shared))

    # -- derived: a credential's way from issuance to use

    def credentials(self, ordered: Sequence[Event]) -> None:
        """From a credential's issuance, or where that is not seen its exposure, to everything done with it."""
        for event in ordered:
            if event.phase is Phase.EXPOSED:
                continue
            drawn: set[str] = set()
            keys = [key for key in event.keys if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA)]
            for key in sorted(keys, key=lambda k: strength(k.name)):
                made = self.held.named(key.name)
                source = (made.issued_event or next((u.event for u in made.exposures), "")) if made else ""
                origin = self.events.get(source)
                carried = origin is None or _carries(origin, key.name)
                if source and carried and source not in drawn:
                    drawn.add(source)
                    self.draw(Link(source, event.id, LinkKind.DERIVED, key.name))


def _carries(event: Event, name: str) -> bool:
    return any(key.name == name for key in event.keys)
