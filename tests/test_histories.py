"""Histories elsewhere: the same policy over the same requests gives the same document as over our own store."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.cel_writer import Writer
from chains.facts import OrgFacts
from cli.main import main
from history.columns import joined
from history.engines import open_engine
from history.location import located, resolved, scrubbed, secrets
from history.mapping import read_mapping
from history.problems import HistoryError, Lacking
from history.rules import Rules
from history.warehouse import Warehouse
from lang.cel import compile_condition, evaluate, project
from model.evidence import RequestRow
from review import locations
from review.errors import RemitError
from review.policy import histories
from review.workspace import Workspace
from store import Store
from tests.histories import fill, lake, mapping, over_lake, over_store, policy, warehouse


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "data_dir", lambda: tmp_path / "data")
    monkeypatch.setattr(locations, "config_dir", lambda: tmp_path / "config")


def _java() -> bool:
    return shutil.which("java") is not None


def _there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


ENGINES = [
    pytest.param("parquet", id="duckdb"),
    pytest.param(
        "chdb", marks=pytest.mark.skipif(not _there("chdb"), reason="needs the package chdb (`make engines`)"), id="clickhouse"
    ),
    pytest.param(
        "spark",
        marks=pytest.mark.skipif(
            not (_there("pyspark") and _java()), reason="needs the package pyspark and Java (`make engines`)"
        ),
        id="spark",
    ),
]
LISTS = {"chdb": "stated"}
NASTY = (
    "", "a", "A", "ab\\nab", "a\n", "\na", "a\\b", "it's", 'say "a"', "100%_", "a_b", "É", "e\u0301", "日本", "\u212a", "ſ", "\U0001f600a", " a\u00a0",
    "$1", "\\1", "x" * 3000, "\t", "a\rb", "\u2028", "ß", "İ",
)  # fmt: skip


def quoted(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


CONDITIONS = (
    *(f"resource.name {op} resource.owner" for op in ("==", "!=", "<", "<=", ">", ">=")),
    *(f"resource.name {op} {quoted(text)}" for op in ("==", "<", ">=") for text in NASTY[:18]),
    *(f"resource.name.{fn}(resource.owner)" for fn in ("contains", "startsWith", "endsWith")),
    *(f"resource.name.{fn}({quoted(text)})" for fn in ("contains", "startsWith", "endsWith") for text in NASTY[:18]),
    "resource.name in [resource.owner, 'a', '日本']",
    "resource.name in []",
    f"resource.name in {quoted(NASTY[:18])}",
    "resource.name.lowerAscii() == resource.owner.upperAscii()",
    "resource.name.lowerAscii() == resource.owner.lowerAscii()",
    "resource.name.indexOf(resource.owner) >= 0",
    "resource.name.indexOf('a') == 1",
    "resource.name.indexOf('') == 0",
    "size(resource.name) > size(resource.owner)",
    "size(resource.name) == 2",
    "(resource.name + resource.owner).contains('aa')",
    "resource.name.replace('a', 'bb') == resource.owner",
    "resource.name.replace('a', resource.owner) > 'b'",
    *(f"resource.name.matches({quoted(pattern)})" for pattern in (
        "a.b", "a$", "^a", "(?i)k", "(?i)S", "a|b", "[a-c]+", "\\\\", "\\.", "a\\s*b", "\\d", "\\w+", "\\ba", "(?m)^a$", "a?b", "(a|b)+", "", "[^a]", "x{2}",
    )),
    "has(resource.name) && !(resource.name == 'a')",
    "!(resource.name.matches('a') || resource.owner == 'b')",
    "(resource.name == 'a' ? resource.owner : resource.name) == 'a'",
    "(has(resource.owner) ? size(resource.owner) : credential.ttl_seconds) in [0, 1, -1, 9007199254740993, 9223372036854775807]",
    *(f"credential.ttl_seconds {op} {n}" for op in ("==", "!=", "<", ">=") for n in (0, -1, 9007199254740992, 9223372036854775807)),
    "credential.ttl_seconds in [9007199254740992, -1, 9223372036854775807]",
    "credential.ttl > duration('1h')",
    "credential.ttl == duration('2562047h')",
    "resource.exists(k, resource[k] == 'a')",
    "'a' in action.verbs",
    "resource.name in action.verbs",
    "size(action.verbs) == 2",
    "action.verbs.exists(v, v == resource.name)",
    "action.verbs.all(v, v.startsWith('a'))",
    "action.verbs.exists(v, v.contains(resource.owner) && !has(resource.name))",
    "action.verbs.exists(v, action.verbs.all(w, v >= w))",
    "['a', '日本'].exists(v, resource.name.contains(v))",
    "action.forced == has(resource.name)",
    "action.forced",
    *(f'context.day {op} timestamp("{when}")' for op in ("==", "!=", "<", "<=", ">", ">=") for when in (
        "2026-03-01T00:00:00Z", "2026-03-01T12:00:00Z", "1970-01-01T00:00:00Z",
    )),
)  # fmt: skip


def nasty(random: Random) -> dict[str, Any]:
    """A request of values that engines are known to read differently."""
    numbers = (
        0,
        1,
        -1,
        3600,
        3601,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        (1 << 63) - 1,
        -(1 << 63),
        9223372035,
        9223372036,
        9223372037,
    )
    whole: dict[str, Any] = {
        "resource.name": random.choice(NASTY),
        "resource.owner": random.choice(NASTY),
        "credential.ttl_seconds": random.choice(numbers),
        "action.verbs": [random.choice(NASTY) for _ in range(random.randrange(3))],
        "action.forced": random.random() < 0.5,
        "context.day": random.choice(("1970-01-01", "2026-02-28", "2026-03-01", "2026-03-02", "1969-12-31")),
    }
    return {name: value for name, value in whole.items() if name == "action.verbs" or random.random() < 0.8}


@pytest.fixture
def work(store: Store, store_url: str) -> Iterator[Workspace]:
    yield Workspace(store, store_url, OrgFacts())


def far(scheme: str, path: Path) -> Warehouse:
    """The file in an engine."""
    return warehouse(f"{scheme}://{'local' if scheme == 'spark' else ''}{path}", lists=LISTS.get(scheme, ""))


@pytest.mark.parametrize("scheme", ENGINES)
def test_each_function_answers_in_an_engine_as_it_does_here(scheme: str, tmp_path: Path) -> None:
    random = Random(3)
    rows = [RequestRow(step=f"{n:04}", task="t", at=None, recorded="unknown", request=nasty(random)) for n in range(160)]
    held = far(scheme, lake(rows, tmp_path))
    rules = Rules(held.bound, held.dialect)
    wanted, texts, refused = [], [], []
    for condition in CONDITIONS:
        tree = compile_condition(condition).tree
        assert tree is not None, condition
        try:
            text, names = rules.outcome(tree)
        except Lacking as lacking:
            refused.append(lacking.what)
            continue
        wanted.append((condition, tree, names))
        texts.append(text)
    assert set(refused) <= ({"matches"} if scheme == "spark" else set()), refused
    requests = {row.step: project(row.request) for row in rows}
    seen = set()
    for row in held.engine.run(held.bound.rows.select("step", told=joined(texts))).to_pylist():
        told = iter(row["told"])
        for condition, tree, names in wanted:
            answer = evaluate(tree, requests[row["step"]])
            found = (next(told), {name for name in names if next(told) == "1"})
            word = {True: "1", False: "0", None: "2"}[answer.value]
            assert found == (word, answer.missing), (condition, requests[row["step"]])
            seen.add((condition, word))
    assert len(seen) > 2 * len(wanted), "the requests do not tell the conditions' answers apart"


@pytest.mark.parametrize("scheme", ENGINES)
def test_an_engine_and_our_own_stores_tell_the_same(scheme: str, work: Workspace, tmp_path: Path) -> None:
    fill(work.store, Random(7), tasks=10, lists=scheme in LISTS)
    held = far(scheme, lake(list(work.store.requests()), tmp_path))
    writer = Writer(Random(11))
    flips, pushed = 0, 0
    for turn in range(4):
        # The first two are replayed here, whatever they ask; the others the engine must judge whole.
        engine = held if turn >= 2 else None
        draft, baseline = policy(writer, 3, engine=engine), policy(writer, 3, engine=engine) if turn % 2 else None
        own = over_store(work, draft, baseline)
        if turn < 2:
            assert over_lake(held, draft, baseline) == own
        flips += own["flips_total"]
        try:
            there = over_lake(held, draft, baseline, shapes=1)
        except HistoryError as error:
            assert "no exact counterpart" in str(error) and engine is None
            continue
        del own["ledger"]
        assert there == own
        pushed += 1
    assert flips > 20 and pushed >= 2, "the policies did nothing that could have differed"


# what people write


MAPPING = """task: session
step: call
attributes:
  action.verb: {column: kind, values: {Bash: exce}}
  action.comand: command
  resource.name: {value: 7}
  credential.ttl_seconds: {column: a, value: 3}
