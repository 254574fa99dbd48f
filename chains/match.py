"""MATCH keys: buckets of verb, target and time, the same from the agent's side and from the target's.

A MATCH key identifies nothing. It names the few events among which an inference may be scored at all. The time is part
of the bucket, so that a busy repository does not turn its own bucket into a hot one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b

from chains.branches import branch_keys
from chains.clusters import cluster_asked, cluster_seen
from chains.folders import HOME, elsewhere
from chains.objects import object_seen, objects_asked
from chains.printed import printed_values
from chains.reach import names_connection
from chains.runs import run_keys
from lang.late import late
from lang.names import host_name, repository_name
from model.event import Event, Key, Operation, Target, digest
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

BUCKET_SECONDS = 900
"""Width of a time bucket; a look-up takes the buckets around a moment, so the width changes no result."""

FOLDER = "~"
"""Begins a name of which only the last part is known on both sides: a repository's, by the folder worked in, or an MCP tool's, whose
server each configuration calls as it likes."""
DID = "did"
REFUSED = "refused"
"""Under which a verdict that denies a call is filed, by the call's key."""
CLAIMED = frozenset(
    {Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.PACKAGE_PUBLISH, Verb.SECRET_WRITE, Verb.CI_RUN}
    | {Verb.TICKET_OPEN, Verb.TICKET_UPDATE}
)
"""What an agent's word can be held against a target's log for: each is one entry there, and none can be answered from a cache."""

LOOSE = frozenset({Verb.UNKNOWN, Verb.EXEC, Verb.MCP_CALL, Verb.CI_RUN, Verb.HTTP_REQUEST, Verb.NET_CONNECT})
"""Verbs that say too little of what was done, and jobs, which run when their turn comes."""

SHA = 7
"""Hex digits under which a commit is filed: logs shorten it to as little as this."""

_FILED = 200
_PARTS = 20
_QUOTES = str.maketrans("", "", "'\"\\")
_PATH = 100
_BUCKET = BUCKET_SECONDS * 1_000_000
_REPOSITORY = frozenset(
    {Verb.REPO_READ, Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_OPEN, Verb.PR_MERGE, Verb.CI_RUN, Verb.CI_MODIFY}
)
_WITH_TOKEN = (Verb.REPO_READ, Verb.REPO_WRITE, Verb.PR_OPEN, Verb.PR_MERGE)
_SECRET = frozenset({Verb.SECRET_READ, Verb.SECRET_WRITE})
_PACKAGE = frozenset({Verb.PACKAGE_INSTALL, Verb.PACKAGE_PUBLISH})
_BEHIND = late(r"[_-]+")
_HTTP = frozenset({Verb.HTTP_REQUEST, Verb.NET_CONNECT})
_NAMED = frozenset({Verb.CLUSTER_CALL, Verb.TICKET_OPEN, Verb.TICKET_UPDATE, Verb.DB_QUERY, Verb.MCP_CALL})
_CALLS = {TargetClass.CLOUD: Verb.CLOUD_CALL, TargetClass.CLUSTER: Verb.CLUSTER_CALL}
_FILES = frozenset({Verb.FILE_READ, Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.INSTRUCTIONS_WRITE, Verb.GUARDRAIL_CHANGE})
_STAYS = frozenset({"local", "dry-run"})
_SERVICES = {
    "cloudwatch": "monitoring",
    "configservice": "config",
    "deploy": "codedeploy",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "s3api": "s3",
    "s3control": "s3",
    "ses": "email",
    "sesv2": "email",
    "stepfunctions": "states",
}
"""What the command line calls an AWS service, where the service's own log names it otherwise."""
_OPERATION = late(
    r"((?:Accept|Add|Associate|Attach|Authorize|Cancel|Complete|Copy|Create|Delete|Deregister|Describe|Detach|Disable|Disassociate|Enable|"
    r"Execute|Filter|Get|Head|Import|Invoke|List|Lookup|Modify|Publish|Put|Query|Reboot|Register|Remove|Reset|Restore|Revoke|Run|Scan|"
    r"Schedule|Search|Send|Set|Simulate|Start|Stop|Tag|Terminate|Untag|Update|Upload)(?:[A-Z][A-Za-z]*)?)(?:20\d\d_?\d\d_?\d\d)?(?:[vV]\d)?"
)
_OWN_COMMANDS = frozenset({"UpdateKubeconfig", "GetLogin", "GetLoginPassword", "GetToken", "StartSession"})
"""Commands of the AWS command line that are called as operations are and call others."""
_CLOUD = f"{Verb.CLOUD_CALL.value}|"
_KV_DATA = late(r"^(?:v1/)?([^/]+)/(?:data|metadata)/(.+)$")
_KEY_VAULT = late(r"^([\w-]+)\.vault\.azure\.net/secrets(?:/([^/]+))?$")
_SECRET_ARN = late(r"^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+?)(?:-[A-Za-z0-9]{6})?$")
_REMOTE = late(r"^(?:origin|upstream|fork)(?:/.*)?$")
_AGENTS = (("claude-code", ("claude",)), ("codex", ("codex",)), ("gemini-cli", ("gemini",)), ("copilot", ("copilot",)))


