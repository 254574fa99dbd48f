"""`remit import`."""

from __future__ import annotations

import json as jsonlib
from argparse import Namespace
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.output import Progress, emit_json, note
from lang.counted import count
from lang.safe import safe_line
from review import locations
from review.derive.building import build
from review.derive.settings_stamp import require_organisation
from review.errors import RemitError
from review.intake.imported import ImportReport
from review.intake.importing import Format, Settings, import_logs, mapping_from
from review.intake.previewing import preview_logs
from review.policy.keeping import keep_history
from review.watch.following import Following
from review.workspace import open_workspace

SHOWN_FILES = 12
"""Files whose rejected records are shown, and reasons for skipping some."""

LINE = 80 - len("remit: skipped  and 99 more: ")
"""Characters of a narrow terminal's line that are left for names and the reason."""


def run_import(args: Namespace) -> int:
    if args.mapping and args.format:
        raise RemitError("--mapping and --format exclude each other: a mapping is a format")
    format = mapping_from(args.mapping) if args.mapping else args.format
    if args.preview:
        return _preview(args, format)
    if args.follow:
        return _follow(args, format)
    reading, building = Progress("reading"), Progress("building")
    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        require_organisation(work)
        try:
            report = import_logs(work, args.paths, format=format, as_name=args.as_name, note=args.note, progress=reading)
            reading.close()
            report.totals = build(work, progress=building, told=note)
            keep_history(work, report.events)
            left_out = work.own.problems
        finally:
            reading.close()
            building.close()
    if args.output == "json":
        emit_json(report.document())
    else:
        print_report(report)
    for problem in left_out:
        note(problem)
    return 3 if report.unreadable or report.rejected else 0


def _follow(args: Namespace, format: Format) -> int:
    """Keep importing what is written until interrupted: one document a look with --json, else one line."""
    if "-" in args.paths:
        raise RemitError("--follow looks at files again and again; standard input can be read once: leave out --follow or -")
    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        following = Following(work, args.paths, Settings(format, args.note, live=True), args.as_name, note)
        following.run(_tell_json if args.output == "json" else _tell)
    return 0


def _tell_json(report: ImportReport) -> None:
    print(jsonlib.dumps(report.document(), ensure_ascii=False), flush=True)


def _tell(report: ImportReport) -> None:
    totals = report.document()["totals"]
    print(
        f"{datetime.now(UTC):%H:%M:%S}Z  {totals['accepted']:,} new records, {totals['rejected']:,} rejected, {totals['events']:,} new events; "
        f"{count(totals['tasks'], 'task')}, {count(totals['steps'], 'step')}, {count(totals['findings'], 'finding')}",
        flush=True,
    )
    for source in report.sources:
        for reject in source.rejects[:5]:
            note(f"{source.name}: line {reject.line}, byte {reject.offset}: {reject.reason}")
    _print_skipped(report)


def print_report(report: ImportReport) -> None:
    """The report as sentences: totals first, then what went wrong and where."""
    totals = report.document()["totals"]
    files = len(report.sources)
    print(
        f"Read {count(totals['read'], 'record')} of {count(files, 'file')}: {totals['accepted']:,} accepted, "
        f"{totals['duplicate']:,} already known, {totals['rejected']:,} rejected; {totals['events']:,} new events."
    )
    if report.unchanged:
        print(f"{report.unchanged:,} objects are as they were when they were imported and were not read again.")
    held = [count(totals[name], name.removesuffix("s")) for name in ("tasks", "steps", "findings")]
    print(f"The store now holds {held[0]}, {held[1]} and {held[2]}.")
    if totals["events"] and not totals["tasks"]:
        # Decisions and credentials alone make no chain; who sees nothing in the dashboard should know why.
        print(
            "None of these events belongs to an agent's task; `remit unattributed` lists them. Import the agents' own logs beside them."
        )
    _print_rejected(report)
    _print_unknown(report)
    if gone := [one for one in report.sources if one.not_kept]:
        names = f"{', '.join(one.name for one in gone[:3])}{f' and {len(gone) - 3:,} more files' if len(gone) > 3 else ''}"
        known = sum(one.not_kept for one in gone)
        note(f"{names}: {known:,} of the records known already were let go (`remit store retain`): they stay as they are")
    _print_skipped(report)


