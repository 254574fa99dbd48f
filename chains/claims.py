"""What an agent says it did elsewhere, and what no agent says: the two ways in which vantages can differ by silence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from chains.match import CLAIMED, acts_of, cloud_name, cloud_operation, filed
from chains.printed import printed_values
from lang.shell_status import vouched
from model.chain import Credential, Item, Step, TaskChain
from model.event import Event, Operation
from model.figures import Claim
from model.words import EventKind, KeyRole, Phase, Tri, Vantage, Verb

MICRO = 1_000_000
AROUND = 300 * MICRO
"""A target's record so near to a call may be of it, whatever task it was put into."""

LINGERS = 600 * MICRO
"""For so long after a command whose doings are not all known ended, what is seen may still be its doing."""

LONGEST = 3_600 * MICRO
"""A call whose end is not seen is held to run for so long."""

SHORT = 60 * MICRO
"""By so much a record may precede the call that caused it: clocks differ by moments."""

_NOTHING_DONE = re.compile(
    r"up[- ]to[- ]date|nothing to (?:commit|push|do|publish)|no (?:new )?changes|already (?:exists|merged|published)|dry[- ]run",
    re.I,
)
_PUSH = re.compile(r"\bgit\b.*\bpush\b", re.S)
_PRIVILEGED = frozenset(
    {Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_MERGE, Verb.PACKAGE_PUBLISH, Verb.SECRET_READ, Verb.SECRET_WRITE, Verb.CI_MODIFY}
)
_OPAQUE = frozenset({Verb.EXEC, Verb.MCP_CALL, Verb.UNKNOWN, Verb.AGENT_SPAWN})


class Reported(msgspec.Struct, frozen=True):
    """What targets logged of one `verb|target`: the points that ever did, for whom, and when near the claim.

    `tellers` are (point, principal as logged), `near` (point, time on the agents' clock).
    """

    tellers: frozenset[tuple[str, str]] = frozenset()
    near: tuple[tuple[str, int], ...] = ()


def claims(chain: TaskChain) -> Iterator[Claim]:
    """The steps the agent reports well done, whose effect nobody saw, and whose good end proves that it happened.

    A command's exit code must vouch for the operation; a result that says there was nothing to do claims nothing.
    """
    for step in chain.steps:
        if not step.agent_claimed or step.outcome.tool is not Tri.YES or step.outcome.effect is not Tri.UNKNOWN:
            continue
        call = _call(chain.events, step)
        if call is None or call.at is None or not CLAIMED.intersection((call.verb, *(op.verb for op in call.operations))):
            continue
        printed = _printed(chain.events, step)
        for operation, stated in acts_of(_placed(call, chain.task.repository)):
            value = printed.get(operation.verb.value) or stated
            if value and operation.verb in CLAIMED and proven(call, operation):
                if _did_nothing(chain.events, step):
                    break
                end = max(_ends(step), default=call.at)
                yield Claim(step.id, filed(value), operation.verb, call.at, min(max(end, call.at), call.at + LONGEST))
                break


def _call(events: Mapping[str, Event], step: Step) -> Event | None:
    """The agent's call, by the record that says most of what was to be done."""
    calls = [e for item in step.actions if item.phase is Phase.CALL and (e := events.get(item.id)) is not None]
    own = [event for event in calls if event.vantage is Vantage.AGENT]
    return max(own, key=lambda e: (bool(e.operations), bool(e.target.name), e.id), default=None)


def _placed(call: Event, repository: str) -> Event:
    """The call with the repository the task works in, where its own record does not say what `origin` means."""
    if not repository or call.attrs.get("repository"):
        return call
    return msgspec.structs.replace(call, attrs={**call.attrs, "repository": repository})


def _printed(events: Mapping[str, Event], step: Step) -> dict[str, str]:
    """By verb the `verb|target` the program printed, where it printed one: that is what `origin` meant, and what `npm publish` sent."""
    results = (events[item.id] for item in step.actions if item.phase is Phase.RESULT and item.id in events)
    values = {value for event in results for value in printed_values(event)}
    verbs = Counter(value.partition("|")[0] for value in values)
    return {verb: value for value in values if verbs[verb := value.partition("|")[0]] == 1}


def proven(call: Event, operation: Operation) -> bool:
    """Whether a good end of a call proves that this operation of it was carried out, in the way that targets log.

    What is written to a repository counts as pushed only over `git push`: a host's log of pushes holds no commit that was
    made over its interface for programs.
    """
    command = call.attrs.get("command")
    if operation.verb is Verb.REPO_WRITE and not _PUSH.search(operation.text):
        return False
    if not isinstance(command, str) or not command.strip():
        return operation.certain
    return operation.certain and bool(operation.text) and any(operation.text in one for one in vouched(command))


