"""Delegation as a tree: who started whom, how far each reaches, borders, who agreed, and agents that start themselves."""

from __future__ import annotations

from typing import Any

import pytest

from chains.breadth import Breadth, breadth_of, scope_breadth
from chains.delegation import Delegation, Hop, Node, delegation, hop
from chains.detections.examples import Made, answer, at, credential, step, use
from model.chain import Credential, Item, Step, Task, TaskChain, Turn
from model.event import Decision, Operation, Target
from model.words import Effect, Phase, TargetClass, Vantage, Verb
from tests.chains_story import facts


def made(id: str, *steps: Made | Step, held: tuple[Credential, ...] = (), **task: Any) -> Hop:
    """A task of these steps, read."""
    done = [one if isinstance(one, Step) else one(n) for n, one in enumerate(steps, 1)]
    for n, one in enumerate(done, 1):
        one.n, one.id = n, f"{id}-{n}"
    fields: dict[str, Any] = {"agent": "claude-code", "principal": "dana@acme"} | task
    return hop(TaskChain(Task(id, f"session:{id}", **fields), [], done, [], []), held, facts())


def tree(asked: str, *hops: Hop) -> Delegation:
    return delegation({one.task.id: one for one in hops}, asked)


def nodes(node: Node) -> dict[str, Node]:
    found = {node.hop.task.id: node}
    for child in node.children:
        found |= nodes(child)
    return found


def spawn(child: str, **more: Any) -> Made:
    return step("agent.spawn", child=child, tool="yes", **more)


def test_the_tree_goes_from_the_first_task_down_whichever_is_asked_about() -> None:
    hops = (made("a", spawn("b"), spawn("c")), made("b", spawn("d"), parent="a"), made("c", parent="a"), made("d", parent="b"))
    found = tree("d", *hops)
    assert (found.path, found.deepest, found.tasks) == (("a", "b", "d"), 2, 4)
    assert {id: node.depth for id, node in nodes(found.root).items()} == {"a": 0, "b": 1, "d": 2, "c": 1}
    assert {id: node.spawn.n for id, node in nodes(found.root).items() if node.spawn} == {"b": 1, "d": 1, "c": 2}
    assert tree("a", *hops).root.children[0].hop.task.id == "b"


def test_a_chain_reaches_as_far_as_the_farthest_of_its_hops_and_names_the_way() -> None:
    found = tree(
        "a",
        made("a", step("file.read", tool="yes"), spawn("b")),
        made("b", spawn("c"), parent="a"),
        made("c", step("secret.read", target="secret_store", name="prod/key", environment="prod", tool="yes"), parent="b"),
    )
    assert found.root.effective is not None and found.root.hop.own is not None
    assert (found.root.hop.own.breadth, found.root.effective.breadth) == (Breadth.LOCAL, Breadth.CONTROL)
    assert found.root.through == ("a", "b", "c") and "prod/key" in found.root.effective.what
    assert [(b.kind, b.before, b.after) for b in nodes(found.root)["c"].borders] == [
        ("reach", "changes its own machine", "takes or changes authority in prod")
    ]


def test_what_was_refused_reaches_nowhere_and_what_was_granted_reaches_without_being_used() -> None:
    refused = step("repo.merge", answer("deny"), name="acme/payments")
    unused = credential(scope=("contents:write",), use_list=(use(5, "a"),), issued_task="a")
    one = made("a", step("file.read", tool="yes"), refused, held=(unused,))
    assert one.own is not None and one.grant is not None
    assert (one.own.breadth, one.grant.breadth, one.grant.credential) == (Breadth.READ, Breadth.SHARED, unused.id)


def test_steps_that_cannot_be_read_are_counted_not_taken_for_harmless() -> None:
    unread = step("exec", tool="yes")(1)
    unread.operations = (Operation(Verb.UNKNOWN, certain=False),)
    assert (made("a", unread).own, made("a", unread, step("unknown", tool="yes")).unread) == (None, 2)


@pytest.mark.parametrize(
    ("scope", "breadth"),
    [
        ("contents:write", Breadth.SHARED),
        ("repo", Breadth.SHARED),
        ("arn:aws:iam::1:role/platform-admin", Breadth.CONTROL),
        ("arn:aws:iam::1:policy/ReadOnlyAccess", Breadth.READ),
        ("*", Breadth.CONTROL),
        ("contents:read", Breadth.READ),
        ("agent-quay-staging", Breadth.UNKNOWN),
        ("administration-report", Breadth.UNKNOWN),
    ],
)
def test_how_far_a_scope_reaches_by_its_name(scope: str, breadth: Breadth) -> None:
    assert scope_breadth(scope) is breadth


@pytest.mark.parametrize(
    ("verb", "name", "tool", "breadth"),
    [
        ("cloud.call", "s3:ListBuckets", "", Breadth.READ),
        ("cloud.call", "ecs:UpdateService", "", Breadth.SHARED),
        ("mcp.call", "", "mcp__github__get_issue", Breadth.READ),
        ("mcp.call", "", "mcp__github__create_issue", Breadth.SHARED),
        ("cluster.call", "", "pods delete", Breadth.SHARED),
        ("unknown", "", "", Breadth.UNKNOWN),
    ],
)
def test_how_far_an_operation_reaches(verb: str, name: str, tool: str, breadth: Breadth) -> None:
    assert breadth_of(Operation(Verb(verb), Target(TargetClass.CLOUD, name)), tool) is breadth


