"""From an offset in a YAML scalar's value to its line and column in the file, for every way YAML can write a scalar."""

from __future__ import annotations

from msgspec.structs import replace

from lang.yamltree import Place, Scalar

_ESCAPES = {"x": 2, "u": 4, "U": 8}


def places(lines: list[str], scalar: Scalar) -> list[Place]:
    """Where each character of the value stands, and one place more for its end; len(value) + 1 places in all.

    Where a scalar is written in a way that cannot be followed, every place is its beginning: a diagnostic then points
    at the scalar instead of into it.
    """
    scalar = replace(scalar, start=_content(lines, scalar.start))
    if scalar.style == "|":
        found = _literal(lines, scalar)
    elif scalar.style == ">":
        found = _folded(lines, scalar)
    else:
        found = _flow(lines, scalar)
    return found if found is not None and len(found) == len(scalar.value) + 1 else [scalar.start] * (len(scalar.value) + 1)


def _content(lines: list[str], start: Place) -> Place:
    """Where a scalar begins after its anchor and tag, as `&name !!str`, each followed by blanks or a line end."""
    line, column = start.line, start.column
    while line < len(lines):
        raw = lines[line]
        while raw[column : column + 1] in ("&", "!"):
            column += len(raw[column:].split(maxsplit=1)[0])
            column += len(raw[column:]) - len(raw[column:].lstrip(" \t"))
        if column < len(raw) or (line == start.line and column == start.column):
            return Place(line, column)
        line += 1
        column = len(lines[line]) - len(lines[line].lstrip(" \t")) if line < len(lines) else 0
    return start


def _literal(lines: list[str], scalar: Scalar) -> list[Place] | None:
    out: list[Place] = []
    line = scalar.start.line
    for part in scalar.value.split("\n"):
        line += 1
        raw = lines[line] if line < len(lines) else ""
        if not raw.endswith(part):
            return None
        column = len(raw) - len(part)
        out.extend(Place(line, column + i) for i in range(len(part) + 1))
    return out


def _folded(lines: list[str], scalar: Scalar) -> list[Place] | None:
    """Each line of text is found again in the value; between two of them stand one space or line ends."""
    out: list[Place] = []
    value = scalar.value
    last = min(scalar.end.line, len(lines) - 1)
    first = next((n for n in range(scalar.start.line + 1, last + 1) if lines[n].strip(" ")), None)
    if first is None:
        return None
    indent = len(lines[first]) - len(lines[first].lstrip(" "))
    end = Place(first, indent)
    for n in range(first, last + 1):
        text = lines[n][indent:]
        if len(out) >= len(value) or lines[n][:indent].strip(" "):
            break
        if not text:
            continue
        while not value.startswith(text, len(out)):
            if len(out) >= len(value) or value[len(out)] not in " \n":
                return None
            out.append(end)
        out.extend(Place(n, indent + i) for i in range(len(text)))
        end = Place(n, indent + len(text))
    while len(out) < len(value):
        if value[len(out)] != "\n":
            return None
        out.append(end)
    out.append(end)
    return out


def _flow(lines: list[str], scalar: Scalar) -> list[Place] | None:
    """Plain and quoted scalars: escapes count once, a line break is a space, further breaks are line ends."""
    out: list[Place] = []
    line, column = scalar.start.line, scalar.start.column + bool(scalar.style)
    stop = Place(scalar.end.line, scalar.end.column - bool(scalar.style))
    while Place(line, column) < stop:
        raw = lines[line]
        limit = stop.column if line == stop.line else len(raw)
        if line != stop.line and not raw[column:].strip(" \t"):
            here = Place(line, column)
            breaks = 0
            while True:
                line, breaks = line + 1, breaks + 1
                raw = lines[line]
                column = len(raw) - len(raw.lstrip(" \t"))
                if line == stop.line or raw.strip(" \t"):
                    break
            if line == stop.line and column > stop.column:
                column = stop.column
            out.extend([here] * max(1, breaks - 1))
            continue
        if column >= limit:
            return None
        char = raw[column]
        if scalar.style == '"' and char == "\\":
            after = raw[column + 1 : column + 2]
            if not after:  # an escaped line break vanishes together with the indentation after it
                line += 1
                column = len(lines[line]) - len(lines[line].lstrip(" \t"))
                continue
            out.append(Place(line, column))
            column += 2 + _ESCAPES.get(after, 0)
        elif scalar.style == "'" and raw.startswith("''", column):
            out.append(Place(line, column))
            column += 2
        else:
            out.append(Place(line, column))
            column += 1
    out.append(Place(line, column))
    return out
