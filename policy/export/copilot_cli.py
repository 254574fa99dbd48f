"""A policy as options of Copilot CLI's command line, `--allow-tool` and `--deny-tool`: deny stands over allow."""

from __future__ import annotations

from collections.abc import Sequence

from policy.agents.base import Call, RuleFile
from policy.agents.copilot_cli.commands import NAMED
from policy.export.base import Exported, Places, Unexportable
from policy.export.calls import WORDS, Agent, Command, Selector, Server, Tool
from policy.export.entries import as_lists, first_words
from policy.model import Policy

AGENT = Agent("copilot-cli", ("bash", "view", "edit", "create", "web_fetch"), frozenset({"bash"}))
_WRITES = frozenset({"edit", "create"})
_WHOLE = dict.fromkeys(_WRITES, "write") | {"bash": "shell", "view": "view"}


class CopilotCli:
    """See `policy.export.base.Target`."""

    id = "copilot-cli"
    title = "Copilot CLI options"
    file = "flags.sh"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        file = RuleFile("flags", self.file, "")
        return as_lists(policy, place, AGENT, file, (_WRITES,), "Copilot CLI", _entries, _render, asked, per_command=per_command)


def asked(tool: str, given: dict[str, object]) -> Call:
    """A call as it would come from a session in a folder, with somebody at the keyboard."""
    server = tool.split("__")[1] if tool.startswith("mcp__") else ""
    return Call(
        tool, given, cwd="/work/project", project="/work/project", home="/home/dev", mode="default", mcp_server=server, interactive=True
    )  # fmt: skip


def _render(allow: Sequence[str], deny: Sequence[str]) -> str:
    options = [*(f"--deny-tool '{one}'" for one in deny), *(f"--allow-tool '{one}'" for one in allow)]
    return " \\\n  ".join(["copilot", *options]) + "\n"


def _entries(one: Selector) -> list[str]:
    match one:
        case Tool("web_fetch"):
            raise Unexportable("Copilot CLI lists addresses (--allow-url, --deny-url), not the tool that fetches them")
        case Tool(name):
            return [_WHOLE[name]]
        case Server("", _):
            raise Unexportable("Copilot CLI has no entry for the tools of all MCP servers; name the servers")
        case Server(name, tool):
            if not WORDS.fullmatch(name + tool) or " " in name + tool:
                raise Unexportable(f"an entry cannot hold the server's name `{name[:60]}`")
            return [f"{name}({tool})" if tool else name]
        case Command(text, prefix):
            name, rest = first_words(one)
            if not WORDS.fullmatch(text):
                raise Unexportable(f"`{text[:60]}` is not a row of plain words, which an entry wants")
            if not prefix:
                raise Unexportable('an entry also matches the command with more words; write `== P || startsWith(P + " ")`')
            if len(rest) >= NAMED.get(name, 1):
                raise Unexportable(f"`{text[:60]}`: arguments are no part of the name by which Copilot CLI knows a command")
            return [f"shell({text})" if rest else f"shell({name}:*)"]
    raise AssertionError(one)


TARGET = CopilotCli()
