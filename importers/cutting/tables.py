"""Records of a format that were exported as a table: each row as the record it was made from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from importers.shared.fields import decode
from importers.shared.headings import in_zone, without_zone
from model.event import BadRecord

_NUMBER = re.compile(r"(?:0|[1-9]\d{0,14})")
"""Short enough to be a number; longer runs of digits are identifiers."""
_NOTHING = frozenset({"", "-", "(null)"})
"""What an empty cell is, and what Kibana writes for one."""
_TRUTHS = {"true": True, "false": False}
_DEPTH = 8
_PLACES = 64
"""Elements of a list that has a column for each."""
_PLACE = re.compile(r"\[(\d{1,3})\]")
_KIND = re.compile(r"_(?:s|d|b|g|t|CF)$")
"""What Log Analytics puts behind the names of a custom table's columns: the kind of what they hold."""
_TOKEN = re.compile(r"""'((?:[^'\\]++|\\.)*+)'|"((?:[^"\\]++|\\.)*+)"|([A-Za-z_]++)|[^'"A-Za-z_]++""", re.DOTALL)
"""What a Python object's own text is made of: texts in either quotes, words, and what stands between and is as in JSON."""
_WORDS = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}


def nested(row: Mapping[str, object]) -> dict[str, object]:
    """A row as its record: no empty cells, `a.b` as a member of `a`, `a[0].b`, `a.0.b` and `a{}.b` as one of an element of the list `a`,
    JSON and Python's own texts of objects in a cell read, numbers and truth values as such; `time [UTC]` as a `time` in that zone.

    A name that contradicts another (`a` beside `a.b`) stays as it is written.
    """
    found: dict[str, object] = {}
    row = _zoned(row) if any(name[-1:] in ")]" for name in row) else row
    if is_custom(row):
        return _of_custom(row)
    for name, cell in (_spread(row) if any("{}" in name for name in row) else row).items():
        if isinstance(cell, str) and (cell := cell.strip()) in _NOTHING:
            continue
        value = _value(cell) if isinstance(cell, str) else cell
        path = _path(name)
        if not all(path) or len(path) > _DEPTH or not put(found, path, value):
            found[name] = value
    return {name: _listed(one) for name, one in found.items()}


def is_custom(row: Mapping[str, object]) -> bool:
    """Whether a row is of a custom table of Log Analytics, which names itself in each of them."""
    table = row.get("Type")
    return isinstance(table, str) and table.endswith("_CL")


def _of_custom(row: Mapping[str, object]) -> dict[str, object]:
    """A custom table's row with the names its writer gave, and what it laid flat at their `_` as objects beside them."""
    told: dict[str, object] = {}
    for name, cell in row.items():
        plain = _KIND.sub("", name)
        told[plain if plain not in row else name] = cell
    found = nested({name: cell for name, cell in told.items() if name != "Type"})
    for name in [name for name in found if "_" in name and not name.startswith("_")]:
        path = name.split("_")
        if all(path) and len(path) <= _DEPTH and path[0] not in told:
            put(found, path, found[name])
    return {**found, "Type": row["Type"]}


def _zoned(row: Mapping[str, object]) -> dict[str, object]:
    """A row whose headings tell the zone of their times, with the zone in the times."""
    found: dict[str, object] = {}
    for name, cell in row.items():
        plain = without_zone(name)
        if plain in row:
            found[name] = cell
        else:
            found[plain] = in_zone(name, cell)
    return found


def put(found: dict[str, object], path: list[str], value: object) -> bool:
    """Set a value at a path of names, making the objects on its way; False where something else stands there."""
    for step in path[:-1]:
        inner = found.setdefault(step, {})
        if not isinstance(inner, dict):
            return False
        found = inner
    if isinstance(found.get(path[-1]), dict):
        return False
    found[path[-1]] = value
    return True


def _path(name: str) -> list[str]:
    """The names on the way that a column's name tells."""
    if "{}" in name:
        return [name]
    if "[" not in name:
        return name.split(".")
    return [part for step in name.split(".") for part in _PLACE.sub(r"\0\1", step).split("\0")]


def _spread(row: Mapping[str, object]) -> dict[str, object]:
    """Splunk's `a{}.b`, which holds the `b` of all elements of `a` in one cell, as a column for each.

    It leaves out what an element lacks: where columns of one list are not equally long, nobody can tell whose is whose.
    """
    found: dict[str, object] = {}
    lists: dict[str, dict[str, list[object]]] = {}
    for name, cell in row.items():
        head, mark, tail = name.partition("{}")
        if not mark or "{}" in tail or cell in (None, ""):
            found[name] = cell
            continue
        values: list[object] = cell if isinstance(cell, list) else [*cell.split("\n")] if isinstance(cell, str) else [cell]
        lists.setdefault(head, {})[tail] = values
    for head, columns in lists.items():
        lengths = {len(one) for one in columns.values()}
        for tail, held in columns.items():
            if len(lengths) == 1 and len(held) <= _PLACES:
                found.update({f"{head}[{place}]{tail}": one for place, one in enumerate(held)})
            else:
                found[f"{head}{{}}{tail}"] = row[f"{head}{{}}{tail}"]
    return found


def _listed(value: object, depth: int = 0) -> object:
    """Objects whose members are called 0, 1, 2 as the lists they were."""
    if not isinstance(value, dict) or depth > _DEPTH:
        return value
    inner = {name: _listed(one, depth + 1) for name, one in value.items()}
    if "0" in inner and len(inner) <= _PLACES and all(str(place) in inner for place in range(len(inner))):
        return [inner[str(place)] for place in range(len(inner))]
    return inner


def _value(cell: str) -> object:
    if _NUMBER.fullmatch(cell):
        return int(cell)
    if cell[:1] in "{[":
        try:
            return decode(cell.encode("utf-8", "replace"))
        except BadRecord:
            return _of_python(cell)
    return _TRUTHS.get(cell.lower(), cell)


def _of_python(cell: str) -> object:
    """The value that Python wrote as its own text (`{'a': None}`); the text where it is none."""
    if "'" not in cell and ": None" not in cell:
        return cell
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(cell):
        if token.start() != end or (token.group(3) and token.group(3) not in _WORDS):
            return cell
        end = token.end()
        single, double, word = token.groups()
        said = double if single is None else single
        parts.append(_WORDS[word] if word else token.group() if said is None else json.dumps(_ESCAPE.sub(_unescaped, said)))
    try:
        return decode("".join(parts).encode("utf-8", "replace")) if end == len(cell) else cell
    except BadRecord:
        return cell


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape.group(1) or escape.group(2) or escape.group(3)
    if digits:
        return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else "\ufffd"
    return _PLAIN.get(escape.group(4), escape.group(4))
