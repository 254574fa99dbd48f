"""Each detection against its own examples, and the registry against what a reader relies on."""

from __future__ import annotations

import pytest

from chains.detections import registry, run
from chains.detections.registry import Detection, Example, Hit

ALL = [(one, sample) for one in registry().values() for sample in one.examples]


@pytest.mark.parametrize(("one", "sample"), ALL, ids=[f"{one.id}: {sample.title}" for one, sample in ALL])
def test_example(one: Detection, sample: Example) -> None:
    chain, context = sample.chain()
    parameters = {name: default for name, (default, _) in one.parameters.items()}
    hits = [hit for hit in one.function(chain, context, parameters) if isinstance(hit, Hit) and not hit.blind_spot]
    assert bool(hits) is sample.matches, [hit.why for hit in hits]


@pytest.mark.parametrize("one", registry().values(), ids=registry())
def test_every_detection_has_examples_of_both_kinds(one: Detection) -> None:
    assert {sample.matches for sample in one.examples} == {True, False}
    assert one.looks_for
    assert one.limits
    assert one.needs


def test_blind_spot_outside_coverage() -> None:
    sample = next(s for s in registry()["GOV-01"].examples if s.title == "outside coverage it is a blind spot")
    findings, _ = run(*sample.chain())
    assert [(f.detection, f.blind_spot) for f in findings] == [("GOV-01", True)]
    assert findings[0].id.startswith("blind-")


def test_a_finding_keeps_its_id_when_evidence_grows() -> None:
    sample = registry()["GOV-02"].examples[0]
    chain, context = sample.chain()
    before = run(chain, context)[0]
    chain.steps[0].records = (*chain.steps[0].records, "rec-late")
    after = run(chain, context)[0]
    assert [f.id for f in before] == [f.id for f in after]
    assert before[0].evidence_digest != after[0].evidence_digest
