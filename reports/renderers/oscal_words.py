"""Words of OSCAL documents: text, titles, properties and moments as the standard takes them.

Text fields of OSCAL are Markdown, values of properties are one line: `prose`, `title` and `prop` keep foreign text to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from reports.canonical import canonical
from reports.identity import NAMESPACE, stable
from reports.text import markdown

Piece = dict[str, Any]
_MOMENT = re.compile(r"(19|2\d)\d\d-\d\d-\d\dT[0-9:.]+Z")
ASSESSOR = "assessor"


@lru_cache(maxsize=1024)
def prose(text: str) -> str:
    """Foreign text as Markdown that shows it and nothing else; braces cannot form an insertion of a parameter."""
    return markdown(text).replace("{{", r"\{\{").strip() or "not stated"


def title(text: str) -> str:
    """`prose` of a length a title may have."""
    return prose(text if len(text) <= 200 else f"{text[:200]}…")


def line(text: str) -> str:
    """One line without blanks at its ends, as a string in OSCAL has to be; "" where nothing is left."""
    return " ".join(text.split())


def prop(name: str, value: object) -> list[Piece]:
    """One property in our namespace, none where the value is empty."""
    text = line(("no", "yes")[value] if isinstance(value, bool) else str(value))
    return [{"name": name, "ns": NAMESPACE, "value": text}] if text else []


def told_prop(name: str, value: str) -> bytes:
    """`prop` of a text, encoded; empty where there is none."""
    text = line(value)
    return b"%b%b}" % (_begun(name), canonical(text)) if text else b""


@lru_cache(maxsize=64)
def _begun(name: str) -> bytes:
    """A property up to its value."""
    return canonical({"name": name, "ns": NAMESPACE, "value": ""}).removesuffix(b'""}')


def listed(pieces: Iterable[bytes]) -> bytes:
    """A list of encoded pieces, less those that are empty."""
    return b"[%b]" % b",".join(filter(None, pieces))


def moment(text: str | None, otherwise: str) -> str:
    """A time OSCAL takes (the years 1900 to 2999), or the other one."""
    return text if text and _MOMENT.fullmatch(text) else otherwise


def person(name: str) -> str:
    """The party's UUID for a person's name."""
    return stable("person", line(name) or "not named")
