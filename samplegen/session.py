"""A coding agent at work: its own transcript, and the policy engine asked before every call where the machine is guarded."""

from __future__ import annotations

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


class Session:
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

    def run(self, command: str, output: str = "", **how: Unpack[How]) -> Call:
        raise NotImplementedError

    def read(self, path: str, text: str = "") -> Call:
        raise NotImplementedError

    def edit(self, path: str, old: str, new: str, **how: Unpack[How]) -> Call:
        raise NotImplementedError

    def mcp(self, server: str, tool: str, given: Json, answer: str, **how: Unpack[How]) -> Call:
        raise NotImplementedError

    def finish(self, text: str) -> None:
        raise NotImplementedError

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


class ClaudeSession(Session):
    """A session of Claude Code, or one of its sub-agents where `parent` is given."""

    def __init__(
        self,
        scene: Scene,
        who: Person,
        repo: Repo,
        start: int,
        branch: str,
        *,
        parent: ClaudeSession | None = None,
        kind: str = "",
        spawn: str = "",
    ) -> None:
        super().__init__(scene, who, repo, start, branch)
        self.session = parent.session if parent else scene.ids.uuid()
        self.agent_id = scene.ids.agent() if parent else ""
        short = self.session[:8]
        if parent:
            self.task = f"claude.agent:{self.session}/{self.agent_id}"
            name = f"claude-code-{short}-agent-{self.agent_id}"
            self.mode, self.ticket = parent.mode, parent.ticket
        else:
            self.task = f"session:{self.session}"
            name = f"claude-code-{short}"
        self.claude = ClaudeTranscript(scene, self.session, self.cwd, branch, who.version, name, self.task, self.agent_id)
        self.transcript = self.claude
        if parent:
            self._describe(f"{name}.jsonl", "claude-code", parent=parent.task, parent_step=spawn, agent_type=kind)
        else:
            self._describe(f"{name}.jsonl", "claude-code")
            self.claude.snapshot(start - 400_000)

    def open(self, text: str, mode: str = "default") -> Record:
        """The first prompt, which says in which mode the session runs."""
        self.opening = self.prompt(text, "" if self.agent_id else mode)
        return self.opening

    def use(
        self,
        tool: str,
        given: Json,
        output: str,
        details: object = None,
        *,
        refused: str | None = None,
        shown: str = "",
        **how: Unpack[How],
    ) -> Call:
        """One tool call; `refused` are the words of a person who said no (then nothing ran)."""
        call, at = self.scene.ids.tool_use(), self.t
        record = self.claude.call(at, call, tool, given)
        if self.who.guarded and not self.agent_id and how.get("verdict") != "none":
            self.claude.hook(at + 60_000, call, tool)
        if refused is not None:
            how["executed"] = False
        end, ran, reason, found = self._perform(call, record, (tool, given), how)
        if refused is not None:
            result = self.claude.refused(end, call, refused)
        elif not ran:
            text = f"PreToolUse:{tool} hook error: {reason}"
            result = self.claude.result(end, call, text, error=True, details="Error: " + text)
        elif not how.get("ok", True):
            result = self.claude.result(end, call, output, error=True, details="Error: " + output)
        else:
            result = self.claude.result(end, call, shown or output, error=False if tool == "Bash" else None, details=details)
        self.scene.tie(record, result, "call", f"call:{call}")
        self.t = end + self._pause(2.5, 7.0)
        return Call(call, record, result, at, found)

    def run(self, command: str, output: str = "", **how: Unpack[How]) -> Call:
        details: Json = {"stdout": output, "stderr": "", "interrupted": False, "isImage": False, "noOutputExpected": not output}
        given: Json = {"command": command, "description": "Run " + command.split()[0]}
        return self.use("Bash", given, output, details, **how)

    def read(self, path: str, text: str = "") -> Call:
        full = f"{self.cwd}/{path}"
        text = text or f"# {path}\n"
        lines = text.split("\n")
        numbered = "\n".join(f"{n:6}→{line}" for n, line in enumerate(lines, 1))
        file: Json = {"filePath": full, "content": text, "numLines": len(lines), "startLine": 1, "totalLines": len(lines)}
        return self.use("Read", {"file_path": full}, text, {"type": "text", "file": file}, shown=numbered, seconds=0.7)

    def edit(self, path: str, old: str, new: str, **how: Unpack[How]) -> Call:
        full = f"{self.cwd}/{path}"
        patch: Json = {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-" + old, "+" + new]}
        details: Json = {
            "filePath": full,
            "oldString": old,
            "newString": new,
            "originalFile": old + "\n",
            "structuredPatch": [patch],
            "userModified": False,
            "replaceAll": False,
        }
        given: Json = {"replace_all": False, "file_path": full, "old_string": old, "new_string": new}
        return self.use("Edit", given, f"The file {full} has been updated successfully.", details, **how)

    def write(self, path: str, text: str) -> Call:
        full = f"{self.cwd}/{path}"
        details: Json = {"type": "create", "filePath": full, "content": text, "structuredPatch": [], "originalFile": None}
        return self.use("Write", {"file_path": full, "content": text}, f"File created successfully at: {full}", details)

    def grep(self, pattern: str, found: str) -> Call:
        details: Json = {
            "mode": "content",
            "numFiles": 0,
            "filenames": [],
            "content": found,
            "numLines": found.count("\n") + 1,
        }
        return self.use("Grep", {"pattern": pattern, "output_mode": "content", "-n": True}, found, details, seconds=0.8)

    def fetch(self, url: str, text: str) -> Call:
        details: Json = {"bytes": len(text), "code": 200, "codeText": "OK", "result": text, "durationMs": 1840, "url": url}
        return self.use(
            "WebFetch", {"url": url, "prompt": "What does this page say about the change?"}, text, details, seconds=2.4
        )

    def mcp(self, server: str, tool: str, given: Json, answer: str, **how: Unpack[How]) -> Call:
        block: list[object] = [{"type": "text", "text": answer}]
        return self.use(f"mcp__{server}__{tool}", given, answer, block, **how)

    def spawn(self, kind: str, about: str, words: str, work: Callable[[ClaudeSession], str]) -> tuple[Call, ClaudeSession]:
        """Start a sub-agent of that type, let it work, and take its answer."""
        call, at = self.scene.ids.tool_use(), self.t
        given: Json = {"subagent_type": kind, "description": about, "prompt": words}
        record = self.claude.call(at, call, "Task", given)
        if self.who.guarded:
            self.claude.hook(at + 60_000, call, "Task")
        self._perform(call, record, ("Task", given), {"seconds": 0.6})
        child = ClaudeSession(self.scene, self.who, self.repo, at + 900_000, self.branch, parent=self, kind=kind, spawn=call)
        child.open(words)
        answer = work(child)
        child.say(answer)
        self.t = child.t
        details: Json = {
            "status": "completed",
            "prompt": words,
            "agentId": child.agent_id,
            "content": [{"type": "text", "text": answer}],
            "totalDurationMs": (self.t - at) // 1000,
            "totalTokens": 41_870,
            "totalToolUseCount": 3,
        }
        result = self.claude.result(self.t, call, answer, error=None, details=details)
        self.scene.tie(record, result, "call", f"call:{call}")
        result.also = child.task
        self.t += self._pause(2.5, 6.0)
        return Call(call, record, result, at, []), child

    def finish(self, text: str) -> None:
        self.say(text)
        self.claude.turn_end(self.t, self._turn_started)


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
