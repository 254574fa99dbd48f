"""MCP traffic as a proxy, an inspector or a wrapper captured it: JSON-RPC messages, bare or within a line of their own.

A request and its answer are paired by `id` within one connection and direction: the id is a number or a text, it is unique
per connection only, and it is used again. So the pair gets a key made of the request itself. `isError` in a result is the
tool's failure, `error` one of the protocol.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from importers.mcp_waiting import Asked, Nameless, fits, method_of
from importers.shared.agents import excerpt, words_of
from importers.shared.fields import Json, clip, first_moment, first_text, key, keys, mapping, number, text, trace_id
from importers.shared.http_exchange import NOT_LET_IN, is_exchange, refusal, stated
from importers.shared.jsonrpc import TIMES, direction, is_message, message_id, messages
from importers.shared.recent import remember
from importers.shared.told import Told, session_key
from importers.shared.tool_calls import tool_call
from importers.shared.transcript import name_of
from model.event import BadRecord, Event, Key, Parsed, Principal, Target, digest
from model.words import Clock, Effect, KeyRole, TargetClass, Tri, Vantage, Verb

_CONNECTIONS = ("connection_id", "connectionId", "conn_id", "mcp_session_id", "mcp-session-id", "mcpSessionId", "session_id",
                "sessionId", "session", "stream_id")  # fmt: skip
_SERVERS = ("server", "server_name", "serverName", "server_id", "serverId", "mcp_server", "target", "upstream")
_FROM_CLIENT = ("client", "outgoing", "out", "request", "send", "sent", "c2s", "up", "stdin", ">", "->", "-", ">>", ">>>")
_FROM_SERVER = (
    "server",
    "incoming",
    "in",
    "response",
    "recv",
    "received",
    "s2c",
    "down",
    "stdout",
    "<",
    "<-",
    "<--",
    "<<",
    "<<<",
)
_ACTS = frozenset({"tools/call", "resources/read", "prompts/get", "sampling/createMessage"})
_KNOWN = frozenset(
    {"initialize", "ping", "tools/list", "resources/list", "resources/templates/list", "resources/subscribe", "resources/unsubscribe",
     "prompts/list", "completion/complete", "logging/setLevel", "roots/list", "elicitation/create", "tasks/get", "tasks/list",
     "tasks/result", "tasks/cancel", "server/discover"}
)  # fmt: skip
# Where each message names its sender since there is no handshake any more.
_CLIENT, _SERVER = "io.modelcontextprotocol/clientInfo", "io.modelcontextprotocol/serverInfo"
_OF_TASKS = frozenset({"tasks/get", "tasks/result", "tasks/cancel"})
_ENDED = frozenset({"failed", "cancelled"})
_OPEN = 10_000
_SAME = 20
"""Open requests of one id on one connection: several servers behind a gateway count theirs alike."""
_SEEN = 100_000
_RPC = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
"""What a message itself may hold; what else stands beside these is the capture's."""
_PERSON = re.compile(r"\buser (?:has )?(?:rejected|declined|denied|refused|cancell?ed)\b", re.I)
_REFUSED = re.compile(
    r"\b(?:access|permission|request|call|tool|operation|execution)(?: was| is| use| call)? (?:denied|rejected|refused|blocked|forbidden)\b"
    r"|\b(?:denied|blocked|rejected|refused|forbidden) by\b|\bnot (?:authorized|authorised|permitted|allowed)\b|\bunauthori[sz]ed\b"
    r"|\bforbidden\b",
    re.I,
)
"""Words of an error that say that somebody would not have it; a number has no such meaning of its own."""
_OF_THE_SYSTEM = re.compile(r"\bE(?:ACCES|PERM|ROFS)\b|\[Errno \d|\bos error \d", re.I)
"""What a server's operating system did not let it do is a failure of the server's, and no answer to who called."""


