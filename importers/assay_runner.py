"""Assay's records without an envelope: enforcement decisions, provider audit records, and the layers of a runner's archive.

A run is seen by the SDK (the agent's own word), by the policy layer and by the kernel; its records have an order and no
time. A correlation report that bound nothing is told apart from one that bound everything, whatever its status says.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from importers.assay_events import run_scopes
from importers.shared.agents import file_act
from importers.shared.fields import Json, clip, first_moment, first_text, key, keys, mapping, number, text, texts
from importers.shared.told import Told, effect_of
from importers.shared.tool_calls import tool_call
from model.event import BadRecord, CredentialFact, Key, Parsed, Principal, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

_HANDS_OUT = ("deploy_key", "access_token", "credential", "api_key", "secret", "ssh_key", "invite")
_FINISHED = {"tool_call_completed": True, "tool_call_failed": False, "tool_call_errored": False}


def _run(entry: Json, point: str, vantage: Vantage, schema: str) -> tuple[Told, Parsed]:
    """The frame of a layer's record, which belongs to its run by id."""
    run = text(entry.get("run_id"))
    if not run:
        raise BadRecord(f"an {schema} record without run_id")
    at, clock = first_moment(entry, "timestamp", "time")
    told = Told("assay", point, vantage, at, clock)
    told.keys = keys(*run_scopes(run), key(KeyRole.CALL, "call", text(entry.get("tool_call_id"))))
    sequence = number(entry.get("seq"))
    identity = f"{run}:{schema}:{sequence}" if sequence is not None else None
    return told, Parsed(identity=identity, type=schema, at=at)


def _tool(told: Told, name: str) -> None:
    told.tool = name
    told.verb, told.target, _ = tool_call(name, "", None, None)


def _life(entry: Json) -> Parsed:
    told, parsed = _run(entry, "assay-runner", Vantage.WITNESS, "assay.runner.event.v0")
    kind = text(entry.get("type"))
    told.agent = text(entry.get("agent_shim"))
    if kind == "run_started":
        told.note(command=shlex.join(texts(entry.get("command"))))
        parsed.events = [told.event(EventKind.ACTION, Phase.STARTED)]
    elif kind == "run_finished":
        code = number(entry.get("exit_code"))
        told.note(status="" if code is None else str(code))
        parsed.events = [told.event(EventKind.ACTION, Phase.ENDED)]
    else:
        parsed.unknown_type = clip(f"runner {kind}", 80)
    return parsed


def _sdk(entry: Json) -> Parsed:
    """The agent's own word: a tool call begun and finished."""
    told, parsed = _run(entry, first_text(entry, "sdk_name") or "assay-sdk", Vantage.AGENT, "assay.runner.sdk_event.v0")
    kind = text(entry.get("event_type"))
    told.agent = first_text(entry, "sdk_name", "source").lstrip("@").replace("/", "-")
    told.note(agent_version=text(entry.get("sdk_version")))
    _tool(told, text(entry.get("tool")))
    if kind == "tool_call_started":
        parsed.events = [told.called()]
    elif kind in _FINISHED:
        parsed.events = [told.result(_FINISHED[kind])]
    elif kind == "run_finished":
        parsed.events = [told.event(EventKind.ACTION, Phase.ENDED)]
    elif kind == "run_started":
        parsed.events = [told.event(EventKind.ACTION, Phase.STARTED)]
    else:
        parsed.unknown_type = clip(f"sdk {kind}", 80)
    return parsed


def _policy(entry: Json) -> Parsed:
    told, parsed = _run(entry, "assay", Vantage.ENFORCER, "assay.runner.policy_event.v0")
    if not text(entry.get("decision")):
        raise BadRecord("an Assay policy event without decision")
    _tool(told, text(entry.get("tool")))
    parsed.events = [told.verdict(effect_of(entry.get("decision")), reason=first_text(entry, "reason_code", "reason"))]
    return parsed


def _kernel(entry: Json) -> Parsed:
    """A system call the kernel saw in the run's process tree. An opened file may have been read or written: read is the least."""
    told, parsed = _run(entry, "assay-kernel", Vantage.WITNESS, "assay.runner.kernel_event.v0")
    kind, value = text(entry.get("kind")), text(entry.get("value"))
    if kind in ("openat", "open", "openat2"):
        act = file_act(Verb.FILE_READ, value)
        told.verb, told.target = act.verb, act.target
        told.note(path=value)
    elif kind in ("connect", "sendto"):
        told.verb, told.target = Verb.NET_CONNECT, Target(TargetClass.NETWORK, clip(value, 300))
    elif kind in ("execve", "exec", "execveat"):
        told.verb = Verb.EXEC
        told.note(command=value)
    elif kind in ("unlink", "unlinkat"):
        told.verb, told.target = Verb.FILE_DELETE, Target(TargetClass.FILESYSTEM, clip(value, 1000))
    else:
        parsed.unknown_type = clip(f"kernel {kind}", 80)
        return parsed
    told.tool = kind
    parsed.events = [told.observed(True)]
    return parsed


