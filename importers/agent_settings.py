"""Settings of Codex, Cursor and Gemini CLI that are policy: hooks, and which tools and modes are allowed. A policy, no decision.

Codex's `hooks.json`, Cursor's `cli-config.json`, `permissions.json` and `hooks.json`, and Gemini CLI's `settings.json` name
neither a session nor a time nor their own scope. Source: Gemini CLI's settings reference, Cursor's documentation of its
permissions and hooks; Codex's `hooks.json` as its users publish it.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.claude_code_settings import hook_lines
from importers.hook_answers import EVENTS
from importers.shared.agents import Frame, field
from importers.shared.fields import Json, canonical, clip, mapping, texts
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Clock, EventKind, Phase

CODEX, CURSOR, GEMINI = "codex", "cursor", "gemini-cli"

_GEMINI_EVENTS = frozenset(
    {"BeforeTool", "AfterTool", "BeforeAgent", "AfterAgent", "BeforeModel", "AfterModel", "BeforeToolSelection"}
    | {"SessionStart", "SessionEnd", "PreCompress", "Notification"}
)
_GEMINI_ONLY = _GEMINI_EVENTS - {"SessionStart", "SessionEnd", "Notification"}
_GEMINI_PARTS = frozenset({"general", "security", "tools", "hooks", "hooksConfig", "mcp", "mcpServers", "admin", "policyPaths"})
_SIGNS = frozenset({"general", "security", "privacy", "ui", "telemetry", "tools", "context", "model"})
_STATED = {
    "general": ("defaultApprovalMode",),
    "security": ("disableYoloMode", "disableAlwaysAllow", "enablePermanentToolApproval", "folderTrust", "blockGitExtensions"),
    "tools": ("sandbox", "core", "allowed", "exclude", "confirmationRequired", "enableHooks"),
    "mcp": ("allowed", "excluded"),
}
_CURSOR_LISTS = ("terminalAllowlist", "mcpAllowlist")
_CURSOR_PARTS = frozenset({"permissions", "approvalMode", "sandbox", "autoRun", "hooks", *_CURSOR_LISTS})
_CURSOR_HOOKS = frozenset(
    {"beforeShellExecution", "afterShellExecution", "beforeMCPExecution", "afterMCPExecution", "beforeReadFile", "afterFileEdit"}
    | {"beforeSubmitPrompt", "afterAgentResponse", "afterAgentThought", "beforeTabFileRead", "afterTabFileEdit", "workspaceOpen"}
)
"""Events of Cursor's hooks that no other program has."""
_CURSOR_RULES, _CLAUDE_RULES = ("Shell(", "Mcp("), ("Bash", "Edit", "mcp__")
_TEXT_LIMIT = 20_000


class AgentSettings:
    id = "agent-settings"
    title = "Settings of Codex, Cursor and Gemini CLI (hooks, tools, modes)"
    evidence = "real"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        program = _program(sample[0]) if len(sample) == 1 and isinstance(sample[0], dict) else ""
        # Cursor's lists have the outer shape of Claude Code's, which are sure of it.
        return 95 if program == CURSOR else 75 if program else 0

    def open(self) -> _Reader:
        return _Reader()


def _program(settings: Json) -> str:
    """Whose settings these are, "" where nobody's: by the hooks' event names, else by the parts only one program has."""
    if _of_cursor(settings):
        return CURSOR
    entries = {name: one for name, one in mapping(settings.get("hooks")).items() if isinstance(one, list)}
    named = entries.keys()
    shaped = named and all(isinstance(mapping(entry).get("hooks"), list) for one in entries.values() for entry in one)
    if shaped and named & _GEMINI_ONLY and named <= _GEMINI_EVENTS:
        return GEMINI
    if shaped and named <= EVENTS and settings.keys() <= {"hooks", "version", "description"}:
        return CODEX
    held = [name for name in _SIGNS & settings.keys() if isinstance(settings[name], dict)]
    return GEMINI if len(held) >= 3 and not any(isinstance(settings[n], str) for n in _SIGNS & settings.keys()) else ""


