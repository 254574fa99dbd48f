"""Entire's own transcript (`transcript.jsonl`): the words and calls of any agent's session in one shape, results beside their calls.

A line names its agent and no session; the metadata in the same folder does. The ids of calls are the agent's own, by which they
join its own log. Of Codex no status is kept, and every result says `success`: its text tells more. Source: the published description of
version 1, and the program's converters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.claude_code_answers import answer_of
from importers.codex_outputs import output_of
from importers.codex_scripts import Scripts
from importers.codex_tools import custom_act
from importers.copilot_results import shell_end
from importers.entire import AGENTS, session_at
from importers.gemini_outputs import exit_code
from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, field, words_of
from importers.shared.fields import Json, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from model.event import BadRecord, Event, Key, Parsed
from model.words import Effect, EventKind, Phase, Tri

POINT = "entire"

_TYPES = frozenset({"user", "assistant"})
_BLOCKS = frozenset({"", "text", "tool_use", "image"})


class EntireTranscript:
    id = "entire-transcript"
    title = "Entire transcripts (any agent)"
    evidence = "documentation"
    version = 2
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = [record for record in sample if isinstance(record, dict) and _is_line(record)]
        return 92 if found and len(found) * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_line(record: Json) -> bool:
    named = "agent" in record or "cli_version" in record
    return record.get("v") == 1 and field(record, "type") in _TYPES and "content" in record and named and "message" not in record


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._scripts = Scripts({}, [])
        self._beside: tuple[Key, ...] = ()
        self._agent = ""

    def lies_at(self, place: str) -> None:
        self._beside = session_at(place)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a line of a transcript")
        kind = field(record, "type")
        if record.get("v") != 1 or not kind:
            raise BadRecord("a line without `v` (1) and `type`: no line of an Entire transcript")
        begins = not self._file.session
        if begins:
            told = field(record, "agent")
            self._agent = AGENTS.get(told.lower(), told.lower())[:100]
            self._file = Transcript(self._agent or POINT)
        self._file.begin(None, record)
        frame = self._file.frame(record.get("ts"), ref=call_id(record.get("id")))
        parsed = Parsed(scope=self._file.session, type=kind[:100], at=frame.at)
        if begins:
            # Tells under what name the metadata in the same folder knows this session.
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, more=self._beside))
        content = record.get("content")
        blocks = objects(content)
        if kind not in _TYPES or any(field(block, "type") not in _BLOCKS for block in blocks):
            parsed.unknown_type = parsed.type if kind not in _TYPES else f"{kind}/block"
        if kind == "user" and (words := words_of(content)).strip():
            parsed.events.append(frame.intent(Phase.PROMPT, words))
        elif kind == "assistant":
            used = (number(record.get("input_tokens")) or 0) + (number(record.get("output_tokens")) or 0)
            for block in blocks:
                if field(block, "type") == "tool_use":
                    parsed.events += self._call(block, frame)
            if used and parsed.events and self._file.first("tokens", field(record, "id")):
                parsed.events[0].attrs["tokens"] = used
        return parsed

    def _call(self, block: Json, frame: Frame) -> Iterator[Event]:
        tool, given = field(block, "name"), block.get("input")
        call = call_id(block.get("id")) or self._file.unnamed_call()
        script = field(mapping(given), "input") if self._agent == "codex" and tool == "exec" else ""
        if script:
            self._scripts.begun(call, script)
        yield from self._file.call(frame, call, tool, given, act=custom_act(tool, script) if script else act_of(tool, given))
        result = block.get("result")
        if not isinstance(result, dict):
            return
        said, failed = words_of(result.get("output")), field(result, "status") == "error"
        if self._agent == "codex":
            told = output_of(said)
            if script:
                told = yield from self._scripts.ended(call, told, frame)
            yield from self._file.result(
                frame, call, told.tool, said, refused=told.refused, reason=told.reason, status=told.status
            )
            return
        answer = answer_of({}, said, failed)
        # Other agents call a command that ran and failed a success.
        code, runs = shell_end(said) if self._agent == "copilot-cli" else (exit_code(tool, said), False)
        ok = Tri.NO if failed or code not in ("", "0") else Tri.UNKNOWN if runs else Tri.YES
        effect = answer.effect if answer.effect is not Effect.UNKNOWN else None
        yield from self._file.result(
            frame, call, ok, said, refused=answer.refused, reason=answer.reason, effect=effect, status=code
        )


IMPORTER = EntireTranscript()
