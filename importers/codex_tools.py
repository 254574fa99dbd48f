"""Codex's tools in our words: shell in its several spellings, patches, MCP servers, sub-agents."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import msgspec

from importers.shared.agents import Act, exec_act, field, file_act, folder, mcp_act, web_act, words_of
from importers.shared.fields import Json, mapping
from model.event import Attr, Operation, Target
from model.words import TargetClass, Verb

_PATCHED = re.compile(r"^\*\*\* (Update|Add|Delete) File: (.{1,2000})$|^\*\*\* (Move) to: (.{1,2000})$", re.MULTILINE)
_PATCH_VERBS = {"Update": Verb.FILE_WRITE, "Add": Verb.FILE_WRITE, "Move": Verb.FILE_WRITE, "Delete": Verb.FILE_DELETE}
_CHANGE_VERBS = {"delete": Verb.FILE_DELETE}
_SHELLS = frozenset({"bash", "sh", "zsh", "dash"})
_MAX_FILES = 200


def arguments_of(payload: Json) -> Json:
    """A call's arguments: an object, or the JSON text of one; empty where it does not decode."""
    given = payload.get("arguments")
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return {}
    return mapping(given)


def command_of(given: object) -> str:
    """A command line, whether logged as a text, as `[bash, -lc, script]` or as any other argument list."""
    if isinstance(given, str):
        return given
    if not isinstance(given, list) or not all(isinstance(part, str) for part in given):
        return ""
    parts = [str(part) for part in given]
    if len(parts) == 3 and parts[1] in ("-lc", "-c") and parts[0].rpartition("/")[2] in _SHELLS:
        return parts[2]
    return shlex.join(parts)


def patch_act(patch: str) -> Act:
    """The files a patch in apply_patch's own format writes and deletes."""
    changes = [
        (_PATCH_VERBS[update or move], (path or moved).strip())
        for update, path, move, moved in _PATCHED.findall(patch)[:_MAX_FILES]
    ]
    return _files(changes)


def changes_act(changes: object) -> Act:
    """The files of a `changes` member: an object of path to {type: add, update or delete}, or a list of {path, kind}."""
    given = [(path, mapping(change)) for path, change in changes.items()] if isinstance(changes, dict) else []
    for one in changes if isinstance(changes, list) else ():
        kind = mapping(one).get("kind")
        given.append((field(mapping(one), "path"), {"type": kind} if isinstance(kind, str) else mapping(kind)))
    found = []
    for path, change in given[:_MAX_FILES]:
        found.append((_CHANGE_VERBS.get(field(change, "type"), Verb.FILE_WRITE), path))
        if moved := field(change, "move_path") or field(change, "movePath"):
            found.append((Verb.FILE_WRITE, moved))
    return _files(found)


def _files(changes: list[tuple[Verb, str]]) -> Act:
    if not changes:
        return Act(Verb.FILE_WRITE)
    acts = [file_act(verb, path) for verb, path in changes]
    if len(acts) == 1:
        return acts[0]
    operations = tuple(Operation(act.verb, act.target, text=act.target.name) for act in acts)
    verbs = {act.verb for act in acts}
    return acts[0]._replace(verb=acts[0].verb if len(verbs) == 1 else Verb.FILE_WRITE, operations=operations)


def _shell(given: Json) -> Act:
    attrs: dict[str, Attr] = {}
    if workdir := folder(given.get("workdir")):
        attrs["cwd"] = workdir
    if given.get("sandbox_permissions") == "require_escalated" or given.get("with_escalated_permissions") is True:
        # What the call asks for: to leave the sandbox in force.
        attrs["sandbox"] = "require_escalated"
    return exec_act(command_of(given.get("cmd")) or command_of(given.get("command")), attrs)


def _stdin(given: Json) -> Act:
    return exec_act(field(given, "chars"))


def _spawn(given: Json) -> Act:
    role = (field(given, "agent_type") or field(given, "agent_role"))[:200]
    name = (role or field(given, "task_name"))[:200]
    return Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, name), {"agent_type": role} if role else {})


def _message(given: Json) -> Act:
    return Act(Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, (field(given, "target") or field(given, "id"))[:200]))


def _resource(given: Json) -> Act:
    return mcp_act(field(given, "server"), field(given, "uri"))


# Plans, goals and words between agents touch nothing outside; a tool nobody knows is `unknown`.
TOOLS: dict[str, Callable[[Json], Act]] = {
    "shell": _shell,
    "shell_command": _shell,
    "exec_command": _shell,
    "local_shell": _shell,
    "container.exec": _shell,
    "write_stdin": _stdin,
    "apply_patch": lambda given: patch_act(field(given, "input") or field(given, "patch")),
    "view_image": lambda given: file_act(Verb.FILE_READ, field(given, "path")),
    "read_file": lambda given: file_act(Verb.FILE_READ, field(given, "file_path") or field(given, "path")),
    "list_dir": lambda given: file_act(Verb.FILE_READ, field(given, "dir_path") or field(given, "path")),
    "grep_files": lambda given: file_act(Verb.FILE_READ, field(given, "path")),
    "spawn_agent": _spawn,
    "spawn_agents_on_csv": _spawn,
    "report_agent_job_result": _message,
    "get_context_remaining": _message,
    "wait": _message,
    "wait_agent": _message,
    "close_agent": _message,
    "resume_agent": _message,
    "interrupt_agent": _message,
    "list_agents": _message,
    "send_input": _message,
    "send_message": _message,
    "followup_task": _message,
    "update_plan": _message,
    "request_user_input": _message,
    "request_permissions": _message,
    "js_repl": lambda given: exec_act(field(given, "code") or field(given, "input")),
    "tool_search": _message,
    "create_goal": _message,
    "get_goal": _message,
    "update_goal": _message,
    "list_mcp_resources": _resource,
    "list_mcp_resource_templates": _resource,
    "read_mcp_resource": _resource,
}


def call_act(payload: Json, name: str, namespace: str) -> Act:
    """What a function call sets out to do."""
    if namespace.startswith("mcp__"):
        return mcp_act(namespace[5:].rstrip("_"), name, arguments_of(payload))
    if name.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        return mcp_act(server, tool, arguments_of(payload))
    found = TOOLS.get(name)
    if found is None and (server := name.partition("__")[0]) and "__" in name:
        # Early versions put the server alone before the tool's name.
        return mcp_act(server, name.partition("__")[2])
    return found(arguments_of(payload)) if found else Act()


def custom_act(name: str, text: str) -> Act:
    """What a call with free text as its input sets out to do: a patch, or a script whose inner calls are logged apart."""
    if name == "apply_patch":
        return patch_act(text)
    if name == "js_repl":
        return exec_act(text)
    if name in ("exec", "exec_command", "shell") and (given := arguments_of({"arguments": text})):
        return _shell(given)
    if name == "exec":
        return Act(Verb.EXEC, operations=(Operation(Verb.UNKNOWN, text=text[:500], certain=False),))
    return Act()


def search_act(action: Json) -> Act:
    """A web search, or a page opened by one."""
    if url := field(action, "url"):
        return web_act(url)
    return Act(
        Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, "", (field(action, "query") or words_of(action.get("queries")))[:300])
    )
