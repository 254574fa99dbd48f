"""Precision and recall of attribution, links and findings against the sample day's truth: `make accuracy`.

Each scenario is generated, imported like any other logs and compared with the generator's truth, which the product
never reads. A link is right when truth joins its two records, or puts both into one task, and the kind is truth's for
that pair where truth has one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.noise import share_accounts, shuffle
from chains.detections.audit import SKEW
from chains.reach import task_id
from review.derive.building import build
from review.intake.importing import import_logs
from review.show.listings import event_records
from review.sitting.demo import NOT_LOGS
from review.workspace import Workspace, open_workspace
from samplegen import Noise, generate

Place = tuple[str, int, int]
Pair = frozenset[Place]


@dataclass
class Score:
    """Counts of one comparison: right and wrong answers given, and truths missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    examples: list[str] = field(default_factory=list)
    guesses: list[tuple[float, bool]] = field(default_factory=list)
    """Of inferred links: the score, and whether it was right."""

    @property
    def precision(self) -> float | None:
        given = self.right + self.wrong
        return self.right / given if given else None

    @property
    def recall(self) -> float | None:
        there = self.right_found + self.missed
        return self.right_found / there if there else None

    right_found: int = 0

    def line(self, name: str) -> str:
        def shown(value: float | None) -> str:
            return "     -" if value is None else f"{value:6.3f}"

        return (
            f"  {name:<26} precision {shown(self.precision)}  recall {shown(self.recall)}   "
            f"(given {self.right + self.wrong:>5}, true {self.right_found + self.missed:>5})"
        )


@dataclass
class Truth:
    """What is true of the generated logs: see `sample_data/README.md` for what each part means."""

    places: dict[Place, str]
    quiet: set[Place]
    also: dict[Place, set[str]]
    links: dict[Pair, str]
    related: set[Pair]
    findings: list[dict[str, Any]]
    tolerated: Counter[tuple[str, str]]
    blind: list[dict[str, Any]]

    @classmethod
    def load(cls, path: Path) -> Truth:
        data = json.loads(path.read_text("utf-8"))
        return cls(
            {place(e): task_id(e["task"]) if e["task"] else "" for e in data["events"]},
            {place(e) for e in data["events"] if e.get("quiet")},
            {place(e): _also(e["also"]) for e in data["events"] if e.get("also")},
            {_pair(one): one["kind"] for one in data["links"]},
            {_pair(one) for one in data["related"]},
            data["findings"],
            Counter((f["detection"], task_id(f["task"])) for f in data.get("tolerated", [])),
            data["blind_spots"],
        )


def _also(value: Any) -> set[str]:
    return {task_id(one) for one in ([value] if isinstance(value, str) else value)}


def _pair(link: dict[str, Any]) -> Pair:
    return frozenset((place(link["from"]), place(link["to"])))


def place(value: dict[str, Any]) -> Place:
    return str(value["file"]), int(value["line"]), int(value.get("index") or 0)


def measure(work: Workspace, truth: Truth, clocks_off: bool = False) -> dict[str, Score]:
    """Every score of one built store; where clocks were set wrong, whoever says so of a step is right."""
    records = {row.id: (row.ref.name, row.ref.line, row.ref.index or 0) for row in _all_records(work)}
    tasks = {id: work.store.chain(id) for id in sorted(work.store.task_ids())}
    scores: dict[str, Score] = defaultdict(Score)
    placed: dict[Place, set[str]] = defaultdict(set)
    found: dict[Pair, set[str]] = defaultdict(set)
    guesses: list[tuple[float, Pair]] = []
    step_calls: dict[str, str] = {}
    for id, chain in tasks.items():
        if chain is None:
            continue
        events = {i.id: i.record for step in chain.steps for i in step.items()} | {i.id: i.record for i in chain.intents}
        links = [*chain.links, *(link for step in chain.steps for link in step.links)]
        unknown = sorted({end for link in links for end in (link.source, link.target)} - set(events))
        events |= event_records(work, unknown)
        for record in chain.records:
            if record in records:
                placed[records[record]].add(id)
        for link in links:
            ends = [records.get(events.get(end, "")) for end in (link.source, link.target)]
            if all(ends) and ends[0] != ends[1]:
                pair = frozenset(end for end in ends if end)
                found[pair].add(link.kind.value)
                if link.kind.value == "inferred":
                    guesses.append((link.confidence, pair))
        step_calls |= {step.id: step.call.partition(":")[2] for step in chain.steps}
    _attribution(truth, placed, scores["attribution"])
    _links(truth, found, placed, scores)
    _findings(work, truth, step_calls, scores, clocks_off)
    scores["inferred links"].guesses = [(confidence, _right(truth, "inferred", pair)) for confidence, pair in guesses]
    return scores


