"""The address of a warehouse: its engine, and secrets by reference alone."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from history.problems import HistoryError
from lang.cel.problems import did_you_mean

FILES = {"parquet": "duckdb", "chdb": "chdb", "spark": "spark"}
STORES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "memory": ""}
"""The object stores whose Parquet files are read, and the package each needs besides fsspec. A closed list: fsspec itself would
also follow chains (`zip://x::https://y`) and code hosts."""
SCHEMES = ("duckdb", "parquet", "clickhouse", "chdb", "spark", "trino", "bigquery", "snowflake")
_REFERENCE = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SECRET = re.compile(r"pass|pwd|secret|token|credential|private|auth|api.?key", re.IGNORECASE)


class Location(NamedTuple):
    """An address as it was given, references unresolved: it may be stored and shown. `store` is the object store of files that lie in one."""

    url: str
    scheme: str
    store: str = ""

    @property
    def path(self) -> str:
        """The path of files or of a database file, percent escapes undone; of files in an object store their address there."""
        if self.store:
            return f"{self.store}://{unquote(self.url.partition('://')[2])}"
        parts = urlsplit(self.url)
        return unquote(parts.netloc + parts.path) if self.scheme in ("duckdb", "parquet", "chdb") else unquote(parts.path)

    @property
    def is_files(self) -> bool:
        """Whether it names Parquet files, which are the table."""
        return self.scheme == "parquet" or (self.scheme in ("chdb", "spark") and self.path.strip("/") != "")


def located(url: str) -> Location:
    """Checks an address; raises HistoryError where it is none, or where a secret stands in it in clear."""
    said, separator, rest = url.partition("://")
    scheme, plus, store = said.partition("+")
    if plus and scheme == "parquet" and store not in STORES:
        known = ", ".join(f"parquet+{one}://" for one in STORES if STORES[one])
        raise HistoryError(f"{_hidden(url)!r} names no object store that is read{did_you_mean(store, STORES)}; known: {known}")
    if not separator or scheme not in SCHEMES or (plus and scheme != "parquet"):
        hint = did_you_mean(scheme, SCHEMES) if separator else ""
        listed = ", ".join(f"{one}://" for one in SCHEMES)
        raise HistoryError(f"{_hidden(url)!r} is no address of a history{hint}; known: {listed}")
    try:
        parts = urlsplit(url)
        password = parts.password
        _ = parts.port
    except ValueError as error:
        raise HistoryError(f"the address of the history cannot be read: {error}; check its host and port") from error
    found = Location(url, scheme, store)
    if password and _REFERENCE.fullmatch(password) is None:
        raise HistoryError("a password stands in the address; write `${NAME}` in its place and set the variable NAME")
    if store and (parts.username is not None or "::" in rest):
        raise HistoryError(
            "an object store's address has neither a login nor a chain in it; its driver takes logins from the environment"
        )
    if "@" in rest and parts.username is None and scheme not in ("duckdb", "parquet", "chdb"):
        raise HistoryError("the part of the address before `@` cannot be read; write a password as `${NAME}`")
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET.search(name) and _REFERENCE.fullmatch(value) is None:
            raise HistoryError(f"`{name}` in the address looks like a secret; write `{name}=${{NAME}}` and set the variable NAME")
    for name in _REFERENCE.findall(url):
        if not name.startswith("keyring:") and not _NAME.match(name):
            raise HistoryError(f"`${{{name}}}` names no variable; write `${{NAME}}` or `${{keyring:SERVICE/USER}}`")
    return found


def secrets(location: Location, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The values of the references of an address by their text; raises HistoryError for one that is not set."""
    known = os.environ if environment is None else environment
    found: dict[str, str] = {}
    for name in _REFERENCE.findall(location.url):
        value = _from_keyring(name.removeprefix("keyring:")) if name.startswith("keyring:") else known.get(name)
        if value is None:
            raise HistoryError(f"the address of the history refers to `{name}`, which is not set; set it and try again")
        found["${" + name + "}"] = value
    return found


def resolved(text: str, values: Mapping[str, str]) -> str:
    """A part of an address with its references replaced."""
    for reference, value in values.items():
        text = text.replace(reference, value)
    return text


def scrubbed(text: str, values: Mapping[str, str]) -> str:
    """A message of a driver without the secrets it may repeat."""
    for value in sorted(values.values(), key=len, reverse=True):
        if value:
            text = text.replace(value, "***")
    return text


def _from_keyring(name: str) -> str | None:
    try:
        import keyring
    except ImportError as error:
        raise HistoryError("references to a keyring need the package `keyring`; install it, or use a variable") from error
    service, _, user = name.partition("/")
    found: str | None = keyring.get_password(service, user)
    return found


def _hidden(url: str) -> str:
    """What is no address may still hold a password."""
    head, separator, rest = url.partition("://")
    return f"{head}{separator}***@{rest.rpartition('@')[2]}" if "@" in rest else url
