"""opencode's own log: the rule behind each permission, the session it belongs to, questions, and the older form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import opencode
from importers.opencode_log import IMPORTER
from model.event import BadRecord, Event, Key
from model.words import Effect, KeyRole, Phase, TargetClass, Verb
from tests.importer_checks import all_of, joined, survives, whole

SESSION, CHILD = "ses_dfa660f16ffeb4mXoIq8Xb7gOZ", "ses_dfa65b2a1ffeJq3hVwTQmC8xYz"
SCOPE = Key(KeyRole.SCOPE, "session", SESSION.lower())


def new(message: str, **members: str) -> str:
    def quoted(value: str) -> str:
        return json.dumps(value) if " " in value or '"' in value or not value else value

    pairs = "".join(f" {name.replace('__', '.')}={quoted(value)}" for name, value in members.items())
    return f"timestamp=2026-06-01T14:00:00.123Z level=INFO run=45ee57e6 message={quoted(message)}{pairs}"


def evaluated(permission: str, pattern: str, action: str, rule: str = "*") -> str:
    return new(
        "evaluated",
        permission=permission,
        pattern=pattern,
        action__permission=permission,
        action__pattern=rule,
        action__action=action,
    )


def created(session: str = SESSION, parent: str = "undefined", path: str = "") -> str:
    return new("created", id=session, version="1.18.33", directory="/home/ada/api", path=path, parentID=parent, title="Fix it")


def work(session: str = SESSION) -> str:
    return new("loop", session__id=session, step="0")


def read(*lines: str) -> list[Event]:
    reader = IMPORTER.open()
    return [event for line in lines for event in reader.read({"line": line}).events]


@pytest.mark.parametrize(
    ("permission", "pattern", "verb", "cls", "name"),
    [
        ("bash", "npm test", Verb.EXEC, TargetClass.UNKNOWN, ""),
        ("read", "src/a.js", Verb.FILE_READ, TargetClass.FILESYSTEM, "/home/ada/api/src/a.js"),
        ("edit", "src/a.js", Verb.FILE_WRITE, TargetClass.FILESYSTEM, "/home/ada/api/src/a.js"),
        ("external_directory", "/etc/*", Verb.FILE_READ, TargetClass.FILESYSTEM, "/etc/*"),
        ("webfetch", "https://x.org/a", Verb.HTTP_REQUEST, TargetClass.NETWORK, "x.org"),
        ("task", "explore", Verb.AGENT_SPAWN, TargetClass.AGENT, "explore"),
        ("tracker_close", "*", Verb.MCP_CALL, TargetClass.MCP_SERVER, "tracker"),
    ],
)
@pytest.mark.parametrize(
    ("action", "effect"), [("allow", Effect.ALLOW), ("deny", Effect.DENY), ("ask", Effect.ASK), ("x", Effect.UNKNOWN)]
)
def test_a_rule_decides_about_what_its_pattern_names(
    permission: str, pattern: str, verb: Verb, cls: TargetClass, name: str, action: str, effect: Effect
) -> None:
    begun, event = read(created(), work(), evaluated(permission, pattern, action, "git push*"))
    assert event.decision is not None
    assert (event.decision.effect, event.decision.rule, event.verb) == (effect, f"{permission} git push*", verb)
    assert (event.target.cls, event.target.name) == (cls, name)
    assert (begun.phase, begun.attrs["title"], event.keys[0]) == (Phase.STARTED, "Fix it", SCOPE)


def test_a_decision_of_several_sessions_at_work_belongs_to_none() -> None:
    lines = [
        work(),
        evaluated("bash", "ls", "allow"),
        work(CHILD),
        evaluated("bash", "ls", "allow"),
        new("exiting loop", session__id=CHILD),
    ]
    first, second, third, fourth = read(
        *lines, evaluated("bash", "ls", "allow"), new("exiting loop", session__id=SESSION), evaluated("bash", "ls", "allow")
    )
    assert (first.keys, second.keys, third.keys, fourth.keys) == ((SCOPE,), (), (SCOPE,), ())


def test_a_spawned_session_names_its_parent() -> None:
    _, event = read(created(), created(CHILD, SESSION))
    assert Key(KeyRole.PARENT, "session", SESSION.lower()) in event.keys


def test_a_question_is_the_one_that_the_event_stream_answers() -> None:
    log = IMPORTER.open()
    lines = [work(), evaluated("bash", "npm test", "ask"), new("asking", id="per_1", permission="bash", patterns='["npm test"]')]
    told = [log.read({"line": line}) for line in lines]
    stream = opencode.IMPORTER.open()
    asked = {
        "id": "per_1",
        "sessionID": SESSION,
        "permission": "bash",
        "patterns": ["npm test"],
        "tool": {"callID": "call_1", "messageID": "msg_1"},
    }
    told.append(stream.read({"id": "evt_1", "type": "permission.asked", "properties": asked}))
    told.append(
        stream.read(
            {
                "id": "evt_2",
                "type": "permission.replied",
                "properties": {"sessionID": SESSION, "requestID": "per_1", "reply": "once"},
            }
        )
    )
    (chain,) = joined(*told).chains.values()
    (asked_for,) = [step for step in chain.steps if step.call]
    assert asked_for.call == f"call:{SESSION.lower()}/call_1"
    assert len(asked_for.decisions) == 3  # asked in the log, asked in the stream, answered


OLD = [
    f"INFO  2026-06-09T17:38:37 +21ms service=session id={SESSION} slug=a version=1.14.2 projectID=1 directory=/home/ada/api path= title=Fix it now created",
    f"INFO  2026-06-09T17:38:38 +2ms service=session.prompt session.id={SESSION} step=0 loop",
    f"INFO  2026-06-09T17:38:38 +21ms service=session.processor session.id={SESSION} messageID=msg_1 process",
    "INFO  2026-06-09T17:38:43 +0ms service=permission permission=bash pattern=git push origin main ruleset=[{}] evaluate",
    'INFO  2026-06-09T17:38:43 +4840ms service=permission permission=bash pattern=git push origin main action={"permission":"bash","pattern":"git push*","action":"deny"} evaluated',
    'INFO  2026-06-09T17:38:44 +1ms service=permission permission=edit pattern=src/a.js action={"permission":"*","action":"allow","pattern":"*"} evaluated',
    'INFO  2026-06-09T17:38:45 +1ms service=permission id=per_1 permission=bash patterns=["npm test"] asking',
    f"INFO  2026-06-09T17:38:46 +1ms service=session.prompt sessionID={SESSION} exiting loop",
    "ERROR 2026-06-09T17:38:47 +1ms service=default e=NotFoundError: x",
    "    at Object.x (file:///a.js:1:1)",
]  # fmt: skip


def test_the_older_form() -> None:
    parsed, rejects = whole("\n".join(OLD), "opencode-log")
    assert rejects == []
    events = [event for one in parsed for event in one.events]
    assert [(event.phase, event.decision.effect if event.decision else None) for event in events] == [
        (Phase.STARTED, None),
        (Phase.VERDICT, Effect.DENY),
        (Phase.VERDICT, Effect.ALLOW),
        (Phase.VERDICT, Effect.ASK),
    ]
    assert (events[1].attrs["command"], events[2].target.name) == ("git push origin main", "/home/ada/api/src/a.js")
    assert events[1].decision is not None
    assert events[1].decision.rule == "bash git push*"
    assert {event.keys[0] for event in events} == {SCOPE}
    assert events[1].at == 1781026723000000
    assert events[3].first_key(KeyRole.CALL) == Key(KeyRole.CALL, "opencode.permission", "per_1")


def test_a_line_without_text_is_refused() -> None:
    with pytest.raises(BadRecord, match="line without text"):
        read("  ")


@settings(deadline=None)
@given(st.text() | st.sampled_from(OLD) | st.builds(evaluated, st.text(max_size=9), st.text(max_size=9), st.text(max_size=9)))
def test_anything_at_all_is_read_or_refused(line: str) -> None:
    survives(IMPORTER, {"line": line})


def test_recorded_logs(corpus: Path) -> None:
    """Every evaluation that the logs hold is a decision, counted by plain text."""
    for path in sorted((corpus / "opencode-live").glob("*/opencode.log")):
        format, parsed, reasons = all_of(path)
        assert (format, reasons) == ("opencode-log", [])
        text = path.read_text()
        decided = [event for one in parsed for event in one.events if event.decision]
        assert len(decided) == text.count(" message=evaluated ") + text.count(" message=asking ")
        assert all(event.keys for event in decided)
