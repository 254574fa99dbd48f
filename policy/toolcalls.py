"""An agent's tool call as its hooks and logs write it, turned into a request of our schema."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lang.cel.written import RequestError, RequestProblem, read_request
from lang.names import host_name
from model.words import TargetClass, Verb
from policy.model import Request
from policy.operations import with_operations

AGENTS = ("claude-code", "codex", "copilot-cli", "cursor", "gemini-cli", "opencode")
# Names of a call besides tool and input; the second list only means something to the agents' own configuration files.
_CALL_NAMES = ("agent", "tool", "input", "cwd", "project", "mode", "argv", "command", "approval_policy", "sandbox")
_OTHER_NAMES = (
    "interactive", "escalation", "mcp_server", "annotations", "trusted", "prior_identical_calls", "subagent",
)  # fmt: skip
_PATHS = (
    "file_path", "path", "filePath", "fileName", "target_file", "absolute_path", "notebook_path", "dir_path", "target_directory", "file",
)  # fmt: skip
_SHELLS = frozenset({"bash", "sh", "zsh", "dash"})

Json: TypeAlias = "Mapping[str, object]"


def to_request(value: object) -> Request:
    """A request from what a person or program wrote: our own schema, or a tool call (`{"agent", "tool", "input", ...}`).

    A command line's operations are filled in where they are not stated. Raises RequestError.
    """
    if isinstance(value, Mapping) and isinstance(value.get("agent"), str):
        return with_operations(tool_call(value))
    return with_operations(read_request(value))


def tool_call(call: Json) -> Request:
    """The request a tool call makes; what the call does not say stays missing."""
    agent = call.get("agent")
    problems = [
        RequestProblem(str(name), f"unknown name `{str(name)[:60]}` in a tool call; known: {', '.join(_CALL_NAMES)}")
        for name in call
        if name not in _CALL_NAMES + _OTHER_NAMES
    ]
    if agent not in AGENTS:
        problems.append(RequestProblem("agent", f"unknown agent `{str(agent)[:60]}`; known: {', '.join(AGENTS)}"))
    argv, given = call.get("argv"), call.get("input")
    if argv is not None and not (isinstance(argv, list) and argv and all(isinstance(word, str) for word in argv)):
        problems.append(RequestProblem("argv", "`argv` is a list of texts that is not empty"))
    if given is not None and not isinstance(given, Mapping | str):
        problems.append(RequestProblem("input", "`input` is an object, or a text for a patch"))
    for name in ("tool", "command", "cwd", "project", "mode", "approval_policy", "sandbox"):
        if call.get(name) is not None and not isinstance(call[name], str):
            problems.append(RequestProblem(name, f"`{name}` is a text"))
    if not any(name in call for name in ("tool", "argv", "command")):
        problems.append(RequestProblem("tool", "a tool call has a `tool` with its `input`, or an `argv` or `command`"))
    if problems:
        raise RequestError(tuple(problems))
    out: dict[str, object] = {
        "agent.name": agent,
        "agent.mode": call.get("mode") or call.get("approval_policy"),
        "agent.sandbox": call.get("sandbox"),
        "context.cwd": call.get("cwd"),
        "context.project": call.get("project"),
    }
    if isinstance(argv, list):
        out.update(_exec("shell", _joined([str(word) for word in argv])))
    elif isinstance(call.get("command"), str):
        out.update(_exec("shell", str(call["command"])))
    else:
        out.update(_tool(str(call["tool"]), given))
    return read_request({name: item for name, item in out.items() if item not in (None, "")})


def _joined(argv: list[str]) -> str:
    """An argument vector as a command line; the script of `bash -lc` stands for itself."""
    if len(argv) == 3 and argv[0].rpartition("/")[2] in _SHELLS and argv[1] in ("-c", "-lc"):
        return argv[2]
    return shlex.join(argv)


def _exec(tool: str, command: str) -> dict[str, object]:
    return {"action.tool": tool, "action.verb": Verb.EXEC.value, "action.command": command}


def _tool(tool: str, given: object) -> dict[str, object]:
    arguments: Json = given if isinstance(given, Mapping) else {"input": given}
    return {**_given(arguments), **_named(tool, arguments)}


def _given(arguments: Json) -> dict[str, object]:
    """The arguments our schema has a name for."""
    return {
        "action.arguments.path": _text(arguments, *_PATHS),
        "action.arguments.url": _text(arguments, "url", "uri"),
        "action.arguments.agent_type": _text(arguments, "subagent_type", "agent_type"),
    }


def _named(tool: str, arguments: Json) -> dict[str, object]:
    for prefix in ("mcp__", "mcp_"):
        if tool.startswith(prefix):
            server, _, name = tool[len(prefix) :].partition("__" if prefix == "mcp__" else "_")
            return {**_act(tool, Verb.MCP_CALL, TargetClass.MCP_SERVER, server, name), "action.arguments.server": server}
    read = _TOOLS.get(tool)
    return read(tool, arguments) if read is not None else {"action.tool": tool}


def _act(tool: str, verb: Verb, cls: TargetClass, name: str, detail: str = "") -> dict[str, object]:
    out: dict[str, object] = {"action.tool": tool, "action.verb": verb.value, "action.verbs": [verb.value]}
    if cls is not TargetClass.UNKNOWN:
        out["resource.class"] = cls.value
    if name:
        out |= {"resource.name": name, "action.targets": [f"{cls.value}:{name}"]}
    if detail:
        out["resource.detail"] = detail
    return out


_Reader = Callable[[str, Json], "dict[str, object]"]


def _text(given: Json, *names: str) -> str:
    return next((value for name in names if isinstance(value := given.get(name), str) and value), "")


def _shell(tool: str, given: Json) -> dict[str, object]:
    command = given.get("command", given.get("cmd"))
    if isinstance(command, list) and all(isinstance(word, str) for word in command):
        return _exec(tool, _joined([str(word) for word in command]))
    return _exec(tool, command if isinstance(command, str) else "")


def _file(verb: Verb) -> _Reader:
    return lambda tool, given: _act(tool, verb, TargetClass.FILESYSTEM, _text(given, *_PATHS))


def _find(tool: str, given: Json) -> dict[str, object]:
    return _act(tool, Verb.FILE_READ, TargetClass.FILESYSTEM, _text(given, *_PATHS), _text(given, "pattern", "query"))


def _web(tool: str, given: Json) -> dict[str, object]:
    url = _text(given, "url", "prompt")
    path = url.partition("://")[2].partition("/")[2]
    return _act(tool, Verb.HTTP_REQUEST, TargetClass.NETWORK, host_name(url), f"/{path}" if path else "")


def _search(tool: str, given: Json) -> dict[str, object]:
    return _act(tool, Verb.HTTP_REQUEST, TargetClass.NETWORK, "", _text(given, "query"))


def _spawn(tool: str, given: Json) -> dict[str, object]:
    return _act(tool, Verb.AGENT_SPAWN, TargetClass.AGENT, _text(given, "subagent_type", "agent"), _text(given, "description"))


_NAMES: tuple[tuple[_Reader, str], ...] = (
    (
        _shell,
        "Bash PowerShell Monitor bash powershell shell Shell local_shell exec_command shell_command run_shell_command "
        "run_in_terminal run_terminal_cmd run_terminal_command terminal shellToolCall",
    ),
    (
        _file(Verb.FILE_READ),
        "Read NotebookRead LS read read_file read_many_files list ls list_directory list_dir view view_image show_file",
    ),
    (
        _file(Verb.FILE_WRITE),
        "Edit MultiEdit Write NotebookEdit StrReplace edit write multiedit write_file create create_file edit_file "
        "edit_notebook insert replace search_replace str_replace_editor apply_patch patch",
    ),
    (_file(Verb.FILE_DELETE), "Delete delete delete_file"),
    (_find, "Grep Glob SemanticSearch grep glob rg search_file_content grep_search file_search codebase_search"),
    (_web, "WebFetch webfetch web_fetch fetch"),
    (_search, "WebSearch websearch web_search google_web_search"),
    (_spawn, "Task Agent task spawn_agent"),
)
_TOOLS: dict[str, _Reader] = {name: read for read, names in _NAMES for name in names.split()}
