"""Cline and its forks (Roo, Kilo): `api_conversation_history.json`, `ui_messages.json` and `task_metadata.json` of a task.

The three files name no session: the folder they lie in is called by the task's id, and where that is known they are one
task. A call stands in the history and in the window; a window message says how many messages the history had
(`conversationHistoryIndex`), so both name the call by the history's message, what it does and its place there. Roo and Kilo,
whose tasks are called by UUIDs, do not say so: there both count the answers of the model, and name what is called too, for a
history that was condensed counts anew. In the history, tools are called in XML within the text or as blocks; a person's
words stand in `<task>` and `<feedback>`, all else the program adds; the same tags within what a tool gave are the tool's. In the
window's messages an `ask` of a command or tool is a question put to the person, a `say` of one ran without asking. For the sessions
of its command line see `cline_sessions`. Source: public sources and test data of parsers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.cline_sessions import Sessions, is_head, is_state
from importers.shared.agent_tools import act_of, mcp_name
from importers.shared.agents import Act, Frame, call_id, exec_act, field, mcp_act, words_of
from importers.shared.chat import json_of
from importers.shared.enclosed import enclosed
from importers.shared.fields import Json, first_text, mapping
from importers.shared.tool_calls import tool_verb
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, cost_of, spent, tell_spent, tokens_of
from lang.late import late
from model.event import BadRecord, Event, Parsed, digest
from model.words import WINDOW, Effect, Phase, Tri, Verb

POINT = "cline"

_TOOLS = (
    "execute_command|read_file|write_to_file|replace_in_file|apply_diff|insert_content|search_and_replace|search_files|list_files"
    "|list_code_definition_names|browser_action|use_mcp_tool|access_mcp_resource|new_task|switch_mode|web_fetch|codebase_search"
    "|fetch_instructions|update_todo_list|ask_followup_question|attempt_completion|plan_mode_respond|new_rule|edit_file|web_search"
)
_TASK_ID = re.compile(r"\d{13}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CALL, _CALL_END = late(rf"<(?P<tag>{_TOOLS})>"), late(rf"</(?P<tag>{_TOOLS})>")
_ARGUMENT, _ARGUMENT_END = late(r"<(?P<tag>[a-z_]{2,40})>"), late(r"</(?P<tag>[a-z_]{2,40})>")
_RESULT = late(r"(?:^|\n)\[([a-z][a-z_]{2,40})(?: for [^\n]{0,2000})?\] Result:")
_WORDS = late(
    r"(?P<before>\A\s*|(?:The user (?:denied|provided|approved|has provided)|New (?:message|instructions) )[^\n<]{0,400}\n\s*)"
    r"<(?P<tag>task|feedback|user_message|answer)>"
)
_CWD = late(r"# Current (?:Working|Workspace) Directory \(([^\n]{1,1000}?)\)(?: Files)?[ \t]*(?:\n|$)")
_NOW = late(r"# Current Time\s+Current time in ISO 8601 UTC format: (\d{4}-\d\d-\d\dT[\d:.]{8,15}Z)")
_MODE = late(r"# Current Mode\s+(?:<slug>([^<]{1,100})</slug>|(PLAN|ACT) MODE)")
_CODE = late(r"\ACommand [^\n]{0,600}?\n?(?:exit code|Exit code:?) (-?\d{1,9})\b")
_FAILED = late(
    r"\A(?:The tool execution failed|\[ERROR\]|Error(?: (?:reading|writing|executing|searching|listing|applying|fetching|parsing)\b[^\n]{0,300})?:)"
)
_KEPT_OUT = late(
    r"Access (?:to [^\n]{1,500} is )?blocked by (?:the )?\.\w{1,40}ignore\b|Command execution blocked by CLINE_COMMAND_PERMISSIONS\b[^\n]{0,200}"
)
_NOT_RUN = late(r"\A(?:Skipping tool |Tool \[?[^\n]{0,500} was not executed because )")
_STOPPED = late(
    r"\A(?:The command was terminated after exceeding a |Working directory '[^\n]{0,1000}' does not exist\.\s*\Z"
    r"|Command failed to execute in terminal due to |Command executed in [^\n]{0,1000}'\. Process terminated by signal )"
)
"""A command that came to no end of its own, in Roo's words before what it wrote."""
_KILLED = "The command was cancelled by the user."
_UNREAD = late(r"\A(?:<files>\s*<file><path>[^<\n]{1,1000}</path>\s*<error>|File: [^\n]{1,1000}\nError: )")
_MORE_FILES = ("\n\n---\n\n", "</file>\n<file>")
_LISTED = late(r"<path>([^<\n]{1,1000})</path>")
_DONE = ("The content was successfully saved to ", "The updated content was successfully saved to ")
_SHOWN = frozenset({"command", "tool", "use_mcp_server", "use_subagents", "browser_action_launch", "browser_action"})
"""What a window's message of this kind shows is a call."""
_SPENDING = frozenset({"api_req_started", "deleted_api_reqs", "subagent_usage"})
"""A window's message of this kind counts tokens: a request's, those of requests no longer shown, those of agents it started."""
_NATIVE = "0mcp0"
_NEEDS_ANSWER = "REQ_APP"
"""What the program writes behind a command that it asks for although commands run without asking."""
_DENIED = "The user denied this operation"
_NATIVE_ANSWER = '{"status":'
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
    version = 12
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        window = history = 0
        for record in sample:
            if not isinstance(record, dict):
                continue
            if is_head(record) or is_state(record):
                return 90
            kind = record.get("type")
            window += kind in ("ask", "say") and isinstance(record.get(str(kind)), str) and "ts" in record
            if record.get("role") in ("user", "assistant") and "content" in record:
                text = words_of(record.get("content"))[:_SCAN_LIMIT]
                history += "<environment_details>" in text or text.startswith("<task>") or _RESULT.search(text[:4000]) is not None
            if ("files_in_context" in record and "model_usage" in record) or _is_context(record):
                return 90
            if _is_entry(record):
                return 80
        if window * 2 > len(sample):
            return 90
        return 85 if history else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._file = Transcript(POINT, unique_calls=False)
        self._waiting: list[str] = []
        self._put: tuple[str, Act] = ("", Act())
        self._purse: Purse = {}
        self._task = ""
        self._session = Sessions(POINT)
        self._by_answer = False
        self._answers = 0
        self._messages = 0
        self._lines = 0
        self._message = -1
        self._calls: dict[str, int] = {}
        self._ids: dict[str, str] = {}
        self._tools: dict[str, str] = {}

    def lies_at(self, place: str) -> None:
        """Files are of the task whose folder they lie in; the folder's name is the task's id."""
        folders = place.replace("\\", "/").replace("!", "/").split("/")[:-1]
        self._session.lies_in(folders[-1] if folders else "")
        self._task = next((name for name in reversed(folders) if _TASK_ID.fullmatch(name.lower())), "")
        self._by_answer = "-" in self._task

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a task record")
        if is_head(record):
            return self._session.head(record)
        if is_state(record):
            return self._session.state(record)
        if self._session.within and "content" in record and field(record, "role") in ("user", "assistant"):
            return self._session.message(record)
        if "files_in_context" in record or _is_context(record):
            return Parsed(type="task metadata")
        if _is_entry(record):
            return self._entry(record)
        kind, role = field(record, "type"), field(record, "role")
        self._file.begin(self._task, record)
        if self._by_answer:
            self._answers += field(record, "say") == "api_req_started" or role == "assistant"
            self._at(self._answers * 2 - 1)
        elif kind in ("ask", "say"):
            self._at(record.get("conversationHistoryIndex"))
        else:
            self._messages += 1
            self._at(self._messages - 1)
        self._file.know(model=field(mapping(record.get("modelInfo")), "modelId"))
        frame = self._file.frame(record.get("ts"), unit="ms")
        parsed = Parsed(scope=self._file.session, at=frame.at)
        if kind in ("ask", "say"):
            self._lines += 1
            frame = frame._replace(ref=f"{WINDOW}:{self._file.session}/{self._lines}")
            what = field(record, kind)
            if not what:
                raise BadRecord(f"a message of the type {kind} that does not say what")
            parsed.type = f"{kind}/{what}"[:100]
            if record.get("partial") is not True:
                parsed.events = list(self._window(kind, what, record, frame))
                if what in _SPENDING:
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
        if frame.at is None and (now := _NOW.search(texts)):
            frame = self._file.frame(now.group(1))
            parsed.at = frame.at
        if role == "assistant":
            parsed.events = list(self._asked(texts, blocks, frame))
        else:
            parsed.events = list(self._told(texts, record.get("content"), blocks, frame))
        used = mapping(record.get("metrics"))
        given = mapping(used.get("tokens"))
        counts: Json = {"input": given.get("prompt"), "output": given.get("completion"), "cached": given.get("cached")}
        spent(self._purse, self._file.session, tokens_of(counts), cost_of(used.get("cost")))
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _entry(self, record: Json) -> Parsed:
        """A task as the list of tasks knows it: its id, its words, where it began, the task that began it."""
        self._file.begin(record.get("id"))
        self._file.parent(record.get("parentTaskId"))
        self._file.facts = {}
        self._file.place(first_text(record, "workspace", "cwdOnTaskInitialization"))
        frame = self._file.frame(record.get("ts"), unit="ms")
        words = field(record, "task").strip()
        events = [frame.intent(Phase.PROMPT, words)] if words else []
        return Parsed(events, scope=self._file.session, at=frame.at, type="task entry")

    def _at(self, index: object) -> None:
        """The history's message that is spoken of, by its number; the agent's follow a person's, so theirs are odd."""
        message = index | 1 if isinstance(index, int) and not isinstance(index, bool) and index >= 0 else -1
        if message != self._message:
            self._message, self._calls = message, {}

    def _named(self, tool: str, server: str, what: str) -> str:
        """A call's name: the same in the history and in the window, where the folder says that they are of one task."""
        if self._message < 0 or not self._task:
            return self._file.unnamed_call()
        verb = Verb.MCP_CALL if server else tool_verb(tool) or Verb.UNKNOWN
        named = f"{verb.value}/{digest(what.encode())[:12]}" if self._by_answer else verb.value
        self._calls[named] = number = self._calls.get(named, 0) + 1
        return f"{self._message}/{named}/{number}"

    def _asked(self, text: str, blocks: list[Json], frame: Frame) -> Iterator[Event]:
        self._waiting, self._ids, self._tools = [], {}, {}
        for block in blocks:
            if block.get("type") == "tool_use":
                yield from self._call(frame, call_id(block.get("id")), field(block, "name"), block.get("input"))
        for m, said in enclosed(text, _CALL, _CALL_END):
            told = enclosed(said[:200_000], _ARGUMENT, _ARGUMENT_END)
            given: Json = {begun["tag"]: value.strip() for begun, value in told}
            yield from self._call(frame, "", m["tag"], given)

    def _call(self, frame: Frame, call: str, tool: str, given: object) -> Iterator[Event]:
        args = mapping(given)
        server, named_tool = mcp_name(tool)
        server = field(args, "server_name") or server
        uid, _, inner = tool.partition(_NATIVE)
        # An id of the model's own is in the history alone: within a task's folder the call is known by its place.
        named = (call if not self._task else "") or self._named(
            tool, server or (uid if inner else ""), inner or named_tool or _called(args)
        )
        if call:
            self._ids[call] = named
            self._tools[call] = tool
        self._waiting.append(named)
        if inner:
            # The name stands for a server by a made-up key; which server it is, the window alone says.
            act = mcp_act("", inner, given)
        else:
            act = act_of(tool, given, server=server, name=named_tool or first_text(args, "tool_name", "uri"))
        yield from self._file.call(frame, named, tool, given, act=act)

    def _told(self, text: str, content: object, blocks: list[Json], frame: Frame) -> Iterator[Event]:
        """What the person and the program say: results first, then a person's words."""
        if m := _CWD.search(text):
            self._file.place(m.group(1))
        frame = self._file.informed(frame)
        results = [block for block in blocks if block.get("type") == "tool_result"]
        said: list[str] = []
        for block in results:
            gave, call = words_of(block.get("content")), call_id(block.get("tool_use_id"))
            failed, tool = block.get("is_error") is True, self._tools.get(call, "")
            said += _persons(gave, tool)
            yield from self._result(frame, self._ids.get(call, call), gave, failed, tool)
        marks = [] if results else list(_RESULT.finditer(text))
        for number, m in enumerate(marks):
            end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
            if self._waiting:
                gave = text[m.end() : end].partition("<environment_details>")[0].strip()
                yield from self._result(frame, self._waiting.pop(0), gave, False, m.group(1))
        tool = ""
        for part in [content] if isinstance(content, str) else [field(block, "text") for block in blocks]:
            part, begun = part[:_SCAN_LIMIT], _RESULT.search(part[:4000])
            tool = begun.group(1) if begun else "" if part.startswith(_ADDED) else tool
            said += _persons(part[begun.end() :] if begun else part, tool)
        if not said and not results and not marks and not text.lstrip().startswith(_ADDED):
            said = [text.partition("<environment_details>")[0].strip()]
        if words := "\n".join(one for one in said if one):
            yield frame.intent(Phase.PROMPT, words)
        if m := _MODE.search(text):
            yield from self._file.posture(frame, (m.group(1) or m.group(2)).lower())

    def _result(self, frame: Frame, call: str, said: str, failed: bool, tool: str) -> Iterator[Event]:
        answer = _answered(said)
        stated = field(answer, "status")
        gave = said.partition("\n")[2].lstrip() if stated == "approved" else said
        command = tool == "execute_command"
        refused = "user" if said.startswith(_DENIED) or stated == "denied" else ""
        failed = failed or stated == "error" or _FAILED.match(gave) is not None or _unread(gave)
        failed = failed or (command and _STOPPED.match(gave) is not None)
        reason = (first_text(answer, "message", "feedback") or said.partition("\n")[0])[:300] if refused else ""
        if failed and (kept := _KEPT_OUT.search(said[:2000])) is not None:
            refused, reason = "rule", kept.group(0)[:300]
        elif not refused and (_NOT_RUN.match(said[:1000]) is not None or (command and gave.startswith(_KILLED))):
            refused = "interrupted"
        code = _CODE.match(gave[:1000])
        well = gave.startswith(_DONE) or (code is not None and code.group(1) == "0")
        ok = Tri.NO if failed or (code is not None and not well) else Tri.YES if well else Tri.UNKNOWN
        let = Effect.ALLOW if stated == "approved" else None
        status = code.group(1) if code else ""
        yield from self._file.result(frame, call, ok, said, refused=refused, reason=reason, status=status, effect=let)

    def _window(self, kind: str, what: str, record: Json, frame: Frame) -> Iterator[Event]:
        text = field(record, "text")
        # A task begins with the person's words; older versions call them mere text.
        begins = self._file.first("window", "first")
        if kind == "say" and text.strip() and (what in ("task", "user_feedback") or (begins and what == "text")):
            yield frame.intent(Phase.PROMPT, text)
        elif what in _SHOWN:
            yield from self._shown(kind, what, text, frame)
        elif what in ("command_output", "mcp_server_response") and self._waiting:
            self._put = ("", Act())
            yield from self._file.result(frame, self._waiting.pop(), Tri.UNKNOWN, text)
        elif what == "api_req_started":
            self._put = ("", Act())

    def _shown(self, kind: str, what: str, text: str, frame: Frame) -> Iterator[Event]:
        """A call in the window; one that was asked for is shown again when it runs, before anything else comes of it."""
        given: Json = {"url": text} if what == "browser_action_launch" else mapping(json_of(text))
        name = field(given, "tool")
        what = "browser_action" if what == "browser_action_launch" else what
        tool = "execute_command" if what == "command" else _UI_TOOLS.get(name, name or what)
        server = field(given, "serverName")
        if what == "command":
            act = exec_act(text.removesuffix(_NEEDS_ANSWER))
        else:
            act = act_of(tool, given, server=server, name=field(given, "toolName"))
        put, asked = self._put
        if kind == "say" and put and asked == act:
            self._put = ("", Act())
            return
        call = self._named(tool, server, text.removesuffix(_NEEDS_ANSWER) if what == "command" else _called(given))
        self._waiting = [call]
        yield from self._file.call(frame, call, tool, given, act=act)
        if kind == "ask":
            self._put = (call, act)
            yield self._file.decision(frame, Effect.ASK, call, reason=what)


