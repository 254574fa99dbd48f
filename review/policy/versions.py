"""The life of a policy: versions with what each would have done, which of them is in force from when, and what changed between two."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from lang.times import iso
from model.review import PolicyFile, PolicyVersion, Promotion
from policy import History, Replayer
from policy.agents import adapters
from policy.agents.base import RuleFile
from policy.changes import rule_changes, text_diff
from policy.model import FORMAT
from review.documents import Doc
from review.errors import NotFoundError, RemitError
from review.policy import agent_rules, answers
from review.policy.policies import run_document, today_micros
from review.workspace import Workspace

_NOT_KEPT = ("flips", "referee")


# saving


def save(
    work: Workspace,
    name: str,
    text: str,
    reason: str,
    where: str = "",
    *,
    format: str = FORMAT,
    replayer: Replayer | None = None,
    revision: str = "",
) -> Doc:
    """Keep a policy of one file as the next version under a name; `where` is the file an error is named by."""
    return save_files(
        work, name, [RuleFile("", where or name, text)], reason, format=format, replayer=replayer, revision=revision
    )


def save_files(
    work: Workspace,
    name: str,
    files: Sequence[RuleFile],
    reason: str,
    *,
    format: str = FORMAT,
    replayer: Replayer | None = None,
    revision: str = "",
) -> Doc:
    """Keep sound files as the next version under a name, with what they would have done as the store is now.

    `replayer` is one over the whole history where the caller has it. Raises RemitError where a file has an error.
    """
    if not name or "@" in name or any(c.isspace() or not c.isprintable() for c in name):
        raise RemitError(f"{name!r} is no name for a policy: use letters, digits, dots and dashes, no spaces and no @")
    draft = answers.sound_policy(format, files)
    before = next(reversed(work.store.policies(name)), None)
    tried = _tried(work, format, files, draft, before, replayer)
    kept = [PolicyFile(_leaf(file), work.redactor.redact_text(file.text), file.layer) for file in files]
    version = PolicyVersion(
        name,
        1,
        format,
        answers.digest_of(files),
        kept[0].text,
        work.identity,
        work.redactor.redact_text(reason.strip()),
        today_micros(),
        tuple(kept) if format in adapters() else (),
        tried,
        revision,
    )
    return version_document(work.store.save_policy(version), [])


def _leaf(file: RuleFile) -> str:
    """The file's own name: where it lay on the author's machine is nobody's business."""
    return Path(file.name).name or file.name


def files_of(version: PolicyVersion) -> list[RuleFile]:
    """A version's files as its format reads them."""
    if version.files:
        return [RuleFile(file.layer, file.name, file.text) for file in version.files]
    return [RuleFile("", f"{version.name}@{version.version}", version.text)]


def _tried(
    work: Workspace, format: str, files: Sequence[RuleFile], draft: Any, before: PolicyVersion | None, replayer: Replayer | None
) -> dict[str, Any]:
    """What the draft would have done, against what was recorded and against the version before; and over which history."""
    held = answers.History(work, replayer)
    if format in adapters():
        against = agent_rules.dry_run_files(work, format, files, limit=0)
    else:
        against = run_document(work, held.replayer, draft, None, "recorded", 0)
    previous: Doc | None = None
    if before is not None and before.format == format:
        try:
            older = answers.sound_policy(format, files_of(before))
        except RemitError as error:
            previous = {"baseline": f"{before.name}@{before.version}", "error": str(error)}
        else:
            if format in adapters():
                previous = {"baseline": f"{before.name}@{before.version}", "summary": held.compared(format, older, draft)}
            else:
                previous = _summary(run_document(work, held.replayer, draft, older, f"{before.name}@{before.version}", 0))  # type: ignore[arg-type]
    told = dict(against.get("history", {}))
    history = None if format in adapters() else held.replayer.history
    return {"history": {**told, "state": _state_of(work, told, history)}, "recorded": _summary(against), "previous": previous}


def _summary(run: Doc) -> Doc:
    """A dry-run without its flips."""
    return {key: value for key, value in run.items() if key not in _NOT_KEPT}


def _state_of(work: Workspace, told: Doc, history: History | None) -> str:
    """A digest that is another one when requests or verdicts are: equal ones mean that two dry-runs saw the same history."""
    made = sha256(json.dumps([told, [one.seq for one in work.store.verdicts()[-1:]], work.store.get_meta("built_with")]).encode())
    if history is not None and history.state:
        made.update(history.state.encode())
    elif history is not None:
        for array in (history.row_cell, history.row_at, history.cell_shape, history.cell_recorded):
            made.update(array.tobytes())
        if history.grouped is not None:
            made.update(history.grouped.weight.tobytes())
    return made.hexdigest()[:16]


# which version is in force


def promote(work: Workspace, ref: str, reason: str, *, point: str = "") -> Doc:
    """Put a version in force from now on: `NAME` is its last version; with `point`, at that enforcement point."""
    version = find(work, ref)
    answers.sound_policy(version.format, files_of(version))
    return _put(work, version, "promote", reason, point)


