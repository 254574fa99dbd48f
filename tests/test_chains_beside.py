"""What others did at the agent's moment is not taken for the agent's."""

from __future__ import annotations

from chains import task_id
from model.words import Clock
from tests.chains_placed import of, place
from tests.chains_story import (
    REPO,
    S1,
    call,
    effect,
    result,
    scope,
    verdict,
)

T1 = task_id(f"session:{S1}")
PUSH = {"verb": "repo.write", "target": f"repository:{REPO}"}


def test_what_another_person_did_to_a_ticket_is_not_the_agents() -> None:
    told = call(S1, "c1", 10, "reference ticket:PAY-1"), result(S1, "c1", 11)
    mine = effect("mine", 11, "reference ticket:PAY-1", verb="ticket.update", point="jira", who="ada")
    alone = place([*told, mine])
    assert of(alone, mine).task == T1
    for seconds, placed in ((900, [T1, ""]), (13, ["", ""])):
        others = effect("others", seconds, "reference ticket:PAY-1", verb="ticket.update", point="jira", who="dan")
        found = place([*told, mine, others])
        assert [of(found, one).task for one in (mine, others)] == placed


def test_a_push_that_only_came_after_its_commit_is_no_inference() -> None:
    told = call(S1, "c1", 10, **PUSH), result(S1, "c1", 12)
    push = effect("push", 11, who="dan", clock=Clock.ORDER_ONLY, target=f"repository:{REPO}@x")
    assert of(place([*told, push]), push).task == ""


def test_a_persons_own_push_after_the_agents_is_not_the_agents() -> None:
    story = [
        verdict("d", 1, scope(S1)),
        call(S1, "c1", 10, **PUSH),
        (first := effect("push", 12, who="dana-gh")),
        (second := effect("again", 150, who="dana-gh")),
    ]
    found = place(story)
    assert of(found, first).task == T1
    assert of(found, second).task == ""
