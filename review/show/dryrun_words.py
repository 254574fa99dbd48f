"""A dry-run in sentences: the same for the studio and for `--plain`, newly allowed first, every figure exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lang.counted import count
from review.documents import Doc
from review.show import agent_words

KINDS = ("newly_allowed", "newly_denied", "newly_asked", "cannot_judge", "unchanged")
"""The order in which figures are told: a door opened comes first."""
NAMED = 6
"""Names in one sentence."""


def _who(side: Doc, kind: str) -> str:
    """How many principals; requests that name none are not nobody's."""
    named = side["by_principals"][kind]
    return "no named principal" if side["summary"][kind] and not named else count(named, "principal")


def sentences(run: Doc) -> Iterator[str]:
    """Everything but the flips."""
    history = run["history"]
    yield (
        f"{count(history['requests'], 'request')} of {count(history['tasks'], 'task')} in "
        f"{count(history['shapes'], 'shape')}, {history['from'] or '?'} to {history['to'] or '?'}, against {run['baseline']}."
    )
    if not history["requests"]:
        yield "There is nothing to replay: no task of this history made a request. Import agents' own logs; `remit sources` tells what was read."
        return
    yield from _figures(run)
    yield from (line for line in (self_check(run), ledger(run)) if line)
    yield from lacking(run)
    if "verdicts" in run:
        yield verdicts(run)
    if line := friction(run):
        yield line
    if line := downstream(run):
        yield line
    yield from rules(run)
    yield from agent_words.sentences(run)
    yield from controls(run)
    if absent := run.get("absent"):
        yield f"Told only of a store's own history: {', '.join(absent)}."
    if moved := run.get("moved"):
        yield f"Moved: {count(moved['rows'], 'row')}, {moved['bytes']:,} bytes in {count(moved['statements'], 'statement')}."
    yield from (f"Limit: {line}" for line in run.get("limits") or ())


def _figures(run: Doc) -> Iterator[str]:
    sides = beside(run)
    for kind in KINDS:
        told = (
            f"{side['summary'][kind]:,} in {count(side['by_tasks'][kind], 'task')} and {_who(side, kind)} against {called(side)}"
            for side in sides
        )
        yield f"{kind.replace('_', ' ').capitalize()}: {'; '.join(told)}."


def beside(run: Doc) -> list[Doc]:
    """The columns of figures: both baselines where they are known, and the one asked for where it is neither."""
    sides: list[Doc] = list(run.get("baselines") or ())
    own: Doc = {"name": run["baseline"], "version": None} | {k: run[k] for k in ("summary", "by_tasks", "by_principals")}
    if not any(side["name"] == run["baseline"] for side in sides):
        sides.insert(0, own)
    return sides


def called(side: Doc) -> str:
    """A baseline as people know it."""
    return f"{side['name']} version {side['version']}" if side["version"] else str(side["name"])


def self_check(run: Doc) -> str:
    found = run.get("self_check")
    return str(found["sentence"]) if found else ""


def ledger(run: Doc) -> str:
    """`Replayed: 300 exactly, 20 with stand-in values, 9 not replayable.`"""
    found = run.get("ledger")
    if not found:
        return ""
    inferred = found["recorded_by_inference"]
    tail = f" {inferred:,} recorded answers were joined to their request by inference." if inferred else ""
    return (
        f"Replayed: {found['exact']:,} exactly, {found['stand_in']:,} with stand-in values, "
        f"{found['not_replayable']:,} not replayable.{tail}"
    )


def lacking(run: Doc, limit: int = NAMED) -> Iterator[str]:
    """By reason, what could not be replayed or stood on a stand-in, and which point to log it at next time."""
    found = run.get("ledger")
    if not found:
        yield from (f"Cannot judge {count(n, 'request')} for want of {name}." for name, n in missing(run)[:limit])
        return
    for one in found["missing"][:limit]:
        yield f"Cannot judge {count(one['requests'], 'request')}: {one['attribute']} missing: {points(one)}."
    for one in found["stand_ins"][:limit]:
        yield f"Stand-in for {count(one['requests'], 'request')}: {one['attribute']} not stated by: {points(one)}."
    if found["log_next"]:
        one = found["log_next"][0]
        yield f"Log next: {one['attribute']}, at {points(one)}: {count(one['requests'], 'request')} would be replayed as stated."


def missing(run: Doc) -> list[tuple[str, int]]:
    return sorted(run["missing_attributes"].items(), key=lambda pair: (-pair[1], pair[0]))


def points(one: Doc, limit: int = 3) -> str:
    """The points that tell of these requests without the attribute, the most telling first."""
    names = list(one["told_by"])
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + rest if names else "no point is named"


def verdicts(run: Doc) -> str:
    """`Against verdicts: harm stopped 3 of 4, harm missed 1; work broken 1 of 20 tasks, newly asked 3.`"""
    found = run["verdicts"]
    return (
        f"Against verdicts: harm stopped {found['harm_stopped']:,} of {found['harm_judged']:,}, "
        f"harm missed {found['harm_missed']:,}; work broken {found['work_broken']:,} of {count(found['work_judged'], 'task')}, "
        f"newly asked in good work {found['friction_added']:,}."
    )


