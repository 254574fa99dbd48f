"""How a command ended that Claude Code left running in the background: what the program says of it later, naming the call that began it."""

from __future__ import annotations

from collections.abc import Iterator

from importers.shared.agents import Frame, call_id, field
from importers.shared.fields import Json, mapping
from importers.shared.transcript import objects
from lang.late import late
from model.event import Event
from model.words import Tri

_NOTICE = late(
    r"<task-notification>\s*<task-id>[^<\n]{1,200}</task-id>\s*<tool-use-id>(?P<call>[^<\n]{1,200})</tool-use-id>\s*"
    r"(?:<(?:task-type|output-file)>[^<\n]{0,2000}</(?:task-type|output-file)>\s*){0,2}"
    r"<status>(?P<status>completed|failed)</status>\s*<summary>"
)
_BEGINS, _ENDS = 'Background command "', "</summary>"
# The description stands between, in a model's words: only the very end of the summary is the program's.
_EXIT = late(r"\" (?:completed \(exit code (?P<well>\d{1,9})\)|failed with exit code (?P<ill>\d{1,9}))\Z")
_MARK = "<task-notification>"
_LENGTH = 100_000


def ended(record: Json, content: object, frame: Frame) -> Iterator[Event]:
    """The ends that a message tells; none where a person or another session sent it."""
    if field(mapping(record.get("origin")), "kind") not in ("", "task-notification"):
        return
    texts = [content] if isinstance(content, str) else [field(block, "text") for block in objects(content)]
    for text in texts:
        text = text[:_LENGTH]
        if text.startswith(("[SYSTEM NOTIFICATION", _MARK)) and (notice := _NOTICE.search(text)):
            yield from _end(notice["call"], notice["status"], text[notice.end() : text.rfind(_ENDS)], frame)


def ended_in_stream(record: Json, frame: Frame) -> Iterator[Event]:
    """The same as stream-json has it, whose members are the tags."""
    yield from _end(field(record, "tool_use_id"), field(record, "status"), field(record, "summary"), frame)


def _end(call: str, status: str, summary: str, frame: Frame) -> Iterator[Event]:
    m = _EXIT.search(summary[-60:]) if summary.startswith(_BEGINS) else None
    if m is None or not call_id(call) or (status == "completed") is not (m["well"] is not None):
        return
    code = m["well"] or m["ill"]
    yield frame.result(call_id(call), Tri.NO if int(code) else Tri.YES, "", status=code)
