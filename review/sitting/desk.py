"""The desk: what the dashboard reads and does. The first rows come without waiting for the database toolkit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lang.counted import count
from review import locations
from review.errors import RemitError
from review.pack.report_seat import ReportSeat
from review.sitting.authoring_seat import AuthoringSeat
from review.sitting.landing import LandingSeat
from review.sitting.listing_seat import ListingSeat
from review.sitting.queue_seat import QueueSeat
from review.sitting.seat import ReviewSeat

if TYPE_CHECKING:
    from chains.asof import AsOf
    from review.intake.importing import Progress
    from review.judge.live import News, Watch
    from review.show.chain_walk import ChainWalk
    from review.sitting.overview import Overview
    from review.workspace import Workspace
    from store.duties import Duty
    from store.fast import FastQueue
    from store.store import Store

Doc = dict[str, Any]
PERIODS = 60
"""Days or hours of the overview's figures over time: as many as a wide terminal draws."""


class Desk(QueueSeat, ListingSeat, LandingSeat, AuthoringSeat, ReportSeat, ReviewSeat):
    """One reviewer's seat at one store. Reads may come from several threads; they are taken one at a time."""

    def __init__(
        self,
        store: str | None,
        org: str | None = None,
        *,
        detections: str | None = None,
        frameworks: str | None = None,
        overrides: Sequence[str] = (),
        readonly: bool = False,
        told: Callable[[str], None] | None = None,
    ) -> None:
        """`told` is called with a sentence before something that may take long."""
        self.location = store or locations.default_store()
        self.org = org
        self.detections = detections
        self.frameworks = frameworks
        self.overrides = tuple(overrides)
        self.readonly = readonly
        self.generation = 0
        """Grows with everything this seat writes, so that what was read before can be told from what is."""
        self.places: dict[str, str] = {}
        """By task the step its walk was left on, so that it opens there again."""
        self._lock = threading.RLock()
        self._begin_listings()
        self._land()
        self._sit_down()
        self._walked: tuple[str, AsOf] | None = None
        self._posture: Overview | None = None
        self._fast: FastQueue | None = None
        self._shown: dict[str, str] = {}
        self._watch: Watch | None = None
        self._known: dict[str, tuple[int, list[tuple[str, int]]]] = {}
        self._stirring: tuple[int, ...] = ()
        if not locations.is_url(self.location) and Path(self.location).exists():
            from store.errors import OlderSchemaError, StoreError
            from store.fast import FastQueue

            try:
                try:
                    self._fast = FastQueue(self.location)
                except OlderSchemaError:
                    if readonly:
                        raise
                    if told is not None:
                        told(
                            f"{self.name} was written by an earlier version and is brought up to date; a large store takes a minute"
                        )
                    # Opening it in full does so.
                    _ = self.work
                    self._fast = FastQueue(self.location)
            except StoreError as error:
                raise RemitError(str(error)) from error
        elif not locations.is_url(self.location) and not readonly:
            _ = self.work

    @property
    def name(self) -> str:
        return self.location.rpartition("@")[2] if locations.is_url(self.location) else Path(self.location).name

    @cached_property
    def work(self) -> Workspace:
        from review.workspace import open_workspace

        opened = open_workspace(
            self.location,
            self.org,
            detections=self.detections,
            frameworks=self.frameworks,
            overrides=self.overrides,
            create=not self.readonly,
            readonly=self.readonly,
        )
        opened.shown = self._shown
        return opened

    def close(self) -> int:
        """Leave; how many accesses could not be written down."""
        self.depart()
        self.stand_up()
        left = self.leave()
        if self._fast is not None:
            self._fast.close()
        if "work" in self.__dict__:
            self._end_listings()
            self.work.close()
        return left

    @property
    def store(self) -> Store:
        """The store for reading without the lock; every reader of it has a connection of its own."""
        with self._lock:
            return self.work.store

    def interrupt(self, *threads: int) -> None:
        """Stop what these threads read for the queue: its answer is no longer wanted."""
        if self._fast is not None:
            self._fast.interrupt()
        if "work" in self.__dict__:
            self.work.store.interrupt(threads)

    def first_rows(self, place: str) -> list[Doc]:
        """Rows to show at once, of the overview or of the queue; none where they would wait for the database toolkit."""
        from store.errors import StoreError

        if self._fast is None:
            return []
        try:
            return self.riskiest()["tasks"] if place == "overview" else list(self.tasks("", "risk").page(0))
        except StoreError:
            # Whoever reads on says what is wrong.
            return []

    # the overview

    def riskiest(self) -> Doc:
        """The riskiest tasks that wait, as a part of the overview."""
        from review.sitting.figures import RISKIEST, waiting_document

        if self._fast is not None:
            return {"tasks": [waiting_document(row) for row in self._fast.waiting_rows(RISKIEST)]}
        return self.overview("riskiest")

    def posture(self) -> Doc:
        """Look at the store's posture anew: what the look is at. Its parts are read by `overview`."""
        from review.sitting.overview import Overview

        with self._lock:
            self._posture = Overview(self.work, PERIODS)
            return self._posture.head()

    def overview(self, part: str) -> Doc:
        """One part of the last look."""
        from review.sitting.overview import Overview

        with self._lock:
            if self._posture is None:
                self._posture = Overview(self.work, PERIODS)
            return self._posture.part(part)

    def remember_visit(self) -> bool:
        """Count the last look as a visit."""
        with self._lock:
            return self._posture is not None and self._posture.remember()

    def overview_rows(self, what: str) -> list[str]:
        """Sentences of the rows behind a figure that no other screen lists."""
        from review.sitting.overview_words import row_sentences

        with self._lock:
            return row_sentences(self.work, what)

    # others at the same store

    def stirred(self) -> bool:
        """Whether it is worth looking for news: a file tells that it was not written to without being opened."""
        if locations.is_url(self.location):
            return True
        from review.judge.live import stirring

        before, self._stirring = self._stirring, stirring(self.location)
        return before != self._stirring

    def look(self) -> News | None:
        """What was written to the store since the last look, by whomever; None where nothing was."""
        from review.judge.live import Watch

        if self._watch is None:
            with self._lock:
                self._watch = Watch(self._fast if self._fast is not None else self.work.store, self._me)
            return None
        news = self._watch.look()
        if news is not None:
            self._walked = None
            self.generation += 1
        return news

    def _me(self) -> str:
        if locations.is_url(self.location):
            return self.work.identity
        from review.workspace import whoami

        return whoami()

    def refusal(self, duty: Duty | None) -> str:
        """Why whoever sits here may not do a thing, "" where they may: asked of the database once a sitting."""
        if self.readonly:
            return "this sitting is read-only; start `remit` without --readonly to change anything"
        if duty is None or not locations.is_url(self.location):
            return ""
        from store.duties import lacking

        login, may = self._allowed
        return "" if duty in may else lacking(duty, login)

    def sight(self) -> str:
        """What follows a count of tasks where this login sees some teams' alone ("of team pay alone"), "" where it sees all."""
        if not locations.is_url(self.location):
            return ""
        from review.stores.teams import alone, sight

        with self._lock:
            return alone(sight(self.work))

    @cached_property
    def _allowed(self) -> tuple[str, frozenset[Duty]]:
        with self._lock:
            return self.work.store.identity(), self.work.store.may()

    # one task

    def task(self, id: str) -> Doc:
        from review.show.showing import task_document

        with self._lock:
            found = task_document(self.work, id)
        self.note("open", {"task": found["task"]["id"]})
        self.showing([found["task"], *found["findings"]])
        return found

    def show(self, id: str) -> Doc:
        from review.show.showing import show

        with self._lock:
            return show(self.work, id)

    def authorised(self, task: str, at: int | str) -> Doc:
        """What was authorised at a step, by its number, or at a time, as `show --at` tells it."""
        from review.show.authority import authority_document, cursor

        with self._lock:
            ready = self._as_of(task)
            return authority_document(self.work, ready, cursor(ready.chain.steps, str(at)))

    def changes(self, task: str) -> list[Doc]:
        """The moments at which something changed in a task: where its time cursor stops."""
        from review.show.authority import change_documents

        with self._lock:
            return change_documents(self._as_of(task).changes())

    def delegation(self, task: str) -> Doc:
        """The family of a task as a tree, as `show --delegation` tells it."""
        from review.show.delegation import delegation_document

        with self._lock:
            return delegation_document(self.work, task)

    def _as_of(self, task: str) -> AsOf:
        from review.show.authority import load

        if self._walked is None or self._walked[0] != task:
            self._walked = task, load(self.work, task)
        return self._walked[1]

    def make_ready(self) -> None:
        """Load what a walk needs beside its task: the first of a sitting took twice as long as every other."""
        from reports.crosswalk import controls_of

        import_module("review.show.chain_walk")
        with self._lock:
            _ = self.work.own
        controls_of("")

    def walk(self, task: str) -> ChainWalk:
        """A task to be walked; nothing of it is read yet."""
        from review.show.chain_walk import ChainWalk

        with self._lock:
            work = self.work
        self.note("open", {"task": task})
        return ChainWalk(work, task, self._lock, self.showing)

    def raw(self, step: str) -> list[str]:
        """The redacted records of a step, each headed by its source, line and digest, with the used fields marked."""
        from review.show.opened import record_lines

        with self._lock:
            found = self.work.store.step(step)
            return list(record_lines(self.work, list(found.records))) if found else []

    def changed(self, step: str) -> list[str]:
        """The changes of files that a step's records state, as diffs."""
        from review.show.opened import change_lines, changes_of

        with self._lock:
            found = self.work.store.step(step)
            return list(change_lines(changes_of(self.work, found) if found else []))

    def import_files(self, path: str, progress: Progress | None = None) -> str:
        """Import and build; the sentence to show when it is done."""
        from review.derive.building import build
        from review.derive.settings_stamp import require_organisation
        from review.intake.importing import import_logs
        from review.policy.keeping import keep_history

        with self._lock:
            work = self.work
        # Without the lock: the store has one writer and many readers, and the other screens stay alive meanwhile.
        require_organisation(work)
        report = import_logs(work, [str(Path(path).expanduser())], progress=progress)
        report.totals = build(work)
        keep_history(work, report.events)
        with self._lock:
            self._walked = None
            self.generation += 1
        totals = report.document()["totals"]
        skipped = f"; skipped {report.skipped[0][0]}: {report.skipped[0][1]}" if report.skipped else ""
        return (
            f"{count(totals['accepted'], 'record')} accepted, {totals['duplicate']:,} already known, {totals['rejected']:,} rejected; "
            f"{count(totals['tasks'], 'task')} in the store{skipped}"
        )

    def topic(self, id: str) -> list[str]:
        """A help topic with this store's figures, as `remit help` tells it."""
        from review.sitting.topics import topic, topic_document, topic_lines

        with self._lock:
            return list(topic_lines(topic_document(topic(id), self.work)))
