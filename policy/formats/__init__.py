"""The policy languages, found by themselves: each module here that ends in `FORMAT = ...`, and third parties' entry points.

The contract is `policy.decisions.PolicyFormat`; `remit.py` is the shortest example.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from policy.decisions import PolicyFormat


@cache
def formats() -> dict[str, PolicyFormat[Any]]:
    """All policy formats by id, in the order of their ids; ours outrank a third party's of the same id."""
    found: dict[str, PolicyFormat[Any]] = {}
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FORMAT", None)
        if candidate is not None:
            found[candidate.id] = candidate
    for entry in entry_points(group="remit.policy_formats"):
        candidate = entry.load()
        found.setdefault(candidate.id, candidate)
    return dict(sorted(found.items()))


def format_of(name: str) -> PolicyFormat[Any]:
    """The format of an id; raises LookupError that names those there are."""
    try:
        return formats()[name]
    except KeyError:
        raise LookupError(f"unknown policy format `{name}`; known: {', '.join(formats())}") from None
