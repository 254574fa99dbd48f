"""What people leave behind: kept for good, chained in the journal, and weighed against the evidence as it changes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from model.chain import TaskChain
from model.event import Key, short_id
from model.review import ExceptionRecord, PolicyVersion, Promotion, Verdict
from model.words import KeyRole, VerdictWord
from store import Store, StoreError
from store.human import next_head
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
        (1, "lee", "verdict", 7),
        (2, "lee", "exception", 5),
        (3, "dana", "policy", 9),
        (4, "kim", "export", 11),
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
    column = {"policy_version": "name", "accepted_risk": "finding", "verdict": "subject", "journal": "who",
              "policy_in_force": "name"}[table]  # fmt: skip
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
    ],
)
def test_an_altered_journal_is_found_out(store: Store, change: str, seq: int) -> None:
    fill(store)
    with store.db.write() as connection:
        if store.db.sqlite:
            connection.execute(text("DROP TRIGGER journal_refuses_update"))
            connection.execute(text("DROP TRIGGER journal_refuses_delete"))
        else:
            connection.execute(text("ALTER TABLE journal DISABLE TRIGGER journal_append_only"))
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
