"""A parsed Sigma condition to CEL: exact, or refused with what stands against it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExpansion,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaType,
    SpecialChars,
)

from lang.cel.functions import pattern
from lang.sigma.logsources import API_VERSION, SERVICE, LogSource, Named

_COMPARED = {
    CompareOperators.LT: "<",
    CompareOperators.LTE: "<=",
    CompareOperators.GT: ">",
    CompareOperators.GTE: ">=",
    CompareOperators.NEQ: "!=",
}
_MAX_TERMS = 2_000


class Converter:
    """Writes one rule's condition; what cannot be written is collected in `refusals`."""

    def __init__(self, source: LogSource) -> None:
        self.source = source
        self.refusals: list[str] = []
        self._terms = 0

    def refuse(self, reason: str) -> str:
        if reason not in self.refusals:
            self.refusals.append(reason)
        return "false"

    def text(self, node: object) -> str:
        """CEL for a node, in brackets where it has parts."""
        self._terms += 1
        if self._terms > _MAX_TERMS:
            return self.refuse(f"the condition has more than {_MAX_TERMS:,} terms")
        match node:
            case ConditionAND(args=args):
                return self._joined(args, " && ")
            case ConditionOR(args=args):
                return self._joined(args, " || ")
            case ConditionNOT(args=args):
                return f"!({self.text(args[0])})"
            case ConditionFieldEqualsValueExpression(field=field, value=value):
                return self._compared(field, value)
            case ConditionValueExpression():
                return self.refuse("keywords without a field: events are kept by field, not as text")
            case _:
                return self.refuse(f"a condition of the kind {type(node).__name__}")

    def _joined(self, args: Sequence[object], by: str) -> str:
        parts = [self.text(arg) for arg in args]
        return parts[0] if len(parts) == 1 else "(" + by.join(parts) + ")"

    def _compared(self, field: str, value: SigmaType) -> str:
        named = self.source.fields.get(field)
        if named is None:
            return self.refuse(f"field {field}: no event holds it")
        if isinstance(value, SigmaExpansion):
            # What one written value stands for, e.g. a text in its three base64 spellings: any of them.
            return self._any([self._value(field, named, part) for part in value.values])
        return self._value(field, named, value)

    def _any(self, parts: Sequence[str]) -> str:
        return parts[0] if len(parts) == 1 else "(" + " || ".join(parts) + ")"

    def _value(self, field: str, named: Named, value: SigmaType) -> str:
        if named.number:
            return self._number(field, named, value)
        match value:
            case SigmaString():
                return self._string(field, named, value)
            case SigmaNumber():
                return self._string(field, named, SigmaString(str(value)))
            case SigmaRegularExpression():
                return self._expression(field, named, value)
            case SigmaCIDRExpression():
                if field != "DestinationIp":
                    return self.refuse(f"field {field}: an address range is understood of DestinationIp alone")
                return self._any([self._string(field, named, SigmaString(part)) for part in value.expand()])
            case _:
                return self.refuse(f"field {field}: a value of the kind {_kind(value)}")

    def _number(self, field: str, named: Named, value: SigmaType) -> str:
        if isinstance(value, SigmaNumber) and isinstance(value.number, int):
            return f"{named.attribute} == {value.number}"
        if isinstance(value, SigmaCompareExpression) and isinstance(value.number.number, int):
            return f"{named.attribute} {_COMPARED[value.op]} {value.number.number}"
        if isinstance(value, SigmaString) and re.fullmatch(r"[0-9]{1,9}", str(value)):
            return f"{named.attribute} == {int(str(value))}"
        return self.refuse(f"field {field}: it is a number, and the rule compares it with a value of the kind {_kind(value)}")

    # texts: Sigma's wildcards, and comparison without regard to case unless the rule says `cased`

    def _string(self, field: str, named: Named, value: SigmaString) -> str:
        parts = list(value.s)
        cased = isinstance(value, SigmaCasedString)
        if any(
            not isinstance(part, str) and part not in (SpecialChars.WILDCARD_MULTI, SpecialChars.WILDCARD_SINGLE)
            for part in parts
        ):
            return self.refuse(f"field {field}: a placeholder stands for values that are not in the rule")
        if field == "eventSource":
            return self._service(field, named, value, cased)
        if field == "eventName" and API_VERSION.search(str(value)):
            return self.refuse(f"field eventName: {str(value)!r} names an API version, which events are kept without")
        if named.whole and (short := _short(named.attribute, parts, cased)):
            return short
        return self._pattern(named, "".join(_quoted(part) for part in parts), cased)

    def _service(self, field: str, named: Named, value: SigmaString, cased: bool) -> str:
        """`s3.amazonaws.com` is kept as `s3`."""
        text = str(value)
        if value.contains_special() or not SERVICE.match(text.lower()) or (cased and text != text.lower()):
            return self.refuse(f"field {field}: {text!r} is no whole service name such as s3.amazonaws.com")
        return f"{named.attribute}.startsWith({_literal(text.lower().removesuffix('.amazonaws.com') + ':')})"

    def _pattern(self, named: Named, inner: str, cased: bool) -> str:
        flags = "(?s)" if cased else "(?is)"
        return self._matches(named.attribute, f"{flags}^{named.before}{inner}{named.after}$")

    def _matches(self, attribute: str, expression: str) -> str:
        try:
            pattern(expression)
        except ValueError as error:
            return self.refuse(f"the pattern {expression[:80]!r} is none of RE2: {error}")
        return f"{attribute}.matches({_literal(expression)})"

    def _expression(self, field: str, named: Named, value: SigmaRegularExpression) -> str:
        if not named.whole:
            return self.refuse(f"field {field}: a regular expression on a part of {named.attribute}")
        flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
        return self._matches(named.attribute, (f"(?{flags})" if flags else "") + str(value.regexp))


def _short(attribute: str, parts: Sequence[object], cased: bool) -> str:
    """The plain text function that says the same as the wildcards; "" where there is none."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) > 1 or SpecialChars.WILDCARD_SINGLE in parts:
        return ""
    text = texts[0] if texts else ""
    if not cased and not text.isascii():
        return ""
    written = _literal(text if cased else text.lower())
    asked = attribute if cased else f"{attribute}.lowerAscii()"
    head = bool(parts) and parts[0] is SpecialChars.WILDCARD_MULTI
    tail = len(parts) > 1 and parts[-1] is SpecialChars.WILDCARD_MULTI
    if not texts:
        return f'{attribute} != ""' if head else f'{attribute} == ""'
    if head and tail:
        return f"{asked}.contains({written})"
    if head or tail:
        return f"{asked}.{'endsWith' if head else 'startsWith'}({written})"
    return f"{asked} == {written}"


def _quoted(part: object) -> str:
    if isinstance(part, str):
        return re.escape(part)
    return ".*" if part is SpecialChars.WILDCARD_MULTI else "."


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _kind(value: SigmaType) -> str:
    names = {"SigmaNull": "null", "SigmaExists": "exists", "SigmaFieldReference": "fieldref", "SigmaTimestampPart": "time part"}
    if isinstance(value, SigmaBool):
        return "true or false"
    return names.get(type(value).__name__, type(value).__name__.removeprefix("Sigma"))
