"""Tasks are built by two processes where that pays, and nothing in the result shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.facts import OrgFacts
from chains.family import Parentage
from review.derive import chaining, crew, placing
from review.derive.lifelines import Lifelines
from review.derive.lineage import Lineage
from review.processes import Process
from tests.running import ORG, SAMPLE, ok

pytestmark = pytest.mark.usefixtures("alone")

LOGS = [
    *sorted(SAMPLE.glob("claude-code-*.jsonl"), key=lambda path: -path.stat().st_size)[:6],
    *sorted(SAMPLE.glob("claude-code-*-agent-*.jsonl")),
    SAMPLE / "vault-audit.log",
    SAMPLE / "github-audit.ndjson",
]


def content(store: Path) -> str:
    ok("--store", store, "--org", ORG, "import", *(path for path in LOGS if path.exists()))
    assert ok("--store", store, "store", "check").out
    return ok("--store", store, "--org", ORG, "store", "export").out


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> list[chaining.Made | placing.Placed]:
    """What another process answers, however small the import: it has loaded before there is anything to do."""
    answered: list[chaining.Made | placing.Placed] = []
    ask = Process.ask

    def heard(self: Process, request: object, decoder: Any) -> Iterator[Any]:
        for part in ask(self, request, decoder):
            answered.extend([part] if isinstance(part, chaining.Made | placing.Placed) else [])
            yield part

    begin = crew.Crew.__init__

    def begun(self: crew.Crew, *about: Any) -> None:
        begin(self, *about)
        if self:
            self._waking.join()

    monkeypatch.setattr(Process, "ask", heard)
    monkeypatch.setattr(crew.Crew, "__init__", begun)
    monkeypatch.setattr(crew, "WORTH", 0)
    monkeypatch.setattr(crew, "processors", lambda: 2)
    monkeypatch.setattr(chaining, "SHARE", 1)
    monkeypatch.setattr(placing, "EVENTS", 5)
    return answered


def test_two_build_what_one_builds_and_one_what_the_other_cannot(
    tmp_path: Path, two: list[chaining.Made | placing.Placed], monkeypatch: pytest.MonkeyPatch
) -> None:
    both = content(tmp_path / "both.db")
    assert any(isinstance(made, chaining.Made) and made.built for made in two)
    assert any(isinstance(made, placing.Placed) and made.attributions for made in two)
    two.clear()
    monkeypatch.setattr(crew, "_PROGRAM", "import sys; sys.stdin.buffer.read(8)")
    assert content(tmp_path / "left.db") == both
    monkeypatch.setattr(crew, "processors", lambda: 1)
    assert content(tmp_path / "one.db") == both
    assert not two


def test_one_share_is_built_without_the_other_process_and_its_memory(
    tmp_path: Path, two: list[chaining.Made | placing.Placed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chaining, "SHARE", 10_000)
    crews: list[crew.Crew] = []
    here: list[bool] = []
    begin, build = crew.Crew.__init__, chaining.Chaining.build

    def begun(self: crew.Crew, *about: Any) -> None:
        begin(self, *about)
        crews.append(self)

    def built(self: chaining.Chaining, tasks: Any) -> Iterator[chaining.Made]:
        here.append(bool(crews[-1]))
        return build(self, tasks)

    monkeypatch.setattr(crew.Crew, "__init__", begun)
    monkeypatch.setattr(chaining.Chaining, "build", built)
    alone = content(tmp_path / "alone.db")
    assert here and not any(here), "nobody else is there any more"
    assert any(isinstance(made, placing.Placed) for made in two) and not any(isinstance(made, chaining.Made) for made in two)
    monkeypatch.setattr(crew, "processors", lambda: 1)
    assert content(tmp_path / "one.db") == alone


def test_a_share_holds_families_and_whoever_holds_what_was_issued_to_one_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaining, "SHARE", 1)
    lineage = Lineage(store=None, empty=True)  # type: ignore[arg-type]  # an empty store is asked nothing
    lineage.found = {name: Parentage() for name in "abcdefg"} | {"b": Parentage("a"), "c": Parentage("b")}
    lifelines = Lifelines(None, OrgFacts(), lineage, {})  # type: ignore[arg-type]
    lifelines.made, lifelines.issued = {"secret:i": "i", "secret:s": "s"}, {"i": "d", "s": ""}
    carried = {name: set[str]() for name in "abcdefg"} | {"e": {"secret:i"}, "f": {"secret:s"}, "g": {"secret:s", "via:x"}}
    lifelines.none = {"via:x"}
    found = chaining.shares("cbadefg", lineage, lifelines, carried)
    assert found is not None
    assert [share.tasks for share in found] == [["c", "b", "a"], ["d", "e"], ["f"], ["g"]]
    assert [sorted(share.found) for share in found] == [["a", "b", "c"], ["d", "e"], ["f"], ["g"]]
    assert [share.made for share in found] == [{}, {"secret:i": "i"}, {"secret:s": "s"}, {"secret:s": "s"}]
    assert chaining.shares("g", lineage, lifelines, {"g": {"secret:unmade"}}) is None
