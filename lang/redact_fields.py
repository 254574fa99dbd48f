"""Secrets assigned to a telling name: in any language, JSON at any depth, YAML, environment lines, flags, XML."""

from __future__ import annotations

import re

from lang import redact_judge as judge
from lang.redact_scan import REACH, VALUE_OF, Found, Scan
from lang.redact_view import plain

_LABELS = {
    "password": "password",
    "secret": "secret",
    "token": "token",
    "api-key": "API key",
    "private-key": "private key",
}
_NAME_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_NAME_REACH = 40
# The rest of the name, what closes it, an operator (or the `"value":` of a name/value pair), blanks, what opens the value.
_ASSIGNED = re.compile(
    rb"""([A-Za-z0-9_-]{0,40}+)((?:\\+["'`]|["'`\])]){0,4})\s{0,4}"""
    rb"""(=>|:=|={1,3}|!=|:(?!:)|""" + VALUE_OF + rb""")(\s{0,4}[\[(]?\s?)(\\*["'`])?"""
)
# Nearly every keyword stands in prose or in a longer word; these bytes alone can follow a name that something is given to.
_GOES_ON = re.compile(rb"""[A-Za-z0-9_-]{0,40}+[\\"'`\])\s=:!,}>]""")
_FLAG = re.compile(rb"""([A-Za-z0-9_-]{0,24}+)(?:\\*["'],\s?(\\*["'])|\\*["']?[ \t]+(\\*["'])?)""")
_SET = re.compile(rb"(?:(?:\b|\\[nrt])setx?|configure|(?:\b|\\[nrt])(?:ENV|ARG))[ \t]+[\w./:@-]{0,80}\Z")
_SETTING = (b"set", b"configure", b"ENV", b"ARG")
_BARE = re.compile(rb"[^\s\"'`,;&|<>(){}\[\]\\]{4,8192}")
_BARE_LINE = re.compile(rb"[^\s\"'`\\]{4,8192}")
_NUMBER = re.compile(rb"\d{4,40}(?=\s?[,}\]])")
_XML = re.compile(rb"([\w-]{0,40}+)>([^<>\\\"\s]{4,256})</")
_NEXT = re.compile(rb"""\\*["'`]\s?,\s{0,40}(\\*["'`])""")
_LISTED = 64
_LONG = 256


def assignment(scan: Scan, start: int, end: int) -> int:
    """`name = value`, `"name": "value"`, `--name value`, `<name>value</name>`."""
    data = scan.data
    if (rest := _GOES_ON.match(data, end)) is None:
        return 0
    match = _ASSIGNED.match(data, end)
    if match is None:
        return _element(scan, start, end) if data[rest.end() - 1] == 0x3E else _flag(scan, start, end)
    name = _name(data, start) + data[start:end] + match.group(1)
    kind = judge.name_kind(name)
    if not kind:
        return 0
    closers, operator, blank, opener = match.group(2), match.group(3), match.group(4), match.group(5)
    # Inside a JSON string an unescaped quote cannot follow the name, so this is a member of the record's own object.
    structural = closers == b'"' and operator[:1] in (b":", b",", b"}")
    if opener:
        direct = structural or _is_direct(name, operator, blank, opener)
        until = _quoted(scan, match.end(), opener, kind, structural, direct)
        return _others(scan, match.end(), opener, kind, structural, direct) if b"[" in blank else until
    if structural and kind == "password" and (number := _NUMBER.match(data, match.end())):
        return scan.add(_made(number.start(), number.end(), kind, number.group(), True, quote=True))
    if operator == b":" and not blank and _colon_path(data, start):
        return 0
    return _bare(scan, start, match.end(), kind, name, tight=operator == b"=" and not blank)


def _is_direct(name: bytes, operator: bytes, blank: bytes, opener: bytes) -> bool:
    if operator == b"=":
        return not blank
    return opener == b'"' or name.isupper()


def _quoted(scan: Scan, position: int, opener: bytes, kind: str, structural: bool, direct: bool) -> int:
    stop = closing(scan.data, position, opener)
    value = plain(scan.data[position:stop])
    if judge.is_secret(kind, value, structural=structural and opener == b'"', direct=direct):
        return scan.add(_made(position, stop, kind, value, structural))
    return stop if stop - position > _LONG else 0


def _others(scan: Scan, position: int, opener: bytes, kind: str, structural: bool, direct: bool) -> int:
    """The further values of a list whose first begins here."""
    for _ in range(_LISTED):
        following = _NEXT.match(scan.data, closing(scan.data, position, opener))
        if following is None or following.group(1) != opener:
            break
        position = following.end()
        _quoted(scan, position, opener, kind, structural, direct)
    return position