class McpReader:
    """Reads one capture in order; remembers the requests that are still open, by connection and id."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], list[Asked]] = {}
        self._nameless: dict[tuple[str, str, str], Nameless] = {}
        self._seen: dict[str, int] = {}
        self._servers: dict[str, str] = {}
        self._clients: dict[str, str] = {}
        self._tasks: dict[tuple[str, str], Told] = {}
        self._over: set[tuple[str, str]] = set()

    def read(self, record: object) -> Parsed:
        found = list(messages(record))
        if not found and (withheld := _withheld(mapping(record))):
            return withheld
        if not found and is_exchange(mapping(record)):
            return Parsed(type="no message")
        if not found:
            raise BadRecord("not MCP traffic: no JSON-RPC 2.0 message with a method, a result or an error")
        around = mapping(record)
        if is_message(around):
            around = {name: value for name, value in around.items() if name not in _RPC}
        at, clock = first_moment(around, *TIMES)
        parsed = Parsed(at=at)
        names: list[str] = []
        answered: list[str] = []
        if any(place == "request" for _, place in found):
            around = {**around, **stated(around)}
        for message, place in found:
            name, events = self._message(message, around, place, at, clock, answered)
            names.append(name)
            parsed.events += events
            if name not in _KNOWN | _ACTS and not name.startswith(("notifications/", "answer")):
                parsed.unknown_type = clip(name, 80)
        parsed.events += self._refused(around, found, at, clock)
        parsed.type = clip(" + ".join(names), 120)
        # Equal answers in two captures are two: what they answer tells them apart.
        parsed.scope = "+".join(answered)
        return parsed

    def _refused(self, around: Json, found: Sequence[tuple[Json, str]], at: int | None, clock: Clock) -> list[Event]:
        """What HTTP alone answered to a call, in place of a message: that it went wrong, or was not let in."""
        status, challenge = refusal(around)
        if not status or any(place == "response" for _, place in found):
            return []
        connection = first_text(around, *_CONNECTIONS)
        events: list[Event] = []
        for message, _ in found:
            waiting = self._open.pop((connection, message_id(message.get("id"))), [])
            if waiting and waiting[-1].method in _ACTS:
                told = Told("mcp", "mcp", Vantage.WITNESS, at, clock)
                _same_call(told, waiting[-1].told)
                told.note(status=str(status), refused="rule" if status in NOT_LET_IN else "")
                if status in NOT_LET_IN:
                    events.append(told.verdict(Effect.DENY, rule=str(status), reason=challenge))
                events.append(told.result(None, transport=Tri.NO))
        return events

    def _message(
        self, message: Json, around: Json, place: str, at: int | None, clock: Clock, answered: list[str]
    ) -> tuple[str, list[Event]]:
        connection = first_text(around, *_CONNECTIONS) or first_text(mapping(around.get("headers")), *_CONNECTIONS)
        side = _side(message, around, place)
        told = Told("mcp", "mcp", Vantage.WITNESS, at, clock)
        method = text(message.get("method"))
        ident = message.get("id")
        name = (connection, message_id(ident))
        server = first_text(around, *_SERVERS)
        if not method:
            return self._answer(message, name, side, told, answered, server)
        params = mapping(message.get("params"))
        if method == "initialize":
            self._open = {pair: asked for pair, asked in self._open.items() if pair[0] != connection}
            client = mapping(params.get("clientInfo"))
            remember(self._clients, connection, first_text(client, "name", "title"), _OPEN)
        if method == "notifications/cancelled":
            return method, self._cancelled((connection, message_id(params.get("requestId"))), told)
        if method == "notifications/tasks/status":
            return method, self._task(connection, params, told)
        if ident is None and method not in _ACTS | _KNOWN:
            return method, []
        _describe(told, method, params, server or self._servers.get(connection, "") or first_text(around, "host"))
        meta = mapping(params.get("_meta"))
        agent = first_text(mapping(meta.get(_CLIENT)), "name", "title") or self._clients.get(connection, "")
        told.agent = agent
        told.principal = Principal(agent, "agent") if agent else None
        if method == "sampling/createMessage":
            # Here the server asks, and what it asks is the client's model.
            told.principal = Principal(told.target.name, "service") if told.target.name else None
            told.target = Target(TargetClass.AGENT, clip(agent, 300))
        shape = digest(connection, message_id(ident), method, name_of(params), str(at))
        before = self._seen.get(shape, 0)
        remember(self._seen, shape, before + 1, _SEEN)
        pair = Key(KeyRole.CALL, "mcp.rpc", digest(shape, str(before + 1))[:24])
        told.keys = keys(
            key(KeyRole.SCOPE, "mcp.session", connection),
            key(KeyRole.SCOPE, "trace", trace_id(meta.get("traceparent"))),
            session_key(meta.get("session_id") or meta.get("sessionId")),
            key(KeyRole.CALL, "call", first_text(meta, "claudecode/toolUseId", "toolUseId", "tool_call_id", "tool_use_id")),
            pair,
        )
        asked = Asked(method, side, pair, told, server, text(params.get("taskId")))
        if ident is None:
            self._nameless.setdefault((connection, server, method), Nameless()).asked(asked)
            if len(self._nameless) > _OPEN:
                self._nameless.pop(next(iter(self._nameless)))
        else:
            waiting = self._open.setdefault(name, [])
            waiting.append(asked)
            del waiting[:-_SAME]
        if len(self._open) > _OPEN:
            self._open.pop(next(iter(self._open)))
        return method, [told.called()] if method in _ACTS else []

    def _answer(
        self, message: Json, name: tuple[str, str], side: str, told: Told, answered: list[str], server: str
    ) -> tuple[str, list[Event]]:
        """The answer to the newest open request with this id, named in `answered`; one that answers nothing seen proves only itself."""
        waiting = self._open.get(name, [])
        at = next((n for n in range(len(waiting) - 1, -1, -1) if fits(waiting[n], side, server)), None)
        asked = waiting.pop(at) if at is not None else None
        if not waiting:
            self._open.pop(name, None)
        result = mapping(message.get("result"))
        if asked is None and (open_ones := self._nameless.get((name[0], server, method_of(result)))) and open_ones.open:
            asked = open_ones.answered()
            if asked is None:
                return "answer to one of several requests", _of_several(told, message, result, server)
        if asked is not None:
            answered.append(asked.key.value)
        about = mapping(mapping(result.get("_meta")).get(_SERVER))
        if asked is not None and asked.method in ("initialize", "server/discover"):
            about = mapping(result.get("serverInfo")) or about
        if named := first_text(about, "name", "title"):
            remember(self._servers, name[0], named, _OPEN)
        error = message.get("error")
        if asked is None:
            if error is None:
                return "answer without request", []
            told.keys = keys(key(KeyRole.SCOPE, "mcp.session", name[0]))
            told.verb = Verb.MCP_CALL
            return "answer without request", _failed(told, mapping(error))
        made = asked.told
        if asked.method in _OF_TASKS:
            if asked.method != "tasks/result":
                return f"answer to {asked.method}", self._task(name[0], result, told)
            self._over.discard((name[0], asked.task))
            called = self._tasks.pop((name[0], asked.task), None)
            if called is None:
                return f"answer to {asked.method}", []
            made = called
        elif asked.method not in _ACTS:
            return f"answer to {asked.method}", []
        _same_call(told, made)
        if not_yet := _not_yet(result):
            task, status = not_yet
            if task:
                self._tasks[name[0], task] = made
            if len(self._tasks) > _OPEN:
                self._over.discard(oldest := next(iter(self._tasks)))
                del self._tasks[oldest]
            told.note(status=status)
            return f"answer to {asked.method}", [told.result(None, transport=Tri.YES)]
        if error is not None:
            return f"answer to {asked.method}", _failed(told, mapping(error))
        output = words_of(result.get("content"))
        told.note(output=excerpt(output))
        if made.at is not None and told.at is not None and told.at > made.at:
            told.attrs["duration_ms"] = (told.at - made.at) // 1000
        return f"answer to {asked.method}", [told.result(result.get("isError") is not True, transport=Tri.YES)]

    def _task(self, connection: str, task: Json, told: Told) -> list[Event]:
        """How a call ended where its task's state tells; of one that completed, only what it gave says whether it succeeded."""
        name, status = (connection, first_text(task, "taskId")), first_text(task, "status")
        made = self._tasks.get(name)
        if made is None or status not in _ENDED or name in self._over:
            return []
        self._over.add(name)
        _same_call(told, made)
        told.note(status=status, output=excerpt(first_text(task, "statusMessage")))
        if status == "cancelled":
            told.note(refused="interrupted")
            return [told.result(None)]
        return [told.result(False, transport=Tri.YES)]

    def _cancelled(self, name: tuple[str, str], told: Told) -> list[Event]:
        waiting = self._open.get(name)
        if not waiting or waiting[-1].method not in _ACTS:
            return []
        asked = waiting.pop()
        _same_call(told, asked.told)
        told.note(refused="interrupted", status="cancelled")
        return [told.result(None)]


