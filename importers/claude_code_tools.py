"""Claude Code's tools in our words: a table, and what each call's input says about its target."""

from __future__ import annotations

from collections.abc import Callable

from importers.shared.agent_tools import act_of as others_act
from importers.shared.agents import Act, exec_act, field, file_act, mcp_act, told_apart, web_act
from importers.shared.fields import Json, mapping, text
from model.event import Target
from model.words import TargetClass, Verb


def _path(verb: Verb, *names: str) -> Callable[[Json], Act]:
    return lambda given: file_act(verb, next((found for name in names if (found := field(given, name))), ""))


def _spawn(given: Json) -> Act:
    kind = field(given, "subagent_type")[:200]
    act = Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, kind, field(given, "description")[:200]))
    return act._replace(attrs={"agent_type": kind}) if kind else act


def _search(given: Json) -> Act:
    return Act(Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, "", field(given, "query")[:300]))


def _find(given: Json) -> Act:
    act = file_act(Verb.FILE_READ, field(given, "path"))
    return act._replace(target=Target(act.target.cls, act.target.name, field(given, "pattern")[:300]))


def _resource(given: Json) -> Act:
    return mcp_act(field(given, "server"), field(given, "uri"))


def _message(given: Json) -> Act:
    return Act(Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, (field(given, "to") or field(given, "task_id"))[:200]))


def _skill(given: Json) -> Act:
    return Act(Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, (field(given, "skill") or field(given, "command"))[:200]))


def _workflow(given: Json) -> Act:
    return Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT, (field(given, "scriptPath") or field(given, "name"))[:200]))


def _remote(given: Json) -> Act:
    # A routine of the vendor's: it is made, changed or run there.
    verb = Verb.AGENT_SPAWN if field(given, "action") in ("create", "update", "run") else Verb.AGENT_MESSAGE
    return Act(verb, Target(TargetClass.AGENT, (field(given, "trigger_id") or field(mapping(given.get("body")), "name"))[:200]))


def _publish(given: Json) -> Act:
    path = field(given, "file_path")
    return Act(Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, "claude.ai", path[:300]), {"path": path[:4000]} if path else {})


def _setting(given: Json) -> Act:
    name = field(given, "setting")[:200]
    return Act(Verb.GUARDRAIL_CHANGE if name.startswith("permissions") else Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, name))


def _shell(given: Json) -> Act:
    # A process that already runs is read from or ended; nothing new is executed.
    shell = text(given.get("shell_id")) or text(given.get("bash_id")) or text(given.get("task_id"))
    return Act(Verb.EXEC, Target(TargetClass.UNKNOWN, "", shell[:200]))


# Bookkeeping within the agent, and its words to the person before it, are messages: they touch nothing outside.
TOOLS: dict[str, Callable[[Json], Act]] = {
    "Bash": lambda given: exec_act(field(given, "command") or field(given, "cmd")),
    "PowerShell": lambda given: exec_act(field(given, "command")),
    "Monitor": lambda given: exec_act(field(given, "command")),
    "BashOutput": _shell,
    "KillShell": _shell,
    "KillBash": _shell,
    "Read": _path(Verb.FILE_READ, "file_path", "path"),
    "NotebookRead": _path(Verb.FILE_READ, "notebook_path"),
    "LS": _path(Verb.FILE_READ, "path"),
    "LSP": _path(Verb.FILE_READ, "filePath", "file_path"),
    "Grep": _find,
    "Glob": _find,
    "Edit": _path(Verb.FILE_WRITE, "file_path", "path"),
    "MultiEdit": _path(Verb.FILE_WRITE, "file_path", "path"),
    "Write": _path(Verb.FILE_WRITE, "file_path", "path"),
    "NotebookEdit": _path(Verb.FILE_WRITE, "notebook_path", "file_path"),
    "WebFetch": lambda given: web_act(field(given, "url")),
    "WebSearch": _search,
    "Task": _spawn,
    "Agent": _spawn,
    "SendMessage": _message,
    "AgentOutputTool": _message,
    "TaskOutput": _message,
    "TaskStop": _message,
    "TaskCreate": _message,
    "TaskUpdate": _message,
    "TaskList": _message,
    "TaskGet": _message,
    "TodoWrite": _message,
    "TodoRead": _message,
    "ToolSearch": _message,
    "EnterPlanMode": _message,
    "ExitPlanMode": _message,
    "exit_plan_mode": _message,
    "AskUserQuestion": _message,
    "Skill": _skill,
    "SlashCommand": _skill,
    "Workflow": _workflow,
    "RemoteTrigger": _remote,
    "Artifact": _publish,
    "Config": _setting,
    "REPL": lambda given: exec_act(field(given, "code")),
    "EnterWorktree": _path(Verb.FILE_WRITE, "path", "name"),
    "ExitWorktree": lambda given: Act(Verb.FILE_DELETE if field(given, "action") == "remove" else Verb.AGENT_MESSAGE),
    **dict.fromkeys(
        (
            "CronCreate",
            "CronDelete",
            "CronList",
            "PushNotification",
            "ReportFindings",
            "ScheduleWakeup",
            "SendUserFile",
            "SendUserMessage",
            "StructuredOutput",
            "TeamCreate",
            "TeamDelete",
            "WaitForMcpServers",
        ),
        _message,
    ),
    "ListMcpResourcesTool": _resource,
    "ReadMcpResourceTool": _resource,
}


def act_of(name: str, given: object) -> Act:
    """What a call of this tool with this input sets out to do; a tool nobody knows is `unknown`, never harmless."""
    found = TOOLS.get(name)
    if found is not None:
        act = found(mapping(given))
    elif name.startswith("mcp__"):
        server, _, tool = name[5:].partition("__")
        act = mcp_act(server, tool, given)
    else:
        # Programs that print this one's stream have tools of their own.
        act = others_act(name, given)
    return told_apart(act, given)
