"""A pack held against the store it was made from: the same is asked again, and what differs is named row by row.

The store is compared in five ways, each of which finds what the others cannot see: the tables and the report made again with the
pack's own parameters, the Merkle root of each source's records, the blocks of raw bytes, the store's tables by digest, and the journal's head.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from reports.checking.signatures import SIGNATURE_FILES, strict_json
from reports.earlier import read_report
from reports.errors import PackError, ReportError
from reports.renderers.folder import TemplateFolder
from reports.zipped import is_zipped, unpacked
from review.documents import Doc
from review.errors import RemitError
from review.judge.journals import journal_state
from review.pack.pack_wish import PackWish, recorded
from review.pack.packs import write_pack
from review.pack.proving import evidence_roots
from review.show.known import Known
from review.workspace import Workspace
from store.errors import StoreError

LISTED = 100
"""Differences that are listed one by one; all are counted."""
_ASIDE = frozenset(
    {"manifest.json", "custody.json", "evidence.json", "verify.py", "VERIFY.md", "report.schema.json", *SIGNATURE_FILES}
)
"""Files that say when and by what program a pack was made, and those compared in a way of their own."""
_KEYS = {
    "population.csv": ("task", "n"),
    "findings.csv": ("id",),
    "controls.csv": ("framework", "id"),
    "sources.csv": ("id",),
    "coverage.csv": ("state", "point", "vantage", "scope", "from"),
    "credentials.csv": ("id",),
    "verdicts.csv": ("finding", "n"),
    "limits.csv": ("kind", "name"),
}
_COUNTING = ("controls.csv", "limits.csv")
"""Tables whose rows count those of the others."""
_FOLLOWING = ("digests", "cover.tables_digest", "records")
"""Where a report tells of its tables, each of which is compared itself."""
_BROUGHT = ("annexes.changes", "annexes.rerun", "annexes.templates", "method.inputs")
"""Where it tells of templates and of an earlier report."""
_PAGES = ("report.html", "report.md", "report.pdf")
"""What is made of the report for people, with templates where somebody brings them."""
_BLOCK_RECORDS = 20
_CELL, _BEFORE = 80, 24
"""Characters of a cell that are shown, and how many of them stand before the place where two cells part."""
_JSON_PLACES = 20


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What a pack was made with beside the store, as paths: a folder of templates, an earlier pack."""

    templates: Path | None = None
    since: Path | None = None


def held_against(work: Workspace, pack: Path, brought: Brought | None = None) -> Doc:
    """`{"state": same|different, "total", "differences": [...], "journal", "not_held": [{"files", "why"}]}`; a difference is
    `{"where", "what", "row", "columns"}`. What is not brought cannot be held: `not_held` says which files that leaves out.

    The pack must be intact: whether it is, `verify_pack` says. Raises RemitError where it does not say what was asked for, or where
    something else is brought than what it was made with.
    """
    if is_zipped(pack):
        try:
            with unpacked(pack) as folder:
                return held_against(work, folder, brought)
        except PackError as error:
            raise RemitError(str(error)) from error
    folder = pack.parent if pack.name == "manifest.json" else pack
    manifest, custody, evidence = (_json(folder / name) for name in ("manifest.json", "custody.json", "evidence.json"))
    asked = manifest.get("parameters") or {}
    if not isinstance(asked.get("frameworks"), list):
        raise RemitError(f"{folder} does not say what it was made with, so the same cannot be asked of the store again")
    wish, lacking = _complete(recorded(asked), asked, brought or Brought())
    until = Known(work, wish.as_of).until if wish.as_of is not None else None
    found = [
        *_made_again(work, folder, manifest, wish, lacking),
        *_sources(work, evidence, until),
        *_blocks(work, custody.get("blocks") or []),
    ]
    seen = {one["where"] for one in found}
    found += _unseen(custody.get("tables") or {}, work.store.table_digests(), seen)
    journal = journal_state(work, (manifest.get("journal") or {}).get("head") or "")
    if journal["state"] != "intact":
        found.append(
            _difference("the review journal", str(journal.get("problem", "altered")), f"entry {journal.get('seq', '?')}")
        )
    pages = [name for name in _PAGES if name in {line.get("path") for line in manifest.get("files", ())}]
    # What was edited stands before the many controls that only count it.
    found.sort(key=lambda one: one["where"] in _COUNTING)
    return {
        "state": "different" if found else "same",
        "total": len(found),
        "differences": found[:LISTED],
        "journal": journal["state"],
        "not_held": [{"files": pages + parts, "why": why} for why, parts in lacking.items() if pages or parts],
    }


