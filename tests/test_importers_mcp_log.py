"""Logs of MCP clients: messages within lines, with their time, their sender and their server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.mcp_log import IMPORTER
from model.event import BadRecord
from model.words import Clock, KeyRole, Phase, Tri, Verb
from tests.importer_checks import names, whole

ASK = '{"method":"tools/call","params":{"name":"write_file","arguments":{"path":"/w/a"}},"jsonrpc":"2.0","id":5}'
ANSWER = '{"jsonrpc":"2.0","id":5,"result":{"content":[{"type":"text","text":"} no"}],"isError":true}}'
BEGIN = '{"method":"initialize","params":{"clientInfo":{"name":"claude-ai"}},"jsonrpc":"2.0","id":0}'
DESKTOP = [
    "2026-06-01T10:00:00.000Z [files] [info] Initializing server... { metadata: undefined }",
    f"2026-06-01T10:00:00.200Z [files] [info] Message from client: {BEGIN} {{ metadata: undefined }}",
    f"2026-06-01T10:00:05.000Z [files] [info] Message from client: {ASK} {{ metadata: undefined }}",
    f"2026-06-01T10:00:05.100Z [other] [info] Message from server: {ANSWER} {{ metadata: undefined }}",
    f"2026-06-01T10:00:06.000Z [files] [info] Message from server: {ANSWER} {{ metadata: undefined }}",
]
OLDER = [line.replace("[files] [info]", "[info] [files]") for line in DESKTOP]
EDITOR = [
    "2026-06-01 10:00:00.100 [info] Starting server files",
    f"2026-06-01 10:00:05.000 [trace] [editor -> server] {ASK}",
    f"2026-06-01 10:00:06.000 [trace] [server -> editor] {ANSWER}",
]


@pytest.mark.parametrize(
    ("lines", "server", "clock"),
    [(DESKTOP, "files", Clock.EXACT), (OLDER, "files", Clock.EXACT), (EDITOR, "", Clock.ZONE_ASSUMED)],
)
def test_a_call_and_its_answer_stand_in_lines(lines: list[str], server: str, clock: Clock) -> None:
    parsed, rejects = whole("\n".join(lines) + "\n", "mcp-log")
    call, done = [event for one in parsed for event in one.events]
    assert not rejects and len(parsed) == len(lines)
    assert (call.phase, call.verb, call.tool, call.target.name, call.clock) == (
        Phase.CALL,
        Verb.MCP_CALL,
        "write_file",
        server,
        clock,
    )
    assert names(call, KeyRole.CALL) == names(done, KeyRole.CALL) and not names(call, KeyRole.SCOPE)
    assert done.outcome is not None
    assert (done.outcome.tool, (done.at or 0) - (call.at or 0)) == (Tri.NO, 1_000_000)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("2026-06-01T10:00:05Z [client->server]", "2026-06-01T10:00:06Z [server->client]"),
        ("[2026-06-01 10:00:05,000] CLIENT -> SERVER:", "[2026-06-01 10:00:06,000] SERVER -> CLIENT:"),
        ("2026-06-01T12:00:05.000+02:00 -->", "2026-06-01T12:00:06.000+02:00 <--"),
        ("2026-06-01T10:00:05.000Z stdin", "2026-06-01T10:00:06.000Z stdout"),
        ("2026-06-01T10:00:05.000Z >>>", "2026-06-01T10:00:06.000Z <<<"),
    ],
    ids=["brackets", "capitals", "arrows", "streams", "angles"],
)
def test_what_a_wrapper_copied_keeps_its_times(there: str, back: str) -> None:
    parsed, rejects = whole(f"{there} {ASK}\n2026-06-01T10:00:05.500Z [server stderr] warming up\n{back} {ANSWER}\n", "mcp-log")
    call, done = [event for one in parsed for event in one.events]
    assert not rejects
    assert (call.tool, (done.at or 0) - (call.at or 0), names(call, KeyRole.CALL)) == (
        "write_file",
        1_000_000,
        names(done, KeyRole.CALL),
    )


def test_another_protocol_copied_so_is_not_mcp() -> None:
    prompt = '{"jsonrpc":"2.0","id":1,"method":"session/prompt","params":{"sessionId":"s"}}'
    assert IMPORTER.sniff([{"line": f"2026-06-01T10:00:05Z [client->agent] {prompt}"}]) == 0
    assert IMPORTER.sniff([{"line": f"2026-06-01T10:00:05Z [client->agent] {ASK}"}]) > 0


def test_broken_lines() -> None:
    with pytest.raises(BadRecord):
        IMPORTER.open().read("x")
    for line in ("", "x", DESKTOP[2][:120], "2026-06-01T10:00:05.000Z [a] [info] Message from client: {}"):
        assert IMPORTER.open().read({"line": line}).events == []


@given(st.sampled_from(DESKTOP + EDITOR), st.integers(0, 200), st.text(max_size=4))
def test_no_broken_line_does_worse_than_hold_nothing(line: str, at: int, put: str) -> None:
    IMPORTER.open().read({"line": line[:at] + put + line[at + 1 :]})
