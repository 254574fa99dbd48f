"""Down the chain over a store: what hangs on denied steps, one by one and for all flips together, with bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from threading import Lock

import msgspec

from chains.consequences import Fallout, Web, fallout, web_of
from policy.dryrun import Consequence
from review.workspace import Workspace

_HELD_STEPS = 400_000
"""Steps of the webs that are remembered; the least recently used go first."""


class Totals(msgspec.Struct):
    """What falls with all newly denied requests: steps that are not denied themselves, credentials, sub-agents, tasks touched.

    `counted` of `of` tasks with a denied step were followed; `left_out` counts tasks that one question did not reach.
    """

    steps: int = 0
    credentials: int = 0
    sub_agents: int = 0
    tasks: int = 0
    counted: int = 0
    of: int = 0
    left_out: int = 0


class Consequences:
    """Answers what hangs on denied steps; how authority passes through a task is read once, whatever the draft."""

    def __init__(self, work: Workspace) -> None:
        self._store = work.store
        self._webs: OrderedDict[str, Web] = OrderedDict()
        self._steps = 0
        self._lock = Lock()

    def web(self, task: str) -> Web | None:
        """How authority passes through a task, None where there is none by this id."""
        with self._lock:
            found = self._webs.get(task)
            if found is not None:
                self._webs.move_to_end(task)
                return found
        steps = self._store.steps(task)
        if not steps:
            return None
        involved = any(step.credentials or step.credential_events for step in steps)
        found = web_of(task, steps, self._store.credentials(task=task) if involved else ())
        with self._lock:
            self._webs[task] = found
            self._steps += len(found.steps)
            while self._steps > _HELD_STEPS and len(self._webs) > 1:
                _, gone = self._webs.popitem(last=False)
                self._steps -= len(gone.steps)
        return found

    def of(self, task: str, denied: Iterable[str]) -> Fallout:
        """Everything that falls with these steps of a task."""
        return fallout(task, denied, self.web)

    def of_step(self, task: str, step: str) -> list[Consequence]:
        """What falls with one step, with the reason of each, as a flip tells it."""
        found = self.of(task, (step,)).steps
        return [Consequence(one.step, one.task, one.n, one.kind, one.by, one.why) for one in found]


class Tally:
    """Adds up what falls, task by task; a step, credential or sub-agent that several bring down counts once.

    `denied_in` gives the newly denied steps of any task, `stopped_in` all that are denied: those are no consequence.
    """

    def __init__(
        self,
        consequences: Consequences,
        of: int,
        denied_in: Callable[[str], Collection[str]],
        stopped_in: Callable[[str], Collection[str]],
    ) -> None:
        self._consequences = consequences
        self._denied_in = denied_in
        self._stopped_in = stopped_in
        self._steps: set[str] = set()
        self._tasks: set[str] = set()
        self._credentials: set[str] = set()
        self._sub_agents: set[str] = set()
        self._counted = 0
        self._of = of
        self._left_out = 0

    def add(self, task: str) -> None:
        """Count what falls with the denied steps of a task."""
        found = self._consequences.of(task, self._denied_in(task))
        stopped = {other: self._stopped_in(other) for other in {one.task for one in found.steps}}
        for one in found.steps:
            if one.step not in stopped[one.task]:
                self._steps.add(one.step)
                self._tasks.add(one.task)
        self._credentials |= found.credentials
        self._sub_agents |= found.sub_agents
        self._counted += 1
        self._left_out += found.left_out

    @property
    def totals(self) -> Totals:
        return Totals(
            len(self._steps), len(self._credentials), len(self._sub_agents), len(self._tasks),
            self._counted, self._of, self._left_out,
        )  # fmt: skip
