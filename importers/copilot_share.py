"""GitHub Copilot CLI sessions that a person shared as Markdown (`/share`, `--share`): prompts, calls with what came back, refusals.

A section begins with the time since the session's start and a heading: `User`, `Copilot`, or a tool's name. Versions that mark headings tell
by the mark whether a call came back well, later ones in words that it failed; else only what came back says so. The start is told in local time. Source: shared sessions in
public repositories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.copilot_results import refusal_of, shell_end
from importers.cutting.framing import Container
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, field
from importers.shared.chat import json_of
from importers.shared.fields import mapping
from importers.shared.tool_calls import tool_verb
from importers.shared.transcript import Transcript, object_of
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri, Verb

POINT = "copilot-cli"

_TITLE = re.compile(r"^# .{0,4}Copilot CLI Session\s*$", re.MULTILINE)
_ABOUT = re.compile(r"^> - \*\*(Session ID|Started):\*\* `?(.{1,100}?)`?\s*$", re.MULTILINE)
_AFTER = re.compile(r"<sub>\D{0,6}(?:(\d{1,6})h )?(?:(\d{1,6})m )?(\d{1,6})s</sub>")
_HEADING = re.compile(r"### (.{0,6}?)\s?`?([A-Za-z][\w. -]{0,200}?)`?(?: — ([A-Za-z][A-Za-z ]{0,40}))?")
_LINES = re.compile(r" \(lines? \d{1,9}(?:-\d{0,9})?\)$")
_SOUGHT = re.compile(r'"(.{1,1000})" in (\S.{0,1000})')
_FENCE = "```"
_MARKS = {"✅": Tri.YES, "❌": Tri.NO, "Failed": Tri.NO}
_LIMIT = 200_000


class CopilotShare:
    id = "copilot-share"
    title = "GitHub Copilot CLI sessions shared as Markdown"
    evidence = "documentation"
    version = 3
    container: Container = "paragraphs"

    def sniff(self, sample: Sequence[object]) -> int:
        blocks = [field(mapping(record), "line") for record in sample]
        titled = any(_TITLE.search(block) for block in blocks[:5])
        return 90 if titled and any(_AFTER.fullmatch(block.strip()) for block in blocks) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One session, section by section; a section is told when the next one begins."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._place = self._started = ""
        self._after = 0
        self._heading = ""
        self._lines: list[str] = []
        self._size = 0
        self._fenced = False

    def lies_at(self, place: str) -> None:
        """A shared session begins like any other: its file's name is what it is known by."""
        self._place = place.rpartition("/")[2][:300]

    def read(self, record: object) -> Parsed:
        block = field(object_of(record, "a paragraph of a session"), "line")
        if not block.strip():
            raise BadRecord("a paragraph without text")
        events: list[Event] = []
        if not self._file.session and (about := dict(_ABOUT.findall(block))):
            self._started = about.get("Started", "")
            self._file.begin(about.get("Session ID"), block[:2000])
            events.append(self._frame().event(EventKind.ACTION, Phase.STARTED))
            return Parsed(events, scope=self._file.session, type="session")
        if (seconds := self._begins(block)) is not None:
            self._file.begin(None, block[:2000])
            events += self._section()
            self._after = seconds
        elif self._heading:
            self._keep(block)
        elif block.startswith("### "):
            self._heading, _, rest = block.partition("\n")
            self._keep(rest)
        head = self._place if _TITLE.search(block) and not self._file.session else ""
        return Parsed(events, identity=head or None, scope=self._file.session, type="section")

    def _begins(self, block: str) -> int | None:
        """Seconds since the start where this paragraph begins a section, None where it does not.

        What came back of a call may hold such a paragraph, and an odd number of fences: within a fence only one that follows the end of
        a section, at no earlier time, is taken for one.
        """
        found = _AFTER.fullmatch(block.strip())
        if found is None:
            return self._after if block.startswith("<sub>") and not self._fenced else None
        hours, minutes, seconds = (int(one or 0) for one in found.groups())
        told = (hours * 60 + minutes) * 60 + seconds
        ends = (
            len(self._lines) > 1
            and self._lines[-1].strip() == "---"
            and self._lines[-2].rstrip().endswith((_FENCE, "</details>"))
        )
        return told if not self._fenced or (ends and told >= self._after) else None

    def _keep(self, block: str) -> None:
        if not self._heading.endswith(("User", "Copilot")) and sum(line.startswith(_FENCE) for line in block.split("\n")) % 2:
            self._fenced = not self._fenced
        if self._size < _LIMIT:
            self._lines.append(block)
            self._size += len(block) + 2

    def _section(self) -> Iterator[Event]:
        """What the section said that is over now."""
        heading, blocks = _HEADING.fullmatch(self._heading.strip()), [one for one in self._lines if one]
        self._heading, self._lines, self._size, self._fenced = "", [], 0, False
        while blocks and blocks[-1].strip() == "---":
            blocks.pop()
        if heading is None:
            return
        mark, name, ended = heading.groups()
        if name == "User":
            if words := "\n\n".join(blocks).strip():
                yield self._frame().intent(Phase.PROMPT, words)
        elif name[:1].islower() or "_" in name:
            yield from self._called(name, ended or mark, blocks)

    def _called(self, tool: str, mark: str, blocks: list[str]) -> Iterator[Event]:
        given, said = _arguments(tool, blocks)
        call, frame = self._file.unnamed_call(), self._frame()
        yield from self._file.call(frame, call, tool, given, act=act_of(tool, given))
        ok = _MARKS.get(mark.strip(), Tri.UNKNOWN)
        refused, effect = refusal_of("", said) if ok is not Tri.YES else ("", None)
        code, runs = ("", False) if refused or tool_verb(tool) is not Verb.EXEC else shell_end(said)
        if code:
            ok = Tri.YES if code == "0" else Tri.NO
        elif runs and ok is Tri.YES:
            ok = Tri.UNKNOWN
        reason = said.partition("\n")[0] if refused else ""
        yield from self._file.result(frame, call, ok, said, refused=refused, reason=reason, effect=effect, status=code)

    def _frame(self) -> Frame:
        frame = self._file.frame(self._started or None)
        return frame if frame.at is None else frame._replace(at=frame.at + self._after * 1_000_000)


