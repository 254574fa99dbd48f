"""Settings of Codex, Cursor, Gemini CLI and opencode that are policy: which tools and modes are allowed, and hooks. A policy, no decision.

They name neither a session nor a time nor their own scope; what is in force by them is told wherever they lie. What each program's are,
its own module says (`agent_settings_*`).
"""

from __future__ import annotations

from collections.abc import Sequence

from importers import agent_settings_codex, agent_settings_cursor, agent_settings_gemini, agent_settings_opencode
from importers.shared.agents import Frame
from importers.shared.fields import Json, canonical, clip
from importers.shared.settings import Program
from model.event import Attr, BadRecord, Event, Parsed, digest
from model.words import Clock, EventKind, Phase

_PROGRAMS: tuple[Program, ...] = (
    agent_settings_cursor.PROGRAM,
    agent_settings_opencode.PROGRAM,
    agent_settings_gemini.PROGRAM,
    agent_settings_codex.PROGRAM,
)
_TEXT_LIMIT = 20_000


class AgentSettings:
    id = "agent-settings"
    title = "Settings of Codex, Cursor, Gemini CLI and opencode (permissions, tools, modes, hooks)"
    evidence = "real"
    reads_documents = True
    version = 3

    def sniff(self, sample: Sequence[object]) -> int:
        settings = sample[0] if len(sample) == 1 else None
        return max(one.weigh(settings) for one in _PROGRAMS) if isinstance(settings, dict) else 0

    def open(self) -> _Reader:
        return _Reader()


def _program(settings: Json) -> Program | None:
    surest = max(_PROGRAMS, key=lambda one: one.weigh(settings))
    return surest if surest.weigh(settings) else None


class _Reader:
    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: settings are one object")
        program = _program(record)
        if program is None:
            raise BadRecord("no settings of Codex, Cursor, Gemini CLI or opencode: neither their hooks nor their parts")
        return Parsed([_posture(record, program)], type="settings")


def _posture(settings: Json, program: Program) -> Event:
    """What is in force by these settings: mode, sandbox, and every rule in words."""
    attrs: dict[str, Attr] = {"policy_revision": digest(canonical(program.stated(settings)))[:20]}
    if mode := program.mode(settings)[:100]:
        attrs["mode"] = mode
    if sandbox := program.sandbox(settings)[:100]:
        attrs["sandbox"] = sandbox
    frame = Frame(program.name, None, Clock.ORDER_ONLY, "", "", (), {}, program.name)
    text = clip("\n".join(program.words(settings)), _TEXT_LIMIT)
    return frame.event(EventKind.DECISION, Phase.POSTURE, attrs=attrs, text=text)


IMPORTER = AgentSettings()
