"""The walk a reviewer makes: from the queue into a chain, to its evidence, to a verdict; and a policy edit beside its dry-run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from review.building import build
from review.desk import Desk
from review.importing import import_logs
from review.queueing import PAGE
from review.workspace import open_workspace
from samplegen import generate
from store import open_store
from tests.store_fixtures import make_chain
from tui.actions import ACTIONS
from tui.app import RemitApp
from tui.keysheet import sheet
from tui.scopes import EVERYWHERE, TABLE
from tui.screens.help import help_text
from tui.screens.policy import PolicyScreen
from tui.screens.task import TaskScreen
from tui.widgets.policy_editor import PolicyEditor
from tui.widgets.virtual_table import VirtualTable

NOT_LOGS = ("truth.json", "README.md", "draft-no-prod-secrets.yaml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small store with its organisation file and policy beside it."""
    place = tmp_path_factory.mktemp("desk")
    logs = place / "logs"
    generate(logs, 8)
    for name in NOT_LOGS:
        (logs / name).unlink()
    for name in ("org.yaml", "policy.yaml"):
        (logs / name).rename(place / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIT_PSEUDONYM_KEY", "5a" * 32)
        with open_workspace(str(place / "remit.db"), create=True) as work:
            import_logs(work, [str(logs)])
            build(work)
        yield place


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app run until something holds."""
    for _ in range(400):
        await pilot.pause(0.01)
        if condition():
            return
    raise AssertionError("it never came to that")


def table(app: RemitApp) -> VirtualTable:
    return app.screen.query(VirtualTable).first()


async def test_from_the_queue_to_a_verdict(folder: Path) -> None:
    desk = Desk(str(folder / "remit.db"))
    app = RemitApp(desk, "queue")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: table(app).rows > 3 and table(app).current is not None)
        chosen = table(app).current["id"]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen) and table(app).rows > 0)
        await pilot.press("v")
        await until(pilot, lambda: bool(app.screen.query(Input)))
        await pilot.press("e")
        await pilot.press(*"look here", "enter")
        await until(pilot, lambda: isinstance(app.screen, TaskScreen))
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, TaskScreen))
    given = desk.work.store.verdicts()
    desk.close()
    assert [(v.subject, v.verdict.value, v.reason) for v in given] == [(chosen, "escalate", "look here")]


async def test_a_filter_narrows_while_typed_and_escape_clears_it(folder: Path) -> None:
    desk = Desk(str(folder / "remit.db"))
    app = RemitApp(desk, "queue")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: table(app).rows > 3)
        whole = table(app).rows
        await pilot.press("slash", *"agent:codex")
        await until(pilot, lambda: 0 < table(app).rows < whole)
        await pilot.press("escape")
        await until(pilot, lambda: table(app).rows == whole)
    desk.close()


async def test_typing_into_the_policy_edits_it_and_replays(folder: Path) -> None:
    desk = Desk(str(folder / "remit.db"))
    app = RemitApp(desk, "queue")
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: table(app).rows > 3)
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, PolicyScreen) and "rules" in app.screen.query_one(PolicyEditor).text)
        editor = app.screen.query_one(PolicyEditor)
        editor.load_text("")
        await pilot.press("i")
        typed = "version: 1\ndefault: deny\nrules: []\n# q h 1 ? : /"
        for letter in typed:
            await pilot.press("enter" if letter == "\n" else letter)
        assert editor.text == typed
        await until(pilot, lambda: table(app).rows > 0)
    desk.close()


def test_first_rows_need_no_database_toolkit(folder: Path) -> None:
    code = (
        "import sys\n"
        "from review.desk import Desk\n"
        "from tui.app import RemitApp\n"
        "desk = Desk(sys.argv[1])\n"
        "assert len(desk.tasks('', 'risk').page(0)) > 3\n"
        "assert all(desk.risk_factors([desk.tasks('', 'risk').page(0)[0]['id']]).values())\n"
        "assert RemitApp(desk)\n"
        "sys.exit(any(name.split('.')[0] in ('sqlalchemy', 'sqlmodel', 'alembic') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code, str(folder / "remit.db")], check=False).returncode == 0


def test_the_fast_pages_are_the_slow_ones(folder: Path) -> None:
    desk = Desk(str(folder / "remit.db"))
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


def test_the_key_sheet_is_up_to_date() -> None:
    assert (Path(__file__).parent.parent / "docs" / "keys.md").read_text("utf-8") == sheet()


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
