"""A task from its events: steps, order, requests, outcomes, modes, links and the head."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from chains import Family, build_task, grouping, step_id, task_id
from chains.modes import asks_nobody
from lang.cel import compile_condition, evaluate, project
from lang.cel.written import problem_of
from model.chain import Link, Step, TaskChain
from model.event import CredentialFact, Event, Key, Operation, Outcome, Target
from model.request import ENDLESS, FIELD
from model.words import Clock, Effect, KeyRole, LinkKind, Phase, TargetClass, Tri, Verb
from tests.chains_story import (
    REPO,
    S1,
    at,
    call,
    effect,
    event,
    facts,
    issued,
    prompt,
    ready,
    result,
    scope,
    used,
    verdict,
)

TASK = task_id(f"session:{S1}")
FACTS = facts()


def build(events: Sequence[Event], links: Sequence[Link] = (), family: Family | None = None) -> TaskChain:
    return build_task(TASK, ready(events), links, FACTS, family)


def only(chain: TaskChain) -> Step:
    (step,) = chain.steps
    return step


def push(id: str = "c1", seconds: float = 10, text: str = "git push origin main") -> Event:
    return call(S1, id, seconds, attrs={"command": text, "cwd": "/home/dana/work/payments"})


def test_a_call_its_decision_result_and_effect_are_one_step() -> None:
    chain = build(
        [
            prompt(S1, 0, "ship it"),
            push(),
            verdict("d", 10, scope(S1), "call call:c1"),
            result(S1, "c1", 14),
            effect("push", 12, scope(S1)),
        ]
    )
    step = only(chain)
    assert step.id == step_id(TASK, "call:c1")
    assert (step.n, step.verb, step.at, step.end) == (1, Verb.EXEC, at(10), at(14))
    assert step.target == Target(TargetClass.REPOSITORY, REPO, "main")
    assert (step.owner, step.environment) == ("team-pay", "prod")
    assert [len(items) for items in (step.decisions, step.actions, step.effects)] == [1, 2, 1]
    assert (step.outcome.permitted, step.outcome.tool, step.outcome.effect) == (Effect.ALLOW, Tri.YES, Tri.YES)
    assert step.intent == chain.intents[0].id
    assert step.agent_claimed
    assert not step.order_uncertain
    assert step.title == "git push origin main"


def test_every_link_says_what_joins_and_how_surely() -> None:
    story = [
        prompt(S1, 0, "ship it"),
        (one := push()),
        (said := verdict("d", 10, scope(S1), "call call:c1")),
        (back := result(S1, "c1", 14)),
        (seen := effect("push", 12, scope(S1))),
    ]
    links = {(k.source, k.target, k.kind, k.key) for k in only(build(story)).links}
    assert (one.id, said.id, LinkKind.EXACT, "call:c1") in links
    assert (one.id, back.id, LinkKind.EXACT, "call:c1") in links
    assert (story[0].id, seen.id, LinkKind.EXACT, f"session:{S1}") in links
    (inferred,) = [k for k in only(build(story)).links if k.kind is LinkKind.INFERRED]
    assert (inferred.source, inferred.target, inferred.key) == (one.id, seen.id, f"match:repo.write|{REPO}")
    assert inferred.confidence == pytest.approx(sum(inferred.factors.values()))


def test_a_request_holds_what_is_known_and_nothing_else() -> None:
    chain = build(
        [
            prompt(S1, 0, "PAY-118: ship it", mode="acceptEdits", agent_version="2.1"),
            push(text="git push -f origin main"),
            verdict("d", 10, scope(S1), "call call:c1", who="dana-gh", attrs={"origin": "endpoint"}),
        ],
        family=Family(depth=2),
    )
    request = only(chain).request
    assert set(request) <= set(FIELD)
    assert request["principal.id"] == "dana@acme"
    assert request["principal.kind"] == "human"
    assert request["principal.origin"] == "endpoint"
    assert request["agent.mode"] == "acceptEdits"
    assert request["agent.version"] == "2.1"
    assert request["agent.depth"] == 2
    assert request["action.verb"] == "exec"
    assert request["action.verbs"] == ["exec", "repo.write"]
    assert request["action.forced"] is True
    assert request["resource.class"] == "repository"
    assert (request["resource.name"], request["resource.detail"]) == (REPO, "main")
    assert request["resource.classification"] == "restricted"
    assert request["context.environment"] == "prod"
    assert request["context.project"] == "pay"
    assert (request["context.ticket"], request["context.has_ticket"]) == ("PAY-118", True)
    assert request["context.in_change_window"] is True
    assert request["context.cwd"] == "/home/dana/work/payments"
    for unknown in ("credential.kind", "principal.on_behalf_of", "agent.sandbox", "credential.task_bound"):
        assert unknown not in request


def test_what_could_not_be_parsed_is_unknown_and_not_safe() -> None:
    request = only(build([push(text="$RUN --now")])).request
    assert "unknown" in request["action.verbs"]  # type: ignore[operator]
    assert "action.forced" not in request


def test_no_ticket_is_false_only_where_a_ticket_would_have_been_seen() -> None:
    assert only(build([prompt(S1, 0, "ship it"), push()])).request["context.has_ticket"] is False
    assert "context.has_ticket" not in only(build([push()])).request


def test_one_steps_environment_does_not_place_the_others() -> None:
    chain = build([push(), result(S1, "c1", 11), call(S1, "c2", 20, attrs={"command": "ls"})])
    assert chain.task.environment == "prod"
    assert "context.environment" not in chain.steps[1].request


@pytest.mark.parametrize(
    ("effects", "expected"),
    [
        (("allow",), Effect.ALLOW),
        (("allow", "ask"), Effect.ASK),
        (("ask", "deny", "allow"), Effect.DENY),
        (("unknown",), Effect.UNKNOWN),
        ((), Effect.UNKNOWN),
    ],
)
def test_the_strictest_decision_is_the_recorded_one(effects: tuple[str, ...], expected: Effect) -> None:
    story = [push(), *(verdict(f"d{n}", 10, scope(S1), "call call:c1", effect=e) for n, e in enumerate(effects))]
    assert only(build(story)).outcome.permitted is expected


def test_vantages_that_contradict_each_other_are_shown_as_disputed() -> None:
    failed = effect("push", 12, scope(S1), outcome=Outcome(transport=Tri.YES, effect=Tri.NO))
    outcome = only(build([push(), result(S1, "c1", 14), failed])).outcome
    assert (outcome.tool, outcome.effect, outcome.disputed) == (Tri.YES, Tri.NO, True)
    agreed = only(build([push(), result(S1, "c1", 14), effect("push", 12, scope(S1))])).outcome
    assert (agreed.effect, agreed.disputed) == (Tri.YES, False)


def test_one_vantage_that_saw_a_failed_run_happen_disputes_nothing() -> None:
    run = effect("run", 12, scope(S1), verb="ci.run", outcome=Outcome(tool=Tri.NO, effect=Tri.YES))
    assert not only(build([run])).outcome.disputed


def test_that_a_program_started_is_not_what_came_of_it() -> None:
    asked = call(S1, "c1", 10, attrs={"command": "curl https://files.example.com/x"})
    started = event("exec", "effect", "observed", "witness", "kernel", 10.1, scope(S1), "call call:c1", verb="exec")
    refused = effect("get", 10.5, scope(S1), "call call:c1", verb="net.connect", target="network:files.example.com", point="squid",
                     outcome=Outcome(effect=Tri.NO))  # fmt: skip
    outcome = only(build([asked, started, refused])).outcome
    assert (outcome.effect, outcome.disputed) == (Tri.NO, False)
    assert only(build([asked, started])).outcome.effect is Tri.YES


def test_silence_is_unknown_in_all_four_outcomes() -> None:
    outcome = only(build([push()])).outcome
    assert (outcome.permitted, outcome.transport, outcome.tool, outcome.effect) == (
        Effect.UNKNOWN,
        Tri.UNKNOWN,
        Tri.UNKNOWN,
        Tri.UNKNOWN,
    )


def test_an_effect_nobody_claimed_is_a_step_of_its_own() -> None:
    chain = build([push(), result(S1, "c1", 11), effect("merge", 2000, scope(S1), verb="pr.merge")])
    lone = chain.steps[1]
    assert (lone.verb, lone.agent_claimed, lone.outcome.effect) == (Verb.PR_MERGE, False, Tri.YES)
    assert lone.id == step_id(TASK, effect("merge", 2000).id)
    assert lone.call == ""


@pytest.mark.parametrize(
    ("asked", "ok", "seen", "seconds", "steps"),
    [
        ("gh pr create --fill", True, "pr.open", 190, 1),
        ("gh pr create --fill", True, "pr.open", -190, 1),
        ("gh pr merge 12 --squash", True, "pr.merge", 190, 1),
        ("gh pr create --fill", False, "pr.open", 190, 2),
        ("gh pr view 12", True, "pr.open", 190, 2),
        ("gh pr create --fill", True, "pr.merge", 190, 2),
        ("gh pr create --fill", True, "pr.open", 4000, 2),
    ],
)
def test_what_is_opened_once_is_the_step_s_whose_answer_names_it(
    asked: str, ok: bool, seen: str, seconds: float, steps: int
) -> None:
    pull = Key(KeyRole.REFERENCE, "pr", f"{REPO}#12")
    answer = result(S1, "c1", 1004, ok)
    story = [
        prompt(S1, 0, "ship it"),
        push(seconds=1000, text=asked),
        replace(answer, keys=(*answer.keys, pull)),
        effect("pull", 1000 + seconds, f"reference pr:{REPO}#12", verb=seen),
    ]
    assert len(build(story).steps) == steps


@pytest.mark.parametrize(("merged", "steps"), [("41", 2), ("12", 1), (f"https://github.com/{REPO}/pull/12", 1), ("", 1)])
def test_a_call_that_merges_one_and_opens_another_merged_no_more_than_it_says(merged: str, steps: int) -> None:
    answer = result(S1, "c1", 1004)
    story = [
        prompt(S1, 0, "ship it"),
        push(seconds=1000, text=f"gh pr merge {merged} --squash && gh pr create --fill"),
        replace(answer, keys=(*answer.keys, Key(KeyRole.REFERENCE, "pr", f"{REPO}#12"))),
        effect("pull", 1190, f"reference pr:{REPO}#12", verb="pr.merge"),
    ]
    assert len(build(story).steps) == steps


def test_what_two_answers_name_is_neither_s() -> None:
    pull = Key(KeyRole.REFERENCE, "pr", f"{REPO}#12")
    story = [prompt(S1, 0, "ship it"), effect("pull", 1200, f"reference pr:{REPO}#12", verb="pr.open")]
    for id, moment in (("c1", 1000), ("c2", 1010)):
        answer = result(S1, id, moment + 4)
        story += [push(id, moment, "gh pr create --fill"), replace(answer, keys=(*answer.keys, pull))]
    assert len(build(story).steps) == 3


def test_answers_that_all_name_one_thing_are_looked_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    root = grouping._Union._root
    monkeypatch.setattr(grouping._Union, "_root", lambda self, place: looked.append(place) or root(self, place))

    def looks(times: int) -> int:
        pull, story = Key(KeyRole.REFERENCE, "pr", f"{REPO}#12"), [prompt(S1, 0, "ship it")]
        for n in range(times):
            answer = result(S1, f"c{n}", 14 + n)
            story += [push(f"c{n}", 10 + n, "gh pr create --fill"), replace(answer, keys=(*answer.keys, pull))]
            story.append(effect(f"pull {n}", 15 + n, f"reference pr:{REPO}#12", verb="pr.open"))
        looked.clear()
        build(story)
        return len(looked)

    assert looks(80) < 3 * looks(40)


def test_decisions_without_call_ids_go_to_the_calls_they_precede_one_each() -> None:
    story = [
        verdict("d1", 9, scope(S1), effect="deny", verb="repo.write", target=f"repository:{REPO}"),
        push("c1", 10),
        result(S1, "c1", 12),
        verdict("d2", 29, scope(S1), verb="repo.write", target=f"repository:{REPO}"),
        push("c2", 30),
        result(S1, "c2", 32),
    ]
    first, second = build(story).steps
    assert (first.outcome.permitted, second.outcome.permitted) == (Effect.DENY, Effect.ALLOW)
    assert {k.kind for k in first.links} >= {LinkKind.INFERRED}


def test_verdicts_on_the_pieces_of_a_command_go_to_the_call_that_runs_them_all() -> None:
    def judged(id: str, seconds: float, command: str, effect: str = "allow") -> Event:
        return verdict(id, seconds, scope(S1), effect=effect, rule=id, verb="exec", attrs={"command": command})

    story = [
        call(S1, "c1", 10, attrs={"command": "git status"}),
        judged("d1", 10.1, "git status"),
        result(S1, "c1", 10.2),
        judged("d2", 10.9, "git log -1"),
        judged("d3", 10.9, "git status", "deny"),
        judged("d4", 10.9, "tail"),
        call(S1, "c2", 11, attrs={"command": "git log -1 && git status  # not: tail"}),
        result(S1, "c2", 11.2),
    ]
    steps = {one.call: one for one in build(story).steps}
    rules = {call: sorted(item.decision.rule for item in one.decisions if item.decision) for call, one in steps.items()}
    assert rules == {"call:c1": ["d1"], "call:c2": ["d2", "d3"], "": ["d4"]}
    assert steps["call:c2"].outcome.permitted is Effect.DENY


def test_what_a_commit_does_locally_is_not_taken_for_a_push() -> None:
    story = [push("c1", 10, "git commit -m x"), result(S1, "c1", 11), effect("push", 10.5, scope(S1))]
    assert len(build(story).steps) == 2


def test_a_request_and_its_answer_are_one_step_even_without_ids() -> None:
    secret = {"verb": "secret.read", "target": "secret_store:kv/data/prod/db"}
    story = [
        event("q", "decision", "verdict", "enforcer", "vault", 1, scope(S1), ref="vault.pair:1", **secret),
        event("a", "effect", "observed", "target", "vault", 1.1, scope(S1), after="vault.pair:1", **secret),
    ]
    step = only(build(story))
    assert len(step.decisions) == len(step.effects) == 1


def test_two_calls_stay_two_steps_whatever_request_they_share() -> None:
    chain = build([call(S1, "c1", 1, "call request:r"), call(S1, "c2", 2, "call request:r")])
    assert [s.call for s in chain.steps] == ["call:c1", "call:c2"]


def test_a_call_told_twice_in_the_same_words_is_one_step_and_an_id_used_again_is_two() -> None:
    """A tool's stream, its database and its export tell of the same calls."""
    again = replace(call(S1, "c1", 1, attrs={"command": "ls"}), id="call c1 exported", record="rec export")
    later = replace(again, id="call c1 later", record="rec later", at=at(9))
    chain = build([call(S1, "c1", 1, attrs={"command": "ls"}), again, result(S1, "c1", 2), later])
    assert [len(one.records) for one in chain.steps] == [3, 1]


