"""agentsh events: an execution gateway that decides on every command, file, connection and MCP call of a session.

`policy.decision` is what the rule says, `policy.effective_decision` what was done (redirect and approve may both end in
allow): the effective one is the verdict, a differing one stands in its reason. Everything under one `command_id` is one step.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from importers.shared.agents import file_act
from importers.shared.fields import Json, clip, first_text, key, mapping, moment, number, text, texts, truth
from importers.shared.told import Told, effect_of, session_key
from model.event import BadRecord, Event, Parsed, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

_STARTS = frozenset({"command_started", "exec", "exec.start", "process_start", "execve", "ptrace_execve"})
_ENDS = frozenset({"command_finished", "command_killed", "exit", "process_exit", "process_end"})
_JUDGED = frozenset({"command_policy", "command_redirected", "command_redirect", "exec_intercept", "policy_decision"})
_OFFERED = frozenset({"mcp_tool_seen", "mcp_tool_changed", "mcp_detection"})
"""What a server says of its tools and what was found in that: nobody called one."""
_CALLS = frozenset({"mcp_tool_called", "mcp_tool_call_intercepted"})
"""Calls on their way to the server: what came of them is not in the record."""
_TRASH = {"soft_delete": Verb.FILE_DELETE, "trash_purge": Verb.FILE_DELETE, "trash_restore": Verb.FILE_WRITE}
_FILES = {"read": Verb.FILE_READ, "open": Verb.FILE_READ, "stat": Verb.FILE_READ, "list": Verb.FILE_READ,
          "delete": Verb.FILE_DELETE, "deleted": Verb.FILE_DELETE, "rmdir": Verb.FILE_DELETE}  # fmt: skip


class AgentshReader:
    """Reads one event log; knows the last link of the hash chain that the log keeps where it is told to."""

    def __init__(self) -> None:
        self._sequence: int | None = None
        self._head = ""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        kind = text(entry.get("type"))
        session = text(entry.get("session_id"))
        if not kind or not session:
            raise BadRecord("not an agentsh event: needs type and session_id")
        at, clock = moment(entry.get("timestamp"))
        if at is None:
            raise BadRecord("an agentsh event without a readable timestamp")
        ident = text(entry.get("id"))
        command = text(entry.get("command_id"))
        told = Told("agentsh", "agentsh", Vantage.ENFORCER, at, clock, tool=text(entry.get("operation")) or kind)
        call = key(KeyRole.CALL, "agentsh.command", f"{session}/{command}" if command else "")
        told.keys = tuple(one for one in (session_key(session), call) if one is not None)
        self._link(told, mapping(entry.get("integrity")))
        events = _events(told, entry, kind)
        if not events and "chain_broken" in told.attrs:
            events = [told.event(EventKind.DECISION, Phase.POSTURE)]
        known = (
            bool(events)
            or kind in _OFFERED
            or kind.startswith(("session_", "policy_", "cgroup_", "fuse_", "ebpf_", "integrity_"))
        )
        identity = f"{session}:{ident}" if ident else None
        return Parsed(events=events, identity=identity, type=kind, at=at, unknown_type=None if known else clip(kind, 80))

    def _link(self, told: Told, stated: Json) -> None:
        """Hold the record's link against the one before. The hashes are keyed, so what they are made of cannot be checked.

        Sequence 0 begins a chain; the first record read of a log that begins later has nothing to be held against.
        """
        sequence, link = number(stated.get("sequence")), text(stated.get("entry_hash"))
        if sequence is None or not link:
            return
        if sequence > 0 and self._sequence is not None:
            told.note(chain="checked")
            if sequence > self._sequence + 1:
                told.attrs["missing_before"] = sequence - self._sequence - 1
            if sequence != self._sequence + 1:
                told.note(chain_broken=f"record {sequence} follows record {self._sequence}")
            elif text(stated.get("prev_hash")) != self._head:
                told.note(chain_broken="prev_hash is not the hash of the record before")
        self._sequence, self._head = sequence, link


def _events(told: Told, entry: Json, kind: str) -> list[Event]:
    fields = mapping(entry.get("fields"))
    if kind in ("session_created", "session_started"):
        told.note(cwd=first_text(fields, "workspace", "cwd", "working_dir"), sandbox=first_text(fields, "policy"))
        return [told.event(EventKind.ACTION, Phase.STARTED)]
    if kind in ("session_destroyed", "session_expired", "session_ended"):
        return [told.event(EventKind.ACTION, Phase.ENDED)]
    if kind in _ENDS:
        code = number(fields.get("exit_code"))
        told.note(status=str(code) if code is not None else first_text(fields, "signal", "reason"))
        if (took := number(fields.get("duration_ms"))) is not None:
            told.attrs["duration_ms"] = took
        told.verb = Verb.EXEC
        return [told.result(False if kind == "command_killed" else None if code is None else code == 0)]
    if kind in ("approval_requested", "approval_resolved"):
        return _approval(told, fields)
    seen = _classify(told, entry, fields, kind)
    if kind in _STARTS:
        events = _judged(told, entry)
        return [*events, told.called()]
    events = _judged(told, entry)
    if not events and kind in _CALLS and (effect := effect_of(fields.get("action"))) is not Effect.UNKNOWN:
        events = [told.verdict(effect, reason=first_text(fields, "reason"))]
    refused = any(event.decision and event.decision.effect is Effect.DENY for event in events) or kind.endswith("_blocked")
    if refused and not events:
        reason = first_text(fields, "reason", "message") or f"{kind} {first_text(fields, 'syscall', 'family')}".strip()
        events = [told.verdict(Effect.DENY, reason=reason)]
    if kind in _JUDGED or kind in _OFFERED or not seen:
        return events
    asked = any(event.decision and event.decision.effect is Effect.ASK for event in events)
    ok = truth(fields.get("success"))
    if (answered := number(first_text(fields, "status_code", "status"))) is not None and ok is None and answered >= 400:
        ok = False
    done = (
        False if refused or first_text(fields, "error") else ok if ok is not None else None if asked or kind in _CALLS else True
    )
    told.vantage = Vantage.WITNESS
    return [*events, told.observed(done, permitted=Effect.DENY if refused else Effect.UNKNOWN)]


def _approval(told: Told, fields: Json) -> list[Event]:
    """A question put to a person, and the answer; a question that ran out of time is answered with no."""
    approved = truth(fields.get("approved"))
    target = first_text(fields, "target")
    match first_text(fields, "kind"):
        case "command":
            told.verb = Verb.EXEC
            told.note(command=shlex.join([first_text(fields, "command") or target, *texts(fields.get("args"))]))
        case "file":
            told.verb = _FILES.get(first_text(fields, "operation", "op").lower(), Verb.FILE_WRITE)
            told.target = file_act(told.verb, target).target
            told.note(path=target)
        case "network":
            told.verb, told.target = Verb.NET_CONNECT, Target(TargetClass.NETWORK, target)
    effect = Effect.ASK if approved is None else Effect.ALLOW if approved else Effect.DENY
    found = key(KeyRole.CALL, "agentsh.approval", first_text(fields, "approval_id"))
    reason = first_text(fields, "message") if approved is None else first_text(fields, "reason", "message")
    return [told.verdict(effect, found, rule=first_text(fields, "rule"), reason=reason)]


def _judged(told: Told, entry: Json) -> list[Event]:
    """The verdict the event carries, if it carries one."""
    policy = mapping(entry.get("policy"))
    stated = first_text(policy, "decision")
    effective = first_text(policy, "effective_decision") or stated or first_text(entry, "effective_action")
    if not effective:
        return []
    redirect = mapping(policy.get("redirect"))
    effect = effect_of(effective)
    if effect is Effect.UNKNOWN and effective in ("redirect", "soft_delete"):
        effect = Effect.ALLOW
    if redirect or "redirect" in (stated, effective):
        told.note(redirected=True)
    said = first_text(policy, "message")
    differs = f"decided {stated}, in effect {effective}" if stated and stated != effective else ""
    if redirect:
        named = (first_text(redirect, "from_command", "from"), first_text(redirect, "to_command", "to"))
        differs = f"{differs}: {named[0]} became {named[1]}" if all(named) else differs
    reason = "; ".join(part for part in (differs, said, first_text(policy, "threat_match")) if part)
    approval = first_text(mapping(policy.get("approval")), "id")
    found = key(KeyRole.CALL, "agentsh.approval", approval)
    return [told.verdict(effect, found, rule=first_text(policy, "rule"), reason=reason)]


def _classify(told: Told, entry: Json, fields: Json, kind: str) -> bool:
    """Verb, target and command of the event; False where it is about the gateway itself."""
    path = first_text(entry, "path", "filename") or first_text(fields, "path")
    domain = first_text(entry, "domain") or first_text(fields, "domain", "host", "hostname")
    if kind.startswith(("command", "exec", "ptrace_execve", "process", "shell")):
        argv = list(texts(entry.get("argv"))) or [first_text(fields, "command"), *texts(fields.get("args"))]
        told.verb = Verb.EXEC
        told.note(command=shlex.join(part for part in argv if part), cwd=first_text(fields, "cwd", "working_dir"))
    elif kind in _TRASH or kind.startswith(("file_", "dir_", "symlink_", "ptrace_file", "registry_")):
        word = text(entry.get("operation")) or kind.partition("_")[2]
        verb = _TRASH.get(kind) or _FILES.get(word.removeprefix("soft_").lower(), Verb.FILE_WRITE)
        act = file_act(verb, path)
        told.verb, told.target = act.verb, act.target
        told.note(path=path)
    elif kind.startswith(("net_http", "http")):
        url = first_text(fields, "url") or domain
        told.verb = Verb.HTTP_REQUEST
        told.target = Target(TargetClass.NETWORK, domain, first_text(fields, "method"))
        told.note(url=url)
    elif kind.startswith(("net_", "connection_", "connect_", "dns_", "ptrace_network", "unix_socket")):
        told.verb = Verb.NET_CONNECT
        told.target = Target(TargetClass.NETWORK, domain or first_text(entry, "remote") or path, first_text(entry, "remote"))
    elif kind.startswith("mcp_") and first_text(fields, "tool_name", "tool"):
        server, tool = first_text(fields, "server_name", "server_id", "server"), first_text(fields, "tool_name", "tool")
        told.verb, told.tool = Verb.MCP_CALL, tool
        told.target = Target(TargetClass.MCP_SERVER, server, tool)
        call = key(KeyRole.CALL, "call", first_text(fields, "tool_call_id"))
        told.keys = (*told.keys, *((call,) if call else ()))
        told.note(mcp_server=server)
    elif kind.startswith("secret"):
        told.verb = Verb.SECRET_READ
        told.target = Target(TargetClass.SECRET_STORE, first_text(fields, "secret_name", "name"), first_text(fields, "provider"))
    elif kind.startswith("db_"):
        told.verb = Verb.DB_QUERY
        told.target = Target(TargetClass.DATABASE, first_text(fields, "database", "db_service", "service"))
    else:
        return False
    return True


class Agentsh:
    """The event log of agentsh."""

    id = "agentsh"
    checks_chains = True
    title = "agentsh execution gateway"
    evidence = "fixture"
    version = 4

    def sniff(self, sample: Sequence[object]) -> int:
        best = 0
        for record in sample:
            if isinstance(record, dict) and isinstance(record.get("type"), str) and isinstance(record.get("session_id"), str):
                if "effective_decision" in mapping(record.get("policy")):
                    return 95
                known = record["type"] in _STARTS | _ENDS | _JUDGED or record["type"].startswith(
                    ("session_c", "file_", "net_", "dns_")
                )
                best = max(best, 75 if known and "timestamp" in record and ("fields" in record or "command_id" in record) else 0)
        return best

    def open(self) -> AgentshReader:
        return AgentshReader()


IMPORTER = Agentsh()
