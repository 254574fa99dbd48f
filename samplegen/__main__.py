"""`python -m samplegen --out DIR`: write the sample day, or as many tasks of it as are asked for."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from samplegen.day import SEED, SESSIONS, STORIES, generate
from samplegen.records import SOURCES
from samplegen.scene import Noise


def _skew(text: str) -> tuple[str, float]:
    source, _, seconds = text.partition("=")
    try:
        return source, float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not SOURCE=SECONDS") from None


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of tasks")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m samplegen", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--tasks", type=_count, metavar="N", help=f"how many agent sessions (default: one day, {SESSIONS})")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"seed of all invention (default {SEED})")
    parser.add_argument("--drop", action="append", default=[], choices=SOURCES, metavar="SOURCE", help="leave a source out")
    parser.add_argument("--mask-ids", action="store_true", help="no session or call ids in logs other than the agents' own")
    parser.add_argument("--skew", action="append", default=[], type=_skew, metavar="SOURCE=SECONDS", help="set a clock wrong")
    parser.add_argument("--crowded", action="store_true", help="two agents of one person at once on one repository")
    parser.add_argument("--stories", choices=STORIES, default="day", help="the day's stories, or all there are")
    parser.add_argument("--no-truth", action="store_true", help="write no truth.json")
    given = parser.parse_args(arguments)
    noise = Noise(frozenset(given.drop), given.mask_ids, dict(given.skew), given.crowded)
    try:
        records = generate(given.out, given.tasks, given.seed, noise=noise, truth=not given.no_truth, stories=given.stories)
    except (OSError, ValueError) as error:
        print(f"samplegen: {error}", file=sys.stderr)
        return 2
    print(f"{records} records in {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
