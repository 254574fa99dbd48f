"""What finds and shows tasks, findings and events."""

from __future__ import annotations

from cli.parsers.words import Place, formats, positive

SORTED = "risk, started, title, agent, principal, repository, environment, steps, findings or state; -KEY turns it round"


def declare(place: Place) -> None:
    sub = place.command("tasks", "tasks:tasks", "tasks by risk")
    sub.add_argument("--filter", default="", metavar="EXPR", help="e.g. 'agent:codex risk:>60 finding:CRED-03 -verdict:*'")
    sub.add_argument("--sort", metavar="KEY", help=SORTED)
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N tasks, or N values a facet")
    sub.add_argument("--view", metavar="NAME", help="a saved view's filter and order (see `remit views`), narrowed by --filter")
    other = sub.add_mutually_exclusive_group()
    other.add_argument("--facets", action="store_true", help="count the values of each field in these tasks instead")
    other.add_argument("--out", metavar="FILE", help="write these tasks to a new .csv, .jsonl or .md file instead")
    formats(sub)

    sub = place.command("views", "tasks:views", "saved views of the queue: a filter and an order under a name")
    sub.add_argument("action", nargs="?", choices=("list", "save", "delete"), default="list")
    sub.add_argument("name", nargs="?", default="", metavar="NAME", help="the view to save or delete")
    sub.add_argument("--filter", default="", metavar="EXPR", help="the filter to save (see docs/queue.md)")
    sub.add_argument("--sort", metavar="KEY", help="the order to save: a KEY as `remit tasks --sort` takes it")
    formats(sub)

    sub = place.command("findings", "listing:findings", "what the detections saw, blind spots included")
    sub.add_argument("--filter", default="", metavar="EXPR", help="e.g. 'detection:CRED-03 severity:critical'")
    sub.add_argument(
        "--fail-on",
        metavar="SEVERITY",
        choices=("critical", "high", "medium", "low"),
        help="exit 1 if any finding is at least this severe",
    )
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N findings")
    formats(sub)

    sub = place.command("journal", "journal:journal", "the reviewers' own trail: two hash chains, of reviews and of accesses")
    sub.add_argument("action", nargs="?", choices=("list", "verify"), default="list")
    sub.add_argument("--access", action="store_true", help="list the access journal: what was opened, revealed, exported")
    sub.add_argument("--head", metavar="HEX", help="verify: a head some report printed, which this journal must have had")
    formats(sub)

    sub = place.command("show", "showing:show", "one task, step, finding, credential or record, whole")
    sub.add_argument(
        "id", metavar="TASK|STEP|FINDING|CREDENTIAL|RECORD", help="an id or its unique beginning, or a record's digest"
    )
    about = sub.add_mutually_exclusive_group()
    about.add_argument(
        "--at", metavar="TIME|STEP", help="what a task was authorised to do at a time (ISO 8601), or at a step by number or id"
    )
    about.add_argument("--delegation", action="store_true", help="who spawned whom with what authority, as a tree")
    sub.add_argument("--steps", metavar="FROM-TO", help="only these steps of a task: 10-20, 10- or 7")
    formats(sub, lines=False)

    sub = place.command("unattributed", "listing:unattributed", "events that belong to no task, in plain view")
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N events; without it 200, and whether there are more")
    formats(sub)

    sub = place.command("search", "listing:search", "full-text search over titles, commands, targets and reasons")
    sub.add_argument("text")
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N hits; without it 50, and whether there are more")
    formats(sub)
