"""A mapping file read and checked: every word, expression and pattern, each complaint with its line and column."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from importers.cutting.framing import Container
from importers.mapping.columns import Column, heading
from importers.mapping.engine import Build, EventRule, Evidence, Mapping, Recognise
from importers.mapping.times import MEMBERS, ReadTime, time_reader
from importers.mapping.values import Value, beginning, compiled_pattern, expression, is_computed, value
from importers.shared.fields import Json, moment, text, texts
from lang.yamlread import Node, YamlError, read
from model.event import ATTRS
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

__all__ = ["YamlError", "read_mapping"]

_TOP = (
    "mapping", "id", "like", "title", "evidence", "version", "container", "pattern", "recognise", "fold", "absent", "unpack", "inside",
    "columns", "requires", "skip", "each", "identity", "type", "time", "event", "events",
)  # fmt: skip
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_RULES = re.compile(r"^events?:", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w*")
_BY_OTHERS = re.compile(r"[!`'\"@]|\w\(")
"""What lets an expression find something in a record that has none of the names in it."""
_SELECT = ("when", "otherwise")

Check = Callable[[Node], None]


_FACT: Literal["fact"] = "fact"
_ANY: Literal["any"] = "any"
"""What a member may hold: a fact is a text, number, truth value or list of texts; where None stands it is a text."""


class _Part:
    """One object of an event: its known members, and what each may hold; without the member it needs it is not there."""

    def __init__(self, needs: str = "", /, **members: Holds) -> None:
        self.members = members
        self.needs = needs


Holds = type[StrEnum] | _Part | list[_Part] | Literal["fact", "any"] | None

_TARGET = _Part(**{"class": TargetClass, "name": None, "detail": None})
_KEY = _Part(role=KeyRole, kind=None, value=None)
_EVENT = _Part(
    kind=EventKind,
    phase=Phase,
    time=None,
    vantage=Vantage,
    point=None,
    id=None,
    agent=None,
    verb=Verb,
    tool=None,
    text=None,
    principal=_Part("name", name=None, kind=None, origin=None, on_behalf_of=None),
    target=_TARGET,
    request=_Part(method=None, url=None, host=None, path=None),
    package=_Part(method=None, path=None, registry=None),
    call=_Part(tool=None, action=None, arguments=_ANY, resource=_ANY),
    operations=[_Part(verb=Verb, target=_TARGET, text=None, flags=_FACT)],
    keys=[_KEY],
    decision=_Part(effect=Effect, rule=None, reason=None, policy=None),
    credential=_Part(kind=None, issuer=None, subject=None, scope=_FACT, ttl_seconds=_FACT, expires=None, label=None),
    outcome=_Part(permitted=Effect, transport=Tri, tool=Tri, effect=Tri),
    attrs=_Part(**dict.fromkeys(ATTRS, _FACT)),
)


def read_mapping(source: str) -> Mapping:
    """A mapping from its text; raises YamlError with line, column and what would be right there."""
    root, top = _members(source)
    for name in ("id", "time", "events", "recognise"):
        if name not in top:
            raise root.error(f"{name}: is missing")
    found = _mapping(top, lambda: top)
    found.rules()
    return found


def _members(source: str, take: Callable[[str], str] = str) -> tuple[Node, dict[str, Node]]:
    """The document and its members by name, those of the mapping it is like included; `take` gives the part that is read."""
    root = read(take(source.removeprefix("\ufeff")), "the mapping")
    top = root.fields(_TOP)
    if "like" in top and "id" in top:
        top = {**_alike(top["like"], take), **top}
    return root, top


def _without_rules(source: str) -> str:
    """A mapping of ours up to its event rules, which stand last and are most of it."""
    return _RULES.split(source, maxsplit=1)[0]


def _mapping(top: dict[str, Node], whole: Callable[[], dict[str, Node]]) -> Mapping:
    """The mapping that these members make; its event rules are those of `whole`, asked for when a first record is read."""

    def rules() -> tuple[EventRule, ...]:
        members = whole()
        return tuple(_rule(node, members.get("event")) for node in members["events"].items())

    if "mapping" in top and top["mapping"].text() != "1":
        raise top["mapping"].error("mapping: this Remit reads version 1")
    id = top["id"].text()
    if not _ID.fullmatch(id):
        raise top["id"].error("id: lower-case letters, digits and hyphens, e.g. acme-gateway")
    container, pattern = _container(top)
    time, clock = _time(top["time"])
    return Mapping(
        id=id,
        title=top["title"].text() if "title" in top else id,
        evidence=_evidence(top),
        version=int(top["version"].number(1, 10_000)) if "version" in top else 1,
        container=container,
        recognise=_recognise(top["recognise"]),
        time=time,
        clock=clock,
        rules=cache(rules),
        pattern=pattern,
        unpack=top["unpack"].texts() if "unpack" in top else (),
        inside=tuple(tuple(path.split(".")) for path in top["inside"].texts()) if "inside" in top else (),
        columns=tuple(_column(name, node) for name, _, node in top["columns"].entries()) if "columns" in top else (),
        requires=tuple((name, expression(name, top["requires"])) for name in top["requires"].texts())
        if "requires" in top
        else (),
        absent=frozenset(top["absent"].texts()) if "absent" in top else frozenset(),
        fold=_fold(top),
        skip=_expression(top.get("skip")),
        each=tuple(expression(one.removeprefix("="), top["each"]) for one in top["each"].texts()) if "each" in top else (),
        identity=_value(top.get("identity")),
        type=_value(top.get("type")),
    )


def _alike(node: Node, take: Callable[[str], str]) -> dict[str, Node]:
    """What a mapping takes over from one of ours: everything it does not say itself."""
    source = source_of(node.text()) if _ID.fullmatch(node.text()) else None
    if source is None:
        raise node.error(f"like: Remit has no mapping {node.text()!r}")
    base = read(take(source), f"the mapping {node.text()}").fields(_TOP)
    if "like" in base:
        raise node.error(f"like: {node.text()!r} is itself like another; name {base['like'].text()!r}")
    return base


def _column(path: str, node: Node) -> Column:
    """Where a table holds a member: in the column, or the first of the columns, of a heading, or computed of several."""
    if node.is_list:
        return Column(tuple(path.split(".")), tuple(heading(one) for one in node.texts()))
    if node.is_map or node.text().startswith("="):
        return Column(tuple(path.split(".")), (), value(node))
    return Column(tuple(path.split(".")), (heading(node.text()),))


def _fold(top: dict[str, Node]) -> Literal["", "lower", "joined"]:
    if "fold" not in top or top["fold"].plain() is False:
        return ""
    return "lower" if top["fold"].plain() is True or top["fold"].choice(("joined",)) != "joined" else "joined"


def _evidence(top: dict[str, Node]) -> Evidence:
    if "evidence" not in top:
        return "documentation"
    word: Evidence = top["evidence"].choice(get_args(Evidence))  # type: ignore[assignment]  # `choice` gives one of them
    return word


_TAKEN_APART = ("lines", "paragraphs")


def _container(top: dict[str, Node]) -> tuple[Container, object]:
    container: Container = "json"
    if "container" in top:
        container = top["container"].choice(get_args(Container))  # type: ignore[assignment]  # `choice` gives one of them
    if "pattern" in top and container not in (*_TAKEN_APART, "keyvalue"):
        raise top["pattern"].error("pattern: only text is taken apart by a pattern; say `container: lines`")
    if container in _TAKEN_APART and "pattern" not in top:
        raise top["container"].error(f"container: {container} need a `pattern` with named groups, e.g. (?P<user>\\S+)")
    return container, compiled_pattern(top["pattern"]) if "pattern" in top else None


def _time(node: Node) -> tuple[Value, ReadTime]:
    """Where a record's time stands and how it is read: an expression, or {of} with what its text does not tell."""
    if not node.is_map:
        return expression(node.text().removeprefix("="), node), moment
    parts = node.fields(("of", *MEMBERS))
    if "of" not in parts:
        raise node.error("time: needs `of`, the expression that gives it")
    of = value(parts["of"]) if parts["of"].is_map else expression(parts["of"].text().removeprefix("="), parts["of"])
    return of, time_reader(parts)


