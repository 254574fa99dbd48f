"""One task walked step by step: a head, an outline that grows, and rows read by page. `show` prints the same documents whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from chains.gaps import Missing, missing, names_of
from lang.times import iso
from model.chain import Coverage, Step, Task, TaskChain
from model.words import Verb
from review import documents
from review.errors import NotFoundError
from review.show import baselines
from review.show.listings import chain_references, finding_documents
from review.show.walk_layout import BLIND, CHILD, FINDING, GROUP, Layout, Outline, Place, lay_out
from review.state.overdue import overdue
from review.state.standing import Standing

if TYPE_CHECKING:
    from review.workspace import Workspace

Doc = dict[str, Any]

PAGE = 200
AT_ONCE = 2_000
"""Steps looked at before the first are shown; a longer task's outline follows while it is read."""
ON_TASK = 200
"""Findings on the task as a whole that are told; more of them are counted."""


def gap_documents(gaps: Iterable[Missing]) -> list[Doc]:
    return [{"part": one.part, "kind": one.kind.value, "why": one.why} for one in gaps]


def gaps_of(work: Workspace, task: Task) -> tuple[list[Coverage], frozenset[str]]:
    """What `chains.gaps.missing` is asked with for a task's steps."""
    aliases = [name for who in (task.principal, task.on_behalf_of) if who for name in work.facts.names(who)]
    names = names_of(task, aliases)
    return work.store.coverage_for(names), names


def whole_outline(work: Workspace, task: str) -> Outline:
    """The outline of all steps of a task."""
    outline = new_outline(work, task)
    while not outline.whole:
        outline.extend(work.store.sketches(task, outline.known + 1, AT_ONCE))
    return outline


def new_outline(work: Workspace, task: str) -> Outline:
    """An outline that knows the task's findings and how many steps there are, and has looked at none of them."""
    found: dict[str, int] = {}
    for step, _, _, spot in work.store.finding_places(task):
        found[step] = found.get(step, 0) | (BLIND if spot else FINDING)
    return Outline(task, work.store.count_steps(task), found)


