"""What SWE-agent trajectories say: the issue, commands and their outcomes, in order and once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from importers.swe_agent import IMPORTER
from model.event import BadRecord, Event, Outcome
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Tri, Verb
from tests.importer_checks import mutated, names, survives, whole


def says(role: str, content: str, **members: Any) -> dict[str, Any]:
    return {"role": role, "content": content, "agent": "primary", **members}


HISTORY = [
    says("system", "SETTING"),
    says("user", "a demonstration", is_demo=True),
    says("user", "fix the bug"),
    says("assistant", "I look", thought="I look", action="ls -F\n"),
    says("user", "a.py"),
    says("assistant", "I edit", thought="I edit", action="edit 1:1\nx\nend_of_edit"),
    says("user", "Your proposed edit has introduced new syntax error(s)."),
]
STEPS = [{"action": "ls -F\n", "observation": "a.py", "response": "", "state": '{"working_dir": "/testbed"}', "thought": ""}]
INFO = {"exit_status": "submitted", "submission": "diff"}


def read(*records: object) -> list[Event]:
    reader = IMPORTER.open()
    return [event for one in records for event in reader.read(one).events]


def test_whatever_comes_first_the_run_is_told_once() -> None:
    told = []
    for run in (
        {"environment": "e", "history": HISTORY, "trajectory": STEPS, "info": INFO},
        {"trajectory": STEPS, "history": HISTORY, "info": INFO},
    ):
        for text in (json.dumps(run), json.dumps(run, indent=1)):
            parsed, rejects = whole(text, "swe-agent")
            events = [event for one in parsed for event in one.events]
            assert not rejects
            told.append([(e.kind, e.phase, e.verb, e.text, e.attrs.get("command")) for e in events])
    assert all(one == told[0] for one in told)
    assert [one[1] for one in told[0]] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT, Phase.CALL, Phase.RESULT]
    assert told[0][1][3] == "fix the bug"
    assert told[0][2][2:] == (Verb.EXEC, "", "ls -F")
    assert told[0][4][2] is Verb.FILE_WRITE


def test_steps_alone_tell_the_question_and_the_folder() -> None:
    step = STEPS[0] | {"query": [says("system", "x"), says("user", "fix the bug")]}
    intent, call, done = [e for one in whole(json.dumps({"trajectory": [step]}), "swe-agent")[0] for e in one.events]
    assert (intent.text, call.attrs["cwd"], names(call, KeyRole.CALL)) == ("fix the bug", "/testbed", names(done, KeyRole.CALL))


def test_tool_calls_join_their_results_by_id() -> None:
    made = {"id": "c", "type": "function", "function": {"name": "bash", "arguments": '{"command": "make"}'}}
    call, done = read(
        says("assistant", "", tool_calls=[made], action="make"), says("tool", "EXECUTION TIMED OUT", tool_call_ids=["c"])
    )
    assert (call.attrs["command"], names(call, KeyRole.CALL)) == ("make", names(done, KeyRole.CALL))
    assert done.outcome is not None
    assert done.outcome.tool is Tri.NO
    assert (call.at, call.clock) == (None, Clock.ORDER_ONLY)


def mini(role: str, content: str, **extra: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **({"extra": extra} if extra else {})}


BLOCK = "I clean.\n```bash\nrm -rf build\n```"
REFUSED = "Command not executed. The user rejected your command with the following message: leave it"


@pytest.mark.parametrize("stop", [mini("user", REFUSED), mini("user", REFUSED, interrupt_type="UserRejection", timestamp=1.5)])
def test_a_person_who_rejects_a_command_refuses_it_and_says_why(stop: dict[str, Any]) -> None:
    call, result, verdict, said = read(mini("assistant", BLOCK), stop)
    assert verdict.decision is not None
    assert (call.attrs["command"], verdict.decision.effect, said.text) == ("rm -rf build", Effect.DENY, "leave it")
    assert names(call, KeyRole.CALL) == names(result, KeyRole.CALL) == names(verdict, KeyRole.CALL)
    assert (result.outcome or Outcome()).tool is Tri.NO


def test_a_message_costs_once_however_many_calls_it_makes_and_also_where_it_makes_none() -> None:
    usage = {
        "prompt_tokens": 900,
        "completion_tokens": 40,
        "prompt_tokens_details": {"cached_tokens": 600, "cache_creation_tokens": 200},
        "cache_creation_input_tokens": 200,
        "cache_read_input_tokens": 600,
    }
    made = [
        {"id": one, "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}} for one in ("c1", "c2")
    ]
    chat = mini("assistant", "", cost=0.25, response={"usage": usage}) | {"tool_calls": made}
    items = [{"type": "function_call", "call_id": one, "name": "bash", "arguments": '{"command": "ls"}'} for one in ("c1", "c2")]
    whole_answer = {
        "object": "response",
        "output": items,
        "usage": {"input_tokens": 900, "output_tokens": 40, "input_tokens_details": {"cached_tokens": 600}},
        "extra": {"cost": 0.25, "actions": [{"command": "ls"}, {"command": "ls"}]},
    }
    for message in (chat, whole_answer):
        told = [
            {name: one.attrs.get(name) for name in ("tokens", "cost_usd")}
            for one in read(mini("assistant", "?", cost=0.5), message)
        ]
        assert told == [{"tokens": 340, "cost_usd": 0.75}, {"tokens": None, "cost_usd": None}]


def asks(*commands: str) -> dict[str, Any]:
    made = [
        {"id": f"c{n}", "function": {"name": "bash", "arguments": json.dumps({"command": one})}} for n, one in enumerate(commands)
    ]
    return mini("assistant", "", actions=[{"command": one} for one in commands]) | {"tool_calls": made}


def unrun(n: int) -> dict[str, Any]:
    words = "<exception>action was not executed</exception>\n<returncode>-1</returncode>\n<output>\n</output>"
    return mini("tool", words, returncode=-1, exception_info="action was not executed") | {"tool_call_id": f"c{n}"}


@pytest.mark.parametrize(
    ("stop", "refused", "ok"),
    [
        (mini("user", "Commands not executed. The user rejected your commands with the following message: no", interrupt_type="UserRejection"),
         ["user", "user"], [Tri.NO, Tri.NO]),
        (mini("user", "Interrupted by user: no", interrupt_type="UserInterruption"), ["interrupted"] * 2, [Tri.NO, Tri.NO]),
        (mini("exit", "diff", exit_status="Submitted", submission="diff"), [None, None], [Tri.YES, Tri.NO]),
        (mini("user", "The user added a new task: docs", interrupt_type="UserNewTask"), [None, None], [Tri.YES, Tri.NO]),
        (mini("exit", "LimitsExceeded", exit_status="LimitsExceeded", submission=""), [None, None], [Tri.NO, Tri.NO]),
        (asks("pwd"), [None, None], [Tri.NO, Tri.NO]),
    ],
)  # fmt: skip
def test_what_follows_says_why_commands_were_not_run(stop: dict[str, Any], refused: list[str | None], ok: list[Tri]) -> None:
    done = [e for e in read(asks("make", "ls"), unrun(0), unrun(1), stop) if e.phase is Phase.RESULT]
    assert [e.attrs.get("refused") for e in done] == refused
    assert [(e.outcome or Outcome()).tool for e in done] == ok
    assert not any("status" in e.attrs for e in done)


def test_a_run_states_what_its_messages_do_not() -> None:
    stats = {"model_stats": {"instance_cost": 0.5, "tokens_sent": 90, "tokens_received": 10}}
    plain = {"history": HISTORY, "trajectory": STEPS, "info": INFO | stats}
    paid = {"messages": [mini("user", "go"), mini("assistant", BLOCK, cost=0.5)], "info": {"mini_version": "2"} | stats}
    for run in (plain, {"info": INFO | stats}):
        assert [(e.attrs.get("tokens"), e.attrs["cost_usd"]) for e in read(run) if "cost_usd" in e.attrs] == [(100, 0.5)]
    assert [(e.phase, e.attrs["cost_usd"]) for e in read(paid) if "cost_usd" in e.attrs] == [(Phase.CALL, 0.5)]


def test_an_answer_that_the_program_corrects_cost_as_well() -> None:
    wrong = mini("user", "Every answer needs a call", interrupt_type="FormatError", cost=0.25)
    (call,) = read(wrong, mini("assistant", BLOCK, cost=0.5))
    assert call.attrs["cost_usd"] == 0.75


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (mini("user", "Interrupted by user: use z3", interrupt_type="UserInterruption"), "use z3"),
        (mini("user", "The user added a new task: and docs"), "and docs"),
        (mini("user", "Every answer needs a call", interrupt_type="FormatError"), ""),
        (mini("user", "Please always provide EXACTLY ONE action in triple backticks, found 0 actions."), ""),
        (mini("user", "now the tests"), "now the tests"),
    ],
)
def test_what_the_program_corrects_is_nobodys_intent(message: dict[str, Any], told: str) -> None:
    assert [e.text for e in read(message)] == ([told] if told else [])


def test_items_of_the_responses_api_are_calls_and_results() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "bash", "arguments": '{"command": "pwd"}'}
    asked = {
        "object": "response",
        "output": [{"type": "message", "content": []}, call],
        "extra": {"actions": [{"command": "pwd"}]},
    }
    gave = {
        "type": "function_call_output",
        "call_id": "c1",
        "output": "/app",
        "extra": {"returncode": 2, "timestamp": 1780322400.5},
    }
    run = {"info": {"mini_version": "2.2.8"}, "messages": [asked, gave], "trajectory_format": "mini-swe-agent-1.1"}
    for events in (read(asked, gave), read(run)[1:]):
        made, done = events
        assert (made.attrs["command"], names(made, KeyRole.CALL)) == ("pwd", names(done, KeyRole.CALL))
        assert (done.attrs["status"], (done.outcome or Outcome()).tool, done.clock) == ("2", Tri.NO, Clock.EXACT)


def test_ids_that_a_replay_repeats_are_calls_of_their_own() -> None:
    made = {"id": "c", "type": "function", "function": {"name": "bash", "arguments": "{}"}}
    turn = [says("assistant", "", tool_calls=[made]), says("tool", "ok", tool_call_ids=["c"])]
    events = read(*turn, *turn)
    assert [e.phase for e in events] == [Phase.CALL, Phase.RESULT] * 2
    assert names(events[0], KeyRole.CALL) == names(events[1], KeyRole.CALL) != names(events[2], KeyRole.CALL)
    assert names(events[2], KeyRole.CALL) == names(events[3], KeyRole.CALL)


def test_mini_runs() -> None:
    rows = [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "", "extra": {"actions": [{"command": "ls"}]}},
        {"role": "user", "content": "a"},
    ]
    run = {
        "info": {"exit_status": "Submitted", "mini_version": "2.0"},
        "messages": rows,
        "trajectory_format": "mini-swe-agent-1.1",
    }
    events = [e for one in whole(json.dumps(run), "swe-agent")[0] for e in one.events]
    assert [e.phase for e in events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]


def test_the_smaller_agents_text_actions_and_return_codes() -> None:
    def run(*messages: dict[str, Any]) -> list[Event]:
        told = {
            "info": {"exit_status": "Submitted", "mini_version": "1.0.0"},
            "messages": list(messages),
            "trajectory_format": "mini-swe-agent-1",
        }
        parsed, rejects = whole(json.dumps(told), "swe-agent")
        assert rejects == []
        return [event for one in parsed for event in one.events][1:]

    asks = {"role": "assistant", "content": "THOUGHT: look\n\n```mswea_bash_command\nls -la\n```"}
    answer = {"role": "user", "content": "<returncode>2</returncode>\n<output>\na</output>"}
    prompt, call, done = run({"role": "system", "content": "s"}, {"role": "user", "content": "fix it"}, asks, answer)
    assert (prompt.text, call.attrs["command"], done.attrs["status"]) == ("fix it", "ls -la", "2")
    assert done.outcome is not None
    assert done.outcome.tool is Tri.NO
    two = {"role": "assistant", "content": "```bash\na\n```\n```bash\nb\n```"}
    assert [event.phase for event in run({"role": "user", "content": "x"}, two)] == [Phase.PROMPT]
    named = {"role": "assistant", "content": "x", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}],
             "extra": {"timestamp": 1772359200.5}}  # fmt: skip
    back = {"role": "tool", "tool_call_id": "c1", "content": "a", "extra": {"returncode": 0, "timestamp": 1772359201.5}}
    _, call, done = run({"role": "user", "content": "x"}, named, back)
    assert done.outcome is not None
    assert (call.at, done.at, done.outcome.tool) == (1772359200500000, 1772359201500000, Tri.YES)


EARLY = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "fix it"},
    {"role": "assistant", "content": "look\n\n```bash\nls\n```"},
    {"role": "user", "content": "<returncode>0</returncode>\n<output>\na\n</output>"},
    {"role": "assistant", "content": "wait\n\n```bash\nsleep 90\n```"},
    {"role": "user", "content": "The last command <command>sleep 90</command> timed out and has been killed.\nThe output"},
]


def test_the_smaller_agents_first_versions_wrote_nothing_but_messages() -> None:
    for text in (json.dumps(EARLY), json.dumps(EARLY, indent=2)):
        parsed, rejects = whole(text, "swe-agent")
        prompt, call, done, waits, killed = [event for one in parsed for event in one.events]
        assert rejects == []
        assert (prompt.text, call.attrs["command"], done.attrs["status"], waits.attrs["command"]) == (
            "fix it",
            "ls",
            "0",
            "sleep 90",
        )
        assert killed.outcome is not None and killed.outcome.tool is Tri.NO
    assert IMPORTER.sniff([{"role": "assistant", "content": "x"}, {"role": "user", "content": "and now?"}]) == 0


def test_a_collection_holds_a_run_a_line() -> None:
    rows = [{"instance_id": "a", "model": "m", "messages": EARLY[:4]}, {"instance_id": "b", "model": "m", "messages": EARLY}]
    parsed, rejects = whole("\n".join(json.dumps(row) for row in rows), "swe-agent")
    assert rejects == []
    assert [len(one.events) for one in parsed] == [4, 6]
    assert parsed[0].scope != parsed[1].scope
    calls = [names(event, KeyRole.CALL)[0] for one in parsed for event in one.events if event.phase is Phase.CALL]
    assert len(set(calls)) == 3


def test_a_command_of_the_persons_own_is_no_step_and_its_output_nobodys_words() -> None:
    own = {"role": "user", "content": "User command: \n```bash\ngit push\n```", "extra": {"actions": [{"command": "git push"}]}}
    gave = {"role": "user", "content": "<returncode>1</returncode>\n<output>\nno\n</output>", "extra": {"returncode": 1}}
    stop = {"role": "user", "content": "Interrupted by user: Temporary interruption caught."}
    reader = IMPORTER.open()
    events = [event for one in (*EARLY[:3], own, gave, stop, *EARLY[4:]) for event in reader.read(one).events]
    assert [event.text for event in events if event.kind is EventKind.INTENT] == ["fix it"]
    assert [event.attrs["command"] for event in events if event.phase is Phase.CALL] == ["ls", "sleep 90"]
    assert [names(event, KeyRole.CALL)[0].rsplit("/", 1)[1] for event in events if event.phase is Phase.RESULT] == ["#2"]


def test_broken_records() -> None:
    for bad in ([], {}, {"role": "user"}):
        with pytest.raises(BadRecord):
            IMPORTER.open().read(bad)


@settings(deadline=None)
@given(mutated([*HISTORY, STEPS[0], {"history": HISTORY, "info": INFO}]))
def test_hostile_records(record: object) -> None:
    survives(IMPORTER, record)


def test_corpus(corpus: Path) -> None:
    for path in sorted(corpus.glob("swe-agent/*/*.traj")):
        run = json.loads(path.read_bytes())
        parsed, rejects = whole(path.read_bytes(), "swe-agent")
        events = [event for one in parsed for event in one.events]
        assert not rejects
        turns = [m for m in run["history"] if m["role"] == "assistant" and not m.get("is_demo")]
        calls = sum(len(m.get("tool_calls") or []) or bool((m.get("action") or "").strip()) for m in turns)
        assert sum(e.phase is Phase.CALL for e in events) == calls, path
        assert sum(e.kind is EventKind.INTENT for e in events) == 1, path


def test_a_call_is_known_by_the_models_own_id() -> None:
    made = {"id": "toolu_01AbCdEf23", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
    call, done = read(says("assistant", "", tool_calls=[made]), says("tool", "ok", tool_call_ids=["toolu_01AbCdEf23"]))
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) == ["call:toolu_01AbCdEf23"]


def test_runs_of_a_published_collection_say_text_for_content() -> None:
    rows = [
        {"role": "system", "system_prompt": "SETTING", "text": None},
        {"role": "user", "text": "fix it"},
        {"role": "ai", "text": "See:\n```\nx = 1\n```\nNow.\n```\ngit push\n```"},
        {"role": "user", "text": "ok"},
        {"role": "ai", "text": "Done."},
    ]
    run = {"instance_id": "a-1", "model_name": "m", "trajectory": rows, "exit_status": "submitted", "generated_text": "d"}
    other = {**run, "instance_id": "a-2"}
    parsed, rejects = whole("\n".join(map(json.dumps, (run, other))), "swe-agent")
    assert not rejects
    first, second = (one.events for one in parsed)
    assert [event.phase for event in first] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]
    assert (first[0].attrs["status"], first[1].text, first[2].attrs["command"]) == ("submitted", "fix it", "git push")
    assert names(first[2], KeyRole.CALL) == names(first[3], KeyRole.CALL)
    assert names(first[0], KeyRole.SCOPE) != names(second[0], KeyRole.SCOPE)
