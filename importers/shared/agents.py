"""What the transcripts of all coding agents share: the frame around a record's events, references in text, excerpts."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote

from importers.shared.fields import TELLING, Json, arguments_digest, clip, key, keys
from importers.shared.mcp_tools import operations_of
from lang.injection import AROUND, telling_part
from lang.names import host_name
from lang.shell_paths import path_class, path_verb
from model.event import Attr, Decision, Event, Key, Operation, Outcome, Target
from model.words import Clock, Effect, EventKind, KeyRole, Phase, TargetClass, Tri, Vantage, Verb

TEXT_LIMIT = 64_000
OUTPUT_LIMIT = 2_000
TELLING_LIMIT = 1_000
COMMAND_LIMIT = 100_000
_REFERENCES = 5
_DECIDED_LIMIT = 100_000
_NOBODY = frozenset({"", "user", "rule", "hook", "mode", "sandbox"})
"""Rules that say of what kind a decider is, and not which it is."""
DECIDERS = frozenset({"user", "hook"})
"""Who decides on a call in place of the program itself, as verdicts name them."""

_TICKET = re.compile(r"(?<![A-Za-z0-9_.-])([A-Z][A-Z0-9]+-\d+)(?![A-Za-z0-9])")
# Words that look like tickets: standards, encodings, hashes, models.
_NO_TICKET = frozenset(
    {"UTF", "SHA", "MD", "ISO", "RFC", "CVE", "CWE", "GPT", "AES", "RSA", "HTTP", "TLS", "PEP", "COVID", "ASCII", "UCS", "IEEE"}
    | {"EC", "ED", "X", "H", "HS", "RS", "ES", "PKCS", "FIPS", "NIST", "LF", "CR", "CP", "WINDOWS", "BASE", "ANSI", "USD", "EUR"}
)
_COMMIT_MADE = re.compile(r"^(?:Output: |Stdout: )?\[[^\]\n]{1,200} ([0-9a-f]{7,40})\] ", re.MULTILINE)
_PUSHED_TO = re.compile(r"^To \S+$\n((?:^.* -> .*$\n?){1,20})", re.MULTILINE)
_RANGE = re.compile(r"^ [ +] ?[0-9a-f]{7,40}\.{2,3}([0-9a-f]{7,40}) +\S+ -> \S", re.MULTILINE)
# What agents' programs write around what a command wrote: how it ended, where it stood, what it left running.
_BEHIND = re.compile(
    r"<[^<>]{1,300}>|Shell cwd was reset to .*|(?:Stderr|Exit Code|Signal|Background PIDs|Process Group PGID): .*|Error: \(none\)"
    r"|Warning: \d+ uncommitted changes?|\s*"
)
_BEFORE = re.compile(r"(?:Output|Stdout): ")
_LINES_BEHIND = 12
# `tsh request show` prints the same of anybody's request.
_ACCESS_REQUEST = re.compile(
    r"^(?:Output: |Stdout: )?Creating request\.\.\.\s*\n(?:(?!Request ID:).{0,300}\n){0,5}"
    r"Request ID: {1,20}([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) *\nUsername: ",
    re.MULTILINE,
)
# Terraform's own words on a run elsewhere that it began; a run that is only looked at prints others.
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}m")
_REMOTE_RUN = re.compile(
    r"^(?:Output: |Stdout: )?Preparing the remote (?:plan|apply)\.\.\.\s*\n(?:.{0,300}\n){0,20}?"
    r"To view this run in a browser, visit:\s*\nhttps?://[^/\s]{1,200}/app/[\w-]{1,100}/[\w-]{1,100}/runs/(run-[A-Za-z0-9]{8,40})\s*$",
    re.MULTILINE,
)
_PULL_REQUEST = re.compile(
    r"^https?://[^/\s]+/(?:(?P<plain>[\w.-]+/[\w.-]+)/(?:pull|pull-requests)|(?P<nested>[\w.-]+(?:/[\w.-]+){1,20}?)/(?:-/)?merge_requests"
    r"|projects/(?P<project>[\w.~-]+)/repos/(?P<name>[\w.-]+)/pull-requests)/(?P<number>\d{1,9})(?:/overview)?$"
)
"""At GitHub and Bitbucket, at GitLab below groups in groups, at Bitbucket's own servers."""
_ONE_OF_ITS_KIND = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*+\d)[A-Za-z0-9]{8,}")
_DATE_PREFIX = re.compile(r"^\d{4}-\d\d-\d\d-(?=.)")
_CI_FOLDER = re.compile(r"^(?:/home/runner/|/__w/|/github/|/builds/|/var/(?:lib/)?jenkins|/bitrise/)")
_DRIVE = re.compile(r"/[A-Za-z]:[/\\]")
_HOME_FOLDER = re.compile(r"^(?:/home/|/Users/|[A-Za-z]:[\\/]Users[\\/])")


