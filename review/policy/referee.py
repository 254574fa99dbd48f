"""A second engine's opinion on a policy over the whole history: Google's CEL on ours, the program itself on its own rules."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

import policy as engine
from lang.counted import count
from policy.agents import adapter_of, adapters
from policy.google_cel import HOW_TO_GET, NoReferee, available
from review.documents import Doc
from review.errors import RemitError
from review.policy.policies import history, read_policy, sound
from review.workspace import Workspace

if TYPE_CHECKING:
    from policy.history import History

Told = Callable[[int, int], None]
"""Told how many of how many rules or commands are done; may raise to end the work."""


def ready(format: str) -> None:
    """Raises RemitError, with how to get one, where there is no referee for policies of a format."""
    if format == "remit":
        if not available():
            raise RemitError(HOW_TO_GET)
    elif format in adapters() and format != "codex":
        title = adapter_of(format).title
        raise RemitError(f"there is no referee for {title}: the program has no command that says what its rules decide")
    elif format != "codex":
        raise RemitError(f"there is no referee for policies of format {format}; there is one for remit and codex")


def judged(
    work: Workspace,
    format: str,
    names: Sequence[str],
    *,
    text: str | None = None,
    scopes: Sequence[str] = (),
    filter: str = "",
    told: Told | None = None,
) -> Doc:
    """The referee's judgement of the policy in some files, or of its `text` where that is read already. Raises RemitError."""
    ready(format)
    if format == "codex":
        return _codex(work, names, scopes, filter, told)
    if len(names) != 1:
        raise RemitError("the remit format is one file; several were given")
    policy = sound(read_policy(names[0]) if text is None else text, names[0])
    return judged_policy(policy, history(work, filter), told)


def judged_policy(policy: engine.Policy, history: History, told: Told | None = None) -> Doc:
    """Google's CEL on every rule in force over every shape."""
    ready("remit")
    from policy.referee import referee

    found: Doc = msgspec.to_builtins(referee(policy, history, told))
    return found


def _codex(work: Workspace, names: Sequence[str], scopes: Sequence[str], filter: str, told: Told | None) -> Doc:
    from policy.agents.codex import CodexPolicy
    from policy.referee_codex import CodexCheck, referee
    from review.policy.rule_files import rule_files

    adapter = adapter_of("codex")
    files = [file for file in rule_files(adapter, names, scopes) if file.name.endswith(".rules")]
    if not files or any(file.name == "-" for file in files):
        raise RemitError("the check of codex reads rule files by path: name files that end in .rules")
    policy = CodexPolicy(files, "check")
    if policy.broken:
        raise RemitError(f"{policy.broken} does not load; see `remit policy check --format codex {policy.broken}`")
    try:
        program = CodexCheck([file.name for file in files])
        commands = _commands(work, filter)
        total = len(commands)
        done = (lambda number: told(number, total)) if told is not None else None
        found: Doc = msgspec.to_builtins(referee(policy, program, commands.items(), done))
    except NoReferee as error:
        raise RemitError(str(error)) from error
    return found


def _commands(work: Workspace, filter: str) -> Counter[tuple[str, ...]]:
    """The distinct commands of Codex in the history, scripts taken apart where the program would, with how often each was called."""
    from policy.agents.codex.shell import TooLong, commands_of
    from review.policy.agent_history import read_history

    read = read_history(work, "codex", filter)
    times = Counter(read.call)
    out: Counter[tuple[str, ...]] = Counter()
    for number, call in enumerate(read.calls):
        argv = _argv(call.input)
        if argv is None:
            continue
        try:
            commands = commands_of(argv)[0]
        except TooLong:
            commands = ()
        for one in {argv, *commands}:
            out[one] += times[number]
    return out


def _argv(given: dict[str, Any]) -> tuple[str, ...] | None:
    for name in ("argv", "command", "cmd"):
        words = given.get(name)
        if isinstance(words, list) and words and all(isinstance(word, str) for word in words):
            return tuple(words)
        if isinstance(words, str) and words:
            return ("/bin/bash", "-lc", words)
    return None


def sentences(found: Doc) -> Iterator[str]:
    """A judgement in words: how many agree, then each disagreement with the condition and the request."""
    things = f"{found['what']}{'' if found['of'] == 1 else 's'}"
    yield f"Referee: {found['agree']:,} of {found['of']:,} {things} agree with {found['engine']}."
    if found["not_compared"]:
        yield f"Not compared: {found['not_compared']:,}."
    if found["disagreeing"]:
        yield f"DISAGREE: {found['disagreeing']:,} {found['what']}{'' if found['disagreeing'] == 1 else 's'}; do not rely on this policy's figures until it is known why."
    for one in found["disagreements"]:
        of = f"rule {one['rule']} ({one['condition']}): " if one["rule"] else ""
        where = f", first step {one['step']} of task {one['task']}" if one["step"] else ""
        request = json.dumps(one["request"], ensure_ascii=False)
        yield f"{of}here {one['ours']}, there {one['theirs']} for {request} ({count(one['requests'], 'request')}{where})"
    yield from (f"Note: {note}" for note in found["notes"])
