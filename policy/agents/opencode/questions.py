"""The questions an opencode tool asks before it does anything: (permission, patterns), in its order."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from lang.shell_syntax import bounded_root, nodes_below
from policy.agents.base import Call, name_set
from policy.agents.opencode.rules import EDITS, expanded, permission_of

_MOVES = name_set("cd rm cp mv mkdir touch chmod chown cat")
"""Commands whose arguments are looked at for folders outside the project."""
_WORDS = name_set("command_name word string raw_string concatenation")


def questions(call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The questions a tool asks before it does anything, in its order: (permission, patterns)."""
    given = call.input
    project = call.project or call.cwd

    def text(*names: str) -> str:
        return next((v for n in names if isinstance(v := given.get(n), str)), "")

    if call.tool == "bash":
        yield from _shell(text("command"), text("workdir"), call)
    elif call.tool in EDITS or call.tool in ("read", "lsp"):
        path = _resolved(text("filePath", "file_path", "path"), call)
        yield from _outside(posixpath.dirname(path), path, project)
        yield permission_of(call.tool), (posixpath.relpath(path, project) if project else path,)
    elif call.tool in ("glob", "grep", "list"):
        folder = _resolved(text("path") or project, call)
        yield from _outside(folder, folder, project)
        yield call.tool, (text("pattern") if call.tool != "list" else folder,)
    elif call.tool in ("webfetch", "websearch", "codesearch"):
        yield call.tool, (text("url", "query"),)
    elif call.tool == "task":
        yield call.tool, (text("subagent_type"),)
    elif call.tool == "skill":
        yield call.tool, (text("name"),)
    else:
        yield call.tool, ("*",)


def _outside(folder: str, path: str, project: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if project and not _within(path, project):
        yield "external_directory", (posixpath.join(folder, "*"),)


def _within(path: str, project: str) -> bool:
    return path == project or path.startswith(project.rstrip("/") + "/")


def _resolved(path: str, call: Call) -> str:
    return posixpath.normpath(posixpath.join(call.cwd or call.project, expanded(path.replace("\\", "/"), call.home)))


def _shell(command: str, workdir: str, call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every command of a script asks by itself; a redirection counts where it stands with that one command alone."""
    patterns: dict[str, None] = {}
    folders: dict[str, None] = {}
    project = call.project or call.cwd
    here = _resolved(workdir, call) if workdir else call.cwd or project
    if workdir and project and not _within(here, project):
        folders[posixpath.join(here, "*")] = None
    data = command.encode()
    root = bounded_root(data)
    for node in nodes_below(root) if root is not None else ():
        if node.type != "command":
            continue
        outer = node.parent if node.parent is not None and node.parent.type == "redirected_statement" else node
        words = [data[c.start_byte : c.end_byte].decode("utf-8", "replace") for c in node.children if c.type in _WORDS]
        if not words:
            continue
        if words[0] in _MOVES and project:
            for word in words[1:]:
                if word.startswith("-") or (words[0] == "chmod" and word.startswith("+")) or re.search(r"[$`*?]", word):
                    continue
                path = posixpath.normpath(posixpath.join(here, expanded(word.strip("'\""), call.home)))
                if not _within(path, project):
                    folder = path if words[0] == "cd" or word.endswith("/") else posixpath.dirname(path)
                    folders[posixpath.join(folder, "*")] = None
        if words[0] != "cd":
            patterns[data[outer.start_byte : outer.end_byte].decode("utf-8", "replace").strip()] = None
    if folders:
        yield "external_directory", tuple(folders)
    if patterns:
        yield "bash", tuple(patterns)
