"""Files that are no logs, or logs packed in a way that is not read here, told by their first bytes with what to do about them."""

from __future__ import annotations

import re

LENGTH = 16
"""Bytes that tell."""

_UNPACK = "unpack it and import what is inside"
_EXPORT = "export its events as JSON"
_OWN_FILE = "inside another file or a pipe: save it as a file of its own"
_BEGINNINGS = (
    (b"PK\x03\x04", f"a zip archive {_OWN_FILE}"),
    (b"SQLite format 3\x00", f"a SQLite database {_OWN_FILE}"),
    (b"PAR1", f"a Parquet file {_OWN_FILE}"),
    (b"\x04\x22\x4d\x18", f"compressed with lz4: {_UNPACK}"),
    (b"\xff\x06\x00\x00sNaPpY", f"compressed with snappy: {_UNPACK}"),
    (b"\x1f\x9d", f"compressed with compress: {_UNPACK}"),
    (b"7z\xbc\xaf\x27\x1c", f"a 7-Zip archive: {_UNPACK}"),
    (b"Rar!\x1a\x07", f"a RAR archive: {_UNPACK}"),
    (b"Obj\x01", f"an Avro file {_OWN_FILE}"),
    (b"ElfFile\x00", f"a Windows event log: {_EXPORT}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of an Office program before 2007: save its table as CSV"),
    (b"\xd4\xc3\xb2\xa1", "a capture of network packets, not a log of records"),
    (b"\xa1\xb2\xc3\xd4", "a capture of network packets, not a log of records"),
    (b"\x89PNG", "a PNG image, not a log of records"),
    (b"\xff\xd8\xff", "a JPEG image, not a log of records"),
    (b"%PDF", "a PDF document, not a log of records"),
    (b"\x7fELF", "a program, not a log of records"),
)
OFFICE = "[Content_Types].xml"
"""The member that every archive has which is a document of an Office program."""
SAVE_AS_CSV = "a document of an Office program: save its table as CSV"


def strange(begin: bytes) -> str | None:
    """What a source is that begins so, and what to do; None where nothing speaks against its being a log."""
    return next((kind for magic, kind in _BEGINNINGS if begin.startswith(magic)), None)


_YAML = re.compile(rb"(?:---[ \t]*\r?\n)?(?:(?: *- )? *[\w.-]{1,100}:(?: [^\n]{0,2000})?\r?\n){3}")
_FRONT_MATTER = re.compile(rb"---[ \t]*\r?\n(?:[^\n-][^\n]*+\n)*+---[ \t]*\r?\n(?![\w.-]{1,100}:)")
"""What stands before a document of another kind."""
_XML = re.compile(rb"<(?:\?xml|results)\b")


def written(begin: bytes) -> str | None:
    """What a text is that begins so and that no format knows, where its export could be had as JSON; else None."""
    if _XML.match(begin):
        return f"XML, which is not read: {_EXPORT}"
    return (
        f"YAML, which is not read: {_EXPORT} (`--format json`, `-o json`)"
        if _YAML.match(begin) and not _FRONT_MATTER.match(begin)
        else None
    )


def unpacked(begin: bytes) -> str | None:
    """What a source is whose text, once decompressed, begins so: an archive that came where none is looked into; else None."""
    return f"a tar archive {_OWN_FILE}" if begin[257:262] == b"ustar" else None
