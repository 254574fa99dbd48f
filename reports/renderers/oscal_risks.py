"""OSCAL risks: a finding that stands, with whoever accepted it, how it is put right, and every word of its review."""

from __future__ import annotations

from reports.canonical import Gap
from reports.identity import NAMESPACE, stable
from reports.renderers.oscal_words import ASSESSOR, Piece, moment, person, prop, prose, title

_STATUS = {"accepted": "deviation-approved", "escalated": "investigating"}


def risk(finding: Piece, as_of: str, origin: list[Piece]) -> Piece:
    """A finding that stands, or one somebody accepted until a date (`deviation-approved`), with gaps for its UUID and its observation's.

    `as_of` stands where a moment is not known, `origin` is the program that made the observation.
    """
    exception = finding["exception"]
    made: Piece = {
        "uuid": Gap("uuid"),
        "title": title(finding["title"]),
        "description": "What was seen stands in the related observation.",
        "statement": prose(finding["relevance"]),
        "status": _STATUS.get(finding["state"], "open"),
        "origins": origin,
        "characterizations": [
            {
                "origin": origin[0],
                "facets": [{"name": "severity", "system": NAMESPACE, "value": finding["severity"]}],
            }
        ],
        "related-observations": [{"observation-uuid": Gap("observation")}],
    }
    if exception:
        made["props"] = [
            *prop("exception-owner", exception["owner"]),
            *prop("exception-ticket", exception["ticket"]),
            *prop("exception-expires", exception["expires"] or ""),
            *prop("exception-expired", exception["expired"]),
        ]
        due = moment(exception["expires"], "")
        if due and finding["group"] == "accepted":
            made["deadline"] = due
    if finding["remedy"]:
        _remedied(made, finding)
    entries = _log(finding, as_of)
    if entries:
        made["risk-log"] = {"entries": entries}
    return made


def _remedied(risk: Piece, finding: Piece) -> None:
    """Cause, owner, date and what shows it done, as OSCAL has a remediation; a risk somebody accepted keeps its status and date."""
    remedy = finding["remedy"]
    done, due = bool(remedy["closure"]), moment(remedy["due"], "")
    made: Piece = {
        "uuid": stable("remediation", finding["id"]),
        "lifecycle": "completed" if done else "planned",
        "title": title(f"Remediation, stated by {remedy['by']}"),
        "description": prose(f"Cause: {remedy['cause'] or 'not stated'}"),
        "props": [
            *prop("owner", remedy["owner"]),
            *prop("overdue", remedy["overdue"]),
            *prop("closure-evidence", remedy["closure"]),
            *prop("stated-at", remedy["at"] or ""),
        ],
        "origins": [{"actors": [{"type": "party", "actor-uuid": person(remedy["by"])}]}],
    }
    if due:
        task = {"uuid": stable("milestone", finding["id"]), "type": "milestone", "title": "Put right"}
        made["tasks"] = [task | {"timing": {"on-date": {"date": due}}}]
        risk.setdefault("deadline", due)
    risk["remediations"] = [made]
    if finding["group"] == "open":
        risk["status"] = "closed" if done else "remediating"


def _log(finding: Piece, as_of: str) -> list[Piece]:
    """Every verdict and the exception, in the order they were given."""
    said = [(j["at"], j["verdict"], j["reviewer"], j["reason"], j["self_review"]) for j in finding["history"]]
    if finding["exception"]:
        e = finding["exception"]
        said.append((e["at"], "accepted until the date of expiry", e["by"], e["reason"], False))
    entries = []
    for n, (at, word, who, why, own) in enumerate(said):
        entry: Piece = {
            "uuid": stable("entry", finding["id"], str(n), str(at), word, who),
            "title": title(word),
            "description": prose(why),
            "start": moment(at, as_of),
            "logged-by": [{"party-uuid": person(who), "role-id": ASSESSOR}],
        }
        if own:
            entry["props"] = prop("self-review", own)
        entries.append(entry)
    return entries
