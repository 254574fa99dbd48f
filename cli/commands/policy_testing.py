"""`remit policy test`, and what `check` and `dry-run` write for pipelines."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cli.output import emit_json, note
from cli.pipeline import Case, Result, junit, sarif, write
from lang.counted import count as how_many
from lang.safe import safe_line
from lang.sarif import Level
from review import locations
from review.policy import answers, policy_tests
from review.workspace import open_workspace

Doc = dict[str, Any]
_SEVERITY: dict[str, Level] = {"error": "error", "warning": "warning"}


def test(args: Namespace) -> int:
    files = answers.read_files(args.format, args.files)
    policy = answers.sound_policy(args.format, files)
    examples = policy_tests.examples(args.format, policy)
    verdicts = [] if args.no_verdicts else _verdicts(args, files)
    failed = [one for one in examples if not one["ok"]]
    missed = [one for one in verdicts if one["state"] == "fail"]
    unjudged = [one for one in verdicts if one["state"] == "cannot judge"]
    name = ", ".join(args.files)
    _reports(args, files[0].name, examples, verdicts, policy_tests.lines(policy))
    if args.output == "json":
        told = {"policy": name, "tests": examples, "failed": len(failed), "verdicts": verdicts}
        emit_json(told | {"verdicts_failed": len(missed), "verdicts_unjudged": len(unjudged)})
    else:
        for one in failed:
            print(f"{name}: rule {one['rule']}, {one['kind']} at line {one['line']}: {safe_line(one['message'])}")
        for one in (*missed, *unjudged):
            print(
                f"{name}: {one['state']}: {one['verdict']} by {safe_line(one['reviewer'])}: {safe_line(one['title'])} ({one['task']}): {safe_line(one['message'], 400)}"
            )
        print(f"{len(examples) - len(failed)} of {len(examples)} rule examples hold")
        if verdicts:
            rest = f"; {len(unjudged)} cannot be judged" if unjudged else ""
            print(f"{len(verdicts) - len(missed) - len(unjudged)} of {len(verdicts)} verdicts hold{rest}")
    return 1 if failed or missed else 0


def _verdicts(args: Namespace, files: Any) -> list[Doc]:
    where = args.store or locations.default_store()
    if not locations.is_url(where) and args.store is None and not Path(where).exists():
        note("there is no store, so no verdict is tested; name one with --store")
        return []
    with open_workspace(args.store, args.org, readonly=True) as work:
        return [msgspec.to_builtins(one) for one in policy_tests.verdict_tests(work, args.format, files)]


def _reports(args: Namespace, file: str, examples: Sequence[Doc], verdicts: Sequence[Doc], lines: dict[str, int]) -> None:
    cases = [Case(f"rule {one['rule']}", f"{one['kind']} at line {one['line']}", one["message"]) for one in examples]
    cases += [
        Case(f"verdict {one['verdict']}", f"{one['title']} ({one['task']})", one["message"], one["state"] == "cannot judge")
        for one in verdicts
    ]
    write(args.junit, junit(f"remit policy test {file}", cases))
    results = [
        Result("example", "error", one["message"], file, one["line"] or lines.get(one["rule"], 0))
        for one in examples
        if not one["ok"]
    ]
    for one in verdicts:
        if one["state"] != "pass":
            level = "error" if one["state"] == "fail" else "warning"
            results.append(Result("verdict", level, f"{one['title']} ({one['task']}): {one['message']}", file, 1))  # type: ignore[arg-type]
    write(args.sarif, sarif(results))


def check_reports(args: Namespace, found: Iterable[Doc], name: str) -> None:
    """The diagnostics of `policy check` for pipelines: each at its line."""
    listed = list(found)
    cases = [
        Case(one["code"], f"{one.get('file', name)}:{one['line']}:{one['column']}", one["message"])
        for one in listed
        if one["severity"] == "error"
    ]
    write(args.junit, junit(f"remit policy check {name}", cases or [Case("check", name)]))
    results = [
        Result(
            one["code"], _SEVERITY.get(one["severity"], "note"), one["message"], one.get("file", name), one["line"], one["column"]
        )
        for one in listed
    ]
    write(args.sarif, sarif(results))


def run_reports(args: Namespace, run: Doc, wanted: Sequence[str], lines: dict[str, int], name: str) -> None:
    """A dry-run for pipelines: one test per figure, and at each rule's line what it changes.

    Figures named by --fail-on fail above zero. The changes are those of the flips listed: the caller lists all of them.
    """
    figures = run["summary"] | run.get("verdicts", {})
    cases = []
    for kind in dict.fromkeys((*wanted, *figures)):
        count = figures[kind]
        failing = kind in wanted and count > 0
        cases.append(Case("dry-run", kind.replace("_", "-"), f"{count:,} {kind.replace('_', ' ')}" if failing else ""))
    write(args.junit, junit(f"remit policy dry-run {name}", cases))
    if args.sarif is None:
        return
    changed = Counter((flip["rule"] or "", flip["kind"]) for flip in run["flips"])
    tasks = {key: len({flip["task"] for flip in run["flips"] if (flip["rule"] or "", flip["kind"]) == key}) for key in changed}
    results = []
    for (rule, kind), count in sorted(changed.items()):
        word = kind.replace("_", " ")
        what = f"rule {rule}" if rule else "the default"
        message = (
            f"{what}: {how_many(count, 'request')} {word} in {how_many(tasks[rule, kind], 'task')}, against {run['baseline']}"
        )
        results.append(Result(kind.replace("_", "-"), "error" if kind in wanted else "note", message, name, lines.get(rule, 1)))
    for kind in wanted:
        if figures[kind] > 0 and not any(key[1] == kind for key in changed):
            message = f"{figures[kind]:,} {kind.replace('_', ' ')}, against {run['baseline']}"
            results.append(Result(kind.replace("_", "-"), "error", message, name, 1))
    write(args.sarif, sarif(results))
