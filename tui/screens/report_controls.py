"""The controls of one framework: each with its result, and what stands behind the one under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input

from model.words import ResultWord
from review.pack.report_words import MARKS, RESULTS, SHORT, TERSE, control_lines, edition, named
from tui.actions import bindings
from tui.scopes import CONTROLS
from tui.screens.listed import Listed
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

Doc = dict[str, Any]

ALL = "all"


class ControlsScreen(Listed):
    """Pushed by the report screen over one framework; `turns` are those `]` and `[` go to."""

    SCOPE = CONTROLS
    TABLE = "controls"
    BINDINGS: ClassVar[list[BindingType]] = bindings(CONTROLS)

    def __init__(self, framework: str, turns: Sequence[str] = ()) -> None:
        super().__init__()
        self.framework = framework
        self.turns = list(turns)
        self.told: Doc | None = None
        self.result = ""
        """Only controls with this result; "" is all."""
        self.words = ""

    def crumbs(self) -> list[str]:
        narrowed = " ".join(word for word in (SHORT.get(self.result, ""), f"“{self.words}”" if self.words else "") if word)
        return ["Report", edition(self.told) if self.told else self.framework, narrowed]

    def facts(self) -> str:
        if self.told is None:
            return "assessing …"
        every, shown = len(self.told["controls"]), self.table.rows
        return f"{shown:,} of {every:,} {self.told['reading']}" if shown != every else f"{every:,} {self.told['reading']}"

    def body(self) -> list[Widget]:
        return [
            Container(
                VirtualTable(self._columns(), key=lambda row: str(row["id"]), empty="assessing …", id="controls"),
                Panel(title="control", id="control"),
                classes="split broad",
            ),
            Input(placeholder="words of an id, a title or a result", classes="bar", id="words"),
            self.export_bar(),
        ]

    def _columns(self) -> list[Column]:
        return [
            Column("", 1, lambda one: MARKS[one["result"]], tone=_tone),
            Column("id", 11, lambda one: str(one["id"])),
            Column("control", 0, lambda one: str(one["title"])),
            Column("result", 12, lambda one: _result(one, TERSE), wide=52, below=76, tone=_tone),
            Column("result", 21, lambda one: _result(one, SHORT), wide=76, tone=_tone),
            Column("open", 5, lambda one: f"{one['open']:,}" if one["open"] else "·", right=True),
            Column("by hand", 7, self._by_hand, right=True, wide=90),
        ]

    def _by_hand(self, one: Doc) -> str:
        given = self.told["attestations"].get(one["id"], []) if self.told else []
        return str(len(given)) if given else "·"

    def ready(self) -> None:
        self.reread()

    def reread(self) -> None:
        framework = self.framework
        self.reader.ask(lambda: self.desk.assessment(framework, self.reader.check), self._arrived, "assess")

    def action_refresh(self) -> None:
        self.desk.leave_room()
        self.reread()

    def _arrived(self, told: Doc) -> None:
        self.told = told
        self._list()

    def _list(self) -> None:
        if self.told is None:
            return
        words = self.words.casefold().split()
        self.rows = rows = [one for one in self.told["controls"] if self.result in ("", one["result"]) and _holds(one, words)]
        self.table.empty = (
            f"This framework is {self.told['left_off']}."
            if self.told["left_off"]
            else "No control comes out so.\nf chooses another result, / other words, esc shows all."
        )
        self.table.show_list(rows, keep=True)
        if not rows:
            self.query_one("#control", Panel).show([self.table.empty.replace("\n", " ")], "control")
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._show()

    def _show(self) -> None:
        row = self.table.current
        if row is not None:
            framework, id = self.framework, str(row["id"])
            self.reader.ask(lambda: self.desk.control(framework, id, self.reader.check), self._shown, "control")

    def _shown(self, control: Doc) -> None:
        self.query_one("#control", Panel).show(control_lines(control), named(control))

    # narrowing

    def step_back(self) -> bool:
        """Close the field, then show every control again, then leave."""
        if self.close_bar():
            return True
        narrowed = bool(self.result or self.words)
        self.result = self.words = ""
        if narrowed:
            self._list()
        return narrowed

    def action_result(self) -> None:
        from tui.screens.choice import ChoiceScreen

        if self.told is None:
            return
        counts = self.told["counts"]
        options = [(ALL, f"  all {sum(counts.values()):,}")]
        options += [(word, f"{MARKS[word]} {word}  {counts[word]:,}") for word in RESULTS if counts[word]]
        self.app.push_screen(ChoiceScreen("result", "only controls that come out so", options), self._narrow)

    def _narrow(self, word: str | None) -> None:
        if word:
            self.result = "" if word == ALL else word
            self._list()

    def action_search(self) -> None:
        self.open_bar("words", self.words)

    @on(Input.Changed, "#words")
    def _typed(self, event: Input.Changed) -> None:
        if event.input.has_class("-open"):
            self.words = event.value.strip()
            self._list()

    @on(Input.Submitted, "#words")
    def _sought(self) -> None:
        self.close_bar()

    # going on

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        from tui.screens.report_findings import FindingsScreen

        row = self.table.current
        if row is None or self.told is None:
            return
        if not row["findings"]:
            because = f": {row['reason']}" if row["reason"] else ""
            self.say(f"no finding speaks to {row['id']}; {row['word']}{because}")
            return
        under = ("Report", edition(self.told), named(row))
        self.app.push_screen(FindingsScreen(self.framework, str(row["id"]), under))

    def action_next_exception(self) -> None:
        self._exception(1)

    def action_previous_exception(self) -> None:
        self._exception(-1)

    def _exception(self, step: int) -> None:
        place = self.table.cursor + step
        while 0 <= place < self.table.rows:
            row = self.table.row_at(place)
            if row is not None and row["result"] == ResultWord.EXCEPTIONS.value:
                self.table.cursor = place
                return
            place += step
        self.say("no control with exceptions further " + ("down" if step > 0 else "up"))

    def action_next_framework(self) -> None:
        self._turn(1)

    def action_previous_framework(self) -> None:
        self._turn(-1)

    def _turn(self, step: int) -> None:
        place = (self.turns.index(self.framework) if self.framework in self.turns else 0) + step
        if not 0 <= place < len(self.turns):
            self.say("no chosen framework further on" if step > 0 else "no chosen framework before it")
            return
        self.framework, self.told = self.turns[place], None
        self.set_crumbs()
        self.reread()

    def action_attest(self) -> None:
        from tui.screens.form import Field, FormScreen

        row = self.table.current
        if row is None or not self.may_write():
            return
        framework, id = self.framework, str(row["id"])
        self.app.push_screen(
            FormScreen(
                "attest",
                f"{named(row)}: what you state stands beside the result under your name and changes none",
                [Field("text", "e.g. the policy board approved AC-1 on 2026-05-04, minutes in DOC-88")],
                lambda given: self.desk.attest(framework, id, given["text"]),
            ),
            self._attested,
        )

    def _attested(self, said: str | None) -> None:
        if said:
            self.say(said)
            self.reread()

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self.copy(f"remit controls '{row['id']}' --framework {self.framework}", "the command")


def _holds(one: Doc, words: Sequence[str]) -> bool:
    text = f"{one['id']} {one['title']} {one['word']} {one['result']}".casefold()
    return all(word in text for word in words)


def _result(one: Doc, few: Mapping[str, str]) -> str:
    """A threat list's own word, which is short, or the result in few."""
    return few[one["result"]] if one["word"] == one["result"] else str(one["word"])


def _tone(one: Doc) -> str:
    return {ResultWord.EXCEPTIONS.value: "bad", ResultWord.INSUFFICIENT.value: "warn"}.get(one["result"], "dim")
