"""`remit help`: topics with the store's own figures beside them, the keys of the dashboard, and its tour."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from textwrap import wrap

from cli.output import emit_json
from lang.safe import safe_line
from review import locations
from review.sitting.topics import TOPICS, topic, topic_document, topic_lines
from review.workspace import open_workspace

WIDTH = 88


def help_on(args: Namespace) -> int:
    match args.topic:
        case None:
            rows = [{"id": one.id, "title": one.title} for one in TOPICS.values()]
            rows += [{"id": "keys", "title": "The keys of the dashboard"}, {"id": "tour", "title": "The tour of the dashboard"}]
            return _tell(args, rows, (f"{row['id']:<12} {row['title']}" for row in rows))
        case "keys":
            from tui.actions import ACTIONS

            keys = [{"id": one.id, "keys": one.shown_keys, "name": one.said, "help": one.help} for one in ACTIONS]
            return _tell(args, keys, (f"{row['id']}  {row['keys'] or 'by name only'}  {row['help']}" for row in keys))
        case "tour":
            from review.sitting.tour import STOPS

            stops = [{"place": one.place, "title": one.title, "text": one.text, "actions": dict(one.keys)} for one in STOPS]
            return _tell(args, stops, (line for one in STOPS for line in (one.title, one.text, "")))
        case _:
            found = topic(args.topic)
            if _has_store(args):
                with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
                    document = topic_document(found, work)
            else:
                document = topic_document(found, None)
            return _tell(args, document, topic_lines(document))


def _has_store(args: Namespace) -> bool:
    """A store that is named must be there; only where the usual one is not yet there the figures are left out."""
    from pathlib import Path

    location = args.store or locations.default_store()
    return bool(args.store) or locations.is_url(location) or Path(location).exists()


def _tell(args: Namespace, document: object, lines: Iterable[str]) -> int:
    if args.output == "json":
        emit_json(document)
        return 0
    for line in lines:
        for part in wrap(safe_line(line), WIDTH, subsequent_indent="    " if line.startswith(" ") else "") or [""]:
            print(part)
    return 0
