"""A team's store divided by team: who sees whose tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lang.counted import count
from review.documents import Doc
from review.workspace import Workspace
from store.teams import EVERYTHING

NONE_SEEN = "None that you see."
UNOWNED = "-"
"""How the tasks of no team are called where a team is asked for."""

NAMED_MOST = 2
"""Teams that the line above a screen names."""


def teams(work: Workspace) -> Doc:
    """Whether the store is divided, its teams with their tasks, who was granted which, and what the one asking sees.

    `team` is null for tasks whose owner is not known; `you_see` is null for everything.
    """
    found = work.store.division()
    return {
        "divided": found.on,
        "login": work.store.identity(),
        "you_see": None if found.mine is None else [_word(team) for team in found.mine],
        "teams": [{"team": team or None, "tasks": tasks} for team, tasks in found.teams],
        "granted": [{"login": login, "team": _word(team)} for login, team in found.granted],
    }


def divide(work: Workspace, progress: Callable[[int], None] | None = None) -> Doc:
    """Have each reader see the tasks of its teams alone."""
    return {"divided": True, "filled": work.store.divide(progress)}


def undivide(work: Workspace) -> Doc:
    """Have every reader see everything again."""
    work.store.undivide()
    return {"divided": False}


def show(work: Workspace, team: str, login: str, *, revoke: bool = False) -> Doc:
    """Let a login see a team's tasks (`-`: those of none, `*`: everything), or no longer; `tasks` is how many the team has, 0 where its name is misspelt."""
    name = "" if team == UNOWNED else team
    work.store.show_team(name, login, revoke=revoke)
    tasks = dict(work.store.division().teams)
    return {
        "team": team,
        "login": login,
        "revoked": revoke,
        "tasks": sum(tasks.values()) if team == EVERYTHING else tasks.get(name, 0),
    }


def sight(work: Workspace) -> list[str] | None:
    """The teams whose tasks alone the one asking sees; None for everything."""
    mine = work.store.sees()
    return None if mine is None else [_word(team) for team in mine]


def untold(work: Workspace) -> str:
    """Why what is of no one task (events of none, samples, attestations) is not listed to this login, "" where it is."""
    mine = work.store.sees()
    if mine is None or "" in mine:
        return ""
    return f"what is of no team's task is not told to {work.identity}, who sees some teams alone (`remit store teams`)"


def alone(seen: Sequence[str] | None) -> str:
    """What follows a count of tasks where these teams' alone are counted, "" where all are."""
    if seen is None:
        return ""
    if not seen:
        return "of the teams you are granted, which are none"
    told = ["no team" if team == UNOWNED else f"team {team}" for team in seen]
    return f"of {' and '.join(told) if len(told) <= NAMED_MOST else f'{len(told)} teams'} alone"


def _word(team: str) -> str:
    return team or UNOWNED


def words(found: Doc) -> list[str]:
    """What `teams` found, a line each."""
    mine = found["you_see"]
    state = "divided by team" if found["divided"] else "not divided: every reader sees everything (`remit store teams --on`)"
    lines = [f"this store is {state}"]
    lines += [f"{one['team'] or 'no team'}: {count(one['tasks'], 'task')}" for one in found["teams"]]
    lines += [f"{one['login']} sees {named(one['team'])}" for one in found["granted"]]
    seen = "everything" if mine is None else ", ".join(named(team) for team in mine) or "no tasks"
    return [*lines, f"you are {found['login']} and see {seen}"]


def named(team: str) -> str:
    """A team's tasks in words."""
    return {EVERYTHING: "everything", UNOWNED: "tasks of no team"}.get(team, f"tasks of {team}")
