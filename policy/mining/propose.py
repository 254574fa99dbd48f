"""The proposals: what to allow of good work, what would have let denied work through, what catches a step and its like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np

from lang.cel.columns import Bools
from model.words import Verb
from policy.mining.conditions import Candidate, equal, exact, joined, plain_words, quoted, text_of, verbs_of, wider
from policy.mining.space import Counted, Matched, Proposal, Space, told
from policy.model import Request

SUPPORT = 2
"""Tasks a rule must rest on, so that one day's accident does not become a rule."""
_JOINED = 20
"""Values in one list at most."""
LOOKED_AT = 2_000
"""Distinct requests that conditions are made from, the most frequent first; the rest of them still count in every figure."""
_REFUSED = 20


class Refused(msgspec.Struct, frozen=True):
    """A condition that is not proposed because it would, or might, match what no rule may allow.

    `covers` is what it would have been for; `outside` are requests judged outside their remit, `findings` those of steps with
    an open finding, `steps` some of both.
    """

    when: str
    covers: Counted
    outside: Counted
    findings: Counted
    steps: tuple[str, ...]


class Mined(msgspec.Struct, frozen=True):
    """Proposals for `base`, with what they leave: `rest` would be asked, `refused` says which conditions were held back and why.

    `unseen` is how many distinct requests of the base were too rare to make a condition from.
    """

    proposals: tuple[Proposal, ...]
    base: Counted
    rest: Counted
    rest_examples: tuple[str, ...]
    refused: tuple[Refused, ...]
    unseen: int = 0


class _Found(msgspec.Struct, frozen=True, eq=False):
    """A condition with the shapes of the base it matches (`mine`), how many requests those are, and how many it matches besides."""

    candidate: Candidate
    matched: Matched
    mine: Bools
    covers: int
    beyond: int


class _Base:
    """The rows rules are sought for, by shape."""

    def __init__(self, space: Space, rows: Bools) -> None:
        self.rows = rows
        self.weight = np.bincount(space.row_shape[rows], minlength=space.history.size)
        self.shapes: Bools = self.weight > 0
        self.others = space.history.shape_weight - self.weight
        pairs = np.unique(np.stack([space.row_shape[rows], space.row_task[rows]]), axis=1)
        self._shape, self._task = pairs[0], pairs[1]

    def tasks(self, shapes: Bools) -> int:
        """How many tasks have a row of the base with any of these shapes."""
        return len(np.unique(self._task[shapes[self._shape]]))

    def found(self, candidate: Candidate, matched: Matched) -> _Found:
        mine = matched.shapes & self.shapes
        return _Found(candidate, matched, mine, int(self.weight[mine].sum()), int(self.others[matched.shapes].sum()))


def from_verdicts(space: Space, support: int = SUPPORT) -> Mined:
    """Least-privilege allow rules for the requests of tasks judged within their remit.

    Every rule rests on at least `support` of those tasks, and none could match a request judged outside or a step with an
    open finding. Of rules that cover the same, the one that allows least besides is proposed. Those that would allow most
    besides stand first.
    """
    return _mined(space, space.within, "allow", support, widen=True)


def from_denials(space: Space) -> Mined:
    """For each kind of denied request the smallest rule that would have allowed it, with what else it opens.

    Denials of what was judged outside its remit are as they should be, and left out.
    """
    return _mined(space, space.denied & ~space.outside, "denial", 1, widen=False)


def _mined(space: Space, rows: Bools, kind: str, support: int, *, widen: bool) -> Mined:
    base = _Base(space, rows)
    shapes = space.frequent(rows, LOOKED_AT)
    found, held = _tried(space, base, shapes, support, widen=widen)
    chosen = _cover(found, base)
    proposals = _named(
        space.proposal(
            one.candidate.name, kind, "allow", one.candidate.when, _reason(kind, base.tasks(one.mine)), one.matched, rows
        )
        for one in chosen
    )
    covered = _union([one.mine for one in chosen], base)
    rest = rows & ~covered[space.row_shape]
    return Mined(
        tuple(sorted(proposals, key=lambda p: (-p.beyond.requests, -p.covers.requests, p.id))),
        space.count(rows),
        space.count(rest),
        space.examples(rest),
        _refused(space, base, held, covered),
        int(base.shapes.sum()) - len(shapes),
    )


