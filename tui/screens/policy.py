"""The policy studio: edit YAML and see beside it, as you type, what it would have done to every request in the history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from threading import Event
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from lang.counted import count
from lang.safe import safe_text
from tui import dryrun
from tui.actions import bindings
from tui.collector import settle, tidy
from tui.reader import Reader
from tui.scopes import POLICY
from tui.screens.base import failure
from tui.screens.draft import DraftScreen
from tui.widgets.dryrun_side import DryRunSide
from tui.widgets.policy_editor import PolicyEditor
from tui.widgets.told import Told
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.policy.dryruns import Run
    from review.policy.studio import Replayed, Studio

Doc = dict[str, Any]

DEBOUNCE = 0.04
"""Seconds after the last key before the draft is replayed, and as long as the last replay took where that was more."""
LONGEST_WAIT = 0.3
SETTLED = 0.4
"""Seconds of rest before what is dearer is told: while somebody types, nothing but the draft is replayed."""
PROBLEMS = 5
"""Diagnostics listed below the editor; f4 walks all of them."""


class PolicyScreen(DraftScreen):
    """Editor left, dry-run right, problems below; stacked under 120 columns.

    The first figures come from one thread at each key. What is dearer is told by a second, the self-check by a third, and
    what hangs on the flip under the cursor by a fourth: none of them waits for another.
    """

    SCOPE = POLICY
    BINDINGS: ClassVar[list[BindingType]] = bindings(POLICY)

    def __init__(self) -> None:
        super().__init__()
        self.timer: Timer | None = None
        self.requests_read = 0
        self.asked = 0
        self.judged: tuple[int, int] | None = None
        self.shown_text = self.shown_name = ""
        self.serial = 0
        self.rest: Run | None = None
        self.telling_soon: Timer | None = None
        self.quiet = Event()
        self.quiet.set()
        self.took = 0.0
        self.histories = 0
        self.reading = True
        self.tidied = False
        self.checked: Doc = {}
        self.tried: Doc | None = None
        """The dry-run of the last sound state of the draft, until the access journal has it."""

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            with Vertical(id="editor-side"):
                editor = PolicyEditor("", id="editor")
                yield editor
                yield editor.candidates
            yield DryRunSide(self._follow, id="run-side", classes="flips")
        yield Told("", classes="problems", id="problems")
        yield Input(placeholder="path of a policy file", classes="bar", id="path")
        yield Input(placeholder="why this version (required)", classes="bar", id="reason")

    @property
    def run(self) -> Doc | None:
        """The dry-run that is shown."""
        return self.side.run

    def ready(self) -> None:
        self.set_focus(self.flips)
        self.historian = Reader(self.remit, self.read_failed)
        self.checker = Reader(self.remit, self.read_failed)
        self.follower = Reader(self.remit, self.read_failed)
        self.completer = Reader(self.remit, self.read_failed)
        self.judge = Reader(self.remit, self._no_judgement)
        self.reader.ask(self.desk.studio, self._studio_open)

    @property
    def helpers(self) -> tuple[Reader, ...]:
        """The readers beside the one that replays."""
        return self.historian, self.checker, self.follower, self.completer, self.judge

    def note_trial(self) -> None:
        """Have the draft noted as it was left: one entry for what somebody settled on, none for each key on the way there."""
        if self.tried is not None:
            from review.policy.trials import trial

            self.desk.note("trial", trial(self.tried))
            self.tried = None

    def on_screen_suspend(self) -> None:
        self.note_trial()

    def on_unmount(self) -> None:
        self.note_trial()
        for helper in self.helpers:
            helper.close()

    @property
    def idle(self) -> bool:
        return super().idle and self.telling_soon is None and all(helper.idle for helper in self.helpers)

    def open_bar(self, id: str, value: str = "") -> None:
        if self.flips.has_focus or self.editor.has_focus:
            self.reading = self.flips.has_focus
        super().open_bar(id, value)

    def focus_main(self) -> None:
        """Where it was before a field was open: whoever read the list types no key of it into the policy."""
        self.set_focus(self.flips if self.reading else self.editor)

    def reread(self) -> None:
        """The history or the verdicts changed: replay the draft on them as they are now."""
        self.reader.ask(self.desk.studio, self._read_history)

    def _studio_open(self, studio: Studio) -> None:
        self.studio = studio
        self.load(studio.start())
        if self.waiting_rule is not None:
            proposal, self.waiting_rule = self.waiting_rule, None
            self.take_rule(proposal)
        self._read_history(studio)

    def _read_history(self, studio: Studio) -> None:
        """Read the history beside the reader that checks the draft, so that problems show meanwhile."""
        self.histories += 1
        anew = self.histories > 1

        def read() -> None:
            studio.read_history(self._progress)
            settle(anew=anew)

        self.historian.ask(read, lambda _: self._history_read(studio), "history")

    def _progress(self, requests: int) -> None:
        """Called on the historian's thread."""
        self.historian.check()
        self.app.call_later(self._tell_progress, requests)

    def _tell_progress(self, requests: int) -> None:
        self.requests_read = requests
        if self.run is None:
            self._show_summary()

    def _history_read(self, studio: Studio) -> None:
        self.studio = studio
        self.checked = {}
        self.side.follow_anew()
        telling = studio.telling
        if telling is not None:
            self.checker.ask(lambda: telling.self_check(self._when_quiet), self._self_checked, "check")
        self.replay()

    def _self_checked(self, found: Doc) -> None:
        self.checked = found
        self._tell_more(self.serial, found)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self.studio is None:
            return
        edited = self.editor.text != self.kept_text
        if edited != self.edited:
            self.edited = edited
            self.set_crumbs()
        self.remit.warned = False
        self._stop_telling()
        if self.editor.candidates.display:
            self.action_complete()
        if self.timer:
            self.timer.stop()
        self.timer = self.set_timer(max(DEBOUNCE, min(self.took, LONGEST_WAIT)), self.replay)

    def replay(self) -> None:
        if self.studio is None:
            return
        studio, draft, against = self.studio, self.draft, self.against
        self.asked += 1
        asked = self.asked

        def progress(done: int, total: int) -> bool:
            self.reader.check()
            self.app.call_later(self._tell_judged, asked, done, total)
            return asked == self.asked

        self.reader.ask(lambda: studio.replay(draft, against, progress), self._replayed, "replay")

    def _tell_judged(self, asked: int, done: int, total: int) -> None:
        """How far an evaluation is that takes long."""
        if asked == self.asked:
            self.judged = (done, total)
            self._show_summary()

    def _replayed(self, answer: Replayed) -> None:
        problems, run, self.judged = answer.problems, answer.told, None
        self.took = answer.took / 1000
        # Errors first: they are what keeps a draft from being replayed and saved.
        self.problems = sorted(problems, key=lambda problem: problem["severity"] != "error")
        self.editor.show_problems(self.problems)
        shown = [dryrun.problem_line(p) for p in self.problems[:PROBLEMS]]
        if len(self.problems) > PROBLEMS:
            shown.append(f"… and {len(self.problems) - PROBLEMS} more; f4 goes to the next")
        self.query_one("#problems", Told).tell(safe_text("\n".join(shown)) if shown else "✓ no problems")
        if run is not None:
            self.shown_text, self.shown_name = self.editor.text, self.file_name
            self.side.show(run | self.checked, answer.took, waiting=answer.run is not None)
            self.rest, self.tried = answer.run, run
        self._tell_soon()
        self._show_summary()

    # what is told a moment later

    def _tell_soon(self) -> None:
        self._stop_telling()
        self.telling_soon = self.set_timer(SETTLED, self._tell_rest)

    def _stop_telling(self) -> None:
        """What is under way is no longer wanted: the draft changes, and the screen comes first."""
        self.serial += 1
        self.quiet.clear()
        if self.telling_soon is not None:
            self.telling_soon.stop()
            self.telling_soon = None

    def _when_quiet(self) -> None:
        """Called on the checker's thread: long work that no draft changes waits while somebody types."""
        while not self.quiet.wait(SETTLED):
            self.checker.check()
        self.checker.check()

    def _tell_rest(self) -> None:
        self._stop_telling()
        self.quiet.set()
        studio, serial, run = self.studio, self.serial, self.rest
        if studio is None or run is None:
            return

        def wanted() -> None:
            self.historian.check()
            if serial != self.serial:
                raise CancelledError

        def told(part: Doc) -> None:
            self.app.call_later(self._tell_more, serial, part)

        def tell() -> None:
            studio.tell(run, told, wanted)
            tidy(first=not self.tidied)
            self.tidied = True

        self.historian.ask(tell, lambda _: self._rest_told(run), "rest")

    def _rest_told(self, run: Run) -> None:
        if self.rest is run:
            self.rest = None

    def _tell_more(self, serial: int, part: Doc) -> None:
        """More of the dry-run that is shown; what belongs to an older one is dropped."""
        if serial == self.serial:
            for side in self.query("#run-side").results(DryRunSide):
                side.more(part)

    def _follow(self, row: Doc, then: Callable[[], None]) -> None:
        telling = self.studio.telling if self.studio is not None else None
        if telling is not None:
            self.follower.ask(lambda: telling.follow(row), lambda _: then(), "follow")

    def _show_summary(self) -> None:
        for side in self.query("#run-side").results(DryRunSide):
            side.tell(self._lead(side.run is not None))

    def _lead(self, figures: bool) -> str:
        """What has to be known before the figures that stand, if any do."""
        if not self.sound:
            own = (
                "this is its last sound state:" if self.shown_name == self.file_name else f"below stands {self.shown_name} still:"
            )
            return f"✗ the draft has errors; {own if figures else 'there is nothing to replay yet'}"
        if self.judged is not None:
            done, total = self.judged
            return f"judging: {done:,} of {total:,} …" if total else f"reading what was asked: {done:,} …"
        if figures:
            return ""
        return "reading the history" + (f": {count(self.requests_read, 'request')} …" if self.requests_read else " …")

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        # What could not be read is not asked for again until the draft or the history changes.
        self.rest = None
        self._tell_soon()
        self.side.tell("✗ " + failure(error))

    @on(VirtualTable.Chosen)
    def _flip_chosen(self, event: VirtualTable.Chosen) -> None:
        from tui.screens.task import TaskScreen

        if self.side.view.name != "flips":
            self.action_rule()
            return
        self.app.push_screen(TaskScreen(str(event.row["task"]), under=("Policy", "flip"), step=str(event.row["step"])))

    def action_flips(self) -> None:
        self.set_focus(self.editor if self.flips.has_focus else self.flips)

    def action_view(self) -> None:
        """The next list: flips, figures in full, rules, controls."""
        self.side.turn()

    def action_rule(self) -> None:
        """The editor at the rule under the cursor: the one that decides the flip, or the one of the list of rules."""
        row = self.flips.current
        if row is None:
            return
        if self.side.view.name == "controls":
            self.say(f"rules that name it: {', '.join(row['rules'])}" if row["rules"] else "no rule names this control")
        elif self.side.view.name == "figures":
            self.say("f6 goes on to the rules")
        elif not row.get("line"):
            self.say("the default decides this; no rule does" if not row.get("rule") else "that rule has no place in the text")
        elif self.edited_since():
            self.say("the text has changed since; wait for its figures")
        else:
            self.set_focus(self.editor)
            self.editor.move_cursor((row["line"] - 1, 0), center=True)

    def edited_since(self) -> bool:
        """Whether the text is another one than the figures on the screen were computed for."""
        return self.run is None or self.editor.text != self.shown_text

    def action_referee(self) -> None:
        """Have a second engine judge the draft over every shape, beside everything else."""
        if self.studio is None or not self.judge.idle:
            return
        studio, draft = self.studio, self.draft
        self._judging("referee …")
        self.judge.ask(lambda: studio.referee(draft, self._judged_so_far), self._judged)

    def _judged_so_far(self, done: int, of: int) -> None:
        """Called on the judge's thread."""
        self.judge.check()
        self.app.call_later(self._judging, f"referee: {done:,} of {of:,} rules")

    def _judging(self, word: str = "") -> None:
        self.side.entitle(word)

    def _judged(self, lines: list[str]) -> None:
        from tui.screens.referee import RefereeScreen

        self._judging()
        self.app.push_screen(RefereeScreen(lines))

    def _no_judgement(self, error: BaseException) -> None:
        self._judging()
        self.say(failure(error), bad=True)

    def action_complete(self) -> None:
        """Offer what may be written at the cursor; asked again at each key while it is shown."""
        if self.studio is None or not self.editor.has_focus:
            return
        studio, draft, (row, column) = self.studio, self.draft, self.editor.cursor_location

        def offer(told: Doc) -> None:
            if self.editor.cursor_location != (row, column):
                return
            self.editor.candidates.offer(row, told)
            if not told["candidates"]:
                self.say("nothing to offer here")

        self.completer.ask(lambda: studio.complete(draft, row + 1, column + 1), offer, "complete")

    def step_back(self) -> bool:
        if self.close_bar():
            return True
        if self.editor.has_focus:
            self.set_focus(self.flips)
            return True
        return False
