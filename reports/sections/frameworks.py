"""Section 5: one framework with its results, given labels, notes and what people attested."""

from __future__ import annotations

from reports import document as doc
from reports.assessment import Assessor
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk
from reports.editions import editions, paired
from reports.input import PackInput
from reports.oscal_names import oscal_names
from reports.text import excerpt, when
from reports.vocabulary import Vocabulary


def framework_section(
    given: PackInput, assessor: Assessor, framework: Framework, crosswalk: Crosswalk, words: Vocabulary
) -> doc.FrameworkSection:
    """One framework with every assessable entry, in the order of its catalogue."""
    by_id = framework.by_id
    stated = [c for c in given.classifications if c.framework == framework.id]
    labels = [
        doc.GivenLabel(r.label, r.reference, list(r.resolves_to), [by_id[i].title for i in r.resolves_to], r.correction)
        for r in crosswalk.references_of(framework.id)
    ]
    named = {label.given for label in labels}
    for alias, ids in sorted(framework.aliases.items()):
        if alias not in named:
            labels.append(doc.GivenLabel(alias, alias, list(ids), [by_id[i].title for i in ids], "another spelling"))
    return doc.FrameworkSection(
        id=framework.id,
        catalogue=framework.catalogue,
        edition=framework.edition,
        title=framework.title,
        publisher=framework.publisher,
        published=framework.published,
        reading="threats" if assessor.is_threat_list(framework) else "controls",
        attribution=framework.attribution,
        licence=framework.licence,
        verification=framework.verification,
        catalogue_sha256=framework.sha256,
        classification=[f"{c.role}, stated by {c.by}" + (f": {c.text}" if c.text else "") for c in stated],
        notes=_notes(framework, words),
        given_labels=labels,
        headings={item.id: item.title for item in framework.items if item.heading},
        overlay=framework.overlay,
        licensed={item.id: item.licensed for item in framework.items if item.licensed},
        controls=assessor.assess(framework),
        attestations=[
            doc.Attested(
                control=a.control,
                who=a.who,
                at=when(a.at),
                text=excerpt(a.text),
                asserted=a.asserted,
                evidence=excerpt(a.evidence),
                expires=when(a.expires),
                expired=a.expires is not None and a.expires < given.as_of,
            )
            for a in sorted(given.attestations, key=lambda a: (a.control, a.at, a.who))
            if a.framework == framework.id and a.control in by_id
        ],
        oscal=oscal_names(framework, words),
    )


def editions_side_by_side(kept: list[Framework], sections: list[doc.FrameworkSection]) -> list[doc.Editions]:
    """Editions of one catalogue that were both asked for, entry by entry with their results."""
    words = {section.id: {c.id: c.word for c in section.controls} for section in sections}
    return [
        doc.Editions(
            old=old.id,
            new=new.id,
            rows=[
                doc.EditionRow(
                    old=pair.old,
                    old_title=pair.old_title,
                    old_word=words[old.id].get(pair.old, ""),
                    new=pair.new,
                    new_title=pair.new_title,
                    new_word=words[new.id].get(pair.new, ""),
                    change=pair.change,
                )
                for pair in paired(old, new)
            ],
        )
        for old, new in editions(kept)
    ]


def _notes(framework: Framework, words: Vocabulary) -> list[str]:
    notes = []
    if any(not item.official_id for item in framework.items):
        notes.append("The publisher gives no machine ids for some entries; those ids are this catalogue's own.")
    if any(not item.verified for item in framework.items):
        unread = ", ".join(item.id for item in framework.items if not item.verified)
        notes.append(f"Not read in the publisher's text: {unread}.")
    return [*notes, *words.printed_notes.get(framework.id, ())]
