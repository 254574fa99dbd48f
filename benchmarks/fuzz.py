"""A million damaged records over every registered format: nothing may crash, hang or be lost from the count.

`python -m benchmarks.fuzz` gathers good records of each format (`benchmarks.seeds`), damages them and what holds them
(`benchmarks.mutation`), and reads the result as an import does: recognition, cutting, redaction, reader, enrichment.
Every third source goes through the import itself into a store, where `read = accepted + duplicate + rejected` must
hold, and what was stored is built into chains. Case N of a seed is the same on every machine with the same records at
hand: `--case N` does it again and keeps its bytes. Exits with 1 where anything was found.
"""

from __future__ import annotations

import argparse
import faulthandler
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from types import FrameType

import msgspec

from benchmarks import mutation
from benchmarks.seeds import ROOT, as_line, corpus_folder, gathered, table_header
from importers import NotRecognised, open_source
from importers.base import Reader, container_of
from importers.reading import read_record
from importers.registry import importers
from lang.redact import Redactor
from model.event import BadRecord, RawRecord, Reject
from review.derive.building import build
from review.intake.importing import import_logs
from review.intake.preparing import prepare_events
from review.workspace import Workspace, open_workspace
from store.codec import pack

SLOW = 1.0
"""Seconds of processor time that a source may take, or a megabyte of a larger one."""
STUCK = 60.0
IMPORTED = 0.33
PER_STORE = 120
KEY = b"k" * 32

Seeds = dict[str, tuple[bytes, ...]]


class Stuck(Exception):
    """A case did not end in time."""


@dataclass
class Finding:
    """What went wrong, in which case, and where the bytes are kept."""

    case: int
    format: str
    what: str
    kept: str = ""


