"""`remit store ...`."""

from __future__ import annotations

import sys
from argparse import Namespace

from cli.output import Progress, emit_json, emit_jsonl, note
from lang.counted import count as how_many
from lang.safe import safe_line
from review.errors import RemitError
from review.stores import upkeep
from review.workspace import open_workspace


def info(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        _print(args, upkeep.info(work))
    return 0


def check(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        result = upkeep.check(work)
    _print(args, result)
    return 0 if result["state"] == "intact" else 4


def migrate(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        _print(args, upkeep.info(work))
    return 0


def rebuild(args: Namespace) -> int:
    progress = Progress("building")
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        try:
            result = upkeep.rebuild(work, events=args.events, progress=progress)
        finally:
            progress.close()
        for problem in work.own.problems:
            note(problem)
    _print(args, result)
    return 0


def export(args: Namespace) -> int:
    if args.task is not None:
        return _export_review(args)
    if args.out is not None:
        raise RemitError("--out says where the review of a task goes: name the task with --task")
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        if args.output == "json":
            emit_json(list(upkeep.export(work)))
        else:
            emit_jsonl(upkeep.export(work))
    return 0


def _export_review(args: Namespace) -> int:
    from review.stores.transfer import export_review

    if args.out is None and sys.stdout.isatty():
        raise RemitError("a review is a compressed file and nothing for a terminal; name one with --out, or send it to a pipe")
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        done = export_review(work, args.task, args.out)
    if args.out is not None and args.output == "json":
        emit_json(done)
    elif args.out is not None:
        print(
            f"wrote {args.out}: {how_many(done['records'], 'record')} and {done['entries']:,} journal entries of {done['task']}"
        )
        print(f"sha256 {done['sha256']}")
    return 0


def take_in(args: Namespace) -> int:
    """`remit store import`."""
    from review.stores.receiving import import_review

    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        done = import_review(work, args.file)
    if args.output == "json":
        emit_json(done)
        return 1 if done["conflicts"] else 0
    records, verdicts, derived = done["records"], done["verdicts"], done["derived"]
    print(safe_line(f"{done['task']}: {done['title']}", 200))
    print(f"records: {records['added']:,} added, {records['known']:,} known, {records['other_bytes']:,} here with other bytes")
    print(f"steps and findings: {derived['same']:,} of {derived['told']:,} came out the same")
    print(
        f"verdicts: {verdicts['added']:,} added as asserted, {verdicts['withdrawn']:,} withdrawn, {verdicts['held']:,} held back; "
        f"comments: {done['comments']:,}; known: {done['known']:,}; on what is not here: {done['without_subject']:,}"
    )
    print(
        safe_line(f"from {done['from']['by']}, journal head {done['from']['head'] or 'none'} at {done['from']['entries']:,}", 400)
    )
    if not done["from"]["same_key"]:
        note("the file's pseudonyms were made with another key: equal secrets do not join with those of this store")
    for one in done["conflicts"]:
        there, here = one["there"], one["here"]
        word = "agrees" if one["agrees"] else "conflict"
        line = f"{word}: {one['kind']} {one['subject']}: here {here['verdict']} by {here['reviewer']}, there {there['verdict']} by {there['reviewer']}: {there['reason']}"
        print(safe_line(line, 600))
    return 1 if done["conflicts"] else 0


def roles(args: Namespace) -> int:
    from review.stores.roles import grant
    from review.stores.roles import roles as listed

    with open_workspace(args.store, args.org, detections=args.detections) as work:
        if args.grant or args.revoke:
            role, user = args.grant or args.revoke
            done = grant(work, role, user, revoke=bool(args.revoke), apply=not args.print)
            if args.output == "json":
                emit_json(done)
            elif args.print:
                print("\n".join(f"{statement};" for statement in done["sql"]))
            else:
                print(f"{user} {'is no longer' if done['revoked'] else 'is'} {role} of {work.store.location}")
            return 0
        found = listed(work)
    if args.output == "json":
        emit_json(found)
        return 0
    for member in found["members"]:
        print(f"{member['login']}: {member['role']}")
    if not found["members"]:
        print("no login has a role in this store yet; `remit store roles --grant ROLE USER` gives one")
    print(f"you are {found['login']} and may {', '.join(('read', *found['may']))}")
    return 0


def teams(args: Namespace) -> int:
    from review.stores import teams as division

    with open_workspace(args.store, args.org, detections=args.detections) as work:
        if args.on:
            progress = Progress("telling tasks their teams")
            try:
                done = division.divide(work, lambda count: progress("", count, 0))
            finally:
                progress.close()
            said = ["this store is divided by team; readers see the tasks of the teams they are granted"]
        elif args.off:
            done, said = division.undivide(work), ["this store is no longer divided: every reader sees everything"]
        elif args.grant or args.revoke:
            team, login = args.grant or args.revoke
            done = division.show(work, team, login, revoke=bool(args.revoke))
            said = [f"{login} {'no longer sees' if args.revoke else 'sees'} {division.named(team)}"]
            if args.grant and not done["tasks"]:
                note(f"no task is of {team} so far; `remit store teams` lists the teams that have some")
        else:
            done = division.teams(work)
            said = division.words(done)
    if args.output == "json":
        emit_json(done)
        return 0
    for line in said:
        print(safe_line(line, 200))
    return 0


def retain(args: Namespace) -> int:
    from review.stores.retaining import SHOWN, source_words
    from review.stores.retaining import retain as let_go

    with open_workspace(args.store, args.org, detections=args.detections) as work:
        found = let_go(work, args.before, apply=not args.dry_run)
    if "space" in found:
        note(f"what it took in the store is not given back yet: {found['space']}")
    if args.output == "json":
        emit_json(found)
        return 0
    word, held = "let go" if found["applied"] else "would let go", found["held"]
    print(
        f"{word} the raw bytes of {how_many(found['records'], 'record')} logged before {found['before']} "
        f"({found['bytes']:,} bytes, {found['stored_bytes']:,} in the store); digests, places and derived rows stay"
    )
    for line in source_words(found["sources"]):
        print(safe_line(f"  {line}", 200))
    if held["blocks"]:
        print(f"{held['blocks']:,} blocks stay, for settings files or for tasks under escalation or an accepted risk:")
        for task in held["tasks"][:SHOWN]:
            print(safe_line(f"  {task}", 100))
        if (further := len(held["tasks"]) - SHOWN) > 0:
            print(f"  and {how_many(further, 'task')} more")
    if max(len(found["sources"]), len(held["tasks"])) > SHOWN:
        print("each source and task: --json")
    return 0


def _print(args: Namespace, result: dict[str, object]) -> None:
    if args.output == "json":
        emit_json(result)
    else:
        for name, value in result.items():
            print(safe_line(f"{name}: {_told(value)}", 10_000))


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_told(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return "unknown" if value is None else str(value)
