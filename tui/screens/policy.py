"""The policy studio: edit YAML and see beside it, as you type, what it would have done to every request in the history."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from lang.safe import safe_line, safe_text
from tui import dryrun
from tui.actions import POLICY, bindings
from tui.reader import Reader
from tui.screens.base import DeskScreen, failure
from tui.widgets.panel import hang
from tui.widgets.policy_editor import PolicyEditor
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.studio import Studio

Doc = dict[str, Any]

DEBOUNCE = 0.1
"""Seconds after the last key before the draft is replayed."""
PROBLEMS = 5
"""Diagnostics listed below the editor; f4 walks all of them."""
LONGEST = 4_000_000
"""Bytes of the largest file that is loaded as a policy."""


class PolicyScreen(DeskScreen):
    """Editor left, dry-run right, problems below; stacked under 120 columns."""

    SCOPE = POLICY
    BINDINGS: ClassVar[list[BindingType]] = bindings(POLICY)

    def __init__(self) -> None:
        super().__init__()
        self.against = "recorded"
        self.edited = False
        self.kept_text = ""
        self.timer: Timer | None = None
        self.studio: Studio | None = None
        self.requests_read = 0
        self.problems: list[Doc] = []
        self.at_problem = -1
        self.run: Doc | None = None
        self.file_name = "policy.yaml"

    def crumbs(self) -> list[str]:
        return ["Policy", self.file_name + (" ● edited" if self.edited else "")]

    def facts(self) -> str:
        return f"against {self.against}"

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            with Vertical(id="editor-side"):
                editor = PolicyEditor("", id="editor")
                yield editor
                yield editor.candidates
            with Vertical(id="run-side", classes="flips"):
                yield Static("reading the history …", id="summary", markup=False)
                yield VirtualTable(dryrun.columns(), key=lambda row: str(row["step"]), empty="", id="flips")
        yield Static("", classes="problems", id="problems", markup=False)
        yield Input(placeholder="path of a policy file", classes="bar", id="path")
        yield Input(placeholder="why this version (required)", classes="bar", id="reason")

    @property
    def editor(self) -> PolicyEditor:
        return self.query_one("#editor", PolicyEditor)

    @property
    def flips(self) -> VirtualTable:
        return self.query_one("#flips", VirtualTable)

    def ready(self) -> None:
        self.query_one("#run-side").border_title = "dry-run"
        self.query_one("#run-side").border_subtitle = "enter walks a flip"
        self.flips.focus()
        self.historian = Reader(self.remit, self.read_failed)
        self.completer = Reader(self.remit, self.read_failed)
        self.judge = Reader(self.remit, self._no_judgement)
        self.reader.ask(self.desk.studio, self._studio_open)

    def on_unmount(self) -> None:
        self.historian.close()
        self.completer.close()
        self.judge.close()

    @property
    def idle(self) -> bool:
        return super().idle and self.historian.idle and self.completer.idle and self.judge.idle

    def unsaved(self) -> str:
        return "the policy draft is not saved (2 shows it, ctrl+s saves it)" if self.edited else ""

    def focus_main(self) -> None:
        self.editor.focus()

    def reread(self) -> None:
        """The history or the verdicts changed: replay the draft on them as they are now."""
        self.reader.ask(self.desk.studio, self._read_history)

    def _studio_open(self, studio: Studio) -> None:
        self.studio = studio
        self._load(*studio.start_text())
        self._read_history(studio)

    def _read_history(self, studio: Studio) -> None:
        """Read the history beside the reader that checks the draft, so that problems show meanwhile."""
        self.historian.ask(lambda: studio.read_history(self._progress), lambda _: self._history_read(studio), "history")

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
        self._replay()

    def _load(self, name: str, text: str) -> None:
        self.file_name, self.kept_text, self.edited = name, text, False
        self.editor.load_text(text)
        self.at_problem = -1
        self.set_crumbs()
        self._replay()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self.studio is None:
            return
        edited = self.editor.text != self.kept_text
        if edited != self.edited:
            self.edited = edited
            self.set_crumbs()
        self.remit.warned = False
        if self.editor.candidates.display:
            self.action_complete()
        if self.timer:
            self.timer.stop()
        self.timer = self.set_timer(DEBOUNCE, self._replay)

    def _replay(self) -> None:
        if self.studio is None:
            return
        studio, text, against = self.studio, self.editor.text, self.against
        self.reader.ask(lambda: studio.replay(text, against), self._replayed, "replay")

    def _replayed(self, answer: tuple[list[Doc], Doc | None]) -> None:
        problems, run = answer
        # Errors first: they are what keeps a draft from being replayed and saved.
        self.problems = sorted(problems, key=lambda problem: problem["severity"] != "error")
        self.editor.show_problems(self.problems)
        shown = [dryrun.problem_line(p) for p in self.problems[:PROBLEMS]]
        if len(self.problems) > PROBLEMS:
            shown.append(f"… and {len(self.problems) - PROBLEMS} more; f4 goes to the next")
        self.query_one("#problems", Static).update(safe_text("\n".join(shown)) if shown else "✓ no problems")
        if run is not None:
            self.run = run
            self.flips.empty = dryrun.no_flips(run)
            self.flips.show_list(run["flips"], keep=True)
        self._show_summary()

    @property
    def sound(self) -> bool:
        return not any(problem["severity"] == "error" for problem in self.problems)

    def _show_summary(self) -> None:
        lines = list(dryrun.summary_lines(self.run, short=self.size.height < 30)) if self.run is not None else []
        if not self.sound:
            last = "this is its last sound state:" if lines else "there is nothing to replay yet"
            lines.insert(0, f"✗ the draft has errors; {last}")
        elif not lines:
            lines = ["reading the history" + (f": {self.requests_read:,} requests …" if self.requests_read else " …")]
        shown = self.query_one("#summary", Static)
        shown.update(safe_text("\n".join(hang(line, max(shown.content_size.width, 20)) for line in lines)))

    def on_resize(self, event: events.Resize) -> None:
        if self.run is not None:
            self.call_after_refresh(self._show_summary)

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        self.query_one("#summary", Static).update("✗ " + failure(error))

    @on(VirtualTable.Chosen)
    def _flip_chosen(self, event: VirtualTable.Chosen) -> None:
        from tui.screens.task import TaskScreen

        self.app.push_screen(TaskScreen(str(event.row["task"]), under=("Policy", "flip"), step=str(event.row["step"])))

    def action_flips(self) -> None:
        (self.editor if self.flips.has_focus else self.flips).focus()

    def action_edit(self) -> None:
        self.editor.focus()

    def action_baseline(self) -> None:
        if self.studio is None:
            return
        choices = self.studio.baselines()
        if len(choices) == 1:
            self.say("no policy is saved yet to compare with; ctrl+s saves this one")
        self.against = choices[(choices.index(self.against) + 1) % len(choices)] if self.against in choices else choices[0]
        self.set_crumbs()
        self._replay()

    def action_next_problem(self) -> None:
        if not self.problems:
            self.say("no problems")
            return
        self.at_problem = (self.at_problem + 1) % len(self.problems)
        problem = self.problems[self.at_problem]
        self.editor.focus()
        self.editor.move_cursor((problem["line"] - 1, max(problem["column"] - 1, 0)), center=True)
        self.say(dryrun.problem_line(problem))

    def action_referee(self) -> None:
        """Have a second engine judge the draft over every shape, beside everything else."""
        if self.studio is None or not self.judge.idle:
            return
        studio, text = self.studio, self.editor.text
        self._judging("referee …")
        self.judge.ask(lambda: studio.referee(text, self._judged_so_far), self._judged)

    def _judged_so_far(self, done: int, of: int) -> None:
        """Called on the judge's thread."""
        self.judge.check()
        self.app.call_later(self._judging, f"referee: {done:,} of {of:,} rules")

    def _judging(self, word: str = "") -> None:
        self.query_one("#run-side").border_subtitle = word or "enter walks a flip"

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
        studio, text, (row, column) = self.studio, self.editor.text, self.editor.cursor_location

        def offer(told: Doc) -> None:
            if self.editor.cursor_location != (row, column):
                return
            self.editor.candidates.offer(row, told)
            if not told["candidates"]:
                self.say("nothing to offer here")

        self.completer.ask(lambda: studio.complete(text, row + 1, column + 1), offer, "complete")

    def step_back(self) -> bool:
        if self.close_bar():
            return True
        if self.editor.has_focus:
            self.flips.focus()
            return True
        return False

    # files and versions

    def action_open_file(self) -> None:
        if self.edited:
            self.say("the draft is edited; opening a file replaces it (ctrl+z in the editor brings it back)")
        self.open_bar("path")

    @on(Input.Submitted, "#path")
    def _path_given(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        try:
            if path.stat().st_size > LONGEST:
                self.say(f"{path} is too large for a policy ({path.stat().st_size:,} bytes)", bad=True)
                return
            text = path.read_text("utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.say(f"cannot read {path}: {reason}", bad=True)
            return
        self.close_bar()
        self._load(path.name, text)

    def action_save(self) -> None:
        if self.studio is None or not self.may_write():
            return
        if not self.sound:
            self.say("a version must be without errors; f4 goes to the first", bad=True)
            return
        self.open_bar("reason")

    @on(Input.Submitted, "#reason")
    def _reason_given(self, event: Input.Submitted) -> None:
        reason, studio, text = event.value.strip(), self.studio, self.editor.text
        if not reason or studio is None:
            self.say("a version needs a reason; esc gives it up")
            return
        self.close_bar()
        name = self.file_name.removesuffix(".yaml").removesuffix(".yml")
        self.reader.ask(lambda: studio.save(name, text, reason), lambda version: self._saved(name, text, version), "save")

    def _saved(self, name: str, text: str, version: int) -> None:
        self.kept_text = text
        self.edited = self.editor.text != text
        self.set_crumbs()
        self.say(f"saved {safe_line(name)} as version {version}")
