"""Where events belong: by their own keys, over derived keys, by inference; and what must stay unattributed."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chains import MemoryIndex, affected, attribute, parentage, task_id
from chains.attribution import Resolver
from chains.family import telling
from chains.memory import in_time
from chains.reach import Reach
from model.event import Event
from model.evidence import Stub
from model.words import LinkKind
from tests.chains_placed import of, place
from tests.chains_story import (
    REPO,
    S1,
    S2,
    call,
    effect,
    event,
    facts,
    issued,
    mcp_tool,
    prompt,
    ready,
    result,
    scope,
    used,
    verdict,
)

T1, T2 = task_id(f"session:{S1}"), task_id(f"session:{S2}")
PUSH = {"verb": "repo.write", "target": f"repository:{REPO}"}


def test_an_event_with_a_scope_belongs_to_its_strongest_name_and_needs_no_link() -> None:
    alias = event("span", "action", "call", "agent", "otel", 0, "scope trace:aa", scope(S1), verb="exec")
    traced = event("traced", "decision", "verdict", "enforcer", "opa", 1, "scope trace:aa")
    found = place([alias, traced])
    assert of(found, traced).task == T1
    assert of(found, traced).links == ()


def test_a_call_key_outranks_the_session_an_event_names() -> None:
    child = event(
        "child call", "action", "call", "agent", "claude-code", 5, f"scope claude.agent:{S1}/a1", "call call:c9", verb="exec"
    )
    decision = verdict("d", 4, scope(S1), "call call:c9")
    found = place([prompt(S1, 0, "go"), child, decision])
    assert of(found, decision).task == task_id(f"claude.agent:{S1}/a1")
    (link,) = of(found, decision).links
    assert (link.source, link.target, link.kind, link.key) == (child.id, decision.id, LinkKind.EXACT, "call:c9")


def test_a_call_id_of_two_sessions_decides_nothing() -> None:
    decision = verdict("d", 4, "call call:c1")
    found = place([call(S1, "c1", 1), event("other", "action", "call", "agent", "codex", 2, scope(S2), "call call:c1"), decision])
    assert of(found, decision).task == ""


def test_a_request_id_leads_to_the_session_that_another_log_names() -> None:
    gateway = verdict("gw", 2, scope(S1), "call call:c1", "call request:r1")
    ticket = effect("t", 3, "call request:r1", verb="ticket.update", target="ticketing:PAY-1", point="tickets")
    found = place([call(S1, "c1", 1, verb="mcp.call"), gateway, ticket])
    assert of(found, ticket).task == T1
    (link,) = of(found, ticket).links
    assert (link.source, link.kind, link.key) == (gateway.id, LinkKind.EXACT, "request:r1")


def test_a_request_id_outranks_a_trace_that_nobody_else_knows() -> None:
    gateway = verdict("gw", 2, scope(S1), "call request:r1")
    lone = verdict("opa", 2, "scope trace:ff", "call request:r1")
    assert of(place([gateway, lone]), lone).task == T1


def test_use_derives_from_issuance_over_any_alias_and_ever_after() -> None:
    issue = issued("i", 2, scope(S1), "credential vault.accessor:a", "credential vault.token:t")
    use = used("u", 90_000, "credential vault.token:t", point="vault")
    found = place([call(S1, "c1", 1), issue, use])
    assert of(found, use).task == T1
    (link,) = of(found, use).links
    assert (link.source, link.target, link.kind, link.key) == (issue.id, use.id, LinkKind.DERIVED, "vault.token:t")


def test_a_credential_of_two_tasks_joins_neither() -> None:
    story = [
        issued("i", 2, scope(S1), "credential token:t"),
        event("e", "credential", "exposed", "agent", "claude-code", 3, scope(S2), "credential token:t"),
        (use := used("u", 4, "credential token:t")),
    ]
    assert of(place(story), use).task == ""


def test_another_tasks_use_does_not_make_it_a_holder() -> None:
    story = [
        issued("i", 2, scope(S1), "credential token:t"),
        used("x", 3, scope(S2), "credential token:t"),
        (use := used("u", 4, "credential token:t")),
    ]
    assert of(place(story), use).task == T1
    assert of(place(story[1:]), use).task == T2


def test_who_makes_another_credential_with_it_does_not_hold_the_first() -> None:
    story = [
        issued("i", 2, scope(S1), "credential token:t"),
        issued("further", 3, scope(S2), "credential token:other", "via token:t"),
        (use := used("u", 4, "credential token:t")),
    ]
    (link,) = of(place(story), use).links
    assert of(place(story), use).task == T1
    assert (link.source, link.kind, link.key) == (story[0].id, LinkKind.DERIVED, "token:t")


def test_all_events_of_a_record_go_where_one_of_them_leads() -> None:
    issue = issued("i", 2, scope(S1), "credential token:t")
    seen = effect("push", 5, record="rec-push")
    use = used("u", 5, "credential token:t", record="rec-push")
    found = place([issue, seen, use])
    assert of(found, seen).task == of(found, use).task == T1
    assert of(found, seen).links == ()
    assert [link.target for link in of(found, use).links] == [use.id]


def test_a_credential_obtained_with_another_belongs_to_its_holder() -> None:
    first = issued("i", 2, scope(S1), "credential aws.key:ASIA1")
    second = issued("j", 5, "credential aws.key:ASIA2", "via aws.key:ASIA1")
    use = used("u", 9, "credential aws.key:ASIA2", point="cloudtrail:1")
    found = place([first, second, use])
    assert of(found, second).task == of(found, use).task == T1


def test_an_old_issuance_is_not_drawn_into_the_task_that_uses_it() -> None:
    old = issued("old", -90_000, "credential token:t")
    fresh = issued("fresh", 1, "credential token:f")
    story = [old, fresh, used("u", 5, scope(S1), "credential token:t"), used("v", 5, scope(S1), "credential token:f")]
    found = place(story)
    assert of(found, old).task == ""
    assert of(found, fresh).task == T1


def test_token_to_push_to_commit_to_pull_request_in_several_hops() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    story = [
        issued("i", 2, scope(S1), "credential token:t"),
        used("push", 5, "credential token:t", record="rec-push"),
        effect("push", 5, f"reference commit:{sha}", record="rec-push"),
        (opened := effect("pr", 60, f"reference commit:{sha[:9]}", f"reference pr:{REPO}#7", verb="pr.open")),
        (merged := effect("merge", 900, f"reference pr:{REPO}#7", verb="pr.merge")),
    ]
    found = place(story)
    assert of(found, opened).task == of(found, merged).task == T1
    assert of(found, opened).links[0].key == f"commit:{sha[:9]}"
    assert of(found, merged).links[0].key == f"pr:{REPO}#7"


def test_an_access_request_is_the_tasks_that_printed_its_id_and_nobodys_where_two_did() -> None:
    asked = event(
        "asked",
        "credential",
        "requested",
        "enforcer",
        "teleport",
        5,
        "call teleport.access_request:r",
        "reference access.request:r",
    )
    agreed = verdict("agreed", 50, "call teleport.access_request:r")
    first, second = (
        event(id, "action", "result", "agent", "claude-code", 6, scope(session), f"call call:{id}", "reference access.request:r")
        for id, session in (("c1", S1), ("c2", S2))
    )
    found = place([first, asked, agreed])
    assert of(found, asked).task == of(found, agreed).task == T1
    assert (of(found, asked).links[0].kind, of(found, asked).links[0].key) == (LinkKind.DERIVED, "access.request:r")
    assert of(place([first, second, asked, agreed]), asked).task == ""


def test_the_commit_a_session_started_from_is_nobodys_work() -> None:
    base = event("meta", "action", "started", "agent", "codex", 0, scope(S1), "reference commit:abcdef1234567")
    other = effect("push", -500, "reference commit:abcdef1234567")
    assert of(place([base, other]), other).task == ""


def test_a_job_is_its_own_task_and_the_child_of_the_commits_task() -> None:
    sha = "feedfacefeedfacefeedfacefeedfacefeedface"
    push = effect("push", 5, scope(S1), f"reference commit:{sha}")
    job = event(
        "job", "effect", "started", "target", "ci", 20, f"scope ci.job:github-actions:{REPO}:1", f"reference commit:{sha}"
    )
    made = ready([call(S1, "c1", 4, **PUSH), push, job])
    index = MemoryIndex(made)
    task = task_id(f"ci.job:github-actions:{REPO}:1")
    (placed,) = attribute([index.stubs[job.id]], index, facts())
    assert placed.task == task
    parent = parentage(task, [index.stubs[job.id]], Resolver(index, facts(), {}))
    assert parent.parent == T1
    assert parent.link is not None
    assert (parent.link.source, parent.link.kind) == (push.id, LinkKind.DERIVED)


def test_an_agents_session_is_no_child_of_one_that_acted_on_the_same_commit() -> None:
    """Two sessions push and pull one commit; what is told of theirs to find a parent by holds that they are agents'."""
    sha = "reference commit:feedfacefeedfacefeedfacefeedfacefeedface"
    mine, others = (
        ready(
            [
                prompt(s, 0, "go"),
                call(s, f"c-{s}", 4),
                event(f"r-{s}", "action", "result", "agent", "claude-code", 5, scope(s), sha),
            ]
        )
        for s in (S1, S2)
    )
    index = MemoryIndex([*mine, *others])
    stubs = telling(others)
    assert [stub.id for stub in stubs] == [one.id for one in others[1:]]
    assert parentage(task_id(f"session:{S2}"), stubs, Resolver(index, facts(), {})).parent == ""


