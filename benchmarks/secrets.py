"""Planted secrets of every kind in five contexts through the real import, and a search for them in every byte it left.

`python -m benchmarks.secrets` writes logs of five sorts (a coding agent's JSON, a user's mapping, key=value text, a member
of an archive, a database's table), each with every planted secret in every context, and imports them by the command
line into one store. Searched are the store's files and its write-ahead log as they were at any moment, every record and
block opened again, the temporary directory while the import ran, what the commands printed, exports and a report.
With the corpus beside the checkout it then counts what is replaced there, and how much of it surely is no secret.
Exits with 1 where a secret survived.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import zstandard
from ahocorasick_rs import BytesAhoCorasick, Implementation

from benchmarks.seeds import ROOT, corpus_folder
from importers import NotRecognised, open_source
from lang.redact import Redactor, Secret
from lang.redact_scan import Found
from model.event import RawRecord
from review.intake.found import Missing
from review.intake.walking import walk
from tests.redact_planted import Planted, core, planted, private_key, token_jwt

SESSION = "3a1b7c52-0c0e-4a59-9d1b-6f0c5a3d7e11"
PART = 16
COMMANDS: tuple[tuple[str, ...], ...] = (
    *((name, "--json") for name in ("tasks", "findings", "credentials", "coverage", "sources", "identities", "journal")),
    ("search", "deploy", "--json"),
    ("import", "--preview", "{logs}/session.jsonl", "--json"),
    ("store", "export"),
    ("report", "--out", "{out}/pack"),
)
"""What is asked of the store after the import, everything printed being searched."""

MAPPING = """\
mapping: 1
id: planted-desk
title: A help desk's calls
evidence: documentation
recognise: {has: [desk, op, at]}
requires: [op, at]
time: at
identity: id
event: {kind: action, phase: call, vantage: agent, point: desk, verb: exec, text: =words, attrs: {command: =command, url: =url, output: =out}}
events:
  - otherwise: true
    tool: =op
