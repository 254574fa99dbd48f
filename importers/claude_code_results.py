"""What came back of a Claude Code call: its outcome and exit code, the decision it proves, a person's words, the sub-agent it began."""

from __future__ import annotations

from collections.abc import Iterator

from importers.claude_code_answers import answer_of, sandboxed, words_with_refusal
from importers.shared.agents import Frame, call_id, field, scope_key, words_of
from importers.shared.fields import Json, mapping, number
from model.event import Event, Key
from model.words import Effect, EventKind, KeyRole, Phase, Tri

_REFUSED_BY_HOST = 400
"""From here on an HTTP status says that the page was not given; the call itself came back well."""


def child_scope(session: str, agent: str) -> tuple[Key, ...]:
    """The scope of a sub-agent, with the session as its parent."""
    return (Key(KeyRole.SCOPE, "claude.agent", f"{session}/{agent}"), *scope_key("session", session, KeyRole.PARENT))


def result_events(record: Json, block: Json, frame: Frame, session: str) -> Iterator[Event]:
    """What came back of one call: its outcome, the decision it proves, and the words of a person in it."""
    call = call_id(block.get("tool_use_id"))
    said = words_of(block.get("content"))
    told = record.get("toolUseResult")
    failed = block.get("is_error") is True or (isinstance(told, str) and told.startswith("Error:"))
    answer = answer_of(record, said, failed)
    details = mapping(told)
    code = (number(details.get("code")) or 0) if "codeText" in details else 0
    process = details if "exitCode" in details else mapping(details.get("task"))
    exited = number(process.get("exitCode"))
    if answer.refused or failed or details.get("interrupted") is True or code >= _REFUSED_BY_HOST:
        tool = Tri.NO
    elif "exitCode" in process:
        # What was asked for is how a command in the background does, and that may still run.
        tool = Tri.UNKNOWN if exited is None else Tri.NO if exited else Tri.YES
    else:
        tool = Tri.UNKNOWN if details.get("backgroundTaskId") else Tri.YES
    status = _status(said) if failed else str(code or "") if exited is None else str(exited)
    result = frame.result(call, tool, said, refused=answer.refused, permitted=answer.effect, status=status)
    if details and "stdout" not in details:
        # What a file or a page says about commits is not what this call did.
        result.keys = tuple(key for key in result.keys if key.role is not KeyRole.REFERENCE)
    yield result
    if answer.effect is not Effect.UNKNOWN:
        yield frame.verdict(answer.effect, call=call, rule=answer.rule, reason=answer.reason, by=answer.decider)
    elif failed and (stopped := sandboxed(said)):
        yield frame.verdict(Effect.DENY, call=call, rule="sandbox", reason=stopped)
    if words := words_with_refusal(record, said):
        yield frame.intent(Phase.PROMPT, words, call=call)
    answers = details.get("answers")
    if isinstance(answers, dict) and answers:
        told_words = "\n".join(f"{question}: {words_of(given)}" for question, given in answers.items())
        yield frame.intent(Phase.PROMPT, told_words, call=call)
    if agent := call_id(details.get("agentId")):
        yield _spawned(frame, session, agent, call, field(details, "status"))


def _spawned(frame: Frame, session: str, agent: str, call: str, status: str) -> Event:
    """The first or last word on a sub-agent, in its own scope, naming the call that spawned it."""
    scope = child_scope(session, agent) + scope_key("call", call, KeyRole.PARENT)
    phase = Phase.ENDED if status == "completed" else Phase.STARTED
    return frame._replace(scope=scope).event(EventKind.ACTION, phase, attrs={"status": status[:100]} if status else None)


def _status(said: str) -> str:
    if not said.startswith("Exit code "):
        return ""
    code = said[10:16].partition("\n")[0].strip()
    return code if code.isdecimal() and code.isascii() else ""
