"""What the name of a credential can join and what it cannot, in words: a gap in a lifeline is explained, not hidden."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chains.masked import MASKED, shown_part
from model.chain import Credential


class Naming(msgspec.Struct, frozen=True):
    """One name (`kind:value`), what records it joins, and what it cannot join ("" where it joins whatever names it)."""

    name: str
    joins: str
    limit: str = ""


class _Kind(msgspec.Struct, frozen=True):
    applies: Callable[[str, str], bool]
    joins: str
    limit: str = ""


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        lambda kind, value: kind == MASKED,
        "what reads alike within one session or, where the log names none, of one principal",
        "the log hides the rest of it: what reads alike may be several credentials, and neither its issuance nor another log's "
        "use is joined to it",
    ),
    _Kind(
        lambda kind, value: value.startswith("hmac-"),
        "the records of one Vault audit device",
        "each audit device hashes with a salt of its own: the same token in another device's log, or in clear, reads otherwise "
        "and is not joined (log accessors in clear, `hmac_accessor=false`, to join them)",
    ),
    _Kind(
        lambda kind, value: kind == "token",
        "every record that carries the host's digest of the token, and every one in which the token itself stood in clear",
        "an issuance that logs neither digest nor token is not joined; the digest cannot be turned back",
    ),
    _Kind(
        lambda kind, value: kind == "secret",
        "every record in which the same secret stood in clear, under this installation's key",
        "a log that names the credential by an identifier or a digest of its own is not joined",
    ),
    _Kind(
        lambda kind, value: kind == "x509.serial",
        "every record that names this serial number",
        "serial numbers are unique within one authority only",
    ),
    _Kind(
        lambda kind, value: kind == "assay.credential_alias",
        "the records of the run that gave it this alias",
        "an alias is no identifier of the credential itself: other logs are not joined",
    ),
    _Kind(
        lambda kind, value: kind == "github.installation",
        "every record that names this app installation",
        "an installation is issued many tokens: their uses are not told apart by it",
    ),
)
_CLEAR = _Kind(lambda kind, value: True, "issuance, use and revocation wherever a log names it")


def naming(name: str) -> Naming:
    """What one name joins; the first kind that applies speaks."""
    kind, _, value = name.partition(":")
    found = next((one for one in _KINDS if one.applies(kind, value)), _CLEAR)
    return Naming(name, found.joins, found.limit)


def unknowns(one: Credential) -> list[tuple[str, str]]:
    """What a lifeline does not tell, as (what, why); nothing of it counts as "no"."""
    found: list[tuple[str, str]] = []
    limits = [named.limit for name in one.names if (named := naming(name)).limit]
    why = limits[0] if len(limits) == len(one.names) and limits else "no record that names it states one"
    if not one.issued_event:
        found.append(("issuance", why))
    elif one.issued is None:
        found.append(("time of issuance", "the record of its issuance has no time"))
    if one.ttl_seconds is None and one.expires is None:
        found.append(("lifetime", "no record states when it expires"))
    if not one.scope:
        found.append(("scope granted", "no record states it"))
    if one.revoked is None and one.ttl_seconds != -1:
        found.append(("revocation", "none was seen; where the issuer's log is not imported it may have been"))
    if not one.use_list:
        found.append(("uses", "none was seen under any of its names"))
    if shown := next((part for name in one.names if (part := shown_part(name))), ""):
        found.append(("identity", f"the log shows only {shown.partition(':')[2]}"))
    return found
