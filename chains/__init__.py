"""Events to tasks, steps, links, credentials, coverage: pure functions that know events and nothing of where they came from.

The door of the room. In order: `enrich` each event, `attribute` events to tasks, `parentage` of tasks, `lifeline` of
credentials, `build_task`, `measure` coverage, then `chains.detections` on each chain with its `Context`, and `score`.
`stitch` does all of it in memory and is what any piecewise building must equal.
"""

from chains.affected import affected
from chains.attribution import attribute
from chains.build import build_task
from chains.context import Context, Family
from chains.coverage import covered, measure, relevant
from chains.credentials import TaskLife, credential_groups, credential_id, lifeline, name_groups
from chains.enrich import enrich
from chains.facts import OrgFacts
from chains.family import Parentage, ancestors, depth_of, parentage, step_id
from chains.heads import scope_of, span
from chains.heard import Sighting
from chains.memory import MemoryIndex, scope_strength, stub_of
from chains.reach import task_id
from chains.risk import score, severities
from chains.skew import clock_pairs, estimate, exact_pairs
from chains.stitch import Stitched, life, sightings, stitch

__all__ = [
    "Context",
    "Family",
    "MemoryIndex",
    "OrgFacts",
    "Parentage",
    "Sighting",
    "Stitched",
    "TaskLife",
    "affected",
    "ancestors",
    "attribute",
    "build_task",
    "clock_pairs",
    "covered",
    "credential_groups",
    "credential_id",
    "depth_of",
    "enrich",
    "estimate",
    "exact_pairs",
    "life",
    "lifeline",
    "measure",
    "name_groups",
    "parentage",
    "relevant",
    "scope_of",
    "scope_strength",
    "score",
    "severities",
    "sightings",
    "span",
    "step_id",
    "stitch",
    "stub_of",
    "task_id",
]
