"""What a Codex tool output says: exit code, refusal and the text itself."""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from importers.shared.agents import words_of
from importers.shared.fields import mapping, number
from model.words import Effect, Tri

_EXIT = re.compile(r"^(?:Process exited with code|Exit code:?) (-?\d{1,9})\s*$", re.MULTILINE)
_BY_USER = re.compile(
    r"(?:(?:unified )?exec command|command|patch) rejected by user\b|rejected by user\s*$|user (?:rejected|cancelled) MCP tool call"
)
_BY_RULE = re.compile(
    r"(?:exec command|command|patch) rejected\b|rejected: |`[^`\n]{1,400}` rejected: |approval required by policy|rejected by (?:configuration|policy)"
    r"|This action was rejected due to unacceptable risk\b|automatic approval review denied\b|MCP tool call blocked by app configuration"
)
# An approval was asked for, and no answer came: the client or the automatic reviewer failed.
_UNANSWERED = re.compile(
    r"(?:(?:exec command|command|patch) rejected: |rejected: )?(?:approval request failed\b|Error while requesting approval\b"
    r"|automatic approval review (?:could not|was cancelled)|The automatic (?:permission )?approval review did not finish)"
)
# What could not be started comes in the words of a refusal.
_NOT_STARTED = re.compile(r'[\\"]*Failed to create unified exec process\b')
_HEAD = 600
_QUOTED = 64 << 10
_FAILED = (
    "exec_command failed",
    "unsupported call",
    "failed to parse function arguments",
    "apply_patch verification failed",
    "Script failed",
    "Script error",
    "execution error",
    "failed in sandbox",
    "sandbox denied exec error",
    "sandbox error",
    "command timed out",
    "err:",
)


class Output(NamedTuple):
    """`status` is the exit code as logged; `refused` is "" where the call ran; `effect` is the decision that is sure."""

    text: str
    tool: Tri = Tri.UNKNOWN
    status: str = ""
    refused: str = ""
    reason: str = ""
    unanswered: bool = False

    @property
    def effect(self) -> Effect:
        if self.unanswered:
            return Effect.ASK
        return Effect.DENY if self.refused in ("user", "rule") else Effect.UNKNOWN