def test_a_sub_agent_names_its_parent_and_the_step_that_spawned_it() -> None:
    spawn = call(S1, "spawn", 2, verb="agent.spawn")
    child = event(
        "first", "intent", "prompt", "agent", "claude-code", 3, f"scope claude.agent:{S1}/a1", f"parent session:{S1}",
        "parent call:spawn",
    )  # fmt: skip
    index = MemoryIndex(ready([spawn, child]))
    found = parentage(task_id(f"claude.agent:{S1}/a1"), [index.stubs[child.id]], Resolver(index, facts(), {}))
    assert (found.parent, found.call) == (T1, "call:spawn")
    assert found.step
    assert found.link is not None
    assert found.link.kind is LinkKind.EXACT


def test_a_push_is_inferred_from_its_principal_target_and_time() -> None:
    story = [
        verdict("d", 1, scope(S1), who="dana@acme"),
        (push := call(S1, "c1", 10, **PUSH)),
        (seen := effect("push", 13, who="dana-gh")),
    ]
    answer = of(place(story), seen)
    assert answer.task == T1
    (link,) = answer.links
    assert (link.source, link.kind) == (push.id, LinkKind.INFERRED)
    assert link.confidence >= 0.75
    assert {"target", "time", "principal", "unique"} <= set(link.factors)


