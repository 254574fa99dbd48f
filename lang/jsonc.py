"""JSON with comments and trailing commas, as people write settings by hand."""

from __future__ import annotations

import json
import re

# A text or comment that is not closed goes to the end at once: sought again from each of its signs it would cost the square.
_COMMENT = r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
_TOKEN = re.compile(rf'"(?:[^"\\]++|\\.)*+"?|{_COMMENT}|,(?=(?:\s++|{_COMMENT})*+[}}\]])', re.DOTALL)
_VISIBLE = re.compile(r"[^\n]")


def loads(text: str) -> object:
    """The value of a text; raises ValueError where it is not JSON, with the place, and where it nests too deep."""

    def kept(found: re.Match[str]) -> str:
        token = found.group()
        return token if token.startswith('"') else _VISIBLE.sub(" ", token)

    try:
        return json.loads(_TOKEN.sub(kept, text.removeprefix("\ufeff")))
    except RecursionError:
        raise ValueError("nested too deeply") from None
