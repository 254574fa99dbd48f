"""GOV: the decision chain. Was there a decision, and was it kept?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from chains.context import Context
from chains.detections.examples import (
    answer,
    asked,
    at,
    chain,
    context,
    example,
    handed_out,
    opa_coverage,
    served,
    step,
    unasked,
)
from chains.detections.reading import answers, denials, ran, records, refused, said, verbs, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.shelf import where
from lang.names import host_name
from model.chain import Coverage, Item, Link, Step, TaskChain
from model.words import Effect, KeyRole, LinkKind, Severity, Tri, Vantage, Verb

_NOT_GOVERNED = frozenset({Verb.UNKNOWN, Verb.AGENT_MESSAGE, Verb.GUARDRAIL_CHANGE})


@detection(
    "GOV-01",
    "Ungoverned action",
    Severity.HIGH,
    needs=("action events with task id and time", "decision events", "coverage of the enforcement point"),
    looks_for="an action that ran though no decision on it is on record, while a decider that answers for such actions was being watched",
    limits="A decider answers for the verbs it was ever seen to decide on and for the principals its log names. Where no decider's log "
    "covers the moment, the absence is told as one blind spot of the task, not as a finding; so it is where a decider's verdicts could only be "
    "inferred and stand on the wrong side of their calls, or where only a target's record joined by inference names the principal. "
    "What a decider tells of without a verdict it let through.",
    version=3,
    examples=(
        example("runs without a decision inside coverage", True, chain(step("exec", tool="yes")), context(opa_coverage("exec"))),
        example(
            "a decision is on record", False, chain(step("exec", answer("allow"), tool="yes")), context(opa_coverage("exec"))
        ),
        example(
            "the decider never decides on such actions",
            False,
            chain(step("file.read", tool="yes")),
            context(opa_coverage("exec")),
        ),
        example(
            "the decider's clock is off, and its verdicts name no calls",
            False,
            chain(
                step(
                    "exec",
                    answer("allow"),
                    tool="yes",
                    links=(Link("ev-1", "ev-answer-allow-None", LinkKind.INFERRED, "match:words", 0.8, factors={"early": -0.1}),),
                ),
                step("exec", tool="yes"),
            ),
            context(opa_coverage("exec")),
        ),
        example("outside coverage it is a blind spot", False, chain(step("exec", tool="yes")), context()),
        example("the decider tells of it without a verdict", False,
                chain(step("exec", tool="yes", effects=(served("opa:agent", vantage="enforcer"),))),
                context(opa_coverage("exec"))),
        example("the decider answers for whom the target saw", True,
                chain(step("exec", tool="yes", effects=(served("a.example", "svc"),)), principal="svc"),
                context(opa_coverage("exec", scope="svc"))),
        example("that the target saw this principal is inferred", False,
                chain(step("exec", tool="yes", effects=(served("a.example", "svc"),),
                           links=(Link("ev-1", "ev-served", LinkKind.INFERRED, "match:words", 0.8),)), principal="svc"),
                context(opa_coverage("exec", scope="svc"))),
        example(
            "in a gap of the log", False, chain(step("exec", tool="yes", at=at(50))), context(opa_coverage("exec", gap=(40, 60)))
        ),
        example(
            "the call was refused and did not run",
            False,
            chain(step("exec", answer("deny"), tool="no")),
            context(opa_coverage("exec")),
        ),
    ),
)  # fmt: skip
def ungoverned(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    deciders = [c for c in around.coverages if c.decides and c.vantage is Vantage.ENFORCER]
    first: Step | None = None
    uncovered = 0
    adrift, guessed = _adrift(task), _guessed(task, around)
    for one in task.steps:
        if not one.agent_claimed or not ran(one) or any(answers(one)) or one.verb in _NOT_GOVERNED:
            continue
        # An enforcement point that tells of the action itself let it through, and was not passed by.
        told = {item.point for item in one.items() if item.vantage is Vantage.ENFORCER}
        decider = _covering([c for c in deciders if c.point not in told], one, task, guessed)
        if decider is None and any(c.point in told for c in deciders):
            continue
        if decider is None or decider.point in adrift:
            uncovered += 1
            first = first or one
        elif decider.point:
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=one.records,
                why=f"`{said(one)}` ran at {when(one.at)} and no decision on it is on record, although {decider.point} was being watched "
                f"then (its log reaches over that moment without a gap) and decides on {one.verb.value}",
                facts={"decider": decider.point},
            )
    if first is not None:
        yield Hit(
            anchor="scope",
            at=first.at,
            evidence=records(first),
            blind_spot=True,
            why=f"{uncovered} of {len(task.steps)} steps ran with no decision on record, and no decider's log covers them"
            f"{' whose clock can be relied on' if adrift else ''}: whether they were governed is not known",
            facts={"steps": uncovered},
        )


def _adrift(task: TaskChain) -> set[str]:
    """Deciders whose verdicts were joined to this task by inference and stand on the wrong side of their calls: one that could
    not be joined looks like none."""
    late = (link for step in task.steps for link in step.links if link.kind is LinkKind.INFERRED and "early" in link.factors)
    ends = {end for link in late for end in (link.source, link.target)}
    return {item.point for step in task.steps for item in step.decisions if item.id in ends} if ends else set()


def _guessed(task: TaskChain, around: Context) -> str:
    """The task's principal, where nothing names it but targets' records joined by inference: that a decider answers for it says nothing
    of the task, for many may act under one account."""
    who = task.task.principal
    named = False
    for one in task.steps:
        ends = {end for link in one.links if link.kind is LinkKind.INFERRED for end in (link.source, link.target)}
        for item in one.items():
            if item.principal and around.facts.identity(item.principal) == who:
                named = True
                if item.vantage is not Vantage.TARGET or item.id not in ends:
                    return ""
    return who if named else ""


_ANY = Coverage("", Vantage.ENFORCER, "", 0, 0, 0)


def _covering(deciders: list[Coverage], one: Step, task: TaskChain, guessed: str) -> Coverage | None:
    """The decider whose silence on this step says something; `_ANY` where deciders were watched that do not answer for such steps."""
    if one.at is None:
        return None
    wanted = verbs(one) | {one.verb}
    names = {task.task.principal, task.task.on_behalf_of, task.task.scope, str(one.request.get("principal.id", ""))}
    for event in (task.events[id] for id in (item.id for item in one.actions) if id in task.events):
        names |= {str(event.attrs.get("host") or ""), *(k.name for k in event.keys if k.role is KeyRole.SCOPE)}
    names -= {"", guessed}
    watched = False
    for decider in deciders:
        if not decider.covers(one.at) or not _names(decider.scope, names):
            continue
        watched = True
        if not decider.verbs or wanted & set(decider.verbs):
            return decider
    return _ANY if watched else None


def _names(scope: str, names: set[str]) -> bool:
    return scope in ("", "*") or scope in names or scope.partition(":")[2] in names


@detection(
    "GOV-02",
    "Action executed despite deny",
    Severity.CRITICAL,
    needs=("decision with outcome deny", "action linked by task, tool and target after it"),
    looks_for="a call that an enforcer denied and that ran all the same",
    limits="A denial by the target itself, or of one request by a proxy on the way, stops only what it names, so it is not held against a "
    "command that ends well for other reasons, nor is what a gateway denied to a command that it let run, unless another log shows it done. "
    "A call denied first and allowed later by the same decider is no breach.",
    version=3,
    examples=(
        example("denied by the policy engine, result came back", True, chain(step("repo.write", answer("deny"), tool="yes"))),
        example("denied and refused", False, chain(step("repo.write", answer("deny"), tool="no"))),
        example(
            "denied, then allowed by the same decider",
            False,
            chain(step("exec", answer("deny"), answer("allow", at=at(20)), tool="yes")),
        ),
        example(
            "the target denied one part of a command", False, chain(step("exec", answer("deny", vantage="target"), tool="yes"))
        ),
        example(
            "a proxy denied one request of a command", False, chain(step("exec", answer("deny", verb="net.connect"), tool="yes"))
        ),
        example("a proxy denied a request that the host served", True, chain(
            step("exec", answer("deny", verb="http.request", host="a.example"), tool="yes", effects=(served("a.example"),)))),
        example("the end of the call is not seen", False, chain(step("exec", answer("deny")))),
        example("a gateway let a command run and denied it one file", False,
                chain(step("exec", answer("allow", verb="exec"), answer("deny", verb="file.write"), tool="yes"))),
        example("a file was denied and nobody let the command run", True,
                chain(step("exec", answer("deny", verb="file.write"), tool="yes"))),
        example("a gateway let a command run and denied it a secret that the store handed out", True, chain(
            step("exec", answer("allow", verb="exec"), answer("deny", verb="secret.read", name="kv/pay"), tool="yes",
                 effects=(handed_out("kv/pay"),)))),
        example("a part of a command was denied and another allowed", True, chain(
            step("exec", answer("deny", verb="exec", name="curl"), answer("allow", verb="exec", name="ls", at=at(20)), tool="yes"))),
    ),
)  # fmt: skip
def despite_deny(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for one in task.steps:
        if not ran(one) or refused(one):
            continue
        for item in denials(one):
            in_part = item.vantage is Vantage.TARGET or _of_a_request(one, item) or _of_a_part(one, item)
            if in_part or _allowed_later(task, one, item):
                continue
            if item.vantage is Vantage.AGENT and one.outcome.effect is not Tri.YES:
                continue
            made = item.decision
            by = (made.by if made else "") or item.point
            rule = f" by rule {made.rule}" if made and made.rule else ""
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=item.at or one.at,
                evidence=(item.record, *one.records),
                why=f"{by} denied `{said(one)}`{rule} at {when(item.at)}, and it ran: tool {one.outcome.tool.value}, effect "
                f"{one.outcome.effect.value}",
                facts={"decider": by},
            )
            break


_REQUESTS = frozenset({Verb.NET_CONNECT, Verb.HTTP_REQUEST})
"""What is denied on the way, one request of a command at a time."""


def _of_a_request(one: Step, denial: Item) -> bool:
    """Whether a proxy kept one request of a command from happening: no target tells of one to the same host."""
    if one.verb is not Verb.EXEC or denial.verb not in _REQUESTS:
        return False
    hosts = {_host(item) for item in one.effects if item.vantage is Vantage.TARGET and item.verb in _REQUESTS}
    return not denial.target.name or _host(denial) not in hosts


def _host(item: Item) -> str:
    return host_name(item.target.name) or item.target.name


def _of_a_part(one: Step, denial: Item) -> bool:
    """Whether whoever let a command run kept something it did from happening, a file, a variable, and nobody else saw it happen."""
    if one.verb is not Verb.EXEC or denial.verb is Verb.EXEC or _seen_by_others(one, denial):
        return False
    return any(
        item.point == denial.point
        and item.verb is Verb.EXEC
        and item.decision is not None
        and item.decision.effect is Effect.ALLOW
        for item in answers(one)
    )


def _seen_by_others(one: Step, denial: Item) -> bool:
    about = denial.verb, denial.target.name
    return bool(denial.target.name) and any(
        item.point != denial.point and item.vantage is not Vantage.AGENT and about == (item.verb, item.target.name)
        for item in one.effects
    )


def _allowed_later(task: TaskChain, one: Step, denial: Item) -> bool:
    return any(
        item.point == denial.point
        and item.decision is not None
        and item.decision.effect is Effect.ALLOW
        and (item.at or 0) >= (denial.at or 0)
        and _of_the_same(task, item, denial)
        for item in answers(one)
    )


def _of_the_same(task: TaskChain, allowed: Item, denied: Item) -> bool:
    """Whether two verdicts can be on one thing: of a command's parts and requests each may have its own."""
    if Verb.UNKNOWN in (allowed.verb, denied.verb):
        return True
    if allowed.verb is not denied.verb:
        return False
    whole, part = (_command(task, item) for item in (allowed, denied))
    if whole and part:
        return part in whole
    names = {_host(item) if item.verb in _REQUESTS else item.target.name for item in (allowed, denied)} - {""}
    return len(names) <= 1