def _same_call(told: Told, made: Told) -> None:
    """What is told is told of the call that was made before."""
    told.verb, told.tool, told.target, told.keys = made.verb, made.tool, made.target, made.keys
    told.agent, told.principal = made.agent, made.principal
    told.note(mcp_server=text(made.attrs.get("mcp_server")))


def _not_yet(result: Json) -> tuple[str, str] | None:
    """The task and its state where an answer is not yet what the call gave: a task begun for it, or a question put first."""
    kind = first_text(result, "resultType")
    task = mapping(result.get("task")) or (result if kind == "task" else {})
    if ident := first_text(task, "taskId"):
        return ident, first_text(task, "status")
    return ("", clip(kind, 60)) if kind not in ("", "complete") else None


def _of_several(told: Told, message: Json, result: Json, server: str) -> list[Event]:
    """An answer that fits more than one open call: a server's, and whose of them is unknown."""
    _describe(told, "tools/call", {}, server)
    if message.get("error") is not None:
        return _failed(told, mapping(message.get("error")))
    if "content" not in result:
        return []
    told.note(output=excerpt(words_of(result.get("content"))))
    return [told.result(result.get("isError") is not True, transport=Tri.YES)]


def _withheld(entry: Json) -> Parsed | None:
    """What a gateway's labels of secrecy and integrity kept from the agent, which it writes among the messages."""
    kind = first_text(entry, "type", "event")
    if kind.upper() != "DIFC_FILTERED":
        return None
    at, clock = first_moment(entry, *TIMES)
    told = Told("mcp", "mcp", Vantage.ENFORCER, at, clock)
    _describe(told, "tools/call", {"name": first_text(entry, "tool_name")}, first_text(entry, *_SERVERS))
    told.note(url=first_text(entry, "html_url"))
    return Parsed(events=[told.verdict(Effect.DENY, rule="DIFC", reason=first_text(entry, "reason"))], type=kind, at=at)


