"""Imports from a seat at the desk: previewed, run in a process of their own, and what waits for their writer meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event, RLock
from typing import TYPE_CHECKING, Any

from lang.counted import count
from model.words import VerdictWord
from review.errors import RemitError
from review.locations import expanded

if TYPE_CHECKING:
    from review.sitting.arrival import Arrival
    from review.workspace import Workspace

Doc = dict[str, Any]
AGAIN = 0.5
"""Seconds between two tries of what the store's writer kept waiting."""


class LandingSeat:
    """The importing half of a desk: one import at a time, those that ended kept for the sitting."""

    location: str
    org: str | None
    detections: str | None
    generation: int
    _lock: RLock
    _walked: Any

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

    def _land(self) -> None:
        self.arrivals: list[Arrival] = []
        self.pending: dict[str, str] = {}
        """What waits for the import on a task, step or finding: the word of a verdict, or what else is recorded."""
        self._left = Event()
        self._waiting = ThreadPoolExecutor(1, thread_name_prefix="judge")

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

        def give(work: Workspace) -> str:
            from review.judge.verdicts import give_verdicts

            given = give_verdicts(work, subjects, word.value, reason, seen=seen)
            return f"{count(len(given), 'verdict')} {word.value}"

        self._later(subjects, word.value, give, then)

    def remedy_later(self, finding: str, stated: Mapping[str, str], then: Callable[[str, bool], None]) -> None:
        """State how a finding is put right as soon as the import lets it through; `then` as for verdicts."""

        def state(work: Workspace) -> str:
            from review.judge.remedies import remedy

            remedy(work, finding, **stated)
            return "remedy"

        self._later([finding], "remedy", state, then)

    def accept_later(self, finding: str, given: Mapping[str, str], then: Callable[[str, bool], None]) -> None:
        """Accept a finding's risk as soon as the import lets it through; `given` are the words of `accept_risk`, `then` as for verdicts."""

        def accept(work: Workspace) -> str:
            from review.judge.exceptions import accept_risk

            accept_risk(work, finding, **given)  # type: ignore[arg-type]  # which refuses what is no scope
            return "accepted risk"

        self._later([finding], "accepted risk", accept, then)

    def _later(self, subjects: list[str], mark: str, act: Callable[[Workspace], str], then: Callable[[str, bool], None]) -> None:
        """Have the store written to once its writer is free; `act` gives what was recorded, `mark` stands with the subjects till then."""
        self.pending |= dict.fromkeys(subjects, mark)

        def run() -> None:
            try:
                said, good = f"{self._patiently(act)} recorded; no longer pending", True
            except RemitError as error:
                said, good = f"{mark} was not recorded: {error}", False
            for subject in subjects:
                self.pending.pop(subject, None)
            with self._lock:
                self.generation += 1
            then(said, good)

        self._waiting.submit(run)

    def _patiently(self, act: Callable[[Workspace], str]) -> str:
        from store import StoreError

        with self._lock:
            work = self.work
        while True:
            try:
                # Without the lock: waiting for the writer must not keep the screens from reading.
                return act(work)
            except StoreError as error:
                if self.arriving is None or self._left.is_set():
                    raise RemitError(str(error)) from error
                self._left.wait(AGAIN)

    def depart(self) -> None:
        """Leave: an import ends by itself, keeping what it read; verdicts that wait are given before."""
        for one in self.arrivals:
            one.close()
        self._waiting.shutdown()
        self._left.set()