def output_of(value: object) -> Output:
    """Read an output in any of its shapes: text, JSON text with metadata, object, list of text parts."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        try:
            inner = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            inner = None
        if isinstance(inner, dict) and ("output" in inner or "metadata" in inner):
            value = inner
    if isinstance(value, dict):
        said = words_of(value.get("output", value.get("content")))
        code = number(mapping(value.get("metadata")).get("exit_code"))
        if code is None:
            code = number(value.get("exit_code"))
        if said == "aborted":
            # The first program wrote no metadata where the person said no, and a code of 1 where they broke off.
            by = "interrupted" if value.get("metadata") != {} else "user"
            return Output(said, Tri.NO, "", by, "rejected by user" if by == "user" else "aborted by user")
        success = value.get("success")
        if code is None and isinstance(success, bool):
            return _refusal(said)._replace(tool=Tri.YES if success else Tri.NO)
        return _coded(said, code) if code is not None else _told(said)
    if isinstance(value, list):
        return _parts(value)
    return _told(value if isinstance(value, str) else "")


def coded(text: str, code: object) -> Output:
    """An output whose exit code stands in a field of its own."""
    return _coded(text, number(code))


def closed(status: str, found: Output) -> Output:
    """An output beside the status the program gave the call."""
    if status == "declined" and not found.refused:
        if (told := _refusal(found.text)).unanswered:
            return told
        # A person's no is said in so many words; any other text is the reason a policy gave.
        by = "user" if not found.text or "rejected by user" in found.text[:_HEAD] else "rule"
        return found._replace(tool=Tri.NO, status="", refused=by, reason=found.text[:300] or status)
    if status == "failed" and found.tool is Tri.UNKNOWN:
        return found._replace(tool=Tri.NO)
    if status == "completed" and found.tool is Tri.UNKNOWN and not found.status:
        return found._replace(tool=Tri.YES)
    return found


def mcp_output(result: object) -> Output:
    """What an MCP server answered: `{Ok: {content, isError}}` or `{Err: words}`, bare in some writers; unknown where nothing is told."""
    outer = mapping(result)
    if "Err" in outer:
        said = words_of(outer.get("Err"))
        refused = _refusal(said)
        return refused if refused.refused else Output(said, Tri.NO)
    answer = mapping(outer.get("Ok")) or outer
    if not answer and "Ok" not in outer:
        return Output("")
    failed = answer.get("isError") is True or answer.get("is_error") is True
    return Output(words_of(answer.get("content")), Tri.NO if failed else Tri.YES)


def _parts(parts: list[object]) -> Output:
    """The first part says how it went, the second is what came back: plain text, or JSON with an exit code."""
    said = words_of(parts)
    if len(parts) == 1 and said.startswith('{"output"'):
        return output_of(said)
    if len(parts) >= 2:
        inner = words_of(parts[1:])
        refused = _refusal(inner.removeprefix("Script error:\n"))
        if refused.refused:
            return refused._replace(text=said)
        if inner.startswith("{") and '"exit_code"' in inner:
            try:
                code = number(mapping(msgspec.json.decode(inner)).get("exit_code"))
            except (msgspec.DecodeError, UnicodeError, RecursionError):
                code = None
            if code is not None:
                return _coded(said, code)
        if said.startswith("Wall time"):
            return Output(said, Tri.YES)
        if said.startswith("Script completed"):
            return Output(said, Tri.YES)
    return _told(said)


def _coded(said: str, code: int | None) -> Output:
    if code is None:
        return _told(said)
    return Output(said, Tri.YES if code == 0 else Tri.NO, str(code))


def _told(said: str) -> Output:
    refused = _refusal(said)
    if refused.refused:
        return refused
    if m := _EXIT.search(said[:_HEAD].partition("Output:\n")[0] or said[:_HEAD]):
        return _coded(said, int(m.group(1)))
    # A patch applied by a function call stands within another's frame; a shell's own frame says its code before.
    if said.startswith("Wall time") and (m := _EXIT.match(said[:_HEAD].partition("Output:\n")[2])):
        return _coded(said, int(m.group(1)))
    if said.startswith(_FAILED):
        return Output(said, Tri.NO)
    if said.startswith(("Plan updated", "Success. Updated the following files")):
        return Output(said, Tri.YES)
    return Output(said)


def _refusal(said: str) -> Output:
    """How refusals begin; a command's own output cannot come first there."""
    head = said[:_HEAD]
    if head.startswith(
        ('exec_command failed: CreateProcess { message: "Rejected(', "exec_command failed for", "execution error: Rejected(")
    ):
        # The command stands before the reason, however long it is.
        _, cut, why = said[:_QUOTED].rpartition("Rejected(")
        if cut and _NOT_STARTED.match(why):
            return Output(said, Tri.NO)
        if cut and (told := _UNANSWERED.match(why.lstrip('\\"'))):
            return _nobody(said, told.group())
        if cut and "rejected by user" in why[:40] and "approval settings" not in why:
            return Output(said, Tri.NO, "", "user", "rejected by user")
        if cut or "rejected" in head:
            return Output(said, Tri.NO, "", "rule", why[:300] if cut else head[:300])
        return Output(said)
    if told := _UNANSWERED.match(head):
        return _nobody(said, told.group())
    if _BY_USER.match(head):
        return Output(said, Tri.NO, "", "user", head.partition("\n")[0])
    if _BY_RULE.match(head) or head.startswith("MCP tool call requires approval, but"):
        return Output(said, Tri.NO, "", "rule", head.partition("\n")[0])
    first, _, second = head.partition("\n")
    if head.startswith("aborted by user") or (first.startswith("Wall time") and second.startswith("aborted by user")):
        return Output(said, Tri.NO, "", "interrupted", "aborted by user")
    if "\npatch rejected" in head and first.startswith("Wall time"):
        return _refusal(head[head.index("\npatch rejected") + 1 :])._replace(text=said)
    return Output(said)


def _nobody(said: str, reason: str) -> Output:
    """A call that waited for an answer nobody gave: the rules asked, and it did not run."""
    return Output(said, Tri.NO, "", "rule", reason, unanswered=True)