"""


def test_a_mapping_is_wrong_at_its_place() -> None:
    said = [(one.line, one.column, one.message) for one in read_mapping(MAPPING).diagnostics]
    assert [place[:2] for place in said] == [(4, 46), (5, 3), (6, 26), (7, 27)]
    assert "did you mean `exec`?" in said[0][2] and "did you mean `action.command`?" in said[1][2]
    assert read_mapping("task: a\n").mapping is None


def test_columns_that_do_not_fit_are_named_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"session": ["a"], "call": ["b"], "number": [1], "command": ["make"]}), path)
    text = "task: session\nstep: call\nat: number\nattributes:\n  action.command: comand\n  action.forced: command\n  action.verbs: command\n"
    found = read_mapping(text).mapping
    assert found is not None
    with pytest.raises(HistoryError) as refused:
        Warehouse(open_engine(f"parquet://{path}", ""), found)
    lines = str(refused.value).split("\n")
    assert [line.split(": ")[0] for line in lines] == ["3:5", "5:19", "6:18", "7:17"]
    assert "did you mean `command`?" in lines[1] and "unit: ms" in lines[0]


@pytest.mark.parametrize(
    "url",
    [
        "clickhouse://me:hunter2@host/db", "trino://me@host/db?password=hunter2", "snowflake://me:hunter2@a/b", "oracle://me:hunter2@host/x",
        "bigquery://p/d?api_key=hunter2", "clickhouse://me:${A}hunter2@host/db",
    ],
)  # fmt: skip
def test_a_secret_in_an_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(HistoryError) as refused:
        located(url)
    assert "hunter2" not in str(refused.value)


def test_a_lake_in_an_object_store_is_grouped_where_it_lies(tmp_path: Path, work: Workspace) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra `cloud` is not installed")
    fill(work.store, Random(4), tasks=3)
    here = lake(list(work.store.requests()), tmp_path)
    bucket, kept = fsspec.filesystem("memory"), tmp_path / "lake.yaml"
    bucket.pipe_file(f"/{tmp_path.name}/day=1/a.parquet", here.read_bytes())
    kept.write_text(mapping())
    draft = "version: 1\ndefault: allow\nrules:\n  - id: a\n    effect: deny\n    when: principal.kind == 'agent'\n"
    told = []
    for name, url in (("near", f"parquet://{here}"), ("far", f"parquet+memory://{tmp_path.name}/*/*.parquet")):
        histories.add(name, url, "", str(kept))
        told.append({k: v for k, v in histories.dry_run(work, draft, "draft.yaml", name).items() if k != "history"})
    assert told[0] == told[1] and told[0]["flips_total"] > 0
    with pytest.raises(RemitError, match="No files found"):
        histories.add("none", "parquet+memory://nowhere/*.parquet", "", str(kept))


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("parquet+s4://bucket/*.parquet", r"known: parquet\+s3://"), ("chdb+s3://bucket/*.parquet", "no address"),
        ("parquet+s3://me:hunter2@bucket/*.parquet", "password"), ("parquet+s3://me@bucket/*.parquet", "environment"),
        ("parquet+s3://bucket/a::memory://b", "chain"),
    ],
)  # fmt: skip
def test_what_an_object_store_is_not_reached_by(url: str, word: str) -> None:
    with pytest.raises(HistoryError, match=word):
        located(url)


def test_references_are_resolved_late_and_scrubbed() -> None:
    place = located("clickhouse://me:${PASS}@host:8123/db")
    with pytest.raises(HistoryError, match="`PASS`, which is not set"):
        secrets(place, {})
    values = secrets(place, {"PASS": "hunter2"})
    assert resolved(place.url, values) == "clickhouse://me:hunter2@host:8123/db"
    assert scrubbed("cannot log in with hunter2", values) == "cannot log in with ***"


def test_histories_are_kept_and_replayed_by_name(tmp_path: Path, work: Workspace) -> None:
    fill(work.store, Random(2), tasks=2)
    path = tmp_path / "lake.yaml"
    path.write_text(mapping())
    url = f"parquet://{lake(list(work.store.requests()), tmp_path)}"
    assert len(histories.preview(url, "", str(path))) == histories.PREVIEWED and histories.listed() == []
    histories.add("lake", url, "", str(path))
    assert [row["name"] for row in histories.listed()] == ["lake"]
    with pytest.raises(RemitError, match="--replace"):
        histories.add("lake", url, "", str(path))
    with pytest.raises(RemitError, match="did you mean `lake`"):
        histories.find("lakes")
    draft = "version: 1\ndefault: allow\nrules:\n  - id: a\n    effect: deny\n    when: resource.name.trim() == 'a'\n"
    told = histories.dry_run(work, draft, "draft.yaml", "lake")
    assert told["history"]["requests"] == 40 and told["judged"] == "here" and "verdicts" in told["absent"]
    with pytest.raises(RemitError, match=r"draft\.yaml:6:25: rule a uses `trim`, of which DuckDB"):
        histories.dry_run(work, draft, "draft.yaml", "lake", shapes=1)


def test_a_history_needs_no_store_of_ours_and_its_faults_stand_a_line_each(
    tmp_path: Path, work: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(work.store, Random(2), tasks=2)
    path, draft = tmp_path / "lake.yaml", tmp_path / "draft.yaml"
    path.write_text(mapping())
    draft.write_text("version: 1\ndefault: allow\nrules: []\n")
    url = f"parquet://{lake(list(work.store.requests()), tmp_path)}"
    monkeypatch.delenv("REMIT_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "new"))
    assert main(["history", "add", "lake", "--url", url, "--mapping", str(path)]) == 0
    capsys.readouterr()
    assert main(["policy", "dry-run", str(draft), "--history", "lake", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["history"]["requests"] == 40 and not Path(locations.first_store()).exists()
    assert told.err.startswith("remit: this dry-run is not in the access journal: there is no store")
    assert main(["policy", "dry-run", str(draft), "--history", "lake", "--store", str(tmp_path / "none.db")]) == 2
    assert "there is no store at" in capsys.readouterr().err, "a store that was named is meant"

    path.write_text("task: session\nstep: stepp\nattributes:\n  principal.id: nobody\n")
    assert main(["history", "add", "bad", "--url", url, "--mapping", str(path)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith(f"remit: {path}:") and "has no column" in line for line in lines)


@pytest.mark.parametrize("scheme", ENGINES)
def test_a_long_list_of_names_is_one_in(scheme: str, tmp_path: Path) -> None:
    """A thousand comparisons take an engine's library a quarter of a minute to write down."""
    names = [f"name-{n}" for n in range(1_200)] + ["it's", "a\\b", "é"]
    stated: list[Any] = ["name-7", "it's", "a\\b", "é", "name-", None]
    rows = [
        RequestRow(step=f"{n}", task="t", at=None, recorded="unknown", request={} if name is None else {"resource.name": name})
        for n, name in enumerate(stated)
    ]
    held = far(scheme, lake(rows, tmp_path))
    tree = compile_condition(f"resource.name in {json.dumps(names, ensure_ascii=False)}").tree
    assert tree is not None
    told, missing = Rules(held.bound, held.dialect).outcome(tree)
    asked = held.bound.rows.select("step", told=told)
    assert ibis.to_sql(asked, dialect=held.dialect).count(" OR ") < 10 and missing == ("resource.name",)
    found = {row["step"]: row["told"] for row in held.engine.run(asked).to_pylist()}
    assert [found[f"{n}"] for n in range(len(stated))] == ["10", "10", "10", "10", "00", "21"]


