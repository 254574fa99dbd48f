"""Policy versions and which of them is in force from when, each with its entry in the journal."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select

from model.review import PolicyVersion, Promotion
from store.codec import pack
from store.journals import Journals
from store.tables import POLICY_IN_FORCE, POLICY_VERSION
from store.text import clean

_POLICY = msgspec.msgpack.Decoder(PolicyVersion)
_PROMOTION = msgspec.msgpack.Decoder(Promotion)


class SavedPolicies(Journals):
    """What policy authors keep."""

    def save_policy(self, policy: PolicyVersion) -> PolicyVersion:
        """Save a policy under its name; the one returned carries the next version number of that name."""
        with self.db.write() as connection:
            c = POLICY_VERSION.c
            last = connection.execute(select(func.max(c.version)).where(c.name == clean(policy.name))).scalar()
            body = pack(msgspec.structs.replace(policy, version=(last or 0) + 1))
            kept = _POLICY.decode(body)
            self.db.insert(connection, POLICY_VERSION, [(clean(kept.name), kept.version, body)])
            self._note(connection, kept.author, "policy", msgspec.to_builtins(kept), kept.at)
            return kept

    def policies(self, name: str | None = None) -> list[PolicyVersion]:
        """Every saved policy version, or those of one name, by name and version."""
        c = POLICY_VERSION.c
        wanted = select(c.body).order_by(c.name, c.version)
        if name is not None:
            wanted = wanted.where(c.name == clean(name))
        with self.db.read() as connection:
            return [_POLICY.decode(body) for body in connection.execute(wanted).scalars()]

    def put_in_force(self, promotion: Promotion) -> Promotion:
        """Record which version of a policy is in force from now on; the one returned carries its number."""
        with self.db.write() as connection:
            seq = int(connection.execute(select(func.max(POLICY_IN_FORCE.c.seq))).scalar() or 0) + 1
            body = pack(msgspec.structs.replace(promotion, seq=seq))
            kept = _PROMOTION.decode(body)
            self.db.insert(connection, POLICY_IN_FORCE, [(kept.seq, clean(kept.name), clean(kept.point), kept.at, body)])
            self._note(connection, kept.by, f"policy {kept.turn}", msgspec.to_builtins(kept), kept.at)
            return kept

    def promotions(self, name: str | None = None) -> list[Promotion]:
        """What was put in force, or of one policy, oldest first."""
        wanted = select(POLICY_IN_FORCE.c.body).order_by(POLICY_IN_FORCE.c.seq)
        if name is not None:
            wanted = wanted.where(POLICY_IN_FORCE.c.name == clean(name))
        with self.db.read() as connection:
            return [_PROMOTION.decode(body) for body in connection.execute(wanted).scalars()]
