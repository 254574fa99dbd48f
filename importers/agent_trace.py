"""agent-trace records: which lines an agent or a person wrote, in which conversation, to which end.

The one format that states the intent behind code by an id of its own (`related`). A record is what the agent's tool wrote
about its own edit. The format's own hook also tells of commands, and of sessions that begin and end, as files of made-up names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importers.shared.agents import Act, call_id, exec_act, field, file_act, scope_id, scope_key
from importers.shared.fields import Json, clip, commit_id, first_text, key, keys, mapping, moment, number, session_id
from importers.shared.transcript import objects
from lang.names import repository_name
from model.event import Attr, BadRecord, Event, Key, Parsed
from model.words import Clock, EventKind, KeyRole, Phase, Vantage, Verb

POINT = "agent-trace"
_MAX = 500
_COMMANDS, _SESSIONS = ".shell-history", ".sessions"
_MOMENTS = {"session_start": Phase.STARTED, "session_end": Phase.ENDED}
_TICKETS = frozenset({"ticket", "issue", "task", "story"})


class AgentTrace:
    id = "agent-trace"
    title = "agent-trace records"
    evidence = "fixture"
    version = 3

    def sniff(self, sample: Sequence[object]) -> int:
        for record in sample:
            if isinstance(record, dict) and isinstance(record.get("id"), str) and isinstance(record.get("files"), list):
                files = objects(record["files"])
                if files and all(_path(one) and isinstance(one.get("conversations"), list) for one in files):
                    return 92
        return 0

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: an agent-trace record is one JSON object")
        files = record.get("files")
        if not isinstance(files, list):
            raise BadRecord("no `files` list: it is what an agent-trace record is about")
        at, clock = moment(record.get("timestamp"))
        parsed = Parsed(identity=field(record, "id")[:200] or None, type="trace", at=at)
        parsed.events = list(_events(record, objects(files), at, clock))
        return parsed


def _events(record: Json, files: list[Json], at: int | None, clock: Clock) -> Iterator[Event]:
    vcs, tool = mapping(record.get("vcs")), mapping(record.get("tool"))
    sha = commit_id(first_text(vcs, "revision_id", "revision", "commit"))
    agent = field(tool, "name")[:200]
    attrs: dict[str, Attr] = {}
    named = {
        "agent_version": field(tool, "version"),
        "sha": sha,
        "repository": repository_name(first_text(vcs, "repository_url", "repository", "remote")[:1000]),
        "branch": field(vcs, "branch"),
    }
    attrs.update({name: value[:500] for name, value in named.items() if value})
    metadata = mapping(record.get("metadata"))
    told: set[tuple[str, str]] = set()
    for one in files[:_MAX]:
        path = _path(one)
        for talk in objects(one.get("conversations"))[:_MAX]:
            scope = _scope(talk, metadata)
            common = (*scope, *keys(key(KeyRole.REFERENCE, "commit", sha if len(sha) >= 7 else "")))
            for kind, value in _related(talk):
                mark = (scope[0].name if scope else "", value)
                if mark not in told:
                    told.add(mark)
                    yield _intent(kind, value, common, attrs, agent, at, clock)
            called = keys(key(KeyRole.CALL, "call", call_id(first_text(metadata, "tool_use_id", "toolUseId"))))
            if path == _SESSIONS and (phase := _MOMENTS.get(field(metadata, "event"))) is not None:
                yield Event(
                    EventKind.ACTION, phase, Vantage.AGENT, POINT, at=at, clock=clock, agent=agent, keys=scope, attrs=attrs
                )
            elif path == _COMMANDS:
                yield _ran(metadata, (*scope, *called), attrs, agent, at, clock)
            elif path != _SESSIONS:
                yield _written(path, talk, (*common, *called), attrs, agent, at, clock)


def _intent(
    kind: str, value: str, common: tuple[Key, ...], attrs: dict[str, Attr], agent: str, at: int | None, clock: Clock
) -> Event:
    """What the change was for, by the id the record states."""
    ticket = kind.lower() in _TICKETS
    reference = key(KeyRole.REFERENCE, "ticket" if ticket else "intent", value[:200])
    return Event(
        EventKind.INTENT,
        Phase.TICKET if ticket else Phase.MANDATE,
        Vantage.AGENT,
        POINT,
        at=at,
        clock=clock,
        agent=agent,
        text=clip(f"{kind} {value}".strip(), 500),
        keys=keys(*common, reference),
        attrs={**attrs, **({"ticket": value[:200]} if ticket else {})},
    )


def _ran(metadata: Json, named: tuple[Key, ...], attrs: dict[str, Attr], agent: str, at: int | None, clock: Clock) -> Event:
    """A command that the agent ran; how it ended is not told."""
    took = number(metadata.get("duration_ms"))
    more: dict[str, Attr] = {} if took is None else {"duration_ms": took}
    return _done(exec_act(field(metadata, "command")), named, {**attrs, **more}, agent, at, clock)


def _written(
    path: str, talk: Json, common: tuple[Key, ...], attrs: dict[str, Attr], agent: str, at: int | None, clock: Clock
) -> Event:
    model, kind = _contributor(talk)
    more: dict[str, Attr] = {"model": model} if model and model != "unknown" else {}
    if kind in ("human", "mixed", "unknown"):
        more["status"] = f"written by {kind}"
    # The tool kept the record; what a person wrote is no act of an agent's.
    by = "" if kind == "human" else agent
    return _done(file_act(Verb.FILE_WRITE, path), common, {**attrs, **more}, by, at, clock, _ranges(talk))


def _done(
    act: Act, named: tuple[Key, ...], attrs: dict[str, Attr], agent: str, at: int | None, clock: Clock, text: str = ""
) -> Event:
    """An act that is told once it is done."""
    return Event(
        EventKind.ACTION,
        Phase.RESULT,
        Vantage.AGENT,
        POINT,
        at=at,
        clock=clock,
        agent=agent,
        verb=act.verb,
        target=act.target,
        text=text,
        keys=named,
        attrs={**attrs, **act.attrs},
    )


def _contributor(talk: Json) -> tuple[str, str]:
    """The model and the kind of who wrote the lines: a range may name another than its conversation does."""
    whole = mapping(talk.get("contributor"))
    each = [mapping(one.get("contributor")) or whole for one in objects(talk.get("ranges"))[:_MAX]] or [whole]
    kinds = {first_text(one, "entity_type", "type").lower()[:50] for one in each}
    models = {first_text(one, "model_identifier", "model_id", "model")[:200] for one in each} - {""}
    return models.pop() if len(models) == 1 else "", kinds.pop() if len(kinds) == 1 else "mixed"


def _scope(talk: Json, metadata: Json) -> tuple[Key, ...]:
    """The conversation: the session its address or the record names, else the address itself."""
    url = first_text(talk, "url", "id")
    named = first_text(metadata, "session_id", "sessionId", "conversation_id", "conversationId")
    session = session_id(url) or scope_id(named) or (scope_id(url) if url and "://" not in url else "")
    return scope_key("session", session) if session else scope_key("conversation", url[:500])


def _related(talk: Json) -> Iterator[tuple[str, str]]:
    for one in objects(talk.get("related"))[:20]:
        if (
            (kind := field(one, "type")[:100])
            and kind not in ("session", "prompt")
            and (value := first_text(one, "value", "id", "url"))
        ):
            yield kind, value


def _ranges(talk: Json) -> str:
    found = []
    for one in objects(talk.get("ranges"))[:20]:
        start, end = number(one.get("start_line")), number(one.get("end_line"))
        if start is not None and end is not None:
            found.append(f"{start}-{end}" if end != start else str(start))
    return f"lines {', '.join(found)}" if found else ""


def _path(one: Json) -> str:
    return first_text(one, "relative_path", "path", "file_path")[:4000]


IMPORTER = AgentTrace()
