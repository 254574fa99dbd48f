"""Ids, filters, times and numbers that are wrong: one clear sentence that says what would be right."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from cli.main import main
from cli.parser import build_parser, parser_for
from tests.running import (
    POLICY,
    Day,
    ok,
    refused,
    run,
)

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def test_a_mistyped_id_gets_the_nearest_one(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    for kind, rows in (("task", "tasks"), ("finding", "findings"), ("credential", "credentials")):
        id = day.json(rows)[0]["id"]
        typed = id[:-1] + ("0" if id[-1] != "0" else "1")
        refused(run("--store", day.store, "show", typed), 2, f"did you mean {kind} {id}")
        said = run("--store", mine.store, "review", typed, "--verdict", "escalate", "--reason", "r")
        refused(said, 2, typed)
        assert (f"did you mean {kind} {id}" in said.err) is (kind != "credential")


@pytest.mark.parametrize(
    "id", ["nope", "", "%", "_", "task-ffffffffffffffffffff", "0" * 64, "' OR 1=1 --", "\x1b[31m", "é" * 40, "x" * 5_000]
)
def test_an_unknown_id_is_one_sentence(day: Day, tmp_path: Path, id: str) -> None:
    ran = run("--store", day.store, "show", id)
    refused(ran, 2)
    assert "\x1b" not in ran.err and len(ran.err) < 1_000
    mine = day.copy(tmp_path / "mine")
    refused(run("--store", mine.store, "review", id, "--verdict", "escalate", "--reason", "r"), 2)
    refused(
        run("--store", mine.store, "except", id, "--owner", "o", "--ticket", "t", "--expires", "2099-01-01", "--reason", "r"), 2
    )


def test_an_ambiguous_beginning_lists_candidates_and_their_true_number(day: Day) -> None:
    ran = run("--store", day.store, "show", "task-")
    refused(ran, 2, "task-", str(len(day.json("tasks"))))
    refused(run("--store", day.store, "review", "find-", "--verdict", "escalate", "--reason", "r"), 2, "find-")


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("agnt:codex", "agent"),
        ("colour:red", "colour"),
        ("risk:", "risk"),
        ("risk:high", "risk"),
        ("risk:>", "risk"),
        ("risk:<", "risk"),
        ("risk:>=", "risk"),
        ("risk:\u00b2", "risk"),
        ("risk:>" + "9" * 30, "risk"),
        ("risk:-5", "risk"),
        ("after:yesterday", "after"),
        ("-after:noon", "after"),
        ("before:2026-13-45", "before"),
        ("after:", "after"),
        ("state:nope", "state"),
        ("verdict:nope", "verdict"),
        ("seen:nobody", "seen"),
        ("agnet:codex", "did you mean agent?"),
        ("state:opne", "did you mean open?"),
        ("risk:60..20", "turn it round"),
        ('"unclosed', "quotation"),
    ],
)
def test_a_bad_filter_is_one_sentence(day: Day, expression: str, word: str) -> None:
    refused(run("--store", day.store, "tasks", "--filter", expression), 2, "filter", word)


@pytest.mark.parametrize("expression", ["severity:urgent", "task:", "colour:red", "words", "after:noon", "blind:perhaps", '"x'])
def test_a_bad_filter_of_findings_is_one_sentence(day: Day, expression: str) -> None:
    refused(run("--store", day.store, "findings", "--filter", expression), 2, "filter")


@pytest.mark.parametrize(
    "expression", ["'; DROP TABLE tasks", "*", '"AND OR NOT"', "NEAR(", "a:b:c:d", "^", "-", "x" * 3_000, "\x00", "(" * 500]
)
def test_hostile_words_in_a_filter_or_search_are_only_words(day: Day, expression: str) -> None:
    for words in (["tasks", f"--filter={expression}"], ["search", "--", expression]):
        ran = run("--store", day.store, *words)
        assert ran.code in (0, 2) and "Traceback" not in ran.err
        if ran.code:
            refused(ran, 2)


def test_filters_that_match_nothing_do_not_ask_for_an_import(day: Day) -> None:
    said = ok("--store", day.store, "tasks", "--filter", "agent:nobody").out
    assert "import" not in said.lower()


@pytest.mark.parametrize("limit", ["-3", "0", "x", "1e3", "99999999999999999999999"])
def test_a_bad_limit_is_refused(day: Day, limit: str) -> None:
    for words in (["tasks"], ["findings"], ["search", "x"], ["policy", "dry-run", str(POLICY)]):
        ran = run("--store", day.store, *words, f"--limit={limit}")
        if limit.startswith("999"):
            assert ran.code in (0, 2) and "Traceback" not in ran.err
        elif limit == "0" and words[0] == "policy":
            assert ran.code == 0, "counts without a list are a fair question"
        else:
            refused(ran, 2, "--limit")


def test_a_bad_sort_key_names_the_good_ones(day: Day) -> None:
    refused(run("--store", day.store, "tasks", "--sort", "colour"), 2, "colour", "risk", "started")


@pytest.mark.parametrize("time", ["yesterday", "", "2026-02-30", "25:00", "99999-01-01", "2026-03-17T99:00:00Z"])
def test_a_bad_time_is_one_sentence(day: Day, tmp_path: Path, time: str) -> None:
    task = day.json("tasks", "--limit", "1")[0]["id"]
    refused(run("--store", day.store, "show", task, "--at", time), 2, "--at")
    for option in ("--from", "--to", "--as-of"):
        refused(run("--store", day.store, "report", "--out", tmp_path / "p", option, time), 2, option)


def test_a_period_that_ends_before_it_begins_is_refused(day: Day, tmp_path: Path) -> None:
    ran = run("--store", day.store, "report", "--out", tmp_path / "p", "--from", "2026-03-18", "--to", "2026-03-17")
    refused(ran, 2, "--from", "--to")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("findings", "--fail-on", "huge"), "--fail-on"),
        (("policy", "dry-run", str(POLICY), "--fail-on", "newly_broken"), "newly_broken"),
        (("report", "--out", "p", "--framework", "iso-9000"), "iso-9000"),
        (("report", "--out", "p", "--only", "docx"), "docx"),
        (("frobnicate",), "frobnicate"),
        (("tasks", "--colour"), "--colour"),
        (("tasks", "--json", "--csv"), "--csv"),
        (("review", "x", "--verdict", "guilty", "--reason", "r"), "guilty"),
        (("review", "x", "--verdict", "escalate"), "--reason"),
        (("report",), "--out"),
        (("completion", "tcsh"), "tcsh"),
        (("show",), "required"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40],
)
def test_bad_usage_is_one_sentence(day: Day, words: tuple[str, ...], said: str) -> None:
    refused(run("--store", day.store, *words), 2, said)


def test_verdicts_and_exceptions_want_what_they_need(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    finding = mine.json("findings")[0]
    refused(run("--store", mine.store, "review", finding["id"], "--verdict", "escalate", "--reason", "  "), 2, "reason")
    accept = ("--owner", "o", "--ticket", "T-1", "--reason", "r")
    refused(run("--store", mine.store, "except", finding["id"], *accept, "--expires", "2020-01-01"), 2, "past")
    refused(run("--store", mine.store, "except", finding["id"], *accept, "--expires", "soon"), 2, "--expires")
    refused(run("--store", mine.store, "except", finding["task"], *accept, "--expires", "2099-01-01"), 2, "finding")
    assert mine.json("journal") == []


def test_of_several_verdicts_none_is_kept_where_one_id_is_wrong(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    task = mine.json("tasks")[0]["id"]
    refused(run("--store", mine.store, "review", task, "nope", "--verdict", "escalate", "--reason", "r"), 2, "nope")
    assert mine.json("journal") == []


def test_a_parser_for_some_words_knows_the_command_they_name() -> None:
    whole = commands(build_parser())
    assert len(whole) > 40
    for name in whole:
        for words in ([name], ["--store", "import", name, "--org", "x"], [name, "--help"]):
            assert name in commands(parser_for(words)), words
    assert commands(parser_for(["--store", "tasks", "--readonly"])) == []
    for words in (["--help"], ["imprt"], ["--stor", "x", "tasks"], ["--size", "0x0"], ["--store"]):
        assert commands(parser_for(words)) == whole, words


def commands(parser: argparse.ArgumentParser) -> list[str]:
    (place,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return list(place.choices)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["imprt", "x"], "did you mean `import`?"),
        (["policy", "dry-runn"], "did you mean `dry-run`?"),
        (["report", "--output", "pack"], "there is no option --output; did you mean `--out`?"),
        (["findings", "--fail-in", "high"], "there is no option --fail-in; did you mean `--fail-on`?"),
        (["policy", "check", "--\x1b[2Jzzz=1", "x"], "there is no option --"),
    ],
)
def test_a_word_near_to_a_command_is_answered_with_it(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words)
    assert said in capsys.readouterr().err