def test_a_clock_that_may_be_half_a_minute_off_costs_a_verdict_something_but_not_its_call() -> None:
    mine = call(S1, "c1", 10, attrs={"command": "npm run lint"})
    late = verdict("d", 30, verb="exec", attrs={"command": "npm run lint"})
    (link,) = of(place([mine, late]), late).links
    assert link.factors["early"] < 0 < link.factors["words"]


@pytest.mark.parametrize(
    ("seconds", "who", "why"),
    [
        (13, "lee-gh", "another person, whom the organisation knows"),
        (13, "somebody", "a name nobody can place"),
        (400, "dana-gh", "outside the window"),
        (-60, "dana-gh", "before the call"),
    ],
)
def test_what_does_not_fit_stays_unattributed(seconds: float, who: str, why: str) -> None:
    story = [verdict("d", 1, scope(S1)), call(S1, "c1", 10, **PUSH), (seen := effect("push", seconds, who=who))]
    assert of(place(story), seen).task == "", why


def test_two_sessions_that_did_the_same_at_once_are_rivals_and_none_wins() -> None:
    story = [
        verdict("d1", 1, scope(S1)),
        verdict("d2", 1, scope(S2)),
        call(S1, "c1", 10, **PUSH),
        call(S2, "c2", 12, **PUSH),
        (seen := effect("push", 14, who="dana-gh")),
    ]
    assert of(place(story), seen).task == ""


