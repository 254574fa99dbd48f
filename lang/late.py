"""Regular expressions compiled when they are first used: hundreds stand in our modules, and one command needs few of them."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer", "scanner")


class _Late:
    """Stands in for a pattern; its methods become the compiled one's own, so that only the first use costs more."""

    def __init__(self, pattern: object, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled: Any = re.compile(*cast("tuple[str, int]", self._source))
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """The pattern `re.compile` gives, compiled when it is first used. No place for one whose text a user wrote: its faults come late."""
    return cast("re.Pattern[AnyStr]", _Late(pattern, flags))
