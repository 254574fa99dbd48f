"""Bad input anywhere gives one clear sentence and the right exit code, and nothing that was good is lost."""

from __future__ import annotations

import gzip
import json
import os
import pty
import random
import select
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.running import (
    POLICY,
    ROOT,
    SAMPLE,
    Day,
    Ran,
    command,
    finish,
    ok,
    refused,
    run,
    sample_day,
    sample_logs,
    start,
    surroundings,
    writable_anyway,
)

CI = SAMPLE / "ci-events.ndjson"


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path) -> Iterator[None]:
    with surroundings(tmp_path):
        yield


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return sample_day(tmp_path_factory)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def imported(store: Path, *paths: str | Path, stdin: bytes = b"") -> Ran:
    ran = run("--store", store, "import", *paths, "--json", stdin=stdin)
    assert "Traceback" not in ran.err
    return ran


# files


def test_a_missing_file_is_named_and_the_others_are_imported(store: Path, tmp_path: Path) -> None:
    ran = imported(store, tmp_path / "absent.jsonl", CI)
    assert ran.code == 3
    (skipped,) = ran.json["skipped"]
    assert "absent.jsonl" in skipped["name"] and "no such file" in skipped["reason"]
    assert ran.json["totals"]["accepted"] > 0
    said = run("--store", store, "import", tmp_path / "absent.jsonl")
    assert said.code == 3 and "absent.jsonl" in said.err and "Traceback" not in said.err


def test_a_pattern_without_a_file_is_code_3(store: Path, tmp_path: Path) -> None:
    ran = imported(store, tmp_path / "*.jsonl")
    assert ran.code == 3 and "*.jsonl" in ran.json["skipped"][0]["name"]


