"""What a store holds depends on the records alone: not on order, pieces, repetition, a crash or the database; and no secret is in it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from review.derive.building import told_skews
from review.sitting.demo import NOT_LOGS
from samplegen import Noise, generate
from store import open_store
from tests.planted_records import RECORDS, filled
from tests.redact_planted import Planted, core, planted
from tests.running import (
    DRAFT,
    ORG,
    SAMPLE,
    Day,
    finish,
    listings,
    ok,
    report_files,
    run,
    sample_day,
    sample_logs,
    start,
)

pytestmark = pytest.mark.usefixtures("alone")

ORDERS = int(os.environ.get("REMIT_TEST_ORDERS", "3"))
"""How many random orders are tried; 20 and more by hand."""

SHARED = [path for path in sample_logs() if not path.name.startswith(("claude-code", "codex"))]
"""The logs of the systems that agents act on; every other one is of a single session."""

KILLS = int(os.environ.get("REMIT_TEST_KILLS", "3"))
"""At how many random moments an import is killed; 20 and more by hand."""


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return sample_day(tmp_path_factory)


@pytest.fixture(scope="session")
def told(day: Day) -> dict[str, str]:
    """The listings of the day as imported in one go."""
    return listings(day.store)


@pytest.fixture(scope="session")
def whole(day: Day) -> str:
    """The content of the day as imported in one go."""
    return content(day.store)


@pytest.fixture(scope="session")
def reported(day: Day, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The report of the day as imported in one go."""
    return report_files(day.store, tmp_path_factory.mktemp("reported") / "pack")


def take(store: str | Path, *paths: str | Path) -> dict[str, Any]:
    """Import these and give the totals."""
    totals: dict[str, Any] = ok("--store", store, "--org", ORG, "import", *paths, "--json").json["totals"]
    return totals


def content(store: str | Path) -> str:
    """Everything derived, and what each source is reconciled to."""
    return ok("--store", store, "--org", ORG, "store", "export").out + ok("--store", store, "--org", ORG, "sources", "--json").out


