"""The queue without a screen: completion, facets, saved views, the export of a view; and how a filter is cut into words."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.errors import NotFoundError, RemitError
from review.show.filter_completion import complete
from review.show.filter_words import Unclosed, quoted, words
from review.show.filters import FIELDS, task_filter
from review.show.tasks import each_task
from review.sitting import views
from review.sitting.facets import facet, facets, narrowed, word
from review.sitting.queueing import FACETS, SORTS, falls
from review.sitting.view_export import export_list, export_view
from review.workspace import open_workspace
from store import open_store
from store.rows import SORTS as STORED
from tests.store_fixtures import make_chain, make_finding
from tests.tui_desk import own_store

VALUES = {"agent": [("codex", 7), ("claude-code", 5), ("", 2), ("my agent", 1)], "finding": [("CRED-03", 4), ("BND-04", 2)]}


def offered(expression: str, cursor: int | None = None) -> list[str]:
    told = complete(expression, len(expression) if cursor is None else cursor, lambda field: VALUES.get(field, []))
    at, end = told["start"], told["end"]
    return [expression[:at] + one["text"] + expression[end:] for one in told["candidates"]]


@pytest.mark.parametrize(
    ("expression", "cursor", "wanted"),
    [
        ("ag", None, ["agent:"]),
        ("-fi", None, ["-finding:"]),
        ("x ver", None, ["x verdict:"]),
        ("agent:", None, ["agent:codex", "agent:claude-code", 'agent:"my agent"']),
        ("agent:CL", None, ["agent:claude-code"]),
        ("agent:code", None, ["agent:codex", "agent:claude-code"]),
        ("agent:codex,cl", None, ["agent:codex,claude-code"]),
        ("agent:codex", None, []),
        ("detection:b", None, ["detection:BND-04"]),
        ("state:re", None, ["state:reviewed", "state:reopened"]),
        ("after:7", None, ["after:7d"]),
        ("risk:", None, []),
        ("nofield:x", None, []),
        ("words and wo", None, []),
        ("", None, [f"{name}:" for name in FIELDS]),
        ("ag risk:>6", 2, ["agent: risk:>6"]),
        ('agent:"my', None, ['agent:"my agent"']),
    ],
)
def test_what_may_be_written_at_the_cursor(expression: str, cursor: int | None, wanted: list[str]) -> None:
    assert offered(expression, cursor) == wanted


@given(st.text(min_size=0, max_size=30))
def test_a_quoted_value_is_read_back_and_completion_never_fails(value: str) -> None:
    if "\x00" not in value and not ('"' in value and "'" in value):
        (read,) = words(f"agent:{quoted(value)}")
        assert [one.text for one in read.values] == [value], quoted(value)
    for cursor in range(len(value) + 1):
        complete(value, cursor, lambda field: VALUES.get(field, []))


@given(st.text(alphabet="ab:,-!\"' *?.", max_size=20))
def test_words_lie_where_they_say(expression: str) -> None:
    try:
        found = words(expression)
    except Unclosed as error:
        assert expression[error.at] in "\"'"
        found = words(expression, unfinished=True)
    assert "".join(one.text for one in found) == "".join(expression[one.start : one.end] for one in found), (
        "a word is its part of the text"
    )
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert expression[found[-1].end :].strip() == "" if found else not expression.strip()


def test_facets_count_what_their_word_keeps(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db")) as store:
        store.save_chains(
            [
                (
                    make_chain(f"task-{n}", agent=("codex", "", "my agent")[n % 3], vantages=("agent",), risk=n),
                    [make_finding(f"task-{n}", f"{n}a"), make_finding(f"task-{n}", f"{n}b")] if n % 2 else [],
                )
                for n in range(12)
            ]
        )
        rows = facets(store, "risk:>2")
        assert {row["field"] for row in rows} >= {"agent", "finding", "state", "verdict", "seen"}
        for row in rows:
            assert store.count_tasks(task_filter(f"risk:>2 {row['word']}")) == row["tasks"], row
            kept = store.count_tasks(task_filter(narrowed("risk:>2", row["word"], out=True)))
            assert kept == 9 - row["tasks"], row
        assert [row["word"] for row in facet(store, "agent", most=1)] == ["agent:codex"] or rows
        with pytest.raises(RemitError, match="no facet"):
            facet(store, "title")
    assert word("agent", "my agent") == 'agent:"my agent"' and word("env", "") == "-env:*"
    assert narrowed("a agent:x", "agent:x") == "a agent:x" and narrowed("", "-env:*", out=True) == "env:*"
    assert set(FACETS) <= FIELDS.keys() and set(SORTS) == STORED.keys()
    assert [falls(order) for order in ("risk", "-risk", "title", "-title")] == [True, False, False, True]


def test_views_are_kept_for_the_user_and_shared_ones_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("review.locations.config_dir", lambda: tmp_path / "config")
    shared = views.views("o'neil smith")
    assert not any(row["own"] for row in shared)
    for row in shared:
        task_filter(row["filter"])
    views.save_view("morning", "risk:>60 -verdict:*", "-started")
    views.save_view("waiting", "env:prod")
    assert [(row["name"], row["own"]) for row in views.views("me")][:2] == [("morning", True), ("waiting", True)]
    assert views.view("waiting", "me").filter == "env:prod", "one's own goes before a built-in one"
    assert views.view("morning", "me") == views.View("morning", "risk:>60 -verdict:*", "-started")
    views.delete_view("waiting")
    assert views.view("waiting", "me").filter == "-verdict:*"
    for name, filter, sort in (("", "", "risk"), ("x", "nofield:1", "risk"), ("x", "", "colour"), ("a\nb", "", "risk")):
        with pytest.raises(RemitError):
            views.save_view(name, filter, sort)
    with pytest.raises(NotFoundError, match="morning"):
        views.delete_view("other")
    with pytest.raises(NotFoundError, match="morning"):
        views.view("other", "me")
    (tmp_path / "config" / "views.json").write_text('[{"name": 1}]')
    with pytest.raises(RemitError, match=r"views\.json"):
        views.views("me")


def test_a_view_leaves_as_a_file_that_is_whole_or_not_there(tmp_path: Path) -> None:
    with open_workspace(str(own_store(tmp_path))) as work:
        listed = list(each_task(work.store, "agent:codex", "-title"))
        titles = [row["title"] for row in listed]
        assert titles == sorted(titles, reverse=True) and len(titles) > 3
        done = export_view(work, str(tmp_path / "a.jsonl"), "agent:codex", "-title")
        assert done["tasks"] == len(listed) and done["path"] == str(tmp_path / "a.jsonl")
        assert [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()] == listed
        export_view(work, str(tmp_path / "a.md"), "agent:codex")
        lines = (tmp_path / "a.md").read_text().splitlines()
        assert len(lines) == len(listed) + 2 and {line.count(" | ") for line in lines[2:]} == {8}
        export_view(work, str(tmp_path / "a.csv"), "", limit=2)
        assert len((tmp_path / "a.csv").read_bytes().split(b"\r\n")) == 4
        for path in ("a.md", "a.txt", "no/such/folder/a.csv"):
            with pytest.raises(RemitError):
                export_view(work, str(tmp_path / path))
        with pytest.raises(RemitError):
            export_view(work, str(tmp_path / "b.csv"), "nofield:1")
        assert not (tmp_path / "b.csv").exists() and not list(tmp_path.glob("*.new")) and not list(tmp_path.glob(".*.new"))
        assert [e.what for e in work.store.journal(journal="access")][-3:] == ["export"] * 3


def test_any_list_leaves_with_all_its_documents_hold_and_in_markdown_as_it_is_shown(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "records": {"read": 3, "of": {"deep": 1}}, "tags": ["x", "y"], "steps": [{"n": 1}, {"n": 2}]},
        {"id": "=b|", "records": {"read": None}, "late": True, "=cmd()": 1},
    ]
    shown = [("name", lambda row: f"<{row['id']}>")]
    with open_workspace(str(own_store(tmp_path))) as work:
        for ending in ("csv", "jsonl", "md"):
            assert export_list(work, str(tmp_path / f"l.{ending}"), "sources", rows, shown) == tmp_path / f"l.{ending}"
        with pytest.raises(RemitError, match="exists already"):
            export_list(work, str(tmp_path / "l.md"), "sources", rows, shown)
        assert work.store.journal(journal="access")[-1].what == "export"
    table = list(csv.DictReader((tmp_path / "l.csv").open(newline="")))
    assert list(table[0]) == ["id", "records.read", "records.of.deep", "tags", "steps", "late", "'=cmd()"], (
        "names come from records too"
    )
    assert [list(one.values()) for one in table] == [["a", "3", "1", "x y", "2", "", ""], ["'=b|", "", "", "", "", "True", "1"]]
    assert [json.loads(line) for line in (tmp_path / "l.jsonl").read_text().splitlines()] == rows
    assert (tmp_path / "l.md").read_text().splitlines()[2:] == [r"| \<a\> |", r"| \<=b\|\> |"]
