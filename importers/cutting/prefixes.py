"""What stands before a line of text that something carried: a time and who wrote it, in the words of whoever collected it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lang.late import late

_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_OWN_TIME = r"(?=.{0,80}?(?:\d\d:\d\d:\d\d|\d{10}))"
"""Before a line that has a time of its own: what stands there is a collector's."""
PREFIXES: tuple[re.Pattern[str], ...] = (
    late(rf"{_ISO} (?P<stream>stdout|stderr) (?P<tag>[FP])(?::\S*)? "),  # Kubernetes, as the container runtime writes it
    late(
        r'<\d{1,3}>1 \S+ \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]"]++|"(?:[^"\\]|\\.){0,1000}+")*+\])+) ?(?:\ufeff)?'
    ),  # syslog, RFC 5424
    late(
        r"(?:<\d{1,3}>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \S+ [^\s:\[]{1,100}(?:\[[^\]]{0,50}\])?: "
    ),  # RFC 3164
    late(rf"(?:<\d{{1,3}}>)?{_ISO} \S+ [^\s:\[]{{1,100}}(?:\[[^\]]{{0,50}}\])?: "),  # rsyslog, journalctl -o short-iso
    late(rf"{_ISO}\t[^\t]{{1,300}}\t"),  # fluentd
    late(rf"{_ISO} \{{[^}}]{{0,2000}}\}} "),  # logcli
    late(rf"\[pod/[^\]]{{1,300}}\] {_ISO} {_OWN_TIME}"),  # kubectl logs --prefix --timestamps
    late(r"\[pod/[^\]]{1,300}\] "),
    late(rf"[\w.-]{{1,100}} +\| {_ISO} {_OWN_TIME}"),  # docker compose logs --timestamps
    late(r"[\w.-]{1,100} +\| "),
    late(rf"{_ISO} "),  # kubectl logs --timestamps, docker logs -t, CloudWatch exports
)
"""What stands before a line that was carried as text."""


CRI = PREFIXES[0]
_WITH_TIME = tuple(PREFIXES[place] for place in (2, 3, 4, 6, 8, 10))
"""Those that a log may write itself: they are a carrier's where a line with a time of its own follows."""
_TIME = late(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_MOST_WORDS = 8
WORDS: tuple[re.Pattern[str], ...] = tuple(
    late(rf"(?:[ \t]{{1,40}}|(?=\S))(?:\S{{1,300}}[ \t]{{1,40}}){{{count}}}(?:\x1b\[[0-9;]{{0,32}}m)?")
    for count in range(_MOST_WORDS + 1)
)
"""So many words, from none but blanks on, for what nobody listed: tools that follow several logs put names before each line, in colours too."""


def opens_a_line(lines: Iterable[object], prefix: re.Pattern[str]) -> bool:
    """Whether a prefix stands before every text among these, and is none of the line's own words."""
    texts = [line for line in lines if isinstance(line, str)]
    ends = [match.end() for line in texts if (match := prefix.match(line)) is not None]
    if not texts or len(ends) < len(texts):
        return False
    timed = sum(_TIME.match(line, end) is not None for line, end in zip(texts, ends, strict=True))
    return (prefix not in _WITH_TIME and prefix not in WORDS) or 2 * timed >= len(texts)
