"""One state is one report to the byte: whatever the folder, the order of import, the database, time zone, locale or hash seed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from review.derive.building import build
from review.intake.importing import import_logs
from review.pack import pack_crew
from review.pack.pack_wish import PackWish
from review.pack.packs import write_pack
from review.workspace import open_workspace
from tests.running import KEY, ORG, ROOT, sample_logs, surroundings

ASIDE = {"custody.json", "manifest.json"}
"""What tells who imported what when, and the list that holds its digest."""

FRAMEWORKS = ["owasp-asi-2026", "nist-csf-2.0", "nist-sp800-53r5-selected"]


def few_logs() -> list[Path]:
    """A log of every format of the sample day, so that each enforcement point speaks."""
    return list({path.name.partition("-")[0]: path for path in sample_logs()}.values())


def fill(url: str, org: Path, logs: list[Path]) -> None:
    with open_workspace(url, str(org), create=True) as work:
        for log in logs:
            import_logs(work, [str(log)])
        build(work)


def contents(pack: Path) -> dict[str, bytes]:
    return {
        p.relative_to(pack).as_posix(): p.read_bytes() for p in sorted(pack.rglob("*")) if p.is_file() and p.name not in ASIDE
    }


def export(url: str, org: Path, out: Path) -> dict[str, bytes]:
    with open_workspace(url, str(org), readonly=True) as work:
        write_pack(work, out, PackWish(frameworks=tuple(FRAMEWORKS)))
    return contents(out)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


def test_neither_order_of_import_nor_folder_nor_database_changes_a_byte(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = tmp_path / "org.yaml"
    shutil.copyfile(ORG, org)
    logs = few_logs()
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=KEY):
        fill(str(tmp_path / "one.db"), org, logs)
        fill(postgresql_url, org, logs[::-1])
        first = export(str(tmp_path / "one.db"), org, tmp_path / "one")
        second = export(postgresql_url, org, tmp_path / "a folder of another depth" / "two")
        assert "report.json" in first and "report.html" in first and any("/" in name for name in first)
        assert differing(first, second) == []
        third = elsewhere(tmp_path / "one.db", org, tmp_path / "three")
        assert differing(first, third) == []
        beside(monkeypatch)
        for url, name in ((str(tmp_path / "one.db"), "four"), (postgresql_url, "five")):
            assert differing(first, export(url, org, tmp_path / name)) == []
        monkeypatch.setattr(pack_crew, "_PROGRAM", "raise SystemExit")
        assert differing(first, export(str(tmp_path / "one.db"), org, tmp_path / "six")) == []


def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a second process helps with every pack, however small, and does what it is asked."""
    ask = pack_crew.PackCrew._ask

    def asked(crew: pack_crew.PackCrew, request: pack_crew.Count | pack_crew.Render) -> pack_crew.Told | None:
        told = ask(crew, request)
        assert told is not None or pack_crew._PROGRAM == "raise SystemExit"
        return told

    monkeypatch.setattr(pack_crew, "WORTH", 1)
    monkeypatch.setattr(pack_crew, "processors", lambda: 2)
    monkeypatch.setattr(pack_crew.PackCrew, "_ask", asked)


def elsewhere(store: Path, org: Path, out: Path) -> dict[str, bytes]:
    """The same export by a process with another time zone, locale, hash seed and working folder."""
    words = [sys.executable, "-m", "cli.main", "--store", store, "--org", org, "report", "--out", out]
    env = {**os.environ, "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "4711",
           "PYTHONPATH": str(ROOT)}  # fmt: skip
    chosen = [word for name in FRAMEWORKS for word in ("--framework", name)]
    subprocess.run([*map(str, words), *chosen], check=True, env=env, cwd=out.parent, capture_output=True)
    return contents(out)


@pytest.mark.usefixtures("alone")
def test_an_interrupted_export_leaves_nothing(tmp_path: Path) -> None:
    org = tmp_path / "org.yaml"
    shutil.copyfile(ORG, org)
    fill(str(tmp_path / "s.db"), org, few_logs()[:1])
    before = {p.name for p in tmp_path.iterdir()}

    def interrupt(what: str, done: int, of: int) -> None:
        raise KeyboardInterrupt

    with open_workspace(str(tmp_path / "s.db"), str(org), readonly=True) as work:
        for out in (tmp_path / "pack", tmp_path / "pack.zip"):
            with pytest.raises(KeyboardInterrupt):
                write_pack(work, out, PackWish(frameworks=tuple(FRAMEWORKS)), heed=interrupt)
    assert {p.name for p in tmp_path.iterdir()} - before <= {"s.db-wal", "s.db-shm"}
