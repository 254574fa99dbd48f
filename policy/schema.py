"""The published schemas: of a request, and of `policy.yaml`; and the table of attributes for the documentation."""

from __future__ import annotations

from typing import Any

from lang.cel.functions import INT_MAX, INT_MIN
from model.request import DERIVED, FIELDS, Field
from policy.document import RULE_KEYS, VERSION
from policy.model import EFFECTS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _field_schema(field: Field) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string", "enum": list(field.values)} if field.values else {"type": "string"}
    kinds: dict[str, dict[str, Any]] = {
        "string": text,
        "int": {"type": "integer", "minimum": INT_MIN, "maximum": INT_MAX},
        "bool": {"type": "boolean"},
        "timestamp": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00Z)?$"},
        "list<string>": {"type": "array", "items": text},
    }
    return {"description": field.doc, "anyOf": [kinds[field.type], {"type": "null"}]}


def request_schema() -> dict[str, Any]:
    """JSON Schema of a request: attributes nested by group or under their dotted names; null and absent mean not stated."""
    dotted = {field.name: _field_schema(field) for field in FIELDS}
    nested = _object()
    for field in FIELDS:
        inner, within = nested, ""
        *groups, name = field.name.split(".")
        for group in groups:
            within = f"{within}.{group}".removeprefix(".")
            inner = inner["properties"].setdefault(group, _object())
            if within not in nested["properties"]:
                nested["properties"][within] = inner
        inner["properties"][name] = dotted[field.name]
    return {
        "$schema": _DRAFT,
        "title": "Remit request",
        "description": "The normalised question a policy answers. A name that is absent is unknown, never false.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**nested["properties"], **dotted},
    }


def _object() -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def policy_schema() -> dict[str, Any]:
    """JSON Schema of `policy.yaml`. Conditions are CEL texts: `remit policy check` checks them."""
    effect = {"enum": list(EFFECTS)}
    requests = {"type": "array", "items": {"$ref": "#/$defs/request"}}
    request = {k: v for k, v in request_schema().items() if k != "$schema"}
    properties: dict[str, Any] = {
        "id": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},
        "effect": effect,
        "when": {"description": "a condition in CEL over the request", "type": ["string", "boolean"]},
        "reason": {"type": "string"},
        "controls": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "expires": {"description": "a day (its evening, UTC) or a time", "type": "string"},
        "tests": {"type": "object", "additionalProperties": False, "properties": {"match": requests, "not_match": requests}},
    }
    rule = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "effect", "when"],
        "properties": {key: properties[key] for key in RULE_KEYS},
    }
    return {
        "$schema": _DRAFT,
        "title": "Remit policy",
        "type": "object",
        "additionalProperties": False,
        "required": ["rules"],
        "properties": {
            "version": {"const": VERSION},
            "name": {"type": "string"},
            "default": effect,
            "rules": {"type": "array", "items": rule},
        },
        "$defs": {"request": request},
    }


def field_table() -> str:
    """The attributes of a request as a Markdown table."""
    lines = ["| attribute | type | meaning |", "| --- | --- | --- |"]
    for field in FIELDS:
        values = f": {', '.join(f'`{v}`' for v in field.values)}" if field.values else ""
        lines.append(f"| `{field.name}` | {field.type} | {field.doc}{values} |")
        for derived in DERIVED.values():
            if derived.of == field.name:
                lines.append(
                    f"| `{derived.name}` | {derived.type} | {derived.doc}; computed, in a request write `{field.name}` |"
                )
    return "\n".join(lines) + "\n"
