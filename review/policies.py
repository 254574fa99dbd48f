"""Policies: check, dry-run against the history, explain, test."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

import policy as engine
from policy import Checked, History, Replayer, RequestError
from review.documents import Doc
from review.dryruns import Current, Telling, current, first_figures, stem
from review.errors import RemitError, UnreadableError
from review.filters import task_filter
from review.history_index import history_of, open_history
from review.workspace import Workspace

SUMMARY = ("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge")
VERDICT_KEYS = ("harm_stopped", "harm_missed", "work_broken", "friction_added")


def read_policy(path: str) -> str:
    """The text of a policy file or of standard input; UTF-8 whatever the locale says."""
    return _text(path, "the policy")


def _text(path: str, what: str) -> str:
    if path == "-" and sys.stdin is None:
        raise UnreadableError(f"cannot read {what} standard input: it is closed")
    try:
        return sys.stdin.buffer.read().decode() if path == "-" else Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        where = "standard input" if path == "-" else path
        raise UnreadableError(f"cannot read {what} {where}: {reason}") from error


def check(text: str) -> Checked[engine.Policy]:
    return engine.check(text, today_micros())


def today_micros() -> int:
    """Now, for telling rules that have expired; results of a replay never depend on it."""
    return time.time_ns() // 1000


def sound(text: str, name: str) -> engine.Policy:
    """The policy of a text without errors; raises RemitError with the first error and its place."""
    checked = check(text)
    if checked.policy is None:
        first = next((d for d in checked.diagnostics if d.severity == "error"), checked.diagnostics[0])
        more = sum(1 for d in checked.diagnostics if d.severity == "error") - 1
        tail = f" (and {more} more; see `remit policy check {name}`)" if more > 0 else ""
        raise RemitError(f"{name}:{first.line}:{first.column}: {first.message}{tail}")
    return checked.policy


def diagnostics(checked: Checked[engine.Policy]) -> list[Doc]:
    shape: list[Doc] = msgspec.to_builtins(list(checked.diagnostics))
    return shape


def history(work: Workspace, filter: str = "") -> History:
    """The requests of the store, or of the tasks a filter matches, as shapes."""
    if not filter:
        return open_history(work)
    chosen = task_filter(filter)
    tasks: list[str] = []
    after = None
    from store.rows import page_key

    while page := work.store.task_rows(chosen, "risk", 500, after):
        tasks += (row.id for row in page)
        after = page_key(page[-1], "risk")
    return history_of(work, tasks)


def dry_run(work: Workspace, text: str, name: str, *, against: str = "recorded", filter: str = "", limit: int = 1000) -> Doc:
    """What a draft would have done to every request: the contract's `policy dry-run` document.

    `against` is `recorded`, `current` (the saved policy of the draft's name) or a file.
    """
    draft = sound(text, name)
    held = current(work, name, draft.name)
    baseline: engine.AnyPolicy | None = None
    if against == "current":
        if held is None:
            raise RemitError(f"there is no current policy to compare with: no sound version of {stem(name)} is saved")
        baseline, against = held.policy, held.version.name
    elif against != "recorded":
        baseline = sound(read_policy(against), against)
    return run_document(work, Replayer(history(work, filter)), draft, baseline, against, limit, held)


def run_document(
    work: Workspace,
    replayer: Replayer,
    draft: engine.AnyPolicy,
    baseline: engine.AnyPolicy | None,
    against: str,
    limit: int,
    held: Current | None = None,
) -> Doc:
    """A dry-run in full; `held` is the current policy, told beside the recorded decisions."""
    told, run = first_figures(work, replayer, draft, baseline, against, limit, held)
    telling = Telling(work, replayer.history)
    told.update(telling.self_check())
    telling.tell(run, told.update)
    for flip in told["flips"]:
        telling.follow(flip)
    return told


def explain(text: str | None, name: str, requests: Iterator[tuple[str, str]]) -> Iterator[Doc]:
    """One answer per request, in order; a request that cannot be read answers with its `error` in place."""
    draft = sound(text, name) if text is not None else None
    if draft is None:
        raise RemitError("policy explain wants a policy file")
    for where, text in requests:
        try:
            answer: Doc = msgspec.to_builtins(engine.explain(draft, json.loads(text)))
        except RequestError as error:
            answer = _unread(f"{where}: {error}")
        except (ValueError, RecursionError) as error:
            answer = _unread(f"{where}: not valid JSON: {error}")
        yield answer


def _unread(error: str) -> Doc:
    """What stands in the place of an answer to a request that cannot be read."""
    told: Doc = {"effect": "unknown", "rule": None, "reason": error, "matched": [], "undetermined": [], "operations": []}
    return {**told, "error": error}


def written_requests(inline: str | None, file: str | None) -> Iterator[tuple[str, str]]:
    """Each request as it was written, with its place."""
    if inline is not None:
        yield "--request", inline
        return
    for number, line in enumerate(_text(file or "-", "the requests in").split("\n"), 1):
        if line.strip():
            yield f"{file}:{number}", line


def schema() -> Doc:
    return {"request": engine.request_schema(), "policy": engine.policy_schema()}
