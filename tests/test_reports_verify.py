"""Verification: every change is found and named, hostile packs are confined, and nothing but the pack is needed."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import manifest
from reports.checking import stated
from reports.checking.folder import RecordCounter
from reports.verify import NotAPack, verify
from tests.reports_sample import build_pack, sample


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("verify") / "out"
    build_pack(sample(3, 6), out, ["owasp-nhi-2025"])
    return out


@pytest.fixture
def pack(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "pack"))


def body(pack: Path) -> dict[str, Any]:
    return dict(json.loads((pack / "manifest.json").read_bytes()))


def seal(pack: Path, changed: dict[str, Any]) -> None:
    """Write a manifest whose root is right."""
    changed.pop("root", None)
    (pack / "manifest.json").write_bytes(rfc8785.dumps(manifest.seal(changed)))


def reseal(pack: Path, name: str, *, count: bool) -> None:
    """Rewrite the manifest over one changed file, as somebody who hides the change would."""
    changed = body(pack)
    for line in changed["files"]:
        if line["path"] == name:
            line |= {"sha256": sha256((pack / name).read_bytes()).hexdigest(), "bytes": (pack / name).stat().st_size}
            if count:
                line["records"] -= 1
    seal(pack, changed)


def drop_last(pack: Path, name: str) -> None:
    lines = (pack / name).read_bytes().splitlines(keepends=True)
    (pack / name).write_bytes(b"".join(lines[:-1]))


def test_a_fresh_pack_is_sound(pack: Path) -> None:
    result = verify(pack)
    assert result.sound and result.as_dict() == {
        "integrity": "intact",
        "altered": [],
        "extra": [],
        "missing": [],
        "completeness": {"claimed": result.completeness.found, "found": result.completeness.found, "differs": []},
        "signature": {"state": "absent", "key": "", "file": "", "why": ""},
        "reasons": {},
    }
    assert result.completeness.found > 18
    assert verify(pack / "manifest.json").sound


def test_any_flipped_byte_in_any_file_is_found_and_named_alone(pack: Path, tmp_path: Path) -> None:
    chance = random.Random(3)
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        data = path.read_bytes()
        flip(pack, path, [*chance.sample(range(len(data)), 6), len(data) - 1], chance)
    # Each check reads the whole pack: the manifest's many bytes are those of one with few formats.
    small = tmp_path / "small"
    build_pack(sample(1, 2), small, ["owasp-nhi-2025"], {"csv", "ocsf"})
    listing = small / "manifest.json"
    flip(small, listing, range(0, listing.stat().st_size, 5), chance)


def flip(pack: Path, path: Path, places: Iterable[int], chance: random.Random) -> None:
    """Flip a bit at each place of a file in turn."""
    name, data = path.relative_to(pack).as_posix(), path.read_bytes()
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :])
        result = verify(pack)
        assert (result.integrity, result.altered, result.sound) == ("altered", [name], False), (name, place)
        assert result.missing == result.extra == []
    path.write_bytes(data)
    assert verify(pack).sound


def test_two_altered_files_are_both_named(pack: Path) -> None:
    (pack / "findings.csv").write_bytes((pack / "findings.csv").read_bytes().replace(b"high", b"low!"))
    (pack / "manifest.json").write_bytes((pack / "manifest.json").read_bytes().replace(b"Acme", b"Acne"))
    assert verify(pack).altered == ["findings.csv", "manifest.json"]


def test_missing_and_extra_files_are_named(pack: Path) -> None:
    (pack / "report.md").unlink()
    (pack / "sub").mkdir()
    (pack / "sub" / "added.txt").write_text("x")
    result = verify(pack)
    assert (result.missing, result.extra, result.altered, result.integrity) == (["report.md"], ["sub/added.txt"], [], "altered")
    (pack / "manifest.json").unlink()
    gone = verify(pack)
    assert (gone.missing, gone.integrity, gone.sound) == (["manifest.json"], "altered", False)


def test_an_empty_folder_is_something_added(pack: Path) -> None:
    (pack / "checked" / "and-approved").mkdir(parents=True)
    assert verify(pack).extra == ["checked/and-approved/"] and not verify(pack).sound


def test_dropping_the_last_record_is_incomplete_even_when_the_manifest_is_rewritten(pack: Path) -> None:
    drop_last(pack, "population.csv")
    reseal(pack, "population.csv", count=False)
    result = verify(pack)
    assert (result.integrity, result.sound) == ("intact", False)
    assert result.completeness.claimed == result.completeness.found + 1
    assert result.completeness.differs == [{"path": "population.csv", "claimed": 18, "found": 17}]


@pytest.mark.parametrize(
    ("name", "claimed"),
    [("population.csv", 18), ("ocsf/detection-findings.jsonl", 8), ("ocsf/compliance-findings.jsonl", 10)],
)
def test_rewriting_the_count_as_well_is_found_by_the_report(pack: Path, name: str, claimed: int) -> None:
    drop_last(pack, name)
    reseal(pack, name, count=True)
    result = verify(pack)
    assert (result.integrity, result.sound) == ("intact", False)
    assert result.completeness.differs == [{"path": name, "claimed": claimed, "found": claimed - 1}]


def test_a_finding_taken_out_of_the_report_alone_is_found_by_the_length_of_its_table(pack: Path) -> None:
    told = json.loads((pack / "report.json").read_bytes())
    told["findings"].pop()
    (pack / "report.json").write_bytes(rfc8785.dumps(told))
    reseal(pack, "report.json", count=True)
    result = verify(pack)
    assert (result.integrity, result.sound) == ("intact", False)
    assert result.completeness.differs == [{"path": "report.json", "claimed": 8, "found": 7}]


def test_roots_that_the_manifest_states_and_no_file_holds_are_missing(pack: Path) -> None:
    changed = body(pack)
    changed["files"] = [line for line in changed["files"] if line["path"] != "evidence.json"]
    (pack / "evidence.json").unlink()
    seal(pack, changed)
    assert verify(pack).missing == ["evidence.json"] and not verify(pack).sound
    del changed["evidence"]
    seal(pack, changed)
    assert verify(pack).sound, "packs had none once"


def test_taking_a_table_out_of_the_manifest_is_found_by_the_report(pack: Path) -> None:
    changed = body(pack)
    changed["files"] = [line for line in changed["files"] if line["path"] != "findings.csv"]
    (pack / "findings.csv").unlink()
    seal(pack, changed)
    result = verify(pack)
    assert result.missing == ["findings.csv"] and not result.sound


def test_more_records_than_the_report_claims_blames_the_manifest(pack: Path) -> None:
    path = pack / "findings.csv"
    path.write_bytes(path.read_bytes() + path.read_bytes().split(b"\r\n")[1] + b"\r\n")
    changed = body(pack)
    for line in changed["files"]:
        if line["path"] == path.name:
            line |= {
                "sha256": sha256(path.read_bytes()).hexdigest(),
                "bytes": path.stat().st_size,
                "records": line["records"] + 1,
            }
    seal(pack, changed)
    assert verify(pack).altered == ["manifest.json"]


@pytest.mark.parametrize(
    "path",
    [
        "../outside.txt",
        "/etc/passwd",
        "sub/../../outside.txt",
        "a//b",
        ".",
        "..",
        "",
        "a\\..\\b",
        "a\x00b",
        "manifest.json",
        "link/outside.txt",
    ],
)
def test_no_path_leaves_the_pack(pack: Path, path: str) -> None:
    outside = pack.parent / "outside.txt"
    outside.write_text("secret")
    (pack / "link").symlink_to(pack.parent)
    changed = body(pack)
    changed["files"].append({"path": path, "sha256": sha256(b"secret").hexdigest(), "bytes": 6})
    seal(pack, changed)
    result = verify(pack)
    assert result.integrity == "altered"
    assert "link" in result.extra
    assert "manifest.json" in result.altered or path in result.missing
    assert outside.read_text() == "secret"


def test_links_and_pipes_are_not_read(pack: Path) -> None:
    held = (pack / "report.md").read_bytes()
    (pack.parent / "copy.md").write_bytes(held)
    (pack / "report.md").unlink()
    (pack / "report.md").symlink_to(pack.parent / "copy.md")
    (pack / "sources.csv").unlink()
    os.mkfifo(pack / "sources.csv")
    result = verify(pack)
    assert result.altered == ["report.md", "sources.csv"]
    assert result.reasons["report.md"] == "not a plain file that can be read"


GARBAGE = [
    b'{"files":[],"files":[],"schema":"remit-pack/1"}',
    b"",
    b"{",
    b"\xff\xfe",
    b"null",
    b"[]",
    b"7",
    b"[" * 200_000,
    b'{"files":' * 50_000,
    b'{"a":' + b"9" * 10_000 + b"}",
    b'{"files":[],"root":1,"schema":"remit-pack/1"}',
    b'{"files":{},"schema":"remit-pack/1"}',
    b'{"files":[null,1,"x",[],{"path":1}],"schema":"remit-pack/1"}',
    b'{"files":[{"bytes":-1,"path":"a","sha256":"x"}],"schema":"remit-pack/1"}',
    b'{"files":[],"schema":"remit-pack/1","x":"\\ud800"}',
    b'{"files":[],"schema":"remit-pack/1","x":NaN}',
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_a_garbage_manifest_is_altered_with_a_reason(pack: Path, data: bytes) -> None:
    (pack / "manifest.json").write_bytes(data)
    result = verify(pack)
    assert "manifest.json" in result.altered and result.reasons["manifest.json"]
    assert not result.sound


def test_a_huge_manifest_is_refused(pack: Path) -> None:
    with (pack / "manifest.json").open("wb") as file:
        file.truncate(17 * 1024 * 1024)
    assert verify(pack).reasons["manifest.json"] == "larger than any manifest"


def test_names_that_are_no_text_can_still_be_printed(pack: Path) -> None:
    with open(os.fsencode(pack) + b"/bad\xff", "wb"):
        pass
    assert verify(pack).extra == ["bad\\xff"]
    assert json.dumps(verify(pack).as_dict()).encode("ascii")


def test_a_garbage_report_does_not_stop_the_check(pack: Path) -> None:
    for data in (b"{", b"[" * 200_000, b'{"records":{"a":"b","../x":3,"population.csv":-1},"findings":7}'):
        (pack / "report.json").write_bytes(data)
        assert "report.json" in verify(pack).altered


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["findings", "records", "a"]), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(value=_VALUES, indent=st.sampled_from([None, 1]), cut=st.integers(0, 40), size=st.integers(1, 9))
def test_a_report_read_piece_by_piece_states_what_it_states_as_a_whole(
    value: Any, indent: int | None, cut: int, size: int
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    for data in (text, text[:-cut] if cut else text, text + b" x"):
        try:
            whole = json.loads(data)
        except ValueError:
            whole = None
        held = whole if isinstance(whole, dict) else {}
        found, records = held.get("findings"), held.get("records")
        expected = len(found) if isinstance(found, list) else 0, records if isinstance(records, dict) else {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stated, "_PIECE", size)
            assert stated.stated_in(BytesIO(data)) == expected


def test_a_value_that_no_report_holds_is_not_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stated, "_PIECE", 8)
    monkeypatch.setattr(stated, "_LONGEST_VALUE", 64)
    held = BytesIO(b'{"findings":[{"id":"' + b"x" * 10_000 + b'"}]}')
    assert stated.stated_in(held) == (0, {}) and held.tell() < 1_000


def test_what_is_no_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotAPack, match="not a folder"):
        verify(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotAPack, match="not a folder"):
        verify(tmp_path / "file")
    assert verify(tmp_path).missing == ["manifest.json"]


@settings(max_examples=100, deadline=None)
@given(cells=st.lists(st.lists(st.text(max_size=6), min_size=2, max_size=2), max_size=8), size=st.integers(1, 7))
def test_records_are_counted_whatever_the_cells_hold(cells: list[list[str]], size: int) -> None:
    import csv
    import io

    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([["a", "b"], *cells])
    data = text.getvalue().encode("utf-8", "replace")
    counter = RecordCounter()
    for start in range(0, len(data), size):
        counter.feed(data[start : start + size])
    assert counter.rows() == len(cells)