def _outcomes(scheme: str, url: str, condition: str, table: str = "") -> dict[str, str]:
    """What a condition answers of each step, as the engine itself judges it."""
    engine = open_engine(url, table)
    mapping = read_mapping(
        "task: session\nstep: call\nat: time\nattributes:\n  resource.environment: env\n  agent.depth: depth\n"
    ).mapping
    assert mapping is not None
    held = Warehouse(engine, mapping)
    tree = compile_condition(condition).tree
    assert tree is not None
    told, _ = Rules(held.bound, held.dialect).outcome(tree)
    return {row["step"]: row["told"] for row in engine.run(held.bound.rows.select("step", told=told)).to_pylist()}


def _part(folder: Path, **columns: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    count = len(columns["call"])
    times = pa.array([1_700_000_000_000_000_000] * count, pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"session": ["s"] * count, "time": times, **columns}), folder / f"{columns['call'][0]}.parquet")


FILES = [one for one in ENGINES if one.id != "spark"]


@pytest.mark.parametrize("scheme", FILES)
def test_files_of_one_lake_may_have_columns_of_their_own(scheme: str, tmp_path: Path) -> None:
    _part(tmp_path, call=["a"], env=["prod"], depth=pa.array([1], pa.int32()))
    _part(tmp_path, call=["b"], depth=pa.array([2**40], pa.int64()))
    _part(tmp_path, call=["c"], depth=pa.array([3], pa.int32()), env=["test"])
    found = _outcomes(scheme, f"{scheme}://{tmp_path}/*.parquet", 'resource.environment == "prod"')
    assert found == {"a": "10", "b": "21", "c": "00"}
    found = _outcomes(scheme, f"{scheme}://{tmp_path}/*.parquet", "agent.depth > 5")
    assert found == {"a": "00", "b": "10", "c": "00"}


