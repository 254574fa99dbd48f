"""Less evidence is never better: sources and enforcement points are taken away from the state of a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from model.org import PointFact
from model.words import ResultWord
from reports.assessment import Assessor, Control
from reports.catalogue import frameworks
from reports.crosswalk import load
from reports.input import PackInput
from reports.tally import Tally
from reports.vocabulary import vocabulary
from review.derive.building import build
from review.intake.importing import import_logs
from review.pack.packs import pack_input
from review.workspace import open_workspace

SAMPLE = Path(__file__).resolve().parent.parent / "sample_data"
KEPT = (
    "claude-code-0972ade9.jsonl",
    "codex-0d4a2931.jsonl",
    "github-audit.ndjson",
    "mcp-gateway-events.ndjson",
    "opa-decisions.jsonl",
    "vault-audit.log",
)
POINTS = ("claude-code", "codex", "github:harbour-lane", "mcp-gateway", "opa:agents/tools/decision", "vault")
WORSE = (ResultWord.INSUFFICIENT, ResultWord.NOT_ASSESSABLE)
Results = dict[tuple[str, str], Control]


def assessed(state: PackInput) -> Results:
    tally = Tally()
    for row in state.steps:
        tally.add(row)
    assessor = Assessor(state, tally.counts, load(), vocabulary(), tally.reached)
    return {(f.id, c.id): c for f in frameworks() for c in assessor.assess(f)}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackInput]:
    """A part of the sample day through import and stitching, its organisation's expectations left out."""
    folder = tmp_path_factory.mktemp("taken-away")
    org = (SAMPLE / "org.yaml").read_text("utf-8")
    (folder / "org.yaml").write_text(org)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", "0" * 64)
        with open_workspace(str(folder / "remit.db"), str(folder / "org.yaml"), create=True) as work:
            import_logs(work, [str(SAMPLE / name) for name in KEPT])
            build(work)
            made = pack_input(work, None, None, None)
            made.steps = list(made.steps)
    assert made.org is not None
    made.org = replace(made.org, enforcement_points=())
    assert {row.point for row in made.delivered} >= set(POINTS)
    yield made


def without(state: PackInput, points: set[str], sources: set[str]) -> PackInput:
    """The state as it would be had these points and sources never been imported, all that hangs on them alone included."""
    kept = tuple(d for d in state.delivered if d.point not in points and d.source not in sources)
    gone = {d.point for d in state.delivered} - {d.point for d in kept}
    lost = {s.id for s in state.sources} - {d.source for d in kept}
    coverage = tuple(c for c in state.coverage if c.point not in gone)
    deciding = any(c.decides for c in coverage)
    steps = [
        replace(row, covered=row.covered and deciding, decided=row.decided and row.decided_by not in gone) for row in state.steps
    ]
    return replace(
        state,
        delivered=kept,
        coverage=coverage,
        steps=steps if {"claude-code", "codex"} - gone else [],
        tasks=state.tasks if {"claude-code", "codex"} - gone else (),
        credentials=() if "vault" in gone else state.credentials,
        sources=tuple(s for s in state.sources if s.id not in lost),
        findings=tuple(f for f in state.findings if not f.evidence or {e.source for e in f.evidence} - lost),
    )


@settings(max_examples=15, deadline=None)
@given(points=st.sets(st.sampled_from(POINTS), max_size=3), picks=st.sets(st.integers(0, 5), max_size=2), quiet=st.booleans())
def test_what_is_taken_away_makes_no_result_better(state: PackInput, points: set[str], picks: set[int], quiet: bool) -> None:
    before = replace(state, findings=()) if quiet else state
    ids = sorted(s.id for s in state.sources)
    after = without(before, points, {ids[i] for i in picks if i < len(ids)})
    full, less = assessed(before), assessed(after)
    for key, control in full.items():
        if control.result in WORSE:
            assert less[key].result is not ResultWord.NONE_FOUND, (key, control.reason)
        assert set(less[key].points) <= set(control.points)


@pytest.mark.parametrize("point", POINTS)
def test_an_expected_point_that_is_taken_away_leaves_what_rests_on_it_without_evidence(state: PackInput, point: str) -> None:
    quiet = replace(state, findings=())
    vantage = next(d.vantage for d in state.delivered if d.point == point)
    assert state.org is not None
    org = replace(state.org, enforcement_points=(PointFact(point, vantage.value),))
    full, less = assessed(replace(quiet, org=org)), assessed(replace(without(quiet, {point}, set()), org=org))
    assert full == assessed(quiet)
    rested = [key for key, control in full.items() if control.result is ResultWord.NONE_FOUND and point in control.points]
    assert rested
    for key in rested:
        assert less[key].result is ResultWord.INSUFFICIENT, key
        assert f"{point}, expected and not seen" in less[key].reason or "lacks" in less[key].reason
