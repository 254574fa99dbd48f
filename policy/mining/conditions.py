"""Conditions in CEL for one request: as it is, and more and more generally, as far as generalising is safe."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from math import ceil

import msgspec

from model.words import Verb
from policy.model import Request

HIGH = frozenset(
    verb.value
    for verb in (
        Verb.SECRET_READ, Verb.SECRET_WRITE, Verb.CREDENTIAL_ISSUE, Verb.CREDENTIAL_RENEW, Verb.CREDENTIAL_REVOKE,
        Verb.NET_CONNECT, Verb.HTTP_REQUEST, Verb.PACKAGE_INSTALL, Verb.PACKAGE_PUBLISH,
        Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_MERGE, Verb.CLOUD_CALL, Verb.CLUSTER_CALL, Verb.CI_RUN, Verb.CI_MODIFY, Verb.FILE_DELETE,
        Verb.DB_QUERY, Verb.INSTRUCTIONS_WRITE, Verb.GUARDRAIL_CHANGE, Verb.AGENT_SPAWN, Verb.UNKNOWN,
    )
)  # fmt: skip
"""Verbs of high consequence: a rule that allows one names exactly what was done."""

RUNNERS = frozenset(
    (
        "bash", "sh", "zsh", "dash", "fish", "ksh", "env", "sudo", "doas", "su", "xargs", "eval", "exec", "source", ".",
        "nohup", "time", "timeout", "watch", "nice", "parallel", "find", "ssh", "scp", "rsync", "curl", "wget", "nc",
        "python", "python3", "node", "deno", "bun", "ruby", "perl", "php", "lua", "osascript", "pwsh", "powershell", "awk",
        "sed", "npx", "uvx", "pipx", "bunx", "docker", "podman", "kubectl", "helm", "terraform", "ansible",
        "ansible-playbook", "make", "just", "rm", "mv", "dd", "chmod", "chown", "kill",
    )
)  # fmt: skip
"""Programs that run what their arguments say, or whose arguments decide how much harm is done: their commands stay exact."""

_META = r"[;&|<>`$(){}\\\n\r\x00-\x08]"
"""Characters by which a command line is more than one plain command."""
_SUBCOMMAND = re.compile(r"[A-Za-z][A-Za-z0-9_:.-]*")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
SENSITIVE = (
    r"(^|/)(\.env[^/]*|\.ssh|\.aws|\.gnupg|\.kube|\.docker|\.npmrc|\.pypirc|\.netrc|\.git|\.git-credentials|\.github|\.claude|\.codex"
    r"|\.gemini|\.cursor|\.vscode|id_[a-z0-9]+|[^/]*(secret|credential|password|token)[^/]*|[^/]*\.(pem|key|p12|pfx|keystore)"
    r"|AGENTS\.md|CLAUDE\.md|GEMINI\.md)(/|$)"
)
"""Names of files that stay exact, whatever folder they lie in."""
_FILES = frozenset({Verb.FILE_READ.value, Verb.FILE_WRITE.value})
_ROOM = 4
"""Folders below the root that a path must have before a rule may cover a folder, where no working directory is known."""
_MINUTE = 60


class Candidate(msgspec.Struct, frozen=True):
    """A condition with a name for its rule; `parts` are the conjuncts, `values` what an exact one compares, for joining several.

    `wide` says that it covers more than one value, so that it needs more than one to stand on.
    """

    name: str
    parts: tuple[str, ...]
    wide: bool = False
    attribute: str = ""
    value: str = ""

    @property
    def when(self) -> str:
        return " && ".join(self.parts)


def quoted(text: str) -> str:
    """A text as CEL writes it: printable characters as they are, everything else escaped."""
    out = []
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    return '"' + "".join(out) + '"'


def listed(texts: Sequence[str]) -> str:
    return "[" + ", ".join(quoted(text) for text in texts) + "]"


def plain_words(command: str) -> tuple[str, ...]:
    """The words of a single plain command; none where it is anything more, or hides a word in quotes."""
    if re.search(_META, command) or command != command.strip():
        return ()
    return tuple(command.split(" ")) if "  " not in command else ()


def text_of(request: Request, name: str) -> str:
    value = request.get(name)
    return value if isinstance(value, str) else ""


def verbs_of(request: Request) -> tuple[str, ...]:
    value = request.get("action.verbs")
    stated = tuple(str(one) for one in value) if isinstance(value, tuple) else ()
    return stated or tuple(filter(None, (text_of(request, "action.verb"),)))


def consequential(request: Request) -> bool:
    """Whether anything about a request is of high consequence, or not known."""
    verbs = verbs_of(request)
    return not verbs or request.get("action.forced") is True or bool(HIGH.intersection(verbs))


def exact(request: Request) -> Candidate | None:
    """The condition for this very request and its like; None where it says too little to be told from others."""
    verb = text_of(request, "action.verb")
    if not verb:
        return None
    bounds = ttl_bounds(request)
    if verb == Verb.EXEC.value:
        command = text_of(request, "action.command")
        if not command:
            return None
        ran = (equal("action.verb", verb), equal("action.command", command), *bounds)
        return Candidate(_slug(command), ran, attribute="action.command", value=command)
    name, detail, tool = (text_of(request, key) for key in ("resource.name", "resource.detail", "action.tool"))
    if not name and not tool:
        return None
    parts = [equal("action.verb", verb)]
    if kind := text_of(request, "resource.class"):
        parts.append(equal("resource.class", kind))
    if name:
        parts.append(equal("resource.name", name))
    if detail and (consequential(request) or verb == Verb.MCP_CALL.value):
        parts.append(equal("resource.detail", detail))
    elif tool and not name:
        parts.append(equal("action.tool", tool))
    return Candidate(
        _slug(f"{verb} {name or tool} {detail if verb == Verb.MCP_CALL.value else ''}"),
        (*parts, *bounds),
        attribute="resource.name" if name else "",
        value=name,
    )


def wider(request: Request) -> Iterator[Candidate]:
    """Conditions that also cover requests like this one, none for anything of high consequence."""
    if consequential(request):
        return
    verb = text_of(request, "action.verb")
    if verb == Verb.EXEC.value:
        yield from _prefixes(request)
    elif verb in _FILES:
        yield from _folders(request, verb)
    else:
        owner = text_of(request, "resource.owner")
        kind = text_of(request, "resource.class")
        if owner and kind:
            parts = (
                equal("action.verb", verb),
                equal("resource.class", kind),
                equal("resource.owner", owner),
                *ttl_bounds(request),
            )
            yield Candidate(_slug(f"{verb} of {owner}"), parts, wide=True)


def _prefixes(request: Request) -> Iterator[Candidate]:
    """Command prefixes of at least program and sub-command, at token boundaries, of single plain commands that do no other verb."""
    words = plain_words(text_of(request, "action.command"))
    if len(words) < 2 or posixpath.basename(words[0]) in RUNNERS or not _SUBCOMMAND.fullmatch(words[1]):
        return
    allowed = equal_verbs(verbs_of(request))
    for size in range(2, len(words) + 1):
        if not all(_PLAIN_WORD.fullmatch(word) for word in words[:size]):
            return
        prefix = " ".join(words[:size])
        begins = f"({equal('action.command', prefix)} || action.command.startsWith({quoted(prefix + ' ')}))"
        parts = (equal("action.verb", Verb.EXEC.value), begins, f'!action.command.matches(r"{_META}")', allowed)
        yield Candidate(_slug(prefix), parts, wide=True)


def equal_verbs(verbs: Sequence[str]) -> str:
    return f"action.verbs.all(v, v in {listed(sorted({Verb.EXEC.value, *verbs}))})"


def _folders(request: Request, verb: str) -> Iterator[Candidate]:
    """Folders above a file, up to the working directory."""
    name, cwd = text_of(request, "resource.name"), text_of(request, "context.cwd")
    if not name or ".." in name or re.search(SENSITIVE, name, re.IGNORECASE):
        return
    folder = posixpath.dirname(name)
    while folder not in ("", "/", "."):
        inside = folder == cwd or folder.startswith(cwd.rstrip("/") + "/") if cwd and name.startswith("/") else False
        if not inside and (folder.count("/") < _ROOM if name.startswith("/") else False):
            return
        parts = (
            equal("action.verb", verb),
            f"resource.name.startsWith({quoted(folder + '/')})",
            '!resource.name.contains("..")',
            f'!resource.name.lowerAscii().matches(r"{SENSITIVE.lower()}")',
        )
        yield Candidate(_slug(f"{verb} {posixpath.basename(folder)}"), parts, wide=True)
        if folder == cwd:
            return
        folder = posixpath.dirname(folder)


def ttl_bounds(request: Request) -> tuple[str, ...]:
    """That the credential is bound to the task and lives no longer than it did, where the request says so."""
    ttl = request.get("credential.ttl_seconds")
    if request.get("credential.task_bound") is not True or not isinstance(ttl, int) or isinstance(ttl, bool):
        return ()
    return ("credential.task_bound", f"credential.ttl_seconds <= {ceil(ttl / _MINUTE) * _MINUTE}")


def equal(name: str, value: str) -> str:
    return f"{name} == {quoted(value)}"


def joined(candidates: Sequence[Candidate]) -> Candidate:
    """Exact conditions that differ in one value only, as one condition with a list."""
    first = candidates[0]
    if len(candidates) == 1:
        return first
    values = sorted({one.value for one in candidates})
    same = equal(first.attribute, first.value)
    parts = tuple(f"{first.attribute} in {listed(values)}" if part == same else part for part in first.parts)
    return Candidate(first.name, parts, attribute=first.attribute)


def _slug(text: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())
    return "-".join(words)[:48].strip("-") or "request"
