"""Filters of the queue as SQL conditions, each such that an index answers it where one can."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    column,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from store.engine import Database
from store.rows import UNKNOWN_STARTED, Clause, TaskFilter
from store.searching import holding, is_common, is_expected, matching, placed
from store.tables import FINDING, SEARCH_DOC, STEP_CHANGE, TALLY, TASK, TASK_TEAM
from store.text import clean

FEW = 2_000
"""Distinct values of a field up to which a pattern is turned into the values it fits, which an index can find."""

MANY = 20_000
"""Rows that are looked up one by one sooner than a whole index is read."""

NAMES: dict[str, ColumnElement[str]] = {
    **{name: TASK.c[name] for name in ("agent", "principal", "repository", "environment", "state", "verdict", "assignee")},
    "detection": FINDING.c.detection,
    "owner": TALLY.c.owner,
}
"""Fields whose distinct values are read from an index."""

_LISTS = ("vantages", "points")


def conditions(
    db: Database, connection: Connection, filter: TaskFilter | None, *, ordered: bool, alone: bool = True
) -> list[ColumnElement[bool]]:
    """What a task's row has to fulfil. `ordered` says that a page is read; not `alone`, that more columns are than the filter names."""
    of_teams = _of_teams(db, connection)
    found: list[ColumnElement[bool]] = [] if of_teams is None else [TASK.c.id.in_(of_teams)]
    if filter is None:
        return found
    alone = alone and not ordered and len(filter.clauses) + len(filter.phrases) == 1
    narrowing = _Narrowing(db, connection, ordered, walked=db.sqlite and not alone)
    found += [narrowing.clause(clause) for clause in filter.clauses]
    if filter.phrases:
        found.append(narrowing.holds(filter.phrases))
    return found + [narrowing.holds_none(phrase, f"without_{n}") for n, phrase in enumerate(filter.without)]


def _of_teams(db: Database, connection: Connection) -> Select[Any] | None:
    """The tasks that PostgreSQL holds a login to anyway that sees some teams alone, said again so that it can begin with them.

    A rule of row-level security is asked of each row that a walk meets: of a team with few tasks that is most of the queue.
    """
    if not db.divided(connection):
        return None
    mine = connection.execute(text("SELECT remit_teams()")).scalar_one()
    return select(TASK_TEAM.c.task_id).where(TASK_TEAM.c.team.in_(mine))


def searched(db: Database, connection: Connection, filter: TaskFilter | None, *, ordered: bool) -> Subquery | None:
    """The tasks of a search that names nothing but words, with what the order by risk needs, where PostgreSQL's index of words tells.

    A page of a word that many texts hold is found sooner by walking the queue: None.
    """
    if filter is None or filter.clauses or filter.without or not filter.phrases:
        return None
    hits = placed(db, connection, filter.phrases)
    if hits is None or (ordered and is_expected(connection, hits)):
        return None
    return hits.columns(*(column(name, TASK.c[name].type) for name in ("id", "risk", "started"))).subquery("found")


def is_few(db: Database, connection: Connection, narrowed: Sequence[ColumnElement[bool]]) -> bool:
    """Whether so few tasks pass that SQLite sooner collects and sorts them than meets them on a walk along an index."""
    return db.sqlite and not _many(connection, select(TASK.c.id).where(*narrowed))