class ChainWalk:
    """A task being walked. Reads happen under `lock`; a `Layout` once made may be read from any thread."""

    def __init__(
        self,
        work: Workspace,
        task: str,
        lock: AbstractContextManager[object],
        shown: Callable[[list[Doc]], object] = list,
    ) -> None:
        """`shown` is told of every task and finding that is handed out."""
        self.id = task
        self._shown = shown
        self.outlines: dict[str, Outline] = {}
        self.unfolded: set[str] = set()
        self._work = work
        self._lock = lock
        self._tasks: dict[str, Task] = {}
        self._watching: dict[str, tuple[list[Coverage], frozenset[str]]] = {}
        self._standing: Standing | None = None

    # the head

    def open(self) -> Doc:
        """`{"task", "intents", "children", "facts"}`, with the first steps' outline read; raises NotFoundError."""
        with self._lock:
            store = self._work.store
            row = store.task_row(self.id)
            task = store.task(self.id)
            if row is None or task is None:
                raise NotFoundError(f"there is no task {self.id}")
            self._standing = Standing(store)
            self._look_at(task)
            self._more(self.outlines[self.id])
            chain = TaskChain(task, store.first_intents(self.id), [], [], [])
            refs = chain_references(self._work, chain)
            head: Doc = {
                "task": documents.task_row(task, self._standing.of_task(self.id, row.evidence)),
                "intents": [documents.intent(one, refs) for one in chain.intents],
                "children": list(task.children),
                "facts": baselines.task_facts(self._work, task),
            }
        self._shown([head["task"]])
        return head

    def on_task(self) -> list[Doc]:
        """The findings on the task as a whole, those included that follow from nobody having looked."""
        with self._lock:
            found = self._work.store.findings_of_steps(self.id, [""], ON_TASK)
            told = finding_documents(self._work, [*found, *overdue(self._work, task=self.id)])
        self._shown(told)
        return told

    # the outline

    def more(self) -> bool:
        """Look at the next steps of a task not yet looked at whole; False where there is none."""
        with self._lock:
            unread = next((one for one in self.outlines.values() if not one.whole), None)
            if unread is not None:
                self._more(unread)
            return any(not one.whole for one in self.outlines.values())

    @property
    def whole(self) -> bool:
        return all(one.whole for one in self.outlines.values())

    def _look_at(self, task: Task) -> None:
        self._tasks[task.id] = task
        self.outlines[task.id] = new_outline(self._work, task.id)

    def _more(self, outline: Outline) -> None:
        outline.extend(self._work.store.sketches(outline.task, outline.known + 1, AT_ONCE))

    def layout(self) -> Layout:
        """The rows as they are folded now."""
        with self._lock:
            root = self.outlines[self.id]
            tied = set(root.children.values())
            loose = [one for one in self._tasks[self.id].children if one not in tied] if root.whole else []
            return lay_out(self.id, self.outlines, self.unfolded, loose)

    def fold(self, row: Doc) -> Layout | None:
        """Unfold a row, or fold it again; None where there is nothing in it. Of a step inside a group the group is folded."""
        place: Place = row["place"]
        key, child = place.key, row["child"] or (place.task if place.kind == CHILD else "")
        if place.kind == GROUP:
            pass
        elif child:
            with self._lock:
                if child not in self.outlines:
                    task = self._work.store.task(child)
                    if task is None:
                        return None
                    self._look_at(task)
                    self._more(self.outlines[child])
            if not self.outlines[child].total:
                return None
        elif (group := self.group_of(place)) is not None:
            key = group.key
        else:
            return None
        self.unfolded ^= {key}
        return self.layout()

    def group_of(self, place: Place) -> Place | None:
        """The unfolded group a step stands in."""
        outline = self.outlines.get(place.task)
        runs = outline.runs if outline else []
        for first, last in runs:
            if first <= place.n <= last:
                group = Place(GROUP, place.task, first, last, place.depth - 1)
                return group if group.key in self.unfolded else None
        return None

    def fold_all(self) -> Layout:
        """Every group unfolded; or, where any is, every one folded. Sub-agents stay as they are."""
        groups = {Place(GROUP, one.task, a, b, 0).key for one in self.outlines.values() for a, b in one.runs}
        self.unfolded = self.unfolded - groups if self.unfolded & groups else self.unfolded | groups
        return self.layout()

    # finding a place

    def holding(self, text: str) -> list[tuple[str, int]]:
        """The steps of every task shown that hold a text, as (task, number)."""
        with self._lock:
            return [(task, n) for task in self.outlines for n in self._work.store.steps_holding(task, text)]

    def number_of(self, step: str) -> tuple[str, int] | None:
        """Task and number of a step."""
        with self._lock:
            return self._work.store.number_of_step(step)

    # rows

    def rows(self, layout: Layout) -> StepRows:
        return StepRows(self, layout)

    def read(self, places: Sequence[Place]) -> list[Doc]:
        """The rows of these places."""
        wanted: dict[str, set[int]] = {}
        for place in places:
            if place.n:
                wanted.setdefault(place.task, set()).update((place.n, place.last))
        with self._lock:
            steps = {(task, doc["n"]): doc for task, numbers in wanted.items() for doc in self._documents(task, sorted(numbers))}
            loose = self._work.store.task_bodies([place.task for place in places if place.kind == CHILD])
        self._shown([finding for doc in steps.values() for finding in doc["findings"]])
        rows: list[Doc] = []
        for place in places:
            folded = place.key not in self.unfolded
            if place.kind == CHILD:
                rows.append(_loose_row(place, loose.get(place.task)) | {"folded": folded})
            elif (doc := steps.get((place.task, place.n))) is not None:
                group = None
                if place.kind == GROUP:
                    last = steps.get((place.task, place.last), doc)
                    group = {"last": place.last, "count": place.last - place.n + 1, "until": last["end"] or last["at"]}
                rows.append(doc | {"place": place, "key": place.key, "depth": place.depth, "group": group, "folded": folded})
        return rows

    def _documents(self, task: str, numbers: Sequence[int]) -> list[Doc]:
        steps = self._work.store.steps_numbered(task, numbers)
        held = self._tasks[task]
        if task not in self._watching:
            self._watching[task] = gaps_of(self._work, held)
        return step_documents(self._work, held, steps, self._watching[task], self._standing)


class StepRows:
    """A layout's rows by page, as a table asks for them."""

    def __init__(self, walk: ChainWalk, layout: Layout) -> None:
        self._walk = walk
        self._layout = layout

    def count(self) -> int:
        return self._layout.rows

    def page(self, number: int) -> list[Doc]:
        return self._walk.read(self._layout.places(number * PAGE, PAGE))


def step_documents(
    work: Workspace,
    task: Task,
    steps: Sequence[Step],
    watching: tuple[list[Coverage], frozenset[str]],
    standing: Standing | None = None,
) -> list[Doc]:
    """Steps as `show` tells them, each with its gaps and its findings."""
    chain = TaskChain(task, [], list(steps), [], [record for one in steps for record in one.records])
    refs = chain_references(work, chain)
    found: dict[str, list[Doc]] = {}
    for doc in finding_documents(work, work.store.findings_of_steps(task.id, [one.id for one in steps]), standing):
        found.setdefault(doc["step"], []).append(doc)
    return [
        documents.step(one, refs)
        | {"task": task.id, "gaps": gap_documents(missing(one, *watching)), "findings": found.get(one.id, [])}
        for one in steps
    ]


def _loose_row(place: Place, task: Task | None) -> Doc:
    """A row for a sub-agent that no step is known to have started, in the shape of a step."""
    empty = documents.step(Step("", place.task, 0, Verb.AGENT_SPAWN), documents.Refs({}, {}))
    return empty | {
        "id": place.task,
        "key": place.key,
        "place": place,
        "n": "",
        "task": place.task,
        "at": iso(task.started) if task else None,
        "title": (task.title or task.scope) if task else place.task,
        "child": place.task,
        "depth": place.depth,
        "gaps": [],
        "findings": [],
        "group": None,
    }
