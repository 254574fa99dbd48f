"""opencode: its storage (one JSON file or SQLite row per session, message and part), exports, and its event streams.

The store keeps no approval: an allowed and an approved call look alike there. The server's event stream has the questions
and their answers (`permission.asked`, `permission.replied`). A headless run refuses questions with the words of a person's
refusal. A fork copies the whole session: what it copied is told where it was done (`opencode_copies`). Source: recorded sessions of 1.18.33; rows may also come as {"table": ..., columns}.
What version 2 writes is told as its forerunner (`opencode_next`); rows of the event log repeat the tables beside it and tell nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from importers.opencode_acts import act_of_tool, ended_with, permission_key, refusal_of, rules_of, tokens_in
from importers.opencode_copies import act_name, content_name, fork_of, is_copy, message_name
from importers.opencode_next import Stream, Told, message_of, name_of_event
from importers.opencode_records import EVENTS, OTHER_TABLES, PARTS, TABLES, shape_of
from importers.shared.agents import Frame, field, words_of
from importers.shared.fields import Json, first_text, mapping, number
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of, objects, row_of
from importers.shared.usage import Purse, cost_of, spent, tell_spent
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Effect, EventKind, KeyRole, Phase, Tri

POINT = "opencode"

_ANSWERS = {"once": Effect.ALLOW, "always": Effect.ALLOW, "reject": Effect.DENY}
_FEEDBACK = "with the following feedback: "
_LIMIT = 50_000


class OpenCode:
    id = "opencode"
    title = "opencode sessions"
    evidence = "real"
    version = 8
    states_intents = True
    reads_heads = True

    def sniff(self, sample: Sequence[object]) -> int:
        found = sum(isinstance(record, dict) and bool(shape_of(record)) for record in sample)
        return 90 if found and found * 2 >= len(sample) else 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    """One store, export or stream; it remembers who spoke each message, for its parts say nothing of that."""

    def __init__(self) -> None:
        self._sessions: dict[str, Transcript] = {}
        self._roles: dict[str, str] = {}
        self._created: dict[str, object] = {}
        self._acts: dict[str, str] = {}
        self._forks: dict[str, str] = {}
        self._asked: dict[str, str] = {}
        self._typed: dict[str, None] = {}
        self._purse: Purse = {}
        self._next = Stream()
        self._head = ""

    def read(self, record: object) -> Parsed:
        parsed = self._read(object_of(record, "an opencode record"))
        tell_spent(self._purse, parsed.scope, parsed.events)
        if parsed.identity is not None:
            parsed.scope = ""
        return parsed

    def _read(self, record: Json) -> Parsed:
        kind = shape_of(record)
        if kind == "message with parts":
            return self._whole(mapping(record.get("info")), objects(record.get("parts")))
        if kind == "export":
            parsed = self._session(mapping(record.get("info")))
            self._head = first_text(mapping(record.get("info")), "id")
            messages = (one for one in objects(record.get("messages")) if shape_of(one) in ("message with parts", "next message"))
            parsed.events += [event for message in messages for event in self._read(message).events]
            return parsed
        if kind == "next message":
            return self._next_message(record)
        if kind == "event":
            return self._event(record)
        if kind == "printed":
            told = record.get("part")
            # What a run prints is what the agent says; a person's words are on its command line, and in a record of their own since.
            asked = field(record, "type") == "user"
            about = {**record, "role": "user" if asked else "assistant"}
            session = self._file(record.get("sessionID"), record).session
            parsed = self._part(told, about) if isinstance(told, dict) else Parsed(scope=session)
            parsed.events += [
                e for part in objects(record.get("parts")) if asked and "type" in part for e in self._part(part, about).events
            ]
            parsed.type = f"printed/{field(record, 'type')}"
            parsed.identity, parsed.copied = None, False
            return parsed
        if kind == "row":
            return self._row(record)
        table, row = row_of(record)
        if kind == "session":
            return self._session(row)
        if kind == "message":
            return self._message(row)
        if kind == "part":
            return self._part(row, row)
        if table:
            return Parsed(type=f"row/{table[:100]}", unknown_type=f"row/{table[:100]}")
        raise BadRecord("no opencode record: neither a session, message or part by its id, nor an event with `properties`")

    def _whole(self, info: Json, parts: list[Json]) -> Parsed:
        """A message with its parts, as exports have them."""
        parsed = self._message(info)
        for part in parts:
            inner = self._part(part, info)
            parsed.events += inner.events
            parsed.unknown_type = parsed.unknown_type or inner.unknown_type
        if message_name(info, parts) and (name := content_name(info, *parts)):
            parsed.identity = f"message/{name}"
            parsed.copied = is_copy(first_text(info, "id"), mapping(info.get("time")).get("created"))
        return parsed

    def _next_message(self, record: Json) -> Parsed:
        """A message of version 2."""
        said, kind = message_of(record, self._head), field(record, "type")
        if kind in ("user", "assistant"):
            parsed = self._message(said.info)
        else:
            file = self._file(said.info.get("sessionID"), record)
            frame = file.frame(mapping(record.get("time")).get("created"), unit="ms", ref=first_text(record, "id"))
            parsed = Parsed(scope=file.session, at=frame.at)
            parsed.events = list(file.posture(frame, field(record, "agent"))) if kind == "agent-switched" else []
            file.place(field(mapping(record.get("location")), "directory"))
            file.know(model=field(mapping(record.get("model")), "id"))
        parsed.type = f"message/{kind}"[:100]
        self._parts(said, parsed)
        return parsed

    def _parts(self, said: Told, parsed: Parsed) -> None:
        for part in said.parts:
            inner = self._part(part, said.info)
            parsed.events += inner.events
            if part.get("type") == "text" and inner.identity is not None:
                parsed.identity, parsed.copied = inner.identity, True

    def _again(self, name: str, copied: bool, file: Transcript) -> bool:
        """Whether this was told in the session it was copied from, which the fork is then known to come from."""
        origin = self._acts.get(name, "") if copied else ""
        if not origin or origin == file.session:
            if name and name not in self._acts:
                remember(self._acts, name, file.session, _LIMIT)
            return False
        self._fork(file, origin)
        return True

    def _fork(self, file: Transcript, origin: str) -> None:
        if origin and file.session not in self._forks:
            remember(self._forks, file.session, origin, 1000)
            file.parent(origin)

    def _row(self, record: Json) -> Parsed:
        """A row of the database: ids in columns, the body as JSON text."""
        table, row = row_of(record)
        table = table or ("part" if "message_id" in row else "message")
        if table not in TABLES:
            return Parsed(type=f"row/{table[:100]}", unknown_type=None if table in OTHER_TABLES else f"row/{table[:100]}")
        if table in ("session", "session_v2"):
            return self._session(row)
        body = row.get("data")
        if isinstance(body, str):
            try:
                body = msgspec.json.decode(body)
            except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
                raise BadRecord(f"the `data` of a {table} row is not valid JSON: {error}") from error
        if not isinstance(body, dict):
            raise BadRecord(f"a {table} row without an object in `data`")
        ids = {"id": row.get("id"), "sessionID": row.get("session_id"), "messageID": row.get("message_id")}
        whole = {**body, **{name: value for name, value in ids.items() if value is not None}}
        if table == "session_message":
            return self._next_message({"time": {"created": row.get("time_created")}, **whole, "type": row.get("type")})
        when = {"created": row.get("time_created")}
        return self._message({"time": when, **whole}) if table == "message" else self._part(whole, {"time": when})

    def _file(self, session: object, record: object) -> Transcript:
        name = session if isinstance(session, str) else ""
        file = self._sessions.get(name)
        if file is None:
            file = Transcript(POINT, unique_calls=False)
            remember(self._sessions, name, file, 1000)
            file.begin(name, record)
        return file

    def _session(self, info: Json) -> Parsed:
        file = self._file(info.get("id"), info)
        self._fork(file, fork_of(info))
        file.parent(info.get("parentID") or info.get("parent_id"))
        file.place(field(info, "directory"))
        file.know(agent_version=field(info, "version"))
        times = mapping(info.get("time"))
        frame = file.frame(times.get("created") or info.get("time_created"), unit="ms", ref=first_text(info, "id"))
        parsed = Parsed(scope=file.session, type="session", at=frame.at)
        title = field(info, "title")[:300]
        attrs: dict[str, Attr] = {"title": title} if title and not title.startswith("New session") else {}
        if file.first("session", title):
            parsed.events.append(frame.event(EventKind.ACTION, Phase.STARTED, attrs=attrs))
        rules = rules_of(info.get("permission"))
        parsed.events += file.posture(frame, field(info, "agent"), text=f"rules of the session: {rules}" if rules else "")
        return parsed

    def _message(self, info: Json) -> Parsed:
        file = self._file(info.get("sessionID"), info)
        role = field(info, "role")
        if not role:
            raise BadRecord("a message without `role`")
        name = first_text(info, "id")
        remember(self._roles, name, role, _LIMIT)
        created = mapping(info.get("time")).get("created")
        if role == "user":
            remember(self._created, name, number(created), _LIMIT)
        file.place(field(mapping(info.get("path")), "cwd"))
        model = mapping(info.get("model"))
        file.know(model=field(info, "modelID") or field(model, "modelID") or field(model, "id"))
        frame = file.frame(created, unit="ms", ref=name, after=first_text(info, "parentID"))
        parsed = Parsed(scope=file.session, type=f"message/{role}"[:100], at=frame.at)
        copied = is_copy(name, created)
        if not copied:
            parsed.events = list(file.posture(frame, field(info, "agent") or field(info, "mode")))
        if role not in ("user", "assistant"):
            parsed.unknown_type = parsed.type
        tokens, cost = tokens_in(info), cost_of(info.get("cost"))
        # A message is stored again and again while it is answered; its last state alone has the sum.
        if not copied and (tokens or cost) and mapping(info.get("time")).get("completed") and file.first("tokens", name):
            spent(self._purse, file.session, tokens, cost)
        return parsed

    def _part(self, part: Json, about: Json) -> Parsed:
        kind = field(part, "type")
        if not kind:
            raise BadRecord("a part without `type`")
        file = self._file(part.get("sessionID") or about.get("sessionID"), part)
        message = first_text(part, "messageID")
        state = mapping(part.get("state"))
        times = mapping(state.get("time")) or mapping(part.get("time"))
        when = times.get("start") or mapping(about.get("time")).get("created") or about.get("timestamp")
        frame = file.frame(when, unit="ms", ref=first_text(part, "id"), after=message)
        parsed = Parsed(scope=file.session, type=f"part/{kind}"[:100], at=frame.at)
        if kind == "tool":
            act, copied = act_name(part), is_copy(first_text(part, "id"), times.get("start"))
            if not self._again(act, copied, file):
                parsed.events = list(self._tool(part, state, times, file, frame, copied))
            if act and (name := content_name(part)):
                # The same part as a file and as a row of the database are two records that say the same.
                parsed.identity, parsed.copied = f"{'part' if about is part else 'row'}/{name}", copied
        elif kind == "text" and part.get("synthetic") is not True and part.get("ignored") is not True:
            # The agent's own words carry the time they took, a person's do not.
            role = self._roles.get(message) or field(about, "role") or ("assistant" if part.get("time") else "user")
            words = field(part, "text")
            created = self._created.get(message)
            said = message_name({"role": role, "time": {"created": created}}, [part])
            again = role == "user" and self._again(said, is_copy(message, created), file)
            if role == "user" and not again and words.strip():
                parsed.events = list(self._said(part, message, words, file, frame))
                if message:
                    # A file, a row of the database and a row of version 2 that hold these words are no versions of each other.
                    parsed.identity, parsed.copied = f"said/{file.session}/{message}/{digest(words.encode())}", True
        elif kind == "subtask" and (words := field(part, "prompt")):
            parsed.events.append(frame.intent(Phase.DELEGATED, words, attrs={"agent_type": field(part, "agent")[:200]}))
        elif kind not in PARTS:
            parsed.unknown_type = parsed.type
        return parsed

    def _said(self, part: Json, message: str, words: str, file: Transcript, frame: Frame) -> Iterator[Event]:
        """A person's words, told once for their message however many records have them."""
        name = digest(words.encode())
        if part.get("again") is not True:
            remember(self._typed, f"{file.session}/{name}", None, _LIMIT)
        elif f"{file.session}/{name}" in self._typed:
            return
        if file.first("said", first_text(part, "id")) and file.first("words", f"{message}/{name}" if message else ""):
            child = file.session not in self._forks and any(key.role is KeyRole.PARENT for key in frame.scope)
            yield frame.intent(Phase.DELEGATED if child else Phase.PROMPT, words)

    def _tool(
        self, part: Json, state: Json, times: Json, file: Transcript, frame: Frame, copied: bool = False
    ) -> Iterator[Event]:
        tool, given, status = field(part, "tool"), state.get("input"), field(state, "status")
        call = first_text(part, "callID") or first_text(part, "id")
        details = mapping(state.get("metadata"))
        if tool == "invalid":
            # A tool that is denied altogether is not offered; the call to it becomes one of this tool.
            tool, given = field(mapping(given), "tool") or tool, {}
            status = "invalid"
        elif status == "pending" and not given:
            return
        if part.get("resultOnly") is not True:
            yield from file.call(frame, call, tool, given, act=act_of_tool(tool, given))
        child = details.get("sessionId") or (details.get("sessionID") if tool == "subagent" else None)
        if child and not copied:
            yield from self._spawned(child, call, file, frame)
        if status not in ("completed", "error", "invalid"):
            return
        ended = file.frame(times.get("end"), unit="ms", ref=frame.ref.rpartition("/")[2])
        output = field(state, "error") if status == "error" else words_of(state.get("output"))
        refused, effect, ok = "", None, Tri.NO if status != "completed" else Tri.YES
        code = number(details.get("exit"))
        if status == "invalid":
            refused, effect = "rule", Effect.UNKNOWN
        elif status == "error":
            refused = field(state, "refused") or refusal_of(output)
        elif state.get("unsaid") is True:
            ok = Tri.UNKNOWN
        elif "exit" in details:
            ok, refused = ended_with(code, output)
        feedback = output.partition(_FEEDBACK)[2] if refused == "user" else ""
        new = not file.answered(call)
        yield from file.result(
            ended if ended.at is not None else frame,
            call,
            ok,
            output,
            refused=refused,
            reason=output.removeprefix("Error: ").partition(". Here are")[0] if refused else "",
            effect=effect,
            status="" if code is None else str(code),
        )
        if feedback and new:
            yield ended.intent(Phase.PROMPT, feedback, call=file.call_key(call))

    def _spawned(self, child: object, call: str, file: Transcript, frame: Frame) -> Iterator[Event]:
        name = child if isinstance(child, str) else ""
        spawned = self._file(name, name)
        if spawned is file or not spawned.first("spawned", call):
            return
        spawned.parent(file.session, file.call_key(call))
        yield frame._replace(scope=spawned.frame().scope, ref="").event(EventKind.ACTION, Phase.STARTED)

    def _event(self, record: Json) -> Parsed:
        kind, told = field(record, "type"), mapping(record.get("properties")) or mapping(record.get("data"))
        name = name_of_event(kind)
        if kind == "message.part.updated" and isinstance(told.get("part"), dict):
            parsed = self._part(mapping(told.get("part")), {"time": {"created": told.get("time")}})
        elif kind == "message.updated" and isinstance(told.get("info"), dict):
            parsed = self._message(mapping(told.get("info")))
        elif kind in ("session.created", "session.updated") and isinstance(told.get("info"), dict):
            parsed = self._session(mapping(told.get("info")))
        elif name:
            parsed = self._next_event(name, record, told)
        else:
            file = self._file(told.get("sessionID"), told)
            parsed = Parsed(scope=file.session)
            parsed.events = list(self._permission(kind.replace(".v2.", "."), told, file))
            if kind.replace(".v2.", ".") not in EVENTS and not kind.startswith(("tui.", "pty.", "ide.", "worktree.")):
                parsed.unknown_type = kind[:100]
        parsed.type = kind[:100]
        if event := first_text(record, "id"):
            parsed.identity, parsed.copied = event, False
        return parsed

    def _next_event(self, name: str, record: Json, told: Json) -> Parsed:
        """An event within a session of version 2."""
        file = self._file(told.get("sessionID"), told)
        frame = file.frame(told.get("timestamp") or record.get("created"), unit="ms")
        parsed = Parsed(scope=file.session, at=frame.at)
        if name in ("agent.switched", "agent.selected", "step.started"):
            parsed.events = list(file.posture(frame, field(told, "agent")))
        elif name == "forked":
            self._fork(file, first_text(told, "parentID"))
        answer = first_text(told, "assistantMessageID")
        if name in ("step.ended", "step.failed") and answer and file.first("tokens", answer):
            spent(self._purse, file.session, tokens_in(told), cost_of(told.get("cost")))
        file.know(model=field(mapping(told.get("model")), "id"))
        file.place(field(mapping(told.get("location")), "directory"))
        self._parts(self._next.read(name, told, record), parsed)
        return parsed

    def _permission(self, kind: str, told: Json, file: Transcript) -> Iterator[Event]:
        """A question put to the person, and the answer given."""
        frame = file.frame(mapping(told.get("time")).get("created"), unit="ms")
        if kind in ("permission.asked", "permission.updated"):
            tool = mapping(told.get("tool")) or mapping(told.get("source"))
            call = first_text(tool, "callID") or first_text(told, "callID")
            remember(self._asked, first_text(told, "id"), call, _LIMIT)
            asked = field(told, "permission") or field(told, "action") or field(told, "type")
            wanted = told.get("patterns") or told.get("resources") or told.get("pattern")
            reason = f"{asked}: {words_of(wanted)}" if asked else ""
            question = file.decision(frame, Effect.ASK, call, reason=reason)
            question.keys += permission_key(told.get("id"))
            yield question
        elif kind == "permission.replied":
            request = first_text(told, "requestID") or first_text(told, "permissionID")
            answer = field(told, "reply") or field(told, "response")
            effect = _ANSWERS.get(answer, Effect.UNKNOWN)
            if effect is not Effect.UNKNOWN:
                answered = file.decision(frame, effect, self._asked.get(request, ""), rule=answer, reason="answered")
                answered.keys += permission_key(request)
                yield answered


IMPORTER = OpenCode()
