"""Agreement of the models of agents' own rules with what the real programs answered: `make oracles`.

The truth tables of `shared/corpus/oracles` were made by running the programs. For each program and version it prints the
rows agreed, disagreed and answered *cannot judge*, and the disagreements by cause. One reader for each table is below in
`TABLES`; a table whose program has no model is named and left out.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

import benchmarks.oracle_tables as tables
from model.words import Effect
from policy.agents.base import Answer

ORACLES = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "oracles"


class Row(msgspec.Struct):
    """One row of a table: what the program answered, what the model answers, and a few words to know it again."""

    program: str
    version: str
    truth: Effect
    answer: Answer
    about: str
    cause: str = ""


Table = Callable[[Path], Iterator[Row]]


def readers() -> dict[str, Table]:
    """The readers of tables by name; each module of `oracle_tables` ends in `rows`."""
    return {
        module.name: importlib.import_module(f"benchmarks.oracle_tables.{module.name}").rows
        for module in pkgutil.iter_modules(tables.__path__)
    }


def main() -> int:
    from benchmarks import codex_fresh  # its own reader of a table is one of those above

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one table")
    parser.add_argument("-v", "--verbose", type=int, default=5, metavar="N", help="show N disagreements of each cause")
    parser.add_argument(
        "--fresh",
        nargs="?",
        const="3000x50",
        metavar="COMMANDSxFILES",
        help="also put what is made up here to the installed codex",
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="the seed of what is made up; another one each time where none is given"
    )
    args = parser.parse_args()
    worst = 1.0
    if not ORACLES.is_dir():
        print("the truth tables (shared/corpus/oracles) are not here")
    for name, read in readers().items() if ORACLES.is_dir() else ():
        if args.only in (None, name):
            worst = min(worst, _tell(name, read, args.verbose))
    commands, _, files = (args.fresh or "100x2").partition("x")
    seed = secrets.randbelow(1 << 32) if args.seed is None else args.seed
    wrong = codex_fresh.compare(seed, int(commands), int(files or 1), args.verbose) if args.only in (None, "codex") else 0
    return 0 if worst >= 0.995 and not wrong else 1


def _tell(name: str, read: Table, verbose: int) -> float:
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    causes: dict[str, list[Row]] = defaultdict(list)
    unjudged: Counter[str] = Counter()
    for row in read(ORACLES):
        state = "agreed" if row.answer.effect is row.truth else "unjudged" if row.answer.effect is Effect.UNKNOWN else "disagreed"
        counts[row.program, row.version][state] += 1
        if state == "disagreed":
            causes[row.cause or f"{row.truth.value}, modelled {row.answer.effect.value}"].append(row)
        elif state == "unjudged":
            unjudged["; ".join(row.answer.missing) or row.answer.reason] += 1
    worst = 1.0
    for (program, version), found in sorted(counts.items()):
        judged = found["agreed"] + found["disagreed"]
        share = found["agreed"] / judged if judged else 1.0
        worst = min(worst, share)
        print(
            f"{name}: {program} {version}: {found.total()} rows, {found['agreed']} agreed, {found['disagreed']} disagreed, "
            f"{found['unjudged']} cannot judge; agreed {share:.4f} of those judged"
        )
    for cause, rows in sorted(causes.items(), key=lambda pair: -len(pair[1])):
        print(f"  {len(rows)} x {cause}")
        for row in rows[:verbose]:
            print(f"      {row.about}  (program {row.truth.value}; model {row.answer.effect.value}: {row.answer.reason})")
    for fact, count in unjudged.most_common():
        print(f"  cannot judge {count} for want of: {fact}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
