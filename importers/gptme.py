"""gptme conversations: chat messages in which tool calls are code blocks, `@tool(id): {json}` lines or `<tool-use>` tags.

Messages have no ids, times no zone, the file no session: equal beginnings name a conversation. What a tool says comes back as
messages of the roles system or tool, in the order of the calls. A shell's answer names its exit code only where that is not 0.
Source: one conversation (a parser's fixture), the program's own documentation of its tool blocks, its tests, its source (0.35).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence

from importers.gptme_calls import MOST, calls
from importers.shared.agents import Frame, field, words_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import Transcript, object_of
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from model.event import BadRecord, Event, Parsed
from model.words import Effect, Phase, Tri

POINT = "gptme"

_ROLES = frozenset({"system", "user", "assistant", "tool"})
_CODE = re.compile(r"^(?:Return code: |Process interrupted \(return code: )(-?\d{1,9})\)?\s*$", re.MULTILINE)
_RAN = ("Ran command:", "Ran allowlisted command:", "Executed code block")
_DONE = ("Saved to ", "Appended to ", "Patch successfully applied to ")
_FAILED = (
    "Error", "Patch failed: ", "Kernel error: ", "File not found: ", "Not a file: ", "Permission denied: ", "Cannot ",
    "Command timed out", "Command killed (", "Command interrupted", "Atomic patch aborted: ",
)  # fmt: skip
_UNAVAILABLE = re.compile(r"Tool '[^'\n]{1,200}' is not available for execution")
_RAISED = re.compile(r"^(?:Exception during execution on line \d+:$|Exception: \w+: )", re.MULTILINE)
_STOPPED = re.compile(r"timed out|interrupted", re.IGNORECASE)
# Notes of the program's own between a call and what it gave.
_NOTE = re.compile(
    r"<(?:system_|system>|agent-|workspace-|budget:)|# Relevant Lessons|Shellcheck found potential issues|Loaded agent instructions from "
    r"|Background shell job #|Background wait |Processes left over from background |\[UNTRUSTED: |\[INJECTION BLOCKED: "
)
# What it says in the person's place, to have a model that made no call go on.
_OWN = re.compile(r"<system>.*</system>", re.DOTALL)
# Who kept a call from being run, by how the answer begins.
_REFUSED: tuple[tuple[str, str, Effect | None], ...] = (
    ("Aborted, user chose not to run", "user", Effect.DENY),
    ("Operation aborted: user", "user", Effect.DENY),
    ("Aborted: user", "user", Effect.DENY),
    ("Declined by user", "user", Effect.DENY),
    ("Skipped by user", "user", Effect.DENY),
    ("Execution declined by user", "user", Effect.DENY),
    ("Save aborted: user refused", "user", Effect.DENY),
    ("Append aborted: user refused", "user", Effect.DENY),
    ("Copied to clipboard, execution skipped", "user", Effect.DENY),
    ("No changes made, execution skipped", "user", Effect.DENY),
    ("Command denied: ", "rule", Effect.DENY),
    ("Background command denied: ", "rule", Effect.DENY),
    ("Read denied: ", "rule", Effect.DENY),
    ("Shellcheck found critical issues that prevent execution", "rule", Effect.DENY),
    ("[guardrails] blocked: ", "hook", Effect.DENY),
    ("Blocked by guardrail: ", "hook", Effect.DENY),
    ("Read blocked by guardrail", "hook", Effect.DENY),
    ("Blocked by anomaly_watchdog:", "hook", Effect.DENY),
    ("No confirmation hook registered", "rule", Effect.ASK),
    ("Confirmation timed out", "rule", Effect.ASK),
    ("Interrupted by user", "interrupted", None),
    ("MCP operation interrupted.", "interrupted", None),
)
_SCAN_LIMIT = 1 << 20
_UNRUN = re.compile(r"Tool '[^'\n]{1,200}' was not executed \(interrupted\)")


class Gptme:
    id = "gptme"
    title = "gptme conversations"
    evidence = "fixture"
    version = 5
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
        self._file = Transcript(POINT, unique_calls=False, model_calls=True)
        self._waiting: deque[str] = deque(maxlen=2 * MOST)
        self._stated: set[str] = set()
        self._ids = False
        self._purse: Purse = {}

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
        if role == "assistant":
            spent(self._purse, self._file.session, *_spent(mapping(record.get("metadata"))))
        parsed.events = list(self._told(record, role, words_of(record.get("content")), frame))
        tell_spent(self._purse, self._file.session, parsed.events)
        if role not in _ROLES:
            parsed.unknown_type = parsed.type
        return parsed

    def _told(self, record: Json, role: str, words: str, frame: Frame) -> Iterator[Event]:
        if role in ("user", "assistant"):
            self._waiting.clear()
            self._stated.clear()
        if role == "user" and words.strip():
            if not _OWN.fullmatch(words.strip()) and "compaction_checkpoint_view" not in mapping(record.get("metadata")):
                yield frame.intent(Phase.PROMPT, words)
        elif role == "assistant":
            for call, tool, given, act in calls(words):
                name = call or self._file.unnamed_call()
                self._waiting.append(name)
                if call:
                    self._stated.add(call)
                yield from self._file.call(frame, name, tool, given, act=act)
        elif role in ("system", "tool") and (call := self._answered(record, words)):
            found = (one[1:] for one in _REFUSED if words.startswith(one[0]))
            refused, effect = next(found, ("interrupted" if _UNRUN.match(words) else "", None))
            rule = ""
            if words.startswith("Ran allowlisted command"):
                effect, rule = Effect.ALLOW, "allowlist"
            code, ok = _went(words)
            reason = (" ".join(words[:400].split()) if refused else words.partition("\n")[0])[:200]
            yield from self._file.result(
                frame, call, ok, words, refused=refused, effect=effect, rule=rule, reason=reason, status=code
            )
            if refused == "interrupted":
                self._waiting.clear()

    def _answered(self, record: Json, words: str) -> str:
        """The call that a message of the program answers; "" where it answers none."""
        named = field(record, "call_id")
        if named:
            self._ids = True
            if named in self._waiting:
                self._waiting.remove(named)
            return named
        if not self._waiting or record.get("pinned") is True or _NOTE.match(words):
            return ""
        # Where answers name the calls that state an id, a message without one is beside the matter.
        return "" if self._ids and self._waiting[0] in self._stated else self._waiting.popleft()


def _went(words: str) -> tuple[str, Tri]:
    """The exit code a tool's answer names, and whether it went well as far as the answer says."""
    # What the command printed stands in a block; what the program says of it after that.
    code = next(iter(_CODE.findall(words[-4000:].rpartition("```")[2])[::-1]), "")
    if code:
        return code, Tri.YES if code == "0" else Tri.NO
    if words.startswith(_FAILED) or _UNAVAILABLE.match(words):
        return "", Tri.NO
    if words.startswith("Executed code block") and _RAISED.search(_unfenced(words)):
        return "", Tri.NO
    if words.startswith(_DONE):
        return "", Tri.YES
    return "", Tri.YES if words.startswith(_RAN) and not _STOPPED.search(words[-300:]) else Tri.UNKNOWN


def _unfenced(words: str) -> str:
    """What stands outside code blocks."""
    return "\n".join(words[:_SCAN_LIMIT].split("```")[::2])


def _spent(meta: Json) -> tuple[int, float]:
    """Tokens and money of an answer, as its metadata state them."""
    usage = mapping(meta.get("usage")) or meta
    return tokens_of({**usage, "cache_creation_input_tokens": usage.get("cache_creation_tokens")}), cost_of(meta.get("cost"))


IMPORTER = Gptme()
