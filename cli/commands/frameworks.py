"""`remit frameworks`: the catalogues, one of them or one of its controls, two editions side by side."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from cli.output import Row, emit_csv, emit_json, emit_jsonl, emit_rows, note, table
from lang.safe import safe_line
from review.errors import RemitError
from review.pack.framework_pages import item_sentences, listing
from review.pack.frameworks import Library, compared, open_library, page

_COLUMNS = ("id", "title", "edition", "items")
_ITEMS = ("id", "title", "detections", "level")
_PAIRS = ("old", "old_title", "new", "new_title", "change")


def frameworks(args: Namespace) -> int:
    known = open_library(args.frameworks_dir, args.override or ())
    match args.what:
        case []:
            _list(args, known)
        case ["compare", *names]:
            _compare(args, known, names)
        case [name]:
            _page(args, known, name)
        case _:
            raise RemitError("give one framework or label, or `compare` and two editions")
    return told(known.problems)


def told(problems: Iterable[str]) -> int:
    """Say on stderr which of the organisation's files were left out and why; 3 where any was."""
    left_out = list(problems)
    for problem in left_out:
        note(f"{problem}; the file is left out, everything beside it is in force")
    return 3 if left_out else 0


def _list(args: Namespace, known: Library) -> None:
    rows = listing(known)

    def sentence(row: Row) -> str:
        return (
            f"{row['id']}: {row['title']}, edition {row['edition']}, {row['publisher']}; {row['items']} entries, "
            f"{row['mapped']} of {row['assessable']} that get a result have a detection"
        )

    emit_rows(args.output, rows, _COLUMNS, sentence, empty="None.")


def _page(args: Namespace, known: Library, name: str) -> None:
    doc, corrections = page(known, name)
    for one in corrections:
        note(one)
    match args.output:
        case "json":
            emit_json(doc)
        case "jsonl":
            emit_jsonl(doc["items"])
        case "csv":
            emit_csv(doc["items"], (*_ITEMS, "shows", "does_not_show", "not_assessable", "overridden"))
        case _:
            print(safe_line(f"{doc['id']}: {doc['title']}, edition {doc['edition']}, {doc['publisher']}, {doc['published']}"))
            if doc["needs_classification"]:
                print(safe_line(f"Left off every report until it is stated {doc['needs_classification']} (docs/frameworks.md)."))
            for label in doc["given_labels"]:
                print(safe_line(f"Given label {label['given']}: {', '.join(label['published'])}. {label['correction']}"))
            if args.output == "plain" or len(doc["items"]) < 4:
                for number, item in enumerate(doc["items"], 1):
                    print(safe_line(f"{number}. {'; '.join(item_sentences(item))}"))
            else:
                table(doc["items"], _ITEMS, "None.")
            licence = "" if doc["licence"] in doc["attribution"] else f" ({doc['licence']})"
            print(safe_line(f"{doc['attribution']}{licence}"))
            if doc["overlay"]:
                print(safe_line(f"Text of the organisation's own licence: {doc['overlay']}"))


def _compare(args: Namespace, known: Library, names: list[str]) -> None:
    doc = compared(known, names)
    if args.output == "json":
        emit_json(doc)
        return

    def sentence(row: Row) -> str:
        left, right = (f"{row[side]} {row[f'{side}_title']}" if row[side] else "nothing" for side in ("old", "new"))
        return f"{left} is {right}: {row['change']}"

    emit_rows(args.output, doc["rows"], _PAIRS, sentence, empty="None.")
