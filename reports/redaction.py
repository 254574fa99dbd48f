"""Selective disclosure: what a pack leaves out, by profile, so that every count and every id stays.

Everything is worked out on the whole state first; only what is written is changed, in every format alike. Pseudonyms and
digests are keyed (HMAC-SHA-256 under the installation's pseudonym key), so that nobody can try names until one fits, and the same in
every place of a pack and in two packs of one store.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import msgspec

from reports.document import Report
from reports.errors import UnknownName
from reports.input import PackInput, StepRow
from reports.tally import Tally
from reports.text import EXCERPT
from reports.wordlist import Wordlist

PROMPTS, NAMES, HASHES = "no-prompts", "no-names", "hashes-only"
PROFILES: dict[str, tuple[list[str], str]] = {
    PROMPTS: (
        [
            "prompts and titles of tasks",
            "titles of steps, which are commands and may repeat a prompt",
            "why each finding was made",
        ],
        "What people and agents wrote to each other was left out; each place says [left out: prompts].",
    ),
    NAMES: (
        ["names of people and of the identities they act under", "mail addresses", "names of home directories"],
        "Names were replaced by pseudonyms, the same for one name in the whole pack. A name that stands nowhere as an identity, and "
        "only within other text, is not recognised; hashes-only leaves that text out too.",
    ),
    HASHES: (
        ["every text that came from outside: prompts, names, targets, commands, reasons, names of systems and files"],
        "Texts were replaced by keyed digests, the same for one text in the whole pack; ids, times, counts and the words of the method stay.",
    ),
}
"""By profile: what is left out, and a sentence for the reader."""

LEFT_OUT = "[left out: prompts]"
_SAFE = re.compile(r"(?:hash:[0-9a-f]{16}|[0-9a-f]{16,}|[a-z]+-[0-9a-f]{12,}|\d{4}-\d\d-\d\dT[0-9:.]+Z|\*|)")
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b")
_HOME = re.compile(
    r"(?i)(?<=[/\\]home[/\\])[^/\\\s\"'`:;,()]+|(?<=[/\\]users[/\\])[^/\\\s\"'`:;,()]+|(?<=-home-)[^-/\\\s]+|(?<=-users-)[^-/\\\s]+"
)

_IDS = frozenset(
    [
        "id",
        "ids",
        "task",
        "tasks",
        "step",
        "steps",
        "finding",
        "findings",
        "detection",
        "control",
        "controls",
        "framework",
        "published",
        "given",
        "parent",
        "origin",
        "source",
        "evidence_digest",
        "digest",
        "digests",
        "sha256",
        "catalogue_sha256",
        "catalogues",
        "tables_digest",
        "root",
        "schema",
        "records",
    ]
)
_WORDS = frozenset(
    [
        "severity",
        "state",
        "group",
        "result",
        "results",
        "word",
        "kind",
        "level",
        "population",
        "units",
        "format",
        "vantage",
        "vantages",
        "verdict",
        "verb",
        "permitted",
        "target_class",
        "transport",
        "tool_outcome",
        "status",
        "tool_version",
        "time_zone",
        "flags",
        "ran",
        "not_run",
        "detections",
    ]
)
_OURS = frozenset(
    [
        "shows",
        "does_not_show",
        "meaning",
        "meanings",
        "terms",
        "relevance",
        "attribution",
        "licence",
        "publisher",
        "published",
        "edition",
        "editions",
        "catalogue",
        "verification",
        "linking",
        "mapping_note",
        "statement",
        "separation",
        "verify",
        "changes",
        "needs",
        "correction",
        "reading",
        "redaction",
        "oscal_version",
        "ocsf_version",
    ]
)
_KEPT = _IDS | _WORDS | _OURS
"""Members of the document that hold ids, words of our own vocabulary or our own prose: nothing in them came from a log."""

_PROMPT_MEMBERS = frozenset({"why", "intent", "prompt"})
_FOREIGN = frozenset(
    [
        "why",
        "intent",
        "decision",
        "credential",
        "action",
        "effect",
        "outcome",
        "name",
        "reason",
        "text",
        "who",
        "by",
        "reviewer",
        "owner",
        "ticket",
        "cause",
        "closure",
        "subject",
        "issuer",
        "point",
        "points",
        "scope",
        "organisation",
        "system",
        "principal",
        "on_behalf_of",
        "agent",
        "target",
        "rule",
        "policy",
        "author",
        "path",
        "classification",
    ]
)
_ASKED = frozenset(
    [
        "frameworks",
        "from",
        "to",
        "as_of",
        "reviewed_until",
        "only",
        "also",
        "redact",
        "full",
        "exchange",
        "sample_seed",
        "sample_size",
    ]
)
_ROW_TEXTS = ("tool", "target", "owner", "environment", "title", "decided_by", "rule", "policy")


def check_profile(name: str) -> str:
    """The profile of that name; raises UnknownName with the nearest ones."""
    if name not in PROFILES:
        raise UnknownName("redaction profile", name, PROFILES)
    return name


class Redactor:
    """Leaves out of rows and documents what a profile says; `key` is the pseudonym key, at least 16 bytes."""

    def __init__(self, profile: str, given: PackInput, key: bytes) -> None:
        self.profile = check_profile(profile)
        self._key = hmac.digest(key, b"remit redaction", "sha256")
        self._digest: Callable[[str, str], str] = lru_cache(maxsize=50_000)(self._keyed)
        self._people = dict(_people(given))
        self._titles = Wordlist({text: LEFT_OUT for t in given.tasks for text in _cut(t.title) if len(text) > 3})
        self._words = Wordlist({})
        self._base: dict[str, str] = {}
        if profile == NAMES:
            self._words = Wordlist(self._pseudonyms())
        elif profile == HASHES:
            self._base = {text: self._hash(text) for text in _texts(given)}
        self._text: Callable[[str], str] = lru_cache(maxsize=50_000)(self._scrub)

    def note(self) -> dict[str, Any]:
        """What the document says of itself: the profile, what was left out, and the sentence for the reader."""
        left_out, why = PROFILES[self.profile]
        return {"profile": self.profile, "left_out": left_out, "why": why}

    def row(self, row: StepRow) -> StepRow:
        """A row of the population as it may be written."""
        if self.profile == PROMPTS:
            return msgspec.structs.replace(row, title=LEFT_OUT if row.title else "", target=self._titles.replace(row.target))
        if self.profile == NAMES:
            return msgspec.structs.replace(row, **{name: self._text(getattr(row, name)) for name in _ROW_TEXTS})
        return msgspec.structs.replace(row, **{name: self._hash(getattr(row, name)) for name in _ROW_TEXTS})

    def document(self, document: dict[str, Any], rows: Iterable[StepRow] = ()) -> dict[str, Any]:
        """A document of plain values as it may be written; `rows` are the steps that it tells of."""
        if self.profile == HASHES:
            texts = {getattr(row, name) for row in rows for name in ("target", "owner", "title", "decided_by", "rule", "policy")}
            more = {text: self._hash(text) for text in texts if len(text) > 2}
            self._words = Wordlist({**self._base, **more})
            self._text = lru_cache(maxsize=50_000)(self._scrub)
        made = self.value(document)
        assert isinstance(made, dict), "a document stays one"
        return made

    def about(self, about: dict[str, Any]) -> dict[str, Any]:
        """What the manifest says of the pack, the profile among it; what must be asked again stays as it is."""
        asked = {n: v if n in _ASKED else self._value(v, "path", "") for n, v in about["parameters"].items()}
        return {"about": self.value(about["about"]), "parameters": asked, "redaction": self.note()}

    def value(self, value: Any) -> Any:
        """Plain values as they may be written."""
        return self._value(value, "", "")

    def _value(self, value: Any, member: str, above: str) -> Any:
        if isinstance(value, dict):
            return {self._member(k, member): self._value(v, str(k), member) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(v, member, above) for v in value]
        return self._said(value, member, above) if isinstance(value, str) else value

    def _member(self, name: Any, above: str) -> Any:
        """The name of a member: foreign where a map counts foreign words."""
        return self._text(name) if isinstance(name, str) and above in ("reject_reasons", "configuration") else name

    def _said(self, text: str, member: str, above: str) -> str:
        if (
            (member in _KEPT and above != "expected")
            or above in ("headings", "figures", "digests", "catalogues", "control_ids", "statement_ids")
            or _SAFE.fullmatch(text)
        ):
            return text
        if self.profile == PROMPTS:
            return LEFT_OUT if member in _PROMPT_MEMBERS else self._titles.replace(text)
        if self.profile == HASHES and (member in _FOREIGN or above == "expected") and above != "limits":
            return self._hash(text)
        if self.profile == HASHES and member == "title":
            # Titles of frameworks, controls and detections are ours; only those of tasks came from outside.
            changed = self._titles.replace(text)
            return text if changed == text else self._hash(text)
        return self._text(text)

    def _scrub(self, text: str) -> str:
        if self.profile == NAMES:
            text = _MAIL.sub(lambda m: self._pseudonym(m.group()), text)
            text = _HOME.sub(lambda m: self._pseudonym(m.group()), text)
        return self._words.replace(text)

    def _pseudonyms(self) -> dict[str, str]:
        return {name: self._pseudonym(name) for name in self._people}

    def _pseudonym(self, name: str) -> str:
        """One pseudonym for every spelling and alias of a name; a pseudonym stays itself."""
        whole = self._people.get(name.casefold(), name.casefold())
        return f"person-{self._digest('name', whole)[:10]}"

    def _hash(self, text: str) -> str:
        return text if _SAFE.fullmatch(text) else f"hash:{self._digest('text', text)[:16]}"

    def _keyed(self, what: str, text: str) -> str:
        return hmac.digest(self._key, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def disclosed(report: Report, redactor: Redactor, tally: Tally) -> dict[str, Any]:
    """The report as plain values that may be written, saying of itself that something was left out, and why."""
    rows = (*tally.kept.values(), *(row for rows in tally.samples.values() for row in rows))
    document = redactor.document(msgspec.to_builtins(report), rows)
    document["redaction"] = redactor.note()
    document["summary"]["limits"].append(redactor.note()["why"])
    return document


def _cut(text: str) -> tuple[str, ...]:
    """A text and its beginnings as a report prints them."""
    return tuple({text, text[:160], text[:EXCERPT]})


def _people(given: PackInput) -> Iterator[tuple[str, str]]:
    """(spelling, whole name), casefolded, of every identity the state knows; the parts of a mail address speak for it."""
    org = given.org
    aliases = {a.casefold(): name.casefold() for name, names in (org.identities.items() if org else ()) for a in (name, *names)}
    systems = {t.agent.casefold() for t in given.tasks} | {c.point.casefold() for c in given.coverage}
    systems |= {s.format.casefold() for s in given.sources} | {"", "*", "unknown", "system"}
    named = {n.casefold() for n in _names(given)} | set(aliases)
    for source in (*(c.path for c in given.custody), *(s.name for s in given.sources)):
        named |= {m.group().casefold() for m in _HOME.finditer(source)}
        named |= {m.group().casefold() for m in _MAIL.finditer(source)}
    parts: dict[str, set[str]] = {}
    for name in sorted(named - systems):
        whole = aliases.get(name, name)
        parts.setdefault(name, set()).add(whole)
        local, at, _ = name.partition("@")
        if at:
            for part in {local, *re.split(r"[._+]", local)}:
                if len(part) > 2 and part not in systems:
                    parts.setdefault(part, set()).add(whole)
    for part, wholes in sorted(parts.items()):
        # What stands for several people is a name of its own.
        yield part, min(wholes) if len(wholes) == 1 else part


def _names(given: PackInput) -> Iterator[str]:
    for task in given.tasks:
        yield from (task.principal, task.on_behalf_of)
    for verdict in given.verdicts:
        yield from (verdict.reviewer, verdict.by)
    for exception in given.exceptions:
        yield from (exception.owner, exception.by)
    for remedy in given.remedies:
        yield from (remedy.owner, remedy.by)
    yield from (a.who for a in given.attestations)
    yield from (s.who for s in given.sign_offs)
    yield from (p.author for p in given.policies)
    yield from (c.by for c in given.custody)
    yield from (c.by for c in given.classifications)
    yield from (c.subject for c in given.credentials)


def _texts(given: PackInput) -> Iterator[str]:
    """Every text of the state that came from outside and is no id, word of ours, or too short to be told from one."""
    parts: list[Any] = [given.organisation, given.system, *_names(given)]
    parts += [(t.title, t.agent, t.repository, t.environment, t.ticket, t.project, list(t.owners)) for t in given.tasks]
    parts += [(s.name, list(s.points), s.note, list(s.reject_reasons)) for s in given.sources]
    parts += [(c.point, c.scope) for c in given.coverage]
    parts += [(d.point,) for d in given.delivered]
    parts += [(c.issuer, c.kind, list(c.scope)) for c in given.credentials]
    parts += [(p.name,) for p in given.policies]
    parts += [(e.ticket, e.where) for e in given.exceptions]
    parts += [(r.cause, r.closure) for r in given.remedies]
    parts += [(c.path,) for c in given.custody]
    if given.org is not None:
        parts += [(p.id, p.scope) for p in given.org.enforcement_points]
        parts += [(r.match, r.owner, r.environment, r.project) for r in given.org.resources]
        parts += [(name, list(names)) for name, names in given.org.identities.items()]
    pending = parts
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            if len(one) > 2 and not _SAFE.fullmatch(one):
                yield from _cut(one)
        else:
            pending.extend(one)
