"""A verdict: the word, and the reason it is given for, with the reviewer's recent ones offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from lang.counted import count
from lang.safe import safe_line
from model.words import VerdictWord
from review.state.seen import ChangedError
from tui.actions import bindings
from tui.reader import Reader
from tui.scopes import JUDGING
from tui.screens.base import Dialog, failure

if TYPE_CHECKING:
    from tui.app import RemitApp

Doc = dict[str, Any]

WORDS = (
    ("w", VerdictWord.WITHIN, "within remit: authorised and stayed inside"),
    ("o", VerdictWord.OUTSIDE, "outside remit: confirmed harm or breach"),
    ("e", VerdictWord.ESCALATE, "escalate: somebody else must look"),
    ("f", VerdictWord.FALSE_POSITIVE, "false positive: the finding is wrong"),
)
OFFERED = 5
"""Recent reasons shown at once."""


class VerdictScreen(Dialog[str | None]):
    """Records one verdict on each subject; dismisses with the sentence that says so, or None."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(JUDGING)

    def __init__(self, subjects: list[str], title: str) -> None:
        super().__init__()
        self.subjects = subjects
        self.on_what = safe_line(title, 200)
        self.word: VerdictWord | None = None
        self.recent: list[str] = []
        self.at = -1
        self.busy = False
        self.begun_as = f"verdict {' '.join(subjects)}"
        """By what the app knows a reason that was begun and given up: the same subjects' dialog has it again, without a verdict."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "verdict"
            yield Static(self.on_what, markup=False)
            yield Static("", markup=False, id="before")
            yield OptionList(*(Option(Content(f"{key}  {text}"), id=word.value) for key, word, text in WORDS), id="words")
            begun = cast("RemitApp", self.app).begun.pop(self.begun_as, "")
            yield Input(begun, placeholder="reason (required); ↑ for a recent one", id="reason")
            yield Static("", markup=False, id="recent")
            yield Static("w o e f chooses; esc gives it up", id="said", markup=False)

    def on_mount(self) -> None:
        self.remit = cast("RemitApp", self.app)
        # What the screen below showed when the dialog opened is what is judged, whatever arrives while the reason is typed.
        self.seen = self.remit.desk.read_state(self.subjects)
        self.reader = Reader(self.remit, self._failed)
        self.query_one("#before").display = False
        self.query_one("#recent").display = False
        self.reader.ask(self.remit.desk.recent_reasons, self._offered)
        if len(self.subjects) == 1:
            self.reader.ask(lambda: self.remit.desk.before_verdict(self.subjects[0]), self._known)
        self.set_focus(self.query_one(OptionList))

    def on_unmount(self) -> None:
        self.reader.close()

    async def action_dismiss(self, result: str | None = None) -> None:
        if (reason := self.query_one("#reason", Input).value).strip() and reason not in self.recent:
            self.remit.begun[self.begun_as] = reason
        await super().action_dismiss(result)

    def _offered(self, reasons: list[str]) -> None:
        self.recent = reasons
        self._show_recent()

    def _show_recent(self) -> None:
        """A window on the recent reasons, the one that was taken marked."""
        first = max(0, min(self.at - OFFERED + 1, len(self.recent) - OFFERED))
        shown = enumerate(self.recent[first : first + OFFERED], first)
        lines = [f"{'▶' if place == self.at else ' '} {safe_line(reason, 84)}" for place, reason in shown]
        recent = self.query_one("#recent", Static)
        recent.update("\n".join(["↑ recent:", *lines]))
        recent.display = bool(self.recent)

    def _known(self, before: Doc) -> None:
        said = self.query_one("#before", Static)
        lines = before_lines(before)
        said.update("\n".join(safe_line(line, 400) for line in lines))
        said.display = bool(lines)

    def _say(self, text: str) -> None:
        self.query_one("#said", Static).update(safe_line(text, 600))

    def _failed(self, error: BaseException) -> None:
        self.busy = False
        if isinstance(error, ChangedError):
            # It is told now: the same verdict again is given knowingly.
            self.seen |= error.now
        self._say("✗ " + failure(error))

    def action_recent(self, step: int) -> None:
        if not self.recent:
            self._say("no reason was given before")
            return
        self.at = min(max(self.at + step, 0), len(self.recent) - 1)
        reason = self.query_one(Input)
        reason.value = self.recent[self.at]
        reason.cursor_position = len(reason.value)
        self._show_recent()

    def action_choose(self, word: str) -> None:
        """A letter chooses while the words have the focus; in the reason it is typed."""
        self._choose(VerdictWord(word))

    @on(OptionList.OptionSelected)
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self._choose(VerdictWord(event.option.id or ""))

    def _choose(self, word: VerdictWord) -> None:
        self.word = word
        many = f" on {len(self.subjects):,} tasks" if len(self.subjects) > 1 else ""
        self.query_one(OptionList).highlighted = [one for _, one, _ in WORDS].index(word)
        self._say(f"{word.value}{many}: enter records it, tab chooses again, esc gives it up")
        self.set_focus(self.query_one(Input))

    @on(Input.Submitted)
    def _submit(self, event: Input.Submitted) -> None:
        reason = event.value.strip()
        if self.word is None:
            self._say("choose a verdict first: w o e f")
            self.set_focus(self.query_one(OptionList))
        elif not reason:
            self._say("a verdict needs a reason")
        elif not self.busy:
            self.busy = True
            word = self.word
            if self.remit.desk.arriving is not None:
                # The store has one writer: the dialog does not wait for it.
                self.remit.desk.judge_later(list(self.subjects), word, reason, self.seen, self.remit.judged_later)
                self.dismiss(f"{word.value} on {self.on_what} is pending until the import lets it through")
                return
            self._say(f"recording {word.value} …")
            self.reader.ask(lambda: self._judge(word, reason), self._judged)

    def _judged(self, said: str) -> None:
        self.dismiss(said)

    def _judge(self, word: VerdictWord, reason: str) -> str:
        """On the reader's thread: one verdict on each, or none where one cannot be given."""
        given = self.remit.desk.judge_all(list(self.subjects), word, reason, self.seen)
        pending = sum(one["pending_second"] for one in given)
        if len(given) == 1:
            wanted = "; a second reviewer has to agree" if pending else ""
            return f"{word.value} recorded on {self.on_what.rstrip('.')}{wanted}"
        wanted = f"; {pending:,} want a second reviewer" if pending else ""
        return f"{word.value} recorded on {count(len(given), 'task')}{wanted}"


def before_lines(before: Doc) -> list[str]:
    """What to know before judging: who judged already, and whether one word is enough."""
    lines = []
    last = before["last"]
    if last:
        reopened = ", but the evidence has changed since" if before["reopened"] else ""
        asserted = " (as stated)" if last["asserted"] else ""
        lines.append(
            f"before: {last['verdict']} by {last['reviewer']}{asserted}, {last['at'][:16].replace('T', ' ')}{reopened}: {last['reason']}"
        )
        if last["disagreement"]:
            lines.append("! reviewers disagree on the same evidence")
    if before["critical"]:
        second = "a second reviewer has to agree"
        if last and last["pending_second"] and not before["reopened"]:
            who = "you gave it yourself, so somebody else must" if before["mine"] else "your agreement would settle it"
            second = f"waits for a second reviewer; {who}"
        if before["own"]:
            second += "; the agent acted for you, so that cannot be you"
        lines.append(f"! critical: {second}. Separation of duties {before['separation']}")
    return lines