def _complete(wish: PackWish, asked: Doc, brought: Brought) -> tuple[PackWish, dict[str, list[str]]]:
    """The wish with what is brought, and why pages cannot be held, each with the parts of the report that it leaves out too."""
    lacking: dict[str, list[str]] = {}
    for name, parts in (("templates", []), ("since", ["report.json (the changes since the earlier pack)"])):
        stated, path = asked.get(name), getattr(brought, name)
        if not isinstance(stated, dict):
            if path is not None:
                raise RemitError(f"the pack was made without --{name}; leave it out")
            continue
        known = f"{str(stated.get('name'))[:80]} (SHA-256 {str(stated.get('sha256'))[:64]})"
        if path is None:
            lacking[f"made with --{name} {known}, which is not the store's; give it to verify with --{name} as well"] = list(
                parts
            )
            continue
        try:
            found = TemplateFolder(path).sha256 if name == "templates" else read_report(path).sha256
        except ReportError as error:
            raise RemitError(str(error)) from error
        if found != stated.get("sha256"):
            raise RemitError(f"{path} is not what the pack was made with: that was {known}, this has SHA-256 {found}")
        wish = msgspec.structs.replace(wish, **{name: str(path)})
    return wish, lacking


def _made_again(
    work: Workspace, folder: Path, manifest: Doc, wish: PackWish, lacking: Mapping[str, Sequence[str]]
) -> Iterator[Doc]:
    """The tables and the report that the store gives now, against the pack's."""
    with TemporaryDirectory(prefix="remit-") as held:
        again = Path(held) / "again"
        try:
            made = write_pack(work, again, wish)
        except (msgspec.DecodeError, StoreError) as error:
            yield _difference("the store", "rows that cannot be read any more", str(error)[:200])
            return
        yield from _tables(folder, again, manifest, made, lacking)


def _json(path: Path) -> dict[str, Any]:
    try:
        body = strict_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise RemitError(f"cannot read {path}; check the pack with `remit verify` first") from error
    return body if isinstance(body, dict) else {}


def _difference(where: str, what: str, row: str, columns: dict[str, list[str]] | None = None) -> Doc:
    return {"where": where, "what": what, "row": row, "columns": columns or {}}


def _tables(pack: Path, again: Path, manifest: Doc, made: Doc, lacking: Mapping[str, Sequence[str]]) -> Iterator[Doc]:
    """Every file whose bytes differ: tables by their rows, the report by its members where no table explains them, and other files by
    name where the report does not either."""
    digests = [{line["path"]: line["sha256"] for line in body.get("files", ())} for body in (manifest, made)]
    differing = sorted({n for n in digests[0].keys() | digests[1].keys() if digests[0].get(n) != digests[1].get(n)} - _ASIDE)
    found = False
    for name in differing:
        if name.endswith(".csv") and name in digests[0] and name in digests[1]:
            for one in _rows(name, pack / name, again / name):
                found = True
                yield one
    if found:
        return
    both = digests[0].keys() & digests[1].keys()
    aside = _FOLLOWING + (_BROUGHT if lacking else ())
    for name in sorted(differing, key=lambda name: not name.endswith(".json")):
        if name.endswith(".json") and name in both:
            places = sorted(_places(json.loads((pack / name).read_bytes()), json.loads((again / name).read_bytes()), ""))
            for place, sides in [one for one in places if not one[0].startswith(aside)][:_JSON_PLACES]:
                found = True
                yield _difference(name, "changed", place, {place: sides})
        elif name not in both or not (found or (lacking and name in _PAGES)):
            yield _difference(name, "made differently" if name in digests[0] else "not in the pack", name)


def _rows(name: str, one: Path, other: Path) -> Iterator[Doc]:
    packed, stored = _table(name, one), _table(name, other)
    for key in sorted(packed.keys() | stored.keys()):
        mine, theirs = packed.get(key), stored.get(key)
        row = " ".join(part for part in key if part)
        if mine is None or theirs is None:
            yield _difference(name, "not in the pack" if mine is None else "not in the store", row)
        elif mine != theirs:
            columns = {
                c: [mine.get(c, ""), theirs.get(c, "")] for c in mine.keys() | theirs.keys() if mine.get(c) != theirs.get(c)
            }
            yield _difference(name, "changed", row, dict(sorted(columns.items())))