def _reason(kind: str, tasks: int) -> str:
    if kind == "denial":
        return "it was denied, and nobody judged that to be right; a deny rule that matches it has to be narrowed as well"
    return f"done in {tasks} tasks judged within their remit"


def _refused(space: Space, base: _Base, held: Iterable[_Found], covered: Bools) -> tuple[Refused, ...]:
    """What was held back and would have covered what no proposal does, the most first; each such part once, by its plainest rule."""
    best: dict[bytes, _Found] = {}
    for one in sorted(held, key=lambda one: (one.candidate.wide, len(one.candidate.when), one.candidate.when)):
        if (one.mine & ~covered).any():
            best.setdefault(np.packbits(one.mine).tobytes(), one)
    told = []
    for one in sorted(best.values(), key=lambda one: (-one.covers, one.candidate.when))[:_REFUSED]:
        rows = one.matched.maybe[space.row_shape]
        outside, findings = rows & space.outside, rows & space.found
        mine = one.mine[space.row_shape] & base.rows
        told.append(
            Refused(
                one.candidate.when,
                space.count(mine),
                space.count(outside),
                space.count(findings),
                space.steps(outside | findings),
            )
        )
    return tuple(told)


def catch(space: Space, request: Request, effect: str = "deny") -> list[Proposal]:
    """Rules that match this request and its like; of those that match the same the plainest.

    First those that touch nothing of tasks judged within their remit, of them the one that catches most.
    """
    seen: set[bytes] = set()
    out = []
    for candidate in _like(request):
        matched = space.matched(candidate.when)
        if matched is None or not matched.shapes.any() or (key := np.packbits(matched.shapes).tobytes()) in seen:
            continue
        seen.add(key)
        reason = f"like {told(request)[:80]}"
        out.append(space.proposal(candidate.name, "catch", effect, candidate.when, reason, matched, space.outside | space.found))
    out.sort(key=lambda p: (p.broken.requests > 0, -(p.beyond.requests + p.covers.requests)))
    return list(_named(out))


def _like(request: Request) -> Iterator[Candidate]:
    """Conditions for a request, each narrower than the one before in one respect."""
    verb = text_of(request, "action.verb")
    if verb == Verb.EXEC.value:
        yield from _like_command(request)
    else:
        parts: list[str] = [equal("action.verb", verb)] if verb else []
        if parts:
            yield Candidate(verb, tuple(parts))
        for name in (
            "resource.class",
            "resource.environment",
            "resource.classification",
            "resource.owner",
            "resource.name",
            "resource.detail",
        ):
            if value := text_of(request, name):
                parts.append(equal(name, value))
                yield Candidate(f"{verb}-{name.rpartition('.')[2]}", tuple(parts))
        if tool := text_of(request, "action.tool"):
            yield Candidate("tool", (equal("action.tool", tool),))
    narrow = exact(request)
    if narrow is None:
        return
    yield narrow
    for name in ("principal.origin", "principal.id"):
        if value := text_of(request, name):
            yield Candidate(f"{narrow.name}-{name.rpartition('.')[2]}", (*narrow.parts, equal(name, value)))


