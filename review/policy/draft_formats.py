"""The languages a draft can be written in: how each is called, told by a file's name, begun with and coloured."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import PurePath

import msgspec

from policy import formats
from policy.agents import adapters
from policy.model import FORMAT


class DraftFormat(msgspec.Struct, frozen=True):
    """One language: its id and title, the file name a new draft has, the text it begins with, the name of its colours or ""."""

    id: str
    title: str
    file: str
    starter: str
    colours: str = ""

    @property
    def agent(self) -> bool:
        """Whether these are an agent's own rules, judged over that agent's calls alone."""
        return self.id in adapters()


_STARTERS: dict[str, tuple[str, str]] = {
    FORMAT: (
        "policy.yaml",
        """version: 1
name: coding-agents
default: allow
rules:
  - id: no-force-push
    effect: deny
    when: action.verb == "repo.write" && action.forced
    reason: history of shared branches is not rewritten
""",
    ),
    "cedar": (
        "policy.cedar",
        """@id("no-force-push")
forbid (principal, action, resource)
when { context.action has forced && context.action.forced };

permit (principal, action, resource);
""",
    ),
    "rego": (
        "policy.rego",
        """package remit

import rego.v1

default allow := true

deny contains "history of shared branches is not rewritten" if {
	input.action.verb == "repo.write"
	input.action.forced
}
""",
    ),
    "claude-code": ("settings.json", '{\n  "permissions": {\n    "deny": ["Bash(git push --force:*)"]\n  }\n}\n'),
    "codex": ("default.rules", 'prefix_rule(pattern = ["git", "push", "--force"], decision = "forbidden")\n'),
    "gemini-cli": (
        "policy.toml",
        '[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "git push --force"\ndecision = "deny"\npriority = 100\n',
    ),
    "opencode": ("opencode.json", '{\n  "permission": {\n    "bash": { "git push --force*": "deny" }\n  }\n}\n'),
    "copilot-cli": ("flags.sh", "copilot --deny-tool 'shell(git push)'\n"),
    "cursor": ("cli.json", '{\n  "permissions": {\n    "allow": [],\n    "deny": ["Shell(git push)"]\n  }\n}\n'),
}
_YAML = frozenset({".yaml", ".yml", ".json", ".jsonc"})
_OWN_NAMES = {
    "settings.json": "claude-code",
    "opencode.json": "opencode",
    "opencode.jsonc": "opencode",
    "cli.json": "cursor",
    "cli-config.json": "cursor",
}
"""Whose a file of this name is where its folder does not tell."""
_FOLDERS = {".claude": "claude-code", ".codex": "codex", ".gemini": "gemini-cli", ".opencode": "opencode", ".cursor": "cursor"}
_ENDINGS = {".yaml": FORMAT, ".yml": FORMAT, ".cedar": "cedar", ".rego": "rego"}


def draft_formats() -> dict[str, DraftFormat]:
    """Every language by id, Remit's own first."""
    titles = {one.id: one.title for one in formats().values()} | {one.id: one.title for one in adapters().values()}
    found = {}
    for id in sorted(titles, key=lambda id: (id != FORMAT, id)):
        file, text = _STARTERS.get(id, (f"policy.{id}", ""))
        found[id] = DraftFormat(id, titles[id], file, text, colours(file))
    return found


def colours(name: str) -> str:
    """The language whose colours a file of this name takes, "" for none; JSON is YAML enough."""
    return "yaml" if PurePath(name).suffix.lower() in _YAML else ""


def format_of_file(path: str, otherwise: str = FORMAT) -> str:
    """The language a file is written in, by its name and folder; `otherwise` where they tell none, or several."""
    known, where = draft_formats(), PurePath(path)
    folder = next((id for part in where.parts[::-1] if (id := _FOLDERS.get(part))), "")
    told = folder or _OWN_NAMES.get(where.name) or _ENDINGS.get(where.suffix.lower(), "")
    if told in known:
        return told
    reading = [one.id for one in adapters().values() if any(fnmatch(where.name, name) for name, _ in one.reads)]
    return reading[0] if len(reading) == 1 else otherwise
