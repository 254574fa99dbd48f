"""Report: choose frameworks and a period, see how their controls come out, sign off, write the evidence pack."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from lang.counted import count as how_many
from lang.safe import safe_line
from review.pack.report_seat import Wanted
from review.pack.report_words import MARKS, edition, framework_lines, head_lines
from tui.actions import bindings
from tui.scopes import REPORT
from tui.screens.base import DeskScreen, failure, in_place
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.judge.live import News

Doc = dict[str, Any]

EVERY = 0.25
"""Seconds between two looks at a pack that is being written; none while there is none."""


IDLE = "s signs the review off, e writes the pack"


class ReportScreen(DeskScreen):
    """Frameworks with how many of their controls have which result; the one under the cursor in figures beside them."""

    SCOPE = REPORT
    TABLE = "frameworks"
    BINDINGS: ClassVar[list[BindingType]] = bindings(REPORT)

    def __init__(self) -> None:
        super().__init__()
        self.chosen: set[str] = set()
        self.head: Doc | None = None
        self.outdated = False
        self._unread = False
        self._signed_here = False
        """Whether a sign-off of this screen's own is what a look at the store has yet to tell of."""
        self._timer: Timer | None = None

    def facts(self) -> str:
        count = len(self.chosen)
        said = (
            "the store changed: r reads it again  "
            if self.outdated
            else ""
            if self.head
            else "not assessed  "
            if self._unread
            else "assessing …  "
        )
        return f"{said}{how_many(count, 'framework')} chosen"

    def body(self) -> Iterable[Widget]:
        yield Static("", classes="head", id="head", markup=False)
        with Container(classes="split broad"):
            yield VirtualTable(self._columns(), key=lambda row: str(row["id"]), empty="assessing …", id="frameworks")
            yield Panel(title="results", id="results")
        yield Static(IDLE, classes="status", id="said", markup=False)

    def _columns(self) -> list[Column]:
        return [
            Column("", 3, lambda f: "[x]" if f["id"] in self.chosen else "[ ]"),
            Column("framework", 0, lambda f: str(f["title"])),
            Column("edition", 9, lambda f: str(f["edition"]), wide=70),
            *(Column(mark, 3, partial(_count, word), right=True, wide=60) for word, mark in MARKS.items()),
        ]

    def ready(self) -> None:
        self._timer = self.set_interval(EVERY, self._tick, pause=True)
        self.reader.ask(self.desk.chosen_frameworks, self._recalled)
        self._assess()
        if self.desk.packs:
            self._watch()

    def _recalled(self, chosen: tuple[str, ...]) -> None:
        self.chosen = set(chosen)
        self.set_crumbs()

    # the assessment

    def reread(self) -> None:
        self._assess()

    def live(self, news: News) -> bool:
        """Reading all anew at each of others' acts would never end on a large store: that there is something new is said."""
        if self._signed_here and not (news.said or news.built or news.files):
            # It was read anew when it was signed.
            self._signed_here = False
            return False
        self.outdated = self.head is not None
        self.set_crumbs()
        return False

    def import_ended(self) -> None:
        self._assess()

    def action_refresh(self) -> None:
        self._signed_here = False
        self.desk.leave_room()
        self._assess()

    def _assess(self) -> None:
        """Read the store and assess every framework; what was asked before is dropped."""
        self.head, self.outdated = None, False
        self.set_crumbs()
        self.reader.ask(lambda: self.desk.assessments(self.reader.check), self._assessed, "assess")

    def _assessed(self, found: tuple[Doc, list[Doc]]) -> None:
        self.head, rows = found
        self.query_one("#head", Static).update("\n".join(safe_line(line) for line in head_lines(self.head)))
        # The chosen ones first; where one stands stays, and a choice moves no row.
        order = self.table.keys_here() or [row["id"] for row in sorted(rows, key=lambda row: row["id"] not in self.chosen)]
        self.table.show_list(
            sorted(rows, key=lambda row: order.index(row["id"]) if row["id"] in order else len(order)), keep=True
        )
        self.set_crumbs()

    @on(VirtualTable.Moved)
    def _moved(self, event: VirtualTable.Moved) -> None:
        self.query_one("#results", Panel).show(framework_lines(event.row), edition(event.row))

    # what the keys do

    @on(VirtualTable.Chosen)
    def _entered(self) -> None:
        self.action_open()

    def action_open(self) -> None:
        from tui.screens.report_controls import ControlsScreen

        row = self.table.current
        if row is not None:
            ids = [str(one["id"]) for one in self.table.at_hand() if one["id"] in self.chosen or one is row]
            self.app.push_screen(ControlsScreen(str(row["id"]), ids))

    def action_choose(self) -> None:
        from review.pack.report_choices import with_frameworks

        row = self.table.current
        if row is not None:
            self.chosen ^= {str(row["id"])}
            choices = with_frameworks(self.desk.choices, self.chosen)
            self.reader.ask(lambda: self.desk.choose(choices), lambda done: None, "choose")
            self.table.repaint_rows()
            self.set_crumbs()

    def action_period(self) -> None:
        from tui.screens.form import Field, FormScreen

        now = self.desk.choices.period
        fields = [
            Field("from", "2026-06-01 or 2026-06-01T14:00:00Z; empty: from the first record", now.start),
            Field("to", "empty: to the last record", now.end),
            Field("as of", "reviews as they stood then; empty: the last evidence", now.as_of),
        ]
        what = "which evidence a pack tells of, in UTC; results are assessed anew"
        self.app.push_screen(
            FormScreen("period", what, fields, lambda given: self.desk.choose_period(given["from"], given["to"], given["as of"])),
            self._period_chosen,
        )

    def _period_chosen(self, said: str | None) -> None:
        if said:
            self._assess()
            self.say(said)

    def action_copy(self) -> None:
        row = self.table.current
        if row is not None:
            self.copy(f"remit controls --framework {row['id']}", "the command")

    def action_sign_off(self) -> None:
        if refused := self.refused("review"):
            self.say(refused)
            return
        chosen = sorted(self.chosen)
        self.reader.ask(lambda: self.desk.sign_off_state(chosen, self.reader.check), self._signing, "sign")

    def _signing(self, state: Doc) -> None:
        from tui.screens.sign_off import SignOffScreen

        self.app.push_screen(SignOffScreen(state, lambda words: self.desk.sign_off(state, words)), self._signed)

    def _signed(self, said: str | None) -> None:
        if said:
            self._signed_here = True
            self._tell(said)
            self._assess()

    # the pack

    def action_export(self) -> None:
        if not self.may_write():
            return
        if not self.chosen:
            self.say("choose a framework first (space)")
        elif self.desk.packing is not None:
            self.say("a pack is being written; x stops it")
        else:
            self.reader.ask(self.desk.before_pack, self._exporting, "export")

    def _exporting(self, found: tuple[str, str, str]) -> None:
        from tui.screens.form import Field, FormScreen

        folder, formats, profiles = found
        fields = [
            Field("folder", "the folder the pack is written to", folder),
            Field("formats", f"empty: {formats}", ", ".join(self.desk.choices.formats)),
            Field("leave out", f"{profiles}; empty: nothing is left out", self.desk.choices.redact),
            Field("sign with", "a key's file (`remit keygen` makes one); empty: not signed", self.desk.choices.key),
            Field("passphrase", "of that key, where it has one; kept nowhere", secret=True),
        ]
        what = f"evidence pack of {', '.join(sorted(self.chosen))}"
        self.app.push_screen(FormScreen("export", what, fields, self._begin), self._begun)

    def _begin(self, given: dict[str, str]) -> str:
        folder, formats, redact = given["folder"], given["formats"], given["leave out"]
        wanted = Wanted(sorted(self.chosen), folder, formats, given["sign with"], redact, given["passphrase"])
        return self.desk.pack(wanted, self.remit.pack_ended).sentence()

    def _begun(self, said: str | None) -> None:
        if said:
            self._watch()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        self._tick()

    def _tick(self) -> None:
        one = self.desk.packs[-1] if self.desk.packs else None
        if one is None:
            return
        if one.under_way:
            done = min(one.done / one.total, 1.0) if one.total else 0.0
            self._tell(f"{'█' * round(done * 20):░<20} {one.sentence()}; x stops it")
            return
        if self._timer is not None:
            self._timer.pause()
        self._tell(("" if one.good else "✗ ") + one.sentence())

    def action_stop(self) -> None:
        one = self.desk.packing
        if one is None:
            self.say("no pack is being written")
            return
        self.say("ended where it is" if one.stopping else "stopping; x again ends it at once")
        one.stop()

    def unsaved(self) -> str:
        return "a pack is being written and would be stopped" if self.desk.packing is not None else ""

    def read_failed(self, error: BaseException) -> None:
        super().read_failed(error)
        self._tell("✗ " + failure(error))
        if self.head is None:
            self._unread = True
            table = self.query_one("#frameworks", VirtualTable)
            table.empty = in_place(error)
            table.show_list([])
            self.set_crumbs()

    def _tell(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_line(text, 600))


def _count(word: str, framework: Doc) -> str:
    return "–" if framework["left_off"] else str(framework["counts"][word] or "·")
