"""opencode's own log (`log/opencode.log`): the only record of what its rules allowed, denied or put to a person.

An `evaluated` line names the permission and what was asked for, not the session or the call: it belongs to the session that
was at work in the same run of the program, and to none where several were. Two forms: pairs with `timestamp=` and `message=`,
and before those `INFO  2026-06-09T17:38:43 +3ms service=permission ... evaluated`, whose times are UTC. Source: logs of
1.18.33, and the program's source for the older form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from importers.cutting.framing import Container, key_values
from importers.opencode import POINT
from importers.opencode_acts import act_asked, permission_key
from importers.shared.agents import Frame, field
from importers.shared.fields import Json, mapping, texts
from importers.shared.recent import remember
from importers.shared.transcript import Transcript, object_of
from model.event import Attr, BadRecord, Event, Parsed
from model.words import Effect, EventKind, Phase

_OLD = re.compile(r"(?P<level>DEBUG|INFO|WARN|ERROR) +(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) \+\d+ms (?P<rest>.*)", re.DOTALL)
_NEW = re.compile(r"timestamp=\S+ level=[A-Z]+ ")
_RUN = re.compile(r" run=[0-9a-f]{4,16} | service=[a-z]")
_SESSION = re.compile(r"\bsession(?:\.id|ID)=(ses_\w+)")
_EVALUATED = re.compile(r"(?<!\S)permission=(?P<permission>\S++) pattern=")
_ASKING = re.compile(r"(?<!\S)id=(?P<id>per_\w++) permission=(?P<permission>\S++) patterns=(?=\[)")
_CREATED = re.compile(r"(?<!\S)id=(?P<id>ses_\w++)")
_OF_CREATED = re.compile(r" (version|directory|parentID)=(\S++)")
_EFFECTS = {"allow": Effect.ALLOW, "deny": Effect.DENY, "ask": Effect.ASK}
_FILES = frozenset({"read", "edit", "write", "patch"})
_LIMIT = 1000


class _Entry(NamedTuple):
    """One line: what happened, when, in which run of the program, and its members."""

    message: str
    at: str
    run: str
    told: Json


class OpenCodeLog:
    id = "opencode-log"
    title = "opencode log (permissions evaluated)"
    evidence = "real"
    version = 1
    container: Container = "lines"

    def sniff(self, sample: Sequence[object]) -> int:
        lines = [field(mapping(record), "line") for record in sample]
        found = sum(_is_entry(line) for line in lines)
        return 74 if found and found * 2 >= len(lines) else 0

    def open(self) -> _Reader:
        return _Reader()


def _is_entry(line: str) -> bool:
    if _NEW.match(line):
        return _RUN.search(line[:200]) is not None
    old = _OLD.match(line)
    return old is not None and old["rest"].startswith("service=")


class _Reader:
    """One log in order: the sessions it names, and which of them are at work in each run."""

    def __init__(self) -> None:
        self._sessions: dict[str, Transcript] = {}
        self._working: dict[str, list[str]] = {}

    def read(self, record: object) -> Parsed:
        line = field(object_of(record, "a line of the log"), "line")
        entry = _entry(line)
        if entry is None:
            if not line.strip():
                raise BadRecord("a line without text")
            return Parsed(type="more of the entry before")
        session = field(entry.told, "session.id") or field(entry.told, "sessionID")
        self._follow(entry, session)
        parsed = Parsed(type=entry.message[:100])
        if entry.message == "created" and field(entry.told, "id").startswith("ses_"):
            parsed.events = list(self._created(entry))
        elif entry.message in ("evaluated", "asking") and field(entry.told, "permission"):
            frame = self._frame(entry)
            parsed.events = [self._evaluated(entry.told, frame) if entry.message == "evaluated" else _asking(entry.told, frame)]
        parsed.at = parsed.events[0].at if parsed.events else None
        return parsed

    def _file(self, session: str) -> Transcript:
        file = self._sessions.get(session)
        if file is None:
            file = Transcript(POINT, unique_calls=False)
            remember(self._sessions, session, file, _LIMIT)
            if session:
                file.begin(session)
        return file

    def _follow(self, entry: _Entry, session: str) -> None:
        """Which sessions are at work."""
        if len(self._working) > _LIMIT:
            self._working.clear()
        working = self._working.setdefault(entry.run, [])
        if session and entry.message in ("loop", "process") and len(working) < _LIMIT and session not in working:
            working.append(session)
        elif session and entry.message in ("exiting loop", "cancel") and session in working:
            working.remove(session)

    def _frame(self, entry: _Entry) -> Frame:
        """The one session at work; no scope at all where it might be another."""
        working = self._working.get(entry.run, [])
        if len(working) == 1:
            return self._file(working[0]).frame(entry.at)
        return self._file("").frame(entry.at)._replace(scope=())

    def _created(self, entry: _Entry) -> Iterator[Event]:
        told = entry.told
        file = self._file(field(told, "id"))
        if field(told, "parentID").startswith("ses_"):
            file.parent(told.get("parentID"))
        folder, inner = field(told, "directory"), field(told, "path")
        file.place(folder.removesuffix(f"/{inner}") if inner else folder)
        file.know(agent_version=field(told, "version"))
        title = field(told, "title")[:300]
        attrs: dict[str, Attr] = {"title": title} if title and not title.startswith("New session") else {}
        yield file.frame(entry.at).event(EventKind.ACTION, Phase.STARTED, attrs=attrs)

    def _evaluated(self, told: Json, frame: Frame) -> Event:
        permission, pattern = field(told, "permission"), field(told, "pattern")
        rule = f"{field(told, 'action.permission')} {field(told, 'action.pattern')}".strip()
        effect = _EFFECTS.get(field(told, "action.action"), Effect.UNKNOWN)
        return act_asked(
            frame.verdict(effect, rule=rule[:500], reason=f"{permission}: {pattern}"),
            permission,
            _within(frame, permission, pattern),
        )


def _asking(told: Json, frame: Frame) -> Event:
    permission, patterns = field(told, "permission"), _list(field(told, "patterns"))
    event = frame.verdict(Effect.ASK, reason=f"{permission}: {', '.join(patterns)}")
    event.keys += permission_key(told.get("id"))
    return act_asked(event, permission, _within(frame, permission, patterns[0])) if len(patterns) == 1 else event


def _within(frame: Frame, permission: str, pattern: str) -> str:
    """The pattern; a file's is told from the root of the project."""
    root = str(frame.attrs.get("cwd", ""))
    return (
        f"{root.rstrip('/')}/{pattern}" if permission in _FILES and root and not pattern.startswith(("/", "~", "*")) else pattern
    )


