"""A comparison in sentences, as the command line and the annexe of a report print it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reports.difference import Changes, Comparison, FindingMove, Pair

SHOWN = 20
"""How many of one kind are told one by one; the rest by number, and all of them in the JSON form."""

SAME = "Nothing differs between the two reports."


def sentences(found: Comparison, shown: int | None = SHOWN) -> list[str]:
    """What differs, what the two were made with first; `shown` of each kind, None for all."""
    if found.same:
        return [SAME]
    told: list[str] = []
    for lines in (
        [
            f"Not made alike: {b.what}{f' {b.name}' if b.name else ''} is {b.old or 'not there'} in the old report and "
            f"{b.new or 'not there'} in the new one."
            for b in found.basis
        ],
        [_move("New finding", one) for one in found.new_findings],
        [_move("Gone finding", one) for one in found.gone_findings],
        [
            f"Finding {one.id} ({one.detection}, {one.severity}): {_fields(one.changed)}; {one.title}."
            for one in found.changed_findings
        ],
        [
            f"Control {one.framework} {one.id} ({one.direction}): "
            f"{f'from {one.old} to {one.new}' if one.old != one.new else f'{one.new} as before'}, open exceptions "
            f"{one.open[0]} to {one.open[1]}: {'; '.join(one.why) or 'the reports do not tell why'}."
            for one in found.controls
        ],
        list(_named("Source", found.sources)),
        list(_named("Coverage of", found.coverage)),
        list(_named("Expected enforcement point not seen:", found.expected_unseen)),
        list(_named("Detection", found.detections)),
        list(_named("Policy", found.policies)),
        list(_named("Reviewer", found.reviewers)),
        list(_named("Sign-off by", found.sign_offs)),
        [f"Figure {name}: {_value(was)} to {_value(now)}." for name, (was, now) in found.figures.items()],
    ):
        told += _some(lines, shown)
    return told


def _some(lines: list[str], shown: int | None) -> list[str]:
    if shown is None or len(lines) <= shown:
        return lines
    return [*lines[:shown], f"and {len(lines) - shown} more of this kind; report.json and --json have them all."]


def _move(what: str, one: FindingMove) -> str:
    return f"{what} {one.id} ({one.detection}, {one.severity}, {one.state}): {one.title}; {one.why}."


def _named(what: str, changes: Changes) -> Iterator[str]:
    yield from (f"{what} {name}: in the new report alone." for name in changes.added)
    yield from (f"{what} {name}: in the old report alone." for name in changes.gone)
    yield from (f"{what} {one.name}: {_fields(one.changed)}." for one in changes.changed)


def _fields(changed: Mapping[str, Pair]) -> str:
    return ", ".join(_changed(name.replace("_", " "), was, now) for name, (was, now) in changed.items())


def _changed(name: str, was: object, now: object) -> str:
    """What changed of one field; of a record that both reports have, only those of its members that differ."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        differing = {
            str(n): (was.get(n), now.get(n)) for n in (*was, *(n for n in now if n not in was)) if was.get(n) != now.get(n)
        }
        return f"{name}: {_fields(differing)}"
    return f"{name} from {_value(was)} to {_value(now)}"


def _value(value: object) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        stated = [
            f"{str(name).replace('_', ' ')} {_value(inner)}" for name, inner in value.items() if inner not in (None, "", False)
        ]
        return f"({', '.join(stated)})" if stated else "none"
    if isinstance(value, list):
        return f"{len(value)} of them"
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
