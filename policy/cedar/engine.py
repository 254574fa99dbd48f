"""Asks Cedar about the parts of conditions: one call answers all parts that read the same attributes of one request."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import msgspec

from policy.cedar.conditions import Part
from policy.cedar.schema import question
from policy.model import Request

_ERRED = re.compile(r"^error while evaluating policy `p(\d+)`")


class Verdict(msgspec.Struct, frozen=True):
    """What Cedar says of one part: None where it cannot say, for want of `missing` (nothing where a value overflows)."""

    value: bool | None
    missing: tuple[str, ...] = ()


class Asker:
    """Parts that read the same attributes, ready to be asked about requests that state these or fewer."""

    def __init__(self, parts: Sequence[Part]) -> None:
        import cedarpy

        self._parts = parts
        self._ask = cedarpy.is_authorized
        # Each part is a permit of its own, so that Cedar names every one that holds, and every one that errs.
        scope = {"op": "All"}
        policies = {
            f"p{n}": {
                "effect": "permit",
                "principal": scope,
                "action": scope,
                "resource": scope,
                "conditions": [{"kind": "when", "body": json.loads(part.body)}],
            }
            for n, part in enumerate(parts)
        }
        self._policies = cedarpy.PolicySet.from_json_str(
            json.dumps({"staticPolicies": policies, "templates": {}, "templateLinks": []})
        )

    def ask(self, request: Request) -> list[Verdict]:
        """One verdict per part."""
        asked, entities = question(request)
        diagnostics = self._ask(asked, self._policies, entities).diagnostics
        held = set(diagnostics.reasons)
        erred = {int(found.group(1)) for error in diagnostics.errors if (found := _ERRED.match(error))}
        return [self._verdict(n, part, request, f"p{n}" in held, n in erred) for n, part in enumerate(self._parts)]

    @staticmethod
    def _verdict(number: int, part: Part, request: Request, held: bool, erred: bool) -> Verdict:
        unnamed = [name for name in part.names if name not in request]
        if erred or (unnamed and not (held and part.grows)):
            return Verdict(None, tuple(name for name in part.needs if name not in request))
        return Verdict(held)
