"""The command line in an address (`?command=sh&command=-c`), as the API of a cluster is asked to run it, and where each byte of it lies."""

from __future__ import annotations

import re

_QUERY = re.compile(rb"""[^\s"'\\<>]{1,16384}""")
_ARGUMENT = re.compile(rb"""[?&]command=([^&#\s"'\\<>]*+)""")
_ENCODED = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)
_KEY = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{32,1024}={0,2}(?![A-Za-z0-9+/=])")
_WORD = re.compile(rb"[A-Za-z]?[a-z]{4,}|[A-Z]{4,}|[0-9]{4,}")


def typed(data: bytes, start: int) -> tuple[tuple[bytes, list[int]], int]:
    """As it would be typed the command that the address at `start` asks for, where each of its bytes and its end lie, and where the address ends."""
    match = _QUERY.match(data, start)
    end = match.end() if match else start
    line, lies = bytearray(), [start]
    for part in _ARGUMENT.finditer(data, start, end):
        if line:
            line += b" "
            lies.append(0)
        lies[-1] = part.start(1)
        signs = _signs(part.group(1), part.start(1))
        for one in _ENCODED.finditer(data, part.start(1), part.end(1)):
            word = one.group()
            blank = word == b"+" and one.start() not in signs
            line += b" " if blank else bytes.fromhex(word[1:].decode()) if len(word) == 3 else word
            lies.append(one.end())
    return (bytes(line), lies), end


def _signs(argument: bytes, at: int) -> set[int]:
    """Where the plus signs of keys lie that whoever wrote the address did not encode; any other stands for a blank."""
    found: set[int] = set()
    for run in _KEY.finditer(argument) if b"+" in argument else ():
        if not any(_WORD.fullmatch(piece) for piece in re.split(rb"[+/=]", run.group())):
            found.update(at + n for n in range(*run.span()) if argument[n] == 0x2B)
    return found
