"""`remit policy ...`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any

from cli.commands import policy_referee
from cli.commands.policy_testing import check_reports, run_reports
from cli.output import Progress, Row, emit_json, emit_jsonl, note
from lang.counted import count
from lang.safe import safe_line
from review.errors import RemitError
from review.policy import agent_rules, answers, histories, policies, policy_tests, trials
from review.show import agent_words, dryrun_words
from review.workspace import open_workspace

FLIPS_PRINTED = 40
_EVERY = 1 << 40
"""A limit that cuts nothing."""


def _agents(args: Namespace) -> bool:
    """Whether the files are an agent's own rules."""
    return args.format in agent_rules.known()


def _one_file(args: Namespace) -> str:
    policies.known_format(args.format)
    if len(args.files) != 1:
        raise RemitError(f"the {args.format} format is one file; {'several were' if args.files else 'none was'} given")
    name: str = args.files[0]
    return name


def check(args: Namespace) -> int:
    if _agents(args):
        if args.history:
            with open_workspace(args.store, args.org, readonly=True) as work:
                told = agent_rules.check(args.format, args.files, args.scope, args.mode, work)
        else:
            told = agent_rules.check(args.format, args.files, args.scope, args.mode)
        check_reports(args, told["diagnostics"], told["policy"])
        if args.output == "json":
            emit_json(told)
        else:
            for one in told["diagnostics"]:
                print(f"{one['file']}:{one['line']}:{one['column']}: {one['severity']}: {safe_line(one['message'])}")
                for line in agent_words.slipped(one):
                    print(safe_line(line, 2000))
            what = "no errors" if told["ok"] else "does not load as it stands"
            print(f"{told['policy']}: {what} for {told['format']} {told['modelled']}")
        return 0 if told["ok"] else 2
    name = _one_file(args)
    checked = policies.check(policies.read_policy(name), args.format)
    found = policies.diagnostics(checked)
    check_reports(args, found, name)
    if args.output == "json":
        emit_json({"policy": name, "ok": checked.policy is not None, "diagnostics": found})
    else:
        for one in found:
            print(f"{name}:{one['line']}:{one['column']}: {one['severity']}: {safe_line(one['message'])}")
        if checked.policy is not None:
            print(f"{name}: {count(len(checked.policy.rules), 'rule')}, no errors")
    return 0 if checked.policy is not None else 2


def dry_run(args: Namespace) -> int:
    wanted = [kind.strip().replace("-", "_") for kind in args.fail_on.split(",") if kind.strip()]
    known = (*policies.SUMMARY, *policies.VERDICT_KEYS)
    for kind in wanted:
        if kind not in known:
            raise RemitError(f"--fail-on {kind}: choose from {', '.join(known)}")
    # Reports for pipelines count what each rule changes, so they need every flip.
    limit = args.limit if args.sarif is None else _EVERY
    if args.history:
        _elsewhere(args, wanted)
    if args.referee:
        policy_referee.ready(args)
    judge = policy_referee.judged if args.referee else policy_referee.nobody
    if _agents(args):
        with open_workspace(args.store, args.org, readonly=True) as work:
            run = agent_rules.dry_run(
                work, args.format, args.files, scopes=args.scope, against=args.against, filter=args.filter, limit=limit
            ) | judge(args, work)
    elif args.history:
        name = _one_file(args)
        with histories.standing(args.store, args.org) as work:
            text = policies.read_policy(name)
            run = histories.dry_run(work, text, name, args.history, against=args.against, limit=limit, shapes=args.shapes)
    else:
        name = _one_file(args)
        text = policies.read_policy(name)
        line = Progress("judging:")
        with open_workspace(args.store, args.org, readonly=True) as work:
            run = policies.dry_run(
                work,
                text,
                name,
                format=args.format,
                against=args.against,
                filter=args.filter,
                limit=limit,
                progress=_judging(line),
            )
            run |= judge(args, work, text)
        line.close()
    if why := trials.note_trial(args.store, args.org, run):
        note(f"this dry-run is not in the access journal: {why}")
    again = args.sarif is not None and "-" not in args.files
    policy = answers.sound_policy(args.format, answers.read_files(args.format, args.files)) if again else None
    run_reports(args, run, wanted, policy_tests.lines(policy), ", ".join(args.files))
    run["flips"] = run["flips"][: args.limit]
    if args.output == "json":
        emit_json(run)
    else:
        _print_run(run, args.output == "plain")
        policy_referee.show(run.get("referee"))
    counts = run["summary"] | run.get("verdicts", {})
    return int(policy_referee.differs(run.get("referee")) or any(counts[kind] > 0 for kind in wanted))


def _elsewhere(args: Namespace, wanted: list[str]) -> None:
    """Refuses what cannot be asked of a history elsewhere."""
    if args.format != "remit":
        raise RemitError(f"--history replays policies in Remit's own language; {args.format} needs the store's")
    if args.filter or args.referee:
        raise RemitError(f"{'--filter' if args.filter else '--referee'} does not go with --history; it needs the store's tasks")
    unknown = [kind for kind in wanted if kind in policies.VERDICT_KEYS]
    if unknown:
        raise RemitError(f"--fail-on {unknown[0]}: a history elsewhere has no verdicts")


def _judging(line: Progress) -> Callable[[int, int], bool]:
    """Tells how far an engine has come; it is stopped as any command is."""

    def told(done: int, total: int) -> bool:
        line(f"{done:,} of", total, 0)
        return True

    return told


def _print_run(run: dict[str, Any], numbered: bool) -> None:
    lines = [*dryrun_words.sentences(run), *map(dryrun_words.flip, run["flips"][:FLIPS_PRINTED])]
    for number, line in enumerate(lines, 1):
        print(f"{number}. {safe_line(line, 2000)}" if numbered else safe_line(line, 2000))
    if run["flips_total"] > FLIPS_PRINTED:
        note(f"{run['flips_total'] - FLIPS_PRINTED:,} more flips; --json has them")


def explain(args: Namespace) -> int:
    wrong: list[str] = []
    requests = policies.written_requests(args.request, args.requests)
    if _agents(args):
        told = agent_rules.explain(
            args.format, args.files, requests, scopes=args.scope, mode=args.mode, resolve=args.resolve_host_executables
        )
    else:
        text = policies.read_policy(_one_file(args)) if args.files else None
        told = policies.explain(text, args.files[0] if args.files else "", requests, args.format)
    answers = _noted(told, args.request is not None, wrong)
    if args.output in (None, "plain"):
        for answer in answers:
            by = "" if "error" in answer else f" by {answer['rule'] or 'the default'}"
            print(f"{answer['effect']}{by}: {safe_line(answer['reason'] or 'no reason given')}")
            for one in answer.get("undetermined", ()):
                print(f"  rule {one['rule']} cannot be judged without {', '.join(one['missing'])}")
            for one in answer.get("operations", ()):
                print(f"  {safe_line(one['text'])}: {one['effect']} by {safe_line(one['rule'] or 'no rule')}")
    elif args.requests is not None or args.output == "jsonl":
        emit_jsonl(answers)
    else:
        emit_json(next(iter(answers)))
    return 2 if wrong else 0


def _noted(answers: Iterator[Row], alone: bool, wrong: list[str]) -> Iterator[Row]:
    """The answers as they are, each request that could not be read also said on stderr; one that stands alone is refused."""
    for answer in answers:
        if (error := answer.get("error")) is not None:
            if alone:
                raise RemitError(error)
            wrong.append(error)
            note(error)
        yield answer


def schema(args: Namespace) -> int:
    emit_json(policies.schema())
    return 0
