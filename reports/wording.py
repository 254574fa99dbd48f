"""The sentences a report is made of: meanings of words, method, limits. Data for `assemble`, kept apart to be read as prose."""

from __future__ import annotations

from model.words import ResultWord
from reports.document import ResultMeaning, Term

MEANINGS = [
    ResultMeaning(
        ResultWord.EXCEPTIONS.value,
        "observed",
        "At least one finding that speaks to the control stands, open or accepted. Dismissed findings stay listed and "
        "do not count.",
    ),
    ResultMeaning(
        ResultWord.NONE_FOUND.value,
        "not observed",
        "Every detection that ran for the control had its evidence and something to look at, and none found an exception. "
        "It is said of the covered population alone.",
    ),
    ResultMeaning(
        ResultWord.INSUFFICIENT.value,
        "not covered",
        "No finding stands, and at least one detection that ran lacked its evidence, had nothing to look at, or rests on an "
        "enforcement point that is expected and was not seen; or no detection that ran speaks to the control.",
    ),
    ResultMeaning(
        ResultWord.NOT_ASSESSABLE.value,
        "not covered",
        "Audit logs cannot show it; the reason is printed beside it.",
    ),
    ResultMeaning(
        ResultWord.NOT_IN_SCOPE.value,
        "not in scope",
        "A person took it out, or it does not bind in the stated role; the reason is printed beside it.",
    ),
]

TERMS = [
    Term(
        "record, event",
        "A record is one entry of an imported log, kept with its SHA-256; an event is one thing that it tells of.",
    ),
    Term(
        "step",
        "One action of an agent, with every event that tells of it: who asked, who decided, by which credential, what came of it.",
    ),
    Term("task", "The steps of one session, job or sub-agent, with the intent that was stated for them."),
    Term("enforcement point", "A program whose log was imported, because it decides on actions, carries them out or sees them."),
    Term(
        "vantage",
        "From where such a log is written: agent (the agent's own word), enforcer (what decides or issues credentials), target (what "
        "was acted on) or witness (somebody beside it).",
    ),
    Term("decision", "The answer of an enforcement point to one action: allow, deny or ask."),
    Term(
        "covered",
        "Of a moment: the log of a point that decides was being written then, so that a missing decision means something.",
    ),
    Term("blind spot", "What would be a finding if that log covered the moment. It is listed and never counted."),
    Term("not judged", "A detection applied and lacked a fact about the case. It counts neither as a finding nor as none."),
    Term(
        "population", "All steps, tasks, credentials, records or findings that a detection looks at; nothing is sampled for it."
    ),
    Term(
        "direct, partial, indicator",
        "How far imported evidence goes for a control: it shows the control at work or failing; it shows a part and other evidence is "
        "needed too; or it shows a pattern alone, whose absence proves nothing.",
    ),
    Term("exception", "A finding that stands: open, or accepted as a risk by a person until a date."),
]
"""In the order in which each rests on those before it."""

LINKING = [
    "Events that carry the same call identifier form one step; the same session, trace or job identifier forms one task.",
    "A credential ties its issuance to its uses; that two tasks used the same one never makes them one task.",
    "Links are exact (the same identifier in both records), derived (over a credential, hash, commit, pull request or ticket) "
    "or inferred (same principal, target and time, scored, with the rivals kept).",
    "An event whose best score lies below the inference threshold (section 10) belongs to no task; section 3 counts these.",
    "A finding that rests on something missing stands only where the log of a point that decides covers the moment; elsewhere it "
    "is a blind spot.",
]

AS_OF = (
    "The report shows what was known at the as-of moment: evidence that had happened by then, whenever it was imported, and what "
    "reviewers had said by the moment reviews count until. Coverage, tasks, credentials and findings for which something later "
    "matters are worked out again without it. Three things are not: which task a record belongs to and how far a clock is off, "
    "which a later record may have told, and the SHA-256 and size of a source, which are those of its file as last imported."
)

MAPPING_NOTE = (
    "The mapping of detections to controls is a proposal of this tool. No framework owner has reviewed it. An observation is "
    "relevant to a control; it proves neither that the control works nor that an attack took place."
)

VERIFY = [
    "Run `remit verify DIR` on this folder; it needs neither a database nor a network.",
    "Integrity: every file is listed in manifest.json with its SHA-256 and size, and the manifest has a root of its own. "
    "This shows that nothing changed since the pack was written, not who wrote it.",
    "The digest on the cover is what `sha256sum *.csv | sha256sum` prints in this folder; it ties this page to its tables.",
    "Completeness: the manifest and report.json each state how many records every table holds; the records are counted again.",
    "Who imported what and when, and the head of the review journal, are in custody.json alone; everything else depends on "
    "the set of records, the reviewers' words and the configuration.",
]

STATEMENT = (
    "I have read the coverage, the findings and the limits stated in this report. My signature confirms that reading and the "
    "verdicts recorded under my name, and nothing beyond them."
)

NO_CHANGES = "No earlier report was given to compare with."

UNENFORCED = (
    "Separation of duties is not enforced by this store: reviewers bear the names they gave themselves. Reviews of a person's "
    "own tasks are listed below."
)
ELSEWHERE = "This signature is about other frameworks, another period, another moment or other evidence than this report."
BY_ITS_TEXT = "Which report this signature is about only its text says."
UNREVIEWED = "Nobody gave a verdict, accepted a risk or signed off, so there were no duties to separate."
ENFORCED = "Reviewer identities come from the store's own log-in. Reviews of a person's own tasks are listed below."

SHARES = (
    ("Steps with a recorded decision", "decided_steps", "steps"),
    ("Steps at moments covered by the log of a point that decides", "covered_steps", "steps"),
    ("Steps at such moments with a recorded decision", "covered_decided_steps", "covered_steps"),
    ("Steps refused by a decision", "denied_steps", "steps"),
    ("Steps in which a credential was seen", "credentialed_steps", "steps"),
    ("Steps with a credential bound to their task", "task_bound_steps", "credentialed_steps"),
    ("Steps whose effect the target confirmed", "confirmed_steps", "steps"),
    ("Steps on which vantages disagree", "disputed_steps", "steps"),
    ("Credentials with an expiry", "credentials.expiring", "credentials"),
    ("Standing credentials", "credentials.standing", "credentials"),
)
"""Shares that every page prints: what, the figure counted, the figure it is a part of."""

STATES = (
    ("open", "nobody has judged it yet"),
    ("reopened", "judged on other evidence than stands now"),
    ("confirmed", "a reviewer found it outside the remit; it waits for remediation"),
    ("escalated", "a reviewer handed it to somebody else"),
    ("accepted", "an accepted exception in force covers it"),
    ("within-remit", "a reviewer found it within the remit"),
    ("false-positive", "a reviewer found the detection wrong"),
)
"""How findings stand, in the order of a review."""
