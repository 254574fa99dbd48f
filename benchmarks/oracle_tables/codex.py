"""Codex's answers: `codex execpolicy check` over rule files, and what the running program did."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.oracles import Row
from model.words import Effect
from policy.agents.base import Answer, Call, RuleFile
from policy.agents.codex import ADAPTER, CodexPolicy

PROJECT, HOME = "/home/dev/work/project", "/home/dev"
_EFFECTS = {"allow": Effect.ALLOW, "prompt": Effect.ASK, "forbidden": Effect.DENY, None: Effect.UNKNOWN}
_OUTCOMES = {"run": Effect.ALLOW, "ask": Effect.ASK, "reject": Effect.DENY, "refuse-escalation": Effect.DENY}


def rows(oracles: Path) -> Iterator[Row]:
    yield from _checked(oracles)
    yield from _live(oracles)
    yield from _broad(oracles)
    yield from _configurations(oracles)


def _told(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.open(encoding="utf-8"):
        yield json.loads(line)


def _checked(oracles: Path) -> Iterator[Row]:
    """Agreement here is on the rules that matched, their words and their reasons too; "no decision" is UNKNOWN, as is no command."""
    for told in _told(oracles / "codex-execpolicy.jsonl"):
        policy = _check_policy(oracles / "codex-rules", tuple(told["rules"]))
        resolve = told.get("resolve_host_executables", False)
        call = Call("", {"argv": told["argv"]}, cwd="/cwd", facts={"resolve_host_executables": resolve})
        truth, answer = _EFFECTS[told["decision"]], policy.judge(call)
        made = printed(policy, told["argv"], resolve=resolve)
        if told["argv"] and made != (told["decision"], None if told.get("error") else told["matched"]):
            answer = Answer(Effect.ASK if truth is Effect.DENY else Effect.DENY, reason=f"another match: {made}")
        yield Row("codex check", told["version"], truth, answer, f"{' '.join(told['rules'])}: {shlex.join(told['argv'])}")


def printed(policy: CodexPolicy, argv: list[str], *, resolve: bool, cwd: str = "/cwd") -> tuple[str | None, list[Any] | None]:
    """What `codex execpolicy check` prints, as the model has it: the decision and the matches, None where the rules do not load."""
    if policy.broken:
        return None, None
    decision, matches = policy.check(tuple(argv), resolve=resolve, cwd=cwd)
    shown: list[Any] = []
    for match in matches:
        one: dict[str, object] = {"matchedPrefix": list(match.prefix), "decision": match.rule.decision}
        if match.program:
            one["resolvedProgram"] = match.program
        if match.rule.justification:
            one["justification"] = match.rule.justification
        shown.append({"prefixRuleMatch": one})
    return decision or None, shown


def _live(oracles: Path) -> Iterator[Row]:
    for told in _told(oracles / "codex-live-decisions.jsonl"):
        policy = live_policy(oracles / "codex-rules", told["rules"])
        retried = told.get("reason") == "command failed; retry without sandbox?"
        yield Row(
            "codex live",
            told.get("version", ADAPTER.modelled),
            _OUTCOMES[told["outcome"]],
            policy.judge(live_call(told)),
            f"{told['rules']} {told['approval_policy']} {told['sandbox']}: {told['cmd']!r} {told.get('escalation', '')}",
            "asked only after it failed in the sandbox" if retried else "",
        )


def live_call(told: Mapping[str, Any]) -> Call:
    policy = told["approval_policy"]
    granular = policy["granular"] if isinstance(policy, dict) else None
    return Call(
        "exec_command",
        {"cmd": told["cmd"], **told.get("escalation", {})},
        cwd=PROJECT,
        project=PROJECT,
        home=HOME,
        mode="granular" if granular is not None else policy,
        sandbox=told["sandbox"],
        trusted=told.get("rules") != "layers-untrusted",
        facts={"granular": granular} if granular is not None else {},
    )


def _broad(oracles: Path) -> Iterator[Row]:
    for told in _told(oracles / "codex-live-broad-allows.jsonl"):
        policy = ADAPTER.load([RuleFile("user", "default.rules", f"prefix_rule(pattern={json.dumps(told['rule'])})")])
        truth = Effect.ALLOW if told["honoured"] else Effect.ASK
        yield Row("codex broad allows", told["version"], truth, policy.judge(live_call(told)), f"{told['rule']}: {told['cmd']}")


def _configurations(oracles: Path) -> Iterator[Row]:
    """A configuration that the program does not start with is UNKNOWN; the others were run by `codex exec`."""
    for told in _told(oracles / "codex-live-config-accepts.jsonl"):
        policy = ADAPTER.load([RuleFile("user", "config.toml", told["config"])])
        call = Call("exec_command", {"cmd": "ls", "sandbox_permissions": "require_escalated"}, interactive=False)
        truth = Effect.UNKNOWN if told["rc"] else Effect.DENY
        yield Row("codex configuration", ADAPTER.modelled, truth, policy.judge(call), told["config"])


@cache
def _check_policy(folder: Path, names: tuple[str, ...]) -> CodexPolicy:
    return ADAPTER.load([RuleFile("user", name, (folder / name).read_text("utf-8")) for name in names], mode="check")


@cache
def live_policy(folder: Path, name: str) -> CodexPolicy:
    files = [
        RuleFile("project" if ".project-" in path.name else "user", path.name, path.read_text("utf-8"))
        for path in sorted(folder.glob(f"live-{name}.*"))
    ]
    return ADAPTER.load(files)