def test_records_that_belong_to_no_step_stand_with_the_task() -> None:
    login = event("login", "credential", "issued", "enforcer", "vault", 2, scope(S1), "credential vault.accessor:a")
    chain = build([prompt(S1, 0, "go"), push(), login])
    assert login.record in chain.records
    assert all(login.record not in step.records for step in chain.steps)
    (link,) = chain.links
    assert (link.target, link.kind, link.step) == (login.id, LinkKind.EXACT, "")


def test_issuance_to_use_is_always_derived() -> None:
    token = "credential token:t"
    story = [
        call(S1, "c1", 1, attrs={"command": "hl-token issue"}),
        (issue := issued("i", 2, scope(S1), "call call:c1", token)),
        push("c2", 10),
        (use := used("u", 11, scope(S1), token, record="rec-push")),
        effect("push", 11, scope(S1), record="rec-push"),
    ]
    chain = build(story)
    second = chain.steps[1]
    assert [(k.source, k.target, k.key) for k in second.links if k.kind is LinkKind.DERIVED] == [(issue.id, use.id, "token:t")]
    assert second.credentials == chain.steps[0].credentials != ()
    assert second.request["credential.kind"] == "github-app-token"
    assert second.request["credential.ttl_seconds"] == 3600
    assert second.request["credential.task_bound"] is True


