"""The state of a conversation of OpenHands' SDK, as a file beside the events keeps it and as updates tell it: whom it asks, model, folder."""

from __future__ import annotations

from importers.shared.agents import field
from importers.shared.fields import Json, mapping


def is_kept(record: Json) -> bool:
    """Whether this is `base_state.json`: the whole state, without the events."""
    status = isinstance(record.get("execution_status"), str) or isinstance(record.get("agent_status"), str)
    return status and "kind" not in record and "id" in record and {"agent", "confirmation_policy"} <= record.keys()


def of_update(event: Json) -> Json:
    """The members of the state that an update tells: all of them, or the one that it names."""
    key = field(event, "key")
    whole = mapping(event.get("value"))
    return whole if key == "full_state" or (not key and whole) else {key or "execution_status": event.get("value")}


def policy_of(state: Json) -> str:
    """By what it is decided which calls a person is asked about."""
    return field(mapping(state.get("confirmation_policy")), "kind")[:100]


def model_of(state: Json) -> str:
    """The model that the agent uses."""
    return field(mapping(mapping(state.get("agent")).get("llm")), "model")[:200]


def folder_of(state: Json) -> str:
    """Where the agent works."""
    return field(mapping(state.get("workspace")), "working_dir")[:2000]
