"""The Linux audit log as `ausearch` prints it: interpreted (`-i`: names for numbers, local times) or raw, events parted by `----`.

Interpreted records are brought to the spelling of auditd's enriched log and read by its mapping, so both mean the same. A date is
written as the machine's locale does it: with the month first where slashes part it, as in the C and en_US locales, unless a day over
12 stands there, which then holds for what follows. Values lost their quotes: one ends where the next name begins. Source: ausearch(8),
and its output in public reports.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from importers.base import Reader
from importers.cutting.framing import Container, key_values
from importers.shared.agents import field
from importers.shared.fields import mapping
from lang.late import late
from lang.times import parse_time
from model.event import BadRecord, Parsed
from model.words import Clock

_RECORD = late(
    r"(?:node=(?P<node>\S{1,300}) )?type=(?P<type>\S{1,100}) msg=audit\("
    r"(?P<date>\d{1,4}[-/.]\d\d?[-/.]\d{2,4}) (?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<part>\d{1,9}))?:(?P<serial>\d{1,20})\) ?: ?"
)
_RAW = late(r"(?:node=\S{1,300} )?type=\S{1,100} msg=audit\(\d{1,12}\.\d{1,9}:\d{1,20}\)")
_BETWEEN = late(r"(?:-{4}|time->.*+|<no matches>)\s*$")
_SOCKET = re.compile(r"\bsaddr=\{ ?([^{}]*?) ?\}")
_NAME = re.compile(r"(?:(?<=\s)|^)([A-Za-z_][\w-]*)=")
_ARGUMENT = re.compile(r"(?:(?<=\s)|^)(argc|a[0-9]{1,5}(?:_len|\[[0-9]{1,5}\])?)=")
_COMMAND = re.compile(r"(?:(?<=\s)|^)(cwd|cmd|exe|terminal|res)=")
_UNKNOWN = re.compile(r"unknown\((\d{1,10})\)")
_NAMED = frozenset({"arch", "syscall", "auid", "uid"})
"""What auditd's enriched log writes in capitals beside the number."""
_RESULTS = {"yes": "1", "no": "0"}
_CENTURY = 2000


class Ausearch:
    id = "ausearch"
    title = "Linux audit log as ausearch prints it"
    evidence = "documentation"
    version = 1
    container: Container = "lines"

    def sniff(self, sample: Sequence[object]) -> int:
        lines = [field(mapping(record), "line") for record in sample]
        own = [line for line in lines if not _BETWEEN.match(line)]
        interpreted = sum(_RECORD.match(line) is not None for line in own)
        raw = sum(_RAW.match(line) is not None for line in own) if len(own) < len(lines) else 0
        return 85 if own and 2 * (interpreted + raw) >= len(own) else 0

    def open(self) -> _Reader:
        # YAML and JMESPath: a process that reads another format can do without them.
        from importers.mapping.file import built_in

        return _Reader(next(one for one in built_in() if one.id == "auditd").open())


class _Reader:
    """One output; it remembers that its dates begin with the day."""

    def __init__(self, auditd: Reader) -> None:
        self._auditd = auditd
        self._day_first = False

    def read(self, record: object) -> Parsed:
        line = field(record, "line").strip() if isinstance(record, dict) else ""
        if _BETWEEN.match(line):
            return Parsed(type="between records")
        if _RAW.match(line) and (fields := key_values(line)) is not None:
            return self._auditd.read(fields)
        found = _RECORD.match(line)
        if found is None:
            raise BadRecord("no record of the audit log as ausearch prints it: type=... msg=audit(date time:serial) : ...")
        at, _ = parse_time(f"{self._day(found['date'])}T{found['clock']}.{found['part'] or 0}")
        if at is None:
            raise BadRecord(f"no such time: {found['date']} {found['clock']}")
        own = {"type": found["type"], "msg": f"audit({at // 1_000_000}.{at // 1000 % 1000:03d}:{found['serial']})"}
        node = {"node": found["node"]} if found["node"] else {}
        parsed = self._auditd.read({**_fields(found["type"], line[found.end() :]), **own, **node})
        parsed.events = [replace(event, clock=Clock.ZONE_ASSUMED) for event in parsed.events]
        return parsed

    def _day(self, date: str) -> str:
        """A date with the year first; the parts of one that begins with month or day are in the order this output has them."""
        first, second, third = (int(part) for part in re.split(r"[-/.]", date))
        if len(date.partition("-")[0]) == 4 or first > 31:
            return f"{first:04d}-{second:02d}-{third:02d}"
        if "/" in date and (first > 12) != (second > 12):
            self._day_first = first > 12
        month, day = (second, first) if self._day_first or "/" not in date else (first, second)
        return f"{third if third > 99 else _CENTURY + third:04d}-{month:02d}-{day:02d}"


def _fields(type: str, body: str) -> dict[str, object]:
    """The pairs of an interpreted record as auditd's enriched log has them."""
    found: dict[str, object] = {}
    begin = body.find("msg='")
    if begin >= 0:
        inner = body[begin + 5 :].rstrip().removesuffix("'")
        found["msg_2"] = _pairs(inner, _COMMAND if type == "USER_CMD" else _NAME, "_prefix")
        body = body[:begin]
    for name, said in _pairs(_SOCKET.sub(r"\1", body), _ARGUMENT if type == "EXECVE" else _NAME, "_words").items():
        unknown = _UNKNOWN.fullmatch(said)
        if name == "exit":
            found[name] = said.partition("(")[0]
        elif name == "res":
            found[name] = _RESULTS.get(said, said)
        elif name == "objtype":
            found["nametype"] = said
        elif unknown is not None:
            found[name] = unknown[1]
        else:
            found[name.upper() if name in _NAMED else name] = said
    return found


def _pairs(text: str, name: re.Pattern[str], before: str) -> dict[str, str]:
    """The pairs of a text whose values are not quoted; what stands before the first goes by a name of its own."""
    marks = list(name.finditer(text))
    head = (text[: marks[0].start()] if marks else text).strip()
    found: dict[str, str] = {before: head} if head else {}
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() - 1 if place + 1 < len(marks) else len(text.rstrip())
        said = text[mark.end() : max(mark.end(), end)]
        argument, piece, _ = mark[1].partition("[")
        said = said if piece else said.strip()
        said = said[1:-1] if len(said) > 1 and said[0] == said[-1] == '"' else said
        found[argument] = found.get(argument, "") + said if piece else said
    return found


IMPORTER = Ausearch()