def test_a_standing_credential_passes_no_limit_on_life_times() -> None:
    """A rule `credential.ttl_seconds > 3600` must be able to judge what never expires, and `<= 3600` must not let it pass."""
    token = "credential token:t"
    never = event(
        "i", "credential", "issued", "enforcer", "v", 1, scope(S1), token, credential=CredentialFact("pat", ttl_seconds=-1)
    )
    use, seen = used("u", 11, scope(S1), token, record="rec-push"), effect("push", 11, scope(S1), record="rec-push")
    chain = build([never, push("c2", 10), use, seen])
    request = chain.steps[-1].request
    assert request["credential.ttl_seconds"] == ENDLESS > 100 * 365 * 86_400
    assert problem_of("credential.ttl_seconds", request["credential.ttl_seconds"]) == ""
    for condition, holds in (("credential.ttl_seconds > 3600", True), ("credential.ttl_seconds <= 3600", False)):
        tree = compile_condition(condition).tree
        assert tree is not None
        assert evaluate(tree, project(request)).value is holds
    assert request["credential.task_bound"] is False


def test_the_mode_is_carried_forward_and_its_turn_to_bypass_is_a_step() -> None:
    chain = build(
        [
            prompt(S1, 0, "go", mode="default"),
            push("c1", 10),
            prompt(S1, 20, "stop asking", mode="bypassPermissions"),
            push("c2", 30),
            prompt(S1, 40, "and on", mode="bypassPermissions"),
        ]
    )
    assert [(s.verb, s.mode) for s in chain.steps] == [
        (Verb.EXEC, "default"),
        (Verb.GUARDRAIL_CHANGE, "bypassPermissions"),
        (Verb.EXEC, "bypassPermissions"),
    ]
    assert chain.task.mode == "bypassPermissions"
    assert chain.steps[1].title == "permission mode changed from default to bypassPermissions"
    assert chain.steps[1].id == step_id(TASK, prompt(S1, 20, "").id)


