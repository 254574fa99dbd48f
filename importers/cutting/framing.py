"""Sources of text that holds no JSON: key=value lines, comma-separated tables, plain lines and paragraphs, framed as JSON records.

A framed record's `data` is the JSON the importer reads; `original` is the line as the source has it, of which the
digest is taken. What the first bytes look like decides nothing here: importers that want such records weigh a sample.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Literal

import msgspec

from importers.cutting.containers import TRUNCATED_LINE
from importers.cutting.counted import counted_lines, counted_rows
from importers.cutting.documents import document_of
from importers.cutting.scanner import Oversize, Restart, Window
from model.event import RawRecord, Reject

Container = Literal["json", "keyvalue", "csv", "lines", "counted", "paragraphs", "document"]
"""How a source is cut: a paragraph is all lines up to a blank one, in one text; a document the whole of it; a counted line says how long it is."""

Shape = Callable[[dict[str, object]], dict[str, object]]

SAMPLE_LINES = 50
MAX_ROW = 4 << 20
# Python's own limit is 128 KB a cell; a column may hold a whole record.
csv.field_size_limit(MAX_ROW)
# A name is tried only where a run of its characters begins: a long word without "=" costs its length, not the square of it.
_PAIR = re.compile(
    r"""(?<![^\s=,"'{}\[\]])([^\s=,"'{}\[\]]++)(\[\d++\])?=("(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+'|[^\s]*+)""", re.DOTALL
)
_INNER = re.compile(r"""(?<![^\s'"])([A-Za-z_][\w.:-]*+)=("(?:[^"\\]++|\\.)*+"|(?:(?!\s[A-Za-z_][\w.:-]*+=)[^"])*+)""", re.DOTALL)
# An apostrophe inside a text in apostrophes ends it only where a blank, a comma or a name that auditd adds follows.
_CLOSE = re.compile(r"'(?=[\s,A-Z\x1d]|$)")
_ESCAPE = re.compile(r"\\(.)")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,32}m")
_DELIMITERS = ",\t;|"
_DELIMITER_TOLD = re.compile(r'\ufeff?"?sep=([^\s"]|\t)"?', re.IGNORECASE)
"""The line before a table's headings that tells a spreadsheet what stands between its cells."""
_HEAD = re.compile(r"#(?:separator|set_separator|empty_field|unset_field|path|open|close|types|fields)(?![\w:])(.?)", re.DOTALL)
"""The lines by which Zeek heads and ends a table; behind `#fields` stands the delimiter, and then the columns."""
_OPENING = re.compile(rb'(?:^|[,;\t|])"')
_CLOSING = re.compile(rb'[^"]*+(?:""[^"]*+)*+"')
"""Where a quoted cell of a table begins, and up to where it goes."""
_QUOTED = re.compile(r'"(?:[^"]++|"")*+"')
_MOMENT = re.compile(r"\d[\d.:/-]{7}")
_LONGEST_NAME = 80
"""Characters of a column's name at the most: what is longer and has blanks is a line."""
_OBJECTS = ('{"', '["', "[{")
_JSON = json.JSONDecoder()

Item = RawRecord | Reject


class Frames:
    """Cuts one source into framed records; `shape` makes of a table's row the record it stands for."""

    def __init__(self, container: Container, window: Window, shape: Shape | None = None) -> None:
        self._shape = shape
        self.noise_lines = 0
        self.repaired = 0
        self._container = container
        self._window = window
        self._header: list[str] = []
        self._delimiter = ","
        self._headed = False
        self._inside = False
        self._begin = (0, 1)

    def place(self, *, end: bool) -> Restart | None:
        """Where the row now read begins, or with `end` what follows it; a document that goes on is another one."""
        if self._container == "document":
            return None
        offset, line = (self._window.position, self._window.line) if end else self._begin
        return Restart(offset, line, (self._delimiter, self._header, self._headed))

    def restart(self, place: Restart) -> bool:
        """Be what it was at this place."""
        delimiter, header, headed = place.cutter if len(place.cutter) == 3 else (None, None, None)
        if not isinstance(delimiter, str) or not isinstance(header, list) or not isinstance(headed, bool):
            return False
        self._delimiter, self._header, self._headed = delimiter, header, headed
        self._window.restart(place.offset, place.line)
        return True

    def items(self) -> Iterator[Item]:
        told_delimiter = ""
        for line, offset, data in counted_rows(self._window) if self._container == "counted" else self._rows():
            if data is None:
                yield Reject(line, None, offset, f"a row larger than {MAX_ROW >> 20} MB")
                continue
            text = text_of(data)
            if self._container == "csv" and (self._headed or not self._header) and (head := _HEAD.match(text)) is not None:
                if (columns := _fields(text, head)) is not None:
                    self._header, self._delimiter, self._headed = *columns, True
                continue
            if self._container == "csv" and not self._header:
                if (told := _DELIMITER_TOLD.fullmatch(text.strip())) is not None:
                    told_delimiter = told.group(1)
                    continue
                self._header, self._delimiter = header(text, told_delimiter)
                if not headless(text, self._delimiter):
                    continue
            quoted = not self._headed
            fields = (
                row(text, self._header, self._delimiter, quoted) if self._container == "csv" else fields_of(self._container, text)
            )
            if self._headed and self._window.spent and not self._window.ends_line:
                # Zeek ends every row, and one that was cut off in its last column looks whole.
                yield Reject(line, None, offset, TRUNCATED_LINE, sha256(data).hexdigest())
            elif fields is None:
                yield Reject(line, None, offset, _MISSING[self._container], sha256(data).hexdigest())
            else:
                fields = fields if self._shape is None else self._shape(fields)
                yield RawRecord(msgspec.json.encode(fields), line, offset, original=data)
        if self._window.damage:
            yield Reject(self._window.line, None, self._window.offset, self._window.damage)

    def _rows(self) -> Iterator[tuple[int, int, bytes | None]]:
        """What is no blank line, each with its place; rows of a table over several lines and paragraphs are joined."""
        window = self._window
        held: list[bytes] = []
        size, at = 0, (0, 0)
        while window.more():
            place, begin = (window.line, window.offset), (window.position, window.line)
            try:
                length = window.line_length()
            except Oversize:
                yield *place, None
                held, size = [], 0
                continue
            data = window.buf[window.pos : window.pos + length].rstrip(b"\r")
            window.advance(length)
            if not held:
                at, self._begin = place, begin
            held.append(data)
            size += len(data) + 1
            if self._goes_on(data, held, size):
                continue
            if self._container == "paragraphs" and not data.strip():
                held.pop()
            row, held, size = b"\n".join(held), [], 0
            if len(row) > MAX_ROW:
                yield *at, None
            elif row.strip():
                yield *at, row
        if row := b"\n".join(held).strip(b"\n"):
            yield *at, row

    def _goes_on(self, data: bytes, held: list[bytes], size: int) -> bool:
        """Whether the row that this line belongs to has not ended with it."""
        if size > MAX_ROW or self._headed:
            return False
        if self._container == "csv":
            self._inside = _ends_inside(data, self._inside and len(held) > 1)
            return self._inside
        return self._container == "document" or (self._container == "paragraphs" and bool(data.strip()))


def _ends_inside(line: bytes, inside: bool) -> bool:
    """Whether a quoted cell of a table goes on behind this line, and before it (`inside`).

    A quote opens a cell where the cell begins; elsewhere it is a character like any other, and costs no rows that follow.
    """
    at = 0
    while True:
        if inside:
            if (close := _CLOSING.match(line, at)) is None:
                return True
            at = close.end()
        if (opening := _OPENING.search(line, at)) is None:
            return False
        at, inside = opening.end(), True


def _joined(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The rows of a table among its lines; one that has no end is left out."""
    held: list[bytes] = []
    inside = False
    for line in lines:
        held.append(line.rstrip(b"\r"))
        inside = _ends_inside(held[-1], inside)
        if not inside:
            yield b"\n".join(held)
            held = []


_MISSING = {
    "keyvalue": "text without key=value pairs",
    "csv": "a row that is no row of a table",
    "lines": "an empty line",
    "counted": "an empty line",
    "paragraphs": "an empty paragraph",
    "document": "no TOML and no JSON",
}


def sample(container: Container, head: bytes) -> list[object]:
    """The first records of a source as they would be framed; a row that the head cuts off may come out short."""
    if container == "paragraphs":
        blocks = re.split(r"\n(?:[ \t]*\n)+", text_of(head.replace(b"\r\n", b"\n")).strip("\n"), maxsplit=SAMPLE_LINES)
        return [{"line": block} for block in blocks[:SAMPLE_LINES] if block.strip()]
    if container == "csv":
        if _HEAD.match(text_of(head[:32])) is not None:
            return _headed(head)
        rows = _joined(head.split(b"\n"))
        lines = [text_of(one) for one in islice((one for one in rows if one.strip()), SAMPLE_LINES + 2)]
        told = _DELIMITER_TOLD.fullmatch(lines[0].strip()) if lines else None
        lines = lines[1 if told else 0 :]
        names, delimiter = header(lines[0], told.group(1) if told else "") if lines else ([], "")
        lines = lines[0 if lines and headless(lines[0], delimiter) else 1 :]
        # One column alone is a table where its cells are quoted; else any text would be.
        if len(names) < 2 and not (lines and all(line.startswith('"') for line in lines)):
            return []
        found: list[object] = [row(line, names, delimiter) for line in lines]
        return [one for one in found if one is not None]
    if container == "counted":
        return [{"line": text_of(line)} for line in islice(counted_lines(head), SAMPLE_LINES)]
    lines = [text_of(line.rstrip(b"\r")) for line in head.split(b"\n") if line.strip()][: SAMPLE_LINES + 1]
    if container == "keyvalue":
        found = [key_values(line) for line in lines]
    else:
        found = [{"line": line} for line in lines]
    return [one for one in found if one is not None]


def _headed(head: bytes) -> list[object]:
    """The first rows of a table as Zeek writes them; none where its lines do not say what the columns are."""
    names: list[str] = []
    found: list[object] = []
    delimiter = ""
    for text in (text_of(one.rstrip(b"\r")) for one in head.split(b"\n") if one.strip()):
        if (begun := _HEAD.match(text)) is not None:
            names, delimiter = _fields(text, begun) or (names, delimiter)
        elif not names or len(found) >= SAMPLE_LINES:
            break
        elif (one := row(text, names, delimiter, quoted=False)) is not None:
            found.append(one)
    return found


def _fields(text: str, head: re.Match[str]) -> tuple[list[str], str] | None:
    """The columns that a `#fields` line names, and what stands between them; None for another line of the head."""
    if not text.startswith("#fields") or not head[1]:
        return None
    return text[head.end() :].split(head[1]), head[1]


def fields_of(container: Container, text: str) -> dict[str, object] | None:
    """One line, paragraph or document as the record its importer reads; None where it is none. Rows of a table need their header: see `row`."""
    match container:
        case "keyvalue":
            return key_values(text)
        case "document":
            return document_of(text)
    return {"line": text}


def text_of(data: bytes) -> str:
    """The text of a line; bytes that are no UTF-8 become U+FFFD."""
    return data.decode("utf-8", "replace")


def key_values(text: str) -> dict[str, object] | None:
    """The pairs of a logfmt, auditd or key=value line; text before the first pair is `_prefix`,
    text between and behind pairs `_words`.

    A comma between pairs belongs to no value. A value that is JSON without quotes around it is whole. Colours that
    a terminal was told to show, around names as well, are none of the line's words. A name met again gets `_2`, `_3` behind it; a value in pieces (`a2[0]=`, `a2[1]=`,
    as auditd cuts what is long) is one; a quoted value that itself holds pairs (auditd's msg='...') is an object, whose
    values may hold spaces: each ends where the next pair begins; text before its first pair is its `_prefix`.
    """
    if "\x1b[" in text:
        text = _COLOUR.sub("", text)
    first = _PAIR.search(text)
    if first is None:
        return None
    found: dict[str, object] = {}
    if prefix := text[: first.start()].strip():
        found["_prefix"] = prefix
    words: list[str] = []
    pieces: dict[str, list[str]] = {}
    end = first.start()
    closes = True
    while (pair := _PAIR.search(text, end)) is not None:
        if between := text[end : pair.start()].strip(" ,\t"):
            words.append(between)
        end = pair.end()
        name, piece, value = pair.groups()
        if value[:2] in _OBJECTS and (whole := _object_at(text, pair.start(3))):
            value, end = whole, pair.start(3) + len(whole)
        if closes and len(value) > 1 and value[0] == value[-1] == "'" and not _CLOSE.match(text, end - 1):
            # What a person typed may hold the apostrophe, a name at a sign-in for one.
            closing = _CLOSE.search(text, end)
            closes = closing is not None
            if closing is not None:
                end = closing.end()
                value = text[pair.start(3) : end]
        plain: object = _unquoted(value) if value[:1] in ("'", '"') else value.removesuffix(",")
        if value[:1] == "'" and "=" in value:
            plain = _pairs_in(value[1:-1]) or plain
        if piece and isinstance(plain, str):
            pieces.setdefault(name, []).append(plain)
            continue
        count = 1
        key = name
        while key in found:
            count += 1
            key = f"{name}_{count}"
            if count > 64:
                break
        found[key] = plain
    for name, parts in pieces.items():
        found.setdefault(name, "".join(parts))
    if after := text[end:].strip(" ,\t"):
        words.append(after)
    if words:
        found["_words"] = " ".join(words)
    return found


def _object_at(text: str, begin: int) -> str:
    """The JSON that begins here, which no quotes hold together; "" where none does."""
    try:
        return text[begin : _JSON.raw_decode(text, begin)[1]]
    except (ValueError, RecursionError):
        return ""


def _pairs_in(text: str) -> dict[str, str]:
    """The pairs inside a quoted value, and what stands before them."""
    found = {inner: _unquoted(one) for inner, one in _INNER.findall(text)}
    if found and (first := _INNER.search(text)) is not None and (prefix := text[: first.start()].strip()):
        found["_prefix"] = prefix
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] in "\"'" and value[-1] == value[0]:
        return _ESCAPE.sub(_escape, value[1:-1])
    return value


def _escape(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(match.group(1), match.group(1))


def header(text: str, told: str = "") -> tuple[list[str], str]:
    """The names of a table's columns and the delimiter between them: the one that was told, else that stands most often in the first row.

    A name met again gets `_2`, `_3` behind it. A row that is none of names (`headless`) has columns that are called by their place.
    """
    cells, delimiter = first_row(text)
    if told:
        cells, delimiter = next(_parsed(text, told), []), told
    names: list[str] = []
    met: Counter[str] = Counter()
    for place, said in enumerate([""] * len(cells) if headless(text, delimiter) else cells, 1):
        name = said.strip().removeprefix("\ufeff") or f"column_{place}"
        met[name] += 1
        names.append(name if met[name] == 1 else f"{name}_{met[name]}")
    return names, delimiter


def headless(text: str, delimiter: str) -> bool:
    """Whether a table's first row is a record already, as databases write theirs: one of its cells is an object, a time or a whole line."""
    cells = next(_parsed(text, delimiter), [])
    return any(said[:1] == "{" or _MOMENT.match(said) or (len(said) > _LONGEST_NAME and " " in said) for said in cells)


def first_row(text: str) -> tuple[list[str], str]:
    """The cells of a table's first row and what stands between them."""
    delimiter = max(_DELIMITERS, key=_QUOTED.sub("", text).count)
    return next(_parsed(text, delimiter), []), delimiter


def row(text: str, names: list[str], delimiter: str, quoted: bool = True) -> dict[str, object] | None:
    """One row by its columns' names; None where it has more cells than the table has columns, but for empty ones at its end.

    In a table that is not `quoted` a quote is a character like any other, and every column has a cell: a row with fewer was cut off.
    """
    cells = next(_parsed(text, delimiter), []) if quoted else text.split(delimiter)
    if not cells or any(cells[len(names) :]) or not (quoted or len(cells) >= len(names)):
        return None
    return dict(zip(names, cells, strict=False))


def _parsed(text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter)
    except csv.Error:
        return
