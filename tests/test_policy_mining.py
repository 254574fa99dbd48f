"""Mined rules: least privilege for good work, never a request that was judged harmful, every figure counted again by hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lang.cel import compile_condition, evaluate
from model.evidence import RequestRow
from model.words import VerdictWord
from policy.decide import decide
from policy.document import check
from policy.history import History
from policy.insertion import NotInsertable, inserted
from policy.mining import Judged, Space, catch, from_denials, from_verdicts, proposal_text, rules_text
from review.errors import RemitError
from review.judge.verdicts import give_verdict
from review.policy.mining import Mining, judged, with_rule
from review.workspace import Workspace, open_workspace
from tests.running import ORG, Day, ok, refused, run

pytestmark = pytest.mark.usefixtures("alone")

COMMANDS = (
    "git status", "git status --short", "git push origin main", "git push origin main; curl evil.example", "npm test", "npm run build",
    "npm run build 'a b'", "pytest -q", "rm -rf build", "rm -rf /", "bash -c 'ls'", "make test", "go test ./...", "go test $(id)",
)  # fmt: skip
FILES = ("/w/app/src/a.py", "/w/app/src/b.py", "/w/app/src/sub/c.py", "/w/app/.env", "/w/app/../etc/x", "src/d.py", "/etc/passwd")


def rows(draw: random.Random, tasks: int) -> list[RequestRow]:
    """Requests of many kinds, some attributes missing."""
    made = []
    for n in range(tasks):
        for m in range(draw.randrange(1, 6)):
            request: dict[str, Any] = {
                "principal.id": draw.choice(["ana", "bo", None]),
                "context.cwd": draw.choice(["/w/app", None]),
            }
            kind = draw.randrange(4)
            if kind < 2:
                command = draw.choice(COMMANDS)
                verbs = ["exec", "repo.write"] if "push" in command else ["exec"]
                request |= {"action.verb": "exec", "action.command": draw.choice([command] * 9 + [None])}
                request |= {"action.verbs": draw.choice([verbs] * 6 + [None])}
            elif kind == 2:
                verb = draw.choice(["file.read", "file.write"])
                request |= {"action.verb": verb, "action.verbs": [verb], "resource.class": "filesystem"}
                request |= {"resource.name": draw.choice(FILES)}
            else:
                verb = draw.choice(["secret.read", "mcp.call", "ticket.open"])
                request |= {"action.verb": verb, "action.verbs": [verb], "resource.name": draw.choice(["a", "b"])}
                request |= {"resource.detail": draw.choice(["x", "y", None]), "credential.task_bound": draw.choice([True, None])}
                request |= {
                    "resource.class": "ticketing",
                    "resource.owner": "ops",
                    "credential.ttl_seconds": draw.choice([90, 3600]),
                }
            stated = {name: value for name, value in request.items() if value is not None}
            made.append(RequestRow(f"s{n}.{m}", f"t{n}", n * 100 + m, draw.choice(["allow", "ask", "deny"]), stated))
    return made


@pytest.mark.parametrize("seed", range(12))
def test_no_mined_rule_could_match_what_was_judged_harmful_and_every_figure_is_that_of_brute_force(seed: int) -> None:
    draw = random.Random(seed)
    made = rows(draw, 40)
    tasks = sorted({row.task for row in made})
    words = {task: draw.choice(["within-remit"] * 5 + ["outside-remit", "escalate", "false-positive"]) for task in tasks[:30]}
    said = Judged(
        words,
        {row.task: {row.step: "outside-remit"} for row in draw.sample(made, 2)},
        {row.task: frozenset({row.step}) for row in draw.sample(made, 2)},
    )
    history = History.from_rows(made)
    space = Space(history, said)
    outside = {
        row.step
        for row in made
        if words.get(row.task) in ("outside-remit", "escalate") or said.steps.get(row.task, {}).get(row.step) == "outside-remit"
    }
    found = {row.step for row in made if row.step in said.findings.get(row.task, ())}
    within = {row.step for row in made if words.get(row.task) == "within-remit"} - outside - found
    denied = {row.step for row in made if row.recorded == "deny"}
    requests = {
        row.step: request for row, request in zip(history.rows(), map(history.request, space.row_shape.tolist()), strict=True)
    }
    task_of = {row.step: row.task for row in made}
    for mined, base, support in (
        (from_verdicts(space, 2), within, 2),
        (from_denials(space), denied - outside, 1),
    ):
        covered = set()
        for one in mined.proposals:
            tree = compile_condition(one.when).tree
            assert tree is not None
            answers = {step: evaluate(tree, request).value for step, request in requests.items()}
            certain = {step for step, answer in answers.items() if answer}
            assert not {step for step, answer in answers.items() if answer is not False} & (outside | found), one.when
            assert (one.covers.requests, one.beyond.requests) == (len(certain & base), len(certain - base))
            assert one.covers.tasks == len({task_of[step] for step in certain & base}) >= support
            assert (one.broken.requests, one.harm.requests, one.findings.requests) == (len(certain & within), 0, 0)
            covered |= certain & base
        assert mined.base.requests == len(base) and mined.rest.requests == len(base - covered)
        assert len({one.id for one in mined.proposals}) == len(mined.proposals)
        text = rules_text("mined", map(proposal_text, mined.proposals))
        policy = check(text).policy
        assert policy is not None, text
        assert {step for step, request in requests.items() if decide(policy, request).effect == "allow"} & base == covered
        for held in mined.refused:
            assert held.steps and set(held.steps) <= outside | found
            assert held.outside.requests + held.findings.requests >= len(held.steps)


def test_what_runs_other_programs_or_opens_more_than_was_done_is_allowed_only_as_it_was() -> None:
    made = [
        RequestRow(
            f"s{task}{n}", f"t{task}", n, "allow", {"action.verb": "exec", "action.verbs": ["exec"], "action.command": command}
        )
        for task in range(3)
        for n, command in enumerate((f"git log -n {task}", "bash build.sh", "rm -rf build", "npm test; id", "python x.py"))
    ]
    space = Space(History.from_rows(made), Judged({f"t{task}": "within-remit" for task in range(3)}))
    policy = check(rules_text("m", map(proposal_text, from_verdicts(space).proposals))).policy
    assert policy is not None

    def answer(command: str, *verbs: str) -> str:
        return decide(policy, {"action.verb": "exec", "action.verbs": ("exec", *verbs), "action.command": command}).effect

    for command in ("git log -n 1", "git log -n 77", "bash build.sh", "rm -rf build", "npm test; id", "python x.py"):
        assert answer(command) == "allow", command
    wrong = (
        "git push",
        "git logs",
        "git log -p; id",
        "git log $(id)",
        "git log > x",
        "bash other.sh",
        "rm -rf /",
        "npm test",
        "python y.py",
    )
    for command in wrong:
        assert answer(command) == "ask", command
    assert answer("git log -n 1", "repo.write") == "ask", "a command that also does something else was not what was judged"


def test_a_catch_matches_its_step_and_puts_first_what_breaks_no_good_work() -> None:
    def row(task: str, command: str) -> RequestRow:
        verbs = ["exec", "repo.write"] if "push" in command else ["exec"]
        return RequestRow(
            f"s-{task}", task, 1, "allow", {"action.verb": "exec", "action.verbs": verbs, "action.command": command}
        )

    made = [
        row("bad", "git push --force origin main"),
        row("like", "git push --force origin dev"),
        row("good", "git push origin dev"),
    ]
    space = Space(History.from_rows(made), Judged({"bad": "outside-remit", "good": "within-remit"}))
    shape = space.step_shape("bad", "s-bad")
    assert shape is not None and space.step_shape("bad", "s-good") is None
    proposals = catch(space, space.request(shape))
    for one in proposals:
        policy = check(rules_text("c", [proposal_text(one)], default="allow")).policy
        assert policy is not None and decide(policy, space.request(shape)).effect == "deny"
    first = proposals[0]
    assert (first.broken.requests, first.harm.requests, first.beyond.requests) == (0, 1, 1)
    assert [one.broken.requests > 0 for one in proposals] == sorted(one.broken.requests > 0 for one in proposals)


# over a store


@pytest.fixture
def work(day: Day, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(str(day.copy(tmp_path / "own").store), str(ORG)) as opened:
        yield opened


def judge(work: Workspace) -> None:
    """Within where nothing was found, outside where something critical was."""
    with_findings = {one.task for one in work.store.findings() if not one.blind_spot}
    for row in work.store.task_rows(limit=500):
        word = VerdictWord.OUTSIDE if row.critical else VerdictWord.WITHIN
        if row.critical or row.id not in with_findings:
            give_verdict(work, row.id, word.value, "looked at it")


def test_proposals_are_computed_from_the_store_and_tried_in_the_policy(work: Workspace) -> None:
    judge(work)
    told = Mining(work).from_verdicts()
    first = max(told["proposals"], key=lambda one: one["covers"]["requests"])
    assert first["covers"]["requests"] > 1 and told["rest"]["requests"] + first["covers"]["requests"] <= told["base"]["requests"]
    run = Mining(work).tried(first)
    matched = first["covers"]["requests"] + first["beyond"]["requests"]
    assert run["baseline"] == "an empty policy, default ask" and run["summary"]["newly_allowed"] == matched
    all_denied = "version: 1\ndefault: deny\nrules:\n  - {id: never, effect: deny, when: 'action.verb == \"secret.read\"'}\n"
    assert Mining(work).tried(first, all_denied, "mine.yaml")["summary"]["newly_allowed"] == matched
    # One request less: the figures follow.
    task = next(row.id for row in work.store.task_rows(limit=500) if judged(work).tasks.get(row.id) == "within-remit")
    give_verdict(work, task, "outside-remit", "looked again")
    again = Mining(work).from_verdicts()
    lost = sum(row.task == task for row in work.store.requests())
    assert again["base"]["requests"] == told["base"]["requests"] - lost > 0


def test_a_finding_called_false_no_longer_holds_a_rule_back(work: Workspace) -> None:
    before = Mining(work).from_denials()
    assert not before["proposals"] and before["refused"][0]["findings"]["requests"]
    assert "open finding" in before["refused"][0]["why"] and before["refused"][0]["steps"][0] in before["policy"]
    for step in {step for one in before["refused"] for step in one["steps"]}:
        for finding in work.store.findings():
            if finding.step == step:
                give_verdict(work, finding.id, "false-positive", "that is how it is meant to be")
    after = Mining(work).from_denials()
    assert after["proposals"] and len(after["refused"]) < len(before["refused"])


def test_a_standing_credential_is_replaced_by_what_its_uses_needed(work: Workspace) -> None:
    told = Mining(work).grants()
    (one,) = told["proposals"]
    held = next(c for c in work.store.credentials() if c.id == one["credential"])
    uses = [use for use in held.use_list if use.task]
    assert one["uses"]["requests"] == len(uses) and one["uses"]["tasks"] == len({use.task for use in uses})
    assert "credential.task_bound" in one["when"] and f"credential.ttl_seconds <= {one['ttl_seconds']}" in one["when"]
    assert check(told["policy"]).policy is not None
    task = uses[0].task
    give_verdict(work, task, "outside-remit", "not what it was for")
    (again,) = Mining(work).grants()["proposals"]
    assert again["refused"] == sum(use.task == task for use in uses) and again["uses"]["requests"] == len(uses) - again["refused"]


def test_the_command_prints_a_policy_and_says_what_each_rule_would_change(work: Workspace) -> None:
    judge(work)
    at = ("--store", work.location)
    printed = ok("policy", "mine", *at).out
    policy = check(printed).policy
    assert policy is not None and policy.default == "ask" and policy.rules
    step = next(one.step for one in work.store.findings() if one.step and one.severity.value == "critical")
    caught = ok("policy", "mine", *at, "--step", step, "--effect", "ask", "--dry-run", "--json").json
    assert {one["effect"] for one in caught["proposals"]} == {"ask"}
    assert all(one["dry_run"]["summary"]["newly_asked"] for one in caught["proposals"])
    assert "added to an empty policy" in ok("policy", "mine", *at, "--dry-run").out
    refused(run("policy", "mine", *at, "--step", "step-nowhere"), 2, "step-nowhere", "is no step")
    ran = {row.step for row in work.store.requests() if row.request.get("action.command")}
    step = next(one.step for one in work.store.findings() if one.step in ran)
    mine = Mining(work)
    assert not mine.from_step(step, "allow")["proposals"] and mine.from_step(step, "allow")["refused"]


# into a policy's text

PROPOSAL = {"id": "mined-a", "text": "  # why\n  - id: mined-a\n    effect: deny\n    when: 'action.forced'\n    reason: 'r'\n"}


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ndefault: ask\nrules: []\n",
        "version: 1\ndefault: ask\nrules: [] # none yet",
        "rules:\n- id: x\n  effect: deny\n  when: action.forced\ndefault: ask\nversion: 1\n",
        "version: 1\ndefault: ask\nrules:\n    - id: x\n      effect: deny\n      when: >-\n        action.forced &&\n\n        true\n\n# the end\n",
        "version: 1\ndefault: ask\nrules:\n  - id: mined-a\n    effect: deny\n    when: action.forced",
        "version: 1\ndefault: ask\nrules:\n  - {id: x, effect: deny, when: action.forced}\n",
    ],
)
def test_a_rule_is_added_and_everything_else_stays(text: str) -> None:
    before, made = check(text).policy, with_rule(text, PROPOSAL)
    after = check(made).policy
    assert before is not None and after is not None
    assert [one.id for one in after.rules][:-1] == [one.id for one in before.rules]
    assert after.rules[-1].id == ("mined-a-2" if any(one.id == "mined-a" for one in before.rules) else "mined-a")
    assert all(line in made.splitlines() for line in text.splitlines() if not line.startswith("rules:"))


@pytest.mark.parametrize(
    "text", ["version: 1\nrules: [{id: x, effect: deny, when: action.forced}]\n", "rules: 7\n", "{rules: []}\n"]
)
def test_a_text_that_cannot_take_a_rule_is_left_alone(text: str) -> None:
    with pytest.raises(RemitError, match="cannot be put into this policy"):
        with_rule(text, PROPOSAL)
    with pytest.raises(NotInsertable):
        inserted(text, "a", lambda id, indent: f"{indent}- id: {id}\n")
