"""A source that is one document of settings and no JSON: TOML, or JSON with comments and trailing commas."""

from __future__ import annotations

import json
import re
import tomllib
from contextlib import suppress

import msgspec

from importers.cutting.salvage import repaired
from importers.cutting.scanner import Window, fault
from lang.jsonc import loads

MOST = 64 << 10
"""Bytes of a document: settings that people write are shorter, and TOML's reader may take the square of what it reads."""
_DOTS = 100
_QUOTED = re.compile(r""""(?:[^"\\\n]++|\\.)*+"?|'[^'\n]*+'?""")


def document_of(text: str) -> dict[str, object] | None:
    """The object that a whole text stands for, None where it is no such document."""
    if len(text) > MOST:
        return None
    found: object = None
    # Names of many parts cost their square; no settings have such.
    if not any(_QUOTED.sub("", line).count(".") > _DOTS for line in text.split("\n") if line.count(".") > _DOTS):
        with suppress(ValueError, RecursionError):
            found = tomllib.loads(text.replace("\r\n", "\n").removeprefix("\ufeff"))
    if found is None:
        with suppress(ValueError, RecursionError):
            found = loads(text)
            # Half a character (`\ud800`) is JSON and no text: it costs itself, not the settings around it.
            written = json.dumps(found).encode()
            if fault(written) is not None and (fixed := repaired(written)) is not None:
                found = msgspec.json.decode(fixed[0])
    if not isinstance(found, dict) or not found:
        return None
    with suppress(TypeError, ValueError, OverflowError, RecursionError):
        # Numbers and times as JSON has them.
        plain = msgspec.json.decode(msgspec.json.encode(found))
        return plain if isinstance(plain, dict) else None
    return None


def whole_document(window: Window) -> dict[str, object] | None:
    """The document that a source is as a whole; None where it is JSON, or a line of it is, or where it is longer than any."""
    held = window.buf[window.pos :]
    if not window.ended or len(held) > MOST:
        return None
    line = held.partition(b"\n")[0].strip()
    if fault(held.strip()) is None or fault(line) is None:
        return None
    return document_of(held.decode("utf-8", "replace"))
