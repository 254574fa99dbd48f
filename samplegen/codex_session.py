"""Codex at work, with its tools in its own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from samplegen.codex import CodexTranscript
from samplegen.moments import SECOND
from samplegen.records import Json
from samplegen.scene import Scene
from samplegen.session import Call, How, Session
from samplegen.world import Person, Repo


class CodexSession(Session):
    """A Codex thread, or one it spawned where `parent` is given."""

    def __init__(
        self,
        scene: Scene,
        who: Person,
        repo: Repo,
        start: int,
        branch: str,
        *,
        approval: str = "on-request",
        sandbox: str = "workspace-write",
        parent: CodexSession | None = None,
        role: str = "",
        spawn: str = "",
    ) -> None:
        super().__init__(scene, who, repo, start, branch)
        self.session = scene.ids.uuid7(start)
        self.task = f"session:{self.session}"
        name = f"codex-{self.session[-8:]}"
        self.mode = "bypassPermissions" if approval == "never" and sandbox == "danger-full-access" else "default"
        self.codex = CodexTranscript(
            scene,
            start,
            self.session,
            repo,
            self.cwd,
            branch,
            who.version,
            name,
            approval=approval,
            sandbox=sandbox,
            parent=parent.session if parent else "",
            role=role,
        )
        self.transcript = self.codex
        self.opening = self.codex.opening
        more: Json = {"parent": parent.task, "parent_step": spawn, "agent_type": role} if parent else {}
        self._describe(f"{name}.jsonl", "codex", **more)
        self.wait(1.2)

    def use(self, tool: str, given: Json, output: str, asked: tuple[str, Json], **how: Unpack[How]) -> Call:
        call, at = self.scene.ids.codex_call(), self.t
        record = self.codex.call(at, call, tool, given)
        end, ran, reason, found = self._perform(call, record, asked, how)
        text = output if ran else f"Command blocked by PreToolUse hook: {reason}. Command: {given.get('cmd', tool)}"
        result = self.codex.result(
            end, call, tool if ran else "blocked", text, 0 if how.get("ok", True) else 1, (end - at) / SECOND
        )
        self.scene.tie(record, result, "call", f"call:{call}")
        self.t = end + self._pause(2.5, 7.0)
        return Call(call, record, result, at, found)

    def run(self, command: str, output: str = "", **how: Unpack[How]) -> Call:
        return self.use("exec_command", {"cmd": command}, output, ("Bash", {"command": command}), **how)

    def read(self, path: str, text: str = "") -> Call:
        return self.run(f"sed -n '1,200p' {path}", text or f"# {path}\n", seconds=0.7)

    def edit(self, path: str, old: str, new: str, **how: Unpack[How]) -> Call:
        patch = f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}\n+{new}\n*** End Patch\n"
        done = f"Success. Updated the following files:\nM {path}\n"
        return self.use("apply_patch", {"input": patch}, done, ("apply_patch", {"command": patch}), **how)

    def mcp(self, server: str, tool: str, given: Json, answer: str, **how: Unpack[How]) -> Call:
        name = f"mcp__{server}__{tool}"
        return self.use(name, given, answer, (name, given), **how)

    def spawn(self, role: str, words: str, sandbox: str, work: Callable[[CodexSession], str]) -> tuple[Call, CodexSession]:
        """Start a thread of its own with that role and sandbox."""
        call, at = self.scene.ids.codex_call(), self.t
        given: Json = {"agent_type": role, "message": words}
        record = self.codex.call(at, call, "spawn_agent", given)
        self._perform(call, record, ("spawn_agent", given), {"seconds": 0.6})
        child = CodexSession(
            self.scene,
            self.who,
            self.repo,
            at + 800_000,
            self.branch,
            sandbox=sandbox,
            parent=self,
            role=role,
            spawn=call,
        )
        child.prompt(words)
        answer = json_answer(child.session)
        result = self.codex.result(at + 1_000_000, call, "spawn_agent", answer, 0, 0.2)
        result.also = child.task
        self.scene.tie(record, result, "call", f"call:{call}")
        said = work(child)
        child.finish(said)
        self.t = child.t + self._pause(2.0, 4.0)
        return Call(call, record, result, at, []), child

    def finish(self, text: str) -> None:
        self.say(text)
        self.codex.turn_end(self.t, text)


def json_answer(session: str) -> str:
    return '{"agent_id":"' + session + '","nickname":"Skerry"}'
