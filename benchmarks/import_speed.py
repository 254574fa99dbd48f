"""Import to findings beside two yardsticks on the same file: `sqlite-utils insert`, which only stores, and `lnav`, which only indexes.

`make bench-import` or `python -m benchmarks.import_speed [--mb 500] [--repeat N] [--corpus DIR]` prints; nothing is asserted.
With `--one-session` the file is a single session, and no more than the comparison is made: what that takes is memory.
A yardstick that is not installed is named as absent. Where a step is repeated the median speaks.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.claude_file import write_transcript
from benchmarks.measured import Cost, measured

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "claude-code"
GOALS = {"sqlite-utils": 1.5, "lnav": 0.3}
MEMORY_MB = 300
GROWTH_PERCENT = 3.0
SESSION = "5f2c9a10-1111-4222-8333-444455556666"


class Failed(RuntimeError):
    """A command ended otherwise than it should."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="remit-speed-", dir=options.temp) as folder:
        bench = Bench(Path(folder), options.repeat, options.sqlite_utils, options.lnav)
        try:
            if options.one_session:
                bench.session(options.mb)
                return 0
            bench.generated(options.mb)
            if options.corpus.is_dir():
                bench.corpus(options.corpus)
            else:
                print(f"\ncorpus: not found at {options.corpus}")
        except Failed as error:
            print(f"benchmark stopped: {error}", file=sys.stderr)
            return 1
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="import_speed", description=__doc__)
    parser.add_argument("--mb", type=int, default=500, help="size of the generated transcript")
    parser.add_argument(
        "--one-session", action="store_true", help="compare on a generated transcript of one session, and nothing else"
    )
    parser.add_argument("--repeat", type=int, default=1, help="how often each step runs; medians are printed")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="a folder of real transcripts")
    parser.add_argument("--temp", default=None, help="where to write (the file, its stores: about three times its size)")
    parser.add_argument("--sqlite-utils", default=shutil.which("sqlite-utils"), help="the program, where it is not on the path")
    parser.add_argument("--lnav", default=shutil.which("lnav"), help="the program, where it is not on the path")
    return parser.parse_args(arguments)


