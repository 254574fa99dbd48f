"""The one registry of actions: bindings, palette, help and the key sheet in the docs are generated from it."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.action import ROW, Action
from tui.scopes import (
    COMMAND,
    COMMENTS,
    CONTROLS,
    CREDENTIALS,
    DIALOG,
    EVERYWHERE,
    FINDINGS,
    IMPORT,
    JUDGING,
    OVERVIEW,
    PANEL,
    POLICY,
    PROPOSALS,
    QUEUE,
    REPORT,
    SHEET,
    SIGNING,
    SOURCES,
    TABLE,
    TASK,
    TOUR,
    VERSIONS,
    VIEWS,
)

PRIORITY = frozenset({"ctrl+q"})
"""Keys that work whatever has the focus, dialogs included."""

FIXED = ".always"
"""Ends the id of a binding that no key map changes."""

ACTIONS: tuple[Action, ...] = (
    Action("go-overview", EVERYWHERE, "1", "Overview", "posture in figures, each one key from the rows behind it"),
    Action("go-queue", EVERYWHERE, "2", "Queue", "tasks by risk"),
    Action("go-policy", EVERYWHERE, "3", "Policy", "edit a policy and see at once what it would have done"),
    Action("go-credentials", EVERYWHERE, "4", "Credentials", "credential lifelines"),
    Action("go-sources", EVERYWHERE, "5", "Sources", "what was imported, reconciled, and what it covers"),
    Action("go-report", EVERYWHERE, "6", "Report", "assess frameworks and write an evidence pack"),
    Action("help", EVERYWHERE, "question_mark,f1", "Help", "the keys of this screen", footer=True),
    Action("command", EVERYWHERE, "colon,ctrl+p", "Command", "any action by name", footer=True),
    Action("back", EVERYWHERE, "escape,h", "Back", "leave this screen; the one before is as it was", footer=True),
    Action("jump", EVERYWHERE, "semicolon", "Jump", "letters over panes and rows; a letter goes there"),
    Action(
        "theme", EVERYWHERE, "", "Theme", "choose the colours; `theme` in the settings file keeps them", title="theme: choose"
    ),
    Action(
        "topics",
        EVERYWHERE,
        "",
        "Topics",
        "zero trust for agents, just-in-time access, MCP, secret rotation, each with this store's own figures",
        title="help: topics",
    ),
    Action("tour", EVERYWHERE, "", "Tour", "the places of the dashboard, one after the other", title="help: tour"),
    Action("messages", EVERYWHERE, "", "Messages", "what was said in passing during this sitting"),
    Action("suspend-process", EVERYWHERE, "ctrl+z", "Suspend", "back to the shell; `fg` returns"),
    Action("quit", EVERYWHERE, "q,ctrl+q,ctrl+c", "Quit", "leave Remit"),
    Action("open", OVERVIEW, "enter,l", "Rows", "the rows behind this figure; esc comes back to it", footer=True),
    Action("next", OVERVIEW, "down,j", "Next", "the next figure", call="move(1)"),
    Action("previous", OVERVIEW, "up,k", "Previous", "the figure before", call="move(-1)"),
    Action(
        "next-panel", OVERVIEW, "tab,right", "Next panel", "the first figure of the next panel", footer=True, call="panel_to(1)"
    ),
    Action("previous-panel", OVERVIEW, "shift+tab,left", "Previous panel", "the panel before", call="panel_to(-1)"),
    Action("first", OVERVIEW, "home,g", "First", "the first figure", call="end(-1)"),
    Action("last", OVERVIEW, "end,G", "Last", "the last figure", call="end(1)"),
    Action("refresh", OVERVIEW, "r,f5", "Refresh", "read the store again", footer=True),
    Action("copy", OVERVIEW, "y", "Copy", "copy the command that prints the rows behind this figure"),
    Action("open", QUEUE, "enter,l", "Walk", "walk the chain of this task", footer=True, needs=ROW),
    Action("filter", QUEUE, "slash", "Filter", "words are searched, field:value narrows; esc clears", footer=True),
    Action("sort", QUEUE, "s", "Sort", "the next order; a column's own key, or a click on its heading, sorts by it", footer=True),
    *(
        Action(f"sort-{name}", QUEUE, key, f"By {name}", f"sort by {name}; again turns it round", call=f"sort_by('{order}')")
        for name, key, order in (
            ("risk", "R", "risk"),
            ("findings", "F", "findings"),
            ("task", "T", "title"),
            ("agent", "A", "agent"),
            ("who", "W", "principal"),
            ("repository", "O", "repository"),
            ("environment", "E", "environment"),
            ("start", "D", "started"),
            ("steps", "S", "steps"),
            ("review", "X", "state"),
        )
    ),
    Action(
        "facets", QUEUE, "f", "Facets", "to the values with counts beside the tasks: enter narrows, - leaves out, esc returns"
    ),
    Action("leave-out", QUEUE, "minus", "Leave out", "tasks with the facet's value under the cursor are left out"),
    Action("views", QUEUE, "w", "Views", "saved filters with their order; keep the present one under a name"),
    Action("mark", QUEUE, "space", "Mark", "mark this task for a verdict on many", needs=ROW),
    Action("mark-range", QUEUE, "ctrl+@,V", "Mark range", "mark every task from the last marked to this one", needs=ROW),
    Action("mark-all", QUEUE, "asterisk", "Mark all", "mark every task of this list", needs=ROW),
    Action("unmark", QUEUE, "U", "Unmark", "take every mark away"),
    Action(
        "verdict",
        QUEUE,
        "v",
        "Verdict",
        "judge this task, or all marked ones, with a reason",
        footer=True,
        writes=True,
        needs=ROW,
    ),
    Action("assign", QUEUE, "a", "Assign", "who looks after this task, or all marked ones", writes=True, needs=ROW),
    Action("undo", QUEUE, "u", "Undo", "withdraw what you judged last in this sitting, one task or many", writes=True),
    Action("export", QUEUE, "e", "Export", "write the tasks of this list to a .csv, .jsonl or .md file"),
    Action("refresh", QUEUE, "r,f5", "Refresh", "read the store again"),
    Action("copy", QUEUE, "y", "Copy", "copy the task's id", needs=ROW),
    Action("open-child", TASK, "enter", "Open", "the sub-agent's own task, repeated steps one by one, or this step's records"),
    Action(
        "fold", TASK, "space", "Fold", "unfold a sub-agent's steps or repeated steps in place, or fold them again", footer=True
    ),
    Action("fold-all", TASK, "z", "Fold all", "every group of repeated steps unfolded, or folded again"),
    Action(
        "raw",
        TASK,
        "r",
        "Record",
        "the raw redacted records of this step with source, line and digest; » marks the fields Remit used",
        footer=True,
        needs=ROW,
    ),
    Action("changes", TASK, "f", "Changes", "what this step changes in files, as a diff", needs=ROW),
    Action("links", TASK, "l", "Links", "why this step's events stand together: key, kind, score, rivals", needs=ROW),
    Action(
        "authorised",
        TASK,
        "t",
        "At this time",
        "what the agent was authorised to do at this step, or where the time cursor stands",
    ),
    Action(
        "later",
        TASK,
        "full_stop",
        "Later",
        "the time cursor to the next moment at which something changed; esc puts it back on the step",
    ),
    Action("earlier", TASK, "comma", "Earlier", "the time cursor to the moment before"),
    Action(
        "at-time",
        TASK,
        "at",
        "At a time",
        "the time cursor to a time of your own: 14:02:11, a whole date and time, or a step's number",
    ),
    Action("delegation", TASK, "D", "Delegation", "who spawned whom with what authority, as a tree with the borders marked"),
    Action("search", TASK, "slash", "Search", "steps that hold a text; n and N walk the hits until esc clears them", footer=True),
    Action("next-finding", TASK, "n", "Next finding", "the next step with a finding, or the next hit of a search", footer=True),
    Action("previous-finding", TASK, "N", "Previous finding", "the previous step with a finding, or the previous hit"),
    Action("next-decision", TASK, "d", "Next decision", "the next step somebody decided on"),
    Action("next-credential", TASK, "c", "Next credential", "the next step that uses a credential"),
    Action("next-task", TASK, "right_square_bracket", "Next task", "the next task of the queue, without going back"),
    Action("previous-task", TASK, "left_square_bracket", "Previous task", "the previous task of the queue"),
    Action("verdict", TASK, "v", "Verdict", "judge this task with a reason; the next task opens", footer=True, writes=True),
    Action("verdict-step", TASK, "V", "Verdict on step", "judge this step with a reason", writes=True, needs=ROW),
    Action("verdict-finding", TASK, "F", "Verdict on finding", "judge a finding of this step with a reason", writes=True),
    Action(
        "withdraw",
        TASK,
        "u",
        "Undo verdict",
        "take back your last verdict on this task; the one before it stands again",
        writes=True,
    ),
    Action("accept-risk", TASK, "x", "Accept risk", "accept a finding's risk until a date, with owner and ticket", writes=True),
    Action(
        "remedy",
        TASK,
        "p",
        "Put right",
        "why a finding came about, who puts it right until when, what shows it done",
        writes=True,
    ),
    Action("assign", TASK, "a", "Assign", "who looks after this task", writes=True),
    Action("comments", TASK, "C", "Comments", "what reviewers said of this task and its steps; say something"),
    Action(
        "reveal",
        TASK,
        "R",
        "Reveal",
        "kind and places of a secret that was replaced here; wants a reason, which is kept",
        writes=True,
    ),
    Action("propose", TASK, "m", "Propose a rule", "rules that catch this step and its like, with what each would have done"),
    Action("copy", TASK, "y", "Copy", "copy the step's id", needs=ROW),
    Action("edit", POLICY, "i", "Edit", "into the text", footer=True),
    Action("save", POLICY, "ctrl+s", "Save version", "keep this text as a version in the store", footer=True, writes=True),
    Action(
        "versions",
        POLICY,
        "v,f10",
        "Versions",
        "saved versions: what each would have done, put one in force, go back",
        footer=True,
    ),
    Action(
        "propose",
        POLICY,
        "m,f12",
        "Propose",
        "rules mined from verdicts and denials, or that catch this flip's step",
        footer=True,
    ),
    Action("open-file", POLICY, "ctrl+o", "Open file", "load a policy file"),
    Action("flips", POLICY, "f2", "Flips", "step between the editor and the list beside it", footer=True),
    Action(
        "view", POLICY, "f6", "List", "the next list: flips, all figures in sentences, rules, framework controls", footer=True
    ),
    Action("rule", POLICY, "r,f7", "Rule", "into the text, at the rule that decides this flip"),
    Action("format", POLICY, "f9", "Language", "the language of the draft: Remit's own, Cedar, Rego, or an agent's own rules"),
    Action("baseline", POLICY, "f3", "Baseline", "compare with recorded decisions or with the saved policy", footer=True),
    Action("complete", POLICY, "ctrl+@,f8", "Complete", "offer names, functions and values seen in the history at the cursor"),
    Action("referee", POLICY, "f5", "Referee", "a second engine judges every request shape too; where it disagrees is listed"),
    Action("next-problem", POLICY, "f4", "Next problem", "jump to the next diagnostic", footer=True),
    Action("text-start", POLICY, "ctrl+home", "Beginning", "to the beginning of the text"),
    Action("text-end", POLICY, "ctrl+end", "End", "to the end of the text"),
    Action("draft", VERSIONS, "enter,l", "Into the draft", "edit this version in the studio", footer=True),
    Action(
        "view", VERSIONS, "d", "View", "its dry-run, what it changed, what it changes in the one in force, its text", footer=True
    ),
    Action(
        "promote", VERSIONS, "p", "Put in force", "this version is in force from now on; wants a reason", footer=True, writes=True
    ),
    Action(
        "rollback", VERSIONS, "b", "Roll back", "the version before is in force again; wants a reason", footer=True, writes=True
    ),
    Action(
        "take",
        PROPOSALS,
        "enter,l",
        "Into the draft",
        "put this rule into the draft of the studio; nothing else happens",
        footer=True,
    ),
    Action(
        "dry-run", PROPOSALS, "d", "Dry-run", "what this rule would change in the draft, or in the policy in force", footer=True
    ),
    Action("source", PROPOSALS, "s", "Source", "the next source: verdicts, denials, standing credentials, the step", footer=True),
    Action("effect", PROPOSALS, "e", "Effect", "what rules that catch a step do: deny, ask, allow", footer=True),
    Action("import-files", SOURCES, "i", "Import", "choose files, see what they would add, read them", footer=True, writes=True),
    Action("finished", SOURCES, "L", "Imports", "the imports of this sitting: what came of each, what was refused and why"),
    Action(
        "details",
        SOURCES,
        "enter",
        "Details",
        "how this source reconciles: rejected records, gaps, clock; or the coverage again",
        footer=True,
        needs=ROW,
    ),
    Action(
        "tell-by",
        SOURCES,
        "b",
        "By",
        "coverage by enforcement point, else the governed share by agent, team or week",
        footer=True,
    ),
    Action("export", SOURCES, "e", "Export", "write the rows of this list to a .csv, .jsonl or .md file"),
    Action("refresh", SOURCES, "r,f5", "Refresh", "read the store again"),
    Action("copy", SOURCES, "y", "Copy", "copy the source's id", needs=ROW),
    Action("open", IMPORT, "enter,l", "Open", "open or close this folder; a file: see what it would add", footer=True),
    Action("mark", IMPORT, "space", "Mark", "mark this file or folder", footer=True),
    Action(
        "preview",
        IMPORT,
        "p",
        "Preview",
        "what the marked files, or this one, would add to the store; nothing is written",
        footer=True,
    ),
    Action("begin", IMPORT, "i", "Import", "read the marked files, or this one, into the store", footer=True, writes=True),
    Action(
        "follow",
        IMPORT,
        "f",
        "Follow",
        "import them and go on with what is written to them until stopped",
        footer=True,
        writes=True,
    ),
    Action("stop", IMPORT, "s", "Stop", "end the import or preview; what was read is kept", footer=True),
    Action("path", IMPORT, "slash", "Path", "type a path: tab completes, enter goes there or marks the file"),
    Action("folder-up", IMPORT, "minus,backspace", "Up", "begin the tree one folder higher"),
    Action("hidden", IMPORT, "full_stop", "Hidden", "show or leave out what begins with a dot"),
    Action("recent", IMPORT, "R", "Recent", "what was imported before and is still there, or the tree again"),
    Action("finished", IMPORT, "L", "Imports", "the imports of this sitting: what came of each, what was refused and why"),
    Action(
        "open-task",
        CREDENTIALS,
        "enter,l",
        "Walk",
        "walk the task that used it last, or that was issued it",
        footer=True,
        needs=ROW,
    ),
    Action("export", CREDENTIALS, "e", "Export", "write the rows of this list to a .csv, .jsonl or .md file"),
    Action("refresh", CREDENTIALS, "r,f5", "Refresh", "read the store again"),
    Action("copy", CREDENTIALS, "y", "Copy", "copy the credential's id", needs=ROW),
    Action("open", REPORT, "enter,l", "Controls", "the controls of this framework, each with its result", footer=True, needs=ROW),
    Action(
        "choose", REPORT, "space", "Choose", "choose or drop this framework; the choice is remembered", footer=True, needs=ROW
    ),
    Action("period", REPORT, "p", "Period", "from, to and as of: which evidence is told of, and as it stood when", footer=True),
    Action(
        "sign-off", REPORT, "s", "Sign off", "what a sign-off states and rests on; then it is kept in the journal", writes=True
    ),
    Action("export", REPORT, "e", "Export", "write the evidence pack to a folder", footer=True, writes=True),
    Action("stop", REPORT, "x", "Stop", "end the pack that is being written; nothing of it stays"),
    Action("refresh", REPORT, "r,f5", "Refresh", "read the store and assess again"),
    Action("copy", REPORT, "y", "Copy", "copy the command that prints this framework's results", needs=ROW),
    Action("open", CONTROLS, "enter,l", "Findings", "the findings that speak to this control", footer=True, needs=ROW),
    Action("result", CONTROLS, "f", "Result", "only controls with one of the results, with counts", footer=True),
    Action("search", CONTROLS, "slash", "Search", "only controls whose id, title or result holds these words", footer=True),
    Action(
        "attest",
        CONTROLS,
        "a",
        "Attest",
        "state something of this control by hand; it changes no result",
        footer=True,
        writes=True,
        needs=ROW,
    ),
    Action("next-exception", CONTROLS, "n", "Next exception", "the next control with exceptions"),
    Action("previous-exception", CONTROLS, "N", "Previous exception", "the one before"),
    Action("next-framework", CONTROLS, "right_square_bracket", "Next framework", "the next chosen framework"),
    Action("previous-framework", CONTROLS, "left_square_bracket", "Previous framework", "the chosen framework before"),
    Action("export", CONTROLS, "e", "Export", "write the rows of this list to a .csv, .jsonl or .md file"),
    Action("refresh", CONTROLS, "r,f5", "Refresh", "read the store and assess again"),
    Action("copy", CONTROLS, "y", "Copy", "copy the command that prints this control", needs=ROW),
    Action(
        "open", FINDINGS, "enter,l", "Walk", "walk the chain of this finding's task, standing on its step", footer=True, needs=ROW
    ),
    Action(
        "record",
        FINDINGS,
        "r",
        "Record",
        "the raw redacted records this finding rests on, or what is said of it again",
        footer=True,
        needs=ROW,
    ),
    Action(
        "remedy",
        FINDINGS,
        "p",
        "Put right",
        "why this finding came about, who puts it right until when, what shows it done",
        writes=True,
        needs=ROW,
    ),
    Action("export", FINDINGS, "e", "Export", "write the rows of this list to a .csv, .jsonl or .md file"),
    Action("refresh", FINDINGS, "f5", "Refresh", "read the store and assess again"),
    Action("copy", FINDINGS, "y", "Copy", "copy the finding's id", needs=ROW),
    Action("down", TABLE, "down,j", "Down", "one row down", call="move(1)"),
    Action("up", TABLE, "up,k", "Up", "one row up", call="move(-1)"),
    Action("page-down", TABLE, "pagedown,ctrl+f", "Page down", "one page down", call="page(1)"),
    Action("page-up", TABLE, "pageup,ctrl+b", "Page up", "one page up", call="page(-1)"),
    Action("half-down", TABLE, "ctrl+d", "Half page down", "half a page down", call="page(0.5)"),
    Action("half-up", TABLE, "ctrl+u", "Half page up", "half a page up", call="page(-0.5)"),
    Action("first", TABLE, "home,g", "First", "the first row", call="go(0)"),
    Action("last", TABLE, "end,G", "Last", "the last row", call="go(-1)"),
    Action("choose", TABLE, "enter", "Open", "open this row"),
    Action("copy-json", TABLE, "Y", "Copy as JSON", "copy what this row is of, as one JSON document", needs=ROW),
    Action("close", DIALOG, "escape,ctrl+c", "Close", "leave the dialog; nothing was done", call="dismiss"),
    Action("suspend-process", DIALOG, "ctrl+z", "Suspend", "back to the shell; `fg` returns to the dialog"),
    Action("older", JUDGING, "up", "Older reason", "a reason you gave before", call="recent(1)"),
    Action("newer", JUDGING, "down", "Newer reason", "a reason you gave later than that", call="recent(-1)"),
    Action("within", JUDGING, "w", "Within remit", "authorised and stayed inside", call="choose('within-remit')"),
    Action("outside", JUDGING, "o", "Outside remit", "confirmed harm or breach", call="choose('outside-remit')"),
    Action("escalate", JUDGING, "e", "Escalate", "somebody else must look", call="choose('escalate')"),
    Action("false", JUDGING, "f", "False positive", "the finding is wrong", call="choose('false-positive')"),
    Action("record", COMMENTS, "ctrl+s", "Record", "keep the comment that was written"),
    Action("about", COMMENTS, "ctrl+t", "About", "the comment is about the task, or about its step under the cursor"),
    Action("panel-down", PANEL, "J", "Panel down", "scroll the text beside or below the list", call="panel(1)"),
    Action("panel-up", PANEL, "K", "Panel up", "scroll it up", call="panel(-1)"),
    Action("close", SHEET, "q,h,enter,question_mark,f1,f5", "Close", "back to the screen", call="dismiss"),
    Action("down", SHEET, "j,down", "Down", "scroll down", call="turn(1)"),
    Action("up", SHEET, "k,up", "Up", "scroll up", call="turn(-1)"),
    Action("next", COMMAND, "down,ctrl+n", "Next", "the next of those found", call="move(1)"),
    Action("previous", COMMAND, "up,ctrl+p", "Previous", "the one before", call="move(-1)"),
    Action("forget", VIEWS, "delete", "Forget", "the view under the cursor is kept no longer"),
    Action("down", SIGNING, "down,pagedown", "Down", "scroll what the sign-off rests on", call="turn(1)"),
    Action("up", SIGNING, "up,pageup", "Up", "scroll it up", call="turn(-1)"),
    Action("next", TOUR, "enter,space,right,n", "Next", "the next stop of the tour", call="turn(1)"),
    Action("previous", TOUR, "left,p", "Previous", "the stop before", call="turn(-1)"),
)


def of_scope(scope: str, actions: tuple[Action, ...] = ACTIONS) -> tuple[Action, ...]:
    return tuple(action for action in actions if action.scope == scope)


def bindings(*scopes: str) -> list[BindingType]:
    """Textual bindings of these scopes; ids are `scope.name` so that a key map can rebind them. Those of PRIORITY keys are fixed."""
    made: list[BindingType] = []
    for action in (one for scope in scopes for one in of_scope(scope)):
        keys = action.keys.split(",")
        for priority in (False, True):
            some = ",".join(key for key in keys if key and (key in PRIORITY) is priority)
            if some:
                id = f"{action.id}{FIXED}" if priority else action.id
                made.append(Binding(some, action.run, action.label, show=False, tooltip=action.help, id=id, priority=priority))
    return made
