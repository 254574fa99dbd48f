"""Inference: which agent's call a target's record may show, scored by named factors, with the rivals kept.

An inference is made only where a record and a call name the same verb and target within the organisation's window.
The factors below are added up; the sum must reach the threshold and leave every other task behind by the margin.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping

from chains.beside import IN_ORDER, OVER, Beside
from chains.branches import branches_of, other_branch
from chains.facts import OrgFacts
from chains.match import FOLDER, REFUSED, elsewhere_asked, match_names, other_operation, values_of
from chains.objects import other_object
from chains.reach import Reach, is_call
from chains.seen import (
    Scored,
    Unknown,
    distance,
    ends_with_call,
    held,
    inferable,
    named,
    of_cluster,
    other_cluster,
    parts,
    surest,
)
from lang.late import late
from model.chain import Candidate, Link
from model.evidence import Stub
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage, Verb

TARGET = 0.40
"""Same verb and target: without it there is no candidate at all."""
FOLDER_ONLY = 0.30
"""Same verb, and a repository whose name ends in that of the folder worked in."""
WORDS = 0.15
"""The same command or the same arguments, word for word."""
USER = 0.10
"""The agent works in the home folder of an account that is called as the one who acted."""
USER_OTHER = -0.35
"""A witness on the machine names another of its accounts than the one in whose home folder the agent works: no such link may hold."""
PATH_OTHER = -0.15
"""The same host, and another path than the call's."""
PRINCIPAL_SAME = 0.25
PRINCIPAL_OTHER = -0.25
"""Another name that the organisation file does not know to be another principal; if it does, the candidate is out."""
TIME = 0.20
"""Full for no distance, nothing at the window's end."""
DURING = 0.10
"""The record lies between the call and its result."""
AGENT_SAME = 0.10
AGENT_OTHER = -0.25
"""The record names the agent product (user agent) that made the call, or another one."""
CREDENTIAL_SAME = 0.25
"""The credential is known to be held by the candidate's task (and by another one, or the link would be derived)."""
UNIQUE = 0.15
"""Divided among the tasks that are candidates."""
TAKEN = -0.20
"""Another record of the same point, nearer to the call, already shows it."""
MARGIN = 0.10
"""The best task must lead the second by this much, or the event stays unattributed."""
SLACK = 30_000_000
"""Microseconds by which an effect may precede its call, or a verdict follow it: clocks that differ by less are not set right."""
EARLY = -0.10
"""The effect precedes the call, or the verdict follows it, by more than that."""
RIVALS = 5
_ACCOUNT = late(r"[A-Za-z_][\w.-]{0,31}")
MICRO = 1_000_000
_RUN = frozenset({Verb.EXEC, Verb.UNKNOWN})
_LAST = "\U0010ffff"
"""Sorts behind every id."""