def match_values(event: Event) -> tuple[str, ...]:
    """`verb|target` of everything in the event that another log could show, sorted and without time.

    `words|` and a digest stand for the whole of a command or of a call's arguments; a target that begins with `~` is a repository known by the name
    of its folder alone.
    """
    cwd = event.attrs.get("cwd")
    found = set(_value(event.verb, event.target, event))
    for op in event.operations:
        if reaches_out(op):
            found.update(_value(op.verb, op.target, event, elsewhere(op, cwd)))
            found.update((*cluster_asked(op), *objects_asked(op)))
    if event.vantage is not Vantage.AGENT:
        found.update((*cluster_seen(event), *object_seen(event)))
    command, arguments = event.attrs.get("command"), event.attrs.get("arguments")
    if event.verb is Verb.EXEC and isinstance(command, str) and command.strip():
        found.add(f"words|{_words(command)}")
    elif isinstance(arguments, str):
        found.add(f"words|{arguments}")
    return tuple(sorted(found))


def _parts(event: Event) -> Iterator[str]:
    """The words of each part of a command: a witness sees every program start by itself."""
    if event.verb is Verb.EXEC and event.attrs.get("command"):
        yield from (f"words|{_words(op.text)}" for op in event.operations[:_PARTS] if op.text.strip())


def _words(command: str) -> str:
    """A digest of a command's words: without the folder its program lies in and without quotes, which a kernel never sees."""
    first, *rest = command.split()
    said = " ".join((first.rpartition("/")[2] or first, *rest)).translate(_QUOTES)
    return blake2b(said.encode(), digest_size=8).hexdigest()


def acts_of(event: Event) -> list[tuple[Operation, str]]:
    """Everything in the event that a target's log could show, the event itself first, each with its `verb|target`.

    Targets stand by their whole names alone; "" where the name is not known.
    """
    cwd = event.attrs.get("cwd")
    found = [(Operation(event.verb, event.target), canonical(event.verb, event.target, event))]
    found += [(op, canonical(op.verb, op.target, event, elsewhere(op, cwd))) for op in event.operations if reaches_out(op)]
    return [(op, f"{op.verb.value}|{name}" if name else "") for op, name in found]


def match_names(values: Iterable[str], at: int, reach: int = 0) -> list[str]:
    """The key names of those values in the bucket of `at` and in all that begin within `reach` microseconds of it."""
    low, high = (at - reach) // _BUCKET, (at + reach) // _BUCKET
    return [f"match:{value}|{bucket}" for value in values for bucket in range(low, high + 1)]


