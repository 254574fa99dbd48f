"""What a tool call of any coding agent sets out to do, by the tool's name in the shared table and its usual arguments."""

from __future__ import annotations

import shlex

from importers.shared.agents import Act, code_act, exec_act, field, file_act, mcp_act, web_act
from importers.shared.fields import Json, first_text, mapping, texts
from importers.shared.tool_calls import command_line, tool_call, tool_verb
from model.event import Operation, Target
from model.words import TargetClass, Verb

_FILES = frozenset({Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE})
_PATHS = (
    "file_path", "filePath", "absolute_path", "absolutePath", "path", "filename", "file_name", "notebook_path", "target_file", "targetFile",
    "relativeWorkspacePath", "effectiveUri", "target_notebook", "dir_path", "directory", "directory_path", "target_directory",
    "targetDirectory", "uri", "file",
)  # fmt: skip
_KINDS = ("subagent_type", "agent_name", "agentName", "agent_type", "agent", "subagent", "mode", "recipe")
# Arguments of editors that do several things under one name.
_LOOKS = frozenset({"view", "read", "Line", "Search", "Directory", "show", "undo_view"})
_CODE = ("code", "script", "keystrokes", "input")
_PYTHON = frozenset({"python", "ipython", "py", "run_ipython", "execute_ipython_cell"})
_PATCHED = ("*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ")
_PATHS_LIMIT = 200
_PROMPTS = 10


def act_of(tool: str, given: object, *, server: str = "", name: str = "") -> Act:
    """What a call of this tool with these arguments does; a tool nobody knows is `unknown`, never harmless.

    `server` names the MCP server where the agent keeps it apart, `name` the tool's name there.
    """
    if server:
        return mcp_act(server, name or tool, given)
    server, inner = mcp_name(tool)
    if server:
        return mcp_act(server, inner, given)
    if isinstance(given, list):
        given = {"argv": given} if not all(isinstance(part, str) for part in given) else given
    args = mapping(given)
    verb = tool_verb(tool)
    if verb is Verb.EXEC:
        command = command_line(given)
        return (
            code_act(first_text(args, *_CODE))
            if not command and tool in _PYTHON
            else exec_act(command or first_text(args, *_CODE))
        )
    if verb in _FILES:
        return _file(verb, args, given)
    if verb is Verb.HTTP_REQUEST:
        return _web(args)
    if verb is Verb.AGENT_SPAWN:
        return Act(Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, "")) if _asks_only(args) else _spawn(args)
    if verb is Verb.AGENT_MESSAGE:
        return Act(verb, Target(TargetClass.AGENT, first_text(args, "to", "agent_id", "name", "skill", "command", "mode")[:200]))
    if verb is Verb.INSTRUCTIONS_WRITE:
        return Act(verb, Target(TargetClass.AGENT, first_text(args, "path", "key", "title", "subject")[:300]))
    if verb is Verb.CLOUD_CALL and (called := _cloud(args)) is not None:
        return called
    if verb is None and (command := command_line(given if isinstance(given, dict) else {})):
        return exec_act(command)
    found, target, attrs = tool_call(tool, "", args, None)
    return Act(found, target, attrs)


def mcp_name(tool: str) -> tuple[str, str]:
    """The MCP server and the tool there that a tool's name is made of (`mcp__server__tool`, Roo's `mcp--server--tool`), "" where of none."""
    for mark in ("__", "--"):
        if tool.startswith(f"mcp{mark}"):
            server, _, inner = tool[5:].partition(mark)
            # Some models write the hyphens of a name otherwise, and Roo reads them back.
            return (server, inner) if mark == "__" else (server.replace("___", "-"), inner.replace("___", "-"))
    return "", ""


def _cloud(args: Json) -> Act | None:
    """A call of an AWS operation by its service and name (Kiro's and Strands' `use_aws`), as the command that is run for it."""
    service, operation = field(args, "service_name"), field(args, "operation_name")
    if not service or not operation:
        return None
    words = ["aws", service, operation.replace("_", "-")]
    for name, value in list(mapping(args.get("parameters")).items())[:20]:
        words += ["--" + name.replace("_", "-"), value if isinstance(value, str) else str(value)]
    return exec_act(shlex.join(words))


