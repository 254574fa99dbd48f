"""The policies Gemini CLI 0.61.0 brings along, lowest of all tiers."""

from __future__ import annotations

from collections.abc import Iterable

from model.words import Effect
from policy.agents.gemini_cli.model import AGENT, SHELL, Checker, Rule

_ALLOW, _ASK, _DENY = Effect.ALLOW, Effect.ASK, Effect.DENY
_EDITS = ("replace", "write_file")
_PLAN = ("plan",)
_READS = (
    "glob", "grep_search", "list_directory", "read_file", "google_web_search", "codebase_investigator", "cli_help",
    "get_internal_docs", "visualize", "update_topic", "complete_task",
)  # fmt: skip
_TRACKER = (
    "tracker_create_task", "tracker_update_task", "tracker_get_task", "tracker_list_tasks", "tracker_add_dependency",
    "tracker_visualize",
)  # fmt: skip


def _rules(
    file: str, tools: Iterable[str], effect: Effect, priority: int, pattern: str = "", modes: tuple[str, ...] = (),
    interactive: bool | None = None, mcp: str | None = None, subagent: str | None = None,
    annotations: dict[str, object] | None = None, redirection: bool = False,
) -> list[Rule]:  # fmt: skip
    return [
        Rule(tool, effect, 1 + priority / 1000, "", pattern, mcp, subagent, modes, interactive, annotations, redirection,
             f"Default: {file}")
        for tool in tools
    ]  # fmt: skip


RULES: tuple[Rule, ...] = (
    *_rules("agents.toml", (AGENT,), _ALLOW, 50, modes=("default", "autoEdit", "yolo")),
    *_rules("memory-manager.toml", ("read_file", *_EDITS), _ALLOW, 101, subagent="save_memory",
            pattern=r'"file_path":"GEMINI\.md"|"file_path":"[^\"]+(/|\\)GEMINI\.md"'),
    *_rules("memory-manager.toml", ("read_file", *_EDITS), _DENY, 100, subagent="save_memory"),
    *_rules("plan.toml", ("enter_plan_mode",), _ASK, 50, interactive=True),
    *_rules("plan.toml", ("enter_plan_mode",), _ALLOW, 50, interactive=False),
    *_rules("plan.toml", ("enter_plan_mode",), _DENY, 70, modes=_PLAN),
    *_rules("plan.toml", ("exit_plan_mode",), _ASK, 70, modes=_PLAN, interactive=True),
    *_rules("plan.toml", ("exit_plan_mode",), _ALLOW, 70, modes=_PLAN, interactive=False),
    *_rules("plan.toml", ("exit_plan_mode",), _DENY, 50),
    *_rules("plan.toml", ("*",), _DENY, 40, modes=_PLAN),
    *_rules("plan.toml", ("mcp_*",), _ASK, 50, modes=_PLAN, mcp="*", annotations={"readOnlyHint": True}, interactive=True),
    *_rules("plan.toml", (AGENT,), _ALLOW, 50, pattern=r'"agent_name":\s*"(codebase_investigator|cli_help)"', modes=_PLAN),
    *_rules("plan.toml", ("ask_user", "web_fetch", "activate_skill"), _ASK, 50, modes=_PLAN, interactive=True),
    *_rules("plan.toml", _EDITS, _ALLOW, 70, pattern=r'\x00"file_path":"[\w-]+\.md"\x00', modes=_PLAN),
    *_rules("plan.toml", _EDITS, _DENY, 65, modes=_PLAN),
    *_rules("read-only.toml", _READS, _ALLOW, 50),
    *_rules("tracker.toml", _TRACKER, _ALLOW, 50),
    *_rules("write.toml", (*_EDITS, SHELL, "activate_skill", "web_fetch"), _ASK, 10, interactive=True),
    *_rules("write.toml", (*_EDITS, SHELL, "activate_skill", "web_fetch"), _DENY, 10, interactive=False),
    *_rules("write.toml", (*_EDITS, "web_fetch"), _ALLOW, 15, modes=("autoEdit",)),
    *_rules("yolo.toml", ("ask_user",), _ASK, 999, modes=("yolo",), interactive=True),
    *_rules("yolo.toml", ("enter_plan_mode", "exit_plan_mode"), _DENY, 999, modes=("yolo",), interactive=True),
    *_rules("yolo.toml", ("*",), _ALLOW, 998, modes=("yolo",), redirection=True),
)  # fmt: skip

HEADLESS = Rule("ask_user", _DENY, 4.4, interactive=False, source="Settings (Tools Excluded)")
"""Without a person there is nobody to ask: the tool that asks is left out, as a setting would."""

CHECKERS: tuple[Checker, ...] = tuple(
    Checker(Rule(tool, _ALLOW, 1 + 15 / 1000, modes=("autoEdit",)), "allowed-path") for tool in _EDITS
)
