"""A coding agent at work: its own transcript, and the policy engine asked before every call where the machine is guarded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict, Unpack

from samplegen import opa
from samplegen.claude import ClaudeTranscript
from samplegen.codex import CodexTranscript
from samplegen.moments import SECOND
from samplegen.records import Json, Record
from samplegen.scene import Scene
from samplegen.world import Person, Repo

Verdict = Literal["allow", "deny", "none"]
Effect = Callable[[int, str], object]


class Ruling(TypedDict, total=False):
    """What the policy says, by which rule ("none": nobody asked it), and whether the call runs (as the policy says, unless stated)."""

    verdict: Verdict
    rule: str
    executed: bool


class How(Ruling, total=False):
    """How a call goes: also how many seconds it takes, whether it works and what it causes elsewhere."""

    seconds: float
    ok: bool
    effects: tuple[Effect, ...]


NEEDS_RULE = {"deny-push-to-main": "Pushing to main from an agent session needs a pull request"}


@dataclass(slots=True)
class Call:
    """One tool call: its id, the record that made it and that of its result, when it ran and what its effects returned."""

    id: str
    record: Record
    result: Record
    at: int
    effects: list[object]


class Session(ABC):
    """One agent session or sub-agent; time moves on with every call."""

    transcript: ClaudeTranscript | CodexTranscript
    opening: Record

    def __init__(self, scene: Scene, who: Person, repo: Repo, start: int, branch: str) -> None:
        self.scene = scene
        self.who = who
        self.repo = repo
        self.branch = branch
        self.t = start
        self.cwd = f"{who.home}/work/{repo.name}"
        self.ticket = ""
        self.mode = "default"
        self.session = ""
        self.task = ""
        self.prompted: Record | None = None
        self.origin = "endpoint"
        self._turn_started = start

    # what a person or a parent does

    def prompt(self, text: str, mode: str = "") -> Record:
        if mode:
            self.mode = mode
        self._turn_started = self.t
        record = self.transcript.prompt(self.t, text, mode)
        self.prompted = self.prompted or record
        self.t += self._pause(2.0, 6.0)
        return record

    def say(self, text: str) -> None:
        self.transcript.say(self.t, text)
        self.t += self._pause(1.0, 3.0)

    def wait(self, seconds: float) -> None:
        self.t += round(seconds * SECOND)

    def _pause(self, low: float, high: float) -> int:
        return round(self.scene.ids.random.uniform(low, high) * SECOND)

    # what the agent does, each tool in its product's own words

    @abstractmethod
    def run(self, command: str, output: str = "", **how: Unpack[How]) -> Call:
        """Run a shell command."""

    @abstractmethod
    def read(self, path: str, text: str = "") -> Call:
        """Read a file."""

    @abstractmethod
    def edit(self, path: str, old: str, new: str, **how: Unpack[How]) -> Call:
        """Change a file."""

    @abstractmethod
    def mcp(self, server: str, tool: str, given: Json, answer: str, **how: Unpack[How]) -> Call:
        """Call a tool of an MCP server."""

    @abstractmethod
    def finish(self, text: str) -> None:
        """Say the last word and end the session."""

    def _perform(self, call: str, record: Record, question: tuple[str, Json], how: How) -> tuple[int, bool, str, list[object]]:
        """Ask the policy, run the effects; gives (end, ran, reason of a refusal, what the effects returned)."""
        verdict, rule = how.get("verdict", "allow"), how.get("rule", "")
        ran = how.get("executed", verdict != "deny")
        reason = NEEDS_RULE.get(rule, "")
        at = self.t
        if self.who.guarded and verdict != "none":
            self.ask(at + 90_000, call, record, question, verdict == "allow", rule or "default-allow", reason)
        end = at + round(max(how.get("seconds", 2.0), 0.6) * SECOND)
        effects = how.get("effects", ()) if ran else ()
        told = self.scene.bundle.records
        found = []
        for n, effect in enumerate(effects, 1):
            before = len(told)
            found.append(effect(at + 240_000 + (end - at - 300_000) * n // (len(effects) + 1), call))
            for made in told[before:]:
                asked = made.data is not None and made.data.get("type") == "request"
                if made.by not in ("call", "request") and not asked:
                    self.scene.bundle.link(record, made, "inferred", "inference", f"time:{call}")
        self.t = end
        return end, ran, reason, found

    def ask(
        self,
        at: int,
        call: str,
        record: Record,
        question: tuple[str, Json],
        allowed: bool,
        rule: str,
        reason: str,
        decision_id: str = "",
    ) -> Record:
        tool, given = question
        asked: Json = {
            "agent": {"name": self.who.agent, "version": self.who.version},
            "cwd": self.cwd,
            "hook_event_name": "PreToolUse",
            "host": self.who.host,
            "origin": self.origin,
            "permission_mode": self.mode,
            "repository": self.repo.slug,
            "session_id": self.session,
            "tool_input": given,
            "tool_name": tool,
            "tool_use_id": call,
            "user": self.who.email,
        }
        if self.ticket:
            asked["ticket"] = self.ticket
        made = opa.decision(
            self.scene,
            at,
            asked,
            allowed=allowed,
            rule=rule,
            reason=reason,
            task=self.task,
            step=call,
            decision_id=decision_id,
        )
        self.scene.tie(record, made, "call", f"call:{call}")
        return made

    def _describe(self, file: str, agent: str, **more: object) -> None:
        self.scene.bundle.tasks.append(
            {
                "scope": self.task,
                "story": self.scene.bundle.story,
                "file": file,
                "agent": agent,
                "principal": self.who.email,
                "repository": self.repo.slug,
                **more,
            }
        )
