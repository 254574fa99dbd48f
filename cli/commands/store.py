"""`remit store ...`."""

from __future__ import annotations

from argparse import Namespace

from cli.output import Progress, emit_json, emit_jsonl, note
from review import upkeep
from review.workspace import open_workspace


def info(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        _print(args, upkeep.info(work))
    return 0


def check(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        result = upkeep.check(work)
    _print(args, result)
    return 0 if result["state"] == "intact" else 4


def migrate(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, create=True) as work:
        _print(args, upkeep.info(work))
    return 0


def rebuild(args: Namespace) -> int:
    progress = Progress("building")
    with open_workspace(args.store, args.org, detections=args.detections) as work:
        try:
            result = upkeep.rebuild(work, events=args.events, progress=progress)
        finally:
            progress.close()
        for problem in work.own.problems:
            note(problem)
    _print(args, result)
    return 0


def export(args: Namespace) -> int:
    with open_workspace(args.store, args.org, detections=args.detections, readonly=True) as work:
        if args.output == "json":
            emit_json(list(upkeep.export(work)))
        else:
            emit_jsonl(upkeep.export(work))
    return 0


def roles(args: Namespace) -> int:
    from review.roles import grant
    from review.roles import roles as listed

    with open_workspace(args.store, args.org, detections=args.detections) as work:
        if args.grant or args.revoke:
            role, user = args.grant or args.revoke
            done = grant(work, role, user, revoke=bool(args.revoke), apply=not args.print)
            if args.output == "json":
                emit_json(done)
            elif args.print:
                print("\n".join(f"{statement};" for statement in done["sql"]))
            else:
                print(f"{user} {'is no longer' if done['revoked'] else 'is'} {role} of {work.store.location}")
            return 0
        found = listed(work)
    if args.output == "json":
        emit_json(found)
        return 0
    for member in found["members"]:
        print(f"{member['login']}: {member['role']}")
    if not found["members"]:
        print("no login has a role in this store yet; `remit store roles --grant ROLE USER` gives one")
    print(f"you are {found['login']} and may {', '.join(('read', *found['may']))}")
    return 0


def _print(args: Namespace, result: dict[str, object]) -> None:
    if args.output == "json":
        emit_json(result)
    else:
        for name, value in result.items():
            print(f"{name}: {value}")