def rollback(work: Workspace, name: str, reason: str, *, point: str = "") -> Doc:
    """Put the version in force again that was before the present one, as far back as there are any."""
    stack = _stack(work.store.promotions(name), point)
    if len(stack) < 2:
        known = f"version {stack[0]} is the first of {name} that was in force" if stack else f"no version of {name} is in force"
        at = f" at {point}" if point else ""
        raise RemitError(f"{known}{at}: there is nothing to go back to; `remit policy history` lists the versions")
    return _put(work, find(work, f"{name}@{stack[-2]}"), "rollback", reason, point)


def _put(work: Workspace, version: PolicyVersion, turn: Any, reason: str, point: str) -> Doc:
    if not reason.strip():
        raise RemitError("say why with --reason: it stands in the journal")
    stack = _stack(work.store.promotions(version.name), point)
    if stack and stack[-1] == version.version:
        raise RemitError(f"{version.name}@{version.version} is in force already" + (f" at {point}" if point else ""))
    kept = work.store.put_in_force(
        Promotion(
            version.name, version.version, turn, work.redactor.redact_text(reason.strip()), work.identity, today_micros(), point
        )
    )
    return promotion_document(kept) | {"before": stack[-1] if stack else None}


def _stack(promotions: Sequence[Promotion], point: str) -> list[int]:
    """The versions that were put in force one upon the other at a point; a rollback takes the uppermost away."""
    stack: list[int] = []
    for one in promotions:
        if one.point != point:
            continue
        if one.turn == "rollback":
            stack.pop()
        else:
            stack.append(one.version)
    return stack


def current(work: Workspace, name: str = "") -> PolicyVersion | None:
    """The current policy: the version last put in force, of one name or of any; None where none ever was."""
    last = next(reversed(work.store.promotions(name or None)), None)
    if last is None:
        return None
    return next((one for one in work.store.policies(last.name) if one.version == last.version), None)


# reading


def find(work: Workspace, ref: str) -> PolicyVersion:
    """The version a person names: `NAME@VERSION`, or `NAME` for the last; raises NotFoundError with what there is."""
    name, split, number = ref.rpartition("@")
    if not split or not number.isascii() or not number.isdigit():
        name, number = ref, ""
    kept = work.store.policies(name)
    if not kept:
        names = sorted({one.name for one in work.store.policies()})
        raise NotFoundError(f"no policy called {name} is saved; there are: {', '.join(names) or 'none'}")
    if not number:
        return kept[-1]
    found = next((one for one in kept if one.version == int(number[:9])), None)
    if found is None:
        raise NotFoundError(f"{name} has no version {number[:20]}; its last is {kept[-1].version}")
    return found


def versions(work: Workspace) -> list[Doc]:
    """Every saved version by name and number, with its state and the figures of its dry-run."""
    held = work.store.promotions()
    return [version_document(one, held) for one in work.store.policies()]


def version_document(one: PolicyVersion, promotions: Sequence[Promotion]) -> Doc:
    state, since, points = _state(one, promotions)
    summary = (one.dry_run.get("recorded") or {}).get("summary")
    return {
        "name": one.name,
        "version": one.version,
        "format": one.format,
        "sha256": one.sha256,
        "author": one.author,
        "reason": one.reason,
        "at": iso(one.at),
        "state": state,
        "since": iso(since),
        "points": points,
        "revision": one.revision or None,
        "summary": summary,
    }


def _state(one: PolicyVersion, promotions: Sequence[Promotion]) -> tuple[str, int | None, list[str]]:
    """`in force` (since when, at which named points), `was in force`, or `saved`."""
    last = {item.point: item for item in promotions if item.name == one.name}
    now = [item for item in last.values() if item.version == one.version]
    if now:
        return "in force", min(item.at for item in now), sorted(item.point for item in now if item.point)
    ever = any(item.name == one.name and item.version == one.version for item in promotions)
    return ("was in force" if ever else "saved"), None, []


def promotion_document(one: Promotion) -> Doc:
    return {
        "name": one.name,
        "version": one.version,
        "turn": one.turn,
        "reason": one.reason,
        "by": one.by,
        "at": iso(one.at),
        "point": one.point or None,
    }


def show(work: Workspace, ref: str) -> Doc:
    """A version whole: its files, its dry-run, its times in force, and what changed since the version before."""
    version = find(work, ref)
    held = work.store.promotions(version.name)
    before = next((one for one in work.store.policies(version.name) if one.version == version.version - 1), None)
    return {
        **version_document(version, held),
        "files": [msgspec.to_builtins(file) for file in version.files]
        or [{"name": f"{version.name}@{version.version}", "layer": "", "text": version.text}],
        "dry_run": version.dry_run,
        "in_force": [promotion_document(one) for one in held if one.version == version.version],
        "since_before": _difference(before, version) if before is not None else None,
    }


def diff(work: Workspace, before: str, after: str) -> Doc:
    """What differs between two versions, as text and by rule."""
    return _difference(find(work, before), find(work, after))


def _difference(before: PolicyVersion, after: PolicyVersion) -> Doc:
    names = (f"{before.name}@{before.version}", f"{after.name}@{after.version}")
    old, new = files_of(before), files_of(after)
    rules = rule_changes(after.format, old, new) if before.format == after.format else None
    return {
        "from": names[0],
        "to": names[1],
        "text": text_diff(old, new, names),
        "rules": None if rules is None else [msgspec.to_builtins(one) for one in rules],
    }
