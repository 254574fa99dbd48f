"""What intents state, read from plain words; what a change is; tickets, windows and allowances at their edges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from chains import OrgFacts, build_task, task_id
from chains.context import Context
from chains.detections import registry, run
from chains.detections.changing import changed
from chains.detections.examples import at as example_at
from chains.detections.examples import chain, step
from chains.detections.stated import (
    Statement,
    environments_forbidden,
    environments_said,
    names,
    opens,
    paths_allowed,
    paths_forbidden,
    within,
)
from model.chain import Intent
from model.event import Event
from model.words import Phase
from review.derive.building import build
from review.intake.importing import import_logs
from review.workspace import open_workspace
from tests.chains_story import S1, at, call, effect, event, facts, prompt, ready, result, scope, verdict


def said(text: str) -> list[Statement]:
    return [Statement(text, 1, "rec")]


@pytest.mark.parametrize(
    ("text", "named", "forbidden"),
    [
        ("Deploy it to staging.", {"staging"}, set()),
        ("Why is it not working in production?", {"prod"}, set()),
        ("Check staging. Do not touch production!", {"staging"}, {"prod"}),
        ("Fix it, and never deploy to prod", set(), {"prod"}),
        ("- don't change anything in production", set(), {"prod"}),
        ("They don't use production data here.", {"prod"}, set()),
        ("Run the tests and develop the feature.", set(), set()),
        ("Use the test database.", {"test"}, set()),
        ("Reproduce it; the product page breaks.", set(), set()),
    ],
)
def test_environments_in_words(text: str, named: set[str], forbidden: set[str]) -> None:
    assert set(environments_said(said(text), OrgFacts())) == named
    assert set(environments_forbidden(said(text))) == forbidden


def test_an_environment_of_the_organisations_own_name_is_read_too() -> None:
    known = facts("repositories: {acme/x: {environment: blue-zone}}")
    assert set(environments_said(said("Restart the blue-zone workers."), known)) == {"blue-zone"}


@pytest.mark.parametrize(
    ("text", "allowed", "forbidden"),
    [
        ("Only change files in docs/.", {"docs/"}, set()),
        ("only edit `src/a.py` and tests/test_a.py", {"src/a.py", "tests/test_a.py"}, set()),
        ("Don't modify anything outside of src/pay/", {"src/pay/"}, set()),
        ("Please limit your changes to docs/guide.md", {"docs/guide.md"}, set()),
        ("Do not touch config/prod.yaml or infra/", set(), {"config/prod.yaml", "infra/"}),
        ("Don't change the behaviour of the loader in src/load.py", set(), set()),
        ("I only read docs/a.md", set(), set()),
        ("Change src/a.py.", set(), set()),
    ],
)
def test_paths_in_words(text: str, allowed: set[str], forbidden: set[str]) -> None:
    assert set(paths_allowed(said(text))) == allowed
    assert set(paths_forbidden(said(text))) == forbidden


@pytest.mark.parametrize(
    ("path", "stated", "inside"),
    [
        ("docs/a/b.md", "docs/", True),
        ("docs.md", "docs/", False),
        ("web/docs/b.md", "docs", True),
        ("src/a.py", "src/*.py", True),
        ("src/deep/a.py", "src/**", True),
        ("src/a.py", "a.py", True),
        ("src/aa.py", "a.py", False),
    ],
)
def test_a_path_within_another(path: str, stated: str, inside: bool) -> None:
    assert within(path, stated) is inside


def test_a_name_is_a_word_of_its_own() -> None:
    assert names("fix web and pay.", "acme/pay")
    assert not names("fix the payment", "acme/pay")
    assert opens("rename it in all repositories")
    assert not opens("all tests of this repository")


@pytest.mark.parametrize(
    ("command", "is_change"),
    [
        ("aws ecs describe-services --cluster x", False),
        ("aws ecs update-service --cluster x --service y", True),
        ("aws sqs set-queue-attributes --queue-url q --attributes a=b", True),
        ("kubectl get pods", False),
        ("kubectl rollout status deployment/x", False),
        ("kubectl rollout restart deployment/x", True),
        ("kubectl delete pod x", True),
        ("terraform plan", False),
        ("terraform apply -auto-approve", True),
        ("psql -h db x -c 'SELECT 1 FROM t'", False),
        ("psql -h db x -c 'DELETE FROM t'", True),
        ("git push origin fix/a", False),
        ("git push origin main", True),
        ("git push --dry-run origin main", False),
        ("gh pr merge 7", True),
        ("git commit -am x", False),
    ],
)
def test_what_changes_something_shared(command: str, is_change: bool) -> None:
    assert bool(changed(step("exec", command=command)(1))) is is_change


@pytest.mark.parametrize(
    ("target", "name", "is_change"),
    [
        ("cloud", "iam:AttachUserPolicy", True),
        ("cluster", "pay", True),
        ("agent", ".claude/settings.json", False),
    ],
)
def test_rights_given_in_a_cloud_or_cluster_change_something_shared(target: str, name: str, is_change: bool) -> None:
    assert bool(changed(step("guardrail.change", target=target, name=name)(1))) is is_change


def test_a_failed_merge_changed_nothing() -> None:
    outcome = registry()["GOV-06"]
    built = chain(step("pr.merge", target="repository", name="acme/pay", tool="no"))()
    built.intents = [Intent("i", "r", Phase.PROMPT, "Merge it.", example_at(0))]
    assert list(outcome.function(built, Context(facts()), {"closed": []})) == []


def findings(story: list[Event], **around: object) -> dict[str, str]:
    """What is found in one task's story, and the reason for each."""
    events = ready(story)
    built = build_task(task_id(f"session:{S1}"), events, [], facts())
    found, _ = run(built, Context(**({"facts": facts()} | around)))  # type: ignore[arg-type]
    return {f.detection: f.why for f in found if not f.blind_spot}


