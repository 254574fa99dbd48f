"""The studio: one policy author's sitting. The history is read once; each edit replays only what changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from policy import Replayer
from policy.completion import Values
from review import locations
from review import referee as judges
from review.completing import completion, values_of
from review.documents import Doc
from review.errors import RemitError
from review.history_index import open_history
from review.policies import check, diagnostics, read_policy, run_document, sound
from review.versions import save
from review.workspace import Workspace

FLIPS_SHOWN = 500

STARTER = """version: 1
name: coding-agents
default: allow
rules:
  - id: no-force-push
    effect: deny
    when: action.verb == "repo.write" && action.forced
    reason: history of shared branches is not rewritten
"""


class Studio:
    """The texts to start from, their problems at once, and what they would have done once the history is read."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.replayer: Replayer | None = None
        self.values: Values | None = None

    def read_history(self, progress: Callable[[int], None] | None = None) -> None:
        """Read every request of the store for replay; `progress` is told how many are read. Long on a large store."""
        self.replayer = Replayer(open_history(self.work, progress))
        self.values = values_of(self.replayer.history)

    def start_text(self) -> tuple[str, str]:
        """(name, text) to begin with: the last saved version, else `policy.yaml` beside the store, else a first rule."""
        saved = self.work.store.policies()
        if saved:
            return f"{saved[-1].name}.yaml", saved[-1].text
        if not locations.is_url(self.work.location):
            beside = Path(self.work.location).parent / "policy.yaml"
            if beside.is_file():
                return beside.name, read_policy(str(beside))
        return "policy.yaml", STARTER

    def baselines(self) -> list[str]:
        """What a draft can be compared with: recorded decisions, and each saved policy's last version re-evaluated."""
        return ["recorded", *sorted({one.name for one in self.work.store.policies()})]

    def replay(self, text: str, against: str) -> tuple[list[Doc], Doc | None]:
        """Every diagnostic of a draft and, where it has no error and the history is read, its dry-run."""
        checked = check(text)
        problems = diagnostics(checked)
        if checked.policy is None or self.replayer is None:
            return problems, None
        baseline = None
        if against != "recorded":
            kept = list(self.work.store.policies(against))
            if not kept:
                raise RemitError(f"no policy called {against} is saved")
            baseline = sound(kept[-1].text, against)
        run = run_document(self.work, self.replayer, checked.policy, baseline, against, FLIPS_SHOWN)
        return problems, run

    def complete(self, text: str, line: int, column: int) -> Doc:
        """What may be written before the character at (line, column), both from 1; values once the history is read."""
        return completion(text, line, column, self.values)

    def referee(self, text: str, told: Callable[[int, int], None]) -> list[str]:
        """What a second engine says of a draft, in sentences; `told` hears how many rules are done."""
        if self.replayer is None:
            raise RemitError("the history is not read yet")
        return list(judges.sentences(judges.judged_policy(sound(text, "the draft"), self.replayer.history, told)))

    def save(self, name: str, text: str, reason: str) -> int:
        version: int = save(self.work, name, text, reason, replayer=self.replayer)["version"]
        return version
