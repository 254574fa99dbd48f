"""A dry-run over the sample day: what the book says for many edits, and figures that come from the store each time."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from chains.consequences import Knot, Web, fallout
from model.evidence import RequestRow
from model.request import FIELDS
from model.review import Verdict
from model.words import VerdictWord
from policy import History, Policy, Replayer, check
from policy.change import Change
from policy.details import Details
from review.documents import Doc
from review.policy import policies
from review.policy.dryruns import current
from review.policy.selfcheck import self_check
from review.policy.versions import promote, save
from review.show import dryrun_words
from review.workspace import Workspace, open_workspace
from tests.brute import brute, comparable, readable
from tests.tui_desk import KEY, ROOT, own_store, sample_store

SAMPLE = ROOT / "sample_data"
OPA = re.compile(r"opa:\S+ decided by \S+@(\S+),")
EDITS = 200
TIMES = {field.name for field in FIELDS if field.type == "timestamp"}
DENY_SECRETS = """version: 1
name: agents
default: allow
rules:
  - {id: secrets, effect: deny, when: '"secret.read" in action.verbs', reason: r, controls: ["nist-sp800-53r5-selected:AC-4"]}
"""


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    with open_workspace(str(own_store(tmp_path))) as opened:
        yield opened


# many edits, one by one as the book has it


def condition(random: Random, values: dict[str, list[Any]]) -> str:
    """A comparison with something that the history holds, some of them joined or turned round."""
    name = random.choice(sorted(values))
    value = random.choice(values[name])
    if isinstance(value, list):
        found = f"{json.dumps(random.choice(value) if value else 'none')} in {name}"
    elif isinstance(value, bool):
        found = name
    elif isinstance(value, int):
        found = f"{name} {random.choice(['<', '>=', '=='])} {value}"
    elif name in TIMES:
        found = f'{name} < timestamp("{value}T00:00:00Z")'
    else:
        text = json.dumps(value)
        found = random.choice([f"{name} == {text}", f"{name} != {text}", f"{name}.startsWith({json.dumps(value[:4])})"])
    turn = random.random()
    if turn < 0.2:
        return f"!({found})"
    return f"{found} {random.choice(['&&', '||'])} {condition(random, values)}" if turn < 0.45 else found


def edited(document: Doc, random: Random, values: dict[str, list[Any]], number: int) -> Doc:
    """The policy after one more edit of its author's."""
    rules = [dict(rule) for rule in document["rules"]]
    effect = random.choice(["deny", "ask", "allow"])
    turn = random.randrange(6)
    if turn < 2 or not rules:
        rules.append({"id": f"new-{number}", "effect": effect, "when": condition(random, values)})
    elif turn == 2:
        random.choice(rules)["effect"] = effect
    elif turn == 3:
        rules.remove(random.choice(rules))
    elif turn == 4:
        random.choice(rules)["when"] = condition(random, values)
    else:
        return {**document, "default": effect}
    return {**document, "rules": rules[-8:]}


