"""Other engines over the same requests: one at a time in Python, Cedar by `cedarpy`, Google's CEL in C++."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.policy_history import forty, policy
from policy import decide, read_request
from policy.google_cel import Program, available

CEDAR = (
    'context has command && context.command like "*--force*"', 'context has command && context.command like "rm -rf*"',
    'context has command && context.command like "*curl*|*sh*"', 'context has command && context.command like "npm publish*"',
    'context has command && context.command like "aws iam*"', 'context has environment && context.environment == "production"',
    'context has ttl && context.ttl > 3600', 'context has verb && context.verb == "secret.read"',
    'context has classification && ["restricted", "confidential"].contains(context.classification)',
    'context has name && context.name like "acme/infra*"', 'context has owner && context has behalf && context.owner != context.behalf',
    'context has verbs && context.verbs.contains("exec")', 'context has branch && context.branch == "main"',
)  # fmt: skip
_NAMES = {
    "command": "action.command", "environment": "resource.environment", "ttl": "credential.ttl_seconds", "verb": "action.verb",
    "classification": "resource.classification", "name": "resource.name", "owner": "resource.owner",
    "behalf": "principal.on_behalf_of", "verbs": "action.verbs", "branch": "context.branch",
}  # fmt: skip


def yardsticks(requests: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """Each engine that is installed, and how many requests a second it answers under forty rules."""
    given = [read_request(request) for request in requests]
    held = policy(forty())
    yield "request by request in plain Python", _rate(len(given), lambda: [decide(held, request) for request in given])
    if available():
        programs = [Program(when) for when in forty()]
        few = given[: len(given) // 10 + 1]
        yield "CEL C++ (cel-expr-python)", _rate(len(few), lambda: [p.answer(one) for one in few for p in programs])
    try:
        import cedarpy
    except ImportError:
        return
    effects = ["forbid"] * 25 + ["permit"] * 15
    texts = [f"{effect}(principal, action, resource) when {{ {CEDAR[n % len(CEDAR)]} }};" for n, effect in enumerate(effects)]
    asked = [_cedar(request) for request in requests]
    yield "Cedar (cedarpy, in batches)", _rate(len(asked), lambda: cedarpy.is_authorized_batch(asked, "\n".join(texts), "[]"))


def _rate(count: int, run: Any) -> float:
    start = time.perf_counter()
    run()
    return float(count / (time.perf_counter() - start))


def _cedar(request: dict[str, Any]) -> dict[str, Any]:
    context = {name: request[ours] for name, ours in _NAMES.items() if ours in request}
    principal = json.dumps(str(request.get("principal.id", "")))
    return {"principal": f"Agent::{principal}", "action": 'Action::"act"', "resource": 'Resource::"any"', "context": context}
