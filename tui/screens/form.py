"""A short form: a few one-line fields, one after the other, and what is done with them; errors stay beside what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Input, Label, Static

from lang.safe import safe_line
from tui.reader import Reader
from tui.screens.base import Dialog, failure


class Field(NamedTuple):
    """A field by its name; `hint` is shown while it is empty, `suggested` stands in it at first, a `secret` is not shown."""

    name: str
    hint: str
    suggested: str = ""
    secret: bool = False


class FormScreen(Dialog[str | None]):
    """Enter goes to the next field and, in the last one, does it; dismisses with the sentence that says so, or None."""

    def __init__(
        self,
        title: str,
        what: str,
        fields: Sequence[Field],
        do: Callable[[dict[str, str]], str],
        preview: Callable[[dict[str, str]], str] | None = None,
    ) -> None:
        """`preview` tells, off the screen's thread and anew with every key, what doing it would record."""
        super().__init__()
        self.title_text = title
        self.what = safe_line(what, 200)
        self.fields = list(fields)
        self.do = do
        self.preview = preview
        self.busy = False
        self.tried = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self.title_text
            yield Static(self.what, markup=False)
            for field in self.fields:
                if len(self.fields) > 1:
                    yield Label(field.name, markup=False)
                id = f"field-{field.name.replace(' ', '-')}"
                yield Input(field.suggested, placeholder=field.hint, id=id, classes="field", password=field.secret)
            if self.preview is not None:
                yield Static("", id="preview", markup=False)
            yield Static("enter goes on and, in the last field, does it; esc gives it up", id="said", markup=False)

    def on_mount(self) -> None:
        from tui.app import RemitApp

        self.reader = Reader(cast("RemitApp", self.app), self._failed)
        empty = next((one for one in self.query(Input) if not one.value), self.query(Input).last())
        self.set_focus(empty)

        self._look_ahead()

    def _given(self) -> dict[str, str]:
        return {field.name: one.value.strip() for field, one in zip(self.fields, self.query(Input), strict=True)}

    @on(Input.Changed)
    def _look_ahead(self) -> None:
        if (preview := self.preview) is not None:
            given = self._given()
            self.reader.ask(lambda: preview(given), self._show_ahead, "preview")

    def _show_ahead(self, text: str) -> None:
        self.query_one("#preview", Static).update(safe_line(self._without_dashes(text), 600))

    def on_unmount(self) -> None:
        self.reader.close()

    def _failed(self, error: BaseException) -> None:
        """Say what is wrong, and go to the field that it names; enter then tries again."""
        self.busy, self.tried = False, True
        said = failure(error)
        named = [
            one
            for field, one in zip(self.fields, self.query(Input), strict=True)
            if re.search(rf"\b{re.escape(field.name)}\b", said)
        ]
        if named:
            self.set_focus(named[0])
        self.query_one("#said", Static).update("✗ " + self._without_dashes(said))

    def _without_dashes(self, said: str) -> str:
        """The sentence with the names of the fields, which are options on the command line."""
        for field in self.fields:
            said = said.replace(f"--{field.name}", field.name)
        return said

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        inputs = list(self.query(Input))
        place = inputs.index(event.input)
        if place + 1 < len(inputs) and not self.tried:
            self.set_focus(inputs[place + 1])
        elif not self.busy:
            self.busy = True
            given = self._given()
            self.reader.ask(lambda: self.do(given), self._done)

    def _done(self, said: str) -> None:
        self.dismiss(said)
