"""The two journals: what people decided, and what they looked at and took away. Only the first one's head stands in reports."""

from __future__ import annotations

from typing import Any

import msgspec

from lang.times import iso
from model.review import JournalEntry
from review.documents import Doc
from review.errors import RemitError
from review.workspace import Workspace
from store.journals import JOURNALS, JournalName


def note_access(work: Workspace, what: str, body: dict[str, Any]) -> bool:
    """Write down that somebody opened, revealed, tried or exported something; False in a sitting that may write nothing.

    `what` is one word (open, reveal, trial, export), `body` says of what. No secret belongs in it.
    """
    if work.store.readonly:
        return False
    work.store.journal_append(work.identity, what, body, journal="access")
    return True


def journal(work: Workspace, name: JournalName = "review") -> list[Doc]:
    """Every entry of a journal, oldest first."""
    return [entry_document(entry) for entry in work.store.journal(journal=name)]


def entry_document(entry: JournalEntry) -> Doc:
    return {
        "seq": entry.seq,
        "at": iso(entry.at),
        "who": entry.who,
        "what": entry.what,
        "about": _about(entry),
        "body": entry.body,
        "head": entry.head,
    }


_SUBJECTS = ("subject", "finding", "task", "name", "pseudonym", "out")


def _about(entry: JournalEntry) -> str:
    """What an entry is about, where its body says so under a name that is known."""
    try:
        data = msgspec.json.decode(entry.body)["data"]
        if "control" in data:
            return f"{data['framework']} {data['control']}"[:200] if data["framework"] else "sign-off"
        found = next((data[name] for name in _SUBJECTS if data.get(name)), "")
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return ""  # an altered entry; `verify` says so
    return str(found)[:200]


def journal_state(work: Workspace, expected: str = "") -> Doc:
    """Whether both hash chains are whole; `entries` and `head` are those of the review journal.

    With `expected`, a head that a report printed, the review journal must also have come by it: only that tells a journal
    whose last entries were cut off.
    """
    states = {name: _state(work, name) for name in JOURNALS}
    review = states["review"]
    if expected:
        review |= _passed(work, review, expected)
    altered = [name for name in JOURNALS if states[name]["state"] == "altered"]
    shape: Doc = {"state": "altered" if altered else "intact", "entries": review["entries"], "head": review["head"]}
    if altered:
        shape |= {"journal": altered[0], "seq": states[altered[0]]["seq"], "problem": states[altered[0]]["problem"]}
    return shape | {"journals": states}


def _state(work: Workspace, name: JournalName) -> Doc:
    found = work.store.verify_journal(name)
    shape: Doc = {"state": "intact" if found.ok else "altered", "entries": found.entries, "head": found.head}
    return shape if found.ok else shape | {"seq": found.seq, "problem": found.problem}


def _passed(work: Workspace, state: Doc, expected: str) -> Doc:
    wanted = expected.strip().lower()
    if len(wanted) != 64 or any(c not in "0123456789abcdef" for c in wanted):
        raise RemitError(f"--head {expected[:70]} is no journal head; give the 64 hex digits a report prints")
    if state["state"] == "altered" or any(entry.head == wanted for entry in work.store.journal()):
        return {}
    return {"state": "altered", "seq": state["entries"], "problem": f"the head {wanted[:12]}… is none that this journal ever had"}
