"""Why the events of a task stand together: every link is drawn here, each pair of records once per key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chains.grouping import Group
from chains.heads import owns
from chains.held import Held
from model.chain import Link
from model.event import Event
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage


class Drawing:
    """Collects links; of two between the same records under the same key the first stays."""

    def __init__(self, events: Sequence[Event], known: Iterable[Link]) -> None:
        self.record = {event.id: event.record or event.id for event in events}
        self.links: list[Link] = []
        self._seen: set[tuple[str, str, str]] = set()
        for link in sorted(known, key=lambda k: (k.target, k.source, k.key)):
            self.draw(link)

    def draw(self, link: Link) -> None:
        ends = (self.record.get(link.source, link.source), self.record.get(link.target, link.target))
        if ends[0] != ends[1] and (*ends, link.key) not in self._seen:
            self._seen.add((*ends, link.key))
            self.links.append(link)

    # -- exact: the same identifier in both

    def within(self, group: Group) -> None:
        """Call keys inside a step: from the agent's call, else from the first event that carries the key."""
        first: dict[str, Event] = {}
        for event in ([group.call] if group.call else []) + group.events:
            for key in event.keys:
                if key.role is not KeyRole.CALL:
                    continue
                opener = first.setdefault(key.name, event)
                if opener is not event:
                    self.draw(Link(opener.id, event.id, LinkKind.EXACT, key.name))
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
        tied = {self.record[link.target] for link in exact if link.target in self.record}
        names = {key.name for key in opening.keys if key.role is KeyRole.SCOPE}
        for event in ordered:
            same_log = bool(agent) and (event.format, event.point) == (opening.format, opening.point)
            if same_log or self.record[event.id] in tied:
                continue
            shared = next((k.name for k in event.keys if k.role is KeyRole.SCOPE and k.name in names), "")
            if shared:
                self.draw(Link(opening.id, event.id, LinkKind.EXACT, shared))

    # -- derived: a credential's way from issuance to use

    def credentials(self, ordered: Sequence[Event], held: Held) -> None:
        """From a credential's issuance, or where that is not seen its exposure, to everything done with it.

        A point that logs a request and its answer names the credential in one of them; the link leads to both.
        """
        by_id = {event.id: event for event in ordered}
        answers: dict[tuple[str, str], list[Event]] = {}
        for event in ordered:
            for key in event.keys:
                if key.role is KeyRole.CALL and key.kind != "call":
                    answers.setdefault((event.point, key.name), []).append(event)
        for event in ordered:
            if event.phase is Phase.EXPOSED:
                continue
            same = [o for k in event.keys if k.role is KeyRole.CALL for o in answers.get((event.point, k.name), ())]
            for key in event.keys:
                made = held.named(key.name) if key.role in (KeyRole.CREDENTIAL, KeyRole.VIA) else None
                source = (made.issued_event or next((u.event for u in made.exposures), "")) if made else ""
                origin = by_id.get(source)
                if not source or (origin is not None and not any(k.name == key.name for k in origin.keys)):
                    continue
                for one in (event, *(same if event.phase is Phase.USED else ())):
                    self.draw(Link(source, one.id, LinkKind.DERIVED, key.name))
