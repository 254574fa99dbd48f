"""Claude Code's answers, one for each settings and call, of the modelled version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from benchmarks.oracles import Row
from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.agents.claude_code import ADAPTER, ClaudeCodePolicy

_HOME = "/home/lab/agents/claude/home"
_REPO = "/home/lab/agents/claude/repo"
_OUTSIDE = "/home/lab/agents/claude/outside"
# As the table's description says of its scratch repository.
_LINKS = {
    f"{_REPO}/link-in": f"{_REPO}/src/app.py",
    f"{_REPO}/link-secret": f"{_REPO}/secrets/token.txt",
    f"{_REPO}/link-out": f"{_OUTSIDE}/data.txt",
    f"{_REPO}/linkdir": _OUTSIDE,
    f"{_OUTSIDE}/link-back": f"{_REPO}/README.md",
}
_EFFECTS = {"allowed": Effect.ALLOW, "asked": Effect.ASK, "denied": Effect.DENY}


def rows(oracles: Path) -> Iterator[Row]:
    for line in (oracles / "claude-code-permissions.jsonl").open(encoding="utf-8"):
        told = json.loads(line)
        if told["version"] != ADAPTER.modelled:
            continue
        yield Row(
            "Claude Code",
            told["version"],
            _EFFECTS[told["outcome"]],
            judged(told),
            f"{told['rule_set']}: {told['tool']} {json.dumps(told['input'])[:150]} [{told['source']}: {told['reason'][:60]}]",
        )


def judged(told: dict[str, Any]) -> Answer:
    """The model's answer to one line of the table."""
    settings = dict(told["settings"])
    facts: dict[str, object] = {"links": _LINKS, "classifier": "unavailable"}
    flags = _flags(list(told.get("args") or ()))
    listed = {
        effect: flags[name] for effect, name in (("allow", "--allowedTools"), ("deny", "--disallowedTools")) if name in flags
    }
    if listed:
        settings["flags"] = {"permissions": listed}
    if "--tools" in flags:
        facts["tools"] = ",".join(flags["--tools"]).split(",")
    if "--add-dir" in flags:
        facts["directories"] = flags["--add-dir"]
    if told.get("hook"):
        facts["hook"] = _hook(told["hook"], json.dumps(told["input"])) or "none"
    if told["tool"].startswith("mcp__"):
        facts["read_only"] = "lookup" in told["tool"]
    call = Call(
        told["tool"],
        told["input"],
        cwd=told["cwd"],
        project=told["cwd"],
        home=_HOME,
        mode=told["mode_effective"] if told["mode"] == "from-settings" else told["mode"],
        facts=facts,
    )
    return _policy(json.dumps(settings), told["project_dir"]).judge(call)


def _flags(args: list[str]) -> dict[str, list[str]]:
    """The options of a command line, each with what follows it."""
    found: dict[str, list[str]] = {}
    name = ""
    for arg in args:
        if arg.startswith("--"):
            name = arg
            found[name] = []
        else:
            found.setdefault(name, []).append(arg)
    return found


def _hook(entries: list[dict[str, Any]], call: str) -> str:
    """What the first entry that speaks of a call answers."""
    for entry in entries:
        if entry.get("event") == "PreToolUse" and entry.get("contains", "") in call:
            if entry.get("exit") == 2:
                return "deny"
            return str(entry["stdout"]["hookSpecificOutput"]["permissionDecision"])
    return ""


@lru_cache(maxsize=64)
def _policy(settings: str, project: str) -> ClaudeCodePolicy:
    return ADAPTER.load(
        [RuleFile(layer, f"{layer}.json", json.dumps(told), project) for layer, told in json.loads(settings).items()]
    )
