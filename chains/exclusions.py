"""What the organisation has a detection not report: decided finding by finding, counted, never silent."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from chains.facts import glob
from chains.stepfacts import step_values
from lang.cel import compile_condition
from lang.cel.scalar import Closure, answer_of, closure
from model.chain import Step, Task
from model.conditions import STEP_CONDITION
from model.event import Target
from model.org import Exclusion, Org
from model.words import TargetClass


class _Ready(msgspec.Struct, frozen=True):
    """An exclusion made ready to ask."""

    said: Exclusion
    principal: re.Pattern[str] | None
    agent: re.Pattern[str] | None
    repository: re.Pattern[str] | None
    path: re.Pattern[str] | None
    when: Closure | None

    def holds(self, task: Task, step: Step | None) -> bool:
        """Whether all that is stated holds; what is unknown excludes nothing."""
        asked = (
            (self.principal, _principals),
            (self.agent, _agents),
            (self.repository, _repositories),
            (self.path, _paths),
        )
        for pattern, names in asked:
            if pattern is not None and not any(pattern.match(name.casefold()) for name in names(task, step) if name):
                return False
        if self.when is None:
            return True
        return step is not None and answer_of(self.when(step_values(step))).value is True


class Exclusions:
    """All exclusions of an organisation file, by detection."""

    def __init__(self, org: Org) -> None:
        self._by_detection = {name: [_ready(one) for one in held] for name, held in org.exclusions.items()}

    def __contains__(self, detection: str) -> bool:
        return detection in self._by_detection

    def reason(self, detection: str, task: Task, step: Step | None) -> str:
        """Why a finding of this detection on a step, or on the task as a whole, is not reported; "" where it is."""
        return next((one.said.reason for one in self._by_detection.get(detection, ()) if one.holds(task, step)), "")


def _ready(one: Exclusion) -> _Ready:
    tree = compile_condition(one.when, STEP_CONDITION).tree if one.when else None
    return _Ready(
        one,
        _glob(one.principal),
        _glob(one.agent),
        _glob(one.repository),
        _glob(one.path),
        closure(tree) if tree is not None else None,
    )


def _glob(text: str) -> re.Pattern[str] | None:
    return glob(text) if text else None


def _principals(task: Task, step: Step | None) -> Iterator[str]:
    if step is not None and (stated := step.request.get("principal.id")):
        yield str(stated)
    else:
        yield task.principal
    yield str(step.request.get("principal.on_behalf_of") or "") if step is not None else task.on_behalf_of


def _agents(task: Task, step: Step | None) -> Iterator[str]:
    yield str(step.request.get("agent.name") or "") if step is not None else ""
    yield task.agent


def _repositories(task: Task, step: Step | None) -> Iterator[str]:
    """The repositories a step acts on, else the one it works in, else the task's."""
    acted = [t.name for t in _targets(step) if t.cls is TargetClass.REPOSITORY and t.name] if step is not None else []
    if acted:
        yield from acted
    else:
        yield (str(step.request.get("context.repository") or "") if step is not None else "") or task.repository


def _paths(task: Task, step: Step | None) -> Iterator[str]:
    for target in _targets(step) if step is not None else ():
        if target.cls in (TargetClass.FILESYSTEM, TargetClass.CI_CD):
            yield target.name
            yield target.detail


def _targets(step: Step) -> Iterator[Target]:
    yield step.target
    yield from (operation.target for operation in step.operations)
