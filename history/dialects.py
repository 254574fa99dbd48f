"""What engines call a digest: SQL has no common word for it, and ibis has none for most of them."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any

import ibis

from history.problems import HistoryError


def _function(name: str, *types: str) -> Any:
    """A function the engine has itself."""

    def declared(*_: Any) -> Any: ...

    parameters = [Parameter(f"p{n}", Parameter.POSITIONAL_OR_KEYWORD) for n in range(len(types))]
    declared.__name__ = name
    vars(declared)["__signature__"] = Signature(parameters)
    return ibis.udf.scalar.builtin(declared, name=name, signature=(types, "string"))


DIGITS = 32
"""Hexadecimal digits kept of a digest: sixteen bytes, as in our own store."""


def digest(text: Any, dialect: str) -> Any:
    """SHA-256 of a text's UTF-8 bytes, its first `DIGITS`; upper and lower case differ by engine and mean nothing."""
    match dialect:
        case "duckdb":
            whole = _function("sha256", "string")(text)
        case "clickhouse":
            whole = _function("hex", "string")(_function("SHA256", "string")(text))
        case "pyspark" | "databricks" | "snowflake":
            whole = _function("sha2", "string", "int16")(text, 256)
        case "trino":
            whole = _function("to_hex", "string")(_function("sha256", "string")(_function("to_utf8", "string")(text)))
        case "bigquery":
            whole = _function("TO_HEX", "string")(_function("SHA256", "string")(text))
        case _:
            raise HistoryError(f"{dialect} has no SHA-256 that Remit knows of")
    return whole.substr(0, DIGITS)
