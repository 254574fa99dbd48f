"""The process that runs rego-cpp: it may take forever or end, and then only this process does.

One JSON line asks, one JSON line answers: `load` compiles a policy, `run` answers requests under it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from policy.rego.interpreter import Interpreter, Unclear
from policy.rego.plan import Plan
from policy.rego.values import UNDEFINED, Maybe, Members, Object, Open, key, known, names_in, plain

MEMORY = 1 << 30
"""Bytes of memory the process may use."""
HELD = 4
"""Policies kept compiled."""
_HELD_ANSWERS = 100_000


def _watched() -> None:
    """Ends the process when it holds too much. The engine's allocator reserves so much that a limit of the system's would not do.

    What counts is what it holds now: the peak the system keeps for a process is taken over from the one that started it.
    """
    from psutil import Process

    mine = Process()
    while mine.memory_info().rss < MEMORY:
        time.sleep(0.05)
    os._exit(1)


def main() -> None:
    """Answers until its input ends. The engine prints to both outputs of the process, so answers go out by another."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    threading.Thread(target=_watched, daemon=True).start()
    sys.setrecursionlimit(20_000)
    threading.stack_size(512 << 20)
    thread = threading.Thread(target=_serve, args=(answers,))
    thread.start()
    thread.join()


def _serve(answers: Any) -> None:
    import regopy

    held: dict[str, Compiled] = {}
    builtins = Builtins(regopy)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if "load" in asked:
                while len(held) >= HELD:
                    held.pop(next(iter(held)))
                made = held[asked["load"]] = Compiled(regopy, builtins, asked["text"], asked["entries"], asked["fields"])
                told: Any = {"plan": made.document}
            else:
                told = {"answers": [held[asked["run"]].answer(one) for one in asked["requests"]]}
        except Refused as error:
            told = {"error": str(error)}
        answers.write(json.dumps(told) + "\n")
        answers.flush()


class Refused(Exception):
    """The engine does not take a policy; the message is its own."""


class Compiled:
    """One policy as the engine runs it and as we follow it."""

    def __init__(self, regopy: Any, builtins: Builtins, text: str, entries: list[str], fields: list[str]) -> None:
        self._regopy = regopy
        self._entries, self._fields = entries, fields
        self._engine = regopy.Interpreter()
        try:
            self._engine.add_module("policy.rego", text)
            self._bundle = self._engine.build(None, entries)
            if not self._bundle.ok():
                raise Refused("the engine cannot compile this and does not say where; is a rule both a value and a set?")
            with tempfile.TemporaryDirectory() as folder:
                self._engine.save_bundle(folder, self._bundle)
                self.document = json.loads((Path(folder) / "plan.json").read_text("utf-8"))
        except (regopy.RegoError, ValueError, OSError) as error:
            raise Refused(str(error)[:20_000]) from None
        self._plan = Plan(self.document)
        self._builtins = builtins

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What each entry comes to (left out where undefined), and what gave it that; `error` where it cannot be told."""
        stated = asked["input"]
        run = Interpreter(self._plan, self._builtins, partly_known(stated, asked.get("masked", ()), self._fields))
        values: dict[str, Any] = {}
        try:
            for entry in self._entries:
                name = f"g0.data.{entry.replace('/', '.')}"
                found = run.rule(name) if name in self._plan.functions else UNDEFINED
                if isinstance(found, Maybe):
                    values[entry] = {"maybe": sorted(found.names), "value": plain(found.value)}
                    continue
                if not names_in(found):
                    self._confirm(stated, entry, found)
                if found is not UNDEFINED:
                    values[entry] = {"value": plain(found)}
        except Unclear as error:
            return {"error": str(error)}
        return {"values": values, "fired": [[name, block, sorted(names)] for (name, block), names in run.fired.items()]}

    def _confirm(self, stated: Any, entry: str, found: Any) -> None:
        """Ask the engine too, of the request as it stands: what is certain holds where nothing else is there. Raises Unclear."""
        rule = entry.rpartition("/")[2]
        try:
            self._engine.set_input(given(stated))
            output = self._engine.query_bundle_entrypoint(self._bundle, entry)
        except (self._regopy.RegoError, ValueError) as error:
            raise Unclear(f"the engine gives no answer for `{rule}`: {str(error)[:200]}") from None
        if not output.ok():
            told = re.search(r"errormsg \d+:([^\n]*?)\)", str(output.node()))
            raise Unclear(f"the engine gives no answer for `{rule}`: {told.group(1) if told else 'an error'}")
        results = output.results[0].expressions if output.results else []
        same = not results if found is UNDEFINED else bool(results) and _normal(known(results[0])) == _normal(found)
        if not same:
            raise Unclear(f"the engine and the reading of its plan disagree about `{rule}`")


def given(value: Any) -> Any:
    """A value as the engine takes it: it wants texts with their escapes, and does not write them itself."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if isinstance(value, Members):
        members = Members()
        for one in value:
            members.add(given(one))
        return members
    if isinstance(value, Mapping):
        out = Object()
        for name, inner in value.items():
            out.put(given(name), given(inner))
        return out
    return [given(inner) for inner in value] if isinstance(value, list | tuple) else value