def test_borders_are_what_is_known_of_both_and_differs() -> None:
    parent = made("a", spawn("b"), repository="acme/payments", environment="dev", mode="default", owners=("team-pay",))
    child = made("b", parent="a", principal="ci", repository="acme/web", mode="default", owners=("team-pay", "team-web"))
    found = nodes(tree("a", parent, child).root)["b"].borders
    assert [(b.kind, b.before, b.after) for b in found] == [
        ("principal", "dana@acme", "ci"),
        ("repository", "acme/payments", "acme/web"),
        ("owner", "team-pay", "team-web"),
    ]


def allowed(by: str, principal: str = "", vantage: Vantage = Vantage.ENFORCER) -> Item:
    return Item(
        f"ev-{by}",
        "rec",
        Phase.VERDICT,
        vantage,
        "opa",
        at(1),
        principal=principal,
        decision=Decision(Effect.ALLOW, "r-1", by=by),
    )


def test_a_crossing_names_who_agreed_to_it_or_that_nobody_is_seen_to() -> None:
    push = {"target": "repository", "name": "acme/web", "owner": "team-web", "tool": "yes"}
    home = step("repo.write", target="repository", name="acme/payments", owner="team-pay", tool="yes")
    silent = made("a", home, step("repo.write", **push), repository="acme/payments")
    assert [(c.kind, c.home, c.to, c.n, c.times, c.agreed) for c in silent.crossings] == [
        ("owner", "team-pay", "team-web", 2, 1, ()),
        ("repository", "acme/payments", "acme/web", 2, 1, ()),
    ]
    spoken, merged = step("repo.write", **push)(2), step("pr.merge", **push)(3)
    spoken.decisions = (allowed("opa:agents"), allowed("user", vantage=Vantage.AGENT))
    merged.effects = (Item("ev-m", "rec", Phase.OBSERVED, Vantage.TARGET, "github", at(9), Verb.PR_MERGE, principal="lee-gh"),)
    agreed = made("a", home, spoken, merged, repository="acme/payments").crossings[0]
    assert (agreed.times, [(yes.by, yes.how) for yes in agreed.agreed]) == (
        2,
        [("opa:agents", "policy"), ("user", "person"), ("lee@acme", "merge")],
    )


def test_reading_elsewhere_and_being_refused_cross_nothing() -> None:
    read = step("repo.read", target="repository", name="acme/web", owner="team-web", tool="yes")
    refused = step("repo.write", answer("deny"), target="repository", name="acme/web", owner="team-web")
    assert made("a", read, refused, repository="acme/payments").crossings == []


def test_requests_in_mid_task_and_requests_without_issuance() -> None:
    second = credential(id="cred-2", issued=at(50), issued_task="a", flags=("mid_task",))
    first = credential(id="cred-1", issued=at(5), issued_task="a")
    asked = credential(
        id="cred-3",
        issued=None,
        issued_task="",
        use_list=(use(9, "a"),),
        turns=(Turn(Phase.REQUESTED, "ev", "rec", at(60), "a"),),
    )
    found = made("a", held=(second, asked, first)).requests
    assert [(one.credential, one.phase) for one in found] == [("cred-2", "issued"), ("cred-3", "requested")]


def chained(asked: str, *hops: Hop) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.kind, one.tasks) for one in tree(asked, *hops).self_chaining]


def test_an_agent_that_starts_itself_without_narrowing_is_self_chaining() -> None:
    plain = (made("a", spawn("b"), mode="default"), made("b", parent="a", mode="default"))
    assert chained("a", *plain) == [("same agent", ("a", "b"))]
    narrowed = made("a", spawn("b", request={"agent.delegated_scope": "reviewer"}))
    assert chained("a", narrowed, made("b", parent="a")) == []
    assert chained("a", made("a", spawn("b"), mode="default"), made("b", parent="a", mode="plan")) == []
    assert chained("a", made("a", spawn("b")), made("b", parent="a", agent="codex")) == []


def test_an_agent_started_by_a_command_chains_itself_however_narrow_it_is_called() -> None:
    by_shell = step("exec", child="b", tool="yes", request={"agent.delegated_scope": "reviewer"})(1)
    by_shell.operations = (Operation(Verb.AGENT_SPAWN, text="claude -p"),)
    assert chained("a", made("a", by_shell), made("b", parent="a")) == [("same agent", ("a", "b"))]


def test_a_loop_through_other_tools_is_found_over_any_number_of_hops() -> None:
    hops = (
        made("a", spawn("b")),
        made("b", step("pr.open", child="c", tool="yes"), parent="a", agent="codex"),
        made("c", spawn("d"), parent="b", agent=""),
        made("d", parent="c"),
    )
    assert chained("d", *hops) == [("loop", ("a", "b", "c", "d"))]


def test_a_circle_of_parents_ends_where_it_closes() -> None:
    found = tree("a", made("a", spawn("b"), parent="b"), made("b", spawn("a"), parent="a", agent="codex"))
    assert [one.kind for one in found.self_chaining] == ["circle"] and found.tasks == 2


def test_a_step_that_addresses_its_own_session() -> None:
    assert chained("a", made("a", step("agent.message", target="agent", name="a", tool="yes"))) == [("itself", ("a",))]
    assert chained("a", made("a", step("agent.message", target="agent", name="other", tool="yes"))) == []


def test_a_parent_that_is_not_at_hand_ends_the_way_up() -> None:
    found = tree("b", made("b", parent="gone"))
    assert (found.path, found.root.depth, found.root.spawn) == (("b",), 0, None)
