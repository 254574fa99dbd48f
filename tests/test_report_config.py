"""A configuration file for reports: what it sets, what is wrong with it and where, and that the command line wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from review.pack.report_config import in_force, read_config, span
from tests.running import Day, ok, refused, run

pytestmark = pytest.mark.usefixtures("alone")

WHOLE = """\
frameworks: [owasp-asi-2026, nist-csf-2.0]
period: {last: 30 days}
as-of: 2026-03-18
formats: [json, csv]
organisation: Acme
system: coding agents
sample: {seed: spring, size: 2}
oscal-version: 1.1.2
out: pack.zip
"""


def test_a_file_sets_what_options_set_and_paths_start_at_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.yaml"
    path.write_text(WHOLE)
    assert read_config(path) == {
        "framework": ["owasp-asi-2026", "nist-csf-2.0"],
        "last": "30 days",
        "as_of": "2026-03-18",
        "only": "json,csv",
        "organisation": "Acme",
        "system": "coding agents",
        "sample_seed": "spring",
        "sample_size": 2,
        "oscal_version": "1.1.2",
        "out": str(tmp_path / "pack.zip"),
    }
    assert [span(text) for text in ("1 day", "2 weeks", "0 days", "3 months")] == [
        86_400_000_000,
        14 * 86_400_000_000,
        None,
        None,
    ]


def test_all_that_is_wrong_is_told_at_once_with_its_place_and_the_nearest_name(tmp_path: Path) -> None:
    path = tmp_path / "report.yaml"
    path.write_text(
        "framworks: [x]\nframeworks: [owasp-asi-2025]\nperiod:\n  last: 3 moons\n  to: 2026-03-18\nformats: [htm]\nfull: maybe\n"
    )
    ran = run("report", "--config", path)
    assert (ran.code, ran.out) == (2, "")
    for place, said in (
        ("1:1", "did you mean `frameworks`"),
        ("2:14", "nearest: owasp-asi-2026"),
        ("4:9", "30 days"),
        ("6:11", "did you mean `html`"),
        ("7:7", "`true` or `false`"),
    ):
        assert f"report.yaml:{place}: " in ran.err and said in ran.err, place
    assert ran.err.count("\n") == 1
    assert run("report", "--config", tmp_path / "none.yaml").code == 2


OWN = """\
catalogue_schema: 1
id: house-rules
edition: '2027'
title: House rules
publisher: Acme
published: '2027-01-04'
kind: control catalogue
attribution: House rules, Acme
items: [{id: H1, title: Ask before you delete}]
"""


def test_a_file_names_frameworks_as_options_do_those_of_an_own_folder_too(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "house-rules-2027.yaml").write_text(OWN)
    path = tmp_path / "report.yaml"
    path.write_text("frameworks: [A2, csf, house-rules-2027]\nframeworks-dir: own\n")
    own = str(tmp_path / "own")
    assert read_config(path) == {"framework": ["A2", "csf", "house-rules-2027"], "frameworks_dir": own}
    path.write_text("frameworks: house-rules-2027\n")
    assert read_config(path, own) == {"framework": ["house-rules-2027"]}
    refused(run("report", "--config", path), 2, "report.yaml:1:13: unknown framework 'house-rules-2027'")


def test_options_win_over_the_file_and_what_is_printed_is_such_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.yaml"
    path.write_text(WHOLE)
    shown = ok("report", "--config", path, "--framework", "owasp-nhi-2025", "--from", "2026-03-01", "--print-config")
    printed = tmp_path / "printed.yaml"
    printed.write_text(shown.out)
    kept = {name: value for name, value in read_config(path).items() if name != "last"}
    assert read_config(printed) == {**kept, "framework": ["owasp-nhi-2025"], "start": "2026-03-01"}
    assert in_force({}) == {}


def test_a_configured_export_is_a_zip_of_the_same_bytes_that_verifies(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "report.yaml"
    path.write_text(WHOLE)
    ok("--store", day.store, "report", "--config", path)
    first = (tmp_path / "pack.zip").read_bytes()
    refused = run("--store", day.store, "report", "--config", path)
    assert refused.code == 2 and "--force" in refused.err
    ok("--store", day.store, "report", "--config", path, "--force")
    assert (tmp_path / "pack.zip").read_bytes() == first
    assert ok("verify", tmp_path / "pack.zip", "--json").json["integrity"] == "intact"
    (tmp_path / "pack.zip").write_bytes(first[:-300])
    assert run("verify", tmp_path / "pack.zip").code == 3
    (tmp_path / "pack.zip").write_bytes(first)
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--since", tmp_path / "pack.zip", "--only", "json")
    document = json.loads((tmp_path / "p" / "report.json").read_text())
    assert document["annexes"]["changes"]["comparison"]["old"]["system"] == "coding agents"
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_next_run_puts_the_earlier_pack_back_and_replaces_it_only_where_it_may(day: Day, tmp_path: Path) -> None:
    out, held = tmp_path / "p", tmp_path / ".p.x1"
    command = ("--store", day.store, "report", "--out", out, "--framework", "owasp-nhi-2025", "--only", "csv")
    ok(*command)
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    held.mkdir()
    out.rename(held / "earlier")
    refused(run(*command), 2, "is not empty")
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before and not held.exists()
    out.rename(tmp_path / "elsewhere")
    (tmp_path / ".p.x2").mkdir()
    (tmp_path / ".p.x2" / "earlier").symlink_to(tmp_path / "elsewhere")
    ok(*command)
    assert not out.is_symlink() and (tmp_path / "elsewhere").is_dir(), "no link is taken for a pack"
