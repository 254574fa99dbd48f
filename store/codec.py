"""Struct bodies as bytes: msgpack, with a way round what msgpack and UTF-8 refuse in hostile text."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from model.chain import Coverage, Credential, Finding, Intent, Link, Step, StepOutcome, Task
from model.conformance import Compared
from model.event import Attr, Event, Key, Target
from model.evidence import NamedAct, SeenCredential, SeenStep, SeenTask, StepEnds, StepSketch, Stub
from model.words import Clock, Effect, EventKind, LinkKind, Phase, Vantage, Verb
from store.text import clean

_ENCODER = msgspec.msgpack.Encoder()
_INT_MAX = 2**63 - 1
_WRITES = frozenset({Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.INSTRUCTIONS_WRITE, Verb.GUARDRAIL_CHANGE, Verb.SECRET_WRITE})
_DIGITS = re.compile(r"\d+")
_FREE = ("attrs", "facts", "request")


ASSUMED_ZONE = _ENCODER.encode("clock") + _ENCODER.encode(Clock.ZONE_ASSUMED.value)
"""Bytes that stand in a stored event exactly where its zone was assumed: no valid text can hold them."""

CHAINED = _ENCODER.encode("chain") + _ENCODER.encode("checked")
"""As above, of an event whose record was held against its own log's hash chain."""
SPENT = (_ENCODER.encode("tokens"), _ENCODER.encode("cost_usd"))
"""Bytes without which no stored event tells what it cost; a text may hold them too."""


class Extra(msgspec.Struct, array_like=True):
    """What a task's chain holds besides its steps."""

    intents: list[Intent]
    links: list[Link]
    records: list[str]


class _Who(msgspec.Struct):
    name: str


class _Thin(msgspec.Struct):
    """The part of a stored event that stitching reads; everything else in the body is skipped unread."""

    id: str
    record: str
    kind: EventKind
    phase: Phase
    vantage: Vantage
    point: str
    at: int | None = None
    verb: Verb = Verb.UNKNOWN
    target: Target = Target()
    principal: _Who | None = None
    keys: tuple[Key, ...] = ()


class _Principal(msgspec.Struct):
    name: str
    kind: str = "unknown"
    on_behalf_of: str = ""


class _Acted(msgspec.Struct):
    """The part of a stored event that tells who acted, from where and under which identifiers."""

    record: str
    principal: _Principal
    at: int | None = None
    keys: tuple[Key, ...] = ()
    attrs: dict[str, Attr] = {}


class _Tie(msgspec.Struct):
    source: str
    target: str
    kind: LinkKind
    key: str


class _Named(msgspec.Struct):
    id: str
    record: str
    principal: str = ""


class _Ends(msgspec.Struct):
    """The part of a stored step that tells who is named in it and what ties its events."""

    id: str
    decisions: tuple[_Named, ...] = ()
    credential_events: tuple[_Named, ...] = ()
    actions: tuple[_Named, ...] = ()
    effects: tuple[_Named, ...] = ()
    links: tuple[_Tie, ...] = ()


class _Intents(msgspec.Struct, array_like=True):
    """The beginning of `Extra`; what follows is skipped unread."""

    intents: list[Intent]


class _Ruling(msgspec.Struct):
    effect: Effect = Effect.UNKNOWN
    rule: str = ""


class _Ruled(msgspec.Struct):
    point: str
    decision: _Ruling | None = None


class _Sketched(msgspec.Struct):
    """The part of a stored step that a walk's outline is made of."""

    id: str
    n: int
    verb: Verb
    title: str = ""
    target: Target = Target()
    decisions: tuple[_Ruled, ...] = ()
    credentials: tuple[str, ...] = ()
    credential_events: tuple[msgspec.Raw, ...] = ()
    outcome: StepOutcome = StepOutcome()
    child: str = ""
    agent_claimed: bool = True
    order_uncertain: bool = False


class _Clocks(msgspec.Struct):
    """The part of a stored task that tells of clocks."""

    clocks: dict[str, list[int]] = {}


class _Delay(msgspec.Struct):
    """The part of a stored finding that tells when it happened and when its evidence was whole."""

    at: int | None = None
    evident: int | None = None


