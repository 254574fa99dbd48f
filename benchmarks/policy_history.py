"""An invented history of requests in a store, a policy of forty rules, and edits of one of them, for `benchmarks.policy`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from model.chain import Task, TaskChain
from policy import Policy, check
from store import open_store
from store.codec import pack
from store.shapes import note_change, shape_digest

TASK = 50
ANSWERS = ("allow", "allow", "deny", "ask", "unknown")
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


def fill(path: Path, count: int, of: list[dict[str, Any]], random: np.random.Generator) -> None:
    """A SQLite store with so many requests of these shapes, fifty a task, written straight into its tables.

    Each shape is there; which comes how often follows a Zipf-like law. Nothing but tasks and requests is written.
    """
    with open_store(str(path)) as store:
        store.save_chain(TaskChain(Task("task-", "session:"), [], [], [], []), [])
    packed = [pack(request) for request in of]
    names = [shape_digest(request) for request in packed]
    weights = 1.0 / np.arange(1, len(of) + 1) ** 0.8
    chosen = random.choice(len(of), size=count, p=weights / weights.sum())
    chosen[: len(of)] = random.permutation(len(of))[:count]

    def rows() -> Iterator[tuple[str, bytes, str, int, str]]:
        for n, shape in enumerate(chosen.tolist()):
            at = 1_700_000_000_000_000 + n * 1_000_000
            yield f"task-{n // TASK:012x}", names[shape], f"step-{n:020x}", at, ANSWERS[(n * 7 + shape) % 5]

    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous = OFF")
        raw.execute("BEGIN")
        columns = [row[1] for row in raw.execute("PRAGMA table_info(task)")]
        others = ", ".join(name for name in columns if name != "id")
        tasks = ((f"task-{n:012x}",) for n in range((count + TASK - 1) // TASK))
        raw.executemany(f"INSERT INTO task (id, {others}) SELECT ?, {others} FROM task WHERE id = 'task-'", tasks)
        raw.execute("DELETE FROM task WHERE id = 'task-'")
        raw.execute("DELETE FROM task_body")
        raw.executemany("INSERT OR IGNORE INTO shape VALUES (?, ?)", zip(names, packed, strict=True))
        raw.executemany("INSERT INTO request VALUES (?, ?, ?, ?, ?)", rows())
        raw.execute("COMMIT")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def touch(path: Path, tasks: int) -> None:
    """Say of some tasks that an import changed them."""
    with open_store(str(path)) as store, store.db.write() as connection:
        note_change(store.db, connection, [f"task-{n * 3:012x}" for n in range(tasks)])


def text(whens: list[str]) -> str:
    """A policy of forty rules: sixteen deny, fifteen ask, nine allow."""
    effects = ["deny"] * 16 + ["ask"] * 15 + ["allow"] * 9
    rules = [{"id": f"r{n}", "effect": effect, "when": when} for n, (effect, when) in enumerate(zip(effects, whens, strict=True))]
    return json.dumps({"version": 1, "name": "forty", "default": "deny", "rules": rules}, indent=1)


def policy(whens: list[str]) -> Policy:
    checked = check(text(whens))
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
