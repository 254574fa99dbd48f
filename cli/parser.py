"""Every command, option and word of help, declared once; importing this must stay cheap."""

from __future__ import annotations

import argparse
from functools import cache
from typing import Any

from cli.exchange_options import exchange_options
from cli.history_options import histories
from cli.report_room_options import report_room
from cli.sealing_options import report_options, sealing

DESCRIPTION = "Governance review of coding agents: what was this agent authorised to do, and did it stay inside that?"
EPILOG = "Without a command the dashboard opens. Exit codes: 0 fine, 1 --fail-on crossed, 2 usage or policy error, \
3 unreadable file or rejected record, 4 altered pack or journal, 130 interrupted."


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with code 2 and one sentence."""

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not (text.isascii() and text.isdigit() and int(text[:12]) > 0 and len(text) <= 12):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a whole number from 1 on")
    return int(text)


def natural(text: str) -> int:
    """A whole number, zero included."""
    return 0 if text == "0" else positive(text)


def seconds(text: str) -> float:
    """Seconds from a tenth to an hour."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0.1 <= found <= 3600:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number of seconds from 0.1 to 3600")
    return found


def size(text: str) -> tuple[int, int]:
    """Columns and rows, `120x40`."""
    columns, _, rows = text.lower().partition("x")
    wide, high = positive(columns), positive(rows)
    if wide > 1000 or high > 1000:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is larger than 1000x1000")
    return wide, high


def _common() -> Parser:
    """Options that stand before or after the command."""
    common = Parser(add_help=False)
    common.add_argument(
        "--store", metavar="URL|PATH", default=argparse.SUPPRESS, help="the store (else REMIT_STORE, else the default)"
    )
    common.add_argument(
        "--org", metavar="FILE", default=argparse.SUPPRESS, help="the organisation file (else REMIT_ORG, else org.yaml)"
    )
    common.add_argument(
        "--detections",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the folder of own detections (else REMIT_DETECTIONS, else detections/ in the configuration directory)",
    )
    common.add_argument(
        "--frameworks-dir",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the folder of own catalogues, crosswalks and overrides (else REMIT_FRAMEWORKS, else frameworks/ in the configuration directory)",
    )
    common.add_argument(
        "--override",
        metavar="FILE",
        action="append",
        default=argparse.SUPPRESS,
        help="one more file of an own reading of a framework; repeat for several",
    )
    return common


def _formats(parser: argparse.ArgumentParser, *, lines: bool = True) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", dest="output", action="store_const", const="json", help="one JSON document")
    if lines:
        group.add_argument("--jsonl", dest="output", action="store_const", const="jsonl", help="one JSON object a line")
        group.add_argument("--csv", dest="output", action="store_const", const="csv", help="comma-separated values")
    group.add_argument("--plain", dest="output", action="store_const", const="plain", help="numbered sentences, no boxes")


SORTED = "risk, started, title, agent, principal, repository, environment, steps, findings or state; -KEY turns it round"


