"""The policies in force: which imported settings files and saved policies the organisation says held, and what they say of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from chains.facts import OrgFacts, glob
from lang.names import repository_name
from lang.times import iso, parse_time
from model.chain import Item, Step, Task
from model.conformance import Expected
from model.event import Attr, digest
from model.org import PolicyFact
from model.review import PolicyVersion, Promotion
from model.words import Effect, TargetClass, Verb
from policy import Policy, check, decide
from policy.agents import adapters
from policy.agents.base import Adapter, AgentPolicy, Answer, Call, RuleFile
from policy.agents.calls import home_of
from store import Store

FORMATS = ("agent-settings", "claude-code-settings")
"""Formats whose sources are settings files: policy, no log."""

_ESCALATED = "require_escalated"
_OF_FILES = frozenset({Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.INSTRUCTIONS_WRITE})
_OF_A_FOLDER = frozenset({"project", "local"})
"""Layers that hold only where the agent was started in the folder they belong to."""


class _Bound(msgspec.Struct, frozen=True):
    """A policy the organisation says was in force, with what was found of it: one file, one saved policy, or the reason there is none."""

    fact: PolicyFact
    name: str
    record: str = ""
    text: str | None = None
    saved: Policy | None = None
    problem: str = ""
    own: bool = False
    """Whether it is an agent's own rules, which hold for that agent's calls."""


class Policies:
    """Answers what the policies in force say; `stamp` changes with any of them."""

    def __init__(self, store: Store, facts: OrgFacts) -> None:
        self._facts = facts
        listed = (*facts.org.policies, *_promoted(store.promotions()))
        files = list(_files(store)) if any(one.source for one in listed) else []
        versions = store.policies()
        self._bound = [bound for one in listed for bound in _bind(one, files, versions)]
        self._named = _Revisions(versions, store)
        # The models of the agents' rules are read only where a policy is named: they are half of what a small build costs.
        self._adapters = adapters() if self._bound else {}
        self._loaded: dict[tuple[str, ...], AgentPolicy] = {}

    @property
    def stamp(self) -> str:
        """Digest of what was found of every policy; "" where none is named."""
        found = [f"{one.name}\0{one.record}\0{one.saved.sha256 if one.saved else ''}\0{one.problem}" for one in self._bound]
        found += [f"{one.fact.point}\0{one.fact.since}\0{one.fact.until}" for one in self._bound if one.fact.since]
        found += self._named.seen
        return digest(*found) if found else ""

    def expected(self, task: Task, steps: Iterable[Step]) -> dict[str, Expected]:
        """By step, what the policy in force says of it; steps that no policy is about are left out."""
        mine = [one for one in self._bound if _about(one.fact, task)]
        found: dict[str, Expected] = {}
        held = list(steps) if mine or self._named else []
        start = next((str(cwd) for step in held if (cwd := step.request.get("context.cwd"))), "")
        for step in held:
            in_force = [one for one in mine if _held(one.fact, step.at)]
            said = next((said for said in self._said(task, step, in_force, start) if said is not None), None)
            if said is not None:
                found[step.id] = said
        return found

    def _said(self, task: Task, step: Step, in_force: list[_Bound], start: str) -> Iterator[Expected | None]:
        """What the agent's own files say of its step, then what each saved policy says of it at its point."""
        own = [one for one in in_force if one.own and glob(one.fact.point).match(task.agent.casefold())]
        adapter = self._adapters.get(task.agent)
        if own and step.agent_claimed and adapter is not None and is_call(step):
            yield self._by_files(adapter, own, task, step, start)
        # A log that names the very version is better evidence of what was in force than what anybody stated.
        for item in step.decisions:
            version = self._named.of(item)
            if version is not None:
                yield _judged(_saved(PolicyFact(item.point), version), item.point, True, step)
        for one in in_force:
            if not one.own:
                yield self._by_policy(one, step)

    def _by_files(self, adapter: Adapter, own: list[_Bound], task: Task, step: Step, start: str) -> Expected:
        """The judgement of all layers in force together; one that cannot be read, or may not have been read, leaves it open."""
        call = call_of(step, start)
        away = [one for one in own if one.fact.layer in _OF_A_FOLDER and not _at_home(task, call.cwd)]
        read = [one for one in own if one.text is not None and one not in away]
        answer = self._load(adapter, read).judge(call)
        lacking = next((one.problem for one in own if one.problem), "")
        if away:
            lacking = f"whether {away[0].name} was read is not known: the agent may have been started in another folder"
        if lacking and answer.effect is not Effect.DENY:
            answer = Answer(Effect.UNKNOWN, reason=lacking)
        why = answer.reason if answer.effect is Effect.UNKNOWN else ""
        if answer.missing:
            why = f"the record lacks {', '.join(answer.missing)}"
        record = next((one.record for one in read if answer.rule and answer.rule in (one.text or "")), own[0].record)
        certain = all(one.fact.since for one in own)
        return Expected(task.agent, answer.effect, answer.rule, ", ".join(one.name for one in own), record, why, certain)

    def _load(self, adapter: Adapter, read: list[_Bound]) -> AgentPolicy:
        key = (adapter.id, *(f"{one.fact.layer}\0{one.record}" for one in read))
        if key not in self._loaded:
            self._loaded[key] = adapter.load([RuleFile(one.fact.layer, one.name, one.text or "") for one in read])
        return self._loaded[key]

    @staticmethod
    def _by_policy(one: _Bound, step: Step) -> Expected | None:
        pattern = glob(one.fact.point)
        point = next((item.point for item in step.decisions if pattern.match(item.point.casefold())), "")
        return _judged(one, point, bool(one.fact.since), step) if point else None


