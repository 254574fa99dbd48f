"""What a command line does, put into a request: the operations inside it, and each of them as a request of its own."""

from __future__ import annotations

from lang.shell import parse
from model.event import Operation
from model.words import TargetClass, Verb
from policy.model import Request

MAX_COMMAND = 100_000
_FORCED = frozenset({"forced", "force", "bypass", "no-verify"})
_HISTORY = frozenset({Verb.REPO_WRITE, Verb.REPO_MERGE})
_UNREAD = (Operation(Verb.UNKNOWN, text="", certain=False),)


def operations_of(command: str) -> tuple[Operation, ...]:
    """The operations of a command line; one that is too long to be read is one unknown operation, never safe."""
    return parse(command).operations if len(command) <= MAX_COMMAND else _UNREAD


def with_operations(request: Request) -> Request:
    """A request of a command line, completed by what the command does; names already stated stay as they are.

    The same completion a step's request gets in the history: `action.verbs` holds `unknown` where something could not
    be read; `action.forced` is false only where a push was read whole and forces nothing.
    """
    command = request.get("action.command")
    if not isinstance(command, str) or not command.strip():
        return request
    operations = operations_of(command)
    verbs = {str(request.get("action.verb", Verb.EXEC.value)), *(op.verb.value for op in operations)}
    if not operations or any(not op.certain for op in operations):
        verbs.add(Verb.UNKNOWN.value)
    out: Request = {
        "action.verb": Verb.EXEC.value,
        "action.verbs": tuple(sorted(verbs)),
        "action.targets": targets_of(operations),
    }
    if not out["action.targets"]:
        del out["action.targets"]
    forced = forced_of(operations)
    if forced is not None:
        out["action.forced"] = forced
    return {**out, **request}


def alone(request: Request, operation: Operation) -> Request:
    """One operation of a command as a request of its own, in the context of the whole.

    What the whole says of its target holds for the operation too where it names no other target.
    """
    same = operation.target.name in ("", request.get("resource.name"))
    gone = {"action.verb", "action.verbs", "action.targets", "action.forced", "action.command"}
    out: Request = {n: v for n, v in request.items() if n not in gone and (same or not n.startswith("resource."))}
    out["action.verb"] = operation.verb.value
    out["action.verbs"] = (operation.verb.value,)
    if operation.text:
        out["action.command"] = operation.text
    if targets := targets_of((operation,)):
        out["action.targets"] = targets
    if operation.target.cls is not TargetClass.UNKNOWN:
        out["resource.class"] = operation.target.cls.value
    if operation.target.name:
        out["resource.name"] = operation.target.name
    if operation.target.detail:
        out["resource.detail"] = operation.target.detail
    forced = forced_of((operation,))
    if forced is not None:
        out["action.forced"] = forced
    return out


def targets_of(operations: tuple[Operation, ...]) -> tuple[str, ...]:
    """`class:name` of every operation that names a target, once each, in order."""
    return tuple(dict.fromkeys(f"{op.target.cls.value}:{op.target.name}" for op in operations if op.target.name))


def forced_of(operations: tuple[Operation, ...]) -> bool | None:
    """Whether history is overwritten or checks are skipped; None where that cannot be told."""
    if any(_FORCED.intersection(op.flags) for op in operations):
        return True
    if operations and all(op.certain for op in operations) and any(op.verb in _HISTORY for op in operations):
        return False
    return None
