"""The page of formats says what the registry and the importers of this version say."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.formats_page import PAGE, first_part, folder_of, folders, row_of, stated_records, table
from benchmarks.seeds import ROOT, found_in, gives
from importers.registry import importers
from tests.running import surroundings

AGAIN = "run `make formats-doc`"
SMALL = 700_000

READ_AS: dict[str, set[str]] = {
    "1password": {"1password"},
    "agent-governance-toolkit": {"agent-governance"},
    "agent-trace": {"agent-trace"},
    "agentsh": {"agentsh"},
    "aider": {"aider", "aider-chat"},
    "anthropic-compliance": {"anthropic-compliance"},
    "assay": {"assay", "mcp", "otlp"},
    "bedrock-invocation": {"bedrock"},
    "claude-code": {"claude-code"},
    "claude-code-settings": {"claude-code-settings"},
    "cloudtrail": {"cloudtrail"},
    "codex": {"codex"},
    "codex-settings": {"agent-settings"},
    "entire-checkpoints": {"entire"},
    "eval-logs": {"inspect-eval"},
    "gcp-audit": {"gcp-audit"},
    "gemini-cli": {"gemini-cli"},
    "gemini-settings": {"agent-settings"},
    "github-audit": {"github-audit"},
    "gitlab": set(),
    "gptme": {"gptme"},
    "iflow-cli": {"iflow-cli"},
    "invariant-traces": {"invariant"},
    "k8s-audit": {"kubernetes"},
    "kiro": {"kiro"},
    "leash": {"leash"},
    "litellm": {"litellm"},
    "ocsf": {"ocsf"},
    "okta-systemlog": {"okta"},
    "opa-decision-logs": {"opa"},
    "openai-audit": {"openai-audit"},
    "openhands": {"openhands"},
    "otlp-genai": {"otlp"},
    "pi-agent": {"pi-agent"},
    "swe-agent": {"swe-agent"},
    "teleport": {"teleport"},
    "vault-audit": {"vault"},
}
"""The corpus's folders by what its list says they hold."""
REFUSED = {
    "assay": {"it is empty": 1},
    "gitlab": {"JSON objects with the keys detail, params, path; no known format": 1},
}
"""A run in which no policy spoke, and fragments of records without a time or a method."""


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the page's tables by their first cell."""
    cells = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines() if line.startswith("| `"))
    return {row[0]: row for row in reversed([*cells])}


def test_the_page_lists_the_registered_formats() -> None:
    page = PAGE.read_text("utf-8").partition("## What the corpus gives")[0]
    stated = rows(page)
    assert {name.strip("`") for name in stated} == set(importers()), AGAIN
    measured = rows(first_part(gives(found_in(ROOT / "sample_data"))))
    for name, row in stated.items():
        assert row[:4] == measured[name][:4], AGAIN
        for told, seen in zip(row[4:], measured[name][4:], strict=False):
            assert set(seen.split(", ")) <= {*told.split(", "), ""}, f"{name}: {AGAIN}"
        assert len(row) == 6 and all(row), f"{name} has no record in its tests that gives an event"


def test_the_page_says_what_the_corpus_gives(corpus: Path, tmp_path: Path) -> None:
    stated = rows(PAGE.read_text("utf-8").partition("## What the corpus gives")[2].partition("###")[0])
    with surroundings(tmp_path):
        for one in folders(corpus, SMALL):
            assert stated[f"`{one.name}`"] == list(row_of(one)), AGAIN


def test_every_public_file_is_read_as_what_the_list_calls_it(corpus: Path, tmp_path: Path) -> None:
    listed = stated_records((corpus / "SOURCES.md").read_text("utf-8"))
    assert len(listed) == 331
    with surroundings(tmp_path):
        for name, known in READ_AS.items():
            one = folder_of(corpus / name, listed)
            assert set(one.formats) == known, name
            assert one.refused == REFUSED.get(name, {}), name
            assert sum(one.formats.values()) + one.refused.total() == sum(path.startswith(f"{name}/") for path in listed), name


@pytest.mark.parametrize("cell", ["3", "12 lines (12 parse as JSON)", "2 records"])
def test_counts_are_taken_from_the_list(cell: str) -> None:
    assert stated_records(f"| a/b.json | o/r | p | MIT | {cell} | what |") == {"a/b.json": int(cell.split()[0])}


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
