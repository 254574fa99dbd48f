"""The memory a reader of an agent's own transcript needs: its session, the mode in force, and what was already told."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from importers.shared.agent_tools import act_of, task_words
from importers.shared.agents import DECIDERS, Act, Frame, names_one_call, origin_of, scope_id, scope_key
from importers.shared.fields import Json, key, keys, moment
from importers.shared.questions import answers_in, asks
from importers.shared.recent import remember
from model.event import Attr, BadRecord, Event, Key, digest
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb

_LIMIT = 50_000


def object_of(record: object, what: str) -> Json:
    """The record, which must be a JSON object; raises BadRecord with a sentence where it is not."""
    if not isinstance(record, dict):
        raise BadRecord(f"not an object: {what} is one JSON object")
    return record


def objects(value: object) -> list[Json]:
    """The objects of a list; an empty list for anything else."""
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def row_of(record: Json) -> tuple[str, Json]:
    """The table and the columns of a database row, which stand beside its name or in a member of their own."""
    table = next((name for key in ("_table", "table") if isinstance(name := record.get(key), str)), "")
    columns = next((inner for key in ("columns", "row") if isinstance(inner := record.get(key), dict)), record)
    return table, columns


class Transcript:
    """One agent's file while it is read.

    A call and its result are told once each, however often the file repeats them; a mode only where it changes. Calls are
    joined within their session alone, unless `unique_calls` says that no two sessions share a call id. `model_calls` says so of
    the ids that models give and that do not merely count: whatever passed the call on knows it by the same id.
    """

    def __init__(self, point: str, agent: str = "", *, unique_calls: bool = True, model_calls: bool = False) -> None:
        self.session = ""
        self.parents: tuple[Key, ...] = ()
        self.facts: dict[str, Attr] = {}
        self.waiting: dict[str, None] = {}
        self._point = point
        self._agent = agent or point
        self._unique = unique_calls
        self._of_models = model_calls
        self._posture: dict[str, tuple[str, str]] = {}
        self._calls: dict[str, None] = {}
        self._results: dict[str, None] = {}
        self._decisions: dict[str, None] = {}
        self._questions: dict[str, None] = {}
        self._ordinal = 0

    def begin(self, session: object, record: object = None) -> None:
        """The session is known by its id; by its first record where it has none, which every snapshot of it begins with."""
        found = scope_id(session)
        if found and found != self.session:
            self.session = found
            self.parents = ()
        elif not self.session:
            self.session = "unnamed-" + name_of(record)

    def parent(self, session: object = None, call: str = "") -> None:
        """The session, and the call by its key, that spawned this one; a session is never its own parent."""
        spawner = scope_id(session)
        made = keys(
            key(KeyRole.PARENT, "session", spawner if spawner != self.session else ""),
            key(KeyRole.PARENT, "call", call),
        )
        self.parents = tuple(dict.fromkeys(self.parents + made))

    def know(self, **facts: str) -> None:
        """Facts that hold from here on; empty ones change nothing."""
        if new := {name: value[:2000] for name, value in facts.items() if value and self.facts.get(name) != value[:2000]}:
            self.facts = {**self.facts, **new}

    def place(self, cwd: str) -> None:
        """The working directory, and what it says of where the agent runs."""
        self.know(cwd=cwd, origin=origin_of(cwd))

    def frame(self, when: object = None, *, unit: str = "", ref: str = "", after: str = "") -> Frame:
        """The frame of a record told at this time; ids are this session's own."""
        at, clock = moment(when, unit)
        return Frame(
            self._point,
            at,
            clock if at is not None else Clock.ORDER_ONLY,
            f"entry:{self.session}/{ref[:200]}" if ref else "",
            f"entry:{self.session}/{after[:200]}" if after else "",
            scope_key("session", self.session) + self.parents,
            self.facts,
            self._agent,
        )

    def posture(self, frame: Frame, mode: str = "", sandbox: str = "", text: str = "") -> Iterator[Event]:
        """The permission mode or sandbox in force, where it changes."""
        before = self._posture.get(self.session, ("", ""))
        now = (mode[:100] or before[0], sandbox[:100] or before[1])
        if now == before:
            return
        remember(self._posture, self.session, now, _LIMIT)
        attrs: dict[str, Attr] = {name: value for name, value in zip(("mode", "sandbox"), now, strict=True) if value}
        yield frame.event(EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=text[:500])

    def call_key(self, call: str) -> str:
        if not call or len(call) > 200:
            return ""
        named = self._unique or (self._of_models and call[0] != "#" and names_one_call(call))
        return call if named else f"{self.session}/{call}"

    def unnamed_call(self) -> str:
        """A name for a call that the agent gave none: its place among the session's calls."""
        self._ordinal += 1
        return f"{self.session}/#{self._ordinal}"

    def call(
        self, frame: Frame, call: str, tool: str, given: object, *, act: Act | None = None, attrs: dict[str, Attr] | None = None
    ) -> Iterator[Event]:
        """A tool call, told the first time; a spawning one also delegates its words."""
        named = self.call_key(call)
        if named and not self._first(self._calls, named):
            return
        act = act if act is not None else act_of(tool, given)
        if named and asks(tool) and act.verb is not Verb.MCP_CALL:
            self._first(self._questions, named)
        yield frame.event(EventKind.ACTION, Phase.CALL, call=named, act=act, tool=tool[:300], attrs=attrs)
        if act.verb is Verb.AGENT_SPAWN and (words := task_words(given)):
            kind = act.attrs.get("agent_type")
            yield frame.intent(Phase.DELEGATED, words, call=named, attrs={"agent_type": kind} if kind else None)

    def result(
        self,
        frame: Frame,
        call: str,
        tool: Tri,
        output: str,
        *,
        refused: str = "",
        reason: str = "",
        rule: str = "",
        effect: Effect | None = None,
        status: str = "",
        by: str = "",
    ) -> Iterator[Event]:
        """What came back of a call, told the first time, with the decision it proves, and what a person answered if it asked them.

        A refusal by rule, hook or user is a denial unless `effect` says otherwise; an interruption decides nothing. The user's is the user's.
        """
        named = self.call_key(call)
        if named and not self._first(self._results, named):
            return
        if refused:
            tool = Tri.NO
        if effect is None:
            effect = Effect.DENY if refused and refused != "interrupted" else Effect.UNKNOWN
        yield frame.result(named, tool, output, refused=refused, permitted=effect, status=status)
        if effect is not Effect.UNKNOWN and f"{effect.value} {named}" not in self._decisions:
            yield frame.verdict(effect, call=named, rule=rule, reason=reason, by=by or (refused if refused in DECIDERS else ""))
        if named in self._questions and not refused and (words := answers_in(output)):
            yield frame.intent(Phase.PROMPT, words, call=named)

    def informed(self, frame: Frame) -> Frame:
        """The frame of a record with what the session is known by meanwhile, which the record itself may have told."""
        return frame._replace(attrs=self.facts)

    def decision(self, frame: Frame, effect: Effect, call: str, *, rule: str = "", reason: str = "", by: str = "") -> Event:
        """A decision that has a record of its own; the call's result, which proves it once more, does not tell it again."""
        named = self.call_key(call)
        if named:
            self._first(self._decisions, f"{effect.value} {named}")
        return frame.verdict(effect, call=named, rule=rule, reason=reason, by=by)

    def first(self, what: str, name: str) -> bool:
        """Whether this is told for the first time; always so for what has no name."""
        return not name or self._first(self._calls, f"{what}:{name}")

    def called(self, call: str) -> bool:
        return self.call_key(call) in self._calls

    def answered(self, call: str) -> bool:
        return self.call_key(call) in self._results

    def _first(self, seen: dict[str, None], name: str) -> bool:
        if name in seen:
            return False
        remember(seen, name, None, _LIMIT)
        return True


def name_of(record: object) -> str:
    """A name for what has none, from its content."""
    try:
        return digest(msgspec.json.encode(record, order="sorted"))[:20]
    except (TypeError, ValueError, RecursionError):
        return "unknown"
