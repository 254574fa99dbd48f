"""Settings of Codex and Gemini CLI that are policy: hooks, and which tools and modes are allowed. A policy, no decision.

Codex's `hooks.json` and Gemini CLI's `settings.json` name neither a session nor a time nor their own scope. Source:
Gemini CLI's settings reference; Codex's `hooks.json` as its users publish it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from importers.claude_code_settings import hook_lines
from importers.hook_answers import EVENTS
from importers.shared.agents import Frame, field
from importers.shared.fields import Json, clip, mapping, texts
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Clock, EventKind, Phase

CODEX, GEMINI = "codex", "gemini-cli"

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
_TEXT_LIMIT = 20_000


class AgentSettings:
    id = "agent-settings"
    title = "Settings of Codex and Gemini CLI (hooks, tools, modes)"
    evidence = "real"
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        return 75 if len(sample) == 1 and isinstance(sample[0], dict) and _program(sample[0]) else 0

    def open(self) -> _Reader:
        return _Reader()


def _program(settings: Json) -> str:
    """Whose settings these are, "" where nobody's: by the hooks' event names, else by the parts only one program has."""
    entries = {name: one for name, one in mapping(settings.get("hooks")).items() if isinstance(one, list)}
    named = entries.keys()
    shaped = named and all(isinstance(mapping(entry).get("hooks"), list) for one in entries.values() for entry in one)
    if shaped and named & _GEMINI_ONLY and named <= _GEMINI_EVENTS:
        return GEMINI
    if shaped and named <= EVENTS and settings.keys() <= {"hooks", "version", "description"}:
        return CODEX
    held = [name for name in _SIGNS & settings.keys() if isinstance(settings[name], dict)]
    return GEMINI if len(held) >= 3 and not any(isinstance(settings[n], str) for n in _SIGNS & settings.keys()) else ""


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: settings are one JSON object")
        program = _program(record)
        if not program:
            raise BadRecord("no settings of Codex or Gemini CLI: neither their hooks nor their parts")
        return Parsed([_posture(record, program)], type="settings")


def _posture(settings: Json, program: str) -> Event:
    """What is in force by these settings: mode, sandbox, and every rule in words."""
    stated = {name: settings[name] for name in sorted(_GEMINI_PARTS & settings.keys())}
    attrs: dict[str, Attr] = {"policy_revision": digest(_canonical(stated))[:20]}
    if mode := field(mapping(settings.get("general")), "defaultApprovalMode")[:100]:
        attrs["mode"] = mode
    sandbox = mapping(settings.get("tools")).get("sandbox")
    if sandbox is not None:
        attrs["sandbox"] = sandbox[:100] if isinstance(sandbox, str) else "disabled" if sandbox is False else "enabled"
    frame = Frame(program, None, Clock.ORDER_ONLY, "", "", (), {}, program)
    return frame.event(EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=clip("\n".join(_words(settings)), _TEXT_LIMIT))


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


def _canonical(stated: Json) -> bytes:
    try:
        return msgspec.json.encode(stated, order="sorted")
    except (TypeError, ValueError, RecursionError):
        return b""


IMPORTER = AgentSettings()
