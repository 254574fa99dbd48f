"""A reader thread per screen: requests go in, answers come back on the screen's own thread, stale ones are dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from threading import get_ident
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from textual.app import App

T = TypeVar("T")


class Reader:
    """Runs reads one after the other off the screen's thread.

    `ask` delivers `then(answer)` on the app's thread unless `forget` was called since, or a newer question was asked in
    the same `lane`; work nobody waits for any more is not begun. What is to be done rather than read is given to `act`. An error
    goes to `failed`.
    """

    def __init__(self, app: App[None], failed: Callable[[BaseException], None]) -> None:
        self._app = app
        self._failed = failed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._generation = 0
        self._lanes: Counter[str] = Counter()
        self._under_way = 0
        self.closed = False
        self.thread = 0
        """The thread that reads, once it has begun; for what stops a read from outside."""

    def ask(self, work: Callable[[], T], then: Callable[[T], None], lane: str = "") -> None:
        """Have something read, and `then` told of it while it is wanted; by one that is closed nothing is any more."""
        if self.closed:
            return
        if lane:
            self._lanes[lane] += 1
        generation, serial = self._generation, self._lanes[lane]
        self._submit(work, then, lambda: generation == self._generation and serial == self._lanes[lane])

    def act(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have something done that a person decided: it is done whatever is read anew meanwhile, and also where the screen is left."""
        self._submit(work, lambda done: None if self.closed else then(done), lambda: True)

    def _submit(self, work: Callable[[], T], then: Callable[[T], None], wanted: Callable[[], bool]) -> None:
        def run() -> T | None:
            self.thread = get_ident()
            return work() if wanted() else None

        def settle(future: Future[T | None]) -> None:
            self._under_way -= 1
            # A dashboard that ends takes its screens apart before the last answers are in.
            if future.cancelled() or not wanted() or not self._app.is_running:
                return
            error = future.exception()
            if error is not None:
                self._failed(error)
            else:
                then(cast("T", future.result()))

        def deliver(future: Future[T | None]) -> None:
            self._app.call_later(settle, future)

        self._under_way += 1
        self._pool.submit(run).add_done_callback(deliver)

    @property
    def idle(self) -> bool:
        """Whether everything asked has been answered."""
        return not self._under_way

    def forget(self) -> None:
        """Answers to everything asked so far are no longer wanted."""
        self._generation += 1

    def check(self) -> None:
        """For long work to call now and then on the reader's thread: raises CancelledError once nobody waits any more."""
        if self.closed:
            raise CancelledError

    def close(self) -> None:
        self.closed = True
        self.forget()
        self._pool.shutdown(wait=False)