PUSH = {"verb": "exec", "attrs": {"command": "git push https://github.com/acme/web main:fix"}}


def test_scope_follows_the_session_the_words_and_the_project() -> None:
    def pushed(text: str, **attrs: str) -> bool:
        work = [prompt(S1, 0, text), call(S1, "c1", 5, **PUSH), result(S1, "c1", 6)]
        seen = effect("push", 5.5, "call call:c1", target="repository:acme/web@fix")
        return "GOV-04" in findings([*work, seen, *([event("s", "action", "call", "agent", "claude-code", 1, scope(S1),
                                                           attrs=attrs)] if attrs else [])])  # fmt: skip

    assert pushed("Fix the totals.")
    assert not pushed("Fix the totals, then do the same in web.")
    assert not pushed("Fix it in every repository.")
    assert not pushed("Fix the totals.", repository="acme/web")
    assert not pushed("Fix the totals.", cwd="/home/dana/src/web")


def test_a_decider_that_knows_no_session_says_where_it_works_all_the_same() -> None:
    work = [
        call(S1, "c1", 5, attrs={"repository": "", "command": "git push https://github.com/acme/web main:fix"}),
        result(S1, "c1", 6),
    ]
    seen = effect("push", 5.5, "call call:c1", target="repository:acme/web@fix")
    story = [prompt(S1, 0, "Fix the totals."), *work, seen]
    assert "GOV-04" not in findings(story), "nothing states a scope"
    assert "GOV-04" in findings([*story, verdict("v", 5.2, "call call:c1", attrs={"repository": "acme/pay"})])


def test_a_sub_agent_is_held_to_what_its_parent_was_asked() -> None:
    work = [call(S1, "c1", 5, attrs={"command": "vault kv get kv/prod/db"}), result(S1, "c1", 6)]
    read = effect(
        "read", 5.5, "call call:c1", verb="secret.read", target="secret_store:kv/prod/db", attrs={"environment": "prod"}
    )

    def found(text: str) -> bool:
        above = [Intent("i", "r", Phase.PROMPT, text, at(-10))]
        return "GOV-05" in findings([prompt(S1, 0, "Look why it is slow."), *work, read], above=above)

    assert found("Look why the queue is slow in staging.")
    assert not found("Look why the queue is slow in production.")
    assert not found("Look why the queue is slow.")


def test_a_ticket_logged_in_another_task_counts() -> None:
    merge = [prompt(S1, 0, "PAY-12: merge it"), call(S1, "c1", 5, attrs={"command": "gh pr merge 7"}), result(S1, "c1", 6)]
    closed = event("t", "effect", "observed", "target", "tickets", 2, "reference ticket:PAY-12", verb="ticket.update",
                   target="ticketing:PAY-12", attrs={"ticket_state": "Rejected"})  # fmt: skip
    assert "GOV-06" not in findings(merge)
    assert "rejected" in findings(merge, tickets={"PAY-12": [closed]})["GOV-06"]


