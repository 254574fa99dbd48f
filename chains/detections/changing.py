"""Which steps change something others share: what change management is about, as against looking and working on a branch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chains.detections.reading import may_have_worked, operations, protected_branch
from chains.match import asked_as
from lang.late import late
from model.chain import Step, TaskChain
from model.event import Operation
from model.words import TargetClass, Verb

_ALWAYS = frozenset({Verb.REPO_MERGE, Verb.PR_MERGE, Verb.PACKAGE_PUBLISH, Verb.SECRET_WRITE})
_BY_NAME = frozenset({Verb.CLOUD_CALL, Verb.CLUSTER_CALL, Verb.DB_QUERY})
_STAYS = frozenset({"local", "dry-run", "read"})
_LOOKS = late(
    r"^(?:batch[-_]?get|describe|get|list|head|lookup|search|query|scan|select|check|preview|validate|test|estimate|simulate|"
    r"decode|filter|view|read|show|explain|plan|output|init$|fmt|version|providers|graph|console|ls$|logs?$|top$|wait|diff|watch|"
    r"status|history|can-i|auth|api-|cluster-info|completion|options|port-forward|proxy|template|lint|dependency|whoami|login|"
    r"configure|assume|generate|start-?query)",
    re.I,
)
_ASKS = late(r"^(?:select|show|explain|describe|desc|with|pragma|use|set|begin|commit|rollback|analyze|values|\\)\b|^\\", re.I)
"""Words that operations of clouds and clusters, and statements to databases, begin with where they change nothing."""


def changed(step: Step) -> list[Operation]:
    """The operations of a step that change what others share: by its own words, else by what the target saw of it.

    Pushing to a branch of one's own is work, not a change; what cannot be read is not counted as one.
    """
    own = [o for o in operations(step) if _changes(o)]
    return own or [o for i in step.effects if _changes(o := Operation(i.verb, i.target, i.tool))]


def changes(task: TaskChain) -> Iterator[tuple[Step, Operation]]:
    """Steps that changed something shared, neither stopped nor failed, each with the first operation that did."""
    for one in task.steps:
        if may_have_worked(one) and (made := changed(one)):
            yield one, made[0]


def _changes(operation: Operation) -> bool:
    if _STAYS.intersection(operation.flags) or not operation.certain:
        return False
    verb, target = operation.verb, operation.target
    if verb in _ALWAYS:
        return True
    if verb is Verb.REPO_WRITE:
        return target.cls is TargetClass.REPOSITORY and protected_branch(target.detail)
    if verb is Verb.GUARDRAIL_CHANGE:
        return asked_as(verb, target) is not verb
    if verb not in _BY_NAME:
        return False
    if verb is Verb.DB_QUERY:
        statement = target.detail.lstrip("( \n\t")
        return " " in statement and not _ASKS.match(statement)
    words = _words(operation)
    return bool(words) and not _LOOKS.match(words)


def _words(operation: Operation) -> str:
    """What was asked of a cloud or cluster, beginning with the word that says whether it only looks; "" if unknown."""
    target = operation.target
    if operation.verb is Verb.CLUSTER_CALL:
        stated = next((flag[3:] for flag in operation.flags if flag.startswith("op=")), "") or operation.text
        return re.split(r"[:./]", stated.removeprefix("rollout ").partition(" ")[0])[-1]
    named = target.detail if target.name.startswith("/") else target.name
    parts = re.split(r"[:./]", named)
    if len(parts) < 2:
        return ""
    return parts[-2] if parts[-1] == "action" else parts[-1]
