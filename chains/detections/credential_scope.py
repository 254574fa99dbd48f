"""CRED: credentials that reach further than the one task, agent and environment they are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chains.context import Context
from chains.detections.examples import at, chain, credential, example, seen_use, step, with_credentials
from chains.detections.holding import held, name_of, records_of, step_of, whole
from chains.detections.reading import operations, ran, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.scopes import compare
from model.chain import Coverage, Credential, TaskChain, Use
from model.words import Severity, Vantage, Verb


def _found(**more: Any) -> Credential:
    """A credential whose issuance nobody saw."""
    return credential(issued=None, issued_task="", turns=(), **more)


@detection(
    "CRED-07",
    "Credential shared by agents or environments",
    Severity.HIGH,
    needs=("credential id with several agent ids or environments",),
    looks_for="a credential this task used that belongs to an unrelated task of another agent or another principal, or that had been "
    "used in another environment before",
    limits="A credential belongs to the task it was issued to or, where no issuance is seen, to the first that used it. Sub-agents are not strangers to "
    "their parents. Two sessions of one agent for one person are CRED-06's concern. The environment "
    "of a use is what the organisation file or the log says of what it was used on; where it is unknown, nothing differs.",
    examples=(
        example("another agent used it before", True, chain(),
                with_credentials(_found(use_list=(seen_use(1, "task-a", agent="codex", by="ada"), seen_use(50, agent="claude-code", by="ada"))))),
        example("another person's agent used it before", True, chain(),
                with_credentials(_found(use_list=(seen_use(1, "task-a", agent="codex", by="ada"), seen_use(50, agent="codex", by="bo"))))),
        example("issued to another person's agent", True, chain(),
                with_credentials(credential(issued_task="task-a", issued_agent="codex", issued_for="ada", use_list=(seen_use(50, agent="codex", by="bo"),)))),
        example("used in test, then in production", True, chain(),
                with_credentials(credential(use_list=(seen_use(1, environment="test"), seen_use(50, environment="prod"))))),
        example("the same agent for the same person", False, chain(),
                with_credentials(_found(use_list=(seen_use(1, "task-a", agent="codex", by="ada"), seen_use(50, agent="codex", by="ada"))))),
        example("its own sub-agent", False, chain(),
                with_credentials(_found(use_list=(seen_use(1, "task-child", agent="helper", by="ada"), seen_use(50, agent="codex", by="ada"))),
                                 relatives=frozenset({"task-child"}))),
        example("one environment, another unknown", False, chain(),
                with_credentials(credential(use_list=(seen_use(1), seen_use(50, environment="prod"))))),
        example("the other one came later", False, chain(),
                with_credentials(credential(use_list=(seen_use(1, agent="codex", by="ada"), seen_use(50, "task-b", agent="codex", by="bo"))))),
    ),
)  # fmt: skip
def shared(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    mine = task.task.id
    for one in held(task, around):
        told = [text for text in (_strangers(one, mine, around.relatives), _environments(one, mine)) if text]
        if told:
            own = next(u for u in one.use_list if u.task == mine)
            yield Hit(
                anchor=one.key,
                step=step_of(task, one),
                at=own.at,
                evidence=(*[u.record for u in one.use_list if u.task != mine][:20], *records_of(one, mine)),
                why=f"{name_of(one)}: {'; '.join(told)}",
                facts={"credential": one.id},
            )


def _strangers(one: Credential, mine: str, relatives: frozenset[str]) -> str:
    """Whom it was issued to, or who used it first, where that is another agent or an agent for somebody else."""
    first = next((u for u in one.use_list if u.task and u.at is not None), None)
    if one.issued_task:
        owner, agent, by, how = one.issued_task, one.issued_agent, one.issued_for, "issued to"
    elif first is not None:
        owner, agent, by, how = first.task, first.agent, first.by, "used before by"
    else:
        return ""
    if owner == mine or owner in relatives:
        return ""
    for own in (u for u in one.use_list if u.task == mine):
        if _differ(own.agent, agent) or _differ(own.by, by):
            return (
                f"used by {_who(own.agent, own.by)} at {when(own.at)} in this task, and {how} {_who(agent, by)} in task {owner}"
            )
    return ""


def _environments(one: Credential, mine: str) -> str:
    """The first use in this task that was in another environment than an earlier one, by whomever."""
    seen: dict[str, Use] = {}
    for use in one.use_list:
        if use.at is None or not use.environment:
            continue
        other = next((u for name, u in seen.items() if _differ(name, use.environment)), None)
        if use.task == mine and other is not None:
            return f"used in {use.environment} at {when(use.at)}, and in {other.environment} at {when(other.at)}"
        seen.setdefault(use.environment, use)
    return ""


def _differ(one: str, other: str) -> bool:
    return bool(one and other and one.casefold() != other.casefold())


def _who(agent: str, by: str) -> str:
    return f"{agent or 'an agent'} for {by}" if by else agent or "an agent"


_GITHUB = Coverage("github", Vantage.TARGET, "*", at(0), at(9000), 50)


@detection(
    "CRED-10",
    "Granted scope wider than scope used",
    Severity.MEDIUM,
    needs=("scopes granted", "scopes exercised in the task"),
    looks_for="a permission to change something that a credential issued to the task carries and that nothing in the task made use of",
    limits="Compared are GitHub permissions and OAuth scopes, and grants of everything (`*`, Vault's root policy, AWS AdministratorAccess). "
    "The name of a policy or role says nothing of what it permits. Rights to read are not counted. Without a target's log over the time of "
    "the credential's use, what was used is not known.",
    parameters={"ignore": ((), "scope entries that are never called too wide")},
    examples=(
        example("may push and write packages, only pushed", True,
                chain(step("exec", command="git push origin fix/a", tool="yes")),
                with_credentials(credential(scope=("contents:write", "packages:write"), use_list=(seen_use(20, point="github"),)),
                                 coverages=(_GITHUB,))),
        example("may push, pushed", False,
                chain(step("exec", command="git push origin fix/a", tool="yes")),
                with_credentials(credential(scope=("contents:write", "metadata:read"), use_list=(seen_use(20, point="github"),)),
                                 coverages=(_GITHUB,))),
        example("a root token that reads one secret", True,
                chain(step("secret.read", target="secret_store", name="kv/app", tool="yes")),
                with_credentials(credential(scope=("root",), use_list=(seen_use(20, point="github"),)), coverages=(_GITHUB,))),
        example("the name of a policy", False,
                chain(step("secret.read", target="secret_store", name="kv/app", tool="yes")),
                with_credentials(credential(scope=("ci-deploy",), use_list=(seen_use(20, point="github"),)), coverages=(_GITHUB,))),
        example("no target's log", False,
                chain(step("exec", command="git push origin fix/a", tool="yes")),
                with_credentials(credential(scope=("contents:write", "packages:write"), use_list=(seen_use(20, point="github"),)))),
    ),
)  # fmt: skip
def too_wide(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    ignored = parameters["ignore"]
    left_out = {str(entry) for entry in ignored} if isinstance(ignored, list | tuple) else set()
    exercised: set[Verb] | None = None
    for one in held(task, around):
        own = [u for u in one.use_list if u.task in around.relatives or u.task == task.task.id]
        if one.issued_task != task.task.id or not own:
            continue
        if not one.scope:
            yield Unjudged("scope of a credential")
            continue
        first_by = {u.point: u for u in reversed(own) if u.vantage is Vantage.TARGET}
        if not any(_seen_whole(u, one, task, around) for u in first_by.values()):
            yield Unjudged("what a credential was used for, as its target's log shows it")
            continue
        if exercised is None:
            exercised = _verbs(task)
        found = compare((entry for entry in one.scope if entry not in left_out), exercised)
        if found.open:
            yield Unjudged(f"what the scope {found.open[0]} permits")
        if found.wider:
            yield Hit(
                anchor=one.key,
                step=step_of(task, one),
                at=one.issued,
                evidence=(one.issued_record, *records_of(one, task.task.id)),
                why=f"{name_of(one)} was issued with {', '.join(one.scope)}; not used in this task: {', '.join(found.wider)}",
                facts={"credential": one.id, "unused": list(found.wider)},
            )


def _seen_whole(use: Use, one: Credential, task: TaskChain, around: Context) -> bool:
    """Whether the log of the point that saw the use reaches from the issuance to the end of the task."""
    start = one.issued if one.issued is not None else use.at
    ends = [moment for moment in (task.task.ended, one.expires, one.revoked) if moment is not None]
    if start is None or not ends:
        return False
    return any(c.point == use.point and c.scope == "*" and whole(c, start, min(ends)) for c in around.coverages)


def _verbs(task: TaskChain) -> set[Verb]:
    """Every verb done in the task, as the agent says or as a target saw it."""
    found: set[Verb] = set()
    for one in task.steps:
        if ran(one):
            found |= {o.verb for o in operations(one)} | {one.verb}
        found |= {i.verb for i in (*one.effects, *one.credential_events)}
    return found
