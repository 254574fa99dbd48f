"""One builder at a time, and none that is waited for when it is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

from sqlalchemy import make_url

from store import Store, open_store

HOLDING = """
import sys, time
from store import open_store
with open_store(sys.argv[1]) as store, store.building_alone():
    print("held", flush=True)
    time.sleep(600)
"""


def test_who_comes_second_waits_until_the_first_has_built(store_url: str) -> None:
    order: list[str] = []
    waits, ended = Event(), Event()

    def second() -> None:
        with open_store(store_url) as other, other.building_alone(waits.set):
            order.append("second")
        ended.set()

    with open_store(store_url) as store:
        with store.building_alone():
            thread = Thread(target=second)
            thread.start()
            assert waits.wait(60)
            order.append("first")
        assert ended.wait(60)
        thread.join()
        with store.building_alone(lambda: order.append("nobody else builds, and it waits")):
            pass
    assert order == ["first", "second"]


def test_a_builder_that_is_killed_is_not_waited_for(store_url: str, store: Store) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDING, store_url], stdout=subprocess.PIPE, text=True)
    waits, ended = Event(), Event()

    def second() -> None:
        with store.building_alone(waits.set):
            ended.set()

    try:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        thread = Thread(target=second)
        thread.start()
        assert waits.wait(60) and not ended.is_set()
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert ended.wait(60)
    thread.join()


def test_nothing_is_left_beside_the_file(sqlite_url: str) -> None:
    path = Path(str(make_url(sqlite_url).database)) if "://" in sqlite_url else Path(sqlite_url)
    with open_store(sqlite_url) as store:
        before = set(path.parent.iterdir())
        with store.building_alone():
            assert Path(f"{path}-building").exists()
        assert set(path.parent.iterdir()) == before


def test_where_no_file_can_be_locked_it_builds_all_the_same(sqlite_url: str) -> None:
    path = Path(str(make_url(sqlite_url).database)) if "://" in sqlite_url else Path(sqlite_url)
    Path(f"{path}-building").mkdir()
    with open_store(sqlite_url) as store, store.building_alone():
        pass
