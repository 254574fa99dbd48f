"""CHN: agents that come to act again through their own doing. Remit's own family: its ids map to no control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chains.context import Context
from chains.detections.examples import answer, chain, context, example, step
from chains.detections.reading import operations, said, set_out, when
from chains.detections.registry import Hit, Unjudged, detection
from model.chain import Step, Task, TaskChain
from model.words import Severity, Verb

_PUSHES = frozenset({Verb.REPO_WRITE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.REPO_MERGE, Verb.CI_RUN})


def _below(*tasks: Task) -> Mapping[str, Task]:
    return {task.id: task for task in tasks}


def _task(id: str, agent: str, parent: str = "task-example") -> Task:
    return Task(id, f"session:{id}", agent=agent, parent=parent)


@detection(
    "CHN-01",
    "Agent starts itself again",
    Severity.MEDIUM,
    needs=("parent and child tasks with their agents", "or the command that started an agent"),
    looks_for="a step by which an agent comes to act again outside its own sub-agents: it starts its own product by a command, by a pipeline that runs "
    "on what it pushed, through another agent, or addresses the session it belongs to",
    limits="A sub-agent started with the agent's own tool is DEL-01's concern. An agent is told from another by its product alone. What a command "
    "starts is read from its words; a script that starts an agent shows only where the started session's log names its parent. What bounds the "
    "second agent, and how far the whole chain reaches, is told by `remit show --delegation`.",
    examples=(
        example("starts its own product by a command", True, chain(step("exec", command="claude -p 'go on'", tool="yes"), agent="claude-code")),
        example("starts another product", False, chain(step("exec", command="codex exec 'look'", tool="yes"), agent="claude-code")),
        example("asks for its version", False, chain(step("exec", command="claude --version", tool="yes"), agent="claude-code")),
        example("was refused", False, chain(step("exec", answer("deny"), command="claude -p 'go on'", tool="no"), agent="claude-code")),
        example("a pipeline that runs it again", True, chain(step("repo.write", child="task-c", tool="yes"), agent="claude-code"),
                context(below=_below(_task("task-c", "claude-code")))),
        example("a pipeline without an agent", False, chain(step("repo.write", child="task-c", tool="yes"), agent="claude-code"),
                context(below=_below(_task("task-c", "")))),
        example("its own sub-agent", False, chain(step("agent.spawn", child="task-c", tool="yes"), agent="claude-code"),
                context(below=_below(_task("task-c", "claude-code")))),
        example("through another agent", True, chain(step("exec", command="codex exec 'x'", child="task-c", tool="yes"), agent="claude-code"),
                context(below=_below(_task("task-c", "codex"), _task("task-d", "claude-code", "task-c")))),
        example("addresses its own session", True,
                chain(step("agent.message", target="agent", name="example", tool="yes"), agent="claude-code")),
    ),
)  # fmt: skip
def again(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    mine = task.task.agent
    for one in task.steps:
        if not set_out(one):
            continue
        why = _itself(one, task.task) or (_again(one, mine, around.below) if mine else "")
        if why:
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=one.records,
                why=f"`{said(one)}` at {when(one.at)}: {why}",
                facts={"child": one.child} if one.child else {},
            )


def _itself(one: Step, task: Task) -> str:
    return "the step addresses the session it belongs to" if addresses_itself(one, task) else ""


def _again(one: Step, mine: str, below: Mapping[str, Task]) -> str:
    means = started_by(one)
    child = below.get(one.child)
    if child is not None and child.agent == mine and means in ("command", "pipeline"):
        return f"{mine} started {mine} again by a {means}, as task {child.id}"
    if child is None and any(o.verb is Verb.AGENT_SPAWN and o.target.name == mine for o in one.operations):
        return f"{mine} started {mine} again by a command; no log of what it started is there"
    if child is not None and child.agent != mine and (way := _back(child, mine, below)):
        names = " → ".join(t.agent or "an unknown agent" for t in way)
        return f"{mine} → {names}: the same agent again through others, as task {way[-1].id}"
    return ""


def _back(first: Task, mine: str, below: Mapping[str, Task]) -> list[Task]:
    """The shortest way from a child down to the next task of this agent."""
    children: dict[str, list[Task]] = {}
    for _, one in sorted(below.items()):
        children.setdefault(one.parent, []).append(one)
    ways = [[first]]
    seen = {first.id}
    for way in ways:
        for one in children.get(way[-1].id, ()):
            if one.agent == mine:
                return [*way, one]
            if one.id not in seen:
                seen.add(one.id)
                ways.append([*way, one])
    return []


def started_by(one: Step) -> str:
    """By what means a step started another task: `tool`, `command`, `message`, `pipeline`, else its verb."""
    done = {o.verb for o in operations(one)}
    if one.verb is Verb.AGENT_SPAWN:
        return "tool"
    if one.verb is Verb.EXEC and Verb.AGENT_SPAWN in done:
        return "command"
    if one.verb is Verb.AGENT_MESSAGE:
        return "message"
    if done & _PUSHES:
        return "pipeline"
    return "command" if one.verb is Verb.EXEC else one.verb.value


def addresses_itself(one: Step, task: Task) -> bool:
    """Whether a step starts or addresses the very session it belongs to."""
    name = one.target.name
    return one.verb in (Verb.AGENT_SPAWN, Verb.AGENT_MESSAGE) and bool(name) and name in (task.id, task.scope.partition(":")[2])
