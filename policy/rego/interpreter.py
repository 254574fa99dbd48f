"""Runs the plan rego-cpp compiled a policy to, over an input of which some values are not known.

The plan is the intermediate representation OPA publishes: functions of blocks of statements; a statement that is undefined
ends its block. Here a statement can also be *open*: whether it holds hangs on something unknown. The run then goes on as if
it held, uncertain from there to the end of the block, and what was assigned meanwhile is joined with what was there before.
Every function other than these statements is asked of rego-cpp itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from policy.rego.frame import Array, Fail, Frame
from policy.rego.partial import below, replaced, same
from policy.rego.partial import partly as partly_known
from policy.rego.plan import Function, Local, Plan, Statement, rule_name
from policy.rego.values import NONE, UNDEFINED, Maybe, Members, Names, Object, Open, certain, joined, key, names_in

Builtin = Callable[[str, Sequence[Any]], Any]
"""Asks the engine for a built-in function of known arguments; UNDEFINED where it has no answer."""

MAX_DEPTH = 150
MAX_STATEMENTS = 2_000_000
NOW = frozenset(
    (
        "time.now_ns", "rand.intn", "uuid.rfc4122", "opa.runtime", "http.send", "net.lookup_ip_addr", "io.jwt.decode_verify",
        "rego.metadata.rule", "rego.metadata.chain",
    )
)  # fmt: skip
"""Built-in functions whose answer belongs to the moment and the machine."""


class Unclear(Exception):
    """The plan does what cannot be followed here, or the policy contradicts itself; the message is for people."""


class Interpreter:
    """One plan and one input; `rule` gives the value of a rule, `fired` which blocks of which functions gave one.

    `fired` maps a function and the number of its block to the names that hangs on, none where it is certain.
    """

    def __init__(self, plan: Plan, builtin: Builtin, input: Any) -> None:
        self._plan = plan
        self._builtin = builtin
        self._input = input
        self._data = Object(path="data")
        self._data.more = frozenset(("data",))
        self._held: dict[tuple[Any, ...], Any] = {}
        self._alive: list[Any] = []
        self._depth = 0
        self._left = MAX_STATEMENTS
        self.fired: dict[tuple[str, int], Names] = {}

    def rule(self, name: str) -> Any:
        """A rule's value: UNDEFINED, a value, or a Maybe. Raises Unclear."""
        try:
            return self._call(name, [self._input, self._data])
        except RecursionError:
            raise Unclear("the policy nests too deep to be followed") from None

    def _call(self, name: str, args: list[Any]) -> Any:
        function = self._plan.functions[name]
        place = (name, *map(id, args[:2]), *map(key, args[2:]))
        if place in self._held:
            return self._held[place]
        if self._depth >= MAX_DEPTH:
            raise Unclear(f"`{rule_name(name)}` calls itself, or nests too deep")
        self._depth += 1
        frame = Frame(dict(zip(function.params, args, strict=True)))
        for number, block in enumerate(function.blocks):
            frame.block = number
            self._block(block, frame, function)
        self._depth -= 1
        self._alive.append(args)
        self._held[place] = frame.result
        return frame.result

    def _block(
        self, block: Sequence[Statement], frame: Frame, function: Function, hangs: Names | None = None
    ) -> tuple[bool, bool, Names]:
        """Run to the end or to what is undefined: whether the end was reached, whether that is open, and on what it hangs.

        With `hangs` the block itself may not run.
        """
        held = frame.enter()
        if hangs is not None:
            frame.opened(hangs)
        done = True
        try:
            for statement in block:
                self._left -= 1
                if self._left < 0:
                    raise Unclear("the policy takes too many steps for one request")
                _DO[statement.kind](self, statement, frame, function)
        except Fail:
            done = False
        end = (done, frame.count > held[0], frame.names)
        frame.leave(held)
        return end

    def _gave(self, frame: Frame, function: Function, local: int) -> None:
        """Note that the block at hand gives the function's result something."""
        if local == function.result:
            place = (function.name, frame.block)
            held = self.fired.get(place)
            if held is None or held:
                self.fired[place] = frame.names if frame.count else NONE

    def _unsupported(self, one: Statement, frame: Frame, function: Function) -> None:
        raise Unclear(f"line {one.row}: `{one.kind}` of the compiled policy cannot be followed")

    def _nothing(self, one: Statement, frame: Frame, function: Function) -> None:
        pass

    def _blocks(self, one: Statement, frame: Frame, function: Function) -> None:
        for inner in one.blocks:
            self._block(inner, frame, function)

    def _not(self, one: Statement, frame: Frame, function: Function) -> None:
        done, open_, names = self._block(one.blocks[0], frame, function)
        if done and not open_:
            raise Fail
        if done:
            frame.opened(names)

    def _with(self, one: Statement, frame: Frame, function: Function) -> None:
        local = one.args["local"].number if isinstance(one.args["local"], Local) else one.args["local"]
        was = frame.values.get(local, UNDEFINED)
        frame.values[local] = replaced(was, one.args["path"], frame.read(one.args["value"]))
        done, open_, names = self._block(one.blocks[0], frame, function)
        frame.values[local] = was
        if not done:
            raise Fail
        if open_:
            frame.opened(names)

    def _scan(self, one: Statement, frame: Frame, function: Function) -> None:
        source = frame.read(Local(one.args["source"]))
        places: Any
        match source:
            case Open():
                places = ()
            case Members():
                places = [(member, member) for member in source]
            case Object():
                places = list(source.items())
            case list():
                places = list(enumerate(source))
            case _:
                raise Fail
        for name, value in places:
            frame.values[one.args["key"]], frame.values[one.args["value"]] = name, value
            self._block(one.blocks[0], frame, function, value.names if isinstance(value, Open) and value.path else None)
        more = source.names if isinstance(source, Open) else getattr(source, "more", NONE)
        if more:
            frame.values[one.args["key"]] = frame.values[one.args["value"]] = Open(more)
            self._block(one.blocks[0], frame, function, more)

    def _call_rule(self, one: Statement, frame: Frame, function: Function) -> None:
        name, args = one.args["func"], [frame.read(operand) for operand in one.args["args"]]
        if name in self._plan.functions:
            self._take(self._call(name, args), one, frame)
        else:
            self._call_builtin(name, args, one, frame)

    def _take(self, value: Any, one: Statement, frame: Frame) -> None:
        if value is UNDEFINED:
            raise Fail
        if isinstance(value, Maybe):
            frame.opened(value.names)
            value = value.value
        frame.values[one.args["result"]] = value

    def _call_builtin(self, name: str, args: list[Any], one: Statement, frame: Frame) -> None:
        value: Any
        names = NONE.union(*map(names_in, args))
        if name in NOW:
            names |= {f"{name}()"}
            value = Open(names)
        elif names:
            value = partly_known(name, args, names)
            names = names_in(value)
        else:
            value = self._builtin(name, args)
        if value is UNDEFINED:
            raise Fail
        if names:
            frame.opened(names)
        frame.values[one.args["result"]] = value

    def _call_dynamic(self, one: Statement, frame: Frame, function: Function) -> None:
        path = [frame.read(operand) for operand in one.args["path"]]
        names = NONE.union(*map(names_in, path))
        name = f"g0.{'.'.join(map(str, path))}"
        if names:
            value: Any = Maybe(Open(names), names)
        elif name in self._plan.functions:
            value = self._call(name, [frame.read(operand) for operand in one.args["args"]])
        else:
            names = frozenset((".".join(map(str, path)),))
            value = Maybe(Open(names), names)
        self._take(value, one, frame)

    def _dot(self, one: Statement, frame: Frame, function: Function) -> None:
        source, name = frame.read(one.args["source"]), frame.read(one.args["key"])
        value: Any = UNDEFINED
        if isinstance(source, Open):
            value = below(source.path, name, source.names)
        elif isinstance(name, Open):
            if isinstance(source, Object | list | Members):
                value = Open(name.names | names_in(source))
        elif isinstance(source, Object):
            value = source.find(name)
            if value is UNDEFINED and source.more:
                value = below(source.path, name, source.more)
        elif isinstance(source, Members):
            if name in source and certain(name):
                value = name
            elif source.more or not certain(name):
                frame.opened(source.more | names_in(name))
                value = name
        elif isinstance(source, list) and isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(source):
            value = source[name]
        if value is UNDEFINED:
            raise Fail
        if isinstance(value, Open):
            frame.opened(value.names)
        frame.values[one.args["target"]] = value

    def _equal(self, one: Statement, frame: Frame, function: Function) -> None:
        equal = same(frame.read(one.args["a"]), frame.read(one.args["b"]))
        if equal is False:
            raise Fail
        if equal is not True:
            frame.opened(equal)

    def _not_equal(self, one: Statement, frame: Frame, function: Function) -> None:
        equal = same(frame.read(one.args["a"]), frame.read(one.args["b"]))
        if equal is True:
            raise Fail
        if equal is not False:
            frame.opened(equal)

    def _assign(self, one: Statement, frame: Frame, function: Function) -> None:
        frame.values[one.args["target"]] = frame.read(one.args["source"])

    def _assign_once(self, one: Statement, frame: Frame, function: Function) -> None:
        value, target = frame.read(one.args["source"]), one.args["target"]
        was = frame.values.get(target, UNDEFINED)
        if was is not UNDEFINED:
            names = frame.names | names_in(was)
            value = joined(was.value if isinstance(was, Maybe) else was, value, names)
            if isinstance(value, Open) and not value.names:
                raise Unclear(f"`{rule_name(function.name)}` has two values at once")
        frame.values[target] = value
        self._gave(frame, function, target)

    def _is_defined(self, one: Statement, frame: Frame, function: Function) -> None:
        frame.read(_local(one))

    def _is_undefined(self, one: Statement, frame: Frame, function: Function) -> None:
        local = _local(one).number
        value = frame.values.get(local, UNDEFINED)
        if isinstance(value, Maybe):
            frame.opened(value.names)
            frame.values[local] = UNDEFINED
        elif value is not UNDEFINED:
            raise Fail

    def _is_kind(self, one: Statement, frame: Frame, function: Function) -> None:
        value = frame.read(_local(one))
        if isinstance(value, Open):
            frame.opened(value.names)
        elif not isinstance(value, _KINDS[one.kind]):
            raise Fail

    def _length(self, one: Statement, frame: Frame, function: Function) -> None:
        value = frame.read(_local(one))
        names = names_in(value)
        frame.values[one.args["target"]] = Open(names) if names else len(value)

    def _reset(self, one: Statement, frame: Frame, function: Function) -> None:
        frame.values[one.args["target"]] = UNDEFINED

    def _return(self, one: Statement, frame: Frame, function: Function) -> None:
        value = frame.read(_local(one))
        frame.result = joined(frame.result, value, frame.names) if frame.count else value

    def _make(self, one: Statement, frame: Frame, function: Function) -> None:
        made: Any
        match one.kind:
            case "MakeSetStmt":
                made = Members(frame.count)
            case "MakeObjectStmt":
                made = Object(frame.count)
            case "MakeArrayStmt":
                made = Array(frame.count)
            case "MakeNullStmt":
                made = None
            case "MakeNumberRefStmt":
                made = one.args["number"]
            case _:
                made = one.args["value"]
        frame.values[one.args["target"]] = made

    def _append(self, one: Statement, frame: Frame, function: Function) -> None:
        value, array = frame.read(one.args["value"]), frame.read(Local(one.args["array"]))
        if not isinstance(array, Array):
            return  # open already: what more is in it changes nothing
        if frame.count > array.born:
            frame.values[one.args["array"]] = Open(frame.names)
        else:
            array.append(value)

    def _add(self, one: Statement, frame: Frame, function: Function) -> None:
        value, members = frame.read(one.args["value"]), frame.read(Local(one.args["set"]))
        if not isinstance(members, Members):
            return
        names = names_in(value)
        if frame.count > members.born or names:
            if names or value not in members:
                members.more |= frame.names | names
        else:
            members.add(value)
        self._gave(frame, function, one.args["set"])

    def _insert(self, one: Statement, frame: Frame, function: Function) -> None:
        name, value = frame.read(one.args["key"]), frame.read(one.args["value"])
        held = frame.read(Local(one.args["object"]))
        if not isinstance(held, Object):
            return
        was = UNDEFINED if isinstance(name, Open) else held.find(name)
        uncertain = frame.count > held.born
        if not certain(name) or (uncertain and was is UNDEFINED):
            held.more |= frame.names | names_in(name) | names_in(value)
        elif was is UNDEFINED:
            held.put(name, value)
        else:
            equal = same(was, value)
            if equal is False and not uncertain and one.kind == "ObjectInsertOnceStmt":
                raise Unclear(f"`{rule_name(function.name)}` has two values for one key")
            if equal is not True:
                names = frame.names | names_in(was) | names_in(value)
                held.put(name, value if not uncertain and one.kind == "ObjectInsertStmt" else Open(names))
        self._gave(frame, function, one.args["object"])

    def _merge(self, one: Statement, frame: Frame, function: Function) -> None:
        a, b = frame.read(Local(one.args["a"])), frame.read(Local(one.args["b"]))
        names = names_in(a) | names_in(b)
        if not names:
            raise Unclear(f"line {one.row}: a document that is made of rules and data cannot be followed")
        frame.opened(names)
        frame.values[one.args["target"]] = Open(names)


