"""Decisions of Verified Permissions, which CloudTrail keeps as data events: what was asked and what was answered.

The caller in `userIdentity` is the application that asks and nobody who is judged; who is stands in the request, or only in a token
that is not logged. The policies that determined an answer are not logged either.
"""

from __future__ import annotations

from msgspec.structs import replace

from importers.cedar_entity import entity, meaning, principal_of
from importers.shared.fields import Json, first_text, mapping, text
from importers.shared.told import effect_of
from model.event import Decision, Event, Outcome
from model.words import Effect, KeyRole, Vantage

AUTHORIZES = frozenset({"IsAuthorized", "IsAuthorizedWithToken", "BatchIsAuthorized", "BatchIsAuthorizedWithToken"})
_MOST = 100


def authorizations(entry: Json, frame: Event) -> list[Event]:
    """One verdict per answer; `frame` is the call's own event, whose keys and place they share."""
    parameters = mapping(entry.get("requestParameters"))
    answers = mapping(entry.get("additionalEventData"))
    store = text(parameters.get("policyStoreId"))
    results = answers.get("results")
    pairs: list[tuple[Json, Json]] = []
    if isinstance(results, list):
        pairs = [({**parameters, **mapping(one.get("request"))}, one) for one in results[:_MOST] if isinstance(one, dict)]
    elif "decision" in answers:
        pairs = [(parameters, answers)]
    made = [one for asked, answer in pairs if (one := _verdict(asked, answer, store, frame)) is not None]
    if len(made) > 1:
        # One call that asks about several things is a step for each.
        for n, one in enumerate(made):
            one.keys = tuple(replace(key, value=f"{key.value}/{n}") if key.role is KeyRole.CALL else key for key in one.keys)
    return made


def _verdict(asked: Json, answer: Json, store: str, frame: Event) -> Event | None:
    effect = effect_of(answer.get("decision"))
    if effect is Effect.UNKNOWN:
        return None
    verb, tool, target, attrs = meaning(entity(asked.get("action")), entity(asked.get("resource")), asked.get("context"))
    point = f"verifiedpermissions:{store}" if store else "verifiedpermissions"
    return replace(
        frame,
        vantage=Vantage.ENFORCER,
        point=point,
        principal=principal_of(entity(asked.get("principal") or answer.get("principal"))),
        verb=verb,
        tool=tool,
        target=target,
        decision=Decision(effect, reason=first_text(answer, "reason"), policy=store, by=point),
        outcome=Outcome(permitted=effect),
        attrs={**frame.attrs, **attrs},
    )