def match_keys(event: Event) -> tuple[Key, ...]:
    """All MATCH keys of an event; see `chains.enrich`."""
    keys: list[Key] = []
    if event.at is not None and event.kind in (EventKind.ACTION, EventKind.EFFECT, EventKind.DECISION) and _timely(event):
        values = {*match_values(event), *_parts(event)} if event.phase is not Phase.RESULT else printed_values(event)
        keys += [Key(KeyRole.MATCH, "match", name.removeprefix("match:")) for name in match_names(sorted(values), event.at)]
        if event.phase is Phase.CALL and any(_seen_elsewhere(value) for value in values) and (user := home_user(event)):
            keys.append(Key(KeyRole.MATCH, "user", user))
        keys += branch_keys(event)
    if event.kind is EventKind.EFFECT and event.phase is Phase.OBSERVED and event.vantage is Vantage.TARGET:
        keys += [Key(KeyRole.MATCH, DID, filed(value)) for op, value in acts_of(event) if value and op.verb in CLAIMED]
    scoped = called = False
    held: list[Key] = []
    commits: list[Key] = []
    for key in event.keys:
        role = key.role
        if role is KeyRole.SCOPE:
            scoped = True
        elif role is KeyRole.CALL:
            called = called or key.kind == "call"
        elif role is KeyRole.CREDENTIAL or role is KeyRole.VIA:
            held.append(key)
        elif is_commit(key):
            commits.append(key)
    if event.at is not None and event.phase is Phase.ISSUED and not scoped:
        keys += [Key(KeyRole.MATCH, "match", name.removeprefix("match:")) for name in match_names(_issued_for(event), event.at)]
    if not (scoped or called):
        given = event.phase in (Phase.ISSUED, Phase.RENEWED, Phase.EXPOSED)
        held = [key for key in held if given and key.role is KeyRole.CREDENTIAL]
    if event.decision is not None and event.decision.effect is Effect.DENY:
        keys += [Key(KeyRole.MATCH, REFUSED, key.name) for key in event.keys if key.role is KeyRole.CALL]
    keys += [Key(KeyRole.MATCH, "holder", key.name) for key in held]
    keys += [Key(KeyRole.MATCH, "sha", key.value[:SHA]) for key in commits]
    keys += run_keys(event)
    if event.record and (not scoped or names_connection(event)):
        keys.append(Key(KeyRole.MATCH, "record", event.record))
    if not scoped and (agent := agent_of(event)):
        keys.append(Key(KeyRole.MATCH, "agent", agent))
    return tuple(dict.fromkeys(keys))


def filed(value: str) -> str:
    """A `verb|target` under which what targets did is filed: itself, or its digest where it is no short line."""
    return value if len(value) <= _FILED and value.isascii() and value.isprintable() else digest(value)


def is_commit(key: Key) -> bool:
    """Whether a key is a commit long enough to be compared with another spelling of it."""
    return key.role is KeyRole.REFERENCE and key.kind == "commit" and len(key.value) >= SHA


def _timely(event: Event) -> bool:
    """Calls, verdicts and observed effects happen at their time; a result says no more of its call than what the program printed.

    What only came after its time, as a push after its newest commit was made, may be of any time behind it.
    """
    after = event.clock is Clock.ORDER_ONLY and event.vantage is not Vantage.AGENT
    return not after and event.phase in (Phase.CALL, Phase.VERDICT, Phase.OBSERVED, Phase.RESULT)


def agent_of(event: Event) -> str:
    """The agent product an event names, by itself or by its user agent."""
    if event.agent:
        return event.agent
    stated = str(event.attrs.get("user_agent") or "").casefold()
    return next((name for name, marks in _AGENTS if any(mark in stated for mark in marks)), "") if stated else ""


def values_of(keys: Iterable[Key]) -> frozenset[str]:
    """The `verb|target` values among the MATCH keys of an event or stub, time taken off."""
    return frozenset(k.value.rpartition("|")[0] for k in keys if k.role is KeyRole.MATCH and k.kind == "match")


def reaches_out(operation: Operation) -> bool:
    """Whether an operation leaves the machine it runs on: a commit does not, nor does a dry run."""
    return not _STAYS.intersection(operation.flags)


