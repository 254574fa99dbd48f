"""The report room in words: the same lines stand in the dashboard's panels and in `remit controls`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lang.counted import count as how_many
from model.words import ResultWord
from review.show.sentences import place
from review.state.remedied import remedy_words

Doc = dict[str, Any]

RESULTS: tuple[str, ...] = tuple(word.value for word in ResultWord)
"""The five results, in the order they are told."""

MARKS = {
    ResultWord.EXCEPTIONS.value: "!",
    ResultWord.NONE_FOUND.value: "○",
    ResultWord.INSUFFICIENT.value: "?",
    ResultWord.NOT_ASSESSABLE.value: "–",
    ResultWord.NOT_IN_SCOPE.value: "×",
}
"""What stands before a result where there is little room: a finding, nothing found, cannot be said, cannot be seen, left out."""

SHORT = {
    ResultWord.EXCEPTIONS.value: "exceptions found",
    ResultWord.NONE_FOUND.value: "no exceptions found",
    ResultWord.INSUFFICIENT.value: "insufficient evidence",
    ResultWord.NOT_ASSESSABLE.value: "not assessable",
    ResultWord.NOT_IN_SCOPE.value: "not in scope",
}
"""The five results in few words; a control's own line has them in full."""

TERSE = {
    ResultWord.EXCEPTIONS.value: "exceptions",
    ResultWord.NONE_FOUND.value: "none found",
    ResultWord.INSUFFICIENT.value: "insufficient",
    ResultWord.NOT_ASSESSABLE.value: "unassessable",
    ResultWord.NOT_IN_SCOPE.value: "out of scope",
}
"""The same where a column is narrow."""

BAR = 20
LISTED = 12
"""Findings of a control that its panel names; all are one key away."""


def head_lines(head: Doc) -> Iterator[str]:
    """What is looked at and as of when, and whether anybody signed."""
    if not head["sources"]:
        yield "Nothing was imported yet, so no control can be judged."
        yield "Import logs first: `remit import PATH`, or key i in Sources."
        return
    which = f"from {minute(head['from'])} to {minute(head['to'])}" if head["from"] or head["to"] else "all of it"
    default = "" if head["as_of_given"] else ", the last of it"
    yield f"evidence: {which}, as of {minute(head['as_of'])} UTC{default}"
    signed = head["sign_offs"]
    yield (
        f"{how_many(head['tasks'], 'task')}, {how_many(head['steps'], 'step')}, {how_many(head['findings'], 'finding')}, {how_many(head['blind_spots'], 'blind spot')}, "
        f"{how_many(head['sources'], 'source')}" + ("" if signed else "; not signed off")
    )
    if signed:
        before = f", and {len(signed) - 1} time{'' if len(signed) == 2 else 's'} before" if len(signed) > 1 else ""
        yield f"signed off by {signed[-1]['reviewer']} {minute(signed[-1]['at'])} UTC{before}"


def minute(at: str | None) -> str:
    """A time to the minute, "…" where it is open."""
    return f"{at[:10]} {at[11:16]}" if at else "…"


def edition(told: Doc) -> str:
    """A framework's title with its edition, unless the title ends with it."""
    title = str(told["title"])
    return title if title.endswith(str(told["edition"])) else f"{title}, edition {told['edition']}"


def framework_sentence(told: Doc) -> str:
    """A framework in one sentence: how many controls have which result."""
    if told["left_off"]:
        return f"{edition(told)} ({told['id']}): {told['left_off']}"
    counts = ", ".join(f"{count:,} {word}" for word, count in told["counts"].items() if count)
    return f"{edition(told)} ({told['id']}): {counts or 'nothing to assess'}"


def framework_lines(told: Doc) -> Iterator[str]:
    """A framework's results as bars, then the controls with the most open findings."""
    yield f"{told['id']}: {len(told['controls']):,} {told['reading']} of {told['publisher']}"
    if told["left_off"]:
        yield f"✗ {told['left_off']}"
        return
    most = max(told["counts"].values(), default=0) or 1
    for word, count in told["counts"].items():
        drawn = "█" * max(round(BAR * count / most), 1 if count else 0)
        said = told["words"].get(word, "") if told["reading"] == "threats" else ""
        yield f"{MARKS[word]} {SHORT[word]:<22}{count:>5,}  {drawn}" + (f"  said as “{said}”" if said else "")
    worst = sorted((one for one in told["controls"] if one["open"]), key=lambda one: -one["open"])[:5]
    if worst:
        yield ""
        yield "most open findings:"
        yield from (f"  {named(one)}: {one['open']:,}" for one in worst)
    by_hand = sum(len(some) for some in told.get("attestations", {}).values())
    if by_hand:
        yield f"{by_hand} attested by hand"


def named(control: Doc) -> str:
    """A control's id and title; where the publisher gives no title, the id alone."""
    return str(control["id"]) if control["title"] in ("", control["id"]) else f"{control['id']}  {control['title']}"


