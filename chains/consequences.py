"""Down the chain: which steps hang on a step that is denied, over credentials, sub-agents and links that carry authority.

A step falls with a denied one where it uses a credential that every step it could have had it from has fallen (an expired
issue counts for nothing), where it is part of a sub-agent that was started by a fallen step, or where a derived link other
than a ticket leads to it: a commit, a pull request, a hash that came from a fallen step. Inferred links carry no authority.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from model.chain import Credential, Step
from model.words import LinkKind, Phase

_OBTAINS = frozenset({Phase.ISSUED, Phase.REQUESTED, Phase.RENEWED})
_LOOSE = ("ticket",)
"""Kinds of identifiers over which many people meet: no authority passes over them."""

TASKS = 60
"""Tasks that are read for one question: the task itself, its sub-agents, and where its credentials were used elsewhere."""


class Knot(msgspec.Struct, frozen=True):
    """A step through which authority passes: what it obtains (until when), uses and starts, and the steps that go on from it."""

    n: int
    at: int | None
    obtains: tuple[tuple[str, int | None], ...] = ()
    uses: tuple[str, ...] = ()
    child: str = ""
    feeds: tuple[tuple[str, str], ...] = ()


class Web(msgspec.Struct, frozen=True):
    """One task as authority passes through it: its steps by number, the knots among them, its credentials.

    `elsewhere` are the other tasks of each credential that a step of this one obtains, `kinds` what a credential is called.
    """

    task: str
    steps: dict[str, int]
    knots: dict[str, Knot]
    elsewhere: dict[str, tuple[str, ...]]
    kinds: dict[str, str]


class Fallen(msgspec.Struct, frozen=True):
    """A step that falls: `by` is the step it hangs on, `kind` credential, sub-agent or link, `via` the thing between them."""

    step: str
    task: str
    n: int
    kind: str
    by: str
    via: str
    why: str


class Fallout(msgspec.Struct, frozen=True):
    """Everything that falls, without the denied steps themselves; `left_out` are tasks that were not read."""

    steps: tuple[Fallen, ...]
    credentials: frozenset[str]
    sub_agents: frozenset[str]
    left_out: int = 0


def web_of(task: str, steps: Sequence[Step], credentials: Iterable[Credential]) -> Web:
    """How authority passes through a task; `credentials` are those it has to do with."""
    names: dict[str, str] = {}
    kinds: dict[str, str] = {}
    expires: dict[str, int | None] = {}
    elsewhere: dict[str, tuple[str, ...]] = {}
    for one in credentials:
        names.update(dict.fromkeys((one.key, *one.names), one.id))
        kinds[one.id] = one.kind
        expires.update({turn.event: turn.expires for turn in one.turns})
        others = dict.fromkeys(other for other in (one.issued_task, *one.tasks) if other and other != task)
        elsewhere[one.id] = tuple(others)
    owner = {item.id: step for step in steps for item in step.items()}
    feeds, via = _links(steps, owner, names)
    knots: dict[str, Knot] = {}
    obtained: set[str] = set()
    for step in steps:
        obtains = {i.credential: expires.get(i.id) for i in step.credential_events if i.phase in _OBTAINS and i.credential}
        uses = tuple(dict.fromkeys(id for id in (*step.credentials, *via.get(step.id, ())) if id not in obtains))
        obtained |= obtains.keys()
        if obtains or uses or step.child or step.id in feeds:
            knots[step.id] = Knot(step.n, step.at, tuple(obtains.items()), uses, step.child, tuple(feeds.get(step.id, ())))
    return Web(
        task,
        {step.id: step.n for step in steps},
        knots,
        {id: tasks for id, tasks in elsewhere.items() if id in obtained and tasks},
        kinds,
    )


def _links(
    steps: Sequence[Step], owner: Mapping[str, Step], names: Mapping[str, str]
) -> tuple[dict[str, list[tuple[str, str]]], dict[str, list[str]]]:
    """By step, the steps that go on from it over derived links; and the credentials that a step's own were obtained with."""
    feeds: dict[str, list[tuple[str, str]]] = {}
    via: dict[str, list[str]] = {}
    for step in steps:
        for link in step.links:
            source, target = owner.get(link.source), owner.get(link.target)
            if link.kind is not LinkKind.DERIVED or target is None or target is source:
                continue
            credential = names.get(link.key)
            if credential is not None:
                via.setdefault(target.id, []).append(credential)
            elif source is not None and target.n > source.n and not link.key.startswith(_LOOSE):
                pair = (link.key, target.id)
                if pair not in feeds.setdefault(source.id, []):
                    feeds[source.id].append(pair)
    return feeds, via


