"""OPA's decision log, console form: every tool call of a guarded agent is asked for before it runs."""

from __future__ import annotations

from samplegen.moments import iso_nanos, iso_seconds
from samplegen.records import Json, Record
from samplegen.scene import Scene
from samplegen.world import BUNDLE_REVISION

LOG = "opa-decisions"


def decision(
    scene: Scene,
    at: int,
    question: Json,
    *,
    allowed: bool,
    rule: str,
    reason: str,
    task: str | None,
    step: str | None,
    decision_id: str = "",
) -> Record:
    """One decision; `question` is the hook's own JSON, extended by who and where."""
    if scene.masked:
        question = {k: v for k, v in question.items() if k not in ("session_id", "tool_use_id", "transcript_path")}
    shown = scene.clock("opa", at)
    rng = scene.ids.random
    data: Json = {
        "bundles": {"agents": {"revision": BUNDLE_REVISION}},
        "decision_id": decision_id or scene.ids.uuid(),
        "input": question,
        "labels": {"id": "5d0f7c1e-6b1c-4c57-9a58-2f3c9a6d1b40", "version": "1.4.2"},
        "level": "info",
        "metrics": {
            "timer_rego_query_eval_ns": rng.randrange(90_000, 400_000),
            "timer_server_handler_ns": rng.randrange(400_000, 900_000),
        },
        "msg": "Decision Log",
        "path": "agents/tools/decision",
        "req_id": rng.randrange(1, 10_000_000),
        "requested_by": "10.20.4.17:" + str(rng.randrange(32_768, 60_999)),
        "result": {"allowed": allowed, "reason": [reason] if reason else [], "rule": rule},
        "time": iso_seconds(shown),
        "timestamp": iso_nanos(shown),
        "type": "openpolicyagent.org/decision_logs",
    }
    return scene.record("opa", LOG, at, data, task, step, "call" if step else "scope")
