"""Several people at one store: what one does the others see, in place, within a look; what a role may not do is shown as such."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from model.review import Verdict
from model.words import VerdictWord
from review.judge.live import Watch
from review.judge.verdicts import give_verdict, give_verdicts, withdraw_verdict
from review.show.listings import findings
from review.show.tasks import tasks
from review.sitting.desk import Desk
from review.state.seen import ChangedError
from review.workspace import open_workspace
from store import Store, open_store
from store.fast import FastQueue
from tests.store_fixtures import make_chain
from tests.tui_desk import KEY, current, dashboard, own_store, press, said, table, text_of, until
from tui.app import RemitApp


@pytest.fixture(autouse=True)
def own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", KEY)


def judge(store: Store, task: str, who: str, word: VerdictWord = VerdictWord.WITHIN, at: int = 7) -> Verdict:
    return store.add_verdict(Verdict(task, "task", word, "as asked", who, at))


def test_a_look_tells_who_did_what_and_nothing_twice(store: Store) -> None:
    store.save_chain(make_chain("task-1", records=["rec-1"]), [])
    watch = Watch(store, lambda: "me")
    assert watch.look() is None
    for _ in range(3):
        judge(store, "task-1", "kim")
    store.save_chain(make_chain("task-2", records=["rec-2"]), [])
    news = watch.look()
    assert news is not None and watch.look() is None
    assert news.concerns("task-1") and news.rebuilt("task-2") and not news.rebuilt("task-1")
    who = store.journal()[0].who
    assert news.said == (f"{who}: 3 × within-remit",)
    store.clear_derived()
    again = watch.look()
    assert again is not None and again.rebuilt("task-9"), "after a rebuild nothing is as it was read"


def test_ones_own_acts_are_no_news_to_tell(store: Store) -> None:
    store.save_chain(make_chain("task-1"), [])
    watch = Watch(store, lambda: store.journal()[0].who)
    judge(store, "task-1", "kim")
    news = watch.look()
    assert news is not None and not news.said and news.concerns("task-1")


def test_plain_reading_looks_as_the_whole_store_does(sqlite_url: str) -> None:
    with open_store(sqlite_url, create=False) as store:
        store.save_chain(make_chain("task-1"), [])
        judge(store, "task-1", "kim")
        with FastQueue(sqlite_url) as fast:
            assert fast.pulse() == store.pulse() != (0, 0, 0)
            assert fast.journal(0, 5) == store.journal(0, 5)
            assert fast.tasks_changed(0, 9) == store.tasks_changed(0, 9)
            assert "task-1" in fast.tasks_changed(0, 9)
            assert fast.tasks_by_id(["task-1", "x"]) == store.tasks_by_id(["task-1", "x"])


async def test_a_verdict_of_another_shows_in_its_row_and_moves_nothing(tmp_path: Path) -> None:
    path = own_store(tmp_path)
    async with dashboard(path) as (app, pilot):
        await until(pilot, lambda: app.desk._watch is not None, "the first look")
        await press(pilot, "j", "j")
        here, order = current(app)["id"], table(app).keys_here()
        other = order[0]
        with open_store(str(path), create=False) as store:
            judge(store, other, "kim")
        app.look()
        await until(pilot, lambda: table(app).row_at(0)["review"]["reviewer"] == "kim", "the row shows the verdict")
        assert current(app)["id"] == here and table(app).keys_here() == order
        await until(pilot, lambda: any("kim: within-remit" in word for word in said(app)), "who did it was told")
        assert "within" in text_of(app)
        await press(pilot, "g", "enter")
        with open_store(str(path), create=False) as store:
            judge(store, other, "lee", VerdictWord.OUTSIDE)
        app.look()
        await until(pilot, lambda: "outside-remit" in text_of(app).splitlines()[0], "the open task shows it too")


async def test_what_others_did_is_read_for_the_rows_near_the_screen_and_for_the_rest_when_scrolled_to(tmp_path: Path) -> None:
    path = own_store(tmp_path)
    async with dashboard(path, size=(80, 16)) as (app, pilot):
        await until(pilot, lambda: app.desk._watch is not None, "the first look")
        order = table(app).keys_here()
        last = len(order) - 1
        with open_store(str(path), create=False) as store:
            judge(store, order[0], "kim")
            judge(store, order[last], "kim")
        app.look()
        await until(pilot, lambda: table(app).row_at(0)["review"]["reviewer"] == "kim", "the row on the screen shows it")
        await press(pilot, "j")
        assert table(app).row_at(last)["review"]["reviewer"] != "kim", "nobody looks at it"
        await press(pilot, "G")
        assert current(app)["review"]["reviewer"] == "kim" and table(app).keys_here() == order


async def test_tasks_that_arrive_wait_until_they_are_asked_for(tmp_path: Path) -> None:
    path = own_store(tmp_path)
    async with dashboard(path) as (app, pilot):
        await until(pilot, lambda: app.desk._watch is not None, "the first look")
        order, shown = table(app).keys_here(), table(app).rows
        with open_store(str(path), create=False) as store:
            store.save_chain(make_chain("task-new", risk=100), [])
        app.look()
        await until(pilot, lambda: "1 new task — r shows them" in text_of(app), "the new task is counted")
        assert table(app).keys_here() == order
        await press(pilot, "r")
        assert table(app).rows == shown + 1 and "new task" not in text_of(app).splitlines()[0]


def as_login(url: str, login: str) -> str:
    return re.sub(r"//[^@/]*@", f"//{login}@", url)


async def test_what_a_role_may_not_do_is_shown_as_disabled_with_the_reason(postgresql_url: str, tmp_path: Path) -> None:
    with open_store(postgresql_url, create=False) as store, psycopg.connect(postgresql_url, autocommit=True) as connection:
        store.save_chain(make_chain("task-1", title="a task"), [])
        connection.execute("CREATE ROLE ann LOGIN")
        try:
            store.grant("reader", "ann")
            desk = Desk(as_login(postgresql_url, "ann"))
            assert "ann may not import in this store" in desk.refusal("import")
            app = RemitApp(desk, "queue")
            async with app.run_test(size=(120, 40)) as pilot:
                await until(pilot, lambda: "✗ verdict" in text_of(app), "the key is marked")
                await press(pilot, "question_mark")
                assert "✗ v " in text_of(app) and "that takes the role reviewer" in " ".join(text_of(app).split())
                await press(pilot, "escape", "v")
                assert type(app.screen).__name__ == "QueueScreen"
            desk.close()
        finally:
            with store.db.write() as writing:
                writing.execute(text('DROP OWNED BY "ann"'))
                writing.execute(text("DROP ROLE ann"))


def test_a_verdict_on_what_changed_since_it_was_read_says_so_first(tmp_path: Path) -> None:
    path = str(own_store(tmp_path))
    with open_workspace(path) as work, open_workspace(path) as other:
        task = tasks(work.store, sort="risk")[0]
        seen = {task["id"]: task["review"]["seen"]}
        give_verdict(other, task["id"], "outside-remit", "pushed to main")
        with pytest.raises(ChangedError, match="outside-remit"):
            give_verdicts(work, [task["id"]], "within-remit", "as asked", seen=seen)
        assert [one.verdict for one in work.store.verdicts()] == [VerdictWord.OUTSIDE], "nothing was written over"
        again = tasks(work.store, sort="risk")[0]["review"]["seen"]
        given = give_verdicts(work, [task["id"]], "within-remit", "asked for by lee", seen={task["id"]: again})
        withdraw_verdict(work, given[0]["seq"], "not mine to say")
        with pytest.raises(ChangedError):
            give_verdicts(other, [task["id"]], "escalate", "who asked?", seen={task["id"]: "0-"})
        give_verdicts(other, [task["id"]], "escalate", "who asked?", seen={task["id"]: again})
        finding = str(next(findings(work))["id"])
        with pytest.raises(ChangedError, match="finding"):
            give_verdicts(work, [finding], "false-positive", "known", seen={finding: "0-aaaaaaaaaaaa"})


def test_the_dashboard_tells_once_that_what_it_shows_is_old(tmp_path: Path) -> None:
    path = own_store(tmp_path)
    desk = Desk(str(path))
    id = str(desk.tasks("", "risk").page(0)[0]["id"])
    with open_store(str(path), create=False) as store:
        judge(store, id, "kim", VerdictWord.OUTSIDE)
    with pytest.raises(ChangedError, match="kim says outside-remit"):
        desk.judge(id, VerdictWord.WITHIN, "as asked")
    assert desk.judge(id, VerdictWord.WITHIN, "as asked")["verdict"] == "within-remit", "given knowingly"
    desk.close()


def test_a_verdict_is_given_on_the_state_its_dialog_opened_on(tmp_path: Path) -> None:
    """What the screens read on meanwhile is not what the reviewer read, at once as after an import that let it wait."""
    path = own_store(tmp_path)
    desk = Desk(str(path))
    first, second = (str(row["id"]) for row in desk.tasks("", "risk").page(0)[:2])
    seen = desk.read_state([first, second, "task-none"])
    assert set(seen) == {first, second}
    with open_store(str(path), create=False) as store:
        judge(store, first, "kim", VerdictWord.OUTSIDE)
    desk.tasks("", "risk").page(0)
    with pytest.raises(ChangedError, match="kim says outside-remit") as told:
        desk.judge_all([first, second], VerdictWord.WITHIN, "as asked", seen)
    came: list[tuple[str, bool]] = []
    for states in (seen, seen | told.value.now):
        done = threading.Event()
        desk.judge_later([first], VerdictWord.WITHIN, "as asked", states, lambda *what: (came.append(what), done.set()))  # noqa: B023
        assert done.wait(60)
    assert not came[0][1] and "kim says outside-remit" in came[0][0]
    assert came[1][1], "given knowingly"
    assert {row.verdict for row in desk.work.store.verdicts(first)} == {VerdictWord.OUTSIDE, VerdictWord.WITHIN}
    assert not desk.work.store.verdicts(second) and not desk.pending
    desk.close()
