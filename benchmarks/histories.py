"""What travels from an engine for one dry-run as a history grows: rows and bytes, which follow the shapes and not the rows.

`python -m benchmarks.histories [--engine parquet|chdb|spark] [--rows 10000,100000,1000000] [--shapes 50,500]`
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from history.engines import open_engine
from history.mapping import read_mapping
from history.warehouse import Warehouse
from policy import check
from review.policy.histories import Source, replayed

MAPPING = """task: task
step: step
at: at
recorded: recorded
attributes:
  principal.id: who
  action.command: command
  resource.name: name
  resource.environment: environment
"""
POLICY = """version: 1
default: ask
rules:
  - {id: force, effect: deny, when: 'resource.name.endsWith("7") && resource.environment == "production"'}
  - {id: work, effect: allow, when: 'resource.name.startsWith("repo") && resource.environment != "production"'}
"""


def written(path: Path, rows: int, shapes: int) -> None:
    """Rows of so many shapes by what the policy reads; every command line is another, and a task has fifty rows."""
    n = np.arange(rows)
    kind = n * 7919 % shapes
    words = pa.array([f"repo-{k // 2}" for k in range(shapes)])
    environments = pa.array(["production", "test"])
    columns = {
        "task": pa.array(np.char.add("task-", (n // 50).astype(str))),
        "step": pa.array(np.char.add("step-", n.astype(str))),
        "at": pa.array(n * 1_000_000, pa.timestamp("us", "UTC")),
        "recorded": pa.array(["allow"] * rows),
        "who": pa.array(np.char.add("agent-", (n % 20).astype(str))),
        "command": pa.array(np.char.add("make ", n.astype(str))),
        "name": words.take(pa.array(kind)),
        "environment": environments.take(pa.array(kind % 2)),
    }
    pq.write_table(pa.table(columns), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="parquet", choices=("parquet", "chdb", "spark"))
    parser.add_argument("--rows", default="10000,100000,1000000")
    parser.add_argument("--shapes", default="50,500")
    args = parser.parse_args()
    mapping, draft = read_mapping(MAPPING).mapping, check(POLICY).policy
    assert mapping is not None and draft is not None
    print(f"{'rows':>12} {'shapes':>7} {'judged':>10} {'statements':>10} {'rows moved':>10} {'bytes moved':>11} {'seconds':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for shapes in map(int, args.shapes.split(",")):
            for rows in map(int, args.rows.split(",")):
                path = Path(folder) / "requests.parquet"
                written(path, rows, shapes)
                for limit in (1_000_000, 1):
                    engine = open_engine(f"{args.engine}://{'local' if args.engine == 'spark' else ''}{path}", "")
                    begin = time.perf_counter()
                    told = replayed(Warehouse(engine, mapping), Source(draft, POLICY, "draft"), None, "recorded", 100, limit)
                    took = time.perf_counter() - begin
                    assert told["history"]["requests"] == rows
                    moved = told["moved"]
                    where = "engine" if limit == 1 else "here"
                    print(
                        f"{rows:>12,} {shapes:>7,} {where:>10} {moved['statements']:>10} {moved['rows']:>10,} {moved['bytes']:>11,} {took:>8.1f}"
                    )
                    engine.close()


if __name__ == "__main__":
    main()
