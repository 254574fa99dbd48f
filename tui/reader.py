"""A reader thread per screen: requests go in, answers come back on the screen's own thread, stale ones are dropped."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from textual.app import App

T = TypeVar("T")


class Reader:
    """Runs reads one after the other off the screen's thread.

    `ask` delivers `then(answer)` on the app's thread unless `forget` was called since; an error goes to `failed`.
    """

    def __init__(self, app: App[object], failed: Callable[[BaseException], None]) -> None:
        self._app = app
        self._failed = failed
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._generation = 0

    def ask(self, work: Callable[[], T], then: Callable[[T], None]) -> None:
        generation = self._generation

        def deliver(future: Future[T]) -> None:
            if future.cancelled() or generation != self._generation:
                return
            error = future.exception()
            if error is not None:
                self._app.call_later(self._failed, error)
            else:
                self._app.call_later(self._arrive, generation, then, future.result())

        self._pool.submit(work).add_done_callback(deliver)

    def _arrive(self, generation: int, then: Callable[[T], None], answer: T) -> None:
        if generation == self._generation:
            then(answer)

    def forget(self) -> None:
        """Answers to everything asked so far are no longer wanted."""
        self._generation += 1

    def close(self) -> None:
        self.forget()
        self._pool.shutdown(wait=False, cancel_futures=True)
