"""Assessment: the five words, what stands behind them, and that losing a source never makes a word better."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.chain import Coverage, Credential, Gap, Task
from model.org import Org, PointFact
from model.review import ExceptionRecord, Verdict
from model.words import EventKind, Phase, ResultWord, Vantage, VerdictWord
from reports.assessment import Assessor, Control, facts_of
from reports.catalogue import framework, frameworks
from reports.crosswalk import load
from reports.input import Classification, Delivered, Detection, PackInput, SourceRow, StepRow
from reports.standing import Desk
from reports.tally import Tally
from reports.vocabulary import vocabulary
from tests.reports_sample import DAY, EU, HOUR, IMPLEMENTED, classified, finding, sample


def assess(state: PackInput, name: str) -> dict[str, Control]:
    tally = Tally()
    for row in state.steps:
        tally.add(row)
    return {c.id: c for c in Assessor(state, tally.counts, load(), vocabulary()).assess(framework(name))}


def test_findings_give_exceptions_and_the_threat_word() -> None:
    controls = assess(sample(), "owasp-asi-2026")
    assert controls["ASI10"].result is ResultWord.EXCEPTIONS
    assert controls["ASI10"].word == "observed"
    assert controls["ASI06"].word == "not observed"
    assert assess(sample(), "nist-ai-rmf-1.0")["GOVERN 1.4"].word == "exceptions found"


def test_accepted_findings_stand_and_dismissed_ones_do_not() -> None:
    only = finding("BND-07", 1)
    exception = ExceptionRecord(only.finding.id, "lee", "T-1", DAY + 48 * HOUR, "known", "lee", DAY)
    accepted = assess(sample(findings=(only,), exceptions=(exception,), verdicts=()), "owasp-asi-2026")["ASI06"]
    assert (accepted.result, accepted.open, accepted.accepted) == (ResultWord.EXCEPTIONS, 0, 1)
    verdict = Verdict(only.finding.id, "finding", VerdictWord.FALSE_POSITIVE, "a test file", "lee", DAY)
    dismissed = assess(sample(findings=(only,), exceptions=(), verdicts=(verdict,)), "owasp-asi-2026")["ASI06"]
    assert (dismissed.result, dismissed.dismissed, dismissed.findings) == (ResultWord.NONE_FOUND, 1, (only.finding.id,))


def test_blind_spots_and_unjudged_cases_are_carried_and_never_counted() -> None:
    blind = finding("GOV-01", 1, blind_spot=True)
    control = assess(sample(findings=(blind,), exceptions=(), verdicts=()), "owasp-asi-2026")["ASI02"]
    assert (control.open, control.accepted, control.blind_spots, control.cannot_judge) == (0, 0, 1, 2)
    assert control.result is ResultWord.NONE_FOUND


@pytest.mark.parametrize(
    ("detections", "result", "reason"),
    [
        ((), ResultWord.INSUFFICIENT, "no implemented detection speaks to it"),
        (("HUM-02",), ResultWord.NONE_FOUND, ""),
    ],
)
def test_a_control_needs_a_detection_that_ran(detections: tuple[str, ...], result: ResultWord, reason: str) -> None:
    ran = tuple(Detection(d, d) for d in detections)
    control = assess(sample(findings=(), detections=ran), "owasp-nhi-2025")["NHI10:2025"]
    assert (control.result, control.reason) == (result, reason)


def test_without_credential_events_credential_controls_lack_evidence() -> None:
    state = sample(
        findings=(), credentials=(), delivered=tuple(d for d in sample().delivered if d.kind is not EventKind.CREDENTIAL)
    )
    assert assess(state, "owasp-nhi-2025")["NHI7:2025"].result is ResultWord.INSUFFICIENT
    identity = assess(state, "nist-sp800-53r5-selected")["IA-5"]
    assert identity.result is ResultWord.INSUFFICIENT
    assert "CRED-01 lacks credential life times" in identity.reason
    full = assess(sample(findings=()), "nist-sp800-53r5-selected")["IA-5"]
    assert full.result is ResultWord.NONE_FOUND


def test_an_expected_enforcement_point_that_is_not_seen_limits_what_rests_on_it() -> None:
    silent = Org(enforcement_points=(PointFact("cedar:*", "enforcer"),))
    seen = assess(sample(findings=()), "nist-sp800-53r5-selected")
    limited = assess(sample(findings=(), org=silent), "nist-sp800-53r5-selected")
    assert seen["AC-3"].result is ResultWord.NONE_FOUND
    assert limited["AC-3"].result is ResultWord.INSUFFICIENT
    assert "rests on cedar:*, expected and not seen" in limited["AC-3"].reason
    listed = Coverage("cedar:*", Vantage.ENFORCER, "*", DAY, DAY + 24 * HOUR, 0, (Gap(DAY, DAY + 24 * HOUR),))
    beside = sample(findings=(), org=silent, coverage=(*sample().coverage, listed))
    assert assess(beside, "nist-sp800-53r5-selected")["AC-3"].result is ResultWord.INSUFFICIENT
    later = Org(enforcement_points=(PointFact("cedar:*", "enforcer", since="2027-01-01T00:00:00Z"),))
    assert assess(sample(findings=(), org=later), "nist-sp800-53r5-selected")["AC-3"].result is ResultWord.NONE_FOUND


def test_what_was_seen_outside_the_period_alone_says_nothing_of_it() -> None:
    before = tuple(
        msgspec.structs.replace(c, start=DAY - 48 * HOUR, end=DAY - 24 * HOUR) if c.point == "vault" else c
        for c in sample().coverage
    )
    limited = assess(sample(findings=(), coverage=before), "nist-sp800-53r5-selected")["IA-5"]
    assert limited.result is ResultWord.INSUFFICIENT
    assert "vault" not in limited.points
    whole = assess(sample(findings=(), coverage=before, start=None, end=None), "nist-sp800-53r5-selected")["IA-5"]
    assert whole.result is ResultWord.NONE_FOUND and "vault" in whole.points


def test_a_detection_that_is_blind_in_every_task_it_looks_at_says_nothing() -> None:
    tasks = frozenset(task.id for task in sample().tasks)

    def judged(unjudged: frozenset[str]) -> Control:
        ran = (Detection("SUP-02", "a pipeline file changed", cannot_judge=len(unjudged), unjudged=unjudged),)
        state, tally = sample(findings=(), detections=ran), Tally()
        for row in state.steps:
            tally.add(row)
        assessor = Assessor(state, tally.counts, load(), vocabulary(), tally.reached)
        return {c.id: c for c in assessor.assess(framework("asi"))}["ASI04"]

    assert judged(tasks).result is ResultWord.INSUFFICIENT and "could judge none" in judged(tasks).reason
    assert judged(tasks - {min(tasks)}).result is ResultWord.NONE_FOUND


def test_a_population_that_could_not_be_judged_says_nothing() -> None:
    state = sample(findings=())
    unjudged = tuple(msgspec.structs.replace(d, cannot_judge=10**6) if d.id == "SUP-02" else d for d in state.detections)
    assert assess(sample(findings=()), "owasp-asi-2026")["ASI04"].result is ResultWord.NONE_FOUND
    control = assess(sample(findings=(), detections=unjudged), "owasp-asi-2026")["ASI04"]
    assert control.result is ResultWord.INSUFFICIENT and "could judge none" in control.reason


def test_an_empty_population_says_nothing() -> None:
    rows = [msgspec.structs.replace(row, decided=False) for row in sample().steps]
    ran = (Detection("GOV-02", "Action executed despite deny"),)
    full = assess(sample(findings=(), detections=ran), "owasp-asi-2026")["ASI10"]
    assert full.result is ResultWord.NONE_FOUND
    none = assess(sample(findings=(), detections=ran, steps=rows), "owasp-asi-2026")["ASI10"]
    assert (none.result, none.reason) == (ResultWord.INSUFFICIENT, "GOV-02 had nothing to look at")


def test_not_assessable_and_unmapped_items_say_why() -> None:
    controls = assess(sample(), "nist-ai-rmf-1.0")
    assert controls["GOVERN 1.1"].result is ResultWord.NOT_ASSESSABLE and "policy" in controls["GOVERN 1.1"].reason
    atlas = assess(sample(), "mitre-atlas-selected")
    assert atlas["AML.M0024"].result is ResultWord.NOT_IN_SCOPE
    assert atlas["AML.T0048"].reason == "no detection of the crosswalk speaks to it"


def test_layers_are_touched_through_their_threats() -> None:
    controls = assess(sample(), "csa-maestro-2025")
    assert controls["L7"].word == "touched" and controls["L7-agent-identity-attack"].word == "observed"
    assert controls["L1"].word == "not covered"
    assert assess(sample(findings=()), "csa-maestro-2025")["L2"].word == "not touched"


def test_what_a_person_takes_out_of_scope_keeps_its_counts() -> None:
    state = sample(out_of_scope={"owasp-asi-2026": {"ASI10": "another audit covers it"}})
    control = assess(state, "owasp-asi-2026")["ASI10"]
    assert (control.result, control.reason) == (ResultWord.NOT_IN_SCOPE, "another audit covers it")
    assert control.open > 0


def test_the_ai_act_stays_off_until_somebody_classifies() -> None:
    def off(state: PackInput) -> str:
        return Assessor(state, {}, load(), vocabulary()).left_off(framework(EU))

    assert "who classified the system as high-risk" in off(sample())
    assert "who classified" in off(sample(classifications=(Classification(EU, "", "deployer"),)))
    assert off(sample(classifications=classified())) == ""
    controls = assess(sample(classifications=classified()), EU)
    assert controls["Art.12(1)"].reason == "binds the provider; stated role: deployer"
    assert controls["Art.26(5)"].result is ResultWord.EXCEPTIONS
    assert controls["Art.4"].result is ResultWord.NOT_ASSESSABLE


def test_every_item_of_every_framework_gets_a_word_and_mapped_ones_both_sentences() -> None:
    state = sample(classifications=classified())
    crosswalk = load()
    for catalogue in frameworks():
        state.steps = sample().steps
        controls = assess(state, catalogue.id)
        assert set(controls) == {i.id for i in catalogue.assessable}
        for control in controls.values():
            mapped = crosswalk.detections_of(catalogue.id, control.id)
            assert bool(control.reason) or control.result in (ResultWord.EXCEPTIONS, ResultWord.NONE_FOUND), control.id
            if mapped:
                assert control.shows and control.does_not_show and control.level, control.id
                assert {*control.ran, *control.not_run} >= set(mapped)


def test_a_verdict_on_other_evidence_reopens() -> None:
    row = finding("BND-07", 1)
    verdict = Verdict(row.finding.id, "finding", VerdictWord.WITHIN, "fine", "lee", DAY, evidence="another digest")
    assert Desk((verdict,), (), DAY).standing(row.finding).state == "reopened"
    same = Verdict(row.finding.id, "finding", VerdictWord.WITHIN, "fine", "lee", DAY, evidence=row.finding.evidence_digest)
    assert Desk((same,), (), DAY).standing(row.finding).state == "within-remit"


def test_an_exception_that_ran_out_no_longer_covers() -> None:
    row = finding("BND-07", 1)
    exception = ExceptionRecord(row.finding.id, "lee", "T-1", DAY, "known", "lee", DAY - HOUR)
    assert Desk((), (exception,), DAY).standing(row.finding).state == "accepted"
    standing = Desk((), (exception,), DAY + 1).standing(row.finding)
    assert (standing.state, standing.expired) == ("open", True)


# --- removing a source never makes a word better -------------------------------------------------------------------

POINTS = ("claude-code", "opa:a", "vault", "github:acme")
_DELIVERED = st.builds(
    Delivered,
    source=st.sampled_from("abcd"),
    point=st.sampled_from(POINTS),
    kind=st.sampled_from(list(EventKind)),
    phase=st.sampled_from(list(Phase)),
    vantage=st.sampled_from(list(Vantage)),
    events=st.integers(0, 3),
    facts=st.lists(st.sampled_from(["usage", "log_chain"]), max_size=2).map(tuple),
)
_STEP = st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans())
_COVERAGE = st.tuples(st.sampled_from("abcd"), st.sampled_from(POINTS), st.booleans())
_FINDING = st.tuples(st.sampled_from("abcd"), st.sampled_from(IMPLEMENTED), st.booleans())
_STATE = st.fixed_dictionaries(
    {
        "delivered": st.lists(_DELIVERED, max_size=6).flatmap(
            lambda more: st.lists(st.sampled_from("abcd"), min_size=7, max_size=7).map(
                lambda homes: (
                    [msgspec.structs.replace(d, source=h) for d, h in zip(sample().delivered, homes, strict=True)] + more
                )
            )
        ),
        "steps": st.lists(_STEP, max_size=6),
        "coverage": st.lists(_COVERAGE, max_size=5),
        "findings": st.lists(_FINDING, max_size=3),
        "credentials": st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=3),
        "tasks": st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=3),
        "unjudged": st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from(IMPLEMENTED)), max_size=12),
        "run": st.sets(st.sampled_from(IMPLEMENTED), min_size=1, max_size=4),
        "expected": st.lists(
            st.builds(PointFact, id=st.sampled_from([*POINTS, "okta"]), vantage=st.sampled_from(["", "agent", "enforcer"])),
            max_size=1,
        ),
    }
)


def _unjudged(kept: dict[str, list[tuple[str, ...]]], name: str) -> int:
    """Units of a detection's population that come from a source it cannot judge anything of."""
    blind = {source for source, detection in kept["unjudged"] if detection == name}
    units = {
        "records": [s for s in blind for _ in range(5)],
        "credentials": [s for s, *_ in kept["credentials"]],
        "covered_steps": [s for s, _, covered in kept["steps"] if covered],
        "decided_steps": [s for s, decided, _ in kept["steps"] if decided],
    }.get(vocabulary().need_of(name).population, [s for s, *_ in kept["steps"]])
    return sum(s in blind for s in units)


