"""Rules proposed from verdicts, denials, standing credentials or one step; each goes into the draft at one key, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import Widget
from textual.widgets import Static

from review.policy import policy_words as words
from tui.actions import bindings
from tui.scopes import PROPOSALS
from tui.screens.base import DeskScreen
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.policy.mining import Mining

Doc = dict[str, Any]

SOURCES = ("verdicts", "denials", "grants")
TITLES = {
    "verdicts": "allow what was judged within its remit",
    "denials": "allow what was denied",
    "grants": "task-bound grants for standing credentials",
    "step": "catch this step and its like",
}
EFFECTS = ("deny", "ask", "allow")


class ProposalsScreen(DeskScreen):
    """Proposals from one source; the rule, what it rests on and its dry-run below."""

    SCOPE = PROPOSALS
    TABLE = "proposals"
    BINDINGS: ClassVar[list[BindingType]] = bindings(PROPOSALS)

    def __init__(self, step: str = "", draft: tuple[str, str] | None = None) -> None:
        """`step` is what is to be caught, "" for none; `draft` the name and text of the draft a rule is tried in."""
        super().__init__()
        self.step = step
        self.draft = draft
        self.source = "step" if step else "verdicts"
        self.effect = EFFECTS[0]
        self.mining: Mining | None = None
        self.told: Doc | None = None
        self.runs: dict[str, Doc | str] = {}

    def crumbs(self) -> list[str]:
        return ["Policy", "Proposals", TITLES[self.source]]

    def facts(self) -> str:
        return "reading the history …" if self.told is None else f"{len(self.told['proposals']):,} proposed"

    def body(self) -> Iterable[Widget]:
        yield Static("", classes="status", id="about", markup=False)
        yield VirtualTable(columns(), key=lambda row: str(row["id"]), empty="", id="proposals")
        yield Panel(title="proposal", id="proposal")

    def ready(self) -> None:
        self.query_one("#proposal").add_class("detail")
        self._mine()

    def reread(self) -> None:
        """Verdicts or the history changed: everything is computed anew."""
        self.mining = None
        self._mine()

    def _mine(self) -> None:
        self.told = None
        self.runs = {}
        self.set_crumbs()
        source, step, effect = self.source, self.step, self.effect
        self.reader.ask(lambda: self._asked(source, step, effect), self._arrived, "mine")

    def _asked(self, source: str, step: str, effect: str) -> Doc:
        """On the reader's thread: the history is read for the first question and kept for the next."""
        if self.mining is None:
            self.mining = self.desk.mining()
        if source == "step":
            return self.mining.from_step(step, effect)
        if source == "denials":
            return self.mining.from_denials()
        return self.mining.grants() if source == "grants" else self.mining.from_verdicts()

    def _arrived(self, told: Doc) -> None:
        self.told = told
        held = len(told["refused"])
        lines = [*told["about"], *([f"{held:,} more held back; the panel says why"] if held else [])]
        self.query_one("#about", Static).update("\n".join(lines))
        self.table.empty = "Nothing is proposed; s asks another source."
        self.table.show_list(told["proposals"])
        self.set_crumbs()
        if not told["proposals"]:
            self.query_one("#proposal", Panel).show(refused(told), "held back" if held else "proposal")

    @on(VirtualTable.Moved)
    def _moved(self) -> None:
        self._draw()

    def _draw(self) -> None:
        row = self.table.current
        if row is None or self.told is None:
            return
        run = self.runs.get(row["id"])
        self.query_one("#proposal", Panel).show(shown(row, run, self.told), str(row["id"]))

    def action_source(self) -> None:
        """The next source."""
        choices = (*(("step",) if self.step else ()), *SOURCES)
        self.source = choices[(choices.index(self.source) + 1) % len(choices)]
        self._mine()

    def action_effect(self) -> None:
        if self.source != "step":
            self.say("what is mined from verdicts, denials and credentials allows; only rules from a step can deny or ask")
            return
        self.effect = EFFECTS[(EFFECTS.index(self.effect) + 1) % len(EFFECTS)]
        self._mine()

    def action_dry_run(self) -> None:
        """What the proposal would change in the draft, shown here."""
        row, mining = self.table.current, self.mining
        if row is None or mining is None:
            return
        name, text = self.draft or ("", None)
        self.runs[row["id"]] = "trying it …"
        self._draw()
        self.reader.ask(lambda: mining.tried(row, text, name), lambda run: self._tried(str(row["id"]), run), "try")

    def _tried(self, id: str, run: Doc) -> None:
        self.runs[id] = run
        self._draw()

    def read_failed(self, error: BaseException) -> None:
        self.runs = {}
        self._draw()
        super().read_failed(error)

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        """Put the rule into the draft of the studio, which shows at once what it would have done."""
        from tui.screens.policy import PolicyScreen

        row = self.table.current
        if row is None:
            return
        self.remit.go("policy")
        place = self.remit.get_screen("policy")
        if isinstance(place, PolicyScreen):
            place.take_rule(row)


def columns() -> list[Column]:
    return [
        Column("rule", 0, lambda row: str(row["id"])),
        Column("does", 6, lambda row: str(row["effect"])),
        Column("meant for", 9, lambda row: _count(row, "covers"), right=True),
        Column(
            "besides", 8, lambda row: _count(row, "beyond"), right=True, tone=lambda row: "warn" if _number(row, "beyond") else ""
        ),
        Column("good work", 9, lambda row: _count(row, "broken"), right=True, wide=100),
        Column("harm", 6, lambda row: _count(row, "harm"), right=True),
    ]


def _number(row: Doc, name: str) -> int:
    counted = row.get("uses" if name == "covers" and row["kind"] == "grant" else name)
    return int(counted["requests"]) if isinstance(counted, dict) else 0


def _count(row: Doc, name: str) -> str:
    return f"{_number(row, name):,}"


def shown(row: Doc, run: Doc | str | None, told: Doc) -> Iterator[str]:
    """A proposal in lines: its dry-run where one was made, the rule with its figures, and what is held back."""
    if isinstance(run, str):
        yield run
    elif run is not None:
        yield f"! {words.tried_line(run)}"
        yield from (
            f"  {flip['from']} → {flip['to']}: {flip['request'].get('action.command') or flip['request'].get('action.verb', '?')}"
            for flip in run["flips"][:5]
        )
    lines = [line[2:] for line in row["text"].splitlines()]
    yield from (line for line in lines if not line.startswith("#"))
    yield from (line.removeprefix("# ") for line in lines if line.startswith("#"))
    yield from refused(told)


def refused(told: Doc) -> Iterator[str]:
    if told["refused"]:
        yield "── held back"
        yield from (one["why"] for one in told["refused"])
