"""The report as somebody at the desk prepares it: frameworks and period chosen, controls looked through, signed, written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from review.errors import RemitError

if TYPE_CHECKING:
    from review.pack.pack_run import PackRun
    from review.pack.report_choices import Choices, Period
    from review.pack.report_room import Room
    from review.workspace import Workspace

Doc = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A pack as it is asked for: `formats` with commas between them, "" is all; `key` is the file of a signing key,
    `redact` a profile, each "" for none."""

    frameworks: Sequence[str]
    folder: str
    formats: str = ""
    key: str = ""
    redact: str = ""
    passphrase: str = field(default="", repr=False)


class ReportSeat:
    """The reporting half of a desk: one room at a time, read again when the store or the period is another; one pack at a time."""

    location: str
    org: str | None
    detections: str | None
    frameworks: str | None
    overrides: tuple[str, ...]
    readonly: bool
    generation: int
    _lock: RLock
    _room: tuple[int, Period, Room] | None = None

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

        def note(self, what: str, body: Doc) -> None: ...

    def _sit_down(self) -> None:
        self.packs: list[PackRun] = []
        """The packs of this sitting, the last at the end."""
        self._choices: Choices | None = None
        self._reading = Lock()

    # what is chosen

    @property
    def choices(self) -> Choices:
        """What is chosen, at first what was chosen last."""
        if self._choices is None:
            from review.pack.report_choices import recall

            self._choices = recall(self.location)
        return self._choices

    def chosen_frameworks(self) -> tuple[str, ...]:
        """The frameworks chosen last that there still are, else those a report has without a choice."""
        from review.pack.packs import DEFAULT_FRAMEWORKS

        known = self.work.library.frameworks
        return tuple(id for id in self.choices.frameworks if id in known) or DEFAULT_FRAMEWORKS

    def choose(self, choices: Choices) -> None:
        """Keep what was chosen for this sitting and, where that can be written, for the next."""
        from review.pack.report_choices import remember

        self._choices = choices
        remember(self.location, choices)

    def choose_period(self, start: str, end: str, as_of: str) -> str:
        """Choose another period, each end a time or ""; raises RemitError where one cannot be read."""
        from review.pack.report_choices import Period, with_period
        from review.pack.report_room import bounds

        period = Period(start, end, as_of)
        bounds(period)
        self.choose(with_period(self.choices, period))
        return "the period is another; every result is assessed anew"

    # the room

    def room(self, check: Callable[[], None]) -> Room:
        """The room of the chosen period over the store as it is now; `check` may end the reading.

        Without the desk's lock: reading a large store takes its time, and the other screens stay alive meanwhile.
        """
        from review.pack.report_room import Room

        with self._reading:
            period, generation = self.choices.period, self.generation
            if self._room is None or self._room[:2] != (generation, period):
                self._room = None
                with self._lock:
                    work = self.work
                self._room = generation, period, Room(work, period, check)
            return self._room[2]

    def leave_room(self) -> None:
        """Have the store read again when the room is next entered."""
        self._room = None

    def assessments(self, check: Callable[[], None]) -> tuple[Doc, list[Doc]]:
        """What is looked at, and every framework assessed over it."""
        room = self.room(check)
        return room.head(), room.frameworks()

    def assessment(self, framework: str, check: Callable[[], None]) -> Doc:
        """One framework assessed."""
        return self.room(check).framework(framework)

    def control(self, framework: str, control: str, check: Callable[[], None]) -> Doc:
        return self.room(check).control(framework, control)

    def finding_records(self, finding: Doc) -> list[str]:
        """The redacted records a finding rests on, each headed by its source, line and digest."""
        from review.show.opened import record_lines

        with self._lock:
            work = self.work
        self.note("open", {"finding": finding["id"]})
        return list(record_lines(work, finding["records"]))

    # what is stated by hand

    def attest(self, framework: str, control: str, text: str) -> str:
        from review.pack.attesting import attest

        with self._lock:
            given = attest(self.work, framework, control, text)
        return f"attested of {given['control']} by {given['reviewer']}; it changes no result and is in the review journal"

    def sign_off_state(self, frameworks: Sequence[str], check: Callable[[], None]) -> Doc:
        from review.pack.sign_offs import sign_off_state

        room = self.room(check)
        with self._lock:
            return sign_off_state(self.work, room, frameworks)

    def sign_off(self, state: Doc, words: str) -> str:
        from review.pack.sign_offs import sign

        with self._lock:
            given = sign(self.work, state, words)
            self.generation += 1
        return f"signed off by {given['reviewer']}; reports made from now on carry it, and the review journal keeps it"

    # the pack

    @property
    def packing(self) -> PackRun | None:
        """The pack that is being written."""
        return next((one for one in reversed(self.packs) if one.under_way), None)

    def before_pack(self) -> tuple[str, str, str]:
        """A folder that is not there yet, the formats there are in words, and the profiles that leave texts out."""
        from review.pack.packs import formats, profiles
        from review.pack.report_choices import suggested_folder

        return str(suggested_folder(self.choices.folder)), formats(), ", ".join(profiles())

    def pack(self, wanted: Wanted, ended: Callable[[PackRun], None]) -> PackRun:
        """Begin to write a pack of the chosen period; `ended` is called on another thread.

        Raises RemitError where a format or the key is none, no folder is named, or a pack is under way.
        """
        from review.pack.pack_run import PackRun
        from review.pack.packs import chosen_formats, chosen_profile
        from review.pack.report_choices import with_pack

        if not wanted.folder:
            raise RemitError("name the folder the pack is written to")
        if self.packing is not None:
            raise RemitError("a pack is being written; wait for its end or stop it")
        if wanted.key and not Path(wanted.key).expanduser().is_file():
            raise RemitError(f"there is no key at {wanted.key}; make one with `remit keygen`, or leave it empty")
        out = str(Path(wanted.folder).expanduser().absolute())
        formats, profile = chosen_formats(wanted.formats), chosen_profile(wanted.redact)
        self.choose(with_pack(self.choices, formats, out, wanted.key, profile))

        one = PackRun(out, list(wanted.frameworks), bool(wanted.key))
        self.packs.append(one.start(self.whereabouts, self.choices, wanted.passphrase, not self.readonly, ended))
        return one

    @property
    def whereabouts(self) -> Doc:
        """The store and the files that lie beside it, for a process that opens them as this seat did."""
        return {
            "store": self.location,
            "org": self.org,
            "detections": self.detections,
            "frameworks_dir": self.frameworks,
            "overrides": list(self.overrides),
        }

    def stand_up(self) -> None:
        """Leave: a pack that is being written is stopped and leaves nothing behind."""
        for one in self.packs:
            one.close()
