"""A task of very many steps is put away in pieces and written page by page, and nothing in the result shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains import shelf
from store import chainrows
from tests.running import ORG, SAMPLE, ok

LOGS = sorted(SAMPLE.glob("claude-code-*.jsonl"), key=lambda path: -path.stat().st_size)[:4]


def content(store: Path) -> str:
    ok("--store", store, "--org", ORG, "import", *LOGS)
    return ok("--store", store, "--org", ORG, "store", "export").out


@pytest.mark.parametrize(("page", "few"), [(3, shelf.FEW), (3, 5), (1, 0)])
def test_pages_and_shelves_leave_no_trace(tmp_path: Path, page: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = content(tmp_path / "whole.db")
    monkeypatch.setattr(chainrows, "PAGE", page)
    monkeypatch.setattr(shelf, "FEW", few)
    assert content(tmp_path / "pages.db") == whole
