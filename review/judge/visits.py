"""When a reviewer last looked at a store and what stood there: kept in the person's own state, never in the store's evidence."""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from review import locations

SITTING = 4 * 3600 * 1_000_000
"""Microseconds without a look after which the next one begins a new visit."""

_LARGEST = 1 << 20


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stood at a look: when, the last change of the store, and how much there was."""

    at: int
    mark: str = ""
    tasks: int = 0
    findings: dict[str, int] = {}


class Visit(msgspec.Struct, frozen=True, omit_defaults=True):
    """The latest look at a store, and what stood at the end of the visit before that one."""

    store: str
    reviewer: str
    latest: Seen
    before: Seen | None = None


def recall(location: str, reviewer: str) -> Visit | None:
    """What is remembered of a reviewer at a store; None where nothing is, or nothing that can be read."""
    try:
        with _file(location, reviewer).open("rb") as kept:
            return msgspec.json.decode(kept.read(_LARGEST), type=Visit)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def since(visit: Visit | None, now: int) -> Seen | None:
    """What stood when the reviewer last left; within one visit that does not change, however often it is asked."""
    if visit is None:
        return None
    return visit.latest if now - visit.latest.at > SITTING else visit.before


def remember(location: str, reviewer: str, seen: Seen) -> bool:
    """Keep a look; False where the state cannot be written, which costs nothing but the comparison next time."""
    before = since(recall(location, reviewer), seen.at)
    file = _file(location, reviewer)
    scratch = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch.write_bytes(msgspec.json.encode(Visit(_place(location), reviewer, seen, before)))
        scratch.replace(file)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
        return False
    return True


def _place(location: str) -> str:
    """A store by where it lies, without a password."""
    return locations.shown(location) if locations.is_url(location) else str(Path(location).absolute())


def _file(location: str, reviewer: str) -> Path:
    name = sha256(f"{_place(location)}\0{reviewer}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return locations.state_dir() / "visits" / f"{name}.json"
