"""The two journals as people ask for them, samples that come out again, and reveals that leave a trace."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chains.facts import OrgFacts
from model.review import Sample
from review.errors import NotFoundError, RemitError
from review.judge import reveals, sampling
from review.judge.journals import journal, journal_state, note_access
from review.judge.reveals import reveal
from review.judge.sampling import chosen, draw, redraw, samples
from review.judge.verdicts import give_verdict
from review.workspace import Workspace
from store import open_store
from store.rows import TaskRow
from tests.running import fits, ok, run
from tests.store_fixtures import make_chain, make_event, make_record

KEY = "5a" * 32
SECRET = "REDACTED.github_token.0123456789ab"


@pytest.fixture
def work(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)
    with open_store(sqlite_url) as store:
        for n in range(30):
            agent = ("claude-code", "codex", "cline")[n % 3 if n < 6 else 0]
            store.save_chain(make_chain(f"task-{n:02}", records=[f"r{n}"], agent=agent, risk=n, started=1_000 + n), [])
        yield Workspace(store, sqlite_url, OrgFacts())


def test_accesses_are_a_chain_of_their_own(work: Workspace) -> None:
    give_verdict(work, "task-01", "within-remit", "as asked")
    assert note_access(work, "open", {"task": "task-01"}) and note_access(work, "export", {"out": "pack"})
    assert [(row["what"], row["about"]) for row in journal(work)] == [("verdict", "task-01")]
    assert [(row["what"], row["about"]) for row in journal(work, "access")] == [("open", "task-01"), ("export", "pack")]
    state = journal_state(work)
    assert (state["state"], state["entries"], state["head"]) == ("intact", 1, work.store.journal()[-1].head)
    assert state["journals"]["access"]["entries"] == 2 and state["head"] != state["journals"]["access"]["head"]
    with open_store(work.location, create=False, readonly=True) as store:
        assert not note_access(Workspace(store, work.location, OrgFacts()), "open", {})


def test_a_head_a_report_printed_tells_a_journal_that_was_cut(work: Workspace) -> None:
    give_verdict(work, "task-01", "within-remit", "as asked")
    head = work.store.journal()[0].head
    give_verdict(work, "task-02", "within-remit", "as asked")
    assert journal_state(work, head.upper())["state"] == "intact"
    cut = journal_state(work, "ab" * 32)
    assert cut["state"] == "altered" and "none that this journal ever had" in cut["problem"]
    with pytest.raises(RemitError, match="64 hex digits"):
        journal_state(work, "abc")


def tamper(path: str, change: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("journal", "access_journal", "verdict"):
            for what in ("update", "delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_refuses_{what}")
        connection.execute(change)


@pytest.mark.parametrize(
    ("change", "journal", "seq"),
    [
        ("UPDATE access_journal SET body = replace(body, 'task-01', 'task-02') WHERE seq = 1", "access", 1),
        ("DELETE FROM access_journal WHERE seq = 1", "access", 2),
        ("UPDATE journal SET body = replace(body, 'as asked', 'as ASKED')", "review", 1),
        ("UPDATE verdict SET body = replace(body, 'as asked', 'as ASKED')", "review", 1),
        ("UPDATE verdict SET body = CAST(replace(body, 'as asked', 'as ASKED') AS BLOB)", "review", 1),
        ("UPDATE journal SET body = CAST(body AS BLOB)", "review", 1),
        ("UPDATE journal SET at = 'noon'", "review", 1),
        ("UPDATE journal SET body = CAST(replace(CAST(body AS BLOB), 'asked', x'61ff6b6564') AS TEXT)", "review", 1),
        ("UPDATE access_journal SET head = 7", "access", 1),
        ("DELETE FROM journal", "review", 0),
    ],
)
def test_the_command_names_the_altered_entry_and_exits_with_4(work: Workspace, change: str, journal: str, seq: int) -> None:
    give_verdict(work, "task-01", "within-remit", "as asked")
    for n in (1, 2):
        note_access(work, "open", {"task": f"task-0{n}"})
    work.store.close()
    assert json.loads(ok("--store", work.location, "journal", "verify", "--json").out)["state"] == "intact"
    tamper(work.location, change)
    told = run("--store", work.location, "journal", "verify", "--json")
    said = json.loads(told.out)
    assert (told.code, said["state"], said["journal"], said["seq"]) == (4, "altered", journal, seq) and said["problem"]
    assert journal in run("--store", work.location, "journal", "verify").out
    assert run("--store", work.location, "store", "check", "--json").code == 4


def test_a_sample_is_recorded_and_comes_out_again(work: Workspace) -> None:
    found = draw(work, percent=10, filter="agent:claude-code", seed="s1", reason="the monthly look")
    fits(found, {"seq": int, "method": str, "seed": str, "size": int, "population": int, "tasks": [str]})
    assert (found["size"], found["population"], found["method"]) == (3, 26, "random")
    give_verdict(work, found["tasks"][0], "within-remit", "as asked")
    (listed,) = samples(work)
    assert listed["judged"] == 1 and listed["tasks"] == found["tasks"]
    assert redraw(work, found["seq"])["same"] is True
    assert draw(work, size=2)["seed"] != draw(work, size=2)["seed"], "a lot of its own where none is given"
    work.store.save_chain(make_chain("task-99", records=["r"], agent="claude-code", started=5), [])
    later = redraw(work, found["seq"])
    assert later["same"] is None and "26 then, 27 now" in later["why"]
    assert [entry.what for entry in work.store.journal()].count("sample") == 3
    forged = work.store.add_statement(
        Sample("", "random", "s", 1, 31, sampling._digest(list(sampling._population(work, ""))), ("task-00",), "lee", 1)
    )
    again = redraw(work, forged.seq)
    assert again["same"] is (chosen(list(sampling._population(work, "")), 1, "random", "s") == ["task-00"])


def test_methods_draw_as_they_say(work: Workspace) -> None:
    rows: list[TaskRow] = work.store.task_rows(None, "risk", 100)
    times: Counter[str] = Counter()
    for seed in range(300):
        assert len(set(chosen(rows, 5, "random", str(seed)))) == 5
        times.update(chosen(rows, 1, "by-risk", str(seed)))
    high = sum(count for id, count in times.items() if int(id[-2:]) >= 20)
    assert high > 130, "a third of the tasks holds more than half of the risk"
    share = Counter(row.agent for row in rows if row.id in chosen(rows, 5, "per-agent", "s"))
    assert share["codex"] == share["cline"] == 1 and share["claude-code"] == 3
    assert sorted(chosen(rows, 99, "per-agent", "s")) == sorted(row.id for row in rows)


@pytest.mark.parametrize("asked", [{}, {"size": 1, "method": "dice"}, {"percent": 101}, {"size": 1, "filter": "agent:none"}])
def test_a_draw_that_cannot_be_is_refused(work: Workspace, asked: dict[str, object]) -> None:
    with pytest.raises(RemitError):
        draw(work, **asked)  # type: ignore[arg-type]
    with pytest.raises(NotFoundError):
        redraw(work, 77)


def holding(work: Workspace, names: list[str]) -> None:
    records = []
    for line, name in enumerate(names, 1):
        record = make_record(name, f'{{"n":{line},"env":"{SECRET}"}}'.encode(), line=line)
        record.secrets = ("github_token",)
        record.events = [make_event(record.id)]
        records.append(record)
    work.store.add([*records, make_record("other", b"nothing here")])


def test_a_reveal_tells_kind_and_places_and_is_written_down(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    holding(work, ["a", "b", "c"])
    for name in (SECRET, "0123456789ab"):
        found = reveal(work, name, "rotating it")
        assert found["kinds"] == ["github_token"] and [row["line"] for row in found["records"]] == [1, 2, 3]
        assert not found["more"]
    assert [row["about"] for row in journal(work, "access")] == ["0123456789ab"] * 2
    assert "rotating it" in work.store.journal(journal="access")[0].body
    monkeypatch.setattr(reveals, "MOST", 2)
    assert reveal(work, SECRET, "again")["more"]


def test_a_reveal_says_what_it_could_not_look_through(work: Workspace) -> None:
    holding(work, ["a"])
    work.store.retain(2**53, [], [], "me", {})
    with pytest.raises(NotFoundError, match="the bytes of 1 record with secrets are no longer kept"):
        reveal(work, SECRET, "rotating it")
    holding(work, ["later"])
    found = reveal(work, SECRET, "rotating it")
    assert len(found["records"]) == 1 and found["not_kept"] == 1


def test_a_reveal_without_a_reason_or_a_trace_is_refused(work: Workspace) -> None:
    holding(work, ["a"])
    with pytest.raises(RemitError, match="reason"):
        reveal(work, SECRET, " ")
    with pytest.raises(RemitError, match="no pseudonym"):
        reveal(work, "hunter2", "why not")
    with open_store(work.location, create=False, readonly=True) as store:
        asked = Workspace(store, work.location, OrgFacts())
        with pytest.raises(RemitError, match="could not be written down"):
            reveal(asked, SECRET, "rotating it")
    assert journal(work, "access") == []
    with pytest.raises(NotFoundError):
        reveal(work, "ba9876543210", "looking for it")
    assert len(journal(work, "access")) == 1, "also what was not found was asked for"


def test_the_review_by_command_line(work: Workspace, tmp_path: Path) -> None:
    def said(*words: str) -> str:
        return ok("--store", work.location, *words).out

    work.store.close()
    assert "by" in said("review", "task-01", "--verdict", "escalate", "--reason", "look")
    assert "withdrawn" in said("review", "task-01", "--withdraw", "--reason", "not that one")
    assert "looks after" in said("assign", "task-01", "task-02", "--to", "kim")
    assert "comment 3" in said("comment", "task-01", "--text", "**see** step 2")
    assert json.loads(said("comment", "task-01", "--json"))[0]["text"] == "**see** step 2"
    assert "signed off" in said("attest", "--text", "all seen") and "all seen" in said("attest", "--plain")
    assert "seed s" in said("sample", "--size", "2", "--seed", "s") and "comes out the same" in said("sample", "--check", "5")
    assert json.loads(said("exceptions", "--json")) == [] and "Nothing was stated" in said("remedy")
    review = next(row for row in json.loads(said("tasks", "--json")) if row["id"] == "task-01")["review"]
    assert (review["assignee"], review["comments"], review["state"]) == ("kim", 1, "open")
    whats = [row["what"] for row in json.loads(said("journal", "--json"))]
    assert whats == ["verdict", "withdraw", "assignment", "assignment", "comment", "attestation", "sample"]
    for wrong in (
        ("attest", "asi", "ASI01", "more", "--text", "x"),
        ("attest", "ASI01"),
        ("attest", "LLM06", "--text", "x"),
        ("review", "task-01", "--reason", "x"),
        ("exceptions", "--end", "9"),
        ("remedy", "--owner", "kim"),
        ("remedy", "task-01", "--owner", "kim"),
    ):
        assert run("--store", work.location, *wrong).code == 2
