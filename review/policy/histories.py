"""Histories elsewhere: their addresses and mappings are kept, and a dry-run over one asks its engine for shapes and counts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from history.location import located
from history.mapping import Mapping, read_mapping
from history.problems import HistoryError
from lang.cel import Tree, reads
from lang.cel.problems import did_you_mean
from lang.safe import safe_line
from model.request import ASSUMED, FIELDS, TOLD_BY
from policy import AnyPolicy, History, Replayer
from policy.bitmaps import BitmapReplay
from policy.counted import counted_history
from policy.details import Details
from policy.model import FORMAT, Policy
from policy.places import place_in_rule
from policy.told import Told
from review import locations
from review.documents import Doc
from review.errors import NotFoundError, RemitError, SeveralError, UnreadableError
from review.policy.dryruns import Current, Figuring, Run, current, stem
from review.policy.policies import read_policy, sound
from review.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    from history.warehouse import Counted, Warehouse

SHAPES = 2_000_000
"""Shapes beyond which a policy is judged where the rows are."""
ABSENT = ("controls", "downstream_total", "flips.consequences", "flips.downstream", "flips.verdict", "self_check", "verdicts")
"""Parts of a dry-run that only a store of ours can tell."""
PREVIEWED = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class Kept(msgspec.Struct, frozen=True):
    """A history as it is kept: its address with references in place of secrets, its table, the text of its mapping."""

    url: str
    table: str
    mapping: str
    shapes: int = SHAPES


def histories_dir() -> Path:
    """Where they are kept."""
    return locations.config_dir() / "histories"


def add(name: str, url: str, table: str, mapping: str, shapes: int = SHAPES, replace: bool = False) -> Doc:
    """Keep a history under a name, once its table is there and fits the mapping, the path of a file."""
    if not _NAME.match(name):
        raise RemitError(f"{name[:80]!r} is no name for a history: letters, digits, `.`, `_` and `-`, at most 64")
    path = histories_dir() / f"{name}.json"
    if path.exists() and not replace:
        raise RemitError(f"there is a history called {name} already; --replace puts this one in its place")
    kept = Kept(url, table, read_policy(mapping, "the mapping"), shapes)
    with closing(_Opened(kept, mapping)):
        pass
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = path.with_suffix(".new")
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(kept)))
        written.replace(path)
    except OSError as error:
        raise RemitError(f"cannot keep the history in {path}: {error.strerror}; check the folder and its permissions") from error
    return _row(name, kept)


def preview(url: str, table: str, mapping: str, rows: int = PREVIEWED) -> list[Doc]:
    """The first rows of a table as requests; nothing is kept."""
    with closing(_Opened(Kept(url, table, read_policy(mapping, "the mapping")), mapping)) as opened, _Sentences():
        return [
            {"task": one.task, "step": one.step, "at": one.at, "request": one.request}
            for one in opened.warehouse.first_rows(rows)
        ]


def listed() -> list[Doc]:
    """Every history that is kept, by name."""
    folder = histories_dir()
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    return [_row(name, find(name)) for name in names]


def find(name: str) -> Kept:
    """A history by its name."""
    folder = histories_dir()
    path = folder / f"{name}.json"
    try:
        if not _NAME.match(name):
            raise FileNotFoundError
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except FileNotFoundError as error:
        known = [one.stem for one in folder.glob("*.json")] if folder.is_dir() else []
        hint = did_you_mean(name, known) or "; `remit history list` has those there are"
        raise NotFoundError(f"there is no history called {name[:80]}{hint}") from error
    except OSError as error:
        raise UnreadableError(f"cannot read {path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise UnreadableError(f"{path} is damaged: {error}; add the history again with --replace") from error


def _row(name: str, kept: Kept) -> Doc:
    digest = sha256(kept.mapping.encode()).hexdigest()
    return {"name": name, "url": kept.url, "table": kept.table, "shapes": kept.shapes, "mapping_sha256": digest}


class _Sentences:
    """What goes wrong in an engine, as a condition for people."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, HistoryError):
            raise SeveralError("\n".join(map(safe_line, str(error).split("\n")))) from error


