"""Random requests in a store and in a lake, and dry-runs over both, compared as documents."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.cel_writer import MAPS, NAMES, Writer, a_request
from history.engines import Engine, open_engine
from history.mapping import MAPPABLE, read_mapping
from history.problems import Lacking
from history.rules import Rules
from history.warehouse import Warehouse
from lang.cel import compile_condition
from lang.cel.requests import writable
from model.chain import Step, StepOutcome
from model.evidence import RequestRow
from model.request import ASSUMED, FIELD, TOLD_BY
from model.words import Effect
from policy import Policy, Replayer, check
from review.documents import Doc
from review.policy.histories import ABSENT, Source, replayed
from review.policy.history_index import open_history
from review.policy.policies import run_document
from review.workspace import Workspace
from store import Store
from tests.store_fixtures import make_chain, make_step

PRINCIPAL = ("principal.id", "principal.kind", "principal.on_behalf_of")
ATTRIBUTES = tuple(
    dict.fromkeys((*PRINCIPAL, *NAMES, *(f"{m}.{key}" for m, keys in MAPS.items() for key in keys), ASSUMED, TOLD_BY))
)
TYPES = {
    "int": pa.int64(),
    "bool": pa.bool_(),
    "list<string>": pa.list_(pa.string()),
    "string": pa.string(),
    "timestamp": pa.date32(),
}
ANSWERS = (Effect.ALLOW, Effect.DENY, Effect.ASK, Effect.UNKNOWN)
BESIDE = ("absent", "judged", "moved")


def fill(store: Store, random: Random, tasks: int = 12, steps: int = 20, lists: bool = False) -> None:
    """Random requests, many of them missing attributes; with `lists`, every list is stated and no day outside of 1900 to 2299."""
    for task in range(tasks):
        made: list[Step] = []
        for n in range(steps):
            request: Any = {name: writable(FIELD[name], value) for name, value in a_request(random).items()}
            if lists:
                request |= {name: request.get(name, []) for name in ("action.verbs", "action.targets")}
                if request.get("context.day", "2").startswith(("0", "9")):
                    del request["context.day"]
            for name, words in zip(PRINCIPAL, (("ana", "bo"), ("human", "agent"), ("ana", "cy")), strict=True):
                if random.random() < 0.6:
                    request[name] = random.choice(words)
            step = make_step(f"task-{task}", n)
            answer = random.choice(ANSWERS)
            step.request = request
            step.outcome = StepOutcome(permitted=answer, answered=answer)
            step.at = None if random.random() < 0.1 else 1_700_000_000_000_000 + random.randrange(5 * 86_400_000_000)
            made.append(step)
        store.save_chain(make_chain(f"task-{task}", made), [])


def lake(rows: list[RequestRow], folder: Path) -> Path:
    """The rows as a Parquet file, in an order of their own; days are dates."""
    rows = sorted(rows, key=lambda row: row.step[::-1])
    columns: dict[str, Any] = {
        "session": [row.task for row in rows],
        "call": [row.step for row in rows],
        "time": pa.array([row.at for row in rows], pa.timestamp("us", "UTC")),
        "outcome": [row.recorded for row in rows],
    }
    for name in ATTRIBUTES:
        columns[name.replace(".", "_")] = pa.array(
            [_kept(row.request.get(name), MAPPABLE[name].type) for row in rows], TYPES[MAPPABLE[name].type]
        )
    path = folder / "requests.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def _kept(value: Any, kind: str) -> Any:
    return date.fromisoformat(value) if kind == "timestamp" and isinstance(value, str) else value


def mapping(lists: str = "") -> str:
    """The mapping of such a file; `lists` says what an empty list means."""
    lines = ["task: session", "step: call", "at: time", "recorded: outcome", "attributes:"]
    for name in ATTRIBUTES:
        column = name.replace(".", "_")
        said = f"{{column: {column}, empty: {lists}}}" if lists and MAPPABLE[name].type == "list<string>" else column
        lines.append(f"  {name}: {said}")
    return "\n".join(lines)


def warehouse(url: str, table: str = "", lists: str = "") -> Warehouse:
    checked = read_mapping(mapping(lists))
    assert checked.mapping is not None, checked.diagnostics
    engine: Engine = open_engine(url, table)
    return Warehouse(engine, checked.mapping)


def policy(writer: Writer, rules: int = 4, depth: int = 2, engine: Warehouse | None = None) -> Policy:
    """A random policy that has no error; of conditions that an engine has counterparts for, where one is given."""
    while True:
        effects = ("allow", "ask", "deny")
        made = [{"id": f"r{n}", "effect": writer.pick(*effects), "when": _condition(writer, depth, engine)} for n in range(rules)]
        found = check(json.dumps({"version": 1, "name": "draft", "default": writer.pick(*effects), "rules": made})).policy
        if found is not None:
            return found


def _condition(writer: Writer, depth: int, engine: Warehouse | None) -> str:
    while True:
        found = writer.boolean(depth)
        tree = compile_condition(found).tree if engine is not None else None
        if engine is None or tree is None:
            return found
        try:
            Rules(engine.bound, engine.dialect).outcome(tree)
        except Lacking:
            continue
        return found


def over_store(work: Workspace, draft: Policy, baseline: Policy | None, limit: int = 25) -> Doc:
    """The dry-run over a store, less what it alone can tell."""
    told = run_document(work, Replayer(open_history(work)), draft, baseline, "recorded" if baseline is None else "b", limit)
    for name in ABSENT:
        if name.startswith("flips."):
            for flip in told["flips"]:
                del flip[name.removeprefix("flips.")]
        else:
            del told[name]
    return told


def over_lake(lake: Warehouse, draft: Policy, baseline: Policy | None, limit: int = 25, shapes: int = 10_000) -> Doc:
    """The dry-run over a history elsewhere, less what it tells of itself."""
    against = "recorded" if baseline is None else "b"
    other = None if baseline is None else Source(baseline, "", "b.yaml")
    told = replayed(lake, Source(draft, "", "d.yaml"), other, against, limit, shapes)
    return {name: value for name, value in told.items() if name not in BESIDE}
