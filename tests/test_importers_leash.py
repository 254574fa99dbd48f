"""Leash's logfmt lines: what was let through, by what it was."""

from __future__ import annotations

import pytest

from importers.cutting.framing import key_values
from importers.registry import importers
from model.event import BadRecord
from model.words import Effect, EventKind, TargetClass, Tri, Vantage, Verb
from tests.importer_checks import whole

LINES = """\
time=2026-03-17T10:00:00Z event=proc.exec pid=7 argv="git push origin main" path=/usr/bin/git decision=allowed
time=2026-03-17T10:00:01Z event=net.send pid=7 addr="GitHub.com:443" protocol=https decision=allowed
time=2026-03-17T10:00:02Z event=file.open:rw pid=7 path="/srv/app/.env" decision=denied error="outside the workspace"
time=2026-03-17T10:00:03Z event=http.request addr=api.example path=/v1/x protocol=https decision=allowed status=200
time=2026-03-17T10:00:04Z event=mcp.call session=3a1b7c52-0c0e-4a59-9d1b-6f0c5a3d7e11 mcp_server=files mcp_tool=read decision=denied
time=2026-03-17T10:00:05Z event=brand.new decision=asked
"""


def test_each_line_is_a_decision_on_one_operation() -> None:
    parsed, rejects = whole(LINES, "leash")
    events = [event for one in parsed for event in one.events if event.kind is EventKind.DECISION]
    assert rejects == [] and len(events) == 6
    assert {(event.kind, event.vantage) for event in events} == {(EventKind.DECISION, Vantage.ENFORCER)}
    assert [event.verb for event in events] == [
        Verb.EXEC, Verb.NET_CONNECT, Verb.FILE_WRITE, Verb.HTTP_REQUEST, Verb.MCP_CALL, Verb.UNKNOWN,
    ]  # fmt: skip
    effects = [event.decision.effect for event in events if event.decision]
    assert effects == [Effect.ALLOW, Effect.ALLOW, Effect.DENY, Effect.ALLOW, Effect.DENY, Effect.UNKNOWN]
    assert events[0].attrs["command"] == "git push origin main"
    assert (events[1].target.cls, events[1].target.name.partition(":")[0]) == (TargetClass.NETWORK, "github.com")
    assert events[2].decision and events[2].decision.reason == "outside the workspace"
    assert events[3].attrs["url"] == "https://api.example/v1/x"
    assert [key.kind for key in events[4].keys] == ["session"]


@pytest.mark.parametrize(
    ("said", "effect", "done"),
    [
        ("decision=allowed status=201", Effect.ALLOW, Tri.YES),
        ("decision=allowed status=404", Effect.ALLOW, Tri.NO),
        ('decision=denied status=403 error="connection denied by security policy"', Effect.DENY, None),
        ('decision=denied status=502 error="dial tcp: no such host"', None, Tri.NO),
        ('decision=denied error="context canceled"', None, Tri.NO),
    ],
)
def test_a_request_that_came_to_nothing_was_refused_only_where_policy_says_so(
    said: str, effect: Effect | None, done: Tri | None
) -> None:
    line = f"time=2026-03-17T10:00:03Z event=http.request addr=api.example path=/v1/x protocol=https {said}"
    events = importers()["leash"].open().read(key_values(line)).events
    assert [event.decision.effect for event in events if event.decision] == ([effect] if effect else [])
    assert [event.outcome.effect for event in events if event.outcome and not event.decision] == ([done] if done else [])


@pytest.mark.parametrize(
    ("said", "command"),
    [
        ('exe="bash" path="/usr/bin/git" argc=2 argv="git push"', "git push"),
        ('exe="bash" path="/usr/bin/git" argc=2 argv="/usr/bin/git push"', "/usr/bin/git push"),
        ('exe="bash" path="/usr/bin/git" argc=3 argv="bash -c git"', "/usr/bin/git"),
        ('exe="bash" path="/usr/bin/bash" argc=3 argv="bash -c make"', "bash -c make"),
        ('exe="bash" path="/usr/bin/git" argc=0', "/usr/bin/git"),
    ],
)
def test_the_arguments_of_what_ran_before_are_not_the_programs(said: str, command: str) -> None:
    """Where the kernel asks before it loads a program, the process still has its parent's command line."""
    line = f"time=2026-03-17T10:00:00Z event=proc.exec pid=7 cgroup=1 {said} decision=allowed"
    (event,) = importers()["leash"].open().read(key_values(line)).events
    assert event.attrs["command"] == command


@pytest.mark.parametrize("line", ["time=2026-03-17T10:00:00Z event=proc.exec", "time=2026-03-17T10:00:00Z decision=allowed"])
def test_a_line_without_a_decision_is_refused(line: str) -> None:
    with pytest.raises(BadRecord):
        importers()["leash"].open().read(key_values(line))
