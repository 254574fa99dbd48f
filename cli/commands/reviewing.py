"""`remit review`, `except`, `exceptions`, `remedy`, `assign`, `comment`, `attest`, `sample` and `reveal`."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from cli.opening import opened
from cli.output import Row, emit_json, emit_rows, note
from lang.counted import count
from lang.safe import safe_line, safe_text
from review.errors import RemitError
from review.judge import comments as talk
from review.judge import exceptions as risks
from review.judge import remedies, sampling, verdicts
from review.judge.reveals import reveal as reveal_places
from review.pack import attesting
from review.show.subjects import subject
from review.state.remedied import remedy_sentence
from review.stores.teams import NONE_SEEN, untold
from review.workspace import Workspace


def review(args: Namespace) -> int:
    with opened(args, readonly=False) as work:
        if args.withdraw:
            given = [verdicts.withdraw_verdict(work, id, args.reason) for id in args.id]
        else:
            if args.seen and len(args.seen) != len(args.id):
                raise RemitError(f"--seen is given {len(args.seen)} times for {len(args.id)} ids; give one for each, in turn")
            seen = {subject(work, id).id: token for id, token in zip(args.id, args.seen, strict=False)}
            given = verdicts.give_verdicts(work, args.id, args.verdict, args.reason, reviewer=args.reviewer, seen=seen)
    _tell(args, given, _verdict_line)
    return 0


def _verdict_line(one: Row) -> str:
    if "withdraws" in one:
        return f"{one['kind']} {one['subject']}: verdict {one['withdraws']} ({one['verdict']}) withdrawn by {one['by']}: {one['reason']}"
    line = f"{one['kind']} {one['subject']}: {one['verdict']} by {one['reviewer']}: {one['reason']}"
    if one["pending_second"]:
        line += f"\n  a second reviewer has to agree; separation of duties is {one['separation']}"
    elif one.get("second"):
        line += f"\n  settled: {one['second']} agrees; separation of duties is {one['separation']}"
    if one["disagreement"]:
        line += "\n  another reviewer judged otherwise on the same evidence"
    return line + (f"\n  {one['note']}" if "note" in one else "")


def accept(args: Namespace) -> int:
    with opened(args, readonly=False) as work:
        given = risks.accept_risk(
            work, args.finding, owner=args.owner, ticket=args.ticket, expires=args.expires, reason=args.reason, scope=args.scope
        )
    _tell(
        args,
        [given],
        lambda one: (
            f"finding {one['finding']} accepted until {one['expires']}; owner {one['owner']}, {one['ticket']}; "
            f"scope {one['scope']}, hiding {one['hides']}"
        ),
    )
    return 0


def exceptions(args: Namespace) -> int:
    if args.end is not None:
        with opened(args, readonly=False) as work:
            ended = risks.end_exception(work, args.end, args.reason or "")
        _tell(args, [ended], risks.exception_sentence)
        return 0
    columns = ("seq", "state", "detection", "scope", "where", "hides", "owner", "ticket", "expires", "finding")
    return _list(args, risks.exceptions, columns, risks.exception_sentence, "No risk was accepted.")


def remedy(args: Namespace) -> int:
    stated = {name: getattr(args, name) for name in ("cause", "owner", "due")} | {"closure": args.closed}
    if all(value is None for value in stated.values()):
        columns = ("finding", "state", "cause", "owner", "due", "closure", "by", "at")
        return _list(args, lambda work: remedies.remedies(work, args.finding), columns, remedy_sentence, "Nothing was stated.")
    if args.finding is None:
        raise RemitError("name the finding that is put right: remit remedy FINDING --owner WHO --due DATE")
    with opened(args, readonly=False) as work:
        given = remedies.remedy(work, args.finding, **stated)
    _tell(args, [given], remedy_sentence)
    return 0


def assign(args: Namespace) -> int:
    with opened(args, readonly=False) as work:
        given = talk.assign(work, args.id, "" if args.nobody else args.to, args.reason)
    _tell(args, given, lambda one: f"task {one['task']}: {one['assignee'] or 'nobody'} looks after it")
    return 0


def comment(args: Namespace) -> int:
    if args.text is None:
        columns = ("at", "by", "kind", "subject", "text")
        return _list(
            args,
            lambda work: talk.comments(work, args.id),
            columns,
            lambda row: f"{row['at']} {row['by']} on {row['kind']} {row['subject']}: {row['text']}",
            "Nothing was said of it.",
        )
    text = sys.stdin.read() if args.text == "-" else args.text
    with opened(args, readonly=False) as work:
        given = talk.comment(work, args.id, text)
    _tell(args, [given], lambda one: f"comment {one['seq']} on {one['kind']} {one['subject']} by {one['by']}")
    return 0


def attest(args: Namespace) -> int:
    if args.withdraw is not None:
        with opened(args, readonly=False) as work:
            gone = attesting.withdraw(work, args.withdraw, args.text or "")
        _tell(args, [gone], lambda one: f"attestation {one['seq']} withdrawn: {one['withdrawn']['reason']}")
        return 0
    if args.text is None:
        if args.what or args.framework:
            raise RemitError("say what is stated with --text; without any name the attestations are listed")
        columns = ("seq", "state", "at", "reviewer", "framework", "control", "text")
        return _list(args, attesting.attestations, columns, _attestation_line, "Nothing was attested.", of_none=True)
    *framework, control = args.what if args.what else [""]
    if len(framework) > 1 or (framework and args.framework) or (args.framework and not control):
        raise RemitError("name one control, its framework with --framework or before it; or neither for a sign-off of the review")
    if not control:
        return sign_off(args)
    with opened(args, readonly=False) as work:
        given = attesting.attest(
            work,
            args.framework or "".join(framework),
            control,
            args.text,
            reviewer=args.reviewer,
            evidence=args.evidence,
            expires=args.expires,
        )
    if given["correction"]:
        note(f"{control} is {given['control']} in {given['framework']}; {given['correction']}")
    _tell(args, [given], lambda one: f"attestation {one['seq']}: {_attested(one)} by {one['reviewer']}: {one['text']}")
    return 0


def sign_off(args: Namespace) -> int:
    with opened(args, readonly=False) as work:
        given = attesting.sign_off(work, args.text, reviewer=args.reviewer)
    _tell(args, [given], lambda one: f"{_attested(one)} by {one['reviewer']}: {one['text']}")
    return 0


def _attestation_line(row: Row) -> str:
    rests = f"; rests on {row['evidence']}" if row["evidence"] else ""
    until = f"; holds until {row['expires']}" if row["expires"] else ""
    gone = f"; withdrawn by {row['withdrawn']['by']}: {row['withdrawn']['reason']}" if row["withdrawn"] else ""
    return f"{row['at']} {row['reviewer']} on {_attested(row)}: {row['text']}{rests}{until}{gone}"


def _attested(row: Row) -> str:
    return "the review, signed off" if row["sign_off"] else f"{row['framework']} {row['control']}"


def sample(args: Namespace) -> int:
    if args.check is not None:
        with opened(args) as work:
            found = sampling.redraw(work, args.check)
        said = {True: "comes out the same", False: "does NOT come out the same", None: "cannot be drawn again"}[found["same"]]
        _tell(args, [found], lambda one: f"sample {one['seq']} {said}" + (f": {one['why']}" if one["why"] else ""))
        return 0 if found["same"] else 4 if found["same"] is False else 0
    if not args.size and not args.percent:
        columns = ("seq", "at", "by", "method", "seed", "size", "population", "judged", "filter")
        none = "No sample was drawn; draw one with --size N or --percent P."
        return _list(args, sampling.samples, columns, _sample_line, none, of_none=True)
    with opened(args, readonly=False) as work:
        found = sampling.draw(
            work,
            size=args.size or 0,
            percent=args.percent or 0,
            filter=args.filter,
            method=args.method,
            seed=args.seed,
            reason=args.reason,
        )
    _tell(args, [found], lambda one: "\n".join([_sample_line(one), *one["tasks"]]))
    return 0


def _sample_line(one: Row) -> str:
    asked = f" matching {one['filter']}" if one["filter"] else ""
    return f"sample {one['seq']}: {one['size']} of {one['population']} tasks{asked}, {one['method']}, seed {one['seed']}, by {one['by']}"


def reveal(args: Namespace) -> int:
    with opened(args, readonly=False) as work:
        found = reveal_places(work, args.pseudonym, args.reason)

    def told(one: Row) -> str:
        places = [f"  {record['name']}:{record['line']}  {record['digest'][:16]}" for record in one["records"]]
        more = ["  and more"] if one["more"] else []
        if one["not_kept"]:
            more.append(f"  not looked through: {count(one['not_kept'], 'record')} with secrets whose bytes are no longer kept")
        return "\n".join(
            [f"{one['pseudonym']}: {', '.join(one['kinds'])}, in {count(len(one['records']), 'record')}", *places, *more]
        )

    _tell(args, [found], told)
    return 0


def _tell(args: Namespace, given: list[Row], line: Callable[[Row], str]) -> None:
    """What was recorded: one document, or a list of several."""
    if args.output == "json":
        emit_json(given if len(given) > 1 else given[0])
        return
    for one in given:
        print(safe_text(line(one)))


def _list(
    args: Namespace,
    read: Callable[[Workspace], list[Row]],
    columns: Sequence[str],
    sentence: Callable[[Row], str],
    empty: str,
    *,
    of_none: bool = False,
) -> int:
    """`of_none`: rows of no one task, of which who sees some teams alone may not be told."""
    with opened(args) as work:
        rows = read(work)
        why = untold(work) if of_none else ""
    emit_rows(args.output, rows, columns, lambda row: safe_line(sentence(row)), empty=NONE_SEEN if why else empty)
    if why:
        note(why)
    return 0
