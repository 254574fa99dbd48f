"""Amp threads (`T-<id>.json`): one object a thread, as the program keeps and exports it.

A result stands in a later message of the user's and says how its call ran: `done`, `error`, `cancelled` or `rejected-by-user`, which
is a person's no. A command that ran and failed is `done`, with an exit code beside its output. Source: other programs that read and
write threads; no recorded thread was at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agent_tools import act_of
from importers.shared.agents import Frame, call_id, exec_act, field, folder, words_of
from importers.shared.fields import Json, commit_id, first_text, mapping, number
from importers.shared.transcript import Transcript, object_of, objects
from importers.shared.usage import Purse, spent, tell_spent, tokens_of
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Parsed
from model.words import EventKind, Phase, Tri, Verb

POINT = "amp"

_REFUSED = {"rejected-by-user": "user", "cancelled": "interrupted"}
_OPEN = frozenset({"in-progress", "queued", "blocked-on-user"})
_BY_PLUGIN = "Tool rejected by plugin"
_SAID = ("output", "content", "message", "body", "diff", "error")


class Amp:
    id = "amp"
    title = "Amp threads"
    evidence = "documentation"
    version = 1
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        return 92 if any(isinstance(record, dict) and _is_thread(record) for record in sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_thread(record: Json) -> bool:
    named = field(record, "id").startswith("T-") and isinstance(record.get("messages"), list)
    return named and ("created" in record or "v" in record or "env" in record)


class _Reader:
    """One thread; its messages come whole or, behind its head, one by one."""

    def __init__(self) -> None:
        self._file = Transcript(POINT)
        self._purse: Purse = {}

    def read(self, record: object) -> Parsed:
        record = object_of(record, "a thread")
        if _is_thread(record):
            parsed = self._thread(record)
        elif isinstance(record.get("role"), str) and "content" in record:
            self._file.begin(None, record)
            parsed = Parsed(list(self._message(record)), scope=self._file.session, type=f"message/{field(record, 'role')}"[:100])
            parsed.at = next((event.at for event in parsed.events if event.at is not None), None)
        else:
            raise BadRecord("neither a thread (`id`, `messages`) nor a message of one (`role`, `content`)")
        tell_spent(self._purse, self._file.session, parsed.events)
        return parsed

    def _thread(self, record: Json) -> Parsed:
        self._file.begin(record.get("id"), record)
        initial = mapping(mapping(record.get("env")).get("initial"))
        tree = next(iter(objects(initial.get("trees"))), {})
        repository = mapping(tree.get("repository"))
        self._file.place(folder(tree.get("uri")))
        self._file.know(
            repository=repository_name(field(repository, "url")[:1000]),
            branch=field(repository, "ref").removeprefix("refs/heads/"),
            sha=commit_id(field(repository, "sha")),
            agent_version=field(mapping(initial.get("platform")), "clientVersion"),
        )
        self._file.parent(record.get("mainThreadID"))
        frame = self._file.frame(record.get("created"), unit="ms", ref="thread")
        parsed = Parsed(scope=self._file.session, type="thread", at=frame.at)
        if self._file.first("thread", self._file.session):
            title = field(record, "title")[:300]
            attrs: dict[str, Attr] = {"title": title} if title else {}
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        for message in objects(record.get("messages")):
            parsed.events += self._message(message)
        return parsed

    def _message(self, message: Json) -> Iterator[Event]:
        role, content = field(message, "role"), message.get("content")
        usage = mapping(message.get("usage"))
        self._file.know(model=field(usage, "model"))
        when = mapping(message.get("meta")).get("sentAt") or message.get("created") or usage.get("timestamp")
        name = first_text(message, "protocolMessageID", "messageId")
        frame = self._file.frame(when, unit="ms" if not isinstance(when, str) else "", ref=name)
        if usage and self._file.first("tokens", name):
            spent(self._purse, self._file.session, tokens_of(usage))
        for block in objects(content):
            if block.get("type") == "tool_use" and role == "assistant":
                yield from self._call(block, frame)
            elif block.get("type") == "tool_result":
                yield from self._result(block, frame)
        words = words_of([one for one in objects(content) if one.get("type") == "text"] if isinstance(content, list) else content)
        if role == "user" and words.strip():
            yield frame.intent(Phase.PROMPT, words)

    def _call(self, block: Json, frame: Frame) -> Iterator[Event]:
        tool, given = field(block, "name"), block.get("input")
        call = call_id(block.get("id")) or self._file.unnamed_call()
        act = act_of(tool, given)
        place = folder(first_text(mapping(given), "cwd", "workdir"))
        if act.verb is Verb.EXEC and place:
            act = exec_act(str(act.attrs.get("command", "")), {"cwd": place})
        yield from self._file.call(frame, call, tool, given, act=act)

    def _result(self, block: Json, frame: Frame) -> Iterator[Event]:
        call, run = call_id(block.get("toolUseID")), mapping(block.get("run"))
        status, result = field(run, "status"), run.get("result")
        if not call or status in _OPEN:
            return
        told = mapping(result)
        said = result if isinstance(result, str) else words_of(result) or first_text(told, *_SAID)
        problem = run.get("error")
        said = said or (problem if isinstance(problem, str) else field(mapping(problem), "message")) or field(run, "reason")
        code = number(told.get("exitCode"))
        failed = status == "error" or told.get("success") is False or code not in (None, 0)
        refused = _REFUSED.get(status, "")
        if status == "done" and isinstance(result, str) and result.startswith(_BY_PLUGIN):
            refused = "hook"
        yield from self._file.result(
            frame,
            call,
            Tri.NO if failed else Tri.YES if status == "done" else Tri.UNKNOWN,
            said,
            refused=refused,
            reason=said.partition("\n")[0] if refused else "",
            status="" if code is None else str(code),
        )


IMPORTER = Amp()
