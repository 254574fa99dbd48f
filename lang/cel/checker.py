"""Untyped tree to typed tree: names resolved, types checked, everything outside the subset refused; all problems at once."""

from __future__ import annotations

from collections.abc import Mapping

from lang.cel.functions import INT_MAX, INT_MIN, METHODS, pattern
from lang.cel.problems import Problem, did_you_mean, nearest
from lang.cel.syntax import Node
from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Type, Var, type_of
from model.request import Field

_MACROS = ("exists", "all")
_MAX_NESTED_MACROS = 2
_ORDERED = ("<", "<=", ">", ">=")
_ARITHMETIC = {"+": "+", "-": "-", "*": "*", "/": "/", "%": "%"}
# What people write in other languages or in full CEL, and the nearest thing that is here.
_NEAREST = {
    "exists_one": "`exists`", "existsOne": "`exists`", "map": "`exists` or `all`", "filter": "`exists` or `all`",
    "any": "`exists`", "some": "`exists`", "every": "`all`", "includes": "`contains`, or `in` for a list",
    "length": "`size()`", "len": "`size()`", "count": "`size()`", "startswith": "`startsWith`", "endswith": "`endsWith`",
    "lower": "`lowerAscii()`", "toLowerCase": "`lowerAscii()`", "upper": "`upperAscii()`", "match": "`matches`",
    "regex": "`matches`", "find": "`contains`", "indexOf": "`contains`", "split": "`contains` or `matches`",
    "replace": "`matches`", "substring": "`startsWith`, `endsWith` or `contains`", "trim": "`matches`",
    "glob": "`matches`, or `startsWith` and `endsWith`", "like": "`matches`, or `startsWith` and `endsWith`",
    "duration": "a whole number of seconds", "timestamp": "`context.in_change_window`", "getHours": "`context.in_change_window`",
    "int": "a whole number", "uint": "a whole number", "double": "a whole number", "string": "a text",
    "type": "nothing: every attribute has one known type", "dyn": "nothing: every attribute has one known type",
    "optional": "`has(...)`", "orValue": "`has(x) ? x : ...`",
}  # fmt: skip
_UNKNOWN = Const("?", False)


