"""Section 4: how chains are put together, which detections ran with which parameters, how samples were drawn."""

from __future__ import annotations

from reports import document as doc
from reports import wording
from reports.assessment import Assessor
from reports.crosswalk import Crosswalk
from reports.input import PackInput
from reports.sections.review import reviewers
from reports.vocabulary import Vocabulary


def method_section(given: PackInput, assessor: Assessor, crosswalk: Crosswalk, words: Vocabulary) -> doc.Method:
    """Rules, meanings and detections; a detection switched off is named under those not run."""
    runs = []
    for detection in sorted(given.detections, key=lambda d: d.id):
        able, hits = assessor.abilities[detection.id], assessor.hits.get(detection.id)
        runs.append(
            doc.DetectorRun(
                id=detection.id,
                title=detection.title,
                version=detection.version,
                severity=detection.severity.value,
                params=dict(sorted(detection.params.items())),
                needs=[words.terms[t].title for t in words.need_of(detection.id).needs],
                lacking=able.lack(),
                population=able.population,
                units=able.units,
                cannot_judge=detection.cannot_judge,
                findings=hits.open + hits.accepted + hits.dismissed if hits else 0,
            )
        )
    ran = {d.id for d in given.detections}
    return doc.Method(
        linking=[*wording.LINKING, wording.AS_OF],
        meanings=wording.MEANINGS,
        detectors=runs,
        not_run=[name for name in crosswalk.detections if name not in ran],
        sampling=(
            "Detections run over the full population; nothing is sampled for them. The tasks shown step by step in section 8 are "
            "for reading: those of the highest risk among the tasks with open findings, and a draw from the tasks without "
            f"findings, ordered by the SHA-256 of seed and task id (seed: {given.sample_seed}). Another seed draws others. No "
            "statistical claim is made."
        ),
        reviewers=reviewers(given),
        mapping_note=wording.MAPPING_NOTE,
        terms=wording.TERMS,
    )
