"""Rotation: a long-lived credential that was replaced by a newer one of the same holder, and used all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from model.chain import Credential

LONG_LIVED = 24 * 3600
"""Seconds from which a credential is one that is rotated; what lives shorter is issued anew for every errand."""


class Rotation(msgspec.Struct, frozen=True):
    """When a credential was replaced and by which, and what was done with the old one afterwards. Times in microseconds."""

    at: int
    by: str
    uses_after: int
    last_use: int | None


def rotations(credentials: Iterable[Credential]) -> Mapping[str, Rotation]:
    """The replaced ones of these credentials, by id; the result does not depend on their order.

    Two are of one holder where kind, issuer and subject are stated and equal. A newer one replaces an older one at its
    issuance; where the older one's issuance is not seen, it must have been used before.
    """
    holders: dict[tuple[str, str, str], list[Credential]] = {}
    for one in credentials:
        if one.kind and one.subject and long_lived(one):
            holders.setdefault((one.kind, one.issuer, one.subject), []).append(one)
    found: dict[str, Rotation] = {}
    for mine in holders.values():
        issued = sorted((one.issued, one.id) for one in mine if one.issued is not None)
        for one in mine:
            since = one.issued if one.issued is not None else one.first_use
            newer = next(((at, id) for at, id in issued if since is not None and at > since and id != one.id), None)
            if newer is not None:
                found[one.id] = _rotation(one, *newer)
    return found


def long_lived(one: Credential) -> bool:
    """Whether a credential has no end, or one far enough away that it is rotated rather than issued for one errand."""
    if one.ttl_seconds is not None:
        return one.ttl_seconds < 0 or one.ttl_seconds >= LONG_LIVED
    if one.expires is not None and one.issued is not None:
        return one.expires - one.issued >= LONG_LIVED * 1_000_000
    return one.expires is None and "standing" in one.flags


def _rotation(one: Credential, at: int, by: str) -> Rotation:
    after = [use.at for use in one.use_list if use.at is not None and use.at > at]
    return Rotation(at, by, len(after), max(after, default=None))
