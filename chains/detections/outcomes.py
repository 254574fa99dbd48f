"""OUT: outcomes on which vantages disagree. Remit's own family: its ids are not of the crosswalk and map to no control.

What the agent's record says and what the target's own log says of one act are two testimonies. The crosswalk's GOV, IDN
and AUD detections are about decisions, identities and the logs themselves; that two sound logs tell two stories is none
of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chains.claims import AROUND, Reported, claims, proven, unclaimed
from chains.context import Context
from chains.coverage import watched
from chains.detections.examples import SCOPE, at, chain, context, example, step, with_credentials
from chains.detections.examples import credential as held
from chains.detections.reading import said, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.enrich import enrich
from chains.match import CLAIMED, acts_of
from chains.shelf import by_id
from model.chain import Coverage, Gap, Item, Step, TaskChain
from model.event import Event, Key, Target
from model.figures import Claim
from model.words import EventKind, KeyRole, Phase, Severity, TargetClass, Tri, Vantage, Verb


def _event(id: str, kind: EventKind, phase: Phase, vantage: Vantage, moment: int, **more: object) -> Event:
    point = "claude-code" if vantage is Vantage.AGENT else "github"
    return enrich(Event(kind, phase, vantage, point, at=moment, id=id, record=f"rec-{id}", **more))  # type: ignore[arg-type]


def _pushing(command: str = "git push origin main", tool: str = "yes", effect: str = "unknown", output: str = "", **more: object
             ) -> Callable[[], TaskChain]:  # fmt: skip
    """A task whose only step is a command of the agent's at ten seconds, well ended at twelve."""
    call = _event("ev-1", EventKind.ACTION, Phase.CALL, Vantage.AGENT, at(10), verb=Verb.EXEC,
                  attrs={"command": command, "repository": "acme/payments"})  # fmt: skip
    result = _event("ev-1-result", EventKind.ACTION, Phase.RESULT, Vantage.AGENT, at(12), text=output, attrs={"output": output})
    actions = tuple(Item(e.id, e.record, e.phase, e.vantage, e.point, e.at, text=e.text) for e in (call, result))
    return chain(
        _with(step("exec", command=command, target="repository", name="acme/payments", tool=tool, effect=effect, at=at(10)),
              actions=actions, **more),
        events=(call, result), principal="dana",
    )  # fmt: skip


def _with(make: Callable[[int], Step], **more: object) -> Callable[[int], Step]:
    def made(n: int) -> Step:
        found = make(n)
        for name, value in more.items():
            setattr(found, name, value)
        return found

    return made


def _log(
    *near: float, who: str = "dana", also: str = "", end: float = 10_000, gap: Coverage | None = None
) -> Callable[[], Context]:
    """GitHub's log from the example's beginning to `end`, which tells of pushes to this repository, `near` those it saw."""
    row = gap or Coverage("github", Vantage.TARGET, "*", at(0), at(end), 40)
    told = Reported(frozenset({("github", who), ("github", also or who)}), tuple(("github", at(one)) for one in near))
    return context(row, reported={"step-1": told})


def _gap(start: float, end: float) -> Gap:
    return Gap(at(start), at(end))


def _refusal() -> Item:
    return Item("ev-refused", "rec-refused", Phase.OBSERVED, Vantage.TARGET, "github", at(11), Verb.REPO_WRITE, status="403")


