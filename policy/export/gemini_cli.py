"""A policy as Gemini CLI's TOML: the rule of highest priority decides, so that an effect is a priority."""

from __future__ import annotations

import json

from policy.agents import adapter_of
from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Unexportable, surviving
from policy.export.calls import WORDS, Agent, Command, Selector, Server, Tool, held_against, selectors
from policy.model import Policy, Rule

AGENT = Agent(
    "gemini-cli",
    ("run_shell_command", "read_file", "write_file", "replace", "glob", "grep_search", "web_fetch", "google_web_search"),
    frozenset({"run_shell_command"}),
    "mcp_",
)
_PRIORITY = {"deny": 900, "ask": 600, "allow": 300}
_DECISION = {"deny": "deny", "ask": "ask_user", "allow": "allow"}


class GeminiCli:
    """See `policy.export.base.Target`."""

    id = "gemini-cli"
    title = "Gemini CLI policies"
    file = "remit.toml"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        found: dict[str, list[Selector]] = {}

        def written(rule: Rule) -> str:
            found[rule.id] = selectors(rule, AGENT, per_command=per_command)
            return "".join(_rule(rule, one) for one in found[rule.id])

        kept, refused = surviving(policy, place, written)
        default = f'[[rule]]\ntoolName = "*"\ndecision = "{_DECISION[policy.default]}"\npriority = 1\n'
        # A part of a policy says nothing of the rest, which stays the program's own to decide.
        text = "\n".join([*(text for _, text in kept if text), *([] if refused else [default])])
        if not refused:
            held = adapter_of(self.id).load([RuleFile("user", self.file, text)])
            refused += held_against(policy, AGENT, place, held, [(rule, found[rule.id]) for rule, _ in kept], asked)
            text = "" if refused else text
        notes = (
            "where nobody can be asked, Gemini CLI denies what is to be asked",
            *(("each command of a compound is judged by itself; one with a redirection is asked about",) if per_command else ()),
        )
        return Exported(text, tuple(refused), notes)


def asked(tool: str, given: dict[str, object]) -> Call:
    """A call as it would come from a session in a folder, with somebody at the keyboard."""
    server = tool.split("_")[1] if tool.startswith("mcp_") else ""
    return Call(
        tool,
        given,
        cwd="/work/project",
        project="/work/project",
        home="/home/dev",
        mode="default",
        interactive=True,
        trusted=True,
        mcp_server=server,
    )


def _rule(rule: Rule, one: Selector) -> str:
    match one:
        case Tool(name):
            about = f"toolName = {json.dumps(name)}"
        case Server("", _):
            about = 'mcpName = "*"'
        case Server(name, tool):
            about = f"mcpName = {json.dumps(name)}" + (f"\ntoolName = {json.dumps(tool)}" if tool else "")
        case Command(text, prefix):
            if not WORDS.fullmatch(text) or not prefix:
                raise Unexportable(
                    f"`{text[:60]}`: a commandPrefix is a row of plain words and matches with more words after it; "
                    'write `== P || startsWith(P + " ")`'
                )
            about = f'toolName = "run_shell_command"\ncommandPrefix = {json.dumps(text)}'
        case _:
            raise AssertionError(one)
    message = f"deny_message = {json.dumps(rule.reason)}\n" if rule.reason and rule.effect == "deny" else ""
    return f'[[rule]]\n{about}\ndecision = "{_DECISION[rule.effect]}"\npriority = {_PRIORITY[rule.effect]}\n{message}'


TARGET = GeminiCli()