EVENT = msgspec.msgpack.Decoder(Event)
LINKS = msgspec.msgpack.Decoder(list[Link])
TASK = msgspec.msgpack.Decoder(Task)
EXTRA = msgspec.msgpack.Decoder(Extra)
STEP = msgspec.msgpack.Decoder(Step)
SEEN_STEP = msgspec.msgpack.Decoder(SeenStep)
SEEN_TASK = msgspec.msgpack.Decoder(SeenTask)
SEEN_CREDENTIAL = msgspec.msgpack.Decoder(SeenCredential)
FINDING = msgspec.msgpack.Decoder(Finding)
CREDENTIAL = msgspec.msgpack.Decoder(Credential)
COVERAGE = msgspec.msgpack.Decoder(Coverage)
COMPARED = msgspec.msgpack.Decoder(Compared)
REQUEST = msgspec.msgpack.Decoder(dict[str, str | int | float | bool | list[str] | None])
_INTENTS = msgspec.msgpack.Decoder(_Intents)
_SKETCHED = msgspec.msgpack.Decoder(_Sketched)
_THIN = msgspec.msgpack.Decoder(_Thin)
_ACTED = msgspec.msgpack.Decoder(_Acted)
_TIES = msgspec.msgpack.Decoder(list[_Tie])
_ENDS = msgspec.msgpack.Decoder(_Ends)
_LOOSE = ("ticket:", "pr:")
"""Identifiers over which many people meet."""
_CLOCKS = msgspec.msgpack.Decoder(_Clocks)
_DELAY = msgspec.msgpack.Decoder(_Delay)


def clocks(body: bytes) -> dict[str, list[int]]:
    """What a stored task tells of clocks."""
    return _CLOCKS.decode(body).clocks


def intents(extra: bytes) -> list[Intent]:
    """The intents of a stored task's extra part."""
    return _INTENTS.decode(extra).intents


def sketch(body: bytes) -> StepSketch:
    """A stored step as a walk's outline needs it; numbers in its title do not make it another step.

    What writes is like nothing else: its title tells where, not what. So is what has a title that does not tell all of it.
    """
    one = _SKETCHED.decode(body)
    ruled = tuple((it.point, it.decision.effect, it.decision.rule) for it in one.decisions if it.decision is not None)
    told = (one.outcome, ruled, one.credentials, one.agent_claimed, one.order_uncertain)
    sort = (one.id,) if one.verb in _WRITES or "…" in one.title else (one.verb, one.target, _DIGITS.sub("0", one.title), *told)
    return StepSketch(one.id, one.n, sort, bool(one.decisions), bool(one.credentials or one.credential_events), one.child)


def delay(body: bytes) -> tuple[int | None, int | None]:
    """When what a stored finding tells of happened, and when the last of its evidence was logged."""
    found = _DELAY.decode(body)
    return found.at, found.evident


def named_act(body: bytes, task: str | None, links: bytes | None) -> NamedAct:
    """Who acted in a stored event that names its principal."""
    acted = _ACTED.decode(body)
    if links is not None and any(tie.kind is LinkKind.INFERRED or tie.key.startswith(_LOOSE) for tie in _TIES.decode(links)):
        task = ""
    who, host = acted.principal, acted.attrs.get("host")
    host = host if isinstance(host, str) else ""
    return NamedAct(who.name, who.kind, who.on_behalf_of, acted.record, acted.at, host, acted.keys, task or "")


def step_ends(body: bytes) -> StepEnds:
    """Who is named in a stored step and what ties its events."""
    ends = _ENDS.decode(body)
    items = (*ends.decisions, *ends.credential_events, *ends.actions, *ends.effects)
    named = {item.id: (item.principal, item.record) for item in items if item.principal}
    return StepEnds(ends.id, named, tuple((tie.source, tie.target, tie.kind) for tie in ends.links))


def pack(value: Any) -> bytes:
    """Msgpack of a struct; lone surrogates and integers beyond 64 bits, which it cannot hold, are replaced first."""
    try:
        return _ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return _ENCODER.encode(mended(msgspec.to_builtins(value)))


def stub(body: bytes, task: str | None) -> Stub:
    """The thin view of a stored event."""
    thin = _THIN.decode(body)
    return Stub(
        thin.id,
        thin.record,
        thin.kind,
        thin.phase,
        thin.vantage,
        thin.point,
        thin.at,
        thin.verb,
        thin.target,
        thin.principal.name if thin.principal else "",
        thin.keys,
        task or "",
    )


def mended(value: Any, *, largest: int = _INT_MAX, free: bool = False) -> Any:
    """A copy of plain data that can be encoded: no lone surrogates, no integer beyond `largest`.

    Where text may stand as well as a number (`free`), such an integer becomes its digits, elsewhere the largest.
    """
    if isinstance(value, str):
        return clean(value, 4 * len(value)) if not value.isascii() else value
    if isinstance(value, int) and not isinstance(value, bool):
        if -largest <= value <= largest:
            return value
        return str(value) if free else max(-largest, min(value, largest))
    if isinstance(value, dict):
        return {mended(key): mended(item, largest=largest, free=free or key in _FREE) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mended(item, largest=largest, free=free) for item in value]
    return value
