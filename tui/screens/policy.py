"""The policy studio: edit YAML and see beside it, as you type, what it would have done to every request in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from lang.safe import safe_line, safe_text
from review.errors import RemitError
from tui.actions import POLICY, bindings
from tui.screens.base import DeskScreen
from tui.widgets.policy_editor import PolicyEditor
from tui.widgets.virtual_table import PAGE, Column, VirtualTable

if TYPE_CHECKING:
    from review.studio import Studio

Doc = dict[str, Any]

DEBOUNCE = 0.1
"""Seconds after the last key before the draft is replayed."""


class FlipRows:
    def __init__(self, flips: Sequence[Doc]) -> None:
        self.flips = flips

    def count(self) -> int:
        return len(self.flips)

    def page(self, number: int) -> Sequence[Doc]:
        return self.flips[number * PAGE : (number + 1) * PAGE]


class PolicyScreen(DeskScreen):
    """Editor left, dry-run right, problems below; stacked under 120 columns."""

    SCOPE = POLICY
    BINDINGS: ClassVar[list[BindingType]] = bindings(POLICY, priority=True)

    def __init__(self) -> None:
        super().__init__()
        self.against = "recorded"
        self.edited = False
        self.timer: Timer | None = None
        self.studio: Studio | None = None
        self.problems: list[Doc] = []
        self.at_problem = -1
        self.file_name = "policy.yaml"

    def crumbs(self) -> list[str]:
        return ["Policy", self.file_name + (" ● edited" if self.edited else ""), f"against {self.against}"]

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            yield PolicyEditor("", id="editor")
            with Vertical():
                yield Static("reading the history …", id="summary", markup=False)
                yield VirtualTable(
                    flip_columns(), key=lambda row: str(row["step"]), empty="No flips: nothing would change.", id="flips"
                )
        yield Static("", classes="problems", id="problems", markup=False)
        yield Input(placeholder="path of a policy file", classes="bar", id="path")

    def ready(self) -> None:
        self.editor = self.query_one("#editor", PolicyEditor)
        self.editor.focus()
        self.reader.ask(self.desk.studio, self._studio_open)

    def _studio_open(self, studio: Studio) -> None:
        self.studio = studio
        self.file_name, text = studio.start_text()
        self.editor.load_text(text)
        self.edited = False
        self._replay()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self.studio is None:
            return
        if not self.edited:
            self.edited = True
            self.set_crumbs()
        if self.timer:
            self.timer.stop()
        self.timer = self.set_timer(DEBOUNCE, self._replay)

    def _replay(self) -> None:
        if self.studio is None:
            return
        studio, text, against = self.studio, self.editor.text, self.against
        self.reader.forget()
        self.reader.ask(lambda: studio.replay(text, against), self._replayed)

    def _replayed(self, answer: tuple[list[Doc], Doc | None]) -> None:
        self.problems, run = answer
        self.editor.show_problems(self.problems)
        shown = [f"{p['severity'][0].upper()} {p['line']}:{p['column']} {p['message']}" for p in self.problems[:6]]
        if len(self.problems) > 6:
            shown.append(f"… and {len(self.problems) - 6} more; f4 goes to the next")
        self.query_one("#problems", Static).update(safe_text("\n".join(shown)) if shown else "no problems")
        if run is None:
            self.query_one("#summary", Static).update(
                "the draft has errors: the figures of its last sound state are gone with it"
            )
            return
        self.query_one("#summary", Static).update(safe_text("\n".join(summary_lines(run))))
        self.query_one("#flips", VirtualTable).show_rows(FlipRows(run["flips"]), self.reader)
        self.set_crumbs()

    @on(VirtualTable.Chosen)
    def _flip_chosen(self, event: VirtualTable.Chosen) -> None:
        from tui.screens.task import TaskScreen

        self.app.push_screen(TaskScreen(str(event.row["task"])))

    def action_flips(self) -> None:
        table = self.query_one("#flips", VirtualTable)
        (self.editor if table.has_focus else table).focus()

    def action_baseline(self) -> None:
        if self.studio is None:
            return
        choices = self.studio.baselines()
        self.against = choices[(choices.index(self.against) + 1) % len(choices)] if self.against in choices else choices[0]
        self.set_crumbs()
        self._replay()

    def action_next_problem(self) -> None:
        if not self.problems:
            self.notify("no problems", markup=False)
            return
        self.at_problem = (self.at_problem + 1) % len(self.problems)
        problem = self.problems[self.at_problem]
        self.editor.focus()
        self.editor.move_cursor((problem["line"] - 1, max(problem["column"] - 1, 0)), center=True)

    def action_open_file(self) -> None:
        bar = self.query_one("#path", Input)
        bar.add_class("-open")
        bar.focus()

    @on(Input.Submitted, "#path")
    def _path_given(self, event: Input.Submitted) -> None:
        try:
            text = Path(event.value).expanduser().read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.notify(safe_line(f"cannot read {event.value}: {error}"), severity="error", markup=False)
            return
        event.input.remove_class("-open")
        self.file_name = Path(event.value).name
        self.editor.load_text(text)
        self.editor.focus()
        self.edited = False
        self._replay()

    def step_back(self) -> bool:
        bar = self.query_one("#path", Input)
        if bar.has_class("-open"):
            bar.remove_class("-open")
            self.editor.focus()
            return True
        return False

    def action_save(self) -> None:
        if self.studio is None or not self.may_write():
            return
        try:
            version = self.studio.save(self.file_name.removesuffix(".yaml"), self.editor.text, "saved in the studio")
        except RemitError as error:
            self.notify(safe_line(str(error)), severity="error", markup=False)
            return
        self.edited = False
        self.set_crumbs()
        self.notify(f"saved as version {version}", markup=False)


def flip_columns() -> list[Column]:
    return [
        Column("from", 8, lambda f: str(f["from"])),
        Column("to", 8, lambda f: str(f["to"]).upper()),
        Column("task", 0, lambda f: safe_line(str(f.get("title") or f["task"]))),
        Column("rule", 16, lambda f: safe_line(str(f["rule"] or "default"))),
    ]


def summary_lines(run: Doc) -> Iterable[str]:
    """The figures of a dry-run, exact, with what could not be judged and why."""
    history, total, tasks = run["history"], run["summary"], run["by_tasks"]
    yield f"{history['requests']:,} requests  {history['shapes']:,} shapes  {history['tasks']:,} tasks  exact"
    for name in ("newly_allowed", "newly_denied", "newly_asked", "cannot_judge", "unchanged"):
        mark = "!" if name == "newly_allowed" and total[name] else " "
        yield f"{mark}{name.replace('_', ' '):<14}{total[name]:>9,} in {tasks[name]:,} tasks"
    missing = sorted(run["missing_attributes"].items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    if missing:
        yield " missing: " + ", ".join(f"{name} ({count:,})" for name, count in missing)
    verdicts = run["verdicts"]
    yield (
        f" verdicts: harm stopped {verdicts['harm_stopped']}, missed {verdicts['harm_missed']}; "
        f"work broken {verdicts['work_broken']}; asks {verdicts['friction_added']:+}"
    )
    idle = [r["id"] for r in run["rules"] if not r["hits"]]
    if idle:
        yield " rules that never fired: " + " ".join(idle[:6]) + (f" and {len(idle) - 6} more" if len(idle) > 6 else "")
