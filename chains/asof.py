"""A task as of any moment: what had been stated, given, handed on, asked and refused by then.

Everything is what the imported records had said by then. What no record says is unknown, with the reason, never "no".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from chains.authority import Answer, Authority, Change, Cursor, Grant, Handed, PolicyInForce, Stated
from chains.detections.delegation import stated_scope
from chains.facts import OrgFacts
from chains.lifespan import expiry_at, live_at, unskewed
from chains.modes import speaks_of_mode
from chains.order import Ordered, is_agent_call
from model.chain import Credential, Intent, Item, Step, Task, TaskChain
from model.event import Event
from model.words import Effect, EventKind, KeyRole, Phase

_NO_ANSWER = "not decided"
"""What a hook without an objection comes to."""


class AsOf:
    """One task, made ready to be asked about any moment. `chain` must hold its events; `children` are the rows of its sub-agents."""

    def __init__(
        self,
        chain: TaskChain,
        held: Iterable[Credential],
        facts: OrgFacts,
        children: Mapping[str, Task] | None = None,
        skews: Mapping[str, int] | None = None,
    ) -> None:
        self.chain = chain
        self.task = chain.task
        self.facts = facts
        self.children = children or {}
        self.held = sorted(((one, unskewed(one, skews or {})) for one in held), key=lambda pair: pair[0].id)
        ordered = Ordered([chain.events[id] for id in sorted(chain.events)], skews)
        self._place = ordered.position
        self._moment = {event.id: ordered.moment(event) for event in ordered.events}
        # Until when an event counts: its own time, else that of the last one before it that has one.
        self._reached: list[int] = []
        for event in ordered.events:
            own = self._moment[event.id]
            before = self._reached[-1] if self._reached else -(2**63)
            self._reached.append(before if own is None else max(own, before))
        self._modes = [(n, e) for n, e in enumerate(ordered.events) if speaks_of_mode(e)]
        self._policies = [(n, e) for n, e in enumerate(ordered.events) if e.kind is EventKind.DECISION and _policy(e)]
        self._windows = [(n, e) for n, e in enumerate(ordered.events) if e.attrs.get("change_window")]
        self._tickets = [(n, e) for n, e in enumerate(ordered.events) if _names_ticket(e, chain.task.ticket, facts)]
        self._by_number = {step.n: step for step in chain.steps}
        self._deciding = [step for step in chain.steps if step.decisions]
        self._telling = [s for s in self._deciding if any(_effect(item) in (Effect.ASK, Effect.DENY) for item in s.decisions)]
        self._deciders = len({event.point for _, event in self._policies})
        self._spawning = [step for step in chain.steps if step.child]

    def at(self, cursor: Cursor) -> Authority:
        """What was authorised at a moment or, standing on a step, at that step."""
        step = self._by_number.get(cursor.step) if cursor.step else None
        moment = cursor.at if step is None else self._time_of(step)
        upto = self._upto(step, moment)
        mode, sandbox = self._mode(upto)
        live, uncertain, over = self._credentials(moment, _used_in(step))
        asked, refused = self._answers(step, moment)
        begun = None if moment is None or self.task.started is None else moment >= self.task.started
        ended = None if moment is None or self.task.ended is None else moment > self.task.ended
        found = Authority(
            at=moment,
            step=step,
            mode=mode,
            sandbox=sandbox,
            policies=self._policy(upto),
            live=live,
            uncertain=uncertain,
            over=over,
            delegations=[self._handed(one, moment) for one in self._spawning if self._past(one, step, moment)],
            asked=asked,
            refused=refused,
            intent=self._intent(step, moment),
            ticket=self.task.ticket if any(n <= upto for n, _ in self._tickets) else "",
            environment=(step.environment if step else "") or self.task.environment,
            window=None,
            stated_window=next((str(e.attrs["change_window"]) for e in _backwards(self._windows, upto)), ""),
            begun=begun,
            ended=ended,
            unknown=[],
        )
        found.window = self.facts.in_change_window(found.environment, moment)
        found.unknown = self._unknown(found)
        return found

    def changes(self) -> list[Change]:
        """Every moment at which something changed, in order: where a time cursor stops."""
        found = [Change(one.at, f"step {one.n}") for one in self.chain.steps if one.at is not None]
        for step in self._deciding:
            found += [
                Change(
                    item.at,
                    f"{_NO_ANSWER if item.decision.effect is Effect.UNKNOWN else item.decision.effect.value} by {item.point}",
                )
                for item in step.decisions
                if item.at is not None and item.decision is not None
            ]
        for _, event in self._modes:
            if (at := self._moment[event.id]) is not None:
                found.append(Change(at, "mode stated"))
        for _, one in self.held:
            found += [
                Change(turn.at, f"{one.kind or 'credential'} {turn.phase.value}") for turn in one.turns if turn.at is not None
            ]
            if one.expires is not None:
                found.append(Change(one.expires, f"{one.kind or 'credential'} expires"))
        for id, child in self.children.items():
            if child.ended is not None:
                found.append(Change(child.ended, f"sub-agent {id} ended"))
        if self.task.ended is not None:
            found.append(Change(self.task.ended, "task ended"))
        by_time: dict[int, list[str]] = {}
        for change in found:
            if change.what not in by_time.setdefault(change.at, []):
                by_time[change.at].append(change.what)
        return [Change(at, ", ".join(by_time[at])) for at in sorted(by_time)]

    # the moment

    def _time_of(self, step: Step) -> int | None:
        """A step's own time, else that of the last step before it that has one."""
        while step.at is None and step.n > 1 and step.n - 1 in self._by_number:
            step = self._by_number[step.n - 1]
        return step.at

    def _upto(self, step: Step | None, moment: int | None) -> int:
        """The place of the last event that counts, -1 if none does."""
        if step is not None:
            places = [self._place[i.id] for i in step.items() if i.id in self._place]
            calls = [self._place[i.id] for i in step.actions if i.id in self._place and is_agent_call(self.chain.events[i.id])]
            if places:
                return max([*calls, *(self._place[d.id] for d in step.decisions if d.id in self._place)], default=min(places))
        return -1 if moment is None else bisect_right(self._reached, moment) - 1

    def _past(self, one: Step, step: Step | None, moment: int | None) -> bool:
        if step is not None:
            return one.n <= step.n
        return moment is not None and one.at is not None and one.at <= moment

    # what was in force

    def _mode(self, upto: int) -> tuple[Stated | None, Stated | None]:
        mode: Stated | None = None
        sandbox: Stated | None = None
        for event in _backwards(self._modes, upto):
            mode = mode or self._stated(event, "mode")
            sandbox = sandbox or self._stated(event, "sandbox")
            if mode and sandbox:
                break
        return mode, sandbox

    def _stated(self, event: Event, name: str) -> Stated | None:
        value = str(event.attrs.get(name) or "")
        return Stated(value, event.at, event.point, event.id, event.record) if value else None

    def _policy(self, upto: int) -> list[PolicyInForce]:
        """By decider what it last said of the policy it answers from; the latest first."""
        found: dict[str, PolicyInForce] = {}
        for event in _backwards(self._policies, upto):
            if len(found) == self._deciders:
                break
            if event.point not in found:
                policy = event.decision.policy if event.decision else ""
                revision = str(event.attrs.get("policy_revision") or "")
                found[event.point] = PolicyInForce(event.point, policy, revision, event.at, event.id, event.record)
        return list(found.values())

    def _intent(self, step: Step | None, moment: int | None) -> Intent | None:
        if step is not None and step.intent:
            return next((i for i in self.chain.intents if i.id == step.intent), None)
        past = (i for i in reversed(self.chain.intents) if moment is not None and i.at is not None and i.at <= moment)
        return next(past, None)

    # credentials

    def _credentials(self, moment: int | None, here: frozenset[str]) -> tuple[list[Grant], list[Grant], list[Grant]]:
        """Live, perhaps live, and no longer live; what was used `here`, in the step asked about, was at hand in it."""
        live: list[Grant] = []
        uncertain: list[Grant] = []
        over: list[Grant] = []
        for one, true in self.held if moment is not None else ():
            grant = self._grant(one, true, moment or 0, used=one.id in here)
            if grant is not None:
                (over if grant.ended is not None else uncertain if grant.why else live).append(grant)
        return live, uncertain, over

    def _grant(self, one: Credential, true: Credential, moment: int, *, used: bool) -> Grant | None:
        """A credential at the moment; None where it did not exist yet."""
        mine = self.task.id
        touched = [u.at for u in (*true.use_list, *true.exposures) if u.task == mine and u.at is not None]
        if true.issued_task == mine and true.issued is not None:
            touched.append(true.issued)
        since = min([*touched, moment] if used else touched, default=None)
        state = live_at(true, moment)
        state = True if used and state is None else state
        if state is False and (true.issued is not None and true.issued > moment):
            return None
        standing = one.ttl_seconds == -1
        expires = expiry_at(true, moment)
        uses = sum(1 for u in true.use_list if u.task == mine and u.at is not None and u.at <= moment)
        bound = one.issued_task == mine and expires is not None
        if state is False:
            revoked = true.revoked if true.revoked is not None and true.revoked <= moment else None
            ends = [end for end in (revoked, expires) if end is not None and end <= moment]
            end = min(ends, default=moment)
            how = "revoked" if end == revoked else "expired"
            return Grant(one, since, standing=standing, bound=bound, uses=uses, why=how, ended=end)
        left = None if standing or expires is None else expires - moment
        why = ""
        if state is None:
            shown = any(u.at is not None and u.at <= moment for u in true.exposures)
            why = "it stood in clear by then; neither issuance nor use is seen" if shown else "nothing tells when it came to be"
        elif since is None or since > moment:
            why = "it existed, but is not seen with this task before then"
        return Grant(one, since, left, standing, bound, uses, why)

    # asked, refused, handed on

    def _answers(self, step: Step | None, moment: int | None) -> tuple[list[Answer], list[Answer]]:
        asked: list[Answer] = []
        refused: list[Answer] = []
        for one in self._telling:
            if not self._past(one, step, moment):
                continue
            said = [item for item in one.decisions if self._said(item, step, moment)]
            put = _by_effect(said, Effect.ASK)
            denied = _by_effect(said, Effect.DENY)
            allowed = _by_effect(said, Effect.ALLOW)
            if put is not None:
                answer = Effect.DENY if denied else Effect.ALLOW if allowed else Effect.UNKNOWN
                asked.append(_answer(one, put, answer))
            if denied is not None:
                refused.append(_answer(one, denied, Effect.DENY))
        return asked, refused

    def _said(self, item: Item, step: Step | None, moment: int | None) -> bool:
        if item.decision is None or item.phase is not Phase.VERDICT:
            return False
        at = self._moment.get(item.id, item.at)
        return step is not None or at is None or (moment is not None and at <= moment)

    def _handed(self, one: Step, moment: int | None) -> Handed:
        child = self.children.get(one.child)
        running = None if child is None or child.ended is None or moment is None else moment <= child.ended
        return Handed(one, stated_scope(self.chain, one), running)

    # what is not known

    def _unknown(self, found: Authority) -> list[tuple[str, str]]:
        gaps: list[tuple[str, str]] = []

        def gap(known: object, what: str, why: str) -> None:
            if not known:
                gaps.append((what, why))

        gap(found.at is not None, "time", "neither the step nor any before it has a time: what depends on the clock is left open")
        gap(found.mode, "permission mode", "no record of the agent states one up to then")
        gap(found.sandbox, "sandbox", "no record of the agent states one up to then")
        gap(found.policies, "policy in force", "no decision up to then names its policy or revision")
        for one in found.policies:
            gap(one.revision, f"revision of the policy of {one.by}", "its decisions do not state one")
        gap(found.live or found.uncertain or found.over, "credentials", "no record ties a credential to this task up to then")
        for grant in found.live:
            name = grant.credential.id
            gap(grant.standing or grant.left is not None, f"life left of {name}", "no record states when it expires")
            gap(grant.credential.scope, f"scope of {name}", "no record states it")
        for grant in found.uncertain:
            gaps.append((f"whether {grant.credential.id} was at hand", grant.why))
        later = bool(self.task.ticket) and not found.ticket
        gap(found.ticket, "ticket", "it is stated only later" if later else "no record of the task names one")
        if found.window is None:
            where = f"for {found.environment}" if found.environment else "and the environment is not known"
            gaps.append(("change window", f"the organisation file states none {where}" if found.at is not None else "no time"))
        for handed in found.delegations:
            gap(handed.running is not None, f"whether sub-agent {handed.step.child} still ran", "its end is not seen")
        gap(found.begun is not False, "task", "its records begin only later")
        return gaps