def test_a_decision_that_names_no_call_is_compared_with_none() -> None:
    other = verdict("v", 5.2, scope(S1), attrs={"command": "ls"})
    same = verdict("v", 5.2, scope(S1), "call call:c1", attrs={"command": "ls"})
    work = [prompt(S1, 0, "Clean up."), call(S1, "c1", 5, attrs={"command": "rm -rf src"}), result(S1, "c1", 6)]
    assert "GOV-08" not in findings([*work, other])
    assert "GOV-08" in findings([*work, same])


def test_a_command_cut_by_its_log_is_no_difference() -> None:
    long = "echo " + "a" * 300
    work = [prompt(S1, 0, "Say it."), call(S1, "c1", 5, attrs={"command": long}), result(S1, "c1", 6)]
    assert "GOV-08" not in findings([*work, verdict("v", 5.2, scope(S1), "call call:c1", attrs={"command": long[:220] + "…"})])
    assert "GOV-08" in findings([*work, verdict("v", 5.2, scope(S1), "call call:c1", attrs={"command": "echo b"})])


def test_a_late_allowance_needs_clocks_that_agree() -> None:
    work = [prompt(S1, 0, "Go."), call(S1, "c1", 100, attrs={"command": "make"}), result(S1, "c1", 101)]
    late = verdict("v", 190, scope(S1), "call call:c1", attrs={"command": "make"})
    early = effect("seen", -500, "call call:c1", verb="exec")
    assert "GOV-08" in findings([*work, late])
    assert "GOV-08" not in findings([*work, late, early])
    assert "GOV-08" not in findings([*work, late], skews={"opa:agents": 89_000_000})


@dataclass
class Session:
    """Files of one agent session and the ticket system's log, imported in a given order."""

    folder: Path

    def found(self, order: list[str]) -> set[tuple[str, str]]:
        store = self.folder / ("-".join(order) + ".db")
        org = self.folder / "org.yaml"
        with open_workspace(str(store), str(org), create=True) as work:
            for name in order:
                import_logs(work, [str(self.folder / name)])
                build(work)
            return {(f.detection, f.id) for f in work.store.findings() if f.detection.startswith("GOV-0")}


def test_tickets_and_parents_count_whenever_their_records_arrive(tmp_path: Path) -> None:
    def line(id: str, second: int, kind: str, phase: str, vantage: str, keys: str, more: str = "") -> str:
        named = (part.split("|") for part in keys.split())
        listed = ",".join(f'{{"role":"{role}","kind":"{what}","value":"{value}"}}' for role, what, value in named)
        return (
            f'{{"format":"remit-events","version":1,"id":"{id}","time":"2026-05-28T20:27:{second:02}Z","point":"{vantage}","kind":"{kind}",'
            f'"phase":"{phase}","vantage":"{vantage}","keys":[{listed}]{more}}}\n'
        )

    asked = ',"text":"PAY-12: look at the queue in staging"'
    child = "scope|session|child parent|session|parent"
    cloud = ',"verb":"cloud.call","target":{"class":"cloud","name":"ecs:UpdateService"},"outcome":{"tool":"yes"},"attrs":{"environment":"prod"}'
    (tmp_path / "org.yaml").write_text('ticket_pattern: "PAY-[0-9]+"\n')
    (tmp_path / "parent.ndjson").write_text(
        line("p1", 1, "intent", "prompt", "agent", "scope|session|parent reference|ticket|PAY-12", asked)
    )
    (tmp_path / "child.ndjson").write_text(
        line("c0", 2, "intent", "delegated", "agent", child + " reference|ticket|PAY-12", ',"text":"PAY-12: scale it"')
        + line("c1", 9, "action", "call", "agent", child, cloud)
        + line("c2", 10, "action", "result", "agent", child, ',"outcome":{"tool":"yes"}')
    )
    (tmp_path / "tickets.ndjson").write_text(
        line("t1", 3, "effect", "observed", "target", "reference|ticket|PAY-12",
             ',"verb":"ticket.update","target":{"class":"ticketing","name":"PAY-12"},"attrs":{"ticket_state":"Closed"}')
    )  # fmt: skip
    session = Session(tmp_path)
    whole = session.found(["parent.ndjson", "child.ndjson", "tickets.ndjson"])
    assert {name for name, _ in whole} >= {"GOV-05", "GOV-06"}
    assert session.found(["tickets.ndjson", "child.ndjson", "parent.ndjson"]) == whole
    assert session.found(["child.ndjson", "parent.ndjson", "tickets.ndjson"]) == whole
