"""Times that a mapping spells out: formats of strptime, zones that a log leaves unsaid, and complaints about both."""

from __future__ import annotations

import pytest

from importers.mapping.file import YamlError, read_mapping
from lang.times import iso
from model.words import Clock

RULES = "event: {vantage: agent, point: x}\nevents: [{otherwise: true, kind: action, text: a%s}]\n"
HEAD = "mapping: 1\nid: x\nrecognise: {has: [ts]}\n"


def told(time: str, value: object, event: str = "") -> tuple[str | None, Clock]:
    """What a mapping with this `time` makes of the value of `ts`."""
    reader = read_mapping(f"{HEAD}time: {time}\n{RULES % event}").open()
    event_ = reader.read({"ts": value}).events[0]
    return iso(event_.at), event_.clock


@pytest.mark.parametrize(
    ("time", "value", "at", "clock"),
    [
        ('{of: ts, format: "%d/%m/%Y %H:%M:%S"}', "03/04/2026 10:00:00", "2026-04-03T10:00:00Z", Clock.ZONE_ASSUMED),
        ('{of: ts, format: "%d %b %y %I:%M %p %z"}', "03 Apr 26 10:00 PM +0200", "2026-04-03T20:00:00Z", Clock.EXACT),
        ('{of: ts, format: "%Y%m%d%H%M%S"}', 20260403100000, "2026-04-03T10:00:00Z", Clock.ZONE_ASSUMED),
        (
            '{of: ts, format: "%Y.%m.%d %H:%M:%S.%f"}',
            " 2026.04.03 10:00:00.123456789 ",
            "2026-04-03T10:00:00.123456Z",
            Clock.ZONE_ASSUMED,
        ),
        ('{of: ts, format: ["%d.%m.%Y", "%d.%m.%Y %H Uhr"]}', "03.04.2026 10 Uhr", "2026-04-03T10:00:00Z", Clock.ZONE_ASSUMED),
        ('{of: ts, format: "%d/%m/%Y"}', "2026-04-03", None, Clock.ORDER_ONLY),
        ('{of: ts, format: "%d/%m/%Y"}', "9" * 500, None, Clock.ORDER_ONLY),
        ('{of: ts, format: "%d/%m/%Y"}', ["03/04/2026"], None, Clock.ORDER_ONLY),
        ('{of: ts, format: "%d/%m/%Y %H:%M", zone: Europe/Berlin}', "03/07/2026 10:00", "2026-07-03T08:00:00Z", Clock.EXACT),
        ("{of: ts, zone: Europe/Berlin}", "2026-01-03 10:00:00", "2026-01-03T09:00:00Z", Clock.EXACT),
        ("{of: ts, zone: '-05:30'}", "2026-01-03 10:00:00", "2026-01-03T15:30:00Z", Clock.EXACT),
        ("{of: ts, zone: Europe/Berlin}", "2026-01-03T10:00:00Z", "2026-01-03T10:00:00Z", Clock.EXACT),
        ("{of: ts, zone: Europe/Berlin}", "2026-10-25 02:30:00", "2026-10-25T00:30:00Z", Clock.ZONE_ASSUMED),
        ("{of: ts, zone: Europe/Berlin}", "1970-01-01 00:30:00", None, Clock.ORDER_ONLY),
        ("{of: ts, zone: Europe/Berlin}", "soon", None, Clock.ORDER_ONLY),
        ("{of: ts, unit: ms, zone: Europe/Berlin}", 1767434400000, "2026-01-03T10:00:00Z", Clock.EXACT),
    ],
)
def test_a_time_is_read_as_the_mapping_says(time: str, value: object, at: str | None, clock: Clock) -> None:
    assert told(time, value) == (at, clock)


def test_a_time_of_an_event_is_read_as_well_and_stays_flagged() -> None:
    zoned = ', time: {time: ts, format: "%d/%m/%Y %H:%M", zone: UTC}'
    assert told("none", "03/04/2026 10:00", zoned) == ("2026-04-03T10:00:00Z", Clock.EXACT)
    bare = ', time: {time: ts, format: "%d/%m/%Y %H:%M"}'
    assert told("none", "03/04/2026 10:00", bare) == ("2026-04-03T10:00:00Z", Clock.ZONE_ASSUMED)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ('{of: ts, format: "%H:%M:%S"}', "does not tell year, month and day"),
        ('{of: ts, format: "%b %d %H:%M:%S"}', "does not tell year, month and day"),
        ('{of: ts, format: "%d %Q"}', "no format of strptime"),
        ('{of: ts, format: "yyyy-MM-dd"}', "does not tell year, month and day"),
        ('{of: ts, format: "%d/%m/%Y %Z"}', "say `zone`"),
        ("{of: ts, format: []}", "one format of strptime"),
        ('{of: ts, format: "%d/%m/%Y", unit: ms}', "a text of a `format` has none"),
        ("{of: ts, zone: Mars/Base}", "no time zone known here"),
        ("{of: ts, zone: ../../etc/passwd}", "no time zone known here"),
        ("{of: ts, zone: Europe}", "no time zone known here"),
        ("{of: ts, zone: +9}", "no time zone known here"),
        ("{of: ts, formats: x}", "format"),
        ("{unit: ms}", "needs `of`"),
    ],
)
def test_what_tells_no_time_is_refused_with_its_place(time: str, words: str) -> None:
    with pytest.raises(YamlError, match="line 4, column ") as error:
        read_mapping(f"{HEAD}time: {time}\n{RULES % ''}")
    assert words in str(error.value)