def population(control: Doc) -> str:
    """What was looked over, in the units of the detections that looked."""
    return ", ".join(f"{units:,} {name.replace('_', ' ')}" for name, units in control["population"].items()) or "nothing"


def exceptions(control: Doc) -> str:
    """How the findings of a control stand, or "none"."""
    told = (
        ("open", "open"),
        ("accepted", "accepted"),
        ("dismissed", "dismissed"),
        ("blind_spots", "blind spots, not counted"),
    )
    return ", ".join(f"{control[name]:,} {said}" for name, said in told if control[name]) or "none"


def control_sentence(control: Doc) -> str:
    """A control in one sentence, for listings."""
    because = f"; {control['reason']}" if control["reason"] else ""
    return f"{named(control)}: {control['word']}; exceptions {exceptions(control)}; over {population(control)}{because}"


def control_lines(control: Doc) -> Iterator[str]:
    """All a pack says of a control: result, population, exceptions, what the evidence shows and does not show, attestations."""
    full = f" ({control['result']})" if control["word"] != control["result"] else ""
    yield f"── {MARKS[control['result']]} {control['word']}{full}"
    if control["reason"]:
        yield f"because {control['reason']}"
    if control["ran"]:
        yield f"population   {population(control)}"
        yield f"exceptions   {exceptions(control)}"
        if control["cannot_judge"]:
            yield f"not judged   {control['cannot_judge']:,} lacked a fact"
    if control["shows"]:
        yield f"shows        {control['shows']}"
    if control["does_not_show"]:
        yield f"not shown    {control['does_not_show']}"
    if control["ran"]:
        yield f"detections   {', '.join(control['ran'])}"
    if control["not_run"]:
        yield f"did not run  {', '.join(control['not_run'])}"
    for one in control["lacking"]:
        yield f"lacking      {one}"
    for one in control["attestations"]:
        asserted = f" (asserted; {one['by']} acted)" if one["asserted"] else ""
        yield f"» attested {one['at']} by {one['reviewer']}{asserted}: {one['text']}"
    found = control["exceptions"]
    for one in found[:LISTED]:
        yield finding_sentence(one)
    if len(found) > LISTED:
        yield f"… and {len(found) - LISTED:,} more findings"


def finding_sentence(finding: Doc) -> str:
    kind = "▒ blind spot" if finding["blind_spot"] else f"{finding['severity']}, {finding['state']}"
    return f"{finding['detection']} {finding['why']} ({kind}; {finding['id']})"


def finding_lines(finding: Doc) -> Iterator[str]:
    """All that is said of a finding before its chain is walked."""
    kind = "▒ blind spot" if finding["blind_spot"] else f"── {finding['severity']}"
    yield f"{kind} {finding['detection']} {finding['title']}, {finding['state']}"
    yield finding["why"]
    yield f"at     {finding['at'] or 'an unknown time'}"
    yield f"task   {finding['task_title'] or finding['task'] or 'no task is known'}"
    for ref in finding["evidence"]:
        yield f"record {place(ref)}  sha256 {ref['digest'][:16]}…"
    for one in finding["history"]:
        own = "  ! a self-review" if one["own"] else ""
        yield f"{one['at']} {one['verdict']} by {one['reviewer']}: {one['reason']}{own}"
    risk = finding["accepted"]
    if risk:
        ended = "expired" if risk["expired"] else "until"
        yield f"risk accepted by {risk['owner']} ({risk['ticket']}), {ended} {risk['expires']}: {risk['reason']}"
    if finding["remedy"]:
        yield f"put right: {remedy_words(finding['remedy'])}"


def sign_off_lines(state: Doc) -> Iterator[str]:
    """What a sign-off rests on: who signs, what keeps reviewer and reviewed apart, what nobody looked at."""
    yield f"signer                {state['signer']}"
    yield f"separation of duties  {state['separation']}"
    if state["own_tasks"]:
        yield f"! {state['signer']} signs for {state['own_tasks']:,} of {how_many(state['tasks'], 'task')} whose agent acted for {state['signer']}"
    yield f"self-reviews          {state['self_reviews_total']:,}"
    for one in state["self_reviews"]:
        yield f"! {one['reviewer']} judged {one['kind']} {one['subject']} {one['verdict']}; its agent acted for them"
    if state["self_reviews_total"] > len(state["self_reviews"]):
        yield f"… and {state['self_reviews_total'] - len(state['self_reviews']):,} more"
    yield f"not yet judged        {state['unreviewed']:,} of {how_many(state['findings'], 'finding')}"
    journal = state["journal"]
    yield f"review journal        {journal['entries']:,} entries, head {journal['head'][:16] or 'none'}"
    for one in state["signed"]:
        yield f"signed {one['at']} by {one['reviewer']}" + (" (asserted)" if one["asserted"] else "")
