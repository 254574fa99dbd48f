"""What a pseudonym stands for: its kind and the places it was in, never the secret. Asking needs a reason, which is kept."""

from __future__ import annotations

import re
from itertools import islice

from lang.counted import count
from review.documents import Doc, reference
from review.errors import NotFoundError, RemitError
from review.judge.journals import note_access
from review.workspace import Workspace

_PSEUDONYM = re.compile(r"(?:REDACTED\.(?P<kind>[A-Za-z0-9_-]+)\.)?(?P<code>[0-9a-f]{12})")
MOST = 1_000


def reveal(work: Workspace, pseudonym: str, reason: str) -> Doc:
    """Kind and places of a pseudonym, as it stands in records (`REDACTED.kind.hex`) or by its hex alone.

    Raises RemitError without a reason, or where the asking cannot be written down.
    """
    told = work.redactor.redact_text(reason.strip())
    if not told:
        raise RemitError("revealing where a secret was needs a reason (--reason); it is kept in the access journal")
    match = _PSEUDONYM.fullmatch(pseudonym.strip())
    if match is None:
        raise RemitError(f"{pseudonym[:60]!r} is no pseudonym; they read REDACTED.kind.0123456789ab")
    code = match["code"]
    if not note_access(work, "reveal", {"pseudonym": code, "reason": told}):
        raise RemitError("this sitting may write nothing, so a reveal could not be written down; open the store for writing")
    kinds: set[str] = set()
    ids: list[str] = []
    named = re.compile(rf"REDACTED\.([A-Za-z0-9_-]+)\.{code}(?![0-9a-f])".encode())
    for id, raw in islice(work.store.raw_with_secrets(code.encode()), MOST + 1):
        kinds |= {kind.decode() for kind in named.findall(raw)}
        ids.append(id)
    gone = work.store.secrets_not_kept()
    if not kinds:
        beside = (
            f"; the bytes of {count(gone, 'record')} with secrets are no longer kept and were not looked through" if gone else ""
        )
        raise NotFoundError(f"no record holds the pseudonym {pseudonym[:60]}{beside}")
    tasks = sorted({task for id in ids for _, task in work.store.events_of_record(id) if task})
    refs = work.store.records(ids[:MOST])
    return {
        "pseudonym": code,
        "kinds": sorted(kinds),
        "records": [reference(refs[id].ref) for id in ids[:MOST] if id in refs],
        "more": len(ids) > MOST,
        "not_kept": gone,
        "tasks": tasks,
        "reason": told,
    }
