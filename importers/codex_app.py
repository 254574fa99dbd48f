"""The protocol between Codex's app-server and its client (an editor, a desktop program), as a capture holds it.

JSON-RPC without its version: requests run both ways, each side with ids of its own. The server asks for approvals; the
client's answers, which no rollout keeps, are decisions here. Item ids are the rollout's call ids. Before 2.0 the server
passed on the program's own events (`codex/event/...`) and asked with `execCommandApproval` and `applyPatchApproval`.
Source: the protocol's documentation in the program's repository, and recorded clients of 0.169.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.codex import CodexReader
from importers.codex_items import item_of, receivers, shown_command, spelled
from importers.codex_prompts import first_told
from importers.codex_reviews import answered, asked, assessed
from importers.codex_tools import changes_act
from importers.shared.agents import Act, Frame, call_id, exec_act, field, folder, mcp_act, scope_id, scope_key, words_of
from importers.shared.fields import Json, commit_id, decode, mapping, text
from importers.shared.jsonrpc import TIMES, message_id
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, objects
from lang.names import repository_name
from model.event import BadRecord, Event, Parsed
from model.words import Effect, EventKind, KeyRole, Phase, Verb

POINT = "codex"

_OWN = frozenset(
    {"thread/start", "thread/started", "thread/resume", "thread/fork", "turn/start", "turn/started", "turn/completed"}
    | {"item/started", "item/completed", "item/agentMessage/delta", "execCommandApproval", "applyPatchApproval", "turn/steer"}
    | {"newConversation", "sendUserMessage", "sendUserTurn"}
)
_ASKS = {
    "item/commandExecution/requestApproval": "command",
    "execCommandApproval": "command",
    "item/fileChange/requestApproval": "change",
    "applyPatchApproval": "change",
    "item/permissions/requestApproval": "permissions",
    "mcpServer/elicitation/request": "mcp",
}
_OPENS = frozenset({"thread/start", "thread/resume", "thread/fork", "newConversation", "resumeConversation"})
_SAYS = frozenset({"turn/start", "turn/steer", "sendUserMessage", "sendUserTurn"})
_FAMILIES = (
    "thread/", "turn/", "item/", "account/", "model/", "mcpServer/", "mcpServerStatus/", "skills/", "hook/", "fs/", "config/", "app/",
    "plugin/", "review/", "rawResponseItem/", "fuzzyFileSearch", "windows", "remoteControl/", "codex/event", "serverRequest/",
    "experimentalFeature/", "externalAgentConfig/", "feedback/", "collaborationMode/", "configRequirements/", "marketplace/",
)  # fmt: skip
_NAMES = frozenset(
    {"initialize", "initialized", "configWarning", "deprecationNotice", "warning", "guardianWarning", "error"}
    | {
        "addConversationListener",
        "removeConversationListener",
        "archiveConversation",
        "listConversations",
        "interruptConversation",
    }
    | {"authStatusChange", "getAuthStatus", "getUserAgent", "getUserSavedConfig", "sessionConfigured", "userInfo", "loginChatGpt"}
)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HOLDERS = ("message", "payload", "data", "msg", "json", "frame", "body", "line", "raw")
_LIMIT = 10_000


class CodexApp:
    id = "codex-app"
    title = "Codex app-server protocol captures (approvals and their answers)"
    evidence = "real"
    version = 5

    def sniff(self, sample: Sequence[object]) -> int:
        found = own = 0
        for record in sample:
            if message := _message(record):
                method = text(message.get("method"))
                own += _is_own(method)
                found += not method or _is_known(method)
        return 93 if own and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_own(method: str) -> bool:
    return method in _OWN or method in _ASKS or method.startswith("codex/event/")


def _is_known(method: str) -> bool:
    return _is_own(method) or method in _NAMES or method.startswith(_FAMILIES)


def _message(record: object) -> Json:
    """The message of a record: itself, or held by a line of the capture, as an object or as text."""
    entry = mapping(record)
    if _speaks(entry):
        return entry
    for name in _HOLDERS:
        inner = entry.get(name)
        if isinstance(inner, str) and inner[:1] == "{":
            try:
                inner = decode(inner.encode("utf-8", "surrogatepass"))
            except BadRecord:
                continue
        if isinstance(inner, dict) and _speaks(inner):
            return inner
    return {}


def _speaks(entry: Json) -> bool:
    if isinstance(entry.get("method"), str):
        return True
    return "id" in entry and ("result" in entry or "error" in entry)


class _Reader:
    """One capture in order: its threads, the requests that wait for their answers, the calls of MCP servers under way."""

    def __init__(self) -> None:
        self._threads: dict[str, Transcript] = {}
        self._told: dict[str, dict[str, dict[str, int]]] = {}
        self._events: dict[str, CodexReader] = {}
        self._asked: dict[str, tuple[str, str, str, str]] = {}
        self._opened: dict[str, tuple[str, Json]] = {}
        self._mcp: dict[tuple[str, str, str], str] = {}

    def read(self, record: object) -> Parsed:
        message = _message(record)
        if not message:
            raise BadRecord("no message of the protocol: neither a method, nor the answer to a request")
        params, method = mapping(message.get("params")), text(message.get("method"))
        when = self._when(mapping(record), message, params)
        parsed = Parsed(type=method[:100] or "answer")
        if method:
            parsed.events = list(self._said(method, message_id(message.get("id")), params, when))
            if not _is_known(method):
                parsed.unknown_type = parsed.type
        else:
            parsed.events = list(self._answer(message, when))
        # Equal answers in two captures are two: the thread they belong to tells them apart.
        parsed.scope = next(reversed(self._threads), "")
        parsed.at = next((event.at for event in parsed.events if event.at is not None), None)
        return parsed

    def _when(self, around: Json, message: Json, params: Json) -> object:
        for name in ("emittedAtMs", "completedAtMs", "startedAtMs"):
            if isinstance(value := message.get(name, params.get(name)), int):
                return value
        return next((around[name] for name in TIMES if around.get(name)), None) if around is not message else None

    def _thread(self, value: object) -> Transcript:
        """What is remembered of one thread; a message that names none belongs to the last one named."""
        name = scope_id(value) or next(reversed(self._threads), "")
        found = self._threads.pop(name, None)
        if found is None:
            found = Transcript(POINT)
            found.begin(name, "no thread")
        remember(self._threads, name, found, _LIMIT)
        return found

    def _said(self, method: str, ident: str, params: Json, when: object) -> Iterator[Event]:
        if method.startswith("codex/event"):
            yield from self._event(params)
            return
        if method in _OPENS:
            self._keep(self._opened, ident, (method, params))
            return
        thread = mapping(params.get("thread"))
        file = self._thread(params.get("threadId") or params.get("conversationId") or thread.get("id"))
        frame = file.frame(when)
        if method in _ASKS:
            yield from self._ask(_ASKS[method], ident, params, file, frame)
        elif method == "thread/started":
            yield from self._begun(thread, file, when)
        elif method in _SAYS:
            yield from self._settings(params, file, frame)
            yield from self._prompt(params.get("input", params.get("items")), "request", file, frame)
        elif method in ("item/started", "item/updated", "item/completed"):
            yield from self._item(mapping(params.get("item")), method == "item/completed", file, frame)
        elif method == "turn/completed":
            for item in objects(mapping(params.get("turn")).get("items")):
                yield from self._item(item, True, file, frame)
        elif method == "item/autoApprovalReview/completed":
            review = mapping(params.get("review"))
            told = {"status": review.get("status"), "risk_level": review.get("riskLevel"), "rationale": review.get("rationale")}
            yield from assessed({**told, "target_item_id": params.get("targetItemId")}, frame)
        elif method == "thread/name/updated" and (title := field(params, "threadName") or field(params, "name")):
            yield frame.event(EventKind.ACTION, Phase.STARTED, attrs={"title": title[:300]})

    def _keep(self, held: dict[str, tuple[str, Json]], ident: str, what: tuple[str, Json]) -> None:
        if ident:
            remember(held, ident, what, _LIMIT)

    def _event(self, params: Json) -> Iterator[Event]:
        """An event that the server only passed on."""
        session = scope_id(params.get("conversationId") or params.get("threadId"))
        reader = self._events.get(session)
        begun: list[Event] = []
        if reader is None:
            reader = CodexReader(stream=True)
            remember(self._events, session, reader, _LIMIT)
            begun = reader.read({"type": "session_meta", "payload": {"id": session}}).events
        message = mapping(params.get("msg"))
        yield from begun
        if field(message, "type"):
            yield from reader.read({"type": "event_msg", "payload": message}).events

    def _begun(self, thread: Json, file: Transcript, when: object) -> Iterator[Event]:
        """A thread, told by the answer that opens it and by a notification."""
        git = mapping(thread.get("gitInfo"))
        file.place(folder(thread.get("cwd")))
        file.know(
            agent_version=field(thread, "cliVersion"),
            branch=field(git, "branch"),
            repository=repository_name(field(git, "originUrl")[:1000]),
            sha=commit_id(git.get("sha")),
        )
        if file.first("thread", file.session):
            yield file.frame(when or thread.get("createdAt")).event(EventKind.ACTION, Phase.STARTED)

    def _settings(self, told: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        """The policy in force, as a request sets it or an answer states it."""
        file.place(folder(told.get("cwd")))
        file.know(model=field(told, "model"))
        box = told.get("sandboxPolicy") or told.get("sandbox")
        mode = _word(told.get("approvalPolicy"))
        reviewer = field(told, "approvalsReviewer")
        yield from file.posture(
            file.informed(frame),
            "untrusted" if mode == "unless-trusted" else mode,
            _word(box) or _word(mapping(box).get("type")) or _word(mapping(box).get("mode")),
            text=f"approvals reviewed by {reviewer[:100]}" if reviewer else "",
        )

    def _prompt(self, content: object, teller: str, file: Transcript, frame: Frame) -> Iterator[Event]:
        inner = [mapping(mapping(one).get("data")) or one for one in content] if isinstance(content, list) else []
        words = words_of(inner)
        remember(self._told, file.session, told := self._told.get(file.session, {}), _LIMIT)
        if first_told(told, words, teller):
            yield frame.intent(Phase.PROMPT, words, branch=str(file.facts.get("branch", "")))

    def _item(self, item: Json, over: bool, file: Transcript, frame: Frame) -> Iterator[Event]:
        call = call_id(item.get("id"))
        if spelled(field(item, "type")) == "usermessage":
            yield from self._prompt(item.get("content"), "item over" if over else "item", file, frame)
            return
        told = item_of(item)
        if told is None:
            return
        if told.act.verb is Verb.MCP_CALL and len(self._mcp) < _LIMIT:
            self._mcp[file.session, field(item, "server"), field(item, "tool")] = call
        yield from file.call(frame, call, told.tool, told.arguments, act=told.act)
        if told.act.verb is Verb.AGENT_SPAWN:
            for child in receivers(item):
                spawned = self._thread(child)
                spawned.parent(file.session, call)
                yield frame._replace(scope=spawned.frame().scope).event(EventKind.ACTION, Phase.STARTED)
        if over and spelled(field(item, "status")) != "inprogress":
            found = told.output
            yield from file.result(
                frame,
                call,
                found.tool,
                found.text,
                refused=found.refused,
                rule=found.refused,
                reason=found.reason,
                effect=found.effect,
                status=found.status,
            )

    # Approvals

    def _ask(self, what: str, ident: str, params: Json, file: Transcript, frame: Frame) -> Iterator[Event]:
        call, act = call_id(params.get("itemId") or params.get("callId")), Act()
        about = mapping(params.get("_meta"))
        if what == "command":
            place = folder(params.get("cwd"))
            act = exec_act(shown_command(params.get("command")), {"cwd": place} if place else None)
        elif what == "change":
            act = changes_act(params.get("fileChanges")) if params.get("fileChanges") else Act(Verb.FILE_WRITE)
        elif what == "mcp":
            if about.get("codex_approval_kind") != "mcp_tool_call":
                return
            server, tool = field(params, "serverName"), field(about, "tool_name")
            act, call = mcp_act(server, tool), self._mcp.get((file.session, server, tool), "")
        if ident:
            named = f"{file.session}/{call_id(params.get('turnId'))}/{ident}" if not call else ""
            remember(self._asked, ident, (what, file.session, call, named), _LIMIT)
        question = asked(act, {"reason": field(params, "reason") or field(params, "message")}, call, frame)
        question.keys += scope_key("codex.request", self._asked[ident][3] if ident else "", KeyRole.CALL)
        yield question

    def _answer(self, message: Json, when: object) -> Iterator[Event]:
        """An answer belongs to the side's request that it can answer: both sides count their requests from nought."""
        ident, result = message_id(message.get("id")), mapping(message.get("result"))
        if ident in self._asked and ("decision" in result or "action" in result or "permissions" in result or not result):
            what, session, call, named = self._asked.pop(ident)
            effect, word = answered(what, result)
            if effect is not Effect.UNKNOWN:
                file = self._thread(session)
                decided = file.decision(file.frame(when), effect, call, rule=word, reason="answered by the client")
                # What ties it to its question where the call that both are about is not told in the capture.
                decided.keys += scope_key("codex.request", named, KeyRole.CALL)
                yield decided
        elif ident in self._opened and result:
            _, params = self._opened.pop(ident)
            thread = mapping(result.get("thread"))
            file = self._thread(thread.get("id") or result.get("conversationId"))
            yield from self._begun({**thread, "cwd": thread.get("cwd") or result.get("cwd") or params.get("cwd")}, file, when)
            yield from self._settings({**params, **{name: one for name, one in result.items() if one}}, file, file.frame(when))


def _word(value: object) -> str:
    """A setting in the spelling of the rollouts: `on-request`, `workspace-write`."""
    return _HUMP.sub("-", value).lower()[:100] if isinstance(value, str) else ""


IMPORTER = CodexApp()
