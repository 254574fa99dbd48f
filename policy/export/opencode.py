"""A policy as opencode's `permission`: the last rule that matches wins, so that stricter effects are written later."""

from __future__ import annotations

import json
import re

from policy.agents import adapter_of
from policy.agents.base import Call, RuleFile
from policy.export.base import Exported, Places, Unexportable, surviving
from policy.export.calls import Agent, Command, Selector, Server, Tool, held_against, selectors
from policy.model import CODE, Policy, Rule

AGENT = Agent(
    "opencode",
    ("bash", "read", "edit", "write", "glob", "grep", "list", "webfetch", "websearch", "task"),
    frozenset({"bash"}),
    "",
)
_EDITS = frozenset({"edit", "write"})
_SPECIAL = re.compile(r"[*?\\\n]")
_OWN = ("external_directory", "doom_loop")
"""Questions of opencode's own that no policy knows: they are answered yes, the tool's own question decides."""


class Opencode:
    """See `policy.export.base.Target`."""

    id = "opencode"
    title = "opencode permission"
    file = "opencode.json"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        found: dict[str, list[Selector]] = {}

        def written(rule: Rule) -> str:
            found[rule.id] = selectors(rule, AGENT, per_command=per_command)
            if {one.name for one in found[rule.id] if isinstance(one, Tool)} & _EDITS not in (set(), _EDITS):
                raise Unexportable("opencode has one permission, `edit`, for all tools that change files; name edit and write")
            for one in found[rule.id]:
                if isinstance(one, Server):
                    raise Unexportable("opencode names tools of MCP servers `server_tool`, which a request does not tell apart")
                if isinstance(one, Command) and (_SPECIAL.search(one.text) or one.text != one.text.strip() or not one.text):
                    raise Unexportable(
                        f"a pattern cannot hold the command `{one.text[:60]}`: its signs have a meaning of their own"
                    )
            return ""

        kept, refused = surviving(policy, place, written)
        # A part of a policy says nothing of the rest: asking about it lets nothing through that the refused rules deny.
        default = "ask" if refused else policy.default
        permission: dict[str, object] = {"*": default, **dict.fromkeys(_OWN, default if refused else "allow")}
        tools: dict[str, str] = {}
        commands: list[tuple[str, Command]] = []
        for rule, _ in sorted(kept, key=lambda pair: CODE[pair[0].effect]):
            for one in found[rule.id]:
                if isinstance(one, Tool):
                    tools["edit" if one.name in _EDITS else one.name] = rule.effect
                elif isinstance(one, Command):
                    commands.append((rule.effect, one))
        shell = tools.pop("bash", None)
        patterns: dict[str, str] = {"*": shell or default}
        for effect, one in commands:
            if shell is None or CODE[effect] > CODE[shell]:
                pattern = f"{one.text} *" if one.prefix else one.text
                patterns.pop(pattern, None)
                patterns[pattern] = effect
        # An object for files that are read replaces the program's own questions about .env files.
        permission |= {"read": tools.pop("read", default), **tools, "bash": patterns if commands else patterns["*"]}
        text = json.dumps({"permission": permission}, indent=2, ensure_ascii=False) + "\n"
        if not refused:
            held = adapter_of(self.id).load([RuleFile("project", self.file, text)])
            refused += held_against(policy, AGENT, place, held, [(rule, found[rule.id]) for rule, _ in kept], asked)
            text = "" if refused else text
        notes = ("each command of a compound is judged by itself",) if per_command else ()
        return Exported(text, tuple(refused), notes)


def asked(tool: str, given: dict[str, object]) -> Call:
    """A call as it would come from a session in a folder."""
    return Call(tool, given, cwd="/work/project", project="/work/project", home="/home/dev")


TARGET = Opencode()
