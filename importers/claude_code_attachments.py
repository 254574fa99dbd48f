"""What Claude Code keeps as attachments of a transcript: what hooks answered about a call, and prompts handed over late."""

from __future__ import annotations

from collections.abc import Iterator

from importers.hook_answers import answer_of
from importers.shared.agents import Frame, call_id, field
from importers.shared.fields import Json, mapping
from model.event import Event
from model.words import Effect

_ASKED = frozenset({"PreToolUse", "PermissionRequest"})
"""The hooks whose answer lets a call run or not; after a call there is nothing left to permit."""


def hook_answers(attachment: Json, frame: Frame) -> Iterator[Event]:
    """The verdict of a hook on the call it was asked about; nothing where it had nothing to say."""
    event, kind = field(attachment, "hookEvent"), field(attachment, "type")
    call = call_id(attachment.get("toolUseID"))
    if not call or event not in _ASKED:
        return
    effect, reason = Effect.UNKNOWN, ""
    if kind == "hook_permission_decision":
        effect = {"allow": Effect.ALLOW, "deny": Effect.DENY}.get(field(attachment, "decision"), Effect.UNKNOWN)
    elif kind == "hook_blocking_error":
        effect, reason = Effect.DENY, field(mapping(attachment.get("blockingError")), "blockingError")
    elif kind == "hook_success":
        effect, reason, _ = answer_of(attachment, event)
    if effect is Effect.UNKNOWN:
        return
    yield frame.verdict(effect, call=call, rule=field(attachment, "hookName")[:200] or event, reason=reason, by="hook")


def handed_over(attachment: Json) -> object:
    """The content of a prompt that waited while the agent worked; None where it is no person's."""
    if field(attachment, "type") != "queued_command" or field(attachment, "commandMode") not in ("", "prompt"):
        return None
    return attachment.get("prompt")
