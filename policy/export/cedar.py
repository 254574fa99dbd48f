"""A policy as Cedar: deny is forbid, ask is `@decision("ask")` on a forbid, allow is permit."""

from __future__ import annotations

from lang.cel.typed import And, Attr, Call, Cond, Const, Has, Not, Or, Quantified, Tree, Var, type_of
from lang.counted import count
from policy.export.base import Exported, Places, Unexportable, comment, surviving
from policy.export.charclass import characters
from policy.model import Policy, Rule

_IN_CONTEXT = ("agent", "action", "credential")
_EVERYTHING = "(principal, action, resource)"
_ORDER = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Cedar:
    """See `policy.export.base.Target`."""

    id = "cedar"
    title = "Cedar policies"
    file = "policy.cedar"

    def export(self, policy: Policy, place: Places, *, per_command: bool = False) -> Exported:
        kept, refused = surviving(policy, place, lambda rule: _condition(rule.tree))
        said = [_statement(rule, when) for rule, when in kept]
        allowed = [when for rule, when in kept if rule.effect == "allow"]
        # A part of a policy says nothing of the rest: Cedar then denies it.
        default = "deny" if refused else policy.default
        if default == "allow":
            said.append(f'@id("default")\npermit {_EVERYTHING};\n')
        elif default == "ask":
            unless = f" unless {{ {' || '.join(f'({one})' for one in allowed)} }}" if allowed else ""
            said.append(f'@id("default")\n@decision("ask")\nforbid {_EVERYTHING}{unless};\n')
        head = comment("//", [f"{policy.name or 'policy'}: exported, {count(len(kept), 'rule')}"])
        notes = (
            "Cedar skips a policy that reads an attribute a request lacks: send every attribute the policies name",
            *(
                ('a forbid with @decision("ask") denies unless the program that calls Cedar asks a person',)
                if "ask" in _effects(policy)
                else ()
            ),
        )
        return Exported(head + "\n" + "\n".join(said), tuple(refused), notes)


def _effects(policy: Policy) -> set[str]:
    return {policy.default, *(rule.effect for _, rule in policy.in_force)}


def _statement(rule: Rule, when: str) -> str:
    lines = [f"@id({_text(rule.id)})"]
    if rule.reason:
        lines.append(f"@reason({_text(rule.reason)})")
    if rule.effect == "ask":
        lines.append('@decision("ask")')
    lines.append(f"{'permit' if rule.effect == 'allow' else 'forbid'} {_EVERYTHING} when {{ {when} }};")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A Cedar string literal."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{{{ord(char):x}}}")
    return '"' + "".join(out) + '"'


def _like(text: str) -> str:
    """A literal text inside a pattern of `like`."""
    return _text(text)[1:-1].replace("*", "\\*")


def _path(name: str) -> str:
    """Where an attribute stands in a Cedar request."""
    return f"context.{name}" if name.partition(".")[0] in _IN_CONTEXT else name


def _condition(tree: Tree) -> str:
    match tree:
        case Const(_, bool(value)):
            return "true" if value else "false"
        case Attr(name, "bool"):
            return _path(name)
        case Has(name):
            where, _, key = _path(name).rpartition(".")
            return f"{where} has {key}"
        case Not(of):
            return f"!({_condition(of)})"
        case And(parts):
            return " && ".join(f"({_condition(one)})" for one in parts)
        case Or(parts):
            return " || ".join(f"({_condition(one)})" for one in parts)
        case Cond(test, yes, no, "bool"):
            return f"if {_condition(test)} then ({_condition(yes)}) else ({_condition(no)})"
        case Quantified():
            return _quantified(tree)
        case Call(fn, args, _):
            return _call(fn, args)
    raise Unexportable("Cedar has no such condition")


def _call(fn: str, args: tuple[Tree, ...]) -> str:
    if fn in _ORDER:
        left, right = (type_of(one) for one in args)
        if "list" in left or "list" in right:
            raise Unexportable("Cedar compares sets, not lists: the order and how often a member stands there is lost")
        if fn not in ("==", "!=") and left != "int":
            raise Unexportable(f"Cedar compares whole numbers alone, not a {left}")
        return f"{_value(args[0])} {fn} {_value(args[1])}"
    if fn == "in":
        return f"{_set(args[1])}.contains({_value(args[0])})"
    if fn in ("startsWith", "endsWith", "contains", "matches") and not isinstance(args[1], Const):
        raise Unexportable(f"`{fn}` of a text that is not written out: Cedar's `like` wants a pattern that is")
    if fn in ("startsWith", "endsWith", "contains"):
        before, after = "*" if fn != "startsWith" else "", "*" if fn != "endsWith" else ""
        return f'{_value(args[0])} like "{before}{_like(str(args[1].value))}{after}"'  # type: ignore[union-attr]
    if fn == "matches":
        chars = characters(str(args[1].value))  # type: ignore[union-attr]
        if chars is None:
            raise Unexportable("Cedar has no regular expressions; write the condition with startsWith, endsWith or contains")
        return "(" + " || ".join(f'{_value(args[0])} like "*{_like(char)}*"' for char in chars) + ")"
    raise Unexportable(f"Cedar has nothing like `{fn}`")


def _value(tree: Tree) -> str:
    match tree:
        case Const("string", str(value)):
            return _text(value)
        case Const("bool", bool(value)):
            return "true" if value else "false"
        case Const("int", int(value)):
            return str(value) if value >= 0 else f"({value})"
        case Attr(name, "string" | "int" | "bool"):
            return _path(name)
    raise Unexportable("Cedar compares attributes and values written out; this is computed")


def _set(tree: Tree) -> str:
    match tree:
        case Const("list<string>", tuple(values)):
            return "[" + ", ".join(_text(str(one)) for one in values) + "]"
        case Attr(name, "list<string>"):
            return _path(name)
    raise Unexportable("Cedar looks into sets of texts alone")


def _quantified(tree: Quantified) -> str:
    """`exists` and `all` over members that are compared with written-out texts; Cedar cannot run over a set otherwise."""
    over, var, body = _set(tree.over), tree.var, tree.body
    negated = isinstance(body, Not)
    inner = body.of if isinstance(body, Not) else body
    values: tuple[str, ...] | None = None
    match inner:
        case Call("==" | "!=" as fn, (Var(name), Const("string", str(value)))) if name == var.name:
            values, negated = (value,), negated != (fn == "!=")
        case Call("in", (Var(name), Const("list<string>", tuple(listed)))) if name == var.name:
            values = tuple(str(one) for one in listed)
    if values is None:
        raise Unexportable("Cedar cannot run over the members of a set: compare them with texts that are written out")
    told = "[" + ", ".join(map(_text, values)) + "]"
    if tree.every:
        return f"!({over}.containsAny({told}))" if negated else f"{told}.containsAll({over})"
    return f"!({told}.containsAll({over}))" if negated else f"{over}.containsAny({told})"


TARGET = Cedar()