def _judged(one: _Bound, point: str, certain: bool, step: Step) -> Expected:
    """What a saved policy says of a step at a point; `certain` where it is known that it held then."""
    if one.saved is None:
        return Expected(point, Effect.UNKNOWN, policy=one.name, why=one.problem, certain=certain)
    decision = decide(one.saved, step.request)  # type: ignore[arg-type]
    missing = sorted({name for open_ in decision.undetermined for name in open_.missing})
    why = f"the request lacks {', '.join(missing)}" if missing else ""
    return Expected(point, Effect(decision.effect), decision.rule or "its default", one.name, "", why, certain)


def is_call(step: Step) -> bool:
    """Whether a step is a tool call that rules are asked about; a change of mode or a word between agents is none."""
    return bool(step.tool) and step.verb not in (Verb.GUARDRAIL_CHANGE, Verb.AGENT_MESSAGE)


def _at_home(task: Task, cwd: str) -> bool:
    """Whether the agent worked in the root of its repository, as far as the folder's name tells."""
    folder = cwd.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold()
    return bool(folder) and folder == repository_name(task.repository).rpartition("/")[2].casefold()


def call_of(step: Step, start: str = "", attrs: Mapping[str, Attr] | None = None) -> Call:
    """A step as the tool call its agent's own rules read.

    `start` is the folder the agent was started in, "" where it is not known; `attrs` are what the agent's records state
    of the step beyond it, as `model.event.ATTRS` names them.
    """
    told = attrs or {}

    def said(name: str) -> str:
        return str(step.request.get(name) or "")

    given: dict[str, object] = {}
    name = step.target.name
    if step.verb is Verb.EXEC:
        given["command"] = said("action.command")
    elif step.verb is Verb.AGENT_SPAWN:
        given["subagent_type"] = name
    elif step.target.cls is TargetClass.NETWORK and name:
        given["url"] = str(told.get("url") or f"https://{name}")
    elif step.target.cls is TargetClass.FILESYSTEM or step.verb in _OF_FILES:
        given["file_path"] = str(told.get("path") or name)
    cwd, sandbox = said("context.cwd") or str(told.get("cwd") or ""), said("agent.sandbox")
    if _ESCALATED in (sandbox, told.get("sandbox")):
        # What the call asked for, not what it ran in.
        given["sandbox_permissions"] = _ESCALATED
    server = str(told.get("mcp_server") or "") or (name if step.target.cls is TargetClass.MCP_SERVER else "")
    return Call(
        step.tool,
        {key: value for key, value in given.items() if value},
        cwd=cwd or start,
        project=start,
        home=home_of(start, cwd),
        mode=said("agent.mode"),
        sandbox="" if sandbox == _ESCALATED else sandbox,
        mcp_server=server,
        facts={"partial": True},
    )


def _about(fact: PolicyFact, task: Task) -> bool:
    """Whether a policy held for a task's repository and principal; what is not known of a task is in no list."""

    def among(patterns: tuple[str, ...], names: set[str]) -> bool:
        return not patterns or any(glob(pattern).match(name.casefold()) for pattern in patterns for name in names if name)

    return among(fact.repositories, {task.repository}) and among(fact.principals, {task.principal, task.on_behalf_of})