class Checker:
    """Checks one condition against the attributes a request may have; `problems` fills as it goes."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.problems: list[Problem] = []
        self._groups = {name.rpartition(".")[0] for name in fields}
        self._vars: dict[str, Var] = {}
        self._count = 0
        self._nested = 0

    def condition(self, node: Node) -> Tree:
        """The typed tree of a whole condition, which must be true or false."""
        tree = self._tree(node)
        kind = type_of(tree)
        if kind not in ("bool", "?"):
            hint = ' != ""' if kind == "string" else " > 0" if kind == "int" else ".size() > 0"
            self._error(
                node,
                "cel-not-boolean",
                f"a condition must be true or false, this is {_a(kind)}; compare it, e.g. `{hint.strip()}`",
            )
        return tree

    def _error(self, node: Node, code: str, message: str) -> Tree:
        self.problems.append(Problem(node.start, node.end, code, message))
        return _UNKNOWN

    def _tree(self, node: Node) -> Tree:
        match node.op:
            case "string" | "bool":
                assert node.value is not None
                return Const("string" if node.op == "string" else "bool", node.value)
            case "int":
                return self._int(node, 1)
            case "name" | "select":
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
            case "index":
                self._tree(node.args[0])
                return self._error(
                    node, "cel-unsupported", "`[...]` is not supported here; use `in`, `exists` or `all` for lists"
                )
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
            return self._error(node, "cel-type", f"`{op}` joins conditions, but this is {_a(kind)}; compare it first")
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
            return self._error(node, "cel-type", f"`-` needs a number, but this is {_a(type_of(tree))}")
        return Call("neg", (tree,), "int")

    def _cond(self, node: Node) -> Tree:
        test = self._boolean(node.args[0], "?:")
        yes, no = self._tree(node.args[1]), self._tree(node.args[2])
        kind = _common(type_of(yes), type_of(no))
        if kind is None:
            message = f"both answers of `?:` must be of one type, but these are {_a(type_of(yes))} and {_a(type_of(no))}"
            return self._error(node.args[2], "cel-type", message)
        return Cond(test, yes, no, kind)

    # names

    def _name(self, node: Node) -> Tree:
        path = _path(node)
        if path is None:
            of = self._tree(node.args[0])
            if type_of(of) == "?":
                return _UNKNOWN
            return self._no_part(node, type_of(of))
        if (var := self._vars.get(path)) is not None:
            return var
        if (field := self.fields.get(path)) is not None:
            return Attr(path, field.type)
        return self._unknown_name(node, path)

    def _unknown_name(self, node: Node, path: str) -> Tree:
        if path in self._groups:
            inside = [name for name in self.fields if name.startswith(path + ".")]
            return self._error(
                node, "cel-unknown-name", f"`{path}` is a group of attributes, not a value; one of: {', '.join(inside)}"
            )
        parts = path.split(".")
        for n in range(len(parts) - 1, 0, -1):
            stem = ".".join(parts[:n])
            known = self._vars.get(stem) or (Attr(stem, self.fields[stem].type) if stem in self.fields else None)
            if known is not None:
                return self._no_part(node, known.type, parts[n])
        if path in ("True", "False"):
            return self._error(node, "cel-unknown-name", f"unknown name `{path}`; write `{path.lower()}`")
        hint = did_you_mean(path, (*self.fields, *self._vars))
        if not hint:
            tails = [name for name in self.fields if name.rpartition(".")[2] == parts[-1]]
            hint = f"; did you mean `{tails[0]}`?" if tails else "; `remit policy schema` lists the names"
        return self._error(node, "cel-unknown-name", f"unknown name `{_short(path)}`{hint}")

    def _no_part(self, node: Node, kind: Type, part: str = "") -> Tree:
        part = part or node.text
        if part in METHODS or part in ("size", *_MACROS):
            return self._error(node, "cel-unknown-name", f"`{part}` is a function; write `.{part}(...)`")
        near = f"; use {_NEAREST[part]}" if part in _NEAREST else ""
        return self._error(node, "cel-unknown-name", f"{_a(kind)} has no part `{_short(part)}`{near}")

    # operators

    def _compare(self, node: Node) -> Tree:
        left, right = self._tree(node.args[0]), self._tree(node.args[1])
        a, b = type_of(left), type_of(right)
        if "?" in (a, b):
            return Const("?", False)
        if _common(a, b) is None:
            return self._error(node, "cel-type", f"cannot compare {_a(a)} with {_a(b)}" + _mismatch(a, b))
        if node.op in _ORDERED and a.startswith("list"):
            return self._error(node, "cel-type", f"lists have no order; use `==`, `in` or `size()` instead of `{node.op}`")
        if node.op in ("==", "!="):
            self._known_value(left, right, node.args[1])
            self._known_value(right, left, node.args[0])
        return Call(node.op, (left, right), "bool")

    def _in(self, node: Node) -> Tree:
        item, items = self._tree(node.args[0]), self._tree(node.args[1])
        a, b = type_of(item), type_of(items)
        if b == "?" or a == "?":
            return Const("?", False)
        if not b.startswith("list<"):
            hint = f"; write `x == ...`, or `[...]` around it{'' if b != 'string' else ', or `contains` for a part of a text'}"
            return self._error(node.args[1], "cel-type", f"`in` needs a list, but this is {_a(b)}{hint}")
        if b not in ("list<?>", f"list<{a}>"):
            return self._error(node, "cel-type", f"{_a(a)} cannot be in {_a(b)}")
        if isinstance(item, Attr) and node.args[1].op == "list":
            for part in node.args[1].args:
                self._known_value(item, self._quiet(part), part)
        if isinstance(items, Attr):
            self._known_value(items, item, node.args[0])
        return Call("in", (item, items), "bool")

    def _quiet(self, node: Node) -> Tree:
        return Const("string", node.value) if node.op == "string" and isinstance(node.value, str) else _UNKNOWN

    def _known_value(self, of: Tree, value: Tree, place: Node) -> None:
        """Warns where an attribute with a closed list of values is compared with one that is not on it."""
        if not (isinstance(of, Attr) and isinstance(value, Const) and isinstance(value.value, str)):
            return
        values = self.fields[of.name].values
        if values and value.value not in values:
            near = nearest(value.value, values)
            hint = f'; did you mean "{near}"?' if near else f"; one of: {', '.join(values)}"
            message = f'`{of.name}` is never "{_short(value.value)}"{hint}'
            self.problems.append(Problem(place.start, place.end, "cel-value", message, "warning"))

    def _arithmetic(self, node: Node) -> Tree:
        left, right = self._tree(node.args[0]), self._tree(node.args[1])
        a, b = type_of(left), type_of(right)
        if "?" in (a, b):
            return _UNKNOWN
        if a == b == "int":
            return Call(_ARITHMETIC[node.op], (left, right), "int")
        if node.op == "+" and a == b == "string":
            return Call("concat", (left, right), "string")
        what = "numbers, or `+` between texts" if node.op == "+" else "numbers"
        return self._error(node, "cel-type", f"`{node.op}` needs {what}, but these are {_a(a)} and {_a(b)}")

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
                return self._error(arg, "cel-unsupported", f"a list may hold texts, numbers or booleans, not {_a(kind)}")
            if kind != type_of(items[0]):
                message = f"a list holds values of one type, but this is {_a(kind)} among {_many(type_of(items[0]))}"
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
        if node.text == "size" and len(node.args) == 1:
            return self._size(node, node.args[0])
        for arg in node.args:
            self._tree(arg)
        name = Node("name", node.start, node.start + len(node.text), (), node.text)
        if node.text in METHODS or node.text in _MACROS:
            return self._error(name, "cel-unknown-function", f"`{node.text}` is written after a value: `name.{node.text}(...)`")
        return self._error(name, "cel-unknown-function", f"unknown function `{_short(node.text)}`{_near_function(node.text)}")

    def _has(self, node: Node) -> Tree:
        if len(node.args) != 1:
            return self._error(node, "cel-arguments", "`has` takes one attribute: `has(resource.owner)`")
        arg = node.args[0]
        path = _path(arg)
        if path is not None and path in self.fields:
            return Has(path)
        if path is not None and path not in self._vars:
            return self._unknown_name(arg, path)
        return self._error(arg, "cel-arguments", "`has` takes the name of an attribute: `has(resource.owner)`")

    def _size(self, node: Node, of: Node) -> Tree:
        tree = self._tree(of)
        kind = type_of(tree)
        if kind not in ("string", "?") and not kind.startswith("list"):
            return self._error(node, "cel-type", f"`size` counts a text or a list, but this is {_a(kind)}")
        return Call("size", (tree,), "int")

    def _method(self, node: Node) -> Tree:
        name, of, args = node.text, node.args[0], node.args[1:]
        if name in _MACROS:
            return self._macro(node, of, args)
        if name == "size":
            if args:
                return self._error(node, "cel-arguments", "`size()` takes no argument")
            return self._size(node, of)
        signature = METHODS.get(name)
        place = Node("name", int(node.value or 0), int(node.value or 0) + len(name), (), name)
        if signature is None:
            self._tree(of)
            return self._error(place, "cel-unknown-function", f"unknown function `{_short(name)}`{_near_function(name)}")
        types, result = signature
        trees = (self._tree(of), *(self._tree(arg) for arg in args))
        if len(trees) != len(types):
            return self._error(
                place, "cel-arguments", f"`{name}` takes {len(types) - 1 or 'no'} argument{'s'[: len(types) != 2]}"
            )
        for tree, kind, arg in zip(trees, types, node.args, strict=True):
            found = type_of(tree)
            if found not in (kind, "?"):
                hint = "; for a list use `exists`" if found.startswith("list") else ""
                return self._error(arg, "cel-type", f"`{name}` needs {_a(kind)}, but this is {_a(found)}{hint}")
        if name == "matches" and not self._good_pattern(trees[1], args[0]):
            return _UNKNOWN
        return Call(name, trees, result)

    def _good_pattern(self, tree: Tree, node: Node) -> bool:
        if type_of(tree) == "?":
            return True
        if not (isinstance(tree, Const) and isinstance(tree.value, str)):
            self._error(node, "cel-pattern", "the pattern of `matches` must be written out as a text; use `contains` for a value")
            return False
        try:
            pattern(tree.value)
        except ValueError as error:
            self._error(node, "cel-pattern", f"not an RE2 pattern: {_short(str(error))}")
            return False
        return True

    def _macro(self, node: Node, of: Node, args: tuple[Node, ...]) -> Tree:
        over = self._tree(of)
        kind = type_of(over)
        if len(args) != 2 or args[0].op != "name":
            return self._error(node, "cel-arguments", f"write `{node.text}(x, condition on x)`")
        if kind != "?" and not kind.startswith("list<"):
            return self._error(of, "cel-type", f"`{node.text}` runs over a list, but this is {_a(kind)}")
        if self._nested >= _MAX_NESTED_MACROS:
            return self._error(node, "cel-unsupported", f"`exists` and `all` may be nested {_MAX_NESTED_MACROS} deep")
        element: dict[str, Type] = {"list<string>": "string", "list<int>": "int", "list<bool>": "bool"}
        written = args[0].text
        var = Var(f"${self._count}", element.get(kind, "?"))
        self._count += 1
        outer = self._vars.get(written)
        self._vars[written] = var
        self._nested += 1
        body = self._boolean(args[1], node.text)
        self._nested -= 1
        if outer is None:
            del self._vars[written]
        else:
            self._vars[written] = outer
        return Quantified(node.text == "all", over, var, body)


def _path(node: Node) -> str | None:
    """`a.b.c` where a node is names and dots alone."""
    parts: list[str] = []
    while node.op == "select":
        parts.append(node.text)
        node = node.args[0]
    if node.op != "name":
        return None
    parts.append(node.text)
    return ".".join(reversed(parts))


def _common(a: Type, b: Type) -> Type | None:
    if a == b or b == "?":
        return a
    if a == "?":
        return b
    if a == "list<?>" and b.startswith("list"):
        return b
    if b == "list<?>" and a.startswith("list"):
        return a
    return None


def _near_function(name: str) -> str:
    if name in _NEAREST:
        return f"; the nearest that is supported: {_NEAREST[name]}"
    near = nearest(name, (*METHODS, "size", "has", *_MACROS))
    return f"; did you mean `{near}`?" if near else f"; supported: {', '.join((*METHODS, 'size', 'has', *_MACROS))}"


_WORDS: dict[str, str] = {
    "string": "a text", "int": "a number", "bool": "true or false", "list<string>": "a list of texts",
    "list<int>": "a list of numbers", "list<bool>": "a list of booleans", "list<?>": "an empty list", "?": "unknown",
}  # fmt: skip


def _a(kind: Type) -> str:
    return _WORDS[kind]


def _many(kind: Type) -> str:
    return {"string": "texts", "int": "numbers", "bool": "booleans"}.get(kind, "others")


def _mismatch(a: Type, b: Type) -> str:
    if {a, b} == {"string", "bool"}:
        return "; booleans are written true and false, without quotes"
    if {a, b} == {"string", "int"}:
        return "; numbers are written without quotes"
    return "; use `in`, `exists` or `all`" if "list" in a + b else ""


def _short(text: str) -> str:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:60])
    return shown + ("…" if len(text) > 60 else "")
