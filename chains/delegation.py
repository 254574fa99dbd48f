"""Delegation: who spawned whom with what authority, how far a chain of hops reaches, and which borders it crosses.

Each task of a family is read once into a `Hop`; the tree is put together from hops alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from chains.breadth import Breadth, Reach, breadth_of, done, farther, granted
from chains.detections.chaining import addresses_itself, started_by
from chains.detections.delegation import stated_scope
from chains.detections.reading import operations, set_out
from chains.facts import OrgFacts
from model.chain import Credential, Step, Task, TaskChain
from model.words import Effect, Phase, TargetClass, Vantage, Verb

_PEOPLE = frozenset({"user", "human", "person"})
_CONFINES = frozenset({"mode", "sandbox"})
_MERGES = frozenset({Verb.PR_MERGE, Verb.REPO_MERGE})


class Agreement(msgspec.Struct, frozen=True):
    """Somebody's yes to a crossing: a `person`'s answer, a `policy`'s, the `agent`'s own rules', or a `merge` by somebody else."""

    by: str
    how: str
    rule: str = ""
    at: int | None = None


class Crossing(msgspec.Struct, frozen=True):
    """A border crossed by a step: into another owner's resource or another repository; `agreed` empty: nobody is seen to have."""

    kind: str
    home: str
    to: str
    step: str
    n: int
    at: int | None
    times: int
    agreed: tuple[Agreement, ...] = ()


class Spawn(msgspec.Struct, frozen=True):
    """A step that started another task: by a tool of the agent's own, a command, or a pipeline that ran on what it pushed."""

    child: str
    step: str
    n: int
    at: int | None
    means: str
    scope: str


class Asked(msgspec.Struct, frozen=True):
    """A credential asked for in mid-task: after the task had been issued one, or without an issuance that is seen."""

    credential: str
    kind: str
    scope: tuple[str, ...]
    phase: str
    at: int | None
    why: str


class Hop(msgspec.Struct):
    """What one task contributes: its authority, how far it went, what it started, what it crossed and what it asked for."""

    task: Task
    credentials: list[Credential]
    sandbox: str = ""
    own: Reach | None = None
    grant: Reach | None = None
    unread: int = 0
    spawns: list[Spawn] = msgspec.field(default_factory=list)
    crossings: list[Crossing] = msgspec.field(default_factory=list)
    requests: list[Asked] = msgspec.field(default_factory=list)
    to_itself: list[Spawn] = msgspec.field(default_factory=list)


class Border(msgspec.Struct, frozen=True):
    """What differs between a task and the one that started it."""

    kind: str
    before: str
    after: str


class Node(msgspec.Struct):
    """A task in the tree. `effective` is the farthest any task from here down reaches, `through` the way to it."""

    hop: Hop
    depth: int
    spawn: Spawn | None
    borders: list[Border]
    effective: Reach | None = None
    through: tuple[str, ...] = ()
    children: list[Node] = msgspec.field(default_factory=list)

    @property
    def reach(self) -> Reach | None:
        return farther(self.hop.own, self.hop.grant)


class SelfChain(msgspec.Struct, frozen=True):
    """An agent that comes to act again through its own doing; `tasks` is the way from the first to the last."""

    kind: str
    tasks: tuple[str, ...]
    why: str


class Delegation(msgspec.Struct):
    """A family of tasks as a tree from its first task down."""

    root: Node
    path: tuple[str, ...]
    deepest: int
    tasks: int
    self_chaining: list[SelfChain]


def hop(chain: TaskChain, held: Iterable[Credential], facts: OrgFacts) -> Hop:
    """Read one task; `held` are the credentials it was issued, used or exposed."""
    credentials = [one for one in held if _had(one, chain.task.id)]
    own, unread = done(chain.steps)
    sandbox = next((str(s.request["agent.sandbox"]) for s in reversed(chain.steps) if s.request.get("agent.sandbox")), "")
    spawns = [_spawn(chain, step) for step in chain.steps if step.child]
    return Hop(
        task=chain.task,
        credentials=credentials,
        sandbox=sandbox,
        own=own,
        grant=granted(credentials),
        unread=unread,
        spawns=spawns,
        crossings=_crossings(chain, facts),
        requests=_requests(chain.task, credentials),
        to_itself=[_spawn(chain, step) for step in chain.steps if addresses_itself(step, chain.task)],
    )


