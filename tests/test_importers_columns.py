"""The tables that vendors' consoles export: each row means what the record of the vendor's API means.

`mapping_tables/<format>.csv` holds rows written for the purpose, `<format>.events` what each is evidence of, as in
`mapping_records`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers import open_source
from importers.cutting.tables import nested
from importers.mapping.columns import Column, _sources, heading, with_columns
from importers.mapping.file import YamlError, read_mapping
from importers.shared.fields import decode
from lang.times import iso
from model.event import BadRecord, RawRecord
from model.words import Clock
from tests.importer_checks import mutated, survives
from tests.test_importers_mappings import MAPPINGS, Case, case_of, records, told

ROOT = Path(__file__).resolve().parent
CASES = [case_of(path) for path in sorted((ROOT / "mapping_tables").glob("*.csv"))]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.format)


def written(data: bytes, delimiter: str = ",", ends: str = "\n") -> str:
    """The same table with another delimiter, or other ends of lines."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=ends).writerows(csv.reader(io.StringIO(data.decode())))
    return out.getvalue()


SPELLINGS: list[Callable[[bytes], bytes]] = [
    lambda data: data,
    lambda data: written(data, ";").encode("utf-8-sig"),
    lambda data: written(data, "\t").encode("utf-16"),
    lambda data: written(data, ends="\r\n").encode("utf-16-le"),
    lambda data: b"sep=;\r\n" + written(data, ";", "\r\n").encode(),
    lambda data: written(data).replace("\n", "\n\n").replace("to\n\n", "to\n").encode(),
]


@pytest.mark.parametrize("spelling", range(len(SPELLINGS)))
@each_case
def test_rows_mean_what_their_format_says(case: Case, spelling: int) -> None:
    reader = MAPPINGS[case.format].open()
    parsed = [reader.read(record) for record in records(case._replace(data=SPELLINGS[spelling](case.data)))]
    assert [[told(event) for event in one.events] for one in parsed] == case.expected
    assert all(event.at is not None and event.clock is Clock.EXACT for one in parsed for event in one.events)


@pytest.mark.parametrize(
    ("format", "row", "missing"),
    [
        ("gitlab-audit", "45,,,,12,,acme/pay,12,Project,acme/pay,x,192.0.2.7,2026-03-17 10:03:00", "author_id"),
        (
            "azure-activity",
            ",Delete lock,Succeeded,Administrative,Error,2026-03-17T10:00:00Z,,dana@acme.example,,,",
            "correlationid",
        ),
        ("okta", "INFO,user.session.start,Login,u-9,0,2026-03-17T10:00:00Z,SUCCESS", "actor.id"),
    ],
)
def test_a_row_without_what_its_format_makes_mandatory_is_rejected(format: str, row: str, missing: str) -> None:
    case = next(case for case in CASES if case.format == format)
    reader = MAPPINGS[format].open()
    *_, last = records(case._replace(data=case.data + row.encode() + b"\n"))
    with pytest.raises(BadRecord, match=f"{missing}.*: is missing"):
        reader.read(last)


def test_a_heading_may_tell_the_zone_of_its_times() -> None:
    row = {
        "Created At (UTC)": "2026-03-17 10:00:00",
        "Seen [UTC]": "3/17/2026, 1:00:00 PM",
        "Left (UTC)": "2026-03-17T10:00:00+01:00",
    }
    columns = (Column(("at",), (heading("created_at"),)), Column(("seen",), ("seen",)), Column(("left",), ("left",)))
    found = with_columns(nested(row), columns)
    assert [found[name] for name in ("at", "seen", "left")] == [
        "2026-03-17 10:00:00 UTC",
        "3/17/2026, 1:00:00 PM UTC",
        "2026-03-17T10:00:00+01:00",
    ]


def test_what_a_record_has_itself_is_no_column_s() -> None:
    columns = (Column(("user", "name"), ("author", "actor")),)
    assert with_columns({"Actor": "b", "user": {"name": "a"}}, columns)["user"] == {"name": "a"}
    record = {"ACTOR": "b", "user": {"id": 1}}
    assert with_columns(record, columns)["user"] == {"id": 1, "name": "b"} and record["user"] == {"id": 1}
    assert "user" not in with_columns({"Actor": "", "Author": None}, columns)


OWN = """mapping: 1
id: acme
time: at
recognise: {has: [who.name, what]}
columns:
  at: When
  who.name: [Actor, "Person responsible"]
  what: {of: Deed, pattern: '^(?P<v>\\w+) '}
requires: [who.name]
events:
  - {kind: effect, vantage: target, point: acme, principal: {name: =who.name}, text: =what}
"""


def test_columns_of_one_s_own_mapping() -> None:
    mapping = read_mapping(OWN)
    table = b"when;PERSON RESPONSIBLE;Deed\n2026-03-17T10:00:00Z;dana;made it\n2026-03-17T10:00:00Z;;made it\n"
    read = [decode(one.data) for one in open_source(io.BytesIO(table), format=mapping).items() if isinstance(one, RawRecord)]
    (event,) = mapping.open().read(read[0]).events
    assert (iso(event.at), event.text, event.principal and event.principal.name) == ("2026-03-17T10:00:00Z", "made", "dana")
    with pytest.raises(BadRecord, match=r"who\.name: is missing"):
        mapping.open().read(read[1])


def test_a_fault_in_the_columns_is_told_at_its_place() -> None:
    with pytest.raises(YamlError, match="line 8"):
        read_mapping(OWN.replace("(?P<v>\\w+) ", "("))


ROWS = {case.format: [one for one in records(case) if isinstance(one, dict)] for case in CASES}


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_no_row_ends_in_an_error(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(sorted(ROWS)))
    survives(MAPPINGS[format], data.draw(mutated(ROWS[format])))


def test_names_of_any_size_are_not_remembered() -> None:
    columns = (Column(("at",), (heading("created_at"),)),)
    before = _sources.cache_info().currsize
    assert with_columns({"Created At": "x", "y" * 10_000: 1, "": 2}, columns)["at"] == "x"
    assert _sources.cache_info().currsize == before


def test_the_portal_exports_sign_ins_of_applications_under_headings_of_their_own() -> None:
    table = b"""Date (UTC),Request ID,Service principal ID,Service principal name,Application,Application ID ,Resource,IP address,Status,Sign-in error code,Failure reason
2026-06-01T14:00:00Z,r4,sp-1,deploy-agent,deploy,app-7,Azure Key Vault,10.0.0.9,Success,None,
2026-06-01T14:00:01Z,r5,sp-1,deploy-agent,deploy,app-7,Azure Key Vault,10.0.0.9,Failure,7000222,The secret is expired.
"""
    reader = MAPPINGS["entra-signin"].open()
    events = [event for one in records(Case("entra-signin", table, [])) for event in reader.read(one).events]
    assert [(e.kind.value, e.principal and e.principal.name, e.principal and e.principal.kind) for e in events] == [
        ("decision", "deploy-agent", "workload"),
        ("credential", "deploy-agent", "workload"),
        ("decision", "deploy-agent", "workload"),
    ]
    assert [e.decision and (e.decision.effect.value, e.decision.reason) for e in events][::2] == [
        ("allow", ""),
        ("deny", "The secret is expired."),
    ]
