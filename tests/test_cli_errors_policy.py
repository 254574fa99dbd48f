"""Policies and requests that are wrong: one clear sentence with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import (
    POLICY,
    SAMPLE,
    Day,
    refused,
    run,
)

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


BAD_POLICY = {
    "empty": "",
    "not YAML": "rules: [\n",
    "binary": "\x00\x01\x02",
    "no rules list": "version: 1\ndefault: allow\nrules: 3\n",
    "unknown effect": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: maybe, when: 'true'}\n",
    "bad condition": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: 'action.verb == '}\n",
    "unknown attribute": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: 'action.verbb == \"exec\"'}\n",
    "not boolean": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: 'action.verb'}\n",
    "wrong type": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: 'agent.depth == \"1\"'}\n",
    "twice the same id": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: 'true'}\n  - {id: a, effect: ask, when: 'true'}\n",
    "deep": "version: 1\ndefault: allow\nrules:\n  - {id: a, effect: deny, when: '" + "(" * 5_000 + "'}\n",
    "another version": "version: 99\ndefault: allow\nrules: []\n",
}


@pytest.mark.parametrize("name", BAD_POLICY)
def test_a_bad_policy_is_refused_by_line_and_column(day: Day, tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(BAD_POLICY[name])
    checked = run("policy", "check", path)
    assert checked.code == 2 and "Traceback" not in checked.err
    assert any(line.startswith(f"{path}:") and ": error: " in line for line in checked.out.splitlines())
    for words in (
        ("policy", "dry-run", str(path)),
        ("policy", "test", str(path)),
        ("policy", "explain", str(path), "--request", "{}"),
        ("policy", "dry-run", str(POLICY), "--against", str(path)),
    ):
        refused(run("--store", day.store, *words), 2, "bad.yaml:")


def test_a_bad_policy_is_not_kept(day: Day, tmp_path: Path) -> None:
    mine = day.copy(tmp_path / "mine")
    path = tmp_path / "bad.yaml"
    path.write_text(BAD_POLICY["bad condition"])
    refused(run("--store", mine.store, "policy", "save", path, "--name", "x"), 2, "bad.yaml:4:")
    assert mine.json("policy", "history") == []


@pytest.mark.parametrize("action", ["check", "test", "dry-run"])
def test_a_policy_that_cannot_be_read_is_code_3(day: Day, tmp_path: Path, action: str) -> None:
    refused(run("--store", day.store, "policy", action, tmp_path / "none.yaml"), 3, "none.yaml")
    refused(run("--store", day.store, "policy", action, SAMPLE), 3, "sample_data")
    (tmp_path / "latin.yaml").write_bytes(b"version: 1 # caf\xe9\n")
    refused(run("--store", day.store, "policy", action, tmp_path / "latin.yaml"), 3, "latin.yaml", "UTF-8")


def test_policy_formats_and_numbers_of_files_are_checked() -> None:
    refused(run("policy", "check", POLICY, "--format", "xacml"), 2, "xacml")
    refused(run("policy", "check", POLICY, POLICY), 2)
    refused(run("policy"), 2, "ACTION")
    refused(run("policy", "explain", POLICY), 2, "--request")


BAD_REQUESTS = ["", "{", "[]", "3", '"x"', "null", '{"a": ', '{"action": 7}', '{"action": {"verbs": "exec"}}', "[" * 100_000,
                '{"agent": "claude-code"}', '{"agent": "claude-code", "tool": 3, "input": []}', '{"agent": "codex", "argv": [1, 2]}',
                '{"action": {"verb": "fly"}}', "NaN", '{"agent": {"depth": 1e999}}']  # fmt: skip


@pytest.mark.parametrize("request_text", BAD_REQUESTS, ids=lambda text: text[:30] or "empty")
def test_a_bad_request_is_one_sentence_or_an_answer(tmp_path: Path, request_text: str) -> None:
    ran = run("policy", "explain", POLICY, "--request", request_text, "--json")
    if ran.code == 0:
        assert ran.json["effect"] in ("allow", "ask", "deny", "none", "unknown")
    else:
        refused(ran, 2, "--request")
        assert len(ran.err) < 1_000


def test_what_is_no_request_at_all_is_refused() -> None:
    for text in ("", "{", "[]", "3", "null"):
        refused(run("policy", "explain", POLICY, "--request", text), 2, "--request")


def test_a_bad_line_of_requests_is_named_and_the_others_are_answered(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text('{"action": {"verb": "exec"}}\n{"broken\n\n{"action": {"verb": "exec"}}\n')
    ran = run("policy", "explain", POLICY, "--requests", path, "--jsonl")
    refused(ran, 2, "requests.jsonl:2")
    first, bad, last = ran.lines
    assert first == last and "error" not in first
    assert bad["effect"] == "unknown" and "requests.jsonl:2" in bad["error"]
    plain = run("policy", "explain", POLICY, "--requests", path)
    assert plain.code == 2 and "unknown: " in plain.out and plain.out.count("by the default") == 2
    refused(run("policy", "explain", POLICY, "--requests", tmp_path / "none.jsonl"), 3, "none.jsonl")


def test_an_empty_file_of_requests_has_no_answers(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n\n")
    ran = run("policy", "explain", POLICY, "--requests", tmp_path / "none.jsonl", "--jsonl")
    assert (ran.code, ran.out) == (0, "")


@pytest.mark.parametrize("words", [("check", "-"), ("explain", str(POLICY), "--requests", "-")])
def test_standard_input_that_is_no_text_is_code_3(words: tuple[str, ...]) -> None:
    refused(run("policy", *words, stdin=b"version: \xff\n"), 3, "standard input", "UTF-8")


def test_hostile_words_in_a_policy_reach_no_terminal_raw(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text('version: 1\n"\\e[31m\\nforged:1:1: ok": 1\nrules: []\n')
    ran = run("policy", "check", tmp_path / "p.yaml")
    assert ran.code == 2 and "\x1b" not in ran.out and "forged" in ran.out
    assert not any(line.startswith("forged") for line in ran.out.splitlines())
