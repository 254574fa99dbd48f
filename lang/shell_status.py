"""What a script's good end says of the commands in it: which of them must have ended well for the whole to end well."""

from __future__ import annotations

from functools import lru_cache

from tree_sitter import Node

from lang.shell_syntax import parsed

MAX_LENGTH = 4_096
"""Characters of a script that is looked at; of a longer one nothing is vouched for."""

_LAST = frozenset({"program", "pipeline", "redirected_statement", "subshell", "compound_statement"})
"""What ends as the last statement inside it does."""


@lru_cache(maxsize=4_096)
def vouched(script: str) -> tuple[str, ...]:
    """The source of every command whose failure would have failed the script, in order.

    Of a list joined with `&&` these are all, of statements one after the other the last, of a pipeline the last stage.
    What stands before `||`, after `!`, in the background, in a branch, a loop or a function ends a script no worse where
    it fails: nothing is vouched for there, nor in a script that cannot be parsed.
    """
    script = script.replace("\0", "")
    root = parsed(script) if len(script) <= MAX_LENGTH else None
    if root is None or root.has_error:
        return ()
    found: list[str] = []
    todo: list[Node] = [root]
    while todo:
        node = todo.pop()
        if node.type == "command":
            found.append(script[node.start_byte : node.end_byte])
        elif node.type == "list":
            if any(child.type == "||" for child in node.children):
                continue
            todo += reversed(node.named_children)
        elif node.type in _LAST:
            last = _last(node)
            if last is not None:
                todo.append(last)
    return tuple(found)


def _last(node: Node) -> Node | None:
    """The statement whose end is the node's: the last one, unless it runs on in the background."""
    if node.type == "redirected_statement":
        return node.child_by_field_name("body")
    children = [child for child in node.children if child.type != "comment"]
    while children and children[-1].type in (";", "\n", ")", "}"):
        children.pop()
    return children[-1] if children and children[-1].is_named else None
