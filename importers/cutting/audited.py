"""Records of the Linux audit inside what carries them: the journal keeps a record's type and time beside its text, collectors put all
records of one event into one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.cutting.packed import text_in

_RECORD = re.compile(r"(?<!\S)(?:node=\S{1,300} )?type=[A-Z_0-9]{1,60} msg=(audit\([0-9]{1,12}\.[0-9]{1,9}:[0-9]{1,20}\)):")
"""Where a record begins."""
_MOST = 1_000
"""Records of one event at the most; a command of many thousand arguments has some hundred."""


def from_journal(entry: dict[str, object]) -> object:
    """The text of a journal's entry; a record of the audit, whose type, serial and time stand beside it, as its daemon writes it."""
    said, kind, at = (entry.get(name) for name in ("MESSAGE", "_AUDIT_TYPE_NAME", "_SOURCE_REALTIME_TIMESTAMP"))
    if entry.get("_TRANSPORT") != "audit" or not isinstance(kind, str) or not isinstance(at, str) or not at.isdecimal():
        return said
    words = (text_in(said) or "").removeprefix(f"{kind} ")
    host = entry.get("_HOSTNAME")
    node = f"node={host} " if isinstance(host, str) and host and " " not in host else ""
    return f"{node}type={kind} msg=audit({at[:-6] or 0}.{at[-6:-3]:0>3}:{entry.get('_AUDIT_ID')}): {words}"


def event_records(line: object) -> Iterator[str]:
    """The records of the one event that a line holds, each as a line; a record of another event is a text in the one before it."""
    if not isinstance(line, str) or (first := _RECORD.match(line)) is None:
        return
    begins = [found.start() for found in _RECORD.finditer(line) if found.group(1) == first.group(1)][:_MOST]
    for begin, end in zip(begins, [*begins[1:], len(line)], strict=True):
        yield line[begin:end].rstrip()
