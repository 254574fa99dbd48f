"""Derived rows: what is saved comes back, what is replaced leaves nothing behind, ids are found by their beginning."""

from __future__ import annotations

import pytest

from model.chain import Coverage, Credential, Finding, Gap, Intent, Link, TaskChain
from model.event import short_id
from model.evidence import Attribution, SourceFile
from model.words import LinkKind, Phase, Severity, Vantage
from store import FindingFilter, Store
from store.findings import finding_place
from tests.store_fixtures import make_chain, make_event, make_finding, make_record, make_step


def sample(id: str = "task-1", steps: int = 3) -> TaskChain:
    chain = make_chain(
        id, [make_step(id, n) for n in range(steps)], [f"rec-{id}"], title=f"title of {id}", risk=40, started=1_000, agent="codex"
    )
    chain.intents = [Intent("int-1", "rec-1", Phase.PROMPT, "fix the build", 1_000, "dana")]
    chain.links = [Link("ev-1", "ev-2", LinkKind.EXACT, "session:x")]
    return chain


def test_a_chain_comes_back_as_it_was_saved(store: Store) -> None:
    chain = sample()
    chain.events = {"ev-1": make_event("rec-1")}
    found = [make_finding("task-1", "a", step=chain.steps[1].id), make_finding("task-1", "b", blind_spot=True)]
    store.save_chain(chain, found)
    back = store.chain("task-1")
    assert back is not None and back.events == {}
    assert (back.task, back.intents, back.steps, back.links, back.records) == (
        chain.task,
        chain.intents,
        chain.steps,
        chain.links,
        chain.records,
    )
    assert store.task("task-1") == chain.task and store.task_bodies(["task-1", "x"]) == {"task-1": chain.task}
    assert store.intents("task-1") == chain.intents and store.intents("x") == []
    assert store.step(chain.steps[2].id) == chain.steps[2] and store.steps("task-1", 1, 1) == [chain.steps[1]]
    assert [(row.n, row.title, row.target, row.recorded) for row in store.step_rows("task-1", 1)] == [
        (1, "step 1", "repository:acme/payments", "allow"),
        (2, "step 2", "repository:acme/payments", "allow"),
    ]
    assert store.findings_of("task-1") == found
    row = store.task_row("task-1")
    assert row is not None
    assert (row.findings, row.high, row.blind_spots, row.detections, row.state) == (1, 1, 1, ("CRED-03",), "open")
    assert (store.task("x"), store.chain("x"), store.step("x"), store.finding("x"), store.task_row("x")) == (None,) * 5
    assert store.check() == []


def test_saving_again_replaces_everything_of_the_task(store: Store) -> None:
    store.save_chains(
        [(sample("task-1", 5), [make_finding("task-1", "a")]), (sample("task-2", 2), [make_finding("task-2", "b")])]
    )
    before = store.task_evidence("task-1")
    store.save_chain(sample("task-1", 1), [])
    assert store.counts()["steps"] == 3 and store.counts()["findings"] == 1
    assert [hit.task for hit in store.search("step 4")] == []
    assert len(store.search("step 0")) == 2
    assert store.task_evidence("task-1") not in ("", before) and store.task_evidence("x") == ""
    store.delete_task("task-2")
    assert list(store.task_ids()) == ["task-1"]
    assert store.search("task 2") == [] and store.findings() == [] and store.check() == []


def test_steps_and_findings_move_when_two_tasks_become_one(store: Store) -> None:
    old, finding = sample("task-old", 2), make_finding("task-old", "a")
    store.save_chain(old, [finding])
    merged = sample("task-new", 1)
    for step in old.steps:
        step.task = "task-new"
        step.n += 1
    merged.steps += old.steps
    moved = make_finding("task-new", "a")
    assert moved.id == finding.id
    store.save_chain(merged, [moved])
    store.delete_task("task-old")
    assert [step.n for step in store.steps("task-new")] == [0, 1, 2]
    assert [one.task for one in store.findings()] == ["task-new"]
    assert store.check() == []


def test_requests_come_by_task_and_step(store: Store) -> None:
    for id in ("task-b", "task-a"):
        store.save_chain(make_chain(id, [make_step(id, n, command=f"run {n}") for n in (2, 0, 1)]), [])
    rows = list(store.requests())
    wanted = sorted((t, short_id("step", t, str(n)), f"run {n}") for t in ("task-a", "task-b") for n in range(3))
    assert [(row.task, row.step, row.request["action.command"]) for row in rows] == wanted
    assert {row.recorded for row in rows} == {"allow"}


