"""`remit policy save | history | show | diff | promote | rollback`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from cli.output import emit_json, emit_rows
from lang.safe import safe_line, safe_text
from review.policy import answers, versions
from review.policy import policy_words as words
from review.workspace import open_workspace

Doc = dict[str, Any]


def save(args: Namespace) -> int:
    files = answers.read_files(args.format, args.files)
    answers.sound_policy(args.format, files)
    with open_workspace(args.store, args.org, create=True) as work:
        kept = versions.save_files(work, args.name, files, args.reason, format=args.format, revision=args.revision)
    if args.output == "json":
        emit_json(kept)
    else:
        print(f"kept as {kept['name']} version {kept['version']}, sha256 {kept['sha256']}")
        if kept["summary"]:
            print(f"  against what was recorded: {words.figures(kept['summary'])}")
    return 0


def history(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        rows = versions.versions(work)
    emit_rows(
        args.output,
        rows,
        ("name", "version", "state", "author", "at", "reason", "format", "sha256"),
        lambda row: (
            f"{row['name']} version {row['version']}, {words.state(row)}, by {row['author']} at {row['at']}: {row['reason']}"
        ),
        empty="No policy is saved.",
    )
    return 0


def show(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        found = versions.show(work, args.ref)
    if args.output == "json":
        emit_json(found)
        return 0
    print(f"{found['name']}@{found['version']}, {found['format']}, {words.state(found)}; by {found['author']} at {found['at']}")
    print(f"sha256 {found['sha256']}" + (f", revision {safe_line(found['revision'])}" if found["revision"] else ""))
    print(f"Reason: {safe_line(found['reason']) or 'none given'}")
    for line in words.dry_run_lines(found["dry_run"]):
        print(line)
    for one in found["in_force"]:
        print(words.turn_line(one))
    for file in found["files"]:
        print(f"--- {safe_line(file['name'])}" + (f" ({file['layer']})" if file["layer"] else ""))
        print(safe_text(file["text"].rstrip("\n")))
    return 0


def diff(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        found = versions.diff(work, args.ref, args.other)
    if args.output == "json":
        emit_json(found)
        return 0
    if found["rules"] is not None:
        for one in found["rules"]:
            print(safe_line(words.rule_line(one), 600))
    if found["text"]:
        print(safe_text(found["text"]))
    else:
        print(f"{found['from']} and {found['to']} are the same text")
    return 0


def promote(args: Namespace) -> int:
    with open_workspace(args.store, args.org) as work:
        return _told(args, versions.promote(work, args.ref, args.reason, point=args.point))


def rollback(args: Namespace) -> int:
    with open_workspace(args.store, args.org) as work:
        return _told(args, versions.rollback(work, args.ref, args.reason, point=args.point))


def _told(args: Namespace, done: Doc) -> int:
    if args.output == "json":
        emit_json(done)
        return 0
    print(words.done_line(done))
    return 0
