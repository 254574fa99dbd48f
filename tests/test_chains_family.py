"""Whose children CI runs are, and what they did themselves."""

from __future__ import annotations

from typing import Any

import pytest

from chains import MemoryIndex, parentage, task_id
from chains.attribution import Resolver
from tests.chains_placed import of, place
from tests.chains_story import (
    REPO,
    S1,
    call,
    effect,
    event,
    facts,
    ready,
    result,
    scope,
)

T1 = task_id(f"session:{S1}")
PUSH = {"verb": "repo.write", "target": f"repository:{REPO}"}


def test_what_led_to_a_run_is_not_what_the_run_did() -> None:
    sha = "reference commit:feedfacefeedfacefeedfacefeedfacefeedface"
    job = f"ci.job:github-actions:{REPO}:1"
    run = event("job", "effect", "observed", "target", "ci", 20, f"scope {job}", sha, verb="ci.run")
    before, during = effect("push", 19, sha, who="kim-gh"), effect("release", 40, sha, verb="package.publish", who="kim-gh")
    found = place([before, run, during])
    assert [of(found, one).task for one in (before, during)] == ["", task_id(job)]


@pytest.mark.parametrize(("said", "child"), [({"tool": "schedule"}, False), ({"tool": "workflow_run.completed"}, True),
                                             ({"tool": "workflow_run.completed", "attrs": {"trigger": "schedule"}}, False),
                                             ({"tool": "Pipeline Hook", "attrs": {"trigger": "push"}}, True)])  # fmt: skip
def test_a_run_that_a_schedule_began_is_nobodys_child(said: dict[str, Any], child: bool) -> None:
    sha = "reference commit:feedfacefeedfacefeedfacefeedfacefeedface"
    job = event(
        "job", "effect", "started", "target", "ci", 7200, f"scope ci.job:github-actions:{REPO}:1", sha, verb="ci.run", **said
    )
    index = MemoryIndex(ready([call(S1, "c1", 4, **PUSH), effect("push", 5, scope(S1), sha), job]))
    parent = parentage(task_id(f"ci.job:github-actions:{REPO}:1"), [index.stubs[job.id]], Resolver(index, facts(), {}))
    assert parent.parent == (T1 if child else "")


@pytest.mark.parametrize(("printed", "child"), [("feedfac", True), ("feedfab", False)])
def test_a_run_is_the_child_of_the_task_that_printed_the_first_digits_of_its_commit(printed: str, child: bool) -> None:
    job = event("job", "effect", "started", "target", "ci", 20, f"scope ci.job:github-actions:{REPO}:1",
                "reference commit:feedfacefeedfacefeedfacefeedfacefeedface")  # fmt: skip
    made = ready([call(S1, "c1", 4), result(S1, "c1", 6), job])
    answer = event("made", "action", "result", "agent", "claude-code", 5, scope(S1), f"reference commit:{printed}")
    index = MemoryIndex([*made, *ready([answer])])
    parent = parentage(task_id(f"ci.job:github-actions:{REPO}:1"), [index.stubs[job.id]], Resolver(index, facts(), {}))
    assert parent.parent == (T1 if child else "")
