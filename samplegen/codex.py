"""Codex rollouts as version 0.104 writes them: `{timestamp, type, payload}` lines, a file per thread."""

from __future__ import annotations

import json

from samplegen.moments import iso_millis
from samplegen.records import Json, Record, Transcript
from samplegen.scene import Scene
from samplegen.world import Repo

SOURCE = "codex"
MODEL = "gpt-5.3-codex"
_INSTRUCTIONS = "You are Codex, a coding agent. Work in the repository you were started in."


class CodexTranscript:
    """Writes the records of one thread; `parent` is the thread that spawned it, "" if a person started it."""

    def __init__(
        self,
        scene: Scene,
        at: int,
        session: str,
        repo: Repo,
        cwd: str,
        branch: str,
        version: str,
        name: str,
        *,
        approval: str,
        sandbox: str,
        parent: str = "",
        role: str = "",
    ) -> None:
        self.scene = scene
        self.task = f"session:{session}"
        self.file = Transcript(SOURCE, name)
        scene.bundle.transcripts.append(self.file)
        self._cwd = cwd
        self._turn = ""
        self._policy = (approval, sandbox)
        source: object = "cli"
        if parent:
            source = {
                "subagent": {
                    "thread_spawn": {
                        "parent_thread_id": parent,
                        "depth": 1,
                        "agent_path": None,
                        "agent_nickname": "Skerry",
                        "agent_role": role or None,
                    }
                }
            }
        self.opening = self._add(
            at,
            "session_meta",
            {
                "id": session,
                "timestamp": iso_millis(scene.clock(SOURCE, at)),
                "cwd": cwd,
                "originator": "codex_cli_rs",
                "cli_version": version,
                "source": source,
                "model_provider": "openai",
                "base_instructions": {"text": _INSTRUCTIONS},
                "git": {
                    "commit_hash": scene.ids.hex(40),
                    "branch": branch,
                    "repository_url": f"git@github.com:{repo.slug}.git",
                },
            },
        )
        text = f"<environment_context>\n  <cwd>{cwd}</cwd>\n  <shell>bash</shell>\n</environment_context>"
        self._message(at + 900, "user", "input_text", text).quiet = True

    def _add(self, at: int, kind: str, payload: Json, step: str | None = None) -> Record:
        data: Json = {"timestamp": iso_millis(self.scene.clock(SOURCE, at)), "type": kind, "payload": payload}
        record = Record(SOURCE, self.file.name, at, data, self.task, step, "call" if step else "scope")
        self.file.records.append(record)
        return record

    def _message(self, at: int, role: str, kind: str, text: str) -> Record:
        payload: Json = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        return self._add(at, "response_item", payload)

    def prompt(self, at: int, text: str, mode: str = "") -> Record:
        """A turn begins; `mode` is ignored, the policy in force stands in the turn's context."""
        self._turn = self.scene.ids.uuid7(at)
        started: Json = {
            "type": "task_started",
            "turn_id": self._turn,
            "model_context_window": 258400,
            "collaboration_mode_kind": "default",
        }
        self._add(at, "event_msg", started).quiet = True
        approval, sandbox = self._policy
        policy: Json = {"type": sandbox}
        if sandbox == "workspace-write":
            policy |= {
                "writable_roots": [self._cwd],
                "network_access": False,
                "exclude_tmpdir_env_var": False,
                "exclude_slash_tmp": False,
            }
        self._add(
            at + 1_000,
            "turn_context",
            {
                "turn_id": self._turn,
                "cwd": self._cwd,
                "approval_policy": approval,
                "sandbox_policy": policy,
                "model": MODEL,
                "personality": "pragmatic",
                "collaboration_mode": {
                    "mode": "default",
                    "settings": {"model": MODEL, "reasoning_effort": "high", "developer_instructions": ""},
                },
                "effort": "high",
                "summary": "auto",
                "truncation_policy": {"mode": "tokens", "limit": 10000},
            },
        )
        asked = self._message(at + 2_000, "user", "input_text", text)
        said: Json = {"type": "user_message", "message": text, "images": [], "local_images": [], "text_elements": []}
        self._add(at + 2_000, "event_msg", said).quiet = True
        return asked

    def say(self, at: int, text: str) -> None:
        self._add(at, "event_msg", {"type": "agent_message", "message": text}).quiet = True
        self._message(at + 1_000, "assistant", "output_text", text).quiet = True

    def call(self, at: int, call: str, tool: str, given: Json) -> Record:
        if tool == "apply_patch":
            payload: Json = {
                "type": "custom_tool_call",
                "status": "completed",
                "call_id": call,
                "name": tool,
                "input": given["input"],
            }
        else:
            payload = {"type": "function_call", "name": tool, "arguments": json.dumps(given), "call_id": call}
        return self._add(at, "response_item", payload, call)

    def result(self, at: int, call: str, tool: str, text: str, exit_code: int, seconds: float) -> Record:
        if tool == "apply_patch":
            kind, output = (
                "custom_tool_call_output",
                json.dumps({"output": text, "metadata": {"exit_code": exit_code, "duration_seconds": round(seconds, 1)}}),
            )
        elif tool == "exec_command":
            kind, output = (
                "function_call_output",
                (
                    f"Chunk ID: {self.scene.ids.hex(6)}\nWall time: {seconds:.4f} seconds\n"
                    f"Process exited with code {exit_code}\nOriginal token count: {len(text) // 4}\nOutput:\n{text}"
                ),
            )
        else:
            kind, output = "function_call_output", text
        return self._add(at, "response_item", {"type": kind, "call_id": call, "output": output}, call)

    def turn_end(self, at: int, last: str) -> None:
        ended: Json = {"type": "task_complete", "turn_id": self._turn, "last_agent_message": last}
        self._add(at, "event_msg", ended).quiet = True
