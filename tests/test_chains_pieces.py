"""Random little worlds: placing events piece by piece must equal placing them all at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chains import MemoryIndex, affected, attribute, stub_of, task_id
from model.event import Event
from model.evidence import Attribution
from tests.chains_story import REPO, call, effect, event, facts, issued, ready, result, scope, used, verdict

FACTS = facts()
SESSIONS = ("s-one", "s-two", "s-three")
WHO = ("", "dana-gh", "dana@acme", "lee-gh", "somebody")

session = st.sampled_from(SESSIONS)
maybe_session = st.sampled_from(("", *SESSIONS))
number = st.integers(1, 3)
seconds = st.integers(0, 400)
who = st.sampled_from(WHO)


def _keys(owner: str, *others: str) -> tuple[str, ...]:
    return (*((scope(owner),) if owner else ()), *(one for one in others if one))


def test_the_events_of_a_record_over_a_connection_stand_together() -> None:
    """Asked for alone, from either end or with the others, each has the same place: that of the record."""
    over, tool = "scope mcp.session:m1", {"verb": "mcp.call", "target": "mcp_server:github@delete_repo"}
    record = ready([used("u", 1, "credential token:t", record="rec"), effect("e", 1, over, record="rec", **tool)])
    mine = [call("s-one", "c1", 0.5, **tool), result("s-one", "c1", 2)]
    for asked, task in ((record, task_id("mcp.session:m1")), ([*record, *ready(mine)], task_id("session:s-one"))):
        index = MemoryIndex(asked)
        for stubs in ([index.stubs[one.id] for one in order] for order in (record, record[::-1], record[:1], record[1:])):
            assert {one.task for one in attribute(stubs, index, FACTS)} == {task}


def _kinds(n: int, s: str, m: str, k: int, j: int, t: int, w: str) -> list[Event]:
    """One event of each sort that stitching treats differently; `n` makes ids differ, the rest are its circumstances."""
    id, token, other = f"{n}", f"credential token:t{k}", f"credential token:t{j}"
    over, tool = f"scope mcp.session:m{j}", {"verb": "mcp.call", "target": "mcp_server:github@delete_repo"}
    push = {"verb": "repo.write", "target": f"repository:{REPO}"}
    return [
        call(s, f"c{k}", t, f"call request:r{j}", **push) if n % 2 else call(s, f"c{k}-{n}", t, **push),
        verdict(id, t, *_keys(m, f"call call:c{k}"), who=w),
        verdict(id, t, *_keys(m, f"call request:r{k}"), who=w),
        issued(id, t, *_keys(m, token, other if n % 3 == 0 else "")),
        issued(id, t, *_keys(m, token, f"via token:t{j}")),
        used(id, t, *_keys(m, token), record=f"rec-{n // 2}", who=w),
        effect(id, t, *_keys(m), record=f"rec-{n // 2}", who=w),
        effect(id, t, *_keys(m, f"reference commit:{'abc'[k - 1] * 10}", f"reference pr:{REPO}#{j}" if n % 2 else "")),
        event(id, "intent", "ticket", "target", "tickets", t, *_keys(m, f"reference ticket:PAY-{k}"), who=w),
        event(id, "credential", "exposed", "agent", "claude-code", t, scope(s), token),
        event(id, "intent", "prompt", "agent", "claude-code", t, f"scope claude.agent:{s}/{k}", f"parent session:{s}", who=w),
        event(id, "action", "result", "agent", "claude-code", t, f"scope trace:x{k}", *_keys(m)),
        verdict(id, t, over, f"call request:r{k}", who=w, **tool),
        effect(id, t, over, *((f"call request:r{k}",) if n % 2 else ()), who=w, record=f"rec-{n // 2}", **tool),
        verdict(id, t, *_keys(m), *((over,) if n % 3 == 0 else ()), who=w, **tool),
        call(s, f"c{k}", t, **tool),
        result(s, f"c{k}", t, attrs={"output": f"To https://github.com/{REPO}.git\n   1111111..2222222  main -> main"}),
        call(s, f"c{k}", t, attrs={"command": "git push", "repository": "", "cwd": "/srv/x"}),
        verdict(id, t, over, who=w, verb="unknown"),
        event(id, "action", "call", "witness", "mcp", t, over, f"call mcp.rpc:r{k}", who=w, **tool),
    ]


one_event = st.tuples(st.integers(0, 19), session, maybe_session, number, number, seconds, who)


def world(drawn: list[tuple[int, str, str, int, int, int, str]]) -> list[Event]:
    return ready(_kinds(n, s, m, k, j, t, w)[which] for n, (which, s, m, k, j, t, w) in enumerate(drawn))


@given(st.lists(one_event, min_size=2, max_size=14), st.data())
@settings(max_examples=120, deadline=None)
def test_pieces_equal_the_whole(drawn: list[tuple[int, str, str, int, int, int, str]], data: st.DataObject) -> None:
    events = list({e.id: e for e in world(drawn)}.values())
    pieces = data.draw(st.lists(st.integers(0, 3), min_size=len(events), max_size=len(events)))
    index = MemoryIndex()
    found: dict[str, Attribution] = {}
    roots: dict[str, str] = {}
    for piece in sorted(set(pieces)):
        new = [stub_of(e) for e, p in zip(events, pieces, strict=True) if p == piece]
        for stub in new:
            index.add(stub)
        # A scope that got another root moves its whole task: that is the store's part.
        moved = {name for name, root in roots.items() if index.scope_root(name) != root}
        again = {s.id: s for s in affected(new, index, FACTS)}
        for stub in index.stubs.values():
            if any(key.name in moved for key in stub.keys):
                again.update({s.id: s for s in affected([stub], index, FACTS)})
        for answer in attribute(list(again.values()), index, FACTS):
            found[answer.event] = answer
        roots = {key.name: index.scope_root(key.name) for s in index.stubs.values() for key in s.keys if key.role == "scope"}
    whole = MemoryIndex(events)
    for answer in attribute([whole.stubs[id] for id in sorted(whole.stubs)], whole, FACTS):
        assert found[answer.event] == answer


@given(st.lists(one_event, min_size=2, max_size=14))
@settings(max_examples=60, deadline=None)
def test_an_event_asked_alone_is_placed_as_among_all(drawn: list[tuple[int, str, str, int, int, int, str]]) -> None:
    events = list({e.id: e for e in world(drawn)}.values())
    index = MemoryIndex(events)
    stubs = [index.stubs[id] for id in sorted(index.stubs)]
    for stub, answer in zip(stubs, attribute(stubs, index, FACTS), strict=True):
        assert attribute([stub], index, FACTS) == [answer]
