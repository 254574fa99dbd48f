"""What an import of later days builds again of those before: what is covered otherwise, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.event import Event
from review.derive.building import build
from review.derive.chaining import Chaining
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.workspace import Workspace, open_workspace
from samplegen import generate

SESSIONS = 40


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that builds built, in their order."""
    made: list[str] = []
    one = Chaining.one

    def noted(self: Chaining, task: str, events: list[Event]) -> object:
        made.append(task)
        return one(self, task, events)

    monkeypatch.setattr(Chaining, "one", noted)
    return made


def _days(work: Workspace, folder: Path, day: int) -> None:
    generate(folder, SESSIONS, truth=False, day=day)
    for other in NOT_LOGS:
        (folder / other).unlink(missing_ok=True)
    import_logs(work, [str(folder)])
    build(work)


def test_later_days_leave_the_days_before_as_they_are(tmp_path: Path, built: list[str]) -> None:
    with open_workspace(str(tmp_path / "store.db"), None, create=True) as work:
        for day in (0, 1, 2):
            _days(work, tmp_path / f"day-{day}", day)
        known = len(built)
        before = set(work.store.task_ids())
        _days(work, tmp_path / "day-3", 3)
        again, new = set(built[known:]) & before, set(work.store.task_ids()) - before
        assert len(new) >= SESSIONS
        assert len(again) * 4 < len(before), "every further day would build all days before it again"
