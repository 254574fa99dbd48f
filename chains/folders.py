"""Where a command led: the folder it was sent to, and whether that is another checkout than the one worked in."""

from __future__ import annotations

import posixpath
import re

from lang.late import late
from model.event import Operation

HOME = late(r"^(?:[a-z]:)?/(?:home|users)/([^/]+)", re.I)
_WITHIN = late(r"^(?!\.\.(?:/|$)|[A-Za-z]:)[^/~$]")
_ROOTED = late(r"^(?:[a-z]:)?/", re.I)


def elsewhere(operation: Operation, cwd: object) -> str | None:
    """The folder beside the one worked in that a command was sent to ("" where it is not known), None where it stayed.

    What goes elsewhere does not mean the repository worked in; a folder within the other is one checkout with it.
    """
    stated = next((flag[4:] for flag in operation.flags if flag.startswith("dir=")), "")
    if not stated or _WITHIN.match(posixpath.normpath(stated.replace("\\", "/"))):
        return None
    led = folder_of(stated, cwd)
    return led if apart(led, folder_of("", cwd)) else None


def folder_of(stated: str, cwd: object) -> str:
    """Where a path leads from the folder worked in; "" where that is not known."""
    base = str(cwd or "").replace("\\", "/")
    path = stated.replace("\\", "/")
    if path == "~" or path.startswith("~/"):
        home = HOME.match(base)
        path = f"{home.group()}{path[1:]}" if home else ""
    if not _ROOTED.match(path):
        path = f"{base}/{path}" if _ROOTED.match(base) and path[:1] not in ("~", "$") else ""
    return posixpath.normpath(path).removesuffix("/.git") if path else ""


def apart(one: str, other: str) -> bool:
    """Whether two folders are not known to lie one within the other."""
    if not one or not other:
        return True
    first, second = sorted((one.casefold().rstrip("/"), other.casefold().rstrip("/")))
    return first != second and not second.startswith(f"{first}/")