def _value(verb: Verb, target: Target, event: Event, led: str | None = None) -> Iterator[str]:
    verb = asked_as(verb, target)
    name = canonical(verb, target, event, led)
    if name:
        # Of a request in a tunnel a proxy sees the connection alone.
        for one in _HTTP if verb in _HTTP else (verb,):
            yield f"{one.value}|{name}"
    if (verb in _REPOSITORY or _guarded(verb, target, event)) and (not name or event.vantage is not Vantage.AGENT):
        folder = name or (str(event.attrs.get("cwd") or "") if led is None else led)
        folder = folder.replace("\\", "/").rstrip("/").rpartition("/")[2].casefold()
        if folder:
            yield f"{verb.value}|{FOLDER}{folder}"
    if verb is Verb.MCP_CALL and target.detail:
        yield f"{verb.value}|{FOLDER}{target.detail.casefold()}"
        # A gateway before several servers shows its clients each tool behind its server's name.
        if event.vantage is Vantage.AGENT:
            if _BEHIND.search(target.detail):
                yield f"{verb.value}|/{_BEHIND.sub('_', target.detail)}".casefold()
        elif target.name:
            yield f"{verb.value}|/{_BEHIND.sub('_', f'{target.name}_{target.detail}')}".casefold()
    if verb is Verb.CLOUD_CALL and name and (operation := cloud_operation(target)):
        yield f"{verb.value}|{name}/{operation}"
    if verb is Verb.HTTP_REQUEST and name and (path := _path(target.detail)).startswith("/"):
        yield f"{verb.value}|{name}{path[:_PATH]}"


def asked_as(verb: Verb, target: Target) -> Verb:
    """The verb that whoever asked for it knows: a safeguard of a cloud or cluster is changed by a call there."""
    return _CALLS.get(target.cls, verb) if verb is Verb.GUARDRAIL_CHANGE else verb


def _issued_for(event: Event) -> list[str]:
    """What a credential issued for a repository, or to a role, is about to be used for."""
    if event.target.cls is not TargetClass.REPOSITORY:
        return list(_value(Verb.CREDENTIAL_ISSUE, event.target, event))
    return [value for verb in _WITH_TOKEN for value in _value(verb, event.target, event)]


def _seen_elsewhere(value: str) -> bool:
    """Whether somebody beyond the agent's own machine could log this."""
    verb = value.partition("|")[0]
    return verb != "words" and (verb == Verb.GUARDRAIL_CHANGE.value or Verb(verb) not in _FILES)


def home_user(event: Event) -> str:
    """The name of the account in whose home folder an agent works; "" where the folder is nobody's home."""
    found = HOME.match(str(event.attrs.get("cwd") or "").replace("\\", "/"))
    return found.group(1).casefold() if found else ""


def canonical(verb: Verb, target: Target, event: Event, led: str | None = None) -> str:
    """The target's name in the one spelling both sides can know; "" where it cannot be matched.

    A remote's name (`origin`) means the repository the event says was worked in, unless the command was `led` elsewhere.
    """
    guarded = _guarded(verb, target, event)
    if (verb in _FILES and not guarded) or target.cls is TargetClass.CI_CD:
        return target.name.replace("\\", "/")
    if verb in _REPOSITORY or guarded:
        stated = "" if not target.name or _REMOTE.match(target.name) else _repository(target.name)
        return stated or ("" if led is not None else _repository(str(event.attrs.get("repository") or "")))
    if verb is Verb.CREDENTIAL_ISSUE:
        # By role, user or path: who issues it is called otherwise on either side.
        return secret_name(target.detail or (target.name if target.cls is TargetClass.SECRET_STORE else "")).rpartition(":")[2]
    if not target.name:
        return ""
    if verb in _SECRET:
        return secret_name(target.name)
    if verb in _PACKAGE:
        return package_name(target.name)
    if verb in _HTTP:
        return host_name(target.name)
    if verb is Verb.CLOUD_CALL:
        return cloud_name(target)
    if verb is Verb.MCP_CALL and target.detail:
        # Another tool of the same server is another act.
        return f"{target.name}/{target.detail}".casefold()
    if verb in _NAMED:
        return target.name.casefold()
    return ""


