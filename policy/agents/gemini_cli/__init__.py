"""Gemini CLI's policies: TOML files in tiers and what `settings.json` adds, judged as version 0.61.0 does.

A file is settings where its name ends in `.json` or its text begins with `{`, and a policy else. `Call.facts` may hold
`annotations`, what an MCP server says of its tool (an object, or None where it says nothing),
and `partial`, true where the input does not hold all arguments of the call: rules that look at more are not judged then.
"""

from __future__ import annotations

from policy.agents.gemini_cli.adapter import GeminiCli, GeminiPolicy

__all__ = ["ADAPTER", "GeminiCli", "GeminiPolicy"]

ADAPTER = GeminiCli()
