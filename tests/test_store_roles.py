"""Roles of a team's store, held against a real PostgreSQL: what a role may not do the database refuses, in one sentence."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from cli.main import main
from model.evidence import SourceFile
from model.review import Assignment, Comment, ExceptionRecord, PolicyVersion, Promotion, Verdict
from model.words import VerdictWord
from store import Refused, Store, StoreError, open_store
from store.duties import APPENDS, DUTIES, ROLES, Role
from store.journals import next_head
from store.roles import become_owner, renew
from store.schema import VERSION_TABLE
from store.tables import HUMAN, METADATA
from tests.store_fixtures import make_chain, make_record

Act = Callable[[Store], object]


def judge(store: Store) -> object:
    """All that a reviewer leaves behind."""
    me = store.identity()
    mistaken = store.add_verdict(Verdict("task-1", "task", VerdictWord.ESCALATE, "a slip", me, 6))
    store.withdraw_verdict(mistaken.seq, "was a slip", me, 7)
    store.add_statement(Assignment("task-1", me, me, 7))
    store.add_statement(Comment("task-1", "task", "task-1", "see ticket 7", me, 7))
    store.add_exception(ExceptionRecord("find-1", me, "PAY-7", 9, "known", me, 7))
    return store.add_verdict(Verdict("task-1", "task", VerdictWord.WITHIN, "as asked", me, 8))


def save(store: Store) -> object:
    me = store.identity()
    kept = store.save_policy(PolicyVersion(f"p-{uuid.uuid4()}", 0, "remit", "d" * 64, "rules: []", me, "first", 9))
    return store.put_in_force(Promotion(kept.name, kept.version, "promote", "tested", me, 9))


def take_in(store: Store) -> object:
    store.begin_source(SourceFile("src-1", "remit-events", "a.jsonl", "", 0, "a.jsonl", store.identity(), 1, ""))
    store.add([make_record(f"r-{uuid.uuid4()}")])
    return store.save_chain(make_chain("task-1", records=["rec-1"]), [])


def look(store: Store) -> object:
    store.journal_append("whoever", "open", {"task": "task-1"}, journal="access")
    return store.task_rows(), store.journal(), store.verdicts()


ACTS: dict[str, Act] = {"read": look, "review": judge, "author": save, "import": take_in}
MAY: dict[Role | None, set[str]] = {
    None: set(),
    "reader": {"read"},
    "reviewer": {"read", "review"},
    "author": {"read", "author"},
    "importer": {"read", "import"},
    "administrator": {"read", "review", "author", "import"},
}


@pytest.fixture
def team(postgresql_url: str) -> Iterator[Callable[[Role | None], str]]:
    """Makes a login with a role of its own, or none, in a store with one task; the URL it connects by."""
    logins: list[str] = []
    with open_store(postgresql_url, create=False) as store:
        take_in(store)

        def made(role: Role | None) -> str:
            login = f"dana {role} {uuid.uuid4().hex[:6]}"
            logins.append(login)
            with psycopg.connect(postgresql_url, autocommit=True) as connection:
                connection.execute(f'CREATE ROLE "{login}" LOGIN'.encode())
            if role is not None:
                store.grant(role, login)
            return re.sub(r"//[^@/]*@", f"//{login.replace(' ', '%20')}@", postgresql_url)

        yield made
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        for login in logins:
            connection.execute(f'DROP OWNED BY "{login}"'.encode())
            connection.execute(f'DROP ROLE "{login}"'.encode())


def test_each_role_does_its_own_and_no_more(team: Callable[[Role | None], str], postgresql_url: str) -> None:
    for role, allowed in MAY.items():
        url = team(role)
        if role is None:
            with pytest.raises(Refused, match="takes the role reader"):
                open_store(url, create=False)
            continue
        with open_store(url, create=False) as store:
            assert store.may() == allowed - {"read"}, role
            for name, act in ACTS.items():
                if name in allowed:
                    act(store)
                    continue
                with pytest.raises(Refused) as refused:
                    act(store)
                said = str(refused.value)
                assert store.identity() in said and f"takes the role {DUTIES[name][0]}" in said, said  # type: ignore[index]
                assert "\n" not in said and "Traceback" not in said
    with open_store(postgresql_url, create=False) as store:
        assert store.verify_journal().ok and len(store.verdicts()) == 2, "what was refused left nothing behind"
        assert {role for _, role in store.members()} == set(ROLES)


def test_an_importer_opens_the_partition_of_a_new_month(team: Callable[[Role | None], str], postgresql_url: str) -> None:
    url = team("importer")
    with open_store(postgresql_url, create=False) as owner, owner.db.write() as connection:
        parts = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'block'::regclass"
        (held,) = connection.execute(text(parts)).scalars()
        connection.execute(text(f"ALTER TABLE {held} RENAME TO block_before"))
    with open_store(url, create=False) as store:
        take_in(store)
        with store.db.read() as connection:
            assert set(connection.execute(text(parts)).scalars()) == {held, "block_before"}
        with pytest.raises(StoreError), store.db.write() as connection:
            connection.execute(text("ALTER TABLE block DETACH PARTITION block_before"))


def test_an_administrator_alone_lets_raw_records_go(team: Callable[[Role | None], str], postgresql_url: str) -> None:
    importer = team("importer")
    for url in (team("reader"), importer):
        with open_store(url, create=False) as store:
            with pytest.raises(Refused, match=r"may not write dropped_block .*takes the role administrator"):
                store.retain(2**53, [], [], "whoever", {})
            for statement in ("DELETE FROM block", "UPDATE block SET data = data"):
                with pytest.raises(Refused), store.db.write() as connection:
                    connection.execute(text(statement))
    with open_store(postgresql_url, create=False) as owner:
        with owner.db.write() as connection:
            group = connection.execute(text("SELECT quote_ident('remit_importer_' || current_database())")).scalar_one()
            connection.execute(text(f"GRANT DELETE ON block TO {group}"))
        team("reader")
        with owner.db.read() as connection:
            held = text("SELECT has_table_privilege(:group, 'block', 'DELETE')")
            assert not connection.execute(held, {"group": group.strip('"')}).scalar_one(), "as an older Remit had arranged it"
    with open_store(team("administrator"), create=False) as store:
        assert store.retain(2**53, [], [], "whoever", {}).blocks == 1
        assert store.journal()[-1].what == "retain" and store.dropped().blocks == 1


GIVEN = {
    "remit_found(tsquery)": "'a'::tsquery",
    "remit_last(text)": "'journal'",
    "remit_takes_back(bigint,text,text,text)": "1, '', '', ''",
}


def test_what_runs_as_the_owner_is_called_by_roles_alone(team: Callable[[Role | None], str], postgresql_url: str) -> None:
    """PostgreSQL lets every login of the server call a new function; these would tell it of the store or change it."""
    calls = text(
        "SELECT oid::regprocedure::text, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND prosecdef AND prorettype <> 'trigger'::regtype ORDER BY 1"
    )
    with open_store(postgresql_url, create=False) as store, store.db.read() as connection:
        before = [(str(name), bool(open_to_all)) for name, open_to_all in connection.execute(calls)]
    assert len(before) >= 6 and all(open_to_all for _, open_to_all in before), (
        "until somebody has a role, there is the owner alone"
    )
    stranger, reader, importer = team(None), team("reader"), team("importer")
    refused: dict[str, set[str]] = {}
    for url in (stranger, reader, importer):
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            refused[url] = set()
            for name, _ in before:
                given = GIVEN.get(name, "")
                try:
                    connection.execute(f"SELECT {name.partition('(')[0]}({given})".encode())
                except psycopg.errors.InsufficientPrivilege:
                    refused[url].add(name)
    assert refused[stranger] == {name for name, _ in before}
    judging = {"remit_takes_back(bigint,text,text,text)"}
    assert refused[reader] == {"remit_open_blocks()", "remit_drop_blocks()"} | judging
    assert refused[importer] == {"remit_drop_blocks()"} | judging


def test_nobody_changes_what_people_left_not_even_an_administrator(team: Callable[[Role | None], str]) -> None:
    for role in ("reviewer", "importer", "administrator"):
        with open_store(team(role), create=False) as store:
            for table in HUMAN:
                for statement in (
                    f"UPDATE {table} SET body = body",
                    f"DELETE FROM {table}",
                    f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                ):
                    with pytest.raises(StoreError), store.db.write() as connection:
                        connection.execute(text(statement))
            with pytest.raises(Refused), store.db.write() as connection:
                connection.execute(text("UPDATE meta SET value = ''") if role == "reviewer" else text("DROP TABLE task"))
            if role == "reviewer":
                with pytest.raises(Refused), store.db.write() as connection:
                    connection.execute(text("UPDATE task SET risk = 0"))


def test_a_journal_that_forks_is_refused_by_the_database(team: Callable[[Role | None], str]) -> None:
    with open_store(team("reviewer"), create=False) as store:
        judge(store)
        entry = store.journal()[-1]
        forged = text("INSERT INTO journal (seq, at, who, what, body, head) VALUES (:seq, 1, 'x', 'verdict', '{}', :head)")
        rightful = next_head(entry.head, "{}")
        wrong = [
            (1, "0" * 64, "does not follow"),
            (0, entry.head, "does not follow"),
            (2, rightful, "does not follow"),
            (1, rightful, "names the role"),
        ]
        for further, head, said in wrong:
            with pytest.raises(StoreError, match=said), store.db.write() as connection:
                connection.execute(forged, {"seq": entry.seq + further, "head": head})
        judge(store)
        assert store.verify_journal().ok


def test_an_administrator_grants_and_migrates_but_owns_nothing(team: Callable[[Role | None], str]) -> None:
    plain = team(None)
    login = plain.partition("//")[2].partition("@")[0].replace("%20", " ")
    with open_store(team("administrator"), create=False) as store:
        store.grant("reviewer", login)
        assert (login, "reviewer") in store.members()
        with open_store(plain, create=False) as other:
            judge(other)
        store.grant("reviewer", login, revoke=True)
        with pytest.raises(Refused):
            open_store(plain, create=False)
        with store.db.read() as connection:
            owners = set(
                connection.execute(
                    text("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relname = ANY(:names)"),
                    {"names": [*METADATA.tables, VERSION_TABLE]},
                ).scalars()
            )
            can_log_in = connection.execute(
                text("SELECT rolcanlogin FROM pg_roles WHERE rolname = ANY(:names)"), {"names": list(owners)}
            ).scalars()
            assert len(owners) == 1 and not any(can_log_in)
    with open_store(team("reviewer"), create=False) as store, pytest.raises(Refused):
        store.grant("administrator", login)


def test_a_schema_is_changed_by_an_administrator_alone_and_what_is_new_belongs_to_the_owner(
    team: Callable[[Role | None], str],
) -> None:
    def change(store: Store) -> None:
        with store.db.write() as connection:
            become_owner(connection)
            connection.execute(text("ALTER TABLE task ADD COLUMN later text"))
            connection.execute(text("CREATE TABLE later (body text)"))
            renew(connection)

    with open_store(team("reviewer"), create=False) as store, pytest.raises(Refused, match="role administrator"):
        change(store)
    with open_store(team("administrator"), create=False) as store:
        change(store)
        with store.db.read() as connection:
            owner = connection.execute(text("SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'later'"))
            assert str(owner.scalar_one()).startswith("remit_owner_")


def test_the_command_line_grants_lists_prints_and_refuses_in_one_sentence(
    team: Callable[[Role | None], str], postgresql_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    url = team("reviewer")
    login = url.partition("//")[2].partition("@")[0].replace("%20", " ")
    roles = ["store", "roles", "--store", postgresql_url]
    assert main([*roles, "--grant", "author", login]) == 0
    assert main(roles) == 0
    said = capsys.readouterr().out
    assert f"{login}: reviewer" in said and f"{login}: author" in said and "may read, review, author, import" in said
    assert main([*roles, "--revoke", "author", login, "--print"]) == 0
    assert capsys.readouterr().out.startswith('REVOKE "remit_author_')
    assert main([*roles, "--json"]) == 0
    assert {"login": login, "role": "author"} in json.loads(capsys.readouterr().out)["members"], "printing changes nothing"
    assert main([*roles, "--grant", "owner", login]) == 2 and "the roles are reader" in capsys.readouterr().err
    log = tmp_path / "a.jsonl"
    log.write_text('{"remit_event": 1, "type": "action/call", "time": "2026-06-01T10:00:00Z", "session": "s", "verb": "exec"}\n')
    for command in (["import", str(log), "--store", url], ["store", "roles", "--store", url, "--grant", "importer", login]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "takes the role" in told and "Traceback" not in told, told


def test_a_file_and_an_unknown_login_have_no_roles(sqlite_url: str, postgresql_url: str) -> None:
    with open_store(sqlite_url, create=False) as store:
        assert store.may() == set(DUTIES) and not store.identity()
        with pytest.raises(StoreError, match="SQLite file, which knows no roles"):
            store.members()
    with open_store(postgresql_url, create=False) as store, pytest.raises(StoreError, match="there is no role 'nobody-here'"):
        store.grant("reader", "nobody-here")


def test_every_table_that_people_write_has_its_roles() -> None:
    assert set(HUMAN) <= set(APPENDS), "say in store.duties who adds to a new table of what people leave behind"
