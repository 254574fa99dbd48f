"""What names stand for in a condition, and what to say of one that stands for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lang.cel.functions import METHODS, pattern
from lang.cel.maps import Maps
from lang.cel.problems import did_you_mean, nearest
from lang.cel.typed import Attr, Call, Const, Tree, Type, Var, type_of
from lang.cel.words import MACROS, NEAREST, TYPE_NAMES, named, near_clock, near_pattern, short
from model.request import DERIVED, Field


class Scope:
    """The attributes of the schema, the maps they make up, and under macros the variables and the keys that names stand for."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.maps = Maps(fields)
        self.vars: dict[str, Var] = {}
        self.keys: dict[str, str] = {}

    def find(self, path: str) -> Tree | None:
        """What a name stands for, None where it is unknown."""
        if (key := self.keys.get(path)) is not None:
            return Const("string", key)
        if (var := self.vars.get(path)) is not None:
            return var
        if (field := self.fields.get(path)) is not None:
            return Attr(path, field.type)
        if (derived := DERIVED.get(path)) is not None and (of := self.fields.get(derived.of)) is not None:
            return Call("seconds", (Attr(derived.of, of.type),), derived.type)
        return None

    @contextmanager
    def standing_for(self, name: str, what: Var | str) -> Iterator[None]:
        """Inside, the name stands for a variable or for a key; after, for what it stood for before."""
        var, key = self.vars.pop(name, None), self.keys.pop(name, None)
        if isinstance(what, Var):
            self.vars[name] = what
        else:
            self.keys[name] = what
        yield
        self.vars.pop(name, None)
        self.keys.pop(name, None)
        if var is not None:
            self.vars[name] = var
        if key is not None:
            self.keys[name] = key

    def unknown(self, path: str) -> tuple[str, str]:
        """The code and the words of the problem that a name stands for nothing."""
        if path in self.maps.groups:
            inside = [f"{path}.{key}" for key in self.maps.groups[path]]
            return "cel-unknown-name", f"`{path}` is a group of attributes, not a value; one of: {', '.join(inside)}"
        parts = path.split(".")
        for n in range(len(parts) - 1, 0, -1):
            stem = ".".join(parts[:n])
            known = self.vars.get(stem) or (Attr(stem, self.fields[stem].type) if stem in self.fields else None)
            if known is not None:
                return no_part(known.type, parts[n])
        if path in TYPE_NAMES:
            return "cel-unsupported", f"`{path}` is a type, and types are no values here; compare the attribute itself"
        if path in ("True", "False"):
            return "cel-unknown-name", f"unknown name `{path}`; write `{path.lower()}`"
        if clock := near_clock(path):
            return "cel-unknown-name", f"unknown name `{short(path)}`{clock}"
        return "cel-unknown-name", f"unknown name `{short(path)}`{self._near(path)}"

    def _near(self, path: str) -> str:
        """What a name that stands for nothing was most likely meant for."""
        if any(path in field.values for field in self.fields.values()):
            return f'; a text is written in quotes: "{path}"'
        if hint := did_you_mean(path, (*self.fields, *self.vars, *DERIVED)):
            return hint
        tails = [name for name in self.fields if name.rpartition(".")[2] == path.rpartition(".")[2]]
        if tails:
            return f"; did you mean `{tails[0]}`?"
        return f"; {'' if '.' in path else 'a text is written in quotes; '}`remit policy schema` lists the names"

    def never(self, of: Tree, value: Tree) -> str:
        """What to say of an attribute with a closed list of values that is compared with one not on it; "" where there is nothing."""
        if not (isinstance(of, Attr) and isinstance(value, Const) and isinstance(value.value, str)):
            return ""
        values = self.fields[of.name].values
        if not values or value.value in values:
            return ""
        near = nearest(value.value, values)
        hint = f'; did you mean "{near}"?' if near else f"; one of: {', '.join(values)}"
        return f'`{of.name}` is never "{short(value.value)}"{hint}'


def wrong_pattern(tree: Tree) -> str:
    """What is wrong with the pattern of `matches`, "" where nothing is."""
    if type_of(tree) == "?":
        return ""
    if not (isinstance(tree, Const) and isinstance(tree.value, str)):
        return "the pattern of `matches` must be written out as a text; use `contains` for a value"
    try:
        pattern(tree.value)
    except ValueError as error:
        return f"not an RE2 pattern: {short(str(error))}{near_pattern(tree.value)}"
    return ""


def no_part(kind: Type, part: str) -> tuple[str, str]:
    """The code and the words of the problem that a value has no such part."""
    if part in METHODS or part in ("size", *MACROS):
        return "cel-unknown-name", f"`{part}` is a function; write `.{part}(...)`"
    near = f"; use {NEAREST[part]}" if part in NEAREST else ""
    return "cel-unknown-name", f"{named(kind)} has no part `{short(part)}`{near}"
