"""Cursor's lists: tokens of the command line (`Shell(git)`, `Read(src/**)`), prefixes of the editor, and how each compares."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from fnmatch import fnmatchcase

import msgspec

from lang.jsonc import loads
from lang.names import host_name
from model.words import Effect, Tri
from policy.agents.base import Call, RuleFile, name_set
from policy.agents.jsonc import diagnostic, syntax
from policy.agents.listed import Listed, path_fits, split_entry
from policy.diagnostics import Diagnostic

KINDS = {"Shell": "shell", "Read": "read", "Write": "write", "WebFetch": "url", "Mcp": "mcp"}
SHELL_LIST, MCP_LIST = "terminalAllowlist", "mcpAllowlist"
PREFIX, TOKEN = "prefix", "token"
APPROVALS = name_set("allowlist unrestricted auto-review")


class Config(msgspec.Struct):
    """What one file states. `editor` says that it is the editor's list, not the command line's."""

    file: RuleFile
    editor: bool
    rules: list[Listed] = []
    approval: str = ""
    sandboxed: bool = False
    problems: list[Diagnostic] = []


def read_config(file: RuleFile) -> Config:
    """The lists of a file; what is no list or no text in it is said and left out."""
    found = Config(file, False)
    try:
        told = loads(file.text) if file.text.strip() else {}
    except ValueError as error:
        found.problems.append(syntax(file.text, error))
        return found
    if not isinstance(told, dict):
        found.problems.append(diagnostic(file.text, (), "error", "no-load", "a configuration is an object"))
        return found
    found.editor = bool(told.keys() & {SHELL_LIST, MCP_LIST, "autoRun"})
    permissions = told.get("permissions")
    if permissions is not None and not isinstance(permissions, dict):
        found.problems.append(
            diagnostic(file.text, ("permissions",), "error", "no-load", "`permissions` is an object with `allow` and `deny`")
        )
    lists = permissions if isinstance(permissions, dict) else {}
    for key, effect in (("allow", Effect.ALLOW), ("deny", Effect.DENY)):
        for entry in _texts(found, lists.get(key), ("permissions", key)):
            kind, argument = split_entry(entry)
            found.rules.append(Listed(effect, entry, file.name, KINDS.get(kind, kind), argument, TOKEN))
    for key, kind in ((SHELL_LIST, "shell"), (MCP_LIST, "mcp")):
        for entry in _texts(found, told.get(key), (key,)):
            found.rules.append(Listed(Effect.ALLOW, entry, file.name, kind, entry, PREFIX))
    approval = told.get("approvalMode")
    if isinstance(approval, str):
        found.approval = approval
        if approval not in APPROVALS:
            found.problems.append(
                diagnostic(file.text, ("approvalMode",), "warning", "unknown", f"`{approval}` is no approval mode")
            )
    sandbox = told.get("sandbox")
    found.sandboxed = isinstance(sandbox, dict) and sandbox.get("mode") == "enabled"
    return found


def _texts(found: Config, value: object, path: tuple[str, ...]) -> list[str]:
    if value is None:
        return []
    kept = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(kept) < len(value):
        what = f"`{path[-1]}` is a list of texts; what is none is dropped"
        found.problems.append(diagnostic(found.file.text, path, "warning", "ignored", what))
    return kept


def shell_matches(words: Sequence[str], rule: Listed) -> Tri:
    """Whether a rule names a command: by its first word as a pattern, `:` before one of its arguments; or as a prefix of its words."""
    if rule.kind != "shell":
        return Tri.NO
    if rule.argument in (None, ""):
        return Tri.YES if rule.argument is None and rule.text == "Shell" else Tri.NO
    written, command = str(rule.argument), " ".join(words)
    if rule.how == PREFIX:
        return _yes(command == written or command.startswith(written + " "))
    base, split, arguments = written.partition(":")
    if not words:
        return Tri.NO
    if " " in base.strip():
        # More than a first word is not what the documentation describes.
        return Tri.UNKNOWN if command == base or command.startswith(base + " ") else Tri.NO
    names = {words[0], posixpath.basename(words[0])}
    if not any(fnmatchcase(name, base) for name in names):
        return Tri.NO
    found = not split or fnmatchcase(" ".join(words[1:]), arguments)
    # Whether a program called by its path is met by its name is not written anywhere.
    sure = fnmatchcase(words[0], base) or "*" in base
    return (Tri.YES if sure else Tri.UNKNOWN) if found else Tri.NO


def path_matches(rule: Listed, kind: str, path: str, call: Call) -> Tri:
    """Whether a rule on files names one: relative patterns are those of the workspace."""
    if rule.kind != kind:
        return Tri.NO
    if rule.argument in (None, "", "*", "**"):
        return Tri.YES
    if not path:
        return Tri.UNKNOWN
    root = (call.project or call.cwd).replace("\\", "/")
    full = _absolute(path, call)
    pattern = _home(str(rule.argument).replace("\\", "/"), call.home)
    if pattern.startswith(("/", "**")):
        return _yes(
            path_fits(pattern if pattern.startswith("/") else f"/{pattern}", full if full.startswith("/") else f"/{full}")
        )
    if not root:
        return _yes(path_fits(pattern.removeprefix("./"), path.removeprefix("./"))) if not path.startswith("/") else Tri.UNKNOWN
    return _yes(
        full.startswith(root.rstrip("/") + "/") and path_fits(pattern.removeprefix("./"), full[len(root.rstrip("/")) + 1 :])
    )


def _absolute(path: str, call: Call) -> str:
    path = _home(path.replace("\\", "/"), call.home)
    return posixpath.normpath(posixpath.join(call.cwd or call.project or ".", path))


def _home(path: str, home: str) -> str:
    return home + path[1:] if home and (path == "~" or path.startswith("~/")) else path


def url_matches(rule: Listed, url: str) -> Tri:
    """Whether a rule names the host of an address: exactly, or with `*.` all hosts below it."""
    if rule.kind != "url":
        return Tri.NO
    wanted, host = (rule.argument or "*").lower(), host_name(url).lower()
    if wanted == "*":
        return Tri.YES
    if not host:
        return Tri.UNKNOWN
    return _yes(host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted)


def mcp_matches(rule: Listed, server: str, tool: str) -> Tri:
    """Whether `server:tool` names a call; either may hold `*`."""
    if rule.kind != "mcp":
        return Tri.NO
    wanted, _, name = (rule.argument or "*:*").replace(", ", ":").partition(":")
    if not fnmatchcase(tool, name.strip() or "*"):
        return Tri.NO
    if not server:
        return Tri.YES if wanted == "*" else Tri.UNKNOWN
    return _yes(fnmatchcase(server, wanted.strip()))


def _yes(value: bool) -> Tri:
    return Tri.YES if value else Tri.NO
