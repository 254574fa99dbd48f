"""The tour of the dashboard: what each place is for, in the order in which a reviewer meets them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from review import locations


@dataclass(frozen=True, slots=True)
class Stop:
    """One place: its name, a title, a paragraph, and the actions that matter there with what they do."""

    place: str
    title: str
    text: str
    keys: tuple[tuple[str, str], ...]


STOPS: tuple[Stop, ...] = (
    Stop(
        "queue",
        "The queue: which task needs a person",
        "Each row is one task of a coding agent, put together from every log that saw it. The riskiest stands first; the line "
        "below the rows says why, factor by factor. The column `seen by` tells who witnessed it: the agent, an enforcer, the "
        "target, a witness. A dot is a log that saw nothing, which is not the same as nothing having happened.",
        (
            ("queue.open", "walk the chain of a task"),
            ("queue.filter", "narrow: agent:codex risk:>60 -verdict:*"),
            ("queue.verdict", "judge it, with a reason"),
        ),
    ),
    Stop(
        "task",
        "The task: intent, decision, credential, action, effect",
        "A task is walked step by step. Each step shows who decided on it, with which credential it was done, and whether its "
        "effect was seen at the target. Where a piece is missing the gap is drawn, with the reason. Below stands the evidence: "
        "each line leads back to a record, its source and its line.",
        (
            ("task.next-finding", "the next step with a finding"),
            ("task.raw", "the record itself, redacted"),
            ("task.links", "why these records stand together"),
            ("task.authorised", "what the agent was allowed to do at that moment"),
        ),
    ),
    Stop(
        "policy",
        "The policy studio: what would another rule have done?",
        "A draft is run against the whole history while it is typed. Nothing is put in force by typing: what would be newly "
        "denied, newly allowed, or cannot be judged is listed first, step by step.",
        (
            ("policy.edit", "into the text"),
            ("policy.flips", "to the list of what would change"),
            ("policy.save", "keep a version"),
        ),
    ),
    Stop(
        "credentials",
        "Credentials: just in time, or standing?",
        "Every credential seen, with its life: asked for, issued, used, ended. Flags tell which outlived their task, were "
        "reused in another, or never expire.",
        (("credentials.open-task", "the task that used it last"),),
    ),
    Stop(
        "sources",
        "Sources: what the judgement rests on",
        "Every imported file reconciles: read = accepted + duplicate + rejected. Coverage tells when each enforcement point "
        "was watching; outside that time silence proves nothing.",
        (("sources.import-files", "import logs of your own"), ("sources.details", "what was refused and why")),
    ),
    Stop(
        "report",
        "Report: evidence somebody else can check",
        "Frameworks are assessed control by control, each result with what it shows and what it does not show. The pack is "
        "checked without Remit's database: `remit verify`.",
        (("report.export", "write the pack"),),
    ),
    Stop(
        "queue",
        "That is all of it",
        "Every action has a name in the palette, and every screen a command that prints the same. This tour can be taken again "
        "from the palette.",
        (
            ("everywhere.command", "any action by name"),
            ("everywhere.help", "the keys of the screen"),
            ("everywhere.jump", "letters over panes and rows"),
        ),
    ),
)


def _marker() -> Path:
    return locations.data_dir() / "tour-seen"


def was_offered() -> bool:
    return _marker().exists()


def note_offered() -> None:
    """Remember that the tour was offered; where that cannot be kept it is offered again."""
    try:
        _marker().parent.mkdir(parents=True, exist_ok=True)
        _marker().touch()
    except OSError:
        return
