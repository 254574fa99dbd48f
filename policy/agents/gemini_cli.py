"""Gemini CLI's `settings.json`: which tools and servers it leaves out. Its policy files decide the rest, which no log holds.

Modelled on version 0.61.0 as documented: a tool under `tools.exclude` and a server under `mcp.excluded` are not offered at
all; whatever else the settings allow is settled by policy files, modes and heuristics, and is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.diagnostics import Diagnostic


class _Loaded:
    """See `policy.agents.base.AgentPolicy`."""

    def __init__(self, settings: Sequence[Mapping[str, Any]], problems: Sequence[tuple[str, Diagnostic]]) -> None:
        self._settings = settings
        self.problems = problems

    def judge(self, call: Call) -> Answer:
        if call.tool in self._listed("tools", "exclude"):
            return Answer(Effect.DENY, f"tools.exclude {call.tool}")
        server = call.mcp_server or (call.tool.removeprefix("mcp_").partition("_")[0] if call.tool.startswith("mcp_") else "")
        if server and server in self._listed("mcp", "excluded"):
            return Answer(Effect.DENY, f"mcp.excluded {server}")
        return Answer(Effect.UNKNOWN, reason="no list names the tool as left out: policy files and the mode decide")

    def _listed(self, part: str, name: str) -> set[str]:
        return set(_texts(self._settings, part, name))


class GeminiCli:
    """See `policy.agents.base.Adapter`."""

    id = "gemini-cli"
    title = "Gemini CLI settings (tools and servers left out)"
    layers = ("user", "workspace", "admin", "extension")
    modelled = "0.61.0"

    def load(self, files: Sequence[RuleFile]) -> _Loaded:
        settings: list[Mapping[str, Any]] = []
        problems: list[tuple[str, Diagnostic]] = []
        for file in files:
            try:
                value = msgspec.json.decode(file.text.encode("utf-8", "replace"))
            except (msgspec.DecodeError, RecursionError) as error:
                problems.append((file.name, Diagnostic(1, 1, 1, "error", "syntax", f"not JSON: {error}")))
                continue
            settings += [value] if isinstance(value, dict) else []
        return _Loaded(settings, problems)


def _texts(settings: Sequence[Mapping[str, Any]], part: str, name: str) -> Iterator[str]:
    for one in settings:
        held = one.get(part)
        listed = held.get(name) if isinstance(held, dict) else None
        yield from (text for text in listed if isinstance(text, str)) if isinstance(listed, list) else ()


ADAPTER = GeminiCli()