@dataclass
class Tally:
    """What one format's cases gave; `slowest` source is in seconds of processor time."""

    cases: int = 0
    records: int = 0
    read: int = 0
    rejected: int = 0
    refused: int = 0
    events: int = 0
    imported: int = 0
    slowest: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        for name in ("cases", "records", "read", "rejected", "refused", "events", "imported"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)
        self.findings += other.findings


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Raises Stuck in here once this much time has gone by."""

    def ring(_: int, __: FrameType | None) -> None:
        raise Stuck(f"did not end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Fuzz:
    """The cases of one seed, each on its own; `folder` holds the store in use and what was found."""

    def __init__(self, seed: str, seeds: Seeds, folder: Path) -> None:
        self._seed = seed
        self._seeds = seeds
        self._formats = [format for format in seeds if seeds[format]]
        self._others = tuple(dict.fromkeys(record for some in seeds.values() for record in some[:3]))
        self._redactor = Redactor(KEY)
        self._folder = folder
        self._work: Workspace | None = None
        self._in_store = 0

    def case(self, number: int) -> tuple[str, Tally]:
        """One source of up to 60 records, read as an import does; every third is imported as well."""
        dice = random.Random(f"{self._seed}:{number}")
        format = self._formats[number % len(self._formats)]
        tally = Tally(cases=1)
        data, tally.records = self._source(dice, format)
        begun = time.process_time()
        try:
            with no_longer_than(STUCK):
                self._read(data, format if dice.random() < 0.5 else None, tally)
                if dice.random() < IMPORTED:
                    self._import(dice, data, tally)
        except Exception as error:  # noqa: BLE001  whatever is raised here is what is looked for
            self._found(tally, number, format, data, _said(error))
            self._close()
        tally.slowest = time.process_time() - begun
        if tally.slowest > SLOW * max(1.0, len(data) / 1e6):
            self._found(tally, number, format, data, f"took {tally.slowest:.1f} s of processor time")
        return format, tally

    def _source(self, dice: random.Random, format: str) -> tuple[bytes, int]:
        seeds = self._seeds[format]
        start = dice.randrange(len(seeds))
        count = dice.choice((1, 5, 20, 40, 60))
        # Half the sources keep the order of the log, so that readers that remember meet what they remember.
        chosen = [seeds[(start + n) % len(seeds)] if count % 2 == 0 else dice.choice(seeds) for n in range(count)]
        room = 1 << 20
        records = []
        for one in chosen:
            made = mutation.mutated_record(dice, one, self._others)
            records.append(made)
            room -= len(made)
            if room < 0:
                break
        plain = container_of(importers()[format]) == "json"
        lines = (
            records if plain else [self._line(dice, format, record, one) for record, one in zip(records, chosen, strict=False)]
        )
        if container_of(importers()[format]) == "csv":
            lines.insert(0, table_header(chosen[0]))
        return mutation.source(dice, lines, plain), len(records)

    def _line(self, dice: random.Random, format: str, record: bytes, good: bytes) -> bytes:
        try:
            return as_line(format, record)
        except (msgspec.DecodeError, ValueError, AttributeError, TypeError, RecursionError):
            return mutation.damaged(dice, as_line(format, good))

    def _read(self, data: bytes, format: str | None, tally: Tally) -> None:
        try:
            source = open_source(BytesIO(data), name="fuzz", format=format)
        except NotRecognised as error:
            _sentence(str(error))
            tally.refused += 1
            return
        reader = source.importer.open()
        for order, item in enumerate(source.items()):
            if isinstance(item, Reject):
                _sentence(item.reason)
                tally.rejected += 1
            else:
                self._record(reader, item, source.format, order, tally)

    def _record(self, reader: Reader, item: RawRecord, format: str, order: int, tally: Tally) -> None:
        redacted = self._redactor.redact(item.data)
        try:
            parsed = read_record(reader, redacted.data)
        except BadRecord as error:
            _sentence(str(error))
            tally.rejected += 1
        else:
            events = prepare_events(parsed, redacted.secrets, f"rec-{order}", format, order, self._redactor)
            pack(events)
            if any(not key.value or not key.kind for event in events for key in event.keys):
                raise AssertionError("a key without a value")
            tally.read += 1
            tally.events += len(events)

    def _import(self, dice: random.Random, data: bytes, tally: Tally) -> None:
        if self._work is None:
            self._work = open_workspace(str(self._folder / "fuzz.db"), create=True)
        path = mutation.held(dice, self._folder / "source", data)
        try:
            report = import_logs(self._work, [str(path)])
        finally:
            path.unlink()
        for one in report.sources:
            if one.read != one.accepted + one.duplicate + one.rejected:
                raise AssertionError(
                    f"read {one.read}, accepted {one.accepted}, duplicate {one.duplicate}, rejected {one.rejected}"
                )
            tally.imported += one.read
        for _, reason in report.skipped:
            _sentence(reason)
        self._in_store += 1

    def put_away(self, tally: Tally, number: int, full: int = PER_STORE) -> None:
        """Chains over everything in the store once it holds so many sources; then the next store begins."""
        if self._work is None or self._in_store < full:
            return
        try:
            build(self._work)
        except Exception as error:  # noqa: BLE001  as in `case`
            self._found(tally, number, "chains", (self._folder / "fuzz.db").read_bytes(), _said(error))
        self._close()

    def _close(self) -> None:
        self._in_store = 0
        if self._work is not None:
            self._work.close()
            self._work = None
        for path in self._folder.glob("fuzz.db*"):
            path.unlink()

    def _found(self, tally: Tally, number: int, format: str, data: bytes, what: str) -> None:
        kept = self._folder.parent / "found" / f"case-{number}"
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(data)
        tally.findings.append(Finding(number, format, what, str(kept)))


def _sentence(text: str) -> None:
    if not text.strip():
        raise AssertionError("a refusal without a reason")


def _said(error: BaseException) -> str:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if str(ROOT) in frame.filename and "/.venv/" not in frame.filename
    ]
    where = " < ".join(f"{Path(f.filename).relative_to(ROOT)}:{f.lineno}" for f in reversed(frames[-4:]))
    return f"{type(error).__name__}: {str(error)[:200]} at {where}"


def worker(
    number: int, of: int, records: int, seed: str, seeds: Seeds, folder: Path, at: Synchronized[int], out: Connection
) -> None:
    """Cases `number`, `number + of`, ... until this many records were made; tells the tallies by format."""
    faulthandler.enable()
    os.environ["REMIT_PSEUDONYM_KEY"] = KEY.hex()
    mine = folder / f"worker-{number}"
    mine.mkdir(exist_ok=True)
    fuzz, tallies, made, case = Fuzz(seed, seeds, mine), dict[str, Tally](), 0, number
    while made < records:
        at.value = case
        format, tally = fuzz.case(case)
        fuzz.put_away(tally, case)
        tallies.setdefault(format, Tally()).add(tally)
        made += tally.records
        case += of
    last = Tally()
    fuzz.put_away(last, case, 1)
    tallies["chains"] = last
    out.send((tallies, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    out.close()


def run(records: int, seed: str, seeds: Seeds, workers: int, folder: Path) -> tuple[dict[str, Tally], int]:
    """All cases over so many processes: tallies by format, and the most memory one of them took, in MB."""
    fork = multiprocessing.get_context("fork")
    running = []
    for number in range(workers):
        at = fork.Value("q", 0)
        mine, theirs = fork.Pipe(duplex=False)
        share = -(-records // workers)
        process = fork.Process(target=worker, args=(number, workers, share, seed, seeds, folder, at, theirs))
        process.start()
        theirs.close()
        running.append((process, at, mine))
    total: dict[str, Tally] = {format: Tally() for format in seeds}
    memory = 0
    for process, at, mine in running:
        try:
            tallies, most = mine.recv()
        except EOFError:
            process.join()
            tallies, most = (
                {"process": Tally(findings=[Finding(at.value, "process", f"ended by itself, exit code {process.exitcode}")])},
                0,
            )
        process.join()
        memory = max(memory, most)
        for format, tally in tallies.items():
            total.setdefault(format, Tally()).add(tally)
    return total, memory


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000, help="how many damaged records (default: a million)")
    parser.add_argument("--seed", default="1", help="which million")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--no-corpus", action="store_true", help="only records that come with the project")
    parser.add_argument("--case", type=int, help="this one case again")
    args = parser.parse_args()
    corpus = None if args.no_corpus else corpus_folder()
    seeds = gathered(corpus)
    missing = [format for format, some in seeds.items() if not some]
    print(
        f"{sum(map(len, seeds.values()))} good records of {len(seeds)} formats, {'with' if corpus else 'without'} the corpus",
        flush=True,
    )
    folder = Path(tempfile.mkdtemp(prefix="remit-fuzz-"))
    if args.case is not None:
        os.environ["REMIT_PSEUDONYM_KEY"] = KEY.hex()
        (folder / "one").mkdir()
        format, tally = Fuzz(args.seed, seeds, folder / "one").case(args.case)
        print(format, tally)
        return bool(tally.findings)
    begun = time.monotonic()
    total, memory = run(args.records, args.seed, seeds, args.workers, folder)
    printed(total, memory, time.monotonic() - begun, args.seed, missing)
    return 1 if missing or any(tally.findings for tally in total.values()) else 0


def printed(total: dict[str, Tally], memory: int, seconds: float, seed: str, missing: list[str]) -> None:
    names = ("cases", "records", "read", "rejected", "refused", "events", "imported")
    print(f"{'format':<22}" + "".join(f"{name:>11}" for name in names) + "   slowest source")
    summed = Tally()
    for format, tally in sorted(total.items()):
        summed.add(tally)
        if tally.cases:
            print(f"{format:<22}" + "".join(f"{getattr(tally, name):>11,}" for name in names) + f"   {tally.slowest:.2f} s")
    print(f"{'all':<22}" + "".join(f"{getattr(summed, name):>11,}" for name in names) + f"   {summed.slowest:.2f} s")
    print(f"\n{seconds:.0f} s, at most {memory} MB in one process, {len(summed.findings)} findings")
    for format in missing:
        print(f"no good record of {format}: write one in its test")
    seen: Counter[str] = Counter()
    for one in summed.findings:
        seen[one.what] += 1
        if seen[one.what] <= 3:
            print(
                f"{one.format}: {one.what}\n  again: python -m benchmarks.fuzz --seed {seed} --case {one.case}   bytes: {one.kept}"
            )


if __name__ == "__main__":
    sys.exit(main())
