"""What an installed Remit consists of: the wheel's top level, its data files, and names nobody else ships."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = {"model", "lang", "importers", "store", "chains", "policy", "history", "reports", "review", "tui", "cli", "samplegen"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=ROOT, check=True, capture_output=True
    )
    (built,) = out.glob("*.whl")
    return zipfile.ZipFile(built)


def test_top_level_is_exactly_ours(wheel: zipfile.ZipFile) -> None:
    top = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == ROOMS


def test_data_files_go_along(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for wanted in (
        "tui/app.tcss",
        "importers/remit-events.schema.json",
        "chains/org.schema.json",
        "reports/frameworks/owasp-asi-2026.yaml",
        "reports/frameworks/detections-crosswalk.yaml",
        "store/migrations/versions/0001_first_schema.py",
    ):
        assert wanted in names
    assert any(name.startswith("reports/templates/") for name in names)
    assert all(f"{room}/py.typed" in names for room in ROOMS)


def test_no_dependency_ships_one_of_our_names() -> None:
    owners = packages_distributions()
    for room in ROOMS:
        assert set(owners.get(room, ["remit"])) == {"remit"}, room


def _locked(what: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "docs/deploy/locked.py", what], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_an_image_is_made_of_what_the_lock_pins(tmp_path: Path) -> None:
    versions = dict(line.split(" ;")[0].split("==") for line in _locked("versions").stdout.splitlines())
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert len(versions) > 100 and lock.count("==") >= len(versions)
    names = ["SQLAlchemy", "prometheus_client", "remit"]
    plan = tmp_path / "plan.json"

    def planned(version: str) -> subprocess.CompletedProcess[str]:
        of = {"SQLAlchemy": version, "prometheus_client": versions["prometheus-client"], "remit": "0.1.0"}
        plan.write_text(json.dumps({"install": [{"metadata": {"name": name, "version": of[name]}} for name in names]}))
        return _locked(str(plan))

    wanted = planned(versions["sqlalchemy"]).stdout
    assert [line.split(" ")[0] for line in wanted.splitlines() if "==" in line] == [
        f"{name}=={versions[name]}" for name in ("sqlalchemy", "prometheus-client")
    ]
    assert wanted.count("--hash=sha256:") > 2 and all(line in lock for line in wanted.splitlines())
    refused = planned("0.0.1")
    assert refused.returncode and "sqlalchemy 0.0.1 is not in requirements.lock" in refused.stderr
