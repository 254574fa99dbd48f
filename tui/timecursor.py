"""The time cursor of the Task screen: it stands on a step until it is moved, then on a moment of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lang.times import iso, parse_time

Doc = dict[str, Any]

_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?")


class TimeCursor:
    """Moves over the moments at which something changed in a task; times are microseconds UTC."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.what = ""
        self._stops: list[tuple[int, str]] | None = None

    @property
    def on_step(self) -> bool:
        return self.at is None

    @property
    def ready(self) -> bool:
        """Whether the moments are known."""
        return self._stops is not None

    @property
    def text(self) -> str:
        """The moment as it is asked about."""
        return iso(self.at) or ""

    def learn(self, changes: Sequence[Doc]) -> None:
        self._stops = [(at, str(one["what"])) for one in changes if (at := micros(one["at"])) is not None]

    def forget(self) -> None:
        """Another task: its moments are not known yet."""
        self.release()
        self._stops = None

    def release(self) -> None:
        """Back on the step."""
        self.at, self.what = None, ""

    def stand(self, at: int, what: str = "") -> None:
        self.at, self.what = at, what

    def move(self, direction: int, step_at: str | None) -> bool:
        """To the next moment later (1) or earlier (-1) than where it stands; False at the end of the way."""
        here = self.at if self.at is not None else micros(step_at)
        stops = self._stops or []
        if here is None:
            beyond = stops
        else:
            beyond = [one for one in stops if (one[0] > here if direction > 0 else one[0] < here)]
        if not beyond:
            return False
        self.at, self.what = beyond[0] if direction > 0 else beyond[-1]
        return True


def micros(at: str | None) -> int | None:
    return parse_time(at)[0] if at else None


def on_day(text: str, day: str | None) -> str:
    """A time of day on the day of an ISO time; anything else as it was typed."""
    typed = text.strip()
    if day and _CLOCK.fullmatch(typed):
        hour, _, rest = typed.partition(":")
        return f"{day[:10]}T{hour.zfill(2)}:{rest if rest.count(':') else rest + ':00'}Z"
    return typed
