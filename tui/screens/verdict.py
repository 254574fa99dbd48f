"""A verdict: the word, and the reason it is given for, with the reviewer's recent ones offered."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lang.safe import safe_line
from model.words import VerdictWord
from review.errors import RemitError

WORDS = (
    ("w", VerdictWord.WITHIN, "within remit: authorised and stayed inside"),
    ("o", VerdictWord.OUTSIDE, "outside remit: confirmed harm or breach"),
    ("e", VerdictWord.ESCALATE, "escalate: somebody else must look"),
    ("f", VerdictWord.FALSE_POSITIVE, "false positive: the finding is wrong"),
)


class VerdictScreen(ModalScreen[int | None]):
    """Dismisses with the number of verdicts recorded."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Cancel")]

    def __init__(self, subjects: list[str], title: str) -> None:
        super().__init__()
        self.subjects = subjects
        self.title_text = title
        self.word: VerdictWord | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(f"Verdict on {self.title_text}", markup=False)
            yield OptionList(*(Option(f"{key}  {text}", id=word.value) for key, word, text in WORDS), id="words")
            yield Input(placeholder="reason (required); ↑ for a recent one", id="reason")
            yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        self.recent = self.app.desk.recent_reasons()  # type: ignore[attr-defined]
        self.at = -1
        self.query_one(OptionList).focus()

    def key_up(self) -> None:
        reason = self.query_one(Input)
        if reason.has_focus and self.recent:
            self.at = (self.at + 1) % len(self.recent)
            reason.value = self.recent[self.at]

    def on_key(self, event: object) -> None:
        key = getattr(event, "character", None)
        if self.query_one(OptionList).has_focus:
            for letter, word, _ in WORDS:
                if key == letter:
                    self._choose(word)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._choose(VerdictWord(event.option.id))

    def _choose(self, word: VerdictWord) -> None:
        self.word = word
        self.query_one("#said", Static).update(f"verdict: {word.value}; enter records it, esc gives it up")
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        reason = event.value.strip()
        said = self.query_one("#said", Static)
        if self.word is None:
            said.update("choose a verdict first")
            self.query_one(OptionList).focus()
            return
        if not reason:
            said.update("a verdict needs a reason")
            return
        try:
            for subject in self.subjects:
                self.app.desk.judge(subject, self.word, reason)  # type: ignore[attr-defined]
        except RemitError as error:
            said.update(safe_line(str(error)))
            return
        self.dismiss(len(self.subjects))
