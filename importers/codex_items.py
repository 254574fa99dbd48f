"""What Codex tells of a call by itself: as an item (rollouts, `codex exec --json`, the app-server), or by the call's end.

The three spell one item in three ways: `CommandExecution` and `aggregated_output`, `command_execution`, `commandExecution`
and `aggregatedOutput`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from importers.codex_outputs import Output, closed, coded, mcp_output, output_of
from importers.codex_tools import call_act, changes_act, command_of, search_act
from importers.shared.agents import Act, Frame, exec_act, field, file_act, folder, mcp_act, words_of
from importers.shared.fields import Json, mapping
from model.event import Event, Target
from model.words import Effect, EventKind, Phase, TargetClass, Tri, Verb


class Told(NamedTuple):
    """A call as an item tells it; `output` says what came of it, empty while it runs."""

    tool: str
    act: Act
    output: Output
    arguments: object = None


def spelled(kind: str) -> str:
    """An item's type or a status in one spelling."""
    return kind.replace("_", "").replace("-", "").lower()


def either(item: Json, name: str) -> object:
    """A member in snake case or camel case."""
    if name in item:
        return item[name]
    head, *rest = name.split("_")
    return item.get(head + "".join(part.capitalize() for part in rest))


def item_of(item: Json) -> Told | None:
    """The call an item tells of; None where it tells of none: messages, reasoning, plans, errors."""
    kind = spelled(field(item, "type") or field(item, "item_type"))
    status = spelled(field(item, "status"))
    match kind:
        case "commandexecution":
            act = exec_act(shown_command(item.get("command")), {"cwd": cwd} if (cwd := folder(item.get("cwd"))) else None)
            said = either(item, "aggregated_output")
            return Told(
                "exec_command", act, closed(status, coded(said if isinstance(said, str) else "", either(item, "exit_code")))
            )
        case "filechange":
            said = field(item, "stderr") or field(item, "stdout")
            return Told("apply_patch", changes_act(item.get("changes")), closed(status, output_of(said)))
        case "mcptoolcall":
            server, tool = field(item, "server")[:300], field(item, "tool")[:300]
            said = field(mapping(item.get("error")), "message") or words_of(mapping(item.get("result")).get("content"))
            return Told(f"mcp__{server}__{tool}", mcp_act(server, tool), closed(status, output_of(said)), item.get("arguments"))
        case "dynamictoolcall":
            tool = field(item, "tool")[:300]
            ok, said = item.get("success"), words_of(either(item, "content_items"))
            output = Output(said, Tri.YES if ok else Tri.NO) if isinstance(ok, bool) else output_of(said)
            return Told(tool, call_act(item, tool, ""), closed(status, output), item.get("arguments"))
        case "websearch":
            action = mapping(item.get("action"))
            return Told(
                "web_search", search_act(action if action.get("query") or action.get("url") else item), closed(status, Output(""))
            )
        case "collabtoolcall" | "collabagenttoolcall":
            return _collaboration(item, status)
        case "imageview":
            return Told("view_image", file_act(Verb.FILE_READ, folder(item.get("path"))), closed(status, Output("")))
    return None


def _collaboration(item: Json, status: str) -> Told:
    """One agent's call on another: spawning it, or a word to it."""
    tool = field(item, "tool")[:100]
    act = Act(Verb.AGENT_MESSAGE, Target(TargetClass.AGENT, (receivers(item) or ("",))[0]))
    if spelled(tool) == "spawnagent":
        act = Act(Verb.AGENT_SPAWN, Target(TargetClass.AGENT))
    prompt = field(item, "prompt")
    return Told(tool, act, closed(status, Output("")), {"prompt": prompt} if prompt else None)


def receivers(item: Json) -> tuple[str, ...]:
    """The threads a collaboration item speaks to."""
    found = either(item, "receiver_thread_ids")
    many = found if isinstance(found, list) else [either(item, "new_thread_id"), either(item, "receiver_thread_id")]
    return tuple(one for one in many if isinstance(one, str) and one)


def shown_command(given: object) -> str:
    """The command line behind the shell that the program puts before it, also where the whole is shown as one text."""
    if isinstance(given, str) and " -" in given[:40]:
        try:
            return command_of(shlex.split(given))
        except ValueError:
            return given
    return command_of(given)


def ended(sub: str, payload: Json) -> Told | None:
    """The call that a message of a rollout tells the end of; None for any other message."""
    if sub == "exec_command_end":
        said = field(payload, "aggregated_output") or field(payload, "stdout")
        output = closed(field(payload, "status"), coded(said, payload.get("exit_code")))
        return Told("exec_command", exec_act(command_of(payload.get("command"))), output)
    if sub == "patch_apply_end":
        ok = payload.get("success")
        tool = Tri.UNKNOWN if not isinstance(ok, bool) else Tri.YES if ok else Tri.NO
        output = closed(field(payload, "status"), Output(field(payload, "stdout") or field(payload, "stderr"), tool))
        return Told("apply_patch", changes_act(payload.get("changes")), output)
    if sub == "mcp_tool_call_end":
        return _invoked(payload)._replace(output=mcp_output(payload.get("result")))
    return None


def begun(sub: str, payload: Json) -> Told | None:
    """The call that a message of an event stream tells the beginning of; rollouts tell it by the model's own call."""
    if sub == "exec_command_begin":
        cwd = folder(payload.get("cwd"))
        return Told("exec_command", exec_act(command_of(payload.get("command")), {"cwd": cwd} if cwd else None), Output(""))
    if sub == "patch_apply_begin":
        return Told("apply_patch", changes_act(payload.get("changes")), Output(""))
    if sub == "mcp_tool_call_begin":
        return _invoked(payload)
    if sub in ("web_search_begin", "web_search_end"):
        return Told("web_search", search_act(payload), Output(""))
    return None


def _invoked(payload: Json) -> Told:
    invocation = mapping(payload.get("invocation"))
    server, tool = field(invocation, "server")[:300], field(invocation, "tool")[:300]
    return Told(f"mcp__{server}__{tool}", mcp_act(server, tool), Output(""), invocation.get("arguments"))


def called(told: Told, call: str, frame: Frame) -> Event:
    return frame.event(EventKind.ACTION, Phase.CALL, call=call, act=told.act, tool=told.tool)


def results(found: Output, call: str, frame: Frame) -> Iterator[Event]:
    """What came back of a call, with the refusal it proves."""
    effect = found.effect
    yield frame.result(call, found.tool, found.text, refused=found.refused, permitted=effect, status=found.status)
    if effect is not Effect.UNKNOWN:
        yield frame.verdict(effect, call=call, rule=found.refused, reason=found.reason)
