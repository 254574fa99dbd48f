"""Aider's Markdown history and its input history: requests, commands, questions with their answers, edits and commits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import NotRecognised, aider_input
from importers.aider_chat import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Verb
from tests.importer_checks import all_of, survives, whole

HEAD = """
# aider chat started at 2026-03-01 10:00:00

> /home/ada/.venv/bin/aider --model opus{options}  
> Aider v0.86.1  
> Main model: claude-opus with diff edit format, infinite output  
> Git repo: .git with 12 files  
> Git working dir: /home/ada/api  
> Repo-map: using 1024 tokens, auto refresh  
"""  # noqa: W291


def read(text: str, options: str = "") -> list[Event]:
    parsed, rejects = whole(HEAD.format(options=options) + "\n" + text, "aider-chat")
    assert rejects == []
    return [event for one in parsed for event in one.events][1:]


def quoted(*lines: str) -> str:
    return "".join(f"> {line}  \n" for line in lines)


def test_a_launch_is_a_session_with_its_facts() -> None:
    parsed, _ = whole(HEAD.format(options="") + "\n#### fix PAY-3  \n", "aider-chat")
    begun, prompt = [event for one in parsed for event in one.events]
    assert (begun.phase, begun.clock) == (Phase.STARTED, Clock.ZONE_ASSUMED)
    assert (prompt.kind, prompt.text, prompt.clock) == (EventKind.INTENT, "fix PAY-3", Clock.ORDER_ONLY)
    assert (prompt.attrs["agent_version"], prompt.attrs["model"], prompt.attrs["cwd"]) == (
        "0.86.1",
        "claude-opus",
        "/home/ada/api",
    )
    assert prompt.keys[0] == begun.keys[0]
    assert prompt.keys[0].value.startswith("aider-")


def test_two_launches_in_one_second_are_two_sessions_and_a_copy_is_the_same() -> None:
    one, other = HEAD.format(options=""), HEAD.format(options=" b.py")
    parsed, _ = whole(one + other + one, "aider-chat")
    sessions = [event.keys[0].value for each in parsed for event in each.events if event.phase is Phase.STARTED]
    assert (len(sessions), len(set(sessions))) == (3, 2)


def test_a_request_of_several_lines_is_one_intent_and_the_models_markdown_is_none() -> None:
    text = "#### first  \n####   \n#### third  \n\nSure.\n\n#### A heading of the model\n\n> a quote of the model\n> Run shell command? [Y/n] y\n"
    assert [(event.phase, event.text) for event in read(text)] == [(Phase.PROMPT, "first\n\nthird")]


@pytest.mark.parametrize(
    ("words", "phase", "told"),
    [
        ("/run pytest -q", Phase.CALL, "pytest -q"),
        ("!git status", Phase.CALL, "git status"),
        ("/git push -f", Phase.CALL, "git push -f"),
        ("/test make test", Phase.CALL, "make test"),
        ("/ask why is it slow?", Phase.PROMPT, "why is it slow?"),
        ("/architect build it", Phase.PROMPT, "build it"),
    ],
)
def test_commands_of_the_chat(words: str, phase: Phase, told: str) -> None:
    (event,) = read(f"#### {words}  \n")
    assert (event.phase, event.attrs.get("command", event.text)) == (phase, told)


def test_what_the_program_writes_down_again_is_nobodys_request() -> None:
    def typed(*lines: str) -> str:
        return "".join(f"#### {line}  \n" for line in lines) + "\n"

    plan = ["I would change `a.css`:", "", "#### Colours", "", "- red"]
    text = typed("/ask what is it") + typed("what is it") + "It is a shop.\n\n"
    text += typed("/help how do I run it") + typed(
        "# Question: how do I run it",
        "",
        "# Announcement lines from when this session of aider was launched:",
        "",
        "Aider v0.86.1",
    )
    text += "Use /run.\n\n" + typed("/architect make it red") + typed("make it red") + "\n".join(plan) + "\n\n"
    text += quoted("Tokens: 2k sent, 34 received.", "Edit the files? (Y)es/(N)o [Yes]: y") + "\n" + typed(*plan) + "Done.\n\n"
    text += typed("make it red") + typed("Done.  No.")
    asked = [event.text for event in read(text) if event.kind is EventKind.INTENT]
    assert asked == ["what is it", "how do I run it", "make it red", "make it red", "Done.  No."]


def test_commands_that_touch_nothing_and_words_of_the_program_are_no_requests() -> None:
    silent = ["/add a.py", "/undo", "/diff", "/tokens", "/exit", "# Fix any errors below, if possible."]
    assert read("\n".join(f"#### {one}  \n" for one in silent)) == []
    (web,) = read("#### /web https://docs.example/a  \n")
    assert (web.verb, web.target.name) == (Verb.HTTP_REQUEST, "docs.example")


QUESTION = [
    "Run shell command? (Y)es/(N)o/(D)on't ask again [Yes]: {}",
    "Run shell command? [Y/n] {}",
    "Run shell command(s)? [Y/n] {}",
]


@pytest.mark.parametrize("question", QUESTION)
@pytest.mark.parametrize(("answer", "effect"), [("y", Effect.ALLOW), ("n", Effect.DENY)])
def test_a_command_that_was_offered_and_the_answer(question: str, answer: str, effect: Effect) -> None:
    tail = ["Running git push"] if answer == "y" else []
    call, *rest = read(
        "> Tokens: 5.7k sent, 240 received.\nCost: $0.02 message.  \n" + quoted("git push", question.format(answer), *tail)
    )
    assert (call.phase, call.verb, call.attrs["command"]) == (Phase.CALL, Verb.EXEC, "git push")
    verdict = rest[-1]
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.reason, verdict.decision.by) == (effect, f"answered {answer}", "user")
    assert all(one.first_key(KeyRole.CALL) == call.first_key(KeyRole.CALL) for one in rest)
    assert [one.attrs.get("refused") for one in rest] == ([None] if answer == "y" else ["user", None])


def test_several_commands_in_one_question_are_several_calls() -> None:
    text = "> # push it     \ngit add -A    \ngit push -f    \n> Run shell commands? (Y)es/(N)o [Yes]: y  \n" + quoted(
        "Running git add -A", "Running git push -f", "Running ls"
    )
    calls = [event for event in read(text) if event.phase is Phase.CALL]
    assert [event.attrs["command"] for event in calls] == ["git add -A", "git push -f", "ls"]


def test_files_that_may_be_made_or_changed() -> None:
    yes = quoted("src/new.py", "Create new file? (Y)es/(N)o [Yes]: y", "Applied edit to src/new.py")
    call, verdict, done = read(yes)
    assert verdict.decision is not None
    assert done.outcome is not None
    assert (call.verb, call.target.name, verdict.decision.effect, done.outcome.tool) == (
        Verb.FILE_WRITE,
        "src/new.py",
        Effect.ALLOW,
        Tri.YES,
    )
    assert call.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL)
    no = quoted(
        "src/old.py",
        "Allow edits to file that has not been added to the chat? (Y)es/(N)o [Yes]: n",
        "Skipping edits to src/old.py",
    )
    call, done, verdict = read(no)
    assert (call.target.name, done.attrs["refused"]) == ("src/old.py", "user")
    (call, _) = read(quoted("Allow creation of new file a/b.py? y"))
    assert call.target.name == "a/b.py"
    (call, _) = read(quoted("Tokens: 1 sent, 2 received.", "Allow edits to a/c.py which was not previously provided? y"))
    assert call.target.name == "a/c.py"


def test_files_and_pages_given_to_the_model() -> None:
    call, _verdict, done = read(
        quoted("README.md", "Add file to the chat? (Y)es/(N)o/(D)on't ask again [Yes]: y", "Added README.md to the chat.")
    )
    assert (call.verb, call.first_key(KeyRole.CALL)) == (Verb.FILE_READ, done.first_key(KeyRole.CALL))
    names = [
        event.target.name for event in read(quoted("a.py", "b.py", "Add these files to the chat? y")) if event.phase is Phase.CALL
    ]
    assert names == ["a.py", "b.py"]
    (call, _) = read(quoted("Added a.py to the chat"))
    assert call.target.name == "a.py"
    call, _, refused = read(quoted("https://x.example/a", "Add URL to the chat? (Y)es/(N)o/(D)on't ask again [Yes]: d"))
    assert refused.decision is not None
    assert (call.target.cls, call.target.name, refused.decision.effect) == (TargetClass.NETWORK, "x.example", Effect.DENY)
    assert read(quoted("Attempt to fix lint errors? (Y)es/(N)o [Yes]: y", "Add command output to the chat? y")) == []


SHELL = "Run shell command? (Y)es/(N)o/(S)kip all/(D)on't ask again [Yes]: {}"


def commands(events: list[Event]) -> list[object]:
    return [event.attrs["command"] for event in events if event.phase is Phase.CALL and event.verb is Verb.EXEC]


def test_an_answer_that_the_program_did_not_take_is_not_what_it_asked_about() -> None:
    again = "Please answer with one of: yes, no, skip, all, don't"
    call, result, verdict = read(quoted("rm -rf build", again, again, SHELL.format("n")))
    assert (call.attrs["command"], result.attrs["refused"]) == ("rm -rf build", "user")
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY


def test_a_command_is_run_for_a_yes_alone() -> None:
    _, result, verdict = read(quoted("rm -rf build", SHELL.format("a")))
    assert result.attrs["refused"] == "user"
    assert verdict.decision is not None
    assert verdict.decision.effect is Effect.DENY


def test_a_question_whose_subject_holds_blank_lines_is_about_all_of_it() -> None:
    text = "> # start it      \nuvicorn app:app\n           \n# look at it\nopen http://localhost  \n"
    refused = read(text + quoted("Run shell commands? (Y)es/(N)o [Yes]: n"))
    assert commands(refused) == ["uvicorn app:app", "open http://localhost"]
    assert [event.decision.effect for event in refused if event.decision] == [Effect.DENY, Effect.DENY]
    both = quoted("Run shell commands? (Y)es/(N)o [Yes]: y", "Running uvicorn app:app", "Running open http://localhost")
    let = read(text + both)
    assert commands(let) == ["uvicorn app:app", "open http://localhost"]
    assert [event.decision.effect for event in let if event.decision] == [Effect.ALLOW, Effect.ALLOW]
    apart = read("> Tokens: 1k sent.  \n\nI would say:\n\n> Run shell command? y\n")
    assert apart == []


def test_one_answer_for_all_is_the_programs_to_repeat_and_no_request() -> None:
    ask = "Add file to the chat? (Y)es/(N)o/(A)ll/(S)kip all/(D)on't ask again [Yes]: {}"
    text = quoted("a b.py", ask.format("a"), "c.py") + f"\n#### {ask.format('all')}  \n" + quoted(ask.format("a"))
    events = read(text)
    assert [event.target.name for event in events if event.phase is Phase.CALL] == ["a b.py", "c.py"]
    assert [event.decision.effect for event in events if event.decision] == [Effect.ALLOW, Effect.ALLOW]
    assert not any(event.kind is EventKind.INTENT for event in events)
    assert read("#### <blank>  \n") == []


def test_a_setting_that_answers_is_no_person() -> None:
    posture, call, result, verdict = read(quoted("make", SHELL.format("n")), options=" --yes-always")
    assert (posture.attrs["mode"], call.attrs["command"], result.attrs["refused"]) == ("yes-always", "make", "rule")
    assert verdict.decision is not None
    assert verdict.decision.reason == "answered n (--yes-always)"
    windows = HEAD.replace("/home/ada/.venv/bin/aider", "C:\\Program Files\\Python\\aider.EXE").format(options=" --yes")
    parsed, _ = whole(windows, "aider-chat")
    assert [event.attrs["mode"] for one in parsed for event in one.events if event.phase is Phase.POSTURE] == ["yes"]


def test_a_yes_is_the_users_unless_all_questions_are_answered_so() -> None:
    for options, by in (("", "user"), (" --yes-always", "aider")):
        verdict = next(event.decision for event in read(quoted("make", SHELL.format("y")), options=options) if event.decision)
        assert (verdict.effect, verdict.by) == (Effect.ALLOW, by)


def test_what_the_program_does_at_its_start_and_what_it_keeps_out() -> None:
    asked = quoted("Add .aider* to .gitignore (recommended)? (Y)es/(N)o [Yes]: y", "Added .aider* to .gitignore")
    call, verdict, done = read(asked)
    assert (call.verb, call.target.name, done.outcome and done.outcome.tool) == (Verb.FILE_WRITE, ".gitignore", Tri.YES)
    assert verdict.decision is not None
    assert call.first_key(KeyRole.CALL) == done.first_key(KeyRole.CALL)
    pip = quoted("/usr/bin/python -m pip install --upgrade aider-chat", "Run pip install? (Y)es/(N)o [Yes]: y")
    assert commands(read(pip)) == ["/usr/bin/python -m pip install --upgrade aider-chat"]
    call, done = read(quoted("Creating empty file /home/ada/api/new.py"))
    assert (call.verb, call.attrs["path"]) == (Verb.FILE_WRITE, "/home/ada/api/new.py")
    call, done = read(quoted("Unable to write file /srv/a.conf after 5 attempts: [Errno 13] Permission denied: '/srv/a.conf'"))
    assert (call.attrs["path"], done.outcome and done.outcome.tool) == ("/srv/a.conf", Tri.NO)
    for line, path, verb in (
        ("Skipping edits to dist/a.js that matches gitignore spec.", "dist/a.js", Verb.FILE_WRITE),
        ("Skipping .env that matches aiderignore spec.", ".env", Verb.FILE_READ),
        ("Can not add /etc/x y, which is not within /home/ada/api", "/etc/x y", Verb.FILE_READ),
    ):
        call, done, verdict = read(quoted(line))
        assert (call.attrs["path"], call.verb, done.attrs["refused"]) == (path, verb, "rule")
        assert verdict.decision is not None
        assert verdict.decision.effect is Effect.DENY


def test_a_history_that_holds_little_is_one() -> None:
    parsed, rejects = whole("\n# aider chat started at 2026-03-01 10:00:00\n\n> You can skip this check  \n", "aider-chat")
    assert (len(parsed), rejects) == (2, [])


def test_edits_and_commits() -> None:
    edit, _, commit, _ = read(
        quoted(
            "Applied edit to .github/workflows/ci.yml",
            "Commit d0ffbf1 fix: PAY-3",
            "You can use /undo to undo and discard each aider commit.",
        )
    )
    assert (edit.verb, commit.verb) == (Verb.CI_MODIFY, Verb.REPO_WRITE)
    assert Key(KeyRole.REFERENCE, "commit", "d0ffbf1") in commit.keys


def test_a_launch_that_answers_its_questions_itself_says_so() -> None:
    (event,) = read("", options=" --yes-always --message 'do it'")
    assert (event.phase, event.attrs["mode"]) == (Phase.POSTURE, "yes-always")


def test_a_history_whose_marks_an_editor_took_off_is_read_without_them() -> None:
    text = (HEAD.format(options="") + "\n#### fix it  \n\n" + quoted("Applied edit to a.py")).replace("  \n", "\n")
    parsed, _ = whole(text, "aider-chat")
    assert [event.phase for one in parsed for event in one.events] == [Phase.STARTED, Phase.PROMPT, Phase.CALL, Phase.RESULT]


def test_other_markdown_is_no_history() -> None:
    with pytest.raises(NotRecognised):
        whole("# Notes\n\n#### a  \n\n> b  \n", "aider-chat")


INPUT = "\n# 2026-03-01 10:00:00.123456\n+fix PAY-3\n+\n+now\n\n# 2026-03-01 10:01:00\n+/run git push\n\n# 2026-03-01 10:02:00.1\n+/add a.py\n"


def test_the_input_history_says_when_and_in_no_session() -> None:
    parsed, rejects = whole(INPUT, "aider-input")
    assert rejects == []
    prompt, call = [event for one in parsed for event in one.events]
    assert (prompt.text, prompt.clock, call.attrs["command"]) == ("fix PAY-3\n\nnow", Clock.ZONE_ASSUMED, "git push")
    assert [key for key in (*prompt.keys, *call.keys) if key.role in (KeyRole.SCOPE, KeyRole.CALL)] == []
    with pytest.raises(BadRecord, match="no entry"):
        aider_input.IMPORTER.open().read({"line": "+x"})
    with pytest.raises(NotRecognised):
        whole("\n# 2026-03-01 10:00:00.123456\n+select 1;\n", "aider-input")


def test_answers_are_no_requests_and_a_command_written_twice_is_run_once() -> None:
    entries = (("03:00.1", "y"), ("03:00.200000", "/run make"), ("03:00.200090", "/run make"), ("04:00.1", "/run make"))
    text = INPUT + "".join(f"\n# 2026-03-01 10:{at}\n+{words}\n" for at, words in entries)
    parsed, _ = whole(text, "aider-input")
    told = [event.attrs.get("command", event.text) for one in parsed for event in one.events]
    assert told == ["fix PAY-3\n\nnow", "git push", "make", "make"]


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["#### ", "> ", "Run shell command? y", "Applied edit to ", "Commit abcdef1 ", "  ", "\n", "x"])
        | st.text(max_size=5)
    ).map("".join)
)
def test_anything_at_all_is_read_or_refused(text: str) -> None:
    survives(IMPORTER, {"line": text})
    survives(aider_input.IMPORTER, {"line": text})


def test_the_published_history(corpus: Path) -> None:
    """Launches, edits and commits, counted by plain text."""
    path = corpus / "aider/Aider-AI__aider/tests__fixtures__chat-history.md"
    format, parsed, reasons = all_of(path)
    assert (format, reasons) == ("aider-chat", [])
    events = [event for one in parsed for event in one.events]
    lines = [one for one in path.read_text().split("\n") if one.strip()]
    commits = [one for one in lines if re.match(r"> Commit [0-9a-f]{7} .*  $", one)]
    assert sum(event.tool == "commit" for event in events) == len(commits) > 600
    begun = [one.startswith("# aider chat started at ") for one in lines]
    told = sum(first and not second for first, second in zip([True, *begun], [*begun, True], strict=True))
    assert sum(event.phase is Phase.STARTED for event in events) == told
    assert all(event.attrs.get("command", "x").strip() for event in events)


@pytest.mark.parametrize(
    ("report", "tokens", "cost"),
    [
        ("> Tokens: 5.7k sent, 240 received. Cost: $0.02 message, $0.31 session.  ", 5940, 0.02),
        (
            "> Tokens: 12k sent, 1.5k cache write, 9k cache hit, 1.2k received.\nCost: $0.0042 message, $0.01 session.  ",
            4200,
            0.0042,
        ),
        ("> Tokens: 5.7k sent, 240 received.  ", 5940, None),
        ("> Tokens: ... sent, . received.  ", None, None),
    ],
)
def test_what_an_answer_cost_stands_with_what_came_of_it(report: str, tokens: int | None, cost: float | None) -> None:
    first, second = read(f"#### go  \n\nDone.\n\n{report}\n" + quoted("Applied edit to a.py", "Applied edit to b.py"))[-4::2]
    assert (first.attrs.get("tokens"), first.attrs.get("cost_usd")) == (tokens, cost)
    assert not {"tokens", "cost_usd"} & second.attrs.keys()