class Bench:
    """The steps, each in fresh processes; everything is written below `folder`."""

    def __init__(self, folder: Path, repeat: int, sqlite_utils: str | None, lnav: str | None) -> None:
        self.folder = folder
        self.repeat = repeat
        self.sqlite_utils = sqlite_utils
        self.lnav = lnav
        self.env = {name: str(folder / "home") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
        # As installed programs run: their modules compiled once, which some surroundings forbid.
        self.env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
        (folder / "home").mkdir()

    def generated(self, mb: int) -> None:
        """The whole comparison on one generated file, then what more of it costs."""
        file = self.folder / "big.jsonl"
        write_transcript(file, 1 << 20)
        self._remit(self.folder / "warm.db", [file])
        rows = write_transcript(file, mb << 20)
        print(f"generated Claude Code file: {file.stat().st_size / 2**20:.0f} MB, {rows} records")
        whole = self._compare([file], rows)
        self._more(file, rows, whole)
        file.unlink()

    def session(self, mb: int) -> None:
        """The comparison on one file that is one session."""
        file = self.folder / "session.jsonl"
        rows = write_transcript(file, mb << 20, session=SESSION)
        print(f"generated Claude Code session: {file.stat().st_size / 2**20:.0f} MB, {rows} records")
        self._compare([file], rows)
        file.unlink()

    def corpus(self, folder: Path) -> None:
        """The comparison on real files. A yardstick gets the lines of all of them that are JSON objects, as one file."""
        files = sorted(path for path in folder.rglob("*.jsonl") if path.is_file())
        joined = self.folder / "corpus.jsonl"
        rows = 0
        with joined.open("wb") as out:
            for path in files:
                for line in path.read_bytes().splitlines():
                    if _is_object(line):
                        out.write(line + b"\n")
                        rows += 1
        print(f"\ncorpus: {len(files)} files, {joined.stat().st_size / 2**20:.1f} MB, {rows} records")
        self._compare(files, rows, joined)

    def _compare(self, files: list[Path], rows: int, joined: Path | None = None) -> float:
        """Print one line for each program; the seconds of Remit's."""
        single = joined or files[0]
        print(f"  {'':<34}{'s':>8}{'cpu s':>8}{'rows/s':>10}{'MB/s':>7}{'peak MB':>9}")
        mine = self._line("remit import, to findings", single, rows, lambda n: self._remit(self.folder / f"r{n}.db", files))
        if mine.peak > MEMORY_MB << 20:
            print(f"  above the limit of {MEMORY_MB} MB")
        for name, does, program, run in (
            ("sqlite-utils", "insert --nl --flatten", self.sqlite_utils, self._insert),
            ("lnav", "counting", self.lnav, self._index),
        ):
            if program is None:
                print(f"  {name}: not installed, no comparison")
                continue
            other = self._line(f"{name}, {does}", single, rows, run(single))
            ratio, work = other.seconds / mine.seconds, other.cpu / max(mine.cpu, 0.01)
            print(f"  remit / {name}: {ratio:.2f}x (goal {GOALS[name]}x), by processor time {work:.2f}x")
        return mine.seconds

    def _line(self, name: str, file: Path, rows: int, run: Callable[[int], Cost]) -> Cost:
        costs = [run(n) for n in range(self.repeat)]
        for cost in costs:
            if cost.code not in (0, 3):
                raise Failed(f"{name} ended with {cost.code}: {cost.err.decode(errors='replace').strip()[-500:]}")
        seconds, cpu = median(c.seconds for c in costs), median(c.cpu for c in costs)
        peak = max(c.peak for c in costs)
        mb = file.stat().st_size / 2**20
        print(
            f"  {name:<34}{seconds:>8.2f}{cpu:>8.2f}{rows / seconds:>10.0f}{mb / seconds:>7.1f}{peak / 2**20:>9.0f}", flush=True
        )
        return Cost(0, seconds, cpu, peak, b"", b"")

    def _remit(self, store: Path, files: Sequence[Path], *, keep: bool = False) -> Cost:
        if not keep:
            _remove(self.folder, store.name)
        words = [sys.executable, "-m", "cli.main", "--store", str(store), "import", *map(str, files), "--json"]
        return measured(words, self.env)

    def _insert(self, file: Path) -> Callable[[int], Cost]:
        def run(number: int) -> Cost:
            target = self.folder / f"yard{number}.db"
            cost = measured(
                [str(self.sqlite_utils), "insert", str(target), "rows", str(file), "--nl", "--flatten", "--alter"], self.env
            )
            target.unlink(missing_ok=True)
            return cost

        return run

    def _index(self, file: Path) -> Callable[[int], Cost]:
        counted = ";SELECT sum(lines) FROM lnav_file"

        def run(number: int) -> Cost:
            return measured([str(self.lnav), "-n", "-c", counted, str(file)], self.env)

        return run

    def _more(self, file: Path, rows: int, whole: float) -> None:
        """What 1% more costs: as a file of its own, and as growth of the file that is known already."""
        store = self.folder / "r0.db"
        extra = self.folder / "more.jsonl"
        write_transcript(extra, file.stat().st_size // 100, seed="more")
        self._share("1% more, in a file of its own", self._remit(store, [extra], keep=True), whole)
        self._share("nothing more, the same file again", self._remit(store, [file], keep=True), whole)
        write_transcript(extra, file.stat().st_size // 100, seed="growth")
        with file.open("ab") as out:
            out.write(extra.read_bytes())
        self._share("1% more, the file has grown", self._remit(store, [file], keep=True), whole)

    def _share(self, name: str, cost: Cost, whole: float) -> None:
        if cost.code:
            raise Failed(f"{name} ended with {cost.code}: {cost.err.decode(errors='replace').strip()[-500:]}")
        goal = f"(goal {GROWTH_PERCENT:.0f}%)" if "1%" in name else ""
        print(
            f"  {name:<34}{cost.seconds:>8.2f}{cost.cpu:>8.2f}   {100 * cost.seconds / whole:.1f}% of the whole import {goal}",
            flush=True,
        )


def _remove(folder: Path, name: str) -> None:
    """Remove a store and whatever lies beside it: logs of SQLite, the mapped files of its history."""
    for path in folder.glob(f"{name}*"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    sys.exit(main())
