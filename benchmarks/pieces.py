"""In whatever pieces a store is filled, it says what it says when all is built anew: `python -m benchmarks.pieces [--seconds 600] [--seed 1]`.

Each turn makes some days of logs, imports their files in the order of time, by source or in any order, some of them in part at
first, with a build after each piece, and holds what is derived against a rebuild. What differs is kept, and the exit code 1.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from review.derive.building import build
from review.intake.importing import import_logs
from review.sitting.demo import NOT_LOGS
from review.stores.upkeep import export, rebuild
from review.workspace import Workspace, open_workspace
from samplegen import generate
from samplegen.scene import Noise

ORDERS = ("time", "source", "any")
PIECES = (3, 8, 20)
NOISES = (
    Noise(),
    Noise(skew={"opa": 95.0}),
    Noise(masked=True),
    Noise(crowded=True),
    Noise(frozenset({"vault"}), masked=True, skew={"github": -300.0}),
)
IN_PART = 0.3
"""How many files are there in part alone when they are imported first."""


def one(seed: int, folder: Path) -> tuple[str, list[str], list[str]]:
    """A store filled in pieces: how, what it says then, and what after a rebuild."""
    dice = random.Random(seed)
    files = _files(folder, dice, seed)
    order, pieces = dice.choice(ORDERS), dice.choice(PIECES)
    if order == "any":
        dice.shuffle(files)
    elif order == "source":
        files.sort(key=lambda path: (path.name.partition("-")[0], str(path)))
    with open_workspace(str(folder / "store.db"), str(folder / "0" / "org.yaml"), create=True) as work:
        size = max(1, len(files) // pieces)
        for start in range(0, len(files), size):
            _take(work, [_first(path, folder, dice) for path in files[start : start + size]])
        _take(work, files)
        before = _said(work)
        rebuild(work)
        return f"{len(files)} files by {order}, {pieces} pieces", before, _said(work)


def _said(work: Workspace) -> list[str]:
    return [msgspec.json.encode(one).decode() for one in export(work)]


def _files(folder: Path, dice: random.Random, seed: int) -> list[Path]:
    found: list[Path] = []
    apart, noise = dice.choice((1, 2)), dice.choice(NOISES)
    for day in range(3):
        generate(
            folder / f"{day}",
            dice.choice((12, 60)),
            seed,
            noise=noise,
            truth=False,
            stories=dice.choice(("day", "all")),
            day=day * apart,
        )
        found += (path for path in sorted((folder / f"{day}").rglob("*")) if path.is_file() and path.name not in NOT_LOGS)
    return found


def _first(path: Path, folder: Path, dice: random.Random) -> Path:
    """The file, or what stood in it some time before, under the same name elsewhere."""
    if path.suffix == ".json" or dice.random() >= IN_PART:
        return path
    whole = path.read_bytes().splitlines(keepends=True)
    part = folder / "part" / path.relative_to(folder)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"".join(whole[: max(1, int(len(whole) * dice.random()))]))
    return part


def _take(work: Workspace, files: list[Path]) -> None:
    import_logs(work, [str(path) for path in files])
    build(work)


def turns(seconds: float, seed: int) -> Iterator[int]:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield seed
        seed += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    made = 0
    for seed in turns(args.seconds, args.seed):
        folder = Path(tempfile.mkdtemp(prefix="remit-pieces-"))
        how, before, after = one(seed, folder)
        made += 1
        if before != after:
            for name, said in (("in-pieces", before), ("rebuilt", after)):
                (folder / f"{name}.jsonl").write_text("\n".join(said) + "\n", "utf-8")
            print(f"seed {seed}: {how}: differs from a rebuild; see {folder}")
            return 1
        shutil.rmtree(folder)
        print(f"seed {seed}: {how}: {len(after):,} lines, the same", flush=True)
    print(f"{made} stores, each the same as rebuilt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
