"""Shared fixtures: where the corpus lies, if it does."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test asserts a time, nor does hypothesis for one: a machine may be as busy as it likes.
# `REMIT_EXAMPLES=1000 make tests` looks further than the suite's few minutes allow.
settings.register_profile(
    "remit", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=int(os.environ.get("REMIT_EXAMPLES", "50"))
)
settings.load_profile("remit")

pytest_plugins = ["tests.cli_contract", "tests.store_fixtures"]

# Tests start `remit` dozens of times. Where Python was told to leave no compiled modules beside the sources, each of those
# processes would compile all it loads again: they share a folder that goes with the run instead.
_COMPILED = tempfile.mkdtemp(prefix="remit-compiled-") if os.environ.pop("PYTHONDONTWRITEBYTECODE", "") else ""
if _COMPILED:
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = _COMPILED
    sys.dont_write_bytecode = False

ROOT = Path(__file__).resolve().parent.parent


def pytest_unconfigure() -> None:
    if _COMPILED:
        shutil.rmtree(_COMPILED, ignore_errors=True)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public audit logs beside the checkout; a public clone has none."""
    path = ROOT.parent / "shared" / "corpus"
    if not path.is_dir():
        pytest.skip("no corpus beside this checkout (../shared/corpus)")
    return path
