"""Passing words at the lower right, and what they were: whoever looked away reads them again."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from textual.app import App
from textual.notifications import SeverityLevel

KEPT = 200
"""Words kept, the last ones."""


@dataclass(frozen=True, slots=True)
class Word:
    """Something that was said: when (seconds since 1970), what about ("" if nothing in particular), and how bad it is."""

    at: float
    title: str
    text: str
    severity: SeverityLevel


class Telling(App[None]):
    """An app that keeps what it said in passing."""

    def __init__(self, ansi_color: bool | None = None) -> None:
        super().__init__(ansi_color=ansi_color)
        self.said: deque[Word] = deque(maxlen=KEPT)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        self.said.append(Word(time.time(), title, message, severity))
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)
