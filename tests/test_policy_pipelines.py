"""Verdicts as tests, and what `check`, `test` and `dry-run` write for pipelines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest

from cli.pipeline import Case, Result, junit, sarif
from model.words import VerdictWord
from policy.agents.base import RuleFile
from policy.decide import decide
from policy.document import check
from review.judge.verdicts import give_verdict
from review.policy.policy_tests import VerdictTest, verdict_tests
from review.workspace import Workspace, open_workspace
from tests.running import ORG, POLICY, Day, run

pytestmark = pytest.mark.usefixtures("alone")
SCHEMA = Path(__file__).resolve().parents[2] / "shared" / "schemas" / "sarif-schema-2.1.0.json"
DRAFT = """version: 1
default: allow
rules:
  - id: no-push
    effect: deny
    when: action.verb == "exec" && "repo.write" in action.verbs
  - id: secrets
    effect: ask
    when: action.verb == "secret.read"
"""


@pytest.fixture
def work(day: Day, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(str(day.copy(tmp_path / "own").store), str(ORG)) as opened:
        yield opened


def judge(work: Workspace, words: dict[str, VerdictWord]) -> None:
    for task, word in words.items():
        give_verdict(work, task, word.value, "looked at it")


def verdicts_of(work: Workspace, text: str = DRAFT, format: str = "remit") -> dict[str, VerdictTest]:
    return {test.task: test for test in verdict_tests(work, format, [RuleFile("project", "policy.yaml", text)])}


def test_every_verdict_is_a_test_that_agrees_with_brute_force(work: Workspace) -> None:
    rows = list(work.store.requests())
    tasks = sorted({row.task for row in rows})
    words = {task: (VerdictWord.OUTSIDE, VerdictWord.WITHIN, VerdictWord.ESCALATE)[n % 3] for n, task in enumerate(tasks)}
    judge(work, words)
    policy = check(DRAFT).policy
    assert policy is not None
    found = verdicts_of(work)
    assert set(found) == {task for task, word in words.items() if word is not VerdictWord.ESCALATE}
    states = set()
    for task, test in found.items():
        said = {
            row.step: decide(policy, {k: tuple(v) if isinstance(v, list) else v for k, v in row.request.items()}).effect
            for row in rows
            if row.task == task
        }
        if words[task] is VerdictWord.OUTSIDE:
            stopped = {step for step, effect in said.items() if effect in ("deny", "ask")}
            expected = "pass" if stopped else "fail"
        else:
            stopped = {step for step, effect in said.items() if effect == "deny"}
            unknown = {step for step, effect in said.items() if effect == "unknown"}
            expected = "fail" if stopped else "cannot judge" if unknown else "pass"
            stopped = stopped or unknown
        assert (test.state, set(test.steps)) == (expected, stopped), test
        states.add((test.verdict, test.state))
    assert len(states) >= 4, "both verdicts, held and broken"


def test_a_new_verdict_supersedes(work: Workspace) -> None:
    pushed = next(
        test for row in work.store.requests() for test in [row.task] if "repo.write" in (row.request.get("action.verbs") or ())
    )
    judge(work, {pushed: VerdictWord.WITHIN})
    assert verdicts_of(work)[pushed].state == "fail"
    judge(work, {pushed: VerdictWord.OUTSIDE})
    assert verdicts_of(work)[pushed].state == "pass"


def test_an_agents_rules_are_tested_on_its_own_tasks(work: Workspace) -> None:
    agents = {task: body.agent for task, body in work.store.task_bodies(sorted(work.store.task_ids())).items()}
    judge(work, dict.fromkeys(agents, VerdictWord.WITHIN))
    found = verdicts_of(work, json.dumps({"permissions": {"deny": ["Bash"]}}), "claude-code")
    assert set(found) == {task for task, agent in agents.items() if agent == "claude-code"}
    assert any(test.state == "fail" for test in found.values())


def test_the_command_fails_where_a_verdict_does(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "cli")
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT)
    with open_workspace(str(mine.store), str(ORG)) as work:
        pushed = next(row.task for row in work.store.requests() if "repo.write" in (row.request.get("action.verbs") or ()))
        judge(work, {pushed: VerdictWord.WITHIN})
    out = {name: tmp_path / f"t.{name}" for name in ("junit", "sarif")}
    ran = run("--store", mine.store, "policy", "test", draft, "--json", "--junit", out["junit"], "--sarif", out["sarif"])
    assert ran.code == 1 and ran.json["verdicts_failed"] == 1
    suite = ElementTree.parse(out["junit"]).getroot()  # written by the command under test
    (failure,) = suite.iter("failure")
    assert pushed in "".join(case.get("name", "") for case in suite.iter("testcase")) and "no-push" in failure.get("message", "")
    assert valid(out["sarif"])["results"][0]["ruleId"] == "verdict"
    assert run("--store", mine.store, "policy", "test", draft, "--no-verdicts").code == 0
    alone = run("policy", "test", POLICY)
    assert alone.code == 0 and "no verdict is tested" in alone.err


def valid(path: Path) -> Any:
    """The one run of a SARIF file that its schema accepts."""
    told = json.loads(path.read_text())
    if not SCHEMA.exists():
        pytest.skip("the SARIF schema is not there: it lies in ../shared/schemas")
    jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(told)
    return told["runs"][0]


def test_a_dry_run_tells_a_pipeline_which_rule_does_it(day: Day, tmp_path: Path) -> None:
    draft = tmp_path / "draft.yaml"
    draft.write_text(DRAFT)
    out = {name: tmp_path / f"d.{name}" for name in ("junit", "sarif")}
    ran = run(
        "--store",
        day.store,
        "policy",
        "dry-run",
        draft,
        "--fail-on",
        "newly-denied",
        "--limit",
        "2",
        "--json",
        "--junit",
        out["junit"],
        "--sarif",
        out["sarif"],
    )
    assert ran.code == 1 and len(ran.json["flips"]) == 2
    flips = {rule["id"]: rule["flips"] for rule in ran.json["rules"]}
    results = {
        result["locations"][0]["physicalLocation"]["region"]["startLine"]: result for result in valid(out["sarif"])["results"]
    }
    assert (
        results[4]["level"] == "error" and f"no-push: {flips['no-push']} requests newly denied" in results[4]["message"]["text"]
    )
    suite = ElementTree.parse(out["junit"]).getroot()  # written by the command under test
    assert {case.get("name"): case.find("failure") is not None for case in suite.iter("testcase")}["newly-denied"]
    assert suite.get("failures") == "1"


def test_a_check_tells_a_pipeline_where(tmp_path: Path) -> None:
    draft = tmp_path / "bad.yaml"
    draft.write_text(DRAFT.replace("action.verb ==", "action.vreb =="))
    out = {name: tmp_path / f"c.{name}" for name in ("junit", "sarif")}
    assert run("policy", "check", draft, "--junit", out["junit"], "--sarif", out["sarif"]).code == 2
    region = valid(out["sarif"])["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] == 6 and region["startColumn"] > 10
    assert ElementTree.parse(out["junit"]).getroot().get("failures") == "2"  # written by the command under test
    bad = run("policy", "check", draft, "--junit", tmp_path / "nowhere" / "x.xml")
    assert bad.code == 3 and "cannot write" in bad.err


def test_hostile_texts_stay_text() -> None:
    hostile = 'a"<b>&\x00\x1b[31m\ud800\u202e]]>'
    told = ElementTree.fromstring(junit(hostile, [Case(hostile, hostile, hostile), Case("g", "n", hostile, True)]).encode())
    assert (told.get("failures"), told.get("skipped"), told.get("tests")) == ("1", "1", "2")
    assert (
        json.loads(sarif([Result(hostile, "error", hostile, "a b/ü.yaml", 1)]))["runs"][0]["results"][0]["locations"][0][
            "physicalLocation"
        ]["artifactLocation"]["uri"]
        == "a%20b/%C3%BC.yaml"
    )
