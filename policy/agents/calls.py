"""An agent's tool call as people and programs write it, read as a `Call`; and what a missing fact is called there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from policy.agents.base import Call

NAMES = {
    "the approval policy in force": "approval_policy",
    "the sandbox in force": "sandbox",
    "whether the project is trusted": "trusted",
    "whether the folder was trusted": "trusted",
    "what the granular approval policy lets through": "approval_policy.granular",
    "the permission mode": "mode",
    "the approval mode": "mode",
    "whether a person was there to ask": "interactive",
    "the annotations of the server's tool": "annotations",
    "the working directory": "cwd",
    "the project folder": "project",
    "the home folder": "home",
    "the home folder or the folder the program was started in": "project",
    "the command": "input.command",
    "the path": "input.path",
    "the address": "input.url",
    "the type of the sub-agent": "input.subagent_type",
    "all the arguments of the call": "input",
    "what the hooks answered": "facts.hook",
    "what the check of this mode answered": "facts.classifier",
    "whether the tool is read-only": "annotations",
    "the MCP server": "mcp_server",
}
"""The words of missing facts, by what a request calls them."""

_HOME = re.compile(r"(/root|/(?:home|Users)/[^/]+|[A-Za-z]:/Users/[^/]+)(?=/|$)")
_TEXTS = ("agent", "tool", "command", "cmd", "cwd", "project", "home", "mode", "subagent", "mcp_server")
_TRUTHS = ("interactive", "trusted", "resolve_host_executables")
_OTHERS = ("input", "argv", "approval_policy", "sandbox", "escalation", "annotations", "prior_identical_calls", "links", "facts")
KNOWN = (*_TEXTS, *_TRUTHS, *_OTHERS)


class CallError(ValueError):
    """A call that cannot be read; the message says what is wrong with it."""


def named(missing: str) -> str:
    """What a request calls a missing fact; the words themselves where a request has no name for it."""
    return NAMES.get(missing, missing)


def read_call(value: object, format: str) -> tuple[Call, tuple[str, ...]]:
    """A call of the agent whose rules are of `format`, and the names in it that mean nothing here; raises CallError.

    `{"tool", "input", "cwd", "project", "mode"}`, for Codex also `argv`, `command`, `approval_policy`, `sandbox` and
    `escalation`. `sandbox_permissions` and the like may stand in `escalation` or in `input`.
    """
    if not isinstance(value, Mapping):
        _wrong("a request is an object")
    told = {str(name): one for name, one in value.items() if one is not None}
    for names, kind, what in ((_TEXTS, str, "a text"), (_TRUTHS, bool, "true or false")):
        for name in names:
            if name in told and not isinstance(told[name], kind):
                _wrong(f"`{name}` is {what}")
    agent = str(told.get("agent") or "")
    if agent and agent != format:
        _wrong(f"`agent` is {agent[:60]!r}, and the rules are those of {format}")
    given = _input(told)
    facts = _object(told, "facts")
    policy = told.get("approval_policy")
    mode = str(told.get("mode") or "")
    if isinstance(policy, Mapping):
        mode, facts["granular"] = "granular", _granular(policy)
    elif isinstance(policy, str):
        mode = policy
    elif policy is not None:
        _wrong("`approval_policy` is a text, or an object with `granular`")
    if "annotations" in value:
        annotations = value["annotations"]
        if annotations is not None and not isinstance(annotations, Mapping):
            _wrong("`annotations` is an object")
        facts["annotations"] = annotations
        if isinstance(annotations, Mapping) and isinstance(annotations.get("readOnlyHint"), bool):
            facts.setdefault("read_only", annotations["readOnlyHint"])
    prior = told.get("prior_identical_calls")
    if prior is not None:
        if isinstance(prior, bool) or not isinstance(prior, int) or prior < 0:
            _wrong("`prior_identical_calls` is a whole number")
        facts["identical_calls_before"] = prior
    if "links" in told:
        facts["links"] = _object(told, "links")
    if told.get("resolve_host_executables"):
        facts["resolve_host_executables"] = True
    cwd, project = str(told.get("cwd") or ""), str(told.get("project") or "")
    call = Call(
        str(told.get("tool") or ""),
        given,
        cwd=cwd or project,
        project=project or cwd,
        home=str(told.get("home") or "") or home_of(cwd, project),
        mode=mode,
        sandbox=_sandbox(told),
        agent=str(told.get("subagent") or ""),
        mcp_server=str(told.get("mcp_server") or ""),
        interactive=_truth(told, "interactive"),
        trusted=_truth(told, "trusted"),
        facts=facts,
    )
    return call, tuple(sorted(name for name in told if name not in KNOWN))


def home_of(*folders: str) -> str:
    """The home folder that a folder of a person's lies in, by where systems put them; "" where it lies in none."""
    return next((found[1] for folder in folders if (found := _HOME.match(folder.replace("\\", "/")))), "")


def _wrong(message: str) -> NoReturn:
    raise CallError(message)


def _object(told: Mapping[str, object], name: str) -> dict[str, object]:
    value = told.get(name, {})
    if not isinstance(value, Mapping):
        _wrong(f"`{name}` is an object")
    return {str(key): one for key, one in value.items()}


def _input(told: Mapping[str, object]) -> dict[str, object]:
    """What a call gives its tool: an object as it is, a text as that of a patch; a command line or its words beside it."""
    stated = told.get("input", {})
    if not isinstance(stated, Mapping | str):
        _wrong("`input` is an object, or a text")
    given: dict[str, object] = dict(stated) if isinstance(stated, Mapping) else {"input": stated}
    argv = told.get("argv")
    if argv is not None:
        if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv):
            _wrong("`argv` is a list of texts")
        given["argv"] = argv
    for name in ("command", "cmd"):
        if name in told:
            given["command"] = told[name]
    escalation = told.get("escalation")
    if isinstance(escalation, Mapping):
        given.update(escalation)
    elif isinstance(escalation, str):
        given["sandbox_permissions"] = escalation
    elif escalation is True:
        given["sandbox_permissions"] = "require_escalated"
    elif escalation not in (None, False):
        _wrong("`escalation` is an object, a text or true")
    if "tool" not in told and "argv" not in given and "command" not in given and "cmd" not in given:
        _wrong("a call has a `tool` with its `input`, or an `argv` or `command`")
    return given


def _granular(policy: Mapping[str, object]) -> Mapping[str, object]:
    granular = policy.get("granular")
    if not isinstance(granular, Mapping):
        _wrong("`approval_policy` is a text, or an object with `granular`")
    return granular


def _sandbox(told: Mapping[str, object]) -> str:
    """The sandbox by its name; a log's object has it under `type` or `mode`."""
    value = told.get("sandbox", "")
    if isinstance(value, Mapping):
        value = value.get("type") or value.get("mode") or ""
    if not isinstance(value, str):
        _wrong("`sandbox` is a text")
    return value


def _truth(told: Mapping[str, object], name: str) -> bool | None:
    value = told.get(name)
    return value if isinstance(value, bool) else None
