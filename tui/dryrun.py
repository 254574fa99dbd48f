"""A dry-run in lines: both baselines side by side, what could not be judged and why, how far the figures can be believed.

What is told a moment later stands as `…` in its place, so that nothing moves when it comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.counted import count
from lang.safe import safe_ends
from review.show import dryrun_words as words
from tui.widgets.columns import fit

Doc = dict[str, Any]

RULES = 6
"""Names in one line."""
LABEL = 15
COUNTED = (9, 6, 5)
"""Cells of requests, tasks and principals of one side; more where the figures are longer."""
CURRENT = "current policy"


def _who(side: Doc, kind: str) -> str:
    """How many principals; `?` where the requests name none."""
    named = side["by_principals"][kind]
    return "?" if side["summary"][kind] and not named else f"{named:,}"


def summary_lines(run: Doc, *, short: bool = False, took: float | None = None, waiting: bool = True) -> Iterator[str]:
    """The figures of a dry-run, exact; `short` where rows of the screen are few, `took` the milliseconds it cost.

    What is not told yet stands as `…` while it is waited for, else is left out.
    """
    history = run["history"]
    if not history["requests"]:
        yield "The history holds no request yet: there is nothing to replay."
        return
    spent = f"  {took:,.0f} ms" if took is not None else ""
    yield (
        f"{count(history['requests'], 'request')}  {count(history['shapes'], 'shape')}  "
        f"{count(history['tasks'], 'task')}{spent}  exact" + ("  (requests/tasks/who)" if short else "")
    )
    yield from _short(run, waiting) if short else _long(run, waiting)


def _short(run: Doc, waiting: bool) -> Iterator[str]:
    for side in _sides(run, waiting):
        if side is None:
            yield "  beside the other baseline: …"
            continue
        yield f"  {_heading(side)}  " + "  ".join(_few(side, kind) for kind in _SHORT)
    belief = (("self-check …", _believed(run)), ("replayed …", _ledger(run)))
    effect = (("", _verdicts(run)), ("asks …", _rate(run)), ("falls …", _falls(run)))
    for parts in (belief, effect):
        known = [told if told is not None else wait for wait, told in parts if waiting or told is not None]
        if known:
            yield f"  {'; '.join(known)}"


def _long(run: Doc, waiting: bool) -> Iterator[str]:
    def line(label: str, told: str | None) -> Iterator[str]:
        if told is not None or waiting:
            yield f"{label:<10}{told if told is not None else '…'}"

    sides = _sides(run, waiting)
    yield from line("believed", _self_check(run))
    widths = _widths([side for side in sides if side])
    heads = (fit(_heading(side) if side else "…", sum(widths), right=True) for side in sides)
    yield " " * LABEL + "".join(heads).rstrip()
    yield " " * LABEL + _cells(("requests", "tasks", "who"), widths) * len(sides)
    for kind in words.KINDS:
        mark = max((_mark(kind, side["summary"]) for side in sides if side), default="") or " "
        yield f"{mark} {kind.replace('_', ' '):<{LABEL - 2}}" + "".join(_cells(_figures(side, kind), widths) for side in sides)
    if len(run["flips"]) < run["flips_total"]:
        yield f"  the first {len(run['flips']):,} of {run['flips_total']:,} flips are listed"
    yield from _missing(run)
    yield from line("verdicts", _verdicts(run))
    yield from line("friction", _friction(run))
    yield from line("replayed", _ledger(run))
    yield from _log_next(run)
    yield from line("chain", _downstream(run))
    yield from line("rules", _rules(run))
    yield from line("controls", _controls(run))
    yield "limits    first order; logged calls only; no stateful rules"


def _sides(run: Doc, waiting: bool) -> list[Doc | None]:
    """Both columns; None for the one that is not known yet."""
    sides: list[Doc | None] = list(words.beside(run))
    return [*sides, None] if waiting and not run.get("baselines") else sides


_SHORT = {"newly_allowed": "allowed", "newly_denied": "denied", "newly_asked": "asked", "cannot_judge": "unjudged"}


def _few(side: Doc, kind: str) -> str:
    """`!allowed 4/4/3`: requests, tasks and principals; `asked 0`."""
    total = side["summary"][kind]
    rest = f"/{side['by_tasks'][kind]:,}/{_who(side, kind)}" if total else ""
    return f"{_mark(kind, side['summary'])}{_SHORT[kind]} {total:,}{rest}"


def _heading(side: Doc) -> str:
    name = words.called(side).replace(" version ", " v")
    return safe_ends(name, sum(COUNTED) - 1)


def _figures(side: Doc | None, kind: str) -> tuple[str, str, str]:
    """Requests, tasks and principals of one kind, exact."""
    if side is None:
        return "", "", "…"
    return f"{side['summary'][kind]:,}", f"{side['by_tasks'][kind]:,}", _who(side, kind)


def _widths(sides: list[Doc]) -> tuple[int, ...]:
    """Cells of each figure, with one between it and what stands before it."""
    told = [_figures(side, kind) for side in sides for kind in words.KINDS]
    return tuple(max(least, *(len(figures[n]) + 1 for figures in told)) for n, least in enumerate(COUNTED))


def _cells(told: tuple[str, str, str], widths: tuple[int, ...]) -> str:
    return "".join(f"{text:>{width}}" for text, width in zip(told, widths, strict=True))


def _mark(kind: str, total: Doc) -> str:
    """Newly allowed requests are what a reviewer must not miss."""
    return {"newly_allowed": "!", "cannot_judge": "?"}.get(kind, "") if total[kind] else ""


def _missing(run: Doc) -> Iterator[str]:
    """`  principal.origin missing: vault (61)`: the attribute, the points that did not log it, the requests."""
    ledger = run.get("ledger")
    if ledger is None:
        yield from (f"  {name} missing ({count:,})" for name, count in words.missing(run)[:2])
        return
    yield from (f"  {one['attribute']} missing: {words.points(one, 1)} ({one['requests']:,})" for one in ledger["missing"][:2])


def _verdicts(run: Doc) -> str:
    found = run["verdicts"]
    if not found["harm_judged"] + found["work_judged"]:
        return "no task is judged yet"
    broken = f"work broken {found['work_broken']:,} of {found['work_judged']:,}" + (" !" if found["work_broken"] else "")
    return f"harm stopped {found['harm_stopped']:,} of {found['harm_judged']:,}, missed {found['harm_missed']:,}; {broken}"


def _friction(run: Doc) -> str | None:
    found = run.get("friction")
    if found is None:
        return None
    if not found["developer_days"]:
        return "no request names a developer and a day"
    return f"{_rate(run)}, over {count(found['developer_days'], 'developer day')}"


def _rate(run: Doc) -> str | None:
    found = run.get("friction")
    return None if found is None else f"asks {words.rate(found)}/dev/day"


def _ledger(run: Doc) -> str | None:
    found = run.get("ledger")
    if found is None:
        return None
    return f"{found['exact']:,} exactly, {found['stand_in']:,} on stand-ins, {found['not_replayable']:,} not"


def _log_next(run: Doc) -> Iterator[str]:
    found = run.get("ledger")
    one = found["log_next"][0] if found and found["log_next"] else None
    if found and one and one["attribute"] not in {other["attribute"] for other in found["missing"][:2]}:
        yield f"  log next: {one['attribute']} at {words.points(one, 1)} ({one['requests']:,})"


def _self_check(run: Doc) -> str | None:
    found = run.get("self_check")
    if found is None:
        return None
    if not found["checked"]:
        return "? no self-check: the policy that decided is unknown" if found["decisions"] else "? no decision is on record"
    mark = "✓" if found["reproduced"] == found["checked"] else "!"
    return f"{mark} self-check {found['reproduced']:,} of {found['checked']:,} decisions reproduced"


def _believed(run: Doc) -> str | None:
    """The self-check in as few cells as can be."""
    found = run.get("self_check")
    if found is None:
        return None
    if not found["checked"]:
        return "? no self-check"
    return f"{'✓' if found['reproduced'] == found['checked'] else '!'} self-check {found['reproduced']:,}/{found['checked']:,}"


def _downstream(run: Doc) -> str | None:
    found = run.get("downstream_total")
    if found is None:
        return None
    if not found["of"]:
        return "nothing is newly denied"
    if not found["steps"] and found["counted"] == found["of"]:
        return "nothing later hangs on what is denied"
    part = f", {found['counted']:,} of {found['of']:,} tasks followed" if found["counted"] < found["of"] else ""
    return (
        f"{count(found['steps'], 'later step')} {'falls' if found['steps'] == 1 else 'fall'} in "
        f"{count(found['tasks'], 'task')}: {count(found['credentials'], 'credential')}, "
        f"{count(found['sub_agents'], 'sub-agent')}{part}"
    )


def _falls(run: Doc) -> str | None:
    """What falls down the chain, in as few cells as can be."""
    found = run.get("downstream_total")
    if found is None:
        return None
    return (
        f"{count(found['steps'], 'later step')} {'falls' if found['steps'] == 1 else 'fall'}"
        if found["steps"]
        else "nothing falls"
    )


def _rules(run: Doc) -> str:
    listed = run["rules"]
    told = (
        ("never fired", [r["id"] for r in listed if not r["hits"] and not r["expired"]]),
        ("shadowed", [f"{r['id']} by {words.some(r['shadowed_by'], 1)}" for r in listed if r["shadowed_by"]]),
        ("void", [f"{words.some(r['voids'], 2)} by {r['id']}" for r in listed if r["voids"]]),
        ("covered", [f"{words.some(r['covers'], 2)} by {r['id']}" for r in listed if r["covers"]]),
    )
    found = [f"{what}: {words.some(which, RULES)}" for what, which in told if which]
    return "; ".join(found) or f"each of {count(len(listed), 'rule')} fires"


def _controls(run: Doc) -> str | None:
    found = run.get("controls")
    if found is None:
        return None
    opened = sum(1 for one in found["controls"] if one["newly_allowed"])
    marked = f"; ! {opened:,} opened" if opened else ""
    silent = f"; {len(found['silent']):,} with findings, named by no rule" if found["silent"] else ""
    return f"{len(found['controls']):,} named or affected{marked}{silent}"


def problem_line(problem: Doc) -> str:
    """`✗ 35:17 unknown name principal.orgin` of a diagnostic."""
    return f"{mark(problem['severity'])} {problem['line']}:{problem['column']} {problem['message']}"


def mark(severity: str) -> str:
    return {"error": "✗", "warning": "▲"}.get(severity, "i")
