"""A filter's text cut into words with their places: what reading it and completing it have in common."""

from __future__ import annotations

from dataclasses import dataclass

QUOTES = "\"'"
NEGATIONS = "-!"


class Unclosed(ValueError):
    """A quotation mark that is never closed; `at` is its place."""

    def __init__(self, at: int) -> None:
        super().__init__("no closing quotation mark")
        self.at = at


@dataclass(frozen=True, slots=True)
class Value:
    """One of the values of a word; a `quoted` one has no signs in it"""

    text: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A blank-separated part of a filter: `-field:value,value`, or text to search for (`field` "").

    `start` is where it begins, its negation included; places are characters of the filter.
    """

    text: str
    start: int
    end: int
    negated: bool
    field: str
    values: tuple[Value, ...]


def words(expression: str, *, unfinished: bool = False) -> list[Word]:
    """The words of a filter; raises Unclosed, unless it is `unfinished` and an open quotation runs to its end."""
    found: list[Word] = []
    at = 0
    while at < len(expression):
        if expression[at].isspace():
            at += 1
            continue
        word = _word(expression, at, unfinished)
        found.append(word)
        at = word.end
    return found


def quoted(value: str) -> str:
    """A value as it has to be written in a filter."""
    if (
        value
        and not any(char.isspace() or char in "\"',*?" for char in value)
        and value[0] not in NEGATIONS
        and ".." not in value
    ):
        return value
    if '"' not in value:
        return f'"{value}"'
    return f"'{value}'" if "'" not in value else '"' + value.replace('"', "?") + '"'


def _word(expression: str, start: int, unfinished: bool) -> Word:
    at = start
    negated = expression[at] in NEGATIONS and at + 1 < len(expression) and not expression[at + 1].isspace()
    at += negated
    name = _name(expression, at)
    field = ""
    if name and expression[at + len(name) : at + len(name) + 1] == ":":
        field = name
        at += len(name) + 1
    values: list[Value] = []
    while True:
        value = _value(expression, at, unfinished, listed=bool(field))
        values.append(value)
        at = value.end
        if not (field and expression[at : at + 1] == ","):
            break
        at += 1
    return Word(expression[start:at], start, at, negated, field, tuple(values))


def _name(expression: str, at: int) -> str:
    end = at
    while end < len(expression) and (expression[end].isalnum() or expression[end] in "_-"):
        end += 1
    return expression[at:end]


def _value(expression: str, start: int, unfinished: bool, *, listed: bool) -> Value:
    """One value: runs of characters and quotations up to a blank, or a comma in a list of values."""
    text: list[str] = []
    was_quoted = False
    at = start
    while at < len(expression) and not expression[at].isspace() and not (listed and expression[at] == ","):
        char = expression[at]
        if char not in QUOTES or (text and not was_quoted and char == "'"):
            text.append(char)
            at += 1
            continue
        end = expression.find(char, at + 1)
        if end < 0 and not unfinished:
            raise Unclosed(at)
        was_quoted = True
        text.append(expression[at + 1 : end if end >= 0 else len(expression)])
        at = end + 1 if end >= 0 else len(expression)
    return Value("".join(text), start, at, was_quoted)
