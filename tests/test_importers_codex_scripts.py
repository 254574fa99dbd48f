"""Commands that a Codex script spells out, told where no record of their own tells of them."""

from __future__ import annotations

import pytest

from importers.codex import IMPORTER
from importers.codex_scripts import script_runs
from model.event import Key
from model.words import Effect, KeyRole, Phase, Tri, Verb
from tests.test_importers_codex import item, message


@pytest.mark.parametrize(
    ("source", "commands"),
    [
        ('const r = await tools.exec_command({cmd:"git push \\"a b\\" && ls","workdir":"/srv"}); text(r.output);', ['git push "a b" && ls']),
        ("await tools['shell_command']({command: ['bash', '-lc', 'make x']})", ["make x"]),
        ("text(`${await tools.exec_command({cmd:'git clean -fdx'})}`)", ["git clean -fdx"]),
        ("const cmds = ['a', \"b\"];\nawait Promise.all(cmds.map(async (cmd) => tools.exec_command({cmd, tty: true})));", ["a", "b"]),
        ("for (const one of ['a', 'b']) { await tools.exec_command({cmd: one}); }", ["a", "b"]),
        ("let dir = '/a';\ndir = '/b' + '/c'; // dir = '/d'\ntools.exec_command({cmd: `ls ${dir} ${other}`})", ["ls /b/c ${other}"]),
        ("tools.exec_command({cmd: String.raw`grep '\\d' x`}); tools.exec_command({cmd: ['cd x', 'make'].join(' && ')})",
         ["grep '\\d' x", "cd x && make"]),
        ("tools.write_stdin({session_id: 7, chars: 'yes\\n'}); tools.write_stdin({session_id: 7, chars: ''})", ["yes\n"]),
        ("tools.apply_patch('*** Begin Patch'); tools.exec_command({cmd: made(at.run.time)}); tools.exec_command(...all)", []),
        ("// tools.exec_command({cmd: 'a'})\ntext('tools.exec_command({cmd: 1})'); text(tools); ALL_TOOLS.filter(x => x.name)", []),
        ("tools.exec_command({cmd: 'never ends", []),
    ],
)  # fmt: skip
def test_a_script_whose_commands_no_record_tells_of_says_them_itself(source: str, commands: list[str]) -> None:
    reader = IMPORTER.open()
    (asked,) = reader.read(item("custom_tool_call", name="exec", call_id="c", input=source)).events
    came_back = reader.read(
        item("custom_tool_call_output", call_id="c", output=[{"type": "input_text", "text": "Script failed"}])
    ).events
    calls = [event for event in came_back if event.phase is Phase.CALL]
    assert [event.attrs["command"] for event in calls] == commands
    assert [event.first_key(KeyRole.CALL) for event in calls] == [
        Key(KeyRole.CALL, "call", f"c/{n + 1}") for n in range(len(commands))
    ]
    ends = [event for event in came_back if event.phase is Phase.RESULT]
    assert [event.outcome.tool for event in ends if event.outcome] == [Tri.NO] * (2 if len(commands) == 1 else 1)
    assert asked.operations and not asked.operations[0].certain


def test_a_scripts_command_that_has_a_record_is_told_once() -> None:
    reader = IMPORTER.open()
    script = {"name": "exec", "input": "await tools.exec_command({cmd: 'git push'})"}
    done = {"type": "CommandExecution", "id": "exec-1", "command": ["bash", "-lc", "git push"], "status": "completed"}
    back = {"output": [{"type": "input_text", "text": "Script completed"}]}
    told = [
        event
        for one in (
            item("custom_tool_call", call_id="a", **script),
            message("item_completed", item=done),
            item("custom_tool_call_output", call_id="a", **back),
            item("custom_tool_call", call_id="b", **script),
            item("custom_tool_call_output", call_id="b", **back),
        )
        for event in reader.read(one).events
    ]
    assert [event.attrs.get("command") for event in told if event.phase is Phase.CALL] == [None, "git push", None, "git push"]


def test_the_refusal_of_a_scripts_only_command_is_the_commands() -> None:
    reader = IMPORTER.open()
    reader.read(item("custom_tool_call", name="exec", call_id="c", input="await tools.exec_command({cmd: 'rm -rf build'})"))
    said = 'Script error:\nexec_command failed: CreateProcess { message: "Rejected(\\"rejected by user\\")" }'
    parts = [{"type": "input_text", "text": one} for one in ("Script failed\nOutput:\n", said)]
    asked, end, verdict, script = reader.read(item("custom_tool_call_output", call_id="c", output=parts)).events
    assert (asked.attrs["command"], end.attrs["refused"]) == ("rm -rf build", "user")
    assert verdict.decision and verdict.decision.effect is Effect.DENY and verdict.keys == end.keys == asked.keys != script.keys
    assert "refused" not in script.attrs and script.outcome and script.outcome.tool is Tri.NO


@pytest.mark.parametrize(
    "source",
    [
        "tools" + "([{" * 30_000, "tools" + "x=[" * 30_000, "tools;x='aa';" + "x=x+x;" * 10_000, "tools;" + "`${" * 30_000,
        "tools;x='" + "a" * 50_000 + "';" + "y=`${x}${x}`;x=`${y}${y}`;" * 1_000, "tools;x=['a'];" + "x=[x,x,x].join('');" * 5_000,
    ],
)  # fmt: skip
def test_a_script_made_to_be_slow_is_given_up(source: str) -> None:
    assert script_runs(source) == []


def test_what_a_script_looks_up_in_the_web_is_told() -> None:
    source = (
        'const r = await tools.web__run({search_query: [{q: "go 1.24"}, {q: made()}], '
        'open: [{ref_id: "https://docs.example.org/a"}, {ref_id: "turn0search1"}]}); text(r);'
    )
    assert [(tool, act.verb, act.target.name, act.target.detail) for tool, act in script_runs(source)] == [
        ("web__run", Verb.HTTP_REQUEST, "", "go 1.24"),
        ("web__run", Verb.HTTP_REQUEST, "docs.example.org", ""),
    ]
    assert script_runs("tools.web__run(7); tools.web__run({open: 1})") == []