def _did_nothing(events: Mapping[str, Event], step: Step) -> bool:
    results = (events[item.id] for item in step.actions if item.phase is Phase.RESULT and item.id in events)
    return any(_NOTHING_DONE.search(f"{e.text[:4_000]}\n{str(e.attrs.get('output') or '')[:4_000]}") for e in results)


def _ends(step: Step) -> list[int]:
    return [item.at for item in step.actions if item.phase is Phase.RESULT and item.at is not None]


# -- what no agent claims


class Unclaimed(msgspec.Struct, frozen=True):
    """Something a target saw done in the task's name while the agent's own log covers the moment and tells of nothing like it."""

    step: Step
    item: Item
    at: int
    key: str


def unclaimed(chain: TaskChain, credentials: Mapping[str, Credential], skews: Mapping[str, int]) -> Iterator[Unclaimed]:
    """Effects no call of the agent's explains.

    Only those count that carry the task's own scope or were done with a credential issued to this very task: what else
    was put into the task may be somebody else's. Nothing counts while a call runs, or has just ended, that may have
    done more than its words say, or near a call that says the same.
    """
    candidates = [step for step in chain.steps if not step.agent_claimed and step.verb in _PRIVILEGED and step.effects]
    if not candidates:
        return
    times = [e.at for e in chain.events.values() if e.vantage is Vantage.AGENT and e.at is not None]
    begun, ended = min(times, default=0), max(times, default=0)
    busy = _Busy(chain)
    for step in candidates:
        for item in step.effects:
            at = None if item.at is None else item.at - skews.get(item.point, 0)
            if at is None or not begun < at < ended or step.outcome.effect is not Tri.YES or item.vantage is not Vantage.TARGET:
                continue
            key = _own(chain, step, item, credentials)
            if key and not busy.at(at, step.verb):
                yield Unclaimed(step, item, at, key)
                break


def _own(chain: TaskChain, step: Step, item: Item, credentials: Mapping[str, Credential]) -> str:
    """By which identifier of this task alone the effect is the task's own; "" where there is none."""
    event = chain.events.get(item.id)
    if event is None or event.kind is not EventKind.EFFECT:
        return ""
    if any(key.role is KeyRole.SCOPE and key.name == chain.task.scope for key in event.keys):
        return chain.task.scope
    # Most logs tell in one record what was done and by which credential, and both are events of it.
    used = (one.credential for one in step.credential_events if one.phase is Phase.USED and one.record == item.record)
    held = credentials.get(item.credential or next(used, ""))
    return f"credential {held.id}" if held is not None and held.issued_task == chain.task.id else ""


class _Busy:
    """When something may have been done that no call spells out, and when calls of each verb were made."""

    def __init__(self, chain: TaskChain) -> None:
        spans: list[tuple[int, int]] = []
        self._verbs: dict[Verb, list[int]] = {}
        for step in chain.steps:
            if not step.agent_claimed or step.at is None:
                continue
            ends = _ends(step)
            end = max(ends) if ends else step.at + LONGEST
            opaque = step.verb in _OPAQUE and (not step.operations or any(_opaque(one) for one in step.operations))
            if step.verb is Verb.AGENT_SPAWN:
                end = max(end, step.at + LONGEST)
            if opaque:
                spans.append((step.at - SHORT, end + LINGERS))
            for verb in {step.verb, *(one.verb for one in step.operations)}:
                self._verbs.setdefault(verb, []).append(step.at)
        self._spans = _merged(span for span in spans)
        for moments in self._verbs.values():
            moments.sort()

    def at(self, at: int, verb: Verb) -> bool:
        place = bisect_right(self._spans, (at, 2**63)) - 1
        if place >= 0 and self._spans[place][1] >= at:
            return True
        moments = self._verbs.get(verb, [])
        return bisect_right(moments, at + AROUND) > bisect_right(moments, at - AROUND - 1)


def _opaque(operation: Operation) -> bool:
    if operation.verb is Verb.CLOUD_CALL and (
        not cloud_operation(operation.target) or cloud_name(operation.target) == "cloudformation"
    ):
        # What builds infrastructure reads and writes whatever its plan says.
        return True
    return not operation.certain or operation.verb in _OPAQUE


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
