"""Whose what goes over an MCP connection is: calls that a gateway or a capture saw, the connection's opening, verdicts on tools."""

from __future__ import annotations

import pytest

from chains import MemoryIndex, affected, attribute, task_id
from model.event import Event
from model.evidence import Attribution
from model.words import LinkKind
from tests.chains_placed import of, place
from tests.chains_story import (
    S1,
    S2,
    call,
    effect,
    event,
    facts,
    mcp_tool,
    prompt,
    ready,
    result,
    scope,
    verdict,
)

T1, T2 = task_id(f"session:{S1}"), task_id(f"session:{S2}")


def test_a_call_on_a_connection_moves_its_opening_and_no_call_of_another_time() -> None:
    over = "scope mcp.session:m1"
    hello = event("hello", "action", "call", "enforcer", "gw", 0, over, verb="unknown", tool="initialize")
    calls = [verdict(f"d{n}", 9_000 * n, over, f"call request:r{n}", who="", **mcp_tool("merge")) for n in range(3)]
    held = ready([hello, *calls])
    index = MemoryIndex(held)
    named = {stub.id for stub in affected([index.stubs[calls[2].id]], index, facts())}
    assert named == {hello.id, calls[2].id}
    # The second call that is known tells whose the connection is, long after it was opened.
    held = ready([hello, *calls[:2], *(call(S1, f"c{n}", 9_000 * n - 0.1, **mcp_tool("merge")) for n in range(2))])
    held += ready([result(S1, f"c{n}", 9_000 * n + 1) for n in range(2)])
    before, after = MemoryIndex([one for one in held if one.id != calls[1].id]), MemoryIndex(held)
    placed = [attribute([index.stubs[hello.id]], index, facts())[0].task for index in (before, after)]
    assert placed == [task_id("mcp.session:m1"), T1]
    assert hello.id in {stub.id for stub in affected([after.stubs[calls[1].id]], after, facts())}


def _refused(name: str, server: str = "github") -> Event:
    return verdict(name, 10.1, effect="deny", who="", **mcp_tool(name, server))


def test_a_verdict_on_one_tool_of_a_server_is_not_put_to_another() -> None:
    first = call(S1, "c1", 10, **mcp_tool("delete_repo"))
    calls = [first, call(S1, "c2", 10.05, **mcp_tool("create_issue")), result(S1, "c1", 11), result(S1, "c2", 11)]
    denied, other = _refused("delete_repo"), _refused("merge")
    found = place([prompt(S1, 0, "go"), *calls, denied, other])
    (link,) = of(found, denied).links
    assert (link.source, link.key) == (first.id, "match:mcp.call|github/delete_repo")
    assert of(found, other).task == ""


def test_a_server_may_be_called_otherwise_where_it_is_asked_than_where_it_stands() -> None:
    mine, ended = call(S1, "c1", 10, who="dana@acme", **mcp_tool("delete_repo")), result(S1, "c1", 10.5)
    seen = verdict("d", 10.1, effect="deny", who="dana@acme", **mcp_tool("delete_repo", "gateway-1"))
    (link,) = of(place([mine, ended, seen]), seen).links
    assert (link.source, link.key) == (mine.id, "match:mcp.call|~delete_repo")
    # Neither the tool's name alone nor that of one server for another's says whose call it was.
    assert of(place([mine, ended, other := _refused("delete_repo", "gateway-1")]), other).task == ""


def test_what_a_gateway_saw_on_a_connection_belongs_to_the_call_it_is_about() -> None:
    connection = ("scope mcp.session:m1", "call request:r7")
    denied = verdict("d", 10.1, *connection, effect="deny", who="", **mcp_tool("delete_repo"))
    answered = effect("a", 10.2, *connection, **mcp_tool("delete_repo"))
    behind = effect("b", 10.3, "call request:r7", verb="ticket.update", target="ticketing:PAY-1", point="tickets")
    listed = verdict("l", 9, "scope mcp.session:m1", who="", verb="unknown")
    seen = [denied, answered, behind, listed]
    mine, ended = call(S1, "c1", 10, **mcp_tool("delete_repo")), result(S1, "c1", 11)
    found = place([mine, ended, *seen])
    assert [of(found, one).task for one in seen] == [T1, T1, T1, (own := task_id("mcp.session:m1"))]
    assert {link.source for link in of(found, denied).links} == {mine.id}
    # Where no call is known to be meant, the connection is a task; where somebody says whose it is, it is that session's.
    assert {of(place(seen), one).task for one in seen} == {own}
    login = event("login", "decision", "verdict", "enforcer", "gw", 8, scope(S2), "scope mcp.session:m1")
    assert {of(place([mine, ended, login, *seen]), one).task for one in seen} == {T2}


