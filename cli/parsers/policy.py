"""`remit policy` and its actions."""

from __future__ import annotations

import argparse
from typing import Any

from cli.parsers.words import Place, formats, natural, positive


def declare(place: Place) -> None:
    policy = place.group("policy", "check, dry-run, explain, test and save policies")

    def action(name: str, help: str, *, files: str = "+", module: str = "policy") -> argparse.ArgumentParser:
        sub = policy.command(name, f"{module}:{name.replace('-', '_')}", help)
        if files:
            sub.add_argument("files", nargs=files, metavar="FILE", help="the policy file; - is standard input")
            sub.add_argument(
                "--format",
                metavar="ID",
                default="remit",
                help="policy format: remit, cedar, rego, or an agent's own (claude-code, codex, copilot-cli, cursor, gemini-cli, opencode; files as FILE or LAYER=FILE)",
            )
        formats(sub, lines=name in ("explain", "formats", "history", "versions"))
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
