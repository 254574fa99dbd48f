"""What people leave behind: kept for good, chained in the journal, and weighed against the evidence as it changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from model.chain import TaskChain
from model.event import Key, short_id
from model.review import Assignment, Comment, ExceptionRecord, PolicyVersion, Promotion, Verdict
from model.words import KeyRole, VerdictWord
from store import Store, StoreError, open_store
from store.journals import check_chain, next_head
from store.tables import HUMAN
from tests.store_fixtures import make_chain, make_event, make_finding, make_record


def verdict(subject: str = "task-1", kind: str = "task", **fields: object) -> Verdict:
    made = Verdict(subject, kind, VerdictWord.OUTSIDE, "not what was asked", "lee", 7)
    return msgspec.structs.replace(made, **fields)


def policy(name: str) -> PolicyVersion:
    return PolicyVersion(name, 0, "remit", "d" * 64, "rules: []", "dana", "first", 9)


def test_verdicts_supersede_and_never_edit(store: Store) -> None:
    store.save_chain(make_chain("task-1", records=["rec-1"]), [])
    first = store.add_verdict(verdict())
    second = store.add_verdict(verdict(verdict=VerdictWord.WITHIN, reviewer="kim", at=8))
    other = store.add_verdict(verdict("find-1", "finding", task="task-1", evidence="e1"))
    assert [one.seq for one in (first, second, other)] == [1, 2, 3]
    assert first.evidence == store.task_evidence("task-1") and first.task == "task-1"
    assert store.verdicts() == [first, second, other] and store.verdicts("task-1") == [first, second]
    assert store.latest_verdicts(["task-1", "find-1", "x"]) == {"task-1": second, "find-1": other}
    row = store.task_row("task-1")
    assert row is not None
    assert (row.state, row.verdict, row.reviewer, row.reviewed_at) == ("reviewed", "within-remit", "kim", 8)


def test_changed_evidence_reopens_a_task(store: Store) -> None:
    def state(chain: TaskChain, *anchors: str) -> str:
        store.save_chain(chain, [make_finding("task-1", anchor) for anchor in anchors])
        row = store.task_row("task-1")
        assert row is not None
        return row.state

    chain = make_chain("task-1", records=["rec-1"])
    assert state(chain) == "open"
    store.add_verdict(verdict())
    assert state(chain) == "reviewed", "the same evidence, built again"
    assert state(make_chain("task-1", records=["rec-1", "rec-1"])) == "reviewed"
    assert state(chain, "a") == "reopened", "a finding appeared"
    assert state(make_chain("task-1", records=["rec-1", "rec-2"])) == "reopened", "a record came late"
    assert state(chain) == "reviewed"
    store.clear_derived()
    assert state(chain) == "reviewed", "a rebuild forgets no verdict"


def test_a_verdict_given_on_other_evidence_counts_as_reopened(store: Store) -> None:
    store.save_chain(make_chain("task-1", records=["rec-1"]), [])
    store.add_verdict(verdict(evidence="what the reviewer saw on the screen"))
    row = store.task_row("task-1")
    assert row is not None and row.state == "reopened"


def test_a_verdict_follows_its_task_into_a_merged_one(store: Store) -> None:
    trace, session = Key(KeyRole.SCOPE, "trace", "t"), Key(KeyRole.SCOPE, "session", "s")
    store.save_chain(make_chain("task-trace", scope="trace:t", records=["rec-1"]), [])
    given = store.add_verdict(verdict("task-trace"))
    store.add([make_record("both", events=[make_event(short_id("rec", "both"), keys=[trace, session])])])
    store.save_chain(make_chain("task-session", scope="session:s", records=["rec-1", "rec-2"]), [])
    store.delete_task("task-trace")
    row = store.task_row("task-session")
    assert row is not None and (row.state, row.verdict) == ("reopened", "outside-remit")
    assert store.verdicts("task-trace") == [given], "the verdict itself stays as it was given"
    store.add_verdict(verdict("task-session", verdict=VerdictWord.WITHIN))
    row = store.task_row("task-session")
    assert row is not None and (row.state, row.verdict) == ("reviewed", "within-remit")


def test_a_withdrawn_verdict_leaves_the_one_before_it(store: Store) -> None:
    def row() -> tuple[str, str, str]:
        found = store.task_row("task-1")
        assert found is not None
        return found.state, found.verdict, found.reviewer

    store.save_chain(make_chain("task-1", records=["rec-1"]), [])
    first = store.add_verdict(verdict())
    second = store.add_verdict(verdict(verdict=VerdictWord.WITHIN, reviewer="kim", at=8))
    gone = store.withdraw_verdict(second.seq, "wrong task", "kim", 9)
    assert (gone.withdraws, gone.seq, gone.verdict) == (second.seq, 3, VerdictWord.WITHIN)
    assert row() == ("reviewed", "outside-remit", "lee") and store.verdicts() == [first]
    assert store.verdicts(until=8) == [first, second] and store.verdict_rows() == [first, second, gone]
    assert store.latest_verdicts(["task-1"]) == {"task-1": first}
    store.save_chain(make_chain("task-1", records=["rec-1"]), [])
    assert row() == ("reviewed", "outside-remit", "lee"), "a build knows it as well"
    store.withdraw_verdict(first.seq, "that one too", "lee", 10)
    assert row() == ("open", "", "") and store.verify_journal().ok
    for seq, why in ((first.seq, "already"), (gone.seq, "no verdict"), (99, "no verdict")):
        with pytest.raises(StoreError, match=why):
            store.withdraw_verdict(seq, "again", "lee", 11)


def test_a_verdict_that_followed_its_task_is_withdrawn_there(store: Store) -> None:
    trace, session = Key(KeyRole.SCOPE, "trace", "t"), Key(KeyRole.SCOPE, "session", "s")
    store.save_chain(make_chain("task-trace", scope="trace:t", records=["rec-1"]), [])
    given = store.add_verdict(verdict("task-trace"))
    store.add([make_record("both", events=[make_event(short_id("rec", "both"), keys=[trace, session])])])
    store.save_chain(make_chain("task-session", scope="session:s", records=["rec-1", "rec-2"]), [])
    store.delete_task("task-trace")
    store.withdraw_verdict(given.seq, "not this", "lee", 8)
    row = store.task_row("task-session")
    assert row is not None and row.state == "open"


def test_what_is_said_without_judging_is_kept_by_kind(store: Store) -> None:
    said = [store.add_statement(Comment(on, kind, "task-1", text, "lee", 5)) for on, kind, text in
            (("task-1", "task", "first"), ("step-1", "step", "second"))]  # fmt: skip
    for to in ("kim", "dana", ""):
        store.add_statement(Assignment("task-2", to, "lee", 6))
    taken = store.add_statement(Assignment("task-3", "kim", "lee", 7))
    assert store.statements(Comment) == said == store.statements(Comment, task="task-1")
    assert store.statements(Comment, "step-1") == said[1:] and store.statements(Assignment, "task-3") == [taken]
    assert store.assignees() == {"task-3": "kim"} == store.assignees(["task-2", "task-3"])
    assert store.comment_counts() == {"task-1": 2} and store.comment_counts(["task-2"]) == {}
    assert [entry.what for entry in store.journal()] == ["comment"] * 2 + ["assignment"] * 4 and store.verify_journal().ok


def test_the_head_as_of_a_time_is_that_of_the_last_entry_made_by_then(store: Store) -> None:
    assert store.journal_head() is None
    store.journal_append("lee", "note", {}, at=10)
    store.journal_append("lee", "note", {}, at=20)
    one, two = store.journal()
    assert [store.journal_head(at) for at in (9, 10, 19, 20, None)] == [None, one, one, two, two]


def test_postgresql_says_itself_who_judges(postgresql_url: str) -> None:
    with open_store(postgresql_url) as store:
        given = store.add_verdict(verdict(reviewer="somebody else"))
        assert given.by == store.identity() == "postgres" and given.reviewer == "somebody else"
        forged = "INSERT INTO verdict (seq, subject, kind, task_id, anchor, body, actor) VALUES (9, '', '', '', '', '', 'kim')"
        with pytest.raises(StoreError, match="names the role"), store.db.write() as connection:
            connection.execute(text(forged))


def test_exceptions_and_policies_are_numbered(store: Store) -> None:
    made = ExceptionRecord("find-1", "dana", "PAY-1", 99, "known", "lee", 5)
    kept = [store.add_exception(made), store.add_exception(msgspec.structs.replace(made, finding="find-2"))]
    assert [one.seq for one in kept] == [1, 2] and store.exceptions() == kept and store.exceptions("find-2") == kept[1:]
    versions = [store.save_policy(policy(name)) for name in ("prod", "dev", "prod")]
    assert [(one.name, one.version) for one in versions] == [("prod", 1), ("dev", 1), ("prod", 2)]
    assert store.policies() == [versions[1], versions[0], versions[2]] and store.policies("prod") == [versions[0], versions[2]]


def fill(store: Store) -> None:
    store.add_verdict(verdict())
    store.add_exception(ExceptionRecord("find-1", "dana", "PAY-1", 99, "known", "lee", 5))
    store.save_policy(policy("prod"))
    store.journal_append("kim", "export", {"out": "pack", "tasks": [1, 2]}, at=11)


def test_everything_people_do_is_in_the_journal_and_chained(store: Store) -> None:
    fill(store)
    entries = store.journal()
    assert [(e.seq, e.who, e.what, e.at) for e in entries] == [
        (1, store.verdicts()[0].identity, "verdict", 7),
        (2, store.identity() or "lee", "exception", 5),
        (3, store.identity() or "dana", "policy", 9),
        (4, store.identity() or "kim", "export", 11),
    ]
    head = ""
    for entry in entries:
        head = next_head(head, entry.body)
        assert entry.head == head
    assert '"reason":"not what was asked"' in entries[0].body and '"data":{"out":"pack","tasks":[1,2]}' in entries[3].body
    check = store.verify_journal()
    assert (check.ok, check.entries, check.head) == (True, 4, head)
    assert store.journal(2) == entries[2:] and store.journal(1, 1) == entries[1:2]
    assert store.journal_append("kim", "note", {}) == store.journal(4)[0].head and store.journal(4)[0].at > 0


@pytest.mark.parametrize("table", HUMAN)
def test_the_database_refuses_to_change_what_people_said(store: Store, table: str) -> None:
    fill(store)
    store.put_in_force(Promotion("prod", 1, "promote", "it held up", "dana", 9))
    store.add_statement(Comment("task-1", "task", "task-1", "look at step 3", "lee", 9))
    store.journal_append("lee", "open", {"task": "task-1"}, journal="access")
    column = {"policy_version": "name", "accepted_risk": "finding", "verdict": "subject", "journal": "who",
              "policy_in_force": "name", "statement": "subject", "access_journal": "who"}[table]  # fmt: skip
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(StoreError, match=f"{table} is append-only"), store.db.write() as connection:
            connection.execute(text(statement))
    assert store.verify_journal().ok and len(store.verdicts()) == len(store.exceptions()) == len(store.policies()) == 1


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE journal SET body = replace(body, 'PAY-1', 'PAY-2') WHERE seq = 2", 2),
        ("UPDATE journal SET who = 'someone else' WHERE seq = 3", 3),
        ("UPDATE journal SET head = 'abc' WHERE seq = 1", 1),
        ("DELETE FROM journal WHERE seq = 2", 3),
        ("UPDATE journal SET body = 'no json' WHERE seq = 4", 4),
        ("DELETE FROM journal WHERE seq > 2", 0),
        ("UPDATE verdict SET body = (SELECT body FROM policy_version)", 1),
        ("DELETE FROM policy_version", 3),
    ],
)
def test_an_altered_journal_is_found_out(store: Store, change: str, seq: int) -> None:
    fill(store)
    with store.db.write() as connection:
        for table in ("journal", "verdict", "policy_version"):
            if store.db.sqlite:
                connection.execute(text(f"DROP TRIGGER {table}_refuses_update"))
                connection.execute(text(f"DROP TRIGGER {table}_refuses_delete"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER {table}_append_only"))
        connection.execute(text(change))
    check = store.verify_journal()
    assert not check.ok and check.seq == seq and check.problem
    assert any("journal is altered" in sentence for sentence in store.check())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30), st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_words_can_be_written_down(store: Store, who: str, reason: str) -> None:
    store.add_verdict(verdict("find-1", "finding", reviewer=who, reason=reason))
    assert store.verdicts()[-1].reason == reason
    assert store.verify_journal().ok


def test_text_that_is_no_text_is_mended(store: Store) -> None:
    store.add_verdict(verdict(reason="\ud800 and \x00", subject="\x00", kind="step"))
    store.add_exception(ExceptionRecord("\ud800", "\x00", "", 2**70, "", "", -5))
    store.journal_append("\ud800", "\x00", {"a\ud800": ["\ud800", 2**70]}, at=2**80)
    assert store.verify_journal().ok and len(store.journal()) == 3 and len(store.verdicts()) == 1


def test_a_chain_with_any_byte_changed_is_found_out(sqlite_url: str) -> None:
    with open_store(sqlite_url) as store:
        fill(store)
        good = store.journal()
    assert check_chain(iter(good)).ok
    for place, entry in enumerate(good):
        for name in ("who", "what", "body", "head"):
            held = getattr(entry, name)
            for at, char in enumerate(held):
                changed = f"{held[:at]}{chr(ord(char) ^ 1)}{held[at + 1 :]}"
                bad = [*good[:place], msgspec.structs.replace(entry, **{name: changed}), *good[place + 1 :]]
                found = check_chain(iter(bad))
                assert not found.ok and found.seq in (entry.seq, entry.seq + 1), (name, at)
        for name in ("seq", "at"):
            bad = [*good[:place], msgspec.structs.replace(entry, **{name: getattr(entry, name) + 1}), *good[place + 1 :]]
            assert not check_chain(iter(bad)).ok
        swapped = [*good[:place], *good[place + 1 : place + 2], entry, *good[place + 2 :]]
        assert place == len(good) - 1 or not check_chain(iter(swapped)).ok


def test_many_writers_keep_both_chains_whole(store_url: str) -> None:
    def sit(who: str) -> None:
        with open_store(store_url, create=False) as store:
            for n in range(5):
                store.add_verdict(verdict(f"task-{n}", reviewer=who))
                store.journal_append(who, "open", {"task": f"task-{n}"}, journal="access")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sit, ("lee", "kim", "dana", "sam")))
    with open_store(store_url, create=False) as store:
        for journal in ("review", "access"):
            check = store.verify_journal(journal)
            assert check.ok and check.entries == 20, journal
        given = [(one.reviewer, one.subject) for one in store.verdicts()]
        assert sorted(given) == sorted((who, f"task-{n}") for who in ("lee", "kim", "dana", "sam") for n in range(5))