def delegation(hops: Mapping[str, Hop], task: str) -> Delegation:
    """The tree around one task. `hops` holds every task of its family by id; a parent that is missing ends the way up."""
    path, circle = _way_up(hops, task)
    children: dict[str, list[str]] = {}
    for id, one in sorted(hops.items()):
        if one.task.parent in hops and id != path[0]:
            children.setdefault(one.task.parent, []).append(id)
    root = _node(hops, path[0], None, children)
    nodes: list[tuple[Node, tuple[Node, ...]]] = [(root, ())]
    for node, above in nodes:
        nodes += [(child, (*above, node)) for child in node.children]
    for node, _ in reversed(nodes):
        _measure(node)
    chained = [SelfChain("circle", circle, "each of these tasks names the next as the one that started it")] if circle else []
    for node, above in nodes:
        chained += _chained(node, above)
    return Delegation(root, path, max(node.depth for node, _ in nodes), len(nodes), chained)


# one task


def _had(one: Credential, task: str) -> bool:
    return one.issued_task == task or any(u.task == task for u in (*one.use_list, *one.exposures))


def _spawn(chain: TaskChain, step: Step) -> Spawn:
    return Spawn(step.child, step.id, step.n, step.at, started_by(step), stated_scope(chain, step))


def _crossings(chain: TaskChain, facts: OrgFacts) -> list[Crossing]:
    """The first step across each border, with everybody who agreed to any step across it."""
    task = chain.task
    home = facts.resource(TargetClass.REPOSITORY, task.repository).owner if task.repository else ""
    crossing: dict[tuple[str, str], list[Step]] = {}
    for step in chain.steps:
        if not set_out(step) or all(breadth_of(o, step.tool) < Breadth.SHARED for o in operations(step)):
            continue
        if not home and step.owner:
            home = step.owner
        if step.owner and step.owner != home:
            crossing.setdefault(("owner", step.owner), []).append(step)
        name = step.target.name if step.target.cls is TargetClass.REPOSITORY else ""
        if name and task.repository and name != task.repository and "/" in name:
            crossing.setdefault(("repository", name), []).append(step)
    return [
        Crossing(
            kind,
            home if kind == "owner" else task.repository,
            to,
            steps[0].id,
            steps[0].n,
            steps[0].at,
            len(steps),
            tuple(dict.fromkeys(yes for step in steps for yes in _agreed(step, task, facts))),
        )
        for (kind, to), steps in crossing.items()
    ]


def _agreed(step: Step, task: Task, facts: OrgFacts) -> Iterable[Agreement]:
    for item in step.decisions:
        made = item.decision
        if made is None or item.phase is not Phase.VERDICT or made.effect is not Effect.ALLOW:
            continue
        yield Agreement(made.by or item.point, _how(made.by, item.vantage, facts), made.rule, item.at)
    for item in step.effects:
        if item.verb in _MERGES and item.principal and facts.identity(item.principal) not in (task.principal, task.on_behalf_of):
            yield Agreement(facts.identity(item.principal), "merge", "", item.at)


def _how(by: str, vantage: Vantage, facts: OrgFacts) -> str:
    if by in _PEOPLE or facts.kind(by) == "human":
        return "person"
    return "agent" if vantage is Vantage.AGENT else "policy"


def _requests(task: Task, held: Iterable[Credential]) -> list[Asked]:
    """Issuances after the task's first, and requests of which no issuance is seen."""
    found: list[Asked] = []
    for one in held:
        issued = [turn for turn in one.turns if turn.phase is Phase.ISSUED]
        if "mid_task" in one.flags and one.issued_task == task.id:
            why = "the task had been issued a credential before"
            found.append(Asked(one.id, one.kind, one.scope, "issued", one.issued, why))
        for turn in one.turns:
            if turn.phase is Phase.REQUESTED and turn.task == task.id and not issued:
                found.append(Asked(one.id, one.kind, one.scope, "requested", turn.at, "no issuance is seen"))
    return sorted(found, key=lambda a: (a.at is None, a.at or 0, a.credential))


