"""`remit report` and `remit report diff`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing
from pathlib import Path

from cli.commands.sealing import ask
from cli.exchange_options import exchange
from cli.output import Progress, emit_json, note
from lang.safe import safe_line
from review.errors import RemitError
from review.workspace import open_workspace


def report(args: Namespace) -> int:
    if args.action == "diff":
        return _diff(args)
    if args.config:
        _configure(args)
    return _print_config(args) if args.print_config else _write(args)


def _configure(args: Namespace) -> None:
    """Set what the file says and the command line does not; a period stated there stands for the file's whole period."""
    from review.report_config import read_config

    values = read_config(Path(args.config))
    if any(getattr(args, name) for name in _PERIOD):
        values = {name: value for name, value in values.items() if name not in _PERIOD}
    for name, value in values.items():
        if getattr(args, name, None) in (None, "", [], False):
            setattr(args, name, value)


_PERIOD = ("start", "end", "last")


def _print_config(args: Namespace) -> int:
    from review.report_config import in_force, written

    shown = in_force(vars(args) | {"framework": _frameworks(args)})
    if args.output == "json":
        emit_json(shown)
    else:
        print(written(shown), end="")
    return 0


def _frameworks(args: Namespace) -> list[str]:
    return [name for chosen in args.framework for name in chosen.split(",")]


def _diff(args: Namespace) -> int:
    from review.pack_diff import chosen_thresholds, crossed, diff_document, diff_packs, diff_sentences

    if len(args.packs) != 2:
        raise RemitError("`remit report diff` compares two packs: remit report diff OLD NEW")
    thresholds = chosen_thresholds(args.fail_on)
    found = diff_packs(Path(args.packs[0]), Path(args.packs[1]))
    over = crossed(found, thresholds)
    if args.output == "json":
        emit_json(diff_document(found, over))
    else:
        numbered = args.output == "plain"
        for n, text in enumerate(diff_sentences(found, whole=numbered), 1):
            print(f"{n}. {safe_line(text)}" if numbered else safe_line(text))
        if over:
            note(f"crossed: {', '.join(over)}")
    return 1 if over else 0


def _write(args: Namespace) -> int:
    from cli.commands.frameworks import told
    from review.filters import moment
    from review.frameworks import corrections, selected
    from review.packs import Labels, write_pack
    from review.signing import signing_key

    if not args.out:
        raise RemitError("`remit report` needs --out DIR for the pack; `remit report diff OLD NEW` compares two")
    sign = signing_key(Path(args.sign), ask) if args.sign else None
    progress = Progress("reading")
    names = _frameworks(args)
    with (
        open_workspace(
            args.store,
            args.org,
            detections=args.detections,
            frameworks=args.frameworks_dir,
            overrides=args.override or (),
            readonly=True,
        ) as work,
        closing(progress),
    ):
        _, asked = selected(work.library, names)
        for one in corrections(work.library, asked):
            note(one)
        manifest = write_pack(
            work,
            Path(args.out),
            names,
            start=moment(args.start, "--from") if args.start is not None else None,
            end=moment(args.end, "--to") if args.end is not None else None,
            as_of=moment(args.as_of, "--as-of") if args.as_of is not None else None,
            reviewed_until=moment(args.reviewed_until, "--reviewed-until") if args.reviewed_until is not None else None,
            only={name.strip() for name in args.only.split(",")} if args.only else None,
            last=_span(args.last) if args.last else None,
            since=Path(args.since) if args.since else None,
            labels=Labels(args.organisation, args.system, args.sample_seed, args.sample_size),
            heed=lambda what, done, of: progress(what, done, 0),
            force=args.force,
            sign=sign,
            redact=args.redact,
            exchange=exchange(args),
            also=("pdf",) if args.pdf else (),
            full=args.full,
            templates=Path(args.templates) if args.templates else None,
        )
    if args.output == "json":
        emit_json(manifest)
    else:
        out = safe_line(args.out)
        print(f"Wrote {len(manifest['files'])} files to {out}; check them anywhere with `remit verify {out}`.")
        print(f"Note where it cannot be changed: pack {manifest['root']}, journal {manifest['journal']['head'] or 'empty'}.")
    return told(work.library.problems)


def _span(text: str) -> int:
    from review.report_config import span

    found = span(text)
    if found is None:
        raise RemitError(f"--last: {text[:40]!r} is no span; write '30 days', '2 weeks' or '36 hours'")
    return found
