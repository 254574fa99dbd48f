"""Where in the text of a policy a rule uses a function, an operator or an attribute."""

from __future__ import annotations

from collections.abc import Iterator

from lang.cel import parse
from lang.cel.nodes import Node
from lang.yamlplaces import places
from lang.yamltree import Mapping, Scalar, Sequence, lines_of, read


def place_in_rule(text: str, rule: str, what: str) -> tuple[int, int] | None:
    """Line and column, from 1, of the first use of `what` in a rule's condition; else of the condition; None without one."""
    root = read(text, "policy")
    rules = _under(root, "rules")
    for item in rules.items if isinstance(rules, Sequence) else ():
        identity, when = _under(item, "id"), _under(item, "when")
        if isinstance(identity, Scalar) and identity.value == rule and isinstance(when, Scalar):
            offset = next((start for name, start in _uses(parse(when.value)) if name == what), 0)
            found = places(lines_of(text), when)[offset]
            return found.line + 1, found.column + 1
    return None


def _under(node: object, key: str) -> object:
    if not isinstance(node, Mapping):
        return None
    return next((value for name, value in node.pairs if isinstance(name, Scalar) and name.value == key), None)


def _uses(node: Node) -> Iterator[tuple[str, int]]:
    """What a condition is made of by the names people write, each with its place."""
    if node.op == "method":
        yield node.text, int(node.value or 0)
    elif node.op in ("name", "call", "select"):
        yield node.text, node.start
    else:
        yield node.op, node.start
    for part in node.args:
        yield from _uses(part)
