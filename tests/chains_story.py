"""A few words to tell stories in events: one agent session and what others log of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chains import OrgFacts, enrich
from chains.org import load
from model.event import CredentialFact, Decision, Event, Key, Outcome, Principal, Target, short_id
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

START = 1_780_000_000_000_000
S1 = "11111111-1111-4111-8111-111111111111"
S2 = "22222222-2222-4222-8222-222222222222"
REPO = "acme/payments"


def at(seconds: float) -> int:
    return START + int(seconds * 1_000_000)


def key(text: str) -> Key:
    """`role kind:value`, e.g. `scope session:abc`."""
    role, _, name = text.partition(" ")
    kind, _, value = name.partition(":")
    return Key(KeyRole(role), kind, value)


def event(id: str, kind: str, phase: str, vantage: str, point: str, seconds: float | None, *keys: str, **more: Any) -> Event:
    """An event with a readable id; `record` defaults to one of its own."""
    target = more.pop("target", None)
    if isinstance(target, str):
        cls, _, name = target.partition(":")
        name, _, detail = name.partition("@")
        target = Target(TargetClass(cls), name, detail)
    verb = more.pop("verb", "unknown")
    who = more.pop("who", "")
    return Event(
        EventKind(kind),
        Phase(phase),
        Vantage(vantage),
        point,
        at=None if seconds is None else at(seconds),
        id=short_id("ev", id),
        record=more.pop("record", short_id("rec", id)),
        verb=Verb(verb),
        target=target or Target(),
        principal=Principal(who) if who else more.pop("principal", None),
        keys=tuple(key(k) for k in keys),
        **more,
    )


def scope(session: str) -> str:
    return f"scope session:{session}"


def prompt(session: str, seconds: float, text: str, **attrs: Any) -> Event:
    return event(
        f"prompt {session} {seconds}", "intent", "prompt", "agent", "claude-code", seconds, scope(session), text=text, attrs=attrs
    )


def call(session: str, id: str, seconds: float, *keys: str, verb: str = "exec", **more: Any) -> Event:
    """The agent's word that it makes a call; `operations` stand for what a command line would be parsed into."""
    attrs = {"repository": REPO} | more.pop("attrs", {})
    return event(
        f"call {id}", "action", "call", "agent", "claude-code", seconds, scope(session), f"call call:{id}", *keys,
        verb=verb, attrs=attrs, tool=more.pop("tool", "Bash"), **more,
    )  # fmt: skip


def result(session: str, id: str, seconds: float, ok: bool = True, **more: Any) -> Event:
    return event(
        f"result {id}", "action", "result", "agent", "claude-code", seconds, scope(session), f"call call:{id}",
        outcome=Outcome(tool=Tri.YES if ok else Tri.NO), **more,
    )  # fmt: skip


def verdict(id: str, seconds: float, *keys: str, effect: str = "allow", who: str = "dana@acme", **more: Any) -> Event:
    return event(
        f"verdict {id}", "decision", "verdict", "enforcer", more.pop("point", "opa:agents"), seconds, *keys,
        decision=Decision(Effect(effect), rule=more.pop("rule", "r-1"), by="opa:agents"), who=who, **more,
    )  # fmt: skip


def effect(id: str, seconds: float, *keys: str, verb: str = "repo.write", point: str = "github:acme", **more: Any) -> Event:
    target = more.pop("target", f"repository:{REPO}")
    return event(f"effect {id}", "effect", "observed", "target", point, seconds, *keys, verb=verb, target=target, **more)


def issued(id: str, seconds: float, *keys: str, ttl: int | None = 3600, **more: Any) -> Event:
    fact = CredentialFact("github-app-token", "broker", ttl_seconds=ttl)
    return event(f"issued {id}", "credential", "issued", "enforcer", "gateway", seconds, *keys, credential=fact, **more)


def used(id: str, seconds: float, *keys: str, point: str = "github:acme", **more: Any) -> Event:
    return event(f"used {id}", "credential", "used", "target", point, seconds, *keys, **more)


def ready(events: Iterable[Event]) -> list[Event]:
    return [enrich(one) for one in events]


ORG = f"""
name: Acme
repositories:
  {REPO}: {{owner: team-pay, environment: prod, project: pay, classification: restricted}}
  acme/web: {{owner: team-web}}
identities:
  dana@acme: {{kind: human, aliases: [dana-gh, "arn:*:dana"]}}
  lee@acme: {{kind: human, aliases: [lee-gh]}}
ticket_pattern: "PAY-[0-9]+"
change_windows:
  - {{environment: prod, days: [mon-sun], start: "00:00", end: "24:00"}}
"""


def facts(text: str = ORG) -> OrgFacts:
    return OrgFacts(load(text))


def mcp_tool(name: str, server: str = "github") -> dict[str, str]:
    """What an event says of a tool of an MCP server."""
    return {"verb": "mcp.call", "target": f"mcp_server:{server}@{name}"}