def _print_rejected(report: ImportReport) -> None:
    """The first rejected records of the first files that have some, and how many there are besides."""
    bad = [source for source in report.sources if source.rejects]
    for source in bad[:SHOWN_FILES]:
        for reject in source.rejects[:5]:
            place = f"line {reject.line}" if reject.index is None else f"item {reject.index} (line {reject.line})"
            note(f"{source.name}: {place}, byte {reject.offset}: {reject.reason}")
        if source.rejected > 5:
            note(f"{source.name}: {source.rejected - 5:,} more rejected records; see `remit sources` or --json")
    if rest := bad[SHOWN_FILES:]:
        more = sum(source.rejected for source in rest)
        note(
            f"{more:,} more rejected records in {len(rest):,} more {'file' if len(rest) == 1 else 'files'}; see `remit sources` or --json"
        )


def _print_unknown(report: ImportReport) -> None:
    """By format the types of records that were kept without being understood, with the files that hold them."""
    formats: dict[str, tuple[Counter[str], list[str]]] = {}
    for source in report.sources:
        if source.unknown_types:
            types, names = formats.setdefault(source.format, (Counter(), []))
            types.update(source.unknown_types)
            names.append(source.name)
    for format, (types, names) in sorted(formats.items()):
        kinds = ", ".join(f"{name} ({number:,})" for name, number in types.most_common(6))
        kinds += f" and {len(types) - 6:,} more" if len(types) > 6 else ""
        note(f"{_few(names, LINE // 2)}: types of {format} records this version does not know, kept as they are: {kinds}")


def _print_skipped(report: ImportReport) -> None:
    """What gave nothing: first what is lacking, then strangers met while walking, the most frequent reason first; a few by name."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in report.skipped:
        by_reason.setdefault(reason, []).append(name)
    listed = sorted(by_reason.items(), key=lambda pair: (pair[0] not in report.lacking, -len(pair[1]), pair[0]))
    for reason, names in listed[:SHOWN_FILES]:
        note(f"skipped {_few(names, LINE - len(reason))}: {reason}")
    if len(listed) > SHOWN_FILES:
        note(f"{sum(len(names) for _, names in listed[SHOWN_FILES:])} more files were skipped; --json names them all")


def _few(names: list[str], room: int) -> str:
    """The first of these names, and as many of the next two as leave the reason on the same line of a terminal."""
    shown = next((n for n in (3, 2) if sum(map(len, names[:n])) <= room), 1)
    return ", ".join(names[:shown]) + (f" and {len(names) - shown:,} more" if len(names) > shown else "")


def _preview(args: Namespace, format: Format) -> int:
    location = args.store or locations.default_store()
    if locations.is_url(location) or Path(location).exists():
        with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
            previews = preview_logs(args.paths, format, args.as_name, store=work.store)
    else:
        previews = preview_logs(args.paths, format, args.as_name)
    if args.output == "json":
        emit_json(previews)
        return 0
    for one in previews:
        if "reason" in one:
            print(safe_line(f"{one['name']}: would be skipped: {one['reason']}"))
            continue
        which = "" if one["whole"] else "first "
        tasks = one["tasks"]
        print(
            f"{safe_line(one['name'])}: {one['format']}; {which}{count(one['records'], 'record')}: {one['new']} new, {one['known']} known, "
            f"{one['rejected']} rejected; {count(len(tasks['new']), 'new task')}, {len(tasks['touched'])} that are there already"
        )
        for event in one["events"]:
            what = f"{event['kind']}/{event['phase']}  {event['verb']}  {event['target'] or '-'}  {event['text']}"
            print(safe_line(f"  {event['at'] or '(no time)'}  {what}"))
            if told := _told(event):
                print(safe_line(f"      {'; '.join(told)}"))
        for reject in one["rejects"][:5]:
            note(f"{one['name']}: line {reject['line']}: {reject['reason']}")
    return 0


def _told(event: dict[str, Any]) -> list[str]:
    """What else a previewed event says, so that a mapping can be held against the record: its verdict, who acts, what ties it."""
    effect, rule = event["effect"], event["rule"]
    ties = [key for key in event["keys"] if not key.startswith(("record:", "match:", "refused:"))]
    found = [
        f"{effect} by {rule}" if effect and rule else effect,
        *(f"{name} {value}" for name, value in event["outcome"].items() if name != "permitted" or not effect),
        event["principal"] and f"principal {event['principal']}",
        event["agent"] and f"agent {event['agent']}",
        ties and f"keys {', '.join(ties)}",
        "time zone assumed" if event["zone_assumed"] else "",
    ]
    return [one for one in found if one]
