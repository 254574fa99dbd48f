"""Entry point: parse, run one command, turn every foreseen condition into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from cli.parser import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run `remit`; the return value is the exit code."""
    parser = build_parser()
    args = parser.parse_args(argv)
    for name in ("store", "org"):
        setattr(args, name, getattr(args, name, None))
    args.output = getattr(args, "output", None)
    try:
        if args.version:
            from importlib.metadata import version

            print(f"remit {version('remit')}")
            return 0
        spec = getattr(args, "run", None) or "dashboard:open_dashboard"
        module, function = spec.split(":")
        code: int = getattr(import_module(f"cli.commands.{module}"), function)(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("remit: interrupted; what was committed stays, run the command again to complete it", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away: not an error, but Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from lang.safe import safe_line
        from review.errors import foreseen

        found = foreseen(error)
        if found is None:
            raise
        print(f"remit: {safe_line(found[0])}", file=sys.stderr)
        return found[1]


if __name__ == "__main__":
    sys.exit(main())