def _entry(line: str) -> _Entry | None:
    if _NEW.match(line):
        pairs = key_values(line) or {}
        return _Entry(field(pairs, "message"), field(pairs, "timestamp"), field(pairs, "run"), pairs)
    old = _OLD.match(line)
    if old is None:
        return None
    rest = old["rest"]
    message = next(
        (
            word
            for word in ("evaluated", "asking", "created", "exiting loop", "cancel", "loop", "process")
            if rest.endswith(f" {word}")
        ),
        "",
    )
    session = _SESSION.search(rest)
    told: Json = {"session.id": session[1]} if session else {}
    begun = {"evaluated": _EVALUATED, "asking": _ASKING, "created": _CREATED}.get(message)
    if begun is not None and (match := begun.search(rest)) is not None:
        told |= match.groupdict() | _behind(message, rest[match.end() :])
    return _Entry(message or rest.partition(" ")[0], old["at"] + "Z", "", told)


def _behind(message: str, said: str) -> Json:
    """The members behind the first ones of a line: what is JSON there ends with the line's last bracket."""
    if message == "asking":
        return {"patterns": said[: said.rfind("]") + 1]}
    if message == "created":
        return dict(reversed(_OF_CREATED.findall(said)))
    end = said.rfind("}") + 1
    place = said.rfind(" action={", 0, end)
    if place < 0:
        return {}
    action = _object(said[place + len(" action=") : end])
    return {"pattern": said[:place], **{f"action.{name}": value for name, value in action.items()}}


def _object(value: str) -> Json:
    try:
        return mapping(msgspec.json.decode(value)) if value else {}
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}


def _list(value: str) -> tuple[str, ...]:
    try:
        return texts(msgspec.json.decode(value)) if value else ()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return (value,)


IMPORTER = OpenCodeLog()
