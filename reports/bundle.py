"""The single file `verify.py` that every pack carries, put together from the modules that check packs, so that there is one check."""

from __future__ import annotations

import ast
from functools import cache
from importlib.resources import files

NAME = "verify.py"
_PARTS = (
    "checking/ed25519.py",
    "checking/merkle.py",
    "checking/signatures.py",
    "checking/stated.py",
    "checking/folder.py",
    "verify.py",
)
_MAIN = "checking/command.py"
_HEAD = '''#!/usr/bin/env python3
"""Checks the pack of Remit that it lies in, with the Python standard library alone. `python3 verify.py --help` says how."""

from __future__ import annotations

'''
_TAIL = '\n\nif __name__ == "__main__":\n    sys.exit(main())\n'


@cache
def single_file() -> str:
    """The program's text: the imports of all parts once, then each part without its own; the same bytes everywhere."""
    plain: set[str] = set()
    taken: dict[str, set[str]] = {}
    bodies = []
    for name in (*_PARTS, _MAIN):
        text = files("reports").joinpath(name).read_text(encoding="utf-8")
        bodies.append(_parted(text, plain, taken))
    chosen = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(taken.items())]
    return _HEAD + "\n".join((*sorted(plain), *chosen)) + "\n\n\n" + "\n\n\n".join(bodies) + _TAIL


def _parted(text: str, plain: set[str], taken: dict[str, set[str]]) -> str:
    """A module's text without its docstring and imports; what it imports from outside is added to `plain` and `taken`."""
    tree, lines = ast.parse(text), text.splitlines()
    dropped: set[int] = set()
    for at, one in enumerate(tree.body):
        if isinstance(one, ast.Import):
            plain |= {f"import {alias.name}" for alias in one.names}
        elif isinstance(one, ast.ImportFrom):
            module = one.module or ""
            if module.split(".")[0] not in ("reports", "__future__"):
                taken.setdefault(module, set()).update(alias.name for alias in one.names)
        elif at or not isinstance(one, ast.Expr):
            continue
        dropped |= set(range(one.lineno, (one.end_lineno or one.lineno) + 1))
    return "\n".join(line for n, line in enumerate(lines, 1) if n not in dropped).strip("\n")
