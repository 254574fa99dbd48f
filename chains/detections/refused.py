"""What was refused in a task, found again by what it was about: the same verb on what may be the same target."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chains.clusters import thing_of
from chains.detections.reading import operations
from chains.folders import apart, elsewhere, folder_of
from chains.match import reaches_out, secret_name
from model.chain import Step
from model.event import Operation, Target
from model.words import TargetClass, Verb

SENDS = frozenset({"upload", "data"})
_PATHS = frozenset(
    {Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.INSTRUCTIONS_WRITE, Verb.CI_MODIFY, Verb.GUARDRAIL_CHANGE}
)
_SECRETS = frozenset({Verb.SECRET_READ, Verb.SECRET_WRITE})

_Stated = tuple[str, ...]
"""The parts of an act that contradict each other where both are stated and differ, "" for one that is not."""


class _Act(NamedTuple):
    """One operation and what of it is compared, worked out once."""

    operation: Operation
    kind: tuple[Verb, bool, bool]
    """Its verb, whether it reaches out and whether it sends."""
    stated: _Stated
    path: bool
    led: str | None
    """Where what names no repository was sent to, beside the folder worked in."""
    folder: str
    item: str
    secret: str


class Refused:
    """The refused steps of one task in their order; what cannot be meant by an act is passed over unread."""

    def __init__(self, worked_in: str) -> None:
        self._worked_in = worked_in
        self.steps: list[Step] = []
        self._acts: list[tuple[int, _Act]] = []
        self._of_kind: dict[tuple[Verb, bool, bool], dict[tuple[bool, ...], list[int]]] = {}
        """By what is compared first and by which parts are stated, the numbers of acts."""
        self._filed: dict[tuple[tuple[Verb, bool, bool], tuple[bool, ...], tuple[bool, ...]], dict[_Stated, list[int]]] = {}
        """The same by the parts that an act looked up states as well."""

    def add(self, one: Step, refused: list[Operation]) -> None:
        for operation in refused:
            act, number = _act_of(operation, one), len(self._acts)
            self._acts.append((len(self.steps), act))
            states = tuple(map(bool, act.stated))
            self._of_kind.setdefault(act.kind, {}).setdefault(states, []).append(number)
            for (kind, held, shared), filed in self._filed.items():
                if kind == act.kind and held == states:
                    filed.setdefault(_parts(act.stated, shared), []).append(number)
        self.steps.append(one)

    def first(self, one: Step, other: Callable[[Step], bool]) -> tuple[Step, Step, Operation] | None:
        """The first refused step that `one` did all the same, and by which operation; of those only that are `other` than it."""
        best: tuple[int, Operation] | None = None
        passed: dict[int, bool] = {}
        for verb in dict.fromkeys(verb for verb, _, _ in self._of_kind):
            for operation in _done(one, verb):
                now = _act_of(operation, one)
                for numbers in self._near(now):
                    for number in numbers:
                        if best is not None and number >= best[0]:
                            break
                        step, act = self._acts[number]
                        if not self._same(act, now):
                            continue
                        if step not in passed:
                            passed[step] = other(self.steps[step])
                        if passed[step]:
                            best = number, operation
                            break
        return (self.steps[self._acts[best[0]][0]], one, best[1]) if best is not None else None

    def _near(self, now: _Act) -> list[list[int]]:
        """The acts of one kind that no stated part tells apart from this one."""
        found: list[list[int]] = []
        states = tuple(map(bool, now.stated))
        for held, numbers in self._of_kind.get(now.kind, {}).items():
            shared = tuple(a and b for a, b in zip(held, states, strict=True))
            filed = self._filed.get((now.kind, held, shared))
            if filed is None:
                filed = self._filed[now.kind, held, shared] = {}
                for number in numbers:
                    filed.setdefault(_parts(self._acts[number][1].stated, shared), []).append(number)
            found.append(filed.get(_parts(now.stated, shared), []))
        return found

    def _same(self, refused: _Act, now: _Act) -> bool:
        return _one_place(refused, now) and _share(refused.operation.target, now.operation.target, self._worked_in)


def _parts(stated: _Stated, shared: tuple[bool, ...]) -> _Stated:
    return tuple(part for part, both in zip(stated, shared, strict=True) if both)


def _act_of(operation: Operation, one: Step) -> _Act:
    verb, target = operation.verb, operation.target
    cwd = str(one.request.get("context.cwd") or "")
    said = _stated(operation)
    path = verb in _PATHS and _is_path(target)
    folder = folder_of(target.name, cwd) if path else ""
    led = None if path or verb in _SECRETS else elsewhere(operation, cwd)
    # A path by where it leads and a secret by its path in the store are no part that is compared as it stands.
    name = "" if verb in _PATHS or verb in _SECRETS else target.name
    return _Act(
        operation,
        (verb, reaches_out(operation), bool(SENDS.intersection(operation.flags))),
        tuple(part.casefold() for part in (*_thing(said), target.detail, name)),
        path,
        led,
        folder.casefold() if path else cwd if led is None else led,
        said.get("item", "").casefold(),
        secret_name(target.name) if verb in _SECRETS else "",
    )


def _one_place(refused: _Act, now: _Act) -> bool:
    """Whether the names of two targets can mean one thing: paths by where they lead, what names no repository by the folder it went to."""
    before, target = refused.operation.target, now.operation.target
    if refused.path and now.path:
        return refused.folder == now.folder if refused.folder and now.folder else _matches(before.name, target.name)
    if refused.kind[0] in _SECRETS:
        return refused.item == now.item if refused.item and now.item else _matches(refused.secret, now.secret)
    if TargetClass.REPOSITORY in (before.cls, target.cls) and not (before.name and target.name):
        unstated = refused.led is None and now.led is None and not (refused.folder and now.folder)
        return unstated or not apart(refused.folder, now.folder)
    return _matches(before.name, target.name)


def _is_path(target: Target) -> bool:
    return bool(target.name) and (target.cls is TargetClass.FILESYSTEM or "/" in target.name or "." in target.name)


def _done(one: Step, verb: Verb) -> list[Operation]:
    """What a step did with a verb: by its own words, else by what the target saw of it."""
    own = [o for o in operations(one) if o.verb is verb]
    return own or [Operation(i.verb, i.target, i.text) for i in one.effects if i.verb is verb]


def _thing(said: dict[str, str]) -> tuple[str, str, str]:
    """What an operation of a wide verb does (`op=`), and the kind and name of what it does it to (`on=`); "" where it does not say."""
    done, on = said.get("op", "").split(" "), said.get("on", "")
    kind, _, name = thing_of(on).partition("/") if on else ("", "", "")
    return " ".join(word for n, word in enumerate(done) if not (n and on and word in on.split("/"))), kind, name


def _stated(operation: Operation) -> dict[str, str]:
    """The flags of an operation that hold a value, by name."""
    return {name: value for name, _, value in (flag.partition("=") for flag in operation.flags)}


def _matches(before: str, now: str) -> bool:
    """Equal where both are known; a part only one of them states contradicts nothing."""
    return not before or not now or before.casefold() == now.casefold()


def _share(before: Target, now: Target, worked_in: str) -> bool:
    """Whether both state a name or a part; what states no repository means the one worked in. Two halves are not known to be one."""
    repositories = TargetClass.REPOSITORY in (before.cls, now.cls)
    names = [target.name or (worked_in if repositories else "") for target in (before, now)]
    return (all(names) and (not repositories or _matches(*names))) or bool(before.detail and now.detail)
