"""What Claude Code knows of single commands: those that only read, and the files that a command reads and writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import msgspec

from policy.agents.claude_code.rules import name_set

Words = Sequence[str | None]

_ANY = name_set(
    "cal uptime cat head tail wc stat strings hexdump od nl id uname free df du locale groups nproc basename dirname realpath "
    "cut paste tr column tac rev fold expand unexpand fmt comm cmp numfmt readlink diff true false sleep which type expr test [ "
    "seq tsort pr echo pwd whoami cd ls grep egrep fgrep rg file sha256sum sha1sum md5sum cksum b2sum ps pgrep tput ss netstat "
    "lsof base64 tree jq man help"
)
"""Commands that only read whatever their arguments are, but for those in `_NOT_WITH`."""
_NOT_WITH: Mapping[str, re.Pattern[str]] = {
    "tree": re.compile(r"-o.*|--output.*|-R"),
    "rg": re.compile(r"--pre(=.*|-glob.*)?|--hostname-bin.*|-z|--search-zip"),
    "jq": re.compile(r"-f.*|--from-file.*|-L.*|--slurpfile|--rawfile|--run-tests|.*\benv\b.*|.*\$ENV.*|.*\binput_filename\b.*"),
    "ps": re.compile(r"[^-]*e[^-]*"),
    "man": re.compile(r"-P.*|--pager.*|-H.*|--html.*|-C.*|-M.*"),
    "tput": re.compile(r"-S|init|reset|clear|rs\d|is\d"),
    "lsof": re.compile(r"\+m|-D.*"),
    "file": re.compile(r"-C|--compile|-m.*|--magic-file.*"),
    "base64": re.compile(r"-o.*|--output.*"),
    "ss": re.compile(r"-K|--kill|-D.*|--diag.*"),
    "pgrep": re.compile(r"-F.*|--pidfile.*"),
}
_FIND_ACTS = re.compile(r"-(exec|execdir|ok|okdir|delete|fprint|fprint0|fprintf|fls|files0-from)")
_GIT_ANY = name_set(
    "status log diff show shortlog blame ls-files ls-tree rev-parse rev-list describe cat-file for-each-ref grep merge-base "
    "name-rev show-ref whatchanged count-objects check-ignore diff-tree diff-index diff-files range-diff cherry"
)
_GIT_NOT = re.compile(
    r"--output(=.*)?|-o|--ext-diff|--textconv|--open-files-in-pager.*|-O.*|--upload-pack.*|--exec.*|--filters|--batch.*"
)
_GIT_LISTS: Mapping[str, re.Pattern[str]] = {
    "branch": re.compile(
        r"-[avrl]+|-vv|--list|--all|--remotes|--verbose|--show-current|--(no-)?(merged|contains)(=.*)?|--(sort|format|points-at|color|column)(=.*)?|--no-(color|column)|-i|--ignore-case"
    ),
    "tag": re.compile(
        r"-l|--list|-n\d*|-i|--ignore-case|--(no-)?(merged|contains)(=.*)?|--(sort|format|points-at|color|column)(=.*)?"
    ),
}
_LIST_VALUES = name_set("-l --list --merged --no-merged --contains --no-contains --sort --format --points-at")
_SED_READS = re.compile(
    r"(?:\d+|\$|/[^/\n]*/)?(?:,(?:\d+|\$|/[^/\n]*/))?p|"
    r"s(?P<mark>[/|,#@])(?:(?!(?P=mark))[^\\\n]|\\.)*(?P=mark)(?:(?!(?P=mark))[^\\\n]|\\.)*(?P=mark)[gpiImM1-9]*"
)
_BETWEEN = re.compile(r"\s*[;\n]\s*")
_CHANGE_FILES = frozenset({"mkdir", "touch", "rm", "rmdir", "mv", "cp"})
"""Commands that mode acceptEdits runs inside the project."""
FILE_CHANGERS = _CHANGE_FILES | {"tee", "truncate", "unlink"}
"""Commands whose operands are files they change."""


def only_reads(words: Words) -> bool:
    """Whether one command only reads, so that it needs no rule. Words that only running tells are None."""
    if not words or words[0] is None:
        return False
    name, rest = words[0], [word or "" for word in words[1:]]
    told = _READERS.get(name)
    if told is not None:
        return told(rest)
    if name not in _ANY:
        return False
    forbidden = _NOT_WITH.get(name)
    return forbidden is None or not any(forbidden.fullmatch(word) for word in rest)


def only_changes_files(words: Words) -> bool:
    """Whether a command does nothing but change the files it names, which mode acceptEdits runs inside the project."""
    if not words:
        return False
    if words[0] != "sed":
        return words[0] in _CHANGE_FILES
    rest = [word or "" for word in words[1:]]
    kept = [re.sub(r"^-([nErzs]*)i.*", r"-\1n", word) for word in rest if not word.startswith("--in-place")]
    return sed_reads(kept)


def _version(rest: Sequence[str]) -> bool:
    return list(rest) in (["--version"], ["-v"], ["-V"])


def _date(rest: Sequence[str]) -> bool:
    valued = {"-d", "--date", "-r", "--reference"}
    at = 0
    while at < len(rest):
        if rest[at] in valued:
            at += 2
        elif rest[at].startswith("+") or re.fullmatch(
            r"-[uRI].*|--(utc|universal|date=.*|reference=.*|iso-8601.*|rfc-.*|help|version|debug)", rest[at]
        ):
            at += 1
        else:
            return False
    return True


def sed_reads(rest: Sequence[str]) -> bool:
    """Whether sed only prints: options, one script of prints or substitutions, files."""
    scripts: list[str] = []
    files: list[str] = []
    words = list(rest)
    while words:
        word = words.pop(0)
        if word in ("-e", "--expression") and words:
            scripts.append(words.pop(0))
        elif word.startswith("--expression="):
            scripts.append(word.partition("=")[2])
        elif word.startswith("-") and len(word) > 1:
            if not re.fullmatch(r"-[nErzs]+|--(quiet|silent|regexp-extended|null-data|separate|posix|debug)", word):
                return False
        else:
            files.append(word)
    if not scripts and files:
        scripts.append(files.pop(0))
    return bool(scripts) and all(_prints(one.strip()) for one in scripts)


def _prints(script: str) -> bool:
    """Whether a sed script is nothing but prints and substitutions."""
    at = 0
    while found := _SED_READS.match(script, at):
        at = found.end()
        if at == len(script):
            return True
        between = _BETWEEN.match(script, at)
        if between is None:
            return False
        at = between.end()
    return False


def _git(rest: Sequence[str]) -> bool:
    if not rest:
        return False
    name, given = rest[0], list(rest[1:])
    if name in _GIT_ANY:
        return not any(_GIT_NOT.fullmatch(word) for word in given)
    lists = _GIT_LISTS.get(name)
    if lists is not None:
        at = 0
        listing = False
        while at < len(given):
            if lists.fullmatch(given[at]):
                listing = listing or given[at] in ("-l", "--list")
                at += 2 if given[at] in _LIST_VALUES and at + 1 < len(given) and not given[at + 1].startswith("-") else 1
            elif listing and not given[at].startswith("-"):
                at += 1
            else:
                return False
        return True
    head = given[0] if given else ""
    if name == "stash":
        return head in ("list", "show")
    if name == "worktree":
        return head == "list"
    if name == "remote":
        return given in ([], ["-v"], ["--verbose"]) or (head in ("show", "get-url") and len(given) == 2)
    if name == "reflog":
        return head not in ("expire", "delete", "exists", "drop")
    if name == "config":
        return head in ("--get", "--get-all", "--list", "-l", "--get-regexp")
    if name == "ls-remote":
        return not any(re.search(r"://|@|:|^--(upload-pack|exec)", word) for word in given)
    return False


def _docker(rest: Sequence[str]) -> bool:
    return bool(rest) and rest[0] in ("ps", "images", "logs", "inspect")


def _sort(rest: Sequence[str]) -> bool:
    return not any(
        re.fullmatch(r"-o.*|--output.*|--compress-program.*|-T.*|--temporary-directory.*|--files0-from.*", w) for w in rest
    )


def _no_operand(rest: Sequence[str]) -> bool:
    return all(word.startswith("-") and not re.match(r"-[Fb]|--(file|boot)", word) for word in rest)


_READERS: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "git": _git,
    "docker": _docker,
    "find": lambda rest: not any(_FIND_ACTS.fullmatch(word) for word in rest),
    "sed": sed_reads,
    "sort": _sort,
    "date": _date,
    "hostname": _no_operand,
    "node": _version,
    "python": _version,
    "python3": _version,
    "history": lambda rest: not rest or (len(rest) == 1 and rest[0].isdigit()),
    "alias": lambda rest: not rest,
    "arch": lambda rest: not rest or list(rest) == ["--help"],
    "ifconfig": lambda rest: not rest,
    "ip": lambda rest: list(rest) == ["addr"],
}


class Touch(msgspec.Struct, frozen=True):
    """One path that a command reads, writes or both; `removes` where it takes it away."""

    path: str | None
    reads: bool = False
    writes: bool = False
    removes: bool = False


_VALUED: Mapping[str, str] = {
    "head": "-n -c --lines --bytes", "tail": "-n -c -s --lines --bytes --pid --sleep-interval", "cut": "-d -f -c -b --delimiter --fields",
    "paste": "-d --delimiters", "sort": "-k -t -S -T --key --field-separator", "mkdir": "-m --mode", "touch": "-d -t -r --date --reference",
    "cp": "-S --suffix", "mv": "-S --suffix", "fold": "-w", "od": "-A -t -j -N -w", "hexdump": "-n -s -e", "strings": "-n -t", "nl": "-b -w -s -v",
    "stat": "-c -f --format --printf", "base64": "-w", "column": "-t -s -c -N", "uniq": "-f -s -w", "fmt": "-w", "expand": "-t", "comm": "", "diff": "-U -C -I -x",
    "file": "-F -P",
    "grep": "-A -B -C -m -d -D --context --max-count --include --exclude --exclude-dir --after-context --before-context",
    "rg": "-A -B -C -m -g -t -T -j -r --glob --type --max-count --max-depth --replace",
    "jq": "",
}  # fmt: skip
_PATH_READERS = name_set(
    "cat head tail sort uniq wc cut paste column file stat diff strings hexdump od base64 nl sha256sum sha1sum md5sum less more tac rev "
    "fold fmt expand unexpand comm cmp cksum b2sum readlink realpath xxd"
)
_PATTERN_FIRST = {
    "grep": ("-e", "-f"),
    "egrep": ("-e", "-f"),
    "fgrep": ("-e", "-f"),
    "rg": ("-e", "-f", "--files"),
    "jq": ("-f",),
    "sed": ("-e", "-f"),
    "awk": ("-f",),
}


def touched(words: Words) -> tuple[Touch, ...]:
    """The files that the words of a command name; a path that only running tells is None."""
    if not words or words[0] is None:
        return ()
    name, rest = words[0], words[1:]
    if name == "find":
        starts: list[str | None] = []
        for word in rest:
            if word is not None and word in ("-H", "-L", "-P"):
                continue
            if word is not None and word.startswith(("-", "(", "!")):
                break
            starts.append(word)
        return tuple(Touch(one, reads=True) for one in starts or ["."])
    operands = _operands(rest, _VALUED.get(name, "").split())
    if name in ("ls", "du", "tree"):
        return tuple(Touch(one, reads=True) for one in operands or ["."])
    if name == "cd":
        return tuple(Touch(one, reads=True) for one in (operands[:1] or ["~"]))
    if name in _PATH_READERS:
        return tuple(Touch(one, reads=True) for one in operands)
    if name in _PATTERN_FIRST:
        options = {word for word in rest if word is not None}
        valued = [
            *_VALUED.get(name, "").split(),
            *(o for o in _PATTERN_FIRST[name] if not o.startswith("--")),
            *(["-v", "-F"] if name == "awk" else []),
        ]
        found = _operands(rest, valued)
        files = found if options & set(_PATTERN_FIRST[name]) else found[1:]
        edits = name == "sed" and any(re.match(r"-[nErzs]*i|--in-place", word) for word in options)
        return tuple(Touch(one, reads=True, writes=edits) for one in files)
    if name == "git":
        if operands[:1] == ["diff"]:
            return tuple(Touch(one, reads=True) for one in operands[1:])
        return ()
    if name in ("mkdir", "touch", "tee", "truncate"):
        return tuple(Touch(one, writes=True) for one in operands)
    if name in ("rm", "rmdir", "unlink"):
        return tuple(Touch(one, writes=True, removes=True) for one in operands)
    if name in ("cp", "mv") and operands:
        moves = name == "mv"
        return (*(Touch(one, reads=True, writes=moves) for one in operands[:-1]), Touch(operands[-1], writes=True))
    return ()


def _operands(rest: Words, valued: Sequence[str]) -> list[str | None]:
    found: list[str | None] = []
    at = 0
    while at < len(rest):
        word = rest[at]
        if word == "--":
            return [*found, *rest[at + 1 :]]
        if word is not None and word.startswith("-") and len(word) > 1:
            at += 2 if word in valued else 1
            continue
        found.append(word)
        at += 1
    return found
