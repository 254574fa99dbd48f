"""The parts of a command as Copilot CLI names them, and how its patterns compare with those names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

import msgspec

from model.words import Tri
from policy.agents.base import Call, name_set
from policy.agents.inner import script_of

NAMED = {"git": 2, "gh": 3}
"""Programs whose sub-commands belong to the name, and how many words that makes; the program states it of these two."""
_GROUPED = name_set(
    "apt apt-get aws az brew bun bundle cargo composer conda deno docker dotnet flutter gcloud go gradle helm kubectl make mvn nix npm "
    "npx pip pip3 pnpm podman poetry rake rustup systemctl terraform uv yarn"
)
"""Programs of which saved names with sub-commands are seen, and no rule is published for when they have them."""
_READS = name_set("cat cd date echo ls")
"""Programs that the program was seen to hold to be read-only."""
_MAY_READ = name_set(
    "[ basename cal cmp column comm cut df diff dirname du egrep env false fgrep file find fold free grep groups head hexdump "
    "hostname id jq less locate lsof md5sum more nl od printenv printf ps pwd readlink realpath rev rg sha1sum sha256sum sleep sort stat "
    "strings tac tail test tr tree true type uname uniq uptime wc which whoami xxd yq"
)
"""Programs it may hold to be read-only: its list is not published."""
_GIT_READS = name_set("blame branch cat-file describe diff log ls-files reflog remote rev-parse shortlog show status tag")
_ADDRESS = re.compile(r"""https?://[^\s'"<>|;&)]+""")
_NOWHERE = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr"})


class Segment(msgspec.Struct, frozen=True):
    """One command of a script: its text, its name as the program has it, and whether the program holds it to be read-only.

    `sure` is false where published sources do not tell how many words belong to the name.
    """

    text: str
    name: str
    sure: bool
    reads: Tri


def segments(call: Call, command: str) -> Iterator[Segment]:
    """The commands of a script; a log's own names for them are believed where it has them."""
    stated = call.facts.get("identifiers")
    if isinstance(stated, list) and stated:
        for one in stated:
            if isinstance(one, dict) and isinstance(one.get("identifier"), str):
                told = one.get("readOnly")
                reads = Tri.UNKNOWN if not isinstance(told, bool) else Tri.YES if told else Tri.NO
                yield Segment(one["identifier"], one["identifier"], True, reads)
        return
    for part in script_of(command).commands:
        if not part.words:
            continue
        head = _source(part.text, len(part.assignments))
        program = part.words[0].text
        words = [word.text for word in part.words[1 : NAMED.get(head, 1)]]
        plain = [word for word in words if re.fullmatch(r"[A-Za-z][\w-]*", word)]
        name = " ".join([head, *plain]) if plain == words else head
        options_first = head in NAMED and plain != words and len(part.words) > 1
        yield Segment(part.text, name, head not in _GROUPED and not options_first, _reads(program, name, head))


def _source(text: str, assignments: int) -> str:
    """The first word of a command as it is written, quotes and all."""
    words = re.findall(r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+""", text)
    return words[assignments] if assignments < len(words) else (words[-1] if words else "")


def _reads(program: str, name: str, head: str) -> Tri:
    if head in _READS:
        return Tri.YES
    if program in _MAY_READ or program in _READS or (head == "git" and name.partition(" ")[2] in _GIT_READS):
        return Tri.UNKNOWN
    return Tri.NO


def shell_matches(pattern: str | None, segment: Segment) -> Tri:
    """Whether `shell(pattern)` names a segment: its name exactly, or with `:*` its name's first words."""
    if pattern is None:
        return Tri.YES
    stem, star, _ = pattern.partition(":*") if pattern.endswith(":*") else (pattern, "", "")
    if star and (segment.name == stem or segment.name.startswith(stem + " ")):
        return Tri.YES
    if segment.name == stem:
        return Tri.YES if segment.sure or star else Tri.UNKNOWN
    # More words than the name is known to have: they may belong to it.
    longer = segment.text == stem or segment.text.startswith(stem + " ")
    return Tri.UNKNOWN if not segment.sure and longer and stem.startswith(segment.name + " ") else Tri.NO


def addresses(command: str) -> list[str]:
    """The web addresses in a command."""
    return list(dict.fromkeys(_ADDRESS.findall(command)))


def redirected(command: str) -> list[str]:
    """The files that redirections of a command write."""
    return [
        one.target.text
        for part in script_of(command).commands
        for one in part.redirects
        if one.writes and one.target.text not in _NOWHERE and not one.target.text.isdigit() and one.target.text != "-"
    ]


def words_of(command: str) -> list[str]:
    """Every word of a command's parts, for paths to be looked for in."""
    return [word.text for part in script_of(command).commands for word in part.words[1:]]


def url_matches(pattern: str | None, url: str) -> bool:
    """Whether a pattern of addresses names one: a host (`*.` for those below it), `https` where it states no scheme, a path."""
    if pattern is None:
        return True
    try:
        asked, wanted = _split(url), _split(pattern)
        ports = wanted.port is None or wanted.port == asked.port
    except ValueError:
        return False
    if wanted.scheme.lower() != asked.scheme.lower():
        return False
    host, name = (asked.hostname or "").rstrip("."), (wanted.hostname or "").rstrip(".")
    if name.startswith("*.") and not host.endswith(name[1:]):
        return False
    if not name.startswith("*.") and name not in ("*", host):
        return False
    path = wanted.path.rstrip("/")
    return ports and (not path or asked.path == path or asked.path.startswith(path + "/"))


def _split(url: str) -> SplitResult:
    return urlsplit(url if "://" in url else f"https://{url}")
