"""Damage done to records and to what holds them: every choice comes from one given source of chance."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
import random
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import zstandard

TEXTS = (
    "", " ", "\x00", "\x1b]0;x\x07\x1b[31m", "\u202e\u2066abc\u2069", "é" * 50, "e" + "\u0301" * 300, "👩‍👩‍👧‍👦" * 20, "\ufeff", "\\u0000", "null", "None",
    "../../../../etc/passwd", "-1", "1e999", "0x10", "9" * 400, "2026-13-45T99:99:99Z", "9999-12-31T23:59:59.999999999+14:00",
    "0000-00-00", "+292277026596-12-04T15:30:08Z", "1969-12-31T23:59:59-12:00", "{" * 200, '{"a":', "[[[[", "a=b c='d", "'\"`$(",
    "$(" * 300, "`" * 501, "((" * 400, "a|b&&c;" * 200, "if true; then " * 80, "<<EOF\n" * 60, "cat <<'X'\n", "\\" * 999, "\"" * 999, " " * 3000,
    "https://user:pw@host:99999/%zz?a=%", "http://[::1", "arn:" + ":" * 60, "a/" * 800, "a." * 800, "://" * 500, "@" * 700, "%" * 901,
    "hmac-sha256:", "Bearer ", "eyJ", "eyJhbGciOiJub25lIn0.e30.", "-----BEGIN PRIVATE KEY-----", "sha256:" + "f" * 64, "*" * 300, "?" * 300,
    "git push " * 150, "curl -H 'Authorization: Bearer " + "x" * 3000, "x" * 5000, "ab" * 20000, "\n" * 2000, "\r\n\t" * 700, "ÿ\x80", "K8s::", '::"' * 300,
)  # fmt: skip
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30, 10**400, -(10**400), 0.1, -0.0, 1e-320, 1e308, -1e308,
    1.7976931348623157e308, 253402300800, 253402300800000, 253402300800000000, -62135596801, True, False, None,
)  # fmt: skip
NAMES = (
    "",
    "type",
    "id",
    "event",
    "data",
    "message",
    "timestamp",
    "time",
    "_table",
    "__class__",
    "a.b",
    "\x00",
    "ключ",
    "k" * 3000,
)
GLUES = (b"\n", b"\r\n", b"\n\n", b"", b",", b"\r", b"\x00", b" ", b"\n\n\n\t", b"\x1e", b"}\n", b"\n{", b"\xef\xbb\xbf")
PREFIXES = (
    b"<13>Mar  6 03:24:31 host vault[7]: ", b"2025-11-28T16:02:27Z\topa\t", b"2026-03-17T10:00:00.1Z stdout F ", b"2026-03-17T10:00:00.1Z stderr P ",
    b"data: ", b"\x1b[32mINFO\x1b[0m ", b"type=AUDIT msg=audit(1.2:3): ", b"\xff\xfe", b"[", b'"',
)  # fmt: skip
LARGEST = 1 << 20
"""What lies in a list of lists of lists forty times over is no record to wait for."""
CARRIERS = ("log", "message", "MESSAGE", "textPayload", "Body", "_raw", "data", "line", "payload")


def mutated_record(dice: random.Random, data: bytes, others: tuple[bytes, ...]) -> bytes:
    """One record as JSON with up to five things wrong in its structure, and now and then in its bytes."""
    value = json.loads(data)
    try:
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            value = _member_changed(dice, value, others)
        out = json.dumps(value, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        out = data
    if len(out) > LARGEST:
        out = data
    if dice.random() < 0.15:
        out = damaged(dice, out)
    if dice.random() < 0.03:
        out = _retold(dice, out)
    return out


def _member_changed(dice: random.Random, value: Any, others: tuple[bytes, ...]) -> Any:
    places = list(_places(value))
    if not places:
        return _anything(dice, others)
    holder, name = dice.choice(places)
    old = holder[name]
    what = dice.randrange(11)
    if what <= 3:
        holder[name] = _anything(dice, others)
    elif what == 4:
        del holder[name]
    elif what == 5:
        holder[name] = {dice.choice(NAMES): old} if dice.random() < 0.5 else [old] * dice.choice((0, 1, 2, 40))
    elif what == 6:
        holder[name] = _nested(old, dice.choice((3, 20, 100, 400)), dice)
    elif what == 7 and isinstance(old, str):
        holder[name] = _text_changed(dice, old)
    elif what == 8:
        holder[name] = json.dumps(old) if not isinstance(old, str) else _opened(old)
    elif what == 9:
        there, other = dice.choice(places)
        holder[name] = json.loads(json.dumps(there[other]))
    elif isinstance(holder, dict):
        holder[dice.choice((*NAMES, name.swapcase(), name + "_"))] = holder.pop(name)
    else:
        holder.insert(name, _anything(dice, others))
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every member and element with what holds it, to a few thousand."""
    queue = [value]
    for count, one in enumerate(queue):
        if count > 3000:
            return
        pairs = one.items() if isinstance(one, dict) else enumerate(one) if isinstance(one, list) else ()
        for name, inner in pairs:
            yield one, name
            if isinstance(inner, dict | list):
                queue.append(inner)


