"""How the publisher's own OSCAL catalogue names a framework's entries."""

from __future__ import annotations

import re

import msgspec

from reports.catalogue import Framework, Item
from reports.vocabulary import Vocabulary

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*")


class OscalNames(msgspec.Struct):
    """How the publisher's own OSCAL catalogue names this framework's entries: control ids and ids of their statements."""

    catalogue: str
    control_ids: dict[str, str]
    statement_ids: dict[str, str]


def oscal_names(framework: Framework, words: Vocabulary) -> OscalNames | None:
    """The publisher's OSCAL names of a framework, None where it publishes no OSCAL catalogue."""
    for one in words.oscal_catalogues:
        if (one.catalogue, one.edition) == (framework.catalogue, framework.edition):
            tokens = {item.id: name for item in framework.assessable if (name := _token(item))}
            return OscalNames(one.title, tokens, {id: name + one.statement for id, name in tokens.items()})
    return None


def _token(item: Item) -> str:
    """An item's OSCAL control id; "" where it has none that OSCAL would take."""
    return next((name for name in (item.oscal_id, item.oscal_token, item.id) if _TOKEN.fullmatch(name)), "")