def seen(rows: list[RequestRow]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        for name, value in row.request.items():
            if not name.startswith("remit.") and value is not None and value not in found[name]:
                found[name].append(value)
    return found


def sound(document: Doc) -> Policy:
    checked = check(json.dumps(document))
    assert checked.policy is not None, checked.diagnostics
    return checked.policy


def test_hundreds_of_edits_flip_what_request_by_request_evaluation_flips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    with open_workspace(str(sample_store()), readonly=True) as work:
        rows = list(work.store.requests())
    read = {row.step: readable(row) for row in rows}
    values = seen(rows)
    random, replayer = Random(20260317), Replayer(History.from_rows(rows))
    document = yaml.safe_load((SAMPLE / "policy.yaml").read_text())
    other = sound(yaml.safe_load((SAMPLE / "draft-no-prod-secrets.yaml").read_text()))
    flips, unjudged = 0, 0
    for number in range(EDITS):
        document = edited(document, random, values, number)
        draft, baseline = sound(document), other if number % 2 else None
        found = replayer.run(draft, baseline, flips_limit=None).as_json()
        assert comparable(found) == brute(draft, rows, baseline, read), json.dumps(document)
        flips += found["flips_total"]
        unjudged += found["summary"]["cannot_judge"]
    assert flips > 10_000 and unjudged > 1_000, "the edits did nothing that could have gone wrong"


# every figure comes from the store


def counts(run: Doc) -> dict[str, int]:
    """The figures that one newly denied request has a part in."""
    denied = {name: run[name]["newly_denied"] for name in ("summary", "by_tasks", "by_principals")}
    beside = {f"beside {side['name']}": side["summary"]["newly_denied"] for side in run["baselines"]}
    rule = next(rule for rule in run["rules"] if rule["id"] == "secrets")
    control = next(one for one in run["controls"]["controls"] if one["rules"])
    return {
        **denied,
        **beside,
        "requests": run["history"]["requests"],
        "flips": len(run["flips"]),
        "flips_total": run["flips_total"],
        **{name: rule[name] for name in ("hits", "decides", "flips")},
        "exact": run["ledger"]["exact"],
        "harm stopped": run["verdicts"]["harm_stopped"],
        "harm missed": -run["verdicts"]["harm_missed"],
        "developer days": run["friction"]["developer_days"],
        "days that the history spans": run["history"]["from"] is not None,
        "tasks with a denied step": run["downstream_total"]["of"],
        "findings on denied steps": control["denied"],
    }


def test_deleting_one_request_moves_every_figure_it_was_in(work: Workspace, tmp_path: Path) -> None:
    save(work, "agents", "version: 1\nname: agents\ndefault: allow\nrules: []\n", "before")
    lone = lonely(work, tmp_path / "remit.db")
    task = lone["task"]
    work.store.add_verdict(Verdict(task, "task", VerdictWord.OUTSIDE, "it read what it should not", "tests", 1, task))
    before = policies.dry_run(work, DENY_SECRETS, "agents.yaml")
    with sqlite3.connect(tmp_path / "remit.db") as connection:
        # The developer's only dated request of that day, so that the day counts for it alone.
        connection.execute("update request set at = null where step_id <> ?", (lone["step"],))
        assert connection.execute("delete from request where step_id = ?", (lone["step"],)).rowcount == 1
    after = policies.dry_run(work, DENY_SECRETS, "agents.yaml")
    old, new = counts(before), counts(after)
    unmoved = [name for name in old if new[name] >= old[name]]
    assert unmoved == []


def lonely(work: Workspace, store: Path) -> Doc:
    """A flip that is the only one of its task, with a finding on its step, and then the only one of its principal too: others are deleted."""
    denied = [flip for flip in policies.dry_run(work, DENY_SECRETS, "agents.yaml")["flips"] if flip["to"] == "deny"]
    found = {one.step for one in work.store.findings() if one.detection == "BND-01"}
    tasks = [flip["task"] for flip in denied]
    chosen: Doc = next(flip for flip in denied if flip["step"] in found and tasks.count(flip["task"]) == 1)
    principals = {task: one.principal for task in tasks if (one := work.store.task(task)) is not None}
    others = [f for f in denied if f is not chosen and principals[f["task"]] == principals[chosen["task"]]]
    with sqlite3.connect(store) as connection:
        for other in others:
            connection.execute("delete from request where step_id = ?", (other["step"],))
    return chosen


# what the figures rest on


def test_the_current_policy_is_the_version_in_force_else_the_last_saved(work: Workspace) -> None:
    allow, deny = (f"version: 1\ndefault: {word}\nrules: []\n" for word in ("allow", "deny"))
    assert current(work, "agents.yaml") is None
    save(work, "agents", allow, "first")
    only = current(work, "new.yaml")
    assert only is not None and only.version.name == "agents", "the only one there is"
    save(work, "agents", deny, "second")
    save(work, "other", allow, "another")

    def version(*names: str) -> tuple[str, int] | None:
        found = current(work, *names)
        return None if found is None else (found.version.name, found.version.version)

    assert version("agents.yaml") == ("agents", 2) and version("nowhere/other.yml") == ("other", 1)
    assert version("new.yaml") is None
    promote(work, "agents@1", "rolled out")
    assert version("agents.yaml") == version("new.yaml") == ("agents", 1)
    told = policies.dry_run(work, deny, "new.yaml")
    assert [(side["name"], side["version"]) for side in told["baselines"]] == [("recorded", None), ("agents", 1)]
    assert told["baselines"][1]["summary"]["newly_denied"] == told["history"]["requests"]


@pytest.mark.parametrize("effect", ["deny", "allow"])
def test_the_self_check_tells_whether_the_policy_gives_what_was_decided(work: Workspace, effect: str) -> None:
    text = (SAMPLE / "policy.yaml").read_text().replace("effect: deny", f"effect: {effect}")
    before = self_check(work)
    assert before.checked == 0 and before.decisions > 100
    assert "which is not saved here" in before.sentence and "remit policy save" in before.sentence
    [named] = set(OPA.findall(" ".join(before.unchecked)))
    save(work, "agents", text, "as deployed", revision=named)
    found = self_check(work)
    assert found.checked > 100 and found.checked + found.cannot_judge + sum(found.unchecked.values()) == found.decisions
    assert found.reproduced + found.differing_total == found.checked
    if effect == "deny":
        assert found.differing_total == 0
    else:
        assert {(one.recorded, one.replayed) for one in found.differing} == {("deny", "allow")}
        assert len(found.differing) == found.differing_total > 0


def knots(*rows: tuple[str, dict[str, Any]]) -> Web:
    """A task's web of steps numbered from 1; what a step obtains, uses and starts is stated by name."""
    steps = {name: number for number, (name, _) in enumerate(rows, 1)}
    held = {name: Knot(steps[name], steps[name] * 10, **more) for name, more in rows if more}
    return Web("home", steps, held, {}, {})


def fallen(web: Web, *denied: str, others: tuple[Web, ...] = ()) -> dict[str, tuple[str, str]]:
    webs = {one.task: one for one in (web, *others)}
    return {one.step: (one.kind, one.by) for one in fallout("home", denied, webs.get).steps}


def test_what_hangs_on_a_denied_step_falls_and_nothing_else() -> None:
    uses: dict[str, Any] = {"uses": ("key",)}
    once: dict[str, Any] = {"obtains": (("key", None),)}
    assert fallen(knots(("a", once), ("b", {}), ("c", uses)), "a") == {"c": ("credential", "a")}
    assert fallen(knots(("c", uses), ("a", once)), "a") == {}, "it was used before"
    assert fallen(knots(("a", once), ("b", once), ("c", uses)), "a") == {}, "another step obtained it too"
    assert set(fallen(knots(("a", once), ("b", once), ("c", uses)), "a", "b")) == {"c"}
    ended = knots(("a", {"obtains": (("key", 15),)}), ("b", once), ("c", uses))
    assert set(fallen(ended, "b")) == {"c"}, "the other had expired by then"
    chain = knots(("a", once), ("b", uses | {"obtains": (("next", None),)}), ("c", {"uses": ("next",)}), ("d", {}))
    assert fallen(chain, "a") == {"b": ("credential", "a"), "c": ("credential", "b")}
    fed = knots(("a", {"feeds": (("commit:1f", "c"),)}), ("b", {}), ("c", {}))
    assert fallen(fed, "a") == {"c": ("link", "a")}
    child = Web("kid", {"x": 1, "y": 2}, {}, {}, {})
    assert fallen(knots(("a", {"child": "kid"}), ("b", {})), "a", others=(child,)) == {
        "x": ("sub-agent", "a"),
        "y": ("sub-agent", "a"),
    }
    assert fallen(chain, "nowhere") == {} == {one.step: one for one in fallout("no task", ["a"], {}.get).steps}


def test_over_the_sample_day_whatever_falls_comes_after_what_it_hangs_on(work: Workspace) -> None:
    run = policies.dry_run(work, "version: 1\ndefault: allow\nrules:\n- {id: a, effect: deny, when: 'true'}\n", "all.yaml")
    place = {step.id: (task, step.n) for task in work.store.task_ids() for step in work.store.steps(task)}
    falls = [(flip, one) for flip in run["flips"] for one in flip["consequences"]]
    assert {one["kind"] for _, one in falls} >= {"credential", "sub-agent"}
    for flip, one in falls:
        (task, number), (above, before) = place[one["step"]], place[one["by"]]
        assert (task, number) == (one["task"], one["n"]) and (task != above or number > before)
        assert one["by"] == flip["step"] or one["by"] in flip["downstream"]
    assert run["downstream_total"] == run["downstream_total"] | {"steps": 0, "counted": run["downstream_total"]["of"]}


def rows_of(*requests: dict[str, Any], recorded: str = "allow") -> list[RequestRow]:
    return [RequestRow(f"s{n:03d}", "t", n, recorded, one) for n, one in enumerate(requests)]


def told(history: History, *rules: tuple[str, str, str]) -> tuple[Details, Change]:
    draft = sound({"version": 1, "default": "allow", "rules": [{"id": i, "effect": e, "when": w} for i, e, w in rules]})
    return Details(history), Change(history, None, Replayer(history).decisions(draft))


def test_the_ledger_parts_what_is_stated_from_what_is_stood_in_for() -> None:
    origin, by = "principal.origin", {"remit.told_by": "vault"}
    history = History.from_rows(
        rows_of(
            {origin: "ci", "action.verb": "exec"},
            {origin: "endpoint", "action.verb": "exec", "remit.assumed": origin} | by,
            {origin: "endpoint", "action.verb": "file.read", "remit.assumed": origin} | by,
            {"action.verb": "exec"} | by,
        )
    )
    draft = sound(
        {
            "version": 1,
            "default": "allow",
            "rules": [{"id": "r", "effect": "deny", "when": f'{origin} == "endpoint" && action.verb == "exec"'}],
        }
    )
    found = Details(history).ledger(draft, Replayer(history).decisions(draft))
    assert (found.exact, found.stand_in, found.not_replayable) == (2, 1, 1), "what a rule does not need counts for nothing"
    assert [(one.attribute, one.requests, one.told_by) for one in found.missing] == [(origin, 1, {"vault": 1})]
    assert [(one.attribute, one.requests) for one in found.stand_ins] == [(origin, 1)]
    assert [(one.attribute, one.requests) for one in found.log_next] == [(origin, 2)]


def test_friction_is_counted_by_developer_and_day() -> None:
    day = 86_400_000_000
    who = {"principal.kind": "human", "action.verb": "exec"}
    rows = [
        RequestRow("s1", "t", 1, "allow", who | {"principal.id": "ana"}),
        RequestRow("s2", "t", 2, "ask", who | {"principal.id": "ana", "action.verb": "file.read"}),
        RequestRow("s3", "t", day + 1, "allow", who | {"principal.id": "ana"}),
        RequestRow("s4", "t", 3, "allow", {"principal.id": "bot", "principal.on_behalf_of": "bo", "action.verb": "exec"}),
        RequestRow("s5", "t", 4, "allow", {"principal.id": "bot", "action.verb": "exec"}),
    ]
    details, change = told(History.from_rows(rows), ("r", "ask", 'action.verb == "exec"'))
    found = details.friction(change)
    assert (found.asks_added, found.asks_removed, found.unattributed) == (3, 1, 1)
    assert (found.developers, found.developer_days, found.per_developer_day) == (2, 3, round(2 / 3, 4))


def test_a_rule_voids_the_weaker_and_covers_the_equal_within_it() -> None:
    verbs = [{"action.verb": verb} for verb in ("exec", "secret.read", "repo.write")]
    details, change = told(
        History.from_rows(rows_of(*verbs)),
        ("wide", "deny", 'action.verb != "exec"'),
        ("narrow-ask", "ask", 'action.verb == "secret.read"'),
        ("narrow-deny", "deny", 'action.verb == "repo.write"'),
        ("other", "ask", 'action.verb == "exec"'),
    )
    assert details.wider(change.after) == {"wide": (["narrow-ask"], ["narrow-deny"])}


def test_every_figure_has_its_sentence_newly_allowed_first(work: Workspace) -> None:
    run = policies.dry_run(work, DENY_SECRETS, "agents.yaml")
    lines = list(dryrun_words.sentences(run))
    kinds = [line for line in lines if line.partition(":")[0].replace(" ", "_").lower() in run["summary"]]
    assert [line.partition(":")[0] for line in kinds] == [
        "Newly allowed", "Newly denied", "Newly asked", "Cannot judge", "Unchanged",
    ]  # fmt: skip
    for start in (
        "Self-check: ",
        "Replayed: ",
        "Against verdicts: ",
        "Friction: ",
        "Down the chain: ",
        "Control nist-sp800-53r5",
    ):
        assert any(line.startswith(start) for line in lines), start
    assert lines.index(kinds[0]) == 1 and len([line for line in lines if line.startswith("Limit: ")]) == len(run["limits"]) == 3