class Act(NamedTuple):
    """What a tool call sets out to do, in our words."""

    verb: Verb = Verb.UNKNOWN
    target: Target = Target()
    attrs: dict[str, Attr] = {}  # noqa: RUF012  # never written to
    operations: tuple[Operation, ...] = ()


class Frame(NamedTuple):
    """What all events of one record have in common."""

    point: str
    at: int | None
    clock: Clock
    ref: str
    after: str
    scope: tuple[Key, ...]
    attrs: dict[str, Attr]
    agent: str

    def event(
        self,
        kind: EventKind,
        phase: Phase,
        *,
        call: str = "",
        more: tuple[Key, ...] = (),
        attrs: dict[str, Attr] | None = None,
        act: Act | None = None,
        tool: str = "",
        text: str = "",
        decision: Decision | None = None,
        outcome: Outcome | None = None,
    ) -> Event:
        found = self.scope
        if call:
            found = (*found, Key(KeyRole.CALL, "call", call))
        return Event(
            kind,
            phase,
            Vantage.AGENT,
            self.point,
            at=self.at,
            clock=self.clock,
            ref=self.ref,
            after=self.after,
            agent=self.agent,
            verb=act.verb if act else Verb.UNKNOWN,
            tool=tool,
            target=act.target if act else Target(),
            operations=act.operations if act else (),
            text=text,
            keys=found + more if more else found,
            decision=decision,
            outcome=outcome,
            attrs={**self.attrs, **act.attrs, **(attrs or {})} if act else {**self.attrs, **(attrs or {})},
        )

    def intent(
        self, phase: Phase, words: str, *, call: str = "", branch: str = "", attrs: dict[str, Attr] | None = None
    ) -> Event:
        """Words that say what is to be done, with the tickets they or the branch name."""
        tickets = tickets_in(words) or tickets_in(branch.rpartition("/")[2])
        made = dict(attrs or {})
        if tickets:
            made["ticket"] = tickets[0].value
        return self.event(EventKind.INTENT, phase, call=call, more=tickets, attrs=made, text=clip(words, TEXT_LIMIT))

    def verdict(
        self, effect: Effect, *, call: str = "", rule: str = "", reason: str = "", policy: str = "", by: str = ""
    ) -> Event:
        """A decision: `by` is who made it, by the rule a person or a hook where it says so, the point itself where nobody else is named."""
        who = by or (rule if rule in DECIDERS else self.point)
        decision = Decision(effect, rule=rule, reason=clip(reason, 500), policy=policy, by=who)
        return self.event(EventKind.DECISION, Phase.VERDICT, call=call, decision=decision, outcome=Outcome(permitted=effect))

    def result(
        self, call: str, tool: Tri, output: str, *, refused: str = "", permitted: Effect = Effect.UNKNOWN, status: str = ""
    ) -> Event:
        """What came back of a call, with the commits and pull requests that the output says were made."""
        attrs: dict[str, Attr] = {}
        if output:
            attrs["output"] = excerpt(output)
        if refused:
            attrs["refused"] = refused
        if status:
            attrs["status"] = status
        return self.event(
            EventKind.ACTION,
            Phase.RESULT,
            call=call,
            more=() if refused else references_in(output),
            attrs=attrs,
            outcome=Outcome(permitted=permitted, tool=tool),
        )


