"""opencode's answers, one for each configuration and call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchmarks.oracles import Row
from model.words import Effect
from policy.agents.base import Call, RuleFile
from policy.agents.opencode import ADAPTER, OpencodePolicy

PROJECT, HOME = "/home/dev/work/project", "/home/dev"


def rows(oracles: Path) -> Iterator[Row]:
    for line in (oracles / "opencode-permission.jsonl").open(encoding="utf-8"):
        told = json.loads(line)
        policy = _policy(oracles / "policies" / "opencode" / told["policy"])
        call = Call(
            told["tool"],
            told["input"],
            cwd=PROJECT,
            project=PROJECT,
            home=HOME,
            agent=told["mode"],
            mcp_server="tracker" if told["tool"].startswith("tracker_") else "",
            interactive=told["interactive"],
            facts={"identical_calls_before": told.get("identical_calls_before", 0)},
        )
        yield Row(
            "opencode",
            told["version"],
            Effect(told["outcome"]),
            policy.judge(call),
            f"{told['policy']} {told['mode']}: {told['tool']} {json.dumps(told['input'])[:120]}",
        )


@cache
def _policy(folder: Path) -> OpencodePolicy:
    files = [
        RuleFile(layer, path.name, path.read_text("utf-8"))
        for layer, pattern in (("global", "global.json"), ("project", "project.json"), ("agent", "dot-opencode/agent/*.md"))
        for path in sorted(folder.glob(pattern))
    ]
    return ADAPTER.load(files)
