"""Full-text search over titles, commands, targets and reasons: our own tokens in FTS5 on SQLite, in a tsvector on PostgreSQL.

Both indexes are fed the same tokens and asked the same question (every phrase, its last word a prefix), so both
databases give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, literal, select, text
from sqlalchemy.sql.elements import TextClause

from model.chain import Intent, Step, Task
from store.engine import Database, chunks
from store.tables import SEARCH_DOC, TASK
from store.text import clean, phrases, words

_DOC_BYTES = 8_000
_PIECE_CHARS = 1_000
_SNIPPET_CHARS = 120
_SAMPLED = 5_000
"""Texts in which PostgreSQL is asked how often several words meet."""


Text = tuple[str, int, str, str]
"""A text before it has a number: the step it is of ("": the task), that step's number, the text, and its tokens."""


class SearchWriter:
    """Adds and removes searchable texts in one transaction."""

    def __init__(self, db: Database, connection: Connection) -> None:
        self._db = db
        self._connection = connection
        self._docs: list[tuple[int, str, str, int, str]] = []
        self._tokens: list[tuple[int, str, str, int, int]] = []
        self._next = 0

    def take(self, task: str, texts: Sequence[Text], risk: int, started: int) -> None:
        """Take the texts of one task, with what orders it by risk."""
        if not self._next:
            self._next = (self._connection.execute(select(func.max(SEARCH_DOC.c.id))).scalar() or 0) + 1
        for step, n, content, tokens in texts:
            self._docs.append((self._next, task, step, n, content))
            self._tokens.append((self._next, tokens, task, risk, started))
            self._next += 1

    def flush(self) -> None:
        self._db.insert(self._connection, SEARCH_DOC, self._docs)
        if self._db.sqlite:
            rows = [(id, tokens) for id, tokens, *_ in self._tokens]
            self._index("INSERT INTO search_fts (rowid, tokens) VALUES (?, ?)", rows)
        elif self._tokens:
            vectors = [(id, _vector(tokens.split()), *rest) for id, tokens, *rest in self._tokens]
            self._db.copy(self._connection, "search_fts", ("rowid", "tokens", "task_id", "risk", "started"), vectors)
        self._docs, self._tokens = [], []

    def drop(self, tasks: Sequence[str]) -> None:
        """Remove every text of these tasks."""
        c = SEARCH_DOC.c
        for part in chunks(tasks):
            held = self._connection.execute(select(c.id, c.text).where(c.task_id.in_(part))).all()
            if not held:
                continue
            if self._db.sqlite:
                self._index(
                    "INSERT INTO search_fts (search_fts, rowid, tokens) VALUES ('delete', ?, ?)",
                    [(id, tokens_of(content)) for id, content in held],
                )
            else:
                self._connection.exec_driver_sql("DELETE FROM search_fts WHERE rowid = %s", [(row.id,) for row in held])
            self._connection.execute(delete(SEARCH_DOC).where(c.task_id.in_(part)))

    def clear(self) -> None:
        """Remove every text; the rows of `search_doc` are the caller's to delete."""
        if self._db.sqlite:
            self._connection.exec_driver_sql("INSERT INTO search_fts (search_fts) VALUES ('delete-all')")
        else:
            self._connection.exec_driver_sql("DELETE FROM search_fts")

    def _index(self, statement: str, docs: list[tuple[int, str]]) -> None:
        if docs:
            self._connection.exec_driver_sql(statement, docs)


def text_of(step: str, n: int, content: str) -> Text | None:
    """A text as it is kept and found; None where there is none."""
    kept = clean(content, _DOC_BYTES)
    return (step, n, kept, tokens_of(kept)) if content else None


def tokens_of(content: str) -> str:
    """The words that find a kept text, separated by blanks."""
    return " ".join(words(content))


def matching(db: Database, connection: Connection, pieces: Sequence[str], name: str = "asked") -> TextClause | None:
    """The documents that hold every piece as a phrase, as a subquery over `search_fts.rowid`; None where none holds a word.

    Of a store divided by team the database itself looks, for an index of words is no place to hide rows in. `name` is the parameter's; a statement that asks several times gives each its own.
    """
    wanted = phrases(pieces)
    if not wanted:
        return None
    if db.sqlite:
        asked = " AND ".join(f'"{" ".join(tokens)}"*' for tokens in wanted)
        return text(f"SELECT rowid FROM search_fts WHERE search_fts MATCH :{name}").bindparams(bindparam(name, asked))  # noqa: S608  a name of ours
    asked = _tsquery(wanted)
    if db.divided(connection):
        return text(f"SELECT remit_found(CAST(:{name} AS tsquery))").bindparams(bindparam(name, asked))
    return text(f"SELECT rowid FROM search_fts WHERE tokens @@ CAST(:{name} AS tsquery)").bindparams(bindparam(name, asked))  # noqa: S608  a name of ours


def placed(db: Database, connection: Connection, pieces: Sequence[str]) -> TextClause | None:
    """The tasks that have a document with every piece, each once as `id`, `risk` and `started`, from the index of words alone.

    None where it does not tell: in SQLite, in a store divided by team, and where no piece has a word.
    """
    wanted = phrases(pieces)
    if db.sqlite or not wanted or db.divided(connection):
        return None
    found = "SELECT DISTINCT task_id AS id, risk, started FROM search_fts WHERE tokens @@ CAST(:asked AS tsquery) AND task_id IS NOT NULL"
    return text(found).bindparams(bindparam("asked", _tsquery(wanted)))


