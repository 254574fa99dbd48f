"""What came back of a call in Gemini CLI and its forks: the text, the refusal it states, the exit code in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from importers.shared.agents import Frame, field, words_of
from importers.shared.fields import mapping
from importers.shared.tool_calls import tool_verb
from importers.shared.transcript import Transcript, objects
from model.event import Event
from model.words import Effect, Phase, Tri

_EXIT = re.compile(r"^Exit Code: (.{1,20})$", re.MULTILINE)
_CODE = re.compile(r"-?\d{1,9}")
_SHOWN = re.compile(r"^Command exited with code: (-?\d{1,9})\s*$", re.MULTILINE)
_FILES_BEHIND = "\n--- Content from referenced files ---"
# How versions before the policy engine named what the settings or the workspace forbid.
_RULED = re.compile(
    r"(?:Error: )?(?:Invalid parameters provided\. Reason: |Command rejected: [^\n]*\n(?:Reason: )?)?"
    r"(?:Command '[^\n]{1,200}' is (?:blocked by configuration|not in the allowed commands list)|Command\(s\) not in the allowed commands list"
    r"|Command substitution using [^\n]{1,80} is not allowed for security reasons|File path must be within |Path must be within )"
)
_SHELLS = frozenset({"run_shell_command", "Shell"})
_WRAPPED = "<untrusted_context>"
# A command that ended otherwise than by itself; what it wrote until then comes behind, and the call is a success all the same.
_TIMED_OUT = ("Command was automatically cancelled because it exceeded the timeout", "Command timed out after ")
_STOPPED = "Command was cancelled by user before it could complete"
_BACKGROUND = re.compile(r"Command moved to background \(PID: |Command is running in background")
_PLAN_REFUSED = "Plan rejected. "
_PLAN_LEFT = "User cancelled the plan approval dialog"
_FEEDBACK = re.compile(r"Plan rejected\. User feedback: (.{1,4000}?)\n\nThe plan is stored at: ", re.DOTALL)


def answered(file: Transcript, frame: Frame, call: str, tool: str, status: str, output: str) -> Iterator[Event]:
    """The result of one call; a command that ran and failed has the status `success`, its exit code stands in the text."""
    refused, effect = refusal_of(tool, status, output)
    code = "" if refused else exit_code(tool, output)
    end = command_end(tool, output)
    told = status == "error" or output.startswith("Error:") or end is Tri.NO
    ok = Tri.NO if told or code not in ("", "0") else end if status == "success" else Tri.UNKNOWN
    new = not call or not file.answered(call)
    yield from file.result(
        frame,
        call,
        ok,
        output,
        refused=refused,
        reason=output.partition("\n")[0] if refused else "",
        effect=effect,
        status=code,
    )
    if new and tool == "exit_plan_mode" and (words := _FEEDBACK.match(output)):
        yield frame.intent(Phase.PROMPT, words[1], call=file.call_key(call))


def command_end(tool: str, output: str) -> Tri:
    """Whether a command ended by itself, for all that the program says beside its exit code: stopped it did not, in the background nobody knows."""
    said = _unwrapped(output) if tool in _SHELLS else ""
    if said.startswith((*_TIMED_OUT, _STOPPED)):
        return Tri.NO
    return Tri.UNKNOWN if _BACKGROUND.match(said) is not None else Tri.YES


def _unwrapped(output: str) -> str:
    """What came back of a command, without the mark that newer versions put around it for the model."""
    return output.removeprefix(_WRAPPED).lstrip("\n")


def shown(file: Transcript, frame: Frame, call: str, tool: str, status: str, output: str) -> Iterator[Event]:
    """The result of one call as the terminal shows it: of a command that ran, what it wrote, and only where that is nothing how it ended."""
    ended = _SHOWN.search(output[-200:]) if tool in _SHELLS else None
    if status != "success" or tool not in _SHELLS or exit_code(tool, output):
        yield from answered(file, frame, call, tool, status, output)
        return
    ok = Tri.UNKNOWN if ended is None else Tri.YES if ended[1] == "0" else Tri.NO
    yield from file.result(frame, call, ok, output, status=ended[1] if ended else "")


def exit_code(tool: str, output: str) -> str:
    """The exit code that stands in what came back of a command, "" where none does."""
    # What the command wrote stands before the program's own line, and may hold such lines too.
    told = [found[1].strip() for found in _EXIT.finditer(output)] if tool in _SHELLS else []
    return told[-1] if told and _CODE.fullmatch(told[-1]) else ""


def typed(content: object) -> str:
    """A person's words without the files they named, which the program puts behind them."""
    words = words_of(content)
    begin = words.find(_FILES_BEHIND)
    return words[:begin].rstrip() if begin > 0 else words


def output_of(result: object) -> str:
    """The text of a result: what came back, or the error in its place."""
    parts: list[str] = []
    for part in objects(result if isinstance(result, list) else [result]):
        response = mapping(mapping(part.get("functionResponse")).get("response"))
        parts.append(field(response, "output") or field(response, "error") or field(part, "text"))
    return "\n".join(part for part in parts if part)


def refusal_of(tool: str, status: str, said: str) -> tuple[str, Effect | None]:
    """Why a call did not run, and the decision that is sure; the program's own words alone stand at the beginning."""
    head = said[:400]
    if status == "cancelled" or "was canceled by the user" in head or head.startswith("[Operation Cancelled]"):
        if not head or "denied" in head or "did not allow" in head or "was canceled by the user" in head:
            return "user", Effect.DENY
        return "interrupted", Effect.UNKNOWN
    if tool in _SHELLS and _unwrapped(said).startswith(_STOPPED):
        return "interrupted", Effect.UNKNOWN
    if tool == "exit_plan_mode" and head.startswith((_PLAN_REFUSED, _PLAN_LEFT)):
        return ("user", Effect.DENY) if head.startswith(_PLAN_REFUSED) else ("interrupted", Effect.UNKNOWN)
    if status == "success":
        return "", None
    if head.startswith("Tool execution") and "denied by policy" in head:
        return "rule", Effect.DENY
    if head.startswith("Tool execution blocked"):
        return "hook", Effect.DENY
    if head.startswith("Agent execution stopped by hook"):
        # The same words stand for a hook that stopped the call and for one that stopped the run after it.
        return "hook", Effect.UNKNOWN
    if "requires user confirmation, which is not supported in non-interactive mode" in head:
        return "rule", Effect.ASK
    if head.startswith("Path not in workspace") or _RULED.match(head):
        return "rule", Effect.DENY
    if head.startswith('Tool "') and '" not found' in head and (tool_verb(tool) or tool.startswith("mcp_")):
        # A tool that policy denies altogether is not offered: whether this one was is not said.
        return "rule", Effect.UNKNOWN
    return "", None
