"""The agents' own rule files, checked, asked about one call, and dry-run as they are over what that agent did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath

import msgspec

from policy.agents import adapter_of, adapters
from policy.agents.base import Adapter, AgentPolicy, RuleFile
from policy.agents.calls import read_call
from review.documents import Doc
from review.errors import RemitError
from review.policy.agent_answers import answer_document, problem_document, read_json, stated_trust, unread
from review.policy.agent_dry_run import Judged, lint_documents, run_document
from review.policy.agent_history import read_history, steps_of
from review.policy.rule_files import rule_files
from review.workspace import Workspace

_APPLIED = "shell-syntax"
"""The code of an error that a program tells of and goes on from, with the rule in force."""
CALLS_SHOWN = 100
"""Calls listed with one problem; their number is whole."""


def known() -> tuple[str, ...]:
    """The agents whose own rules are modelled."""
    return tuple(adapters())


def load(adapter: Adapter, files: Sequence[RuleFile], mode: str = "") -> AgentPolicy:
    """What files make together; `mode` is one of the adapter's ways of judging. Raises RemitError for one it has not."""
    if not mode:
        return adapter.load(files)
    if mode not in adapter.ways:
        there = ", ".join(adapter.ways) or "no modes"
        raise RemitError(f"--mode {mode}: {adapter.title} has {there}")
    return adapter.load(files, mode)


def check(format: str, names: Sequence[str], scopes: Sequence[str] = (), mode: str = "", history: Workspace | None = None) -> Doc:
    """What does not load, and which rules do not do what they say, each at its place.

    With a `history`, each problem names the calls that slipped through it (`calls`, `total`).
    """
    adapter = adapter_of(format)
    files = rule_files(adapter, names, scopes)
    policy = load(adapter, files, mode)
    if history is None:
        problems = [problem_document(file, one) for file, one in policy.problems]
    else:
        read = read_history(history, adapter.id)
        problems = lint_documents(Judged(adapter, files, policy, read), read, steps_of(history, read), CALLS_SHOWN)
    ok = not any(one["severity"] == "error" for one in problems)
    about = ", ".join((*names, *scopes))
    return {"policy": about, "format": adapter.id, "modelled": adapter.modelled, "ok": ok, "diagnostics": problems}


def explain(
    format: str,
    names: Sequence[str],
    requests: Iterable[tuple[str, str]],
    *,
    scopes: Sequence[str] = (),
    mode: str = "",
    resolve: bool = False,
) -> Iterator[Doc]:
    """One answer per call, in order; what cannot be read answers with its `error` in place. No file is the program's own defaults.

    `resolve` looks for the rules of a program's name where it is called by its path, as `codex execpolicy check` does when told.
    """
    adapter = adapter_of(format)
    files = rule_files(adapter, names, scopes)
    policy, trusted = load(adapter, files, mode), stated_trust(files)
    for where, text in requests:
        try:
            call, ignored = read_call(read_json(text), adapter.id)
        except (ValueError, RecursionError) as error:
            yield unread(where, error)
            continue
        if trusted is not None and call.trusted is None:
            call = msgspec.structs.replace(call, trusted=trusted)
        if resolve:
            call.facts["resolve_host_executables"] = True
        told = answer_document(policy.judge(call))
        yield told | {"ignored": list(ignored)} if ignored else told


def dry_run(
    work: Workspace,
    format: str,
    names: Sequence[str],
    *,
    scopes: Sequence[str] = (),
    against: str = "recorded",
    filter: str = "",
    limit: int = 1000,
) -> Doc:
    """What the files would have done to every call of that agent's in the history: the document of `policy dry-run`.

    `against` is `recorded`, `current` (the saved policy of the first file's name) or other files of the same agent, with a
    comma between them, whose answers to the same calls are the baseline. Raises RemitError for files that would not load.
    """
    adapter = adapter_of(format)
    files = rule_files(adapter, names, scopes)
    other: list[RuleFile] | None = None
    if against == "current":
        other = _current(work, format, files)
    elif against != "recorded":
        other = rule_files(adapter, [name for name in against.split(",") if name])
    return dry_run_files(work, format, files, other, against, filter=filter, limit=limit)


def dry_run_files(
    work: Workspace,
    format: str,
    files: Sequence[RuleFile],
    other: Sequence[RuleFile] | None = None,
    against: str = "recorded",
    *,
    filter: str = "",
    limit: int = 1000,
) -> Doc:
    """The same of files that are read already; `other` are those of the baseline, None for what was recorded."""
    adapter = adapter_of(format)
    drafted = sound(adapter, files)
    baseline = sound(adapter, other) if other is not None else None
    history = read_history(work, adapter.id, filter)
    judged = Judged(adapter, files, drafted, history)
    before = Judged(adapter, other or (), baseline, history) if baseline is not None else None
    return run_document(work, history, judged, before, against, limit)


def _current(work: Workspace, format: str, files: Sequence[RuleFile]) -> list[RuleFile]:
    name = PurePath(files[0].name).stem if files else ""
    found = saved_files(work, format, name)
    if not found:
        raise RemitError(f"there is no current policy to compare with: no version of {name or 'the files'} is saved for {format}")
    return found


def saved_files(work: Workspace, format: str, name: str) -> list[RuleFile]:
    """The files of the last saved version of an agent's policy; none where none is saved."""
    kept = [one for one in work.store.policies(name) if one.format == format] if name else []
    if not kept:
        return []
    return [RuleFile(file.layer, file.name, file.text) for file in kept[-1].files] or [RuleFile("", name, kept[-1].text)]


def sound(adapter: Adapter, files: Sequence[RuleFile]) -> AgentPolicy:
    """The policy of files without errors that keep them from counting; raises RemitError with the first such and its place."""
    policy = adapter.load(files)
    broken = next(
        (
            f"{file}:{one.line}: {one.message}"
            for file, one in policy.problems
            if one.severity == "error" and one.code != _APPLIED
        ),
        "",
    )
    if broken:
        raise RemitError(broken)
    return policy
