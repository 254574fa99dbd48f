"""A file of detections to checked definitions: every problem at its line and column, what is good beside it kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256

import msgspec

from chains.own.definition import WANTED, Definition, Over, OwnTest, Parameter, Stage, StatedRow, Without
from chains.own.telling import unknown_names
from lang.cel.typed import Value, reads
from lang.diagnostics import Diagnostic
from lang.times import duration
from lang.yamlcheck import Document
from lang.yamltree import Mapping as MappingNode
from lang.yamltree import Node, Scalar, Sequence, plain
from model.conditions import EVENT_CONDITION, STEP_CONDITION
from model.request import Field, FieldType
from model.words import Severity

VERSION = 1
MAX_DETECTIONS = 1_000
MAX_STAGES = 8
MAX_ROWS = 200
LONGEST = 30 * 86_400 * 1_000_000
"""No condition reaches further than a month: what lies longer apart is told by two detections."""
STEP_APART = 10_000_000
"""Test steps that state no time stand ten seconds apart."""

KEYS = (
    "id", "title", "severity", "looks_for", "why", "limits", "version", "controls", "references", "parameters", "over", "refused",
    "per", "when", "then", "without", "tests",
)  # fmt: skip
_ID = re.compile(r"[A-Z][A-Z0-9]{1,15}(-[A-Z0-9]{1,32}){1,4}\Z")
_FRACTION = re.compile(r"[-+]?[0-9]*\.[0-9]+\Z")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_CONTROL = re.compile(r"([a-z0-9][a-z0-9.-]{1,60}):(\S.{0,60})\Z")


class Found(msgspec.Struct, frozen=True):
    """The sound definitions of a file, and everything there is to say of it."""

    definitions: tuple[Definition, ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.diagnostics if d.severity == "error")


def read_detections(text: str, *, families: Iterable[str] = (), controls: Mapping[str, frozenset[str]] | None = None) -> Found:
    """Read a file of detections; never raises. A definition with an error is left out, the others stand.

    `families` are those of built-in detections, whose ids nobody else may use. `controls` are the ids of every known
    framework, None where they are not to be checked.
    """
    reader = _Reader(text.removeprefix("\ufeff"), frozenset(families), controls)
    root = reader.read("file of detections", "`detections`")
    definitions = reader.all(root) if root is not None else ()
    return Found(definitions, reader.found())


class _Reader(Document):
    """Walks one file of detections."""

    synonyms: Mapping[str, str] = {
        "name": "title", "description": "looks_for", "level": "severity", "condition": "when", "message": "why", "unless": "without",
        "examples": "tests", "mappings": "controls", "params": "parameters", "followed_by": "then", "duration": "within", "of": "over",
    }  # fmt: skip

    def __init__(self, text: str, families: frozenset[str], controls: Mapping[str, frozenset[str]] | None) -> None:
        super().__init__(text)
        self.families = families
        self.known_controls = controls
        self.fields: Mapping[str, Field] = STEP_CONDITION

    def errors(self) -> int:
        return sum(d.severity == "error" for d in self.diagnostics)

    def all(self, root: Node) -> tuple[Definition, ...]:
        keys = self.keys(root, ("version", "detections"), "a file of detections")
        if keys is None:
            return ()
        version = keys.get("version")
        if version is not None and (plain(version) != VERSION or isinstance(plain(version), bool)):
            self.error(version, "bad-version", f"this program reads detections of `version: {VERSION}`")
        if "detections" not in keys:
            self.say(root.start, root.start, "error", "missing-key", "`detections` is missing; it is a list of detections")
            return ()
        nodes = self.items_of(keys["detections"], "detections", "each begins with `- id: ...`")
        if len(nodes) > MAX_DETECTIONS:
            self.error(keys["detections"], "too-large", f"more than {MAX_DETECTIONS:,} detections in one file; split it")
            return ()
        seen: dict[str, int] = {}
        return tuple(one for node in nodes if (one := self.one(node, seen)) is not None)

    def one(self, node: Node, seen: dict[str, int]) -> Definition | None:
        """One definition; None where anything in it is wrong."""
        before = self.errors()
        keys = self.keys(node, KEYS, "a detection")
        if keys is None:
            return None
        for key in ("id", "title", "severity", "when"):
            if key not in keys:
                self.say(node.start, node.start, "error", "missing-key", f"the detection has no `{key}`")
        identity = self._id(keys.get("id"), seen)
        severity = self.choice(keys["severity"], "severity", tuple(s.value for s in Severity)) if "severity" in keys else None
        over = self._over(keys.get("over"))
        parameters = self._parameters(keys.get("parameters"))
        self.fields = self._fields(over, parameters)
        stages = self._stages(keys)
        without = self._without(keys["without"]) if "without" in keys else None
        why = self._why(keys.get("why"), bool(keys.get("then")))
        tests = self._tests(keys.get("tests"))
        definition = Definition(
            id=identity or "",
            title=self._text(keys, "title"),
            severity=Severity(severity or "low"),
            looks_for=self._text(keys, "looks_for"),
            limits=self._text(keys, "limits"),
            controls=self._controls(keys.get("controls")),
            references=self.texts_of(keys.get("references"), "references"),
            version=self._number(keys.get("version"), "version", 1),
            refused=self._truth(keys.get("refused"), "refused"),
            once="per" in keys and self.choice(keys["per"], "per", ("step", "task")) == "task",
            over=over,
            stages=stages,
            without=without,
            why=why,
            parameters=parameters,
            tests=tests,
            line=node.start.line + 1,
        )
        if self.errors() > before or identity is None:
            return None
        if not tests:
            self.warn(keys["id"], "no-tests", f"`{identity}` has no tests: nothing shows what it sees and what it leaves alone")
        return msgspec.structs.replace(definition, digest=_digest(definition))

    # single keys

    def _id(self, node: Node | None, seen: dict[str, int]) -> str | None:
        identity = self.identity(node, seen, "detection")
        if node is None or identity is None:
            return None
        if not _ID.match(identity):
            self.error(node, "bad-id", "an id is a family and a name in capitals, e.g. `ACME-01` or `ACME-PROD-SECRETS`")
            return None
        if identity.partition("-")[0] in self.families:
            self.error(
                node, "taken-id", f"ids of the family {identity.partition('-')[0]} belong to built-in detections; choose another"
            )
            return None
        return identity

    def _text(self, keys: Mapping[str, Node], key: str) -> str:
        return " ".join((self.text_of(keys.get(key), key) or "").split())

    def _over(self, node: Node | None) -> Over:
        return "events" if node is not None and self.choice(node, "over", ("steps", "events")) == "events" else "steps"

    def _truth(self, node: Node | None, key: str) -> bool:
        value = plain(node) if node is not None else False
        if node is not None and not isinstance(value, bool):
            self.error(node, "wrong-type", f"`{key}` is true or false")
        return value is True

    def _number(self, node: Node | None, key: str, default: int) -> int:
        value = plain(node) if node is not None else default
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 1 << 31:
            assert node is not None
            self.error(node, "wrong-type", f"`{key}` is a whole number from 1 on")
            return default
        return value

    def _duration(self, node: Node | None, key: str, owner: Node) -> int:
        """A duration in microseconds."""
        if node is None:
            self.say(
                owner.start, owner.start, "error", "missing-key", f"`{key}` is missing; say within how long, e.g. `{key}: 10m`"
            )
            return 0
        text = self.text_of(node, key)
        seconds = duration(text) if text is not None else None
        if seconds is None or not 0 < seconds * 1_000_000 <= LONGEST:
            if text is not None:
                self.error(
                    node, "bad-duration", f"`{key}` is a duration of at most 30 days: a number with s, m, h or d, e.g. 10m"
                )
            return 0
        return seconds * 1_000_000

    def _parameters(self, node: Node | None) -> tuple[Parameter, ...]:
        if node is None:
            return ()
        if not isinstance(node, MappingNode):
            self.error(
                node, "wrong-type", "`parameters` is a mapping: `name: value`, or `name: {default: value, help: what it means}`"
            )
            return ()
        found: dict[str, Parameter] = {}
        for key, value in node.pairs:
            name = self.text_of(key, "a parameter's name")
            if name is None:
                continue
            if not _PARAMETER.match(name) or name in found or name in ("enabled", "severity", "exclude", "at_most"):
                self.error(
                    key, "bad-parameter", f"`{name[:40]}` cannot name a parameter: lower case letters, digits and `_`, each once"
                )
                continue
            help, place = "", value
            if isinstance(value, MappingNode):
                keys = self.keys(value, ("default", "help"), f"the parameter `{name}`") or {}
                help, place = self._text(keys, "help"), keys.get("default", value)
            default = plain(place)
            fraction = isinstance(place, Scalar) and not place.style and _FRACTION.match(place.value) is not None
            kind = _kind_of(default)
            if kind is None or fraction:
                self.error(
                    place, "bad-parameter", f"`{name}` has a default: a text, a whole number, true or false, or a list of texts"
                )
                continue
            typed: Value = tuple(str(v) for v in default) if isinstance(default, list) else default  # type: ignore[assignment]
            found[name] = Parameter(Field(f"param.{name}", kind, help), typed, help)
        return tuple(found.values())

    @staticmethod
    def _fields(over: Over, parameters: Iterable[Parameter]) -> dict[str, Field]:
        known = EVENT_CONDITION if over == "events" else STEP_CONDITION
        return known | {one.field.name: one.field for one in parameters}

    def _controls(self, node: Node | None) -> tuple[tuple[str, str], ...]:
        found: list[tuple[str, str]] = []
        for item in node.items if isinstance(node, Sequence) else [node] if node is not None else []:
            text = self.text_of(item, "controls")
            if text is None:
                continue
            parts = _CONTROL.match(text)
            if parts is None:
                self.error(
                    item, "bad-control", "a control is `framework:id`, e.g. `owasp-asi-2026:ASI03`; see `remit frameworks`"
                )
                continue
            framework, control = parts.group(1), parts.group(2)
            if self.known_controls is not None and control not in self.known_controls.get(framework, ()):
                what = (
                    f"{framework} holds no {control!r}"
                    if framework in self.known_controls
                    else f"no framework is called {framework!r}"
                )
                self.error(item, "unknown-control", f"{what}; see `remit frameworks`")
                continue
            found.append((framework, control))
        return tuple(dict.fromkeys(found))

    def _why(self, node: Node | None, sequence: bool) -> str:
        text = " ".join((self.text_of(node, "why") or "").split())
        if node is not None and (wrong := unknown_names(text, self.fields, sequence)):
            known = "{title}, {at}, an attribute" + (", each also with `first.` before it" if sequence else "")
            self.error(node, "bad-template", f"`why` names {{{wrong[0]}}}, which is nothing it can say; known: {known}")
        return text

    # what is looked for

    def _stages(self, keys: Mapping[str, Node]) -> tuple[Stage, ...]:
        stages: list[Stage] = []
        if "when" in keys and (tree := self.condition(keys["when"], "when", self.fields)) is not None:
            stages.append(Stage(_written(keys["when"]), tree))
        then = keys.get("then")
        nodes = then.items if isinstance(then, Sequence) else [then] if then is not None else []
        if len(nodes) >= MAX_STAGES and then is not None:
            self.error(then, "too-large", f"a sequence has at most {MAX_STAGES} links")
        for node in nodes:
            inner = self.keys(node, ("when", "within"), "`then`")
            if inner is None:
                continue
            within = self._duration(inner.get("within"), "within", node)
            if "when" not in inner:
                self.say(node.start, node.start, "error", "missing-key", "`then` has no `when`")
            elif (tree := self.condition(inner["when"], "when", self.fields)) is not None:
                stages.append(Stage(_written(inner["when"]), tree, within))
        return tuple(stages)

    def _without(self, node: Node) -> Without | None:
        keys = self.keys(node, ("when", "within", "side", "seen_by"), "`without`")
        if keys is None:
            return None
        within = self._duration(keys.get("within"), "within", node)
        before = "side" in keys and self.choice(keys["side"], "side", ("after", "before")) == "before"
        seen_by = self.texts_of(keys.get("seen_by"), "seen_by")
        if "when" not in keys:
            self.say(node.start, node.start, "error", "missing-key", "`without` has no `when`")
            return None
        tree = self.condition(keys["when"], "when", self.fields)
        return Without(_written(keys["when"]), tree, within, before, seen_by) if tree is not None else None

    # tests

    def _tests(self, node: Node | None) -> tuple[OwnTest, ...]:
        nodes = self.items_of(node, "tests", "`- {match: what it shows, steps: [...]}`")
        return tuple(test for item in nodes if (test := self._test(item)) is not None)

    def _test(self, node: Node) -> OwnTest | None:
        keys = self.keys(node, (*WANTED, "steps", "watched"), "a test")
        if keys is None:
            return None
        wanted = [word for word in WANTED if word in keys]
        if len(wanted) != 1:
            self.error(node, "bad-test", f"a test says what it wants by one key: {', '.join(f'`{w}: why`' for w in WANTED)}")
            return None
        if "steps" not in keys:
            self.say(node.start, node.start, "error", "missing-key", "the test has no `steps`")
            return None
        nodes = self.items_of(keys["steps"], "steps", "`- {action.verb: exec}`")
        if len(nodes) > MAX_ROWS:
            self.error(keys["steps"], "too-large", f"a test has at most {MAX_ROWS} steps")
            return None
        rows: list[StatedRow] = []
        for n, item in enumerate(nodes):
            values = self.request(item, self.fields, leave=frozenset({"at"}))
            at = self._at(item, n * STEP_APART)
            if values is not None:
                rows.append(StatedRow(values, at))
        title = self.text_of(keys[wanted[0]], wanted[0]) or ""
        return OwnTest(wanted[0], title, tuple(rows), self._watched(keys.get("watched")), node.start.line + 1)

    def _at(self, node: Node, default: int) -> int | None:
        """When a test step happened; `unknown` is a step whose time no log states."""
        stated = (
            next((v for k, v in node.pairs if isinstance(k, Scalar) and k.value == "at"), None)
            if isinstance(node, MappingNode)
            else None
        )
        if stated is None:
            return default
        text = self.text_of(stated, "at")
        if text is None or text == "unknown":
            return None
        seconds = duration(text)
        if seconds is None:
            self.error(
                stated, "bad-duration", "`at` is a time after the beginning of the test: a number with s, m, h or d, or `unknown`"
            )
        return (seconds or 0) * 1_000_000

    def _watched(self, node: Node | None) -> tuple[int, int] | None:
        """`watched: 1h`: whoever would have seen what is absent was watching from the beginning for so long; `never`: nobody was."""
        if node is None:
            return (-LONGEST, LONGEST)
        text = self.text_of(node, "watched")
        if text is None or text == "never":
            return None
        seconds = duration(text)
        if seconds is None:
            self.error(
                node, "bad-duration", "`watched` is how long after the beginning somebody was watching, e.g. 1h, or `never`"
            )
        return (-LONGEST, (seconds or 0) * 1_000_000)


def _kind_of(value: object) -> FieldType | None:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return "int"
    if isinstance(value, str):
        return "string"
    return "list<string>" if isinstance(value, list) and all(isinstance(v, str) for v in value) else None


def _written(node: Node) -> str:
    return node.value.strip() if isinstance(node, Scalar) else ""


def _digest(definition: Definition) -> str:
    """Of all that decides what is found and said: tests, places and the digest itself are no part of it."""
    bare = msgspec.structs.replace(definition, tests=(), line=0, digest="")
    return sha256(msgspec.json.encode(bare)).hexdigest()


def attributes_of(definition: Definition) -> frozenset[str]:
    """The attributes its conditions read."""
    trees = [stage.tree for stage in definition.stages]
    if definition.without is not None:
        trees.append(definition.without.tree)
    return frozenset().union(*(reads(tree) for tree in trees))
