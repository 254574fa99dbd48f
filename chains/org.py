"""`org.yaml`: what the organisation says once about owners, environments, people, limits and enforcement points."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import re2

from chains.facts import OrgFacts, minutes
from lang.cel import compile_condition
from lang.times import duration, parse_time
from lang.yamlread import Node, read
from model.conditions import STEP_CONDITION
from model.org import Exclusion, Org, PointFact, PolicyFact, Resource, Window
from model.words import Severity, TargetClass, Vantage

__all__ = ["OrgFacts", "load", "org_schema"]

RESOURCE_SECTIONS: dict[str, str] = {
    "repositories": "repository",
    "accounts": "account",
    "clusters": "cluster",
    "hosts": "network",
    "paths": "filesystem",
    "secrets": "secret_store",
    "databases": "database",
    "registries": "package_registry",
    "mcp_servers": "mcp_server",
    "tickets": "ticketing",
    "pipelines": "ci_cd",
    "clouds": "cloud",
}
"""Section of the file -> class its globs are about. `account` is the cloud account or tenant a target belongs to."""

_TOP = (
    "name",
    *RESOURCE_SECTIONS,
    "resources",
    "change_windows",
    "approved",
    "identities",
    "ttl_limits",
    "ticket_pattern",
    "enforcement_points",
    "policies",
    "detections",
    "own_detections",
    "inference",
)
_FACTS = ("owner", "environment", "classification", "project")
_EXCLUDED_BY = ("principal", "agent", "repository", "path", "when")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KINDS = ("human", "workload", "agent", "service")


@cache
def org_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12) of `org.yaml`."""
    document: dict[str, Any] = json.loads(files("chains").joinpath("org.schema.json").read_text("utf-8"))
    return document


def load(text: str) -> Org:
    """Read and check an organisation file; raises YamlError with line, column and the nearest known name."""
    root = read(text.removeprefix("\ufeff"), "the organisation file").fields(_TOP)
    return Org(
        name=root["name"].text() if "name" in root else "",
        resources=_resources(root),
        change_windows=tuple(_window(n) for n in root["change_windows"].items()) if "change_windows" in root else (),
        **_approved(root.get("approved")),
        **_identities(root.get("identities")),
        ttl_seconds=_limits(root.get("ttl_limits")),
        ticket_pattern=_pattern(root["ticket_pattern"]) if "ticket_pattern" in root else "",
        enforcement_points=tuple(_point(n) for n in root["enforcement_points"].items()) if "enforcement_points" in root else (),
        policies=tuple(_policy(n) for n in root["policies"].items()) if "policies" in root else (),
        **_detections(root.get("detections")),
        own_detections=root["own_detections"].texts() if "own_detections" in root else (),
        **_inference(root.get("inference")),
    )


def _resources(root: dict[str, Node]) -> tuple[Resource, ...]:
    """All sections as one list. The order of the file counts inside a section only, so sections may stand in any order."""
    found: list[Resource] = []
    for section, cls in RESOURCE_SECTIONS.items():
        if section in root:
            found += [_resource(f"{cls}:{name}", value) for name, _, value in root[section].entries()]
    if "resources" in root:
        classes = {c.value for c in TargetClass} | {"account"}
        for name, place, value in root["resources"].entries():
            cls = name.partition(":")[0]
            if cls not in classes or cls == name:
                raise place.error(f"{name!r} must be `class:glob`; classes: {', '.join(sorted(classes))}")
            found.append(_resource(name, value))
    return tuple(found)


def _resource(match: str, node: Node) -> Resource:
    values = {name: value.text() for name, value in node.fields(_FACTS).items()}
    return Resource(match, **values)


def _window(node: Node) -> Window:
    got = node.fields(("environment", "days", "start", "end", "zone", "from", "to"))
    fixed = "from" in got or "to" in got
    for name in ("days", "start", "end", "zone"):
        if fixed and name in got:
            raise got[name].error(f"a window has either `from`/`to` or `days`/`start`/`end`/`zone`, not both ({name!r})")
    for name in ("start", "end"):
        if name in got:
            try:
                minutes(got[name].text())
            except ValueError as error:
                raise got[name].error(str(error)) from None
    for name in ("from", "to"):
        if name in got and parse_time(got[name].text())[0] is None:
            raise got[name].error(f"{name!r} is not a time; write ISO 8601, e.g. 2026-03-17T18:00:00Z")
    zone = got["zone"].text() if "zone" in got else "UTC"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if zone != "UTC":
            raise got["zone"].error(f"unknown time zone {zone!r}; write e.g. Europe/Stockholm") from None
    return Window(
        environment=got["environment"].text() if "environment" in got else "",
        days=_days(got["days"]) if "days" in got else (),
        start=got["start"].text() if "start" in got else "",
        end=got["end"].text() if "end" in got else "",
        zone=zone,
        starts_at=got["from"].text() if "from" in got else "",
        ends_at=got["to"].text() if "to" in got else "",
    )


def _days(node: Node) -> tuple[str, ...]:
    """Days by name (`mon`, `Monday`) or as a range (`mon-fri`, `sat-mon`)."""
    found: list[str] = []
    for text in node.texts():
        first, _, last = text.casefold().partition("-")
        ends = [name[:3] for name in (first, last or first)]
        if any(end not in _DAYS for end in ends):
            raise node.error(f"{text!r} is not a day; write {', '.join(_DAYS)} or a range such as mon-fri")
        start, stop = (_DAYS.index(end) for end in ends)
        found += [_DAYS[(start + n) % 7] for n in range((stop - start) % 7 + 1)]
    return tuple(day for day in _DAYS if day in found)


