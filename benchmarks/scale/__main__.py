"""What a million events cost by size, how that grows, and what follows for more than one machine.

`python -m benchmarks.scale --sizes 3000,10000 --engines sqlite,postgresql --keep FILE` measures, a row each; `--shapes
200000x20000` measures a dry-run over so many requests and shapes; `--fit FILE` fits what was kept and simulates larger sizes;
`--grow FOLDER --to N` lets two importers fill a PostgreSQL store kept in that folder, in rounds of `--step` events;
`--commands FOLDER` prints what the listings cost over a store kept in that folder;
`--screens FOLDER --tasks N` explains what the screens ask of a PostgreSQL store kept in that folder, making it where it is absent.
Sizes are events; 1M needs half an hour of processor time, 50M a day.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.scale import fitting, planning
from benchmarks.scale.commands import commands
from benchmarks.scale.growing import grow
from benchmarks.scale.measuring import Row, measure, replay
from benchmarks.scale.screens import screens


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", default="", help="events, with commas between (3000,10000 where nothing else is asked for)")
    parser.add_argument("--engines", default="sqlite,postgresql", help="sqlite, postgresql or both")
    parser.add_argument("--shapes", default="", help="requests x shapes, with commas between")
    parser.add_argument("--keep", type=Path, help="add the rows to this file, a JSON line each")
    parser.add_argument("--fit", type=Path, help="fit the rows of this file, and simulate")
    parser.add_argument("--simulate", default="1e9,8e9,100e9", help="events kept; 8e9 is a year of 5 million actions a day")
    parser.add_argument("--keep-days", type=float, default=planning.Assumed.keep_days, help="days that evidence is kept")
    parser.add_argument("--screens", type=Path, help="folder of a PostgreSQL server's data")
    parser.add_argument("--commands", type=Path, help="folder of a PostgreSQL server's data that --grow or --screens left")
    parser.add_argument("--tasks", type=int, default=100_000, help="tasks of a store that is made for --screens")
    parser.add_argument(
        "--grow",
        type=Path,
        help="folder, made or gone on with, of a PostgreSQL server's data, for a store that two importers fill at once",
    )
    parser.add_argument("--to", type=float, default=100_000, help="events of the store that --grow makes")
    parser.add_argument("--step", type=float, default=500_000, help="events a round of --grow")
    parser.add_argument(
        "--long", type=float, default=0.0, help="share of --grow's events that are of long sessions of an agent alone"
    )
    args = parser.parse_args(argv)
    if args.grow:
        return 0 if grow(args.grow, int(args.to), int(args.step), args.long) else 1
    if args.screens:
        screens(args.screens, args.tasks)
    if args.commands:
        commands(args.commands)
    if args.fit:
        _fit(args.fit, [float(size) for size in args.simulate.split(",")], planning.Assumed(keep_days=args.keep_days))
    if not (args.screens or args.commands or args.fit or args.sizes or args.shapes):
        args.sizes = "3000,10000"
    for engine in args.engines.split(",") if args.sizes else ():
        for size in args.sizes.split(","):
            with tempfile.TemporaryDirectory(prefix="remit-scale-") as made:
                _told(measure(engine, int(float(size)), Path(made)), args.keep)
    for size in args.shapes.split(",") if args.shapes else ():
        requests, shapes = (int(float(number)) for number in size.split("x"))
        with tempfile.TemporaryDirectory(prefix="remit-scale-") as made:
            _told(replay(requests, shapes, Path(made)), args.keep)
    return 0


def _told(row: Row, keep: Path | None) -> None:
    """Print a row, and keep it."""
    if row["engine"] == "shapes":
        figures = ", ".join(f"{name} {value:,.3g}" for name, value in row.items() if name != "engine")
        print(f"dry-run, seconds and MB: {figures}", flush=True)
    else:
        print(fitting.line(row), flush=True)
    if keep is not None:
        with keep.open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")


def _fit(file: Path, sizes: Sequence[float], assumed: planning.Assumed) -> None:
    kept: dict[str, list[Row]] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(text)
        kept.setdefault(row["engine"], []).append(row)
    for engine, rows in kept.items():
        if engine != "shapes":
            for row in sorted(rows, key=lambda one: one["events"]):
                print(fitting.line(row))
            fitting.show(engine, rows)
    planning.show(kept, sizes, assumed)


if __name__ == "__main__":
    sys.exit(main())
