"""Lists of what is allowed and denied, deny first, where a fact may be missing: what each may still be, and the strictest of all parts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import product

import msgspec

from model.words import Effect, Tri
from policy.agents.base import Answer, Part
from policy.diagnostics import Diagnostic, Severity

_ORDER = (Effect.ALLOW, Effect.ASK, Effect.DENY)
_BRACES = 64
"""Alternatives that the braces of one pattern may make."""


class Listed(msgspec.Struct, frozen=True):
    """An entry of a list as it is written: `kind(argument)`, the argument None where there is none; `place` is its file.

    `how` tells lists apart whose entries are compared in different ways; `within` is the folder a list holds for, "" for all.
    """

    effect: Effect
    text: str
    place: str
    kind: str
    argument: str | None = None
    how: str = ""
    within: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of one part: every effect it may have, the entry that decides, and the facts that would leave one alone."""

    may: frozenset[Effect]
    rule: Listed | None = None
    reason: str = ""
    missing: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        return next(iter(self.may)) if len(self.may) == 1 else Effect.UNKNOWN


def settled(effect: Effect, reason: str, rule: Listed | None = None) -> Verdict:
    """A verdict that nothing is missing for."""
    return Verdict(frozenset({effect}), rule, reason)


def decide(rules: Iterable[Listed], matches: Callable[[Listed], tuple[Tri, str]], otherwise: Verdict) -> Verdict:
    """A deny that matches, else an allow that does, else `otherwise`; `matches` names the fact that an unknown match hangs on."""
    unsure: dict[Effect, tuple[Listed, str]] = {}
    allowed: Listed | None = None
    for rule in rules:
        found, lacking = matches(rule)
        if found is Tri.YES and rule.effect is Effect.DENY:
            return settled(Effect.DENY, f"{rule.text} denies it", rule)
        if found is Tri.YES:
            allowed = allowed or rule
        elif found is Tri.UNKNOWN:
            unsure.setdefault(rule.effect, (rule, lacking))
    base = settled(Effect.ALLOW, f"{allowed.text} allows it", allowed) if allowed is not None else otherwise
    may, missing, named = set(base.may), list(base.missing), base.rule
    for effect in (Effect.ALLOW, Effect.DENY):
        if effect in unsure and (effect is Effect.DENY or allowed is None) and {effect} != may:
            rule, lacking = unsure[effect]
            may.add(effect)
            missing.append(lacking)
            named = named or rule
    reason = base.reason if may == base.may else f"{named.text if named else 'a rule'} may match it"
    return Verdict(frozenset(may), named, reason, tuple(dict.fromkeys(missing)))


def answered(
    parts: Sequence[tuple[str, Verdict]], *, alone: bool = False, nothing: str = "nothing of it is asked about"
) -> Answer:
    """The strictest of all parts; `alone` says that nobody can be asked, so that a question is a refusal."""
    told = tuple(Part(text, one.effect, one.rule.text if one.rule else "") for text, one in parts)
    may = {max(choice, key=_ORDER.index) for choice in product(*(sorted(one.may, key=_ORDER.index) for one in _distinct(parts)))}
    if not parts:
        return Answer(Effect.ALLOW, reason=nothing)
    effects = {Effect.DENY if alone and effect is Effect.ASK else effect for effect in may}
    if len(effects) > 1:
        open_ = [one for _, one in parts if len(one.may) > 1]
        missing = tuple(dict.fromkeys(name for one in open_ for name in one.missing))
        ruled = next((one.rule for one in open_ if one.rule), None)
        return _answer(Effect.UNKNOWN, open_[0].reason, ruled, told, missing)
    effect = next(iter(effects))
    strictest = max(may, key=_ORDER.index)
    alike = [one for _, one in parts if one.effect is strictest] or [parts[0][1]]
    deciding = next((one for one in alike if one.rule is not None), alike[0])
    reason = f"{deciding.reason}, and nobody can be asked" if alone and strictest is Effect.ASK else deciding.reason
    return _answer(effect, reason, deciding.rule, told, ())


def _distinct(parts: Sequence[tuple[str, Verdict]]) -> list[Verdict]:
    """One verdict for each set of effects: more of the same change nothing."""
    return list({one.may: one for _, one in parts}.values())


def _answer(effect: Effect, reason: str, rule: Listed | None, parts: tuple[Part, ...], missing: tuple[str, ...]) -> Answer:
    return Answer(effect, rule.text if rule else "", rule.place if rule else "", reason, missing, parts)


def split_entry(text: str) -> tuple[str, str | None]:
    """`kind(argument)` as the two; the argument is None where there are no brackets."""
    kind, opened, rest = text.strip().partition("(")
    return (kind.strip(), rest[:-1].strip()) if opened and rest.endswith(")") else (text.strip(), None)


def path_fits(pattern: str, path: str) -> bool:
    """Whether a path is one of a pattern with `**`, `*`, `?`, `[...]` and `{a,b}`; `*` stays within one folder."""
    names = path.strip("/").split("/")
    return any(
        (one.startswith("/") == path.startswith("/")) and _segments(one.strip("/").split("/"), names)
        for one in _unbraced(pattern)
    )


def _segments(pattern: Sequence[str], names: Sequence[str]) -> bool:
    """A row for each name: which beginnings of the pattern may end there. Time is their product, whatever the pattern."""
    reached = {0}
    for step in range(len(names) + 1):
        for at in range(len(pattern)):
            if at in reached and pattern[at] == "**":
                reached.add(at + 1)
        if step == len(names):
            break
        reached = {
            at if pattern[at] == "**" else at + 1
            for at in reached
            if at < len(pattern) and (pattern[at] == "**" or fnmatchcase(names[step], pattern[at]))
        }
    return len(pattern) in reached


def _unbraced(pattern: str) -> list[str]:
    found = [pattern]
    while any("{" in one and "}" in one.partition("{")[2] for one in found) and len(found) < _BRACES:
        one = next(one for one in found if "{" in one and "}" in one.partition("{")[2])
        head, _, rest = one.partition("{")
        inner, _, tail = rest.partition("}")
        found.remove(one)
        found += [f"{head}{choice}{tail}" for choice in inner.split(",")]
    return found


def place_of(text: str, entry: str, code: str, message: str, severity: Severity = "warning", start: int = 0) -> Diagnostic:
    """A problem where an entry first stands in a text from an offset on; the text's beginning where it does not."""
    at = max(text.find(entry, start), 0)
    column = at - (text.rfind("\n", 0, at) + 1) + 1
    return Diagnostic(text.count("\n", 0, at) + 1, column, column + max(len(entry), 1), severity, code, message)
