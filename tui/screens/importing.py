"""Import: choose files in a tree or by path, see what they would add, watch them being read, see what was refused."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import BindingType
from textual.containers import Container
from textual.suggester import Suggester
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from lang.counted import count as how_many
from lang.safe import safe_line
from review.errors import RemitError
from review.intake.choosing import completed, completions, meant, tree
from tui.actions import bindings
from tui.scopes import IMPORT
from tui.screens.base import DeskScreen
from tui.widgets.columns import Column
from tui.widgets.panel import Panel
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.sitting.arrival import Arrival

Doc = dict[str, Any]

EVERY = 0.25
"""Seconds between two looks at an import under way; none while there is none."""

HELP = """space marks files and folders, p shows what they would add to the store, i imports them, f goes on with what is written to them.
/ takes a path: tab completes it. R lists what was imported before.
Nothing is written until you import."""


class PathSuggester(Suggester):
    """The first path that goes on from what is typed, shown behind it."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(completions(value)), None) if value else None


class PathInput(Input):
    """A path; tab completes it as far as all that goes on from it agree."""

    KEYS = (("tab", "complete"), ("enter", "go there or mark"), ("esc", "give up"))

    def on_key(self, event: events.Key) -> None:
        if event.key == "tab":
            event.prevent_default().stop()
            self.value = completed(self.value)
            self.cursor_position = len(self.value)


