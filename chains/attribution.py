"""Which task an event belongs to, and by which links: the stitching rules over the set of all events.

Nothing here reads where an event was put before. An event is placed by its own keys (rules 1 and 5); else the events
of its record are placed together, step by step from what is placed already: over a request, a credential, a commit, a
checkpoint, a pull request, a ticket (`HOPS` steps), then by inference, then over keys again from what was inferred. A use that led to
its credential's holder is another task's where that task alone called for it. The answer for an
event therefore depends on the set of events alone, in whatever order or pieces they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chains.connections import CONNECTION, Unit, opened
from chains.credentials import endless
from chains.facts import OrgFacts
from chains.infer import Inference
from chains.masked import MASKED
from chains.match import SHA
from chains.memory import in_time
from chains.reach import HOT, Place, Reach, is_call, task_id
from chains.runs import Runs
from chains.seen import Unknown
from chains.words import apart, word_names
from model.chain import Link
from model.event import Key
from model.evidence import Attribution, EventIndex, Stub
from model.words import EventKind, KeyRole, LinkKind, Phase

__all__ = ["HOPS", "HOT", "attribute", "task_id"]

HOPS = 3
"""So many keys may lie between an event and one that names its scope, before an inference and again after it."""

ISSUE_WINDOW = 3_600_000_000
"""Microseconds around its uses within which an issuance belongs to the task that uses the credential: one hour. An older
credential was not issued for the task; it is its standing credential."""

CHECKPOINT = "entire.checkpoint"
ASKED = "access.request"
REMOTE_RUN = "terraform.run"
REFERENCES = frozenset({"pr", "ticket", CHECKPOINT, ASKED, REMOTE_RUN})
"""Kinds of REFERENCE keys that lead to a task by name; commits do by their first digits."""

_CLASSES = ("request", "credential", "via", "commit", CHECKPOINT, ASKED, "run", "pr", REMOTE_RUN, "ticket")
_ISSUE_CLASSES = ("request", "via", "credential", "commit", CHECKPOINT, ASKED, "run", "pr", REMOTE_RUN, "ticket")


def attribute(
    stubs: Sequence[Stub], index: EventIndex, facts: OrgFacts, skews: Mapping[str, int] | None = None
) -> list[Attribution]:
    """Task and links of each event, in the order given; task "" is unattributed.

    `index` must answer for all events of the store; `skews` is the clock skew by point in microseconds. One call gives
    the final answer for its events. `chains.affected` names the earlier events whose answer new ones may change.
    """
    resolver = Resolver(index, facts, skews or {})
    placed = zip(stubs, resolver.places(stubs), resolver.apart(stubs), strict=True)
    return [Attribution(stub.id, *place, away) for stub, place, away in placed]


class Resolver:
    """Places events of one index; keeps what it has read, so that it serves one call."""

    def __init__(self, index: EventIndex, facts: OrgFacts, skews: Mapping[str, int]) -> None:
        self.reach = Reach(index)
        self.facts = facts
        self.inference = Inference(self.reach, facts, skews)
        self.runs = Runs(self.reach, skews, facts.org.inference_threshold)
        self._units: dict[str, Unit] = {}
        self._kinds: dict[str, str] = {}
        self._listened: dict[str, tuple[Sequence[Stub], list[Stub]]] = {}
        self._acted: dict[str, list[tuple[Stub, str]]] = {}

    def places(self, stubs: Sequence[Stub]) -> list[Place]:
        self.reach.fetch(key.name for stub in stubs for key in stub.keys if key.role is KeyRole.CALL)
        open_stubs = [stub for stub in stubs if self.reach.direct(stub) is None]
        placed = self._resolve(self._closure(open_stubs))
        return [self.reach.direct(stub) or _at(placed.get(self._unit_id(stub)), stub) for stub in stubs]

    def acted(self, name: str) -> list[tuple[Stub, str]]:
        """The events under a key that did something, CI's turns aside, each with the task it belongs to, "" for none."""
        found = self._acted.get(name)
        if found is None:
            doers = [
                stub
                for stub in self.reach.carriers(name)
                if stub.kind in (EventKind.ACTION, EventKind.EFFECT) and stub.phase not in (Phase.STARTED, Phase.ENDED)
            ]
            doers = [stub for stub in doers if self._scope_kind(stub) != "ci.job"]
            found = [(stub, place[0]) for stub, place in zip(doers, self.places(doers), strict=True)]
            self._acted[name] = found
        return found

    def apart(self, stubs: Sequence[Stub]) -> list[int | None]:
        """How far the clock of each event's point stands from that of the one call that says the same; see `chains.words`."""
        self.reach.fetch(name for stub in stubs for name in word_names(stub))
        return [apart(stub, self.reach) for stub in stubs]

    def _unit_id(self, stub: Stub) -> str:
        """The record, whose events are placed together; the event itself where it is not filed under it, or too many are."""
        filed = any(key.role is KeyRole.MATCH and key.kind == "record" for key in stub.keys)
        return stub.record if filed and self.reach.carriers(f"record:{stub.record}") else stub.id

    # -- what is to be placed, and what it may hang on

    def _closure(self, stubs: Iterable[Stub]) -> list[Unit]:
        """The units of these events and of all unplaced events their answer can depend on."""
        wanted = self._gather(stubs)
        for _ in range(2 * HOPS + 1):
            self.reach.fetch(name for unit in wanted for names in unit.names.values() for name in names)
            near = (
                stub for unit in wanted for names in unit.names.values() for name in names for stub in self.reach.carriers(name)
            )
            wanted = self._gather(near)
            if not wanted:
                break
        return [self._units[id] for id in sorted(self._units)]

    def _gather(self, stubs: Iterable[Stub]) -> list[Unit]:
        """Make units of the events that have none yet."""
        loose = {stub.id: stub for stub in stubs if self.reach.direct(stub) is None}
        self.reach.fetch(f"record:{stub.record}" for stub in loose.values() if stub.record)
        made = []
        for stub in loose.values():
            id = self._unit_id(stub)
            if id in self._units:
                continue
            members = {s.id: s for s in self.reach.carriers(f"record:{stub.record}")} if id == stub.record else {}
            members[stub.id] = stub
            mine = [members[one] for one in sorted(members) if self.reach.direct(members[one]) is None]
            names = self._names(mine)
            if runs := self.runs.names(mine):
                names["run"] = runs
            self._units[id] = Unit(id, mine, names)
            made.append(self._units[id])
        return made

    def _names(self, stubs: Sequence[Stub]) -> dict[str, list[str]]:
        """Names by class, sorted, those the events carry themselves before a credential's other names.

        A use without scope of its own says nothing of other uses; of a fresh issuance it does, once it is placed itself.
        """
        names: dict[str, set[tuple[bool, str]]] = {}
        if all(self.reach.connected(stub) for stub in stubs):
            # What goes over a connection is somebody's call, or the connection's own.
            asked = sorted({key.name for stub in stubs for key in stub.keys if key.role is KeyRole.CALL})
            over = sorted({key.name for stub in stubs for key in stub.keys if key.role is KeyRole.SCOPE})
            return {"request": asked, CONNECTION: over} if asked else {CONNECTION: over}
        issues = any(stub.phase in (Phase.ISSUED, Phase.RENEWED) for stub in stubs)
        for stub in stubs:
            for key in stub.keys:
                if key.role is KeyRole.CALL:
                    names.setdefault("request", set()).add((False, key.name))
                elif key.role in (KeyRole.CREDENTIAL, KeyRole.VIA) and key.kind != MASKED:
                    held = {(name != key.name, f"holder:{name}") for name in self._aliases(key)}
                    # What a record that issues one credential says to have used is what it was asked for with.
                    used = key.role is KeyRole.VIA or (issues and stub.phase not in (Phase.ISSUED, Phase.RENEWED))
                    names.setdefault("via" if used else "credential", set()).update(held)
                    if issues and not used:
                        names["credential"].add((True, key.name))
                elif key.role is KeyRole.REFERENCE and key.kind in REFERENCES:
                    names.setdefault(key.kind, set()).add((False, key.name))
                elif key.role is KeyRole.MATCH and key.kind == "sha":
                    names.setdefault("commit", set()).add((False, key.name))
        return {cls: list(dict.fromkeys(name for _, name in sorted(found))) for cls, found in names.items()}

    def _aliases(self, key: Key) -> set[str]:
        """All names under which the credential is known to events that carry this one."""
        names = {key.name}
        for stub in self.reach.carriers(key.name):
            theirs = [k.name for k in stub.keys if k.role is KeyRole.CREDENTIAL]
            if key.name in theirs:
                names.update(theirs)
        return names

    # -- placing

    def _resolve(self, units: Sequence[Unit]) -> dict[str, Place]:
        placed: dict[str, Place] = {}
        self._derive(units, placed)
        if borrowed := self._borrowed(units, placed):
            # What answers such a use follows it.
            placed = dict(borrowed)
            self._derive(units, placed)
        # A ticket or a pull request is the whole family's: which of its agents acted is for the act itself to say.
        told = {unit.id: placed[unit.id][0] for unit in units if unit.id in placed and _family_only(placed[unit.id])}
        rest = [unit for unit in units if unit.id not in placed or unit.id in told]
        unknown = [Unknown(unit.id, unit.stubs, frozenset() if unit.id in told else self._holders(unit, placed)) for unit in rest]
        self.reach.fetch(name for one in unknown for name in self.inference.names(one))
        inferred = {one.id: found for one in unknown if (found := self._infer(one, told.get(one.id, ""))) is not None}
        for id, (task, link) in inferred.items():
            placed[id] = task, (*(placed[id][1] if told.get(id) == task else ()), link)
        # What answers a call follows it before a connection that nobody's call is known of becomes a task.
        self._derive([unit for unit in units if self._connection(unit)], placed, late=True)
        placed |= opened(units, placed, self.reach, self._unit_id)
        for unit in units:
            if unit.id not in placed and (own := self._connection(unit)):
                placed[unit.id] = own, ()
        self._derive(units, placed, late=True)
        return placed

    def _borrowed(self, units: Sequence[Unit], placed: Mapping[str, Place]) -> dict[str, Place]:
        """The uses of a credential that led to its holder over that credential alone, and that another task's call tells of.

        A credential says who was given it, not who acts: two tasks that use one are a finding and no join.
        """
        uses: dict[str, tuple[Unknown, str]] = {}
        for unit in units:
            if unit.id in placed and not unit.issues:
                task, links = placed[unit.id]
                held = {name.removeprefix("holder:") for name in unit.names.get("credential", ())}
                if any(link.kind is LinkKind.DERIVED and link.key in held for link in links):
                    uses[unit.id] = Unknown(unit.id, unit.stubs, frozenset()), task
        self.reach.fetch(name for one, _ in uses.values() for name in self.inference.names(one))
        found = {id: self.inference.user(one, holder) for id, (one, holder) in uses.items()}
        return {id: (one[0], (one[1],)) for id, one in found.items() if one is not None}

    def _connection(self, unit: Unit) -> str:
        """The task of the connection that a unit's events name, "" where they name none."""
        return next((self.reach.scope_task(stub) for stub in unit.stubs if self.reach.connected(stub)), "")

    def _infer(self, unknown: Unknown, family: str) -> tuple[str, Link] | None:
        """By the CI runs its subject may speak of, else by what the agents called for."""
        run = None if family else self.runs.inferred(unknown.stubs, unknown.holders)
        return run or self.inference.judge(unknown, family)

    def _derive(self, units: Sequence[Unit], placed: dict[str, Place], *, late: bool = False) -> None:
        """Rounds of derivation; each round sees only what the rounds before it placed.

        What was issued by means of a standing key may be anybody's who has that key: it waits until what was issued has
        said by its own uses whose it is.
        """
        for _ in range(HOPS):
            new = {
                unit.id: found
                for unit in units
                if unit.id not in placed and (late or not _waits(unit)) and (found := self._over_keys(unit, placed)) is not None
            }
            if not new:
                return
            placed.update(new)

    def _over_keys(self, unit: Unit, placed: Mapping[str, Place]) -> Place | None:
        """The first class of keys that leads to exactly one task; an ambiguous class narrows what later ones may say."""
        allowed: set[str] | None = None
        for cls in _ISSUE_CLASSES if unit.issues and not _waits(unit) else _CLASSES:
            if cls == "run":
                run = self.runs.derived(unit.stubs)
                if run is not None and (allowed is None or run[0] in allowed):
                    return run[0], (run[1],)
                continue
            tasks = self._tasks(unit, cls, placed)
            if allowed is not None:
                tasks = {task: found for task, found in tasks.items() if task in allowed}
            if len(tasks) == 1:
                ((task, (other, name)),) = tasks.items()
                return task, (self._link(unit, cls, other, name),)
            if tasks:
                allowed = set(tasks)
        return None

    def _tasks(self, unit: Unit, cls: str, placed: Mapping[str, Place]) -> dict[str, tuple[Stub, str]]:
        """Tasks a class of keys leads to, each with the event that says so: the issuance first, then the earliest.

        A credential is held by the task it was issued to or exposed in; only where neither is seen, by those that used it. What a task and its sub-agents share is the task's.
        """
        found: dict[str, tuple[Stub, str]] = {}
        holders: set[str] = set()
        for name in unit.names.get(cls, ()):
            speakers = self._speakers(name)
            self.reach.fetch(f"record:{other.record}" for other in speakers if other.record)
            for other in speakers:
                id = self._unit_id(other)
                place = self.reach.direct(other) or placed.get(id)
                if place is not None and place[0] and id != unit.id and self._counts(unit, cls, other):
                    found.setdefault(place[0], (other, name))
                    if _gives(other, name):
                        holders.add(place[0])
        if cls in ("credential", "via") and holders:
            found = {task: one for task, one in found.items() if task in holders}
        if len(found) > 1 and cls != "request":
            found = {task: one for task, one in found.items() if not self.reach.ancestors(task).intersection(found)}
        if cls in ("commit", "pr") and found:
            later = self._runs_before(unit, cls)
            found = {task: one for task, one in found.items() if task not in later}
        if cls in ("commit", "pr") and len(found) > 1:
            agents = {task: one for task, one in found.items() if self._scope_kind(one[0]) != "ci.job"}
            found = agents or found
        return found

    def _speakers(self, name: str) -> list[Stub]:
        """The events that carry a key, in the order in which they are listened to."""
        held = self._listened.get(name)
        carriers = self.reach.carriers(name)
        if held is None or held[0] is not carriers:
            held = self._listened[name] = carriers, sorted(carriers, key=_speaks_first)
        return held[1]

    def _counts(self, unit: Unit, cls: str, other: Stub) -> bool:
        """Whether an event's word on a key of this class places others."""
        if cls == "credential" and unit.issues:
            times = [stub.at for stub in unit.stubs if stub.at is not None]
            return bool(times) and other.at is not None and abs(other.at - times[0]) <= ISSUE_WINDOW
        if cls in ("commit", "pr"):
            if other.kind not in (EventKind.ACTION, EventKind.EFFECT) or other.phase in (Phase.STARTED, Phase.ENDED):
                return False
            return cls == "pr" or _same_commit(unit, other)
        if cls == "ticket":
            if self.reach.direct(other) is None:
                return False
            names = {self.facts.identity(s.principal) for s in unit.stubs if s.principal and s.kind is not EventKind.INTENT}
            known = self.inference.principals(other)
            if names and not known:
                return self._by_one(unit, names, other)
            return not names or bool(names & known)
        return True

    def _by_one(self, unit: Unit, names: set[str], other: Stub) -> bool:
        """Whether nobody else acted on a ticket of which an agent speaks that does not say who it is: on all of it, else at the time of its call."""
        points = {stub.point for stub in unit.stubs}
        acts = [s for name in unit.names.get("ticket", ()) for s in self.reach.carriers(name) if s.kind is EventKind.EFFECT]
        others = [s for s in acts if s.point in points and s.principal and self.facts.identity(s.principal) not in names]
        if not others:
            return True
        during = self.inference.during(other)
        return any(during(stub) for stub in unit.stubs) and not any(during(stub) for stub in others)

    def _runs_before(self, unit: Unit, cls: str) -> set[str]:
        """The CI runs that had not begun when this was done, as far as they speak of its commit: it may have led to them, they did not do it."""
        done = max((self.runs.moment(stub) for stub in unit.stubs if stub.at is not None), default=None)
        begun: dict[str, int] = {}
        for other in (one for name in unit.names.get(cls, ()) for one in self._speakers(name)):
            if other.at is not None and self._scope_kind(other) == "ci.job" and (place := self.reach.direct(other)):
                begun[place[0]] = min(self.runs.moment(other), begun.get(place[0], self.runs.moment(other)))
        return {run for run, at in begun.items() if done is not None and done < at}

    def _holders(self, unit: Unit, placed: Mapping[str, Place]) -> frozenset[str]:
        return frozenset(self._tasks(unit, "credential", placed)) | frozenset(self._tasks(unit, "via", placed))

    def _scope_kind(self, stub: Stub) -> str:
        key = self.reach.scope(stub)
        return self.reach.root(key.name).partition(":")[0] if key else ""

    def _link(self, unit: Unit, cls: str, other: Stub, name: str) -> Link:
        """The link from what was known to the unit, under the name both carry; its own end is set per event."""
        if cls in ("credential", "via"):
            name = name.removeprefix("holder:")
        if cls == "commit":
            name = next(k.name for s in unit.stubs for k in s.keys if k.kind == "commit" and k.value[:SHA] == name[4:])
        kind = LinkKind.EXACT if cls == "request" else LinkKind.DERIVED
        carrier = next((s for s in unit.stubs if any(k.name == name for k in s.keys)), unit.stubs[0])
        first = in_time(carrier) < in_time(other)
        backwards = cls == "credential" and unit.issues and (other.phase is not Phase.ISSUED or first)
        if backwards or (cls == "request" and other.point == carrier.point and first):
            return Link(carrier.id, other.id, kind, name)
        return Link(other.id, carrier.id, kind, name)