def _state(drawn: dict[str, list[tuple[str, ...]]], without: str) -> PackInput:
    """The state as it would be had one source never been imported."""
    kept = {k: [x for x in v if x[0] != without] for k, v in drawn.items() if k not in ("delivered", "run", "expected")}
    return PackInput(
        organisation="Acme",
        as_of=DAY,
        tool_version="0",
        delivered=tuple(d for d in drawn["delivered"] if d.source != without),
        steps=[StepRow(str(i), f"t{i:02d}", 0, decided=d, covered=c) for i, (_, d, c) in enumerate(kept["steps"])],
        coverage=tuple(Coverage(p, Vantage.ENFORCER, "*", DAY, DAY + HOUR, 1, decides=d) for _, p, d in kept["coverage"]),
        findings=tuple(finding(d, i, blind_spot=b) for i, (_, d, b) in enumerate(kept["findings"])),
        credentials=tuple(Credential(f"c{i}", "k", expires=DAY if e else None) for i, (_, e) in enumerate(kept["credentials"])),
        tasks=tuple(Task(f"t{i}", "s", ended=DAY if e else None) for i, (_, e) in enumerate(kept["tasks"])),
        sources=tuple(SourceRow(s, s, "f", read=5, accepted=5) for s in "abcd" if s != without),
        detections=tuple(Detection(name, name, cannot_judge=_unjudged(kept, name)) for name in sorted(drawn["run"])),
        org=Org(enforcement_points=tuple(drawn["expected"])),
    )


@settings(max_examples=100, deadline=None)
@given(drawn=_STATE, without=st.sampled_from("abcd"), name=st.sampled_from(["owasp-asi-2026", "owasp-nhi-2025"]))
def test_removing_a_source_never_makes_a_word_better(drawn: dict[str, list[tuple[str, ...]]], without: str, name: str) -> None:
    full, less = assess(_state(drawn, "-"), name), assess(_state(drawn, without), name)
    assert facts_of(_state(drawn, without)) <= facts_of(_state(drawn, "-"))
    for control_id, before in full.items():
        after = less[control_id]
        if after.result is ResultWord.NONE_FOUND:
            # A word may only come from "none found", or from exceptions that were seen in the lost source alone.
            assert before.result in (ResultWord.NONE_FOUND, ResultWord.EXCEPTIONS), control_id
        assert after.open + after.accepted <= before.open + before.accepted