def _guarded(verb: Verb, target: Target, event: Event) -> bool:
    """Whether a repository's safeguard was changed at its host: a request for that may name the repository by a number or a placeholder."""
    asked = event.vantage is not Vantage.AGENT or target.detail.startswith(("repos/", "projects/", "repositories/"))
    return verb is Verb.GUARDRAIL_CHANGE and target.cls is TargetClass.REPOSITORY and asked


def other_path(seen: Target, asked: Iterable[Target]) -> bool:
    """Whether a request was for another path than all that were asked for at its host; False where either side names none."""
    wanted = {_path(one.detail) for one in asked if one.cls is TargetClass.NETWORK and one.detail and one.name == seen.name}
    return bool(seen.cls is TargetClass.NETWORK and seen.detail and wanted) and _path(seen.detail) not in wanted


def elsewhere_asked(value: str, seen: Iterable[str], asked: Iterable[str]) -> bool:
    """The same of two sets of values, of which `value` is a host that both name."""
    mine, theirs = ({one for one in values if one.startswith(f"{value}/")} for values in (seen, asked))
    return bool(mine and theirs) and mine.isdisjoint(theirs)


def _path(detail: str) -> str:
    return detail.partition("?")[0].rstrip("/")


@lru_cache(maxsize=4096)
def _repository(address: str) -> str:
    return repository_name(address)


def secret_name(name: str) -> str:
    """A secret's path without what only one side writes: API prefix, the KV engine's `data/`, a Key Vault's domain, the ARN's random tail."""
    if arn := _SECRET_ARN.match(name):
        return arn.group(1).casefold()
    path = name.strip("/")
    if vault := _KEY_VAULT.match(path):
        return "/".join(filter(None, vault.groups())).casefold()
    if data := _KV_DATA.match(path):
        path = f"{data.group(1)}/{data.group(2)}"
    return path.removeprefix("v1/").casefold()


def package_name(name: str) -> str:
    """A package without its version: `left-pad@1.3.0`, `@scope/x@2`, `requests==2.1` and `npm:left-pad` alike."""
    text = name.casefold().rpartition(":")[2] if "://" not in name else name.casefold()
    head, body = ("@", text[1:]) if text.startswith("@") else ("", text)
    return head + re.split(r"@|==|>=|<=|~=|\s", body, maxsplit=1)[0]


def cloud_name(target: Target) -> str:
    """A cloud service: `sts.amazonaws.com` and `sts` alike."""
    service = re.split(r"[:/\s]", target.name.casefold().removeprefix("aws:"), maxsplit=1)[0]
    service = service.removesuffix(".amazonaws.com").removesuffix(".googleapis.com")
    return _SERVICES.get(service, service)


def cloud_operation(target: Target) -> str:
    """The operation of a cloud service in the one spelling that its own log and the command line share; "" where either calls it otherwise.

    Only what is called as AWS's operations are is taken for one, without the version that some services write behind it.
    """
    stated = _OPERATION.fullmatch(target.name.partition(":")[2])
    return "" if stated is None or stated.group(1) in _OWN_COMMANDS else stated.group(1).casefold()


def other_operation(seen: Iterable[str], asked: Iterable[str]) -> bool:
    """Whether both of two sets of values name operations of one cloud service, and none that they have in common."""
    mine, theirs = ({v for v in values if v.startswith(_CLOUD)} for values in (seen, asked))
    services = {v for v in mine & theirs if "/" not in v}
    return any(elsewhere_asked(service, mine, theirs) for service in services)


def operation_targets(operations: Iterable[Operation]) -> tuple[str, ...]:
    """`class:name` of every operation that names a target, in order, once each."""
    named = (f"{op.target.cls.value}:{op.target.name}" for op in operations if op.target.name)
    return tuple(dict.fromkeys(named))


def specific(target: Target) -> bool:
    """Whether a target names something beyond the machine the command ran on."""
    return bool(target.name) and target.cls not in (TargetClass.UNKNOWN, TargetClass.FILESYSTEM)
