"""GOV: whether the decision on record covers the action that ran: the same request, in time, under the policy in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from chains.context import Context
from chains.detections.examples import at, chain, example, step
from chains.detections.reading import ran, said, seconds, when
from chains.detections.registry import Hit, Unjudged, detection
from lang.shell import parse
from lang.times import parse_time
from model.chain import Item, Step, TaskChain
from model.event import Decision, Event, Key, Operation, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, Severity, TargetClass, Vantage, Verb

_CUT = 200
"""A text at least this long that another begins with may have been cut by its log."""
_LOCAL = frozenset({TargetClass.UNKNOWN, TargetClass.NETWORK, TargetClass.AGENT})


def _decided(ran_as: dict[str, Any], allowed: dict[str, Any], *, call: float = 10, verdict: float = 11, result: float = 15,
             earlier: tuple[Event, ...] = ()) -> Callable[[], TaskChain]:  # fmt: skip
    """A call with the verdict on it, as their records tell them; times in seconds."""

    def event(kind: EventKind, phase: Phase, vantage: Vantage, moment: float, given: dict[str, Any]) -> Event:
        more = dict(given)
        target = more.pop("target", Target())
        decision = Decision(Effect.ALLOW, rule="r-1", by="opa:agent") if phase is Phase.VERDICT else None
        point = "claude-code" if vantage is Vantage.AGENT else "opa:agent"
        return Event(
            kind, phase, vantage, point, id=f"ev-{phase.value}", record=f"rec-{phase.value}", at=at(moment), verb=Verb.EXEC,
            target=target, keys=(Key(KeyRole.CALL, "call", "1"),), decision=decision, attrs=more,
        )  # fmt: skip

    def make() -> TaskChain:
        events = (
            event(EventKind.ACTION, Phase.CALL, Vantage.AGENT, call, ran_as),
            event(EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, verdict, allowed),
            event(EventKind.ACTION, Phase.RESULT, Vantage.AGENT, result, {}),
        )
        made = chain(
            step("exec", command=str(ran_as.get("command") or ""), tool="yes", at=at(call)), events=(*events, *earlier)
        )()
        items = [Item(e.id, e.record, e.phase, e.vantage, e.point, e.at, decision=e.decision) for e in events]
        made.steps = [replace(made.steps[0], actions=(items[0], items[2]), decisions=(items[1],)), *made.steps[1:]]
        return made

    return make


def _revision(moment: float, revision: str) -> Event:
    return Event(
        EventKind.DECISION, Phase.VERDICT, Vantage.ENFORCER, "opa:agent", id=f"ev-revision-{moment}", record="rec-other", at=at(moment),
        decision=Decision(Effect.ALLOW), attrs={"policy_revision": revision},
    )  # fmt: skip


@detection(
    "GOV-08",
    "Action differs from what was decided (parameters, policy version or stale decision)",
    Severity.HIGH,
    needs=("digest or parameters of the request in both events", "policy version", "decision expiry"),
    looks_for="an allowed request whose command, path, target or digest differs from what ran; an allowance that had expired, or whose policy "
    "had been replaced, when the call was made; an allowance given only after the action was over",
    limits="Only a verdict and a call that carry the same call id are compared, and only what both state. Another spelling of the same "
    "operations is no difference, nor is a request the decider itself rewrote. A text that one log cut is compared as far as it goes.",
    parameters={"late_seconds": (30, "seconds after the action's end from which an allowance counts as given afterwards")},
    examples=(
        example("another command ran", True, _decided({"command": "rm -rf src"}, {"command": "ls src"})),
        example("the same command", False, _decided({"command": "git push origin fix/a"}, {"command": "git push origin fix/a"})),
        example("another spelling of it", False, _decided({"command": "git  push origin fix/a"}, {"command": "git push origin fix/a"})),
        example("the decider rewrote it", False, _decided({"command": "rm -rf src"}, {"command": "ls src", "redirected": True})),
        example("another path", True, _decided({"path": "/work/pay/.env"}, {"path": "/work/pay/README.md"})),
        example("the path in full and in short", False, _decided({"path": "/work/pay/README.md"}, {"path": "README.md"})),
        example("another target", True,
                _decided({"target": Target(TargetClass.REPOSITORY, "acme/pay")}, {"target": Target(TargetClass.REPOSITORY, "acme/web")})),
        example("another digest", True, _decided({"request_digest": "sha256:aa"}, {"request_digest": "sha256:bb"})),
        example("the allowance had expired", True, _decided({}, {"decision_expires": "2026-05-28T20:26:45Z"}, verdict=1)),
        example("it had not", False, _decided({}, {"decision_expires": "2026-05-28T21:26:45Z"}, verdict=1)),
        example("the policy was replaced in between", True,
                _decided({}, {"policy_revision": "r1"}, call=30, verdict=1, result=31, earlier=(_revision(20, "r2"),))),
        example("the policy was replaced later", False,
                _decided({}, {"policy_revision": "r1"}, call=2, verdict=1, result=31, earlier=(_revision(20, "r2"),))),
        example("allowed after it was over", True, _decided({}, {}, call=10, result=12, verdict=90)),
        example("allowed while it waited", False, _decided({}, {}, call=10, verdict=80, result=90)),
    ),
)  # fmt: skip
def differs(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    bar = seconds(parameters["late_seconds"], 30)
    revisions: dict[str, list[tuple[int, str]]] = {}
    for event in task.events.values():
        if event.attrs.get("policy_revision") and event.at is not None and event.kind is EventKind.DECISION:
            revisions.setdefault(event.point, []).append((event.at, str(event.attrs["policy_revision"])))
    comparable = judged = False
    for one in task.steps:
        if not ran(one):
            continue
        calls = [e for i in one.actions if i.phase is Phase.CALL and (e := task.events.get(i.id)) is not None]
        for item in one.decisions:
            verdict = task.events.get(item.id)
            if verdict is None or item.vantage is not Vantage.ENFORCER or not _allows(item):
                continue
            made = next((c for c in calls if _same_call(c, verdict)), None)
            judged = True
            differences = [*(_differences(verdict, made) if made is not None else ())]
            comparable |= made is not None and _comparable(verdict, made)
            differences += _stale(one, verdict, made, revisions.get(verdict.point, []), around)
            if _late(one, verdict, bar, around):
                differences.append(f"it was given only at {when(verdict.at)}, when the action was over")
            if differences:
                yield Hit(
                    anchor=one.call or one.id,
                    step=one.id,
                    at=one.at,
                    evidence=(verdict.record, *one.records),
                    why=f"the allowance of {item.decision.by if item.decision else ''} ({when(verdict.at)}) does not cover `{said(one)}`, "
                    f"which ran at {when(one.at)}: {'; '.join(differences)}",
                    facts={"decider": verdict.point},
                )
                break
    if judged and not comparable:
        yield Unjudged("parameters of the request in both the decision and the call")


def _allows(item: Item) -> bool:
    return item.phase is Phase.VERDICT and item.decision is not None and item.decision.effect is Effect.ALLOW


def _same_call(one: Event, other: Event) -> bool:
    names = {k.name for k in one.keys if k.role is KeyRole.CALL}
    return any(k.role is KeyRole.CALL and k.name in names for k in other.keys)


def _comparable(verdict: Event, made: Event) -> bool:
    both = any(verdict.attrs.get(name) and made.attrs.get(name) for name in ("command", "path", "request_digest"))
    return both or bool(verdict.target.name and made.target.name and verdict.target.cls is made.target.cls)


def _differences(verdict: Event, made: Event) -> list[str]:
    if verdict.attrs.get("redirected"):
        return []
    found = []
    allowed, done = (_text(e, "request_digest") for e in (verdict, made))
    if allowed and done and len(allowed) == len(done) and allowed != done:
        found.append(f"the digest of its parameters was {allowed[:24]}, not {done[:24]}")
    allowed, done = (_text(e, "command") for e in (verdict, made))
    if allowed and done and not _same_command(verdict, made, allowed, done):
        found.append(f"it was for `{_short(allowed)}`")
    elif not (allowed and done):
        paths = [_text(e, "path").replace("\\", "/") for e in (verdict, made)]
        if all(paths) and not _same_path(*paths):
            found.append(f"it was for the path {_short(paths[0])}, not {_short(paths[1])}")
        elif not any(paths) and _other_target(verdict.target, made.target):
            found.append(f"it was for {verdict.target.name}, not {made.target.name}")
    return found


def _text(event: Event, name: str) -> str:
    value = event.attrs.get(name)
    return value.strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:99] + "…"


def _same_command(verdict: Event, made: Event, allowed: str, done: str) -> bool:
    """Whether what ran is nothing but what was allowed: the same words, or operations all of which were among those allowed."""
    first, second = " ".join(allowed.split()).rstrip("…"), " ".join(done.split()).rstrip("…")
    shorter, longer = sorted((first, second), key=len)
    if first == second or (len(shorter) >= _CUT and longer.startswith(shorter)):
        return True
    ours, theirs = _operations(made, done), _operations(verdict, allowed)
    return bool(ours) and ours <= theirs


def _operations(event: Event, command: str) -> set[tuple[str, ...]]:
    return {_mark(o) for o in event.operations or parse(command).operations}


def _mark(one: Operation) -> tuple[str, ...]:
    words = " ".join(one.text.split()) if one.verb in (Verb.EXEC, Verb.UNKNOWN) or not one.target.name else ""
    return (one.verb.value, one.target.name, one.target.detail, words, *sorted(one.flags))


def _same_path(one: str, other: str) -> bool:
    shorter, longer = sorted((one.removeprefix("./").strip("/"), other.removeprefix("./").strip("/")), key=len)
    return f"/{longer}".endswith(f"/{shorter.removeprefix('~/')}")


def _other_target(allowed: Target, done: Target) -> bool:
    """Whether both name a thing of one class and neither name can be a shorter spelling of the other."""
    if allowed.cls is not done.cls or allowed.cls in _LOCAL or not allowed.name or not done.name:
        return False
    one, other = allowed.name.casefold(), done.name.casefold()
    return one not in other and other not in one


def _stale(one: Step, verdict: Event, made: Event | None, revisions: list[tuple[int, str]], around: Context) -> list[str]:
    """Whether the allowance no longer held when the call was made; a call under way before its verdict is not stale."""
    start = made.at if made is not None else next((i.at for i in one.effects if i.at is not None), None)
    if start is None or verdict.at is None or verdict.clock is not Clock.EXACT:
        return []
    given = verdict.at - around.skews.get(verdict.point, 0)
    found = []
    expires = parse_time(_text(verdict, "decision_expires"))[0] if _text(verdict, "decision_expires") else None
    if expires is not None and start > expires:
        found.append(f"it had expired at {when(expires)}")
    revision = _text(verdict, "policy_revision")
    later = [(at, other) for at, other in revisions if verdict.at < at and at - around.skews.get(verdict.point, 0) < start]
    if revision and given < start and later and max(later)[1] != revision:
        found.append(f"it was given under policy revision {revision}; {max(later)[1]} was in force since {when(min(later)[0])}")
    return found


def _late(one: Step, verdict: Event, bar: int, around: Context) -> bool:
    """Whether no verdict of anybody's came before the action was over."""
    ends = [i for i in (*one.effects, *(i for i in one.actions if i.phase is Phase.RESULT)) if i.at is not None]
    answers = [i for i in one.decisions if i.phase is Phase.VERDICT]
    if not ends or any(i.at is None or i.clock is not Clock.EXACT for i in (*ends, *answers)):
        return False
    over = min((i.at or 0) - around.skews.get(i.point, 0) for i in ends)
    if any(i.at is not None and over < i.at - around.skews.get(i.point, 0) for i in one.actions if i.phase is Phase.CALL):
        return False  # An end before its beginning: no clock to rely on, which AUD-02 tells.
    return all((i.at or 0) - around.skews.get(i.point, 0) > over + bar for i in answers) and verdict.at is not None
