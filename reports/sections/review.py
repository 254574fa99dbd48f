"""Section 9: who reviewed, whether duties were separated, what was signed."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from reports import document as doc
from reports import wording
from reports.catalogue import Framework
from reports.enclosures import evidence
from reports.finding_shapes import FindingEntry
from reports.input import PackInput, SignOff
from reports.text import excerpt, when
from reports.vocabulary import vocabulary


def reviewers(given: PackInput) -> list[str]:
    """Names of everyone who gave a verdict; a name that nobody checked says so."""
    names = {(v.reviewer, v.asserted) for v in given.verdicts}
    return [f"{name} (as stated)" if asserted else name for name, asserted in sorted(names)]


def signed_state(given: PackInput) -> str:
    """The digest of what a signer has before them: every record of the evidence, and what each finding rests on.

    What people say of findings is not in it, nor are findings about their reviews: a review goes on after its evidence ended.
    """
    words = vocabulary()
    found = [r.finding for r in given.findings if words.need_of(r.finding.detection).population != "findings"]
    lines = sorted(f"{f.id} {f.evidence_digest}" for f in found)
    return sha256("\n".join((evidence(given.evidence)["root"], *lines)).encode("utf-8", "backslashreplace")).hexdigest()


def covers(one: SignOff, given: PackInput, kept: list[Framework]) -> bool | None:
    """Whether a sign-off is about what this report tells of; None where it says so in its text alone."""
    if one.about is None:
        return None
    same = (one.about.start, one.about.end, one.about.as_of) == (given.start, given.end, given.as_of)
    same = same and {f.id for f in kept} <= set(one.about.frameworks)
    return same and one.about.state in ("", signed_state(given))


def status(given: PackInput, kept: list[Framework]) -> str:
    """What the cover says of the report: a signature about another state does not make this one signed."""
    if not given.sign_offs:
        return "draft"
    known = {covers(one, given, kept) for one in given.sign_offs}
    if True in known:
        return "signed off by a reviewer"
    if None in known:
        return "draft; of which report there is a sign-off only its text says (section 9)"
    return "draft; what was signed off is another report than this one (section 9)"


def sign_off_section(given: PackInput, findings: list[FindingEntry], kept: list[Framework]) -> doc.SignOffSection:
    """Reviewers, what can be said of separation of duties, reviews of own tasks, sign-offs in order of time."""
    tasks, shown = {task.id for task in given.tasks}, {f.id for f in findings}
    here = [v for v in given.verdicts if (v.task or v.subject) in tasks or v.subject in shown]
    separation = wording.ENFORCED if given.separation_enforced else wording.UNENFORCED
    judged = Counter((j.reviewer, j.asserted) for f in findings for j in f.history)
    on_own = Counter((j.reviewer, j.asserted) for f in findings for j in f.history if j.self_review)
    return doc.SignOffSection(
        reviewers=reviewers(given),
        by_reviewer=[
            doc.Reviewed(name, judged[name, asserted], on_own[name, asserted], checked=not asserted)
            for name, asserted in sorted(judged)
        ],
        separation=separation if given.verdicts or given.exceptions or given.sign_offs else wording.UNREVIEWED,
        self_reviews=sorted(f"{v.subject} by {v.reviewer}" for v in here if v.own),
        signed=[
            doc.Signed(s.who, when(s.at), excerpt(s.text), s.asserted, covers(s, given, kept))
            for s in sorted(given.sign_offs, key=lambda s: (s.at, s.who))
        ],
        statement=wording.STATEMENT,
    )
