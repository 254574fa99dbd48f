"""The listings: tasks, findings, sources, coverage, credentials, identities, journal and the registries."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence

from cli.output import Row, emit_json, emit_rows, note
from lang.safe import safe_row
from model.conformance import Conformance
from review.intake import sources as reconciled
from review.show import baselines as habits
from review.show import conformance as held
from review.show import listings, shares
from review.show.sentences import sentences, stage_text
from review.show.showing import show
from review.stores import identities as principals
from review.stores.teams import NONE_SEEN, untold
from review.workspace import Workspace, open_workspace

NO_POLICY = "No policy in force is known: say under `policies` in org.yaml which imported settings file or saved policy held, where and since when."


def _list(
    args: Namespace,
    read: Callable[..., Iterable[Row]],
    columns: Sequence[str],
    sentence: Callable[[Row], str],
    empty: str,
    *,
    of_none: bool = False,
) -> None:
    """`of_none`: rows of no one task, of which who sees some teams alone may not be told."""
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        rows = read(work)
        why = untold(work) if of_none else ""
        emit_rows(args.output, rows, columns, sentence, empty=NONE_SEEN if why else empty)
    if why:
        note(why)


def findings(args: Namespace) -> int:
    order = ("low", "medium", "high", "critical")
    bar = order.index(args.fail_on) if args.fail_on else len(order)
    columns = ("severity", "detection", "title", "task", "step", "at", "blind_spot", "id")
    reached = False

    def watched(rows: Iterable[Row]) -> Iterator[Row]:
        nonlocal reached
        for row in rows:
            reached = reached or (not row["blind_spot"] and order.index(row["severity"]) >= bar)
            yield row

    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        rows = listings.findings(work, args.filter, args.limit)
        empty = "No finding matches this filter." if args.filter else "No findings."
        emit_rows(args.output, watched(rows), columns, listings.finding_sentence, empty=empty)
    return int(reached)


def sources(args: Namespace) -> int:
    columns: tuple[str, ...] = ("name", "format", "records", "first", "last", "flags", "note", "sha256", "id")
    if args.output is None:
        counts = tuple(f"records.{name}" for name in ("read", "accepted", "duplicate", "rejected"))
        columns = ("name", "format", *counts, "first", "last", "flags")
    _list(args, reconciled.sources, columns, reconciled.source_sentence, "No sources. Import logs with `remit import PATH`.")
    return 0


def coverage(args: Namespace) -> int:
    if args.by:
        counts = ("actions", "decided", "with_credential", "with_task_bound_credential", "confirmed")
        columns: tuple[str, ...] = (args.by, *counts, "share.with_decision", "share.task_bound", "first", "last")
        if args.by == "point":
            columns = (
                "point",
                "vantage",
                "from",
                "to",
                "records",
                "share.watched",
                "usual_silence_seconds",
                "gaps",
                "sequence_breaks",
            )
        if args.by == "key":
            columns = ("key", "role", "events", "tasks", "why")
        if args.output == "csv":
            columns = tuple(dict.fromkeys(name.partition(".")[0] for name in columns))

        def read(work: Workspace) -> list[Row]:
            rows = shares.coverage_by(work, args.by)
            counted = ("gaps", "sequence_breaks")
            return [row | {name: len(row.get(name, ())) for name in counted} for row in rows] if args.output is None else rows

        _list(args, read, columns, shares.share_sentence, "Nothing was done yet.")
        return 0
    _list(
        args,
        listings.coverage,
        ("enforcement_point", "vantage", "scope", "from", "to", "records", "gaps", "sequence_breaks"),
        listings.coverage_sentence,
        "Nothing was observed yet.",
    )
    return 0


def conformance(args: Namespace) -> int:
    if args.counts:
        columns: tuple[str, ...] = ("point", "policy", "steps", *(kind.value.replace(" ", "_") for kind in Conformance))
        _list(args, held.counts, columns, held.sentence, NO_POLICY)
        return 0
    columns = ("at", "kind", "point", "policy", "says", "rule", "why", "certain", "task", "step")
    _list(
        args,
        held.conformance,
        columns,
        held.sentence,
        "No step is known to differ from a policy in force; --counts tells what was judged.",
    )
    return 0


def points(args: Namespace) -> int:
    columns = ("id", "vantage", "state", "first", "last", "records", "decides", "versions")

    def read(work: Workspace) -> list[Row]:
        rows = shares.points(work)
        return [row | {"versions": shares.latest(row)} for row in rows] if args.output is None else rows

    _list(args, read, columns, shares.point_sentence, "No enforcement point was seen or is expected.")
    return 0


def baselines(args: Namespace) -> int:
    columns: tuple[str, ...] = ("agent", "repository", "tasks", "first_seen", "last_seen", "per_week", "burst", "drift")
    if args.output is None:
        columns = ("agent", "repository", "tasks", "first_seen", "last_seen", "per_week", "burst.actions", "share.with_decision")
    _list(args, habits.baselines, columns, habits.baseline_sentence, "No task was built yet.")
    return 0


def credentials(args: Namespace) -> int:
    if args.id is not None:
        return one_credential(args)

    def read(work: Workspace) -> Iterable[Row]:
        rows = listings.credentials(work)
        return ({**row, "tasks": row["tasks"] or "no task seen"} for row in rows) if args.output is None else rows

    _list(
        args,
        read,
        ("kind", "issuer", "subject", "issued", "ttl_seconds", "expires", "last_use", "uses", "tasks", "flags", "id"),
        listings.credential_sentence,
        "No credentials seen.",
    )
    return 0


def one_credential(args: Namespace) -> int:
    """The lifeline of one credential; its steps are the rows of `--jsonl` and `--csv`."""
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        document = show(work, f"credential:{args.id}")
    match args.output:
        case "json":
            emit_json(document)
        case "jsonl" | "csv":
            columns = ("at", "what", "by", "task", "verb", "target", "late", "record")
            emit_rows(args.output, document["lifeline"], columns, stage_text, empty="")
        case _:
            for line in sentences(document):
                print(safe_row(line))
    return 0


def identities(args: Namespace) -> int:
    def read(work: Workspace) -> list[Row]:
        rows = principals.identities(work)
        return [principals.cells(row) for row in rows] if args.output is None else rows

    columns = ("identity", "kind", "names", "events", "points", "may_be" if args.output is None else "candidates")
    _list(args, read, columns, principals.identity_sentence, "No principals seen.")
    return 0


def _first(usual: int, limit: int | None, read: Callable[[int], list[Row]]) -> list[Row]:
    """So many rows as were asked for, else as are usual: then it is said where there are more."""
    if limit is not None:
        return read(limit)
    rows = read(usual + 1)
    if len(rows) > usual:
        note(f"these are the first {usual}; --limit N lists more")
    return rows[:usual]


def unattributed(args: Namespace) -> int:
    _list(
        args,
        lambda work: _first(200, args.limit, lambda limit: listings.unattributed(work, limit)),
        ("at", "kind", "by", "principal", "verb", "what", "id"),
        listings.unattributed_sentence,
        "Every event belongs to a task.",
        of_none=True,
    )
    return 0


def search(args: Namespace) -> int:
    _list(
        args,
        lambda work: _first(50, args.limit, lambda limit: listings.search(work, args.text, limit)),
        ("task", "step", "text"),
        lambda row: f"{row['text']} (task {row['task']}" + (f", step {row['step']})" if row["step"] else ")"),
        "Nothing found.",
    )
    return 0


def formats(args: Namespace) -> int:
    for name, fault in listings.broken_formats().items():
        note(f"format {name}: {fault}; update or remove the package that offers it")
    return _registry(args, listings.formats(), ("id", "title", "evidence", "version"))


def _registry(args: Namespace, rows: list[Row], columns: Sequence[str]) -> int:
    emit_rows(args.output, rows, columns, lambda row: ", ".join(f"{name}: {row[name]}" for name in columns), empty="None.")
    return 0