def test_a_directory_without_logs_ends_well_and_says_what_it_skipped(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    ran = imported(store, folder)
    assert ran.code == 0 and ran.json["totals"]["read"] == 0
    (folder / "a.txt").write_text("hello\n")
    ran = imported(store, folder)
    assert ran.code == 0 and [one["name"] for one in ran.json["skipped"]] == ["a.txt"]


JUNK = {
    "empty": b"",
    "newlines": b"\n\n\n",
    "random bytes": random.Random(7).randbytes(40_000),
    "zero bytes": bytes(10_000),
    "png": b"\x89PNG\r\n\x1a\n" + random.Random(8).randbytes(2_000),
    "broken gzip": gzip.compress(b'{"a": 1}\n' * 500)[:60],
    "gzip of junk": gzip.compress(random.Random(9).randbytes(3_000)),
    "not UTF-8": b'{"type": "\xff\xfe"}\n' * 5,
    "UTF-16": '{"type": "user"}\n'.encode("utf-16"),
    "JSON of no format": b'{"a": 1}\n{"b": 2}\n',
    "a bare string": b'"just words"\n',
    "an unclosed object": b'{"a": ',
    "deep nesting": b"[" * 100_000,
    "a very long line": b'{"a": "' + b"x" * 2_000_000,
    "prose": b"Dear reader,\nthis is a letter.\n",
    "a huge number": b'{"a": 1' + b"0" * 5_000 + b"}\n",
    "lone surrogates": b'{"type": "\\ud800"}\n',
}  # fmt: skip


@pytest.mark.parametrize("name", JUNK)
def test_junk_is_refused_with_a_reason(store: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "junk.log"
    path.write_bytes(JUNK[name])
    ran = imported(store, path)
    assert ran.code == 3
    totals = ran.json["totals"]
    assert totals["read"] == totals["rejected"] + totals["accepted"] + totals["duplicate"]
    reasons = [one["reason"] for one in ran.json["skipped"]] + [r["reason"] for s in ran.json["sources"] for r in s["rejects"]]
    assert reasons and all(len(reason) > 5 for reason in reasons)
    said = run("--store", store, "import", path)
    assert said.code == 3 and "junk.log" in said.err and all(len(line) < 1_000 for line in said.err.splitlines())
    again = imported(store, "-", stdin=JUNK[name])
    assert again.code == 3


@pytest.mark.parametrize("name", ["claude-code", "codex", "opa", "vault", "github", "cloudtrail", "ci-events"])
def test_a_log_cut_off_anywhere_keeps_what_is_whole(tmp_path: Path, name: str) -> None:
    path = next(path for path in sample_logs() if path.name.startswith(name))
    data = path.read_bytes()
    dice = random.Random(name)
    for number in range(3):
        cut = dice.randrange(len(data) // 3, len(data) - 2)
        short = tmp_path / f"cut-{number}.log"
        short.write_bytes(data[:cut])
        ran = imported(tmp_path / f"{number}.db", short)
        (source,) = ran.json["sources"]
        counts = source["records"]
        assert counts["read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
        assert counts["accepted"] > 0
        assert ran.code == (3 if counts["rejected"] else 0)
        if name == "cloudtrail":
            assert counts["rejected"] == 1
        else:
            whole = data[:cut].count(b"\n")
            assert counts["accepted"] >= whole and counts["rejected"] == (0 if data[cut - 1 : cut] == b"\n" else 1)


def test_an_unknown_format_is_refused_with_the_known_ones(store: Path) -> None:
    refused(run("--store", store, "import", CI, "--format", "cef"), 2, "cef", "remit-events", "vault")


def test_a_file_forced_into_the_wrong_format_is_not_a_crash(store: Path) -> None:
    for path in (CI, SAMPLE / "opa-decisions.jsonl", SAMPLE / "cloudtrail-staging.json"):
        for format in ("claude-code", "codex", "vault", "cloudtrail", "github-audit", "github-webhook", "opa", "remit-events"):
            imported(store, path, "--format", format)


@pytest.mark.skipif(writable_anyway(), reason="file modes do not stop this user")
def test_an_unreadable_file_is_code_3(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "locked.jsonl"
    path.write_bytes(CI.read_bytes())
    path.chmod(0)
    ran = imported(store, path)
    assert ran.code == 3 and "denied" in ran.json["skipped"][0]["reason"]


def test_pipes_links_and_devices_in_a_directory_are_not_read(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(CI)
    (folder / "loop").symlink_to(folder)
    (folder / "dangling").symlink_to("nowhere")
    assert imported(store, folder).json["totals"]["read"] == 0


# stores


NEEDS_STORE = [
    ("tasks",), ("findings",), ("credentials",), ("coverage",), ("sources",), ("identities",), ("journal",), ("show", "task-1"),
    ("store", "info"), ("store", "check"), ("store", "export"), ("store", "rebuild"), ("policy", "history"),
    ("policy", "dry-run", str(POLICY)), ("search", "x"), ("journal", "verify"), ("report", "--out", "p"),
    ("review", "x", "--verdict", "escalate", "--reason", "r"),
]  # fmt: skip


@pytest.mark.parametrize("words", NEEDS_STORE, ids=" ".join)
def test_an_absent_store_is_said_once_with_what_to_do(store: Path, words: tuple[str, ...]) -> None:
    refused(run("--store", store, *words), 2, "no store", str(store), "remit import")
    assert not store.exists()


@pytest.mark.parametrize("words", [*NEEDS_STORE, ("import", str(CI))], ids=" ".join)
@pytest.mark.parametrize("kind", ["text", "another database", "cut off"])
def test_a_store_that_is_none_is_refused_and_left_as_it_is(day: Day, store: Path, words: tuple[str, ...], kind: str) -> None:
    if kind == "text":
        store.write_text("this is a text file, not a database, and longer than a header of one\n" * 20)
    elif kind == "another database":
        import sqlite3

        with sqlite3.connect(store) as other:
            other.execute("CREATE TABLE songs (title TEXT)")
        other.close()
    else:
        store.write_bytes(day.store.read_bytes()[:5_000])
    before = store.read_bytes()
    refused(run("--store", store, *words), 2, "s.db")
    assert store.read_bytes() == before


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    refused(run("--store", tmp_path / "folder", "tasks"), 2, "folder")
    refused(run("--store", tmp_path / "folder", "import", CI), 2, "folder")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://localhost/remit",
        "postgresql+psycopg://nobody@127.0.0.1:1/none",
        "postgresql+psycopg://nobody@/none?host=/nowhere",
        "postgresql://",
        "sqlite://",
        "http://example.org/store",
        "://",
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence(url: str) -> None:
    refused(run("--store", url, "tasks"), 2)


def test_a_password_in_a_url_is_never_repeated() -> None:
    ran = run("--store", "postgresql+psycopg://dana:correct-horse@127.0.0.1:1/none", "tasks")
    refused(ran, 2)
    assert "correct-horse" not in ran.err + ran.out
    assert "correct-horse" not in ok("--store", "postgresql+psycopg://dana:correct-horse@127.0.0.1:1/none", "config", "show").out


def test_a_place_that_cannot_be_written_is_named(day: Day, tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("x")
    refused(run("--store", blocker / "below" / "s.db", "import", CI), 2, str(blocker))
    refused(run("--store", day.store, "report", "--out", blocker), 2, str(blocker))
    refused(run("--store", day.store, "report", "--out", blocker / "below"), 2, str(blocker))
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=None, XDG_CONFIG_HOME=str(blocker)):
        refused(run("--store", tmp_path / "s.db", "import", CI), 2, str(blocker))
    with surroundings(tmp_path, XDG_DATA_HOME=str(blocker)):
        refused(run("demo"), 2, str(blocker))
        refused(run("import", CI), 2, str(blocker))


def test_a_folder_with_something_in_it_is_not_overwritten(day: Day, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    refused(run("--store", day.store, "report", "--out", tmp_path / "mine"), 2, "not empty", "--force")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("key", ["zz", "abcd", "5e" * 15])
def test_a_bad_pseudonym_key_is_refused(store: Path, tmp_path: Path, key: str) -> None:
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY=key):
        ran = run("--store", store, "import", CI)
    refused(ran, 2, "REMIT_PSEUDONYM_KEY")
    assert key not in ran.err


def test_a_store_refuses_another_key(store: Path, tmp_path: Path) -> None:
    imported(store, CI)
    before = ok("--store", store, "store", "export").out
    with surroundings(tmp_path, REMIT_PSEUDONYM_KEY="6f" * 32):
        refused(run("--store", store, "import", SAMPLE / "opa-decisions.jsonl"), 2, "key")
    assert ok("--store", store, "store", "export").out == before


# the organisation file


BAD_ORG = {
    "not YAML": ("repositories: [a, b\nname: x\n", None),
    "unknown field": ("name: Acme\nrepositorys: []\n", 2),
    "wrong type": ("name: Acme\nchange_windows: 7\n", 2),
    "a list": ("- a\n- b\n", 1),
    "tabs": ("name: Acme\n\tx: 1\n", 2),
    "a bomb": ("a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)), None),
    "a Python object": ("name: !!python/object/apply:os.system ['true']\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ORG)
def test_a_bad_organisation_file_is_refused_by_line_and_column(day: Day, tmp_path: Path, name: str) -> None:
    text, line = BAD_ORG[name]
    path = tmp_path / "org.yaml"
    path.write_text(text)
    for words in (("tasks",), ("config", "validate"), ("report", "--out", str(tmp_path / "p"))):
        refused(run("--store", day.store, "--org", path, *words), 2, "org.yaml", f"line {line}, column" if line else ":")


def test_an_absent_organisation_file_that_was_named_is_refused(day: Day, tmp_path: Path) -> None:
    refused(run("--store", day.store, "--org", tmp_path / "nope.yaml", "tasks"), 2, "nope.yaml")
    with surroundings(tmp_path, REMIT_ORG=str(tmp_path / "nope.yaml")):
        refused(run("--store", day.store, "tasks"), 2, "nope.yaml")
    refused(run("--store", day.store, "--org", SAMPLE, "tasks"), 2, "sample_data")


# policies


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


# ids, filters, times, numbers


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
        ("before:2026-13-45", "before"),
        ("after:", "after"),
        ("state:nope", "state"),
        ("verdict:nope", "verdict"),
        ("seen:nobody", "seen"),
        ("agent:codex -agent:codex", "-agent:codex"),
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


# packs


def test_a_pack_that_is_none_is_named(day: Day, tmp_path: Path) -> None:
    refused(run("verify", tmp_path / "none"), 3, "none")
    refused(run("verify", CI), 3, "ci-events")
    (tmp_path / "empty").mkdir()
    ran = run("verify", tmp_path / "empty")
    assert ran.code == 4 and "manifest.json" in ran.out


def test_a_hostile_file_name_in_a_pack_is_shown_on_one_line(day: Day, tmp_path: Path) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--only", "csv")
    (tmp_path / "p" / "\x1b[2J\nintegrity: intact").write_text("x")
    ran = run("verify", tmp_path / "p")
    assert ran.code == 4 and "\x1b" not in ran.out
    assert [line for line in ran.out.splitlines() if line.startswith("integrity")] == ["integrity: altered"]


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", '{"files": 3}', '{"files": [{"path": "../../etc/passwd"}]}', "[" * 100_000, "\x00"]
)
def test_a_broken_manifest_is_no_crash(day: Day, tmp_path: Path, manifest: str) -> None:
    ok("--store", day.store, "report", "--out", tmp_path / "p", "--only", "csv")
    (tmp_path / "p" / "manifest.json").write_text(manifest)
    ran = run("verify", tmp_path / "p")
    assert ran.code in (3, 4) and "Traceback" not in ran.err
    assert "passwd" not in ran.out.replace("../../etc/passwd", "")


# pipes, terminals, signals


def test_a_reader_that_goes_away_is_no_error(day: Day) -> None:
    for words in (
        ["tasks", "--json"],
        ["store", "export"],
        ["show", day.json("tasks")[0]["id"], "--json"],
        ["findings", "--csv"],
    ):
        process = start("--store", day.store, *words)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        assert process.wait(timeout=60) in (0, 141, -signal.SIGPIPE)
        assert said == ""


def test_a_full_disk_is_one_sentence(day: Day) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        ran = finish(start("--store", day.store, "tasks", "--json", stdout=full, stderr=subprocess.PIPE))
    assert ran.code == 2 and "Traceback" not in ran.err and "Exception ignored" not in ran.err and "remit" in ran.err


def test_a_closed_output_is_one_sentence(day: Day) -> None:
    words = " ".join(shlex.quote(word) for word in command("--store", day.store, "tasks", "--json"))
    ran = finish(subprocess.Popen(["sh", "-c", f"exec {words} >&-"], stderr=subprocess.PIPE, cwd=ROOT))
    refused(ran, 2, "standard output is closed")


def test_without_a_terminal_the_dashboard_says_what_to_use(day: Day) -> None:
    refused(finish(start("--store", day.store)), 2, "terminal", "remit tasks")
    refused(finish(start()), 2, "terminal")


def test_a_terminal_that_can_do_nothing_gets_no_dashboard(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, theirs = pty.openpty()
    process = start("--store", day.store, stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 30)[0]:
            try:
                data = os.read(ours, 4096)
            except OSError:
                break
            if not data:
                break
            said += data
        assert process.wait(timeout=60) == 2
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    assert b"terminal" in said and b"\x1b" not in said


def test_output_is_utf_8_whatever_the_locale(day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONCOERCECLOCALE", "0")
    for words in (["tasks"], ["findings", "--plain"], ["tasks", "--csv"]):
        ran = finish(start("--store", day.store, *words))
        assert (ran.code, ran.err) == (0, "")


def test_an_interrupted_import_is_130_and_a_rerun_completes_it(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.db", tmp_path / "broken.db"
    ok("--store", whole, "import", *sample_logs(), "--json")
    process = start("--store", broken, "import", "-", *sample_logs(), stdin=subprocess.PIPE)
    assert process.stdin is not None
    # Half a log on standard input: the import waits for more until it is interrupted in the midst of its work.
    lines = CI.read_bytes().splitlines(keepends=True)
    process.stdin.write(b"".join(lines[:6]))
    process.stdin.flush()
    wait_for(lambda: is_made(broken))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err and b"interrupted" in err and len(err.strip().splitlines()) == 1
    ok("--store", broken, "import", *sample_logs(), "--json")
    assert ok("--store", broken, "store", "export").out == ok("--store", whole, "store", "export").out


def wait_for(condition: Callable[[], bool]) -> None:
    """Until something holds; what never comes fails."""
    for _ in range(600):
        if condition():
            return
        select.select([], [], [], 0.05)
    raise AssertionError("it never came")


def is_made(store: Path) -> bool:
    """Whether another process has made its store's tables."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("SELECT count(*) FROM remit_schema").fetchone()[0])
    except sqlite3.Error:
        return False


def test_the_command_runs_as_a_module() -> None:
    assert subprocess.run(command("--version"), capture_output=True, check=True).stdout.startswith(b"remit ")


# hostile names


def test_hostile_names_reach_no_terminal_raw(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a\x1b[31m\u202eb\n.ndjson").write_bytes(CI.read_bytes())
    (folder / "c\x1b]52;c;x\x07.txt").write_text("junk")
    for form in ([], ["--json"]):
        ran = run("--store", store, "import", folder, *form)
        assert ran.code == 0
        assert not set("\x1b\x07\u202e") & set(ran.out + ran.err)
    for words in (["sources"], ["sources", "--plain"], ["sources", "--csv"], ["sources", "--json"], ["findings", "--plain"]):
        assert not set("\x1b\x07\u202e") & set(ok("--store", store, *words).out)


def test_a_name_that_is_not_unicode_is_carried(store: Path, tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.ndjson"
    Path(os.fsdecode(name)).write_bytes(CI.read_bytes())
    assert run("--store", store, "import", os.fsdecode(name), "--json").code == 0
    (row,) = ok("--store", store, "sources", "--json").json
    assert json.dumps(row["name"]).isascii()
