"""Vault's audit log: a request and a response record for every operation."""

from __future__ import annotations

from dataclasses import dataclass

from samplegen.moments import iso_nanos, iso_seconds
from samplegen.records import Json, Record
from samplegen.scene import Scene

LOG = "vault-audit"


@dataclass(slots=True)
class Lease:
    """A Vault token as the audit log knows it; `session` is the agent session named in its metadata, "" if none is."""

    accessor: str
    token: str
    user: str
    role: str
    session: str
    issued: int
    ttl: int
    entity: str
    address: str
    issue_record: Record | None = None

    def auth(self, *, use: bool) -> Json:
        metadata: Json = {"role": self.role, "user": self.user}
        if self.session:
            metadata["session_id"] = self.session
        made: Json = {
            "accessor": self.accessor,
            "client_token": self.token,
            "display_name": f"jwt-{self.user}",
            "entity_id": self.entity,
            "metadata": metadata,
            "policies": ["default", self.role],
        }
        if use:
            made["policy_results"] = {
                "allowed": True,
                "granting_policies": [{"name": self.role, "namespace_id": "root", "type": "acl"}],
            }
        made["token_policies"] = ["default", self.role]
        if use:
            made["token_issue_time"] = iso_seconds(self.issued)
        made["token_ttl"] = self.ttl
        made["token_type"] = "service"
        return made


def _request(scene: Scene, operation: str, path: str, mount: tuple[str, str], address: str, data: Json | None) -> Json:
    made: Json = {
        "id": scene.ids.uuid(),
        "mount_accessor": f"{mount[0].replace('/', '_').rstrip('_')}_7c1d0e5b",
        "mount_class": "auth" if path.startswith("auth/") else "secret",
        "mount_point": mount[0],
        "mount_running_version": "v1.19.2+builtin.vault",
        "mount_type": mount[1],
        "namespace": {"id": "root"},
        "operation": operation,
        "path": path,
        "remote_address": address,
        "remote_port": scene.ids.random.randrange(40_000, 60_000),
    }
    if data is not None:
        made["data"] = data
    return made


def _pair(
    scene: Scene, at: int, auth: tuple[Json, Json], request: Json, response: Json, task: str | None, step: str | None, by: str
) -> tuple[Record, Record]:
    shown = scene.clock("vault", at)
    asked: Json = {"auth": auth[0], "request": request, "time": iso_nanos(shown), "type": "request"}
    answered: Json = {
        "auth": auth[1],
        "request": request,
        "response": response,
        "time": iso_nanos(shown + 4_310),
        "type": "response",
    }
    first = scene.record("vault", LOG, at, asked, task, step, by)
    second = scene.record("vault", LOG, at + 4_310, answered, task, step, by)
    scene.bundle.link(first, second, "exact", "request", f"vault.request:{request['id']}")
    return first, second


def login(
    scene: Scene,
    at: int,
    *,
    user: str,
    role: str,
    session: str,
    ttl: int,
    address: str,
    task: str | None,
    step: str | None,
    opening: Record | None,
) -> Lease:
    """A JWT login; the token's accessor appears first in its response."""
    named = "" if scene.masked else session
    accessor = scene.ids.base62(24)
    lease = Lease(
        scene.ids.hashed(accessor) if scene.masked else accessor,
        scene.ids.hashed(scene.ids.base62(24)),
        user,
        role,
        named,
        at,
        ttl,
        scene.ids.uuid(),
        address,
    )
    request = _request(
        scene,
        "update",
        "auth/jwt/login",
        ("auth/jwt/", "jwt"),
        address,
        {"jwt": scene.ids.hashed("jwt" + accessor), "role": scene.ids.hashed(role)},
    )
    by = "scope" if named else "inference"
    response: Json = {
        "auth": lease.auth(use=False),
        "mount_accessor": request["mount_accessor"],
        "mount_class": "auth",
        "mount_point": "auth/jwt/",
        "mount_running_plugin_version": "v1.19.2+builtin.vault",
        "mount_type": "jwt",
    }
    opened: Json = {"policy_results": {"allowed": True}, "token_type": "default"}
    asked, lease.issue_record = _pair(scene, at, (opened, lease.auth(use=False)), request, response, task, step, by)
    if named:
        asked.by = "request"
        scene.tie(opening, lease.issue_record, "scope", f"session:{session}")
    return lease


def use(
    scene: Scene,
    at: int,
    lease: Lease,
    operation: str,
    path: str,
    *,
    task: str | None,
    step: str | None,
    opening: Record | None = None,
    address: str = "",
    data: Json | None = None,
    answer: Json | None = None,
) -> tuple[Record, Record]:
    """An operation with that token: its accessor ties it to the login."""
    mount = ("auth/token/", "token") if path.startswith("auth/") else ("kv/", "kv")
    request = _request(scene, operation, path, mount, address or lease.address, data)
    request["client_id"] = lease.entity
    request["client_token"] = lease.token
    request["client_token_accessor"] = lease.accessor
    auth = lease.auth(use=True)
    response: Json = {
        "mount_accessor": request["mount_accessor"],
        "mount_class": request["mount_class"],
        "mount_point": mount[0],
        "mount_running_plugin_version": "v1.19.2+builtin.vault",
        "mount_type": mount[1],
    }
    if answer is not None:
        response["data"] = answer
    if path.endswith("renew-self"):
        response["auth"] = lease.auth(use=False)
    by = "scope" if lease.session else "inference"
    first, second = _pair(scene, at, (auth, auth), request, response, task, step, by)
    handed = path.endswith(("renew-self", "revoke-self"))
    for made in (first, second) if handed else (first,):
        scene.bundle.link(lease.issue_record, made, "derived", "credential", f"vault.accessor:{lease.accessor}")
    if lease.session:
        for made in (first, second):
            scene.tie(opening, made, "scope", f"session:{lease.session}")
    return first, second


def secret_values(scene: Scene, names: tuple[str, ...]) -> Json:
    """What a read returns, as the audit device shows it."""
    return {
        "data": {name: scene.ids.hashed(scene.ids.base62(12)) for name in names},
        "metadata": {"destroyed": False, "version": scene.ids.random.randrange(1, 20)},
    }
