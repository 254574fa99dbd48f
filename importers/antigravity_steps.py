"""What Antigravity's steps say: a call's arguments, which of them are JSON within text, and how its own step ended."""

from __future__ import annotations

import re
from typing import NamedTuple

from importers.shared.agents import field
from importers.shared.fields import Json, decode, first_text, mapping, number
from importers.shared.transcript import objects
from model.event import BadRecord
from model.words import Effect, Tri

_HEAD = re.compile(r"\ACreated At: (\S{10,40})\nCompleted At: (\S{10,40})\n?")
_ERROR = "Encountered error in step execution: "
_INSTEAD = re.compile(r" The following instruction was provided by the user as an alternative: (.{1,4000})", re.DOTALL)
_DENIED = re.compile(r"tool call denied(?: with reason: (.{1,500}))?", re.DOTALL)
_CODE = re.compile(r"The command (?:failed with exit code:|exited with code) (-?\d{1,9})\b")
_DONE = "The command completed successfully."
_TASK = re.compile(r"Tool is running as a background task with task id: (\S{1,200})")
_OVER = re.compile(r'\bTask id "([^"\s]{1,200})" finished with result:\s*')
_CHILD = re.compile(r'"conversationId":\s*"([0-9A-Za-z_-]{6,100})"')
_STOPPED = frozenset({"CANCELED", "CANCELLED", "INTERRUPTED", "HALTED"})
_OPEN = frozenset({"RUNNING", "PENDING", "WAITING", "QUEUED", "GENERATING"})
_START = 400
_CHILDREN = 50

_NAMES = {
    "replace_file_content": "replace", "multi_replace_file_content": "replace", "sed_file": "replace", "find_by_name": "find",
    "read_url_content": "fetch_url", "view_file_outline": "view_file", "view_code_item": "view_file", "command_status": "bash_output",
    "send_command_input": "write_process", "browser_subagent": "browser_agent", "invoke_subagent": "spawn_agent", "manage_task": "task_list",
    "list_permissions": "task_list", "ask_permission": "ask_user",
}  # fmt: skip
_ARGUMENTS = {
    "CommandLine": "command", "AbsolutePath": "file_path", "TargetFile": "file_path", "File": "file_path", "DirectoryPath": "path",
    "SearchPath": "path", "SearchDirectory": "path", "Url": "url", "Query": "query", "Task": "prompt", "CommandId": "id", "Cwd": "cwd",
}  # fmt: skip


class Called(NamedTuple):
    """A call as the shared table of tools knows it; `server` and `name` where a server's tool is called by another."""

    tool: str
    given: Json
    server: str = ""
    name: str = ""


class Ended(NamedTuple):
    """How a call's step ended; `task` where it goes on in the background, whose end is told elsewhere."""

    tool: Tri
    said: str
    at: str = ""
    code: str = ""
    refused: str = ""
    effect: Effect | None = None
    reason: str = ""
    instead: str = ""
    task: str = ""


def called(told: Json) -> Called:
    """A call of a planner's step, its arguments by the names others use."""
    given = {
        name: _plain(value) for name, value in mapping(told.get("args")).items() if name not in ("toolAction", "toolSummary")
    }
    tool = field(told, "name")[:300]
    if tool == "call_mcp_tool":
        return Called(tool, mapping(given.get("Arguments")), first_text(given, "ServerName"), first_text(given, "ToolName"))
    if tool == "invoke_subagent":
        made = objects(given.get("Subagents"))[:_CHILDREN]
        words = "\n\n".join(word for one in made if (word := field(one, "Prompt")))
        kind = first_text(made[0], "TypeName", "Role") if made else ""
        return Called("spawn_agent", {"prompt": words, "subagent_type": kind})
    return Called(_NAMES.get(tool, tool), {_ARGUMENTS.get(name, name): value for name, value in given.items()})


def _plain(value: object) -> object:
    """An argument as it was given: one of the two logs writes each as JSON within a text."""
    if isinstance(value, str) and value[:1] in ('"', "[", "{"):
        try:
            return decode(value.encode("utf-8", "replace"))
        except BadRecord:
            return value
    return value


def children(said: str) -> list[str]:
    """The conversations of the sub-agents that a call made."""
    return list(dict.fromkeys(_CHILD.findall(said[:100_000])))[:_CHILDREN]


def finished(content: str) -> tuple[str, str]:
    """The background task that ended, and what came of it; "" where this tells of none."""
    found = _OVER.search(content[:4_000])
    return (found[1], content[found.end() :].removesuffix("</SYSTEM_MESSAGE>").strip()) if found else ("", "")


def ended(kind: str, step: Json) -> Ended | None:
    """How a call's step ended; None where it has not."""
    status, content = field(step, "status").upper(), field(step, "content") or field(step, "error")
    head = _HEAD.match(content)
    at, said = (head[2], content[head.end() :].strip()) if head else ("", content.strip())
    if kind == "ERROR_MESSAGE":
        denied = _DENIED.search(said[:2_000])
        return Ended(Tri.NO, said, at, refused="rule" if denied else "", reason=(denied[1] or "").strip() if denied else "")
    if said.startswith(_ERROR):
        return _failed(said, at)
    if status in _STOPPED:
        return Ended(Tri.NO, said, at, refused="interrupted")
    if status == "ERROR":
        return Ended(Tri.NO, said, at, _code(said, step))
    if running := _TASK.search(said[:_START]):
        return Ended(Tri.UNKNOWN, said, at, task=running[1])
    if status in _OPEN:
        return None
    return command_end(said, at, _code(said, step)) if kind == "RUN_COMMAND" else Ended(Tri.YES, said, at)


def command_end(said: str, at: str = "", code: str = "") -> Ended:
    """How a command ended, in the program's words before what the command wrote; unknown where it has none."""
    code = code or _code(said, {})
    return Ended(Tri.UNKNOWN if not code else Tri.YES if code == "0" else Tri.NO, said, at, code)


def _code(said: str, step: Json) -> str:
    if (told := number(step.get("exit_code"))) is not None:
        return str(told)
    begin = said[:_START]
    if found := _CODE.match(begin):
        return found[1]
    return "0" if begin.startswith(_DONE) else ""


def _failed(said: str, at: str) -> Ended:
    """A step that the program did not carry out, or that failed in it."""
    why = said[len(_ERROR) :]
    first = why.partition("\n")[0][:500]
    if why.lower().startswith("user denied permission"):
        other = _INSTEAD.search(why[:5_000])
        words = other[1].strip() if other else ""
        return Ended(Tri.NO, said, at, refused="user", reason=words or first, instead=words)
    if why.startswith("Permission prompt for action ") and "timed out waiting for user response" in why[:3_000]:
        # The settings wanted a person, who said nothing.
        return Ended(Tri.NO, said, at, refused="rule", effect=Effect.ASK, reason=first)
    if why.startswith("Permission denied for "):
        return Ended(Tri.NO, said, at, refused="rule", reason=first)
    return Ended(Tri.NO, said, at)
