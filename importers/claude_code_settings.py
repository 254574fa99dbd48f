"""Claude Code's `settings.json`: the permission rules, mode and hooks that are in force. A policy, no decision.

The file names neither a session nor a time, nor its own scope (managed, user, project, local); it says what holds
wherever it lies.
"""

from __future__ import annotations

from collections.abc import Sequence

from importers.hook_answers import EVENTS
from importers.shared.agents import Frame, field
from importers.shared.fields import Json, canonical, clip, mapping, texts, truth
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Clock, EventKind, Phase

POINT = "claude-code"

_LISTS = ("deny", "ask", "allow")
_PERMISSIONS = frozenset({*_LISTS, "defaultMode", "additionalDirectories", "disableBypassPermissionsMode", "disableAutoMode"})
_POLICY = frozenset(
    {"permissions", "hooks", "sandbox", "disableAllHooks", "allowManagedHooksOnly", "allowManagedPermissionRulesOnly"}
    | {"enableAllProjectMcpServers", "enabledMcpjsonServers", "disabledMcpjsonServers", "allowedMcpServers", "deniedMcpServers"}
    | {"skipDangerousModePermissionPrompt"}
)
_FLAGS = sorted(_POLICY - {"permissions", "hooks", "sandbox"})
_TEXT_LIMIT = 20_000
_MAX_HOOKS = 200


class ClaudeCodeSettings:
    id = "claude-code-settings"
    title = "Claude Code settings (permissions, mode, hooks)"
    evidence = "real"
    reads_documents = True
    version = 1

    def sniff(self, sample: Sequence[object]) -> int:
        if len(sample) != 1 or not isinstance(sample[0], dict):
            return 0
        settings = sample[0]
        permissions = settings.get("permissions")
        if isinstance(permissions, dict) and permissions and _PERMISSIONS.issuperset(permissions):
            return 90
        return 80 if _has_hooks(settings) else 0

    def open(self) -> _Reader:
        return _Reader()


def _has_hooks(settings: Json) -> bool:
    """Whether `hooks` are of this program: its event names, and the members it writes and no other agent's."""
    hooks = settings.get("hooks")
    if not isinstance(hooks, dict) or not hooks or not EVENTS.issuperset(hooks):
        return False
    entries = [entry for entries in hooks.values() if isinstance(entries, list) for entry in entries]
    if not all(isinstance(entry, dict) and isinstance(entry.get("hooks"), list) for entry in entries):
        return False
    # Codex has the same shape; it writes an empty matcher as null and knows a time-out under a second name.
    return not any(
        ("matcher" in entry and entry["matcher"] is None) or any("timeoutSec" in mapping(hook) for hook in entry["hooks"])
        for entry in entries
    )


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: settings are one JSON object")
        if not _POLICY.intersection(record):
            raise BadRecord("no policy: neither permissions nor hooks nor a sandbox stand in these settings")
        return Parsed([_posture(record)], type="settings")


def _posture(settings: Json) -> Event:
    """What is in force by these settings: the mode, the sandbox, and every rule in words."""
    permissions = mapping(settings.get("permissions"))
    stated = {name: settings[name] for name in sorted(_POLICY.intersection(settings))}
    attrs: dict[str, Attr] = {"policy_revision": digest(canonical(stated))[:20]}
    if mode := field(permissions, "defaultMode")[:100]:
        attrs["mode"] = mode
    enabled = truth(mapping(settings.get("sandbox")).get("enabled"))
    if enabled is not None:
        attrs["sandbox"] = "enabled" if enabled else "disabled"
    frame = Frame(POINT, None, Clock.ORDER_ONLY, "", "", (), {}, POINT)
    return frame.event(EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=clip(_words(settings, permissions), _TEXT_LIMIT))


def _words(settings: Json, permissions: Json) -> str:
    lines = []
    if mode := field(permissions, "defaultMode"):
        lines.append(f"mode {mode}")
    for name in _LISTS:
        if rules := texts(permissions.get(name)):
            lines.append(f"{name}: {', '.join(rules)}")
    if roots := texts(permissions.get("additionalDirectories")):
        lines.append(f"also in: {', '.join(roots)}")
    lines += [
        f"{name}: {permissions[name]}" for name in ("disableBypassPermissionsMode", "disableAutoMode") if name in permissions
    ]
    lines += [f"{name}: {str(settings[name])[:300]}" for name in _FLAGS if name in settings]
    lines += hook_lines(mapping(settings.get("hooks")))
    return "\n".join(lines)


def hook_lines(hooks: Json) -> list[str]:
    found = []
    for event, entries in hooks.items():
        for entry in entries if isinstance(entries, list) else []:
            matcher = field(mapping(entry), "matcher")
            listed = mapping(entry).get("hooks")
            for hook in listed if isinstance(listed, list) else []:
                what = next(
                    (said for name in ("command", "url", "prompt", "server", "type") if (said := field(mapping(hook), name))), ""
                )
                found.append(f"hook {event}{f' on {matcher}' if matcher else ''}: {what[:500]}")
    return found[:_MAX_HOOKS]


IMPORTER = ClaudeCodeSettings()
