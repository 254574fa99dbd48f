"""What a reviewer does from a seat at the desk: verdicts, comments, assignments, accepted risks; and what is noted of the sitting."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any

from model.words import VerdictWord

if TYPE_CHECKING:
    from model.review import Scope
    from review.workspace import Workspace

Doc = dict[str, Any]


class ReviewSeat:
    """The judging half of a desk. Everything it writes lets the screens know by `generation`."""

    readonly: bool
    generation: int
    _lock: RLock
    _shown: dict[str, str]
    _noter: ThreadPoolExecutor | None = None
    _noted: tuple[str, Doc] | None = None

    if TYPE_CHECKING:

        @property
        def work(self) -> Workspace: ...

    # verdicts

    def judge(self, subject: str, word: VerdictWord, reason: str) -> Doc:
        return self.judge_all([subject], word, reason)[0]

    def read_state(self, subjects: list[str]) -> dict[str, str]:
        """By id the state in which the screens last showed each of these; what was not shown has none.

        To be kept from where somebody begins to judge: the screens read on meanwhile.
        """
        return {id: state for id in subjects if (state := self._shown.get(id))}

    def judge_all(self, subjects: list[str], word: VerdictWord, reason: str, seen: Mapping[str, str] | None = None) -> list[Doc]:
        """One verdict on each, or none where any cannot be given: ChangedError where one is no longer as in `seen`.

        Without `seen` it is what the screens show by now.
        """
        from review.judge.verdicts import give_verdicts

        with self._lock:
            given = give_verdicts(self.work, subjects, word.value, reason, seen=seen)
            self._judged.append([one["seq"] for one in given])
            self.generation += 1
        return given

    def undo(self) -> str:
        """Withdraw what was last given in this sitting, one verdict or many; the sentence that says so, "" where nothing was."""
        from review.judge.verdicts import withdraw_verdict

        with self._lock:
            last = self._judged[-1] if self._judged else []
            count = len(last)
            while last:
                # The last first, and each struck off once it is withdrawn: what fails in between can be taken up again.
                withdraw_verdict(self.work, last[-1], "undone at the desk")
                last.pop()
                self.generation += 1
            del self._judged[-1:]
        return "" if not count else "1 verdict withdrawn" if count == 1 else f"{count:,} verdicts withdrawn"

    @cached_property
    def _judged(self) -> list[list[int]]:
        """Numbers of the verdicts given in this sitting, by the act that gave them, the last at the end."""
        return []

    def withdraw(self, which: int | str, reason: str) -> Doc:
        """Take back a verdict of one's own, by its number or by what it was given on."""
        from review.judge.verdicts import withdraw_verdict

        with self._lock:
            taken = withdraw_verdict(self.work, which, reason)
            for act in self._judged:
                act[:] = [seq for seq in act if seq != taken["withdraws"]]
            self._judged[:] = [act for act in self._judged if act]
            self.generation += 1
        return taken

    def recent_reasons(self) -> list[str]:
        from review.judge.verdicts import recent_reasons

        with self._lock:
            return recent_reasons(self.work)

    def before_verdict(self, subject: str) -> Doc:
        """What to know before judging: verdicts given before, and whether one reviewer's word is enough."""
        from review.judge.verdicts import before_verdict

        with self._lock:
            return before_verdict(self.work, subject)

    # without judging

    def comments(self, id: str) -> list[Doc]:
        from review.judge.comments import comments

        with self._lock:
            return comments(self.work, id)

    def comment(self, id: str, text: str) -> Doc:
        from review.judge.comments import comment

        with self._lock:
            said = comment(self.work, id, text)
            self.generation += 1
        return said

    def people(self) -> tuple[str, list[str]]:
        """Who sits here, and who else takes part in reviews."""
        from review.judge.comments import people

        with self._lock:
            me = self.work.identity
            return me, [name for name in people(self.work) if name != me]

    def assign(self, ids: list[str], to: str) -> list[Doc]:
        from review.judge.comments import assign

        with self._lock:
            given = assign(self.work, ids, to)
            self.generation += 1
        return given

    def accept_risk(self, finding: str, *, owner: str, ticket: str, expires: str, reason: str, scope: Scope) -> Doc:
        from review.judge.exceptions import accept_risk

        with self._lock:
            given = accept_risk(self.work, finding, owner=owner, ticket=ticket, expires=expires, reason=reason, scope=scope)
            self.generation += 1
        return given

    def acceptance_preview(self, finding: str, *, expires: str, scope: Scope) -> str:
        """What accepting a finding's risk would hide."""
        from review.judge.exceptions import acceptance_preview

        with self._lock:
            return acceptance_preview(self.work, finding, expires=expires, scope=scope)

    def check_acceptance(self, finding: str, given: Mapping[str, str]) -> None:
        """Raise RemitError where accepting a finding's risk so would be refused."""
        from review.judge.exceptions import accepted_risk

        with self._lock:
            accepted_risk(self.work, finding, **given)  # type: ignore[arg-type]  # which refuses what is no scope

    def remedy(self, finding: str, stated: Mapping[str, str]) -> Doc:
        """State cause, owner, due and closure of a finding."""
        from review.judge.remedies import remedy

        with self._lock:
            given = remedy(self.work, finding, **stated)
            self.generation += 1
        return given

    def remedy_preview(self, finding: str, stated: Mapping[str, str]) -> str:
        """What stating this would record, "" where nothing would change."""
        from review.judge.remedies import remedy_preview

        with self._lock:
            return remedy_preview(self.work, finding, **stated)

    def reveal(self, pseudonym: str, reason: str) -> Doc:
        from review.judge.reveals import reveal

        with self._lock:
            return reveal(self.work, pseudonym, reason)

    # the access journal

    def note(self, what: str, body: Doc) -> None:
        """Have it written down that something was opened, tried or exported, without waiting for the store's writer.

        The same as the last time is no new access: a screen that reads again has opened nothing. What could not be written stays in line and is tried again with the next one and on leaving.
        """
        if self.readonly or self._noted == (what, body):
            return
        self._noted = what, body
        if self._noter is None:
            self._noter = ThreadPoolExecutor(1, thread_name_prefix="noter")
            self._unnoted: deque[tuple[str, Doc]] = deque()
        self._unnoted.append((what, body))
        self._noter.submit(self._write_notes)

    def _write_notes(self) -> None:
        from review.errors import RemitError
        from review.judge.journals import note_access
        from store.errors import StoreError

        try:
            while self._unnoted:
                with self._lock:
                    work = self.work
                note_access(work, *self._unnoted[0])
                self._unnoted.popleft()
        except (RemitError, StoreError):
            return

    def leave(self) -> int:
        """Write down what is left; how many accesses could not be."""
        if self._noter is None:
            return 0
        self._noter.submit(self._write_notes)
        self._noter.shutdown()
        self._noter = None
        return len(self._unnoted)