class Inference:
    """Scores candidates; all it rests on is the index, the organisation's facts and the clocks' skews."""

    def __init__(self, reach: Reach, facts: OrgFacts, skews: Mapping[str, int]) -> None:
        self.reach = reach
        self.facts = facts
        self.skews = skews
        self.window = facts.org.inference_window_seconds * MICRO
        self._principals: dict[str, frozenset[str]] = {}
        self._values: dict[str, frozenset[str]] = {}
        self._credentials: dict[str, frozenset[str]] = {}
        self._ended: dict[str, list[int]] = {}
        self._doubles: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._beside = Beside(reach, facts, self._moment, self._names, self._values_of, self._ends)

    def names(self, unknown: Unknown) -> list[str]:
        """The key names under which candidates are filed."""
        return [name for stub in unknown.stubs for name in self._names(stub)]

    def _names(self, stub: Stub, values: Iterable[str] | None = None) -> list[str]:
        at = self._moment(stub)
        drift = max((abs(skew) for skew in self.skews.values()), default=0)
        told = values_of(stub.keys) if values is None else values
        return match_names(sorted(told), at, self.window + SLACK + drift) if at is not None else []

    def judge(self, unknown: Unknown, family: str = "") -> tuple[str, Link] | None:
        """The task a record belongs to and the link that says why; None where nothing stands out.

        Where a `family` is known already, only that task and its sub-agents are asked.
        """
        scored = self._candidates(unknown)
        if family:
            scored = [one for one in scored if one.task == family or family in self.reach.ancestors(one.task)]
        return self._best(scored)

    def user(self, unknown: Unknown, holder: str) -> tuple[str, Link] | None:
        """The other task that made this use of a credential, and the link that says why; None where nothing shows that it was not the holder's.

        It was another's where one other task alone called for the same there and then, and every record of it carries this
        credential: then that call has no other record, and the holder's task no call.
        """
        scored = self._candidates(unknown)
        first = min(scored, key=lambda s: s.rank, default=None)
        if first is None or {one.task for one in scored} != {first.task} or first.task == holder:
            return None
        shown = self._then(first) and _plain(first) and not self._refused(first.call) and self._alone(unknown, first)
        return self._best(scored) if shown else None

    def _refused(self, call: Stub) -> bool:
        """Whether a verdict that names the call denies it: whoever did it all the same had other means than this call."""
        return any(self.reach.carriers(f"{REFUSED}:{key.name}") for key in call.keys if key.role is KeyRole.CALL)

    def _then(self, one: Scored) -> bool:
        """Whether what was seen lies within the call, or so near to its beginning that clocks may hide it."""
        at, start = self._moment(one.seen), self._moment(one.call)
        return "during" in one.factors or (at is not None and start is not None and abs(at - start) <= IN_ORDER)

    def _alone(self, unknown: Unknown, one: Scored) -> bool:
        """Whether no record of this point, and no target's, tells of the same by another credential, or by none, within the window.

        Of more records than can be looked through nobody knows.
        """
        mine, names = held(unknown.stubs), self._names(one.seen, (one.value,))
        if any(self.reach.hot(name) for name in names):
            return False
        near = [other for name in names for other in self.reach.carriers(name)]
        records = {
            o.record for o in near if o.point == one.seen.point or (o.kind is EventKind.EFFECT and o.vantage is Vantage.TARGET)
        }
        self.reach.fetch(f"record:{record}" for record in records)
        return all(mine & self._held(record) for record in records - {one.seen.record})

    def _held(self, record: str) -> frozenset[str]:
        if record not in self._credentials:
            self._credentials[record] = held(self.reach.carriers(f"record:{record}"))
        return self._credentials[record]

    def _best(self, scored: list[Scored]) -> tuple[str, Link] | None:
        if not scored:
            return None
        best: dict[str, Scored] = {}
        for one in sorted(scored, key=lambda s: s.rank):
            best.setdefault(one.task, one)
        first, *others = sorted(best.values(), key=lambda s: s.rank)
        if first.score < self.facts.org.inference_threshold or (others and first.score - others[0].score < MARGIN):
            return None
        rivals = [s for s in sorted(scored, key=lambda s: s.rank) if s.call.id != first.call.id][:RIVALS]
        link = Link(
            first.call.id,
            first.seen.id,
            LinkKind.INFERRED,
            f"match:{first.value}",
            first.score,
            tuple(Candidate(s.task, s.call.id, s.score, s.factors) for s in rivals),
            first.factors,
        )
        return first.task, link

    def _candidates(self, unknown: Unknown) -> list[Scored]:
        found: list[tuple[Stub, Stub, str, str, int]] = []
        for seen in unknown.stubs:
            at = self._moment(seen)
            if at is None or not inferable(seen):
                continue
            values = self._values_of(seen)
            for call, said in self._calls(seen, at):
                moment, place = self._moment(call), self.reach.direct(call)
                if moment is None or place is None or (unknown.holders and place[0] not in unknown.holders):
                    continue
                away = distance(seen, at, moment)
                if -SLACK <= away <= self.window and (shared := values & said):
                    value = min(shared, key=surest)
                    if not (ends_with_call(seen, value) and self._over(seen, call)):
                        found.append((seen, call, place[0], value, away))
        tasks = len({task for _, _, task, _, _ in found})
        scored = [self._score(unknown, *one, tasks) for one in found]
        return [one for one in scored if one is not None]

    def _calls(self, seen: Stub, at: int) -> list[tuple[Stub, frozenset[str]]]:
        """The agents' calls near what was seen, each with what it says of itself and what its program printed."""
        calls: dict[str, Stub] = {}
        said: dict[str, frozenset[str]] = {}
        reach = max(self.window, SLACK)
        for name in self._names(seen):
            for stub in self.reach.callers(name):
                asked = is_call(stub)
                if asked and ((moment := self._moment(stub)) is None or abs(moment - at) > reach):
                    continue
                owner = stub if asked else self._printed_by(stub)
                if owner is not None:
                    calls[owner.id] = owner
                    said[owner.id] = said.get(owner.id, self._values_of(owner)) | self._values_of(stub)
        return [(calls[id], said[id]) for id in sorted(calls)]

    def _printed_by(self, result: Stub) -> Stub | None:
        """The call whose result this is, in the same task; None where the log lacks it, another has its id too, or what it printed is what
        it read: a log of somebody else's push.
        """
        place = self.reach.direct(result)
        owners = {
            other.id: other
            for key in result.keys
            if key.role is KeyRole.CALL
            for other in self.reach.carriers(key.name)
            if is_call(other) and other.point == result.point
        }
        mine = [one for one in owners.values() if (own := self.reach.direct(one)) and place and own[0] == place[0]]
        return mine[0] if len(mine) == 1 and self._runs(mine[0]) else None

    def _runs(self, call: Stub) -> bool:
        """Whether a call runs something that may reach out, and does more than read files."""
        values = self._values_of(call)
        words = sum(value.startswith("words|") for value in values)
        files = sum(value.startswith("file.") for value in values)
        only_files = files > 0 and len(values) == words + files and words <= files + 1
        return call.verb in _RUN and not only_files

    def _score(self, unknown: Unknown, seen: Stub, call: Stub, task: str, value: str, distance: int, tasks: int) -> Scored | None:
        target = FOLDER_ONLY if f"|{FOLDER}" in value else TARGET
        factors = {"target": target, "time": TIME * (1 - abs(distance) / self.window), "unique": UNIQUE / tasks}
        if value.startswith("words|"):
            factors["words"] = WORDS
        mine, theirs = self._values_of(seen), self._values_of(call)
        if other_operation(mine, theirs) or other_object(mine, theirs) or other_branch(branches_of(seen), call):
            return None
        if elsewhere_asked(value, mine, theirs):
            factors["path"] = PATH_OTHER
        if distance < -IN_ORDER:
            factors["early"] = EARLY
        name = next((self.facts.identity(s.principal) for s in (seen, *unknown.stubs) if s.principal), "")
        if name and (known := self.principals(call)):
            if name in known:
                factors["principal"] = PRINCIPAL_SAME
            elif self.facts.knows_identity(name) and all(self.facts.knows_identity(other) for other in known):
                return None
            else:
                factors["principal"] = PRINCIPAL_OTHER
        elif name and self._at_home(call, seen, unknown):
            factors["user"] = USER
        elif self._of_another(call, seen):
            factors["user"] = USER_OTHER
        agent = next((k.value for s in unknown.stubs for k in s.keys if k.role is KeyRole.MATCH and k.kind == "agent"), "")
        if self._during(seen, call):
            factors["during"] = DURING
        if agent:
            factors["agent"] = AGENT_SAME if agent == call.point else AGENT_OTHER
        if unknown.holders:
            factors["credential"] = CREDENTIAL_SAME
        if of_cluster(value) and self._doubled(seen, call, value):
            return None
        own = factors.get("principal", 0) > 0 or factors.get("user", 0) > 0
        if self._beside.by_another(seen, call, value, own):
            return None
        if self._beside.taken(seen, call, value, distance, own):
            factors["taken"] = TAKEN
        factors = {name: round(factor, 4) for name, factor in factors.items()}
        return Scored(call, seen, task, value, round(min(sum(factors.values()), 1.0), 4), factors)

    def _at_home(self, call: Stub, seen: Stub, unknown: Unknown) -> bool:
        """Whether one who acted, under any of their names, is called as the account in whose home the agent works."""
        user = next((k.value for k in call.keys if k.role is KeyRole.MATCH and k.kind == "user"), "")
        stated = {s.principal for s in (seen, *unknown.stubs) if s.principal}
        return bool(user) and any(user in parts(name) for one in stated for name in self.facts.names(one))

    def _of_another(self, call: Stub, seen: Stub) -> bool:
        """Whether a witness saw one account run what an agent runs in another's home folder; root, bare numbers and the agent's own name are nobody's.

        The kernel's records of one event share a key, and not each of them has the account.
        """
        user = next((k.value for k in call.keys if k.role is KeyRole.MATCH and k.kind == "user"), "")
        if not user or seen.vantage is not Vantage.WITNESS:
            return False
        beside = (s for k in seen.keys if k.role is KeyRole.CALL for s in self.reach.carriers(k.name) if s.point == seen.point)
        named = {s.principal.casefold() for s in (seen, *beside) if _ACCOUNT.fullmatch(s.principal)} - {call.point}
        return bool(named) and not named & {user, "root"}

    def _during(self, seen: Stub, call: Stub) -> bool:
        at, start = self._moment(seen), self._moment(call)
        return at is not None and start is not None and start <= at <= max(self._ends(call), default=start - 1)

    def during(self, call: Stub) -> Callable[[Stub], bool]:
        """Tells of records whether a call was under way then, as far as clocks say."""
        start = self._moment(call)
        end = max(self._ends(call), default=start or 0)
        low, high = (start - IN_ORDER, end + IN_ORDER) if start is not None and is_call(call) else (1, 0)
        return lambda seen: (at := self._moment(seen)) is not None and low <= at <= high

    def _over(self, seen: Stub, call: Stub) -> bool:
        """Whether the call had ended by then for certain."""
        at, ends = self._moment(seen), self._ends(call)
        return at is not None and bool(ends) and at > max(ends) + OVER

    def _ends(self, call: Stub) -> list[int]:
        found = self._ended.get(call.id)
        if found is None:
            others = [other for key in call.keys if key.role is KeyRole.CALL for other in self.reach.carriers(key.name)]
            ends = (self._moment(other) for other in others if other.phase is Phase.RESULT and other.vantage is call.vantage)
            found = self._ended[call.id] = [end for end in ends if end is not None]
        return found

    def _doubled(self, seen: Stub, call: Stub, value: str) -> bool:
        """Whether another cluster's log tells the same of the time of this call: which of the two was meant is not said.

        Where one of them names who is known to act in the call's task, and the other somebody else, that one is meant.
        """
        start = self._moment(call)
        if start is None:
            return False
        if (seen.id, value) not in self._doubles:
            told = {other.id: other for name in self._names(seen, (value,)) for other in self.reach.carriers(name)}
            alike = (one for one in told.values() if one.kind is seen.kind and other_cluster(seen, one))
            timed = ((self._moment(one), self.facts.identity(one.principal) if one.principal else "") for one in alike)
            self._doubles[seen.id, value] = sorted((at, who) for at, who in timed if at is not None)
        doubles = self._doubles[seen.id, value]
        end = max(self._ends(call), default=start + self.window) + OVER
        who = {name for _, name in doubles[bisect_left(doubles, (start - IN_ORDER, "")) : bisect_right(doubles, (end, _LAST))]}
        known = self.principals(call) if who else frozenset()
        mine = bool(seen.principal) and self.facts.identity(seen.principal) in known
        return bool(who) and not (mine and "" not in who and not who & known)

    def principals(self, call: Stub) -> frozenset[str]:
        """Everybody named as acting in the call's task, under the organisation's names."""
        scope = self.reach.scope(call)
        if scope is None:
            return frozenset((self.facts.identity(call.principal),)) if call.principal else frozenset()
        if scope.name not in self._principals:
            names = {scope.name, self.reach.root(scope.name)}
            stubs = [stub for name in sorted(names) for stub in self.reach.first_of_scope(name)]
            self._principals[scope.name] = frozenset(self.facts.identity(s.principal) for s in stubs if s.principal)
        return self._principals[scope.name]

    def _values_of(self, stub: Stub) -> frozenset[str]:
        if stub.id not in self._values:
            self._values[stub.id] = values_of(stub.keys)
        return self._values[stub.id]

    def _moment(self, stub: Stub) -> int | None:
        """When it happened by the clock of the agents."""
        return stub.at - self.skews.get(stub.point, 0) if stub.at is not None else None


def _plain(one: Scored) -> bool:
    """Whether a call names what was seen by more than a loose word or a cloud's service, and nothing speaks against it."""
    return named(one.value) and not {"taken", "early", "path"} & one.factors.keys()
