"""Zeek's logs as the tables that it writes by itself: a head that names the columns, an end, and the next one behind it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from importers import open_source
from importers.cutting.containers import TRUNCATED_LINE
from importers.cutting.origin import Prefix
from importers.shared.fields import decode
from model.event import RawRecord, Reject
from review.intake.importing import Settings
from review.intake.sources import sources
from review.watch.following import Following
from review.workspace import open_workspace
from tests.test_importers_mappings import MAPPINGS, Case, records, told

HEAD = b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n"
PLACES = b"ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p"
CONN = (
    HEAD
    + b"#path\tconn\n#open\t2026-06-01-14-00-00\n#fields\t"
    + PLACES
    + b"\tproto\tservice\tconn_state\n#types\ttime\tstring\n"
)
ROWS = (
    b"1780322401.250000\tCq1\t10.0.0.5\t51000\t203.0.113.9\t443\ttcp\tssl\tSF\n",
    b"1780322402.250000\tCq2\t10.0.0.5\t51001\t203.0.113.10\t22\ttcp\t-\tREJ\n",
)
END = b"#close\t2026-06-01-15-00-00\n"
HTTP = HEAD + b"#path\thttp\n#fields\t" + PLACES + b"\tmethod\thost\turi\tuser_agent\tstatus_code\tusername\n"
HTTP += b'1780322403.250000\tCq3\t10.0.0.5\t51002\t203.0.113.9\t80\tPOST\tdrop.example\t/up\t"agent\t403\t-\n'
TLS = HEAD + b"#path\tssl\n#fields\t" + PLACES + b"\tserver_name\testablished\n"
TLS += b"1780322404.250000\tCq4\t10.0.0.5\t51003\t203.0.113.9\t443\tapi.example\tF\n"


def meant(data: bytes) -> list[list[str]]:
    reader = MAPPINGS["zeek"].open()
    return [[told(event) for event in reader.read(record).events] for record in records(Case("zeek", data, []))]


def test_tables_of_several_kinds_one_behind_another() -> None:
    assert meant(CONN + b"".join(ROWS) + END + HTTP + END + TLS) == [
        ["effect/observed net.connect network:203.0.113.9#443 call:zeek.uid:Cq1"],
        ["effect/observed net.connect network:203.0.113.10#22 call:zeek.uid:Cq2 failed"],
        ["effect/observed http.request network:drop.example#/up call:zeek.uid:Cq3 failed"],
        ["effect/observed net.connect network:api.example#443 call:zeek.uid:Cq4 failed"],
    ]


def test_a_table_that_has_grown_is_read_on() -> None:
    first = open_source(BytesIO(CONN + ROWS[0]))
    assert len(list(first.items())) == 1
    place = first.end()
    assert place is not None
    data = CONN + ROWS[0] + ROWS[1] + END
    grown = open_source(BytesIO(data))
    assert grown.restart(place, Prefix(BytesIO(data), place.offset))
    items = [decode(one.data) for one in grown.items() if isinstance(one, RawRecord)]
    assert [one["uid"] for one in items if isinstance(one, dict)] == ["Cq2"]


def test_a_row_that_was_cut_off_is_rejected_and_not_read_as_an_earlier_time() -> None:
    """A writer's last line may end anywhere: the time `178032240` is one of 1975."""
    items = list(open_source(BytesIO(CONN + ROWS[0] + ROWS[1][:9] + b"\n" + ROWS[1])).items())
    assert [isinstance(one, RawRecord) for one in items] == [True, False, True]


@pytest.mark.parametrize(
    "cut", [9, len(ROWS[1]) - 3, len(ROWS[1]) - 1], ids=["in-its-time", "in-its-last-column", "before-its-end"]
)
def test_a_last_row_without_an_end_is_left_for_when_it_has_one(cut: int) -> None:
    first, last = open_source(BytesIO(CONN + ROWS[0] + ROWS[1][:cut])).items()
    assert isinstance(first, RawRecord)
    assert isinstance(last, Reject)
    assert last.reason == TRUNCATED_LINE


def test_a_table_that_is_followed_line_by_line_comes_to_what_one_import_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REMIT_PSEUDONYM_KEY", "5a" * 32)
    whole = CONN + ROWS[0] + ROWS[1][:-1] + b"\textra\n" + ROWS[1] + END + HTTP + END
    head, row = len(CONN), len(ROWS[0])
    log = tmp_path / "conn.log"
    with open_workspace(str(tmp_path / "s.db"), None, create=True) as work:
        for size in (150, head, head + 20, head + row + 9, head + 3 * row, len(whole) - len(HTTP), len(whole) - 4, len(whole)):
            log.write_bytes(whole[:size])
            follow = Following(work, [str(log)], Settings(live=True))
            follow.look()
            follow.close()
        (source,) = sources(work)
    assert source["records"] == {"read": 4, "accepted": 3, "duplicate": 0, "rejected": 1}
