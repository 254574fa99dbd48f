"""A PostgreSQL store divided by team, held against the database itself: who sees which rows of every table."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import select, text

from chains.facts import OrgFacts
from cli.main import main
from model.chain import Coverage, Credential, Finding, TaskChain
from model.event import Key
from model.evidence import SourceFile
from model.figures import Tally
from model.review import Assignment, Comment, ExceptionRecord, Verdict
from model.words import KeyRole, Vantage, VerdictWord
from review.policy.history_index import index_folder
from review.show.filters import task_filter
from review.sitting.desk import Desk
from review.sitting.overview import overview
from review.workspace import Workspace
from store import NotKept, Refused, Store, StoreError, open_store
from store.codec import pack
from store.duties import Role
from store.journals import JOURNALS
from store.placement import SEARCH_TABLE
from store.policies import NUMBERED, SIGHTS, Open, Seen
from store.schema import VERSION_TABLE
from store.tables import METADATA, SHAPE, TASK_TEAM
from tests.store_fixtures import make_chain, make_event, make_finding, make_record, make_step

TASKS = {"task-a": ("pay", "ops"), "task-b": ("ops",), "task-c": ("pay",), "task-d": ()}
"""The tasks, and the teams of each."""
PAY = {"task-a", "task-c"}

Login = Callable[..., str]


def chain_of(task: str) -> tuple[TaskChain, list[Finding]]:
    steps = [make_step(task, n, command=f"run {task}", title=f"secret word{task[-1]} {n}") for n in range(20)]
    record = f"rec-{task}"
    chain = make_chain(task, steps, [record], agent=f"agent-{task}", repository="acme/x", risk=50, owners=TASKS[task])
    chain.tallies = (Tally("team", "2026-W12", "exec", "Bash", 3, 1, 1, 0, 1, 1, 0, 2, 1, 500, 0, 1, 5, 9),)
    return chain, [make_finding(task, task), make_finding(task, f"spot-{task}", blind_spot=True)]


def fill(store: Store) -> None:
    me = store.identity()
    store.begin_source(SourceFile("src-1", "remit-events", "a.jsonl", "", 0, "a.jsonl", me, 1, ""))
    records = []
    for n, task in enumerate(TASKS):
        made = make_record(task, line=n + 1)
        made.events = [make_event(made.id, keys=(Key(KeyRole.SCOPE, "session", task),))]
        records.append(made)
    store.add(records)
    with store.db.write() as connection:
        for record, task in zip(records, TASKS, strict=True):
            connection.execute(text("UPDATE event SET task_id = :task WHERE record_id = :id"), {"task": task, "id": record.id})
    store.save_chains([chain_of(task) for task in TASKS])
    store.save_credentials([Credential(f"cred-{task}", f"token:{task}", issued_task=task, ttl_seconds=9) for task in TASKS])
    for task in TASKS:
        store.add_verdict(Verdict(task, "task", VerdictWord.WITHIN, f"as asked in {task}", me, 8))
        store.add_statement(Comment(task, "task", task, f"see {task}", me, 7))
        store.add_exception(ExceptionRecord(make_finding(task, task).id, me, "PAY-7", 9, "known", me, 7))
        store.journal_append(me, "open", {"task": task}, journal="access")


@pytest.fixture
def whole(postgresql_url: str) -> Iterator[Store]:
    """A store with tasks of two teams, of both and of none, as its owner sees it."""
    with open_store(postgresql_url, create=False) as store:
        fill(store)
        yield store


@pytest.fixture
def login(whole: Store, postgresql_url: str) -> Iterator[Login]:
    """Makes a login with a role that was granted some teams; the URL it connects by."""
    made: list[str] = []

    def of(role: Role, *teams: str) -> str:
        name = f"dana-{uuid.uuid4().hex[:8]}"
        made.append(name)
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            connection.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
        whole.grant(role, name)
        for team in teams:
            whole.show_team(team, name)
        return re.sub(r"//[^@/]*@", f"//{name}@", postgresql_url)

    yield of
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        for name in made:
            connection.execute(f'DROP OWNED BY "{name}"'.encode())
            connection.execute(f'DROP ROLE "{name}"'.encode())


def rows(url: str) -> dict[str, set[tuple[Any, ...]]]:
    """What a login reads of every table by plain SQL, whatever Remit would ask."""
    with closing(psycopg.connect(url)) as connection:
        return {name: set(connection.execute(f'SELECT * FROM "{name}"'.encode()).fetchall()) for name in SIGHTS}


def test_every_table_has_its_sight() -> None:
    assert set(SIGHTS) == {*METADATA.tables, SEARCH_TABLE, VERSION_TABLE}, "say in store.policies who sees a new table's rows"
    assert all(sight.reason for sight in SIGHTS.values() if isinstance(sight, Open))
    for name, table in METADATA.tables.items():
        if "task_id" in table.columns and name not in ("dirty_task", "step_change"):
            assert isinstance(SIGHTS[name], Seen), f"{name} has rows of tasks"


def test_the_database_shows_a_team_its_own_rows_of_every_table(whole: Store, login: Login, postgresql_url: str) -> None:
    every = rows(postgresql_url)
    pay, ops, none, nothing, all_seeing = (login("reader", *teams) for teams in (("pay",), ("ops",), ("",), (), ("*",)))
    assert rows(pay) == every | {"team_sight": rows(pay)["team_sight"]}, "nothing is hidden before the store is divided"
    assert whole.divide() == 0
    every = rows(postgresql_url)
    seen = {url: rows(url) for url in (pay, ops, none)}
    for name, sight in SIGHTS.items():
        held = [seen[url][name] for url in (pay, ops, none)]
        if isinstance(sight, Open):
            assert all(one == every[name] for one in held), name
        elif sight == "hidden":
            assert not any(held), f"{name} shows rows to those who see some teams alone"
        elif name not in ("team_sight", "coverage"):
            assert set().union(*held) <= every[name]
            columns = list(METADATA.tables[name].columns.keys())
            if "task_id" in columns:
                place = columns.index("task_id")
                assert {row[place] for row in held[0]} <= PAY and {row[place] for row in held[2]} <= {"task-d"}, name
            assert held[2].isdisjoint(held[0] | held[1]), f"a row of {name} is of no team and of one"
    filled = {name for name, held in every.items() if held}
    assert {name for name in filled if isinstance(SIGHTS[name], Seen)} <= {name for name, held in seen[pay].items() if held}
    assert len(filled) > 25, "most tables have rows, or nothing was shown"
    blind = rows(nothing)
    assert {name for name, held in blind.items() if held} <= {name for name, sight in SIGHTS.items() if isinstance(sight, Open)}
    assert rows(all_seeing) == every and rows(login("importer")) == every
    whole.undivide()
    assert rows(nothing) == rows(postgresql_url)


def test_what_is_counted_searched_and_listed_is_of_the_team_alone(
    whole: Store, login: Login, capsys: pytest.CaptureFixture[str]
) -> None:
    whole.divide()
    with open_store(login("reviewer", "pay"), create=False) as store:
        assert store.sees() == ("pay",) and store.count_tasks() == 2
        assert {row.id for row in store.task_rows()} == PAY
        assert {name for name, _ in store.facet("agent")} == {"agent-task-a", "agent-task-c"}
        assert store.count_tasks(task_filter("wordb")) == 0 < store.count_tasks(task_filter("worda"))
        assert {hit.task for hit in store.search("secret")} == PAY
        assert sum(row.tasks for row in store.risk_sums()) == 2
        assert [row.sums.actions for row in store.share_sums()] == [3, 3]
        assert sum(row.findings for row in store.finding_hours()) == 4
        assert store.credential_sums() == [("task", (), 2)]
        assert {one.task for one in store.verdicts()} == PAY and len(store.exceptions()) == 2
        assert {json.loads(one.body)["data"]["task"] for one in store.journal() if one.what == "verdict"} == PAY
        assert store.task("task-b") is None and store.steps("task-b") == [] and store.resolve("task-b") == []
        with store.request_view() as view:
            assert {cell[0] for part in view.cells() for cell in part} == PAY
            assert len(list(view.shapes())) == 2
        through = lambda: list(store.raw_with_secrets(b"0123456789ab"))  # noqa: E731
        for act in (store.sources, store.check, store.points, store.identities, store.verify_journal, through):
            with pytest.raises(Refused, match="over the evidence of every team"):
                act()
        with pytest.raises(NotKept, match="those who see every team"):
            store.raw(make_record("task-a").id)
    url = login("author", "pay")
    with open_store(url, create=False) as store:
        work = Workspace(store, url, OrgFacts())
        assert overview(work)["sees"] == ["pay"] and overview(work)["tasks"] == 2
        desk = Desk(url)
        assert desk.sight() == "of team pay alone"
        desk.close()
        before = index_folder(work)
        whole.show_team("ops", store.identity())
        assert index_folder(work) != before, "an index made before a grant lacks what is seen since"
    assert main(["show", make_record("task-a").digest[:16], "--store", url]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("raw records lie in blocks with those of other teams")
    with open_store(login("reader", "*"), create=False) as store:
        assert store.count_tasks() == 4 and store.check() == [] and sum(row.tasks for row in store.risk_sums()) == 4


def test_a_reviewer_judges_what_the_team_has_and_nothing_else(whole: Store, login: Login) -> None:
    whole.divide()
    with open_store(login("reviewer", "pay"), create=False) as store:
        me = store.identity()
        given = store.add_verdict(Verdict("task-c", "task", VerdictWord.ESCALATE, "look", me, 20))
        assert given.seq == 5, "the number follows the rows that are not seen"
        store.add_statement(Assignment("task-a", me, me, 21))
        store.add_exception(ExceptionRecord(make_finding("task-c", "task-c").id, me, "PAY-8", 9, "known", me, 22))
        row = store.task_row("task-c")
        assert row is not None and row.verdict == "escalate"
        with pytest.raises(Refused):
            store.add_verdict(Verdict("task-b", "task", VerdictWord.ESCALATE, "not mine", me, 23))
        with pytest.raises(Refused):
            store.add_exception(ExceptionRecord(make_finding("task-b", "task-b").id, me, "PAY-9", 9, "no", me, 24))
        with pytest.raises(StoreError, match="there is no verdict number 2"):
            store.withdraw_verdict(2, "not mine", me, 25)
    assert all(whole.verify_journal(name).ok for name in JOURNALS) and len(whole.verdicts()) == 5
    with whole.db.read() as connection:
        for name in NUMBERED:
            last = connection.execute(text("SELECT seq FROM remit_last(:which)"), {"which": name}).scalar_one()
            held = connection.execute(text(f"SELECT max(seq) FROM {name}")).scalar_one()
            assert last == held, name


ADD = "INSERT INTO verdict (seq, subject, kind, task_id, anchor, body, withdraws, actor) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
FORGED = {
    "a verdict on another's task": ("task-b", "task", "task-c", "", None),
    "by another's scope": ("task-c", "task", "task-c", "session:task-b", None),
    "on another's finding": (make_finding("task-b", "task-b").id, "finding", "task-c", "", None),
    "taking another's back": ("task-c", "task", "task-c", "", 2),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_no_row_judges_what_is_not_the_teams_by_naming_a_task_that_is(
    whole: Store, login: Login, forged: tuple[str, str, str, str, int | None]
) -> None:
    whole.divide()
    subject, kind, task, anchor, withdraws = forged
    url = login("reviewer", "pay")
    body = pack(Verdict(subject, kind, VerdictWord.WITHIN, "forged", "dana", 9, task=task, seq=5, withdraws=withdraws or 0))
    with (
        closing(psycopg.connect(url)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(ADD, (5, subject, kind, task, anchor, body, withdraws, connection.info.user))


def test_what_is_packed_in_a_row_says_nothing_of_another_task(whole: Store, login: Login) -> None:
    whole.divide()
    before = {one.seq: one for one in whole.verdicts()}
    with closing(psycopg.connect(login("reviewer", "pay"))) as connection:
        packed = pack(Verdict("task-b", "task", VerdictWord.ESCALATE, "forged", "dana", 9, task="task-b", seq=2))
        connection.execute(ADD, (5, "task-c", "task", "task-c", "", packed, None, connection.info.user))
        connection.commit()
    found = {one.seq: one for one in whole.verdicts()}
    assert {seq: found[seq] for seq in before} == before
    assert (found[5].subject, found[5].task) == ("task-c", "task-c")
    assert whole.latest_verdicts(["task-b"])["task-b"].reason == "as asked in task-b"
    told = whole.verify_journal()
    assert not told.ok and "a verdict" in told.problem


def test_a_colleague_reads_of_a_risk_accepted_in_the_team(whole: Store, login: Login) -> None:
    whole.divide()
    with open_store(login("reviewer", "pay"), create=False) as store:
        kept = store.exceptions()
        told = [json.loads(one.body)["data"]["seq"] for one in store.journal() if one.what == "exception"]
        assert told == [one.seq for one in kept] and len(told) == 2


def test_what_is_of_no_team_is_said_to_be_so(whole: Store, login: Login, capsys: pytest.CaptureFixture[str]) -> None:
    whole.divide()
    assert Workspace(whole, whole.location, OrgFacts()).redactor, "the store has its pseudonym key, as after any import"
    pay, nothing = login("reviewer", "pay"), login("reader")
    assert main(["store", "info", "--store", pay, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sees"] == ["pay"] and told["tasks"] == 2 and told["records"] == 2
    assert [told[name] for name in ("sources", "rejects", "bytes")] == [None] * 3, (
        "what no team has a part of is unknown, not none"
    )
    assert main(["store", "info", "--store", nothing]) == 0
    assert "sources: unknown\n" in (told := capsys.readouterr().out) and "sees: none\n" in told
    assert main(["sample", "--store", pay, "--size", "1", "--seed", "x"]) == 2
    assert "sees some teams' tasks alone" in (told := capsys.readouterr().err) and "administrator shows everything" in told
    for command in ("unattributed", "sample", "attest"):
        assert main([command, "--store", pay]) == 0
        told = capsys.readouterr()
        assert told.out == "None that you see.\n" and "what is of no team's task is not told to" in told.err, command
        assert main([command, "--store", login("reader", "pay", "")]) == 0
        assert not capsys.readouterr().err
    assert main(["tasks", "--store", nothing]) == 0
    assert capsys.readouterr().out == "No task of the teams you see (`remit store teams`).\n"


def test_ages_are_told_as_of_the_last_evidence_to_a_team_as_well(whole: Store, login: Login) -> None:
    whole.save_coverage(
        [Coverage("claude-code", Vantage.AGENT, "", 5, 80, 3), Coverage("claude-code", Vantage.AGENT, "host-b", 5, 90, 3)]
    )
    whole.divide()
    with open_store(login("reader", "pay"), create=False) as store:
        assert store.last_evidence() == 80


def test_an_importer_at_work_meets_the_rules_from_its_next_batch(whole: Store, login: Login) -> None:
    with open_store(login("importer"), create=False) as store:
        for turn, act in enumerate((lambda: None, whole.divide, whole.undivide)):
            act()
            store.add([make_record(f"more-{turn}-{n}", line=turn * 40 + n + 10) for n in range(40)])
    assert whole.counts()["records"] == len(TASKS) + 120


def test_an_importer_of_no_team_writes_what_it_wrote_before(whole: Store, login: Login) -> None:
    whole.divide()
    with open_store(login("importer"), create=False) as store:
        assert store.sees() is None
        store.add([make_record(f"more-{n}", line=n + 10) for n in range(40)])
        store.save_chain(*chain_of("task-a"))
        store.save_chains([chain_of(task) for task in TASKS])
        assert {hit.task for hit in store.search("secret")} == set(TASKS)
    assert whole.check() == []
    with whole.db.read() as connection:
        held = {tuple(row) for row in connection.execute(select(TASK_TEAM))}
        assert held == {(task, team) for task, teams in TASKS.items() for team in teams or ("",)}
        assert len(connection.execute(select(SHAPE)).all()) == 4


def test_the_command_divides_grants_and_tells(
    whole: Store, login: Login, postgresql_url: str, capsys: pytest.CaptureFixture[str], sqlite_url: str
) -> None:
    reader = login("reader")
    name = reader.partition("//")[2].partition("@")[0]
    command = ["store", "teams", "--store", postgresql_url]
    with whole.db.write() as connection:
        connection.execute(text("DELETE FROM task_team WHERE task_id <> 'task-d'"))
    assert main([*command, "--on", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"divided": True, "filled": 3}, "tasks that an older Remit built"
    for team in ("pay", "-"):
        assert main([*command, "--grant", team, name]) == 0
    said = capsys.readouterr()
    assert "sees tasks of no team" in said.out and not said.err
    assert main([*command, "--grant", "pya", name]) == 0
    assert capsys.readouterr().err == "remit: no task is of pya so far; `remit store teams` lists the teams that have some\n"
    assert main([*command, "--revoke", "pya", name]) == 0
    capsys.readouterr()
    assert main(["store", "teams", "--store", reader]) == 0
    told = capsys.readouterr().out
    assert "pay: 2 tasks" in told and "no team: 1 task\n" in told and "ops" not in told
    assert f"you are {name} and see tasks of no team, tasks of pay" in told
    assert main(["tasks", "--store", reader, "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == {*PAY, "task-d"}
    assert main(["sources", "--store", reader]) == 2
    assert "sources are reconciled over the evidence of every team" in capsys.readouterr().err
    assert main([*command, "--revoke", "pay", name]) == 0
    assert main(["store", "teams", "--store", reader, "--off"]) == 2
    assert "takes the role administrator" in capsys.readouterr().err
    assert main([*command, "--grant", "pay", "nobody-here"]) == 2
    assert "there is no role" in capsys.readouterr().err
    assert main([*command, "--off"]) == 0
    with open_store(reader, create=False) as store:
        assert store.count_tasks() == 4 and store.sees() is None
    assert main(["store", "teams", "--store", sqlite_url, "--on"]) == 2
    assert "SQLite file" in capsys.readouterr().err
