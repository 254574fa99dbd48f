"""Rego policies over a history and over one request: the engine decides, and says nothing where what is missing matters."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import msgspec
import numpy as np

from lang.cel.requests import writable
from lang.cel.typed import Value
from model.request import ASKED, FIELD
from policy.bitmaps import weigh
from policy.decide import Decision, Undetermined
from policy.decisions import DEFAULT, Bits, Cancelled, Decisions, EngineFailed, Progress, RuleRow
from policy.history import History
from policy.model import CODE, Answer, EffectWord, Request
from policy.projection import Projection
from policy.rego.check import RegoPolicy
from policy.rego.engine import ENGINE, Source
from policy.rego.results import Unreadable, meaning, possible

BATCH = 32
"""Requests asked at once: a word of progress and a chance to stop come between two."""
MOST_FAILURES = 1
"""Requests of a batch the engine may end at before the policy is given up: each may cost its whole time."""
_HELD = 200_000


class Judged(msgspec.Struct, frozen=True):
    """`decider` is the place of the deciding rule, DEFAULT for none; `matched` rules certainly hold.

    Where the effect is unknown `open` are rules that may hold with what they lack, and `why` the names altogether.
    """

    effect: Answer
    decider: int = DEFAULT
    reason: str = ""
    matched: tuple[int, ...] = ()
    open: tuple[tuple[int, tuple[str, ...]], ...] = ()
    why: tuple[str, ...] = ()


class RegoReplay:
    """Evaluates Rego policies over one history; each distinct combination of what a policy reads is asked once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._held: OrderedDict[str, dict[str, Judged]] = OrderedDict()

    def decide(self, policy: RegoPolicy, progress: Progress | None = None) -> Decisions:
        """The policy's answer for every shape. Raises Cancelled, EngineFailed."""
        projection = Projection(self.history, (*policy.reads, ASKED) if policy.foreign else policy.reads)
        held = self._held.setdefault(policy.source.digest, {})
        self._held.move_to_end(policy.source.digest)
        while len(self._held) > 1 and sum(map(len, self._held.values())) > _HELD:
            self._held.popitem(last=False)
        names = [json.dumps(request, sort_keys=True) for request in projection.requests]
        wanted = [(name, request) for name, request in zip(names, projection.requests, strict=True) if name not in held]
        for start in range(0, len(wanted), BATCH):
            if progress is not None and not progress(start, len(wanted)):
                raise Cancelled
            some = wanted[start : start + BATCH]
            held.update(zip((name for name, _ in some), judged(policy, [request for _, request in some]), strict=True))
        return self._decisions(policy, projection, [held[name] for name in names])

    def _decisions(self, policy: RegoPolicy, projection: Projection, answers: Sequence[Judged]) -> Decisions:
        matched = [self._bits(projection, (place in one.matched for one in answers)) for place in range(len(policy.rules))]
        lacking = sorted({name for one in answers for name in one.why})
        effect = np.fromiter((CODE[one.effect] for one in answers), np.uint8, len(answers))
        decider = np.fromiter((one.decider for one in answers), np.int32, len(answers))
        return Decisions(
            effect=effect[projection.inverse],
            decider=decider[projection.inverse],
            rules=tuple(
                RuleRow(r.id, r.effect, weigh(bits, self.history)) for r, bits in zip(policy.rules, matched, strict=True)
            ),
            missing={name: self._bits(projection, (name in one.why for one in answers)) for name in lacking},
            matched=matched.__getitem__,
        )

    @staticmethod
    def _bits(projection: Projection, answers: Iterable[bool]) -> Bits:
        return projection.spread(np.fromiter(answers, np.bool_, len(projection.requests)))


def judged(policy: RegoPolicy, requests: Sequence[Mapping[str, Value]]) -> list[Judged]:
    """An answer per request; a foreign policy is asked with the input OPA was, where a request carries it. Raises EngineFailed."""
    asked: dict[bool, list[tuple[int, Any]]] = {True: [], False: []}
    for number, request in enumerate(requests):
        own = request.get(ASKED) if policy.foreign else None
        if own is not None:
            asked[True].append((number, json.loads(str(own))))
        else:
            asked[False].append((number, {"input": document(request)}))
    out: dict[int, Judged] = {}
    for own, some in asked.items():
        told = _run(policy.own if own else policy.source, [one for _, one in some]) if some else []
        out.update((number, _judged(policy, one)) for (number, _), one in zip(some, told, strict=True))
    return [out[number] for number in range(len(requests))]


