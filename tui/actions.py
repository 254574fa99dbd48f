"""The one registry of actions: bindings, palette, help and the key sheet in the docs are generated from it."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do: its name, where (a scope), its keys, a label, a sentence, and whether the footer shows it.

    `name` is also the Textual action (`action_<name>` with dots and hyphens as underscores); `writes` marks what a
    read-only sitting refuses.
    """

    name: str
    scope: str
    keys: str
    label: str
    help: str
    footer: bool = False
    writes: bool = False

    @property
    def method(self) -> str:
        return self.name.replace("-", "_")

    @property
    def shown_keys(self) -> str:
        return " ".join(SHOWN.get(key, key) for key in self.keys.split(","))


SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "escape": "esc",
    "space": "space",
    "ctrl+@": "ctrl+space",
}

EVERYWHERE = "everywhere"
QUEUE = "queue"
TASK = "task"
POLICY = "policy"
SOURCES = "sources"
CREDENTIALS = "credentials"
REPORT = "report"
TABLE = "table"

ACTIONS: tuple[Action, ...] = (
    Action("go-queue", EVERYWHERE, "1", "Queue", "tasks by risk"),
    Action("go-policy", EVERYWHERE, "2", "Policy", "edit a policy and see at once what it would have done"),
    Action("go-credentials", EVERYWHERE, "3", "Credentials", "credential lifelines"),
    Action("go-sources", EVERYWHERE, "4", "Sources", "what was imported, reconciled, and what it covers"),
    Action("go-report", EVERYWHERE, "5", "Report", "assess frameworks and write an evidence pack"),
    Action("help", EVERYWHERE, "question_mark,f1", "Help", "the keys of this screen", footer=True),
    Action("command", EVERYWHERE, "colon,ctrl+p", "Command", "any action by name", footer=True),
    Action("back", EVERYWHERE, "escape,h", "Back", "leave this screen; the one before is as it was", footer=True),
    Action("quit", EVERYWHERE, "q,ctrl+q", "Quit", "leave Remit"),
    Action("filter", QUEUE, "slash", "Filter", "words are searched, field:value narrows, - negates", footer=True),
    Action("sort", QUEUE, "s", "Sort", "the next sort order: risk, started, title, agent, repository, steps", footer=True),
    Action("mark", QUEUE, "space", "Mark", "mark this task for a verdict on many"),
    Action("mark-range", QUEUE, "ctrl+@,V", "Mark range", "mark every task from the last marked to this one"),
    Action("unmark", QUEUE, "U", "Unmark", "take every mark away"),
    Action("verdict", QUEUE, "v", "Verdict", "judge this task, or all marked ones, with a reason", footer=True, writes=True),
    Action("refresh", QUEUE, "r,f5", "Refresh", "read the store again"),
    Action("copy", QUEUE, "y", "Copy", "copy the task's id"),
    Action("raw", TASK, "r", "Record", "the raw redacted records of this step, with source, line and digest", footer=True),
    Action("links", TASK, "l", "Links", "why this step's events stand together: key, kind, score, rivals", footer=True),
    Action("authorised", TASK, "t", "At this time", "what the agent was authorised to do at this step's time", footer=True),
    Action("next-finding", TASK, "n", "Next finding", "the next step with a finding", footer=True),
    Action("previous-finding", TASK, "N", "Previous finding", "the previous step with a finding"),
    Action("next-decision", TASK, "d", "Next decision", "the next step somebody decided on"),
    Action("next-credential", TASK, "c", "Next credential", "the next step that uses a credential"),
    Action("next-task", TASK, "right_square_bracket", "Next task", "the next task of the queue, without going back"),
    Action("previous-task", TASK, "left_square_bracket", "Previous task", "the previous task of the queue"),
    Action("open-child", TASK, "enter", "Open", "the sub-agent's own task, or this step's records"),
    Action("verdict", TASK, "v", "Verdict", "judge this task with a reason", footer=True, writes=True),
    Action("verdict-step", TASK, "V", "Verdict on step", "judge this step with a reason", writes=True),
    Action("copy", TASK, "y", "Copy", "copy the step's id"),
    Action("save", POLICY, "ctrl+s", "Save version", "keep this text as a version in the store", footer=True, writes=True),
    Action("open-file", POLICY, "ctrl+o", "Open file", "load a policy file", footer=True),
    Action("flips", POLICY, "f2", "Flips", "step between the editor and the list of flips", footer=True),
    Action("baseline", POLICY, "f3", "Baseline", "compare with recorded decisions or with the saved policy", footer=True),
    Action("next-problem", POLICY, "f4", "Next problem", "jump to the next diagnostic", footer=True),
    Action("import-files", SOURCES, "i", "Import", "read a file or folder into the store", footer=True, writes=True),
    Action("refresh", SOURCES, "r,f5", "Refresh", "read the store again"),
    Action("rejects", SOURCES, "enter", "Rejected", "the rejected records of this source"),
    Action("refresh", CREDENTIALS, "r,f5", "Refresh", "read the store again"),
    Action("toggle", REPORT, "space", "Choose", "choose or drop this framework", footer=True),
    Action("export", REPORT, "e", "Export", "write the evidence pack to a folder", footer=True, writes=True),
)


def of_scope(scope: str) -> tuple[Action, ...]:
    return tuple(action for action in ACTIONS if action.scope == scope)


def bindings(scope: str, *, priority: bool = False) -> list[BindingType]:
    """Textual bindings of a scope; ids are `scope.name` so that a key map can rebind them."""
    return [
        Binding(
            action.keys,
            action.method,
            action.label,
            show=action.footer,
            tooltip=action.help,
            id=f"{scope}.{action.name}",
            priority=priority,
        )
        for action in of_scope(scope)
    ]
