"""SUP: what comes in from outside, and what later runs with the pipeline's power."""

from __future__ import annotations

from collections.abc import Iterator

from chains.context import Context
from chains.detections.examples import answer, chain, example, step
from chains.detections.reading import when, writes
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import TaskChain
from model.words import Severity, Verb


@detection(
    "SUP-02",
    "CI/CD workflow or pipeline file changed by the agent",
    Severity.HIGH,
    needs=("file write or push events on workflow paths", "review and approval"),
    looks_for="a write to a pipeline definition, by an edit tool, by a shell command or as the target reports it",
    limits="Pipeline files are recognised by their usual paths; a script that a workflow calls is not one. A separate review of the change "
    "is told as a decision where one is on record, and does not silence this.",
    examples=(
        example(
            "edits a workflow", True, chain(step("ci.modify", target="ci_cd", name=".github/workflows/release.yml", tool="yes"))
        ),
        example(
            "writes one through the shell",
            True,
            chain(step("exec", command="sed -i s/a/b/ .github/workflows/ci.yml", tool="yes")),
        ),
        example("reads one", False, chain(step("exec", command="cat .github/workflows/ci.yml", tool="yes"))),
        example("the edit was refused", False, chain(step("ci.modify", answer("deny"), name=".gitlab-ci.yml", tool="no"))),
    ),
)
def pipeline_changed(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for one, names in writes(task, Verb.CI_MODIFY):
        yield Hit(
            anchor=one.call or one.id,
            step=one.id,
            at=one.at,
            evidence=one.records,
            why=f"the agent changed {names} at {when(one.at)}; it runs later with the pipeline's own power",
            facts={"paths": names},
        )