def _run(source: Source, requests: Sequence[Any]) -> list[dict[str, Any]]:
    """What the engine says; where it ends at one request, that one cannot be judged and the others are asked again."""
    try:
        return ENGINE.run(source, requests)
    except EngineFailed as error:
        if len(requests) == 1:
            return [{"error": str(error)}]
    found: list[dict[str, Any]] = []
    failed = 0
    for request in requests:
        try:
            found += ENGINE.run(source, [request])
        except EngineFailed as error:
            failed += 1
            if failed > MOST_FAILURES:
                raise
            found.append({"error": str(error)})
    return found


def document(request: Mapping[str, Value]) -> dict[str, Any]:
    """A request as the input of a policy: `{"action": {"verb": ...}, ...}`."""
    out: dict[str, Any] = {}
    for name, value in request.items():
        if name in FIELD:
            *groups, last = name.split(".")
            at = out
            for group in groups:
                at = at.setdefault(group, {})
            at[last] = writable(FIELD[name], value)
    return out


def _judged(policy: RegoPolicy, told: Mapping[str, Any]) -> Judged:
    if "error" in told:
        return Judged("unknown", why=(str(told["error"]),))
    values = {entry: told["values"].get(path) for entry, path in zip(policy.entries, policy.source.entries, strict=True)}
    fired = {(name, block): tuple(names) for name, block, names in told["fired"]}
    places = {(rule.function, rule.block): place for place, rule in enumerate(policy.rules)}
    matched = tuple(sorted(places[one] for one, names in fired.items() if not names and one in places))
    try:
        ways = [possible(entry, value) for entry, value in values.items()]
    except Unreadable as error:
        return Judged("unknown", matched=matched, why=(str(error),))
    effects = {_strongest(way, policy.default) for way in product(*ways)}
    if len(effects) > 1:
        open_ = sorted((places[one], tuple(_told(names))) for one, names in fired.items() if names and one in places)
        every = {name for value in values.values() if value is not None for name in _lacks(value)}
        return Judged("unknown", matched=matched, open=tuple(open_), why=tuple(_told(every)))
    (effect,) = effects
    by = next((entry for entry, way in zip(values, ways, strict=True) if effect in way), "")
    if not by:
        return Judged(effect, matched=matched)
    rules = [place for place in matched if policy.rules[place].function.endswith(f".{by}")]
    value = values[by] or {}
    reason = meaning(by, value["value"]).reason if "value" in value and not any(_lacks(value)) else ""
    return Judged(effect, rules[0] if rules else DEFAULT, reason, matched)


def _strongest(way: Sequence[EffectWord | None], default: EffectWord) -> EffectWord:
    said = [effect for effect in way if effect is not None]
    return max(said, key=CODE.__getitem__, default=default)


def _lacks(value: Any) -> Iterator[str]:
    """The names anywhere in an answer."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in ("maybe", "\x01open"):
                yield from inner
            else:
                yield from _lacks(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _lacks(inner)


def _told(names: Iterable[str]) -> list[str]:
    """Names without those that only lead to another of them."""
    every = sorted(names)
    return [name for name in every if not any(other.startswith(f"{name}.") for other in every)]


def decide(policy: RegoPolicy, request: Request) -> tuple[Decision, str]:
    """The policy's answer to one request and the reason it gives itself. Raises EngineFailed."""
    (one,) = judged(policy, [request])
    names = [rule.id for rule in policy.rules]
    if one.effect != "unknown":
        rule = names[one.decider] if one.decider != DEFAULT else ""
        return Decision(one.effect, rule, tuple(names[place] for place in one.matched), ()), one.reason
    matched = tuple(names[place] for place in one.matched)
    if not one.open:
        return Decision("unknown", "", matched, ()), f"cannot judge: {', '.join(one.why)}"
    return Decision("unknown", "", matched, tuple(Undetermined(names[place], missing) for place, missing in one.open)), ""
