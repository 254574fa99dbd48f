"""A policy as Cursor's lists for its command line, `permissions.allow` and `permissions.deny`, deny first."""

from __future__ import annotations

import json
from collections.abc import Sequence

from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Unexportable
from policy.export.calls import WORDS, Agent, Command, Selector, Server, Tool
from policy.export.entries import as_lists, first_words
from policy.model import Policy

AGENT = Agent(
    "cursor", ("Shell", "Read", "Grep", "Glob", "LS", "Write", "StrReplace", "Delete", "WebFetch"), frozenset({"Shell"})
)
_READS, _WRITES = frozenset({"Read", "Grep", "Glob", "LS"}), frozenset({"Write", "StrReplace", "Delete"})
_WHOLE = (
    dict.fromkeys(_READS, "Read(**)") | dict.fromkeys(_WRITES, "Write(**)") | {"Shell": "Shell(*)", "WebFetch": "WebFetch(*)"}
)


class Cursor:
    """See `policy.export.base.Target`."""

    id = "cursor"
    title = "Cursor lists"
    file = "cli.json"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        kinds, file = (_READS, _WRITES), RuleFile("project", self.file, "")
        return as_lists(policy, place, AGENT, file, kinds, "Cursor", _entries, _render, asked, per_command=per_command)


def asked(tool: str, given: dict[str, object]) -> Call:
    """A call as it would come from a session in a folder, with somebody at the keyboard."""
    server = tool.split("__")[1] if tool.startswith("mcp__") else ""
    path = given.get("file_path")
    told = {**given, "path": path} if path else given
    return Call(
        tool, told, cwd="/work/project", project="/work/project", home="/home/dev", mode="default", mcp_server=server, interactive=True
    )  # fmt: skip


def _render(allow: Sequence[str], deny: Sequence[str]) -> str:
    return json.dumps({"permissions": {"allow": list(allow), "deny": list(deny)}}, indent=2, ensure_ascii=False) + "\n"


def _entries(one: Selector) -> list[str]:
    match one:
        case Tool(name):
            return [_WHOLE[name]]
        case Server(name, tool):
            if any(sign in f"{name}{tool}" for sign in "*?[]:(),\n"):
                raise Unexportable(f"an entry cannot hold the server's name `{name[:60]}`: its signs have a meaning of their own")
            return [f"Mcp({name or '*'}:{tool or '*'})"]
        case Command(text, prefix):
            name, rest = first_words(one)
            if not WORDS.fullmatch(text) or ":" in name:
                raise Unexportable(f"`{text[:60]}` is not a row of plain words, which an entry wants")
            if not rest:
                if not prefix:
                    raise Unexportable(
                        f'`Shell({name})` also matches the command with more words; write `== P || startsWith(P + " ")`'
                    )
                return [f"Shell({name})"]
            words = " ".join(rest)
            return [f"Shell({name}:{words})", *([f"Shell({name}:{words} *)"] if prefix else [])]
    raise AssertionError(one)


TARGET = Cursor()