def is_expected(connection: Connection, hits: TextClause) -> bool:
    """Whether PostgreSQL expects so many hits as `is_common` counts in SQLite, or has them where words meet."""
    planned = text(f"EXPLAIN (FORMAT JSON) {hits.text}").bindparams(**hits.compile().params)
    expected = connection.execute(planned).scalar_one()[0]["Plan"]["Plan Rows"]
    return bool(expected >= _most(connection) > 0) or _meet(connection, hits)


def _meet(connection: Connection, hits: TextClause) -> bool:
    """Whether the words of a search stand together in so many texts, by a sample of them.

    PostgreSQL knows how common one word is, and takes words for independent: of a phrase whose words nearly always stand
    together it expects next to nothing.
    """
    (asked,) = hits.compile().params.values()
    if "<->" not in asked and "&" not in asked:
        return False
    docs = connection.execute(select(func.max(SEARCH_DOC.c.id))).scalar() or 0
    percent = min(100 * _SAMPLED / max(docs, 1), 100)
    sample = f"SELECT count(*) FROM search_fts TABLESAMPLE SYSTEM ({percent:.6f}) WHERE tokens @@ CAST(:asked AS tsquery)"  # noqa: S608
    found = connection.execute(text(sample).bindparams(asked=asked)).scalar_one()
    return bool(found * 100 / percent >= _most(connection) > 0)


def _most(connection: Connection) -> int:
    return int(20 * (connection.execute(select(func.max(SEARCH_DOC.c.id))).scalar() or 0) ** 0.5)


def is_common(db: Database, connection: Connection, hits: TextClause) -> bool:
    """True where so many documents match that walking the queue and asking of each task is faster than sorting all hits.

    Sorting costs as much as there are hits; a walk as much as there are documents to one hit. PostgreSQL finds that out by
    itself for one word; of a store divided by team its index of words is not for everybody to look into.
    """
    if not db.sqlite:
        return not db.divided(connection) and _meet(connection, hits)
    most = _most(connection)
    counted = text(f"SELECT count(*) FROM ({hits.text} LIMIT {most})").bindparams(**hits.compile().params)  # noqa: S608
    return bool(connection.execute(counted).scalar_one() >= most > 0)


def holding(db: Database, hits: TextClause) -> ColumnElement[bool]:
    """That one of a task's documents is among the hits, asked task by task."""
    mine = select(1).select_from(SEARCH_DOC).where(SEARCH_DOC.c.task_id == TASK.c.id, among(db, hits))
    return exists(mine if db.sqlite else mine.offset(0))


def among(db: Database, hits: TextClause) -> ColumnElement[bool]:
    """That a document is among the hits; the sum keeps SQLite from beginning with the hits, as the fence does PostgreSQL."""
    if db.sqlite:
        found: ColumnElement[bool] = (SEARCH_DOC.c.id + 0).in_(hits)
        return found
    asked = text(f"EXISTS ({hits.text} AND rowid = search_doc.id OFFSET 0)")
    return literal(True) & asked.bindparams(**hits.compile().params)


def snippet(content: str, query: str) -> str:
    """The part of a text around the first searched word, on one line."""
    line = " ".join(content.split())
    lower = line.lower()
    places = [place for tokens in phrases(query.split()) for token in tokens if (place := lower.find(token)) >= 0]
    start = max(0, min(places, default=0) - _SNIPPET_CHARS // 3)
    cut = line[start : start + _SNIPPET_CHARS]
    return f"{'…' if start else ''}{cut}{'…' if start + _SNIPPET_CHARS < len(line) else ''}"


def task_text(task: Task, intents: Sequence[Intent]) -> str:
    """What finds a task: its title, names and the words it was given."""
    names = (task.title, task.agent, task.principal, task.repository, task.project, task.ticket, task.environment)
    return _joined([*names, *(intent.text for intent in intents[:20])])


def step_text(step: Step) -> str:
    """What finds a step: title, command, targets, and the reasons deciders gave."""
    pieces = [step.title, step.tool, step.verb.value, step.target.name, step.target.detail]
    command = step.request.get("action.command")
    if isinstance(command, str):
        pieces.append(command)
    for operation in step.operations[:50]:
        pieces += [operation.verb.value, operation.target.name, operation.target.detail]
    for item in step.decisions[:20]:
        if item.decision is not None:
            pieces += [item.decision.rule, item.decision.reason]
    return _joined(pieces)


def _joined(pieces: Sequence[str]) -> str:
    return "\n".join(dict.fromkeys(piece[:_PIECE_CHARS] for piece in pieces if piece))


def _lexeme(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def _tsquery(wanted: Sequence[Sequence[str]]) -> str:
    return " & ".join(f"({' <-> '.join([*(_lexeme(t) for t in tokens[:-1]), _lexeme(tokens[-1]) + ':*'])})" for tokens in wanted)


def _vector(tokens: Sequence[str]) -> str:
    return " ".join(f"{_lexeme(token)}:{place}" for place, token in enumerate(tokens, 1))
