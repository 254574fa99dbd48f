"""Importers beside each other on one SQLite store: no doubles, nothing lost, the same content as one alone gives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from review.derive.building import build
from review.intake.importing import import_logs
from review.workspace import open_workspace
from tests.neutral import happened

FILES, LINES = 4, 60


def line(name: str) -> str:
    return json.dumps(happened(name, keys=[{"role": "scope", "kind": "session", "value": name[:2]}]))


def content(location: str) -> object:
    with open_workspace(location) as work:
        store = work.store
        counts = store.counts()
        tasks = sorted(store.task_ids())
        events = [sorted(event.id for event in store.events_of_task(task)) for task in tasks]
        return {name: counts[name] for name in ("sources", "records", "events", "tasks", "steps", "unattributed")}, tasks, events


def test_importers_beside_each_other_double_and_lose_nothing(tmp_path: Path) -> None:
    """Two processes read overlapping files in opposite order, and each builds the chains."""
    files = []
    for n in range(FILES):
        files.append(tmp_path / f"{n}.jsonl")
        # Every record stands in two of the files.
        names = [f"{(n + shift) % FILES}-{i}" for shift in (0, 1) for i in range(LINES)]
        files[-1].write_text("".join(line(name) + "\n" for name in names))
    shared = str(tmp_path / "shared.db")
    code = "from cli.main import main; import sys; sys.exit(main())"
    running = [
        subprocess.Popen([sys.executable, "-c", code, "import", "--store", shared, *map(str, order)], stderr=subprocess.PIPE)
        for order in (files, files[::-1])
    ]
    for one in running:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said.decode()

    alone = str(tmp_path / "alone.db")
    with open_workspace(alone, create=True) as work:
        import_logs(work, [str(path) for path in files])
        build(work)
    assert content(shared) == content(alone)
    with open_workspace(shared) as work:
        assert work.store.counts()["records"] == FILES * LINES
        assert len(work.store.custody()) == 2 * FILES