def _at(place: Place | None, stub: Stub) -> Place:
    """The unit's place as seen from one of its events: the link stands with the event that carries the key."""
    if place is None:
        return "", ()
    task, links = place
    return task, tuple(link for link in links if stub.id in (link.source, link.target))


def _waits(unit: Unit) -> bool:
    """Whether what this issued was asked for with a key that never expires."""
    return unit.issues and any(endless(name.removeprefix("holder:")) for name in unit.names.get("via", ()))


def _family_only(place: Place) -> bool:
    """Whether only a ticket, a pull request or a run elsewhere led there."""
    return any(link.key.startswith(("ticket:", "pr:", f"{REMOTE_RUN}:")) for link in place[1])


def _gives(stub: Stub, name: str) -> bool:
    """Whether an event issued or exposed the credential of this name; one that issued another by means of it only used it."""
    own = name.removeprefix("holder:")
    return stub.phase in (Phase.ISSUED, Phase.EXPOSED) and any(k.role is KeyRole.CREDENTIAL and k.name == own for k in stub.keys)


def _speaks_first(stub: Stub) -> tuple[bool, bool, bool, int, str]:
    issues = stub.phase is Phase.ISSUED
    return not issues, stub.phase is not Phase.EXPOSED and not is_call(stub), stub.at is None, stub.at or 0, stub.id


def _same_commit(unit: Unit, other: Stub) -> bool:
    mine = [k.value for s in unit.stubs for k in s.keys if k.role is KeyRole.REFERENCE and k.kind == "commit"]
    theirs = [k.value for k in other.keys if k.role is KeyRole.REFERENCE and k.kind == "commit"]
    return any(a.startswith(b) or b.startswith(a) for a in mine for b in theirs)
