"""A rule typed letter by letter into the studio, in a real terminal (tmux): how long its loop ever stands still.

`python -m benchmarks.policy_studio STORE` types; the dashboard in the pane is the product's own with a heart that beats
on its loop. A pause counts by the wall, by the processor time this process used meanwhile and by what the loop's own thread used of
it: on a busy machine the loop also waits for other programs.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.heart import beat

RULE = '  - id: typed\neffect: deny\nwhen: action.command.contains("push") && resource.name.startsWith("acme/pay")\n'
PATIENCE = 120.0


def drive(store: Path) -> Iterator[str]:
    """Type the rule into the studio over a store; what was measured, line by line."""
    with tempfile.TemporaryDirectory(prefix="remit-studio-") as made:
        out = Path(made) / "told.json"
        socket = ["tmux", "-L", f"remit-{time.time_ns()}"]
        inside = f"{sys.executable} -m benchmarks.policy_studio --inside {store} {out}"
        subprocess.run([*socket, "-f", "/dev/null", "new-session", "-d", "-x", "140", "-y", "40", inside], check=True)
        try:
            _await(out.with_suffix(".ready"))
            for letter in RULE:
                key = {"\n": "Enter", " ": "Space", ";": "\\;"}.get(letter, letter)
                subprocess.run([*socket, "send-keys", *(["-l"] if key == letter else []), key], check=True)
                time.sleep(0.09 if letter != '"' else 0.4)
            time.sleep(3)
            # Twice: a draft that is not saved is warned of once.
            subprocess.run([*socket, "send-keys", "C-q"], check=True)
            time.sleep(1)
            subprocess.run([*socket, "send-keys", "C-q"], check=False, capture_output=True)
            _await(out)
            told = json.loads(out.read_text())
        finally:
            subprocess.run([*socket, "kill-server"], check=False, capture_output=True)
    pauses, painted = told["pauses"], sorted(told["painted"])
    by_wall, by_cpu, own = max(p[0] for p in pauses), max(min(p[:2]) for p in pauses), max(p[2] for p in pauses)
    yield f"studio: ready after {told['ready']:.2f} s, {told['letters']} letters, {len(painted)} dry-runs painted"
    yield f"longest pause of the loop {by_wall * 1e3:.0f} ms by the wall, {by_cpu * 1e3:.0f} ms of processor time"
    yield f"of it in the loop's own thread at most {own * 1e3:.0f} ms"
    over = sum(min(p[:2]) > 0.05 for p in pauses)
    yield f"pauses over 50 ms: {sum(p[0] > 0.05 for p in pauses)} by the wall, {over} by processor time"
    if painted:
        p95 = painted[min(len(painted) - 1, int(len(painted) * 0.95))]
        yield f"settled key to painted screen: p50 {painted[len(painted) // 2] * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms"


def _await(file: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not file.exists():
        if time.monotonic() > end:
            raise SystemExit(f"nothing in {file} after {PATIENCE:.0f} s")
        time.sleep(0.05)


def inside(store: str, out: Path) -> None:
    """The dashboard in the pane, with what `drive` wants to know written to a file when it ends."""
    from textual import events

    from review.sitting.desk import Desk
    from tui.app import RemitApp
    from tui.screens.policy import PolicyScreen

    told: dict[str, Any] = {"pauses": [], "painted": [], "letters": 0, "ready": 0.0}
    last_key = [0.0]
    replayed = PolicyScreen._replayed

    def shown(screen: PolicyScreen, answer: Any) -> None:
        replayed(screen, answer)
        if screen.run is not None and last_key[0]:
            begun = last_key[0]
            screen.call_after_refresh(lambda: told["painted"].append(time.perf_counter() - begun))

    class Beating(RemitApp):
        CSS_PATH = str(Path(__file__).resolve().parent.parent / "tui" / "app.tcss")

        def on_mount(self) -> None:
            self.run_worker(self._open(), exclusive=False)

        async def _open(self) -> None:
            await asyncio.sleep(1)
            begin = time.perf_counter()
            self.go("policy")
            while not isinstance(self.screen, PolicyScreen) or not self.screen.query("#run-side") or self.screen.run is None:
                await asyncio.sleep(0.01)
            told["ready"] = time.perf_counter() - begin
            await asyncio.sleep(2)
            self.screen.editor.load_text("version: 1\nname: typed\ndefault: allow\nrules:\n")
            self.screen.editor.focus()
            self.screen.editor.move_cursor((4, 0))
            await asyncio.sleep(2)
            told["painted"].clear()
            last_key[0] = 0.0
            told["letters"] = 0
            self.run_worker(beat(told["pauses"], lambda: self.return_code is None), exclusive=False)
            out.with_suffix(".ready").write_text("")

        async def on_event(self, event: events.Event) -> None:
            if isinstance(event, events.Key):
                last_key[0] = time.perf_counter()
                told["letters"] += 1
            await super().on_event(event)

    setattr(PolicyScreen, "_replayed", shown)  # noqa: B010
    desk = Desk(store)
    try:
        Beating(desk).run()
    finally:
        desk.close()
        out.with_suffix(".new").write_text(json.dumps(told))
        out.with_suffix(".new").rename(out)


if __name__ == "__main__":
    if sys.argv[1] == "--inside":
        inside(sys.argv[2], Path(sys.argv[3]))
    else:
        print("\n".join(drive(Path(sys.argv[1]))))
