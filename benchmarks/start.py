"""How long commands take that have next to nothing to do, beside starting Python alone: `python -m benchmarks.start [--repeat N]`.

It prints medians; nothing is asserted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.measured import measured

LINE = {
    "type": "user",
    "uuid": "u-1",
    "sessionId": "s-1",
    "timestamp": "2026-03-02T08:00:00Z",
    "cwd": "/work",
    "message": {"role": "user", "content": "Fix the build"},
}
GOALS = {"remit --version": 0.15, "remit --help": 0.15, "remit import, one line": 0.6, "remit tasks": 0.3}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="start", description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="how often each command runs, after once to compile it")
    repeat = parser.parse_args(arguments).repeat
    with tempfile.TemporaryDirectory(prefix="remit-start-") as name:
        folder = Path(name)
        log, store = folder / "one.jsonl", folder / "s.db"
        log.write_text(json.dumps(LINE) + "\n")
        env = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"), str(folder))
        env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        remit = [sys.executable, "-m", "cli.main"]
        print(f"{'':<28}{'s':>8}{'cpu s':>8}{'goal':>8}")
        for title, words in (
            ("python -c pass", [sys.executable, "-c", "pass"]),
            ("remit --version", [*remit, "--version"]),
            ("remit --help", [*remit, "--help"]),
            ("remit import, one line", [*remit, "--store", str(store), "import", str(log)]),
            ("remit tasks", [*remit, "--store", str(store), "tasks"]),
        ):
            costs = []
            for _ in range(repeat + 1):
                if "import" in words:
                    for path in folder.glob("s.db*"):
                        path.unlink()
                costs.append(measured(words, env))
                if costs[-1].code:
                    sys.exit(f"{title} ended with {costs[-1].code}: {costs[-1].err.decode(errors='replace').strip()[-300:]}")
            kept = costs[1:]
            seconds, cpu = median(c.seconds for c in kept), median(c.cpu for c in kept)
            print(f"{title:<28}{seconds:>8.2f}{cpu:>8.2f}{GOALS.get(title, ''):>8}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
