"""A file that says how a report is made, so that the same is exported each time; what the command line says wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from lang.times import parse_time
from lang.yamlcheck import Document
from lang.yamltree import Mapping, Node, Scalar
from reports.errors import UnknownName
from reports.exchange import OCSF_VERSIONS, OSCAL_VERSIONS
from reports.library import Library
from review.errors import RemitError
from review.pack.frameworks import open_library

MOST_BYTES = 1 << 20
FORMATS = ("html", "md", "json", "csv", "oscal", "ocsf", "sarif", "pdf")
PROFILES = ("no-prompts", "no-names", "hashes-only")
UNITS = {"hour": 3_600, "day": 86_400, "week": 7 * 86_400}
_SPAN = re.compile(r"(\d{1,5}) ?(hour|day|week)s?")
_WHOLE = re.compile(r"\d{1,9}")

Reader = Callable[["_Config", Node, str], Any]


def span(text: str) -> int | None:
    """`30 days`, `2 weeks`, `36 hours` in microseconds; None for anything else."""
    found = _SPAN.fullmatch(text.strip())
    return int(found[1]) * UNITS[found[2]] * 1_000_000 if found and int(found[1]) else None


def read_config(path: Path, frameworks: str | None = None, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """What a file sets, by the option's name in the program; raises RemitError that lists all that is wrong with its place.

    `frameworks` and `overrides`, where they are given, stand for the file's own folder and files of an organisation's readings.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RemitError(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from error
    if len(data) > MOST_BYTES:
        raise RemitError(f"{path} is larger than any report configuration")
    document = _Config(text, path.parent)
    values = document.values()
    document.known(open_library(frameworks or values.get("frameworks_dir"), overrides or values.get("override") or ()))
    wrong = [f"{path}:{d.line}:{d.column}: {d.message}" for d in document.found() if d.severity == "error"]
    if wrong:
        raise RemitError("; ".join(wrong))
    return values


class _Config(Document):
    def __init__(self, text: str, folder: Path) -> None:
        super().__init__(text)
        self.folder = folder
        self._named: list[tuple[Node, str]] = []

    def values(self) -> dict[str, Any]:
        root = self.read("report configuration", "at least `frameworks`")
        return {} if root is None else self._of(root, _KEYS, "a report configuration")

    def _of(self, node: Node, known: dict[str, tuple[str, Reader]], what: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in (self.keys(node, tuple(known), what) or {}).items():
            name, reader = known[key]
            read = reader(self, value, key)
            if isinstance(read, dict):
                found |= read
            elif read is not None:
                found[name] = read
        return found

    def word(self, node: Node, key: str) -> str | None:
        return self.text_of(node, key)

    def path(self, node: Node, key: str) -> str | None:
        """A path, taken from the file's own folder."""
        text = self.text_of(node, key)
        return None if text is None else str(self.folder / text)

    def truth(self, node: Node, key: str) -> bool | None:
        word = self.choice(node, key, ("true", "false"))
        return None if word is None else word == "true"

    def time(self, node: Node, key: str) -> str | None:
        text = self.text_of(node, key)
        if text is not None and parse_time(text)[0] is None:
            self.error(node, "bad-time", f"`{key}` is a time such as 2026-06-01 or 2026-06-01T14:00:00Z")
            return None
        return text

    def span(self, node: Node, key: str) -> str | None:
        text = self.text_of(node, key)
        if text is not None and span(text) is None:
            self.error(node, "bad-span", f"`{key}` is a span such as `30 days`, `2 weeks` or `36 hours`")
            return None
        return text

    def whole(self, node: Node, key: str) -> int | None:
        text = self.text_of(node, key)
        if text is None or _WHOLE.fullmatch(text):
            return None if text is None else int(text)
        self.error(node, "bad-number", f"`{key}` is a whole number")
        return None

    def period(self, node: Node, key: str) -> dict[str, Any]:
        found = self._of(node, _PERIOD, "a period")
        if "last" in found and len(found) > 1:
            self.error(node, "two-periods", "a period is `last`, or `from` and `to`")
        return found

    def sample(self, node: Node, key: str) -> dict[str, Any]:
        return self._of(node, _SAMPLE, "a sample")

    def formats(self, node: Node, key: str) -> str:
        return ",".join(word for item in self._each(node) if (word := self.choice(item, key, FORMATS)))

    def frameworks(self, node: Node, key: str) -> list[str]:
        """Frameworks by any name of theirs, and labels of controls; `known` says which nobody knows."""
        found = [(item, word) for item in self._each(node) if (word := self.text_of(item, key))]
        self._named += found
        return [word for _, word in found]

    def known(self, library: Library) -> None:
        """Hold the frameworks that are named against those there are."""
        for node, word in self._named:
            try:
                library.select([word])
            except UnknownName as error:
                self.error(node, "unknown-framework", str(error))

    def paths(self, node: Node, key: str) -> list[str]:
        return [path for item in self._each(node) if (path := self.path(item, key))]

    def _each(self, node: Node) -> list[Node]:
        return [node] if isinstance(node, Scalar | Mapping) else node.items


def _one_of(*words: str) -> Reader:
    return lambda config, node, key: config.choice(node, key, words)


_PERIOD: dict[str, tuple[str, Reader]] = {
    "from": ("start", _Config.time),
    "to": ("end", _Config.time),
    "last": ("last", _Config.span),
}
_SAMPLE: dict[str, tuple[str, Reader]] = {"seed": ("sample_seed", _Config.word), "size": ("sample_size", _Config.whole)}
_KEYS: dict[str, tuple[str, Reader]] = {
    "frameworks": ("framework", _Config.frameworks),
    "period": ("period", _Config.period),
    "as-of": ("as_of", _Config.time),
    "reviewed-until": ("reviewed_until", _Config.time),
    "formats": ("only", _Config.formats),
    "pdf": ("pdf", _Config.truth),
    "full": ("full", _Config.truth),
    "organisation": ("organisation", _Config.word),
    "system": ("system", _Config.word),
    "sample": ("sample", _Config.sample),
    "templates": ("templates", _Config.path),
    "redact": ("redact", _one_of(*PROFILES)),
    "sign": ("sign", _Config.path),
    "since": ("since", _Config.path),
    "out": ("out", _Config.path),
    "force": ("force", _Config.truth),
    "oscal-version": ("oscal_version", _one_of(*OSCAL_VERSIONS)),
    "ocsf-version": ("ocsf_version", _one_of(*OCSF_VERSIONS)),
    "import-ap": ("import_ap", _Config.word),
    "import-ssp": ("import_ssp", _Config.word),
    "system-id": ("system_id", _Config.word),
    "org": ("org", _Config.path),
    "frameworks-dir": ("frameworks_dir", _Config.path),
    "override": ("override", _Config.paths),
    "store": ("store", _Config.word),
}


def in_force(given: dict[str, Any]) -> dict[str, Any]:
    """Options as a configuration file would state them, what is not set left out: what `--print-config` shows."""
    shown: dict[str, Any] = {}
    for key, (name, reader) in _KEYS.items():
        inner = _PERIOD if reader is _Config.period else _SAMPLE if reader is _Config.sample else None
        if inner is not None:
            value: Any = {part: given[field] for part, (field, _) in inner.items() if given.get(field) not in (None, "")}
        else:
            value = given.get(name)
        if key == "formats" and isinstance(value, str):
            value = [word.strip() for word in value.split(",")]
        if value not in (None, "", [], {}, False):
            shown[key] = value
    return shown


def written(shown: dict[str, Any]) -> str:
    """The same as the text of such a file."""
    return str(yaml.safe_dump(shown, sort_keys=False, allow_unicode=True))
