"""Imports from a seat at the desk: previewed, run in a process of their own, and verdicts that wait for their writer meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

from model.words import VerdictWord
from review.errors import RemitError
from review.locations import expanded

if TYPE_CHECKING:
    from review.sitting.arrival import Arrival
    from review.workspace import Workspace

Doc = dict[str, Any]
AGAIN = 0.5
"""Seconds between two tries of a verdict that the store's writer kept waiting."""


class LandingSeat:
    """The importing half of a desk: one import at a time, those that ended kept for the sitting."""

    location: str
    org: str | None
    detections: str | None
    generation: int
    _lock: RLock
    _walked: Any
    _judge: ThreadPoolExecutor | None = None

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

    def _land(self) -> None:
        self.arrivals: list[Arrival] = []
        self.pending: dict[str, str] = {}
        """The verdict that waits for the import on a task, step or finding."""
        self._left = Event()

    @property
    def arriving(self) -> Arrival | None:
        """The import that is under way."""
        return next((one for one in reversed(self.arrivals) if one.under_way), None)

    def arrive(self, paths: list[str], ended: Callable[[Arrival], None], *, follow: bool = False) -> Arrival:
        """Begin to import, or to follow; `ended` is called on another thread. RemitError where an import is under way."""
        from review.sitting.arrival import Arrival

        if self.arriving is not None:
            raise RemitError("an import is under way; wait for its end or stop it")

        def done(one: Arrival) -> None:
            with self._lock:
                self._walked = None
                self.generation += 1
            ended(one)

        one = Arrival([expanded(path) for path in paths], follow).start(self.location, self.org, self.detections, done)
        self.arrivals.append(one)
        return one

    def preview(self, paths: list[str], wanted: Callable[[], bool]) -> tuple[Doc, list[Doc]]:
        """What importing these would add, in sum and file by file. Without the lock: the other screens stay alive meanwhile."""
        from review.intake.previewing import preview_logs, summary

        with self._lock:
            work = self.work
        found = preview_logs([expanded(path) for path in paths], store=work.store, wanted=wanted)
        return summary(found), found

    def recent_imports(self) -> list[str]:
        from review.intake.choosing import recent

        with self._lock:
            return recent(self.work.store.custody())

    def judge_later(
        self, subjects: list[str], word: VerdictWord, reason: str, seen: Mapping[str, str], then: Callable[[str, bool], None]
    ) -> None:
        """Give verdicts as soon as the import lets them through; `then` is told on another thread what came of it.

        `seen` is the state that was read when they were given: what the import changed meanwhile is not judged by them.
        """
        if self._judge is None:
            self._judge = ThreadPoolExecutor(1, thread_name_prefix="judge")
        self.pending |= dict.fromkeys(subjects, word.value)

        def give() -> None:
            try:
                count = self._give(subjects, word, reason, seen)
                what = "1 verdict" if count == 1 else f"{count:,} verdicts"
                said, good = f"{what} {word.value} recorded; no longer pending", True
            except RemitError as error:
                said, good = f"{word.value} was not recorded: {error}", False
            for subject in subjects:
                self.pending.pop(subject, None)
            with self._lock:
                self.generation += 1
            then(said, good)

        self._judge.submit(give)

    def _give(self, subjects: list[str], word: VerdictWord, reason: str, seen: Mapping[str, str]) -> int:
        from review.judge.verdicts import give_verdicts
        from store import StoreError

        with self._lock:
            work = self.work
        while True:
            try:
                # Without the lock: waiting for the writer must not keep the screens from reading.
                return len(give_verdicts(work, subjects, word.value, reason, seen=seen))
            except StoreError as error:
                if self.arriving is None or self._left.is_set():
                    raise RemitError(str(error)) from error
                self._left.wait(AGAIN)

    def depart(self) -> None:
        """Leave: an import ends by itself, keeping what it read; verdicts that wait are given before."""
        for one in self.arrivals:
            one.close()
        if self._judge is not None:
            self._judge.shutdown()
        self._left.set()