@detection(
    "OUT-01",
    "Done by the agent's word, not by the target's",
    Severity.MEDIUM,
    needs=("the agent's call and its result", "the target's own log", "coverage of the target for the moment and such acts"),
    looks_for="an act that changes something elsewhere (a push, a merge, a pull request, a publication, a ticket, a secret written) which the "
    "agent's record calls done, while the target's own log refuses it, or covers the moment and holds no such act near it",
    limits="A repository counts as written to over `git push` alone. Judged where the call's good end proves the act: not behind a pipe, `||` or in the background, and not where the output says that "
    "there was nothing to do. A target's log covers such acts where it tells at another time of the same act on the same target by the same principal, or "
    "by several: a log of one other principal alone may have been cut down to that one. Any record of it within five minutes counts as the one sought, whatever task it stands in. Elsewhere the absence is a blind spot.",
    parameters={
        "verbs": (tuple(sorted(verb.value for verb in CLAIMED)), "acts that are held against the target's log"),
        "blind_spots": (True, "whether acts that no target's log covers are told as a blind spot of the task"),
    },
    examples=(
        example("the log covers the moment and holds no push", True, _pushing(), _log()),
        example("the push stands in the log, in no task", False, _pushing(), _log(14)),
        example("the log does not reach so far", False, _pushing(), _log(end=60)),
        example("the log has a gap there", False, _pushing(),
                _log(gap=Coverage("github", Vantage.TARGET, "*", at(-9_000), at(10_000), 40, (_gap(-5_000, 5_000),)))),
        example("the log tells of others only", False, _pushing(), _log(who="lee")),
        example("the log tells of several principals", True, _pushing(), _log(who="lee", also="kim")),
        example("no target tells of such acts", False, _pushing()),
        example("only what git printed says where it pushed to", True,
                _pushing("git -C ../web push origin main", output="To github.com:acme/payments.git\n   1111111..2222222  main -> main"), _log()),
        example("a commit made over the host's interface", False, _pushing("gh api -X PUT repos/acme/payments/contents/a.py"), _log()),
        example("everything was up to date", False, _pushing(output="Everything up-to-date"), _log()),
        example("the exit code is that of a pipe's end", False, _pushing("git push origin main 2>&1 | tail -3"), _log()),
        example("a failure would not show", False, _pushing("git push origin main || true"), _log()),
        example("the call failed", False, _pushing(tool="no"), _log()),
        example("the target saw it", False, _pushing(effect="yes"), _log()),
        example("the target refused it", True, _pushing(effect="no", effects=(_refusal(),))),
        example("the target refused it, and the exit code is another's", False,
                _pushing("git push origin main; true", effect="no", effects=(_refusal(),))),
    ),
)  # fmt: skip
def unconfirmed(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    wanted = parameters["verbs"]
    verbs = set(wanted) if isinstance(wanted, list | tuple) else set()
    steps = by_id(task.steps)
    yield from _refused(task, verbs)
    blind: list[Step] = []
    for claim in claims(task):
        if claim.verb.value not in verbs:
            continue
        one = steps[claim.step]
        point = _silent(claim, task, around)
        if point is None:
            blind.append(one)
        elif point:
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=one.records,
                why=f"the agent's record says that `{said(one)}` ended well at {when(one.at)}; {point}, whose log covers that moment and tells "
                f"of {claim.verb.value} on the same target at other times, holds no such act within {AROUND // 60_000_000} minutes of it",
                facts={"point": point, "verb": claim.verb.value},
            )
    if blind and parameters["blind_spots"] is not False:
        yield Hit(
            anchor="scope",
            step=blind[0].id,
            at=blind[0].at,
            evidence=blind[0].records,
            blind_spot=True,
            why=f"{len(blind)} acts that the agent's record calls done are confirmed by no target, and no target's log covers them: whether "
            "they happened is the agent's word alone",
            facts={"steps": len(blind)},
        )


def _silent(claim: Claim, task: TaskChain, around: Context) -> str | None:
    """The point whose silence speaks against a claim; "" where some point saw such an act then, None where none covers it."""
    told = around.reported.get(claim.step)
    if told is None:
        return None
    if told.near:
        return ""
    names = {task.task.principal, task.task.on_behalf_of} - {""}
    for row in around.coverages:
        shift = around.skews.get(row.point, 0)
        if row.vantage is not Vantage.TARGET or not watched(row, claim.start + shift, claim.end + AROUND + shift):
            continue
        seen = {around.facts.identity(who) for point, who in told.tellers if point == row.point}
        if "" in seen or len(seen) > 1 or seen & names:
            return row.point
    return None


def _refused(task: TaskChain, verbs: set[str]) -> Iterator[Hit]:
    """Calls reported well ended whose act the target's own log says did not happen."""
    for one in task.steps:
        if not one.agent_claimed or one.outcome.tool is not Tri.YES or one.outcome.effect is not Tri.NO:
            continue
        seen = next((item for item in one.effects if item.vantage is Vantage.TARGET), None)
        call = next((e for item in one.actions if item.phase is Phase.CALL and (e := task.events.get(item.id))), None)
        if seen is None or call is None:
            continue
        if any(act.verb.value in verbs and act.verb is seen.verb and proven(call, act) for act, _ in acts_of(call)):
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=(seen.record, *one.records),
                why=f"the agent's record says that `{said(one)}` ended well at {when(one.at)}; {seen.point} logged at {when(seen.at)} that it "
                f"did not happen{f' ({seen.status})' if seen.status else ''}",
                facts={"point": seen.point, "verb": seen.verb.value},
            )


# -- OUT-02


def _merged(seconds: float, *, credential: str = "", scope: bool = False) -> Callable[[int], Step]:
    """A merge that GitHub saw and no call of the agent's tells of."""
    event = _seen_merge(seconds, scope=scope)
    item = Item(event.id, event.record, event.phase, event.vantage, event.point, event.at, Verb.PR_MERGE, credential=credential)
    return _with(
        step("pr.merge", target="repository", name="acme/payments", effect="yes", at=at(seconds)),
        agent_claimed=False, actions=(), effects=(item,),
    )  # fmt: skip


