"""Untyped tree to typed tree: names resolved, types checked, everything outside the subset refused; all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from lang.cel.functions import INT_MAX, INT_MIN, METHODS
from lang.cel.maps import key_of, path_of
from lang.cel.nodes import Node
from lang.cel.operators import NEEDS, ORDERED, arithmetic, common
from lang.cel.problems import Problem, did_you_mean
from lang.cel.scope import Scope, no_part, wrong_pattern
from lang.cel.spans import parse_span, parse_time
from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Type, Var, type_of
from lang.cel.words import EXAMPLE, MACROS, NAMESPACES, many, mismatch, named, near_clock, near_function, short
from model.request import DERIVED, Field

_MAX_NESTED_MACROS = 2
_MAX_CHECKED = 50_000
_T = TypeVar("_T")
_UNKNOWN = Const("?", False)


class Checker:
    """Checks one condition against the attributes a request may have; `problems` fills as it goes."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.problems: list[Problem] = []
        self._scope = Scope(fields)
        self._left = _MAX_CHECKED
        self._count = 0
        self._nested = 0

    def condition(self, node: Node) -> Tree:
        """The typed tree of a whole condition, which must be true or false."""
        tree = self._tree(node)
        kind = type_of(tree)
        if kind not in ("bool", "?"):
            hint = EXAMPLE.get(kind, ".size() > 0")
            self._error(
                node,
                "cel-not-boolean",
                f"a condition must be true or false, this is {named(kind)}; compare it, e.g. `{hint}`",
            )
        return tree

    def _error(self, node: Node, code: str, message: str) -> Tree:
        # A condition under a macro over a map is checked once for each key: what is wrong is said once.
        if all((p.start, p.end, p.code) != (node.start, node.end, code) for p in self.problems):
            self.problems.append(Problem(node.start, node.end, code, message))
        return _UNKNOWN

    def _tree(self, node: Node) -> Tree:
        self._left -= 1
        if self._left < 0:
            if self._left == -1:
                self._error(node, "cel-too-long", "macros over maps multiply this condition beyond bounds; split the rule")
            return _UNKNOWN
        match node.op:
            case "string" | "bool":
                assert node.value is not None
                return Const("string" if node.op == "string" else "bool", node.value)
            case "int":
                return self._int(node, 1)
            case "name" | "select" | "index":
                return self._name(node)
            case "&&" | "||":
                parts = tuple(self._boolean(arg, node.op) for arg in node.args)
                return And(parts) if node.op == "&&" else Or(parts)
            case "!":
                return Not(self._boolean(node.args[0], "!"))
            case "neg":
                return self._negative(node)
            case "?:":
                return self._cond(node)
            case "==" | "!=" | "<" | "<=" | ">" | ">=":
                return self._compare(node)
            case "in":
                return self._in(node)
            case "+" | "-" | "*" | "/" | "%":
                return self._arithmetic(node)
            case "list":
                return self._list(node)
            case "method":
                return self._method(node)
            case "call":
                return self._call(node)
            case "null":
                return self._error(
                    node, "cel-unsupported", "`null` is not supported; ask `has(name)` whether an attribute is stated"
                )
            case "bytes":
                return self._error(node, "cel-unsupported", "bytes are not supported; write a text without the b")
            case _:
                near = "the number without u" if node.op == "uint" else "a whole number"
                return self._error(node, "cel-unsupported", f"`{node.text}` is not supported; write {near}")

    def _boolean(self, node: Node, op: str) -> Tree:
        tree = self._tree(node)
        kind = type_of(tree)
        if kind not in ("bool", "?"):
            return self._error(node, "cel-type", f"`{op}` joins conditions, but this is {named(kind)}; compare it first")
        return tree

    def _int(self, node: Node, sign: int) -> Tree:
        assert isinstance(node.value, int)
        value = sign * node.value
        if not INT_MIN <= value <= INT_MAX:
            return self._error(node, "cel-number", "the number does not fit into 64 bits")
        return Const("int", value)

    def _negative(self, node: Node) -> Tree:
        arg = node.args[0]
        if arg.op == "int":
            return self._int(arg, -1)
        tree = self._tree(arg)
        if type_of(tree) not in ("int", "?"):
            return self._error(node, "cel-type", f"`-` needs a number, but this is {named(type_of(tree))}")
        return Call("neg", (tree,), "int")

    def _cond(self, node: Node) -> Tree:
        test = self._boolean(node.args[0], "?:")
        yes, no = self._tree(node.args[1]), self._tree(node.args[2])
        kind = common(type_of(yes), type_of(no))
        if kind is None:
            message = f"both answers of `?:` must be of one type, but these are {named(type_of(yes))} and {named(type_of(no))}"
            return self._error(node.args[2], "cel-type", message)
        return Cond(test, yes, no, kind)

    # names

    def _name(self, node: Node) -> Tree:
        path = path_of(node, self._scope.keys)
        if path is None:
            return self._no_name(node)
        if (found := self._scope.find(path)) is not None:
            return found
        return self._error(node, *self._scope.unknown(path))

    def _no_name(self, node: Node) -> Tree:
        """A part or an element of what is no attribute and no map."""
        of = path_of(node.args[0], self._scope.keys)
        if node.op == "index" and of in self._scope.maps.groups:
            message = f'the key of a map is written out: `{of}["{self._scope.maps.groups[of][0]}"]`; for all keys: `{of}.exists(k, ...)`'
            return self._error(node.args[1], "cel-unsupported", message)
        kind = type_of(self._tree(node.args[0]))
        if kind == "?":
            return _UNKNOWN
        if node.op == "index":
            near = "`in`, `exists` or `all`" if kind.startswith("list") else "`startsWith` or `matches`"
            return self._error(node, "cel-unsupported", f"`[...]` reads a map, but this is {named(kind)}; use {near}")
        return self._no_part(node, kind)

    def _no_part(self, node: Node, kind: Type, part: str = "") -> Tree:
        return self._error(node, *no_part(kind, part or node.text))

    # operators

    def _compare(self, node: Node) -> Tree:
        left, right = self._tree(node.args[0]), self._tree(node.args[1])
        one, other = type_of(left), type_of(right)
        if "?" in (one, other):
            return Const("?", False)
        if common(one, other) is None:
            return self._error(node, "cel-type", f"cannot compare {named(one)} with {named(other)}" + mismatch(one, other))
        if node.op in ORDERED and one.startswith("list"):
            return self._error(
                node, "cel-type", f"lists have no order: `{node.op}` is for numbers, texts and times; use `size()`"
            )
        if node.op in ORDERED and one == "bool":
            return self._error(node, "cel-unsupported", f"`{node.op}` between booleans is not supported; use `==`")
        self._known_value(left, right, node.args[1])
        self._known_value(right, left, node.args[0])
        return Call(node.op, (left, right), "bool")

    def _in(self, node: Node) -> Tree:
        if (group := path_of(node.args[1], self._scope.keys)) in self._scope.maps.groups and group not in self._scope.vars:
            return self._key_in(node, group)
        item, items = self._tree(node.args[0]), self._tree(node.args[1])
        one, other = type_of(item), type_of(items)
        if "?" in (one, other):
            return Const("?", False)
        if not other.startswith("list<"):
            hint = (
                f"; write `x == ...`, or `[...]` around it{', or `contains` for a part of a text' if other == 'string' else ''}"
            )
            return self._error(node.args[1], "cel-type", f"`in` needs a list or a map, but this is {named(other)}{hint}")
        if other not in ("list<?>", f"list<{one}>"):
            return self._error(node, "cel-type", f"{named(one)} cannot be in {named(other)}")
        if isinstance(item, Attr) and node.args[1].op == "list":
            for part in node.args[1].args:
                self._known_value(item, self._quiet(part), part)
        if isinstance(items, Attr):
            self._known_value(items, item, node.args[0])
        return Call("in", (item, items), "bool")

    def _key_in(self, node: Node, group: str) -> Tree:
        key = key_of(node.args[0], self._scope.keys)
        if key is None:
            self._tree(node.args[0])
            return self._error(node.args[0], "cel-unsupported", f"the key of a map is written out: `{group}.exists(k, k == ...)`")
        if f"{group}.{key}" in self.fields:
            return Has(f"{group}.{key}")
        if (inner := f"{group}.{key}") in self._scope.maps.groups:
            return self._error(node.args[0], "cel-unsupported", f"`{inner}` is a map itself; write `has({inner})`")
        known = self._scope.maps.groups[group]
        hint = did_you_mean(key, known) or f"; its keys: {', '.join(known)}"
        return self._error(node.args[0], "cel-unknown-name", f"`{group}` has no key `{short(key)}`{hint}")

    def _quiet(self, node: Node) -> Tree:
        return Const("string", node.value) if node.op == "string" and isinstance(node.value, str) else _UNKNOWN

    def _known_value(self, of: Tree, value: Tree, place: Node) -> None:
        """Warns where an attribute with a closed list of values is compared with one that is not on it."""
        if message := self._scope.never(of, value):
            self.problems.append(Problem(place.start, place.end, "cel-value", message, "warning"))

    def _arithmetic(self, node: Node) -> Tree:
        left, right = self._tree(node.args[0]), self._tree(node.args[1])
        if "?" in (type_of(left), type_of(right)):
            return _UNKNOWN
        made = arithmetic(node.op, left, right)
        if made is None:
            needs = NEEDS.get(node.op, "numbers")
            found = f"{named(type_of(left))} and {named(type_of(right))}"
            return self._error(node, "cel-type", f"`{node.op}` needs {needs}, but these are {found}")
        return made

    def _list(self, node: Node) -> Tree:
        items = tuple(self._tree(arg) for arg in node.args)
        kinds = {type_of(item) for item in items}
        if "?" in kinds:
            return _UNKNOWN
        if not items:
            return Const("list<?>", ())
        for item, arg in zip(items, node.args, strict=True):
            kind = type_of(item)
            if kind not in ("string", "int", "bool"):
                return self._error(arg, "cel-unsupported", f"a list may hold texts, numbers or booleans, not {named(kind)}")
            if kind != type_of(items[0]):
                message = f"a list holds values of one type, but this is {named(kind)} among {many(type_of(items[0]))}"
                return self._error(arg, "cel-type", message)
        result: dict[Type, Type] = {"string": "list<string>", "int": "list<int>", "bool": "list<bool>"}
        kind = result[type_of(items[0])]
        if all(isinstance(item, Const) for item in items):
            values = tuple(item.value for item in items if isinstance(item, Const))
            return Const(kind, values)  # type: ignore[arg-type]  # one element type, checked above
        return Call("list", items, kind)

    # functions

    def _call(self, node: Node) -> Tree:
        if node.text == "has":
            return self._has(node)
        if node.text == "size":
            if len(node.args) != 1:
                return self._error(node, "cel-arguments", "`size` takes one value: `size(action.verbs)`")
            return self._size(node, node.args[0])
        if node.text in ("duration", "timestamp"):
            return self._written(node)
        for arg in node.args:
            self._tree(arg)
        name = Node("name", node.start, node.start + len(node.text), (), node.text)
        if node.text in METHODS or node.text in MACROS:
            return self._error(name, "cel-unknown-function", f"`{node.text}` is written after a value: `name.{node.text}(...)`")
        return self._error(name, "cel-unknown-function", f"unknown function `{short(node.text)}`{near_function(node.text)}")

    def _written(self, node: Node) -> Tree:
        """`duration("1h")` and `timestamp("2026-03-01T00:00:00Z")`, which only stand for what is written out."""
        span = node.text == "duration"
        value = node.args[0].value if len(node.args) == 1 and node.args[0].op == "string" else None
        if not isinstance(value, str):
            for arg in node.args:
                self._tree(arg)
            example = 'duration("1h30m")' if span else 'timestamp("2026-03-01T00:00:00Z")'
            return self._error(node, "cel-arguments", f"`{node.text}` takes one text that is written out: `{example}`")
        try:
            return Const("duration", parse_span(value)) if span else Const("timestamp", parse_time(value))
        except ValueError as error:
            return self._error(node.args[0], "cel-time", str(error))

    def _has(self, node: Node) -> Tree:
        example = "`has(resource.owner)`"
        if len(node.args) != 1:
            return self._error(node, "cel-arguments", f"`has` takes one attribute: {example}")
        arg = node.args[0]
        path = path_of(arg, self._scope.keys) if arg.op != "index" else None
        if path is not None and path in self.fields:
            return Has(path)
        if path in DERIVED and DERIVED[path].of in self.fields:
            return Has(DERIVED[path].of)
        if path is not None and "." in path and (keys := self._scope.maps.groups.get(path)):
            return Or(tuple(Has(f"{path}.{key}") for key in keys))
        if path is not None and path not in self._scope.vars:
            return self._error(arg, *self._scope.unknown(path))
        hint = f'{example}; for a key: `"owner" in resource`' if arg.op == "index" else example
        return self._error(arg, "cel-arguments", f"`has` takes the name of an attribute: {hint}")

    def _size(self, node: Node, of: Node) -> Tree:
        group = self._group(of)
        if group is not None:
            return (
                Call("count", tuple(Has(f"{group}.{key}") for key in self._scope.maps.groups[group]), "int")
                if group
                else _UNKNOWN
            )
        tree = self._tree(of)
        kind = type_of(tree)
        if kind not in ("string", "?") and not kind.startswith("list"):
            return self._error(node, "cel-type", f"`size` counts a text, a list or a map, but this is {named(kind)}")
        return Call("size", (tree,), "int")

    def _group(self, node: Node) -> str | None:
        """The map a node names, "" where it cannot be walked (which is then said), None where it is no map."""
        path = path_of(node, self._scope.keys)
        if path is None or path not in self._scope.maps.groups or path in self._scope.vars:
            return None
        if inner := self._scope.maps.nested(path):
            self._error(node, "cel-unsupported", f"`{path}` holds a map itself; use `{inner}`, or name an attribute")
            return ""
        return path

    def _method(self, node: Node) -> Tree:
        name, of, args = node.text, node.args[0], node.args[1:]
        if name in MACROS:
            return self._macro(node, of, args)
        if name == "size":
            if args:
                return self._error(node, "cel-arguments", "`size()` takes no argument")
            return self._size(node, of)
        method = METHODS.get(name)
        place = Node("name", int(node.value or 0), int(node.value or 0) + len(name), (), name)
        if (
            of.op in ("name", "select")
            and (root := str(path_of(of, {})).partition(".")[0]) in NAMESPACES
            and root not in self._scope.vars
        ):
            return self._error(of, "cel-unsupported", f"the extension `{root}` is not supported; the nearest: {NAMESPACES[root]}")
        if method is None:
            map_ = path_of(of, self._scope.keys) in self._scope.maps.groups
            kind: Type = "?" if map_ else type_of(self._tree(of))
            return self._error(place, "cel-unknown-function", f"unknown function `{short(name)}`{near_function(name, kind)}")
        trees = (self._tree(of), *(self._tree(arg) for arg in args))
        wanted = len(method.types) - 1
        if len(args) != wanted:
            hint = "; days are days in UTC" if method.types[0] == "timestamp" else ""
            return self._error(place, "cel-arguments", f"`{name}` takes {wanted or 'no'} argument{'s'[: wanted != 1]}{hint}")
        for tree, kind, arg in zip(trees, method.types, node.args, strict=True):
            found = type_of(tree)
            if found not in (kind, "?"):
                hint = (
                    "; for a list use `exists`" if found.startswith("list") else near_clock(name) if found == "timestamp" else ""
                )
                return self._error(arg, "cel-type", f"`{name}` needs {named(kind)}, but this is {named(found)}{hint}")
        if name == "matches" and (wrong := wrong_pattern(trees[1])):
            return self._error(args[0], "cel-pattern", wrong)
        return Call(name, trees, method.result)

    def _macro(self, node: Node, of: Node, args: tuple[Node, ...]) -> Tree:
        group = self._group(of)
        over = _UNKNOWN if group is not None else self._tree(of)
        kind = type_of(over)
        if len(args) != 2 or args[0].op != "name":
            return self._error(node, "cel-arguments", f"write `{node.text}(x, condition on x)`")
        if kind != "?" and not kind.startswith("list<"):
            return self._error(of, "cel-type", f"`{node.text}` runs over a list or a map, but this is {named(kind)}")
        if self._nested >= _MAX_NESTED_MACROS:
            return self._error(node, "cel-unsupported", f"`exists` and `all` may be nested {_MAX_NESTED_MACROS} deep")
        if args[0].text in self._scope.maps.groups:
            return self._error(args[0], "cel-shadowed", f"`{args[0].text}` is a group of attributes; choose another name")
        if group:
            return self._over_keys(node, group, args[0].text, args[1])
        element: dict[str, Type] = {"list<string>": "string", "list<int>": "int", "list<bool>": "bool"}
        written = args[0].text
        var = Var(f"${self._count}", element.get(kind, "?"))
        self._count += 1
        self._nested += 1
        with self._scope.standing_for(written, var):
            body = self._boolean(args[1], node.text)
        self._nested -= 1
        return Quantified(node.text == "all", over, var, body)

    def _over_keys(self, node: Node, group: str, written: str, body: Node) -> Tree:
        """A macro over a map: the condition once for each key of the schema, where the request states it."""
        every = node.text == "all"
        self._nested += 1
        parts: list[Tree] = []
        for key in self._scope.maps.groups[group]:
            with self._scope.standing_for(written, key):
                stated, holds = Has(f"{group}.{key}"), self._boolean(body, node.text)
            parts.append(Or((Not(stated), holds)) if every else And((stated, holds)))
        self._nested -= 1
        return And(tuple(parts)) if every else Or(tuple(parts))