def test_never_asking_is_a_bypass_only_outside_a_sandbox() -> None:
    def posture(sandbox: str) -> TaskChain:
        return build(
            [
                event("p", "decision", "posture", "agent", "codex", 0, scope(S1), attrs={"mode": "never", "sandbox": sandbox}),
                push(),
            ]
        )

    assert [s.verb for s in posture("workspace-write").steps] == [Verb.EXEC]
    loose = posture("danger-full-access").steps
    assert [s.verb for s in loose] == [Verb.GUARDRAIL_CHANGE, Verb.EXEC]
    assert asks_nobody(loose[0].mode) and loose[0].title == "permission mode never+danger-full-access, none stated before"
    assert (loose[1].request["agent.mode"], loose[1].request["agent.sandbox"]) == ("never", "danger-full-access")


def test_causality_orders_before_time_and_doubt_is_shown() -> None:
    chain = build(
        [
            replace(push("c1", 100), ref="u1"),
            replace(push("c2", 40), ref="u2", after="u1"),
            replace(push("c3", 120), ref="u3", after="u2"),
        ]
    )
    assert [(s.call, s.order_uncertain) for s in chain.steps] == [("call:c1", False), ("call:c2", True), ("call:c3", False)]


def test_a_circle_of_parents_is_cut() -> None:
    chain = build([replace(push("c1", 1), ref="u1", after="u2"), replace(push("c2", 2), ref="u2", after="u1")])
    assert len(chain.steps) == 2