@pytest.mark.parametrize("scheme", FILES)
def test_a_folder_that_names_no_value_states_none(scheme: str, tmp_path: Path) -> None:
    for call, name in {"a": "prod", "b": "__HIVE_DEFAULT_PARTITION__", "c": "a%2Fb"}.items():
        _part(tmp_path / f"env={name}", call=[call], depth=[1])
    url = f"{scheme}://{tmp_path}/*/*.parquet"
    assert _outcomes(scheme, url, "has(resource.environment)") == {"a": "1", "b": "0", "c": "1"}
    assert _outcomes(scheme, url, 'resource.environment == "a/b"') == {"a": "00", "b": "21", "c": "10"}


def test_a_table_and_a_mapping_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE requests (session VARCHAR)")
    with pytest.raises(HistoryError, match="there is no table or view `request`;"):
        open_engine(f"duckdb://{path}", "request")
    with pytest.raises(RemitError, match="cannot read the mapping"):
        histories.add("h", f"duckdb://{path}", "requests", str(tmp_path / "none.yaml"))


def test_a_list_kept_as_json_is_read_from_a_column_of_texts_and_of_json(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    kept = [("a", '["x","y"]'), ("b", None), ("c", "null"), ("d", "[1]"), ("e", "[]")]
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (session VARCHAR, call VARCHAR, doc JSON, words VARCHAR)")
        for call, words in kept:
            connection.execute("INSERT INTO t VALUES ('s', ?, ?, ?)", (call, words, words))
    for column in ("doc", "words"):
        checked = read_mapping(f"task: session\nstep: call\nattributes:\n  action.targets: {{column: {column}, as: json}}\n")
        assert checked.mapping is not None
        engine = open_engine(f"duckdb://{path}", "t")
        found = {row.step: row.request.get("action.targets") for row in Warehouse(engine, checked.mapping).first_rows(9)}
        engine.close()
        assert found == {"a": ["x", "y"], "b": None, "c": None, "d": None, "e": []}, column


def test_a_collation_makes_no_texts_equal(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "CREATE TABLE t (session VARCHAR, call VARCHAR, time TIMESTAMP, env VARCHAR COLLATE NOCASE, depth BIGINT)"
        )
        connection.execute(
            "INSERT INTO t VALUES ('s', 'a', NULL, 'prod', 1), ('s', 'b', NULL, 'PROD', 1), ('s', 'c', NULL, NULL, 1)"
        )
    found = _outcomes("duckdb", f"duckdb://{path}", 'resource.environment == "prod"', "t")
    assert found == {"a": "10", "b": "00", "c": "21"}
