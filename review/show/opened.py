"""What lies in a step's records: their redacted text with the used fields marked, and the changes of files they state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from lang.changes import PAIR, WHOLE, Change, about, changes
from model.chain import Step
from model.words import KeyRole, Verb
from review.documents import reference
from review.show.sentences import place
from review.show.used import marked, read_as

if TYPE_CHECKING:
    from review.workspace import Workspace
from store import NotKept

Doc = dict[str, Any]

RECORD_LINES = 2_000
"""Lines of one record that are shown."""
RECORDS = 50
"""Records of one step that are opened."""
_WRITES = frozenset({Verb.FILE_WRITE, Verb.INSTRUCTIONS_WRITE, Verb.GUARDRAIL_CHANGE, Verb.CI_MODIFY})


def record_lines(work: Workspace, records: list[str]) -> Iterator[str]:
    """Records by their ids: where each lies, what was read from it, and its text with the used fields marked."""
    rows = work.store.records(records[:RECORDS])
    for id in records[:RECORDS]:
        row = rows.get(id)
        if row is None:
            continue
        ref = reference(row.ref)
        events = [event for event, _ in work.store.events_of_record(id)]
        yield f"── {place(ref)}  byte {ref['offset']}"
        yield f"   sha256 {ref['digest']}"
        yield from (f"   {line}" for line in read_as(events))
        try:
            raw = work.store.raw(id)
        except NotKept as error:
            yield from (f"   {error}", "")
            continue
        lines = marked(raw.decode("utf-8", "replace"), events)
        yield from islice(lines, RECORD_LINES)
        if left := sum(1 for _ in lines):
            yield f"… and {left:,} more lines"
        yield ""
    if len(records) > RECORDS:
        yield f"… and {len(records) - RECORDS:,} more records"
    if not rows:
        yield "no record is kept for this step"


def changes_of(work: Workspace, step: Step) -> list[Doc]:
    """The changes of files that a step's records state: `[{"path", "added", "removed", "told", "lines", "left_out"}]`."""
    writes = bool(_WRITES & {step.verb, *(one.verb for one in step.operations)})
    own = step.call.partition(":")[2]
    parsed: list[object] = []
    for record in step.records[:RECORDS]:
        try:
            whole = json.loads(work.store.raw(record))
        except (ValueError, RecursionError, NotKept):
            continue
        told = (key.value for event, _ in work.store.events_of_record(record) for key in event.keys if key.role is KeyRole.CALL)
        parsed += about(whole, own, set(told) - {own})
    return [_change(one) for one in changes(parsed, written=writes)]


def _change(one: Change) -> Doc:
    told = {PAIR: "as two texts", WHOLE: "as the whole new text"}.get(one.exact, "as a diff")
    return {
        "path": one.path or None,
        "added": one.added,
        "removed": one.removed,
        "told": told,
        "lines": list(one.lines),
        "left_out": one.left_out,
    }


def change_lines(found: list[Doc]) -> Iterator[str]:
    """Changes as lines: each file's name with its figures, then its diff."""
    for one in found:
        told = "" if one["told"] == "as a diff" else f"  (told {one['told']})"
        yield f"── {one['path'] or 'a file that is not named'}  +{one['added']} -{one['removed']}{told}"
        yield from one["lines"]
        if one["left_out"]:
            yield f"… and {one['left_out']:,} more lines"
        yield ""
    if not found:
        yield "No record of this step states a change of a file."