class ImportScreen(DeskScreen):
    """A tree of files beside what they would add, or beside what the import under way says of itself."""

    SCOPE = IMPORT
    TABLE = "files"
    BINDINGS: ClassVar[list[BindingType]] = bindings(IMPORT)

    def __init__(self, root: Path | None = None) -> None:
        super().__init__()
        self.root = root or Path.cwd()
        self.opened: set[str] = set()
        self.marked: dict[str, None] = {}
        """Files and folders to import, in the order they were marked, wherever they lie."""
        self.recent: list[str] | None = None
        self.hidden = False
        self.previewing = 0
        self._timer: Timer | None = None

    def facts(self) -> str:
        if self.recent is not None:
            return "imported before"
        return f"{len(self.marked):,} marked" if self.marked else ""

    def crumbs(self) -> list[str]:
        return ["Sources", "Import", str(self.root)]

    def body(self) -> Iterable[Widget]:
        with Container(classes="split"):
            yield VirtualTable(
                columns(self.marked), key=lambda row: str(row["path"]), empty="This folder is empty; - goes up.", id="files"
            )
            yield Panel(title="what it would add", id="told")
        yield Static("", classes="status", id="said", markup=False)
        yield PathInput(
            placeholder="path of a file or folder", classes="bar", id="path", suggester=PathSuggester(), select_on_focus=False
        )

    def ready(self) -> None:
        self._timer = self.set_interval(EVERY, self._tick, pause=True)
        self.query_one("#told", Panel).show(HELP)
        self._list()
        if self.desk.arriving is not None:
            self._watch()

    def reread(self) -> None:
        self._list()

    # the tree

    def _list(self, at: str = "") -> None:
        if self.recent is not None:
            rows = [
                {"path": p, "name": p, "depth": 0, "folder": Path(p).is_dir(), "open": False, "bytes": None, "at": None}
                for p in self.recent
            ]
            self._listed(rows, at)
            return
        root, opened, hidden = self.root, frozenset(self.opened), self.hidden
        self.reader.ask(lambda: tree(root, opened, hidden=hidden), lambda rows: self._listed(rows, at), "tree")

    def _listed(self, rows: list[Doc], at: str) -> None:
        self.table.show_list(rows, keep=True, at=at)
        self.set_crumbs()

    def _go(self, root: Path, at: str = "") -> None:
        self.root, self.recent = root, None
        self._list(at)

    @on(VirtualTable.Chosen)
    def _chosen(self, event: VirtualTable.Chosen) -> None:
        row = event.row
        if not row["path"]:
            return
        if not row["folder"]:
            self._preview([row["path"]])
        elif self.recent is not None:
            self._go(Path(row["path"]))
        else:
            self.opened ^= {row["path"]}
            self._list()

    def action_open(self) -> None:
        self.table.action_choose()

    def action_folder_up(self) -> None:
        before = self.root
        self._go(before.parent, at=str(before))

    def action_hidden(self) -> None:
        self.hidden = not self.hidden
        self._list()

    def action_recent(self) -> None:
        if self.recent is not None:
            self._go(self.root)
        else:
            self.reader.ask(self.desk.recent_imports, self._recent, "tree")

    def _recent(self, paths: list[str]) -> None:
        if not paths:
            self.say("nothing that was imported before is still where it was")
            return
        self.recent = paths
        self._list()

    def action_mark(self) -> None:
        row = self.table.current
        if row is not None and row["path"]:
            self._mark(row["path"])
            self.table.action_move(1)

    def _mark(self, path: str) -> None:
        if path in self.marked:
            del self.marked[path]
        else:
            self.marked[path] = None
        self.table.repaint_rows()
        self.set_crumbs()

    def action_path(self) -> None:
        self.open_bar("path", f"{self.root}{os.sep}" if self.root.name else str(self.root))
        self.query_one("#path", Input).cursor_position = len(self.query_one("#path", Input).value)

    @on(Input.Submitted, "#path")
    def _typed(self, event: Input.Submitted) -> None:
        path = Path(meant(event.value.strip())).expanduser()
        if not event.value.strip():
            self.close_bar()
        elif path.is_dir():
            self.close_bar()
            self._go(path.absolute())
        elif path.exists():
            self.close_bar()
            path = path.absolute()
            if str(path) not in self.marked:
                self._mark(str(path))
            self._go(path.parent, at=str(path))
        else:
            self.say(f"{event.value.strip()}: no such file or directory", bad=True)

    # what it would add

    def chosen(self) -> list[str]:
        """What the keys are about: the marked ones, else the one under the cursor."""
        row = self.table.current
        return list(self.marked) or ([str(row["path"])] if row is not None and row["path"] else [])

    def action_preview(self) -> None:
        self._preview(self.chosen())

    def _preview(self, paths: list[str]) -> None:
        if not paths:
            return
        if self.desk.arriving is not None:
            self.say("an import is under way; its progress is shown")
            return
        self.previewing += 1
        serial = self.previewing
        self.query_one("#told", Panel).show(["reading …"], "what it would add")

        def wanted() -> bool:
            return serial == self.previewing and not self.reader.closed

        self.reader.ask(lambda: self.desk.preview(paths, wanted), self._previewed, "preview")

    def _previewed(self, found: tuple[Doc, list[Doc]]) -> None:
        if self.desk.arriving is None:
            self.query_one("#told", Panel).show(preview_lines(*found), "what it would add")

    # the import

    def action_begin(self) -> None:
        self._begin(follow=False)

    def action_follow(self) -> None:
        self._begin(follow=True)

    def _begin(self, *, follow: bool) -> None:
        paths = self.chosen()
        if not paths or not self.may_write():
            return
        self.previewing += 1
        try:
            self.remit.begin_import(paths, follow=follow)
        except RemitError as error:
            self.say(str(error), bad=True)
            return
        self.marked.clear()
        self.table.repaint_rows()
        self.set_crumbs()
        self._watch()

    def _watch(self) -> None:
        if self._timer is not None:
            self._timer.resume()
        self._tick()

    def _tick(self) -> None:
        one = self.desk.arriving
        if one is not None:
            self.query_one("#told", Panel).show(progress_lines(one), "import")
            self.query_one("#said", Static).update(
                safe_line(f"importing {', '.join(one.paths)}; s stops it, what was read is kept", 600)
            )
        elif self._timer is not None:
            self._timer.pause()

    def import_ended(self) -> None:
        one = self.desk.arrivals[-1] if self.desk.arrivals else None
        if one is not None and not one.under_way:
            self._tick()
            self.query_one("#said", Static).update(safe_line(one.sentence(), 600))
            self.query_one("#told", Panel).show(ended_lines(one), "import")

    def on_screen_resume(self) -> None:
        super().on_screen_resume()
        if self.is_mounted and self._timer is not None and self.desk.arriving is None and self.desk.arrivals:
            self.import_ended()

    def action_stop(self) -> None:
        one = self.desk.arriving
        if one is not None:
            self.say(
                "ended where it is; what was committed stays"
                if one.stopping
                else "stopping after the records at hand; s again ends it at once"
            )
            one.stop()
        else:
            self.previewing += 1
            self.query_one("#told", Panel).show(HELP)

    def action_finished(self) -> None:
        from tui.screens.finished import FinishedScreen

        self.app.push_screen(FinishedScreen())


