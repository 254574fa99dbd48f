"""What engines call a digest: SQL has no common word for it, and ibis has none for most of them."""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any

import ibis

from history.problems import HistoryError


def _function(name: str, *types: str, result: str = "string") -> Any:
    """A function the engine has itself."""

    def declared(*_: Any) -> Any: ...

    parameters = [Parameter(f"p{n}", Parameter.POSITIONAL_OR_KEYWORD) for n in range(len(types))]
    declared.__name__ = name
    vars(declared)["__signature__"] = Signature(parameters)
    return ibis.udf.scalar.builtin(declared, name=name, signature=(types, result))


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


def as_json_text(items: Any) -> Any:
    """A list of texts as JSON, in ClickHouse."""
    return _function("toJSONString", "array<string>")(items)


def as_written(text: Any) -> Any:
    """A text by its bytes alone, in DuckDB: what a collation holds for equal is told apart again."""
    return _function("decode", "binary")(_function("encode", "string", result="binary")(text))


def characters(text: Any, dialect: str) -> Any:
    """The number of a text's characters; ibis's word for it counts bytes in ClickHouse."""
    counted = _function("lengthUTF8", "string", result="int64")(text) if dialect == "clickhouse" else text.length()
    return counted.cast("int64")


def position(text: Any, part: Any, dialect: str) -> Any:
    """Where a part begins in a text, in characters from 0; -1 where it does not."""
    if dialect == "clickhouse":
        return _function("positionUTF8", "string", "string", result="int64")(text, part).cast("int64") - 1
    return text.find(part).cast("int64")
