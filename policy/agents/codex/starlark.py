"""The language of `.rules` files: Starlark, read with Python's own parser, narrowed to Starlark and evaluated within bounds.

Nothing of a file is run by Python: its tree is walked, and what Starlark refuses is refused here. What Starlark allows
but this walk does not know, or what takes too long, is said to be not modelled, which is something else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn

from policy.agents.codex import starlark_library as library
from policy.agents.codex import starlark_values as values
from policy.agents.codex.starlark_syntax import Place, Refused, Unmodelled, parse, place_of

_STEPS = 500_000
"""So many nodes are walked for one file; a longer run is not modelled."""
_CALLS = 50
_MADE = 10
"""So many parts or characters of a new value cost a step."""
Native = Callable[[ast.Call, list[object], dict[str, object]], object]


class _Return(Exception):
    def __init__(self, value: object) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Function:
    """A function or lambda of the file, with the names around it."""

    __slots__ = ("arguments", "body", "defaults", "name", "scope")

    def __init__(self, node: ast.FunctionDef | ast.Lambda, scope: list[dict[str, object]], defaults: list[object]) -> None:
        self.name = node.name if isinstance(node, ast.FunctionDef) else "lambda"
        self.arguments, self.body, self.scope, self.defaults = node.args, node.body, scope, defaults


class Evaluator:
    """Runs one file. `natives` are the functions it may call besides those of Starlark; they are given their call's node."""

    def __init__(self, text: str, natives: Mapping[str, Native]) -> None:
        self.tree, self.lines = parse(text)
        self.natives = natives
        self.steps = 0
        self.depth = 0
        self.globals: dict[str, object] = {}
        self.scopes: list[dict[str, object]] = [self.globals]

    def run(self) -> None:
        """Raises Refused or Unmodelled; what the natives were called with before stands."""
        known = {*self.natives, *library.FUNCTIONS, *library.UNMODELLED, "typing", *_bound(self.tree)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id not in known:
                raise Refused(f"no `{node.id}` here", self.place(node))
        try:
            self._block(self.tree.body)
        except RecursionError:
            raise Unmodelled("the file is nested too deep") from None

    def place(self, node: ast.AST) -> Place:
        return place_of(node, self.lines)

    def _refuse(self, message: str, node: ast.AST) -> NoReturn:
        raise Refused(message, self.place(node))

    # -- statements

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for node in body:
            self._statement(node)

    def _statement(self, node: ast.stmt) -> None:
        self._step()
        match node:
            case ast.Expr():
                self._eval(node.value)
            case ast.Assign():
                self._assign(node.targets[0], self._eval(node.value))
            case ast.AnnAssign():
                if node.value is not None:
                    self._assign(node.target, self._eval(node.value))
            case ast.AugAssign():
                self._augmented(node)
            case ast.If():
                self._block(node.body if values.truth(self._eval(node.test)) else node.orelse)
            case ast.For():
                for item in self._iterated(node.iter):
                    self._assign(node.target, item)
                    try:
                        self._block(node.body)
                    except _Continue:
                        continue
                    except _Break:
                        break
            case ast.FunctionDef():
                self.scopes[-1][node.name] = self._function(node)
            case ast.Return():
                raise _Return(self._eval(node.value) if node.value is not None else None)
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue

    def _assign(self, target: ast.expr, value: object) -> None:
        match target:
            case ast.Name():
                self.scopes[-1][target.id] = value
            case ast.Tuple() | ast.List():
                items = list(self._items(value, target))
                if len(items) != len(target.elts):
                    self._refuse(f"{len(items)} values for {len(target.elts)} names", target)
                for inner, item in zip(target.elts, items, strict=True):
                    self._assign(inner, item)
            case ast.Subscript():
                held, key = self._eval(target.value), self._eval(target.slice)
                self._tried(target, values.set_item, held, key, value, through=(key,))
            case _:
                self._refuse("cannot be assigned to", target)

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        read: ast.expr = ast.Name(target.id, ast.Load()) if isinstance(target, ast.Name) else target
        ast.copy_location(read, target)
        held, added = self._eval(read), self._eval(node.value)
        if isinstance(held, list) and isinstance(node.op, ast.Add):
            held.extend(list(self._items(added, node)))
            self._tried(node, values.bounded, held)
        else:
            self._assign(target, self._tried(node, values.binary, type(node.op).__name__, held, added, through=(held, added)))

    # -- expressions

    def _step(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > _STEPS:
            raise Unmodelled(f"the file runs longer than {_STEPS} steps")

    def _tried(self, node: ast.AST, work: Callable[..., object], *given: object, through: Sequence[object] = ()) -> object:
        """One operation, charged for `through`, all that it goes through, and for what it makes."""
        for value in through:
            self._step(values.weight(value, _STEPS))
        try:
            made = work(*given)
        except values.Wrong as error:
            self._refuse(str(error), node)
        except values.TooMuch as error:
            raise Unmodelled(str(error)) from None
        if isinstance(made, str | list | tuple | dict):
            self._step(len(made) // _MADE)
        return made

    def _items(self, value: object, node: ast.AST) -> Iterator[object]:
        if not isinstance(value, list | tuple | dict | range):
            self._refuse(f"a {values.type_name(value)} cannot be gone through", node)
        size = len(value)
        for item in list(value) if not isinstance(value, range) else value:
            self._step()
            yield item
            if len(value) != size:
                self._refuse("it is changed while it is gone through", node)

    def _iterated(self, node: ast.expr) -> Iterator[object]:
        return self._items(self._eval(node), node)

    def _eval(self, node: ast.expr) -> object:
        self._step()
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self._name(node)
            case ast.List():
                return [self._eval(item) for item in node.elts]
            case ast.Tuple():
                return tuple(self._eval(item) for item in node.elts)
            case ast.Dict():
                return self._dict(node)
            case ast.JoinedStr():
                return self._joined(node)
            case ast.BoolOp():
                return self._either(node)
            case ast.IfExp():
                return self._eval(node.body if values.truth(self._eval(node.test)) else node.orelse)
            case ast.UnaryOp():
                return self._tried(node, values.unary, type(node.op).__name__, self._eval(node.operand))
            case ast.BinOp():
                left, right = self._eval(node.left), self._eval(node.right)
                return self._tried(node, values.binary, type(node.op).__name__, left, right, through=(left, right))
            case ast.Compare():
                left, right = self._eval(node.left), self._eval(node.comparators[0])
                return self._tried(node, values.compared, type(node.ops[0]).__name__, left, right, through=(left, right))
            case ast.Subscript():
                return self._subscript(node)
            case ast.Lambda():
                return self._function(node)
            case ast.ListComp():
                made: list[object] = []
                self._comprehension(node.generators, lambda: made.append(self._eval(node.elt)))
                return made
            case ast.DictComp():
                held: dict[object, object] = {}
                key, item = node.key, node.value
                self._comprehension(node.generators, lambda: held.__setitem__(self._key(node, key), self._eval(item)))
                return held
            case ast.Call():
                return self._call(node)
            case ast.Attribute():
                if not library.has_method(self._eval(node.value), node.attr):
                    self._refuse(f"no `.{node.attr}` here", node)
                raise Unmodelled(f"`.{node.attr}` without a call")
            case _:
                raise Refused("not Starlark", self.place(node))

    def _name(self, node: ast.Name) -> object:
        for scope in reversed(self.scopes):
            if node.id in scope:
                return scope[node.id]
        if node.id in library.UNMODELLED:
            raise Unmodelled(f"`{node.id}` is not modelled")
        found = self.natives.get(node.id) or library.FUNCTIONS.get(node.id)
        if found is None:
            self._refuse(f"`{node.id}` is used before it is set", node)
        return found

    def _dict(self, node: ast.Dict) -> dict[object, object]:
        held: dict[object, object] = {}
        for name, item in zip(node.keys, node.values, strict=True):
            key = self._key(node, name)
            if key in held:
                self._refuse(f"the key {values.shown(key)} stands twice", node)
            held[key] = self._eval(item)
        return held

    def _key(self, node: ast.expr, written: ast.expr | None) -> object:
        value = self._eval(written) if written is not None else None
        return self._tried(node, values.key, value, through=(value,))

    def _joined(self, node: ast.JoinedStr) -> object:
        parts: list[str] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self._eval(part.value)
                self._step(values.weight(value, _STEPS))
                parts.append(values.shown(value) if part.conversion == ord("r") else values.text(value))
            elif isinstance(part, ast.Constant):
                parts.append(str(part.value))
        return self._tried(node, values.bounded, "".join(parts))

    def _either(self, node: ast.BoolOp) -> object:
        value: object = None
        for item in node.values:
            value = self._eval(item)
            if values.truth(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _subscript(self, node: ast.Subscript) -> object:
        held = self._eval(node.value)
        if isinstance(node.slice, ast.Slice):
            cut = node.slice
            ends = [self._eval(end) if end is not None else None for end in (cut.lower, cut.upper, cut.step)]
            return self._tried(node, values.sliced, held, *ends, through=(held,) if isinstance(held, range) else ())
        index = self._eval(node.slice)
        return self._tried(node, values.item, held, index, through=(index,))

    def _comprehension(self, generators: Sequence[ast.comprehension], made: Callable[[], None]) -> None:
        self.scopes.append({})
        try:
            self._generated(generators, made)
        finally:
            self.scopes.pop()

    def _generated(self, generators: Sequence[ast.comprehension], made: Callable[[], None]) -> None:
        if not generators:
            made()
            return
        first, *rest = generators
        for item in self._iterated(first.iter):
            self._assign(first.target, item)
            if all(values.truth(self._eval(test)) for test in first.ifs):
                self._generated(rest, made)

    # -- calls

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> Function:
        defaults = [self._eval(default) for default in node.args.defaults]
        defaults += [self._eval(default) if default is not None else values.NOTHING for default in node.args.kw_defaults]
        return Function(node, list(self.scopes), defaults)

    def _call(self, node: ast.Call) -> object:
        if isinstance(node.func, ast.Attribute):
            held = self._eval(node.func.value)
            given, named = self._given(node)
            through = [*given, *named.values()] + ([held] if library.goes_through(held, node.func.attr) else [])
            return self._tried(node, library.method, held, node.func.attr, given, named, through=through)
        called = self._eval(node.func)
        given, named = self._given(node)
        return self.apply(node, called, given, named)

    def _given(self, node: ast.Call) -> tuple[list[object], dict[str, object]]:
        given: list[object] = []
        named: dict[str, object] = {}
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                given.extend(self._iterated(argument.value))
            else:
                given.append(self._eval(argument))
        for keyword in node.keywords:
            value = self._eval(keyword.value)
            more = {keyword.arg: value} if keyword.arg is not None else value
            if not isinstance(more, dict):
                self._refuse("what stands after `**` is a dict", node)
            for name, item in more.items():
                if name in named:
                    self._refuse(f"`{name}` is given twice", node)
                named[str(name)] = item
        return given, named

    def apply(self, node: ast.Call, called: object, given: list[object], named: dict[str, object]) -> object:
        """Calls one thing of the language."""
        if isinstance(called, Function):
            return self._run(node, called, given, named)
        if not callable(called):
            self._refuse(f"a {values.type_name(called)} cannot be called", node)
        if called in self.natives.values():
            return called(node, given, named)

        def inner(function: object, *arguments: object) -> object:
            return self.apply(node, function, list(arguments), {})

        return self._tried(
            node, called, inner, given, named, through=() if called is library.FUNCTIONS["len"] else (given, named)
        )

    def _run(self, node: ast.Call, function: Function, given: list[object], named: dict[str, object]) -> object:
        names = function.arguments
        plain = [argument.arg for argument in names.posonlyargs + names.args]
        if len(given) > len(plain) and names.vararg is None:
            self._refuse(f"`{function.name}` takes {len(plain)} values, not {len(given)}", node)
        held: dict[str, object] = dict(zip(plain, given, strict=False))
        if names.vararg is not None:
            held[names.vararg.arg] = tuple(given[len(plain) :])
        more: dict[object, object] = {}
        every = plain + [argument.arg for argument in names.kwonlyargs]
        for name, value in named.items():
            if name in every and name not in held:
                held[name] = value
            elif names.kwarg is not None and name not in every:
                more[name] = value
            else:
                self._refuse(f"`{function.name}` does not take `{name}` here", node)
        if names.kwarg is not None:
            held[names.kwarg.arg] = more
        late = plain[len(plain) - len(names.defaults) :] + [argument.arg for argument in names.kwonlyargs]
        for name, value in zip(late, function.defaults, strict=True):
            if value is not values.NOTHING:
                held.setdefault(name, value)
        for name in every:
            if name not in held:
                self._refuse(f"`{function.name}` needs `{name}`", node)
        return self._within(node, function, held)

    def _within(self, node: ast.Call, function: Function, held: dict[str, object]) -> object:
        if self.depth >= _CALLS:
            self._refuse("too many calls within calls", node)
        outer, self.scopes = self.scopes, [*function.scope, held]
        self.depth += 1
        try:
            if isinstance(function.body, ast.expr):
                return self._eval(function.body)
            self._block(function.body)
        except _Return as returned:
            return returned.value
        finally:
            self.scopes = outer
            self.depth -= 1
        return None


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that a file sets anywhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
