"""The overview: one screen of posture, each figure one key away from the rows behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget

from lang.counted import count
from review.sitting.figures import PARTS
from tui import figures, format
from tui.actions import bindings
from tui.crumbs import READING, at_home
from tui.scopes import OVERVIEW
from tui.screens.base import DeskScreen
from tui.widgets.figures import FigurePanel, Figures

if TYPE_CHECKING:
    from review.judge.live import News

Doc = dict[str, Any]

SOON = 0.05
"""Seconds after which the figures are read that bring the database toolkit: a key typed at the first frame is heard before, and answered sooner."""
ROWS = (("riskiest", "visit"), ("findings", "governed", "review"), ("coverage", "credentials"), ("agents", "repositories"))
"""The panels as they lie side by side; where the terminal is narrow, one below the other in the same order."""
EMPTY = (
    "This store holds nothing yet. Once it does, these figures stand here:",
    "what share of the agents' actions was decided, task-bound and confirmed,",
    "findings over time, who was watched when, and what waits for you.",
    "",
    "5, then i          read audit logs: transcripts, decisions, secret stores",
    "remit import PATH  the same from the shell",
    "remit demo         a made-up working day to look around in",
    "?                  the keys of this screen",
)


class OverviewScreen(DeskScreen):
    """Panels of figures, filled one after the other as the store answers."""

    SCOPE = OVERVIEW
    BINDINGS: ClassVar[list[BindingType]] = bindings(OVERVIEW)

    def __init__(self) -> None:
        super().__init__()
        self.head: Doc | None = None
        self.told: dict[str, Doc] = {}
        self.soon: Timer | None = None
        self.behind = False
        """Whether most figures wait until one comes here: another place was gone to before they were asked for."""

    def crumbs(self) -> list[str]:
        return at_home(self.desk.name, "Overview")

    def facts(self) -> str:
        if self.head is None:
            return READING
        until = self.head["evidence_until"]
        sources = self.head["sources"]
        # Who sees some teams alone is shown no sources.
        whose = f" {self.alone}" if self.alone else f"  {count(sources, 'source')}"
        return f"{count(self.head['tasks'], 'task')}{whose}  evidence until {format.day(until)}" + (
            "  read-only" if self.desk.readonly else ""
        )

    def body(self) -> Iterable[Widget]:
        with VerticalScroll(id="overview", can_focus=False):
            for number, row in enumerate(ROWS):
                with Horizontal(classes="figure-row", id=f"row-{number}"):
                    for name in row:
                        yield FigurePanel(name, figures.TITLES[name])

    def panel(self, name: str) -> Figures:
        return self.query_one(f"#{name}", Figures)

    @property
    def idle(self) -> bool:
        return super().idle and self.soon is None

    def ready(self) -> None:
        self._read_riskiest()
        self.soon = self.set_timer(SOON, self._read_if_seen)

    def _read_if_seen(self) -> None:
        self.soon = None
        self.behind = next((one for one in reversed(self.app.screen_stack) if isinstance(one, DeskScreen)), None) is not self
        if not self.behind:
            self._read_rest()

    def on_screen_resume(self) -> None:
        if self.behind:
            self.behind = False
            self._read_rest()

    def focus_main(self) -> None:
        self.set_focus(self.panel("riskiest"))

    def reread(self) -> None:
        self._read()

    def live(self, news: News) -> bool:
        """Figures change in place; the cursor stays on its line."""
        self._read()
        return True

    def action_refresh(self) -> None:
        self._read()

    def _read(self) -> None:
        self.reader.forget()
        self._read_riskiest()
        self._read_rest()

    def _read_riskiest(self) -> None:
        """The tasks come without the database toolkit; the first look at the rest brings it."""
        self.reader.ask(self.desk.riskiest, lambda doc: self._tell("riskiest", doc))

    def _read_rest(self) -> None:
        self.reader.ask(self.desk.posture, self._headed)
        for name in PARTS:
            if name != "riskiest":
                self.reader.ask(lambda name=name: self.desk.overview(name), lambda doc, name=name: self._tell(name, doc))  # type: ignore[misc]
        self.reader.ask(self.desk.remember_visit, lambda kept: None)

    def _headed(self, head: Doc) -> None:
        self.head = head
        self.set_crumbs()
        self.set_class(self._empty, "-empty")
        if self._empty:
            self._tell("riskiest", {"tasks": []})

    @property
    def _empty(self) -> bool:
        return self.head is not None and not self.head["tasks"] and not self.head["sources"] and self.head["sees"] is None

    def _tell(self, name: str, doc: Doc) -> None:
        self.told[name] = doc
        self.panel(name).show(lambda width: self._lines(name, doc, width))
        if name == figures.RISKIEST:
            self.remit.unveil()

    def _lines(self, name: str, doc: Doc, width: int) -> list[figures.Line]:
        if self._empty and name == "riskiest":
            return [figures.Line(line) for line in EMPTY]
        drawn = figures.lines(name, doc, width)
        return drawn[: figures.NARROW_RISKIEST] if name == "riskiest" and self._stacked else drawn

    @property
    def _stacked(self) -> bool:
        return self.app.size.width < 120

    # moving

    def _panels(self) -> list[Figures]:
        return list(self.query(Figures))

    def _here(self) -> Figures:
        return self.focused if isinstance(self.focused, Figures) else self.panel("riskiest")

    def action_move(self, step: int) -> None:
        """The next figure, over the border of a panel into the next one."""
        here = self._here()
        if not here.move(step):
            self._turn(here, step, step)

    def _turn(self, here: Figures, step: int, side: int) -> None:
        panels = self._panels()
        place = panels.index(here) + step
        while 0 <= place < len(panels):
            if figures.first_with_rows(panels[place].lines) is not None:
                panels[place].focus(scroll_visible=False)
                panels[place].enter(side)
                return
            place += step

    def action_panel_to(self, step: int) -> None:
        """The next panel that leads anywhere."""
        self._turn(self._here(), step, 1)

    def action_end(self, step: int) -> None:
        """The first figure of all, or the last."""
        for one in self._panels()[::-step]:
            if figures.first_with_rows(one.lines) is not None:
                one.focus(scroll_visible=False)
                one.enter(-step)
                return

    def on_resize(self, event: events.Resize) -> None:
        if "riskiest" in self.told:
            self._tell("riskiest", self.told["riskiest"])

    # the rows behind a figure

    def action_open(self) -> None:
        self._here().choose()

    @on(Figures.Chosen)
    def _chosen(self, event: Figures.Chosen) -> None:
        rows = event.line.rows or {}
        match rows.get("place"):
            case "queue":
                from tui.screens.queue import QueueScreen

                self.app.push_screen(QueueScreen(str(rows["filter"]), under="Overview"))
            case "task":
                from tui.screens.task import TaskScreen

                self.app.push_screen(TaskScreen(str(rows["task"]), under=("Overview",)))
            case "credentials":
                from tui.screens.credentials import CredentialsScreen

                self.app.push_screen(CredentialsScreen(bond=str(rows.get("bond", "")), flag=str(rows.get("flag", ""))))
            case "sources" | "shares" as place:
                from tui.screens.sources import SourcesScreen

                self.app.push_screen(SourcesScreen(by="agent" if place == "shares" else "enforcement point"))
            case "journal" | "accepted" as place:
                from tui.screens.rows import RowsScreen

                self.app.push_screen(RowsScreen(place))

    def action_copy(self) -> None:
        """The command that prints the rows behind this figure."""
        line = self._here().current
        if line is not None and line.rows:
            self.app.copy_to_clipboard(str(line.rows["command"]))
            self.say(f"copied {line.rows['command']}")
