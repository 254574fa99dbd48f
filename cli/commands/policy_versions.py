"""`remit policy save | history | show | diff | promote | rollback`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from cli.output import emit_json, emit_rows
from lang.safe import safe_line, safe_text
from review import answers, versions
from review.workspace import open_workspace

Doc = dict[str, Any]
_SUMMARY = ("newly_allowed", "newly_denied", "newly_asked", "cannot_judge", "unchanged")


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
            print(f"  against what was recorded: {_figures(kept['summary'])}")
    return 0


def history(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        rows = versions.versions(work)
    emit_rows(
        args.output,
        rows,
        ("name", "version", "state", "author", "at", "reason", "format", "sha256"),
        lambda row: f"{row['name']} version {row['version']}, {_state(row)}, by {row['author']} at {row['at']}: {row['reason']}",
        empty="No policy is saved.",
    )
    return 0


def _state(row: Doc) -> str:
    at = f" at {', '.join(row['points'])}" if row["points"] else ""
    return f"in force since {row['since']}{at}" if row["state"] == "in force" else str(row["state"])


def _figures(summary: Doc) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {summary[name]:,}" for name in _SUMMARY)


def show(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        found = versions.show(work, args.ref)
    if args.output == "json":
        emit_json(found)
        return 0
    print(f"{found['name']}@{found['version']}, {found['format']}, {_state(found)}; by {found['author']} at {found['at']}")
    print(f"sha256 {found['sha256']}" + (f", revision {safe_line(found['revision'])}" if found["revision"] else ""))
    print(f"Reason: {safe_line(found['reason']) or 'none given'}")
    for line in dry_run_lines(found["dry_run"]):
        print(line)
    for one in found["in_force"]:
        at = f" at {safe_line(one['point'])}" if one["point"] else ""
        print(f"{one['turn']}d {one['at']}{at} by {safe_line(one['by'])}: {safe_line(one['reason'])}")
    for file in found["files"]:
        print(f"--- {safe_line(file['name'])}" + (f" ({file['layer']})" if file["layer"] else ""))
        print(safe_text(file["text"].rstrip("\n")))
    return 0


def dry_run_lines(tried: Doc) -> list[str]:
    """What a version would have done when it was saved, and on which history that was computed."""
    if not tried:
        return ["It was saved without a dry-run."]
    over = tried["history"]
    told = [
        f"Dry-run over {over.get('requests', 0):,} requests, {over.get('from') or '?'} to {over.get('to') or '?'}, state {over['state']}:"
    ]
    recorded, previous = tried.get("recorded") or {}, tried.get("previous") or {}
    if "summary" in recorded:
        told.append(f"  against what was recorded: {_figures(recorded['summary'])}")
    if "summary" in previous:
        told.append(f"  against {previous['baseline']}: {_figures(previous['summary'])}")
    elif "error" in previous:
        told.append(f"  {previous['baseline']} could not be read again: {safe_line(previous['error'])}")
    return told


def diff(args: Namespace) -> int:
    with open_workspace(args.store, args.org, readonly=True) as work:
        found = versions.diff(work, args.ref, args.other)
    if args.output == "json":
        emit_json(found)
        return 0
    if found["rules"] is not None:
        for one in found["rules"]:
            print(safe_line(rule_line(one), 600))
    if found["text"]:
        print(safe_text(found["text"]))
    else:
        print(f"{found['from']} and {found['to']} are the same text")
    return 0


def rule_line(one: Doc) -> str:
    """A changed rule in one sentence."""
    if one["change"] != "changed":
        stated = one["after"] or one["before"]
        return f"{one['change']} {one['id']}: {stated['effect']}" + (f" when {stated['when']}" if stated.get("when") else "")
    parts = [f"{name} {one['before'].get(name)} -> {one['after'].get(name)}" for name in one["fields"]]
    return f"changed {one['id']}: {'; '.join(parts)}"


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
    at = f" at {done['point']}" if done["point"] else ""
    before = f"; before it was version {done['before']}" if done["before"] else ""
    print(f"{done['name']}@{done['version']} is in force{at} since {done['at']}{before}")
    return 0
