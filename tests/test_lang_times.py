"""Timestamps of every spelling, and none of any other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lang.times import iso, parse_time
from model.words import Clock


@pytest.mark.parametrize(
    ("value", "shown", "clock"),
    [
        ("2026-03-17T08:20:40.455Z", "2026-03-17T08:20:40.455Z", Clock.EXACT),
        ("2020-03-06T03:24:31.062003966Z", "2020-03-06T03:24:31.062003Z", Clock.EXACT),
        ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z", Clock.EXACT),
        ("2026-01-01T00:00:00-0530", "2026-01-01T05:30:00Z", Clock.EXACT),
        ("2023-01-31 18:58:27.638", "2023-01-31T18:58:27.638Z", Clock.ZONE_ASSUMED),
        ("Jul 10, 2023, 12:09:47 PM", "2023-07-10T12:09:47Z", Clock.ZONE_ASSUMED),
        ("Sunday, Sep 20, 2026, 12:31 AM (UTC+3)", "2026-09-19T21:31:00Z", Clock.EXACT),
        ("Monday, Sep 21, 2026, 1:05 PM (UTC-3:30)", "2026-09-21T16:35:00Z", Clock.EXACT),
        ("Monday, Sep 21, 2026, 1:05 PM (UTC)", "2026-09-21T13:05:00Z", Clock.EXACT),
        ("March 17, 2026, 07:10:29 (UTC+00:00)", "2026-03-17T07:10:29Z", Clock.EXACT),
        ("March 17, 2026, 19:10:29 (UTC+05:30)", "2026-03-17T13:40:29Z", Clock.EXACT),
        ("Mar 17, 2026 @ 00:10:29.125", "2026-03-17T00:10:29.125Z", Clock.ZONE_ASSUMED),
        ("Mar 17, 2026, 00:10:29", "2026-03-17T00:10:29Z", Clock.ZONE_ASSUMED),
        ("Tue Mar 17 2026 08:10:29 GMT+0100 (Central European Standard Time)", "2026-03-17T07:10:29Z", Clock.EXACT),
        ("Tue Mar 17 2026 08:10:29 GMT", "2026-03-17T08:10:29Z", Clock.EXACT),
        ("1/9/2007 10:41:00 AM +01:00", "2007-01-09T09:41:00Z", Clock.ZONE_ASSUMED),
        ("1/19/2007 10:41:00 AM +01:00", "2007-01-19T09:41:00Z", Clock.EXACT),
        ("19/1/2007 10:41:00 PM +01:00", "2007-01-19T21:41:00Z", Clock.EXACT),
        ("13/09/2026 22:41:00 Z", "2026-09-13T22:41:00Z", Clock.EXACT),
        ("09/13/2026 22:41", "2026-09-13T22:41:00Z", Clock.ZONE_ASSUMED),
        ("05-05-2026 22:41:00Z", "2026-05-05T22:41:00Z", Clock.EXACT),
        ("01.09.2026 22:41:00 +02:00", "2026-09-01T20:41:00Z", Clock.EXACT),
        ("2026/06/01 14:00:00", "2026-06-01T14:00:00Z", Clock.ZONE_ASSUMED),
        ("6/1/2026, 12:00:00.123 AM", "2026-06-01T00:00:00.123Z", Clock.ZONE_ASSUMED),
        ("12/31/2026 1:05:09 pm Z", "2026-12-31T13:05:09Z", Clock.EXACT),
        ("10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z", Clock.EXACT),
        ("10/Oct/2000:13:55:36.125 +0000", "2000-10-10T13:55:36.125Z", Clock.EXACT),
        ("10/Oct/2000:13:55:36", "2000-10-10T13:55:36Z", Clock.ZONE_ASSUMED),
        ({"epochSecond": 1_700_000_000, "nano": 5_000_000}, "2023-11-14T22:13:20.005Z", Clock.EXACT),
        ("2026-06-01", "2026-06-01T00:00:00Z", Clock.ZONE_ASSUMED),
        (1_621_305_118_553, "2021-05-18T02:31:58.553Z", Clock.EXACT),
        (1_700_000_000, "2023-11-14T22:13:20Z", Clock.EXACT),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z", Clock.EXACT),
        ("1700000000000000000", "2023-11-14T22:13:20Z", Clock.EXACT),
        ({"seconds": 1_700_000_000, "nanos": 5_000_000}, "2023-11-14T22:13:20.005Z", Clock.EXACT),
    ],
)
def test_read(value: object, shown: str, clock: Clock) -> None:
    at, how = parse_time(value)
    assert (iso(at), how) == (shown, clock)


@pytest.mark.parametrize(
    "value",
    [None, True, "", "yesterday", "01/09/2026 22:41:00", "13/13/2026 10:00:00", "1/19/2026 13:00:00 PM", "01.13.2026 10:00:00", "2026-13-01", "2026-02-30T00:00:00Z", "2026-01-01T25:00:00Z", "2026-01-01T10:00:00+24:00", "2026-01-01T10:00:00+01:60", "10/Okt/2000:13:55:36 -0700", "Marching 17, 2026, 07:10:29", "March 17, 2026, 27:10:29", "March 17, 2026, 17:10:29 PM", "Tue Mar 37 2026 08:10:29 GMT", "31/Feb/2000:13:55:36 -0700", float("nan"), 1e300, -5,
     {"seconds": "²"}, {"seconds": "--5"}, {"seconds": 10**40}, {"seconds": -1}, []],
)  # fmt: skip
def test_no_time(value: object) -> None:
    assert parse_time(value) == (None, Clock.ORDER_ONLY)


ANY = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dictionaries(st.sampled_from(["seconds", "nanos"]), st.integers() | st.text())
)


@given(ANY, st.sampled_from(["", "s", "ms", "us", "ns"]))
def test_anything_is_read_or_no_time(value: object, unit: str) -> None:
    at, clock = parse_time(value, unit)
    assert (at is None) == (clock is Clock.ORDER_ONLY)


@given(st.integers(min_value=0, max_value=253_402_300_799_000_000))
def test_round_trip(at: int) -> None:
    assert parse_time(iso(at)) == (at, Clock.EXACT)
