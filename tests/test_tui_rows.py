"""Rows of the queue by page, as they are read before the database toolkit is there; and that every action has whoever does it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from review.sitting.desk import Desk
from review.sitting.queueing import PAGE
from store import open_store
from tests.store_fixtures import make_chain
from tests.tui_desk import sample_store
from tui.actions import ACTIONS
from tui.app import RemitApp
from tui.scopes import EVERYWHERE, TABLE
from tui.screens.help import help_text
from tui.screens.policy import PolicyScreen
from tui.screens.task import TaskScreen
from tui.widgets.virtual_table import VirtualTable


def test_first_rows_need_no_database_toolkit() -> None:
    code = (
        "import sys\n"
        "from review.sitting.desk import Desk\n"
        "from tui.app import RemitApp\n"
        "desk = Desk(sys.argv[1])\n"
        "assert len(desk.tasks('', 'risk').page(0)) > 3\n"
        "assert all(desk.risk_factors([desk.tasks('', 'risk').page(0)[0]['id']]).values())\n"
        "assert RemitApp(desk)\n"
        "sys.exit(any(name.split('.')[0] in ('sqlalchemy', 'sqlmodel', 'alembic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(sample_store())], check=False).returncode == 0


def test_the_fast_pages_are_the_slow_ones() -> None:
    desk = Desk(str(sample_store()))
    fast = [row["id"] for row in desk.tasks("", "risk").page(0)]
    assert fast == [row.id for row in desk.work.store.task_rows(None, "risk", 200)]
    told = desk.risk_factors([fast[0], "task-none"])
    assert told == {fast[0]: desk.work.store.task(fast[0]).risk_factors, "task-none": {}}
    desk.close()


@pytest.mark.parametrize("filter", ["", "agent:codex"])
def test_a_page_anywhere_is_one_question_and_the_same_page(tmp_path: Path, filter: str) -> None:
    many = 5 * PAGE + 7
    with open_store(f"sqlite:///{tmp_path}/many.db") as store:
        store.save_chains([(make_chain(f"task-{n:05}", agent="codex", risk=n % 7, started=n % 300), []) for n in range(many)])
    desk = Desk(str(tmp_path / "many.db"))
    walked = desk.tasks(filter, "risk")
    whole = [[row["id"] for row in walked.page(number)] for number in range(6)]
    assert [len(page) for page in whole] == [PAGE] * 5 + [7] and len({id for page in whole for id in page}) == many
    for counted in (False, True):
        for number in range(6):
            jumped = desk.tasks(filter, "risk")
            if counted:
                assert jumped.count() == many
            asked = [0]
            read = jumped._rows

            def rows(*given: Any, asked: list[int] = asked, read: Any = read, **more: Any) -> Any:
                asked[0] += 1
                return read(*given, **more)

            jumped._rows = rows  # type: ignore[method-assign]
            assert [row["id"] for row in jumped.page(number)] == whole[number]
            assert asked == [1]
    assert desk.tasks(filter, "risk").page(6) == []
    desk.close()


def test_every_action_is_done_by_a_screen_or_the_app() -> None:
    from tui.screens.credentials import CredentialsScreen
    from tui.screens.queue import QueueScreen
    from tui.screens.report import ReportScreen
    from tui.screens.sources import SourcesScreen

    screens = {s.SCOPE: s for s in (QueueScreen, TaskScreen, PolicyScreen, SourcesScreen, CredentialsScreen, ReportScreen)}
    owners = screens | {EVERYWHERE: RemitApp, TABLE: VirtualTable}
    for action in ACTIONS:
        owner = owners.get(action.scope)
        if owner is None:
            continue
        assert hasattr(owner, f"action_{action.method.removeprefix('action_')}"), action
        assert " ".join(action.help.split()) in " ".join(help_text(action.scope, 200).split())
