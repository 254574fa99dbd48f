"""The permission engines of the agents themselves: what each program's own rule files make of a call.

One module here for each program, found by itself where it ends in `ADAPTER = ...`; `base.py` is the contract.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from policy.agents.base import Adapter


@cache
def adapters() -> dict[str, Adapter]:
    """All adapters by id, in the order of their ids."""
    found: dict[str, Adapter] = {}
    for module in pkgutil.iter_modules(__path__):
        candidate = getattr(importlib.import_module(f"{__name__}.{module.name}"), "ADAPTER", None)
        if candidate is not None:
            found[candidate.id] = candidate
    return dict(sorted(found.items()))


def adapter_of(name: str) -> Adapter:
    """The adapter of an id; raises LookupError that names those there are."""
    try:
        return adapters()[name]
    except KeyError:
        raise LookupError(f"no model of `{name}`'s own rules; there are: {', '.join(adapters())}") from None