def test_findings_are_listed_by_severity_and_narrowed(store: Store) -> None:
    severities = list(Severity)
    found = [
        make_finding(f"task-{n % 3}", str(n), detection=f"D-{n % 4}", severity=severities[n % 4], blind_spot=n % 5 == 0)
        for n in range(40)
    ]
    for task in range(3):
        store.save_chain(make_chain(f"task-{task}"), [one for one in found if one.task == f"task-{task}"])
    ranked = sorted(found, key=lambda one: (one.blind_spot, severities.index(one.severity), one.detection, one.id))
    assert store.findings() == ranked
    pages: list[Finding] = []
    while page := store.findings(limit=7, after=finding_place(pages[-1]) if pages else None):
        pages += page
    assert pages == ranked
    chosen = FindingFilter(detections=("D-1", "D-2"), severities=("high", "medium"), blind_spot=False)
    assert store.findings(chosen) == [one for one in ranked if one.detection in ("D-1", "D-2") and not one.blind_spot]
    assert store.count_findings() == {"critical": 8, "high": 8, "medium": 8, "low": 8, "blind_spots": 8}
    assert store.count_findings(FindingFilter(task="task-0", before=1_000))["high"] == 0
    assert store.findings(FindingFilter(after=1_000, before=1_001, step="nowhere")) == []


def test_credentials_are_kept_by_id_and_found_by_task(store: Store) -> None:
    one = Credential("cred-1", "aws.key:AKIA1", kind="aws", tasks=("task-1", "task-2"), flags=("reused", "standing"))
    two = Credential("cred-2", "vault.accessor:x", issued_task="task-2", last_use=5)
    store.save_credentials([two, one])
    assert store.credentials() == [one, two] and store.credentials(limit=1, after="cred-1") == [two]
    assert store.credentials_of("task-1") == [one] and store.credentials_of("task-2") == [one, two]
    assert store.credentials(ids=["cred-2", "cred-x"]) == [two]
    assert store.credential("cred-1") == one and store.credential_by_key("aws.key:AKIA1") == one
    changed = Credential("cred-1", "aws.key:AKIA1", tasks=("task-3",))
    store.save_credentials([changed])
    assert store.credentials_of("task-1") == [] and store.credentials_of("task-3") == [changed]
    store.delete_credentials(["cred-2"])
    assert store.credentials() == [changed]
    store.delete_credentials()
    assert store.credentials() == [] and store.credential("cred-1") is None and store.check() == []


def test_coverage_is_replaced_as_a_whole_and_ordered(store: Store) -> None:
    spans = [
        Coverage("vault", Vantage.ENFORCER, "*", 10, 20, 3, (Gap(12, 14),), True),
        Coverage("github", Vantage.TARGET, "b", 1, 2, 1),
        Coverage("github", Vantage.TARGET, "a", 5, 6, 1),
    ]
    store.save_coverage(spans)
    store.save_coverage(spans)
    assert store.coverage() == [spans[2], spans[1], spans[0]]
    store.save_coverage([])
    assert store.coverage() == []


def test_clearing_leaves_evidence_and_nothing_else(store: Store) -> None:
    store.begin_source(SourceFile("src-1", "fmt", "a.jsonl"))
    store.add([make_record("r")])
    store.save_chain(sample(), [make_finding("task-1", "a")])
    store.save_credentials([Credential("cred-1", "k:v", tasks=("task-1",))])
    store.save_coverage([Coverage("p", Vantage.AGENT, "*", 1, 2, 1)])
    store.clear_derived()
    counts = store.counts()
    assert {name for name, count in counts.items() if count} == {"sources", "records", "events"}
    assert store.search("step") == [] and store.coverage() == [] and store.check() == []
    store.save_chain(sample(), [])
    assert len(store.search("step")) == 3