def _side(message: Json, around: Json, place: str) -> str:
    """Who sent it, `client` or `server`; "" where the capture does not say."""
    if not around:
        return ""
    return sender_named(direction(around)) or {"request": "client", "response": "server"}.get(place, "")


def sender_named(word: str) -> str:
    """`client` or `server`, whichever a capture's word for a direction begins with; "" for any other word."""
    return "client" if word in _FROM_CLIENT else "server" if word in _FROM_SERVER else ""


def _describe(told: Told, method: str, params: Json, server: str) -> None:
    told.verb = Verb.MCP_CALL
    told.note(mcp_server=server)
    if method == "tools/call":
        told.tool = text(params.get("name"))
        _, _, attrs = tool_call(told.tool, "", params.get("arguments"), None)
        for name in ("command", "path", "url", "arguments"):
            told.note(**{name: attrs.get(name)})
        told.target = Target(TargetClass.MCP_SERVER, clip(server, 300), clip(told.tool, 300))
        return
    told.tool = method
    detail = first_text(params, "uri", "name")
    told.target = Target(TargetClass.MCP_SERVER, clip(server, 300), clip(detail, 300))
    if method == "sampling/createMessage":
        told.verb = Verb.AGENT_MESSAGE


def _failed(told: Told, error: Json) -> list[Event]:
    """The answer with an error, behind the refusal that its words tell of."""
    code, said = number(error.get("code")), clip(first_text(error, "message"), 300)
    told.note(status=f"{'' if code is None else code} {said}".strip() or "error")
    by = "user" if _PERSON.search(said) else "rule" if _REFUSED.search(said) and not _OF_THE_SYSTEM.search(said) else ""
    told.note(refused=by)
    verdicts = [told.verdict(Effect.DENY, reason=said, by="user" if by == "user" else "")] if by else []
    return [*verdicts, told.result(None, transport=Tri.NO)]


class Mcp:
    """JSON-RPC traffic between MCP clients and servers."""

    id = "mcp"
    title = "MCP JSON-RPC capture"
    evidence = "fixture"
    version = 5

    def sniff(self, sample: Sequence[object]) -> int:
        bare = held = False
        methods: list[str] = []
        for record in sample:
            found = messages(record)
            bare = bare or (isinstance(record, dict) and is_message(record))
            held = held or bool(found)
            for message, _ in found:
                method = text(message.get("method"))
                # Other protocols of agents and editors are JSON-RPC too; their first word differs.
                foreign = method == "initialize" and not isinstance(mapping(message.get("params")).get("protocolVersion"), str)
                methods += [f"foreign {method}"] if foreign else [method] if method else []
        known = sum(method in _KNOWN | _ACTS or method.startswith("notifications/") for method in methods)
        if methods and known * 2 <= len(methods):
            return 0
        return 93 if bare else 82 if held else 0

    def open(self) -> McpReader:
        return McpReader()


IMPORTER = Mcp()
