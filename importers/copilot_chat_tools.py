"""One tool call of Copilot Chat: what it sets out to do, by what it was let through, and how it went."""

from __future__ import annotations

import re
from urllib.parse import unquote

from importers.shared.agent_tools import act_of
from importers.shared.agents import Act, exec_act, field, file_act, mcp_act, web_act, words_of
from importers.shared.chat import json_of
from importers.shared.fields import Json, mapping
from importers.shared.transcript import objects
from model.event import Target
from model.words import Effect, TargetClass, Tri, Verb

_AROUND = re.compile(r"^(?:copilot|vscode|github)_|_internal$")
_LINKED = re.compile(r"\]\((file://[^)\s]+|vscode-remote://[^)\s]+|https?://[^)\s]+)\)")
_OWN: dict[str, Verb] = {
    name: verb
    for verb, names in (
        (Verb.FILE_READ, "findTextInFiles findFiles searchCodebase getErrors getChangedFiles listCodeUsages testFailure "
         "readProjectStructure getNotebookSummary readNotebookCellOutput getSearchResults searchWorkspaceSymbols findTestFiles "
         "getDocInfo vscodeAPI getVSCodeAPI testSearch"),
        (Verb.FILE_WRITE, "insertEdit replaceString multiReplaceString editFile editNotebook createNewWorkspace createNewJupyterNotebook"),
        (Verb.EXEC, "runTests runNotebookCell createAndRunTask run_task runTask get_task_output runVscodeCommand run_vscode_command"),
        (Verb.HTTP_REQUEST, "openSimpleBrowser openBrowser fetchWebPage fetch_webpage"),
        (Verb.REPO_READ, "githubRepo githubTextSearch"),
        (Verb.AGENT_MESSAGE, "manage_todo_list think askQuestions confirmation switchAgent toolSearch"),
        (Verb.PACKAGE_INSTALL, "installExtension install_extension"),
    )
    for name in names.split()
}  # fmt: skip
PERSON = "a person"
# ToolConfirmKind of the editor.
_CONFIRMED = {
    0: (Effect.DENY, "denied"),
    1: (Effect.ALLOW, "no confirmation needed"),
    2: (Effect.ALLOW, "setting"),
    3: (Effect.ALLOW, "allowed before"),
    4: (Effect.ALLOW, PERSON),
}
_SKIPPED = 5
"""Skipped by a person, or still waiting for one to approve what came back: the log does not tell these apart."""


def path_of(uri: object) -> str:
    """The path of a URI, written as a text or as its parts."""
    if isinstance(uri, str):
        rest = uri.partition("://")[2]
        return unquote("/" + rest.partition("/")[2] if rest else uri).split("#", 1)[0][:4000]
    parts = mapping(uri)
    return (field(parts, "fsPath") or field(parts, "path") or path_of(field(parts, "external")))[:4000] if parts else ""


def call_of(part: Json, given: object) -> tuple[str, Act, object]:
    """The tool's name, what the call does, and its arguments as far as they are known."""
    tool = field(part, "toolId")[:300] or "unknown"
    data = mapping(part.get("toolSpecificData"))
    kind, details = field(data, "kind"), mapping(part.get("resultDetails"))
    if given is None:
        given = data.get("rawInput") if kind == "input" else json_of(details.get("input"))
    source = mapping(part.get("source"))
    if field(source, "type") == "mcp" or tool.startswith("mcp_"):
        server = field(source, "serverLabel") or field(source, "label") or tool.split("_")[1][:100]
        return tool, mcp_act(server, tool.removeprefix("mcp_").removeprefix(f"{server}_")), given
    if (kind in ("terminal", "terminal2") or "commandLine" in data) and (command := _command(data)):
        folder = path_of(data.get("cwd"))
        return tool, exec_act(command, {"cwd": folder} if folder else None), given
    if kind == "subagent":
        words = {"prompt": field(data, "prompt"), "description": field(data, "description"), "agent": field(data, "agentName")}
        return tool, act_of("runSubagent", words), words
    name = _AROUND.sub("", _AROUND.sub("", tool))
    return tool, _named(part, name, given), given


def _command(data: Json) -> str:
    """The command that ran: as a person edited it, as the tool changed it, as the model gave it."""
    line = data.get("commandLine")
    told = mapping(line)
    shown = field(told, "userEdited") or field(told, "toolEdited") or field(told, "original")
    return shown or (line if isinstance(line, str) else "") or field(data, "command")


def _named(part: Json, name: str, given: object) -> Act:
    verb = _OWN.get(name)
    act = act_of("fetch" if verb is Verb.HTTP_REQUEST else name, given if given is not None else {})
    if verb in (Verb.FILE_READ, Verb.FILE_WRITE):
        act = file_act(verb, act_of("view", given).target.name)
    elif verb is Verb.AGENT_MESSAGE:
        act = Act(verb, Target(TargetClass.AGENT))
    elif verb is not None:
        act = act._replace(verb=verb)
    if act.target.name:
        return act
    # Without arguments, what the call's own words link to.
    linked = _linked(part)
    if linked.startswith("http") and act.verb is Verb.HTTP_REQUEST:
        return web_act(linked)
    if linked and act.verb in (Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE):
        return file_act(act.verb, path_of(linked))
    return act


def _linked(part: Json) -> str:
    for name in ("invocationMessage", "pastTenseMessage"):
        told = part.get(name)
        words = told if isinstance(told, str) else field(mapping(told), "value")
        if (match := _LINKED.search(words[:4000])) is not None:
            return match[1]
    return ""


def decided(part: Json) -> tuple[Effect | None, str]:
    """Who or what let the call through or refused it; nothing where the log only says that it ran."""
    told = part.get("isConfirmed")
    if told is False:
        return Effect.DENY, "denied"
    kind = mapping(told).get("type")
    if type(kind) is not int or kind not in _CONFIRMED:
        return None, ""
    effect, why = _CONFIRMED[kind]
    more = field(mapping(told), "id") or field(mapping(told), "scope")
    return effect, f"{why}: {more}"[:200] if more else why


def ended(part: Json) -> tuple[Tri, str, str] | None:
    """How the call went: outcome, what came back, by whom it was refused; None where it has not ended."""
    if decided(part)[0] is Effect.DENY:
        return Tri.NO, "", "user"
    if mapping(part.get("isConfirmed")).get("type") == _SKIPPED:
        return Tri.UNKNOWN, "skipped", ""
    if part.get("isComplete") is not True:
        return None
    details = part.get("resultDetails")
    told = mapping(details)
    said = "\n".join(field(one, "value") for one in objects(told.get("output"))) or words_of(told.get("output"))
    code = mapping(mapping(part.get("toolSpecificData")).get("terminalCommandState")).get("exitCode")
    if type(code) is int:
        said = said or field(mapping(mapping(part.get("toolSpecificData")).get("terminalCommandOutput")), "text")
        return (Tri.YES if code == 0 else Tri.NO), said, ""
    if "isError" in told:
        return (Tri.NO if told.get("isError") is True else Tri.YES), said, ""
    # Without any word on it, a call that was written too early looks like one that ended.
    return (Tri.UNKNOWN, said, "") if details is not None or part.get("pastTenseMessage") else None