def _approved(node: Node | None) -> dict[str, Any]:
    got = node.fields(("registries", "mcp_servers", "hosts")) if node else {}
    return {f"approved_{name}": value.texts() for name, value in got.items()}


def _identities(node: Node | None) -> dict[str, Any]:
    aliases: dict[str, tuple[str, ...]] = {}
    kinds: dict[str, str] = {}
    taken: dict[str, str] = {}
    for name, place, value in node.entries() if node else ():
        if value.is_map:
            got = value.fields(("aliases", "kind"))
            aliases[name] = got["aliases"].texts() if "aliases" in got else ()
            if "kind" in got:
                kinds[name] = got["kind"].choice(_KINDS)
        else:
            aliases[name] = () if value.is_null else value.texts()
        for alias in (name, *aliases[name]):
            owner = taken.setdefault(alias.casefold(), name)
            if owner != name:
                raise place.error(f"{alias!r} already names {owner!r}; one alias cannot name two identities")
    return {"identities": aliases, "identity_kinds": kinds}


def _limits(node: Node | None) -> dict[str, int]:
    return {name: _seconds(value) for name, _, value in node.entries()} if node else {}


def _seconds(node: Node) -> int:
    seconds = duration(node.text())
    if seconds is None:
        raise node.error(f"{node.what} must be a duration: seconds, or a number with s, m, h or d, e.g. 15m")
    return seconds


def _pattern(node: Node) -> str:
    """A pattern of RE2, whose running time is linear in the text: prompts are hostile input."""
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(node.text(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
        raise node.error(f"ticket_pattern is not a regular expression (RE2): {reason}") from None
    return node.text()


def _point(node: Node) -> PointFact:
    got = node.fields(("id", "vantage", "scope", "since", "heartbeat"))
    if "id" not in got:
        raise node.error("an enforcement point needs an `id`, e.g. vault or opa:*")
    since = got["since"].text() if "since" in got else ""
    if since and parse_time(since)[0] is None:
        raise got["since"].error("`since` is not a time; write ISO 8601, e.g. 2026-03-01")
    return PointFact(
        id=got["id"].text(),
        vantage=got["vantage"].choice(v.value for v in Vantage) if "vantage" in got else "",
        scope=got["scope"].text() if "scope" in got else "*",
        since=since,
        heartbeat=_seconds(got["heartbeat"]) if "heartbeat" in got else None,
    )


def _policy(node: Node) -> PolicyFact:
    got = node.fields(("point", "source", "saved", "version", "layer", "repositories", "principals", "since", "until"))
    if "point" not in got:
        raise node.error("a policy needs a `point`: the agent or enforcement point it was in force at, e.g. claude-code")
    if ("source" in got) is ("saved" in got):
        raise node.error("a policy is either a `source` (a glob over imported settings files) or `saved` (a policy of the store)")
    for name in ("since", "until"):
        if name in got and parse_time(got[name].text())[0] is None:
            raise got[name].error(f"`{name}` is not a time; write ISO 8601, e.g. 2026-03-01")
    text = {name: got[name].text() for name in ("point", "source", "saved", "layer", "since", "until") if name in got}
    return PolicyFact(
        **text,
        version=int(got["version"].number(1, 1_000_000)) if "version" in got else 0,
        repositories=got["repositories"].texts() if "repositories" in got else (),
        principals=got["principals"].texts() if "principals" in got else (),
    )


def _detections(node: Node | None) -> dict[str, Any]:
    """Settings by detection: `enabled`, `severity`, `at_most` and `exclude` are every detection's, the rest its own."""
    settings: dict[str, dict[str, object]] = {}
    exclusions: dict[str, tuple[Exclusion, ...]] = {}
    for name, _, value in node.entries() if node else ():
        settings[name] = {}
        for key, _, inner in value.entries():
            if key == "exclude":
                exclusions[name] = tuple(_exclusion(one) for one in inner.items())
                continue
            settings[name][key] = inner.plain()
            if key == "severity":
                inner.choice(s.value for s in Severity)
            elif key == "at_most":
                settings[name][key] = int(inner.number(1, 1_000_000))
            elif key == "enabled" and not isinstance(settings[name][key], bool):
                raise inner.error("enabled must be true or false")
    return {"detections": settings, "exclusions": {name: held for name, held in exclusions.items() if held}}


def _exclusion(node: Node) -> Exclusion:
    got = node.fields(("reason", *_EXCLUDED_BY))
    if "reason" not in got or not got["reason"].text().strip():
        raise node.error("an exclusion needs a `reason`: who reads the report is told why something is not in it")
    if len(got) == 1:
        raise node.error(f"an exclusion says what it is for: {', '.join(_EXCLUDED_BY)}; `enabled: false` silences all of it")
    if "when" in got:
        problems = [p for p in compile_condition(got["when"].text(), STEP_CONDITION).problems if p.severity == "error"]
        if problems:
            raise got["when"].error(f"when, at character {problems[0].start + 1}: {problems[0].message}")
    return Exclusion(**{name: " ".join(value.text().split()) for name, value in got.items() if name != "when"},
                     when=got["when"].text() if "when" in got else "")  # fmt: skip


def _inference(node: Node | None) -> dict[str, Any]:
    got = node.fields(("threshold", "window")) if node else {}
    found: dict[str, Any] = {}
    if "threshold" in got:
        found["inference_threshold"] = got["threshold"].number(0.5, 1.0)
    if "window" in got:
        seconds = _seconds(got["window"])
        if not 1 <= seconds <= 3600:
            raise got["window"].error("window must lie between 1 s and 1 h")
        found["inference_window_seconds"] = seconds
    return found
