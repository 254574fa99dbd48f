"""What the declarations of commands share: where a command is declared, the options of all, the types of values."""

from __future__ import annotations

import argparse
from itertools import takewhile
from typing import Any


class Parser(argparse.ArgumentParser):
    """An argument parser that exits with code 2 and one sentence."""

    def error(self, message: str) -> Any:
        self.exit(2, f"{self.prog}: {message}; see `{self.prog} --help`\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse parses; an option that there is none of is told before its value is taken for something else."""
        leaf = not any(isinstance(action, argparse._SubParsersAction) for action in self._actions)
        for word in takewhile(lambda one: one != "--", args or ()) if leaf else ():
            name = word.partition("=")[0]
            if name.startswith("--") and not any(known.startswith(name) for known in self._option_string_actions):
                from lang.cel.problems import nearest
                from lang.safe import safe_line

                near = nearest(name, list(self._option_string_actions)) or next(
                    (known for known in self._option_string_actions if known.startswith("--") and name.startswith(known)), ""
                )
                self.error(f"there is no option {safe_line(name, 40)}" + (f"; did you mean `{near}`?" if near else ""))
        return super().parse_known_args(args, namespace)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """As argparse checks it; of what is near to one of many choices that one is told rather than all."""
        if action.choices is not None and value not in action.choices:
            from lang.cel.problems import nearest
            from lang.safe import safe_line

            if near := nearest(str(value), [str(one) for one in action.choices]):
                raise argparse.ArgumentError(action, f"there is no {safe_line(str(value), 40)!r}; did you mean `{near}`?")
        super()._check_value(action, value)


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


def common_options() -> Parser:
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


def formats(parser: argparse.ArgumentParser, *, lines: bool = True) -> None:
    """How data leaves: as sentences, one JSON document, or lines of it."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--json", dest="output", action="store_const", const="json", help="one JSON document")
    if lines:
        group.add_argument("--jsonl", dest="output", action="store_const", const="jsonl", help="one JSON object a line")
        group.add_argument("--csv", dest="output", action="store_const", const="csv", help="comma-separated values")
    group.add_argument("--plain", dest="output", action="store_const", const="plain", help="numbered sentences, no boxes")


class Place:
    """Where commands are declared: the program itself, or the actions of one of its commands.

    Each takes the `common` options, and names what runs it as `module:function` of `cli.commands`.
    """

    def __init__(self, parser: argparse.ArgumentParser, common: Parser, **named: Any) -> None:
        self._common = common
        self._added: argparse._SubParsersAction[Parser] = parser.add_subparsers(parser_class=Parser, **named)

    def knows(self, name: str) -> bool:
        """Whether a command of this name is declared."""
        return name in self._added.choices

    def command(self, name: str, run: str, help: str) -> argparse.ArgumentParser:
        sub = self._added.add_parser(name, help=help, description=help, parents=[self._common])
        sub.set_defaults(run=run)
        return sub

    def group(self, name: str, help: str) -> Place:
        """A command that is nothing without one of its actions."""
        sub = self._added.add_parser(name, help=help, parents=[self._common])
        return Place(sub, self._common, dest="action", metavar="ACTION", required=True)