def _held(fact: PolicyFact, at: int | None) -> bool:
    since, until = parse_time(fact.since)[0], parse_time(fact.until)[0]
    if at is None:
        return since is None and until is None
    return (since is None or since <= at) and (until is None or at < until)


def _files(store: Store) -> Iterator[tuple[str, str, str]]:
    """Every imported settings file under each of its names: name, record, redacted text."""
    for row in store.named_sources():
        if row.format not in FORMATS:
            continue
        for raw in store.raw_records(row.id):
            if raw.speaks:
                for name in row.names:
                    yield name, raw.id, raw.raw.decode("utf-8", "replace")


def _bind(fact: PolicyFact, files: Sequence[tuple[str, str, str]], versions: list[PolicyVersion]) -> list[_Bound]:
    if fact.saved:
        return _bind_saved(fact, versions)
    pattern = glob(fact.source)
    found = {record: (name, text) for name, record, text in sorted(files, reverse=True) if pattern.match(name.casefold())}
    if len(found) != 1:
        many = f"{len(found)} imported settings files are called {fact.source}: say which was in force" if found else ""
        return [_Bound(fact, fact.source, problem=many or f"no imported settings file is called {fact.source}", own=True)]
    ((record, (name, text)),) = found.items()
    return [_Bound(fact, name, record, text, own=True)]


def _bind_saved(fact: PolicyFact, versions: list[PolicyVersion]) -> list[_Bound]:
    mine = [one for one in versions if one.name == fact.saved and fact.version in (0, one.version)]
    if not mine:
        wanted = f"version {fact.version} of " if fact.version else ""
        return [_Bound(fact, fact.saved, problem=f"no {wanted}policy {fact.saved} is saved in this store")]
    last = max(mine, key=lambda one: one.version)
    if not last.files:
        return [_saved(fact, last)]
    name = f"{last.name} version {last.version}"
    return [
        _Bound(
            msgspec.structs.replace(fact, layer=file.layer),
            f"{name}: {file.name}",
            f"{last.sha256}/{number}",
            file.text,
            own=True,
        )
        for number, file in enumerate(last.files)
    ]


def _saved(fact: PolicyFact, version: PolicyVersion) -> _Bound:
    name = f"{version.name} version {version.version}"
    if version.format != "remit":
        return _Bound(fact, name, problem=f"{name} is of format {version.format}, which is not judged yet")
    checked = check(version.text)
    problem = "" if checked.policy is not None else f"{name} has errors; see `remit policy check`"
    return _Bound(fact, name, saved=checked.policy, problem=problem)


def _promoted(promotions: Sequence[Promotion]) -> Iterator[PolicyFact]:
    """What was put in force at a named point, each until the next version of the same policy was put in force there."""
    for number, one in enumerate(promotions):
        if one.point:
            after = (item for item in promotions[number + 1 :] if (item.name, item.point) == (one.name, one.point))
            ended = next(after, None)
            until = (iso(ended.at) or "") if ended is not None else ""
            yield PolicyFact(one.point, saved=one.name, version=one.version, since=iso(one.at) or "", until=until)


class _Revisions:
    """Saved versions by what a decision log may call them: `name@version`, the digest of the text, or the revision stated with it."""

    def __init__(self, versions: Sequence[PolicyVersion], store: Store) -> None:
        self._by = {word: one for one in versions for word in (f"{one.name}@{one.version}", one.sha256, one.revision) if word}
        told = {row.version for row in store.point_versions() if row.kind == "policy"} if self._by else set()
        self.seen = sorted({one.sha256 for policy in told for one in self._among(policy)})
        """Digests of the versions that were seen at work: what was built before they were saved is built again."""

    def __bool__(self) -> bool:
        return bool(self._by)

    def of(self, item: Item) -> PolicyVersion | None:
        """The saved version that a verdict says it comes from; None where it names none, or several."""
        found = self._among(item.decision.policy) if item.decision is not None and item.decision.policy else []
        return found[0] if len({one.sha256 for one in found}) == 1 else None

    def _among(self, policy: str) -> list[PolicyVersion]:
        words = [word.strip() for word in policy.split(",")]
        return [one for word in words if (one := self._by.get(word) or self._by.get(word.rpartition("@")[2])) is not None]