def test_records_without_a_time_keep_their_place_in_their_log() -> None:
    story = [
        replace(push("c1", 10), order=1),
        replace(push("c2", 0), at=None, clock=Clock.ORDER_ONLY, order=2),
        replace(push("c3", 20), order=3),
    ]
    assert [s.call for s in build(story).steps] == ["call:c1", "call:c2", "call:c3"]


def test_a_task_ends_with_the_agents_own_last_record() -> None:
    chain = build(
        [
            prompt(S1, 5, "go"),
            push(),
            result(S1, "c1", 14),
            effect("late", 900, scope(S1)),
            event("other", "effect", "observed", "target", "github:acme", 9000, verb="repo.read"),
        ]
    )
    assert (chain.task.started, chain.task.ended) == (at(5), at(14))
    ended = build([prompt(S1, 5, "go"), event("end", "action", "ended", "enforcer", "broker", 60, scope(S1))])
    assert ended.task.ended == at(60)
    unseen = build([verdict("d", 3, scope(S1)), effect("e", 30, scope(S1))])
    assert (unseen.task.started, unseen.task.ended) == (at(3), at(30))


def test_the_head_says_who_what_and_for_whom() -> None:
    chain = build(
        [
            event("ticket", "intent", "ticket", "target", "tickets", -900, "reference ticket:PAY-1", text="Refunds", who="lee@acme"),
            prompt(S1, 0, "\n  PAY-1: fix the refund\nthen push", agent_version="2.1"),
            push(),
            verdict("d", 10, scope(S1), "call call:c1", who="dana-gh"),
            effect("other", 12, scope(S1), verb="repo.write", target="repository:acme/web"),
        ],
        family=Family("task-p", "step-p", 1, {"task-child": "call:c1"}),
    )  # fmt: skip
    task = chain.task
    assert task.scope == f"session:{S1}"
    assert task.title == "PAY-1: fix the refund"
    assert (task.agent, task.agent_version, task.principal) == ("claude-code", "2.1", "dana@acme")
    assert (task.repository, task.repositories) == (REPO, (REPO, "acme/web"))
    assert task.owners == ("team-pay", "team-web")
    assert (task.ticket, task.project, task.origin) == ("PAY-1", "pay", "endpoint")
    assert task.vantages == ("agent", "enforcer", "target")
    assert (task.parent, task.parent_step, task.depth, task.children) == ("task-p", "step-p", 1, ("task-child",))
    assert chain.steps[0].child == "task-child"
    assert chain.intents[0].text == "Refunds"
    assert chain.steps[0].intent == chain.intents[1].id


