"""What every screen of the desk has: crumbs, a reader thread, a hint line, and a word when something fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from lang.safe import safe_line
from review.errors import RemitError
from tui.actions import EVERYWHERE, Action, of_scope
from tui.reader import Reader

if TYPE_CHECKING:
    from review.desk import Desk
    from tui.app import RemitApp


class DeskScreen(Screen[None]):
    """A screen over the desk. Subclasses name their SCOPE and `body`; `crumbs` says where one is."""

    SCOPE: ClassVar[str] = EVERYWHERE

    @property
    def desk(self) -> Desk:
        return cast("RemitApp", self.app).desk

    def compose(self) -> ComposeResult:
        yield Static(self._crumbs_line(), classes="crumbs", markup=False)
        yield from self.body()
        yield Static(hint(self.SCOPE), classes="hint", markup=False)

    def body(self) -> Iterable[Widget]:
        """What stands between the crumbs and the hint line."""
        return ()

    def crumbs(self) -> list[str]:
        return [self.SCOPE.capitalize()]

    def on_mount(self) -> None:
        self.reader = Reader(cast("RemitApp", self.app), self.read_failed)  # type: ignore[arg-type]
        self.ready()

    def on_unmount(self) -> None:
        if reader := getattr(self, "reader", None):
            reader.close()

    def ready(self) -> None:
        """Called once, when widgets stand and the reader runs."""

    def step_back(self) -> bool:
        """True when `back` was used up inside this screen (a filter closed, a panel left)."""
        return False

    def set_crumbs(self) -> None:
        self.query_one(".crumbs", Static).update(self._crumbs_line())

    def _crumbs_line(self) -> str:
        return safe_line(" › ".join(self.crumbs()))

    def read_failed(self, error: BaseException) -> None:
        if isinstance(error, RemitError):
            self.notify(safe_line(str(error)), severity="error", markup=False)
        else:
            raise error

    def may_write(self) -> bool:
        """False, with the reason shown, in a read-only sitting."""
        if self.desk.readonly:
            self.notify("this sitting is read-only; start `remit` without --readonly to change anything", markup=False)
            return False
        return True


def hint(scope: str) -> str:
    """At most seven keys of a scope, as the footer shows them."""
    shown: list[Action] = [a for a in (*of_scope(scope), *of_scope(EVERYWHERE)) if a.footer]
    return "  ".join(f"{a.shown_keys.split()[0]} {a.label.lower()}" for a in shown[:7])