@cache
def build_parser() -> Parser:
    common = _common()
    parser = Parser(prog="remit", description=DESCRIPTION, epilog=EPILOG, parents=[common])
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--readonly", action="store_true", help="open the dashboard without the means to change anything")
    parser.add_argument("--no-mouse", action="store_true", help="open the dashboard without the mouse")
    parser.add_argument("--record", metavar="FILE", help="keep the keys of this sitting in a file, what is typed included")
    parser.add_argument(
        "--play", metavar="FILE", help="press the keys of a file; without a terminal print the screen they lead to"
    )
    parser.add_argument(
        "--size", metavar="WxH", type=size, default=(120, 40), help="the screen of --play without a terminal (120x40)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)

    def command(name: str, run: str, help: str, **more: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=help, description=help, parents=[common], **more)
        sub.set_defaults(run=run)
        return sub

    sub = command("serve", "serving:serve", "open the dashboard in a browser on this machine")
    sub.add_argument("--port", type=natural, default=0, metavar="N", help="the port to listen at (default: any free one)")
    sub.add_argument("--readonly", action="store_true", default=argparse.SUPPRESS, help="without the means to change anything")

    sub = command("demo", "demo:demo", "make a demo store and open it; without a terminal print the summary")
    sub.add_argument("--tasks", type=positive, metavar="N", help="generate N tasks instead of the sample day")
    _formats(sub, lines=False)

    sub = command("import", "importing:run_import", "import audit logs and build the chains")
    sub.add_argument(
        "paths",
        nargs="+",
        metavar="PATH|DIR|GLOB|URL|-",
        help="what to import, also s3://bucket/prefix/ (docs/lake.md); - is standard input",
    )
    sub.add_argument("--format", metavar="ID", help="read as this format instead of recognising it (see `remit formats`)")
    sub.add_argument("--mapping", metavar="FILE", help="read by a mapping of yours (see docs/mapping.md)")
    sub.add_argument("--as", dest="as_name", metavar="NAME", help="the name to record for the source")
    sub.add_argument("--note", default="", metavar="TEXT", help="how the log was extracted, for the auditor")
    sub.add_argument("--follow", action="store_true", help="keep reading what is written to the files, until interrupted")
    sub.add_argument("--preview", action="store_true", help="show what would be read; write nothing")
    _formats(sub, lines=False)

    sub = command("export", "exporting:export", "events and requests as Parquet files by day, for any engine (docs/lake.md)")
    sub.add_argument("--parquet", required=True, metavar="DIR", help="a new folder, or that of an earlier export")
    sub.add_argument("--kind", choices=("events", "requests"), help="one of them (default: both)")
    sub.add_argument("--from", dest="start", metavar="DAY", help="the first day, as 2026-03-17")
    sub.add_argument("--to", dest="end", metavar="DAY", help="the last day")
    _formats(sub, lines=False)

    sub = command("watch", "watching:watch", "import unattended for as long as the machine runs: metrics, health, alerts")
    sub.add_argument("paths", nargs="+", metavar="PATH|DIR|GLOB|URL", help="what to watch")
    sub.add_argument("--every", type=seconds, default=1.0, metavar="SECONDS", help="between two looks (default 1)")
    sub.add_argument("--format", metavar="ID", help="read as this format instead of recognising it")
    sub.add_argument("--mapping", metavar="FILE", help="read by a mapping of yours (see docs/mapping.md)")
    sub.add_argument("--as", dest="as_name", metavar="NAME", help="the name to record for the source")
    sub.add_argument("--note", default="", metavar="TEXT", help="how the log was extracted, for the auditor")
    sub.add_argument(
        "--listen", metavar="HOST:PORT", help="serve /metrics (Prometheus) and /health on loopback, as 127.0.0.1:9464"
    )
    sub.add_argument(
        "--alert-command",
        action="append",
        default=[],
        metavar="COMMAND",
        help="run for each new finding, given as JSON on its input",
    )
    sub.add_argument(
        "--alert-webhook",
        action="append",
        default=[],
        metavar="URL",
        help="post each new finding to as JSON; REMIT_WEBHOOK_TOKEN is sent as bearer token",
    )
    sub.add_argument(
        "--alert-severity",
        choices=("critical", "high", "medium", "low"),
        default="critical",
        help="alert from this severity on (default critical)",
    )
    sub.add_argument("--alert-details", action="store_true", help="alerts name people, repositories and reasons too")
    sub.add_argument("--alert-existing", action="store_true", help="alert to what the store held before the first watch, too")
    sub.add_argument("--log", choices=("json", "text"), default="json", help="how lines on standard error are written")

    sub = command(
        "overview",
        "overview:overview",
        "posture in figures: governed share, findings over time, coverage, what waits, what is new",
    )
    sub.add_argument(
        "--days", type=positive, default=14, metavar="N", help="days told of (hours, where the evidence has few days)"
    )
    sub.add_argument("--visit", action="store_true", help="count this as a visit: the next one tells what is new since")
    _formats(sub, lines=False)

    for name, help in (
        ("sources", "what was imported, reconciled record by record"),
        ("points", "the registry of enforcement points: when seen, whether expected, in which versions"),
        ("baselines", "what each agent usually does in each repository: rates, bursts, tools, decision distance"),
        ("identities", "principals seen, with their aliases and which others may be one with them"),
    ):
        _formats(command(name, f"listing:{name}", help))

    sub = command("coverage", "listing:coverage", "which enforcement point was observed when, and what share was governed")
    sub.add_argument(
        "--by",
        choices=("agent", "team", "week", "point", "key"),
        help="sums: the governed share, each point's silences, or the keys that identify nothing",
    )
    _formats(sub)

    sub = command("conformance", "listing:conformance", "where an enforcement point did another thing than its own policy says")
    sub.add_argument(
        "--counts", action="store_true", help="each policy in force, and how many steps agree, differ or cannot be judged"
    )
    _formats(sub)

    sub = command("credentials", "listing:credentials", "credential lifelines, or one of them step by step")
    sub.add_argument("id", nargs="?", metavar="ID", help="the lifeline of this credential: an id or its unique beginning")
    _formats(sub)

    sub = command("tasks", "tasks:tasks", "tasks by risk")
    sub.add_argument("--filter", default="", metavar="EXPR", help="e.g. 'agent:codex risk:>60 finding:CRED-03 -verdict:*'")
    sub.add_argument("--sort", metavar="KEY", help=SORTED)
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N tasks, or N values a facet")
    sub.add_argument("--view", metavar="NAME", help="a saved view's filter and order (see `remit views`), narrowed by --filter")
    other = sub.add_mutually_exclusive_group()
    other.add_argument("--facets", action="store_true", help="count the values of each field in these tasks instead")
    other.add_argument("--out", metavar="FILE", help="write these tasks to a new .csv, .jsonl or .md file instead")
    _formats(sub)

    sub = command("views", "tasks:views", "saved views of the queue: a filter and an order under a name")
    sub.add_argument("action", nargs="?", choices=("list", "save", "delete"), default="list")
    sub.add_argument("name", nargs="?", default="", metavar="NAME", help="the view to save or delete")
    sub.add_argument("--filter", default="", metavar="EXPR", help="the filter to save (see docs/queue.md)")
    sub.add_argument("--sort", metavar="KEY", help="the order to save: a KEY as `remit tasks --sort` takes it")
    _formats(sub)

    sub = command("findings", "listing:findings", "what the detections saw, blind spots included")
    sub.add_argument("--filter", default="", metavar="EXPR", help="e.g. 'detection:CRED-03 severity:critical'")
    sub.add_argument(
        "--fail-on",
        metavar="SEVERITY",
        choices=("critical", "high", "medium", "low"),
        help="exit 1 if any finding is at least this severe",
    )
    sub.add_argument("--limit", type=positive, metavar="N", help="at most N findings")
    _formats(sub)

    sub = command("journal", "journal:journal", "the reviewers' own trail: two hash chains, of reviews and of accesses")
    sub.add_argument("action", nargs="?", choices=("list", "verify"), default="list")
    sub.add_argument("--access", action="store_true", help="list the access journal: what was opened, revealed, exported")
    sub.add_argument("--head", metavar="HEX", help="verify: a head some report printed, which this journal must have had")
    _formats(sub)

    sub = command("show", "showing:show", "one task, step, finding, credential or record, whole")
    sub.add_argument(
        "id", metavar="TASK|STEP|FINDING|CREDENTIAL|RECORD", help="an id or its unique beginning, or a record's digest"
    )
    about = sub.add_mutually_exclusive_group()
    about.add_argument(
        "--at", metavar="TIME|STEP", help="what a task was authorised to do at a time (ISO 8601), or at a step by number or id"
    )
    about.add_argument("--delegation", action="store_true", help="who spawned whom with what authority, as a tree")
    sub.add_argument("--steps", metavar="FROM-TO", help="only these steps of a task: 10-20, 10- or 7")
    _formats(sub, lines=False)

    sub = command("unattributed", "listing:unattributed", "events that belong to no task, in plain view")
    sub.add_argument("--limit", type=positive, default=200, metavar="N")
    _formats(sub)

    sub = command("search", "listing:search", "full-text search over titles, commands, targets and reasons")
    sub.add_argument("text")
    sub.add_argument("--limit", type=positive, default=50, metavar="N")
    _formats(sub)

    _reviewing(command)
    _policy(commands, common)
    _report(command)
    report_room(command, _formats)
    _store(commands, common)
    histories(commands, common, _formats, Parser, positive)

    sub = command(
        "config", "settings:config", "where things lie, what is set and where from, whether it is valid, and the schemas"
    )
    sub.add_argument("action", choices=("path", "show", "validate", "schema"))
    sub.add_argument("what", nargs="?", choices=("org", "settings"), default="org", help="whose schema; org.yaml's by default")
    _formats(sub, lines=False)
    sub = command("help", "helping:help_on", "help on a topic, with this store's own figures; the keys; the tour")
    sub.add_argument("topic", nargs="?", metavar="TOPIC", help="zero-trust, jit, mcp, rotation, keys or tour; none lists them")
    _formats(sub, lines=False)
    sub = command("completion", "settings:completion", "print a completion script for your shell")
    sub.add_argument("shell", choices=("bash", "zsh", "fish"))
    _formats(command("formats", "listing:formats", "log formats this installation reads"))
    sub = command(
        "frameworks",
        "frameworks:frameworks",
        "framework catalogues a report can speak to: all, one of them, two editions compared",
    )
    sub.add_argument(
        "what",
        nargs="*",
        metavar="ID | LABEL | compare ID ID",
        help="a framework by id or short name, a control's label in any spelling, or two editions to lay side by side",
    )
    _formats(sub)
    sub = command("detections", "detections:detections", "the detections, built-in and own: list, show, test, import Sigma rules")
    sub.add_argument("action", nargs="?", choices=("list", "show", "test", "import-sigma"), default="list")
    sub.add_argument("what", nargs="*", metavar="ID|FILE", help="the id to show, the files to test, the Sigma rules to import")
    sub.add_argument("--out", metavar="FILE", help="where import-sigma writes, instead of standard output")
    _formats(sub)
    return parser


def _reviewing(command: Any) -> None:
    sub = command("review", "reviewing:review", "record a verdict with a reason, or withdraw one of yours")
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
    _formats(sub, lines=False)

    sub = command("except", "reviewing:accept", "accept the risk of a finding until a date")
    sub.add_argument("finding")
    for option in ("owner", "ticket", "expires", "reason"):
        sub.add_argument(f"--{option}", required=True, metavar="DATE" if option == "expires" else option.upper())
    sub.add_argument(
        "--scope",
        choices=("finding", "task", "repository", "agent"),
        default="finding",
        help="this finding alone, or every one of its detection in the same task, repository or by the same agent",
    )
    _formats(sub, lines=False)

    sub = command(
        "exceptions", "reviewing:exceptions", "accepted risks: owner, scope, ticket, end, and how many findings each hides"
    )
    sub.add_argument("--end", type=positive, metavar="N", help="end the accepted risk of this number now")
    sub.add_argument("--reason", metavar="TEXT", help="why it is ended")
    _formats(sub)

    sub = command("assign", "reviewing:assign", "give tasks to somebody")
    sub.add_argument("id", nargs="+", metavar="ID", help="tasks, or steps and findings in them")
    whom = sub.add_mutually_exclusive_group(required=True)
    whom.add_argument("--to", metavar="WHO", default="", help="a reviewer's name; me is you")
    whom.add_argument("--nobody", action="store_true", help="nobody looks after them any more")
    sub.add_argument("--reason", default="", metavar="TEXT")
    _formats(sub, lines=False)

    sub = command("comment", "reviewing:comment", "say something of a task, step or finding, or read what was said")
    sub.add_argument("id", metavar="ID")
    sub.add_argument("--text", metavar="MARKDOWN", help="what to say; - reads standard input; without it comments are listed")
    _formats(sub)

    sub = command(
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
    _formats(sub)

    sub = command(
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
    _formats(sub)

    sub = command("reveal", "reviewing:reveal", "the kind and places of a pseudonym, never the secret; the asking is kept")
    sub.add_argument("pseudonym", metavar="PSEUDONYM", help="as it stands in a record: REDACTED.kind.hex, or the hex alone")
    sub.add_argument("--reason", required=True)
    _formats(sub, lines=False)


def _policy(commands: Any, common: argparse.ArgumentParser) -> None:
    policy = commands.add_parser("policy", help="check, dry-run, explain, test and save policies", parents=[common])
    actions = policy.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)

    def action(name: str, help: str, *, files: str = "+", module: str = "policy") -> argparse.ArgumentParser:
        sub: argparse.ArgumentParser = actions.add_parser(name, help=help, description=help, parents=[common])
        sub.set_defaults(run=f"{module}:{name.replace('-', '_')}")
        if files:
            sub.add_argument("files", nargs=files, metavar="FILE", help="the policy file; - is standard input")
            sub.add_argument(
                "--format",
                metavar="ID",
                default="remit",
                help="policy format: remit, cedar, rego, or an agent's own (claude-code, codex, copilot-cli, cursor, gemini-cli, opencode; files as FILE or LAYER=FILE)",
            )
        _formats(sub, lines=name in ("explain", "formats", "history", "versions"))
        return sub

    def agents(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--scope", action="append", default=[], metavar="LAYER=PATH", help="an agent's file or folder, by layer")

    def ways(sub: argparse.ArgumentParser) -> None:
        agents(sub)
        sub.add_argument("--mode", default="", metavar="check|live", help="codex: as `execpolicy check` sees it, or as it runs")

    sub = action("check", "diagnostics with line and column", files="*")
    ways(sub)
    _pipeline(sub)
    sub.add_argument("--history", action="store_true", help="name the calls in the store that slipped through each problem")
    sub = action("dry-run", "what the draft would have done to every request in the history", files="*")
    agents(sub)
    sub.add_argument(
        "--against",
        default="recorded",
        metavar="recorded|current|FILE",
        help="the baseline: recorded decisions, or a policy re-evaluated: the saved one of the same name, or a file",
    )
    sub.add_argument("--filter", default="", metavar="EXPR", help="only requests of tasks this filter matches")
    sub.add_argument(
        "--history", default="", metavar="NAME", help="over a history elsewhere instead of the store's (`remit history`)"
    )
    sub.add_argument(
        "--shapes", type=natural, metavar="N", help="with --history: judge in the engine where there are more shapes"
    )
    sub.add_argument(
        "--fail-on", default="", metavar="KIND,...", help="exit 1 if any of these is above zero, e.g. newly-allowed,cannot-judge"
    )
    sub.add_argument("--limit", type=natural, default=1000, metavar="N", help="list at most N flips (the total is always whole)")
    sub.add_argument("--referee", action="store_true", help="have a second engine judge every shape too; exit 1 if any disagrees")
    _pipeline(sub)
    sub = action("referee", "a second engine on every shape of the history, and where it disagrees", module="policy_referee")
    agents(sub)
    sub.add_argument("--filter", default="", metavar="EXPR", help="only requests of tasks this filter matches")
    sub = action("explain", "one answer per request, with the rules that matched", files="*")
    source = sub.add_mutually_exclusive_group(required=True)
    source.add_argument("--request", metavar="JSON")
    source.add_argument("--requests", metavar="FILE.jsonl")
    ways(sub)
    sub.add_argument(
        "--resolve-host-executables",
        action="store_true",
        help="codex check: find rules by a program's name where it is called by path",
    )
    _policy_life(action)
    _mining(
        action("mine", "rules proposed from verdicts, denials, a step or standing credentials", files="", module="policy_mining")
    )
    sub = action("complete", "what may be written at a place in the policy, for editors", files="", module="policy_completion")
    sub.add_argument("files", metavar="FILE", help="the policy file; - is standard input")
    sub.add_argument("--line", type=positive, required=True, metavar="N", help="the line, from 1")
    sub.add_argument("--column", type=positive, required=True, metavar="N", help="the column of the cursor, from 1")
    sub.add_argument("--no-history", action="store_true", help="no values of the history; needs no store")
    _exporting(
        action("export", "write the policy for another program, where its meaning survives", files="", module="policy_exporting")
    )
    action("schema", "the published schema of requests", files="")
    action("formats", "the languages a policy can be written in", files="", module="policy_formats")


def _exporting(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", metavar="FILE", help="the policy file; - is standard input")
    sub.add_argument(
        "--to", required=True, metavar="ID", help="claude-code, codex, copilot-cli, cursor, gemini-cli, opencode, cedar or rego"
    )
    sub.add_argument("--out", metavar="FILE", help="write there instead of standard output")
    sub.add_argument("--partial", action="store_true", help="write the rules that survive, though others do not")
    sub.add_argument(
        "--per-command",
        action="store_true",
        help="take conditions on the command line as meant for each command of a compound, as agents read them",
    )


def _mining(sub: argparse.ArgumentParser) -> None:
    what = sub.add_mutually_exclusive_group()
    what.add_argument(
        "--from",
        dest="source",
        choices=("verdicts", "denials", "grants"),
        default="verdicts",
        help="work judged within its remit (the default), what was denied, or standing credentials",
    )
    what.add_argument("--step", metavar="ID", help="rules that match this step and its like")
    sub.add_argument("--effect", choices=("deny", "ask", "allow"), default="deny", help="what a rule from --step does")
    sub.add_argument("--support", type=positive, default=2, metavar="N", help="tasks a rule must rest on")
    sub.add_argument("--dry-run", action="store_true", help="tell of each proposal what it would change in the current policy")
    sub.add_argument("--add-to", metavar="FILE", help="with --dry-run: in this policy instead")


def _pipeline(sub: argparse.ArgumentParser) -> None:
    """Files for what runs the command."""
    sub.add_argument("--junit", metavar="FILE", help="also write the result as JUnit XML")
    sub.add_argument("--sarif", metavar="FILE", help="also write the result as SARIF 2.1.0")


def _policy_life(action: Any) -> None:
    """Versions, which of them is in force, and what is made of a policy."""
    life = "policy_versions"
    sub = action("save", "keep a version of the policy in the store, with what it would have done", module=life)
    sub.add_argument("--name", required=True, metavar="N")
    sub.add_argument("--reason", default="", metavar="TEXT")
    sub.add_argument(
        "--revision", default="", metavar="R", help="what decision logs call this version, if not NAME@VERSION or its digest"
    )
    for name in ("versions", "history"):
        action(name, "saved versions, and which is in force", files="", module=life).set_defaults(run=f"{life}:history")
    sub = action("test", "run the examples inside the rules, and the reviewers' verdicts on tasks", module="policy_testing")
    sub.add_argument("--no-verdicts", action="store_true", help="only the rules' own examples; needs no store")
    _pipeline(sub)
    sub = action("show", "one version: its text, its dry-run, when it was in force", files="", module=life)
    sub.add_argument("ref", metavar="NAME[@VERSION]")
    sub = action("diff", "what differs between two versions, as text and by rule", files="", module=life)
    sub.add_argument("ref", metavar="NAME[@VERSION]")
    sub.add_argument("other", metavar="NAME[@VERSION]")
    for name, what in (
        ("promote", "put a version in force from now on"),
        ("rollback", "put the version before it in force again"),
    ):
        sub = action(name, what, files="", module=life)
        sub.add_argument("ref", metavar="NAME[@VERSION]" if name == "promote" else "NAME")
        sub.add_argument("--reason", required=True, metavar="TEXT")
        sub.add_argument(
            "--point", default="", metavar="ID", help="the enforcement point (glob) it is put in force at, for conformance"
        )


def _report(command: Any) -> None:
    sub = command("report", "reporting:report", "write an evidence pack, or say what differs between two (diff)")
    sub.add_argument("action", nargs="?", choices=("diff",), help="diff: what differs between two packs")
    sub.add_argument("packs", nargs="*", metavar="OLD NEW", help="diff: folders, .zip files or report.json files")
    sub.add_argument(
        "--fail-on", metavar="KIND,...", help="diff: exit 1 on new-critical, worse-control and others (docs/repeating-reports.md)"
    )
    sub.add_argument("--out", metavar="DIR|FILE.zip", help="a folder, or a ZIP file, for the pack")
    sub.add_argument("--framework", action="append", default=[], metavar="ID", help="repeat for several (see `remit frameworks`)")
    sub.add_argument("--config", metavar="FILE", help="a file that says all this; options win (docs/repeating-reports.md)")
    sub.add_argument("--print-config", action="store_true", help="print what would be used as such a file, and write nothing")
    sub.add_argument("--last", metavar="SPAN", help="the period of this length up to the as-of moment, e.g. '30 days'")
    sub.add_argument("--since", metavar="PACK", help="an earlier pack, with which the annexe of changes compares")
    sub.add_argument("--organisation", metavar="NAME", help="the name on the cover (default: that of the organisation file)")
    sub.add_argument("--system", metavar="NAME", help="the system the report is about")
    sub.add_argument("--sample-seed", metavar="TEXT", help="what the samples are drawn by")
    sub.add_argument("--sample-size", metavar="N", type=natural, help="tasks drawn of each kind")
    sub.add_argument("--from", dest="start", metavar="T", help="beginning of the period")
    sub.add_argument("--to", dest="end", metavar="T", help="end of the period")
    sub.add_argument("--as-of", metavar="T", help="what was known at T (default: the last evidence time)")
    sub.add_argument("--reviewed-until", metavar="T", help="what people said by T (default: --as-of, or all of it)")
    sub.add_argument("--only", metavar="FORMAT,...", help="only these of html, md, json, csv, oscal, ocsf, sarif, pdf")
    sub.add_argument("--pdf", action="store_true", help="also a tagged PDF (needs the extra `pdf`)")
    sub.add_argument("--full", action="store_true", help="the page holds every finding and the whole population")
    sub.add_argument("--templates", metavar="DIR", help="your own Jinja templates, which stand before the built-in ones")
    sub.add_argument("--force", action="store_true", help="replace a pack that is already in DIR")
    report_options(sub)
    exchange_options(sub)
    _formats(sub, lines=False)
    sealing(command, _formats)


def _store(commands: Any, common: argparse.ArgumentParser) -> None:
    store = commands.add_parser("store", help="look after the store", parents=[common])
    actions = store.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=Parser)
    for name, help in (
        ("info", "what the store holds"),
        ("check", "check digests, references and the journal"),
        ("migrate", "bring the store to this version's schema"),
        ("rebuild", "build every derived row again from the evidence"),
        ("export", "print the derived content as JSON lines, or write the review of a task as a file"),
    ):
        sub = actions.add_parser(name, help=help, description=help, parents=[common])
        sub.set_defaults(run=f"store:{name}")
        if name == "rebuild":
            sub.add_argument("--events", action="store_true", help="also read the kept raw records again")
        if name == "export":
            sub.add_argument(
                "--task", metavar="ID", help="the review of this task: evidence, verdicts, comments, journal excerpt"
            )
            sub.add_argument("--out", metavar="FILE", help="where the review goes, instead of standard output")
        _formats(sub, lines=name == "export")
    help = "let raw records go that are older than a moment; their digests, places and all that was derived from them stay"
    sub = actions.add_parser("retain", help=help, description=help, parents=[common])
    sub.set_defaults(run="store:retain")
    sub.add_argument("--before", metavar="T", required=True, help="the moment, such as 2026-01-31")
    sub.add_argument("--dry-run", action="store_true", help="only say what would go")
    _formats(sub, lines=False)
    help = "take in the review of a task that another store exported"
    sub = actions.add_parser("import", help=help, description=help, parents=[common])
    sub.set_defaults(run="store:take_in")
    sub.add_argument("file", metavar="FILE", help="what `remit store export --task` wrote")
    _formats(sub, lines=False)
    help = "who may do what in a team's PostgreSQL store"
    sub = actions.add_parser("roles", help=help, description=help, parents=[common])
    sub.set_defaults(run="store:roles")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="every login with its roles (the default)")
    what.add_argument(
        "--grant", nargs=2, metavar=("ROLE", "USER"), help="reader, reviewer, author, importer or administrator to a login"
    )
    what.add_argument("--revoke", nargs=2, metavar=("ROLE", "USER"), help="take a role away")
    sub.add_argument("--print", action="store_true", help="print the SQL instead of running it")
    _formats(sub, lines=False)
