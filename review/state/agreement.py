"""Whether two reviewers agree: a critical verdict counts as settled only when a second identity gave it too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.review import Verdict
from model.words import VerdictWord


@dataclass(frozen=True, slots=True)
class Second:
    """Whether a second reviewer is `pending`, who `agreed`, and whether two reviewers `disagree` on the same evidence."""

    pending: bool = False
    agreed: str = ""
    disagree: bool = False


def second(given: Sequence[Verdict]) -> Second:
    """Where the second review of a subject stands, from the verdicts on it that count, oldest first.

    The second is another identity that says the same of the same evidence; never the one the agent acted for. Handing on
    (escalate) settles nothing and needs nobody.
    """
    if not given:
        return Second()
    last = given[-1]
    same = [one for one in given if one.evidence == last.evidence]
    words = {one.identity: one.verdict for one in same}
    judged = {word for word in words.values() if word is not VerdictWord.ESCALATE}
    disagree = len(judged) > 1
    if not last.critical or last.verdict is VerdictWord.ESCALATE:
        return Second(disagree=disagree)
    said = [one for one in same if one.verdict is last.verdict and words[one.identity] is last.verdict]
    first = said[0].identity
    agreed = next((one.reviewer for one in said if one.identity != first and not one.own), "")
    return Second(not agreed, agreed, disagree)