def _all_records(work: Workspace) -> Iterable[Any]:
    ids = [row.id for source in work.store.sources() for row in work.store.raw_records(source.id)]
    for start in range(0, len(ids), 500):
        yield from work.store.records(ids[start : start + 500]).values()


def _attribution(truth: Truth, placed: dict[Place, set[str]], score: Score) -> None:
    for where, task in truth.places.items():
        ours = placed.get(where, set())
        for one in ours:
            if one == task or one in truth.also.get(where, ()):
                score.right += 1
            else:
                score.wrong += 1
                score.examples.append(f"{where} put into {one}, truly {task or 'none'}")
        if task and not (where in truth.quiet and not ours):
            if task in ours:
                score.right_found += 1
            else:
                score.missed += 1
                score.examples.append(f"{where} belongs to {task}, found {sorted(ours) or 'nowhere'}")


def _right(truth: Truth, kind: str, pair: Pair) -> bool:
    stated = truth.links.get(pair)
    together = len({truth.places.get(end, "") for end in pair} - {""}) == 1
    return stated == kind or (stated is None and (together or pair in truth.related))


def _links(truth: Truth, found: dict[Pair, set[str]], placed: dict[Place, set[str]], scores: dict[str, Score]) -> None:
    surely = {end for pair, kinds in found.items() if kinds - {"inferred"} for end in pair}
    for kind in ("exact", "derived", "inferred"):
        score = scores[f"{kind} links"]
        for pair, kinds in found.items():
            if kind not in kinds:
                continue
            if _right(truth, kind, pair):
                score.right += 1
            else:
                score.wrong += 1
                score.examples.append(f"{kind} {sorted(pair)}: truth says {truth.links.get(pair) or 'nothing'}")
        for pair, stated in truth.links.items():
            if stated != kind:
                continue
            # What truth could only guess at may have been reached over a surer link.
            better = kind == "inferred" and all(end in surely and truth.places.get(end) in placed.get(end, ()) for end in pair)
            if kind in found.get(pair, set()) or better:
                score.right_found += 1
            else:
                score.missed += 1
                score.examples.append(f"missed {kind} {sorted(pair)}")


def _findings(work: Workspace, truth: Truth, calls: dict[str, str], scores: dict[str, Score], clocks_off: bool) -> None:
    known = {f["detection"] for f in truth.findings}
    # That a clock was set wrong is no story of the day: it is told on every task that rests on that clock, and scored apart.
    told = [f for f in work.store.findings() if not f.blind_spot]
    clocks = scores["clocks told"]
    clocks.examples = sorted({f.anchor.removeprefix(SKEW) for f in told if f.anchor.startswith(SKEW)})
    ours = Counter((f.detection, f.task) for f in told if f.detection in known and not f.anchor.startswith(SKEW))
    true = Counter((f["detection"], task_id(f["task"])) for f in truth.findings)
    whole = scores["findings"]
    for key in sorted(set(ours) | set(true)):
        right = min(ours[key], true[key])
        for score in (whole, scores[f"finding {key[0]}"]):
            score.right += right
            score.right_found += right
            if not (clocks_off and key[0] == "AUD-02"):
                score.wrong += max(ours[key] - right - truth.tolerated[key], 0)
            score.missed += true[key] - right
        if ours[key] != true[key]:
            whole.examples.append(f"{key[0]} on {key[1]}: given {ours[key]}, true {true[key]}")
    covered = {(b["detection"], task_id(b["task"])) for b in truth.blind if b.get("task")}
    absence = scores["absence outside coverage"]
    for (detection, task), count in ours.items():
        if detection == "GOV-01" and (detection, task) in covered:
            absence.wrong += count


