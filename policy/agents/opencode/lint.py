"""Rules of opencode that do not do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from policy.agents.opencode.rules import EDITS, KEYS, matches

_EVADED = (
    "a deny of a command is not met by the command behind `env`, `xargs`, `bash -c`, an assignment, a full path or a quoted name"
)


class Doubt(msgspec.Struct, frozen=True):
    """A rule with a problem: where it stands (`path`, names of members), the problem, and the rule as it reads.

    `action` is what its author meant for `pattern` under `permission`.
    """

    path: tuple[str, ...]
    code: str
    message: str
    permission: str
    pattern: str = "*"
    action: str = ""


def lint(permission: Mapping[str, object], before: Mapping[str, object]) -> Iterator[Doubt]:
    """What there is to say of the permissions of one file; `before` is what the files below it state."""
    for name, told in permission.items():
        held, action = before.get(name), told if isinstance(told, str) else ""
        if name in EDITS - {"edit"}:
            what = f"`{name}` has no effect: all tools that change files ask for `edit`"
            yield Doubt((name,), "no-effect", what, name, "*", action)
        elif name not in KEYS and "_" not in name and "*" not in name:
            yield Doubt((name,), "unknown", f"no tool asks for `{name}`; a shell command asks for `bash`", name)
        if isinstance(held, str) and isinstance(told, dict) and "*" not in told:
            what = (
                f"this object replaces `{name}: {held}` of the global file: what it does not name is no longer "
                f"{held} but what the defaults say"
            )
            yield Doubt((name,), "replaced", what, name, "*", held)
        if name == "read" and told == "allow":
            what = "`read: allow` also takes away the question before .env files are read"
            yield Doubt((name,), "env-unasked", what, name, "*.env*", "ask")
        if name == "edit" and told == "allow":
            what = "`edit: allow` at the top also lifts the plan agent's ban on editing"
            yield Doubt((name,), "plan-edits", what, name, "*", "deny")
        if isinstance(told, dict):
            yield from _patterns(name, told)


def _patterns(name: str, told: Mapping[str, object]) -> Iterator[Doubt]:
    seen: list[str] = []
    for pattern, action in told.items():
        for earlier in seen:
            if matches(earlier, pattern) and told[earlier] != action:
                what = f"`{pattern}: {action}` comes later and matches all that `{earlier}` does: the last match wins"
                yield Doubt((name, earlier), "void", what, name, earlier, str(told[earlier]))
        seen.append(pattern)
        if name == "bash" and action == "deny" and pattern != "*":
            yield Doubt((name, pattern), "evaded", _EVADED, name, pattern, str(action))
