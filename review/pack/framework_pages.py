"""A framework in full: its entries, what speaks to each, what evidence shows and does not; as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterator

from reports.assessment import sentences, speaking
from reports.catalogue import Framework, Item
from reports.crosswalk import Crosswalk
from reports.editions import in_order, paired
from reports.library import Library
from reports.text import markdown as escaped
from reports.vocabulary import Vocabulary, vocabulary
from review.documents import Doc

WORDS = {"threats": "observed / not observed / not covered", "controls": "exceptions found / none found / insufficient evidence"}


def listing(library: Library) -> list[Doc]:
    """Every framework with its size: entries, those that get a result, those a detection speaks to."""
    known = library.reading()
    return [
        {
            "id": one.id,
            "title": one.title,
            "edition": one.edition,
            "publisher": one.publisher,
            "published": one.published,
            "reading": reading_of(one, vocabulary()),
            "items": len(one.items),
            "assessable": len(one.assessable),
            "mapped": sum(bool(speaking(known, one, item)) for item in one.assessable),
            "attribution": one.attribution,
        }
        for one in library.frameworks.values()
    ]


def reading_of(framework: Framework, words: Vocabulary) -> str:
    return "threats" if framework.reading == "threats" or framework.id in words.threat_lists else "controls"


def page_document(library: Library, framework: Framework) -> Doc:
    """Everything there is to say of a framework apart from a store's own results."""
    known, words = library.reading(), vocabulary()
    rule = words.needs_classification.get(framework.id)
    family = in_order([f for f in library.frameworks.values() if f.catalogue == framework.catalogue])
    return {
        "id": framework.id,
        "catalogue": framework.catalogue,
        "edition": framework.edition,
        "title": framework.title,
        "publisher": framework.publisher,
        "version": framework.version,
        "published": framework.published,
        "status": framework.status,
        "reading": reading_of(framework, words),
        "licence": framework.licence,
        "quoting": framework.quoting,
        "attribution": framework.attribution,
        "verification": framework.verification,
        "checked_on": framework.checked_on,
        "sha256": framework.sha256,
        "overlay": framework.overlay or None,
        "notes": [*framework.notes, *words.printed_notes.get(framework.id, ())],
        "needs_classification": rule.ask if rule else None,
        "other_editions": [f.id for f in family if f.id != framework.id],
        "given_labels": _labels(known, framework),
        "items": [_item(known, words, framework, item) for item in framework.items],
    }


def _labels(known: Crosswalk, framework: Framework) -> list[Doc]:
    """Labels people bring that are no published ids, with the ids they stand for."""
    told = [
        {"given": r.label, "reference": r.reference, "published": list(r.resolves_to), "correction": r.correction}
        for r in known.references_of(framework.id)
    ]
    named = {row["given"] for row in told}
    return told + [
        {"given": alias, "reference": alias, "published": list(ids), "correction": "another spelling"}
        for alias, ids in sorted(framework.aliases.items())
        if alias not in named
    ]


def _item(known: Crosswalk, words: Vocabulary, framework: Framework, item: Item) -> Doc:
    names = () if item.heading else speaking(known, framework, item)
    shows, beyond, level = sentences(known, framework, item, names, names)
    reason = known.not_assessable.get(framework.id, {}).get(item.id, "") or words.listed_only.get(item.kind, "")
    if not item.heading and not names and not reason:
        reason = "no detection of the crosswalk speaks to it"
    return {
        "id": item.id,
        "title": item.title,
        "kind": item.kind or None,
        "parent": item.parent,
        "heading": item.heading,
        "summary": item.summary,
        "text": item.licensed or item.statement or None,
        "other_spellings": [text for text in dict.fromkeys((item.padded_label, item.oscal_id, item.oscal_token)) if text],
        "same": dict(sorted(item.same.items())),
        "official_id": item.official_id,
        "verified": item.verified,
        "detections": list(names),
        "level": level or None,
        "shows": shows or None,
        "does_not_show": beyond or None,
        "not_assessable": None if item.heading else reason or None,
        "overridden": list(known.overridden.get(framework.id, {}).get(item.id, ())),
    }


