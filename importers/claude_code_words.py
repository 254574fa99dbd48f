"""Whose words stand where a person's would in Claude Code: somebody's request, a command they typed, or the program's own text."""

from __future__ import annotations

from importers.shared.agents import field, words_of
from importers.shared.fields import Json, mapping

# Texts the program itself puts where a person's words would stand.
MACHINE = (
    "<command-name>",
    "<command-message>",
    "<local-command-",
    "<bash-",
    "<task-notification>",
    "<agent-notification>",
    "<system-reminder>",
    "<user-memory-input>",
    "<user-prompt-submit-hook>",
    "<session-start-hook>",
    "<post-tool-use-hook>",
    "<teammate-message",
    "<cross-session-message",
    "<new-diagnostics>",
    "<tick>",
    "[SYSTEM NOTIFICATION",
    "Unknown slash command: ",
    "Stop hook feedback:\n",
    "Caveat: The messages below",
    "[Request interrupted by user",
    "This session is being continued from a previous conversation",
)
# What editors add of themselves to a person's words.
_BESIDE = ("<ide_opened_file>", "<ide_selection>", "<ide_diagnostics>")
_REMINDER, _REMINDED = "<system-reminder>", "</system-reminder>"
# Commands about the program itself: what follows them is a setting, no request.
_OWN_COMMANDS = frozenset(
    {"add-dir", "advisor", "agents", "allowed-tools", "android", "app", "background", "bashes", "bg", "branch", "btw", "bug",
     "buddy", "checkpoint", "chrome", "clear", "color", "compact", "config", "context", "continue", "copy", "cost",
     "desktop", "diff", "doctor", "effort", "exit", "export", "extra-usage", "fast", "feedback", "files", "focus", "fork",
     "heapdump", "help", "hooks", "ide", "insights", "install-github-app", "install-slack-app", "ios", "keybindings",
     "login", "logout", "marketplace", "mcp", "memory", "migrate-installer", "mobile", "model", "new", "output-style",
     "passes", "permissions", "plugin", "plugins", "powerup", "privacy-settings", "ps", "quit", "radio", "rc", "recap",
     "release-notes", "reload-plugins", "remote-control", "remote-env", "rename", "reset", "resume", "rewind", "sandbox",
     "scroll-speed", "session", "settings", "setup-bedrock", "setup-vertex", "signin", "skills", "stats", "status",
     "statusline", "stickers", "stop", "tag", "tasks", "teleport", "terminal-setup", "theme", "think-back", "todos", "tui",
     "undo", "upgrade", "usage", "usage-credits", "vim", "voice", "web-setup"}
)  # fmt: skip


def is_request(record: Json, words: str) -> bool:
    """Whether these are somebody's words and not the program's."""
    if not words.strip() or record.get("isMeta") is True or record.get("isCompactSummary") is True:
        return False
    if record.get("isVisibleInTranscriptOnly") is True or words.startswith(MACHINE):
        return False
    origin = field(mapping(record.get("origin")), "kind")
    return origin in ("", "human") and record.get("turnOrigin") != "task_notification"


def own_command(words: str) -> bool:
    """Whether these words are a command about the program itself, as it is typed."""
    name = words[1:].split(maxsplit=1)[0] if words[:1] == "/" and words[1:].strip() else ""
    return name in _OWN_COMMANDS


def spoken(content: object) -> str:
    """A message's own words: its texts without those that the program or an editor put beside them."""
    if isinstance(content, list):
        texts = [text for one in content if isinstance(one, dict) and (text := field(one, "text"))]
        content = [text for text in texts if not text.startswith((*MACHINE, *_BESIDE))] or texts
    words = words_of(content)
    return _unreminded(words).strip() or words if _REMINDER in words else words


def _unreminded(words: str) -> str:
    """The words without the reminders before and behind them; one in their midst somebody put there."""
    begin, end = 0, len(words.rstrip())
    while True:
        begin += len(words[begin : begin + 1000]) - len(words[begin : begin + 1000].lstrip())
        over = words.find(_REMINDED, begin, end) if words.startswith(_REMINDER, begin) else -1
        if over < 0:
            break
        begin = over + len(_REMINDED)
    while words.endswith(_REMINDED, begin, end):
        start = words.rfind(_REMINDER, begin, end)
        if start < 0:
            break
        end = start
        end -= len(words[max(begin, end - 1000) : end]) - len(words[max(begin, end - 1000) : end].rstrip())
    return words[begin:end]


def typed(words: str) -> str:
    """A person's own command with what was typed behind it, as it was typed; "" for any other text and the program's commands."""
    if not words.startswith(("<command-name>", "<command-message>")):
        return ""
    name = words.partition("<command-name>")[2].partition("</command-name>")[0].strip().removeprefix("/")
    given = words.partition("<command-args>")[2].partition("</command-args>")[0].strip()
    if not name or len(name) > 200 or name in _OWN_COMMANDS or name + given == "plan":
        return ""
    return f"/{name} {given}".rstrip()
