"""What the events of one record have in common, for the logs of deciders, targets and witnesses; their usual words."""

from __future__ import annotations

from dataclasses import dataclass, field

from importers.shared.fields import clip, key, session_id, text
from model.event import Attr, CredentialFact, Decision, Event, Key, Outcome, Principal, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Vantage, Verb

_EFFECTS = {
    word: effect
    for effect, words in (
        (Effect.ALLOW, "allow allowed allows permit permitted grant granted accept accepted approved pass passed ok success true "
         "audit log monitor allow_with_obligations allow_with_warning"),
        (Effect.DENY, "deny denied denies forbid forbidden block blocked reject rejected refused refuse quarantine kill "
         "dropped drop terminate false"),
        (Effect.ASK, "ask approve prompt review escalate escalated pending require_approval requires_approval confirm challenge"),
    )
    for word in words.split()
}  # fmt: skip


def effect_of(value: object) -> Effect:
    """What a decider's word means: allow, deny or ask in their usual spellings; unknown for any other."""
    if isinstance(value, bool):
        return Effect.ALLOW if value else Effect.DENY
    return _EFFECTS.get(value.strip().lower().replace("-", "_"), Effect.UNKNOWN) if isinstance(value, str) else Effect.UNKNOWN


def yes_no(value: bool | None) -> Tri:
    return Tri.UNKNOWN if value is None else Tri.YES if value else Tri.NO


def session_key(value: object, role: KeyRole = KeyRole.SCOPE) -> Key | None:
    """The scope of an agent's session or run: its UUID where the text holds just one, else the text as it stands."""
    stated = text(value).strip()
    return key(role, "session", session_id(stated) or clip(stated, 200))


def duration_ms(begin: int | None, end: int | None) -> int | None:
    """Milliseconds between two moments in microseconds; None where one is unknown or they stand in the wrong order."""
    return None if begin is None or end is None or end < begin else (end - begin) // 1000


@dataclass(slots=True)
class Told:
    """What all events of one record share; `event` and its short forms make them."""

    format: str
    point: str
    vantage: Vantage
    at: int | None = None
    clock: Clock = Clock.ORDER_ONLY
    principal: Principal | None = None
    agent: str = ""
    verb: Verb = Verb.UNKNOWN
    tool: str = ""
    target: Target = field(default_factory=Target)
    keys: tuple[Key, ...] = ()
    attrs: dict[str, Attr] = field(default_factory=dict)
    ref: str = ""
    after: str = ""

    def note(self, **stated: object) -> None:
        """Take up the attributes that are stated: texts clipped, empty ones left out."""
        for name, value in stated.items():
            if isinstance(value, str):
                if value:
                    self.attrs[name] = clip(value, 100_000 if name == "command" else 4000)
            elif isinstance(value, bool | int | float):
                self.attrs[name] = value

    def event(
        self,
        kind: EventKind,
        phase: Phase,
        *more: Key | None,
        vantage: Vantage | None = None,
        words: str = "",
        decision: Decision | None = None,
        credential: CredentialFact | None = None,
        outcome: Outcome | None = None,
        attrs: dict[str, Attr] | None = None,
    ) -> Event:
        return Event(
            kind,
            phase,
            vantage or self.vantage,
            self.point,
            at=self.at,
            clock=self.clock,
            format=self.format,
            ref=self.ref,
            after=self.after,
            principal=self.principal,
            agent=self.agent,
            verb=self.verb,
            tool=clip(self.tool, 300),
            target=self.target,
            text=clip(words, 64_000),
            keys=tuple(dict.fromkeys((*self.keys, *(one for one in more if one is not None)))),
            decision=decision,
            credential=credential,
            outcome=outcome,
            attrs={**self.attrs, **(attrs or {})},
        )

    def verdict(
        self, effect: Effect, *more: Key | None, rule: str = "", reason: str = "", policy: str = "", by: str = ""
    ) -> Event:
        decision = Decision(effect, clip(rule, 500), clip(reason, 1000), clip(policy, 500), by or self.point)
        return self.event(EventKind.DECISION, Phase.VERDICT, *more, decision=decision, outcome=Outcome(permitted=effect))

    def observed(self, done: bool | None, *more: Key | None, permitted: Effect = Effect.UNKNOWN) -> Event:
        """What the target or a witness saw happen; `done` is whether it took effect, None where the log does not say."""
        outcome = Outcome(permitted=permitted, transport=Tri.YES, effect=yes_no(done))
        return self.event(EventKind.EFFECT, Phase.OBSERVED, *more, outcome=outcome)

    def called(self, *more: Key | None, vantage: Vantage | None = None) -> Event:
        return self.event(EventKind.ACTION, Phase.CALL, *more, vantage=vantage)

    def result(self, ok: bool | None, *more: Key | None, vantage: Vantage | None = None, transport: Tri = Tri.UNKNOWN) -> Event:
        """What came back to the caller; `ok` is whether the tool says it succeeded."""
        outcome = Outcome(transport=transport, tool=yes_no(ok))
        return self.event(EventKind.ACTION, Phase.RESULT, *more, vantage=vantage, outcome=outcome)

    def used(self, *ids: Key | None, fact: CredentialFact | None = None) -> list[Event]:
        """The use of a credential, where one is named."""
        return [self.event(EventKind.CREDENTIAL, Phase.USED, *ids, credential=fact)] if any(ids) else []
