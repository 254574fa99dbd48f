"""The credentials seen, as the table of them states each."""

from __future__ import annotations

from reports import document as doc
from reports.input import PackInput
from reports.text import when


def credential_entries(given: PackInput) -> list[doc.CredentialEntry]:
    """Every credential that a task held or was issued, in order of id."""
    return [
        doc.CredentialEntry(
            id=c.id,
            kind=c.kind,
            issuer=c.issuer,
            subject=c.subject,
            issued=when(c.issued),
            expires=when(c.expires),
            revoked=when(c.revoked),
            ttl_seconds=c.ttl_seconds,
            first_use=when(c.first_use),
            last_use=when(c.last_use),
            uses=c.uses,
            tasks=sorted(c.tasks),
            flags=sorted(c.flags),
        )
        for c in sorted(given.credentials, key=lambda c: c.id)
    ]