"""


def items() -> list[Planted]:
    """What is planted: every kind of token and of named value, and whole keys in several notations."""
    out = planted()
    out += [
        Planted(f"pem {kind.strip().lower() or 'pkcs8'}", private_key(kind)) for kind in ("RSA ", "EC ", "OPENSSH ", "DSA ", "")
    ]
    return [*out, Planted("jwt", token_jwt({"sub": "agent-1", "jti": "1f0c9e-77aa"}))]


def contexts() -> dict[str, Callable[[Planted], Any]]:
    """Where a secret stands: name of the context -> what is written, text or a JSON value."""

    def name(item: Planted) -> str:
        return item.name or "API_TOKEN"

    def flag(item: Planted) -> str:
        return name(item).lower().replace("_", "-")

    def header(item: Planted) -> str:
        head = f"X-{name(item).replace('_', '-')}: " if item.name else "Authorization: Bearer "
        return f"GET /v1/x HTTP/1.1\r\nHost: api.example\r\n{head}{item.value}\r\nAccept: */*\r\n"

    return {
        "JSON member": lambda item: {"region": "eu", name(item): item.value, "retries": 3},
        "command line": lambda item: f"cd /srv/app && deploy --env prod --{flag(item)} '{item.value}' && echo done",
        "HTTP header": header,
        "URL": lambda item: f"https://api.example/v1/things?page=2&{name(item)}={quote(item.value, safe='')}&sort=up",
        "lines of text": lambda item: f"# environment\nREGION=eu\nexport {name(item)}={item.value}\nDEBUG=0\n",
    }


def plants(chosen: list[Planted]) -> Iterator[tuple[int, str, Any]]:
    """Every chosen item in every context: a number, the context, what is written."""
    number = 0
    for context, write in contexts().items():
        for item in chosen:
            yield number, context, write(item)
            number += 1


def _words(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def agent_log(folder: Path, chosen: list[Planted]) -> None:
    """Claude Code: each secret in a prompt, in a call and in what came back."""
    with (folder / "session.jsonl").open("w") as out:
        for number, _, value in plants(chosen):
            call, words = f"toolu_{number}", _words(value)
            given = {"command": words} if isinstance(value, str) else value
            rows: list[dict[str, Any]] = [
                {"type": "user", "message": {"role": "user", "content": f"Use this: {words}"}},
                {
                    "type": "assistant",
                    "message": {
                        "role": "assistant",
                        "content": [{"type": "tool_use", "id": call, "name": "Bash", "input": given}],
                    },
                },
                {
                    "type": "user",
                    "message": {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call, "content": words}]},
                    "toolUseResult": {"stdout": words, "env": value},
                },
            ]
            for place, row in enumerate(rows):
                stamp = f"2026-03-17T10:{number // 60 % 60:02}:{number % 60:02}.000Z"
                uuid = f"{number:08x}-{place:04x}-4000-8000-{number:012x}"
                print(
                    json.dumps(
                        {**row, "uuid": uuid, "sessionId": SESSION, "timestamp": stamp, "cwd": "/srv/app", "version": "2.1.0"}
                    ),
                    file=out,
                )


def mapped_log(folder: Path, chosen: list[Planted]) -> None:
    with (folder / "desk.ndjson").open("w") as out:
        for number, context, value in plants(chosen):
            row = {
                "desk": "d",
                "op": "run",
                "at": "2026-03-17T10:00:00Z",
                "id": f"m{number}",
                "words": _words(value),
                "raw": value,
            }
            place = {"URL": "url", "command line": "command"}.get(context, "out")
            print(json.dumps({**row, place: _words(value)}), file=out)


def text_log(folder: Path, chosen: list[Planted]) -> None:
    """Leash: the value quoted as logfmt writers quote."""
    with (folder / "leash.log").open("w") as out:
        for number, _, value in plants(chosen):
            quoted = json.dumps(_words(value), ensure_ascii=False)
            print(
                f"time=2026-03-17T10:00:{number % 60:02}Z event=proc.exec pid={number} argv={quoted} path=/bin/sh decision=allowed",
                file=out,
            )


def archived_log(folder: Path, chosen: list[Planted]) -> None:
    """Codex, as a member of a zip archive."""
    rows = [
        {
            "timestamp": "2026-03-17T10:00:00Z",
            "type": "session_meta",
            "payload": {"id": SESSION, "timestamp": "2026-03-17T10:00:00Z", "cwd": "/srv"},
        }
    ]
    for number, _, value in plants(chosen):
        given = json.dumps({"command": ["bash", "-lc", _words(value)], "env": value if isinstance(value, dict) else {}})
        for payload in (
            {"type": "function_call", "name": "shell", "arguments": given, "call_id": f"call_{number}"},
            {
                "type": "function_call_output",
                "call_id": f"call_{number}",
                "output": json.dumps({"output": _words(value), "metadata": {"exit_code": 0}}),
            },
        ):
            rows.append({"timestamp": f"2026-03-17T10:00:{number % 60:02}Z", "type": "response_item", "payload": payload})
    with zipfile.ZipFile(folder / "rollouts.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rollout.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def table_log(folder: Path, chosen: list[Planted]) -> None:
    """opencode's database: parts of messages, the JSON in a column of text, the last of them in the write-ahead log only."""
    with closing(sqlite3.connect(folder / "opencode.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, time_created INT, time_updated INT, data TEXT)"
        )
        for number, _, value in plants(chosen):
            state = {
                "status": "completed",
                "input": value if isinstance(value, dict) else {"command": value},
                "output": _words(value),
                "title": "run",
                "metadata": {},
                "time": {"start": 1773741600000, "end": 1773741600001},
            }
            data = {"type": "tool", "tool": "bash", "callID": f"c{number}", "state": state}
            database.execute(
                "INSERT INTO part VALUES (?,?,?,?,?,?)",
                (f"prt_{number}", f"msg_{number}", "ses_1", 1773741600000, 1773741600000, json.dumps(data)),
            )
        database.commit()
        for end in ("", "-wal"):
            (folder / f"copy.db{end}").write_bytes((folder / f"opencode.db{end}").read_bytes())
    for end in ("", "-wal", "-shm"):
        (folder / f"opencode.db{end}").unlink(missing_ok=True)


FORMS: dict[str, Callable[[Path, list[Planted]], None]] = {
    "agent's JSON": agent_log,
    "user's mapping": mapped_log,
    "key=value text": text_log,
    "archive member": archived_log,
    "database table": table_log,
}


class Searched:
    """Looks for planted secrets in bytes, as they are, percent-encoded, and with JSON's escapes."""

    def __init__(self, chosen: list[Planted]) -> None:
        self._parts: list[bytes] = []
        self._kinds: list[str] = []
        for item in chosen:
            secret = core(item).strip()
            middle = max(0, len(secret) // 2 - PART // 2)
            if "PRIVATE KEY" in secret:
                middle = secret.index("\n", 200) + 1
            part = secret[middle : middle + PART]
            for told in {part, quote(part, safe=""), part.replace("/", "\\/")}:
                self._parts.append(told.encode())
                self._kinds.append(item.kind)
        self._search = BytesAhoCorasick(self._parts, implementation=Implementation.DFA)
        self.places: dict[str, set[str]] = defaultdict(set)
        self.bytes = 0

    def look(self, place: str, data: bytes) -> int:
        """How many were found; they are kept under this place."""
        self.bytes += len(data)
        found = {self._kinds[index] for index, _, _ in self._search.find_matches_as_indexes(data)}
        for kind in found:
            self.places[kind].add(place)
        return len(found)

    def planted_in(self, data: bytes) -> set[str]:
        return {self._kinds[index] for index, _, _ in self._search.find_matches_as_indexes(data)}


class Watch(threading.Thread):
    """Reads every file that stands in some folders, again and again, until told to stop."""

    def __init__(self, folders: list[Path], searched: Searched) -> None:
        super().__init__(daemon=True)
        self._folders = folders
        self._searched = searched
        self._seen: dict[Path, tuple[int, int]] = {}
        self._over = threading.Event()
        self.files: set[str] = set()
        self.copies = 0

    def run(self) -> None:
        while not self._over.is_set():
            self.once()
            time.sleep(0.002)

    def once(self) -> None:
        for folder in self._folders:
            for path in folder.rglob("*"):
                try:
                    state = path.stat()
                    mark = (state.st_size, state.st_mtime_ns)
                    if not path.is_file() or self._seen.get(path) == mark:
                        continue
                    self._seen[path] = mark
                    data = path.read_bytes()
                except OSError:
                    continue
                self.files.add(path.name)
                if path.parent.name.startswith("remit-") and path.name.startswith("copy.db"):
                    # The private copy that a database is read from is the user's own file; it must be gone again.
                    self.copies += 1
                else:
                    self._searched.look(f"while importing: {path.relative_to(folder)}", data)

    def stop(self) -> None:
        self._over.set()
        self.join()
        self.once()


def remit(environment: dict[str, str], store: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "cli.main", "--store", str(store), *(str(one) for one in arguments)]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=False)


def import_all(
    folder: Path, chosen: list[Planted], commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> tuple[Searched, int, Watch]:
    """Plants, imports and searches: what survived where, how many records were taken, and what was watched."""
    logs, out, temporary = folder / "logs", folder / "out", folder / "tmp"
    for one in (logs, out, temporary):
        one.mkdir(parents=True)
    (folder / "desk.yaml").write_text(MAPPING)
    for write in FORMS.values():
        write(logs, chosen)
    environment = os.environ | {"TMPDIR": str(temporary), "REMIT_PSEUDONYM_KEY": "5e" * 32, "XDG_DATA_HOME": str(folder / "data"),
                                "XDG_CONFIG_HOME": str(folder / "config"), "SQLITE_TMPDIR": str(temporary)}  # fmt: skip
    for name in ("REMIT_STORE", "REMIT_ORG"):
        environment.pop(name, None)
    searched, store = Searched(chosen), out / "s.db"
    missing = {item.kind for item in chosen} - searched.planted_in(b"\0".join(p.read_bytes() for p in logs.iterdir()))
    if missing:
        raise SystemExit(f"never planted: {sorted(missing)}")
    watch = Watch([temporary, out], searched)
    watch.start()
    accepted = 0
    mapped = logs / "desk.ndjson"
    imports: list[list[str | Path]] = [
        [*sorted(p for p in logs.iterdir() if p != mapped and not p.name.endswith("-wal"))],
        [mapped, "--mapping", folder / "desk.yaml"],
    ]
    for named in imports:
        ran = remit(environment, store, "import", *named, "--json")
        searched.look("printed by import", ran.stdout + ran.stderr)
        if ran.returncode not in (0, 1):
            raise SystemExit(f"import ended with {ran.returncode}: {ran.stderr.decode()[-500:]}")
        report = json.loads(ran.stdout)
        accepted += report["totals"]["accepted"]
        if report["skipped"] or report["totals"]["rejected"]:
            raise SystemExit(f"not read: {report['skipped']} {[s['rejects'][:3] for s in report['sources']]}")
    watch.stop()
    if left := [p for p in temporary.rglob("*") if p.is_file()]:
        raise SystemExit(f"left in the temporary directory: {left}")
    for command in commands:
        arguments = [word.format(logs=logs, out=out) for word in command]
        ran = remit(environment, store, *arguments)
        if ran.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with {ran.returncode}: {ran.stderr.decode()[-500:]}")
        searched.look(f"printed by {arguments[0]}", ran.stdout + ran.stderr)
    for path in out.rglob("*"):
        if path.is_file():
            searched.look(path.relative_to(out).as_posix(), path.read_bytes())
    for place, data in opened(store):
        searched.look(place, data)
    return searched, accepted, watch


def opened(store: Path) -> Iterator[tuple[str, bytes]]:
    """Every cell of a store, its compressed blocks opened."""
    with closing(sqlite3.connect(store)) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    data = cell.encode("utf-8", "surrogatepass") if isinstance(cell, str) else cell
                    if not isinstance(data, bytes):
                        continue
                    yield f"table {table}", data
                    if data[:4] == b"\x28\xb5\x2f\xfd":
                        yield f"table {table}, opened", zstandard.ZstdDecompressor().decompress(data, max_output_size=1 << 28)


# False alarms


class Told(Redactor):
    """A redactor that counts what it replaces, by kind and by why it is surely no secret."""

    def __init__(self) -> None:
        super().__init__(b"k" * 32)
        self.replaced: Counter[str] = Counter()
        self.wrong: Counter[tuple[str, str]] = Counter()
        self.distinct: dict[str, set[bytes]] = defaultdict(set)

    def _secret(self, item: Found) -> Secret:
        self.replaced[item.kind] += 1
        self.distinct[item.kind].add(item.value)
        if item.kind not in _STATED and (reason := no_secret(item.value)):
            self.wrong[item.kind, reason] += 1
        return super()._secret(item)


_STATED = ("kubernetes-secret",)
"""Kinds whose place says outright that they are secrets, whatever they look like."""

_NO_SECRETS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (
        "placeholder",
        re.compile(
            rb"(?i)^(?:.*(?:example|placeholder|change[-_]?me|your[-_]|redacted|\*{4}|x{6}|<[a-z _-]+>|\.{3}).*"
            rb"|\$\{?\w+\}?|\{\{.*|%\w+%)$",
            re.DOTALL,
        ),
    ),
    ("id", re.compile(rb"^(?:\d+|(?:toolu|msg|req|call|prt|ses|evt|run)_\w+)$")),
    ("digest", re.compile(rb"^(?:hmac-)?sha\d+[:-].*$")),
    ("path", re.compile(rb"^(?:(?:~|\.{1,2})?/[a-z_.-]+/[a-z_./-]*|[A-Za-z]:\\.*)$")),
    (
        "code",
        re.compile(
            rb"^(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*[(\[].*|(?:process|os|self|this|config|env)\..*|[a-z_]+\.[a-z_.]+)$", re.DOTALL
        ),
    ),
    ("word", re.compile(rb"^(?:[a-z]{1,24}|[A-Z]{1,24}|[A-Z][a-z]{1,24}|[a-z]+(?:[-_ ][a-z]+)+)$")),
)


def no_secret(value: bytes) -> str:
    """Why a replaced value surely is no secret; "" where it may be one. A UUID or bare hexadecimal digits may be."""
    return next((reason for reason, pattern in _NO_SECRETS if pattern.match(value[:400])), "")


def alarms(corpus: Path) -> tuple[Told, int, int]:
    """What is replaced in every readable file of the corpus, in how many records of how many bytes."""
    told, records, size = Told(), 0, 0
    for found in walk([str(corpus)]):
        if isinstance(found, Missing):
            continue
        try:
            with found.open() as stream:
                for item in open_source(stream, name=found.name).items():
                    if isinstance(item, RawRecord):
                        told.redact(item.data)
                        records += 1
                        size += len(item.data)
        except (NotRecognised, OSError):
            continue
    return told, records, size


def print_alarms(told: Told, records: int, size: int) -> None:
    total, wrong = told.replaced.total(), told.wrong.total()
    print(
        f"\ncorpus: {total:,} replacements in {records:,} records ({1000 * total / max(1, records):.1f} per 1,000; {size / 1e6:.0f} MB)"
    )
    print(
        f"surely no secret, judged by rule: {wrong:,} of {total:,} ({100 * wrong / max(1, total):.1f} %), {1000 * wrong / max(1, records):.2f} per 1,000 records"
    )
    print(f"  {'kind':<26}{'replaced':>9}{'distinct':>9}{'no secret':>11}   why")
    for kind, count in told.replaced.most_common():
        why = {reason: n for (one, reason), n in told.wrong.items() if one == kind}
        print(
            f"  {kind:<26}{count:>9,}{len(told.distinct[kind]):>9,}{sum(why.values()):>11,}   {', '.join(f'{r} {n}' for r, n in why.items())}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, help="a folder for logs and store, to look at afterwards")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="planted-") as temporary:
        searched, accepted, watch = import_all((args.keep or Path(temporary)) / "run", items())
    kinds = {item.kind for item in items()}
    print(
        f"{len(kinds)} kinds x {len(contexts())} contexts x {len(FORMS)} forms of log = {len(kinds) * len(contexts()) * len(FORMS):,} plants, {accepted:,} records"
    )
    print(
        f"searched {searched.bytes / 1e6:,.0f} MB in {len(watch.files)} files while importing, everything printed, exported and stored"
    )
    print(f"survivors: {len(searched.places)}")
    for kind, places in sorted(searched.places.items()):
        print(f"  {kind}: {', '.join(sorted(places)[:4])}")
    corpus = corpus_folder()
    if corpus is None:
        print("\nno corpus beside this checkout (../shared/corpus): false alarms were not counted")
    else:
        print_alarms(*alarms(corpus))
    return 1 if searched.places else 0


if __name__ == "__main__":
    sys.exit(main())
