"""Gemini CLI's answers, one for each policy and call, put to its engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.oracles import Row
from model.words import Effect
from policy.agents.base import Call, RuleFile
from policy.agents.gemini_cli import ADAPTER, GeminiPolicy

PROJECT, HOME = "/home/dev/work/project", "/home/dev"


def rows(oracles: Path) -> Iterator[Row]:
    for line in (oracles / "gemini-policy.jsonl").open(encoding="utf-8"):
        told = json.loads(line)
        if told["policy"] in _held(oracles):
            policy = loaded(oracles / "policies" / "gemini" / told["policy"])
        elif told["policy"] == "p01-none":
            policy = ADAPTER.load([])
        else:
            continue
        yield Row(
            "gemini-cli",
            told["version"],
            Effect(told["outcome"]),
            policy.judge(call_of(told)),
            f"{told['policy']} {told['mode']} {told['interactive']}: {told['tool']} {json.dumps(told['input'])[:120]}",
        )


def call_of(told: dict[str, object]) -> Call:
    """The call of a row; a folder is trusted and a tool without annotations where the row says nothing of it."""
    text = json.dumps(told["input"]).replace("WORKSPACE", PROJECT)
    return Call(
        str(told["tool"]),
        json.loads(text),
        cwd=PROJECT,
        project=PROJECT,
        home=HOME,
        mode=str(told["mode"]),
        agent=str(told.get("subagent") or ""),
        mcp_server=str(told.get("mcp_server") or ""),
        interactive=bool(told["interactive"]),
        trusted=bool(told.get("trusted", True)),
        facts={"annotations": told.get("annotations")},
    )


@cache
def _held(oracles: Path) -> frozenset[str]:
    return frozenset(path.name for path in (oracles / "policies" / "gemini").iterdir())


@cache
def loaded(folder: Path) -> GeminiPolicy:
    """The policy of a folder: a layer for each of its folders, and its settings."""
    files = [
        RuleFile(layer, path.name, path.read_text("utf-8"))
        for layer in ("user", "admin", "extension")
        for path in sorted((folder / layer).glob("*.toml"))
    ]
    settings = folder / "settings.json"
    if settings.exists():
        files.append(RuleFile("user", "settings.json", settings.read_text("utf-8")))
    return ADAPTER.load(files)
