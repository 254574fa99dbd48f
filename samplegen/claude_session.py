"""Claude Code at work, with its tools in its own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

from samplegen.claude import ClaudeTranscript
from samplegen.records import Json, Record
from samplegen.scene import Scene
from samplegen.session import Call, How, Session
from samplegen.world import Person, Repo


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
