"""How long one edited rule of forty takes over a whole history, beside request-by-request evaluation in the same run.

`python -m benchmarks.policy [--requests N] [--shapes N] [--edits N]` prints; nothing is asserted. The history is invented:
fifty requests a task, shapes drawn by a Zipf-like law, a tenth of some attributes missing.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from lang.cel.written import read_request
from model.evidence import RequestRow
from policy import History, Policy, Replayer, check, decide

COMMANDS = (
    "git push origin main", "git push --force origin main", "npm publish", "pip install requests", "pytest -q", "rm -rf build",
    "terraform apply -auto-approve", "kubectl delete ns prod", "aws iam create-user bob", "psql -c 'drop table users'", "make",
)  # fmt: skip
VERBS = ("exec", "file.write", "file.read", "secret.read", "mcp.call", "repo.write", "http.request", "ci.run")
WHENS = (
    'action.command.contains("--force")', 'action.command.startsWith("rm -rf")', 'action.command.matches("curl.*[|].*sh")',
    'action.command.startsWith("npm publish") && !context.has_ticket', 'action.command.startsWith("aws iam")',
    'resource.environment == "production" && !context.in_change_window', 'credential.ttl_seconds > 3600',
    'action.verb == "secret.read" && principal.origin == "endpoint"', 'resource.classification in ["restricted", "confidential"]',
    'action.targets.exists(t, t.startsWith("secret_store:"))', 'has(resource.owner) && resource.owner != principal.on_behalf_of',
    'agent.depth > 0 && action.verb in ["repo.write", "ci.run"]', 'resource.name.startsWith("acme/infra")',
    '"exec" in action.verbs && action.verbs.size() > 2', 'context.branch == "main" && action.verb == "repo.write"',
    'action.command.lowerAscii().contains("drop table")', 'agent.mode == "bypassPermissions"', '!has(credential.kind)',
    'action.verb == "file.read" && !resource.name.contains(".env")', 'resource.name.endsWith(".pem")',
)  # fmt: skip


def shapes(count: int, random: np.random.Generator) -> list[dict[str, Any]]:
    """Distinct requests."""
    out = []
    for n in range(count):
        pick = random.integers(0, 1 << 30, 12).tolist()
        verb = VERBS[pick[0] % len(VERBS)]
        name = f"acme/{('infra', 'pay', 'web', '.env', 'key.pem')[pick[1] % 5]}-{n}"
        request: dict[str, Any] = {
            "principal.id": f"agent-{pick[2] % 50}", "principal.origin": ("endpoint", "ci")[pick[3] % 2],
            "principal.on_behalf_of": f"dev-{pick[4] % 40}", "agent.name": "claude-code", "agent.depth": int(pick[5] % 3),
            "agent.mode": ("default", "bypassPermissions")[pick[6] % 10 == 0], "action.verb": verb,
            "action.verbs": sorted({verb, VERBS[pick[7] % 8], VERBS[pick[8] % 8]}), "action.targets": [f"repository:{name}"],
            "resource.class": "repository", "resource.name": name, "context.has_ticket": bool(pick[9] % 2),
            "context.branch": ("main", "dev")[pick[1] % 2], "resource.environment": ("production", "staging")[pick[2] % 4 > 0],
        }  # fmt: skip
        if verb == "exec":
            request["action.command"] = f"{COMMANDS[pick[10] % len(COMMANDS)]} {pick[11] % 4000}"
        if pick[3] % 10:
            request["credential.ttl_seconds"] = int((60, 900, 3600, 28800)[pick[4] % 4])
        if pick[5] % 10:
            request["resource.owner"] = f"dev-{pick[6] % 40}"
        if pick[7] % 10:
            request["context.in_change_window"] = bool(pick[8] % 3)
        if pick[9] % 10:
            request["resource.classification"] = ("public", "internal", "confidential", "restricted")[pick[10] % 4]
        out.append(request)
    return out


def rows(count: int, of: list[dict[str, Any]], random: np.random.Generator) -> Iterator[RequestRow]:
    """The history, row by row."""
    weights = 1.0 / np.arange(1, len(of) + 1) ** 0.8
    chosen = random.choice(len(of), size=count, p=weights / weights.sum())
    chosen[: len(of)] = np.arange(min(count, len(of)))
    for n, shape in enumerate(chosen.tolist()):
        recorded = ("allow", "allow", "deny", "ask", "unknown")[(n * 7 + shape) % 5]
        yield RequestRow(f"step-{n:020x}", f"task-{n // 50:012x}", 1_700_000_000_000_000 + n * 1_000_000, recorded, of[shape])


def policy(whens: list[str]) -> Policy:
    """Forty rules: sixteen deny, fifteen ask, nine allow."""
    effects = ["deny"] * 16 + ["ask"] * 15 + ["allow"] * 9
    rules = [{"id": f"r{n}", "effect": effect, "when": when} for n, (effect, when) in enumerate(zip(effects, whens, strict=True))]
    checked = check(json.dumps({"version": 1, "default": "deny", "rules": rules}, indent=1))
    if checked.policy is None:
        raise SystemExit(str(checked.diagnostics))
    return checked.policy


def forty() -> list[str]:
    return [f'({WHENS[n % len(WHENS)]}) && agent.name != "x{n}" && context.project != "y{n % 3}"' for n in range(40)]


def edits(count: int) -> Iterator[list[str]]:
    """Forty conditions of which one is new each time."""
    for n in range(count):
        whens = forty()
        text = (
            f'action.command.contains("push {n}") || credential.ttl_seconds > {n}',
            f'resource.name.startsWith("acme/pay-{n}") && !context.has_ticket',
            f'action.targets.exists(t, t.endsWith("-{n}"))',
            f'principal.id == "agent-{n % 50}" && resource.environment == "production" && agent.depth >= {n % 3}',
            f'resource.name.matches("acme/(pay|web)-{n % 10}.*{n % 7}$")',
        )[n % 5]
        whens[n % 40] = text
        yield whens


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--shapes", type=int, default=20_000)
    parser.add_argument("--edits", type=int, default=100)
    parser.add_argument("--sample", type=int, default=2_000, help="requests for the yardstick")
    given = parser.parse_args(argv)
    random = np.random.default_rng(7)
    of = shapes(min(given.shapes, given.requests), random)

    start = time.perf_counter()
    made = sum(1 for _ in rows(given.requests, of, random))
    generating = time.perf_counter() - start
    start = time.perf_counter()
    history = History.from_rows(rows(given.requests, of, random))
    building = max(time.perf_counter() - start - generating, 1e-9)
    print(
        f"history: {made:,} requests, {history.size:,} shapes, {len(history.tasks):,} tasks; from rows {made / building:,.0f}/s"
    )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        history.save(Path(folder))
        saving = time.perf_counter() - start
        start = time.perf_counter()
        history = History.load(Path(folder))
        replayer = Replayer(history)
        opening = time.perf_counter() - start
        first = policy(forty())
        start = time.perf_counter()
        replayer.run(first)
        cold = time.perf_counter() - start
    print(f"save {saving * 1e3:.0f} ms, open {opening * 1e3:.0f} ms, first dry-run of 40 rules {cold * 1e3:.0f} ms")

    for name, baseline in (("recorded", None), ("policy", first)):
        spent = []
        for whens in edits(given.edits):
            start = time.perf_counter()
            replayer.run(policy(whens), baseline)
            spent.append((time.perf_counter() - start) * 1e3)
        p50, p95 = np.percentile(spent, [50, 95])
        print(
            f"one-rule edit against {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, worst {max(spent):.1f} ms ({len(spent)} edits, check included)"
        )

    sample = [read_request(row.request) for row, _ in zip(history.rows(), range(given.sample), strict=False)]
    start = time.perf_counter()
    for request in sample:
        decide(first, request)
    rate = len(sample) / (time.perf_counter() - start)
    print(
        f"yardstick: request by request in plain Python {rate:,.0f}/s, {given.requests / rate:,.1f} s for all {given.requests:,}"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB (the generator's own included)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