def _table(name: str, path: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """The rows by what names them, as digests of their cells would not tell which cell changed."""
    csv.field_size_limit(1 << 30)
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        names = [n for n in _KEYS.get(name, ()) if n in (reader.fieldnames or ())]
        for number, row in enumerate(reader):
            cells = {str(k): str(v) for k, v in row.items()}
            rows[tuple(cells[n] for n in names) if names else (f"row {number + 1}",)] = cells
    return rows


def _places(one: Any, other: Any, place: str) -> Iterator[tuple[str, list[str]]]:
    """Where two documents differ, by path, with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in one.keys() | other.keys():
            yield from _places(one.get(name), other.get(name), f"{place}.{name}" if place else str(name))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _places(a, b, f"{place}[{n}]")
    elif one != other:
        yield place, [json.dumps(v, ensure_ascii=False)[:200] for v in (one, other)]


def _sources(work: Workspace, evidence: Doc, until: int | None) -> Iterator[Doc]:
    """Sources whose records are not those that the pack's roots stand for."""
    packed = {one["source"]: one for one in evidence.get("sources", ())}
    stored = {one.source: one for one in evidence_roots(work, until)}
    for source in sorted(packed.keys() | stored.keys()):
        mine, theirs = packed.get(source), stored.get(source)
        if mine is None or theirs is None:
            yield _difference("evidence.json", "not in the pack" if mine is None else "not in the store", source)
        elif (mine["records"], mine["root"]) != (theirs.records, theirs.root):
            pairs = {"records": (mine["records"], theirs.records), "root": (mine["root"], theirs.root)}
            columns = {name: [str(one), str(other)] for name, (one, other) in pairs.items() if one != other}
            lines = ", ".join(f"line {line}" for line in sorted(_odd(work, source))[:_BLOCK_RECORDS])
            yield _difference("evidence.json", "records changed", " ".join(filter(None, (source, theirs.name, lines))), columns)


def _odd(work: Workspace, source: str) -> set[int]:
    """Lines of a source on which a record's bytes are not those of its digest, though nothing in it was made unreadable.

    Empty where that is so of many: there the format itself keeps other bytes than the line's.
    """
    odd, count = set(), 0
    try:
        for row in work.store.raw_records(source):
            count += 1
            if sha256(row.raw).hexdigest() != row.digest:
                odd.add(row.line)
    except StoreError:
        return set()
    return odd if len(odd) * 4 <= count else set()


def _blocks(work: Workspace, packed: list[str]) -> Iterator[Doc]:
    """Blocks of raw bytes that are not those the pack was made over; later imports only add blocks."""
    stored = {number: digest.hex() for number, digest in work.store.block_digests()}
    changed = {number for (number, digest), was in zip(stored.items(), packed, strict=False) if digest != was}
    for number in sorted(changed | set(work.store.damaged_blocks())):
        held = work.store.records_in_block(number)
        odd = {source: _odd(work, source) for source in {ref.source for ref in held}}
        refs = [ref for ref in held if ref.line in odd[ref.source]] or held
        names = [f"{ref.name}:{ref.line}" for ref in refs[:_BLOCK_RECORDS]]
        more = f" and {len(refs) - _BLOCK_RECORDS} more" if len(refs) > _BLOCK_RECORDS else ""
        yield _difference("raw bytes", "changed", f"block {number}, one of the records {', '.join(names)}{more}")
    if len(stored) < len(packed):
        yield _difference("raw bytes", "not in the store", f"{len(packed) - len(stored)} of {len(packed)} blocks")


_SHOWN = {"population.csv": {"step", "task", "task_body"}, "findings.csv": {"finding"}, "credentials.csv": {"credential"}}
_SHOWN |= {"verdicts.csv": {"verdict"}, "evidence.json": {"record", "source"}}


def _unseen(packed: dict[str, str], stored: dict[str, str], seen: set[str]) -> Iterator[Doc]:
    """Tables of the store with an edit that no table of the pack shows; where one shows rows of it, those are named already."""
    named = {table for where in seen for table in _SHOWN.get(where, ())}
    for name in sorted(packed.keys() & stored.keys()):
        if packed[name] != stored[name] and name not in named:
            yield _difference("the store", "rows changed that no table of the pack shows", f"table {name}")


def _apart(mine: str, theirs: str) -> tuple[str, str]:
    """Two texts, each cut to what is around the place where they part."""
    alike = next((n for n, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    start = max(0, alike - _BEFORE) if alike >= _CELL - _BEFORE else 0
    before = "…" if start else ""
    one, other = (before + text[start : start + _CELL] + ("…" if len(text) > start + _CELL else "") for text in (mine, theirs))
    return one, other


def told(result: Doc) -> list[str]:
    """What was found, line by line."""
    lines = [f"store: {'the same as the pack' if result['state'] == 'same' else 'differs from the pack'}"]
    for one in result["differences"]:
        cells = "; ".join(
            f"{name}: {mine!r} in the pack, {theirs!r} now"
            for name, (mine, theirs) in ((name, _apart(*pair)) for name, pair in one["columns"].items())
        )
        lines.append(f"  {one['where']}: {one['row']}: {one['what']}" + (f" ({cells})" if cells else ""))
    if result["total"] > len(result["differences"]):
        lines.append(f"  and {result['total'] - len(result['differences'])} more")
    for one in result["not_held"]:
        lines.append(f"  not held: {', '.join(one['files'])}: {one['why']}")
    if result["state"] != "same":
        lines.append(
            "What was imported, judged, let go or configured since (the organisation file too) differs as well as what was edited."
        )
    return lines
