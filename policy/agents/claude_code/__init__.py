"""Claude Code's permission rules, modes and checks, after the version that `ADAPTER.modelled` names.

Facts of a call it asks about beyond the contract, in `Call.facts`: `links` (a map of symbolic links to their targets, all
absolute; without it a path is taken to be what it says), `hook` (what the PreToolUse hooks answered: allow, ask, deny, none),
`classifier` (what the check of auto and plan mode answered: allow, deny, unavailable), `read_only` (whether an MCP tool
says it changes nothing), `tools` (the tools offered, where the program was told), `directories` (folders added to the
project). `Call.project` is the folder the program was started in.
"""

from __future__ import annotations

from policy.agents.claude_code.engine import ADAPTER, ClaudeCodePolicy

__all__ = ["ADAPTER", "ClaudeCodePolicy"]