def _normal(value: Any) -> Any:
    """A value with lists and sets alike in an order of their own, as the engine's JSON does not tell them apart."""
    if isinstance(value, list | Members):
        return sorted(map(_normal, value), key=repr)
    if isinstance(value, Object):
        return sorted(([_name(name), _normal(inner)] for name, inner in value.items()), key=repr)
    return key(value)


def _name(name: Any) -> Any:
    """A key that is no text comes from the engine as a text of JSON."""
    if isinstance(name, str) and name[:1] in ("{", "["):
        try:
            return _normal(known(json.loads(name)))
        except ValueError:
            return name
    return name if isinstance(name, str) else _normal(name) if isinstance(name, list | Members | Object) else str(name)


def partly_known(stated: Any, masked: Sequence[Sequence[str]], fields: Sequence[str]) -> Any:
    """An input as a value: what is not stated of `fields` is open, and so is whatever no field is; with `masked` nothing else is."""
    root = known(stated)
    if not fields:
        for path in masked:
            _open_at(root, path)
        return root if all(masked) else Open(frozenset(("input",)), "input")
    root.more = frozenset(("input",))
    for field in fields:
        at, path = root, field.split(".")
        for number, step in enumerate(path[:-1], 1):
            inner = at.find(step)
            if inner is UNDEFINED:
                inner = Object()
                at.put(step, inner)
            inner.path = ".".join(path[:number])
            inner.more = frozenset((f"{inner.path}.*",))
            at = inner
        if at.find(path[-1]) is UNDEFINED:
            at.put(path[-1], Open(frozenset((field,)), field))
    root.path = "input"
    return root


def _open_at(value: Any, path: Sequence[str]) -> None:
    """Take what stands at a path for unknown; a path that leads nowhere was erased with what held it."""
    for number, step in enumerate(path):
        name = "input." + ".".join(path[: number + 1])
        inner = _inside(value, step)
        last = number == len(path) - 1
        if last or not isinstance(inner, Object | list):
            if last or inner is UNDEFINED:
                name = "input." + ".".join(path)
            if isinstance(value, Object):
                value.put(step, Open(frozenset((name,)), name))
            elif inner is not UNDEFINED:
                value[int(step)] = Open(frozenset((name,)), name)
            return
        value = inner


def _inside(value: Any, step: str) -> Any:
    if isinstance(value, Object):
        return value.find(step)
    return value[int(step)] if step.isdecimal() and int(step) < len(value) else UNDEFINED


class Builtins:
    """The engine's functions, each in a bundle of its own; what was answered once is remembered."""

    def __init__(self, regopy: Any) -> None:
        self._regopy = regopy
        self._held: dict[str, tuple[Any, Any]] = {}
        self._answers: dict[Any, Any] = {}

    def __call__(self, name: str, args: Sequence[Any]) -> Any:
        place = (name, *map(key, args))
        if place not in self._answers:
            if len(self._answers) >= _HELD_ANSWERS:
                self._answers.clear()
            self._answers[place] = self._ask(name, args)
        return self._answers[place]

    def _ask(self, name: str, args: Sequence[Any]) -> Any:
        quick = _QUICK.get(name)
        if quick is not None and all(type(one) is str for one in args):
            return quick(*args)
        if name not in self._held:
            engine = self._regopy.Interpreter()
            inputs = ", ".join(f"input[{number}]" for number in range(len(args)))
            engine.add_module("asked.rego", f"package asked\n\nanswer := {name}({inputs})\n")
            self._held[name] = (engine, engine.build(None, ["asked/answer"]))
        engine, bundle = self._held[name]
        try:
            engine.set_input(given(list(args)))
            output = engine.query_bundle_entrypoint(bundle, "asked/answer")
            # Asking an undefined output for its expressions ends the process.
            if not output.ok() or not output.results or not output.results[0].expressions:
                return UNDEFINED
            return _value(self._regopy, output.expressions().at(0))
        except (self._regopy.RegoError, ValueError) as error:
            raise Unclear(f"`{name}` gives no answer: {str(error)[:200]}") from None


_QUICK = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}


def _value(regopy: Any, node: Any) -> Any:
    """A node of the engine's answer as a value."""
    kinds = regopy.NodeKind
    while node.kind in (kinds.Term, kinds.Scalar):
        node = node.at(0)
    if node.kind == kinds.Array:
        return [_value(regopy, node.at(number)) for number in range(len(node))]
    if node.kind == kinds.Set:
        members = Members()
        for one in node:
            members.add(_value(regopy, node._children[one]))
        return members
    if node.kind == kinds.Object:
        out = Object()
        for name in node:
            out.put(known(json.loads(name)), _value(regopy, node._children[name]))
        return out
    # The node's own `value` takes every truth value for false.
    return json.loads(node.json(), strict=False)
