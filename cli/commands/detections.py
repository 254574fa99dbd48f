"""`remit detections ...`: list them, show one, test one's own, turn Sigma rules into some."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from cli.output import Row, emit_json, emit_rows, note
from lang.safe import safe_line
from review.errors import RemitError
from review.pack.frameworks import open_library
from review.show import detections as known
from review.show.detection_pages import markdown
from review.show.setup import Setup, open_setup

COLUMNS = ("id", "severity", "source", "enabled", "findings", "hidden", "title")


def detections(args: Namespace) -> int:
    return {"list": _list, "show": _show, "test": _test, "import-sigma": _import_sigma}[args.action](args)


def _setup(args: Namespace) -> Setup:
    return open_setup(args.store, args.org, args.detections)


def _list(args: Namespace) -> int:
    if args.what:
        raise RemitError(f"`remit detections list` takes no names; did you mean `remit detections show {args.what[0]}`?")
    with _setup(args) as setup:
        rows = known.detections(setup.own, setup.facts, setup.store)
        said = known.remarks(setup.own, setup.facts)
    emit_rows(args.output, rows, COLUMNS, known.sentence, empty="None.")
    for one in said:
        note(one)
    return 0


def _show(args: Namespace) -> int:
    if len(args.what) != 1:
        raise RemitError("`remit detections show` wants one id; `remit detections` lists them")
    if args.output in ("jsonl", "csv"):
        raise RemitError("one detection is a document: take --json or --plain")
    with _setup(args) as setup:
        document = known.detection(setup.own, setup.facts, setup.store, args.what[0])
    if args.output == "json":
        emit_json(document)
        return 0
    for line in markdown(document).splitlines():
        print(safe_line(line))
    print(f"\n## Here\n\n{safe_line(known.sentence(document))}.")
    for reason, count in (document["hidden_by"] or {}).items():
        print(safe_line(f"- not reported: {count}, {reason}"))
    return 0


def _test(args: Namespace) -> int:
    """With files, those; without, every file in force. 1 where a test fails, 2 where a file is wrong."""
    files = list(args.what)
    if not files:
        with _setup(args) as setup:
            files = setup.own_files()
        if not files:
            raise RemitError("there are no own detections; name a file, or see docs/own-detections.md")
    library = open_library(args.frameworks_dir, args.override or ())
    for problem in library.problems:
        note(problem)
    results = [known.tested(path, library) for path in files]
    if args.output == "json":
        emit_json({"files": results, "failed": sum(not t["ok"] for r in results for t in r["tests"])})
    else:
        for one in results:
            _tell(one)
    if any(d["severity"] == "error" for r in results for d in r["diagnostics"]):
        return 2
    return int(any(not r["ok"] for r in results))


def _tell(one: Row) -> None:
    for d in one["diagnostics"]:
        print(safe_line(f"{one['file']}:{d['line']}:{d['column']}: {d['severity']}: {d['message']}"))
    for t in one["tests"]:
        if not t["ok"]:
            print(safe_line(f"{one['file']}:{t['line']}: {t['detection']}, {t['wants']} {t['title']!r}: {t['message']}"))
    held = sum(t["ok"] for t in one["tests"])
    print(safe_line(f"{one['file']}: {len(one['detections'])} detections, {held} of {len(one['tests'])} tests hold"))


def _import_sigma(args: Namespace) -> int:
    """What can be carried over, to standard output or `--out`; each rule that cannot is named with what stands against it."""
    from review.sigma import import_rules

    if not args.what:
        raise RemitError("`remit detections import-sigma` wants the files of the rules")
    made = import_rules(list(args.what))
    if args.output == "json":
        emit_json({"detections": made.ids, "refused": made.refused, "document": made.document})
    elif args.out and made.ids:
        try:
            Path(args.out).write_text(made.document, "utf-8")
        except OSError as error:
            raise RemitError(f"cannot write {args.out}: {error.strerror or error}") from error
        note(f"{len(made.ids)} detections written to {args.out}")
    else:
        print(made.document, end="")
    for one in made.refused:
        note(f"{one['file']}: {one['rule']}: {one['reason']}")
    return 3 if made.refused else 0
