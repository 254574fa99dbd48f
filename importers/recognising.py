"""Which format records, lines of text and what they carry are of: every importer is asked, and the surest is taken."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from importers.base import Importer, container_of, reads_heads
from importers.cutting.counted import is_counted
from importers.cutting.dates import dated
from importers.cutting.elsewhere import ways_elsewhere
from importers.cutting.framing import Container, Shape, first_row, headless
from importers.cutting.framing import sample as framed_sample
from importers.cutting.packed import WITHIN
from importers.cutting.prefixes import PREFIXES, WORDS, opens_a_line
from importers.cutting.printed import of_printed
from importers.cutting.requoted import by_tabs, of_json, tabbed
from importers.cutting.tables import nested
from importers.cutting.wrapping import (
    FLAT,
    Path,
    Way,
    begin_as_json,
    cut_by_runtime,
    first_at,
    in_carriers,
    inside,
    laid_flat,
    pieced,
    ways,
    ways_behind_words,
)
from importers.shared.fields import decode
from model.event import BadRecord

SURE_OF_ROWS = 60
"""A score from which a table's rows are taken for a format's records: a table has many names, and any of them may be a coincidence."""
SURE_ELSEWHERE = 60
"""A score from which records at a place that no carrier is known to use are taken for a format's."""
BARELY = 20
"""Up to this score a format knows the outer shape and nothing that is told in it: what it carries is looked at first."""

_SOME = 10
"""So many lines from all over a sample are asked of every format first: where a third is to be known, one of these is."""
_LINE = 20
"""Characters of a cell that may hold a line of a log."""
_HEADING = re.compile(r"[\w@.$\[\](){}:/ -]{1,60}")


class Told(NamedTuple):
    """How a source is read: cut so, each row shaped so, as this format; the ways to its records where others carry them."""

    importer: Importer
    container: Container
    shape: Shape | None = None
    within: list[Way] | None = None


def of_records(
    sample: list[object], known: Iterable[Importer], about: list[object] | None = None, container: Container = "json"
) -> tuple[int, Importer | None]:
    """The format that is surest of a sample of records and of what stands beside their list, and how sure it is; 0 and None where none is."""
    heads = about or []
    if not (sample or heads):
        return 0, None
    likely = ((one.sniff(heads + sample if reads_heads(one) else sample), one) for one in known if container_of(one) == container)
    score, importer = max(likely, key=lambda pair: pair[0], default=(0, None))
    return (score, importer) if score > 0 else (0, None)


def of_carried(sample: list[object], known: Collection[Importer], levels: int = 2) -> tuple[Importer, list[Way]] | None:
    """The format of records inside others, and the ways to them from the outside in; None where no format knows what is inside."""
    within: list[tuple[Way, list[object]]] = []
    barely: tuple[Importer, list[Way]] | None = None
    held = in_carriers(sample)
    objects = {path for path, there in held.items() if begin_as_json(there)}
    for way in ways() if held else ():
        if way.path not in held or (way.container != "json" and way.path in objects):
            continue
        inner = inside(held[way.path], way, len(sample))
        score, importer = of_records(inner, known, container=way.container)
        if importer is not None and score > BARELY:
            return importer, [_sharper(way, held[way.path], len(inner), importer)]
        barely = barely or ((importer, [way]) if importer is not None else None)
        if inner and way.container == "json":
            within.append((way, inner))
    weakly: dict[Path, Importer] = {}
    for way in ways_elsewhere(sample):
        outer = next((path for path in weakly if way.path[: len(path)] == path), None)
        there = first_at(sample, way.path)
        inner = inside(there, way, len(sample))
        score, importer = of_records(inner, known, container=way.container)
        if (
            importer is not None
            and score >= SURE_ELSEWHERE
            and (way.container == "json" or _know(inner, importer) * 2 >= len(there))
        ):
            if outer is None:
                return importer, [_sharper(way, there, len(inner), importer)]
            if weakly[outer] is importer:
                # A part that is surely of the format is one of the record around it.
                return importer, [way._replace(path=outer)]
        elif importer is not None and score > BARELY and way.objects and outer is None:
            weakly[way.path] = importer
        if inner and not way.objects and way.container == "json":
            within.append((way, inner))
    for way in FLAT:
        held_flat = first_at(sample, way.path)
        inner = inside(held_flat, way, len(sample)) if any(map(laid_flat, held_flat)) else []
        score, importer = of_records(inner, known)
        if importer is not None and score >= SURE_OF_ROWS:
            return importer, [way]
    for way, inner in within if levels > 1 and barely is None else ():
        if (further := of_carried(inner, known, levels - 1)) is not None:
            return further[0], [way, *further[1]]
    return barely or _behind_words(held, known, len(sample))


