"""`remit controls` and `remit sign-off`: the report room without a screen."""

from __future__ import annotations

from argparse import Namespace

from cli.opening import opened
from cli.output import Row, emit_csv, emit_json, emit_jsonl, emit_rows, note
from lang.safe import safe_line
from review.errors import RemitError
from review.pack.packs import DEFAULT_FRAMEWORKS
from review.pack.report_choices import Period
from review.pack.report_room import Room
from review.pack.report_words import (
    RESULTS,
    control_lines,
    control_sentence,
    framework_sentence,
    head_lines,
    named,
    sign_off_lines,
)
from review.pack.sign_offs import sign, sign_off_state
from review.workspace import Workspace

COLUMNS = ("framework", "id", "title", "word", "open", "accepted", "dismissed", "blind_spots", "reason")


def controls(args: Namespace) -> int:
    wanted = _result(args.result) if args.result else ""
    with opened(args) as work:
        room = _room(work, args)
        told = [room.framework(name) for name in _frameworks(args)]
        if args.control:
            return _one(args, [room.control(one["id"], args.control) for one in told])
        head = room.head()
    rows: list[Row] = [
        {"framework": one["id"], **control} for one in told for control in one["controls"] if wanted in ("", control["result"])
    ]
    if args.output is None:
        for line in (*head_lines(head), *(framework_sentence(one) for one in told)):
            note(line)
    emit_rows(
        args.output,
        rows,
        COLUMNS,
        lambda row: f"{row['framework']} {control_sentence(row)}",
        empty="No control comes out so." if wanted else "No control to assess.",
    )
    return 0


def _one(args: Namespace, told: list[Row]) -> int:
    match args.output:
        case "json":
            emit_json(told if len(told) > 1 else told[0])
        case "jsonl":
            emit_jsonl(told)
        case "csv":
            emit_csv(told, COLUMNS)
        case form:
            number = 0
            for one in told:
                for line in (f"{one['framework']} {named(one)}", *control_lines(one)):
                    number += 1
                    print(f"{number}. {safe_line(line)}" if form == "plain" else safe_line(line))
    return 0


def sign_off(args: Namespace) -> int:
    with opened(args, readonly=args.text is None) as work:
        room = _room(work, args)
        state = sign_off_state(work, room, [room.framework(name)["id"] for name in _frameworks(args)])
        if args.text is not None:
            state["signed_now"] = sign(work, state, args.text, reviewer=args.reviewer)
    if args.output == "json":
        emit_json(state)
        return 0
    lines = [str(state["statement"]), *sign_off_lines(state)]
    if args.text is not None:
        given = state["signed_now"]
        lines.append(f"signed off by {given['reviewer']} at {given['at']}; the review journal keeps it")
    for number, line in enumerate(lines, 1):
        print(f"{number}. {safe_line(line)}" if args.output == "plain" else safe_line(line))
    return 0


def _room(work: Workspace, args: Namespace) -> Room:
    return Room(work, Period(args.start, args.end, args.as_of))


def _frameworks(args: Namespace) -> list[str]:
    return [name for chosen in args.framework for name in chosen.split(",")] or list(DEFAULT_FRAMEWORKS)


def _result(text: str) -> str:
    """The result these words begin; raises RemitError with the five."""
    fits = [word for word in RESULTS if word.startswith(text.strip().casefold())]
    if len(fits) != 1:
        raise RemitError(f"--result {text[:40]}: choose one of {'; '.join(RESULTS)}")
    return fits[0]
