"""Which branch a command pushes and which its host saw pushed: two of them are two acts."""

from __future__ import annotations

import pytest

from chains.branches import branch_seen, branches_asked
from chains.build import build_task
from chains.reach import task_id
from lang.shell import parse
from model.event import Event
from tests.chains_placed import of, place
from tests.chains_story import REPO, S1, S2, call, effect, facts, ready, result, scope

T1, T2 = (task_id(f"session:{session}") for session in (S1, S2))


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        ("git push -q origin feat/x", {"feat/x"}),
        ("git push origin HEAD:main v1.0", {"main", "v1.0"}),
        ("git push origin refs/tags/v1.0", {"v1.0"}),
        ("git tag v1 && git commit -m x && git push origin main", {"main"}),
        ("git push", set()),
        ("git push origin main && git push", set()),
        ("git push origin main --follow-tags", set()),
        ("git push origin 'refs/heads/*'", set()),
        ("git push origin feat/x && gh pr merge 7", set()),
        ("git status", set()),
    ],
)
def test_what_a_command_pushes(command: str, asked: set[str]) -> None:
    assert branches_asked(parse(command).operations) == asked


def pushed(branch: str, seconds: float, *keys: str, who: str = "") -> Event:
    named = {"attrs": {"branch": branch}} if branch else {}
    return effect(f"push of {branch} at {seconds}", seconds, *keys, who=who, **named)


def pushes(scope: str, branch: str, seconds: float = 10) -> list[Event]:
    command = f"git push -q git@github.com:{REPO}.git {branch}"
    return [call(scope, f"c{branch}", seconds, attrs={"command": command}), result(scope, f"c{branch}", seconds + 5)]


def test_what_a_host_saw_pushed() -> None:
    assert branch_seen(pushed("refs/tags/v1.0", 12)) == {"v1.0"}
    assert branch_seen(effect("told", 12, target=f"repository:{REPO}@name of the project")) == set()


@pytest.mark.parametrize(("other", "task"), [("deps/y", T1), ("feat/x", ""), ("", "")])
def test_what_another_pushed_meanwhile_to_another_branch_leaves_the_agents_push_to_it(other: str, task: str) -> None:
    mine, theirs = pushed("feat/x", 12, who="agents-bot"), pushed(other, 13, who="updates-bot")
    found = place([*pushes(S1, "feat/x"), mine, theirs])
    assert [of(found, one).task for one in (mine, theirs)] == [task, ""]


def test_two_worktrees_push_a_branch_each() -> None:
    seen = [pushed("feat/x", 12, who="ada"), pushed("feat/y", 12.2, who="ada")]
    found = place([*pushes(S1, "feat/x"), *pushes(S2, "feat/y", 10.5), *seen])
    assert [of(found, one).task for one in seen] == [T1, T2]


def test_a_project_named_beside_a_push_is_no_branch() -> None:
    seen = effect("told", 12, scope(S1), target=f"repository:{REPO}@name of the project")
    (step,) = build_task(T1, ready([*pushes(S1, "feat/x"), seen]), [], facts()).steps
    assert step.effects
