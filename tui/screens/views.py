"""Saved views: choose one, keep the present filter and order under a name, forget one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lang.safe import safe_line
from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import VIEWS
from tui.screens.base import Dialog, failure

if TYPE_CHECKING:
    from tui.app import RemitApp

Doc = dict[str, Any]


class ViewsScreen(Dialog[Doc | None]):
    """Dismisses with the view that was chosen or kept, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(VIEWS)

    def __init__(self, filter: str, order: str) -> None:
        super().__init__()
        self.filter = filter
        self.order = order
        self.views: list[Doc] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "views"
            yield OptionList(id="views", markup=False)
            yield Input(placeholder="a name: keeps the present filter and order under it", id="name")
            yield Static("enter opens, tab then a name keeps, delete forgets, esc leaves", id="said", markup=False)

    def on_mount(self) -> None:
        self.remit = cast("RemitApp", self.app)
        self.reader = Reader(self.remit, self._failed)
        self._read()
        self.set_focus(self.query_one(OptionList))

    def on_unmount(self) -> None:
        self.reader.close()

    def _read(self) -> None:
        self.reader.ask(self.remit.desk.views, self._show)

    def _show(self, views: list[Doc]) -> None:
        self.views = views
        listed = self.query_one(OptionList)
        listed.clear_options()
        for view in views:
            whose = "*" if view["own"] else " "
            shown = f"{whose} {view['name']:<16} {view['filter'] or 'every task'}  by {view['sort']}"
            listed.add_option(Option(Content(safe_line(shown, 200)), id=view["name"]))
        listed.highlighted = 0 if views else None

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_line(text, 600))

    def _failed(self, error: BaseException) -> None:
        self._say("✗ " + failure(error))

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self.views[event.option_index])

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        name = event.value.strip()
        view = {"name": name, "filter": self.filter, "sort": self.order}
        self.reader.ask(lambda: self.remit.desk.save_view(name, self.filter, self.order), lambda _: self._kept(view))

    def _kept(self, view: Doc) -> None:
        self.dismiss(view)

    def action_forget(self) -> None:
        listed = self.query_one(OptionList)
        if listed.has_focus and listed.highlighted is not None:
            name = self.views[listed.highlighted]["name"]
            self.reader.ask(lambda: self.remit.desk.delete_view(name), self._forgotten)

    def _forgotten(self, said: str) -> None:
        self._say(said)
        self._read()