def pieces(paths: list[Path], dice: random.Random, size: int) -> Iterator[list[Path]]:
    """A shuffled list in pieces of at most this size: 1 is one by one."""
    dice.shuffle(paths)
    while paths:
        count = dice.randint(1 + size // 2, size)
        yield paths[:count]
        del paths[:count]


# order


@pytest.mark.parametrize("number", range(ORDERS))
def test_the_order_of_import_changes_no_byte(
    told: dict[str, str], whole: str, reported: dict[str, bytes], tmp_path: Path, number: int
) -> None:
    dice = random.Random(f"order {number}")
    store = tmp_path / "s.db"
    for some in pieces(sample_logs(), dice, (100, 30, 1, 7)[number % 4]):
        take(store, *some)
    assert content(store) == whole
    # Equal content is what listings and reports are made of, so that they too are equal need be shown once.
    if number == 0:
        assert listings(store) == told
        assert report_files(store, tmp_path / "ours") == reported


def test_a_directory_is_as_good_as_its_files(told: dict[str, str], tmp_path: Path) -> None:
    store = tmp_path / "s.db"
    assert take(store, SAMPLE)["rejected"] == 0
    assert listings(store) == told


def test_the_truth_beside_the_logs_is_never_read(whole: str, tmp_path: Path) -> None:
    ran = run("--store", tmp_path / "s.db", "import", SAMPLE / "truth.json", "--json")
    assert ran.code == 3 and ran.json["sources"] == []
    assert "truth.json" not in whole


# repetition and pieces


def test_a_second_import_adds_nothing(day: Day, whole: str, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    seen = day.imported["totals"]
    paths = sample_logs()
    random.Random("again").shuffle(paths)
    totals = take(mine.store, *paths)
    assert (totals["accepted"], totals["events"], totals["rejected"]) == (0, 0, 0)
    assert totals["duplicate"] == totals["read"] == seen["read"]
    assert {name: totals[name] for name in ("tasks", "steps", "findings")} == {
        name: seen[name] for name in ("tasks", "steps", "findings")
    }
    assert derived(content(mine.store)) == derived(whole)


def derived(said: str) -> list[str]:
    """The derived lines of `content`, without the sources: these count the duplicates of every delivery."""
    return [line for line in said.splitlines() if line.startswith('{"kind"')]


@pytest.mark.parametrize("number", range(1 + ORDERS // 5))
def test_growing_files_end_as_whole_ones(told: dict[str, str], reported: dict[str, bytes], tmp_path: Path, number: int) -> None:
    dice = random.Random(f"growth {number}")
    folder, store = tmp_path / "logs", tmp_path / "s.db"
    folder.mkdir()
    for share in (dice.uniform(0.1, 0.5), dice.uniform(0.5, 0.9), 1.0):
        for path in sample_logs():
            (folder / path.name).write_bytes(beginning(path, share))
        take(store, folder)
    assert listings(store) == told
    assert report_files(store, tmp_path / "ours") == reported


def beginning(path: Path, share: float) -> bytes:
    """The first part of a log, as it stood earlier that day: whole lines, or a shorter array."""
    data = path.read_bytes()
    if share == 1.0:
        return data
    if path.name.startswith("cloudtrail"):
        records = json.loads(data)["Records"]
        end = data.index(json.dumps(records[max(1, int(len(records) * share))]["eventID"]).encode())
        # Cut after the last whole record before this one, and close array and object.
        return data[: data.rindex(b"},{", 0, end)] + b"}]}"
    lines = data.splitlines(keepends=True)
    return b"".join(lines[: max(1, int(len(lines) * share))])


@pytest.mark.parametrize("number", range(ORDERS))
def test_after_any_split_the_content_is_a_rebuilds(day: Day, tmp_path: Path, number: int) -> None:
    dice = random.Random(f"split {number}")
    store = tmp_path / "s.db"
    # The logs of the systems acted on first and a few agents' after them, or any other way round.
    chosen = SHARED + dice.sample([path for path in sample_logs() if path not in SHARED], 20)
    for some in pieces(chosen, dice, 10):
        take(store, *some)
    pieced = content(store)
    # Reading the events again ends in the other rebuild, so that one by itself need be shown once.
    if number == 0:
        ok("--store", store, "--org", ORG, "store", "rebuild", "--json")
        assert content(store) == pieced
    ok("--store", store, "--org", ORG, "store", "rebuild", "--events", "--json")
    assert content(store) == pieced
    assert ok("--store", store, "store", "check", "--json").json["problems"] == []


def test_a_wrong_clock_is_found_and_put_right_in_whatever_pieces_it_comes(told: dict[str, str], tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    generate(logs, noise=Noise(skew={"github": 120, "vault": -45}))
    paths = [path for path in logs.iterdir() if path.name not in NOT_LOGS]
    whole = tmp_path / "whole.db"
    take(whole, *paths)
    with open_store(str(whole)) as store:
        assert told_skews(store) == {"github:harbour-lane": 120_000_000, "vault": -45_000_000}
    listed, held = listings(whole), content(whole)
    for number in range(2):
        store = tmp_path / f"{number}.db"
        for some in pieces(list(paths), random.Random(f"clocks {number}"), 40):
            take(store, *some)
        assert content(store) == held

    def found(said: dict[str, str]) -> list[tuple[str, str]]:
        rows = [
            row for row in json.loads(said["findings"]) if not row["blind_spot"] and not row["why"].startswith("the clock of")
        ]
        return sorted((row["detection"], row["task"]) for row in rows)

    assert found(listed) == found(told)


def test_the_same_file_under_two_names_is_counted_once(tmp_path: Path, told: dict[str, str]) -> None:
    first, second = tmp_path / "1.db", tmp_path / "2.db"
    copy = tmp_path / "a-copy-of-vault.log"
    copy.write_bytes((SAMPLE / "vault-audit.log").read_bytes())
    paths = sample_logs()
    take(first, *paths, copy)
    take(second, copy, *reversed(paths))
    listed = listings(first)
    assert listed == listings(second)
    ids = [[row["id"] for row in json.loads(listed[name])] for name in ("tasks", "findings", "credentials")]
    assert ids == [[row["id"] for row in json.loads(told[name])] for name in ("tasks", "findings", "credentials")]


# a crash


def test_a_killed_import_is_completed_by_the_next(tmp_path: Path) -> None:
    dice = random.Random("kill")
    chosen = [*SHARED, *dice.sample([path for path in sample_logs() if path not in SHARED], 15)]
    words = ("--org", ORG, "import", *chosen, "--json")
    begun = time.monotonic()
    assert finish(start("--store", tmp_path / "first.db", *words)).code == 0
    length = time.monotonic() - begun
    whole = derived(content(tmp_path / "first.db"))
    killed = 0
    for number in range(KILLS):
        store = tmp_path / f"{number}.db"
        process = start("--store", store, *words, stdout=subprocess.DEVNULL)
        try:
            process.communicate(timeout=dice.uniform(0.1, 0.95) * length)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            killed += 1
        take(store, *chosen)
        assert derived(content(store)) == whole
        assert ok("--store", store, "store", "check", "--json").json["problems"] == []
    assert killed


# databases


def test_postgresql_filled_by_two_importers_at_once_says_what_sqlite_says(
    postgresql_url: str, day: Day, told: dict[str, str], whole: str, reported: dict[str, bytes], tmp_path: Path
) -> None:
    dice = random.Random("postgresql")
    paths = sample_logs()
    dice.shuffle(paths)
    # Each reads what the other reads too, from opposite ends, and a third of the files only one of them.
    third = len(paths) // 3
    words = ("--store", postgresql_url, "--org", ORG, "import")
    both = [
        start(*words, *some, "--json", stdout=subprocess.DEVNULL) for some in (paths[: 2 * third], list(reversed(paths[third:])))
    ]
    assert [finish(one).code for one in both] == [0, 0]
    assert ok("--store", postgresql_url, "store", "check", "--json").json["problems"] == []
    assert listings(postgresql_url) == told
    assert derived(content(postgresql_url)) == derived(whole)
    assert report_files(postgresql_url, tmp_path / "ours") == reported
    asked = ("--org", ORG, "policy", "dry-run", DRAFT, "--json")
    assert ok("--store", postgresql_url, *asked).out == ok("--store", day.store, *asked).out
    for words in (
        ["coverage"],
        ["identities"],
        ["tasks", "--filter", "agent:codex risk:>0"],
        ["tasks", "--sort", "title"],
        ["search", "push"],
    ):
        said = [ok("--store", url, "--org", ORG, *words, "--json").out for url in (postgresql_url, str(day.store))]
        assert said[0] == said[1], words


# secrets


def text_of(item: Planted) -> str:
    return f"{item.name}={item.value}" if item.name else f"it is {item.value} I think"


def _claude_code(record: dict[str, Any], item: Planted) -> None:
    message = record.get("message")
    if isinstance(message, dict) and isinstance(message.get("content"), str):
        message["content"] += "\n" + text_of(item)
    elif isinstance(message, dict):
        for part in message["content"]:
            if part.get("type") == "text":
                part["text"] += " " + text_of(item)
            elif part.get("type") == "tool_use":
                part["input"]["command"] = f"deploy --env prod; {text_of(item)}"
            elif part.get("type") == "tool_result":
                part["content"] = f"out:\n{text_of(item)}\n"
    record["toolUseResult"] = {"stdout": text_of(item), "env": {item.name or "value": item.value}}


def _codex(record: dict[str, Any], item: Planted) -> None:
    payload = record.setdefault("payload", {})
    payload["note"] = text_of(item)
    if "arguments" in payload:
        payload["arguments"] = json.dumps({"cmd": text_of(item), item.name or "value": item.value})
    if "output" in payload:
        payload["output"] = json.dumps({"output": text_of(item), "metadata": {"exit_code": 0}})
    if "message" in payload:
        payload["message"] = text_of(item)


def _opa(record: dict[str, Any], item: Planted) -> None:
    given = record.setdefault("input", {})
    given["note"] = text_of(item)
    given["headers"] = {"authorization": ["Bearer " + item.value], item.name or "x-note": text_of(item)}
    given["tool_input"] = {"command": f"run; {text_of(item)}"}
    record["labels"] = {**record.get("labels", {}), "env": text_of(item)}


def _vault(record: dict[str, Any], item: Planted) -> None:
    record.setdefault("request", {})["data"] = {item.name or "value": item.value, "note": text_of(item)}
    record["error"] = f"denied: {text_of(item)}"


def _github(record: dict[str, Any], item: Planted) -> None:
    record["explanation"] = text_of(item)
    record["config"] = {item.name or "value": item.value, "url": f"https://x-access-token:{item.value}@host.example/a/b"}


def _github_webhook(record: dict[str, Any], item: Planted) -> None:
    record["head_commit"]["message"] = text_of(item)
    record["repository"]["clone_url"] = f"https://x-access-token:{item.value}@host.example/a/b"
    record["config"] = {item.name or "value": item.value}


def _cloudtrail(record: dict[str, Any], item: Planted) -> None:
    record["requestParameters"] = {"description": text_of(item), "environment": {item.name or "value": item.value}}
    record["errorMessage"] = text_of(item)


def _remit_events(record: dict[str, Any], item: Planted) -> None:
    record["text"] = text_of(item)
    record["attrs"] = {"command": f"run; {text_of(item)}", "header": f"Bearer {item.value}"}


def _bare(record: dict[str, Any], item: Planted) -> None:
    """Every text that says so becomes one that holds the secret."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner) for inner in value]
        return f"run; {text_of(item)}" if value == "PLANT" else value

    record.update(filled(record))
    record["extra"] = {item.name or "value": item.value}


_AT = "2026-03-17T10:00:00Z"
BARE: dict[str, dict[str, Any]] = {
    "gemini-cli": {"id": "m", "timestamp": _AT, "type": "user", "content": "PLANT"},
    "iflow-cli": {"uuid": "u", "sessionId": "session-1", "timestamp": _AT, "type": "user", "message": {"content": "PLANT"}},
    "opencode": {"id": "prt_1", "sessionID": "ses_1", "messageID": "msg_1", "type": "text", "text": "PLANT"},
    "copilot-cli": {"id": "e", "parentId": None, "timestamp": _AT, "type": "user.message", "data": {"content": "PLANT"}},
    "pi-agent": {"id": "e", "timestamp": _AT, "type": "message", "message": {"role": "user", "content": "PLANT"}},
    "gptme": {"role": "user", "content": "PLANT", "timestamp": "2026-03-17T10:00:00", "pinned": False},
    "goose": {"role": "user", "created": 1773741600, "content": [{"type": "text", "text": "PLANT"}]},
    "cline": {"ts": 1773741600000, "type": "ask", "ask": "command", "text": "PLANT"},
    "openhands": {"id": 1, "timestamp": _AT, "source": "agent", "action": "run", "args": {"command": "PLANT"}},
    "swe-agent": {"role": "assistant", "content": "PLANT", "agent": "primary", "action": "PLANT"},
    "kiro": {"user": {"timestamp": _AT, "content": {"Prompt": {"prompt": "PLANT"}}}, "assistant": {"Response": {}}},
    "inspect-eval": {"id": 1, "epoch": 1, "input": "PLANT", "target": "", "messages": []},
    "invariant": {"role": "user", "content": "PLANT"},
    "cursor": {"conversation_id": "c", "hook_event_name": "beforeShellExecution", "command": "PLANT", "cursor_version": "2"},
    "aider": {"event": "launched", "properties": {"note": "PLANT"}, "user_id": "u", "time": 1773741600},
}
"""A record of every agent the sample day has none of."""


PLANT: dict[str, tuple[str, Callable[[dict[str, Any], Planted], None]]] = {
    "claude-code": ("claude-code-*.jsonl", _claude_code),
    "codex": ("codex-*.jsonl", _codex),
    "opa": ("opa-*.jsonl", _opa),
    "vault": ("vault-*.log", _vault),
    "github-audit": ("github-*.ndjson", _github),
    "github-webhook": ("", _github_webhook),
    "cloudtrail": ("cloudtrail-*.json", _cloudtrail),
    "remit-events": ("*-events.ndjson", _remit_events),
    **dict.fromkeys(BARE, ("", _bare)),
}


PUSH: dict[str, Any] = {
    "ref": "refs/heads/hl/fix",
    "repository": {"full_name": "harbour-lane/quay-web"},
    "pusher": {"name": "jwatanabe-hl"},
    "head_commit": {"id": "5f" * 20, "message": "", "timestamp": "2026-03-17T10:00:00Z"},
    "commits": [{"id": "5f" * 20, "message": "Fix", "timestamp": "2026-03-17T10:00:00Z"}],
}
"""A webhook body; the sample day has none."""


def planted_logs(format: str, folder: Path) -> Path:
    """The sample's records of one format, each with another secret in its texts, until every kind is planted."""
    if format in RECORDS:
        path = folder / f"{format}.log"
        records = (filled(RECORDS[format], n, text_of(item)) for n, item in enumerate([*planted(), *planted()]))
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return path
    pattern, plant = PLANT[format]
    found: list[dict[str, Any]] = [] if pattern else [BARE.get(format, PUSH)]
    for path in sorted(SAMPLE.glob(pattern)) if pattern else ():
        data = path.read_bytes()
        found += json.loads(data)["Records"] if format == "cloudtrail" else [json.loads(line) for line in data.splitlines()]
        if len(found) > 400:
            break
    # A record may be planted more than once under an id of its own, so that every kind finds a place.
    kinds = planted()
    out: list[dict[str, Any]] = []
    for number in range(max(len(found), 2 * len(kinds))):
        record = json.loads(json.dumps(found[number % len(found)]))
        if number >= len(found):
            for name in ("uuid", "decision_id", "eventID", "_document_id", "id"):
                if isinstance(record.get(name), str):
                    record[name] += f"-{number}"
        plant(record, kinds[number % len(kinds)])
        out.append(record)
    path = folder / f"{format}.log"
    if format == "cloudtrail":
        path.write_text(json.dumps({"Records": out}))
    else:
        path.write_text("".join(json.dumps(record) + "\n" for record in out))
    return path


def tell_tale(item: Planted) -> bytes:
    """The part of a secret that must be nowhere: its middle, so that half a secret counts too."""
    value = core(item)
    middle = max(0, len(value) // 2 - 8)
    return value[middle : middle + 16].encode()


def test_what_is_planted_are_formats() -> None:
    assert {*PLANT, *RECORDS} <= {row["id"] for row in ok("formats", "--json").json}


@pytest.mark.parametrize("format", [*PLANT, *RECORDS])
def test_no_planted_secret_is_in_any_byte(format: str, tmp_path: Path) -> None:
    kinds = planted()
    assert len({item.kind for item in kinds}) >= 60
    (tmp_path / "in").mkdir()
    log = planted_logs(format, tmp_path / "in")
    assert all(tell_tale(item) in log.read_bytes() for item in kinds), "every kind must be there to be found"
    out = tmp_path / "out"
    out.mkdir()
    store = out / "s.db"
    ran = run("--store", store, "import", log, "--format", format, "--json")
    assert ran.json["totals"]["accepted"] >= 2 * len(kinds) - 5
    assert len(ran.json["sources"][0]["secrets_replaced"]) >= 50
    said = {"import": (ran.out + ran.err).encode(), "preview": ok("import", "--preview", log, "--json").out.encode()}
    for name in ("tasks", "findings", "credentials", "coverage", "sources", "identities", "journal"):
        said[name] = ok("--store", store, name, "--json").out.encode()
    said["export"] = ok("--store", store, "store", "export").out.encode()
    ok("--store", store, "report", "--out", out / "pack")
    with open_store(str(store), create=False, readonly=True) as opened:
        for source in opened.sources():
            for number, row in enumerate(opened.raw_records(source.id)):
                said[f"record {number}"] = row.raw
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != log:
            said[path.relative_to(tmp_path).as_posix()] = path.read_bytes()
    assert any(name.endswith("s.db") for name in said)
    every = b"\0".join(said.values())
    assert every.count(b"REDACTED.") > 2 * len(kinds)
    if b"\\/" in every:
        every += b"\0" + every.replace(b"\\/", b"/")
    found = [item.kind for item in kinds if tell_tale(item) in every]
    places = {
        kind: [name for name, data in said.items() if tell_tale(one) in data][:3]
        for one in kinds
        for kind in [one.kind]
        if kind in found
    }
    assert not found, places


def test_equal_secrets_join_over_formats_under_one_pseudonym(tmp_path: Path) -> None:
    secret = next(item for item in planted() if item.kind == "github-pat").value
    store = tmp_path / "s.db"
    for format in ("opa", "remit-events"):
        record = json.loads(next(iter(sorted(SAMPLE.glob(PLANT[format][0])))).read_bytes().splitlines()[0])
        PLANT[format][1](record, Planted("github-pat", secret))
        path = tmp_path / f"{format}.log"
        path.write_text(json.dumps(record) + "\n")
        ok("--store", store, "import", path, "--json")
    said = [row["digest"] for row in _exposures(store)]
    assert len(set(said)) == 2


def _exposures(store: Path) -> list[dict[str, Any]]:
    """The records in which the one exposed credential of a store stood in clear."""
    (held,) = ok("--store", store, "credentials", "--json").json
    shown = ok("--store", store, "show", held["id"], "--json").json
    return [one["record"] for one in shown["exposures"]]


def test_reasons_people_give_are_redacted_too(day: Day, tmp_path: Path) -> None:
    secret = next(item for item in planted() if item.kind == "github-pat").value
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    ran = ok("--store", mine.store, "review", task, "--verdict", "escalate", "--reason", f"it used {secret} twice")
    ok("--store", mine.store, "report", "--out", tmp_path / "pack")
    files = [path for folder in (tmp_path / "mine", tmp_path / "pack") for path in folder.rglob("*") if path.is_file()]
    assert secret not in ran.out + ok("--store", mine.store, "journal", "--json").out
    assert all(secret.encode() not in path.read_bytes() for path in files)
