"""What the tools of coding agents do, told by their names where nothing else tells it."""

from __future__ import annotations

import pytest

from importers.shared.agent_tools import act_of
from importers.shared.tool_calls import tool_verb
from model.words import Verb


@pytest.mark.parametrize(
    ("names", "verb"),
    [
        ("Bash run_in_terminal RunTests run_build run_task create_and_run_task runNotebookCell", Verb.EXEC),
        ("Read get_file getErrors get_changed_files list_code_usages get_files_in_project code_search", Verb.FILE_READ),
        ("Write apply_patch insert_edit_into_file", Verb.FILE_WRITE),
        ("remove_file", Verb.FILE_DELETE),
        ("generalist browser_agent codebase_investigator", Verb.AGENT_SPAWN),
        ("tracker_create_task tracker_visualize agents_list tool_search", Verb.AGENT_MESSAGE),
        ("browser_get_storage browser_set_storage browser_start_recording", Verb.HTTP_REQUEST),
        ("list_background_processes read_background_output", Verb.EXEC),
    ],
)
def test_tools_of_editors_are_known_by_name(names: str, verb: Verb) -> None:
    assert {name: tool_verb(name) for name in names.split()} == dict.fromkeys(names.split(), verb)


def test_a_name_nobody_knows_says_nothing() -> None:
    assert tool_verb("frobnicate") is None


@pytest.mark.parametrize("tool", ["python", "ipython", "run_ipython"])
def test_code_that_is_no_shells_is_no_command(tool: str) -> None:
    act = act_of(tool, {"code": "git = 1\nrm = 2"})
    assert (act.verb, act.attrs["command"], [one.verb for one in act.operations]) == (
        Verb.EXEC,
        "git = 1\nrm = 2",
        [Verb.UNKNOWN],
    )
    assert act_of(tool, {"command": "git push"}).operations == ()
