"""DEL: authority handed on, and borders crossed on the way."""

from __future__ import annotations

from collections.abc import Iterator

from chains.breadth import Breadth, breadth_of
from chains.context import Context
from chains.detections.examples import answer, chain, context, example, step
from chains.detections.reading import may_have_done, operations, records, said, when
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import Step, Task, TaskChain
from model.words import Phase, Severity, Vantage, Verb

_ANY_AGENT = frozenset({"", "general-purpose", "general", "*", "all"})
_UNLIMITED = _ANY_AGENT | {"default"}


@detection(
    "DEL-01",
    "Sub-agent started without delegated scope",
    Severity.HIGH,
    needs=("parent and child task or agent ids", "delegated scope"),
    looks_for="a step that started a sub-agent for which no record states any narrowing of the parent's authority",
    limits="A narrowing is an agent type of its own, a tool list, a sandbox, a permission mode, a policy or a mandate. That it is enforced "
    "is another question. A general-purpose type narrows nothing.",
    examples=(
        example("spawned with nothing stated", True, chain(step("agent.spawn", child="task-c", tool="yes")),
                context(children={"task-c": Task("task-c", "session:c")})),
        example("a general agent, whose name stands as its mode", True, chain(step("agent.spawn", child="task-c", tool="yes"), mode="build"),
                context(children={"task-c": Task("task-c", "session:c", agent="opencode", mode="general")})),
        example("an agent type of its own", False, chain(step("agent.spawn", child="task-c", tool="yes",
                request={"agent.delegated_scope": "reviewer"})), context(children={"task-c": Task("task-c", "session:c")})),
        example("the child runs in a read-only sandbox", False,
                chain(step("agent.spawn", child="task-c", tool="yes", request={"agent.delegated_scope": "sandbox read-only"})),
                context(children={"task-c": Task("task-c", "session:c")})),
        example("the pipeline that runs on its push", False, chain(step("pr.open", child="task-c", tool="yes")),
                context(children={"task-c": Task("task-c", "ci.job:c", vantages=("target",))})),
        example("no sub-agent came of it", False, chain(step("agent.spawn", tool="no"))),
    ),
)  # fmt: skip
def no_scope(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for one in task.steps:
        child = around.children.get(one.child)
        if not one.child or not _delegates(one, child):
            continue
        if stated_scope(task, one) or (child is not None and _narrower(child, task.task)):
            continue
        yield Hit(
            anchor=one.call or one.id,
            step=one.id,
            at=one.at,
            evidence=one.records,
            why=f"`{said(one)}` started sub-agent task {one.child} at {when(one.at)}; no record states a narrower scope for it than the "
            "parent's own",
            facts={"child": one.child},
        )


def _delegates(one: Step, child: Task | None) -> bool:
    """Whether a step started an agent: a pipeline that runs on what it pushed is a child task, but nobody's sub-agent."""
    spawns = any(o.verb is Verb.AGENT_SPAWN for o in operations(one))
    return spawns or (child is not None and (bool(child.agent) or Vantage.AGENT in child.vantages))


def stated_scope(task: TaskChain, one: Step) -> str:
    """What a record says narrows the sub-agent started by a step: "" where nothing does."""
    stated = str(one.request.get("agent.delegated_scope") or "")
    if stated and stated.lower() not in _UNLIMITED:
        return stated
    for item in (*one.actions, *one.credential_events, *one.decisions):
        event = task.events.get(item.id)
        if event is None:
            continue
        for name in ("delegated_scope", "agent_type"):
            value = str(event.attrs.get(name) or "")
            if value.lower() not in _UNLIMITED:
                return value
    for event in task.events.values():
        if event.phase is Phase.DELEGATED and one.call and one.call in {k.name for k in event.keys}:
            for name in ("delegated_scope", "agent_type"):
                value = str(event.attrs.get(name) or "")
                if value.lower() not in _UNLIMITED:
                    return value
    return ""


def _narrower(child: Task, parent: Task) -> bool:
    """A child that runs in another, stated mode than its parent was narrowed (or widened: BND-04 speaks of that)."""
    return child.mode.lower() not in _ANY_AGENT and child.mode != parent.mode


@detection(
    "DEL-02",
    "Chain crosses owners or repositories",
    Severity.MEDIUM,
    needs=("owner of each resource in one task chain",),
    looks_for="one task, its sub-agents included, that acts on resources of different owners",
    limits="Owners come from the organisation file; without it this cannot be judged. Reading of any kind, installing packages and what is known "
    "to have failed cross no owner's border. Of a sub-agent's task it is only known whose resources it touched, reading included.",
    examples=(
        example("pushes to two teams' repositories", True,
                chain(step("repo.write", target="repository", name="a/x", owner="team-a", tool="yes"),
                      step("repo.write", target="repository", name="b/y", owner="team-b", tool="yes"))),
        example("one team's", False, chain(step("repo.write", owner="team-a", tool="yes"), step("secret.read", owner="team-a", tool="yes"))),
        example("the second was refused", False,
                chain(step("repo.write", owner="team-a", tool="yes"), step("repo.write", answer("deny"), owner="team-b", tool="no"))),
        example("the second was only read", False,
                chain(step("repo.write", owner="team-a", tool="yes"),
                      step("exec", command="git clone https://github.com/b/y && gh pr view 3 --repo b/y", owner="team-b", tool="yes"))),
        example("the second came to nothing", False,
                chain(step("repo.write", owner="team-a", tool="yes"),
                      step("exec", command="git push https://github.com/b/y main", owner="team-b", tool="no"))),
        example("pushed, and what came after it failed", True,
                chain(step("repo.write", owner="team-a", tool="yes"),
                      step("exec", command="git push https://github.com/b/y main && make test", owner="team-b", tool="no"))),
        example("through a sub-agent", True, chain(step("repo.write", owner="team-a", tool="yes")),
                context(children={"task-c": Task("task-c", "session:c", owners=("team-b",))})),
    ),
)  # fmt: skip
def crosses_owners(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    first: dict[str, Step] = {}
    for one in task.steps:
        if one.owner and any(may_have_done(one, o) and breadth_of(o, one.tool) >= Breadth.SHARED for o in operations(one)):
            first.setdefault(one.owner, one)
    handed = {owner: id for id, child in sorted(around.children.items()) for owner in child.owners}
    owners = sorted({*first, *handed})
    if len(owners) < 2:
        if not any(resource.owner for resource in around.facts.org.resources):
            yield Unjudged("owners in the organisation file")
        return
    touched = [f"{owner} ({first[owner].target.name or said(first[owner])})" if owner in first else f"{owner} (touched by sub-agent {handed[owner]})"
               for owner in owners]  # fmt: skip
    steps = sorted(first.values(), key=lambda s: s.n)
    yield Hit(
        anchor="scope",
        step=steps[-1].id if steps else "",
        at=steps[-1].at if steps else task.task.started,
        evidence=records(*steps),
        why=f"one chain acted on resources of {len(owners)} owners: {', '.join(touched)}; no record shows that each agreed",
        facts={"owners": owners},
    )
