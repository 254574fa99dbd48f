"""Cursor: agent transcripts (JSONL), what its hooks are given, and rows of `cursorDiskKV` in its database.

Transcripts have neither ids nor times, but for the time that the program puts before a person's words; the folder they lie in
is called by the conversation's id. A hook's log is home-made: the input as it is given, with what the hook answered beside
it where the logger kept that. A bubble is one message of a conversation with at most one call in `toolFormerData`, whose
`userDecision` is a person's. Source: the vendor's documentation of hooks and public exporters; no recorded session was at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from importers.cursor_calls import decided, ended
from importers.cursor_hooks import ASKED, HOOKS, answered, given_of, is_hook, reason_of
from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, Frame, exec_act, field, file_act, folder, mcp_act, words_of
from importers.shared.chat import json_of
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, first_text, mapping, number, texts
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects, row_of
from model.event import Attr, BadRecord, Event, Parsed, Principal, digest
from model.words import Effect, EventKind, Phase, Tri, Vantage, Verb

POINT = "cursor"

_QUERY, _QUERY_END = re.compile("<user_query>"), re.compile("</user_query>")
_TIME = re.compile(r"<timestamp>([^<]{1,200}+)</timestamp>")
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACE = re.compile(rf"(?:^|/)agent-transcripts/({_UUID})(?:/subagents/({_UUID}))?(?=[/.]|$)")
_FILE = re.compile(rf"(?:^|/)({_UUID})\.jsonl$")
_OPEN = 1000
_ENDED = {"type", "status", "error", "timestamp", "reason"}
_TURNS = {1: "user", 2: "assistant"}
_RESOURCES = frozenset({"FetchMcpResource", "ListMcpResources", "readMcpResource", "listMcpResources"})


class Cursor:
    id = "cursor"
    title = "Cursor transcripts, hooks and conversations"
    evidence = "documentation"
    version = 7
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        turns = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            table, row = row_of(record)
            if field(row, "key").startswith(("bubbleId:", "composerData:")) or table == "cursorDiskKV":
                return 95
            if is_hook(record):
                return 95
            if "bubbleId" in record and "type" in record:
                return 90
            message = mapping(record.get("message"))
            plain = record.keys() <= {"role", "message", "timestamp"} and "role" in record
            turns += field(record, "type") == "turn_ended" and record.keys() <= _ENDED
            turns += plain and isinstance(message.get("content"), list | str)
        return 80 if turns and turns * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def conversation_at(place: str) -> tuple[str, str]:
    """The conversation whose transcript lies here, and the one that began it; "" where the place does not say."""
    place = place.replace("\\", "/").lower()
    if found := _PLACE.search(place):
        return (found[2], found[1]) if found[2] else (found[1], "")
    return (found[1] if (found := _FILE.search(place)) else "", "")


def queries(words: str) -> str:
    """What the person asked, in a text that holds more."""
    return "\n".join(said.strip() for _, said in enclosed(words, _QUERY, _QUERY_END))


class _Reader:
    def __init__(self) -> None:
        self._files: dict[str, Transcript] = {}
        self._same: dict[tuple[str, str], str] = {}
        # Calls told by a hook that knows no id, and by the one that does, until the other tells the same call.
        self._bare: dict[tuple[str, str], str] = {}
        self._named: dict[tuple[str, str], str] = {}
        self._open: dict[str, dict[str, str]] = {}
        self._unsure: dict[str, None] = {}
        self._again: dict[tuple[str, str], int] = {}
        self._asked = ""
        self._conversation = self._parent = ""

    def lies_at(self, place: str) -> None:
        """A transcript names no conversation: the folder it lies in does, and the sub-agent's file the sub-agent."""
        self._conversation, self._parent = conversation_at(place)

    def _file(self, session: str, record: Json) -> Transcript:
        file = self._files.get(session)
        if file is None:
            file = Transcript(POINT)
            remember(self._files, session, file, 1000)
            file.begin(session, record)
        return file

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a Cursor record")
        _, row = row_of(record)
        if "key" in row and "value" in row:
            return self._row(row)
        given = given_of(record)
        if "hook_event_name" in given:
            return self._hook(given, record)
        if "bubbleId" in record:
            return self._bubble("", record)
        if "role" in record:
            return self._turn(record)
        if field(record, "type") == "turn_ended":
            return Parsed(scope=self._file(self._conversation, record).session, type="turn_ended")
        raise BadRecord("neither a transcript line (`role`), a hook's input (`hook_event_name`) nor a row (`key` and `value`)")

    def _row(self, row: Json) -> Parsed:
        kind, _, rest = field(row, "key").partition(":")
        if kind not in ("bubbleId", "composerData"):
            return Parsed(type=f"row/{kind}"[:100], unknown_type=f"row/{kind}"[:100])
        value = json_of(row.get("value"))
        if value is None or value == "":
            return Parsed(type=f"row/{kind}")
        if not isinstance(value, dict):
            raise BadRecord(f"the value of a {kind} row is not a JSON object")
        return self._bubble(rest.partition(":")[0], value) if kind == "bubbleId" else self._composer(rest, value)

    def _composer(self, name: str, value: Json) -> Parsed:
        file = self._file(first_text(value, "composerId") or name, value)
        frame = file.frame(value.get("createdAt"), unit="ms")
        title = field(value, "name")[:300]
        attrs: dict[str, Attr] = {"title": title} if title else {}
        parsed = Parsed(
            [frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs)], scope=file.session, type="composer", at=frame.at
        )
        parsed.events += file.posture(frame, field(value, "unifiedMode"))
        for listed in ("subagentComposerIds", "subComposerIds"):
            for child in texts(value.get(listed))[:_OPEN]:
                spawned = self._file(child, value)
                spawned.parent(file.session)
                parsed.events.append(frame._replace(scope=spawned.frame().scope).event(EventKind.ACTION, Phase.STARTED))
        # Before its messages had rows of their own, a conversation held them itself.
        inner = mapping(value.get("conversationMap"))
        for bubble in objects(value.get("conversation")) or objects(list(inner.values())):
            parsed.events += self._bubble(first_text(value, "composerId") or name, bubble).events
        return parsed

    def _bubble(self, session: str, bubble: Json) -> Parsed:
        file = self._file(session, bubble)
        kind = bubble.get("type")
        turn = _TURNS.get(kind, "") if isinstance(kind, int) else ""
        file.place(folder(next(iter(texts(bubble.get("workspaceUris"))), "")))
        frame = file.frame(bubble.get("createdAt"), unit="ms", ref=first_text(bubble, "bubbleId"))
        parsed = Parsed(scope=file.session, type=f"bubble/{turn or 'other'}", at=frame.at)
        if not turn:
            parsed.unknown_type = parsed.type
        file.know(model=field(mapping(bubble.get("modelInfo")), "modelName"))
        words = field(bubble, "text")
        if turn == "user" and words.strip() and file.first("said", first_text(bubble, "bubbleId")):
            parsed.events.append(frame.intent(Phase.PROMPT, words))
        if call := mapping(bubble.get("toolFormerData")):
            parsed.events += self._called(call, file, frame)
        return parsed

    def _called(self, call: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        name, tool = first_text(call, "toolCallId") or file.unnamed_call(), field(call, "name")
        given = json_of(call.get("rawArgs")) or json_of(call.get("params"))
        served = next(iter(objects(mapping(json_of(call.get("params"))).get("tools"))), {})
        if server := field(served, "serverName"):
            # The editor's name for the tool is made of both; which part is the server's, it says only here.
            act = mcp_act(server, field(served, "name"), json_of(served.get("parameters")) or given)
        else:
            act = act_of_tool(tool, given)
        yield from file.call(frame, name, tool, given, act=act)
        effect, by = decided(call)
        if effect is not Effect.UNKNOWN:
            yield file.decision(frame, effect, name, reason=field(call, "userDecision"), by=by)
        if (over := ended(call)) is not None:
            yield from file.result(frame, name, over.ok, over.said, refused=over.refused, effect=effect, status=over.status)

    def _turn(self, record: Json) -> Parsed:
        """A line of a transcript."""
        role, message = field(record, "role"), mapping(record.get("message")) or record
        if "content" not in message:
            raise BadRecord(f"a {role} line without `content`")
        file = self._file(self._conversation, record)
        file.parent(self._parent)
        content = message.get("content")
        words = words_of(content) if role == "user" else ""
        told = _TIME.search(words[:400])
        frame = file.frame(record.get("timestamp") or (told.group(1).strip() if told else None))
        parsed = Parsed(scope=file.session, type=role[:100], at=frame.at)
        if role == "user":
            if (words := queries(words) or ("" if words.lstrip().startswith("<") else words)).strip():
                parsed.events.append(frame.intent(Phase.DELEGATED if self._parent else Phase.PROMPT, words))
        elif role not in ("assistant", "tool"):
            parsed.unknown_type = parsed.type
        for block in objects(content):
            if block.get("type") == "tool_use" and role == "assistant":
                tool, given = field(block, "name"), block.get("input")
                call = first_text(block, "id") or file.unnamed_call()
                if len(file.waiting) < _OPEN:
                    file.waiting[call] = None
                parsed.events += file.call(frame, call, tool, given, act=act_of_tool(tool, given))
            elif block.get("type") in ("tool_result", "tool-result") and (
                call := first_text(block, "tool_use_id") or next(iter(file.waiting), "")
            ):
                file.waiting.pop(call, None)
                failed = Tri.NO if block.get("is_error") is True else Tri.UNKNOWN
                parsed.events += file.result(frame, call, failed, words_of(block.get("content")))
        return parsed

    def _hook(self, given: Json, record: Json) -> Parsed:
        kind = field(given, "hook_event_name")
        session = first_text(given, "conversation_id", "session_id")
        if not session:
            raise BadRecord(f"a {kind} hook without `conversation_id`")
        file = self._file(session, given)
        roots = given.get("workspace_roots")
        root = roots[0] if isinstance(roots, list) and roots and isinstance(roots[0], str) else ""
        file.place(field(given, "cwd") or root)
        file.know(agent_version=field(given, "cursor_version"), model=field(given, "model"))
        frame = file.frame(first_text(record, "timestamp", "time", "ts") or first_text(given, "timestamp"))
        parsed = Parsed(scope=file.session, type=f"hook/{kind}"[:100], at=frame.at)
        if kind not in HOOKS:
            parsed.unknown_type = parsed.type
        parsed.events = list(self._hooked(kind, given, file, frame))
        if kind in ASKED and (effect := answered(kind, record)) is not Effect.UNKNOWN:
            call = "" if kind == "beforeSubmitPrompt" else file.call_key(self._asked)
            reason = reason_of(record)
            made = frame.verdict(effect, call=call, rule=f"hook {kind}", reason=reason, by="hook")
            made.vantage, made.point = Vantage.ENFORCER, f"{POINT}:hook"
            parsed.events.append(made)
        for event in parsed.events:
            # A name made here means no call of the transcript's, which may be read as well.
            event.keys = tuple(
                replace(key, kind="hook.call") if key.value.startswith(f"{session}/#") else key for key in event.keys
            )
        if person := field(given, "user_email")[:200]:
            for event in parsed.events:
                event.principal = Principal(person, "human")
        return parsed

    def _hooked(self, kind: str, given: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        if kind == "beforeSubmitPrompt" and (words := field(given, "prompt")).strip():
            yield frame.intent(Phase.PROMPT, words)
        elif kind in ("sessionStart", "sessionEnd"):
            yield frame.event(EventKind.ACTION, Phase.STARTED if kind == "sessionStart" else Phase.ENDED)
        elif kind in (
            "beforeShellExecution",
            "beforeMCPExecution",
            "beforeReadFile",
            "afterFileEdit",
            "preToolUse",
            "subagentStart",
        ):
            tool, act = _hooked_act(kind, given)
            named = first_text(given, "tool_use_id", "tool_call_id")
            call = named or self._same.pop((file.session, _mark(act)), "") or self._unnamed(given, act, file)
            if named and kind == "preToolUse" and len(self._same) < _OPEN:
                # The hook for its kind of tool asks about the same call once more, without its id.
                self._same[file.session, _mark(act)] = named
            elif not named and len(self._bare) < _OPEN:
                self._bare[file.session, _mark(act)] = call
            self._asked = call
            if file.session not in self._open:
                remember(self._open, file.session, {}, _OPEN)
            remember(self._open[file.session], call, _mark(act), _OPEN)
            yield from file.call(frame, call, tool, given.get("tool_input") or given, act=act)
            if kind == "afterFileEdit":
                yield from file.result(frame, call, Tri.YES, "")
        elif kind in ("afterShellExecution", "afterMCPExecution", "postToolUse", "postToolUseFailure"):
            tool, act = _hooked_act(kind, given)
            call = self._over(first_text(given, "tool_use_id", "tool_call_id"), given, act, file)
            self._open.get(file.session, {}).pop(call, None)
            if tool:
                # Whoever logs only what is over tells the call here; where it was told, this adds nothing.
                yield from file.call(frame, call, tool, given.get("tool_input") or given, act=act)
            said = first_text(given, "output", "result_json", "tool_output", "error_message")
            told = mapping(json_of(first_text(given, "result_json", "tool_output")))
            said = first_text(told, "stdout", "output") or said
            code = number(told.get("exitCode")) if tool == "Shell" else None
            failed = kind == "postToolUseFailure" or code not in (None, 0) or told.get("isError") is True
            refused = "rule" if failed and field(given, "failure_type") == "permission_denied" else ""
            refused = "interrupted" if failed and given.get("is_interrupt") is True else refused
            ok = Tri.NO if failed else Tri.YES if code == 0 else Tri.UNKNOWN
            status, key = "" if code is None else str(code), file.call_key(call)
            if ok is not Tri.UNKNOWN and key in self._unsure:
                # The hook for its kind of tool told what the call gave, and not how it ended.
                del self._unsure[key]
                yield frame.result(key, ok, "", refused=refused, status=status)
                return
            if ok is Tri.UNKNOWN and key and not file.answered(call):
                remember(self._unsure, key, None, _OPEN)
            yield from file.result(frame, call, ok, said, refused=refused, status=status)

    def _unnamed(self, given: Json, act: Act, file: Transcript) -> str:
        """A name for a call without an id, that the conversation's calls in another piece of the log do not go by."""
        about = digest(field(given, "generation_id"), _mark(act))[:16]
        number = self._again.get((file.session, about), 0) + 1
        remember(self._again, (file.session, about), number, _OPEN)
        return f"{file.session}/#{about}-{number}"

    def _over(self, named: str, given: Json, act: Act, file: Transcript) -> str:
        """The call that is over: as it was told before it began, or by the other hook that tells its end."""
        if named and file.called(named):
            return named
        waiting = {} if named else self._open.get(file.session, {})
        # Calls may run side by side: the last one begun need not be the first that is over.
        if same := next((call for call, mark in reversed(waiting.items()) if mark == _mark(act)), ""):
            return same
        mine, others = (self._named, self._bare) if named else (self._bare, self._named)
        about = (file.session, _mark(act))
        if (told := others.pop(about, "")) != "":
            return told
        call = named or self._unnamed(given, act, file)
        if len(mine) < _OPEN:
            mine[about] = call
        return call


def _mark(act: Act) -> str:
    """What two hooks of one call have in common."""
    return f"{act.verb} {act.attrs.get('command') or act.attrs.get('path') or act.target.detail}"


def _hooked_act(kind: str, given: Json) -> tuple[str, Act]:
    if kind in ("beforeShellExecution", "afterShellExecution"):
        return "Shell", exec_act(field(given, "command"))
    if kind in ("beforeMCPExecution", "afterMCPExecution"):
        tool = field(given, "tool_name")
        return tool, mcp_act(first_text(given, "server", "mcp_server", "mcp_server_name", "url", "command"), tool)
    if kind in ("beforeReadFile", "afterFileEdit"):
        reads = kind == "beforeReadFile"
        return "Read" if reads else "Write", file_act(Verb.FILE_READ if reads else Verb.FILE_WRITE, field(given, "file_path"))
    if kind == "subagentStart":
        return "Task", act_of("Task", given)
    tool = field(given, "tool_name")
    return tool, act_of_tool(tool, given.get("tool_input"))


def act_of_tool(tool: str, given: object) -> Act:
    """What a call does; an MCP server stands in its arguments or in the tool's name."""
    args = mapping(given)
    if tool == "CallDynamicTool" and (server := field(args, "namespace").removeprefix("user-")):
        return mcp_act(server, field(args, "toolName"), args.get("arguments"))
    if tool in _RESOURCES:
        return mcp_act(first_text(args, "server", "serverName"), first_text(args, "uri"))
    if tool in ("CallMcpTool", "mcp") or tool.startswith(("mcp-", "mcp_", "MCP:")):
        server = first_text(args, "server", "serverName", "server_name")
        inner = first_text(args, "toolName", "tool_name", "name")
        if not server and tool.startswith("mcp-"):
            server, _, inner = tool[4:].partition("-")
        return mcp_act(server, inner or tool.removeprefix("MCP:"), args.get("arguments") or args.get("args"))
    return act_of(tool, given)


IMPORTER = Cursor()
