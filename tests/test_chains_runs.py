"""The CI run behind an OIDC subject: derived where one run fits, inferred with rivals where several do."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from chains import MemoryIndex, affected, attribute, task_id
from chains.runs import Wanted, wanted
from model.event import Event
from model.evidence import Attribution
from model.words import LinkKind
from tests.chains_story import event, facts, issued, ready, used

SUBJECT = "repo:Acme/Payments:ref:refs/heads/main"


def run(number: int, start: float, *, branch: str = "main", trigger: str = "push", end: float | None = None, repo: str = "acme/payments",
        system: str = "github-actions", environment: str = "") -> list[Event]:  # fmt: skip
    scope = f"scope ci.job:{system}:{repo}:{number}"
    attrs = {"branch": branch, "environment": environment}
    facts: dict[str, Any] = {"verb": "ci.run", "tool": trigger, "attrs": {k: v for k, v in attrs.items() if v}}
    found = [event(f"run {number}", "effect", "observed", "target", system, start, scope, **facts)]
    if end is not None:
        found.append(event(f"end {number}", "action", "ended", "target", system, end, scope, **facts))
    return found


def asks(seconds: float, subject: str = SUBJECT, *keys: str) -> Event:
    return issued("role session", seconds, f"reference oidc.subject:{subject}", "credential aws.key:ASIA1", *keys)


def place(events: list[Event], one: Event) -> Attribution:
    made = ready(events)
    index = MemoryIndex(made)
    return attribute([index.stubs[one.id]], index, facts())[0]


def task(number: int, system: str = "github-actions", repo: str = "acme/payments") -> str:
    return task_id(f"ci.job:{system}:{repo}:{number}")


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        (SUBJECT, Wanted("github-actions:acme/payments", "ref:main")),
        ("repo:acme@12/pay@34:ref:refs/tags/v1.2", Wanted("github-actions:acme/pay", "ref:v1.2")),
        ("repo:acme/pay:pull_request", Wanted("github-actions:acme/pay", "event:pull_request")),
        ("repo:acme/pay:environment:prod", Wanted("github-actions:acme/pay", "environment:prod")),
        ("repo:acme/pay:job_workflow_ref:acme/x/.github/workflows/a.yml@refs/heads/main", Wanted("github-actions:acme/pay", "")),
        ("project_path:group/sub/proj:ref_type:branch:ref:feat/x", Wanted("gitlab-ci:group/sub/proj", "ref:feat/x")),
        ("project_path:group/proj", Wanted("gitlab-ci:group/proj", "")),
        ("system:serviceaccount:ci:runner", None),
        ("e3349fa1", None),
    ],
)
def test_what_a_subject_says_of_its_run(subject: str, found: Wanted | None) -> None:
    assert wanted(subject) == found


def test_one_run_of_that_repository_and_ref_is_derived() -> None:
    ask = asks(100)
    others = [*run(8, 0, branch="dev", end=900), *run(9, 0, repo="acme/web", end=900), *run(6, -900, end=-300)]
    found = place([*run(7, 0, end=600), *others, ask], ask)
    assert found.task == task(7)
    (link,) = found.links
    assert (link.kind, link.key) == (LinkKind.DERIVED, f"oidc.subject:{SUBJECT}")


def test_a_gitlab_pipeline_is_found_by_its_project_and_ref() -> None:
    ask = asks(100, "project_path:group/proj:ref_type:branch:ref:main")
    found = place([*run(5, 0, system="gitlab-ci", repo="group/proj", end=300), ask], ask)
    assert found.task == task(5, "gitlab-ci", "group/proj")
    assert [link.kind for link in found.links] == [LinkKind.DERIVED]


def test_a_run_whose_end_is_not_known_is_only_inferred() -> None:
    ask = asks(100)
    (link,) = (found := place([*run(7, 0), ask], ask)).links
    assert found.task == task(7)
    assert link.kind is LinkKind.INFERRED
    assert 0.75 <= link.confidence < 1
    assert set(link.factors) == {"subject", "time", "unique"}


def test_of_two_runs_the_one_under_way_is_inferred_and_the_other_kept_as_rival() -> None:
    ask = asks(7_300)
    found = place([*run(7, 7_200, end=7_500), *run(8, 0), ask], ask)
    assert found.task == task(7)
    (link,) = found.links
    assert link.kind is LinkKind.INFERRED
    assert [rival.task for rival in link.candidates] == [task(8)]


def test_two_runs_that_fit_alike_leave_it_unattributed() -> None:
    ask = asks(100)
    assert place([*run(7, 0, end=600), *run(8, 20, end=600), ask], ask).task == ""


@pytest.mark.parametrize("seconds", [-100, 700, 8 * 3600])
def test_a_run_not_under_way_is_no_candidate(seconds: float) -> None:
    ask = asks(seconds)
    assert place([*run(7, 0, end=600), ask], ask).task == ""


def test_a_pull_requests_run_asks_as_such_whatever_its_branch() -> None:
    runs = [*run(7, 0, trigger="pull_request", end=600), *run(8, 0, trigger="push", branch="feat", end=600)]
    pull, branch = asks(100, "repo:acme/payments:pull_request"), asks(100)
    assert place([*runs, pull], pull).task == task(7)
    assert place([*runs, branch], branch).task == ""


def test_an_environment_is_that_of_the_run_that_names_it_else_of_any() -> None:
    ask = asks(100, "repo:acme/payments:environment:prod")
    assert place([*run(7, 0, end=600), ask], ask).task == task(7)
    assert place([*run(7, 0, environment="dev", end=600), ask], ask).task == ""


def test_a_run_id_in_the_record_outranks_the_subject() -> None:
    ask = asks(100, SUBJECT, "scope ci.job:github-actions:acme/payments:4")
    assert place([*run(7, 0, end=600), ask], ask).task == task(4)


def test_what_the_role_session_did_follows_its_issuance() -> None:
    ask, use = asks(100), used("s3", 200, "credential aws.key:ASIA1", point="aws:1")
    assert place([*run(7, 0, end=600), ask, use], use).task == task(7)


def test_the_order_of_arrival_changes_nothing() -> None:
    """Whatever comes last, those named as affected cover all whose place is then another."""
    story = ready([*run(7, 0, end=600), *run(8, 30), asks(100), used("s3", 200, "credential aws.key:ASIA1", point="aws:1")])
    whole = MemoryIndex(story)
    final = {a.event: a for a in attribute([whole.stubs[e.id] for e in story], whole, facts())}
    for order in permutations(story):
        index, placed = MemoryIndex(), {}
        for one in order:
            index.add(whole.stubs[one.id])
            again = affected([whole.stubs[one.id]], index, facts())
            placed |= {a.event: a for a in attribute(again, index, facts())}
        assert placed == final
