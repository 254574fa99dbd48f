"""The organisation file as facts: everything may be missing, and what is missing is unknown."""

from __future__ import annotations

import msgspec


class Window(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change window: weekdays (mon..sun) and hours `HH:MM` in a time zone, or one span of instants (ISO 8601)."""

    environment: str = ""
    days: tuple[str, ...] = ()
    start: str = ""
    end: str = ""
    zone: str = "UTC"
    starts_at: str = ""
    ends_at: str = ""


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the organisation says of resources whose `class:name` matches a glob; the first match that states a fact wins."""

    match: str
    owner: str = ""
    environment: str = ""
    classification: str = ""
    project: str = ""


class PointFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """An enforcement point that exists: `point` is a glob over event points, `scope` a glob over principals or hosts."""

    id: str
    vantage: str = ""
    scope: str = "*"
    since: str = ""
    heartbeat: int | None = None


class PolicyFact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A policy that was in force at an enforcement point: an imported settings file, or a policy saved in the store.

    `point` is a glob over agents and points, `source` one over the names of imported settings files; `saved` names a policy
    of the store, `version` which of it (0 is the last). Without `since` nothing is known of when it held.
    """

    point: str
    source: str = ""
    saved: str = ""
    version: int = 0
    layer: str = ""
    repositories: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Exclusion(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a detection is not to report, and why: all that is stated must hold. Globs, and `when` a condition in CEL."""

    reason: str
    principal: str = ""
    agent: str = ""
    repository: str = ""
    path: str = ""
    when: str = ""


class Org(msgspec.Struct, omit_defaults=True):
    """`org.yaml`, checked: owners, environments, windows, approved lists, aliases, limits, enforcement points, policies.

    `detections` holds by detection id what is set for it, `exclusions` what it is not to report, `own_detections` where
    detections of the organisation's own lie, as the file names them.
    """

    name: str = ""
    resources: tuple[Resource, ...] = ()
    change_windows: tuple[Window, ...] = ()
    approved_registries: tuple[str, ...] | None = None
    approved_mcp_servers: tuple[str, ...] | None = None
    approved_hosts: tuple[str, ...] | None = None
    identities: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    identity_kinds: dict[str, str] = msgspec.field(default_factory=dict)
    ttl_seconds: dict[str, int] = msgspec.field(default_factory=dict)
    ticket_pattern: str = ""
    enforcement_points: tuple[PointFact, ...] = ()
    policies: tuple[PolicyFact, ...] = ()
    detections: dict[str, dict[str, object]] = msgspec.field(default_factory=dict)
    exclusions: dict[str, tuple[Exclusion, ...]] = msgspec.field(default_factory=dict)
    own_detections: tuple[str, ...] = ()
    inference_threshold: float = 0.75
    inference_window_seconds: int = 300
