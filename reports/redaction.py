"""Selective disclosure: what a pack leaves out, by profile, so that every count and every id stays.

Everything is worked out on the whole state first; only what is written is changed, in every format alike. Pseudonyms and
digests are keyed (HMAC-SHA-256 under the installation's pseudonym key), so that nobody can try names until one fits, and the same in
every place of a pack and in two packs of one store.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from reports.document import Report
from reports.errors import UnknownName
from reports.foreign import HOME, MAIL, SAFE, authors, cut, people, sentences, texts
from reports.input import PackInput, StepRow
from reports.overrides import Override
from reports.tally import Tally
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

_FOREIGN_KINDS = frozenset({("kind", "credentials")})
"""Members of a kept name, with what they stand in, whose words are a log's."""

_FOREIGN_KEYS = frozenset({"reject_reasons", "unknown_types", "configuration"})
"""Members that count or explain words of others: there the names within are foreign too."""

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
        "evidence",
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
    """Leaves out of rows and documents what a profile says; `key` is the pseudonym key, at least 16 bytes.

    `overrides` are the organisation's own readings of frameworks, whose authors and reasons reports print.
    """

    def __init__(self, profile: str, given: PackInput, key: bytes, overrides: Sequence[Override] = ()) -> None:
        self.profile = check_profile(profile)
        self._key = hmac.digest(key, b"remit redaction", "sha256")
        self._digest: Callable[[str, str], str] = lru_cache(maxsize=50_000)(self._keyed)
        self._people = dict(people(given, authors(overrides)))
        self._titles = Wordlist({text: LEFT_OUT for t in given.tasks for text in cut(t.title) if len(text) > 3})
        self._words = Wordlist({})
        self._sentences = frozenset(sentences(overrides))
        self._base: dict[str, str] = {}
        if profile == NAMES:
            self._words = Wordlist(self._pseudonyms())
        elif profile == HASHES:
            self._base = {text: self._hash(text) for text in texts(given, overrides)}
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
            found = {getattr(row, name) for row in rows for name in ("target", "owner", "title", "decided_by", "rule", "policy")}
            more = {text: self._hash(text) for text in found if len(text) > 2}
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
            made: dict[Any, Any] = {}
            for name, held in value.items():
                key, told = self._member(name, member), self._value(held, str(name), member)
                # Two names that are one by now are counted together.
                made[key] = made[key] + told if key in made and isinstance(told, int) else told
            return made
        if isinstance(value, list | tuple):
            return [self._value(v, member, above) for v in value]
        return self._said(value, member, above) if isinstance(value, str) else value

    def _member(self, name: Any, above: str) -> Any:
        """The name of a member: foreign where a map counts foreign words."""
        if not isinstance(name, str) or above not in _FOREIGN_KEYS:
            return name
        if self.profile == PROMPTS:
            return self._titles.replace(name)
        return self._hash(name) if self.profile == HASHES and above == "unknown_types" else self._text(name)

    def _said(self, text: str, member: str, above: str) -> str:
        if text in self._sentences:
            return self._text(text)
        foreign = above == "expected" or (member, above) in _FOREIGN_KINDS
        if (
            (member in _KEPT and not foreign)
            or above in ("headings", "figures", "digests", "catalogues", "control_ids", "statement_ids")
            or SAFE.fullmatch(text)
        ):
            return text
        if self.profile == PROMPTS:
            return LEFT_OUT if member in _PROMPT_MEMBERS else self._titles.replace(text)
        if self.profile == HASHES and (member in _FOREIGN or foreign) and above != "limits":
            return self._hash(text)
        if self.profile == HASHES and member == "title":
            # Titles of frameworks, controls and detections are ours; only those of tasks came from outside.
            changed = self._titles.replace(text)
            return text if changed == text else self._hash(text)
        return self._text(text)

    def _scrub(self, text: str) -> str:
        if self.profile == NAMES:
            text = MAIL.sub(lambda m: self._pseudonym(m.group()), text)
            text = HOME.sub(lambda m: self._pseudonym(m.group()), text)
        return self._words.replace(text)

    def _pseudonyms(self) -> dict[str, str]:
        return {name: self._pseudonym(name) for name in self._people}

    def _pseudonym(self, name: str) -> str:
        """One pseudonym for every spelling and alias of a name; a pseudonym stays itself."""
        whole = self._people.get(name.casefold(), name.casefold())
        return f"person-{self._digest('name', whole)[:10]}"

    def _hash(self, text: str) -> str:
        return text if SAFE.fullmatch(text) else f"hash:{self._digest('text', text)[:16]}"

    def _keyed(self, what: str, text: str) -> str:
        return hmac.digest(self._key, f"{what}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()


def disclosed(report: Report, redactor: Redactor, tally: Tally) -> dict[str, Any]:
    """The report as plain values that may be written, saying of itself that something was left out, and why."""
    rows = (*tally.kept.values(), *(row for rows in tally.samples.values() for row in rows))
    document = redactor.document(msgspec.to_builtins(report), rows)
    document["redaction"] = redactor.note()
    document["summary"]["limits"].append(redactor.note()["why"])
    return document
