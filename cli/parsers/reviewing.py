"""What a reviewer says: verdicts, accepted risks, remedies, assignments, comments, attestations, samples."""

from __future__ import annotations

from cli.parsers.words import Place, formats, positive


def declare(place: Place) -> None:
    sub = place.command("review", "reviewing:review", "record a verdict with a reason, or withdraw one of yours")
    sub.add_argument("id", nargs="+", metavar="ID", help="tasks, steps or findings; with --withdraw also a verdict's number")
    what = sub.add_mutually_exclusive_group(required=True)
    what.add_argument("--verdict", choices=("within-remit", "outside-remit", "escalate", "false-positive"))
    what.add_argument("--withdraw", action="store_true", help="take your verdict back; the one before it stands again")
    sub.add_argument("--reason", required=True)
    sub.add_argument("--reviewer", metavar="WHO", help="kept as asserted beside the identity that acts")
    sub.add_argument(
        "--seen",
        action="append",
        default=[],
        metavar="TOKEN",
        help="the state you read (`review.seen` of --json), one for each ID in turn: refuse where it is another by now",
    )
    formats(sub, lines=False)

    sub = place.command("except", "reviewing:accept", "accept the risk of a finding until a date")
    sub.add_argument("finding")
    for option in ("owner", "ticket", "expires", "reason"):
        sub.add_argument(f"--{option}", required=True, metavar="DATE" if option == "expires" else option.upper())
    sub.add_argument(
        "--scope",
        choices=("finding", "task", "repository", "agent"),
        default="finding",
        help="this finding alone, or every one of its detection in the same task, repository or by the same agent",
    )
    formats(sub, lines=False)

    sub = place.command(
        "exceptions", "reviewing:exceptions", "accepted risks: owner, scope, ticket, end, and how many findings each hides"
    )
    sub.add_argument("--end", type=positive, metavar="N", help="end the accepted risk of this number now")
    sub.add_argument("--reason", metavar="TEXT", help="why it is ended")
    formats(sub)

    sub = place.command(
        "remedy",
        "reviewing:remedy",
        "say why a finding came about, who puts it right until when, and what shows it done; or list",
    )
    sub.add_argument("finding", nargs="?", metavar="FINDING", help="without an option what was stated of it, without it of all")
    sub.add_argument("--cause", metavar="TEXT", help="why it came about")
    sub.add_argument("--owner", metavar="WHO", help="who sees to it")
    sub.add_argument("--due", metavar="DATE", help="until when")
    sub.add_argument(
        "--closed", metavar="POINTER", help="what shows that it is done: a change, a ticket, a document; '' takes it back"
    )
    formats(sub)

    sub = place.command("assign", "reviewing:assign", "give tasks to somebody")
    sub.add_argument("id", nargs="+", metavar="ID", help="tasks, or steps and findings in them")
    whom = sub.add_mutually_exclusive_group(required=True)
    whom.add_argument("--to", metavar="WHO", default="", help="a reviewer's name; me is you")
    whom.add_argument("--nobody", action="store_true", help="nobody looks after them any more")
    sub.add_argument("--reason", default="", metavar="TEXT")
    formats(sub, lines=False)

    sub = place.command("comment", "reviewing:comment", "say something of a task, step or finding, or read what was said")
    sub.add_argument("id", metavar="ID")
    sub.add_argument("--text", metavar="MARKDOWN", help="what to say; - reads standard input; without it comments are listed")
    formats(sub)

    sub = place.command(
        "attest", "reviewing:attest", "state something of a control by hand, or sign the review off; without --text list"
    )
    sub.add_argument(
        "what", nargs="*", metavar="[FRAMEWORK] CONTROL", help="a control by its id or any label of it; none: a sign-off"
    )
    sub.add_argument("--framework", metavar="ID", help="the control's framework, where its label alone does not say")
    sub.add_argument("--evidence", default="", metavar="POINTER", help="what it rests on: a document, a ticket, an address")
    sub.add_argument("--expires", metavar="DATE", help="until when it holds")
    sub.add_argument("--withdraw", type=positive, metavar="N", help="take back attestation number N of yours; --text says why")
    sub.add_argument("--text", metavar="TEXT", help="what is stated; it stands in reports beside the result and changes none")
    sub.add_argument("--reviewer", metavar="WHO", help="kept as asserted beside the identity that acts")
    formats(sub)

    sub = place.command(
        "sample", "reviewing:sample", "draw tasks for review so that anybody can draw them again; without a size list samples"
    )
    size = sub.add_mutually_exclusive_group()
    size.add_argument("--size", type=positive, metavar="N")
    size.add_argument("--percent", type=float, metavar="P", help="of the tasks that match, rounded up")
    size.add_argument("--check", type=positive, metavar="N", help="draw sample number N again; exit 4 where it differs")
    sub.add_argument("--filter", default="", metavar="EXPR", help="draw from the tasks that this filter matches")
    sub.add_argument("--method", default="random", choices=("random", "by-risk", "per-agent"))
    sub.add_argument("--seed", default="", metavar="TEXT", help="drawn by lot and recorded where it is not given")
    sub.add_argument("--reason", default="", metavar="TEXT")
    formats(sub)

    sub = place.command("reveal", "reviewing:reveal", "the kind and places of a pseudonym, never the secret; the asking is kept")
    sub.add_argument("pseudonym", metavar="PSEUDONYM", help="as it stands in a record: REDACTED.kind.hex, or the hex alone")
    sub.add_argument("--reason", required=True)
    formats(sub, lines=False)
