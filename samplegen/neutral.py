"""remit-events: the MCP gateway, the CI system, the package registry and the ticket system, which speak the neutral format."""

from __future__ import annotations

from typing import TypedDict, Unpack

from samplegen.moments import iso_millis
from samplegen.records import Json, Record
from samplegen.scene import Scene

LOGS = {
    "gateway": "mcp-gateway-events",
    "ci": "ci-events",
    "registry": "package-registry-events",
    "ticketing": "ticketing-events",
}
POINTS = {
    "gateway": "mcp-gateway",
    "ci": "github-actions",
    "registry": "package-registry",
    "ticketing": "tickets",
}
Key = tuple[str, str, str]


class Facts(TypedDict, total=False):
    """The members an event may have beside its place in the chain."""

    principal: Json
    verb: str
    tool: str
    target: Json
    text: str
    decision: Json
    credential: Json
    outcome: Json
    attrs: Json


def key(role: str, kind: str, value: str) -> Key:
    return role, kind, value


def event(
    scene: Scene,
    source: str,
    at: int,
    kind: str,
    phase: str,
    vantage: str,
    keys: tuple[Key, ...],
    *,
    task: str | None,
    step: str | None = None,
    by: str,
    **facts: Unpack[Facts],
) -> Record:
    """One neutral event; `facts` are its further members, already in the published shape."""
    if scene.masked:
        keys = tuple(k for k in keys if k[1] not in ("session", "call", "claude.agent"))
    data: Json = {
        "format": "remit-events",
        "version": 1,
        "id": scene.ids.uuid(),
        "time": iso_millis(scene.clock(source, at)),
        "point": POINTS[source],
        "vantage": vantage,
        "kind": kind,
        "phase": phase,
    }
    data |= facts
    data["keys"] = [{"role": role, "kind": what, "value": value} for role, what, value in keys]
    return scene.record(source, LOGS[source], at, data, task, step, by)


def target(cls: str, name: str, detail: str = "") -> Json:
    made: Json = {"class": cls, "name": name}
    if detail:
        made["detail"] = detail
    return made


def principal(name: str, kind: str = "unknown") -> Json:
    return {"name": name, "kind": kind}
