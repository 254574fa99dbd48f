"""What a redaction rule is, and the short forms in which the tables of rules are written.

A rule has keywords and a pattern. One pass over a record finds the keywords of all rules at once; only a keyword that
was found has its rule's pattern tried, at that place alone. Patterns are bounded, so the work stays linear.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# A token may begin after anything that is no letter or digit, after an escaped line end or tab, after the `m` of a
# terminal colour and after a percent-encoded character.
LEFT = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbfv])|(?<=[\d\[]m)|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
# For prefixes that base64 text holds by chance.
LEFT_NOT_BASE64 = rb"(?:(?<![A-Za-z0-9+/_-])|(?<=\\[nrtbfv])|(?<=[\d\[]m)|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
RIGHT = rb"(?![A-Za-z0-9])"
# Between the name of a secret and its value: closing marks, an operator, opening marks; any depth of escaping.
ASSIGN = rb"""[\\"'`\])]{0,10}\s{0,4}(?:=>|:=|={1,3}|:|,|>)\s{0,4}[\\"'`\[(]{0,10}"""

# Between a flag of a command line and its value, in a shell's words or in a list of arguments.
APART = rb"""[\\"']{0,10}(?:,\s{0,4}|[ \t]{1,4})[\\"']{0,10}"""


class Rule(NamedTuple):
    """One kind of secret. `back` is how far before its keyword a match may begin (0 anchors the match at the keyword),
    `ahead` how far behind the keyword it may end.

    The pattern is compiled when its keyword is first met: one log meets few of them. Its group `v` is the secret, the
    whole match where there is none. `bits` is the least entropy per character a value must show; `usable` is False for
    what cannot be used by itself.
    """

    kind: str
    label: str
    keywords: tuple[bytes, ...]
    pattern: bytes
    back: int = 0
    ahead: int = 0
    bits: float = 2.5
    usable: bool = True


def token(
    kind: str,
    label: str,
    keywords: str | tuple[str, ...],
    body: str,
    *,
    bits: float = 2.5,
    usable: bool = True,
    chancy: bool = False,
) -> Rule:
    """A token that begins with its keyword; `chancy` where base64 text may hold the prefix by chance."""
    pattern = (LEFT_NOT_BASE64 if chancy else LEFT) + b"(?:" + body.encode() + b")" + RIGHT
    return Rule(kind, label, _words(keywords), pattern, 0, 0, bits, usable)


def within(kind: str, label: str, keywords: str, body: str, back: int, ahead: int, *, bits: float = 2.5) -> Rule:
    """A token that has its keyword at most `back` characters after its beginning and at most `ahead` before its end."""
    pattern = LEFT_NOT_BASE64 + b"(?:" + body.encode() + b")" + RIGHT
    return Rule(kind, label, _words(keywords), pattern, back, ahead, bits)


def shape(kind: str, label: str, keywords: str | tuple[str, ...], body: str, *, bits: float = 0.0, usable: bool = True) -> Rule:
    """A pattern of its own, anchored at its keyword, with the secret in group `v`."""
    return Rule(kind, label, _words(keywords), body.encode(), 0, 0, bits, usable)


def named(kind: str, label: str, names: str, body: str, *, needs: str = "", bits: float = 2.5, usable: bool = True) -> Rule:
    """A value whose shape says little, assigned to a name that begins with the vendor's or given behind such a flag.

    `needs` is a pattern that the rest of the name must hold, for values as common as a UUID.
    """
    words = tuple(dict.fromkeys(v for name in names.split() for v in spellings(name)))
    rest = rb"(?=[\w.-]{0,40}(?i:" + needs.encode() + rb"))[\w.-]{0,44}" if needs else rb"[\w.-]{0,40}"
    vendor = b"|".join(re.escape(w) for w in words)
    pattern = (
        b"(?P<f>(?<=-))?(?:"
        + vendor
        + b")"
        + rest
        + b"(?(f)(?:"
        + ASSIGN
        + b"|"
        + APART
        + b")|"
        + ASSIGN
        + b")(?P<v>(?=[A-Za-z_=+/|:.-]{0,60}[0-9])"
        + body.encode()
        + b")(?![A-Za-z0-9_=-])"
    )
    return Rule(kind, label, words, pattern, 0, 0, bits, usable)


def spellings(name: str) -> tuple[bytes, ...]:
    """The spellings in which a name is met: lower, upper, and as a word of its own."""
    return tuple(dict.fromkeys(s.encode() for s in (name.lower(), name.upper(), name[:1].upper() + name[1:].lower())))


def _words(keywords: str | tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(w.encode() for w in (keywords.split() if isinstance(keywords, str) else keywords))


def any_case(*words: str) -> tuple[bytes, ...]:
    """Words in lower and in upper case, as keywords."""
    return tuple(word.encode() for text in words for word in (text.lower(), text.upper()))
