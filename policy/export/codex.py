"""A policy as Codex's rules: one `prefix_rule` for each command; what no rule names Codex decides by itself."""

from __future__ import annotations

import json

from policy.agents import adapter_of
from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Unexportable, surviving
from policy.export.calls import WORDS, Agent, Command, Selector, held_against, selectors
from policy.model import Policy, Rule

AGENT = Agent("codex", ("shell", "exec_command"), frozenset({"shell", "exec_command"}), "mcp__")
_DECISIONS = {"deny": "forbidden", "ask": "prompt", "allow": "allow"}


class Codex:
    """See `policy.export.base.Target`."""

    id = "codex"
    title = "Codex rules"
    file = "remit.rules"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        found: dict[str, list[Selector]] = {}

        def written(rule: Rule) -> str:
            found[rule.id] = selectors(rule, AGENT, per_command=per_command)
            return "".join(_rule(rule, one) for one in found[rule.id])

        kept, refused = surviving(policy, place, written)
        text = "".join(text for _, text in kept)
        held = adapter_of(self.id).load([RuleFile("user", self.file, text)])
        about = [(rule, [one for one in found[rule.id] if isinstance(one, Command)]) for rule, _ in kept]
        named = _silent(AGENT)
        proved = [one for one in held_against(policy, named, place, held, about, asked) if one.rule]
        refused += proved
        text = "".join(text for rule, text in kept if rule.id not in {one.rule for one in proved})
        refused.append(
            place.default("Codex has no rule for everything: what no rule names it decides by approval policy and sandbox")
        )
        return Exported(text, tuple(refused), ("each command of a script is judged by itself",))


def _silent(agent: Agent) -> Agent:
    """The agent with no tools to ask about by themselves: rules of commands say nothing of other calls."""
    return Agent(agent.id, (), agent.shells, agent.mcp)


def asked(tool: str, given: dict[str, object]) -> Call:
    """A call as it would come from a session in a folder."""
    return Call(
        tool, given, cwd="/work/project", project="/work/project", home="/home/dev", mode="on-request", sandbox="workspace-write"
    )


def _rule(rule: Rule, one: Selector) -> str:
    if not isinstance(one, Command):
        raise Unexportable("Codex's rules are about commands alone, not about tools")
    if not one.prefix:
        raise Unexportable('a prefix rule also matches the command with more words; write `== P || startsWith(P + " ")`')
    if not WORDS.fullmatch(one.text):
        raise Unexportable(f"`{one.text[:60]}` is not a row of plain words, which a prefix rule wants")
    justification = f", justification={json.dumps(rule.reason)}" if rule.reason else ""
    return f'prefix_rule(pattern={json.dumps(one.text.split(" "))}, decision="{_DECISIONS[rule.effect]}"{justification})\n'


TARGET = Codex()
