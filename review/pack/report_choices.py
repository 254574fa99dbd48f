"""What a person last chose for a report of a store: frameworks, period, formats, folder. Kept in that person's own state."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec.structs import replace

from review import locations

FOLDER = "remit-report"
"""What a pack's folder is called where nobody names it."""

_LARGEST = 1 << 16


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """As a person wrote it: each of the three a time, or "" where it is open. An open `as_of` is the last evidence time."""

    start: str = ""
    end: str = ""
    as_of: str = ""


class Choices(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes into a pack and where it goes; no frameworks are those of `review.pack.packs`, no formats are all.

    `key` is the file of the key that signs it, "" where nothing does; what unlocks it is never kept. `redact` is the
    profile by which texts are left out, "" for none.
    """

    frameworks: tuple[str, ...] = ()
    period: Period = Period()
    formats: tuple[str, ...] = ()
    folder: str = ""
    key: str = ""
    redact: str = ""


def recall(location: str) -> Choices:
    """What was chosen last for the store; nothing where nothing is remembered, or nothing that can be read."""
    try:
        with _file(location).open("rb") as kept:
            return msgspec.json.decode(kept.read(_LARGEST), type=Choices)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Choices()


def remember(location: str, choices: Choices) -> bool:
    """Keep the choices; False where the state cannot be written, which costs nothing but choosing again."""
    file = _file(location)
    scratch = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch.write_bytes(msgspec.json.encode(choices))
        scratch.replace(file)
    except OSError:
        with suppress(OSError):
            scratch.unlink()
        return False
    return True


def with_frameworks(choices: Choices, frameworks: Iterable[str]) -> Choices:
    return replace(choices, frameworks=tuple(sorted(frameworks)))


def with_period(choices: Choices, period: Period) -> Choices:
    return replace(choices, period=period)


def with_pack(choices: Choices, formats: tuple[str, ...], folder: str, key: str, redact: str) -> Choices:
    return replace(choices, formats=formats, folder=folder, key=key, redact=redact)


def suggested_folder(last: str, name: str = FOLDER) -> Path:
    """A folder that is not there yet, beside the last one or where one stands: `name`, else `name-2` and so on."""
    parent = Path(last).parent if last else Path.cwd()
    number = 1
    while (folder := parent / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def _file(location: str) -> Path:
    place = locations.shown(location) if locations.is_url(location) else str(Path(location).absolute())
    return locations.state_dir() / "reports" / f"{sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.json"
