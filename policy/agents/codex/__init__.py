"""Codex CLI's execution policy, after the version that `ADAPTER.modelled` names."""

from __future__ import annotations

from policy.agents.codex.engine import ADAPTER, CodexPolicy

__all__ = ["ADAPTER", "CodexPolicy"]