def test_a_scope_that_is_no_endpoints_is_not_called_one() -> None:
    chain = build([call(S1, "c1", 1, attrs={"command": "ls", "cwd": "/workspace"})])
    assert chain.task.origin == ""


def test_building_twice_is_building_once_and_changes_no_event() -> None:
    story = ready([prompt(S1, 0, "go", mode="yolo"), push(), result(S1, "c1", 12), effect("push", 11, scope(S1))])
    copies = [replace(e) for e in story]
    link = Link(story[1].id, story[3].id, LinkKind.INFERRED, "match:x", 0.9)
    first = build_task(TASK, story, [link], FACTS)
    assert build_task(TASK, list(reversed(story)), [link, link], FACTS) == first
    assert story == copies
    assert link.step == ""


@pytest.mark.parametrize(
    ("branch", "step"),
    [("fix/1", 1), ("main", 3), ("other", None)],
    ids=["the next call", "the one for that branch that went well", "no call for that branch"],
)
def test_a_push_that_only_came_after_its_commit_is_the_next_calls_that_names_it(branch: str, step: int | None) -> None:
    def pushed(id: str, seconds: float, words: str, ok: bool = True) -> list[Event]:
        asked = call(S1, id, seconds, attrs={"command": f"git push {words}", "repository": REPO})
        return [asked, result(S1, id, seconds + 2, ok)]

    told = [*pushed("c0", 1, "origin fix/1"), *pushed("c1", 12, "origin fix/1"), *pushed("c2", 20, "origin HEAD:main", ok=False)]
    told += pushed("c3", 30, "--force origin HEAD:main")
    seen = effect("push", 10, scope(S1), target=f"repository:{REPO}@{branch}", attrs={"branch": branch}, clock=Clock.ORDER_ONLY)
    steps = [one for one in build([*told, seen]).steps if one.actions]
    assert [bool(one.effects) for one in steps] == [n == step for n in range(4)]