def _recognise(node: Node) -> Recognise:
    parts = node.fields(("has", "any", "lacks", "when", "score"))
    if not {"has", "any", "when"} & set(parts):
        raise node.error("recognise: needs has, any or when; a format must be told from all others by its content")

    def each(name: str) -> tuple[Value, ...]:
        """What must be there, or must not: expressions, and computed values such as a match of a pattern."""
        if name not in parts:
            return ()
        if not parts[name].is_list:
            return tuple(_there(one, parts[name]) for one in parts[name].texts())
        return tuple(value(one) if one.is_map else _there(one.text(), one) for one in parts[name].items())

    score = int(parts["score"].number(1, 100)) if "score" in parts else 80
    needs, touches = _needs(parts.get("has")), _touches(parts)
    return Recognise(each("has"), each("any"), each("lacks"), _expression(parts.get("when")), score, needs, touches)


def _there(said: str, node: Node) -> Value:
    """A member that is false is there; a condition that does not hold finds nothing."""
    found = expression(said, node)
    return found if beginning(said) else lambda record: None if (one := found(record)) is False else one


def _touches(parts: dict[str, Node]) -> frozenset[str]:
    """Members of which a record must have one for any of `any` to find something; none where that cannot be told."""
    node = parts.get("any")
    if node is None or (node.is_list and any(one.is_map for one in node.items())):
        return frozenset()
    said = [one.text() for one in node.items()] if node.is_list else node.texts()
    return frozenset() if any(_BY_OTHERS.search(one) for one in said) else frozenset(_NAME.findall(" ".join(said)))


