"""Four outcomes, not one: permitted, transport ok, tool ok, effect confirmed; and where vantages disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from model.chain import StepOutcome
from model.event import Event, Outcome
from model.words import Effect, EventKind, Phase, Tri, Vantage, Verb

_STRICT = (Effect.DENY, Effect.ASK, Effect.ALLOW)
_PEOPLE = frozenset({"user", "interrupted"})
_TRANSPORT = (Vantage.ENFORCER, Vantage.WITNESS, Vantage.TARGET, Vantage.AGENT)
_TOOL = (Vantage.AGENT, Vantage.ENFORCER, Vantage.WITNESS, Vantage.TARGET)
_EFFECT = (Vantage.TARGET, Vantage.WITNESS, Vantage.ENFORCER, Vantage.AGENT)


def recorded_effect(events: Iterable[Event]) -> Effect:
    """What the deciders answered, the strictest first: deny, ask, allow; unknown where none did."""
    said = {e.decision.effect for e in events if e.kind is EventKind.DECISION and e.phase is Phase.VERDICT and e.decision}
    return next((effect for effect in _STRICT if effect in said), Effect.UNKNOWN)


def policy_answer(events: Sequence[Event]) -> Effect:
    """What policy answered, a person's refusal left out: a policy is compared with policies, not with what somebody did not want.

    Where nobody but the person is on record, the call was put to them: ask.
    """
    refused = any(e.attrs.get("refused") in _PEOPLE for e in events)
    rest = [e for e in events if not (refused and e.vantage is Vantage.AGENT and e.decision and e.decision.effect is Effect.DENY)]
    answered = recorded_effect(rest)
    return Effect.ASK if refused and answered is Effect.UNKNOWN else answered


def outcome_of(events: Sequence[Event]) -> StepOutcome:
    """The outcomes of a step's events. Each comes from the vantage that knows it best; none is guessed from another.

    `permitted` is what was decided, else what another record testifies (a target that answered 403). The outcome is
    disputed where vantages contradict each other, or where the agent reports success and the target saw none;
    `disagreements` says in words who said what.
    """
    permitted = recorded_effect(events)
    witnessed = {e.outcome.permitted for e in events if e.outcome and e.outcome.permitted is not Effect.UNKNOWN}
    if permitted is Effect.UNKNOWN:
        permitted = next((effect for effect in _STRICT if effect in witnessed), Effect.UNKNOWN)
    transport = _Told(events, "transport", _TRANSPORT)
    tool = _Told(events, "tool", _TOOL)
    effect = _Told(_beyond_the_start(events), "effect", _EFFECT)
    quarrels = [one.quarrel for one in (transport, tool, effect) if one.quarrel]
    verdicts = {(e.vantage, e.decision.effect) for e in events if e.phase is Phase.VERDICT and e.decision}
    verdicts = {(vantage, said) for vantage, said in verdicts if said in (Effect.ALLOW, Effect.DENY)}
    if len({said for _, said in verdicts}) > 1 and len({vantage for vantage, _ in verdicts}) > 1:
        quarrels.insert(0, "permitted: " + ", ".join(sorted(f"{vantage.value} {said.value}" for vantage, said in verdicts)))
    if Tri.UNKNOWN not in (tool.word, effect.word) and tool.word is not effect.word and tool.teller is not effect.teller:
        quarrels.append(f"tool {tool.word.value} by {tool.by}, effect {effect.word.value} by {effect.by}")
    answered = policy_answer(events)
    if answered is Effect.UNKNOWN:
        answered = permitted
    return StepOutcome(permitted, transport.word, tool.word, effect.word, bool(quarrels), answered, tuple(quarrels))


def _beyond_the_start(events: Sequence[Event]) -> Sequence[Event]:
    """The events without a witness's word that the program started, where another tells what came of the acts inside it."""
    rest = [e for e in events if not (e.vantage is Vantage.WITNESS and e.kind is EventKind.EFFECT and e.verb is Verb.EXEC)]
    told = len(rest) < len(events) and any(e.kind is EventKind.EFFECT and _word(e, "effect") is not Tri.UNKNOWN for e in rest)
    return rest if told else events


class _Told:
    """The word of the first vantage that has one, that vantage, and where they contradict each other who said what.

    Within one vantage the last word counts.
    """

    def __init__(self, events: Sequence[Event], name: str, order: Sequence[Vantage]) -> None:
        said: dict[Vantage, Tri] = {}
        for event in events:
            word = _word(event, name)
            if word is not Tri.UNKNOWN:
                said[event.vantage] = word
        self.teller = next((vantage for vantage in order if vantage in said), None)
        self.word = Tri.UNKNOWN if self.teller is None else said[self.teller]
        differ = len(set(said.values())) > 1
        told = (f"{vantage.value} {said[vantage].value}" for vantage in order if vantage in said)
        self.quarrel = f"{name}: {', '.join(told)}" if differ else ""

    @property
    def by(self) -> str:
        return self.teller.value if self.teller else "nobody"


def _word(event: Event, name: str) -> Tri:
    outcome = event.outcome
    if outcome is None:
        seen = (
            event.kind is EventKind.EFFECT
            and event.phase is Phase.OBSERVED
            and event.vantage in (Vantage.TARGET, Vantage.WITNESS)
        )
        return Tri.YES if seen and name == "effect" and event.decision is None else Tri.UNKNOWN
    return _field(outcome, name)


def _field(outcome: Outcome, name: str) -> Tri:
    return {"transport": outcome.transport, "tool": outcome.tool, "effect": outcome.effect}[name]