def _backwards(placed: Sequence[tuple[int, Event]], upto: int) -> Iterator[Event]:
    """The events placed at `upto` or before, the last first."""
    for n in range(bisect_right(placed, upto, key=lambda pair: pair[0]) - 1, -1, -1):
        yield placed[n][1]


def _effect(item: Item) -> Effect | None:
    return item.decision.effect if item.decision is not None else None


def _used_in(step: Step | None) -> frozenset[str]:
    """Credentials a step was done with; one that it was given only then is not among them."""
    if step is None:
        return frozenset()
    given = {item.credential for item in step.credential_events if item.phase is Phase.ISSUED}
    return frozenset(step.credentials) - given


def _policy(event: Event) -> str:
    return (event.decision.policy if event.decision else "") or str(event.attrs.get("policy_revision") or "")


def _names_ticket(event: Event, ticket: str, facts: OrgFacts) -> bool:
    """Whether an event is where the task's ticket comes from."""
    if not ticket:
        return False
    if event.attrs.get("ticket") == ticket:
        return True
    if any(key.role is KeyRole.REFERENCE and key.kind == "ticket" and key.value == ticket for key in event.keys):
        return True
    return event.kind is EventKind.INTENT and facts.ticket_in(event.text) == ticket


def _by_effect(items: Sequence[Item], effect: Effect) -> Item | None:
    return next((item for item in items if item.decision is not None and item.decision.effect is effect), None)


def _answer(step: Step, item: Item, answer: Effect) -> Answer:
    made = item.decision
    rule, reason, by = (made.rule, made.reason, made.by) if made else ("", "", "")
    return Answer(step, by or item.point, rule, reason, answer, item.at if item.at is not None else step.at)
