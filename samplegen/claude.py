"""Claude Code transcripts as version 2.1 writes them: one file per session, one beside it per sub-agent."""

from __future__ import annotations

from samplegen.moments import iso_millis
from samplegen.records import Json, Record, Transcript
from samplegen.scene import Scene

SOURCE = "claude-code"
MODEL = "claude-opus-4-6"
_USAGE: Json = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1420}
_ADVICE = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the new_string was "
    "NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed."
)


class ClaudeTranscript:
    """Writes the records of one session, or of one sub-agent where `agent_id` is given."""

    def __init__(
        self, scene: Scene, session: str, cwd: str, branch: str, version: str, name: str, task: str, agent_id: str = ""
    ) -> None:
        self.scene = scene
        self.task = task
        self.file = Transcript(SOURCE, name)
        scene.bundle.transcripts.append(self.file)
        self._parent: str | None = None
        self._last_assistant = ""
        self._head: Json = {
            "isSidechain": bool(agent_id),
            "userType": "external",
            "cwd": cwd,
            "sessionId": session,
            "version": version,
            "gitBranch": branch,
        }
        if agent_id:
            self._head["agentId"] = agent_id
        self._head["slug"] = f"quiet-{scene.ids.random.choice(('ferry', 'harbour', 'lantern', 'gangway', 'mooring'))}-crossing"

    def _add(self, at: int, body: Json, step: str | None = None, *, chained: bool = True) -> Record:
        data: Json = {"parentUuid": self._parent, **self._head, **body} if chained else body
        if chained:
            uuid = self.scene.ids.uuid()
            data["uuid"] = uuid
            data["timestamp"] = iso_millis(self.scene.clock(SOURCE, at))
            self._parent = uuid
        record = Record(SOURCE, self.file.name, at, data, self.task, step, "call" if step else "scope")
        self.file.records.append(record)
        return record

    def snapshot(self, at: int) -> None:
        """The file-history record most sessions begin with; it names no session."""
        message = self.scene.ids.uuid()
        shown: Json = {
            "messageId": message,
            "trackedFileBackups": {},
            "timestamp": iso_millis(self.scene.clock(SOURCE, at)),
        }
        record = self._add(
            at,
            {"type": "file-history-snapshot", "messageId": message, "snapshot": shown, "isSnapshotUpdate": False},
            chained=False,
        )
        record.by, record.quiet = "none", True

    def prompt(self, at: int, text: str, mode: str = "") -> Record:
        body: Json = {"type": "user", "message": {"role": "user", "content": text}}
        if mode:
            body["thinkingMetadata"] = {"maxThinkingTokens": 31999}
            body["todos"] = []
            body["permissionMode"] = mode
        return self._add(at, body)

    def _assistant(self, at: int, block: Json, step: str | None) -> Record:
        rng = self.scene.ids.random
        message: Json = {
            "model": MODEL,
            "id": self.scene.ids.message(),
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {
                "input_tokens": rng.randrange(1, 12),
                "cache_creation_input_tokens": 1420,
                "cache_read_input_tokens": rng.randrange(18_000, 90_000),
                "cache_creation": _USAGE,
                "output_tokens": rng.randrange(8, 600),
                "service_tier": "standard",
                "inference_geo": "not_available",
            },
        }
        made = self._add(at, {"message": message, "requestId": self.scene.ids.api_request(), "type": "assistant"}, step)
        self._last_assistant = str(self._parent)
        return made

    def say(self, at: int, text: str) -> Record:
        record = self._assistant(at, {"type": "text", "text": text}, None)
        record.quiet = True
        return record

    def call(self, at: int, call: str, tool: str, given: Json) -> Record:
        return self._assistant(
            at, {"type": "tool_use", "id": call, "name": tool, "input": given, "caller": {"type": "direct"}}, call
        )

    def hook(self, at: int, call: str, tool: str) -> Record:
        """The line the program leaves when it asks a hook before a call."""
        data: Json = {
            "type": "hook_progress",
            "hookEvent": "PreToolUse",
            "hookName": f"PreToolUse:{tool}",
            "command": "/usr/local/bin/ask-policy",
        }
        record = self._add(at, {"type": "progress", "data": data, "parentToolUseID": call, "toolUseID": call}, call)
        record.quiet = True
        return record

    def result(self, at: int, call: str, text: str, *, error: bool | None, details: object) -> Record:
        block: Json = {"tool_use_id": call, "type": "tool_result", "content": text}
        if error is not None:
            block["is_error"] = error
        body: Json = {
            "type": "user",
            "message": {"role": "user", "content": [block]},
            "toolUseResult": details,
            "sourceToolAssistantUUID": self._last_assistant,
        }
        return self._add(at, body, call)

    def refused(self, at: int, call: str, words: str = "") -> Record:
        """A person said no."""
        text = _ADVICE + (f"\n\nTo tell you how to proceed, the user said:\n{words}" if words else "")
        return self.result(at, call, text, error=True, details="User rejected tool use")

    def turn_end(self, at: int, started: int) -> Record:
        ended: Json = {"type": "system", "subtype": "turn_duration", "durationMs": (at - started) // 1000, "isMeta": False}
        record = self._add(at, ended)
        record.quiet = True
        return record