def _arguments(tool: str, blocks: list[str]) -> tuple[object, str]:
    """What a call was given, and what came back: the command behind `$`, the arguments where they are listed, else what is named."""
    lines = "\n\n".join(blocks).split("\n")
    begin = next((at for at, line in enumerate(lines) if line.startswith("$ ")), None)
    fences = [at for at, line in enumerate(lines) if line.startswith(_FENCE)]
    if begin is not None:
        after = next((at for at in fences if at > begin), len(lines))
        command = "\n".join(lines[begin:after])[2:].rstrip().removesuffix("<details>").rstrip()
        return {"command": command.partition("\n\n<details>")[0]}, _fenced(lines, after)
    if len(fences) > 1 and lines[fences[0]].startswith("```json") and "<summary>Arguments</summary>" in lines[: fences[0]]:
        return json_of("\n".join(lines[fences[0] + 1 : fences[1]]).strip()), _fenced(
            lines, fences[2] if len(fences) > 2 else len(lines)
        )
    named = next((line for line in lines[: fences[0] if fences else None] if line and not line.startswith(("**", "<"))), "")
    if sought := _SOUGHT.fullmatch(named):
        given = {"pattern": sought[1], "path": sought[2]}
    else:
        given = {"path": _LINES.sub("", named)} if named else {}
    return given, _fenced(lines, fences[0] if fences else len(lines))


def _fenced(lines: list[str], begin: int) -> str:
    """What stands between the fence on this line and the last one."""
    last = next((at for at in range(len(lines) - 1, begin, -1) if lines[at].startswith(_FENCE)), len(lines))
    return "\n".join(lines[begin + 1 : last])


IMPORTER = CopilotShare()
