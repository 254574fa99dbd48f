"""The studio: one policy author's sitting. The history is read once; each edit replays only what changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from model.review import PolicyVersion
from policy import AnyPolicy, Checked, Replayer, format_of
from policy.agents import adapter_of
from policy.agents.base import RuleFile
from policy.completion import Values
from policy.decisions import Cancelled, EngineFailed, Progress
from policy.model import FORMAT
from review import locations
from review.documents import Doc
from review.errors import RemitError
from review.policy import referee as judges
from review.policy.agent_answers import problem_document
from review.policy.agent_dry_run import Judged
from review.policy.agent_dry_run import run_document as agent_run
from review.policy.agent_history import AgentHistory, read_history
from review.policy.agent_rules import saved_files
from review.policy.asked import ENGINES
from review.policy.completing import completion, values_of
from review.policy.draft_formats import DraftFormat, draft_formats, format_of_file
from review.policy.dryruns import Run, Telling, Told, current, first_figures, stem
from review.policy.history_index import open_history
from review.policy.policies import diagnostics, history, read_policy, sound, today_micros
from review.policy.rule_files import layer_by_name
from review.policy.versions import find, save
from review.workspace import Workspace

FLIPS_SHOWN = 200
FLIPS_FIRST = 50
"""Flips listed at each key: as many as a screen shows. The others are looked up once the draft rests."""


class Draft(NamedTuple):
    """A text in the editor: the file it is called, the language it is written in."""

    name: str
    text: str
    format: str = FORMAT


class Replayed(NamedTuple):
    """A draft's diagnostics, its first figures, what the rest is told from, and the milliseconds the figures cost.

    No `run` with figures means that nothing more is to be told.
    """

    problems: list[Doc]
    told: Doc | None = None
    run: Run | None = None
    took: float = 0.0


class Studio:
    """The texts to start from, their problems at once, and what they would have done once the history is read."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.replayer: Replayer | None = None
        self.values: Values | None = None
        self.telling: Telling | None = None
        self._called: dict[str, AgentHistory] = {}
        self._asked: dict[str, tuple[Replayer, Telling]] = {}
        """By language, what its engine was asked by its own log: read when a draft in it is first replayed."""

    def read_history(self, progress: Callable[[int], None] | None = None) -> None:
        """Read every request of the store for replay; `progress` is told how many are read. Long on a large store."""
        self.replayer = Replayer(open_history(self.work, progress))
        self.values = values_of(self.replayer.history)
        self.telling = Telling(self.work, self.replayer.history)
        self._called.clear()
        self._asked.clear()

    def start(self, format: str = "") -> Draft:
        """The draft to begin with: the last saved version, else `policy.yaml` beside the store, else a first rule.

        With a `format`, the last version saved in that language, else a first rule in it.
        """
        saved = [one for one in self.work.store.policies() if one.format == (format or one.format)]
        if saved:
            return _kept(saved[-1])
        if not format and not locations.is_url(self.work.location):
            beside = Path(self.work.location).parent / "policy.yaml"
            if beside.is_file():
                return Draft(beside.name, read_policy(str(beside)))
        new = draft_formats()[format or FORMAT]
        return Draft(new.file, new.starter, new.id)

    def kept(self, ref: str) -> Draft:
        """A saved version, named `NAME@VERSION`, as a draft."""
        return _kept(find(self.work, ref))

    @staticmethod
    def opened(path: Path, text: str, format: str) -> Draft:
        """A file as a draft, in the language its name tells, else the present one."""
        return Draft(path.name, text, format_of_file(str(path), format))

    @staticmethod
    def formats() -> dict[str, DraftFormat]:
        return draft_formats()

    def baselines(self, format: str = FORMAT) -> list[str]:
        """What a draft can be compared with: recorded decisions, and each saved policy of its language re-evaluated."""
        return ["recorded", *sorted({one.name for one in self.work.store.policies() if one.format == format})]

    def replay(self, draft: Draft, against: str, progress: Progress | None = None) -> Replayed:
        """Every diagnostic of a draft and, where it has no error and the history is read, its first figures.

        The saved policy of the draft's name is the current one. `progress` is told how far an evaluation is that takes
        long, and stops it by answering False: then there are no figures.
        """
        begin = time.perf_counter()
        try:
            if draft_formats()[draft.format].agent:
                found = self._replay_agent(draft, against, progress)
            else:
                found = self._replay_requests(draft, against, progress)
        except Cancelled:
            return Replayed([])
        except EngineFailed as error:
            raise RemitError(str(error)) from error
        return found._replace(took=(time.perf_counter() - begin) * 1000)

    def _replay_requests(self, draft: Draft, against: str, progress: Progress | None) -> Replayed:
        checked: Checked[Any] = format_of(draft.format).check(draft.text, today_micros())
        problems = diagnostics(checked)
        if checked.policy is None or self.replayer is None:
            return Replayed(problems)
        held = current(self.work, draft.name, checked.policy.name, format=draft.format)
        baseline: AnyPolicy | None = None
        if against != "recorded":
            named = (
                held if held is not None and held.version.name == against else current(self.work, against, format=draft.format)
            )
            if named is None or named.version.name != against:
                raise RemitError(f"no sound {draft.format} policy called {against} is saved; f3 chooses another baseline")
            baseline = named.policy
        replayer = self._replayer_of(draft.format, progress)
        told, run = first_figures(self.work, replayer, checked.policy, baseline, against, FLIPS_FIRST, held, progress)
        return Replayed(problems, told, run)

    def _replayer_of(self, format: str, progress: Progress | None) -> Replayer:
        """The history a language is replayed over: where its engine's log holds what it was asked, those inputs as they were."""
        assert self.replayer is not None
        if format not in ENGINES:
            return self.replayer
        if format not in self._asked:
            replayer = Replayer(history(self.work, format=format, told=lambda n: _tell(progress, n)))
            self._asked[format] = replayer, Telling(self.work, replayer.history)
        return self._asked[format][0]

    def tell(self, run: Run, told: Told, wanted: Callable[[], None]) -> None:
        """Tell what the first figures of a draft leave out, part by part; see `Telling.tell`."""
        own = (telling for _, telling in self._asked.values())
        telling = next((one for one in (self.telling, *own) if one is not None and one.details.history is run.history), None)
        if telling is not None:
            wanted()
            told(telling.flips(run, FLIPS_SHOWN))
            telling.tell(run, told, wanted)

    def complete(self, draft: Draft, line: int, column: int) -> Doc:
        """What may be written before the character at (line, column), both from 1; values once the history is read."""
        if draft.format != FORMAT:
            return {"line": line, "column": column, "end_column": column, "candidates": []}
        return completion(draft.text, line, column, self.values)

    def referee(self, draft: Draft, told: Callable[[int, int], None]) -> list[str]:
        """What a second engine says of a draft, in sentences; `told` hears how many rules are done."""
        if self.replayer is None:
            raise RemitError("the history is not read yet")
        if draft.format != FORMAT:
            raise RemitError("the referee judges policies in Remit's own language; this draft is in another")
        return list(judges.sentences(judges.judged_policy(sound(draft.text, "the draft"), self.replayer.history, told)))

    def _replay_agent(self, draft: Draft, against: str, progress: Progress | None) -> Replayed:
        """An agent's own rules over that agent's calls: all of it at once, each distinct call asked for once."""
        adapter = adapter_of(draft.format)

        files = [RuleFile(layer_by_name(adapter, draft.name), draft.name, draft.text)]
        policy = adapter.load(files)
        problems = [problem_document(file, one) for file, one in dict.fromkeys(policy.problems)]
        if self.replayer is None or any(one["severity"] == "error" for one in problems):
            return Replayed(problems)
        if draft.format not in self._called:
            self._called[draft.format] = read_history(self.work, draft.format, progress=lambda n: _tell(progress, n))
        calls = self._called[draft.format]
        kept = saved_files(self.work, draft.format, against) if against != "recorded" else []
        other = Judged(adapter, kept, adapter.load(kept), calls, progress) if kept else None
        judged = Judged(adapter, files, policy, calls, progress)
        told = agent_run(self.work, calls, judged, other, against, FLIPS_SHOWN, progress)
        return Replayed(_with_calls(problems, told["lints"]), told)

    def save(self, draft: Draft, reason: str) -> tuple[str, int]:
        """Keep a draft as the next version under its file's name without the ending: that name, and the version's number."""
        name = stem(draft.name)
        kept = save(self.work, name, draft.text, reason, draft.name, format=draft.format, replayer=self.replayer)
        return name, int(kept["version"])


def _tell(progress: Progress | None, calls: int) -> None:
    """How many calls are read; the reading goes on whatever is answered, as every later draft needs it.

    Only who leaves the studio ends it: then `progress` itself raises.
    """
    if progress is not None:
        progress(calls, 0)


def _kept(version: PolicyVersion) -> Draft:
    """A saved version as a draft; of several files the first."""
    if version.files:
        return Draft(version.files[0].name, version.files[0].text, version.format)
    new = draft_formats().get(version.format)
    ending = Path(new.file).suffix if new is not None else ".yaml"
    return Draft(f"{version.name}{ending}", version.text, version.format)


def _with_calls(problems: list[Doc], lints: list[Doc]) -> list[Doc]:
    """Each problem of an agent's rules with how many historical calls slipped through it."""
    total = {(one["line"], one["column"], one["code"]): one["total"] for one in lints}
    told = []
    for one in problems:
        count = total.get((one["line"], one["column"], one["code"]), 0)
        slipped = f" ({count:,} {'call' if count == 1 else 'calls'} of the history got past it)" if count else ""
        told.append({**one, "message": one["message"] + slipped})
    return told
