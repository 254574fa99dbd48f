"""Reading hostile JSON: ids inside other words, times nobody has looked at, numbers of any size."""

from __future__ import annotations

import pytest
from hypothesis import given

from importers.shared import fields
from model.words import Clock, KeyRole
from tests.importer_checks import JSON

SESSION = "8f0c6a8e-3f57-4d6e-9a5e-3c6f5f0f9a11"


@pytest.mark.parametrize(
    ("value", "session"),
    [
        (SESSION, SESSION),
        (SESSION.upper(), SESSION),
        (f"agent-{SESSION}", SESSION),
        (f"claude/{SESSION}", SESSION),
        (f"2026-02-03-{SESSION}", SESSION),
        (f"x{SESSION}", ""),
        (f"{SESSION}0", ""),
        (f"{SESSION} {SESSION}", ""),
        (f"AWSCodeBuild-{SESSION}", ""),
        ("session-1", ""),
        (None, ""),
        (SESSION + "-" + "a" * 600, ""),
    ],
)
def test_sessions_in_words(value: object, session: str) -> None:
    assert fields.session_id(value) == session


@pytest.mark.parametrize("name", ["session_id", "X-Agent-Session", "conversationId", "thread_id", "task-id", "AgentId"])
def test_names_that_hold_sessions(name: str) -> None:
    assert fields.names_session(name)


@pytest.mark.parametrize("name", ["workspace_id", "AllocationID", "service_account_uid", "CostCentre", "user"])
def test_names_that_do_not(name: str) -> None:
    assert not fields.names_session(name)


@pytest.mark.parametrize(
    ("value", "trace"),
    [
        ("00-7c0f0f833eef36062b3fe9d11f8ade7e-8e8bb6c8bfd28f4f-01", "7c0f0f833eef36062b3fe9d11f8ade7e"),
        ("7C0F0F833EEF36062B3FE9D11F8ADE7E", "7c0f0f833eef36062b3fe9d11f8ade7e"),
        ("0" * 32, ""),
        ("7c0f", ""),
        (7, ""),
    ],
)
def test_traces(value: object, trace: str) -> None:
    assert fields.trace_id(value) == trace


@pytest.mark.parametrize(
    ("value", "commit"),
    [("a" * 40, "a" * 40), ("abc1234", "abc1234"), ("abc123", ""), ("0" * 40, ""), ("xyz7890", ""), (None, "")],
)
def test_commits(value: object, commit: str) -> None:
    assert fields.commit_id(value) == commit


def test_numbers_and_truths() -> None:
    assert [fields.number(v) for v in ("12", 12, "1.5", True, 2**70, "9" * 40, "--1", None)] == [
        12,
        12,
        None,
        None,
        None,
        None,
        None,
        None,
    ]
    assert [fields.truth(v) for v in (True, "False", "TRUE", 1, None)] == [True, False, True, None, None]
    assert [fields.text(v) for v in (5, "x", True, 1.5, 10**40, None)] == ["5", "x", "", "", "", ""]


@pytest.mark.parametrize(
    "value", [{"seconds": "²"}, {"seconds": "--5"}, {"seconds": "9" * 5000}, 1e308, float("nan"), "9" * 5000, [], True]
)
def test_unreadable_times_are_no_times(value: object) -> None:
    for unit in ("", "s", "ms", "ns"):
        at, clock = fields.moment(value, unit)
        assert (at, clock) == (None, Clock.ORDER_ONLY)


@given(JSON)
def test_nothing_is_too_strange(value: object) -> None:
    assert isinstance(fields.text(value), str)
    assert isinstance(fields.mapping(value), dict)
    assert all(isinstance(one, str) for one in fields.texts(value))
    fields.moment(value, "ms")
    fields.session_id(value)


def test_keys_are_there_once_and_have_a_value() -> None:
    one = fields.key(KeyRole.CALL, "call", "x")
    assert fields.keys(one, None, fields.key(KeyRole.CALL, "call", ""), one) == (one,)
    assert fields.key(KeyRole.CALL, "call", "x" * 5000) is None