class _Opened:
    """A history with its table open."""

    def __init__(self, kept: Kept, mapping: str) -> None:
        with _Sentences():
            location = located(kept.url)
            checked = read_mapping(kept.mapping)
            if checked.mapping is None:
                raise HistoryError("\n".join(f"{mapping}:{d.line}:{d.column}: {d.message}" for d in checked.diagnostics))
            self.mapping: Mapping = checked.mapping
            try:
                from history.engines import open_engine
                from history.warehouse import Warehouse
            except ImportError as error:
                raise HistoryError(
                    f"histories elsewhere need the extra `history`: `pip install 'remit[history]'` ({error})"
                ) from error
            self.engine = open_engine(location, kept.table)
            try:
                self.warehouse: Warehouse = Warehouse(self.engine, self.mapping)
            except HistoryError as error:
                self.engine.close()
                raise HistoryError(
                    "\n".join(f"{mapping}:{line}" if line[:1].isdigit() else line for line in str(error).split("\n"))
                ) from error

    def close(self) -> None:
        self.engine.close()


class Source(NamedTuple):
    """A policy with the text it was read from, and what that is called."""

    policy: AnyPolicy
    text: str
    name: str


@contextmanager
def standing(store: str | None, org: str | None) -> Iterator[Workspace]:
    """What a history is judged beside: the store, with its saved policies; an empty one that is gone afterwards where nobody named
    one and there is none yet, since a history needs no import."""
    location = store or locations.default_store()
    if location != locations.first_store() or Path(location).exists():
        with open_workspace(store, org, readonly=True) as work:
            yield work
        return
    with TemporaryDirectory(prefix="remit-") as folder, open_workspace(str(Path(folder) / "none.db"), org, create=True) as work:
        yield work


def dry_run(
    work: Workspace,
    text: str,
    name: str,
    history: str,
    *,
    against: str = "recorded",
    limit: int = 1000,
    shapes: int | None = None,
) -> Doc:
    """What a draft would have done to every request of a history elsewhere: the document of `policies.dry_run`.

    What only a store of ours knows is left out and named under `absent`; `moved` tells what came from the engine. Where
    there are more than `shapes` distinct requests the engine judges the rules itself.
    """
    draft = Source(sound(text, name), text, name)
    held = current(work, name, draft.policy.name)
    baseline: Source | None = None
    if against == "current":
        if held is None:
            raise RemitError(f"there is no current policy to compare with: no sound version of {stem(name)} is saved")
        baseline, against = _saved(held), held.version.name
    elif against != "recorded":
        other = read_policy(against)
        baseline = Source(sound(other, against), other, against)
    kept = find(history)
    with _Sentences(), closing(_Opened(kept, f"the mapping of {history}")) as opened:
        return replayed(opened.warehouse, draft, baseline, against, limit, kept.shapes if shapes is None else shapes, held)


def _saved(held: Current) -> Source:
    return Source(held.policy, held.version.text, f"{held.version.name}@{held.version.version}")


def replayed(
    warehouse: Warehouse,
    draft: Source,
    baseline: Source | None,
    against: str,
    limit: int,
    shapes: int,
    held: Current | None = None,
) -> Doc:
    """A dry-run over an open history; see `dry_run`."""
    sources = [draft, *([baseline] if baseline is not None else []), *([_saved(held)] if held is not None else [])]
    replayer, judged = _replayer(warehouse, sources, shapes)
    before = None if baseline is None else baseline.policy
    found = replayer.run(draft.policy, before, baseline_name=against, flips_limit=limit)
    run = Run(
        history=replayer.history,
        policy=draft.policy,
        after=replayer.decisions(draft.policy),
        before=None if before is None else replayer.decisions(before),
        before_policy=before,
        current=None if held is None else replayer.decisions(held.policy),
        current_version=None if held is None else held.version,
        rules=tuple(found.rules),
    )
    told = {**found.as_json(), **Figuring(Details(replayer.history)).all(run)}
    absent = [*ABSENT, "ledger"] if judged and warehouse.column(ASSUMED) is not None else [*ABSENT]
    for name in absent:
        told.pop(name, None)
    for flip in told["flips"]:
        for only_ours in ("consequences", "downstream", "verdict"):
            del flip[only_ours]
    moved = warehouse.engine.moved
    return {
        **told,
        "absent": sorted(absent),
        "judged": "in the engine" if judged else "here",
        "moved": {"statements": moved.statements, "rows": moved.rows, "bytes": moved.bytes},
    }