SKEWED = {"github": 120, "vault": -45, "opa": 20}

SCENARIOS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("the committed day", {}),
    ("standard noise: ids masked in third-party logs, files shuffled", {"masked": True, "then": (shuffle,)}),
    ("standard noise, and clocks off by up to two minutes", {"masked": True, "skew": SKEWED, "then": (shuffle,)}),
    ("without the policy engine's log", {"drop": frozenset({"opa"})}),
    ("without the secret store's log", {"drop": frozenset({"vault"})}),
    ("without CloudTrail", {"drop": frozenset({"cloudtrail"})}),
    ("without the transcripts of Codex", {"drop": frozenset({"codex"})}),
    ("every story there is", {"stories": "all"}),
    ("clocks off by up to two minutes", {"skew": SKEWED}),
    ("files shuffled", {"then": (shuffle,)}),
    ("one service account for everybody", {"then": (share_accounts,)}),
    ("two agents of one person at once on one repository", {"crowded": True}),
    ("two agents of one person at once, ids masked", {"crowded": True, "masked": True}),
    ("everything at once", {"crowded": True, "masked": True, "skew": SKEWED, "then": (shuffle, share_accounts)}),
)


def run(name: str, tasks: int | None, options: dict[str, Any], verbose: int) -> dict[str, Score]:
    with tempfile.TemporaryDirectory() as made:
        logs = Path(made, "logs")
        rest = {name: value for name, value in options.items() if name not in ("then", "stories")}
        generate(logs, tasks, noise=Noise(**rest), stories=options.get("stories", "day"))
        for spoil in options.get("then", ()):
            spoil(logs)
        truth = Truth.load(logs / "truth.json")
        org = logs / "org.yaml"
        kept = Path(made, "org.yaml")
        kept.write_bytes(org.read_bytes())
        for other in NOT_LOGS:
            (logs / other).unlink(missing_ok=True)
        with open_workspace(str(Path(made, "accuracy.db")), str(kept), create=True) as work:
            import_logs(work, [str(logs)])
            build(work)
            scores = measure(work, truth, bool(options.get("skew")))
    print(name)
    for label in ("attribution", "exact links", "derived links", "inferred links", "findings"):
        print(scores[label].line(label))
        for text in scores[label].examples[:verbose]:
            print(f"      {text}")
    for label in sorted(scores):
        if label.startswith("finding ") and (scores[label].wrong or scores[label].missed):
            print(scores[label].line(label))
    if told := scores["clocks told"].examples:
        print(f"  clocks found to be off: {', '.join(told)}")
    print(f"  absence findings outside coverage: {scores['absence outside coverage'].wrong}")
    return scores


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, help="generate this many tasks instead of the sample day")
    parser.add_argument("--only", type=int, help="run only the first N scenarios")
    parser.add_argument("-v", "--verbose", type=int, default=0, metavar="N", help="show N examples of each kind of error")
    args = parser.parse_args()
    guesses: list[tuple[float, bool]] = []
    for name, options in SCENARIOS[: args.only]:
        guesses += run(name, args.tasks, options, args.verbose)["inferred links"].guesses
    print("calibration of inferred links, over all of these")
    for low in (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        high = next((b for b in (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95) if b > low), 1.01)
        held = [right for confidence, right in guesses if low <= confidence < high]
        if held:
            mean = sum(confidence for confidence, _ in guesses if low <= confidence < high) / len(held)
            print(
                f"  scored {low:.2f} to {min(high, 1):.2f}: {len(held):>6} links, mean score {mean:.3f}, right {sum(held) / len(held):.3f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
