"""Changes of files as a tool's call or answer states them, drawn as a diff: pairs of texts, hunks, patches, whole files.

Nothing is known of the tool: a record is searched for what looks like a change, in JSON inside texts too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

LINES = 400
"""Lines of one file's change that are drawn; the rest is counted."""
_COMPARED = 4_000
"""Lines up to which two texts are compared; longer ones stand whole, the old before the new."""
_DEEP = 12
_JSON_CHARS = 2_000_000

_PAIRS = (
    ("old_string", "new_string"),
    ("oldString", "newString"),
    ("old_str", "new_str"),
    ("oldStr", "newStr"),
    ("oldText", "newText"),
    ("old_text", "new_text"),
    ("old_content", "new_content"),
    ("oldContent", "newContent"),
    ("old_source", "new_source"),
    ("search", "replace"),
    ("before", "after"),
)
_PATHS = (
    "file_path",
    "filePath",
    "path",
    "file",
    "filename",
    "fileName",
    "target_file",
    "absolute_path",
    "relative_path",
    "uri",
    "notebook_path",
)
_WHOLE = ("content", "file_text", "contents", "fileText", "text")
_READ = ("numLines", "startLine", "totalLines", "truncated")
"""Members that stand beside a file's text where it was read, not written."""

_HUNK = re.compile(r"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@", re.M)
_BEGIN = "*** Begin Patch"
_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$")

HUNKS, PAIR, WHOLE = 0, 1, 2
"""How exactly a change is told: with the lines around it, as two texts, as the file's new text alone."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one file. `lines` begin with +, -, @ or a blank; `exact` is HUNKS, PAIR or WHOLE."""

    path: str
    lines: tuple[str, ...]
    exact: int
    added: int
    removed: int
    left_out: int = 0


def changes(records: Iterable[object], *, written: bool = False) -> list[Change]:
    """The changes that parsed records state, by file; of each file those told most exactly.

    `written`: the step is known to write, so that a path beside a text is that file's new text.
    """
    found: dict[str, list[Change]] = {}
    for record in records:
        for one in _search(record, "", written, 0):
            held = found.setdefault(one.path, [])
            if one not in held:
                held.append(one)
    named = {path: _most_exact(held) for path, held in found.items()}
    if len(named) > 1 and "" in named:
        # A call tells the texts and its answer the file, or the other way round: what names the file says the same.
        named.pop("")
    return [one for held in named.values() for one in held]


def about(record: object, own: str, others: Collection[str]) -> list[object]:
    """The largest parts of a parsed record that name the call `own` and none of `others`; all of one that names none of these.

    One record may tell of many calls, as a message that makes several and a batch of spans do.
    """
    named = _named_in(record, (own, *others), 0)
    if not named - {own}:
        return [record]
    if own not in named or not isinstance(record, dict | list):
        return []
    inside = record.values() if isinstance(record, dict) else record
    return [part for one in inside for part in about(one, own, others) if own in _named_in(part, (own,), 0)]


def _named_in(value: object, ids: Collection[str], depth: int) -> set[str]:
    """Which of these identifiers stand in a value, as a text of their own or inside JSON in a text."""
    if isinstance(value, str):
        return {id for id in ids if id and (id == value or (value[:1] in "{[" and f'"{id}"' in value))}
    if depth > _DEEP or not isinstance(value, dict | list):
        return set()
    inside = value.values() if isinstance(value, dict) else value
    return set().union(*(_named_in(one, ids, depth + 1) for one in inside))


def _most_exact(held: list[Change]) -> list[Change]:
    best = min(one.exact for one in held)
    return [one for one in held if one.exact == best]


def _search(value: object, path: str, written: bool, depth: int) -> Iterator[Change]:
    if depth > _DEEP:
        return
    if isinstance(value, dict):
        yield from _of_object(value, path, written, depth)
    elif isinstance(value, list):
        if text := _command_patch(value):
            yield from _in_text(text, path)
            return
        for one in value:
            yield from _search(one, path, written, depth + 1)
    elif isinstance(value, str):
        inner = _inner(value)
        if inner is not None:
            yield from _search(inner, path, written, depth + 1)
        else:
            yield from _in_text(value, path)