def scope_id(value: object) -> str:
    """A session id in one spelling: lower case, without the date some tools put before it."""
    return _DATE_PREFIX.sub("", value).lower()[:200] if isinstance(value, str) else ""


def folder(given: object) -> str:
    """A path of the machine, which newer versions write as a `file:` address; any other text as it stands."""
    path = given[:4000] if isinstance(given, str) else ""
    if path.startswith("file://"):
        path = unquote("/" + path[7:].partition("/")[2])
        path = path[1:] if _DRIVE.match(path) else path
    return path[:2000]


def call_id(value: object) -> str:
    """An agent's own call id, "" if it is none."""
    return value if isinstance(value, str) and len(value) <= 200 else ""


def names_one_call(call: str) -> bool:
    """Whether a call's id means this call wherever it stands; some models merely count their calls within a conversation."""
    return _ONE_OF_ITS_KIND.search(call) is not None


def decided_before(told: set[str], event: Event) -> bool:
    """Whether a decision was told before on this call to this effect: by whoever decided, and again by what came of it.

    `told` is what a reader remembers of its log.
    """
    call = event.first_key(KeyRole.CALL)
    if event.phase is not Phase.VERDICT or event.decision is None or call is None:
        return False
    said = f"{event.decision.effect} {call.value}"
    # Several hooks may each decide on one call; what the agent itself says of it, or of nobody by name, was theirs. A person answers once.
    unnamed = event.decision.rule in _NOBODY or event.decision.by in (event.point, "user")
    named = f"{said} {event.decision.rule}"
    if (said if unnamed else named) in told:
        return True
    if len(told) < _DECIDED_LIMIT:
        told |= {said, named}
    return False


def prompt_key(value: object) -> tuple[Key, ...]:
    """The call key of what was decided about a prompt itself."""
    return scope_key("prompt", call_id(value), KeyRole.CALL)


def excerpt(output: str) -> str:
    """Beginning and end of what came back, where instructions and results stand, and what talks to the machine between them."""
    if len(output) <= OUTPUT_LIMIT:
        return output
    first, last = OUTPUT_LIMIT * 3 // 4, len(output) - OUTPUT_LIMIT // 4
    between = telling_part(output, first - AROUND, last)
    kept = (output[:first], between[:TELLING_LIMIT], output[last:]) if between else (output[:first], output[last:])
    return "\n…\n".join(kept)


def tickets_in(words: str) -> tuple[Key, ...]:
    """Ticket references in a text, the first five."""
    if "-" not in words:
        return ()
    found = (m for m in _TICKET.findall(words[:TEXT_LIMIT]) if m.partition("-")[0] not in _NO_TICKET)
    return tuple(Key(KeyRole.REFERENCE, "ticket", m) for m in list(dict.fromkeys(found))[:_REFERENCES])