def test_the_nearer_of_two_sessions_wins_and_the_other_is_kept_as_rival() -> None:
    story = [
        verdict("d1", 1, scope(S1)),
        verdict("d2", 1, scope(S2)),
        call(S1, "c1", 10, **PUSH),
        (rival := call(S2, "c2", -250, **PUSH)),
        (seen := effect("push", 12, who="dana-gh")),
    ]
    answer = of(place(story), seen)
    assert answer.task == T1
    assert [c.event for c in answer.links[0].candidates] == [rival.id]
    assert answer.links[0].candidates[0].task == T2


def test_a_record_that_states_another_session_is_never_inferred_away() -> None:
    story = [verdict("d", 1, scope(S1)), call(S1, "c1", 10, **PUSH), (seen := effect("push", 12, scope(S2), who="dana-gh"))]
    assert of(place(story), seen).task == T2


def test_a_credential_held_by_another_task_excludes_the_inference() -> None:
    story = [
        verdict("d", 1, scope(S1)),
        issued("i", 2, scope(S2), "credential token:t"),
        event("x", "credential", "exposed", "agent", "codex", 3, scope("33333333-3333-4333-8333-333333333333"), "credential token:t"),
        call(S1, "c1", 10, **PUSH),
        (seen := effect("push", 12, who="dana-gh", record="rec-p")),
        used("u", 12, "credential token:t", record="rec-p", who="dana-gh"),
    ]  # fmt: skip
    assert of(place(story), seen).task == ""


def _lent(*more: Event) -> tuple[list[Event], Event]:
    """A token issued to one session, and a push with it while another session pushes."""
    seen = effect("push", 12, who="dana-gh", record="rec-p")
    with_it = used("u", 12, "credential token:t", record="rec-p", who="dana-gh")
    return [verdict("d", 1, scope(S1)), issued("i", 2, scope(S2), "credential token:t"), seen, with_it, *more], seen


def test_a_use_that_another_tasks_call_tells_of_is_that_tasks_and_not_the_holders() -> None:
    story, seen = _lent(call(S1, "c1", 10, **PUSH), result(S1, "c1", 20))
    found = place(story)
    assert {of(found, one).task for one in (seen, story[3])} == {T1}
    assert [link.kind for link in of(found, seen).links] == [LinkKind.INFERRED]
    assert of(found, story[1]).task == T2


@pytest.mark.parametrize(
    "beside",
    [
        [call(S2, "c2", 40, **PUSH)],
        [effect("other", 90, who="dana-gh")],
        [effect("other", 90, record="rec-q"), used("w", 90, "credential token:q", record="rec-q")],
        [call("33333333-3333-4333-8333-333333333333", "c3", 15, **PUSH)],
        [effect("other", 90, point="gitlab:acme")],
        [verdict("no", 10.1, "call call:c1", effect="deny")],
        [effect(f"hot {n}", 250 + n / 100) for n in range(501)],
    ],
    ids=[
        "the holder calls for the same",
        "a record without a credential",
        "a record by another credential",
        "a third task calls",
        "a record at another target",
        "the other task's call was refused",
        "too many records to look through",
    ],
)
def test_a_use_stays_with_the_holder_where_it_may_be_the_holders(beside: list[Event]) -> None:
    story, seen = _lent(call(S1, "c1", 10, **PUSH), result(S1, "c1", 20), *beside)
    assert of(place(story), seen).task == T2


