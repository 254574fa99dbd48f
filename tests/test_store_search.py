"""Search: the same words give the same steps on both databases, whole words in the middle, beginnings at the end."""

from __future__ import annotations

import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model.chain import Intent, Item
from model.event import Decision
from model.words import Effect, Phase, Vantage
from store import Store, TaskFilter
from store.rows import TaskRow, page_key
from store.searching import is_common, matching
from store.text import phrases, words
from tests.store_fixtures import empty, make_chain, make_step


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("git push --force origin/main", ["git", "push", "force", "origin", "main"]),
        ("deployKey DEPLOY_KEY2", ["deploy", "key", "deploy", "key2"]),
        ("Straße ÉCOLE", ["straße", "école"]),
        ("読取り専用", ["読", "取", "り", "専", "用"]),
        ("…---", []),
        ("x" * 100, ["x" * 40]),
    ],
)
def test_text_is_cut_into_words(text: str, tokens: list[str]) -> None:
    assert words(text) == tokens


def test_long_texts_keep_their_first_words() -> None:
    assert len(words("word " * 100_000)) == 2_000
    assert phrases(["acme/pay", "deploy"]) == [["acme", "pay"], ["deploy"]]


def test_steps_are_found_by_titles_commands_targets_and_reasons(store: Store) -> None:
    push = make_step("task-1", 0, title="Push the fix", command="cd x && git push -f origin main")
    decision = Item(
        "d", "r", Phase.VERDICT, Vantage.ENFORCER, "opa", decision=Decision(Effect.DENY, "no-force", "history is protected")
    )
    push.decisions = (decision,)
    read = make_step("task-2", 0, title="Read README.md")
    quiet = make_chain("task-1", [push], risk=10, title="Repair the build")
    quiet.intents = [Intent("i", "r", Phase.PROMPT, "please repair what is broken")]
    store.save_chains([(quiet, []), (make_chain("task-2", [read], risk=90, title="Documentation"), [])])

    def found(query: str) -> list[tuple[str, str]]:
        return [(hit.task, hit.step) for hit in store.search(query)]

    for query in ("push", "PUSH fix", "git push", "no-force", "protected", "history prot", "origin main push"):
        assert found(query) == [("task-1", push.id)], query
    for query in ("readme", "README.md", "read readme.md"):
        assert found(query) == [("task-2", read.id)], query
    assert found("acme/payments") == [("task-2", read.id), ("task-1", push.id)], "the riskier task first"
    assert found("broken") == [("task-1", "")] == found("repair build")
    assert found("ush") == found("main/origin") == found("force push absent") == found("") == found("!!") == []
    assert store.search("protected")[0].snippet.endswith("history is protected")
    assert len(store.search("payments", limit=1)) == 1


def test_a_common_word_gives_the_riskiest_tasks_as_a_rare_one_does(store: Store) -> None:
    """Words that most documents hold are answered by a walk along the queue instead of a sort of all hits."""
    chains = [
        make_chain(
            f"task-{n:03}",
            [make_step(f"task-{n:03}", 0, title=f"common thing w{n % 4}")],
            title="common thing",
            risk=n % 7,
            started=n,
        )
        for n in range(500)
    ]
    store.save_chains([(chain, []) for chain in chains])
    asked = ((("common",), chains), (("common", "w3"), chains[3::4]), (("comm",), chains), (("common thing",), chains))
    for pieces, wanted in asked:
        with store.db.read() as connection:
            hits = matching(store.db, connection, pieces)
            assert hits is not None
            common = is_common(store.db, connection, hits)
        # PostgreSQL finds out by itself how common one word is.
        assert common is (len(wanted) == 500 and (store.db.sqlite or " " in pieces[0]))
        ranked = [chain.task.id for chain in sorted(wanted, key=lambda chain: (-chain.task.risk, -(chain.task.started or 0)))]
        assert [row.id for row in store.task_rows(TaskFilter(phrases=pieces), limit=30)] == ranked[:30]
        assert store.count_tasks(TaskFilter(phrases=pieces)) == len(wanted)
        there = store.task_rows(TaskFilter(phrases=pieces), limit=60, after=page_key(_row(store, ranked[9]), "risk"))
        assert [row.id for row in there] == ranked[10:70]
        back = store.task_rows(TaskFilter(phrases=pieces), limit=60, after=page_key(there[-1], "risk"), backwards=True)
        assert [row.id for row in back] == ranked[9:69][::-1]
        far = store.task_rows(TaskFilter(phrases=pieces), limit=20, skip=101)
        assert [row.id for row in far] == ranked[101:121]
        found = store.search(" ".join(pieces), 31)
        assert list(dict.fromkeys(hit.task for hit in found)) == ranked[: 16 if len(wanted) == 500 else 31]
        assert len(found) == 31


def _row(store: Store, id: str) -> TaskRow:
    row = store.task(id)
    assert row is not None
    return row


ALPHABET = string.ascii_letters + "  /-_.'\"*:()&|!\\é漢"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(ALPHABET, max_size=25), min_size=1, max_size=6), st.text(ALPHABET, max_size=10), st.data())
def test_a_search_finds_what_holds_every_phrase(store: Store, titles: list[str], noise: str, data: st.DataObject) -> None:
    empty(store)
    steps = [make_step("task-1", n, title=title or "untitled") for n, title in enumerate(titles)]
    for step in steps:
        step.target = type(step.target)()
        step.tool = ""
    store.save_chain(make_chain("task-1", steps), [])
    title = data.draw(st.sampled_from(titles))
    query = data.draw(st.sampled_from([title, title[: len(title) // 2], noise]))
    wanted = phrases(query.split())
    expected = {
        step.id
        for step in steps
        if wanted and all(_occurs(phrase, words(f"{step.title}\n{step.verb.value}")) for phrase in wanted)
    }
    assert {hit.step for hit in store.search(query)} == expected


def _occurs(phrase: list[str], tokens: list[str]) -> bool:
    *whole, last = phrase
    return any(
        tokens[start : start + len(whole)] == whole and tokens[start + len(whole)].startswith(last)
        for start in range(len(tokens) - len(whole))
    )