def _anything(dice: random.Random, others: tuple[bytes, ...]) -> Any:
    what = dice.randrange(8)
    if what <= 2:
        return dice.choice(TEXTS)
    if what <= 4:
        return dice.choice(NUMBERS)
    if what == 5:
        return dice.choice(([], {}, [[]], [None], [{}], {"": ""}, {"type": []}, [0, "x", {}], {"a": {"b": {"c": []}}}))
    if what == 6:
        return json.loads(dice.choice(others))
    return "".join(chr(dice.choice((dice.randrange(0x20, 0x7F), dice.randrange(0x110000)))) for _ in range(dice.randrange(30)))


def _nested(value: Any, depth: int, dice: random.Random) -> Any:
    for _ in range(depth):
        value = [value] if dice.random() < 0.5 else {"n": value}
    return value


def _text_changed(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    what = dice.randrange(5)
    if what == 0:
        return text[:at]
    if what == 1:
        return text[:at] + dice.choice(TEXTS) + text[at:]
    if what == 2:
        return text * dice.choice((2, 9, 60)) if len(text) < 2000 else text[at:]
    if what == 3:
        return text.swapcase()
    return "".join(reversed(text))


def _opened(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return list(text[:50])


def _retold(dice: random.Random, data: bytes) -> bytes:
    """The same record in a spelling that few writers use, or none should."""
    what = dice.randrange(5)
    if what == 0:
        return data.replace(b'"', b"'")
    if what == 1:
        return b'{"' + data[2:] if data[:1] == b"{" else data
    if what == 2:
        return data[:-1] + b',"type":"x","type":' + data + b"}"
    if what == 3:
        return data.replace(b": ", b":NaN ", 1).replace(b"null", b"Infinity")
    return data.replace(b"/", b"\\/").replace(b"e", b"\\u0065", 5)


def damaged(dice: random.Random, data: bytes) -> bytes:
    """Bytes with one thing wrong: flipped, cut off, cut out, doubled, put in."""
    if not data:
        return data
    at = dice.randrange(len(data))
    to = min(len(data), at + dice.choice((1, 2, 8, 200)))
    what = dice.randrange(6)
    if what == 0:
        return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]
    if what == 1:
        return data[:at]
    if what == 2:
        return data[:at] + data[to:]
    if what == 3:
        return data[:to] + data[at:]
    if what == 4:
        return (
            data[:at]
            + dice.choice((b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\n", b'"', b"\\", b"{", b"]", b"\xc0\xaf", b"\x1b[2J"))
            + data[at:]
        )
    return data[:at] + dice.randbytes(to - at) + data[to:]


def source(dice: random.Random, records: list[bytes], json_lines: bool) -> bytes:
    """Records as the bytes of one file: in lines, lists, envelopes, behind prefixes, in carriers, glued, recoded, packed."""
    if json_lines:
        data = dice.choices(
            (_lines, _list, _envelope, _pretty, _prefixed, _carried, _glued, _among_text), (40, 10, 10, 8, 8, 8, 8, 8)
        )[0](dice, records)
    else:
        data = dice.choices((_lines, _glued, _prefixed), (80, 10, 10))[0](dice, records)
    if dice.random() < 0.12:
        data = damaged(dice, data)
    if dice.random() < 0.08:
        data = _recoded(dice, data)
    if dice.random() < 0.08:
        data = _packed(dice, data)
        if dice.random() < 0.3:
            data = damaged(dice, data)
    return data


def _lines(dice: random.Random, records: list[bytes]) -> bytes:
    end = dice.choice((b"\n", b"\n", b"\n", b"\r\n"))
    return end.join(records) + (end if dice.random() < 0.8 else b"")


def _list(dice: random.Random, records: list[bytes]) -> bytes:
    return b"[" + dice.choice((b",", b",\n", b"\n,\n", b",,")).join(records) + dice.choice((b"]", b"]\n", b"", b",]", b"}"))


def _envelope(dice: random.Random, records: list[bytes]) -> bytes:
    name = dice.choice(("Records", "events", "items", "value", "loglines", "data", "messages", "x"))
    before = dice.choice((b"", b'"a":1,', b'"n":{"x":[1,{}]},', b'"' + name.encode() + b'":[],'))
    made = (
        b"{"
        + before
        + json.dumps(name).encode()
        + b":["
        + b",".join(records)
        + dice.choice((b"]}", b'],"next":null}', b"]", b""))
    )
    return made * dice.choice((1, 1, 1, 3))


def _pretty(dice: random.Random, records: list[bytes]) -> bytes:
    made = []
    for record in records:
        try:
            made.append(json.dumps(json.loads(record), indent=dice.choice((1, 2, 4))).encode())
        except (ValueError, RecursionError):
            made.append(record)
    return dice.choice((b"\n", b"\n\n", b"", b",\n")).join(made)


def _prefixed(dice: random.Random, records: list[bytes]) -> bytes:
    prefix = dice.choice(PREFIXES)
    return b"".join((prefix if dice.random() < 0.9 else b"") + record + b"\n" for record in records)


def _carried(dice: random.Random, records: list[bytes]) -> bytes:
    name = dice.choice((*CARRIERS, "whatever"))
    form = dice.choice(("text", "text", "base64", "gzip", "list", "lines"))
    made = []
    for record in records:
        text: Any = record.decode("utf-8", "replace") + dice.choice(("", "\n"))
        if form in ("base64", "gzip"):
            packed = gzip.compress(record, 1) if form == "gzip" else record
            text = base64.b64encode(packed[: len(packed) // 2] if dice.random() < 0.1 else packed).decode()
        if dice.random() < 0.2:
            text = dice.choice((text[: len(text) // 2], {"x": text}, [text], None, 7))
        told = {name: text, "stream": "stdout", "time": "2026-03-17T10:00:00.5Z"}
        made.append(told if form not in ("list", "lines") else {"page": {"of": [told] * dice.choice((0, 1, 2))}, "next": None})
    if form == "list":
        return json.dumps({"pages": {"found": made}, "status": "ok", "took": 3}).encode()
    return b"\n".join(json.dumps(one).encode() for one in made) + b"\n"


def _glued(dice: random.Random, records: list[bytes]) -> bytes:
    return b"".join(record + dice.choice(GLUES) for record in records)


def _among_text(dice: random.Random, records: list[bytes]) -> bytes:
    noise = (
        b"starting up...\n",
        b"panic: {\n",
        b"\n",
        b"[INFO] ready\n",
        b"Traceback (most recent call last):\n",
        b"}\n",
        b"\x1b[0m\n",
    )
    return b"".join(dice.choice(noise) * dice.choice((0, 1, 3)) + record + b"\n" for record in records)


def _recoded(dice: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    what = dice.randrange(6)
    if what == 0:
        return b"\xef\xbb\xbf" + data
    if what == 1:
        return text.encode("utf-16")
    if what == 2:
        return b"\xfe\xff" + text.encode("utf-16-be")
    if what == 3:
        return text.encode("utf-16-le")[: -1 if dice.random() < 0.5 else None]
    if what == 4:
        return text.encode("latin-1", "replace")
    return text.encode("utf-32")


def _packed(dice: random.Random, data: bytes) -> bytes:
    pack: Callable[[bytes], bytes] = dice.choice((gzip.compress, bz2.compress, lzma.compress, zstandard.compress))
    return pack(data) * dice.choice((1, 1, 1, 2))


def held(dice: random.Random, path: Path, data: bytes) -> Path:
    """These bytes as a file of their own, or as a member of an archive, or as rows of a database; now and then damaged."""
    what = dice.randrange(8)
    if what == 0:
        path = path.with_suffix(".zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(dice.choice(("a.jsonl", "../../x", "/etc/x", "a\\b")), data)
    elif what == 1:
        path = path.with_suffix(".tar")
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode=dice.choice(("w", "w:gz"))) as tar:
            info = tarfile.TarInfo(dice.choice(("a.jsonl", "../x", "/x")))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        path.write_bytes(packed.getvalue())
    elif what == 2:
        path = path.with_suffix(".db")
        _rows(path, data)
    else:
        path.write_bytes(data)
        return path
    if dice.random() < 0.3:
        path.write_bytes(damaged(dice, path.read_bytes()))
    return path


def _rows(path: Path, data: bytes) -> None:
    """A database with a row for each line: its members as columns where it has any, else its text."""
    with closing(sqlite3.connect(path)) as database:
        for number, line in enumerate(data.split(b"\n")[:8]):
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = {"text": line}
            columns = (
                {f"c{n}" if "\0" in str(k) else str(k): v for n, (k, v) in enumerate(dict(value).items())}
                if isinstance(value, dict)
                else {}
            )
            names = list({name.lower(): name for name in columns if name}.values())[:40] or ["x"]
            quoted = ", ".join('"' + name.encode("utf-8", "replace").decode().replace('"', '""') + '"' for name in names)
            cells = [_cell(columns.get(name)) for name in names]
            try:
                database.execute(f"CREATE TABLE t{number} ({quoted})")
                database.execute(f"INSERT INTO t{number} VALUES ({', '.join('?' * len(cells))})", cells)
            except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                continue
        database.commit()


def _cell(value: Any) -> Any:
    return value if isinstance(value, bytes | float | None) else json.dumps(value) if not isinstance(value, str) else value