def test_a_use_before_or_long_after_another_tasks_call_stays_with_the_holder() -> None:
    story, seen = _lent(call(S1, "c1", 2, **PUSH), result(S1, "c1", 3))
    assert of(place(story), seen).task == T2
    story, seen = _lent(call(S1, "c1", 30, **PUSH), result(S1, "c1", 40))
    assert of(place(story), seen).task == T2


@pytest.mark.parametrize(
    ("asked", "seen", "same"),
    [
        ("ecs:UpdateService", "ecs:UpdateService", True),
        ("ecs:DescribeServices", "ecs:UpdateService", False),
        ("s3api:ListObjectsV2", "s3:ListObjects", True),
        ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionCode20150331v2", True),
        ("ecs:Wait", "ecs:DescribeServices", True),
        ("s3:cp", "s3:PutObject", True),
        ("eks:UpdateKubeconfig", "eks:DescribeCluster", True),
    ],
)
def test_another_operation_of_a_cloud_service_is_another_act(asked: str, seen: str, same: bool) -> None:
    cloud = {"verb": "cloud.call", "point": "cloudtrail:1", "who": "dana@acme"}
    story = [
        verdict("d", 1, scope(S1)),
        call(S1, "c1", 10, verb="cloud.call", target=f"cloud:{asked}"),
        result(S1, "c1", 60),
        (one := effect("e", 12, target=f"cloud:{seen}", **cloud)),
    ]
    assert of(place(story), one).task == (T1 if same else "")


def test_skew_is_taken_off_before_times_are_compared() -> None:
    story = [verdict("d", 1, scope(S1)), call(S1, "c1", 10, **PUSH), (seen := effect("push", 712, who="dana-gh"))]
    assert of(place(story), seen).task == ""
    assert of(place(story, skews={"github:acme": 700_000_000}), seen).task == T1


def test_a_ticket_leads_to_the_only_task_that_names_it() -> None:
    opened = event("ticket", "intent", "ticket", "target", "tickets", -600, "reference ticket:PAY-1", who="lee@acme")
    named = verdict("d", 1, scope(S1), "reference ticket:PAY-1")
    alien = effect("t", 5, "reference ticket:PAY-1", verb="ticket.update", target="ticketing:PAY-1", who="lee@acme")
    found = place([named, opened, alien])
    assert of(found, opened).task == T1
    assert of(found, alien).task == ""
    again = place([named, opened, verdict("e", 1, scope(S2), "reference ticket:PAY-1")])
    assert of(again, opened).task == ""


def test_a_ticket_is_the_familys_and_the_act_says_whose() -> None:
    named = verdict("d", 1, scope(S1), "reference ticket:PAY-1")
    spawned = event(
        "started", "action", "started", "agent", "claude-code", 4, f"scope claude.agent:{S1}/a", f"parent session:{S1}"
    )
    sub = event(
        "sub", "action", "call", "agent", "claude-code", 10, f"scope claude.agent:{S1}/a", "call call:s", verb="exec",
        attrs={"command": "npm test"},
    )  # fmt: skip
    mine = call(S1, "c1", 11, attrs={"command": "ls docs"})
    asked = verdict("e", 9, "reference ticket:PAY-1", verb="exec", attrs={"command": "npm test"})
    own = verdict("f", 10, "reference ticket:PAY-1", verb="exec", attrs={"command": "ls docs"})
    other = verdict("g", 10, "reference ticket:PAY-1", verb="exec", attrs={"command": "ls elsewhere"})
    found = place([named, spawned, sub, mine, asked, own, other])
    assert of(found, asked).task == task_id(f"claude.agent:{S1}/a")
    assert [link.kind for link in of(found, asked).links] == [LinkKind.INFERRED]
    assert of(found, own).task == of(found, other).task == T1
    assert [link.kind for link in of(found, own).links] == [LinkKind.DERIVED, LinkKind.INFERRED]
    assert [link.kind for link in of(found, other).links] == [LinkKind.DERIVED]


