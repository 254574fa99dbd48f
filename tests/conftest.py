"""Shared fixtures: where the corpus lies, if it does."""

from __future__ import annotations

import os
import signal
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

# In the background of a shell an interrupt is ignored, and by whatever is started from there: tests that send one would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case by its parameter where bytes are no text: what a compressor wrote may hold the second it wrote it in, and the
    processes the suite is spread over must find the same names."""
    return argname if isinstance(val, bytes) and not val.isascii() else None


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of public audit logs beside the checkout; a public clone has none."""
    path = ROOT.parent / "shared" / "corpus"
    if not path.is_dir():
        pytest.skip("no corpus beside this checkout (../shared/corpus)")
    return path