def references_in(output: str) -> tuple[Key, ...]:
    """Commits git says it made or pushed, the pull request whose address is the output's last line, access asked of Teleport, and runs Terraform
    began elsewhere.
    """
    found: list[Key] = []
    if "] " in output and (output[0] == "[" or "\n[" in output or "ut: [" in output):
        found += [Key(KeyRole.REFERENCE, "commit", sha) for sha in _COMMIT_MADE.findall(output)[:_REFERENCES]]
    if " -> " in output and "To " in output:
        pushed = (sha for refs in _PUSHED_TO.findall(output) for sha in _RANGE.findall(refs))
        found += [Key(KeyRole.REFERENCE, "commit", sha) for sha in list(pushed)[:_REFERENCES]]
    asked = "/pull/" in output or "/merge_requests/" in output or "/pull-requests/" in output
    if asked and (m := _PULL_REQUEST.match(_last_line(output))):
        name = m["plain"] or m["nested"] or f"{m['project']}/{m['name']}"
        found.append(Key(KeyRole.REFERENCE, "pr", f"{name.lower()}#{m['number']}"))
    if "Request ID:" in output:
        found += [Key(KeyRole.REFERENCE, "access.request", asked) for asked in _ACCESS_REQUEST.findall(output)[:_REFERENCES]]
    if "Preparing the remote " in output:
        found += [
            Key(KeyRole.REFERENCE, "terraform.run", run) for run in _REMOTE_RUN.findall(_COLOURS.sub("", output))[:_REFERENCES]
        ]
    return tuple(dict.fromkeys(found))


def _last_line(output: str) -> str:
    """The last line that the command itself wrote."""
    for line in reversed(output[-4000:].rstrip().split("\n")[-_LINES_BEHIND:]):
        if _BEHIND.fullmatch(line) is None:
            return _BEFORE.sub("", line, count=1).strip()
    return ""


def origin_of(cwd: str) -> str:
    """Whether a working directory lies in somebody's home or in a CI runner's; "" where it does not say."""
    if _CI_FOLDER.match(cwd):
        return "ci"
    return "endpoint" if _HOME_FOLDER.match(cwd) else ""


def file_act(verb: Verb, path: str) -> Act:
    """A file read, written or deleted; writing a pipeline, a safeguard or the agent's instructions is called by its own verb."""
    if verb is not Verb.FILE_READ:
        meant = path_verb(path, True)
        verb = verb if meant is Verb.FILE_WRITE else meant
    return Act(verb, Target(path_class(verb), path[:1000]), {"path": path[:4000]} if path else {})


def web_act(url: str) -> Act:
    host = host_name(url[:2000])
    return Act(Verb.HTTP_REQUEST, Target(TargetClass.NETWORK, host) if host else Target(), {"url": url[:4000]} if url else {})


def mcp_act(server: str, tool: str, given: object = None) -> Act:
    """A call of an MCP server's tool, with the operations inside it where the tool is one of those everybody knows."""
    target = Target(TargetClass.MCP_SERVER, server[:300], tool[:300])
    return Act(Verb.MCP_CALL, target, {"mcp_server": server[:300]} if server else {}, operations_of(tool, given))


def told_apart(act: Act, given: object) -> Act:
    """The act with a digest of its arguments where it has no command, path or address by which others could know the call."""
    if any(act.attrs.get(name) for name in TELLING):
        return act
    made = arguments_digest(given)
    return act._replace(attrs={**act.attrs, "arguments": made}) if made else act


def exec_act(command: str, attrs: dict[str, Attr] | None = None) -> Act:
    return Act(Verb.EXEC, Target(), {"command": command[:COMMAND_LIMIT], **(attrs or {})} if command else dict(attrs or {}))


def code_act(code: str) -> Act:
    """Running code of a language that is no shell's: read as commands it would do things it does not."""
    return (
        exec_act(code)._replace(operations=(Operation(Verb.UNKNOWN, text=code[:500], certain=False),)) if code else exec_act("")
    )


def words_of(content: object, limit: int = TEXT_LIMIT) -> str:
    """The text of a message's or result's content: a text, or a list of blocks that hold `text`."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts: list[str] = []
    size = 0
    for block in content:
        found = block.get("text") if isinstance(block, dict) else block
        if isinstance(found, str) and found:
            parts.append(found)
            size += len(found)
            if size > limit:
                break
    return "\n".join(parts)


def field(record: Json, name: str) -> str:
    """A member that holds a text, "" for anything else."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def scope_key(kind: str, value: str, role: KeyRole = KeyRole.SCOPE) -> tuple[Key, ...]:
    return keys(key(role, kind, value))
