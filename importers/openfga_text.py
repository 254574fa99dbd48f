"""OpenFGA's server log as a terminal shows it, which is how the server writes where it is told nothing else: a time, a level, words and JSON.

The JSON is the entry without its time. What the server says besides of itself holds no event.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.cutting.framing import Container
from importers.openfga import OpenFgaReader
from importers.shared.agents import field
from importers.shared.fields import Json, decode, mapping
from lang.times import parse_time
from model.event import BadRecord, Parsed

_ENTRY = '{"grpc_service"'
_TIME = 40
_BEFORE = 400
"""A time is no longer, nor is what stands before an entry."""


class OpenFgaText:
    """Lines of OpenFGA's console log."""

    id = "openfga-text"
    title = "OpenFGA log (console)"
    evidence = "documentation"
    version = 1
    container: Container = "lines"

    def sniff(self, sample: Sequence[object]) -> int:
        lines = [field(mapping(record), "line") for record in sample]
        held = sum(_ENTRY + ': "openfga.' in line[: _BEFORE * 2] and _stamped(line) for line in lines)
        return 95 if held > 2 or (held and held * 2 >= len(lines)) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._entries = OpenFgaReader()

    def read(self, record: object) -> Parsed:
        line = field(mapping(record), "line")
        begin = line.find(_ENTRY, 0, _BEFORE)
        if begin < 0:
            if not _stamped(line):
                raise BadRecord("not a line of OpenFGA's log: it begins with no time")
            return Parsed(type="the server's own words")
        entry: Json = mapping(decode(line[begin:].rstrip().encode("utf-8", "replace")))
        return self._entries.read({**entry, "timestamp": _time(line)})


def _time(line: str) -> str:
    return line[: _TIME + 1].split("\t")[0].split(" ")[0]


def _stamped(line: str) -> bool:
    return parse_time(_time(line))[0] is not None


IMPORTER = OpenFgaText()