def compare_document(library: Library, one: Framework, other: Framework) -> Doc:
    """Two editions entry by entry, the older first, with the detections that speak to each."""
    known = library.reading()
    old, new = in_order([one, other])
    return {
        "old": old.id,
        "new": new.id,
        "rows": [
            {
                "old": pair.old or None,
                "old_title": pair.old_title or None,
                "new": pair.new or None,
                "new_title": pair.new_title or None,
                "change": pair.change,
                "old_detections": list(known.detections_of(old.id, pair.old)),
                "new_detections": list(known.detections_of(new.id, pair.new)),
            }
            for pair in paired(old, new)
        ],
    }


def item_sentences(item: Doc) -> Iterator[str]:
    """One entry in plain sentences."""
    yield f"{item['id']} {item['title']}" + (f": {item['summary']}" if item["summary"] else "")
    if item["text"]:
        yield f"text: {item['text']}"
    if item["detections"]:
        yield f"detections: {', '.join(item['detections'])} ({item['level']})"
        yield f"shows: {item['shows']}"
        yield f"does not show: {item['does_not_show']}"
    if item["not_assessable"]:
        yield f"not assessed: {item['not_assessable']}"
    yield from (f"overridden: {word}" for word in item["overridden"])


def markdown(doc: Doc) -> str:
    """The page of docs/frameworks."""
    parts = [f"# {doc['title']}", _facts(doc)]
    parts += [escaped(note) for note in doc["notes"]]
    if doc["needs_classification"]:
        parts.append(
            f"Left off every report until it is stated {doc['needs_classification']}, in an [own reading](../frameworks.md)."
        )
    if doc["given_labels"]:
        rows = [
            f"| {escaped(g['given'])} | {', '.join(g['published'])} | {escaped(g['correction'])} |" for g in doc["given_labels"]
        ]
        parts.append(
            "\n".join(
                ["## Labels that are no published ids", "", "| given | published | correction |", "| --- | --- | --- |", *rows]
            )
        )
    parts.append("## What evidence shows of it")
    rows = [
        f"| {escaped(i['id'])} | {escaped(i['title'])} | {' '.join(i['detections'])} | {i['level']} | {escaped(i['shows'])} | "
        f"{escaped(i['does_not_show'])} |"
        for i in doc["items"]
        if i["detections"] and not i["not_assessable"]
    ]
    parts.append(
        "\n".join(["| id | title | detections | level | shows | does not show |", "| --- | --- | --- | --- | --- | --- |", *rows])
    )
    reasons: dict[str, list[str]] = {}
    for item in doc["items"]:
        if item["not_assessable"]:
            reasons.setdefault(item["not_assessable"], []).append(f"{item['id']} {item['title']}")
    if reasons:
        parts.append("## Not assessable from imported evidence")
        parts += [f"{escaped(reason[:1].upper() + reason[1:])}: {escaped('; '.join(ids))}." for reason, ids in reasons.items()]
    licence = "" if doc["licence"] in doc["attribution"] else f" {escaped(doc['licence']).rstrip('.')}."
    parts.append(f"{escaped(doc['attribution']).rstrip('.')}.{licence}")
    return "\n\n".join(parts) + "\n"


def _facts(doc: Doc) -> str:
    items = [i for i in doc["items"] if not i["heading"]]
    mapped = sum(bool(i["detections"] and not i["not_assessable"]) for i in items)
    told = [
        f"`{doc['id']}`, edition {doc['edition']}, {doc['publisher']}, published {doc['published']}",
        f"told as {WORDS[doc['reading']]}",
        f"{len(items)} entries, {mapped} of them with a detection that speaks to them",
    ]
    if doc["other_editions"]:
        told.append(f"other editions: {', '.join(doc['other_editions'])}")
    return "; ".join(told) + ". The mapping is a proposal of this tool; the publisher has not reviewed it."
