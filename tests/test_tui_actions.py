"""The registry of actions: every one of them is done somewhere, and no key lives outside it."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.widget import Widget

import tui
from tui.action import Action
from tui.actions import ACTIONS, FIXED, of_scope
from tui.app import RemitApp
from tui.keysheet import sheet
from tui.scopes import (
    COMMAND,
    COMMENTS,
    CONTROLS,
    CREDENTIALS,
    DIALOG,
    EVERYWHERE,
    FINDINGS,
    IMPORT,
    JUDGING,
    OVERVIEW,
    PANEL,
    POLICY,
    PROPOSALS,
    QUEUE,
    REPORT,
    SHEET,
    SIGNING,
    SOURCES,
    TABLE,
    TASK,
    TOUR,
    VERSIONS,
    VIEWS,
)
from tui.screens.base import HINTS, DeskScreen, Dialog, hints
from tui.screens.command import CommandScreen, matching
from tui.screens.comments import CommentsScreen
from tui.screens.credentials import CredentialsScreen
from tui.screens.help import HelpScreen, help_text
from tui.screens.importing import ImportScreen
from tui.screens.overview import OverviewScreen
from tui.screens.policy import PolicyScreen
from tui.screens.proposals import ProposalsScreen
from tui.screens.queue import QueueScreen
from tui.screens.report import ReportScreen
from tui.screens.report_controls import ControlsScreen
from tui.screens.report_findings import FindingsScreen
from tui.screens.sign_off import SignOffScreen
from tui.screens.sources import SourcesScreen
from tui.screens.task import TaskScreen
from tui.screens.tour import TourScreen
from tui.screens.verdict import VerdictScreen
from tui.screens.versions import VersionsScreen
from tui.screens.views import ViewsScreen
from tui.widgets.virtual_table import VirtualTable

DONE_BY: dict[str, type] = {
    EVERYWHERE: RemitApp,
    OVERVIEW: OverviewScreen,
    QUEUE: QueueScreen,
    TASK: TaskScreen,
    POLICY: PolicyScreen,
    SOURCES: SourcesScreen,
    IMPORT: ImportScreen,
    CREDENTIALS: CredentialsScreen,
    REPORT: ReportScreen,
    CONTROLS: ControlsScreen,
    FINDINGS: FindingsScreen,
    VERSIONS: VersionsScreen,
    PROPOSALS: ProposalsScreen,
    TABLE: VirtualTable,
    PANEL: DeskScreen,
    DIALOG: Dialog,
    SHEET: HelpScreen,
    COMMAND: CommandScreen,
    JUDGING: VerdictScreen,
    COMMENTS: CommentsScreen,
    TOUR: TourScreen,
    VIEWS: ViewsScreen,
    SIGNING: SignOffScreen,
}
SCREENS = [OVERVIEW, QUEUE, TASK, POLICY, SOURCES, IMPORT, CREDENTIALS, REPORT, CONTROLS, FINDINGS, VERSIONS, PROPOSALS]


def ours() -> list[type]:
    """Every class of the dashboard that can hold bindings."""
    found: list[type] = []
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name == "tui.screenshots":
            continue
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Widget | RemitApp) and value.__module__ == module.name:
                found.append(value)
    return found


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_is_done_where_it_is_offered(action: Action) -> None:
    assert callable(getattr(DONE_BY[action.scope], action.method, None))


@pytest.mark.parametrize("owner", ours(), ids=lambda owner: owner.__name__)
def test_no_binding_lives_outside_the_registry(owner: type) -> None:
    registered = {id for action in ACTIONS for id in (action.id, action.id + FIXED)}
    for binding in owner.__dict__.get("BINDINGS", []):
        assert isinstance(binding, Binding) and binding.id in registered, (owner, binding)


@pytest.mark.parametrize("scope", SCREENS)
def test_no_key_means_two_things_on_one_screen(scope: str) -> None:
    # The overview has figures in place of a table and its panel, and moves between them by keys of its own.
    lists = [] if scope == OVERVIEW else [*of_scope(TABLE), *of_scope(PANEL)]
    active = [*of_scope(scope), *of_scope(EVERYWHERE), *lists]
    keys = Counter(key for action in active for key in action.keys.split(",") if key)
    shared = {key for key, count in keys.items() if count > 1}
    # Where a table has the focus its own enter chooses the row, which does the same.
    assert shared <= {"enter"}


def test_ids_are_unique() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


@pytest.mark.parametrize("scope", SCREENS)
def test_the_bottom_line_offers_at_most_seven_keys_and_always_help(scope: str) -> None:
    for typing in (False, True):
        shown = hints(scope, typing=typing)
        assert len(shown) <= HINTS
        assert shown[-1][1] == "help"
        assert all(len(key) > 1 for key, _ in shown) or not typing


@pytest.mark.parametrize("scope", SCREENS)
@pytest.mark.parametrize("width", [50, 84])
def test_help_tells_every_key_of_a_screen_within_its_width(scope: str, width: int) -> None:
    text = help_text(scope, width)
    flat = " ".join(text.split())
    lists = () if scope == OVERVIEW else of_scope(TABLE)
    for action in (*of_scope(scope), *of_scope(EVERYWHERE), *lists):
        assert all(key in flat for key in action.shown_keys.split())
        assert action.help.split()[0] in flat
    widest = max(len(line) for line in text.splitlines())
    assert widest <= max(width, 61)


@pytest.mark.parametrize("scope", SCREENS)
def test_every_action_is_found_by_its_own_name_in_the_command_line(scope: str) -> None:
    here = (*of_scope(scope), *of_scope(EVERYWHERE))
    for action in here:
        assert action in matching(here, action.name)
    assert [a.name for a in matching(here, ":q")] == ["quit"]
    assert matching(here, "zzz") == []
    assert next(a.said for a in matching(here, "que sh")) == "queue: show"
    assert "queue: show" in [a.said for a in matching(here, "qsh")], "letters in that order are enough where no word is held"


def test_the_key_sheet_in_the_docs_is_what_the_registry_says() -> None:
    kept = Path(__file__).resolve().parent.parent / "docs" / "keys.md"
    assert kept.read_text("utf-8") == sheet(), "run `python -m tui.keysheet > docs/keys.md`"
