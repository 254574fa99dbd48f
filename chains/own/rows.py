"""A task as conditions see it: one row for each step, or for each event of a step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import ip_address

import msgspec

from chains.stepfacts import step_values, was_refused
from lang.cel.requests import well_typed
from lang.cel.typed import Value
from model.chain import Item, Step, TaskChain
from model.conditions import EVENT_CONDITION
from model.event import Event
from model.words import EventKind, TargetClass, Tri, Vantage, Verb

_NAMED = frozenset({"command", "path", "url", "cwd", "host", "user_agent", "account", "region", "repository"})
_CONNECTIONS = frozenset({Verb.NET_CONNECT, Verb.HTTP_REQUEST})


class Row(msgspec.Struct):
    """What is known of one step or event. `at` is microseconds by the agent's clock; `values` what conditions read."""

    anchor: str
    step: str
    at: int | None
    values: dict[str, Value]
    title: str = ""
    told_at: int | None = None
    records: tuple[str, ...] = ()


def rows_of(chain: TaskChain, names: frozenset[str], *, events: bool, refused: bool, skews: Mapping[str, int]) -> Iterator[Row]:
    """The rows of a task in the order of its steps; `names` are the attributes anybody will read.

    Steps that were certainly stopped are left out unless `refused`.
    """
    for step in chain.steps:
        if not refused and was_refused(step):
            continue
        values = step_values(step, names)
        if not events:
            yield Row(step.call or step.id, step.id, _when(step, skews), values, step.title, step.at, step.records)
            continue
        for item in _told(step):
            event = chain.events.get(item.id)
            if event is None:
                continue
            at = None if item.at is None else item.at - skews.get(item.point, 0)
            own = values | _event_values(event, names)
            yield Row(step.call or step.id, step.id, at, own, step.title, item.at, (item.record,))


def _when(step: Step, skews: Mapping[str, int]) -> int | None:
    """The time of a step by the agent's clock: the skew of whoever told it is taken off."""
    if step.at is None or not skews:
        return step.at
    teller = next((item.point for item in step.items() if item.at == step.at), "")
    return step.at - skews.get(teller, 0)


def _told(step: Step) -> list[Item]:
    """What was done, seen, issued and used, in order of time; verdicts on it are facts of the step."""
    return sorted(
        (*step.actions, *step.effects, *step.credential_events), key=lambda item: (item.at is None, item.at or 0, item.id)
    )


def _event_values(event: Event, names: frozenset[str]) -> dict[str, Value]:
    """What an event states under these names."""
    found: dict[str, Value] = {}
    for name in names:
        group, _, part = name.partition(".")
        value = well_typed(EVENT_CONDITION[name], _event_value(event, part)) if group == "event" else None
        if value not in (None, ""):
            found[name] = value
    if "event.status" in names and "event.status" not in found and _went_well(event):
        found["event.status"] = ""
    return found


def _event_value(event: Event, part: str) -> Value | None:
    match part:
        case "kind" | "phase" | "vantage" | "point" | "format" | "tool":
            return str(getattr(event, part))
        case "verb":
            return None if event.verb is Verb.UNKNOWN else event.verb.value
        case "principal":
            return event.principal.name if event.principal else None
        case "target":
            return event.target.name
        case "status":
            return str(event.attrs.get("status") or "")
        case "image":
            seen = event.vantage is Vantage.WITNESS and event.verb is Verb.EXEC and event.target.cls is TargetClass.FILESYSTEM
            return event.target.name if seen and event.target.name.startswith("/") else None
        case "destination_host" | "destination_ip" | "destination_port":
            return _destination(event, part)
        case "path" if not event.attrs.get("path"):
            return event.target.name if event.target.cls is TargetClass.FILESYSTEM and event.verb is not Verb.EXEC else None
        case _:
            value = event.attrs.get(part) if part in _NAMED else None
            return value if isinstance(value, str) else None


def _destination(event: Event, part: str) -> Value | None:
    if event.verb not in _CONNECTIONS or event.target.cls is not TargetClass.NETWORK:
        return None
    if part == "destination_port":
        port = event.target.detail.removeprefix(":")
        return int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else None
    name = event.target.name
    return name if name and _is_address(name) == (part == "destination_ip") else None


@lru_cache(maxsize=4096)
def _is_address(name: str) -> bool:
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _went_well(event: Event) -> bool:
    return (
        event.kind is EventKind.EFFECT
        and event.vantage is Vantage.TARGET
        and event.outcome is not None
        and event.outcome.effect is Tri.YES
    )
