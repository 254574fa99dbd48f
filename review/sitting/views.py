"""Saved views: a filter and an order under a name, kept for each user in the configuration directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec

from review import locations
from review.errors import NotFoundError, RemitError
from review.show.filter_words import quoted
from review.show.filters import task_filter
from review.sitting.queueing import SORTS

Doc = dict[str, Any]
FILE = "views.json"
_NAME = re.compile(r"[\w][\w .-]{0,39}")


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A filter and an order of the queue (`-` before a sort turns it round)."""

    name: str
    filter: str = ""
    sort: str = "risk"


def built_in(me: str) -> list[View]:
    """The views everybody has; `me` is who asks."""
    return [
        View("waiting", "-verdict:*"),
        View("critical", "severity:critical -verdict:*"),
        View("reopened", "state:reopened"),
        View("mine", f"assignee:{quoted(me)}"),
        View("unassigned", "-assignee:* -verdict:*"),
        View("escalated", "verdict:escalate"),
        View("blind spots", "blind:>0 -verdict:*"),
        View("last week", "after:7d", "started"),
    ]


def views(me: str) -> list[Doc]:
    """One's own views, then those everybody has."""
    own = load()
    names = {view.name for view in own}
    shared = [view for view in built_in(me) if view.name not in names]
    return [msgspec.to_builtins(one) | {"own": one.name in names} for one in (*own, *shared)]


def view(name: str, me: str) -> View:
    """The view of a name; raises NotFoundError with the names there are."""
    known = {one.name: one for one in (*built_in(me), *load())}
    if name not in known:
        raise NotFoundError(f"there is no view {name[:40]!r}; views: {', '.join(known)}")
    return known[name]


def save_view(name: str, filter: str, sort: str = "risk") -> View:
    """Keep a view under a name; one of that name is replaced. Raises RemitError where filter, order or name cannot be."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise RemitError(f"{name[:40]!r} is no name of a view: up to 40 letters, digits, blanks, dots and hyphens")
    task_filter(filter)
    if sort.removeprefix("-") not in SORTS:
        raise RemitError(f"cannot sort by {sort[:40]!r}; sorts: {', '.join(SORTS)}, each also with - before it")
    made = View(name, filter.strip(), sort)
    _write([*(one for one in load() if one.name != name), made])
    return made


def delete_view(name: str) -> None:
    """Forget one of one's own views; raises NotFoundError where there is none of that name."""
    kept = load()
    if name not in {one.name for one in kept}:
        raise NotFoundError(f"you keep no view {name[:40]!r}; your views: {', '.join(one.name for one in kept) or 'none'}")
    _write([one for one in kept if one.name != name])


def load() -> list[View]:
    """One's own views, by name; raises RemitError where their file cannot be read."""
    path = _file()
    try:
        return sorted(msgspec.json.decode(path.read_bytes(), type=list[View]), key=lambda one: one.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RemitError(f"cannot read the saved views {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise RemitError(f"the saved views {path} cannot be read: {error}; mend or remove the file") from error


def sentence(row: Doc) -> str:
    whose = "yours" if row["own"] else "built in"
    return f"{row['name']} ({whose}): {row['filter'] or 'every task'}, by {row['sort']}"


def _file() -> Path:
    return locations.config_dir() / FILE


def _write(kept: list[View]) -> None:
    """The file as a whole or as it was: a full disk or a crash leaves no half."""
    path = _file()
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(sorted(kept, key=lambda one: one.name)), indent=2) + b"\n")
        fresh.replace(path)
    except OSError as error:
        raise RemitError(f"cannot write the saved views {path}: {error.strerror}") from error
