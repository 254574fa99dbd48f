"""A policy as Rego for OPA: `data.remit.decision` is deny, ask or allow, `data.remit.rules` the rules that match."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Var, type_of
from lang.counted import count
from policy.export.base import Exported, Places, Unexportable, comment, surviving
from policy.export.charclass import characters
from policy.model import Policy, Rule

_ORDER = frozenset({"==", "!=", "<", "<=", ">", ">="})
_OPPOSITE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_TESTS = {"startsWith": "startswith", "endsWith": "endswith", "contains": "contains"}
_STRANGE = re.compile(r"\\[^\WnrtdwsDWSb]|\(\?|\[\[")
_HEAD = """package remit

default decision := {default}

decision := "deny" if {{
	some rule in rules
	effects[rule] == "deny"
}} else := "ask" if {{
	some rule in rules
	effects[rule] == "ask"
}} else := "allow" if {{
	some rule in rules
	effects[rule] == "allow"
}}

effects := {effects}

reasons := {reasons}
"""


class Rego:
    """See `policy.export.base.Target`."""

    id = "rego"
    title = "Rego for OPA"
    file = "policy.rego"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        kept, refused = surviving(policy, place, lambda rule: _Rule(rule).text())
        effects = {rule.id: rule.effect for rule, _ in kept}
        reasons = {rule.id: rule.reason for rule, _ in kept if rule.reason}
        head = _HEAD.format(
            default=json.dumps("deny" if refused else policy.default), effects=_object(effects), reasons=_object(reasons)
        )
        # Without a rule the set would not be there at all.
        body = [text for _, text in kept] or ["rules contains rule if {\n\tsome rule in []\n}\n"]
        notes = (
            "the input is a request as `remit policy schema` nests it",
            "a rule does not match where the input lacks an attribute it needs: send every attribute the policy names",
        )
        said = comment("#", [f"{policy.name or 'policy'}: exported, {count(len(kept), 'rule')}"]) + head + "\n" + "\n".join(body)
        return Exported(said, tuple(refused), notes)


def _object(values: Mapping[str, str]) -> str:
    """A Rego object, one name a line."""
    if not values:
        return "{}"
    return "{\n" + "".join(f"\t{_text(name)}: {_text(value)},\n" for name, value in values.items()) + "}"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else json.dumps(text)


class _Rule:
    """One rule, with a helper for every alternative inside it: a body in Rego is a conjunction.

    A condition is written so that its body holds where it is certainly true: `!` is pushed down to the comparisons, each of
    which is undefined where the input lacks what it reads.
    """

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._name = "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in rule.id)
        self._helpers: list[str] = []
        self._runs = 0

    def text(self) -> str:
        body = self._body(self._rule.tree, True)
        head = comment("#", [self._rule.reason] if self._rule.reason else [])
        return head + f"rules contains {_text(self._rule.id)} if {_block(body)}\n" + "".join(self._helpers)

    def _body(self, tree: Tree, holds: bool) -> list[str]:
        """Expressions that all hold where the tree certainly is what `holds` says."""
        match tree:
            case Const(_, bool(value)):
                return ["true" if value is holds else "false"]
            case Attr(name, "bool"):
                return [f"{_path(name)} == {'true' if holds else 'false'}"]
            case Has(name):
                keys = json.dumps(name.split("."))
                return [f"object.get(input, {keys}, null) {'!=' if holds else '=='} null"]
            case Not(of):
                return self._body(of, not holds)
            case And(parts) | Or(parts):
                if isinstance(tree, And) is holds:
                    return [line for one in parts for line in self._body(one, holds)]
                return [self._helper([self._body(one, holds) for one in parts])]
            case Cond(test, yes, no, "bool"):
                chosen = [self._body(test, True) + self._body(yes, holds), self._body(test, False) + self._body(no, holds)]
                return [self._helper(chosen)]
            case Quantified():
                return self._quantified(tree, holds)
            case Call("matches", (text, Const(_, str(pattern))), _):
                return self._matches(_value(text), pattern, holds)
            case Call(fn, args, _):
                return [self._test(fn, args, holds)]
        raise Unexportable("Rego has no such condition here")

    def _helper(self, bodies: list[list[str]], head: str = "") -> str:
        name = f"any_{self._name}_{len(self._helpers) + 1}{head}"
        self._helpers.append("")
        place = len(self._helpers) - 1
        self._helpers[place] = "".join(f"\n{name} if {_block(body)}\n" for body in bodies)
        return name

    def _test(self, fn: str, args: tuple[Tree, ...], holds: bool) -> str:
        if fn in _ORDER:
            kinds = {type_of(one) for one in args}
            if fn not in ("==", "!=") and kinds != {"int"}:
                raise Unexportable("Rego orders texts and times by another rule; compare whole numbers")
            if not kinds <= {"string", "int", "bool"}:
                raise Unexportable("lists, durations and times are compared by another rule in Rego")
            return f"{_value(args[0])} {fn if holds else _OPPOSITE[fn]} {_value(args[1])}"
        if fn == "in":
            said = f"{_value(args[0])} in {_value(args[1])}"
            return said if holds else f"false == ({said})"
        if fn in _TESTS:
            said = f"{_TESTS[fn]}({_value(args[0])}, {_value(args[1])})"
        else:
            raise Unexportable(f"Rego has nothing that does exactly what `{fn}` does")
        return said if holds else f"false == {said}"

    def _matches(self, text: str, pattern: str, holds: bool) -> list[str]:
        """A class of characters is looked for one by one: engines differ in the escapes they know inside one."""
        chars = characters(pattern)
        if chars is not None:
            self._runs += 1
            one, listed = f"char_{self._runs}", ", ".join(map(_text, chars))
            if holds:
                return [f"some {one} in [{listed}]", f"contains({text}, {one})"]
            return [f"every {one} in [{listed}] {_block([f'false == contains({text}, {one})'], 1)}"]
        if _STRANGE.search(pattern):
            raise Unexportable(
                "Rego engines differ in how they read this pattern; write it without flags and numbered characters"
            )
        said = f"regex.match({_text(pattern)}, {text})"
        return [said if holds else f"false == {said}"]

    def _quantified(self, tree: Quantified, holds: bool) -> list[str]:
        over = _value(tree.over)
        var = _variable(tree.var)
        if tree.every is holds:
            body = self._body(tree.body, holds)
            if any(line.startswith("any_") for line in body):
                raise Unexportable("alternatives inside `all` or `exists`: write them as a list, `v in [...]`")
            return [f"every {var} in {over} {_block(body, 1)}"]
        body = self._body(tree.body, holds)
        if any(line.startswith("any_") for line in body):
            raise Unexportable("alternatives inside `all` or `exists`: write them as a list, `v in [...]`")
        return [f"some {var} in {over}", *body]


def _block(lines: list[str], depth: int = 0) -> str:
    tabs = "\t" * depth
    return "{\n" + "".join(f"{tabs}\t{line}\n" for line in lines) + tabs + "}"


def _variable(var: Var) -> str:
    return "member_" + "".join(char for char in var.name if char.isalnum())


def _path(name: str) -> str:
    return "input." + name


def _value(tree: Tree) -> str:
    match tree:
        case Const("string", str(value)):
            return _text(value)
        case Const("bool", bool(value)):
            return "true" if value else "false"
        case Const("int", int(value)):
            return str(value)
        case Const("list<string>", tuple(values)):
            return "[" + ", ".join(_text(str(one)) for one in values) + "]"
        case Attr(name, "string" | "int" | "bool" | "list<string>"):
            return _path(name)
        case Var():
            return _variable(tree)
        case Call("size", (of,), _) if type_of(of) == "list<string>":
            return f"count({_value(of)})"
    raise Unexportable("this is computed from the request in a way that Rego would compute otherwise")


TARGET = Rego()