def aside(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A column that SQLite chooses no index for: what is asked of it is true of too many rows to look each of them up."""
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def distinct(db: Database, connection: Connection, field: str, most: int) -> list[str]:
    """The values of a field, "" left out, at most so many, in order: one step into the index for each, or of few tasks all of them."""
    column = NAMES[field]
    of_teams = _of_teams(db, connection)
    if of_teams is not None and not _many(connection, of_teams):
        # A step into the index would pass over the rows of all other teams.
        task = {"detection": FINDING.c.task_id, "owner": TALLY.c.task_id}.get(field, TASK.c.id)
        mine = select(column).where(column > "", *_own(field), task.in_(of_teams)).distinct()
        return list(connection.execute(mine.order_by(column).limit(most)).scalars())
    first = select(func.min(column).label("value")).where(column > "", *_own(field))
    step = first.cte("step", recursive=True)
    beyond = select(func.min(column)).where(column > step.c.value, *_own(field)).correlate(step).scalar_subquery()
    step = step.union_all(select(beyond).where(step.c.value.is_not(None)))
    wanted = select(step.c.value).where(step.c.value > "").limit(most)
    return list(connection.execute(wanted).scalars())


class _Narrowing:
    """One filter's clauses. Where it is `walked`, a clause that many rows pass leaves the index to others.

    That is, to the queue's own order, or to the index that carries the columns filters name. PostgreSQL weighs that itself.
    """

    def __init__(self, db: Database, connection: Connection, ordered: bool, *, walked: bool) -> None:
        self.db, self.connection, self.ordered, self.walked = db, connection, ordered, walked

    def clause(self, clause: Clause) -> ColumnElement[bool]:
        if clause.field == "detection":
            rows = select(FINDING.c.task_id).where(FINDING.c.blind_spot.is_(False), self._named(clause, FINDING.c.detection))
            held = self._among(rows, FINDING.c.task_id)
        elif clause.field == "owner":
            held = self._among(select(TALLY.c.task_id).where(self._named(clause, TALLY.c.owner)), TALLY.c.task_id)
        elif clause.field == "severity":
            held = _either([TASK.c[word] > 0 for word in clause.values] or [TASK.c.findings > 0])
        elif clause.field == "changed":
            changed = [select(STEP_CHANGE.c.task_id).where(STEP_CHANGE.c.seq >= low) for low, _ in clause.spans]
            held = _either([TASK.c.id.in_(rows) for rows in changed])
        elif clause.field in _LISTS:
            held = _listed(clause)
        else:
            column = TASK.c[clause.field]
            held = self._of_column(clause, column)
            turned = not_(held) if clause.negated else held
            indexed = clause.field in NAMES or clause.field == "started"
            if self.walked and indexed and _many(self.connection, select(TASK.c.id).where(turned)):
                held = self._of_column(clause, aside(column))
        return not_(held) if clause.negated else held

    def holds(self, phrases: Sequence[str]) -> ColumnElement[bool]:
        hits = matching(self.db, self.connection, phrases)
        if hits is None:
            return false()
        if self.ordered and is_common(self.db, self.connection, hits):
            return holding(self.db, hits)
        return TASK.c.id.in_(select(SEARCH_DOC.c.task_id).where(SEARCH_DOC.c.id.in_(hits)))

    def holds_none(self, phrase: str, name: str) -> ColumnElement[bool]:
        """That no text of a task holds a phrase; one without a word in it is held by none."""
        hits = matching(self.db, self.connection, (phrase,), name)
        if hits is None:
            return true()
        if self.ordered and is_common(self.db, self.connection, hits):
            return not_(holding(self.db, hits))
        return TASK.c.id.not_in(select(SEARCH_DOC.c.task_id).where(SEARCH_DOC.c.id.in_(hits)))

    def _among(self, rows: Select[Any], column: ColumnElement[str]) -> ColumnElement[bool]:
        """That a task is among the rows of another table: asked of each task where there are many, else collected first."""
        if self.walked and self.ordered and _many(self.connection, rows):
            return exists(rows.where(column == TASK.c.id).correlate(TASK))
        return TASK.c.id.in_(rows)

    def _of_column(self, clause: Clause, column: ColumnElement[Any]) -> ColumnElement[bool]:
        if clause.spans:
            return _either([_within(clause.field, column, low, high) for low, high in clause.spans])
        return self._named(clause, column)

    def _named(self, clause: Clause, column: ColumnElement[str]) -> ColumnElement[bool]:
        """That a text is one of a clause's values; patterns become the values they fit where there are few to choose from."""
        if clause.anything:
            return column > ""
        values = [clean(value) for value in clause.values]
        patterns = list(clause.patterns)
        if patterns and clause.field in NAMES:
            known = distinct(self.db, self.connection, clause.field, FEW + 1)
            if len(known) <= FEW:
                values += [name for name in known if any(fits(pattern, name) for pattern in patterns)]
                patterns = []
        parts = [column == values[0]] if len(values) == 1 else [column.in_(values)] if values else []
        return _either([*parts, *(column.ilike(like(pattern), escape="\\") for pattern in patterns)])


def _own(field: str) -> tuple[ColumnElement[bool], ...]:
    return (FINDING.c.blind_spot.is_(False),) if field == "detection" else ()


def _many(connection: Connection, rows: Select[Any]) -> bool:
    # Without a column to name, an index answers that does not hold it.
    counted = select(func.count()).select_from(
        rows.with_only_columns(literal(1), maintain_column_froms=True).limit(MANY).subquery()
    )
    return bool(connection.execute(counted).scalar_one() >= MANY)


def _listed(clause: Clause) -> ColumnElement[bool]:
    """That a blank-framed list holds one of a clause's values."""
    column = TASK.c[clause.field]
    parts = [column.contains(f" {clean(value)} ", autoescape=True) for value in clause.values]
    parts += [column.ilike(f"% {like(pattern)} %", escape="\\") for pattern in clause.patterns]
    return _either([*parts, *([column != ""] if clause.anything else [])])


def _within(field: str, column: ColumnElement[int], low: int | None, high: int | None) -> ColumnElement[bool]:
    if low is None and field == "started":
        low = UNKNOWN_STARTED + 1
    parts = [column >= low] if low is not None else []
    return and_(*parts, *([column < high] if high is not None else []))


def _either(parts: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*parts) if parts else false()


def like(pattern: str) -> str:
    """A pattern of `*` and `?` as LIKE knows it, its own wildcards escaped with a backslash."""
    escaped = "".join(f"\\{char}" if char in "\\%_" else char for char in clean(pattern))
    return escaped.replace("*", "%").replace("?", "_")


def fits(pattern: str, name: str) -> bool:
    """What LIKE says of a pattern, without a database; letters of either case are alike."""
    pattern, name = clean(pattern).lower(), name.lower()
    at = back = here = 0
    star = -1
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, back, at = at, here, at + 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            back += 1
            at, here = star + 1, back
        else:
            return False
    return all(char == "*" for char in pattern[at:])
