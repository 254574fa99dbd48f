"""gptme conversations: chat messages in which tool calls are code blocks, `@tool(id): {json}` lines or `<tool-use>` tags.

Messages have no ids, times no zone, the file no session: equal beginnings name a conversation. What a tool says comes back as
messages of the roles system or tool, in the order of the calls. A shell's answer names its exit code only where that is not 0.
Source: one conversation (a parser's fixture), the program's own documentation of its tool blocks, its tests.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from importers.shared.agents import Act, Frame, exec_act, field, file_act, words_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of
from lang.late import late
from model.event import BadRecord, Event, Parsed
from model.words import Effect, Phase, Tri, Verb

POINT = "gptme"

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_TAGS = (
    "shell|ipython|tmux|gh|save|append|patch|morph|read|vision|browser|subagent|todowrite|todoread|complete|choice|form|restart"
)
_BLOCK = late(rf"^(`{{3,}})({_TAGS})(?:[ \t]+([^\n`]*))?\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
_XML = late(rf"<tool-use>\s*<({_TAGS})(?: args=['\"]([^'\"\n]{{0,1000}})['\"])?>\n?(.*?)</\1>\s*</tool-use>", re.DOTALL)
_CALL = late(r"^@([a-z_]{2,40})\(([\w-]{1,100})\): ?(\{.*)$", re.MULTILINE)
_WRITES = frozenset({"save", "append", "patch", "morph"})
_CODE = re.compile(r"^Return code: (-?\d{1,9})\s*$", re.MULTILINE)
_RAN = ("Ran command:", "Ran allowlisted command:")
_STOPPED = re.compile(r"timed out|interrupted", re.IGNORECASE)
# Notes of the program's own between a call and what it gave.
_NOTES = (
    "<system_warning>",
    "<system_info>",
    "<workspace-agents-warning>",
    "<budget:",
    "# Relevant Lessons",
    "Shellcheck found potential issues",
)
# Who kept a call from being run, by how the answer begins.
_REFUSED: tuple[tuple[str, str, Effect], ...] = (
    ("Aborted, user chose not to run", "user", Effect.DENY),
    ("Operation aborted: user", "user", Effect.DENY),
    ("Aborted: user", "user", Effect.DENY),
    ("Declined by user", "user", Effect.DENY),
    ("Copied to clipboard, execution skipped", "user", Effect.DENY),
    ("Command denied: ", "rule", Effect.DENY),
    ("Shellcheck found critical issues that prevent execution", "rule", Effect.DENY),
    ("[guardrails] blocked: ", "hook", Effect.DENY),
    ("Blocked by guardrail: ", "hook", Effect.DENY),
    ("No confirmation hook registered", "rule", Effect.ASK),
)
_BLOCKS_LIMIT = 200
_SCAN_LIMIT = 1 << 20


class Gptme:
    id = "gptme"
    title = "gptme conversations"
    evidence = "fixture"
    version = 3
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sure = 0
        for record in sample:
            if isinstance(record, dict) and field(record, "role") in _ROLES and isinstance(record.get("timestamp"), str):
                found += isinstance(record.get("content"), str)
                sure += bool({"pinned", "hide", "call_id"} & record.keys()) or "gptme" in field(record, "content")[:300]
        return 75 if sure and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._waiting: deque[str] = deque(maxlen=_BLOCKS_LIMIT)

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a conversation message")
        role = field(record, "role")
        if not role:
            raise BadRecord("a message without `role`")
        if "content" not in record:
            raise BadRecord(f"a {role} message without `content`")
        self._file.begin(None, record)
        self._file.know(model=field(mapping(record.get("metadata")), "model"))
        frame = self._file.frame(record.get("timestamp"))
        parsed = Parsed(scope=self._file.session, type=role[:100], at=frame.at)
        parsed.events = list(self._told(record, role, words_of(record.get("content")), frame))
        if role not in _ROLES:
            parsed.unknown_type = parsed.type
        return parsed

    def _told(self, record: Json, role: str, words: str, frame: Frame) -> Iterator[Event]:
        if role == "user" and words.strip():
            self._waiting.clear()
            yield frame.intent(Phase.PROMPT, words)
        elif role == "assistant":
            self._waiting.clear()
            for call, tool, given, act in _calls(words):
                name = call or self._file.unnamed_call()
                self._waiting.append(name)
                yield from self._file.call(frame, name, tool, given, act=act)
        elif role in ("system", "tool"):
            named = field(record, "call_id")
            if not named and (not self._waiting or words.startswith(_NOTES)):
                return
            call = named or self._waiting.popleft()
            found = (one[1:] for one in _REFUSED if words.startswith(one[0]))
            refused, effect = next(found, ("", None))
            rule = ""
            if words.startswith("Ran allowlisted command"):
                effect, rule = Effect.ALLOW, "allowlist"
            code, ok = _went(words)
            reason = (" ".join(words[:400].split()) if refused else words.partition("\n")[0])[:200]
            yield from self._file.result(
                frame, call, ok, words, refused=refused, effect=effect, rule=rule, reason=reason, status=code
            )


def _went(words: str) -> tuple[str, Tri]:
    """The exit code a tool's answer names, and whether it went well as far as the answer says."""
    code = next(iter(_CODE.findall(words[-300:])[::-1]), "")
    if code:
        return code, Tri.YES if code == "0" else Tri.NO
    if words.startswith("Error"):
        return "", Tri.NO
    return "", Tri.YES if words.startswith(_RAN) and not _STOPPED.search(words[-300:]) else Tri.UNKNOWN


def _calls(words: str) -> Iterator[tuple[str, str, object, Act | None]]:
    """The calls in an answer, in their order: id, tool, arguments, act."""
    text = words[:_SCAN_LIMIT]
    found: list[tuple[int, tuple[str, str, object, Act | None]]] = []
    blocks: list[tuple[int, str, str, str]] = []
    for m in islice(_BLOCK.finditer(text), _BLOCKS_LIMIT):
        blocks.append((m.start(), m[2], m[3] or "", m[4]))
    for m in islice(_XML.finditer(text), _BLOCKS_LIMIT) if "<tool-use>" in text else ():
        blocks.append((m.start(), m[1], m[2] or "", m[3]))
    for at, tool, argument, body in sorted(blocks, key=lambda block: block[0])[:_BLOCKS_LIMIT]:
        argument = argument.strip()
        if tool in _WRITES:
            act = file_act(Verb.FILE_WRITE, argument)
        elif tool == "read":
            act = file_act(Verb.FILE_READ, argument or body.strip().partition("\n")[0])
        elif tool in ("shell", "ipython", "tmux"):
            act = exec_act(body.strip())
        elif tool == "gh":
            act = exec_act(f"gh {argument} {body.strip()}".strip())
        else:
            act = None
        found.append((at, ("", tool, {"prompt": body} if tool == "subagent" else {}, act)))
    for m in _CALL.finditer(text):
        try:
            given = msgspec.json.decode(m.group(3))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            given = {}
        found.append((m.start(), (m.group(2), m.group(1), given, None)))
        if len(found) >= 2 * _BLOCKS_LIMIT:
            break
    yield from (call for _, call in sorted(found, key=lambda pair: pair[0]))


IMPORTER = Gptme()
