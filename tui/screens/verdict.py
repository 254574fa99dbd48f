"""A verdict: the word, and the reason it is given for, with the reviewer's recent ones offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lang.safe import safe_line
from model.words import VerdictWord
from tui.reader import Reader
from tui.screens.base import Dialog, failure

if TYPE_CHECKING:
    from tui.app import RemitApp

WORDS = (
    ("w", VerdictWord.WITHIN, "within remit: authorised and stayed inside"),
    ("o", VerdictWord.OUTSIDE, "outside remit: confirmed harm or breach"),
    ("e", VerdictWord.ESCALATE, "escalate: somebody else must look"),
    ("f", VerdictWord.FALSE_POSITIVE, "false positive: the finding is wrong"),
)


class VerdictScreen(Dialog[str | None]):
    """Records one verdict on each subject; dismisses with the sentence that says so, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recent(1)", "Recent reason", show=False),
        Binding("down", "recent(-1)", "Newer reason", show=False),
    ]

    def __init__(self, subjects: list[str], title: str) -> None:
        super().__init__()
        self.subjects = subjects
        self.on_what = safe_line(title, 200)
        self.word: VerdictWord | None = None
        self.recent: list[str] = []
        self.at = -1
        self.busy = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "verdict"
            yield Static(self.on_what, markup=False)
            yield OptionList(*(Option(Content(f"{key}  {text}"), id=word.value) for key, word, text in WORDS), id="words")
            yield Input(placeholder="reason (required); ↑ for a recent one", id="reason")
            yield Static("w o e f chooses; esc gives it up", id="said", markup=False)

    def on_mount(self) -> None:
        self.remit = cast("RemitApp", self.app)
        self.reader = Reader(self.remit, self._failed)
        self.reader.ask(self.remit.desk.recent_reasons, self._offered)
        self.query_one(OptionList).focus()

    def on_unmount(self) -> None:
        self.reader.close()

    def _offered(self, reasons: list[str]) -> None:
        self.recent = reasons

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_line(text, 600))

    def _failed(self, error: BaseException) -> None:
        self.busy = False
        self._say("✗ " + failure(error))

    def action_recent(self, step: int) -> None:
        if not self.recent:
            self._say("no reason was given before")
            return
        self.at = min(max(self.at + step, 0), len(self.recent) - 1)
        reason = self.query_one(Input)
        reason.value = self.recent[self.at]
        reason.cursor_position = len(reason.value)

    def on_key(self, event: events.Key) -> None:
        if self.query_one(OptionList).has_focus:
            for letter, word, _ in WORDS:
                if event.character == letter:
                    event.stop()
                    self._choose(word)

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._choose(VerdictWord(event.option.id or ""))

    def _choose(self, word: VerdictWord) -> None:
        self.word = word
        many = f" on {len(self.subjects):,} tasks" if len(self.subjects) > 1 else ""
        self.query_one(OptionList).highlighted = [one for _, one, _ in WORDS].index(word)
        self._say(f"{word.value}{many}: enter records it, tab chooses again, esc gives it up")
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        reason = event.value.strip()
        if self.word is None:
            self._say("choose a verdict first: w o e f")
            self.query_one(OptionList).focus()
        elif not reason:
            self._say("a verdict needs a reason")
        elif not self.busy:
            self.busy = True
            word = self.word
            self._say(f"recording {word.value} …")
            self.reader.ask(lambda: self._judge(word, reason), self._judged)

    def _judged(self, said: str) -> None:
        self.dismiss(said)

    def _judge(self, word: VerdictWord, reason: str) -> str:
        """On the reader's thread: one verdict after the other; those already given stay where a later one fails."""
        for subject in list(self.subjects):
            self.remit.desk.judge(subject, word, reason)
        count = len(self.subjects)
        return f"{word.value} recorded on {self.on_what}" if count == 1 else f"{word.value} recorded on {count:,} tasks"