def test_a_task_nobody_prompted_is_called_by_agent_and_place() -> None:
    asked = verdict("d", 1, scope(S1), agent="dockhand", attrs={"repository": REPO})
    assert build([asked]).task.title == f"dockhand in {REPO}"
    job = f"ci.job:github-actions:{REPO}:7"
    run = effect("run", 1, f"scope {job}", verb="ci.run", target=f"ci_cd:{REPO}@release")
    assert build_task(task_id(job), ready([run]), [], FACTS).task.title == f"release of {REPO}"


def test_an_empty_task_can_be_built() -> None:
    chain = build([])
    assert (chain.steps, chain.task.started, chain.task.title) == ([], None, "")


def test_operations_stated_by_a_log_are_kept() -> None:
    stated = call(
        S1, "c1", 1, attrs={"command": "make all"}, operations=(Operation(Verb.CLOUD_CALL, Target(TargetClass.CLOUD, "s3")),)
    )
    assert only(build([stated])).operations == stated.operations


def test_a_call_that_two_logs_tell_under_one_id_is_one_step() -> None:
    mine = replace(push(), format="claude-code")
    bare = event("span c1", "action", "call", "agent", "claude-code", 9.9, scope(S1), "call call:c1", verb="exec", format="otlp")
    step = only(build([bare, mine, result(S1, "c1", 14)]))
    assert (step.call, step.title, len(step.actions)) == ("call:c1", "git push origin main", 3)


def test_a_step_stands_where_the_log_that_tells_the_time_puts_it() -> None:
    mcp = {"verb": "mcp.call", "target": "mcp_server:github@create_issue"}
    hook = replace(call(S1, "c2", 0, **mcp), at=None, id="ev-hook", record="rec-hook", format="agent-hooks", order=1)
    first, mine = replace(push(), order=5), replace(call(S1, "c2", 30, **mcp), format="claude-code", order=9)
    ends = replace(result(S1, "c1", 14), order=6), replace(result(S1, "c2", 31), order=10)
    steps = build([hook, first, mine, *ends]).steps
    assert [(step.call, step.at) for step in steps] == [("call:c1", first.at), ("call:c2", mine.at)]


def test_one_call_id_used_twice_in_one_log_is_two_steps() -> None:
    again = replace(push(seconds=20), id="ev-again", record="rec-again")
    assert len(build([push(), again]).steps) == 2


def test_words_told_by_several_logs_are_one_intent() -> None:
    first = prompt(S1, 0, "ship it")
    told = replace(first, id="ev-told", record="rec-told", at=at(1))
    later = replace(first, id="ev-later", record="rec-later", at=at(60))
    chain = build([first, told, push(), later, push("c2", 70)])
    assert [intent.at for intent in chain.intents] == [at(0), at(60)]
    assert [step.intent for step in chain.steps] == [first.id, later.id]


def test_words_of_which_one_log_knows_that_they_had_to_wait_are_one_intent() -> None:
    first = replace(prompt(S1, 0, "ship it"), phase=Phase.QUEUED)
    told = replace(first, id="ev-told", record="rec-told", at=at(1), phase=Phase.PROMPT)
    delegated = replace(told, id="ev-delegated", record="rec-delegated", phase=Phase.DELEGATED)
    assert [intent.id for intent in build([first, told, delegated, push()]).intents] == [first.id, delegated.id]