def test_a_folders_name_needs_another_witness_to_stand_for_a_repository() -> None:
    here = call(S1, "c1", 10, attrs={"repository": "", "cwd": "/home/dana/src/payments", "command": "git push origin main"})
    theirs, hers = effect("push", 12, who="lee-gh"), effect("push", 12, who="dana-gh")
    assert of(place([here, result(S1, "c1", 14), theirs], facts()), theirs).task == ""
    (link,) = of(place([here, result(S1, "c1", 14), hers], facts()), hers).links
    assert link.factors.keys() >= {"user", "target"}
    assert link.factors["target"] < 0.4


def test_what_a_standing_key_obtained_is_whose_it_turns_out_to_be() -> None:
    made = issued("made", 1, "credential aws.key:AKIA1", scope(S1), ttl=None)
    session = issued("session", 50, "credential aws.key:ASIA2", "via aws.key:AKIA1")
    theirs = used("use", 60, "credential aws.key:ASIA2", scope(S2))
    assert of(place([made, session, theirs]), session).task == T2
    assert of(place([made, session]), session).task == T1


def test_a_hot_key_identifies_nothing() -> None:
    crowd = [effect(f"e{n}", n, "reference commit:aaaaaaaaaa", scope(S1)) for n in range(501)]
    lone = effect("lone", 3, "reference commit:aaaaaaaaaa", target="repository:x/y")
    assert of(place([*crowd[:400], lone]), lone).task == T1
    assert of(place([*crowd, lone]), lone).task == ""


def test_affected_names_everything_that_late_records_move() -> None:
    late_groups = [
        [verdict("d", 1, scope(S1))],
        [call(S1, "c1", 10, **PUSH)],
        [issued("i", 2, scope(S1), "credential token:t")],
        [event("x", "credential", "exposed", "agent", "codex", 3, scope(S2), "credential token:t")],
        [event("alias", "action", "call", "agent", "otel", 0, "scope trace:aa", scope(S1), "call request:r1", verb="exec")],
        [effect("near", 11, who="dana-gh", record="rec-near")],
        [call(S1, "c2", 40, **mcp_tool("delete_repo"))],
        [event("login", "decision", "verdict", "enforcer", "gw", 39, scope(S2), "scope mcp.session:m1")],
    ]
    base = [
        prompt(S1, 0, "go"),
        result(S1, "c1", 14),
        effect("push", 12, who="dana-gh"),
        effect("ci", 20, "reference commit:abcdef12345"),
        used("u", 30, "credential token:t", record="rec-u"),
        effect("by token", 30, "reference commit:abcdef12345", record="rec-u", target="repository:x/y"),
        verdict("r", 9, "call request:r1"),
        verdict("over", 40.1, "scope mcp.session:m1", "call request:r7", effect="deny", who="", **mcp_tool("delete_repo")),
        effect(
            "answered", 40.2, "scope mcp.session:m1", "call request:r7", verb="mcp.call", target="mcp_server:github@delete_repo"
        ),
        effect("behind", 40.3, "call request:r7", verb="ticket.update", target="ticketing:PAY-1", point="tickets"),
        event("hello", "action", "call", "enforcer", "gw", -9_000, "scope mcp.session:m1", verb="unknown", tool="initialize"),
        call(S1, "c3", 3_000, **mcp_tool("merge")),
        verdict("third", 3_000.1, "scope mcp.session:m1", "call request:r9", who="", **mcp_tool("merge")),
    ]
    for late in late_groups:
        held = ready([e for group in late_groups if group is not late for e in group] + base)
        before = MemoryIndex(held)
        stubs = sorted(before.stubs.values(), key=in_time)
        old = {a.event: a for a in attribute(stubs, before, facts())}
        new = ready(late)
        after = MemoryIndex([*held, *new])
        named = {s.id for s in affected([after.stubs[e.id] for e in new], after, facts())}
        for answer in attribute([after.stubs[s.id] for s in stubs], after, facts()):
            if answer != old[answer.event]:
                assert answer.event in named


