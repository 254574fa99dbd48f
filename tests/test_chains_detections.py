"""Each detection against its own examples, and the registry against what a reader relies on."""

from __future__ import annotations

import pytest

from chains import TaskLife, build_task, credential_groups, lifeline, task_id
from chains.context import Context
from chains.detections import refused, registry, run
from chains.detections.examples import answer, chain, context, step
from chains.detections.registry import Detection, Example, Hit
from model.chain import Coverage
from model.event import CredentialFact, Event
from model.words import Severity, Vantage, Verb
from tests.chains_story import S1, at, call, event, facts, ready, result, scope

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


def seen(story: list[Event], *coverages: Coverage) -> set[str]:
    """The detections that fire on one task's story."""
    events = ready(story)
    chain = build_task(task_id(f"session:{S1}"), events, [], facts())
    named = credential_groups(events)
    lives = {chain.task.id: TaskLife(ended=chain.task.ended)}
    held = [lifeline(names, ((e, chain.task.id) for e in events), lives) for names in named]
    around = Context(facts=facts(), coverages=coverages, credentials={one.id: one for one in held})
    return {f.detection for f in run(chain, around)[0] if not f.blind_spot}


def grant(id: str, seconds: float, phase: str, token: str, *scopes: str) -> Event:
    fact = CredentialFact("token", "broker", "svc", scopes, ttl_seconds=900)
    keys = (scope(S1), f"credential jti:{token}")
    return event(id, "credential", phase, "enforcer", "broker", seconds, *keys, credential=fact)


def test_a_wider_grant_is_seen_though_its_issuer_names_no_call() -> None:
    work = [call(S1, "c1", 0), result(S1, "c1", 1), call(S1, "c2", 600)]
    first = grant("first", 5, "issued", "a", "read")
    assert "CRED-09" in seen([*work, first, grant("second", 100, "issued", "b", "read", "admin")])
    assert "CRED-09" not in seen([*work, first, grant("second", 100, "issued", "b", "read")])
    assert "CRED-09" in seen([*work, first, grant("wider", 100, "renewed", "a", "read", "admin")])
    assert "CRED-09" not in seen([*work, first, grant("same", 100, "renewed", "a", "read")])


def test_a_decider_that_names_hosts_answers_for_those_hosts_only() -> None:
    def watched(host: str) -> Coverage:
        return Coverage("gate", Vantage.ENFORCER, f"host:{host}", at(-100), at(1000), 9, (), True, (Verb.EXEC,))

    work = [call(S1, "c1", 0, attrs={"host": "laptop-7"}), result(S1, "c1", 1)]
    assert "GOV-01" in seen(work, watched("laptop-7"))
    assert "GOV-01" not in seen(work, watched("laptop-8"))


@pytest.mark.parametrize(
    ("command", "severity"),
    [
        ("sudo auditctl -e 0", Severity.MEDIUM),
        ("cd /tmp && sudo auditctl -e 0", Severity.MEDIUM),
        ("bash -c 'sudo auditctl -e 0'", Severity.MEDIUM),
        ("sudo auditctl -e 0; pytest -q", Severity.CRITICAL),
        ("sudo auditctl -e 0; false", Severity.CRITICAL),
        ("bash -c 'sudo auditctl -e 0; false'", Severity.CRITICAL),
    ],
)
def test_a_command_that_failed_in_the_end_may_have_taken_the_guard_away_before(command: str, severity: Severity) -> None:
    task = chain(step("exec", command=command, tool="no"))()
    (found,) = (f for f in run(task, context()())[0] if f.detection == "BND-04")
    assert found.severity is severity


@pytest.mark.parametrize(
    ("command", "hits"),
    [
        ("echo x >> CLAUDE.md && npm test", ["BND-07"]),
        ("echo x >> CLAUDE.md; false", ["BND-07"]),
        ("cp /tmp/rules CLAUDE.md", []),
        ("make test; echo 1 > .github/workflows/a.yml; npm test", ["SUP-02"]),
    ],
)
def test_what_was_written_before_another_command_failed_was_written(command: str, hits: list[str]) -> None:
    found, _ = run(chain(step("exec", command=command, tool="no"))(), context()())
    assert [f.detection for f in found if f.detection in ("BND-07", "SUP-02")] == hits


def test_a_retry_is_held_against_what_was_refused_alike_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[object] = []
    compare = refused._one_place
    monkeypatch.setattr(refused, "_one_place", lambda *acts: held.append(acts) or compare(*acts))
    deny = [step("exec", answer("deny"), command=f"git push origin b{n}", tool="no") for n in range(50)]
    done = [step("exec", command=f"bash -c 'git push origin b{n}'", tool="yes") for n in range(40, 90)]
    found, _ = run(chain(*deny, *done)(), context()())
    assert sum(f.detection == "BND-05" for f in found) == 10
    assert len(held) <= 20