def columns(marked: dict[str, None]) -> list[Column]:
    return [
        Column("", 1, lambda row: "✓" if row["path"] in marked else " "),
        Column("name", 0, _name, ends=True),
        Column("bytes", 9, lambda row: "" if row["folder"] or row["bytes"] is None else size(row["bytes"]), right=True),
    ]


def _name(row: Doc) -> str:
    mark = ("▾ " if row["open"] else "▸ ") if row["folder"] else "  "
    return f"{'  ' * row['depth']}{mark}{row['name']}{'/' if row['folder'] else ''}"


def size(count: float) -> str:
    """Bytes in the largest unit that leaves a whole number."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def preview_lines(whole: Doc, previews: list[Doc]) -> Iterator[str]:
    """What importing would add: the sum first, then file by file."""
    which = "" if whole["whole"] else "of the first 1,000 of each file: "
    yield f"── {which}{whole['new']:,} new records, {whole['known']:,} known, {whole['rejected']:,} rejected"
    yield f"tasks: {whole['tasks']['new']:,} would begin, {whole['tasks']['touched']:,} that are there would grow"
    formats = ", ".join(f"{name} ({count:,})" for name, count in whole["formats"].items())
    files = whole["files"]
    yield f"{how_many(files, 'file')}: {formats or 'no known format'}; {whole['skipped']:,} would be skipped"
    for one in previews:
        if "reason" in one:
            yield f"✗ {one['name']}: {one['reason']}"
            continue
        more = "" if one["whole"] else "+"
        yield f"{one['name']}: {one['format']}, {one['records']:,}{more} records, {one['new']:,} new, {one['rejected']:,} rejected"
        yield from (f"  ✗ {one['name']}:{bad['line']}: {bad['reason']}" for bad in one["rejects"])


def progress_lines(one: Arrival) -> Iterator[str]:
    """How far an import is."""
    yield f"── {'stopping' if one.stopping else one.phase}  {one.file}"
    done = min(one.bytes / one.total, 1.0) if one.total else 0.0
    if not one.follow:
        yield f"{'█' * round(done * 20):░<20} {done:4.0%}"
    yield f"{how_many(one.records, 'record')}: {one.accepted:,} new, {one.rejected:,} rejected; {how_many(one.files, 'file')} done"
    rate = f", {size(one.rate)}/s" if one.bytes and not one.follow else ""
    yield f"{size(one.bytes)} of {size(one.total)}{rate}"
    if one.left is not None:
        yield f"about {one.left:,.0f} s left"
    yield ""
    yield "s stops it; what was read is kept. Other screens can be used meanwhile."


def ended_lines(one: Arrival) -> Iterator[str]:
    """What came of an import, and what it refused."""
    yield f"── {one.sentence()}"
    told = one.refusals()
    yield "Nothing was refused." if not told and one.report is not None else ""
    yield from (f"✗ {line}" for line in told)