def _like_command(request: Request) -> Iterator[Candidate]:
    command = text_of(request, "action.command")
    for verb in verbs_of(request):
        if verb != Verb.EXEC.value:
            yield Candidate(verb, (f"{quoted(verb)} in action.verbs",))
            if request.get("action.forced") is True:
                yield Candidate(f"{verb}-forced", (f"{quoted(verb)} in action.verbs", "action.forced"))
            targets = request.get("action.targets")
            for target in targets if isinstance(targets, tuple) else ():
                yield Candidate(f"{verb}-target", (f"{quoted(verb)} in action.verbs", f"{quoted(str(target))} in action.targets"))
    words = plain_words(command) or tuple(command.split()[:1])
    for size in range(1, len(words)):
        prefix = " ".join(words[:size])
        begins = f"({equal('action.command', prefix)} || action.command.startsWith({quoted(prefix + ' ')}))"
        yield Candidate(prefix, (equal("action.verb", Verb.EXEC.value), begins))


def _tried(space: Space, base: _Base, shapes: Sequence[int], support: int, *, widen: bool) -> tuple[list[_Found], list[_Found]]:
    """Every condition that rests on enough tasks and could match nothing guarded; and those held back because they could."""
    tried: dict[str, Candidate] = {}
    for shape in shapes:
        request = space.request(shape)
        for one in (exact(request), *(wider(request) if widen else ())):
            if one is not None:
                tried.setdefault(one.when, one)
    found: list[_Found] = []
    held: list[_Found] = []
    exacts: list[Candidate] = []
    for candidate in tried.values():
        matched = space.matched(candidate.when)
        if matched is None:
            continue
        one = base.found(candidate, matched)
        if base.tasks(one.mine) < support or (candidate.wide and int(one.mine.sum()) < 2):
            continue
        if (matched.maybe & space.guarded).any():
            held.append(one)
        elif candidate.wide:
            found.append(one)
        else:
            exacts.append(candidate)
    for candidate in _joint(exacts):
        whole = space.matched(candidate.when)
        if whole is not None:
            found.append(base.found(candidate, whole))
    return found, held


def _joint(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Exact conditions that differ in one value, joined into lists: commands of one program, files or targets of one verb."""
    groups: dict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        same = equal(one.attribute, one.value) if one.attribute else ""
        rest = tuple(part for part in one.parts if part != same)
        program = one.value.split(" ")[0] if one.attribute == "action.command" else ""
        groups[(one.attribute, rest, program) if one.attribute else (one.when,)].append(one)
    for group in groups.values():
        group.sort(key=lambda one: one.value)
        for first in range(0, len(group), _JOINED):
            yield joined(group[first : first + _JOINED])


def _cover(found: list[_Found], base: _Base) -> list[_Found]:
    """Few rules that cover all that any covers: of those that cover the same, the one that matches least besides."""
    best: dict[bytes, _Found] = {}
    for one in sorted(found, key=lambda one: (one.beyond, one.candidate.wide, len(one.candidate.when), one.candidate.when)):
        best.setdefault(np.packbits(one.mine).tobytes(), one)
    left = base.shapes.copy()
    chosen = []
    for one in sorted(best.values(), key=lambda one: (-one.covers, one.beyond, one.candidate.when)):
        if (one.mine & left).any():
            chosen.append(one)
            left &= ~one.mine
    # What later rules cover together need not be covered twice.
    kept: list[_Found] = []
    for number, one in enumerate(chosen):
        others = _union([other.mine for other in (*kept, *chosen[number + 1 :])], base)
        if (one.mine & ~others).any():
            kept.append(one)
    return kept


def _union(parts: Iterable[Bools], base: _Base) -> Bools:
    out = np.zeros(len(base.shapes), np.bool_)
    for part in parts:
        out |= part
    return out


def _named(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """The proposals with ids that are unique among them."""
    used: dict[str, int] = {}
    for one in proposals:
        base = f"{ {'allow': 'mined', 'denial': 'undenied', 'catch': 'catch'}[one.kind] }-{one.id}".replace(" ", "-")
        base = "".join(char if (char.isalnum() and char.isascii()) or char in "._-" else "-" for char in base)[:60]
        used[base] = number = used.get(base, 0) + 1
        yield msgspec.structs.replace(one, id=base if number == 1 else f"{base}-{number}")