def _answered(said: str) -> Json:
    """What the program says of a call where it speaks JSON to the model: status, message, and a person's feedback."""
    if not said.startswith(_NATIVE_ANSWER):
        return {}
    # What the tool gave all the same stands in the lines behind it.
    found = mapping(json_of(said.partition("\n")[0])) or mapping(json_of(said))
    return found if field(found, "status") in ("denied", "error", "approved", "guidance") else {}


def _persons(said: str, tool: str) -> list[str]:
    """A person's words in a text of the program's: at its beginning where no tool but a question gave it, else where it says so."""
    if feedback := field(_answered(said), "feedback"):
        return [feedback.strip()]
    asks = not tool or tool_verb(tool) is Verb.AGENT_MESSAGE
    words: list[str] = []
    end = 0
    for m in _WORDS.finditer(said[:_SCAN_LIMIT]):
        if m.start() < end or not (asks or m.group("before").strip()):
            continue
        close = said.find(f"</{m.group('tag')}>", m.end())
        if close < 0:
            break
        words.append(said[m.end() : close].strip())
        end = close
    return words


def _called(given: Json) -> str:
    """What a call is of, in the words that the history and the window have alike: a command, a tool, a file's own name."""
    files = next((listed for name in ("files", "batchFiles") if (listed := objects(given.get(name)))), [])
    first = _LISTED.search(field(given, "args")[:4000])
    path = first_text(given, "path", "absolutePath", "filePath") or (field(files[0], "path") if files else "")
    path = path or (first.group(1).strip() if first else "")
    return first_text(given, "command", "tool_name", "toolName") or path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _unread(said: str) -> bool:
    """Whether a file could not be read; of several that were asked for the others may have been."""
    return _UNREAD.match(said) is not None and not any(mark in said[:20_000] for mark in _MORE_FILES)


def _is_context(record: Json) -> bool:
    """Whether this is a file that the task has looked at, as Roo lists them alone in `task_metadata.json`."""
    return {"path", "record_state", "record_source"} <= record.keys() and isinstance(record.get("path"), str)


def _is_entry(record: Json) -> bool:
    """Whether this is a task in the list of all tasks, which Roo also keeps in the task's folder."""
    return "role" not in record and "type" not in record and {"id", "ts", "task", "tokensIn", "tokensOut"} <= record.keys()


IMPORTER = Cline()