def _of_cursor(settings: Json) -> bool:
    """Whether these are Cursor's: its editor's lists, its command line's file or rules, or hooks of events only it has."""
    if any(isinstance(settings.get(name), list) for name in _CURSOR_LISTS):
        return True
    permissions = settings.get("permissions")
    if isinstance(permissions, dict):
        rules = [rule for name in ("allow", "deny") for rule in texts(permissions.get(name))]
        told = any(rule.startswith(_CURSOR_RULES) for rule in rules) and not any(rule.startswith(_CLAUDE_RULES) for rule in rules)
        return told or {"version", "editor"} <= settings.keys()
    hooks = mapping(settings.get("hooks"))
    entries = [entry for one in hooks.values() for entry in (one if isinstance(one, list) else [None])]
    return bool(_CURSOR_HOOKS & hooks.keys() and entries) and all(
        {"command", "prompt"} & mapping(entry).keys() for entry in entries
    )


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: settings are one JSON object")
        program = _program(record)
        if not program:
            raise BadRecord("no settings of Codex, Cursor or Gemini CLI: neither their hooks nor their parts")
        return Parsed([_posture(record, program)], type="settings")


def _posture(settings: Json, program: str) -> Event:
    """What is in force by these settings: mode, sandbox, and every rule in words."""
    stated = {name: settings[name] for name in sorted((_CURSOR_PARTS if program == CURSOR else _GEMINI_PARTS) & settings.keys())}
    attrs: dict[str, Attr] = {"policy_revision": digest(canonical(stated))[:20]}
    mode = (
        field(settings, "approvalMode") if program == CURSOR else field(mapping(settings.get("general")), "defaultApprovalMode")
    )
    if mode := mode[:100]:
        attrs["mode"] = mode
    sandbox = mapping(settings.get("sandbox")).get("mode") if program == CURSOR else mapping(settings.get("tools")).get("sandbox")
    if sandbox is not None:
        attrs["sandbox"] = sandbox[:100] if isinstance(sandbox, str) else "disabled" if sandbox is False else "enabled"
    frame = Frame(program, None, Clock.ORDER_ONLY, "", "", (), {}, program)
    words = _cursor_words(settings) if program == CURSOR else _words(settings)
    return frame.event(EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=clip("\n".join(words), _TEXT_LIMIT))


def _cursor_words(settings: Json) -> list[str]:
    lists = {f"permissions.{name}": rules for name, rules in mapping(settings.get("permissions")).items()}
    lists |= {name: settings[name] for name in _CURSOR_LISTS if name in settings}
    lines = [f"{name}: {', '.join(rules)}"[:2000] for name, given in lists.items() if (rules := texts(given))]
    if mode := field(settings, "approvalMode"):
        lines.append(f"approvalMode: {mode}")
    # Its hooks stand in a list each, without the group that the other programs put around them.
    hooks: Json = {
        event: [{"matcher": mapping(one).get("matcher"), "hooks": [one]} for one in entries]
        for event, entries in mapping(settings.get("hooks")).items()
        if isinstance(entries, list)
    }
    return [*lines, *hook_lines(hooks)]


def _words(settings: Json) -> list[str]:
    lines = []
    for part, names in _STATED.items():
        held = mapping(settings.get(part))
        for name in names:
            if name in held:
                listed = ", ".join(texts(held[name]))
                lines.append(f"{part}.{name}: {(listed or str(held[name]))[:2000]}")
    if servers := sorted(str(name)[:200] for name in mapping(settings.get("mcpServers"))):
        lines.append(f"MCP servers: {', '.join(servers)}")
    return [*lines, *hook_lines(mapping(settings.get("hooks")))]


IMPORTER = AgentSettings()