def friction(run: Doc) -> str:
    """Asks per developer and day, with what they are divided by."""
    found = run.get("friction")
    if not found:
        return ""
    change = f"{found['asks_added']:,} asks added, {found['asks_removed']:,} taken away"
    nobody = f"; {found['unattributed']:,} more name no developer" if found["unattributed"] else ""
    if found["per_developer_day"] is None:
        return f"Friction: {change}{nobody}; no request names a developer and a day to divide by."
    return (
        f"Friction: {rate(found)} asks per developer and day: {change}, divided by {count(found['developer_days'], 'active day')} "
        f"of {count(found['developers'], 'developer')}{nobody}."
    )


def rate(found: Doc) -> str:
    """`+0.25`; a change too small to show is not told as none."""
    value = found["per_developer_day"]
    if value is None:
        return "?"
    if value and abs(value) < 0.01:
        return "+<0.01" if value > 0 else "-<0.01"
    return f"{value:+.2f}".replace("+0.00", "+0")


def downstream(run: Doc) -> str:
    """What falls with all newly denied requests together."""
    found = run.get("downstream_total")
    if not found or not found["of"]:
        return ""
    if not found["steps"] and found["counted"] == found["of"]:
        return f"Down the chain: nothing later hangs on what is denied in {count(found['of'], 'task')}."
    part = "" if found["counted"] == found["of"] else f" (so far, {found['counted']:,} of {found['of']:,} tasks followed)"
    rest = f"; {count(found['left_out'], 'further task')} not followed" if found["left_out"] else ""
    return (
        f"Down the chain: {count(found['steps'], 'later step')} in {count(found['tasks'], 'task')} fall with what is denied, "
        f"over {count(found['credentials'], 'credential')} and {count(found['sub_agents'], 'sub-agent')}{part}{rest}."
    )


def rules(run: Doc) -> Iterator[str]:
    """Rules that never fired, that are shadowed, that void or cover narrower ones."""
    listed = run["rules"]
    if idle := [r["id"] for r in listed if not r["hits"] and not r["expired"]]:
        yield f"Rules that never fired: {some(idle)}."
    if expired := [r["id"] for r in listed if r["expired"]]:
        yield f"Expired: {some(expired)}."
    told = (
        ("Shadowed", [f"{r['id']} by {some(r['shadowed_by'], 3)}" for r in listed if r["shadowed_by"]]),
        ("Void narrower rules", [f"{r['id']} voids {some(r['voids'], 3)}" for r in listed if r.get("voids")]),
        ("Cover narrower rules", [f"{r['id']} covers {some(r['covers'], 3)}" for r in listed if r.get("covers")]),
    )
    yield from (f"{what}: {some(which)}." for what, which in told if which)


def controls(run: Doc, limit: int = NAMED) -> Iterator[str]:
    """The effect on each control, the silent ones in one sentence."""
    found = run.get("controls")
    if not found:
        return
    for one in found["controls"][:limit]:
        yield f"{control(one)}."
    if len(found["controls"]) > limit:
        yield f"And {len(found['controls']) - limit:,} more controls."
    if found["silent"]:
        names = [f"{one['framework']}:{one['id']} ({one['findings']:,})" for one in found["silent"]]
        yield f"Controls with findings that no rule names: {some(names)}."
    if found["unknown"]:
        yield f"No catalogue has these controls that rules name: {some(found['unknown'])}."
    if found["controls"] or found["silent"]:
        yield str(found["note"])


def control(one: Doc) -> str:
    """`owasp-asi-2026:ASI03: 4 findings, 2 newly denied, 1 falls; 0 requests newly allowed (rule a)`"""
    parts = [f"{one[key]:,} {word}" for key, word in _EFFECTS if one[key]]
    by = f"rule {some(one['rules'], 3)}" if one["rules"] else "no rule names it"
    allowed = f"; ! {count(one['newly_allowed'], 'request')} newly allowed" if one["newly_allowed"] else ""
    told = f", {', '.join(parts)}" if parts else ""
    return f"Control {one['framework']}:{one['id']}: {count(one['findings'], 'finding')}{told}{allowed} ({by})"


_EFFECTS = (
    ("allowed", "whose step is newly allowed"),
    ("denied", "whose step is newly denied"),
    ("asked", "whose step is newly asked"),
    ("falls", "whose step falls with another"),
)


def some(names: Sequence[str], limit: int = NAMED) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - limit:,} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def flip(one: Doc) -> str:
    """One flip: what becomes of which step of which task, by which rule, and what hangs on it."""
    line = f" (line {one['line']})" if one.get("line") else ""
    falls = one["consequences"] if one.get("consequences") else ()
    tail = f"; {count(len(falls), 'later step')} fall" if falls else ""
    by = f"{one['rule']}{line}" if one["rule"] else "the default"
    return f"{one['from']} -> {one['to']} by {by}: step {one['step']} of task {one['task']}{tail}"


def consequences(one: Doc, limit: int = 50) -> Iterable[str]:
    """What hangs on a flip, step by step with the reason."""
    falls = one.get("consequences") or []
    for fall in falls[:limit]:
        where = "" if fall["task"] == one["task"] else f" of {fall['task']}"
        yield f"step {fall['n']}{where} {fall['why']}"
    if len(falls) > limit:
        yield f"and {len(falls) - limit:,} more steps"
