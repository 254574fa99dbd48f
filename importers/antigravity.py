"""Google Antigravity: the steps of a conversation (`brain/<id>/.system_generated/logs/transcript.jsonl` and `transcript_full.jsonl`).

A planner's step makes calls without ids, each of which has a step of its own behind it: in the calls' order, now and then written
before the planner's. Both logs tell one conversation, the first with its texts cut. Only the folder names the conversation.
Source: transcripts of Antigravity's editor and command line, May to September 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.antigravity_steps import Called, Ended, called, children, command_end, ended, finished
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, field, scope_key
from importers.shared.fields import Json, key, keys, number
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Parsed
from model.words import EventKind, KeyRole, Phase, Tri, Verb

POINT = "antigravity"

_PLACE = re.compile(r"(?:\A|/)brain/([0-9A-Za-z_-]{6,100})/\.system_generated/")
_ASKED = re.compile(r"<USER_REQUEST>\s*(.*?)\s*</USER_REQUEST>", re.DOTALL)
_MODEL = re.compile(r"changed setting `Model Selection` from [^\n]{1,100}? to ([^\n]{1,100}?)\.(?:\s|$)")
_TOLD = frozenset(
    {"CONVERSATION_HISTORY", "CHECKPOINT", "EPHEMERAL_MESSAGE", "SYSTEM_MESSAGE", "ERROR_MESSAGE", "KNOWLEDGE_ARTIFACTS", "USAGE"}
)
_SOURCES = frozenset({"USER_EXPLICIT", "USER_IMPLICIT", "USER", "SYSTEM", "MODEL"})
_OTHERS = {
    "list_directory": "list_dir", "find": "find_by_name", "code_action": "", "generic": "", "error_message": "", "mcp_tool": "call_mcp_tool",
}  # fmt: skip
_EDITORS = frozenset(
    {"write_to_file", "replace_file_content", "multi_replace_file_content", "sed_file", "edit_file", "write_file"}
)
_LIMIT = 1_000


class Antigravity:
    id = "antigravity"
    title = "Antigravity conversations"
    evidence = "fixture"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        own = sum(isinstance(record, dict) and _is_step(record) for record in sample)
        return 94 if own and own * 2 > len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_step(record: Json) -> bool:
    kind = field(record, "type")
    own = isinstance(record.get("step_index"), int) and field(record, "source") in _SOURCES
    return own and kind.isupper() and ("status" in record or "created_at" in record)


class _Reader:
    """One conversation: the calls whose steps are awaited, by the planner's step, and steps that came before their call."""

    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._named = ""
        self._cut = False
        self._waiting: dict[tuple[int, int], str] = {}
        self._early: dict[int, tuple[str, Json]] = {}
        self._tasks: dict[str, tuple[str, bool]] = {}

    def lies_at(self, place: str) -> None:
        found = _PLACE.search(place.replace("\\", "/"))
        self._named = found[1] if found else ""
        self._cut = "transcript_full" not in place

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a step of transcript.jsonl")
        kind, index = field(record, "type"), number(record.get("step_index"))
        if not kind or index is None:
            raise BadRecord("a step without `type` or `step_index`")
        self._file.begin(self._named or self._file.session, record)
        frame = self._file.frame(record.get("created_at"))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if self._named:
            # Both logs of a conversation number its steps alike.
            parsed.identity = f"{self._named}/{index}/{kind[:100]}/{field(record, 'status')[:20]}"
            parsed.copied = self._cut
        parsed.events = list(self._told(kind, index, record, frame))
        if field(record, "source") == "SYSTEM" and kind not in _TOLD:
            parsed.unknown_type = parsed.type
        return parsed

    def _told(self, kind: str, index: int, step: Json, frame: Frame) -> Iterator[Event]:
        source, content = field(step, "source"), field(step, "content")
        if source == "MODEL":
            yield from self._planned(index, step, frame) if kind == "PLANNER_RESPONSE" else self._stepped(kind, index, step)
        elif kind == "USER_INPUT":
            if chosen := _MODEL.search(content):
                self._file.know(model=chosen[1])
            found = _ASKED.search(content)
            words = found[1] if found else content
            if source != "USER_IMPLICIT" and words.strip():
                yield self._file.informed(frame).intent(Phase.PROMPT, words)
        elif kind == "SYSTEM_MESSAGE":
            task, said = finished(content)
            call, command = self._tasks.pop(task, ("", False))
            if call:
                yield from self._result(call, command_end(said) if command else Ended(Tri.UNKNOWN, said), frame)

    def _planned(self, index: int, step: Json, frame: Frame) -> Iterator[Event]:
        """The calls of a planner's step, and the ends of those whose step stands before it."""
        for at in [at for at in self._waiting if at[0] < index]:
            del self._waiting[at]
        for place, told in enumerate(objects(step.get("tool_calls"))[:_LIMIT]):
            made, tool = called(told), field(told, "name")
            self._file.place(_folder(made))
            act = act_of(made.tool, made.given, server=made.server, name=made.name)
            yield from self._file.call(self._file.informed(frame), f"#{index}.{place}", made.name or tool, made.given, act=act)
            remember(self._waiting, (index, place), tool, _LIMIT)
        for early in sorted(at for at in self._early if at > index):
            kind, kept = self._early.pop(early)
            yield from self._stepped(kind, early, kept)

    def _stepped(self, kind: str, index: int, step: Json) -> Iterator[Event]:
        """The step of a call: its end, unless it runs on."""
        found = self._call_of(kind, index)
        if found is None:
            remember(self._early, index, (kind, step), 50)
            return
        end = ended(kind, step)
        if end is None:
            return
        tool = self._waiting.pop(found)
        call = f"#{found[0]}.{found[1]}"
        if end.task:
            remember(self._tasks, end.task, (call, kind == "RUN_COMMAND"), _LIMIT)
            return
        yield from self._result(call, end, self._file.frame(end.at or step.get("created_at")))
        if tool == "invoke_subagent":
            yield from self._spawned(call, end.said, self._file.frame(end.at or step.get("created_at")))

    def _call_of(self, kind: str, index: int) -> tuple[int, int] | None:
        """The call that a step is of: of the last planner before it the one whose turn it is, else the first of its kind, else the only one."""
        last = max((at[0] for at in self._waiting if at[0] < index), default=None)
        calls = [at for at in self._waiting if at[0] == last]
        if last is None:
            return None
        turn = (last, index - last - 1)
        if turn in calls and _fits(kind, self._waiting[turn]) and kind != "ERROR_MESSAGE":
            return turn
        own = [at for at in calls if _fits(kind, self._waiting[at])]
        return own[0] if own and kind not in ("GENERIC", "ERROR_MESSAGE") else own[0] if len(own) == len(calls) == 1 else None

    def _result(self, call: str, end: Ended, frame: Frame) -> Iterator[Event]:
        yield from self._file.result(
            frame, call, end.tool, end.said, refused=end.refused, reason=end.reason, effect=end.effect, status=end.code
        )
        if end.instead:
            yield frame.intent(Phase.PROMPT, end.instead, call=self._file.call_key(call))

    def _spawned(self, call: str, said: str, frame: Frame) -> Iterator[Event]:
        for child in children(said):
            if child == self._file.session:
                continue
            parents = keys(
                key(KeyRole.PARENT, "session", self._file.session), key(KeyRole.PARENT, "call", self._file.call_key(call))
            )
            yield frame._replace(scope=scope_key("session", child) + parents, attrs={}).event(EventKind.ACTION, Phase.STARTED)


def _fits(kind: str, tool: str) -> bool:
    """Whether a step of this kind can be a call of this tool: most are called alike, edits are one kind, the rest has none."""
    if kind == "CODE_ACTION":
        return tool in _EDITORS
    return (_OTHERS.get(kind.lower(), kind.lower()) or tool) == tool


def _folder(made: Called) -> str:
    """Where a command is run, which is all that a log says of the folder worked in."""
    folder = made.given.get("cwd")
    return folder[:1000] if isinstance(folder, str) and act_of(made.tool, made.given).verb is Verb.EXEC else ""


IMPORTER = Antigravity()
