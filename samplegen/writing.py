"""Writing the logs: transcripts whole, everybody else's records merged in order of time, in bounded memory."""

from __future__ import annotations

import json
from heapq import heappop, heappush
from pathlib import Path
from typing import BinaryIO

from samplegen.records import Bundle, Record
from samplegen.scene import Noise
from samplegen.truth import TruthWriter

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
SUFFIXES = {"opa-decisions": ".jsonl", "vault-audit": ".log", "github-audit": ".ndjson"}
"""How each log's file is called; the rest are `.ndjson`, CloudTrail `.json`."""

LOG_FILES = (
    *("claude-code-*.jsonl", "codex-*.jsonl", "claude-code/*/claude-code-*.jsonl", "codex/*/codex-*.jsonl"),
    *("opa-decisions*.jsonl", "vault-audit*.log", "github-audit*.ndjson", "cloudtrail-*.json"),
    *("mcp-gateway-events*.ndjson", "ci-events*.ndjson", "package-registry-events*.ndjson", "ticketing-events*.ndjson"),
)
"""How all files of logs are called."""

CHUNK = 200_000
CHUNK_ARRAY = 50_000
FLAT = 2_000


class _Log:
    """One log, cut into chunks; CloudTrail's are single objects around an array."""

    def __init__(self, out: Path, name: str) -> None:
        self.out = out
        self.name = name
        self.array = name.startswith("cloudtrail")
        self.waiting: list[tuple[int, int, Record]] = []
        self._file: BinaryIO | None = None
        self._chunk = 0
        self._lines = 0
        self.path = ""

    def write(self, record: Record) -> None:
        if self._file is None or self._lines >= (CHUNK_ARRAY if self.array else CHUNK):
            self._next()
        assert self._file is not None
        text = record.text
        record.text = b""
        record.file = self.path
        self._lines += 1
        if self.array:
            self._file.write(text if self._lines == 1 else b"," + text)
            record.line, record.index = 1, self._lines
        else:
            self._file.write(text + b"\n")
            record.line = self._lines

    def _next(self) -> None:
        self.close()
        self._chunk += 1
        suffix = ".json" if self.array else SUFFIXES.get(self.name, ".ndjson")
        self.path = f"{self.name}{suffix}" if self._chunk == 1 else f"{self.name}-{self._chunk:04d}{suffix}"
        self._file = (self.out / self.path).open("wb")
        self._lines = 0
        if self.array:
            self._file.write(b'{"Records":[')

    def close(self) -> None:
        if self._file is not None:
            if self.array:
                self._file.write(b"]}\n")
            self._file.close()
            self._file = None


class Sink:
    """Takes bundles in order of their start; what can no longer be overtaken is written."""

    def __init__(self, out: Path, noise: Noise, truth: TruthWriter | None, many: bool) -> None:
        self.out = out
        self.noise = noise
        self.truth = truth
        self.many = many
        self.records = 0
        self._logs: dict[str, _Log] = {}
        self._owner: dict[int, Bundle] = {}
        self._serial = 0
        self._sessions: dict[str, int] = {}

    def take(self, bundle: Bundle) -> None:
        self.advance(bundle.start)
        for transcript in bundle.transcripts:
            if transcript.source in self.noise.drop:
                continue
            self._transcript(transcript.source, transcript.name, transcript.records)
        bundle.records = [r for r in bundle.records if r.source not in self.noise.drop]
        bundle.waiting = len(bundle.records)
        for record in bundle.records:
            self._serial += 1
            record.text = _ENCODE(record.data).encode()
            record.data = None
            self._owner[self._serial] = bundle
            log = self._logs.get(record.log)
            if log is None:
                log = self._logs[record.log] = _Log(self.out, record.log)
            heappush(log.waiting, (record.at, self._serial, record))
        bundle.settle_twins()
        bundle.settle_ties()
        if not bundle.waiting:
            self._done(bundle)

    def advance(self, to: int | None) -> None:
        """Write everything before `to`; all that waits if it is None."""
        for name in sorted(self._logs):
            log = self._logs[name]
            waiting = log.waiting
            while waiting and (to is None or waiting[0][0] < to - _EARLIER):
                _, serial, record = heappop(waiting)
                log.write(record)
                self.records += 1
                bundle = self._owner.pop(serial)
                bundle.waiting -= 1
                if not bundle.waiting:
                    self._done(bundle)

    def close(self) -> None:
        self.advance(None)
        for log in self._logs.values():
            log.close()

    def _transcript(self, source: str, name: str, records: list[Record]) -> None:
        path = name + ".jsonl"
        if self.many:
            n = self._sessions[source] = self._sessions.get(source, 0) + 1
            folder = f"{source}/{n // 1000:04d}"
            if n % 1000 == 0 or n == 1:
                (self.out / folder).mkdir(parents=True, exist_ok=True)
            path = f"{folder}/{path}"
        lines = []
        for n, record in enumerate(records, 1):
            lines.append(_ENCODE(record.data))
            record.data = None
            record.file, record.line = path, n
        self.records += len(lines)
        (self.out / path).write_bytes(("\n".join(lines) + "\n").encode())

    def _done(self, bundle: Bundle) -> None:
        if self.truth is not None:
            self.truth.add(bundle)


_EARLIER = 50 * 60_000_000
"""How long before its start a story may have records: a ticket is older than the task."""