def test_what_a_gateway_saw_of_a_tool_goes_to_the_call_of_that_tool() -> None:
    def tool(name: str, server: str = "mcp_server:github") -> dict[str, str]:
        return {"verb": "mcp.call", "target": f"{server}@{name}"}

    calls = [call(S1, "c1", 10, **tool("delete_repo")), call(S1, "c2", 10.05, **tool("create_issue"))]
    ends = [result(S1, "c1", 11, ok=False), result(S1, "c2", 11)]
    seen = verdict("d", 10.1, scope(S1), effect="deny", **tool("github_delete_repo", "mcp_server:gateway-1"))
    first, second = build([prompt(S1, 0, "go"), *calls, *ends, seen]).steps
    assert (first.outcome.permitted, second.outcome.permitted) == (Effect.DENY, Effect.UNKNOWN)
    unknown = verdict("x", 10.1, scope(S1), effect="deny", **tool("merge"))
    assert [step.outcome.permitted for step in build([prompt(S1, 0, "go"), *calls, *ends, unknown]).steps] == [
        Effect.UNKNOWN,
        Effect.UNKNOWN,
        Effect.DENY,
    ]


def test_what_a_proxy_saw_in_the_same_task_goes_to_the_call_that_asked_for_its_path() -> None:
    def asked(path: str) -> dict[str, str]:
        return {"verb": "http.request", "target": f"network:svc.acme@{path}"}

    calls = [call(S1, "c1", 10, **asked("/v1/users/7")), call(S1, "c2", 10.05, **asked("/v1/health"))]
    ends = [result(S1, "c1", 11, ok=False), result(S1, "c2", 11)]
    seen = verdict("d", 10.1, scope(S1), effect="deny", **asked("/v1/users/7"))
    first, second = build([prompt(S1, 0, "go"), *calls, *ends, seen]).steps
    assert (first.outcome.permitted, second.outcome.permitted) == (Effect.DENY, Effect.UNKNOWN)


def test_a_hooks_refusal_after_a_call_was_over_is_of_another_call() -> None:
    def asked(seconds: float, answer: str) -> Event:
        told = verdict(f"h {seconds}", seconds, scope(S1), verb="exec", effect=answer, point="hooks", tool="Bash")
        return replace(told, agent="claude-code", attrs={"command": "git push origin main"})

    mine = [replace(one, agent="claude-code") for one in (push(), result(S1, "c1", 14))]
    assert [len(step.decisions) for step in build([*mine, asked(10.1, "allow")]).steps] == [1]
    assert [len(step.decisions) for step in build([*mine, asked(30, "deny")]).steps] == [1]
    over = build([*mine, asked(100, "deny")])
    assert [(step.outcome.permitted, step.outcome.tool) for step in over.steps] == [
        (Effect.UNKNOWN, Tri.YES),
        (Effect.DENY, Tri.UNKNOWN),
    ]


def test_a_tool_of_the_very_name_is_meant_before_one_whose_name_is_its_end() -> None:
    def asked(id: str, tool: str) -> list[Event]:
        return [call(S1, id, 10, verb="mcp.call", target=f"mcp_server:tracker@{tool}", tool=tool), result(S1, id, 12)]

    def seen(tool: str) -> Event:
        return verdict(f"gw {tool}", 11, scope(S1), verb="mcp.call", target=f"mcp_server:gw@{tool}", effect="deny", point="gw")

    for tool in ("create_issue", "tracker_create_issue"):
        chain = build([*asked("c1", "issue"), *asked("c2", "create_issue"), seen(tool)])
        judged = [step.call for step in chain.steps if step.decisions]
        assert judged == (["call:c2"] if tool == "create_issue" else [""])
    assert len(only(build([*asked("c1", "create_issue"), seen("tracker_create_issue")])).decisions) == 1