def _of_object(value: dict[str, Any], path: str, written: bool, depth: int) -> Iterator[Change]:
    path = next((v for name in _PATHS if isinstance(v := value.get(name), str) and v and "\n" not in v), path)
    pairs = [
        (value[old], value[new]) for old, new in _PAIRS if isinstance(value.get(old), str) and isinstance(value.get(new), str)
    ]
    for old, new in pairs:
        if old != new:
            yield _compared(path, old, new)
    hunks = value.get("structuredPatch")
    if isinstance(hunks, list) and (lines := _structured(hunks)):
        yield _made(path, lines, HUNKS)
    elif written and not pairs and path and not any(name in value for name in _READ):
        text = next((v for name in _WHOLE if isinstance(v := value.get(name), str)), None)
        if text and not _HUNK.search(text) and any(name in value for name in _PATHS):
            yield _made(path, ["+" + line for line in text.splitlines()], WHOLE)
    for name, one in value.items():
        if name not in ("structuredPatch", "originalFile", *(n for pair in _PAIRS for n in pair)):
            yield from _search(one, path, written, depth + 1)


def _structured(hunks: list[Any]) -> list[str]:
    lines: list[str] = []
    for hunk in hunks:
        if not isinstance(hunk, dict) or not isinstance(hunk.get("lines"), list):
            return []
        sizes = [hunk.get(name) for name in ("oldStart", "oldLines", "newStart", "newLines")]
        lines.append("@@ -{},{} +{},{} @@".format(*sizes))
        lines += [str(line) for line in hunk["lines"] if isinstance(line, str)]
    return lines


def _command_patch(value: list[Any]) -> str:
    """The patch among the words of a command."""
    return next((one for one in value if isinstance(one, str) and _BEGIN in one), "")


def _inner(text: str) -> object | None:
    if text[:1] not in ("{", "[") or len(text) > _JSON_CHARS:
        return None
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) else None


def _in_text(text: str, path: str) -> Iterator[Change]:
    if _BEGIN in text:
        yield from _patch(text[text.index(_BEGIN) :])
    elif _HUNK.search(text):
        yield from _unified(text, path)


def _patch(text: str) -> Iterator[Change]:
    """`*** Begin Patch` and what follows it, file by file."""
    path, lines = "", list[str]()
    for line in text.splitlines()[1:]:
        if line.startswith("*** End Patch"):
            break
        if named := _PATCHED.match(line):
            if path:
                yield _made(path, lines, HUNKS)
            path, lines = named.group(2).strip(), []
            if named.group(1) == "Delete":
                lines = ["@@ deleted @@"]
        elif line.startswith("*** Move to: "):
            lines.append(f"@@ moved to {line[13:]} @@")
        elif path and not line.startswith("*** "):
            lines.append(line)
    if path:
        yield _made(path, lines, HUNKS)


def _unified(text: str, path: str) -> Iterator[Change]:
    """A diff as `diff -u` and git write it; what stands around it is left out."""
    lines: list[str] = []
    old = new = 0
    for line in text.splitlines():
        if old > 0 or new > 0:
            # A header says how many lines follow: a removed line may look like the beginning of another file.
            old -= line[:1] in ("-", " ", "")
            new -= line[:1] in ("+", " ", "")
            lines.append(line)
        elif header := _HUNK.match(line):
            old, new = (1 if size is None else int(size[:6]) for size in header.groups())
            lines.append(line)
        elif line.startswith(("--- ", "diff --git ")):
            if lines:
                yield _made(path, lines, HUNKS)
                lines = []
            if line.startswith("--- ") and (named := _named(line)):
                path = named
        elif line.startswith("+++ ") and (named := _named(line)):
            path = named
    if lines:
        yield _made(path, lines, HUNKS)


def _named(line: str) -> str:
    """The file a header line names, "" where it is none."""
    name = line[4:].split("\t")[0].strip()
    return "" if name == "/dev/null" else name.removeprefix("a/") if line.startswith("--- ") else name.removeprefix("b/")


def _compared(path: str, old: str, new: str) -> Change:
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > _COMPARED:
        return _made(path, [*("-" + line for line in before), *("+" + line for line in after)], PAIR)
    lines = list(unified_diff(before, after, lineterm="", n=3))[2:]
    # Where in the file the two texts stand, a pair does not say.
    return _made(path, [("@@" if line.startswith("@@") else line) for line in lines][1:], PAIR)


def _made(path: str, lines: list[str], exact: int) -> Change:
    added, removed = (sum(line.startswith(mark) for line in lines) for mark in "+-")
    return Change(path, tuple(lines[:LINES]), exact, added, removed, max(len(lines) - LINES, 0))
