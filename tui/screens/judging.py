"""What a reviewer does with the task, step or finding under the cursor: the dialogs, and what each does at the desk."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from lang.counted import count
from review.errors import RemitError
from review.state.remedied import remedy_words
from tui.screens.base import DeskScreen

Doc = dict[str, Any]
NOBODY = "\0nobody"
_PSEUDONYM = re.compile(r"REDACTED\.[A-Za-z0-9_-]+\.[0-9a-f]{12}")


class Judging(DeskScreen):
    """Dialogs of the review. A screen says what they are about; nothing is asked in a read-only sitting."""

    def told(self, said: str | None) -> None:
        """What a dialog says it did."""
        if said:
            self.say(said)

    def ask_assignee(self, tasks: Sequence[str], title: str, then: Callable[[], None] = lambda: None) -> None:
        """Who shall look after these tasks."""
        if self.may_write() and tasks:
            self.reader.act(self.desk.people, lambda people: self._offer_people(list(tasks), title, *people, then))

    def _offer_people(self, tasks: list[str], title: str, me: str, others: list[str], then: Callable[[], None]) -> None:
        from tui.screens.choice import ChoiceScreen

        options = [(me, f"{me} (you)"), *((name, name) for name in others), (NOBODY, "nobody")]

        def given(to: str | None) -> None:
            if to is not None:
                name = "" if to == NOBODY else to
                self.reader.act(lambda: self.desk.assign(tasks, name), lambda rows: self._assigned(rows, then))

        self.app.push_screen(ChoiceScreen("assign", title, options, other="another name"), given)

    def _assigned(self, rows: list[Doc], then: Callable[[], None]) -> None:
        who = rows[0]["assignee"]
        what = f"{len(rows):,} tasks" if len(rows) > 1 else "this task"
        self.say(f"{who} looks after {what}" if who else f"nobody looks after {what} any more")
        self.reread()
        then()

    def ask_finding(self, findings: Sequence[Doc], what: str, then: Callable[[Doc], None]) -> None:
        """Which of several findings is meant; asked only where there is more than one."""
        from tui.screens.choice import ChoiceScreen

        real = [one for one in findings if not one["blind_spot"]]
        if not real:
            self.say("this step has no finding, and neither has the task as a whole")
        elif len(real) == 1:
            then(real[0])
        else:
            named = {one["id"]: one for one in real}
            options = [(one["id"], f"{one['severity']:<8} {one['detection']} {one['title']}") for one in real]
            self.app.push_screen(ChoiceScreen("finding", what, options), lambda id: then(named[id]) if id else None)

    def ask_withdrawal(self, subject: str, title: str) -> None:
        """Take back the last verdict of one's own on something."""
        from tui.screens.form import Field, FormScreen

        if not self.may_write():
            return

        def do(given: dict[str, str]) -> str:
            taken = self.desk.withdraw(subject, given["reason"])
            return f"{taken['verdict']} on {title} is withdrawn"

        fields = [Field("reason", "why it is withdrawn (required); it stands in the journal")]
        self.app.push_screen(FormScreen("undo verdict", title, fields, do), self._rewritten)

    def ask_acceptance(self, finding: Doc) -> None:
        """Accept a finding's risk until a date."""
        from tui.screens.form import Field, FormScreen

        if not self.may_write():
            return

        id, title = str(finding["id"]), f"{finding['detection']} {finding['title']}"

        def preview(given: dict[str, str]) -> str:
            try:
                return self.desk.acceptance_preview(id, expires=given["expires"], scope=given["scope"])  # type: ignore[arg-type]
            except RemitError as error:
                return f"✗ {error}"

        def do(given: dict[str, str]) -> str:
            if self.desk.arriving is not None:
                self.desk.check_acceptance(id, given)
                self.desk.accept_later(id, given, self.remit.judged_later)
                return f"the accepted risk of {title} is pending until the import lets it through"
            kept = self.desk.accept_risk(id, **given)  # type: ignore[arg-type]  # the desk refuses what is no scope
            return f"accepted until {kept['expires'][:10]}, hiding {count(kept['hides'], 'finding')}"

        fields = [
            Field("scope", "finding, task, repository or agent", "finding"),
            Field("owner", "who answers for it"),
            Field("ticket", "where it is tracked"),
            Field("expires", "a date, e.g. 2026-12-31"),
            Field("reason", "why it is accepted"),
        ]
        self.app.push_screen(FormScreen("accept risk", title, fields, do, preview), self._rewritten)

    def ask_remedy(self, finding: Doc) -> None:
        """Why a finding came about, who puts it right until when, and what shows that it is done."""
        from tui.screens.form import Field, FormScreen

        if not self.may_write():
            return
        id, title = str(finding["id"]), f"{finding['detection']} {finding['title']}"
        held = finding.get("remedy") or {}
        hints = {
            "cause": "why it came about",
            "owner": "who sees to it",
            "due": "until when, e.g. 2026-12-31",
            "closure": "what shows that it is done: a change, a ticket, a document",
        }
        fields = [Field(name, hint, str(held.get(name) or "")) for name, hint in hints.items()]

        def stated(given: dict[str, str]) -> dict[str, str]:
            """What was typed over: of the rest that stands which somebody may state meanwhile."""
            return {field.name: given[field.name] for field in fields if given[field.name] != field.suggested}

        def preview(given: dict[str, str]) -> str:
            try:
                ahead = self.desk.remedy_preview(id, stated(given)) if stated(given) else ""
            except RemitError as error:
                return f"✗ {error}"
            return f"will be recorded: {ahead}" if ahead else "as it stands; nothing to record"

        def do(given: dict[str, str]) -> str:
            said = stated(given)
            if not said or not self.desk.remedy_preview(id, said):
                raise RemitError("nothing of it is another than what stands; change something, or esc")
            if self.desk.arriving is not None:
                self.desk.remedy_later(id, said, self.remit.judged_later)
                return f"the remedy of {title} is pending until the import lets it through"
            return f"recorded of {title}: {remedy_words(self.desk.remedy(id, said))}"

        self.app.push_screen(FormScreen("put right", title, fields, do, preview), self._rewritten)

    def ask_reveal(self, text: str) -> None:
        """Kind and places of a pseudonym that stands in a text."""
        from tui.screens.choice import ChoiceScreen

        if not self.may_write():
            return
        found = list(dict.fromkeys(_PSEUDONYM.findall(text)))
        if not found:
            self.say("no secret was replaced in the records of this step")
        elif len(found) == 1:
            self._reveal(found[0])
        else:
            options = [(one, one) for one in found]
            self.app.push_screen(
                ChoiceScreen("reveal", "which of these", options), lambda one: self._reveal(one) if one else None
            )

    def _reveal(self, pseudonym: str) -> None:
        from tui.screens.form import Field, FormScreen

        def do(given: dict[str, str]) -> str:
            found = self.desk.reveal(pseudonym, given["reason"])
            self.app.call_later(self.show_places, found)
            return f"{', '.join(found['kinds'])} in {count(len(found['records']), 'record')}"

        fields = [Field("reason", "why (required); it is kept in the access journal")]
        self.app.push_screen(
            FormScreen("reveal", f"kind and places of {pseudonym}; never the secret itself", fields, do), self.told
        )

    def show_places(self, found: Doc) -> None:
        """Show where a secret was."""

    def _rewritten(self, said: str | None) -> None:
        self.told(said)
        if said:
            self.reread()


def places_lines(found: Doc) -> list[str]:
    """Kind and places of a pseudonym, as lines."""
    lines = [f"{found['pseudonym']}: {', '.join(found['kinds'])}; the secret itself is in no store", ""]
    lines += [f"{record['name']}:{record['line']}  sha256 {record['digest'][:16]}…" for record in found["records"]]
    lines += ["and more"] if found["more"] else []
    return [*lines, "", f"In {count(len(found['tasks']), 'task')}: {', '.join(found['tasks'])}"]


def review_facts(review: Doc) -> str:
    """What else there is to a review than its verdict: who looks after it, comments, a second reviewer who is wanted."""
    parts = []
    if review["comments"]:
        parts.append(f"{review['comments']} comment{'s' if review['comments'] > 1 else ''}")
    if review["assignee"]:
        parts.append(f"→ {review['assignee']}")
    if review.get("disagreement"):
        parts.append("! disagreement")
    if review["pending_second"]:
        parts.append("! second wanted")
    if review["state"] == "reopened":
        parts.append("reopened")
    return "".join(f"{part}  " for part in parts)