def _correlation(entry: Json) -> Parsed:
    """How far the layers agreed; each call that was bound to kernel events is evidence that it took effect."""
    told, parsed = _run(entry, "assay-runner", Vantage.WITNESS, "assay.runner.correlation_report.v0")
    stated = entry.get("bindings")
    bindings = [one for one in stated if isinstance(one, dict)] if isinstance(stated, list) else []
    doubts = entry.get("ambiguities")
    open_questions = len(doubts) if isinstance(doubts, list) else 0
    found = f"{len(bindings)} calls bound" if bindings else "nothing was matched"
    told.note(status=f"{text(entry.get('status')) or 'no status'}: {found}, {open_questions} ambiguities")
    parsed.events = [told.event(EventKind.DECISION, Phase.POSTURE)]
    for one in bindings[:1000]:
        seen = number(one.get("kernel_event_count")) or 0
        call = key(KeyRole.CALL, "call", text(one.get("tool_call_id")))
        if call is not None and seen > 0:
            parsed.events.append(told.observed(True, call))
    return parsed


def _enforcement(entry: Json) -> Parsed:
    """A decision on a side effect, with the credential it would be made with, by its alias."""
    tool, action = mapping(entry.get("tool")), mapping(entry.get("action"))
    name = text(tool.get("name"))
    effect = effect_of(entry.get("decision"))
    if not name or effect is Effect.UNKNOWN:
        raise BadRecord("an Assay enforcement decision without tool.name or a decision that is allow or deny")
    told = Told("assay", "assay", Vantage.ENFORCER, *first_moment(entry, "timestamp", "time", "decided_at"))
    caller = text(mapping(entry.get("caller")).get("id"))
    told.principal = Principal(caller, "workload") if caller else None
    told.tool = name
    told.verb, told.target = _side_effect(text(tool.get("action_class")), action, name)
    told.keys = _ids(entry)
    told.note(
        status=f"drift {text(entry.get('drift_state'))}" if text(entry.get("drift_state")) not in ("", "not_evaluated") else ""
    )
    reason = text(entry.get("reason"))
    if entry.get("fail_closed") is True and effect is Effect.DENY:
        reason = f"{reason} (fail closed)"
    parsed = Parsed(type="assay.enforcement_decision.v0", at=told.at, events=[told.verdict(effect, reason=reason)])
    alias = key(KeyRole.CREDENTIAL, "assay.credential_alias", text(entry.get("credential_alias")))
    if alias is not None:
        # A refused action used nothing: the credential was only asked for.
        phase = Phase.USED if effect is Effect.ALLOW else Phase.REQUESTED
        fact = CredentialFact(kind="alias", issuer="assay", subject=caller, label=alias.value)
        parsed.events.append(told.event(EventKind.CREDENTIAL, phase, alias, credential=fact))
    return parsed


def _provider(entry: Json) -> Parsed:
    """An entry of a provider's audit log, bound to a call by the digest of what was done."""
    subject = mapping(entry.get("subject"))
    provider = text(entry.get("provider"))
    name = text(entry.get("record_id"))
    if not provider or not subject:
        raise BadRecord("an Assay provider audit record without provider or subject")
    told = Told("assay", f"{provider}-audit", Vantage.TARGET, *first_moment(entry, "timestamp", "time", "occurred_at"))
    told.tool = f"{text(subject.get('verb'))} {text(subject.get('action_class'))}".strip()
    told.verb, told.target = _side_effect(text(subject.get("action_class")), subject, told.tool)
    told.keys = keys(*_ids(entry), key(KeyRole.CALL, "assay.binding", text(entry.get("binding_digest"))))
    identity = f"{provider}:{name}" if name else None
    return Parsed(type="assay.provider_audit_record.v0", at=told.at, identity=identity, events=[told.observed(True)])


def _ids(entry: Json) -> tuple[Key, ...]:
    return keys(
        *run_scopes(first_text(entry, "run_id", "session_id")),
        key(KeyRole.SCOPE, "assay.mandate", text(entry.get("mandate_id"))),
        key(KeyRole.CALL, "call", text(entry.get("tool_call_id"))),
        key(KeyRole.CALL, "assay.binding", text(entry.get("call_binding_digest"))),
    )


def _side_effect(kind: str, action: Json, name: str) -> tuple[Verb, Target]:
    """What is created or deleted, and where; a key or token made is a credential issued."""
    target = mapping(action.get("target"))
    verb, found, _ = tool_call(name, "", target, None)
    owner, repository = text(target.get("owner")), text(target.get("repo"))
    if kind and any(mark in kind for mark in _HANDS_OUT):
        verb = Verb.CREDENTIAL_REVOKE if text(action.get("verb")) in ("delete", "revoke", "remove") else Verb.CREDENTIAL_ISSUE
    if owner and repository:
        return verb, Target(TargetClass.REPOSITORY, f"{owner}/{repository}".lower(), kind)
    return verb, found if found.name else Target(TargetClass.UNKNOWN, owner or text(target.get("provider")), kind)


LAYERS: dict[str, Callable[[Json], Parsed]] = {
    "assay.runner.event.v0": _life,
    "assay.runner.sdk_event.v0": _sdk,
    "assay.runner.policy_event.v0": _policy,
    "assay.runner.kernel_event.v0": _kernel,
    "assay.runner.correlation_report.v0": _correlation,
    "assay.enforcement_decision.v0": _enforcement,
    "assay.provider_audit_record.v0": _provider,
}