def _bare(scan: Scan, start: int, position: int, kind: str, name: bytes, tight: bool) -> int:
    data = scan.data
    line = tight and name.isupper()
    match = (_BARE_LINE if line else _BARE).match(data, position)
    if match is None:
        return 0
    stop = match.end()
    value = match.group() if line else match.group().rstrip(b".,;:)")
    called = data[stop : stop + 1] in (b"(", b"[")
    attribute = b"." in value[:_LONG] and judge.name_kind(value[:_LONG]) != "" and not _digit(value)
    if not called and not attribute:
        direct = tight or _flagged(data, start)
        if judge.is_secret(kind, value, structural=False, direct=direct) and (direct or _looks_random(value)):
            return scan.add(_made(position, position + len(value), kind, value, False))
    return stop if stop - position > _LONG else 0


def _element(scan: Scan, start: int, end: int) -> int:
    match = _XML.match(scan.data, end)
    kind = judge.name_kind(_name(scan.data, start) + scan.data[start:end] + match.group(1)) if match else ""
    if match and kind and judge.is_secret(kind, match.group(2), structural=False, direct=True):
        return scan.add(_made(match.start(2), match.end(2), kind, match.group(2), False))
    return 0


def _flag(scan: Scan, start: int, end: int) -> int:
    data = scan.data
    if not (_flagged(data, start) or _is_set(data, start)) or (match := _FLAG.match(data, end)) is None:
        return 0
    kind = judge.name_kind(_name(data, start) + data[start:end] + match.group(1))
    if not kind:
        return 0
    position, opener = match.end(), match.group(2) or match.group(3)
    if opener:
        stop = closing(data, position, opener)
    else:
        bare = _BARE_LINE.match(data, position)
        stop = bare.end() if bare else position
    value = plain(data[position:stop])
    wordy = not opener and value.isalpha() and len(value) < 16
    if not wordy and not value.startswith(b"-") and judge.is_secret(kind, value, structural=False, direct=True):
        return scan.add(_made(position, stop, kind, value, False))
    return stop if stop - position > _LONG else 0


def _is_set(data: bytes, start: int) -> bool:
    """Whether a command or a line of a container file that sets something stands before the name."""
    reach = max(0, start - 100)
    if all(data.find(word, reach, start) < 0 for word in _SETTING):
        return False
    return _SET.search(data, reach, start) is not None


def _name(data: bytes, start: int) -> bytes:
    if not start or data[start - 1] not in _NAME_CHARS:
        return b""
    before = data[max(0, start - _NAME_REACH) : start]
    name = before[len(before.rstrip(_NAME_CHARS)) :]
    # An escaped line end before the name is no part of it.
    if name[:1] in (b"n", b"r", b"t") and data[start - len(name) - 1 : start - len(name)] == b"\\":
        return name[1:]
    return name


def _colon_path(data: bytes, start: int) -> bool:
    """Whether the name is one part of a name with colons, an ARN or a URN."""
    before = start - len(_name(data, start)) - 1
    return before >= 0 and data[before] == 0x3A


def _flagged(data: bytes, start: int) -> bool:
    name = _name(data, start)
    return name.startswith(b"-")


def _digit(value: bytes) -> bool:
    return any(48 <= c < 58 for c in value[:_LONG])


def _looks_random(value: bytes) -> bool:
    return _digit(value) and any(c > 57 for c in value[:_LONG]) and judge.entropy(value) >= 2.5


def _made(start: int, end: int, kind: str, value: bytes, structural: bool, quote: bool = False) -> Found:
    usable = not judge.trivial(value) and (structural or judge.entropy(value) * len(value) >= 24)
    return Found(start, end, kind, _LABELS[kind], value, usable, quote)


def closing(data: bytes, position: int, opener: bytes) -> int:
    """Where the text ends that this quote (with its escaping) opened; `position` itself where it does not end near by."""
    quote, depth = opener[-1:], len(opener) - 1
    limit = min(len(data), position + REACH)
    at = data.find(quote, position, limit)
    while at >= 0:
        slashes = 0
        while at - slashes > position and data[at - slashes - 1] == 0x5C:
            slashes += 1
        if slashes <= depth or (depth == 0 and slashes % 2 == 0):
            return at - min(slashes, depth)
        at = data.find(quote, at + 1, limit)
    return position