def fallout(task: str, denied: Iterable[str], web: Callable[[str], Web | None]) -> Fallout:
    """Everything that falls with the denied steps of a task; `web` gives a task's web, None where there is no such task."""
    return _Fall(task, web).run(denied)


class _Fall:
    """One question: the webs read for it, what has fallen, and what is still to be followed."""

    def __init__(self, task: str, web: Callable[[str], Web | None]) -> None:
        self._read = web
        self._webs: dict[str, Web] = {}
        self._left_out: set[str] = set()
        self._roots: set[str] = set()
        self._fallen: dict[str, Fallen] = {}
        self._queue: deque[tuple[str, str]] = deque()
        self._lost: set[str] = set()
        self._children: set[str] = set()
        self._home = task

    def run(self, denied: Iterable[str]) -> Fallout:
        home = self._web(self._home)
        if home is None:
            return Fallout((), frozenset(), frozenset())
        self._roots = {step for step in denied if step in home.steps}
        self._queue.extend((self._home, step) for step in sorted(self._roots, key=home.steps.__getitem__))
        while self._queue:
            self._follow(*self._queue.popleft())
        steps = sorted(self._fallen.values(), key=lambda one: (one.task != self._home, one.task, one.n, one.step))
        return Fallout(tuple(steps), frozenset(self._lost), frozenset(self._children), len(self._left_out))

    def _web(self, task: str) -> Web | None:
        if task not in self._webs:
            if len(self._webs) >= TASKS:
                self._left_out.add(task)
                return None
            found = self._read(task)
            if found is None:
                return None
            self._webs[task] = found
        return self._webs[task]

    def _down(self, step: str) -> bool:
        return step in self._fallen or step in self._roots

    def _fall(self, web: Web, step: str, kind: str, by: str, via: str, why: str) -> None:
        if not self._down(step):
            self._fallen[step] = Fallen(step, web.task, web.steps[step], kind, by, via, why)
            self._queue.append((web.task, step))

    def _follow(self, task: str, step: str) -> None:
        web = self._webs[task]
        knot = web.knots.get(step)
        if knot is None:
            return
        place = self._place(web, knot.n)
        if knot.child and (child := self._web(knot.child)) is not None:
            self._children.add(knot.child)
            for one in child.steps:
                self._fall(child, one, "sub-agent", step, knot.child, f"is part of the sub-agent started in {place}")
        for key, later in knot.feeds:
            self._fall(web, later, "link", step, key, f"goes on from {key.partition(':')[0]} of {place}")
        for credential, _ in knot.obtains:
            self._lost.add(credential)
            self._uses(web, step, knot, credential, place)

    def _place(self, web: Web, n: int) -> str:
        return f"step {n}" if web.task == self._home else f"step {n} of {web.task}"

    def _uses(self, web: Web, step: str, knot: Knot, credential: str, place: str) -> None:
        """Everything that uses a credential after it was obtained here, and can have it from nowhere else."""
        webs = [web, *(one for one in map(self._web, web.elsewhere.get(credential, ())) if one is not None)]
        called = web.kinds.get(credential) or "credential"
        for other in webs:
            for id, user in other.knots.items():
                if credential in user.uses and _after(other is web, user, knot) and not self._held(webs, credential, other, user):
                    self._fall(other, id, "credential", step, credential, f"uses the {called} obtained in {place}")

    def _held(self, webs: Sequence[Web], credential: str, where: Web, user: Knot) -> bool:
        """Whether a step that has not fallen had obtained the credential before its use, and it had not expired."""
        for web in webs:
            for id, knot in web.knots.items():
                for obtained, expires in knot.obtains:
                    lives = expires is None or user.at is None or user.at <= expires
                    if lives and obtained == credential and not self._down(id) and _after(web is where, user, knot):
                        return True
        return False


def _after(same_task: bool, later: Knot, earlier: Knot) -> bool:
    """Whether one step comes after another; of two tasks where the times are known, else taken for granted."""
    if same_task:
        return later.n > earlier.n
    return later.at is None or earlier.at is None or later.at >= earlier.at