def _local(one: Statement) -> Local:
    source = one.args["source"]
    return source if isinstance(source, Local) else Local(source)


_KINDS = {"IsArrayStmt": list, "IsObjectStmt": Object, "IsSetStmt": Members}
_I = Interpreter
_DO: dict[str, Callable[[Interpreter, Statement, Frame, Function], None]] = {
    "ArrayAppendStmt": _I._append,
    "AssignIntStmt": _I._make,
    "AssignVarOnceStmt": _I._assign_once,
    "AssignVarStmt": _I._assign,
    "BlockStmt": _I._blocks,
    "BreakStmt": _I._unsupported,
    "CallDynamicStmt": _I._call_dynamic,
    "CallStmt": _I._call_rule,
    "DotStmt": _I._dot,
    "EqualStmt": _I._equal,
    "IsArrayStmt": _I._is_kind,
    "IsDefinedStmt": _I._is_defined,
    "IsObjectStmt": _I._is_kind,
    "IsSetStmt": _I._is_kind,
    "IsUndefinedStmt": _I._is_undefined,
    "LenStmt": _I._length,
    "MakeArrayStmt": _I._make,
    "MakeNullStmt": _I._make,
    "MakeNumberIntStmt": _I._make,
    "MakeNumberRefStmt": _I._make,
    "MakeObjectStmt": _I._make,
    "MakeSetStmt": _I._make,
    "NopStmt": _I._nothing,
    "NotEqualStmt": _I._not_equal,
    "NotStmt": _I._not,
    "ObjectInsertOnceStmt": _I._insert,
    "ObjectInsertStmt": _I._insert,
    "ObjectMergeStmt": _I._merge,
    "ResetLocalStmt": _I._reset,
    "ReturnLocalStmt": _I._return,
    "ScanStmt": _I._scan,
    "SetAddStmt": _I._add,
    "WithStmt": _I._with,
}
