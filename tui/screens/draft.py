"""What the studio's editor holds: the draft, its file and its language, and the ways another text gets there or a version is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.widgets import Input

from lang.safe import safe_line
from review.errors import RemitError
from review.plain_files import read_text
from tui import dryrun
from tui.screens.base import DeskScreen
from tui.widgets.dryrun_side import DryRunSide
from tui.widgets.policy_editor import PolicyEditor
from tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from review.policy.studio import Draft, Studio

Doc = dict[str, Any]

LONGEST = 4_000_000
"""Bytes of the largest file that is loaded as a policy."""


class DraftScreen(DeskScreen):
    """An editor with a draft in it, one for each language that was begun; whoever replays drafts fills in `replay`."""

    def __init__(self) -> None:
        super().__init__()
        self.studio: Studio | None = None
        self.against = "recorded"
        self.file_name = "policy.yaml"
        self.format = "remit"
        self.edited = False
        self.kept_text = ""
        self.parked: dict[str, tuple[Draft, str]] = {}
        self.problems: list[Doc] = []
        self.at_problem = -1
        self.waiting_rule: Doc | None = None

    def replay(self) -> None:
        """The draft is another one: have it judged."""

    def note_trial(self) -> None:
        """The draft is left as it is: have its dry-run noted, if it had one."""

    def crumbs(self) -> list[str]:
        return ["Policy", self.file_name + (" ● edited" if self.edited else "")]

    def facts(self) -> str:
        return f"against {self.against}" if self.format == "remit" else f"{self.format}   against {self.against}"

    @property
    def editor(self) -> PolicyEditor:
        return self.query_one("#editor", PolicyEditor)

    @property
    def side(self) -> DryRunSide:
        return self.query_one("#run-side", DryRunSide)

    @property
    def flips(self) -> VirtualTable:
        return self.side.table

    @property
    def sound(self) -> bool:
        return not any(problem["severity"] == "error" for problem in self.problems)

    @property
    def draft(self) -> Draft:
        from review.policy.studio import Draft

        return Draft(self.file_name, self.editor.text, self.format)

    def load(self, draft: Draft, kept: str | None = None, *, undo: bool = True) -> None:
        """Put a draft into the editor; `kept` is the text of it that is saved, without one its own."""
        self.note_trial()
        if draft.format != self.format:
            self.against = "recorded"
        self.file_name, self.format, self.kept_text = draft.name, draft.format, draft.text if kept is None else kept
        self.edited = draft.text != self.kept_text
        self.editor.put(draft.text, self._colours(), undo=undo)
        self.at_problem = -1
        self.set_crumbs()
        self.replay()

    def _colours(self) -> str:
        from review.policy.draft_formats import colours

        return colours(self.file_name)

    def unsaved(self) -> str:
        names = [draft.name for draft, kept in self._drafts().values() if draft.text != kept] if self.studio is not None else []
        if not names:
            return ""
        which = "draft is" if len(names) == 1 else f"drafts {', '.join(safe_line(name, 60) for name in names)} are"
        return f"the policy {which} not saved (3 shows it, ctrl+s saves it)"

    # versions and proposals

    def action_versions(self) -> None:
        from tui.screens.versions import VersionsScreen

        self.app.push_screen(VersionsScreen(self))

    def action_propose(self) -> None:
        """Proposals; those that catch the step of the flip the cursor stands on where it stands on one."""
        from tui.screens.proposals import ProposalsScreen

        flip = self.flips.current if self.flips.has_focus else None
        draft = (self.file_name, self.editor.text) if self.sound and self.format == "remit" else None
        self.app.push_screen(ProposalsScreen(str((flip or {}).get("step", "")), draft))

    def take_version(self, ref: str) -> None:
        """Make a saved version the draft; ctrl+z brings the one before back, f9 that of another language."""
        studio = self.studio
        if studio is not None:
            self.reader.ask(lambda: studio.kept(ref), self._version_read, "version")

    def _version_read(self, draft: Draft) -> None:
        same = draft.format == self.format
        if not same:
            self.parked[self.format] = (self.draft, self.kept_text)
            self.parked.pop(draft.format, None)
        elif self.edited:
            self.say("the draft was edited; ctrl+z in the editor brings it back")
        self.load(draft, undo=same)
        self.set_focus(self.editor)

    def take_rule(self, proposal: Doc) -> None:
        """Put a proposed rule at the end of the draft, as soon as there is one; ctrl+z takes it out again."""
        from review.policy.mining import with_rule

        if self.studio is None:
            self.waiting_rule = proposal
            return
        if self.format != "remit":
            self.say("rules are proposed in Remit's own language; f9 brings the draft in it", bad=True)
            return
        try:
            text = with_rule(self.editor.text, proposal)
        except RemitError as error:
            self.say(str(error), bad=True)
            return
        self.editor.put(text, self._colours())
        self.set_focus(self.editor)
        # Its lines are wrapped anew at the next refresh: before that the cursor has no place to go to.
        self.call_after_refresh(self.editor.move_cursor, (len(text.splitlines()) - 1, 0), center=True)
        self.say(f"{proposal['id']} stands in the draft: its dry-run is beside it; ctrl+z takes it out, ctrl+s saves a version")

    # in the text

    def action_edit(self) -> None:
        self.set_focus(self.editor)

    def action_text_start(self) -> None:
        self._to((0, 0))

    def action_text_end(self) -> None:
        self._to(self.editor.document.end)

    def _to(self, place: tuple[int, int]) -> None:
        self.set_focus(self.editor)
        self.editor.move_cursor(place)

    def action_next_problem(self) -> None:
        if not self.problems:
            self.say("no problems")
            return
        self.at_problem = (self.at_problem + 1) % len(self.problems)
        problem = self.problems[self.at_problem]
        self.set_focus(self.editor)
        self.editor.move_cursor((problem["line"] - 1, max(problem["column"] - 1, 0)), center=True)
        self.say(dryrun.problem_line(problem))

    def action_baseline(self) -> None:
        if self.studio is None:
            return
        choices = self.studio.baselines(self.format)
        if len(choices) == 1:
            self.say("no policy is saved yet to compare with; ctrl+s saves this one")
        self.against = choices[(choices.index(self.against) + 1) % len(choices)] if self.against in choices else choices[0]
        self.set_crumbs()
        self.replay()

    # files and versions

    def action_open_file(self) -> None:
        if self.edited:
            self.say("the draft is edited; opening a file replaces it (ctrl+z in the editor brings it back)")
        self.open_bar("path")

    @on(Input.Submitted, "#path")
    def _path_given(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        try:
            if path.stat().st_size > LONGEST:
                self.say(f"{path} is too large for a policy ({path.stat().st_size:,} bytes)", bad=True)
                return
            text = read_text(path, patience=0)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            self.say(f"cannot read {path}: {reason}", bad=True)
            return
        self.close_bar()
        if self.studio is not None:
            self.load(self.studio.opened(path, text, self.format))

    def action_format(self) -> None:
        """Choose the language of the draft."""
        from tui.screens.draft_format import DraftFormatScreen

        if self.studio is None:
            self.say("the store is still being opened")
            return
        formats = list(self.studio.formats().values())
        edited = {one for one, (draft, kept) in self._drafts().items() if draft.text != kept}
        self.app.push_screen(DraftFormatScreen(formats, self.format, edited), self._format_chosen)

    def _format_chosen(self, format: str | None) -> None:
        if self.studio is None or format is None or format == self.format:
            return
        self.parked[self.format] = (self.draft, self.kept_text)
        draft, kept = self.parked.pop(format, (None, ""))
        if draft is None:
            draft = self.studio.start(format)
            kept = draft.text
        self.load(draft, kept, undo=False)

    def _drafts(self) -> dict[str, tuple[Draft, str]]:
        """By language, its draft and the text of it that is saved."""
        return {**self.parked, self.format: (self.draft, self.kept_text)}

    def action_save(self) -> None:
        if self.studio is None or not self.may_write():
            return
        if not self.sound:
            self.say("a version must be without errors; f4 goes to the first", bad=True)
            return
        self.open_bar("reason")

    @on(Input.Submitted, "#reason")
    def _reason_given(self, event: Input.Submitted) -> None:
        reason, studio, draft = event.value.strip(), self.studio, self.draft
        if not reason or studio is None:
            self.say("a version needs a reason; esc gives it up")
            return
        self.close_bar()
        self.reader.ask(lambda: studio.save(draft, reason), lambda saved: self._saved(draft.text, *saved), "save")

    def _saved(self, text: str, name: str, version: int) -> None:
        self.note_trial()
        self.kept_text = text
        self.edited = self.editor.text != text
        self.set_crumbs()
        self.say(f"saved {safe_line(name)} as version {version}")
        self.say("f10 lists the versions, and puts one in force")
        # The current policy is another one now: its column of figures too.
        self.replay()
