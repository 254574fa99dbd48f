"""Sigma rules in a file to own detections: each rule is carried over whole, or refused with every reason by name."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

import msgspec
import yaml

from lang.cel import compile_condition
from lang.sigma.logsources import known_sources, log_source
from model.conditions import EVENT_CONDITION

MAX_BYTES = 1 << 20
MAX_RULES = 500
MAX_DEPTH = 20
_FORBIDDEN = re.compile("[\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufeff\\ufffe\\uffff]")
_LEVELS = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
_SINGLE = "rules for single events are carried over"


class Carried(msgspec.Struct, frozen=True):
    """A rule as an own detection, ready to be written."""

    id: str
    title: str
    severity: str
    looks_for: str
    when: str
    limits: str
    references: tuple[str, ...]
    refused: bool = False


class Refused(msgspec.Struct, frozen=True):
    """A rule that cannot be carried over, and all that stands against it."""

    rule: str
    reason: str


class _NoRule(ValueError):
    """The text holds no Sigma rules; the message says why."""


def carry_over(text: str) -> list[Carried | Refused]:
    """Every rule of a file, in its order; never raises for what the file holds. Needs the `sigma` extra (pySigma)."""
    try:
        documents = _documents(text)
    except _NoRule as error:
        return [Refused("the file", str(error))]
    return [_rule(document) for document in documents]


def _documents(text: str) -> list[dict[str, Any]]:
    """The documents of a file, within bounds: rules come from strangers."""
    if len(text) > MAX_BYTES:
        raise _NoRule(f"it is larger than {MAX_BYTES:,} characters")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = count = 0
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            count += isinstance(event, yaml.DocumentStartEvent)
            if isinstance(event, yaml.AliasEvent):
                raise _NoRule("aliases such as `*name` are not read; write the value out")
            if depth > MAX_DEPTH or count > MAX_RULES:
                raise _NoRule(f"it is nested deeper than {MAX_DEPTH} levels or has more than {MAX_RULES} rules")
        # A safe loader: it makes plain values and nothing else.
        found = [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise _NoRule(f"{where}not valid YAML: {getattr(error, 'problem', None) or 'syntax error'}") from error
    except ValueError as error:
        raise _NoRule(f"a value that is none: {error}") from error
    if not found or not all(isinstance(document, dict) for document in found):
        raise _NoRule("it holds no Sigma rule: a rule is a mapping with title, logsource and detection")
    return found


def _rule(document: dict[str, Any]) -> Carried | Refused:
    from sigma.exceptions import SigmaError
    from sigma.rule import SigmaRule

    name = str(document.get("title") or document.get("id") or "a rule without a title")[:120]
    detection = document.get("detection")
    if "correlation" in document or "filter" in document:
        return Refused(name, f"it is a {'correlation' if 'correlation' in document else 'filter'} over other rules; {_SINGLE}")
    if "action" in document:
        return Refused(name, "it is a part of a rule collection (`action`); write each rule out")
    if isinstance(detection, dict) and "timeframe" in detection:
        return Refused(name, f"it has a timeframe; {_SINGLE}")
    try:
        rule = SigmaRule.from_dict(document)
        return _carried(rule, name)
    except SigmaError as error:
        return Refused(name, f"pySigma does not read it: {error}")
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # pySigma takes the shape of some values for granted.
        return Refused(name, f"it is no rule in Sigma's form ({type(error).__name__}: {error})")


def _carried(rule: Any, name: str) -> Carried | Refused:
    from lang.sigma.conditions import Converter

    stated = tuple(str(part or "") for part in (rule.logsource.category, rule.logsource.product, rule.logsource.service))
    source = log_source(*stated)
    if source is None:
        told = ", ".join(f"{key} {value}" for key, value in zip(("category", "product", "service"), stated, strict=True) if value)
        return Refused(name, f"log source {told}: it has no counterpart; known: {known_sources()}")
    converter = Converter(source)
    conditions = [converter.text(condition.parsed) for condition in rule.detection.parsed_condition]
    if converter.refusals:
        return Refused(name, "; ".join(converter.refusals))
    when = f"{source.base} && {conditions[0] if len(conditions) == 1 else '(' + ' || '.join(conditions) + ')'}"
    if problems := [p for p in compile_condition(when, EVENT_CONDITION).problems if p.severity == "error"]:
        return Refused(name, f"the condition cannot be written: {problems[0].message}")
    said = [source.note]
    if rule.falsepositives:
        said.append(f"False alarms named by its authors: {'; '.join(map(str, rule.falsepositives))}.")
    origin = f"Sigma rule {rule.id or rule.title}" + (f" by {rule.author}" if rule.author else "")
    return Carried(
        id=_id(rule),
        title=" ".join(str(rule.title).split())[:200],
        severity=_LEVELS.get(rule.level.name.lower(), "medium") if rule.level else "medium",
        looks_for=" ".join(str(rule.description or rule.title).split())[:1_000],
        when=when,
        limits=" ".join(" ".join(filter(None, said)).split()),
        references=(" ".join(origin.split()), *(str(r) for r in rule.references), *(str(tag) for tag in rule.tags)),
        refused=source.refused,
    )


def _id(rule: Any) -> str:
    """The beginning of the rule's own id, or of the digest of its title."""
    stated = rule.id.hex if rule.id is not None else sha256(str(rule.title).encode("utf-8", "replace")).hexdigest()
    return f"SIGMA-{stated[:12].upper()}"


def document(carried: list[Carried]) -> str:
    """A file of own detections that holds these; texts are written so that nothing in them is YAML."""
    lines = ["version: 1", "detections:"]
    for one in carried:
        lines += [
            f"  - id: {one.id}",
            f"    title: {_text(one.title)}",
            f"    severity: {one.severity}",
            f"    looks_for: {_text(one.looks_for)}",
            f"    limits: {_text(one.limits)}",
            "    references:",
            *(f"      - {_text(reference)}" for reference in one.references),
            "    over: events",
            *(["    refused: true"] if one.refused else []),
            f"    when: {_text(one.when)}",
        ]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """A text in double quotes; JSON's escapes are YAML's, and what YAML forbids is escaped as well."""
    return _FORBIDDEN.sub(lambda m: f"\\u{ord(m.group()):04x}", json.dumps(text, ensure_ascii=False))