def _needs(has: Node | None) -> frozenset[str]:
    """The members of a record that plain paths among these begin with."""
    if has is None:
        return frozenset()
    said = [one.text() for one in has.items() if not one.is_map] if has.is_list else has.texts()
    return frozenset(begin for one in said if (begin := beginning(one)))


def _expression(node: Node | None) -> Value | None:
    return None if node is None else expression(node.text().removeprefix("="), node)


def _value(node: Node | None) -> Value | None:
    """Like `value`, but a plain text is an expression: an identity is never a constant."""
    if node is None:
        return None
    return value(node) if node.is_map else expression(node.text().removeprefix("="), node)


def _rule(node: Node, defaults: Node | None) -> EventRule:
    if not node.is_map:
        raise node.error("an event is an object with at least `kind`")
    selects = {name: one for name, _, one in node.entries() if name in _SELECT}
    own = _object(node, _EVENT, _SELECT)
    build = own if defaults is None else _over(_object(defaults, _EVENT, ()), own)
    if not any(name == "kind" for one in (node, defaults) if one is not None for name, _, _ in one.entries()):
        raise node.error("kind: is missing")
    otherwise = "otherwise" in selects and selects["otherwise"].plain() is True
    return EventRule(build, _expression(selects.get("when")), otherwise)


def _over(base: Build, own: Build) -> Build:
    """The common part of all events with the event's own on top: objects are merged, lists joined, the rest replaced."""

    def build(record: Json) -> object:
        return _merged(base(record), own(record))

    return build


def _merged(base: object, own: object) -> object:
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **{name: _merged(base.get(name), one) for name, one in own.items()}}
    if isinstance(base, list) and isinstance(own, list):
        return base + own
    return base if own is None else own


def _object(node: Node, part: _Part, besides: tuple[str, ...]) -> Build:
    """An object of the event; members that come out empty are left off."""
    members: list[tuple[str, Build]] = []
    known = (*part.members, *besides)
    for name, one in node.fields(known).items():
        if name not in besides:
            members.append((name, _member(one, part.members[name])))

    def build(record: Json) -> object:
        made = {name: found for name, one in members if (found := one(record)) not in (None, "", [], {})}
        return made if made and (not part.needs or part.needs in made) else None

    return build


def _member(node: Node, kind: Holds) -> Build:
    if isinstance(kind, _Part):
        return value(node) if is_computed(node) else _object(node, kind, ())
    if isinstance(kind, list):
        return _list(node, kind[0])
    if isinstance(kind, type):
        return _word(node, kind)
    if node.is_list:
        each = [value(one) for one in node.items()]
        return lambda record: [text for one in each if isinstance(text := one(record), str) and text]
    return _scalar(value(node), kind)


def _word(node: Node, words: type[StrEnum]) -> Build:
    """A word of a closed list: as it stands, checked here, or computed, checked at each record."""
    if not node.is_map and not node.text().startswith("="):
        node.choice(word.value for word in words)
    elif is_computed(node):
        for name, _, one in node.entries():
            if name == "values":
                for _, _, chosen in one.entries():
                    _word(chosen, words)
            elif name == "default":
                _word(one, words)
    return value(node)


def _scalar(source: Value, kind: Literal["fact", "any"] | None) -> Build:
    """What a member holds of what was found; where the schema wants a text, a number is written as one."""

    def build(record: Json) -> object:
        found = source(record)
        if kind == "any":
            return found
        if isinstance(found, list):
            return list(texts(found)) if kind == "fact" else None
        if kind == "fact":
            return found if isinstance(found, str | int | float) else None
        return found if isinstance(found, str) else text(found) or (str(found) if isinstance(found, float) else None)

    return build


def _list(node: Node, part: _Part) -> Build:
    """A list of objects; one that lacks a member it states is left off, so that an absent id makes no key."""
    made: list[tuple[Build, int]] = [(_object(one, part, ()), len(list(one.entries()))) for one in node.items()]

    def build(record: Json) -> object:
        found = []
        for one, size in made:
            shape = one(record)
            if isinstance(shape, dict) and len(shape) == size:
                found.append(shape)
        return found

    return build


@cache
def built_in() -> tuple[Mapping, ...]:
    """The formats that `importers/mappings/` holds as data, in the order of their ids."""
    folder = files("importers").joinpath("mappings")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return tuple(_built_in(folder.joinpath(name).read_text("utf-8")) for name in names)


def _built_in(source: str) -> Mapping:
    """One of ours: recognising a format needs none of its event rules, so they are read when they are asked for."""
    return _mapping(_members(source, _without_rules)[1], lambda: _members(source)[1])


def source_of(id: str) -> str | None:
    """The text of one of our mapping files, for one that is `like` it; None where there is none of this id."""
    place = files("importers").joinpath("mappings").joinpath(f"{id}.yaml")
    return place.read_text("utf-8") if place.is_file() else None
