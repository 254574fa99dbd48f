"""Policies written for other programs, where their meaning survives: one module for each format, found by itself.

A module here ends in `TARGET = ...`; `base.py` is the contract.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from policy.export.base import Exported, Places, Refusal, Target
from policy.model import Policy


@cache
def targets() -> dict[str, Target]:
    """All formats a policy can be written in, by id."""
    found: dict[str, Target] = {}
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "TARGET", None)
        if candidate is not None:
            found[candidate.id] = candidate
    return dict(sorted(found.items()))


def export(policy: Policy, text: str, target: Target, *, per_command: bool = False) -> Exported:
    """A checked policy in another format; `text` is what it was read from, to say where what is refused stands."""
    return target.export(policy, Places(text), per_command=per_command)


__all__ = ["Exported", "Refusal", "Target", "export", "targets"]