def test_affected_follows_a_call_to_what_it_printed_in_another_sessions_log() -> None:
    printed = f"To https://github.com/{REPO}.git\n   1111111..2222222  main -> main"
    held = ready(
        [
            call(S2, "c1", 0, attrs={"command": "git push", "repository": "", "cwd": "/srv/x"}),
            result(S1, "c1", 0, attrs={"output": printed}),
            *(call(S1, f"c{n}", 0, **PUSH) for n in range(2, 5)),
            (seen := effect("push", 0, who="dana-gh")),
        ]
    )
    (late,) = ready([verdict("who", 0, scope(S2), who="dana-gh", verb="mcp.call")])
    after = MemoryIndex([*held, late])
    assert seen.id in {stub.id for stub in affected([after.stubs[late.id]], after, facts())}


@pytest.mark.parametrize("client", ["ssh", "tsh ssh", "tsh ssh --cluster=acme"])
def test_a_bastions_record_of_a_command_belongs_to_the_client_that_sent_it(client: str) -> None:
    sent = call(S1, "c1", 10, attrs={"command": f'{client} root@db-1 "systemctl restart pg"'})
    seen = effect("x", 10.5, verb="exec", point="bastion", target="network:db-1", attrs={"command": "/bin/systemctl restart pg"})
    assert of(place([sent, result(S1, "c1", 12), seen]), seen).task == T1
    other = effect("y", 10.5, verb="exec", point="bastion", target="network:db-1", attrs={"command": "systemctl stop pg"})
    assert of(place([sent, result(S1, "c1", 12), other]), other).task == ""


def test_a_proxys_record_goes_to_the_call_that_asked_for_its_path() -> None:
    def asked(path: str) -> dict[str, str]:
        return {"verb": "http.request", "target": f"network:svc.acme@{path}"}

    calls = [call(S1, "c1", 10, **asked("/v1/users/7")), call(S1, "c2", 10.05, **asked("/v1/health?q=1"))]
    ends = [result(S1, "c1", 11), result(S1, "c2", 11)]
    denied = verdict("d", 10.1, effect="deny", who="", **asked("/v1/users/7/"))
    other = verdict("o", 10.1, effect="deny", who="", **asked("/v1/keys"))
    found = place([prompt(S1, 0, "go"), *calls, *ends, denied, other])
    (link,) = of(found, denied).links
    assert link.source == calls[0].id
    assert of(found, other).task == ""
    # Where one side names no path, the host is all there is to go by.
    unnamed = verdict("u", 10.1, effect="deny", who="", verb="http.request", target="network:svc.acme")
    assert of(place([prompt(S1, 0, "go"), *calls, *ends, unnamed]), unnamed).task != ""


def test_each_candidate_is_looked_up_once_however_many_records_lie_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    carriers = Reach.carriers

    def told(self: Reach, name: str) -> Sequence[Stub]:
        asked.append(name)
        return carriers(self, name)

    monkeypatch.setattr(Reach, "carriers", told)

    def looked_up(calls: int) -> int:
        seen = [effect(f"e{n}", 20 + n, who="", point="gw", **mcp_tool("delete_repo")) for n in range(3)]
        index = MemoryIndex(ready([*(call(S1, f"c{n}", n / 10, **mcp_tool("delete_repo")) for n in range(calls)), *seen]))
        asked.clear()
        attribute([index.stubs[seen[0].id]], index, facts())
        return len(asked)

    few = looked_up(20)
    assert looked_up(100) - few <= 2 * 80
