"""Entry point: parse, run one command, turn every foreseen condition into one sentence and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import ModuleType

from cli.parser import parser_for


def main(argv: Sequence[str] | None = None) -> int:
    """Run `remit`; the return value is the exit code."""
    gc.set_threshold(100_000, *gc.get_threshold()[1:])
    words = _joined(sys.argv[1:] if argv is None else argv)
    parser = parser_for(words)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # it stands until the process ends
    if sys.stdout is None:
        print("remit: standard output is closed; send it to a file, a pipe or a terminal", file=sys.stderr)
        return 2
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Data is UTF-8 whatever the locale says; what cannot be encoded is shown, not dropped.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    args = parser.parse_args(words)
    for name in ("store", "org", "detections", "frameworks_dir", "override"):
        setattr(args, name, getattr(args, name, None))
    args.output = getattr(args, "output", None)
    try:
        if args.version:
            from importlib.metadata import version

            print(f"remit {version('remit')}")
            return 0
        spec = getattr(args, "run", None) or "dashboard:open_dashboard"
        module, function = spec.split(":")
        code: int = getattr(_loaded(f"cli.commands.{module}"), function)(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("remit: interrupted; what was committed stays, run the command again to complete it", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away: no error, but nothing is said to be well that nobody heard the end of. The
        # code is that of a program which a closed pipe ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        with suppress(OSError):  # where nobody hears errors either
            print(f"remit: cannot write the output: {error.strerror or error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2
    except Exception as error:
        from lang.safe import safe_line
        from review.errors import SeveralError, foreseen

        found = foreseen(error)
        if found is None:
            raise
        for line in found[0].split("\n") if isinstance(error, SeveralError) else [found[0]]:
            print(f"remit: {safe_line(line)}", file=sys.stderr)
        return found[1]


def _loaded(name: str) -> ModuleType:
    """A command's module. Loading makes a hundred thousand objects that stay: the collector looks through them neither then nor later."""
    if name in sys.modules:
        return sys.modules[name]
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        found = import_module(name)
    finally:
        gc.freeze()
        gc.set_threshold(*before)
    return found


def _joined(argv: Sequence[str]) -> list[str]:
    """A filter or an order may begin with a minus (`--filter -verdict:*`, `--sort -risk`); argparse would take it for an option."""
    joined: list[str] = []
    words = iter(argv)
    for word in words:
        value = next(words, None) if word in ("--filter", "--sort") else None
        joined.append(word if value is None else f"{word}={value}")
    return joined


if __name__ == "__main__":
    sys.exit(main())
