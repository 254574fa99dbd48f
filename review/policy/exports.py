"""A policy written for another enforcement point, where its meaning survives; refused, with the place and the reason, where not."""

from __future__ import annotations

from typing import Any

import msgspec

from policy.export import export, targets
from review.documents import Doc
from review.errors import RemitError
from review.policy.policies import sound


def known_targets() -> tuple[str, ...]:
    """The formats a policy can be exported to."""
    return tuple(targets())


def exported(text: str, name: str, to: str, *, per_command: bool = False) -> Doc:
    """`text` in the other format, `file` what the program calls such a file, what is `refused`, `notes`, and whether it is `whole`."""
    target = targets().get(to)
    if target is None:
        raise RemitError(f"--to {to}: choose from {', '.join(targets())}")
    policy = sound(text, name)
    made = export(policy, text, target, per_command=per_command)
    told: dict[str, Any] = msgspec.to_builtins(made)
    return {"policy": name, "to": target.id, "file": target.file, "whole": not made.refused, **told}
