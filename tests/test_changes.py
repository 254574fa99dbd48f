"""Changes of files found in records of any tool, drawn as diffs."""

from __future__ import annotations

import json

import pytest

from lang.changes import HUNKS, LINES, PAIR, WHOLE, about, changes

UNIFIED = "diff --git a/src/a.py b/src/a.py\n--- a/src/a.py\n+++ b/src/a.py\n@@ -1,3 +1,3 @@\n x\n--- old\n+++ new\n y\ntail"
PATCH = "*** Begin Patch\n*** Update File: a.py\n@@ def f\n-one\n+two\n*** Add File: b.py\n+new\n*** Delete File: c.py\n*** End Patch\n"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"input": {"file_path": "a.py", "old_string": "one\ntwo", "new_string": "one\nthree"}}, [("a.py", PAIR, 1, 1)]),
        ({"input": {"path": "a.py", "edits": [{"oldText": "x", "newText": "y"}, {"oldText": "p", "newText": "q"}]}},
         [("a.py", PAIR, 1, 1), ("a.py", PAIR, 1, 1)]),
        ({"function": {"arguments": json.dumps({"path": "a.py", "old_str": "x", "new_str": ""})}}, [("a.py", PAIR, 0, 1)]),
        ({"payload": {"input": PATCH}}, [("a.py", HUNKS, 1, 1), ("b.py", HUNKS, 1, 0), ("c.py", HUNKS, 0, 0)]),
        ({"arguments": json.dumps({"command": ["apply_patch", PATCH]})}, [("a.py", HUNKS, 1, 1), ("b.py", HUNKS, 1, 0), ("c.py", HUNKS, 0, 0)]),
        ({"command": f"apply_patch <<'EOF'\n{PATCH}EOF"}, [("a.py", HUNKS, 1, 1), ("b.py", HUNKS, 1, 0), ("c.py", HUNKS, 0, 0)]),
        ({"output": UNIFIED}, [("src/a.py", HUNKS, 1, 1)]),
        ({"filePath": "a.py", "structuredPatch": [{"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 2, "lines": [" a", "+b"]}]},
         [("a.py", HUNKS, 1, 0)]),
        ({"file_path": "a.py", "content": "one\ntwo"}, []),
        ({"old_string": "same", "new_string": "same"}, []),
        ({"a": {"b": [1, None, True, "text"]}}, []),
    ],
)  # fmt: skip
def test_a_change_is_found_wherever_it_stands(record: object, expected: list[tuple[str, int, int, int]]) -> None:
    assert [(one.path, one.exact, one.added, one.removed) for one in changes([record])] == expected


def test_a_files_new_text_counts_only_where_the_step_writes_and_nothing_was_read() -> None:
    written = {"file_path": "a.py", "content": "one\ntwo"}
    assert [(one.exact, one.lines) for one in changes([written], written=True)] == [(WHOLE, ("+one", "+two"))]
    assert changes([{"file": {"filePath": "a.py", "content": "one", "numLines": 1}}], written=True) == []


def test_of_one_file_what_tells_most_exactly_is_kept_once() -> None:
    call = {"input": {"file_path": "a.py", "old_string": "x", "new_string": "y"}}
    hunk = {"oldStart": 4, "oldLines": 1, "newStart": 4, "newLines": 1, "lines": ["-x", "+y"]}
    found = changes([call, {"filePath": "a.py", "content": "y", "structuredPatch": [hunk]}], written=True)
    assert [one.lines for one in found] == [("@@ -4,1 +4,1 @@", "-x", "+y")]
    assert len(changes([call, call])) == 1
    assert [one.path for one in changes([{"old_string": "x", "new_string": "y"}, call])] == ["a.py"]


def test_much_is_bounded_and_counted() -> None:
    (one,) = changes([{"path": "a", "old_string": "", "new_string": "\n".join(map(str, range(1000)))}])
    assert len(one.lines) == LINES and one.added == 1000 and one.left_out == 1000 - LINES
    assert changes([json.loads("[" * 500 + "]" * 500)]) == []


EDITS = {"content": [{"id": f"call_{n}", "input": {"path": f"{n}.py", "old_str": "x", "new_str": "y"}} for n in (1, 12)]}
SPANS = {"logs": [{"name": "call", "attributes": [{"k": "id", "v": f"call_{n}"}, {"k": "in", "v": PATCH}]} for n in (1, 12)]}


@pytest.mark.parametrize(
    ("record", "own", "parts"),
    [
        (EDITS, "call_1", [EDITS["content"][0]]),
        (SPANS, "call_12", [SPANS["logs"][1]]),
        ({"body": json.dumps(EDITS)}, "call_1", []),
        (EDITS, "", []),
        ({"id": "call_1", "text": PATCH}, "call_1", [{"id": "call_1", "text": PATCH}]),
        ({"text": PATCH}, "call_1", [{"text": PATCH}]),
    ],
)
def test_of_a_record_of_many_calls_only_what_names_the_call_speaks_of_it(record: object, own: str, parts: list[object]) -> None:
    assert about(record, own, {"call_1", "call_12"} - {own}) == parts
