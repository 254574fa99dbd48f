"""A policy as Claude Code's settings: the lists `deny`, `ask` and `allow`, in the same order of precedence as ours."""

from __future__ import annotations

import json
import re

from policy.agents import adapter_of
from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Refusal, Unexportable, surviving
from policy.export.calls import Agent, Command, Selector, Server, Tool, held_against, selectors
from policy.model import Policy, Rule

AGENT = Agent(
    "claude-code",
    ("Bash", "Read", "Edit", "Write", "NotebookEdit", "Glob", "Grep", "WebFetch", "WebSearch", "Task"),
    frozenset({"Bash"}),
)
_SPECIAL = re.compile(r"[*()\\\n]|:\*?$")


class ClaudeCode:
    """See `policy.export.base.Target`."""

    id = "claude-code"
    title = "Claude Code settings"
    file = "settings.json"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        found: dict[str, list[Selector]] = {}

        def written(rule: Rule) -> str:
            found[rule.id] = selectors(rule, AGENT, per_command=per_command)
            return "\n".join(map(_rule, found[rule.id]))

        kept, refused = surviving(policy, place, written)
        lists: dict[str, list[str]] = {"deny": [], "ask": [], "allow": []}
        for rule, text in kept:
            lists[rule.effect] += [one for one in text.splitlines() if one not in lists[rule.effect]]
        allowed = any(rule.effect == "allow" for rule, _ in kept)
        if policy.default != "allow" and allowed:
            why = f"Claude Code decides by itself what no rule names, and a rule that says {policy.default} to all outranks every allow"
            refused.append(place.default(why))
        # A part of a policy says nothing of the rest: what lets the rest through would let through what the refused rules deny.
        permissions: dict[str, object] = {} if refused else {"defaultMode": "bypassPermissions"}
        if policy.default != "allow" and not refused:
            lists[policy.default].append("*")
        permissions |= {effect: rules for effect, rules in lists.items() if rules}
        text = json.dumps({"permissions": permissions}, indent=2, ensure_ascii=False) + "\n"
        proved = self._proved(policy, place, text, [(rule, found[rule.id]) for rule, _ in kept])
        wrong = [one for one in proved if one.rule or not refused]
        refused += wrong
        text = "" if wrong else text
        return Exported(text, tuple(refused), (
            "bypassPermissions lets through what no rule names, as the policy's default does: no other mode may be set elsewhere",
            *(("each command of a compound is judged by itself, also behind wrappers such as timeout",) if per_command else ()),
        ))  # fmt: skip

    def _proved(self, policy: Policy, place: Places, text: str, kept: list[tuple[Rule, list[Selector]]]) -> list[Refusal]:
        held = adapter_of(self.id).load([RuleFile("project", self.file, text)])
        mode = "" if "defaultMode" in text else "default"
        return held_against(policy, AGENT, place, held, kept, lambda tool, given: asked(tool, given, mode))


def asked(tool: str, given: dict[str, object], mode: str = "") -> Call:
    """A call as it would come from a session in a folder; without a mode it is that of the settings."""
    server = tool.split("__")[1] if tool.startswith("mcp__") else ""
    return Call(tool, given, cwd="/work/project", project="/work/project", home="/home/dev", mode=mode, mcp_server=server)


def _rule(one: Selector) -> str:
    match one:
        case Tool(name):
            return name
        case Server("", _):
            raise Unexportable("Claude Code has no rule for the tools of all MCP servers; name the servers")
        case Server(name, tool):
            return f"mcp__{name}__{tool}" if tool else f"mcp__{name}"
        case Command(text, prefix):
            if _SPECIAL.search(text) or text != text.strip() or not text:
                raise Unexportable(f"a rule cannot hold the command `{text[:60]}`: its signs have a meaning of their own")
            return f"Bash({text}:*)" if prefix else f"Bash({text})"
    raise AssertionError(one)


TARGET = ClaudeCode()
