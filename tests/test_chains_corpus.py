"""Stitching over public logs: nothing is lost, nothing doubled, every step and link can be followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains import OrgFacts, stitch
from importers import NotRecognised, open_source
from importers.shared.fields import decode
from lang.redact import Redactor
from model.event import BadRecord, Event, Reject, short_id
from model.words import LinkKind
from review.intake.preparing import prepare_events

FOLDERS = (
    "claude-code",
    "codex",
    "opa-decision-logs",
    "vault-audit",
    "cloudtrail",
    "github-audit",
    "claude-code-live",
    "codex-live",
    "k8s-audit",
    "gcp-audit",
    "teleport",
    "assay",
    "agentsh",
    "ocsf",
    "bedrock-invocation",
)
SMALL = 400_000


def events_of(folder: Path) -> list[Event]:
    redactor = Redactor(b"k" * 32)
    found: dict[str, Event] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.stat().st_size < SMALL):
        try:
            with path.open("rb") as stream:
                source = open_source(stream, name=path.name)
                reader = source.importer.open()
                for order, item in enumerate(source.items()):
                    if isinstance(item, Reject):
                        continue
                    redacted = redactor.redact(item.data)
                    try:
                        parsed = reader.read(decode(redacted.data))
                    except BadRecord:
                        continue
                    record = short_id("rec", source.importer.id, parsed.scope, parsed.identity or f"{path.name} {order}")
                    for event in prepare_events(parsed, redacted.secrets, record, source.importer.id, order, redactor):
                        found[event.id] = event
        except NotRecognised:
            continue
    return list(found.values())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_event_has_one_place_and_every_link_two_ends(corpus: Path, name: str) -> None:
    events = events_of(corpus / name)
    assert events
    done = stitch(events, OrgFacts())
    placed = [id for chain in done.chains.values() for id in chain.events] + [e.id for e in done.unattributed]
    assert sorted(placed) == sorted(e.id for e in events)
    known = {e.id for e in events}
    for chain in done.chains.values():
        assert chain.task.title
        assert chain.task.scope
        assert len({step.id for step in chain.steps}) == len(chain.steps)
        for step in chain.steps:
            assert step.records
            assert set(step.records) <= set(chain.records)
            assert step.agent_claimed or step.effects or step.decisions or step.actions
            for link in step.links:
                assert {link.source, link.target} <= known
                assert 0 < link.confidence <= 1
                assert link.kind is LinkKind.INFERRED or not link.candidates
