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
from review.errors import RemitError, UnreadableError
from review.filters import task_filter
from review.history_index import open_history
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
    tasks: set[str] = set()
    after = None
    from store.rows import page_key

    while page := work.store.task_rows(chosen, "risk", 500, after):
        tasks.update(row.id for row in page)
        after = page_key(page[-1], "risk")
    return History.from_rows(row for row in work.store.requests() if row.task in tasks)


def dry_run(work: Workspace, text: str, name: str, *, against: str = "recorded", filter: str = "", limit: int = 1000) -> Doc:
    """What a draft would have done to every request: the contract's `policy dry-run` document."""
    draft = sound(text, name)
    baseline = None if against == "recorded" else sound(read_policy(against), against)
    replayer = Replayer(history(work, filter))
    return run_document(work, replayer, draft, baseline, against, limit)


def run_document(
    work: Workspace, replayer: Replayer, draft: engine.Policy, baseline: engine.Policy | None, against: str, limit: int
) -> Doc:
    verdicts = {v.task: v.verdict.value for v in work.store.verdicts() if v.kind == "task"}
    run = replayer.run(
        draft,
        baseline,
        baseline_name=against,
        verdicts=verdicts,
        flips_limit=limit,
        downstream=Downstream(work),
    )
    shape: Doc = msgspec.to_builtins(run)
    return shape


class Downstream:
    """Which later steps of a task hang on a denied one: those that use a credential it obtained, and the sub-agent it started."""

    def __init__(self, work: Workspace) -> None:
        self._work = work

    def __call__(self, step: str) -> list[str]:
        denied = self._work.store.step(step)
        if denied is None:
            return []
        obtained = {
            item.credential for item in denied.credential_events if item.phase.value in ("issued", "requested", "renewed")
        }
        found: list[str] = []
        if obtained:
            for later in self._work.store.steps(denied.task):
                if later.n > denied.n and obtained & set(later.credentials):
                    found.append(later.id)
        if denied.child:
            found.extend(one.id for one in self._work.store.steps(denied.child))
        return found


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
