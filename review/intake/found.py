"""What a source to import is: a file, or a member of one that holds others; and what an argument is that leads to none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from importers.base import placed
from importers.cutting.members import Unreadable, members


@dataclass(frozen=True, slots=True)
class Found:
    """One source to import: its path (None: standard input), its name below the argument's root, and whether it was named itself.

    `inside` opens a member of an archive, a table of a database or an object of a store; such a source must be read before
    the next is asked for. An object has the address it lies at (`where`), what to call once it was imported (`done`), and
    its bytes if it is at hand whole (`held`).
    """

    path: Path | None
    name: str
    explicit: bool
    inside: Callable[[], AbstractContextManager[BinaryIO]] | None = None
    where: str = ""
    done: Callable[[], None] | None = None
    held: int | None = None

    @property
    def place(self) -> str:
        """Where it lies and what it is called there: `importers.base.reader_of`."""
        return placed(self.where if self.path is None else str(self.path.resolve()), self.name)

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The byte stream; raises OSError."""
        if self.inside is not None:
            return self.inside()
        return nullcontext(sys.stdin.buffer) if self.path is None else self.path.open("rb")


@dataclass(frozen=True, slots=True)
class Missing:
    """What leads to no file, or cannot be read, and why; `explicit` where it was named itself or may be a log that is lacking.

    `shut` is where it lies that is there and cannot be read now.
    """

    name: str
    reason: str
    explicit: bool = True
    shut: Path | None = None


def closed(name: str, error: OSError, path: Path) -> Missing:
    """A file or folder that cannot be read: no stranger, for whether it is a log nobody can say."""
    return Missing(name, f"cannot be read: {error.strerror or error}", shut=path)


def expanded(found: Found, path: Path) -> Iterator[Found | Missing]:
    """The members of a file that holds others, else the file itself."""
    try:
        inside = members(path)
    except OSError as error:
        yield closed(found.name, error, path)
        return
    if inside is None:
        yield found
        return
    one = None
    for one in inside:
        name = f"{found.name}!{one.name}" if one.name else found.name
        if isinstance(one, Unreadable):
            yield Missing(name, one.reason, found.explicit or not one.strange)
        else:
            yield Found(path, name, found.explicit and not one.name, one.open)
    if one is None:
        yield Missing(found.name, "nothing lies in it", False)
