"""How soon the dashboard's first rows stand on a real terminal, beside what Python needs to import Textual alone.

`python -m benchmarks.first_rows STORE` starts `remit` in a pseudo terminal of 80x24 and reads what it draws until a row
stands under the cursor. Prints minimum, median and maximum of several starts.
"""

from __future__ import annotations

import argparse
import compileall
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

from review.workspace import open_workspace
from tui.widgets.columns import CURSOR

PATIENCE = 30.0


def first_rows(store: str) -> float:
    """Seconds from the start of the process until a row was drawn."""
    remit = Path(sys.executable).with_name("remit")
    begin = time.perf_counter()
    pid, screen = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.execv(remit, [str(remit), "--store", store, "--readonly"])
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    drawn = b""
    try:
        while CURSOR.encode() not in drawn:
            if time.perf_counter() - begin > PATIENCE:
                raise SystemExit(f"no row was drawn within {PATIENCE:.0f} s")
            if select.select([screen], [], [], 0.5)[0]:
                drawn += os.read(screen, 1 << 16)
        return time.perf_counter() - begin
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(screen)


def yardstick() -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import textual.app, textual.widgets"], check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("store")
    parser.add_argument("--starts", type=int, default=9)
    args = parser.parse_args()
    # As an installed program runs: its modules compiled once, not at every start.
    for room in ("cli", "lang", "model", "review", "store", "tui"):
        compileall.compile_dir(Path(__file__).resolve().parent.parent / room, quiet=2)
    with open_workspace(args.store, None) as work:
        count = work.store.counts()["tasks"]
    rows, bare = [], []
    for _ in range(args.starts):
        bare.append(yardstick())
        rows.append(first_rows(args.store))
    print(f"{count:,} tasks, {args.starts} starts, milliseconds: minimum, median, maximum")
    for name, times in (("import textual", bare), ("first rows", rows)):
        print(f"  {name:<15} {min(times) * 1e3:6.0f} {statistics.median(times) * 1e3:6.0f} {max(times) * 1e3:6.0f}")
    print(f"  ratio of medians {statistics.median(rows) / statistics.median(bare):.2f}")


if __name__ == "__main__":
    main()
