"""A delegation document as text: a tree with its borders marked. It imports nothing that a first frame would wait for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.counted import count

Doc = dict[str, Any]


def delegation_lines(document: Doc) -> Iterator[str]:
    """The tree with its borders marked, then what concerns it as a whole."""
    who = document["on_behalf_of"] or document["principal"] or "an unknown principal"
    count = "one task" if document["tasks"] == 1 else f"{document['tasks']} tasks, {document['deepest']} deep"
    yield f"Delegation of {who}: {count}; this task stands at depth {document['depth']}."
    reach = document["effective"]
    if reach:
        way = " → ".join(document["through"])
        yield f"The chain reaches as far as: {_reach_text(reach)}" + (
            f", through {way}." if len(document["through"]) > 1 else "."
        )
    else:
        yield "How far the chain reaches is not known: no step could be read and no scope is stated."
    yield from _tree(document["tree"], "", "")
    for one in document["self_chaining"]:
        yield f"! Self-chaining ({one['kind']}): {one['why']}."
    if document["left_out"]:
        yield f"{document['left_out']} further tasks of this family were left out."


def _tree(node: Doc, first: str, rest: str) -> Iterator[str]:
    mark = "▶ " if node["asked"] else ""
    agent = " ".join(part for part in (node["agent"], node["agent_version"]) if part) or "no agent named"
    yield f"{first}{mark}{agent}: {node['title'] or '(no title)'}"
    inner = f"{rest}{'│ ' if node['children'] else '  '}"
    for line in _facts(node):
        yield inner + line
    for child in node["children"]:
        last = child is node["children"][-1]
        yield from _tree(child, f"{rest}{'└─ ' if last else '├─ '}", f"{rest}{'   ' if last else '│  '}")


def _facts(node: Doc) -> Iterator[str]:
    """What is known of one task, the borders between it and the one above first."""
    spawn = node["spawned_by"]
    if spawn:
        scope = f"scope {spawn['scope']}" if spawn["scope"] else "no narrower scope stated"
        yield f"started by step {spawn['n']} above ({spawn['means']}), {scope}"
    elif node["depth"]:
        yield "started by a step that is not known"
    for border in node["borders"]:
        yield f"╪ border: {border['kind']} {border['from']} → {border['to']}"
    yield f"as {node['principal'] or 'an unknown principal'}, mode {node['mode'] or 'unknown'}, sandbox {node['sandbox'] or 'unknown'}"
    for held in node["credentials"]:
        yield f"holds {held['kind'] or 'credential'} {held['id']}: {', '.join(held['scope']) or 'scope unknown'}"
    unread = f"; {count(node['unread_steps'], 'step')} could not be read" if node["unread_steps"] else ""
    yield f"did: {_reach_text(node['done'])}{unread}"
    yield f"was granted: {_reach_text(node['granted'])}"
    if node["children"]:
        yield f"with all below it: {_reach_text(node['effective'])}"
    for one in node["crossings"]:
        agreed = ", ".join(f"{yes['by']} ({yes['how']})" for yes in one["agreed"])
        said = f"agreed: {agreed}" if agreed else "nobody is seen to have agreed"
        yield f"╪ crosses into {one['kind']} {one['to']} from {one['from'] or 'unknown'} in step {one['n']}; {said}"
    for one in node["requests"]:
        scope = ", ".join(one["scope"]) or "scope unknown"
        yield f"+ {one['kind'] or 'credential'} {one['phase']} in mid-task {one['at'] or ''} ({scope}): {one['why']}"
    yield node["task"]


def _reach_text(reach: Doc | None) -> str:
    if reach is None:
        return "not known"
    where = f" in {reach['environment']}" if reach["environment"] else ""
    by = f"step {reach['n']}" if reach["n"] else f"credential {reach['credential']}"
    return f"{reach['words']} ({reach['what']}{where}, {by})"