def _read_secret(seconds: float) -> Callable[[int], Step]:
    """A secret read that a cloud saw, and the credential of it, which the same record tells as a use."""
    item = Item("ev-got", "rec-got", Phase.OBSERVED, Vantage.TARGET, "cloudtrail:1", at(seconds), Verb.SECRET_READ)
    used = Item("ev-held", "rec-got", Phase.USED, Vantage.TARGET, "cloudtrail:1", at(seconds), credential="cred-1")
    return _with(
        step("secret.read", target="secret_store", name="prod/db", effect="yes", at=at(seconds)),
        agent_claimed=False, actions=(), effects=(item,), credential_events=(used,),
    )  # fmt: skip


def _spoken(*steps: Callable[[int], Step]) -> Callable[[], TaskChain]:
    got = _event("ev-got", EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, at(2_000), verb=Verb.SECRET_READ)
    return chain(*steps, events=(*_spoke(1, 5_000), got))


def _seen_merge(seconds: float, *, scope: bool = False) -> Event:
    kind, _, value = SCOPE.partition(":")
    keys = (Key(KeyRole.SCOPE, kind, value),) if scope else ()
    return _event(f"ev-merge-{seconds}", EventKind.EFFECT, Phase.OBSERVED, Vantage.TARGET, at(seconds), verb=Verb.PR_MERGE,
                  target=Target(TargetClass.REPOSITORY, "acme/payments"), keys=keys)  # fmt: skip


def _spoke(*moments: float) -> tuple[Event, ...]:
    """The agent's own records at these moments."""
    return tuple(_event(f"ev-spoke-{one}", EventKind.ACTION, Phase.CALL, Vantage.AGENT, at(one)) for one in moments)


def _own(*steps: Callable[[int], Step], scope: bool = False) -> Callable[[], TaskChain]:
    return chain(*steps, events=(*_spoke(1, 5_000), _seen_merge(2_000, scope=scope)))


_READ = step("file.read", target="filesystem", name="a.py", tool="yes", at=at(1_990))
_OPAQUE_ITEMS = (
    Item("ev-o", "rec-o", Phase.CALL, Vantage.AGENT, "claude-code", at(1_990)),
    Item("ev-p", "rec-p", Phase.RESULT, Vantage.AGENT, "claude-code", at(2_010)),
)
_OPAQUE = _with(step("exec", command="./deploy.sh", tool="yes", at=at(1_990)), actions=_OPAQUE_ITEMS)


@detection(
    "OUT-02",
    "Done in the task's name, by no agent's word",
    Severity.HIGH,
    needs=("the target's own log", "the agent's own records around the moment", "a credential issued to the task, or its scope in the record"),
    looks_for="a push, merge, publication, pipeline change or secret access that the target saw done with a credential issued to this very task, or "
    "under its own session, while the agent's own log goes on before and after and tells of no such call",
    limits="Nothing counts while a command runs whose doings are not all known, for ten minutes after it, while a sub-agent may be at work, or "
    "within five minutes of a call that says the same. What is done after the agent's last record is CRED-03's.",
    examples=(
        example("with the task's own credential", True, _own(_READ, _merged(2_000, credential="cred-1")), with_credentials(held())),
        example("under the task's own session", True, _own(_READ, _merged(2_000, scope=True), scope=True)),
        example("with the credential that another event of the record names", True, _spoken(_READ, _read_secret(2_000)), with_credentials(held())),
        example("while infrastructure is built, which reads what it is told to", False,
                _spoken(_with(step("exec", command="terraform plan", tool="yes", at=at(1_990)), actions=_OPAQUE_ITEMS), _read_secret(2_000)),
                with_credentials(held())),
        example("with a credential that was issued to no task", False, _own(_READ, _merged(2_000, credential="cred-1")),
                with_credentials(held(issued_task=""))),
        example("by nothing that is the task's alone", False, _own(_READ, _merged(2_000)), with_credentials(held())),
        example("while a script ran", False, _own(_OPAQUE, _merged(2_000, credential="cred-1")), with_credentials(held())),
        example("soon after a script ended", False, _own(_OPAQUE, _merged(2_300, credential="cred-1")), with_credentials(held())),
        example("near a merge the agent claims", False,
                _own(step("pr.merge", tool="yes", at=at(1_900)), _merged(2_000, credential="cred-1")), with_credentials(held())),
        example("after the agent's last record", False,
                chain(_READ, _merged(2_000, credential="cred-1"), events=(*_spoke(1, 1_995), _seen_merge(2_000))), with_credentials(held())),
    ),
)  # fmt: skip
def unspoken(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for found in unclaimed(task, around.credentials, around.skews):
        item, one = found.item, found.step
        yield Hit(
            anchor=one.call or one.id,
            step=one.id,
            at=item.at,
            evidence=(item.record, *one.records),
            why=f"{item.point} saw {one.verb.value} on {one.target.name or 'an unnamed target'} at {when(item.at)} by {found.key}; the agent's "
            f"own log goes on from {when(task.task.started)} to {when(task.task.ended)} and tells of no such call",
            facts={"point": item.point, "verb": one.verb.value},
        )
