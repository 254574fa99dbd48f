"""Exported events are read back with everything but what is worked out anew."""

from __future__ import annotations

import pytest

from importers.registry import importers
from model.event import BadRecord
from model.words import Clock, Effect, KeyRole

BASE = {"remit": "events/1", "event": "ev-1", "at": "2026-03-17T10:00:00.000001Z", "clock": "zone-assumed", "point": "p"}
ROWS = [
    BASE | {"kind": "intent", "phase": "prompt", "vantage": "agent", "text": "do it"},
    BASE | {"kind": "action", "phase": "call", "vantage": "agent", "verb": "exec", "attributes": {"tokens": "12", "forced": "true"}},
    BASE | {"kind": "decision", "phase": "verdict", "vantage": "enforcer", "decision": "deny", "decision_by": "opa"},
    BASE | {"kind": "credential", "phase": "issued", "vantage": "enforcer", "credential_ttl_seconds": -1,
            "keys": [{"role": "credential", "kind": "token", "id": "d06e9eb7"}]},
    BASE | {"kind": "effect", "phase": "observed", "vantage": "target", "effect": "yes",
            "operations": [{"verb": "repo.write", "class": "repository", "name": "a/b", "certain": False}]},
]  # fmt: skip


def test_a_row_is_the_event_it_was() -> None:
    importer = importers()["remit-lake"]
    assert importer.sniff(ROWS) == 100 and importer.sniff([{"remit": "requests/1"}]) == 0
    reader = importer.open()
    read = [reader.read(row) for row in ROWS]
    assert all(one.keyed and one.identity == "ev-1" for one in read)
    intent, action, decision, credential, effect = (one.events[0] for one in read)
    assert intent.text == "do it" and intent.at is not None and intent.at % 1_000_000 == 1
    assert {one.clock for one in (intent, action)} == {Clock.ZONE_ASSUMED}
    assert action.attrs == {"tokens": 12, "forced": True}
    assert decision.decision is not None and (decision.decision.effect, decision.decision.by) == (Effect.DENY, "opa")
    assert credential.credential is not None and credential.credential.ttl_seconds == -1
    assert [(key.role, key.kind, key.value) for key in credential.keys] == [(KeyRole.CREDENTIAL, "token", "d06e9eb7")]
    assert not effect.operations[0].certain and effect.operations[0].target.name == "a/b"


@pytest.mark.parametrize("format", ["remit-events", *(name for name in importers() if name != "remit-events")])
def test_a_row_is_none_of_the_format_its_event_came_in(format: str) -> None:
    rows = [row | {"format": format} for row in ROWS]
    scores = {name: score for name, one in importers().items() if (score := one.sniff(rows))}
    assert max(scores, key=lambda name: (scores[name], name < "remit-lake")) == "remit-lake" and scores["remit-lake"] == 100
    assert "remit-events" not in scores


@pytest.mark.parametrize(
    "row",
    [
        {"remit": "events/2"},
        BASE | {"event": None},
        BASE | {"kind": "other"},
        BASE | {"kind": "decision", "vantage": "agent"},
        [],
    ],
)
def test_a_row_that_is_none_is_refused(row: object) -> None:
    with pytest.raises(BadRecord):
        importers()["remit-lake"].open().read(row)
