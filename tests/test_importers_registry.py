"""The registry: our modules, our mappings, and third parties' importers, of which a broken one takes nothing with it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from importers import registry
from importers.base import Reader
from model.event import Parsed
from tests.running import ok


class Foreign:
    id = "acme-gate"
    title = "Acme gate"
    evidence = "documentation"
    version = 1

    def sniff(self, sample: object) -> int:
        return 0

    def open(self) -> Reader:
        return self

    def read(self, record: object) -> Parsed:
        return Parsed()


GOOD = Foreign()


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installation in which a stranger offers a good importer, one that fails at import, and one that is none."""
    here = __name__
    entries = [
        EntryPoint("good", f"{here}:GOOD", registry.GROUP),
        EntryPoint("gone", "no_such_distribution_of_ours:IMPORTER", registry.GROUP),
        EntryPoint("odd", f"{here}:offered", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: entries if group == registry.GROUP else [])
    registry.importers.cache_clear()
    registry._offered.cache_clear()
    yield
    registry.importers.cache_clear()
    registry._offered.cache_clear()


def test_a_third_partys_importer_is_loaded_like_ours(offered: None) -> None:
    assert registry.importers()["acme-gate"] is GOOD
    assert "acme-gate" in {row["id"] for row in ok("formats", "--json").json}


def test_a_broken_one_is_named_and_takes_nothing_with_it(offered: None) -> None:
    assert {"opa", "leash", "claude-code"} <= registry.importers().keys()
    assert set(registry.broken()) == {"gone", "odd"}
    assert "ModuleNotFoundError" in registry.broken()["gone"]
    assert "lacks id" in registry.broken()["odd"]
    said = ok("formats", "--json").err
    assert "format gone:" in said and "format odd:" in said


def test_ours_come_first(offered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GOOD, "id", "opa")
    assert registry.importers()["opa"] is not GOOD
