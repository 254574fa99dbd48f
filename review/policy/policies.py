"""Policies: check, dry-run against the history, explain, test."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

import policy as engine
from policy import Checked, History, Replayer, RequestError
from policy.agents import adapters
from policy.decisions import EngineFailed, Progress
from review.documents import Doc
from review.errors import RemitError, UnreadableError
from review.plain_files import read_text, text_of
from review.policy.asked import ENGINES, requests
from review.policy.dryruns import Current, Telling, current, first_figures, stem
from review.policy.history_index import history_of, open_history
from review.show.filters import task_filter
from review.workspace import Workspace

SUMMARY = ("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge")
VERDICT_KEYS = ("harm_stopped", "harm_missed", "work_broken", "friction_added")


def read_policy(path: str, what: str = "the policy") -> str:
    """The text of a policy file, or of another that is called `what`, or of standard input; UTF-8 whatever the locale says."""
    return _text(path, what)


def _text(path: str, what: str) -> str:
    if path == "-" and sys.stdin is None:
        raise UnreadableError(f"cannot read {what} standard input: it is closed")
    try:
        return text_of(sys.stdin.buffer) if path == "-" else read_text(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        where = "standard input" if path == "-" else path
        raise UnreadableError(f"cannot read {what} {where}: {reason}") from error


def check(text: str, format: str = "remit") -> Checked[Any]:
    """Read a policy of one file."""
    return engine.format_of(format).check(text, today_micros())


def known_format(format: str) -> None:
    """Raises RemitError for a format there is none of, an agent's own included."""
    if format not in engine.formats():
        raise RemitError(
            f"policy format {format!r} is not supported; supported: {', '.join(sorted({*engine.formats(), *adapters()}))}"
        )


def today_micros() -> int:
    """Now, for telling rules that have expired; results of a replay never depend on it."""
    return time.time_ns() // 1000


def sound(text: str, name: str, format: str = "remit") -> Any:
    """The policy of a text without errors; raises RemitError with the first error and its place."""
    checked = check(text, format)
    if checked.policy is None:
        first = next((d for d in checked.diagnostics if d.severity == "error"), checked.diagnostics[0])
        more = sum(1 for d in checked.diagnostics if d.severity == "error") - 1
        tail = f" (and {more} more; see `remit policy check {name}{_option(format)}`)" if more > 0 else ""
        raise RemitError(f"{name}:{first.line}:{first.column}: {first.message}{tail}")
    return checked.policy


def _option(format: str) -> str:
    return "" if format == "remit" else f" --format {format}"


def diagnostics(checked: Checked[Any]) -> list[Doc]:
    shape: list[Doc] = msgspec.to_builtins(list(checked.diagnostics))
    return shape


def history(work: Workspace, filter: str = "", format: str = "remit", told: Callable[[int], None] | None = None) -> History:
    """The requests of the store, or of the tasks a filter matches, as shapes; as its engine was asked them, for a format that has one.

    `told` hears how many of an engine's requests are read, and may raise to give up.
    """
    if not filter and format not in ENGINES:
        return open_history(work)
    if not filter:
        return History.from_rows(requests(work, format, told=told))
    chosen = task_filter(filter)
    tasks: list[str] = []
    after = None
    from store.rows import page_key

    while page := work.store.task_rows(chosen, "risk", 500, after):
        tasks += (row.id for row in page)
        after = page_key(page[-1], "risk")
    if format in ENGINES:
        return History.from_rows(requests(work, format, frozenset(tasks), told))
    return history_of(work, tasks)


def dry_run(
    work: Workspace,
    text: str,
    name: str,
    *,
    format: str = "remit",
    against: str = "recorded",
    filter: str = "",
    limit: int = 1000,
    progress: Progress | None = None,
) -> Doc:
    """What a draft would have done to every request: the contract's `policy dry-run` document.

    `against` is `recorded`, `current` (the saved policy of the draft's name) or a file in the draft's format. `progress`
    is told of an engine's evaluations. Raises RemitError, `Cancelled`.
    """
    draft = sound(text, name, format)
    held = current(work, name, draft.name, format=format)
    baseline: engine.AnyPolicy | None = None
    if against == "current":
        if held is None:
            raise RemitError(f"there is no current policy to compare with: no sound version of {stem(name)} is saved")
        baseline, against = held.policy, held.version.name
    elif against != "recorded":
        baseline = sound(read_policy(against), against, format)
    replayer = Replayer(history(work, filter, format))
    replayer.progress = progress
    try:
        return run_document(work, replayer, draft, baseline, against, limit, held)
    except EngineFailed as error:
        raise RemitError(f"{name}: {error}") from error


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


def explain(text: str | None, name: str, requests: Iterator[tuple[str, str]], format: str = "remit") -> Iterator[Doc]:
    """One answer per request, in order; a request that cannot be read answers with its `error` in place."""
    draft = sound(text, name, format) if text is not None else None
    if draft is None:
        raise RemitError("policy explain wants a policy file")
    for where, text in requests:
        try:
            answer: Doc = msgspec.to_builtins(engine.format_of(format).explain(draft, json.loads(text)))
        except RequestError as error:
            answer = _unread(f"{where}: {error}")
        except EngineFailed as error:
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
