"""Ours against Google's CEL (C++): random conditions over random requests with missing attributes, three-valued.

Run as `make cel-agreement`, or `python -m benchmarks.cel_agreement --conditions N --requests N --seed N`. Both of our
evaluators are asked: the vectorised one about every request, the scalar one about a sample. Exit code 1 if any differ.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from random import Random

import numpy as np

from benchmarks.cel_writer import Writer, a_request
from lang.cel import compile_condition, evaluate
from lang.cel.columns import Rows
from lang.cel.typed import Value
from lang.cel.vector import Evaluator
from model.request import FIELD
from policy.google_cel import HOW_TO_GET, NAME, Program, Refused, available
from policy.referee import compare

SAMPLE = 50
"""Requests per condition that the scalar evaluator is asked about as well."""


def differences(conditions: int, requests: int, seed: int, told: bool = False) -> tuple[list[str], Counter[str]]:
    """Everything on which the engines differ, in words, and what was done."""
    random = Random(seed)
    rows = [a_request(random) for _ in range(requests)]
    evaluator = Evaluator(Rows(rows, {name: FIELD[name].type for row in rows for name in row}))
    writer = Writer(random)
    wrong: list[str] = []
    done: Counter[str] = Counter()
    while done["conditions"] < conditions:
        condition = writer.boolean(3)
        done["conditions"] += 1
        if told and done["conditions"] % 100 == 0:
            print(f"  {done['conditions']:,} of {conditions:,} conditions, {len(wrong)} differences", file=sys.stderr, flush=True)
        compiled = compile_condition(condition)
        if compiled.tree is None:
            wrong.append(f"{condition}: ours does not compile it: {compiled.problems[0].message}")
            continue
        try:
            found = compare(compiled.tree, Program(condition), evaluator)
        except Refused as error:
            wrong.append(f"{condition}: {NAME} does not compile it: {error}")
            continue
        done["asked"] += found.asked
        done["compared"] += requests - int(found.left_out.sum())
        wrong.extend(f"{condition}: ours {ours}, theirs {theirs}, {rows[row]}" for row, ours, theirs in found.examples[:1])
        answers = evaluator.evaluate(compiled.tree)
        true, unknown = np.unpackbits(answers.true), np.unpackbits(answers.unknown)
        done["true"] += int(true.sum())
        done["unknown"] += int(unknown.sum())
        for row in random.sample(range(requests), min(SAMPLE, requests)):
            scalar, vector = evaluate(compiled.tree, rows[row]).value, None if unknown[row] else bool(true[row])
            done["sampled"] += 1
            if scalar is not vector:
                wrong.append(f"{condition}: one by one {scalar}, all at once {vector}, {_shown(rows[row])}")
    return wrong, done


def _shown(row: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in row.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conditions", type=int, default=2_000)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not available():
        print(HOW_TO_GET)
        return 2
    begun = time.perf_counter()
    wrong, done = differences(args.conditions, args.requests, args.seed, told=True)
    share = {word: done[word] / max(done["compared"], 1) for word in ("true", "unknown")}
    print(
        f"{done['conditions']:,} conditions x {args.requests:,} requests (seed {args.seed}): {done['compared']:,} answers compared "
        f"({done['asked']:,} distinct, each asked of {NAME}; {share['true']:.0%} true, {share['unknown']:.0%} unknown), "
        f"{done['sampled']:,} also one by one; {len(wrong)} disagreements; {time.perf_counter() - begun:.0f} s"
    )
    for line in wrong[:20]:
        print(f"  {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
