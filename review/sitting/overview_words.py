"""The overview as sentences, each naming the command that lists the rows behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lang.counted import count
from lang.times import iso
from review.show.sentences import percent
from review.sitting.days import DAY
from review.sitting.figures import BONDS
from review.stores.teams import named
from review.workspace import Workspace

Doc = dict[str, Any]

TITLES = {
    "riskiest": "Waiting, riskiest first",
    "review": "Review",
    "visit": "Since your last visit",
    "findings": "Findings",
    "governed": "Governed share",
    "credentials": "Credentials",
    "coverage": "Coverage by enforcement point",
    "agents": "Agents by risk",
    "repositories": "Repositories by risk",
}
SHOWN = 10
"""Tasks, agents and repositories that are told one by one."""


def sections(document: Doc) -> Iterator[tuple[str, list[str]]]:
    """Title and sentences of every part."""
    if document["sees"] is not None:
        yield "Overview", [_divided(document)]
    elif not document["sources"]:
        yield "Nothing yet", ["This store holds nothing yet: import logs with `remit import PATH`, or look at `remit demo`."]
        return
    else:
        yield "Overview", [f"{count(document['tasks'], 'task')} from {count(document['sources'], 'source')}; {_until(document)}."]
    for part, title in TITLES.items():
        yield title, list(_WRITERS[part](document[part]))


def _until(document: Doc) -> str:
    return f"evidence until {document['evidence_until'] or 'an unknown time'}"


def _divided(document: Doc) -> str:
    """What is told to who sees the tasks of some teams alone, and never which sources there are."""
    teams = ", ".join(named(team) for team in document["sees"]) or "no tasks"
    return f"{count(document['tasks'], 'task')}; {_until(document)}. You see {teams}, and every figure is of these alone (`remit store teams`)."


def _rows(rows: Doc) -> str:
    return f" (`{rows['command']}`)"


def _riskiest(doc: Doc) -> Iterator[str]:
    for row in doc["tasks"][:SHOWN]:
        found = ", ".join(row["detections"]) or "no findings"
        who = f"{row['agent'] or 'an unknown agent'} in {row['repository'] or 'an unknown repository'}"
        yield f"Risk {row['risk']}: {row['title']}; {who}; {found}{_rows(row['rows'])}."
    if not doc["tasks"]:
        yield "Nothing waits for a reviewer."


def _review(doc: Doc) -> Iterator[str]:
    since = f", the oldest since {doc['oldest']}" if doc["oldest"] else ""
    yield f"Never judged: {count(doc['open']['tasks'], 'task')}{since}{_rows(doc['open']['rows'])}."
    for row in doc["ages"]:
        yield f"{row['tasks']:,} of them are {row['age']} old as of {doc['as_of']}{_rows(row['rows'])}."
    if doc["undated"]:
        yield f"{doc['undated']:,} of them began at an unknown time."
    yield f"{doc['reopened']['tasks']:,} were judged and reopened by later evidence{_rows(doc['reopened']['rows'])}."
    yield f"{doc['judged']['tasks']:,} are judged{_rows(doc['judged']['rows'])}."
    day = doc["last_day"]
    yield f"{count(day['verdicts'], 'verdict')} by {count(day['reviewers'], 'reviewer')} in the last 24 hours{_rows(day['rows'])}."
    accepted = doc["accepted"]
    yield (
        f"Accepted: {count(accepted['exceptions'], 'risk')}, hiding {count(accepted['hides'], 'finding')}; {accepted['ending_within_7_days']:,} of them "
        f"to end within 7 days{_rows(accepted['rows'])}."
    )


def _visit(doc: Doc) -> Iterator[str]:
    if doc["last"] is None:
        yield f"{doc['reviewer']} has not visited this store before; there is nothing to compare with."
        return
    yield f"{doc['reviewer']} last visited at {doc['last']}."
    if doc["tasks"] is None:
        yield "The store was built anew since, so what changed is not known."
    else:
        yield f"New or changed: {count(doc['tasks']['tasks'], 'task')}{_rows(doc['tasks']['rows'])}."
        for row in doc["with"]:
            yield f"{row['tasks']:,} of them have {row['severity']} findings{_rows(row['rows'])}."
    yield f"Imported: {count(doc['imports']['files'], 'file')}{_rows(doc['imports']['rows'])}."


def _over(doc: Doc, values: Sequence[int]) -> str:
    """How many in which period, the empty ones left out."""
    told = [f"{period}: {value:,}" for period, value in zip(doc["periods"], values, strict=True) if value]
    return f"; {', '.join(told)}" if told else ""


def _findings(doc: Doc) -> Iterator[str]:
    for row in doc["severities"]:
        name = "blind spots" if row["severity"] == "blind" else f"{row['severity']} findings"
        new = f", {row['new']:+,} since your last visit" if row["new"] else ""
        yield f"{row['total']:,} {name} in {count(row['tasks'], 'task')}{new}{_over(doc, row['over_time'])}{_rows(row['rows'])}."


def _governed(doc: Doc) -> Iterator[str]:
    share, rows = doc["share"], doc["rows"]
    yield f"{percent(share['with_decision'])} of {doc['actions']:,} actions have a decision on record{_rows(rows['with_decision'])}."
    yield (
        f"{percent(share['task_bound'])} of {doc['with_credential']:,} actions with a credential used one bound to their "
        f"task{_rows(rows['task_bound'])}."
    )
    yield f"{percent(share['effect_confirmed'])} of the actions were confirmed by their target{_rows(rows['effect_confirmed'])}."
    if len(doc["weeks"]) > 1:
        told = ", ".join(f"{one['week']} {percent(one['share']['with_decision'])}" for one in doc["weeks"])
        yield f"With a decision, week by week: {told}."


def _credentials(doc: Doc) -> Iterator[str]:
    for row in doc["bonds"]:
        yield f"{row['credentials']:,} of {doc['credentials']:,} credentials: {BONDS[row['bond']]}{_rows(row['rows'])}."
    for row in doc["flags"]:
        yield f"{row['credentials']:,} are flagged {row['flag'].replace('_', ' ')}{_rows(row['rows'])}."


def _coverage(doc: Doc) -> Iterator[str]:
    for row in doc["points"]:
        told = ", ".join(
            f"{period} {percent(value) if value else 'silent'}"
            for period, value in zip(doc["periods"], row["over_time"], strict=True)
            if value is not None
        )
        gaps = count(row["gaps"], "gap") if row["gaps"] else "no gap"
        yield (
            f"{row['enforcement_point']} ({row['vantage']}): {count(row['records'], 'record')}, {gaps}; it watched {percent(row['watched'])} of what "
            f"anybody watched: {told or 'nothing lately'}{_rows(row['rows'])}."
        )


def _ranked(column: str, doc: Doc) -> Iterator[str]:
    for row in doc["rows"][:SHOWN]:
        yield (
            f"{row[column] or 'not known'}: {count(row['tasks'], 'task')}, the riskiest {row['risk']}; {row['critical']:,} with critical and "
            f"{row['high']:,} with high findings; {percent(row['share']['with_decision'])} of its actions with a decision{_rows(row['rows'])}."
        )
    if doc["total"] > SHOWN:
        yield f"{doc['total'] - SHOWN:,} more."


_WRITERS: dict[str, Callable[[Doc], Iterator[str]]] = {
    "riskiest": _riskiest,
    "review": _review,
    "visit": _visit,
    "findings": _findings,
    "governed": _governed,
    "credentials": _credentials,
    "coverage": _coverage,
    "agents": lambda doc: _ranked("agent", doc),
    "repositories": lambda doc: _ranked("repository", doc),
}


def row_sentences(work: Workspace, what: str, now: int | None = None) -> list[str]:
    """The verdicts of the last day (`journal`), or the accepted risks in force (`accepted`)."""
    import time

    import msgspec

    now = time.time_ns() // 1_000 if now is None else now
    if what == "journal":
        found = [(entry, msgspec.json.decode(entry.body)["data"]) for entry in work.store.journal_after(now - DAY)]
        return [
            f"{iso(entry.at)} {entry.who}: {said.get('verdict')} on {said.get('kind')} {said.get('subject')}: {said.get('reason')}"
            for entry, said in found
            if entry.what == "verdict"
        ]
    from review.judge.exceptions import exception_sentence, exceptions

    return [exception_sentence(row) for row in exceptions(work) if row["state"] == "in force"]
