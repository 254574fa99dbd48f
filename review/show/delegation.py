"""Delegation as a document: the family of a task as a tree, the borders it crosses and how far the chain reaches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chains.breadth import Reach
from chains.delegation import Agreement, Asked, Crossing, Delegation, Hop, Node, Spawn, delegation, hop
from lang.times import iso
from review.documents import Doc
from review.errors import NotFoundError
from review.workspace import Workspace

TASKS = 200
"""Tasks of a family that are read, the nearest to the one asked about first; how many were left out is said."""


def delegation_document(work: Workspace, task: str) -> Doc:
    """`{"task", "root", "path", "depth", "tasks", "left_out", "effective", "through", "tree", "crossings", "requests", "self_chaining"}`."""
    hops, left_out = _family(work, task)
    if task not in hops:
        raise NotFoundError(f"there is no task {task}")
    found = delegation(hops, task)
    nodes = list(_nodes(found.root))
    mine = next(node for node in nodes if node.hop.task.id == task)
    return {
        "kind": "delegation",
        "task": task,
        "root": found.root.hop.task.id,
        "path": list(found.path),
        "depth": mine.depth,
        "deepest": found.deepest,
        "tasks": found.tasks,
        "left_out": left_out,
        "principal": found.root.hop.task.principal or None,
        "on_behalf_of": found.root.hop.task.on_behalf_of or None,
        "effective": _reach(found.root.effective),
        "through": list(found.root.through),
        "tree": _node(found.root, task),
        "crossings": [_crossing(one) | {"task": node.hop.task.id} for node in nodes for one in node.hop.crossings],
        "requests": [_asked(one) | {"task": node.hop.task.id} for node in nodes for one in node.hop.requests],
        "self_chaining": _self_chaining(found),
    }


def _family(work: Workspace, task: str) -> tuple[dict[str, Hop], int]:
    """The hops of all ancestors and all their descendants, as many as are read, and how many tasks were left out."""
    line = [task]
    while (row := work.store.task(line[-1])) is not None and row.parent and row.parent not in line:
        line.append(row.parent)
    hops: dict[str, Hop] = {}
    seen: set[str] = set()
    left_out = 0
    queue = deque(line)
    while queue:
        id = queue.popleft()
        if id in seen:
            continue
        seen.add(id)
        if len(hops) >= TASKS:
            left_out += 1
            continue
        chain = work.store.chain(id)
        if chain is not None:
            if chain.task.children:
                # What narrows a sub-agent stands in the records of the step that started it.
                chain.events = {event.id: event for event in work.store.events_of_task(id)}
            hops[id] = hop(chain, work.store.credentials(task=id), work.facts)
            queue.extend(chain.task.children)
    return hops, left_out


def _nodes(root: Node) -> Iterator[Node]:
    queue = [root]
    while queue:
        node = queue.pop()
        yield node
        queue += reversed(node.children)


def _node(node: Node, asked: str) -> Doc:
    one, task = node.hop, node.hop.task
    return {
        "task": task.id,
        "asked": task.id == asked,
        "title": task.title,
        "agent": task.agent or None,
        "agent_version": task.agent_version or None,
        "principal": task.principal or None,
        "on_behalf_of": task.on_behalf_of or None,
        "repository": task.repository or None,
        "environment": task.environment or None,
        "started": iso(task.started),
        "ended": iso(task.ended),
        "depth": node.depth,
        "spawned_by": _spawn(node.spawn),
        "mode": task.mode or None,
        "sandbox": one.sandbox or None,
        "credentials": [{"id": c.id, "kind": c.kind or None, "scope": list(c.scope)} for c in one.credentials],
        "done": _reach(one.own),
        "granted": _reach(one.grant),
        "effective": _reach(node.effective),
        "through": list(node.through),
        "unread_steps": one.unread,
        "borders": [{"kind": b.kind, "from": b.before, "to": b.after} for b in node.borders],
        "crossings": [_crossing(c) for c in one.crossings],
        "requests": [_asked(a) for a in one.requests],
        "children": [_node(child, asked) for child in node.children],
    }


def _reach(one: Reach | None) -> Doc | None:
    if one is None:
        return None
    return {
        "breadth": one.breadth.name.lower(),
        "words": one.breadth.words,
        "what": one.what,
        "environment": one.environment or None,
        "step": one.step or None,
        "n": one.n or None,
        "at": iso(one.at),
        "credential": one.credential or None,
    }


def _spawn(one: Spawn | None) -> Doc | None:
    if one is None:
        return None
    return {"step": one.step, "n": one.n, "at": iso(one.at), "means": one.means, "scope": one.scope or None}


def _crossing(one: Crossing) -> Doc:
    return {
        "kind": one.kind,
        "from": one.home or None,
        "to": one.to,
        "step": one.step,
        "n": one.n,
        "at": iso(one.at),
        "steps": one.times,
        "agreed": [_agreement(yes) for yes in one.agreed],
    }


def _agreement(one: Agreement) -> Doc:
    return {"by": one.by, "how": one.how, "rule": one.rule or None, "at": iso(one.at)}


def _asked(one: Asked) -> Doc:
    return {
        "credential": one.credential,
        "kind": one.kind or None,
        "scope": list(one.scope),
        "phase": one.phase,
        "at": iso(one.at),
        "why": one.why,
    }


def _self_chaining(found: Delegation) -> list[Doc]:
    return [{"kind": one.kind, "tasks": list(one.tasks), "why": one.why} for one in found.self_chaining]
