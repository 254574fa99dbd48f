"""Which agent a hook's input comes from: many products run hooks under the event names of Claude Code, and some those of its settings."""

from __future__ import annotations

from importers.shared.fields import Json, text

_FOLDERS = (
    ("/.gemini/", "gemini-cli"), ("/.qwen/", "qwen-code"), ("/.iflow/", "iflow-cli"), ("/.copilot/", "copilot-cli"), ("/.factory/", "droid"),
    ("/github.copilot-chat/", "copilot-chat"), ("/GitHub.copilot-chat/", "copilot-chat"), ("/.codex/", "codex"), ("/.claude/", "claude-code"),
)  # fmt: skip
DIALECTS = frozenset({"windsurf", "cline", "auggie"})
"""The agents with hooks of their own, as what translates them says."""
_COPILOT = frozenset({"toolArgs", "toolResult", "tool_result"})
"""Members that only Copilot's hooks are given."""


def hook_agent(given: Json) -> str:
    """The product whose hook was given this; "" where nothing in it tells one product from the others."""
    path = text(given.get("transcript_path")).replace("\\", "/")
    if _COPILOT & given.keys():
        return "copilot-cli"
    if (told := text(given.get("dialect"))) in DIALECTS:
        return told
    if "cursor_version" in given:
        # It runs the hooks of Claude Code's settings as well.
        return "cursor"
    if (named := next((agent for folder, agent in _FOLDERS if folder in path), "")) != "":
        return named
    return "codex" if "turn_id" in given or "/rollout-" in path else ""
