"""Whose words stand where a person's would in Claude Code: somebody's request, a command they typed, or the program's own text."""

from __future__ import annotations

from importers.shared.agents import field
from importers.shared.fields import Json, mapping

# Texts the program itself puts where a person's words would stand.
MACHINE = (
    "<command-name>",
    "<command-message>",
    "<local-command-",
    "<bash-",
    "<task-notification>",
    "<system-reminder>",
    "<user-memory-input>",
    "<teammate-message",
    "Caveat: The messages below",
    "[Request interrupted by user",
    "This session is being continued from a previous conversation",
)
# Commands about the program itself: what follows them is a setting, no request.
_OWN_COMMANDS = frozenset(
    [
        "add-dir",
        "agents",
        "allowed-tools",
        "bug",
        "clear",
        "compact",
        "config",
        "context",
        "copy",
        "cost",
        "doctor",
        "effort",
        "exit",
        "export",
        "fast",
        "feedback",
        "help",
        "hooks",
        "ide",
        "keybindings",
        "login",
        "logout",
        "mcp",
        "memory",
        "model",
        "output-style",
        "permissions",
        "plugin",
        "privacy-settings",
        "quit",
        "release-notes",
        "reload-plugins",
        "remote-env",
        "rename",
        "resume",
        "rewind",
        "sandbox",
        "stats",
        "status",
        "statusline",
        "tasks",
        "terminal-setup",
        "theme",
        "upgrade",
        "usage",
        "vim",
    ]
)


def is_request(record: Json, words: str) -> bool:
    """Whether these are somebody's words and not the program's."""
    if not words.strip() or record.get("isMeta") is True or record.get("isCompactSummary") is True:
        return False
    if record.get("isVisibleInTranscriptOnly") is True or words.startswith(MACHINE):
        return False
    origin = field(mapping(record.get("origin")), "kind")
    return origin in ("", "human") and record.get("turnOrigin") != "task_notification"


def typed(words: str) -> str:
    """A person's own command with what was typed behind it, as it was typed; "" for any other text."""
    if not words.startswith(("<command-name>", "<command-message>")):
        return ""
    name = words.partition("<command-name>")[2].partition("</command-name>")[0].strip().removeprefix("/")
    given = words.partition("<command-args>")[2].partition("</command-args>")[0].strip()
    return f"/{name} {given}" if name and given and len(name) <= 200 and name not in _OWN_COMMANDS else ""