def _file(verb: Verb, args: Json, given: object) -> Act:
    if verb is Verb.FILE_WRITE and (field(args, "command") in _LOOKS or field(args, "mode") in _LOOKS):
        verb = Verb.FILE_READ
    paths = _paths(args, given)
    act = file_act(verb, paths[0] if paths else "")
    pattern = first_text(args, "pattern", "query", "regex", "glob", "globPattern")[:300]
    if pattern and verb is Verb.FILE_READ:
        act = act._replace(target=Target(act.target.cls, act.target.name, pattern))
    if len(paths) > 1:
        each = (file_act(verb, path) for path in paths[:_PATHS_LIMIT])
        act = act._replace(operations=tuple(Operation(one.verb, one.target) for one in each))
    return act


def _paths(args: Json, given: object) -> list[str]:
    """Every path the arguments name: one, a list, a list of operations, or the headings of a patch."""
    found = [one] if (one := first_text(args, *_PATHS)) else []
    for name in ("paths", "files", "operations", "edits", "file_paths"):
        inner = args.get(name)
        if isinstance(inner, list):
            found += texts(inner)
            found += [path for part in inner if isinstance(part, dict) and (path := first_text(part, *_PATHS))]
    if not found:
        found += patched_paths(given if isinstance(given, str) else first_text(args, "patchText", "patch", "input", "diff"))
    return list(dict.fromkeys(found))


def patched_paths(patch: str) -> list[str]:
    """The files that the headings of an `*** Begin Patch` text name."""
    if "*** " not in patch:
        return []
    return [line[len(head) :].strip() for line in patch.splitlines() for head in _PATCHED if line.startswith(head)]


def _web(args: Json) -> Act:
    urls = texts(args.get("urls"))
    if url := first_text(args, "url", "uri", "href") or (urls[0] if urls else ""):
        return web_act(url)
    prompt = first_text(args, "prompt")
    begin = min((at for mark in ("https://", "http://") if (at := prompt.find(mark)) >= 0), default=-1)
    if begin >= 0:
        return web_act(prompt[begin:].split(maxsplit=1)[0].rstrip(".,;)"))
    words = first_text(args, "query", "search_term", "searchTerm", "q", "code") or prompt
    return Act(Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, "", words[:300]))


def _asks_only(args: Json) -> bool:
    """Whether a tool that starts agents was only asked which there are, or how one fares."""
    operation = args.get("operation")
    return field(args, "command") == "ListAgents" or operation == "list" or "status" in mapping(operation)


def _started(args: Json) -> list[Json]:
    """The agents that one call starts side by side, where it names each."""
    places = [args.get(name) for name in ("stages", "subagents", "tasks", "chain")] + [
        mapping(args.get("content")).get("subagents")
    ]
    several = next((one for one in places if isinstance(one, list)), [])
    return [one for one in several[:_PROMPTS] if isinstance(one, dict)]


def _spawn(args: Json) -> Act:
    kinds = dict.fromkeys(kind for one in _started(args) if (kind := first_text(one, "agent_name", "agent", "role", "name")))
    kind = (", ".join(kinds) or first_text(args, *_KINDS))[:200]
    act = Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, kind, first_text(args, "description", "title")[:200]))
    return act._replace(attrs={"agent_type": kind}) if kind else act


def task_words(given: object) -> str:
    """What a spawning call asks of the agent it starts."""
    args = mapping(given)
    several = [words for n in range(1, _PROMPTS + 1) if (words := field(args, f"prompt_{n}"))]
    several += [words for words in list(mapping(args.get("tasks")).values())[:_PROMPTS] if isinstance(words, str)]
    prompts = args.get("prompts")
    several += [words for words in (prompts if isinstance(prompts, list) else [])[:_PROMPTS] if isinstance(words, str)]
    tasks = args.get("task_parameters")
    several += [
        words for one in (tasks if isinstance(tasks, list) else [])[:_PROMPTS] if (words := field(mapping(one), "instructions"))
    ]
    several += [words for one in _started(args) if (words := first_text(one, "query", "prompt_template", "prompt", "task"))]
    return "\n".join(several) or first_text(args, "prompt", "message", "instructions", "objective", "task", "request", "query")
