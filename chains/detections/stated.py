"""What a task was asked to do and where: the repositories, paths, environments and tickets its intents name.

Words are read for what they plainly state. Naming a thing puts it within the scope; only a restriction said outright
(`only change docs/`, `do not touch production`) puts anything outside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from chains.context import Context
from chains.facts import OrgFacts
from lang.late import late
from lang.names import repository_name
from model.chain import Step, TaskChain
from model.event import Event
from model.words import EventKind, KeyRole, Phase, TargetClass, Vantage

ENVIRONMENTS = ("dev", "test", "staging", "prod")
"""Usual environments, the least far-reaching first."""

_SPELLED = {
    "prod": "prod", "production": "prod", "prd": "prod",
    "staging": "staging", "stage": "staging", "stg": "staging", "preprod": "staging", "pre-prod": "staging", "preproduction": "staging",
    "test": "test", "testing": "test", "qa": "test", "uat": "test", "integration": "test",
    "dev": "dev", "development": "dev", "sandbox": "dev", "local": "dev",
}  # fmt: skip
_SAID = late(r"\b(production|prod|prd|staging|stg|pre-?prod(?:uction)?|uat)\b", re.I)
_SAID_OF = late(
    r"\b(dev|development|test|testing|qa|sandbox|stage|integration)[ -](?:env\w*|accounts?|clusters?|databases?|db|stack|namespace|"
    r"servers?|systems?|instances?|project|bucket|vault)\b",
    re.I,
)
"""Words that are environments by themselves, and those that are so only beside a thing that has one."""

_FORBIDS = (
    r"(?:^|[.;:!?,\n(\-*]|\b(?:and|but|please|so|then|you must|you should|you may|agents?|must|should|may))\s*"
    r"(?:do\s+not|don['’]?t|never|not|must\s+not|mustn['’]?t)\s+(?:ever\s+|even\s+)?"
    r"(?:touch|chang|modif|edit|delet|remov|writ|push|alter|deploy|us|access|appl|run|go|read|rewrit|overwrit|merg|break)\w*\s+"
)
_NO_ENVIRONMENT = late(
    _FORBIDS + r"(?:(?!only\b)[\w'’]+\s+){0,4}?(production|prod|prd|staging|stg|pre-?prod(?:uction)?|uat)\b", re.I
)
_PATH = r"[`'\"]?((?:[\w.@~*-]+/(?:[\w.@*/-]*[\w*/])?|/[\w.@*/-]*[\w*/]|[\w-]+\.[a-z]{1,5}\b))[`'\"]?"
_PATHS = rf"(?:the\s+)?(?:files?\s+|folders?\s+|director(?:y|ies)\s+)?{_PATH}(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+){_PATH})?(?:(?:\s*,\s*(?:and\s+|or\s+)?|\s+(?:and|or)\s+){_PATH})?"
_EDITS = r"(?:edit|chang|touch|modif|writ|work|updat|alter)\w*"
_ONLY = tuple(
    late(pattern, re.I)
    for pattern in (
        rf"\bonly\s+{_EDITS}\s+(?:(?:files?|code|anything|things)\s+)?(?:in|under|inside|within|on|to)?\s*{_PATHS}",
        rf"\b(?:do\s+not|don['’]?t|never)\s+{_EDITS}\s+anything\s+(?:else\s+)?(?:outside|except|other\s+than|but|beyond)\s+(?:of\s+|in\s+)?{_PATHS}",
        rf"\b{_EDITS}\s+nothing\s+(?:outside|except|other\s+than|but|beyond)\s+(?:of\s+|in\s+)?{_PATHS}",
        rf"\b(?:stay|keep|remain)\s+(?:strictly\s+)?(?:in|within|inside)\s+{_PATHS}",
        rf"\b(?:limit|restrict|confine)\w*\s+(?:\w+\s+){{0,4}}?to\s+{_PATHS}",
    )
)
_NOT = late(
    _FORBIDS + rf"(?:(?:anything|any\s+files?|files?|everything)\s+)?(?:in\s+|under\s+|inside\s+|to\s+|into\s+|of\s+)?{_PATHS}",
    re.I,
)
_OPEN = late(
    r"\b(?:all|both|other|several|multiple|any|across|two|three)\b[^.\n]{0,30}\brepo(?:s|sitories)\b|"
    r"\b(?:every|each|any|another|the other)\s+(?:\w+\s+)?repo(?:sitory)?\b",
    re.I,
)
_OUTSIDE = (Phase.MANDATE, Phase.TICKET)
_SIZE = 20_000
_TOTAL = 200_000
"""Characters of one intent, and of all of a task, that are read."""


class Statement(msgspec.Struct, frozen=True):
    """What was said, when, and in which record."""

    text: str
    at: int | None
    record: str


class Stated(msgspec.Struct):
    """Everything a task's intents state. `session` are the repositories its own records, or those who judged its calls, say it
    works in; `folders` are the names of the folders it worked in.

    `ordered` holds what mandates, tickets and other orders from outside state in fields of their own: class -> names.
    """

    said: tuple[Statement, ...]
    session: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    ordered: dict[str, set[str]] = msgspec.field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(one.text for one in self.said).casefold()


def stated(task: TaskChain, around: Context) -> Stated:
    """What is stated of a task, in the words of its own intents and of those of the tasks above it."""
    own = [Statement(_words(task, i.id, i.text), i.at, i.record) for i in task.intents if i.kind is not Phase.PLAN]
    above = [Statement(_plain(i.text), i.at, i.record) for i in around.above if i.kind is not Phase.PLAN]
    session = {repository_name(str(e.attrs["repository"])) for e in task.events.values() if _tells(e)}
    ordered: dict[str, set[str]] = {}
    for event in task.events.values():
        if event.kind is not EventKind.INTENT or (event.vantage is Vantage.AGENT and event.phase not in _OUTSIDE):
            continue
        target = event.target
        if target.name and target.cls not in (TargetClass.TICKETING, TargetClass.UNKNOWN, TargetClass.AGENT):
            ordered.setdefault(target.cls.value, set()).add(target.name.casefold())
        for name in ("repository", "path", "project", "environment"):
            value = event.attrs.get(name)
            for one in value if isinstance(value, list) else [value]:
                if one:
                    ordered.setdefault(name, set()).add(
                        repository_name(str(one)) if name == "repository" else str(one).casefold()
                    )
    places = {str(e.attrs["cwd"]) for e in task.events.values() if e.attrs.get("cwd")}
    folders = {part.casefold() for place in places for part in place.replace("\\", "/").split("/")[-3:]}
    said = tuple(_bounded(one for one in (*own, *above) if one.text))
    return Stated(said, frozenset(session - {""}), frozenset(folders - {""}), ordered)


def _words(task: TaskChain, id: str, text: str) -> str:
    """The words of an intent, blanks made single: no pattern shall walk through a desert of them again and again."""
    event = task.events.get(id)
    return _plain(event.text if event is not None else text)


def _plain(text: str) -> str:
    return "\n".join(line for part in text[:_SIZE].splitlines() if (line := " ".join(part.split())))


def _bounded(said: Iterable[Statement]) -> Iterator[Statement]:
    """As many statements, the first ones, as are looked through."""
    size = 0
    for one in said:
        size += len(one.text)
        if size > _TOTAL:
            return
        yield one


def _tells(event: Event) -> bool:
    """Whether a record says where the session works: the agent's own, or a decider's on one of its calls."""
    own = event.vantage is Vantage.AGENT or (event.vantage is Vantage.ENFORCER and event.kind is EventKind.DECISION)
    return own and bool(event.attrs.get("repository"))


def names(text: str, name: str) -> bool:
    """Whether a text (in lower case) names a thing: the whole name or, of `owner/name`, the name alone, as a word of its own."""
    folded = name.casefold()
    for one in {folded, folded.rpartition("/")[2]}:
        if len(one) > 2 and re.search(rf"(?<![\w.]){re.escape(one)}(?![\w])", text):
            return True
    return False


def opens(text: str) -> bool:
    """Whether the words leave open which repositories are meant."""
    return _OPEN.search(text) is not None


def environment(name: str) -> str:
    """An environment in its usual spelling; one that has none stands for itself."""
    folded = name.casefold()
    return _SPELLED.get(folded, folded)


def environments_said(said: Iterable[Statement], facts: OrgFacts) -> dict[str, Statement]:
    """Environments that are named, each with the first statement that names it; what is forbidden is not among them."""
    known = {r.environment for r in facts.org.resources if r.environment}
    own = [(name, re.compile(rf"\b{re.escape(name)}\b", re.I)) for name in sorted(known) if name.casefold() not in _SPELLED]
    found: dict[str, Statement] = {}
    for one in said:
        text = _NO_ENVIRONMENT.sub(" ", one.text)
        for match in (*_SAID.finditer(text), *_SAID_OF.finditer(text)):
            found.setdefault(environment(match.group(1)), one)
        for name, pattern in own:
            if pattern.search(text):
                found.setdefault(environment(name), one)
    return found


def environments_forbidden(said: Iterable[Statement]) -> dict[str, Statement]:
    """Environments that an intent says must be left alone."""
    found: dict[str, Statement] = {}
    for one in said:
        for match in _NO_ENVIRONMENT.finditer(one.text):
            found.setdefault(environment(match.group(1)), one)
    return found


def paths_allowed(said: Iterable[Statement]) -> dict[str, Statement]:
    """Paths outside which an intent says nothing may be changed."""
    return {path: one for one in said for pattern in _ONLY for match in pattern.finditer(one.text) for path in _listed(match)}


def paths_forbidden(said: Iterable[Statement]) -> dict[str, Statement]:
    """Paths that an intent says must not be changed."""
    return {path: one for one in said for match in _NOT.finditer(one.text) for path in _listed(match)}


def _listed(match: re.Match[str]) -> list[str]:
    return [part.strip("`'\"").removeprefix("./") for part in match.groups() if part and part.strip("`'\"./*")]


def within(path: str, stated_path: str) -> bool:
    """Whether a path lies at or below one that was stated, which may be a glob, a folder or the end of a longer path."""
    whole, part = path.replace("\\", "/").removeprefix("./"), stated_path.rstrip("/")
    if "*" in part:
        glob = part.replace("**", "*")
        return fnmatchcase(whole, glob) or fnmatchcase(whole, f"*/{glob}") or fnmatchcase(whole, f"{glob}/*")
    return f"/{part}/" in f"/{whole.strip('/')}/"


def tickets(task: TaskChain, around: Context) -> list[str]:
    """Tickets the task's own records and its intents name by the organisation's pattern, in order, those above included."""
    found: list[str] = []
    for event in task.events.values():
        if (
            event.vantage is Vantage.TARGET
            and not any(k.role is KeyRole.SCOPE for k in event.keys)
            and event.kind is not EventKind.EFFECT
        ):
            continue
        for key in event.keys:
            if key.role is KeyRole.REFERENCE and key.kind == "ticket":
                found.append(key.value)
        for name in ("ticket", "branch"):
            found.append(around.facts.ticket_in(str(event.attrs.get(name) or "").upper()))
        if event.kind is EventKind.INTENT or event.vantage is Vantage.TARGET:
            found.append(around.facts.ticket_in(event.text))
    found += [around.facts.ticket_in(one.text) for one in around.above]
    return [one for one in dict.fromkeys(found) if one and around.facts.ticket_in(one) == one]


def working_path(step: Step, path: str) -> str:
    """A path relative to the folder worked in; "" where it lies elsewhere."""
    where = str(step.request.get("context.cwd") or "").rstrip("/")
    text = path.replace("\\", "/")
    if not text.startswith(("/", "~")) and not re.match(r"^[A-Za-z]:/", text):
        return "" if text.startswith("../") else text.removeprefix("./")
    return text[len(where) + 1 :] if where and text.startswith(f"{where}/") else ""