def test_a_capture_of_the_traffic_shows_the_agents_call() -> None:
    heard, said = "scope mcp.session:m1", {"who": "claude-code", **mcp_tool("delete_repo")}
    asked = event("asked", "action", "call", "witness", "mcp", 10.1, heard, "call mcp.rpc:r7", **said)
    answer = event("answer", "action", "result", "witness", "mcp", 10.4, heard, "call mcp.rpc:r7", **said)
    mine = [call(S1, "c1", 10, attrs={"cwd": "/home/dana/pay"}, **mcp_tool("delete_repo")), result(S1, "c1", 11)]
    found = place([*mine, asked, answer])
    assert {of(found, one).task for one in (asked, answer)} == {T1}
    assert [link.source for link in of(found, asked).links] == [mine[0].id]
    # Of two that call for the same at one moment nobody can say which it heard.
    found = place([*mine, call(S2, "c2", 10.01, **mcp_tool("delete_repo")), result(S2, "c2", 11), asked, answer])
    assert {of(found, one).task for one in (asked, answer)} == {task_id("mcp.session:m1")}
    # What is heard before the call, or after its end, is not the call.
    late = event("late", "action", "call", "witness", "mcp", 22, heard, "call mcp.rpc:r9", attrs={"arguments": "abcd"}, **said)
    same = call(S1, "c1", 10, attrs={"arguments": "abcd"}, **mcp_tool("delete_repo"))
    assert of(place([same, mine[1], late]), late).task == task_id("mcp.session:m1")
    early = event("early", "action", "call", "witness", "mcp", -40, heard, "call mcp.rpc:r8", **said)
    assert of(place([*mine, early]), early).task == task_id("mcp.session:m1")


def _opened(*more: Event) -> tuple[dict[str, Attribution], Event]:
    """A connection's opening, of which a call is known by inference, among other events."""
    over = "scope mcp.session:m1"
    hello = event("hello", "action", "call", "enforcer", "gw", 8, over, verb="unknown", tool="initialize")
    mine = [call(S1, "c1", 10, **mcp_tool("delete_repo")), result(S1, "c1", 11)]
    seen = verdict("d", 10.1, over, "call request:r7", who="", **mcp_tool("delete_repo"))
    return place([*mine, hello, seen, *more]), hello


def test_what_opens_a_connection_follows_the_one_task_whose_calls_are_known_on_it() -> None:
    found, hello = _opened(
        call(S1, "c2", 20, **mcp_tool("create_issue")),
        result(S1, "c2", 21),
        verdict("e", 20.1, "scope mcp.session:m1", "call request:r8", who="", **mcp_tool("create_issue")),
    )
    (link,) = of(found, hello).links
    assert (of(found, hello).task, link.kind, link.key) == (T1, LinkKind.DERIVED, "mcp.session:m1")


@pytest.mark.parametrize(
    "more",
    [
        [
            call(S2, "c2", 60, **mcp_tool("create_issue")),
            result(S2, "c2", 61),
            verdict("e", 60.1, "scope mcp.session:m1", "call request:r8", who="", **mcp_tool("create_issue")),
        ],
        [call(S2, "c2", 11, **mcp_tool("delete_repo"))],
        [],
    ],
    ids=["two sessions use it", "nobody's call for certain", "one call by a guess"],
)
def test_what_opens_a_connection_of_several_stands_by_itself(more: list[Event]) -> None:
    found, hello = _opened(*more)
    assert of(found, hello).task == task_id("mcp.session:m1")


def test_a_connection_that_two_sessions_share_makes_no_task_of_them() -> None:
    over = "scope mcp.session:m1"
    both = [event(f"of {s}", "decision", "verdict", "enforcer", "gw", 8, over, scope(s), verb="mcp.call") for s in (S1, S2)]
    agents = [
        event(f"as {n}", "decision", "verdict", "enforcer", "gw", 8, f"scope claude.agent:{S1}/{n}", "scope mcp.session:m2")
        for n in (1, 2)
    ]
    alone = verdict("alone", 10.1, over, effect="deny", who="", **mcp_tool("delete_repo"))
    found = place([*both, *agents, alone, call(S1, "c1", 10, **mcp_tool("delete_repo")), result(S1, "c1", 11)])
    assert [of(found, one).task for one in both] == [T1, task_id(f"session:{S2}")]
    assert len({of(found, one).task for one in agents}) == 2
    assert of(found, alone).task == T1


@pytest.mark.parametrize(
    ("tool", "mine"), [("github_delete_repo", True), ("github__delete-repo", True), ("gitlab_delete_repo", False)]
)
def test_a_gateway_before_several_servers_shows_a_tool_behind_its_servers_name(tool: str, mine: bool) -> None:
    asked = call(S1, "c1", 10, **mcp_tool(tool, "gateway"))
    denied = _refused("delete_repo")
    assert of(place([asked, result(S1, "c1", 11), denied]), denied).task == (T1 if mine else "")


@pytest.mark.parametrize("who", ["", "dana@acme"], ids=["nobody is named", "one person over both"])
def test_of_one_call_over_two_connections_at_once_neither_is_taken_for_the_agents(who: str) -> None:
    asked = [call(S1, "c1", 10, who=who, **mcp_tool("delete_repo")), result(S1, "c1", 11)]
    one, other = (verdict(f"d{n}", 10 + n / 10, f"scope mcp.session:m{n}", who=who, **mcp_tool("delete_repo")) for n in (1, 2))
    assert of(place([*asked, one]), one).task == T1
    found = place([*asked, one, other])
    assert [of(found, seen).task for seen in (one, other)] == [task_id("mcp.session:m1"), task_id("mcp.session:m2")]
