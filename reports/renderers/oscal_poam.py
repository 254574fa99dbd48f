"""OSCAL plan of action and milestones: one item for every finding that stands open or was accepted until a date."""

from __future__ import annotations

import msgspec

from reports.canonical import Gap, Streamed, canonical
from reports.identity import stable
from reports.renderers.base import Document
from reports.renderers.oscal_parts import Entry, Shared
from reports.renderers.oscal_words import Piece, listed, prose, title


def plan_of_action(shared: Shared) -> Piece | None:
    """The whole OSCAL document; None where nothing stands, since OSCAL has no plan without an item."""
    document = shared.document
    standing = [entry for entry in shared.entries if entry.standing]
    if not standing:
        return None
    settings = document["exchange"]
    body: Piece = {"uuid": stable("plan-of-action", *shared.key())}
    if settings["import_ssp"]:
        body["import-ssp"] = {"href": settings["import_ssp"]}
    body |= {
        "system-id": _system(document),
        "local-definitions": {"components": [shared.component()]},
        "observations": shared.observations(standing),
        "risks": shared.risks(standing),
        "poam-items": Streamed(_item(shared, entry) for entry in standing),
    }
    body["metadata"] = shared.metadata("Plan of action and milestones")
    body["back-matter"] = {"resources": shared.resources()}
    return {"plan-of-action-and-milestones": body}


def _system(document: Document) -> Piece:
    """The system's identifier as set, else one made from its name."""
    given = " ".join(document["exchange"]["system_id"].split())
    if given:
        return {"id": given}
    cover = document["cover"]
    return {"identifier-type": "https://ietf.org/rfc/rfc4122", "id": stable("system", cover["organisation"], cover["system"])}


def _item(shared: Shared, entry: Entry) -> msgspec.Raw:
    def alike() -> Piece:
        return {
            "uuid": Gap("uuid"),
            "title": title(f"{entry.detection} {entry.about}"),
            "description": prose(entry.due or "What was seen stands in the related observation."),
            "props": Gap("props"),
            "origins": shared.origin(),
            "related-observations": [{"observation-uuid": Gap("observation")}],
            "related-risks": [{"risk-uuid": Gap("risk")}],
        }

    values = {
        "uuid": canonical(stable("item", entry.id)),
        "props": listed(entry.props),
        "observation": entry.observation,
        "risk": entry.risk,
    }
    return shared.frame(("item", entry.detection, entry.about, entry.due), alike).filled(values)