def test_ids_are_found_by_their_beginning(store: Store) -> None:
    store.begin_source(SourceFile("src-abc", "fmt", "a.jsonl"))
    record = make_record("r", source="src-abc")
    store.add([record])
    store.save_chain(make_chain("task-aa1", [make_step("task-aa1", 0)], scope="session:5f0c"), [make_finding("task-aa1", "a")])
    store.save_chain(make_chain("task-aa2", scope="session:77"), [])
    store.save_chain(make_chain("task-aa", scope="ci.job:x"), [])
    store.save_credentials([Credential("cred-1", "k:v")])
    step = short_id("step", "task-aa1", "0")
    assert store.resolve("task-aa1") == [("task", "task-aa1")]
    assert store.resolve("task-aa") == [("task", "task-aa")], "a whole id means itself"
    assert store.resolve("task-a") == [("task", "task-aa"), ("task", "task-aa1"), ("task", "task-aa2")]
    assert store.resolve(f" {step[:12]} ") == [("step", step)]
    assert store.resolve("find-")[0][0] == "finding" and store.resolve("cred") == [("credential", "cred-1")]
    assert store.resolve(record.id[:10]) == [("record", record.id)] and store.resolve("src-") == [("source", "src-abc")]
    assert store.resolve(record.events[0].id) == [("event", record.events[0].id)]
    assert store.resolve(record.digest[:9]) == [("record", record.id)] == store.resolve(record.digest.upper())
    assert store.resolve("5F0C") == [("task", "task-aa1")] and store.resolve("session:77") == [("task", "task-aa2")]
    assert store.nearest(f"{step[:-1]}!") == [("step", step)]
    assert store.nearest("nothing") == store.nearest("") == store.nearest("%") == []
    assert store.resolve("nothing") == store.resolve("  ") == store.resolve("%") == store.resolve("ta_k") == []
    assert store.tasks_of_scope("session:77") == ["task-aa2"]


@pytest.mark.parametrize("word", ["\x00", "\ud800", "x" * 100_000, "'\\ \" * ( ) - : & |"])
def test_hostile_text_in_chains_is_stored_and_found_without_harm(store: Store, word: str) -> None:
    step = make_step("task-1", 0, title=f"needle {word}", command=word, request={"context.cwd": word})
    chain = make_chain(
        "task-1", [step], [], title=word, agent=word, repository=word, principal=word, vantages=(word,), scope=word
    )
    chain.intents = [Intent("i", "r", Phase.PROMPT, word)]
    finding = make_finding("task-1", word.replace("\ud800", "?"), detection=word)
    finding.why = word
    finding.facts = {"number": 2**100, "word": word}
    store.save_chain(chain, [finding])
    assert [hit.step for hit in store.search("needle")] == [step.id]
    store.search(word)
    assert store.task_row("task-1") is not None and store.chain("task-1") is not None and len(store.findings()) == 1
    assert len(list(store.requests())) == 1 and store.resolve(word) is not None
    store.save_chain(make_chain("task-1"), [])
    assert store.search("needle") == [] and store.check() == []


def test_what_detections_found_and_hid_is_counted(store: Store) -> None:
    found = [make_finding("task-1", "a"), make_finding("task-1", "b"), make_finding("task-1", "c", blind_spot=True)]
    store.save_chain(make_chain("task-1", hidden={"CRED-03": {"tests": 2}, "GOV-01": {"bots": 1}}), found)
    store.save_chain(make_chain("task-2", hidden={"CRED-03": {"tests": 1, "at most": 4}}), [make_finding("task-2", "d")])
    store.save_chain(make_chain("task-3"), [])
    assert store.found_by() == {"CRED-03": (3, 1, 2)}
    assert store.hidden() == {"CRED-03": {"at most": 4, "tests": 3}, "GOV-01": {"bots": 1}}
    store.save_chain(make_chain("task-1"), [])
    assert store.found_by() == {"CRED-03": (1, 0, 1)}
    assert store.hidden() == {"CRED-03": {"at most": 4, "tests": 1}}


def test_tasks_are_found_by_when_their_events_were(store: Store) -> None:
    store.add([make_record("r1"), make_record("r2", line=2), make_record("r3", line=3)])
    stubs = [stub for batch in store.dirty_event_batches() for stub in batch]
    store.save_attributions([Attribution(stub.id, task) for stub, task in zip(stubs, ("task-a", "", "task-b"), strict=True)])
    at = stubs[0].at
    assert at is not None
    assert store.tasks_between(at, at) == {"task-a"} | ({"task-b"} if stubs[2].at == at else set())
    assert store.tasks_between(at + 10**12, at + 10**13) == set()