def _command(task: TaskChain, item: Item) -> str:
    event = task.events.get(item.id) if item.verb is Verb.EXEC else None
    return str(event.attrs.get("command") or "").strip() if event is not None else ""


_JUDGES = frozenset({Vantage.ENFORCER, Vantage.AGENT})


@detection(
    "GOV-03",
    "Decision without stated intent",
    Severity.MEDIUM,
    needs=("decision events", "intent or task record"),
    looks_for="a task of an agent in which decisions were taken although no prompt, order, mandate or ticket is on record that says what for",
    limits="That nothing is on record says something only where the agent's own log is at hand, one that states every intent, from its beginning; "
    "elsewhere the absence is a blind spot. A sub-agent's purpose is its parent's.",
    examples=(
        example(
            "judged, and the transcript holds no prompt",
            True,
            unasked(chain(step("exec", answer("allow"), tool="yes"))),
            context(tells_intents=frozenset({"claude-code"})),
        ),
        example(
            "a prompt is on record",
            False,
            asked(chain(step("exec", answer("allow"), tool="yes")), "Fix the totals."),
            context(tells_intents=frozenset({"claude-code"})),
        ),
        example(
            "a ticket says what for",
            False,
            unasked(chain(step("exec", answer("allow"), tool="yes"), ticket="PAY-12")),
            context(tells_intents=frozenset({"claude-code"})),
        ),
        example(
            "no log that would hold a prompt is at hand",
            False,
            unasked(chain(step("exec", answer("allow"), tool="yes"))),
        ),
        example(
            "the transcript's beginning is missing",
            False,
            unasked(chain(step("exec", answer("allow"), tool="yes")), after="claude.uuid:earlier"),
            context(tells_intents=frozenset({"claude-code"})),
        ),
        example("nothing was decided", False, unasked(chain(step("exec", tool="yes"))),
                context(tells_intents=frozenset({"claude-code"}))),
    ),
)  # fmt: skip
def without_intent(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    head = task.task
    if any(i.text for i in task.intents) or head.ticket or head.parent or head.scope.startswith("ci.job:"):
        return
    decided = 0
    judged: list[Item] = []
    first: Item | None = None
    for item in (item for one in task.steps for item in answers(one) if item.vantage in _JUDGES):
        decided += 1
        judged += [item] if decided <= 20 else []
        first = item if first is None else min(first, item, key=lambda i: (i.at is None, i.at or 0, i.id))
    if first is None:
        return
    own = where(task.events.values(), lambda e: e.vantage is Vantage.AGENT)
    # Records that say nothing of their own may stand in between, so only what the very first one answers tells that more came before.
    begins = any(not e.after for e in islice(own, 1))
    known = begins and any(e.format in around.tells_intents for e in own)
    by = (first.decision.by if first.decision else "") or first.point
    why = f"{decided} decisions were taken, the first by {by} at {when(first.at)}, and no prompt, order, mandate or ticket is on record"
    yield Hit(
        anchor="scope",
        at=first.at,
        evidence=[item.record for item in judged],
        blind_spot=not known,
        why=why if known else f"{why}; no log at hand would state every one, so whether a purpose was given is not known",
        facts={"decisions": decided},
    )