def _replayer(warehouse: Warehouse, sources: Sequence[Source], limit: int) -> tuple[Replayer, bool]:
    """A replayer over shapes that the engine counted, and whether the engine judged the rules too, for they are too many."""
    policies = [one.policy for one in sources if isinstance(one.policy, Policy)]
    read = frozenset[str]().union(*(reads(rule.tree) for policy in policies for rule in policy.rules))
    wanted = [f.name for f in FIELDS if f.name in read]
    names = [name for name in (*wanted, ASSUMED, TOLD_BY) if warehouse.column(name) is not None]
    facts = {f"f{n}": warehouse.column(name) for n, name in enumerate(names)}
    counted = warehouse.count(facts, limit)
    if counted is not None:
        history, _ = _history(warehouse, facts, counted, dict(zip(names, facts, strict=True)))
        return Replayer(history), False
    trees, outcome = _pushed(warehouse, sources)
    pushed = {"outcome": outcome}
    if (told_by := warehouse.column(TOLD_BY)) is not None:
        pushed["told_by"] = told_by
    counted = warehouse.count(pushed)
    assert counted is not None
    history, begin = _history(warehouse, pushed, counted, {TOLD_BY: "told_by"} if told_by is not None else {})
    answers = Told([counted.facts["outcome"][cell] for cell in begin], trees)
    return Replayer(history, {FORMAT: BitmapReplay(history, answers)}), True


def _history(warehouse: Warehouse, facts: dict[str, Any], counted: Counted, stated: dict[str, str]) -> tuple[History, list[int]]:
    """The history of what was counted, and a cell of each of its shapes; `stated` are the facts that are attributes."""
    from history.warehouse import Asked

    shapes = np.array([key[1:] for key in counted.keys], dtype=str)
    _, first, shape = np.unique(shapes, return_index=True, return_inverse=True)
    begin: list[int] = first.tolist()
    values = {name: [warehouse.value(name, counted.facts[fact][cell]) for cell in begin] for name, fact in stated.items()}
    asked = Asked(warehouse, warehouse.keyed(facts), counted.keys, counted.known[begin])
    return counted_history(values, shape, counted.recorded, counted.weight, counted.first, counted.last, asked), begin


def _pushed(warehouse: Warehouse, sources: Sequence[Source]) -> tuple[dict[Tree, tuple[str, ...]], Any]:
    """Every rule's condition for the engine: the attributes each may lack, and all outcomes as one text.

    Raises HistoryError with each rule that the engine cannot judge as we do, and what of it it lacks.
    """
    from history.columns import joined
    from history.engines import TITLES
    from history.problems import Lacking
    from history.rules import Rules

    rules = Rules(warehouse.bound, warehouse.dialect)
    trees: dict[Tree, tuple[str, ...]] = {}
    texts: list[Any] = []
    refused: list[str] = []
    for source in sources:
        for _, rule in source.policy.in_force if isinstance(source.policy, Policy) else ():
            if rule.tree in trees:
                continue
            try:
                text, trees[rule.tree] = rules.outcome(rule.tree)
                texts.append(text)
            except Lacking as lacking:
                line, column = place_in_rule(source.text, rule.id, lacking.what) or (rule.line, 1)
                engine = TITLES.get(warehouse.dialect, warehouse.dialect)
                how = f" {lacking.how}" if lacking.how else ""
                refused.append(
                    f"{source.name}:{line}:{column}: rule {rule.id} uses `{lacking.what}`{how}, of which {engine} has no exact counterpart"
                )
    if refused:
        advice = "there are too many shapes to judge the rules here: raise --shapes, or write these rules in another way"
        raise HistoryError("\n".join([*dict.fromkeys(refused), advice]))
    return trees, joined(texts)