# the tree


def _way_up(hops: Mapping[str, Hop], task: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tasks from the first to this one, and the circle that the way up closes, if it does."""
    way = [task]
    while (above := hops[way[-1]].task.parent) in hops:
        if above in way:
            return tuple(reversed(way)), tuple(way[way.index(above) :])
        way.append(above)
    return tuple(reversed(way)), ()


def _node(hops: Mapping[str, Hop], root: str, spawn: Spawn | None, children: Mapping[str, list[str]]) -> Node:
    made = Node(hops[root], 0, spawn, [])
    queue = [made]
    for node in queue:
        spawned = {one.child: one for one in reversed(node.hop.spawns)}
        for id in children.get(node.hop.task.id, ()):
            child = Node(hops[id], node.depth + 1, spawned.get(id), _borders(node.hop, hops[id]))
            node.children.append(child)
            queue.append(child)
        node.children.sort(key=lambda c: (c.hop.task.started is None, c.hop.task.started or 0, c.hop.task.id))
    return made


def _borders(above: Hop, below: Hop) -> list[Border]:
    """What is known of both and differs, and owners whose resources only the child touched."""
    parent, child = above.task, below.task
    found = [
        Border(kind, before, after)
        for kind, before, after in (
            ("principal", parent.principal, child.principal),
            ("on behalf of", parent.on_behalf_of, child.on_behalf_of),
            ("agent", parent.agent, child.agent),
            ("repository", parent.repository, child.repository),
            ("environment", parent.environment, child.environment),
            ("mode", parent.mode, child.mode),
            ("sandbox", above.sandbox, below.sandbox),
            ("origin", parent.origin, child.origin),
        )
        if before and after and before != after
    ]
    if parent.owners and (new := sorted(set(child.owners) - set(parent.owners))):
        found.append(Border("owner", ", ".join(parent.owners), ", ".join(new)))
    return found


def _measure(node: Node) -> None:
    """How far the node and all below it reach; its children are measured already."""
    node.effective, node.through = node.reach, (node.hop.task.id,)
    for child in node.children:
        best = farther(node.effective, child.effective)
        if best is not node.effective:
            node.effective, node.through = best, (node.hop.task.id, *child.through)
    mine = node.reach
    for child in node.children:
        theirs = child.reach
        if mine is not None and theirs is not None and theirs.rank > mine.rank:
            child.borders.append(Border("reach", mine.words, theirs.words))


def _chained(node: Node, above: tuple[Node, ...]) -> Iterable[SelfChain]:
    """What a task adds to self-chaining, seen from the tasks above it, the first one first."""
    task = node.hop.task
    for one in node.hop.to_itself:
        yield SelfChain("itself", (task.id,), f"step {one.n} addresses the session it belongs to")
    if not above or not task.agent:
        return
    parent = above[-1].hop.task
    if parent.agent == task.agent:
        means, scope = (node.spawn.means, node.spawn.scope) if node.spawn else ("", "")
        if means in ("command", "pipeline"):
            yield SelfChain("same agent", (parent.id, task.id), f"{task.agent} started {task.agent} again by a {means}")
        elif not scope and not any(border.kind in _CONFINES for border in node.borders):
            why = f"{task.agent} started {task.agent} again and no record narrows what the second may do"
            yield SelfChain("same agent", (parent.id, task.id), why)
        return
    again = next((n for n in range(len(above) - 1, -1, -1) if above[n].hop.task.agent == task.agent), None)
    if again is not None:
        way = (*above[again:], node)
        names = [one.hop.task.agent or one.hop.task.scope.partition(":")[0] or "an unknown agent" for one in way]
        yield SelfChain(
            "loop", tuple(one.hop.task.id for one in way), f"{' → '.join(names)}: the same agent again through others"
        )
