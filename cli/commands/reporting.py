"""`remit report` and `remit report diff`."""

from __future__ import annotations

import signal
import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from cli.commands.sealing import ask
from cli.opening import opened
from cli.output import Progress, emit_json, note
from lang.counted import count
from lang.safe import safe_line
from review.errors import RemitError


def report(args: Namespace) -> int:
    if args.action == "diff":
        return _diff(args)
    if args.config:
        _configure(args)
    return _print_config(args) if args.print_config else _write(args)


def _configure(args: Namespace) -> None:
    """Set what the file says and the command line does not; a period stated there stands for the file's whole period."""
    from review.pack.report_config import read_config

    values = read_config(Path(args.config), args.frameworks_dir, args.override or ())
    if any(getattr(args, name) for name in _PERIOD):
        values = {name: value for name, value in values.items() if name not in _PERIOD}
    for name, value in values.items():
        if getattr(args, name, None) in (None, "", [], False):
            setattr(args, name, value)


_PERIOD = ("start", "end", "last")


def _print_config(args: Namespace) -> int:
    from review.pack.report_config import in_force, written

    shown = in_force(vars(args) | {"framework": _frameworks(args)})
    if args.output == "json":
        emit_json(shown)
    else:
        print(written(shown), end="")
    return 0


def _frameworks(args: Namespace) -> list[str]:
    return [name for chosen in args.framework for name in chosen.split(",")]


def _diff(args: Namespace) -> int:
    from review.pack.pack_diff import chosen_thresholds, crossed, diff_document, diff_packs, diff_sentences

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
    from review.pack.frameworks import corrections, selected
    from review.pack.pack_wish import wished
    from review.pack.packs import export_pack
    from review.pack.signing import signing_key

    if not args.out:
        raise RemitError("`remit report` needs --out DIR for the pack; `remit report diff OLD NEW` compares two")
    wish = wished(vars(args))
    sign = signing_key(Path(args.sign), ask) if args.sign else None
    progress = Progress("reading")
    with (
        _unwound(),
        opened(args) as work,
        closing(progress),
    ):
        _, asked = selected(work.library, list(wish.frameworks))
        for one in corrections(work.library, asked):
            note(one)
        manifest, noted = export_pack(
            work, Path(args.out), wish, force=args.force, sign=sign, heed=lambda what, done, of: progress(what, done, 0)
        )
    if not noted:
        note("this store may only be read, so its access journal does not tell of the export")
    if any(line["path"] == "population.csv" and not line["records"] for line in manifest["files"]):
        note("no step lies within the period and moment asked for, and the pack says so; look at --from, --to and --as-of")
    if args.output == "json":
        emit_json(manifest)
    else:
        out = safe_line(args.out)
        print(f"Wrote {count(len(manifest['files']), 'file')} to {out}; check them anywhere with `remit verify {out}`.")
        print(f"Note where it cannot be changed: pack {manifest['root']}, journal {manifest['journal']['head'] or 'empty'}.")
    return told(work.library.problems)


@contextmanager
def _unwound() -> Iterator[None]:
    """Meanwhile an end that is asked for is an interruption: what was begun of a pack may hold every text of the store and goes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def asked(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
