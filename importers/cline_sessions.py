"""Sessions of Cline's command line and SDK: `<id>.messages.json`, the messages beside the session's name, and `<id>.json`, its state.

A person's words stand in `<user_input>`; what else a user's message holds, once one did, is the program's. A tool's answer is a list
with a success of its own for each command or file. A session's name begins with the name of the one that began it.
Source: the published packages `@cline/core` 0.0.86 and `@cline/shared`, and public readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, call_id, exec_act, field, web_act, words_of
from importers.shared.chat import json_of
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, objects
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from lang.late import late
from model.event import Attr, Event, Parsed
from model.words import EventKind, Phase, Tri

_WORDS, _WORDS_END = late(r"<user_(?P<tag>input|command)\b[^>\n]{0,200}>"), late(r"</user_(?P<tag>input|command)>")
_MODE = re.compile(r"<user_input\b[^>\n]{0,100}\bmode=\"(act|plan|yolo)\"")
_CODE = re.compile(r"Command exited with code (-?\d{1,9})")
_REFUSED = " -- NOT a tool or system failure."
_RULED = re.compile(
    r"Tool \"[^\"\n]{1,200}\" (?:is disabled by policy|requires approval but no approval callback|approval request failed)"
)
_ENDED = frozenset({"completed", "failed", "cancelled"})
_MOST = 200


def is_head(record: Json) -> bool:
    """Whether this is what stands beside a session's messages."""
    named = isinstance(record.get("sessionId"), str) and isinstance(record.get("agent"), str)
    return isinstance(record.get("messages"), list) and "role" not in record and (named or isinstance(record.get("origin"), dict))


def is_state(record: Json) -> bool:
    return {"session_id", "started_at", "workspace_root", "interactive", "provider"} <= record.keys()


class Sessions:
    """The session of one file."""

    def __init__(self, point: str) -> None:
        self._point = point
        self._file = Transcript(point, unique_calls=False)
        self._purse: Purse = {}
        self._named = ""
        self._worded = False
        self._begun = False
        self.within = False

    def lies_in(self, name: str) -> None:
        """The folder of a session has its name."""
        self._named = name

    def head(self, record: Json) -> Parsed:
        self._file, self.within, self._worded = Transcript(self._point, unique_calls=False), True, False
        self._begin(field(record, "sessionId") or self._named, record)
        parsed = Parsed(scope=self._file.session, type="session")
        parsed.events = [event for one in objects(record.get("messages")) for event in self.message(one).events]
        return parsed

    def _begin(self, session: str, record: Json) -> None:
        self._file.begin(session, record)
        root, split, _ = session.partition("__")
        self._begun = bool(root and split)
        if self._begun:
            self._file.parent(root)

    def state(self, record: Json) -> Parsed:
        """A session's state: where and when it ran, and how it ended."""
        self._begin(field(record, "session_id"), record)
        self._file.place(field(record, "cwd") or field(record, "workspace_root"))
        self._file.know(model=field(record, "model"))
        frame = self._file.frame(record.get("started_at"))
        title = field(mapping(record.get("metadata")), "title")[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        events = [frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs)]
        status = field(record, "status")
        if record.get("ended_at") and status in _ENDED:
            ended = self._file.frame(record.get("ended_at"))
            events.append(ended.event(EventKind.ACTION, Phase.ENDED, attrs={"status": status}))
        return Parsed(events, scope=self._file.session, type="state", at=frame.at)

    def message(self, message: Json) -> Parsed:
        role, about = field(message, "role"), mapping(message.get("metadata"))
        self._file.know(model=field(mapping(message.get("modelInfo")), "id"))
        frame = self._file.frame(message.get("ts"), unit="ms", ref=field(message, "id"))
        parsed = Parsed(scope=self._file.session, type=f"message/{role}"[:100], at=frame.at)
        if about.get("displayOnly") is True:
            return parsed
        blocks = objects(message.get("content"))
        if role == "assistant":
            self._paid(mapping(message.get("metrics")))
            for block in blocks:
                if block.get("type") == "tool_use":
                    parsed.events += self._called(block, frame)
        elif role == "user":
            for block in blocks:
                if block.get("type") == "tool_result":
                    parsed.events += self._answered(block, frame)
            if not field(about, "displayRole"):
                parsed.events += self._said(
                    words_of([b for b in blocks if b.get("type") == "text"] or message.get("content")), frame
                )
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _paid(self, used: Json) -> None:
        # The input holds what came from the cache and what was written to it.
        counts: Json = {
            "input": used.get("inputTokens"),
            "output": used.get("outputTokens"),
            "cached": used.get("cacheReadTokens"),
        }
        spent(self._purse, self._file.session, tokens_of(counts), cost_of(used.get("cost")))

    def _said(self, text: str, frame: Frame) -> Iterator[Event]:
        if mode := _MODE.search(text):
            yield from self._file.posture(frame, mode[1])
        words = [said.strip() for _, said in enclosed(text, _WORDS, _WORDS_END)]
        if not words and not self._worded and text.strip():
            words = [text.strip()]
        if said := "\n".join(one for one in words if one):
            self._worded = True
            yield frame.intent(Phase.DELEGATED if self._begun else Phase.PROMPT, said)

    def _called(self, block: Json, frame: Frame) -> Iterator[Event]:
        tool, given = field(block, "name"), block.get("input")
        call = call_id(block.get("id")) or self._file.unnamed_call()
        yield from self._file.call(frame, call, tool, given, act=_act(tool, given))

    def _answered(self, block: Json, frame: Frame) -> Iterator[Event]:
        content = block.get("content")
        parts = objects(content) or objects([json_of(content)])
        told = [part for part in parts if "success" in part or "error" in part]
        errors = "\n".join(field(part, "error") for part in told if part.get("error"))
        said = "\n".join(words for part in told if (words := field(part, "result") or field(part, "error"))) or words_of(content)
        failed = block.get("is_error") is True or bool(errors) or any(part.get("success") is False for part in told)
        well = block.get("is_error") is False or any(part.get("success") is True for part in told)
        why = errors or said
        refused = "rule" if _RULED.match(why) else "user" if _REFUSED in why else ""
        code = _CODE.search(errors)
        ok = Tri.NO if failed else Tri.YES if well else Tri.UNKNOWN
        yield from self._file.result(
            frame,
            call_id(block.get("tool_use_id")),
            ok,
            said,
            refused=refused if failed else "",
            reason=why.partition(_REFUSED)[0][:200] if refused else "",
            status=code[1] if code else "",
        )


def _act(tool: str, given: object) -> Act:
    args = mapping(given)
    if tool == "run_commands":
        given_commands = args.get("commands", args.get("command"))
        commands = given_commands if isinstance(given_commands, list) else [given_commands]
        lines = [one if isinstance(one, str) else _structured(mapping(one)) for one in commands[:_MOST]]
        return exec_act("\n".join(line for line in lines if line))
    if tool == "fetch_web_content":
        return web_act(next((field(one, "url") for one in objects(args.get("requests")) if field(one, "url")), ""))
    return act_of(tool, given)


def _structured(command: Json) -> str:
    args = command.get("args")
    return " ".join(
        [field(command, "command"), *(one for one in (args if isinstance(args, list) else []) if isinstance(one, str))]
    ).strip()