def _sharper(way: Way, there: list[object], found: int, importer: Importer) -> Way:
    """The way with what a carrier wrote before each line, where the line itself goes on behind it: pairs are found behind anything."""
    if way.container == "json" or way.prefix is not None:
        return way
    for prefix in (*PREFIXES, *reversed(WORDS[1:])):
        if opens_a_line(there, prefix):
            one = way._replace(prefix=prefix)
            inner = inside(there, one, found)
            if len(inner) >= found and importer.sniff(inner) > BARELY:
                return one
    return way


def _know(lines: list[object], importer: Importer) -> int:
    """How many of these lines the format knows, each by itself."""
    return sum(importer.sniff([one]) > 0 for one in lines)


def _behind_words(held: dict[Path, list[object]], known: Collection[Importer], records: int) -> tuple[Importer, list[Way]] | None:
    """The format of lines before which each time as many words stand: the most with which it knows as many lines, lest a name be a line's first word."""
    best: tuple[int, Importer, list[Way]] | None = None
    for way in ways_behind_words(held):
        inner = inside(held[way.path], way, records)
        some = inner[:: max(1, len(inner) // _SOME)]
        if best is None and of_records(some, known, container=way.container)[1] is None:
            continue
        score, importer = of_records(inner, known, container=way.container) if best is None else (SURE_ELSEWHERE, best[1])
        count = _know(inner, importer) if importer is not None and score >= SURE_ELSEWHERE else 0
        if importer is None or not count or 3 * count < len(inner):
            continue
        if best is None or (count >= best[0] and way.path == best[2][0].path):
            best = count, importer, [way]
    return None if best is None else best[1:]


def of_text(head: bytes, known: Collection[Importer], quoting: Shape | None = None) -> Told | None:
    """How a text that begins so is read, `quoting` taken off its lines and cells: as lines of a format, as a table or as what carries records."""
    if cut_by_runtime(head) and (found := of_carried(pieced(framed_sample("lines", head)), known)) is not None:
        return Told(found[0], "lines", None, found[1])
    if quoting is None and not is_counted(head):
        if (lines := _of_lines(head, known)) is not None:
            return _carrying(head, lines) or lines
        if (importer := of_table(head, known)) is not None:
            return Told(importer, "csv", dated(framed_sample("csv", head)))
    for container, shape in _rows(head, quoting):
        rows = _sampled(container, head, shape)
        if (found := of_carried(rows, known)) is not None and not (container == "csv" and _no_table(head, rows, *found)):
            return Told(found[0], container, shape, found[1])
    return None


def _no_table(head: bytes, rows: list[object], importer: Importer, within: list[Way]) -> bool:
    """Whether a table whose cells are lines is none: its rows are not equally long, or the name of the lines' column is one of them."""
    name, way = within[0].path[0] if within[0].path else None, within[-1]
    if not isinstance(name, str) or way.container == "json":
        return False
    if len({len(row) for row in _sampled("csv", head, None) if isinstance(row, dict)}) > 1:
        return True
    inner = inside([name], way._replace(path=()), 1)
    return bool(inner) and importer.sniff(inner) > 0


def of_table(head: bytes, known: Iterable[Importer]) -> Importer | None:
    """The format whose records a table's rows are; None where no format of JSON records is sure of them."""
    rows = [nested(one) for one in framed_sample("csv", head) if isinstance(one, dict)]
    likely = ((one.sniff(rows), one) for one in known if rows and container_of(one) == "json")
    score, importer = max(likely, key=lambda pair: pair[0], default=(0, None))
    return importer if score >= SURE_OF_ROWS else None


def _of_lines(head: bytes, known: Iterable[Importer]) -> Told | None:
    """The format of a log of text lines, told by its first lines; None where no such format knows them."""
    samples: dict[Container, list[object]] = {}
    best: tuple[int, Importer, Container] | None = None
    for one in known:
        container = container_of(one)
        if container == "json":
            continue
        if container not in samples:
            samples[container] = framed_sample(container, head)
        score = one.sniff(samples[container])
        if score > 0 and (best is None or score > best[0]):
            best = (score, one, container)
    return None if best is None else Told(best[1], best[2])


def _carrying(head: bytes, told: Told) -> Told | None:
    """How the same lines are read where a table, objects or a prefix carry them: pairs and patterns are found inside these as well."""
    if told.container not in ("keyvalue", "lines"):
        return None
    alone = (told.importer,)
    rows = _sampled("csv", head, None)
    if _is_table(head, rows, told) and (found := of_carried(rows, alone)) is not None:
        return Told(told.importer, "csv", None, found[1])
    lines = _sampled("lines", head, None)
    tails = list(_objects_at_ends(lines))
    if 2 * len(tails) >= len(lines) and (found := of_carried(tails, alone)) is not None:
        return Told(told.importer, "json", None, found[1])
    way = _sharper(Way(("line",), told.container), first_at(lines, ("line",)), len(lines), told.importer)
    return Told(told.importer, "lines", None, [way]) if way.prefix is not None else None


def _is_table(head: bytes, rows: list[object], told: Told) -> bool:
    """Whether a text is a table of cells, its first row one of names or of a quoted line, and no log of lines that hold commas."""
    first = _first_line(head)
    widths = {len(row) for row in rows if isinstance(row, dict)}
    cells, delimiter = first_row(first)
    if widths != {len(cells)}:
        return False
    if headless(first, delimiter):
        text = head.decode("utf-8", "replace")
        lines = [
            cell for row in rows if isinstance(row, dict) for cell in row.values() if isinstance(cell, str) and len(cell) >= _LINE
        ]
        return any('"' + line.replace('"', '""') + '"' in text for line in lines)
    return all(map(_HEADING.fullmatch, cells)) and told.importer.sniff(framed_sample(told.container, first.encode())) == 0


def _first_line(head: bytes) -> str:
    return head.lstrip().partition(b"\n")[0].decode("utf-8", "replace").strip("\ufeff\r ")


def _objects_at_ends(lines: list[object]) -> Iterator[object]:
    for one in lines:
        line = str(one.get("line", "")) if isinstance(one, dict) else ""
        begin = line.find('{"', 0, WITHIN)
        if begin >= 0:
            with suppress(BadRecord):
                yield decode(line[begin:].rstrip("\r ]").encode("utf-8", "surrogatepass"))


def _rows(head: bytes, quoting: Shape | None) -> Iterator[tuple[Container, Shape | None]]:
    """How a text that is no format's own is looked into: a table's cells, its columns' common objects, columns between tabs, whole lines."""

    def shaped(*shapes: Shape | None) -> Shape | None:
        used = [shape for shape in shapes if shape is not None]

        def all_of(row: dict[str, object]) -> dict[str, object]:
            for shape in used:
                row = shape(row)
            return row

        return all_of if len(used) > 1 else used[0] if used else None

    if is_counted(head):
        yield "counted", quoting
        return
    if quoting is of_json or quoting is of_printed:
        yield "lines", quoting
        return
    lines = framed_sample("lines", head)
    texts = first_at(lines, ("line",))
    # A name and a bar before lines make no table, nor do the commas of objects.
    if (
        any(opens_a_line(texts, prefix) for prefix in PREFIXES)
        or first_row(_first_line(head))[1] == "|"
        or 2 * len(list(_objects_at_ends(lines))) >= len(lines)
    ):
        yield "lines", shaped(quoting)
    yield "csv", shaped(quoting)
    yield "csv", shaped(quoting, nested)
    yield "lines", shaped(quoting)
    if tabbed(head):
        yield "lines", shaped(by_tabs, quoting)


def _sampled(container: Container, head: bytes, shape: Shape | None) -> list[object]:
    rows = framed_sample(container, head)
    return [told for one in rows if isinstance(one, dict) and (told := shape(one))] if shape is not None else rows
