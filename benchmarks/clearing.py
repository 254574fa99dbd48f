"""Fifty tasks of the demo store cleared by keyboard alone in a real terminal (tmux), and the same by the shell alone.

`python -m benchmarks.clearing` prints how long each took and whether both ended in the same journal: the same words with the same
reasons on the same tasks in the same order, by the same identity, each chain verified. Moments, and with them the hashes, differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from store import open_store

REMIT = str(Path(sys.executable).with_name("remit"))
PATIENCE = 20.0
PLAN = (
    ("w", "within-remit", "what was asked for, and no more"),
    ("w", "within-remit", "the ticket covers this"),
    ("e", "escalate", "the owner of the repository must look"),
    ("f", "false-positive", "a test account of ours"),
    ("o", "outside-remit", "nobody asked for this"),
)
"""Key, word and reason, taken in turn."""


def remit(store: Path, *words: str) -> Any:
    """What a command of the shell answers, as data."""
    done = subprocess.run([REMIT, "--store", str(store), *words, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def journal(store: Path) -> list[tuple[str, str, str, str, str]]:
    """The review journal without its moments and hashes, after its chain was verified."""
    subprocess.run([REMIT, "--store", str(store), "journal", "verify"], check=True, capture_output=True)
    rows = []
    for entry in remit(store, "journal", "list"):
        data = json.loads(entry["body"])["data"]
        rows.append((entry["what"], entry["who"], entry["about"], data.get("verdict", ""), data.get("reason", "")))
    return rows


class Terminal:
    """One dashboard in tmux. A key is sent when what the one before it does stands in the store or on the screen."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self.tmux = ["tmux", "-L", f"remit-{time.time_ns()}"]
        command = f"{REMIT} --store {store}"
        subprocess.run([*self.tmux, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", command], check=True)

    def press(self, *keys: str, plain: bool = False) -> None:
        subprocess.run([*self.tmux, "send-keys", *(["-l"] if plain else []), *keys], check=True)

    def screen(self) -> str:
        return subprocess.run([*self.tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def shows(self, *texts: str) -> None:
        self._until(lambda: all(text in self.screen() for text in texts), f"{texts!r} on the screen")

    def holds(self, verdicts: int) -> None:
        with closing(open_store(str(self.store), readonly=True)) as store:
            self._until(lambda: len(store.verdicts()) >= verdicts, f"{verdicts} verdicts in the store")

    def _until(self, met: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not met():
            if time.monotonic() > end:
                raise SystemExit(f"waited {PATIENCE:.0f} s for {what}; the screen:\n{self.screen()}")
            time.sleep(0.03)

    def end(self) -> None:
        subprocess.run([*self.tmux, "kill-server"], check=False)


def by_keys(store: Path, tasks: list[dict[str, Any]]) -> float:
    """Judge the queue's first tasks by keys alone; seconds from the first key to the last verdict."""
    terminal = Terminal(store)
    try:
        terminal.shows("Overview", "riskiest first")
        begin = time.monotonic()
        terminal.press("2")
        terminal.shows("Queue", "▶")
        terminal.press("Enter")
        for done, task in enumerate(tasks):
            key, _, reason = PLAN[done % len(PLAN)]
            terminal.shows(f"› {task['title'][:40]}", f"risk {task['risk']} ", "not reviewed")
            terminal.press("v")
            terminal.shows("within remit: authorised")
            terminal.press(key)
            terminal.press(reason, plain=True)
            terminal.shows(reason[-12:])
            terminal.press("Enter")
            terminal.holds(done + 1)
        return time.monotonic() - begin
    finally:
        terminal.end()


def by_shell(store: Path, tasks: list[dict[str, Any]]) -> float:
    """Give the same verdicts by `remit review`; seconds."""
    begin = time.monotonic()
    for done, task in enumerate(tasks):
        _, word, reason = PLAN[done % len(PLAN)]
        remit(store, "review", task["id"], "--verdict", word, "--reason", reason)
    return time.monotonic() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=50)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="remit-clearing-") as made:
        os.environ.update({name: str(Path(made, name)) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")})
        demo = Path(json.loads(subprocess.run([REMIT, "demo", "--json"], check=True, capture_output=True).stdout)["store"])
        keyed, typed = Path(made, "keys.db"), Path(made, "shell.db")
        for copy in (keyed, typed):
            shutil.copy(demo, copy)
        tasks = remit(typed, "tasks", "--limit", str(args.tasks))
        print(f"{len(tasks)} tasks by keyboard: {by_keys(keyed, tasks):.1f} s")
        print(f"{len(tasks)} tasks by shell: {by_shell(typed, tasks):.1f} s")
        left, right = journal(keyed), journal(typed)
        if left == right:
            print(f"the same journal of {len(left)} entries; both chains hold")
            return 0
        odd = next((pair for pair in zip(left, right, strict=False) if pair[0] != pair[1]), (len(left), len(right)))
        print(f"the journals differ: {odd[0]} by keyboard, {odd[1]} by shell")
        return 1


if __name__ == "__main__":
    sys.exit(main())
