"""Cline and its forks (Roo, Kilo): `api_conversation_history.json`, `ui_messages.json` and `task_metadata.json` of a task.

The three files of a task name no session. In the history, tools are called in XML within the text or as blocks; a person's
words stand in `<task>` and `<feedback>`, all else the program adds. In the window's messages an `ask` of a command or tool is
a question put to the person, a `say` of one ran without asking. Source: public sources and test data of parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, exec_act, field, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, first_text, mapping
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from lang.late import late
from model.event import BadRecord, Event, Parsed
from model.words import Effect, Phase, Tri

POINT = "cline"

_TOOLS = (
    "execute_command|read_file|write_to_file|replace_in_file|apply_diff|insert_content|search_and_replace|search_files|list_files"
    "|list_code_definition_names|browser_action|use_mcp_tool|access_mcp_resource|new_task|switch_mode|web_fetch|codebase_search"
    "|fetch_instructions|update_todo_list|ask_followup_question|attempt_completion|plan_mode_respond|new_rule|edit_file|web_search"
)
_CALL = late(rf"<({_TOOLS})>(.*?)</\1>", re.DOTALL)
_ARGUMENT = late(r"<([a-z_]{2,40})>(.*?)</\1>", re.DOTALL)
_RESULT = late(rf"\[({_TOOLS})(?: for [^\n]{{0,2000}})?\] Result:")
_WORDS = late(r"<(task|feedback|user_message|answer)>\s*(.*?)\s*</\1>", re.DOTALL)
_CWD = late(r"# Current (?:Working|Workspace) Directory \(([^)\n]{1,1000})\)")
_MODE = late(r"# Current Mode\s+(?:<slug>([^<]{1,100})</slug>|(PLAN|ACT) MODE)")
_CODE = late(r"(?:exit code|Exit code:?) (-?\d{1,9})")
_DENIED = "The user denied this operation"
_ADDED = ("<environment_details>", "[ERROR]", "[TASK RESUMPTION]")
_UI_TOOLS = {
    "editedExistingFile": "replace_in_file", "newFileCreated": "write_to_file", "appliedDiff": "apply_diff", "fileDeleted": "delete_file",
    "readFile": "read_file", "listFilesTopLevel": "list_files", "listFilesRecursive": "list_files", "searchFiles": "search_files",
    "listCodeDefinitionNames": "list_code_definition_names", "webFetch": "web_fetch", "webSearch": "web_search", "newTask": "new_task",
    "switchMode": "switch_mode", "insertContent": "insert_content", "searchAndReplace": "search_and_replace",
    "codebaseSearch": "codebase_search", "updateTodoList": "update_todo_list", "summarizeTask": "summarize_task",
}  # fmt: skip
_SCAN_LIMIT = 1 << 20


class Cline:
    id = "cline"
    title = "Cline and Roo tasks"
    evidence = "documentation"
    version = 2
    states_intents = True

    def sniff(self, sample: Sequence[object]) -> int:
        window = history = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            kind = record.get("type")
            window += kind in ("ask", "say") and isinstance(record.get(str(kind)), str) and "ts" in record
            if record.get("role") in ("user", "assistant") and "content" in record:
                text = words_of(record.get("content"))[:_SCAN_LIMIT]
                history += "<environment_details>" in text or text.startswith("<task>") or _RESULT.search(text[:4000]) is not None
            if "files_in_context" in record and "model_usage" in record:
                return 90
        if window * 2 > len(sample):
            return 90
        return 85 if history else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._waiting: list[str] = []
        self._purse: Purse = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a task record")
        if "files_in_context" in record:
            return Parsed(type="task metadata")
        self._file.begin(None, record)
        frame = self._file.frame(record.get("ts"), unit="ms")
        parsed = Parsed(scope=self._file.session, at=frame.at)
        kind, role = field(record, "type"), field(record, "role")
        if kind in ("ask", "say"):
            what = field(record, kind)
            if not what:
                raise BadRecord(f"a message of the type {kind} that does not say what")
            parsed.type = f"{kind}/{what}"[:100]
            if record.get("partial") is not True:
                parsed.events = list(self._window(kind, what, record, frame))
                if what == "api_req_started":
                    used = mapping(json_of(field(record, "text")))
                    spent(self._purse, self._file.session, tokens_of(used), cost_of(used.get("cost")))
                tell_spent(self._purse, self._file.session, parsed.events)
            return parsed
        if role not in ("user", "assistant"):
            raise BadRecord("neither a window message (`type` ask or say) nor a history message (`role`)")
        if "content" not in record:
            raise BadRecord(f"a {role} message without `content`")
        parsed.type = f"history/{role}"
        texts = words_of(record.get("content"), _SCAN_LIMIT)[:_SCAN_LIMIT]
        blocks = objects(record.get("content"))
        parsed.events = list(self._asked(texts, blocks, frame) if role == "assistant" else self._told(texts, blocks, frame))
        return parsed

    def _asked(self, text: str, blocks: list[Json], frame: Frame) -> Iterator[Event]:
        self._waiting = []
        for block in blocks:
            if block.get("type") == "tool_use":
                yield from self._call(frame, call_id(block.get("id")), field(block, "name"), block.get("input"))
        for m in _CALL.finditer(text):
            given: Json = {name: value.strip() for name, value in _ARGUMENT.findall(m.group(2)[:200_000])}
            yield from self._call(frame, "", m.group(1), given)

    def _call(self, frame: Frame, call: str, tool: str, given: object) -> Iterator[Event]:
        call = call or self._file.unnamed_call()
        self._waiting.append(call)
        args = mapping(given)
        server = field(args, "server_name")
        act = act_of(tool, given, server=server, name=first_text(args, "tool_name", "uri"))
        yield from self._file.call(frame, call, tool, given, act=act)

    def _told(self, text: str, blocks: list[Json], frame: Frame) -> Iterator[Event]:
        """What the person and the program say: results first, then a person's words, wherever they stand."""
        if m := _CWD.search(text):
            self._file.place(m.group(1))
        frame = frame._replace(attrs=self._file.facts)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        for block in results:
            said = words_of(block.get("content"))
            yield from self._result(frame, call_id(block.get("tool_use_id")), said, block.get("is_error") is True)
            text += "\n" + said
        marks = [] if results else list(_RESULT.finditer(text))
        for number, m in enumerate(marks):
            end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
            if self._waiting:
                yield from self._result(frame, self._waiting.pop(0), text[m.end() : end].strip(), False)
        words = "\n".join(found for _, found in _WORDS.findall(text) if found)
        if not words and not results and not marks and not text.lstrip().startswith(_ADDED):
            words = text.partition("<environment_details>")[0].strip()
        if words:
            yield frame.intent(Phase.PROMPT, words)
        if m := _MODE.search(text):
            yield from self._file.posture(frame, (m.group(1) or m.group(2)).lower())

    def _result(self, frame: Frame, call: str, said: str, failed: bool) -> Iterator[Event]:
        refused = "user" if said.startswith(_DENIED) else ""
        code = _CODE.search(said[:500])
        failed = failed or said.startswith(("The tool execution failed", "Error", "[ERROR]"))
        ok = Tri.NO if failed or (code and code.group(1) != "0") else Tri.YES if code else Tri.UNKNOWN
        reason = said.partition("\n")[0] if refused else ""
        yield from self._file.result(frame, call, ok, said, refused=refused, reason=reason, status=code.group(1) if code else "")

    def _window(self, kind: str, what: str, record: Json, frame: Frame) -> Iterator[Event]:
        text = field(record, "text")
        # A task begins with the person's words; older versions call them mere text.
        begins = self._file.first("window", "first")
        if kind == "say" and text.strip() and (what in ("task", "user_feedback") or (begins and what == "text")):
            yield frame.intent(Phase.PROMPT, text)
        elif what in ("command", "tool", "use_mcp_server"):
            given = mapping(json_of(text))
            name = field(given, "tool")
            tool = "execute_command" if what == "command" else _UI_TOOLS.get(name, name or what)
            act = (
                exec_act(text)
                if what == "command"
                else act_of(tool, given, server=field(given, "serverName"), name=field(given, "toolName"))
            )
            call = self._file.unnamed_call()
            self._waiting = [call]
            yield from self._file.call(frame, call, tool, given, act=act)
            if kind == "ask":
                yield frame.verdict(Effect.ASK, call=self._file.call_key(call), reason=what)
        elif kind == "say" and what in ("command_output", "mcp_server_response") and self._waiting:
            yield from self._file.result(frame, self._waiting.pop(), Tri.UNKNOWN, text)


IMPORTER = Cline()
