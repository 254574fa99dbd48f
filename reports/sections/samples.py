"""Section 8: the tasks shown step by step, with open findings and without any."""

from __future__ import annotations

from collections.abc import Iterable

from reports import document as doc
from reports.finding_shapes import FindingEntry
from reports.input import AnyTask
from reports.planning import Plan
from reports.sections.steps import decision, outcome
from reports.tally import Tally
from reports.text import excerpt, when


def sample_entries(planned: Plan, tally: Tally, tasks: dict[str, AnyTask], findings: list[FindingEntry]) -> list[doc.Sample]:
    """The drawn tasks, those with open findings first, each with its first steps."""

    def rows(name: str) -> Iterable[doc.SampleStep]:
        for step in tally.samples[name]:
            yield doc.SampleStep(
                step=step.id,
                at=when(step.at),
                verb=step.verb.value,
                target=step.target,
                decision=decision(step),
                credential=", ".join(step.credentials) or "none seen",
                outcome=outcome(step),
            )

    drawn = [(name, "with open findings") for name in planned.bad] + [(name, "without findings") for name in planned.good]
    return [
        doc.Sample(
            task=name,
            title=excerpt(tasks[name].title, 160),
            agent=tasks[name].agent,
            principal=tasks[name].principal,
            kind=kind,
            findings=[f.id for f in findings if f.task == name and f.group != "blind-spot"][:20],
            shown=len(tally.samples[name]),
            steps=tally.sample_steps[name],
            rows=list(rows(name)),
        )
        for name, kind in drawn
    ]
