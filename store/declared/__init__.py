"""Every table, declared once with SQLModel; SQLAlchemy Core moves the rows (`store.tables`).

Three layers: evidence (append-only), derived (rebuilt from evidence at any time) and human (append-only, refused
otherwise by triggers). Text compares by code point on every database. Times are microseconds since the epoch, UTC.
"""

from store.declared import chains, events, evidence, human
from store.declared.fields import Base

__all__ = ["Base", "chains", "events", "evidence", "human"]
