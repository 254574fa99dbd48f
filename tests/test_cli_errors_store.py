"""Stores and organisation files that are wrong: one clear sentence and the right exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import (
    POLICY,
    SAMPLE,
    Day,
    Ran,
    ok,
    refused,
    run,
    surroundings,
)

pytestmark = pytest.mark.usefixtures("alone")

CI = SAMPLE / "ci-events.ndjson"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s.db"


def imported(store: Path, *paths: str | Path, stdin: bytes = b"") -> Ran:
    ran = run("--store", store, "import", *paths, "--json", stdin=stdin)
    assert "Traceback" not in ran.err
    return ran


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
