"""What Gemini CLI holds to be safe and dangerous by itself: commands, paths of tools, build files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from policy.agents.gemini_cli.model import Checker
from policy.agents.gemini_cli.shell import BadSubstitution, script, trimmed, words


class CannotJudge(Exception):
    """A fact is missing that the answer hangs on; the text names it."""


class Place(msgspec.Struct, frozen=True):
    """The workspace and the home of the person, absolute or ""."""

    workspace: str
    home: str

    def resolved(self, path: str, base: str = "") -> str:
        """An absolute path; where the workspace is not known, a relative one is put into a made-up workspace."""
        if path.startswith("/") and not self.workspace:
            raise CannotJudge("the project folder")
        return _normal(posixpath.join(self.root, base, path))

    @property
    def root(self) -> str:
        return _normal(self.workspace) if self.workspace else "/workspace"

    def holds(self, path: str) -> bool:
        return path == self.root or path.startswith(self.root.rstrip("/") + "/")


_SAFE = frozenset(
    [
        "__read", "__write", "cat", "cd", "cut", "echo", "expr", "false", "grep", "head", "id", "ls", "nl", "paste", "pwd",
        "rev", "seq", "stat", "tail", "tr", "true", "uname", "uniq", "wc", "which", "whoami", "numfmt", "tac",
    ]
)  # fmt: skip
_READERS = frozenset(
    [
        "cat", "head", "tail", "tac", "nl", "stat", "wc", "cut", "paste", "rev", "uniq", "numfmt", "ls", "__read",
    ]
)  # fmt: skip
_FIND = frozenset(["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"])
_SYSTEM = (
    "/usr/bin/", "/bin/", "/usr/local/bin/", "/opt/homebrew/bin/", "/opt/homebrew/Cellar/", "/usr/local/Cellar/", "/usr/sbin/",
    "/sbin/", "/google/bin/", "/google/src/cloud/",
)  # fmt: skip
_GIT_READS = ("status", "log", "diff", "show", "branch")
_GIT_VALUES = ("--config-env", "--exec-path", "--git-dir", "--namespace", "--super-prefix", "--work-tree")
_GIT_WRITES = frozenset(["--output", "--ext-diff", "--textconv", "--exec", "--paginate"])
_GIT_LISTS = frozenset(
    [
        "--list", "-l", "--show-current", "-a", "--all", "-r", "--remotes", "-v", "-vv", "--verbose",
    ]
)  # fmt: skip
_GIT_BEFORE = frozenset(["sudo", "env", "time", "&&", "||", ";", "|", "&", "(", "\\n"])
_ASSIGNED = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*=", re.ASCII)
_PRINTED = re.compile(r"\d+(?:,\d+)?p", re.ASCII)
_BUILD_FILES = frozenset(
    [
        "BUILD", "BUILD.bazel", "WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", ".bazelrc", ".blazerc", "Makefile", "makefile",
        "GNUmakefile", "CMakeLists.txt", "package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lockb",
        "setup.py", "setup.cfg", "pyproject.toml", "go.mod", "go.sum", "Cargo.toml", "Cargo.lock", "pom.xml", "build.gradle",
        "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "Dockerfile", "Containerfile",
    ]
)  # fmt: skip
_BUILD_ENDINGS = frozenset([".bzl", ".bazel", ".bzlmod", ".mk", ".cmake"])
_EDITS = re.compile(r"write|edit|replace|patch|update|create|append|save", re.ASCII | re.IGNORECASE)
_BLOCKED = frozenset([".git", ".env", "node_modules"])
_GUARDED = frozenset([".vscode", ".gemini", ".gitconfig"])
_DEPTH = 100


def is_dangerous(args: Sequence[str]) -> bool:
    """Whether a command is asked about even where a rule without a pattern allows it."""
    while args and args[0] == "sudo":
        args = args[1:]
    if not args:
        return False
    name, rest = args[0], args[1:]
    if name == "ln":
        return any(a == "--symbolic" or (a.startswith("-") and not a.startswith("--") and "s" in a) for a in args)
    if name == "rm":
        return bool(rest) and rest[0] in ("-f", "-rf", "-fr")
    if name == "find":
        return not _FIND.isdisjoint(args)
    if _is_ripgrep(name):
        return _ripgrep_runs(args)
    if name == "git":
        if _git_configured(args):
            return True
        found = _git_subcommand(args)
        return found is not None and not _git_reads(*found)
    return name == "base64" and _base64_writes(rest)


def is_safe(args: Sequence[str], cwd: str, place: Place) -> bool:
    """Whether a command only reads, and only in the workspace; raises `CannotJudge`."""
    args = ["bash" if a == "zsh" else a for a in args]
    if not args:
        return False
    if _reads_only(args, cwd, place):
        return True
    if len(args) != 3 or args[0] != "bash" or args[1] not in ("-lc", "-c") or re.search(r"[()<>]", args[2]):
        return False
    inner = script(args[2])
    texts = [piece.text for piece in inner.pieces if piece.text]
    if inner.broken or not texts:
        return False
    try:
        return all(not (found := words(trimmed(text))) or _reads_only(found, cwd, place) for text in texts)
    except BadSubstitution:
        return False


def names_git(args: Sequence[str]) -> bool:
    """Whether git is run as the command or after what may stand before one."""
    for at, arg in enumerate(args):
        if posixpath.basename(trimmed(arg).rstrip("/")).lower() in ("git", "git.exe"):
            before = at - 1
            while before >= 0 and _ASSIGNED.match(args[before]):
                before -= 1
            if before < 0 or args[before].lower() in _GIT_BEFORE:
                return True
    return False


def edits(names: Sequence[str]) -> bool:
    return any(_EDITS.search(name) for name in names)


def is_build_file(given: Mapping[str, object]) -> bool:
    """Whether the file a tool is to change decides how the project is built."""
    target = next((given[name] for name in ("file_path", "path", "filePath") if given.get(name) is not None), None)
    name = posixpath.basename(trimmed(target).rstrip("/")) if isinstance(target, str) else ""
    if name in _BUILD_FILES or name.startswith(("Dockerfile.", "Containerfile.")):
        return True
    return posixpath.splitext(name)[1].lower() in _BUILD_ENDINGS


def checked_paths(checker: Checker, given: Mapping[str, object], place: Place) -> str:
    """What the `allowed-path` checker says of a tool's arguments: "deny", "ask" or ""; raises `CannotJudge`."""
    for path in _paths(checker, given, ""):
        found = place.resolved(path)
        relative = posixpath.relpath(found, place.root)
        if relative != "." and relative.startswith(".."):
            return "deny"
        segments = {part.split(":")[0].rstrip(" .").lower() for part in relative.split("/")}
        if segments & _BLOCKED:
            return "deny"
        if segments & _GUARDED:
            return "ask"
    return ""


def _paths(checker: Checker, given: object, prefix: str, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        raise CannotJudge("arguments nested less deeply")
    members = given.items() if isinstance(given, Mapping) else enumerate(given) if isinstance(given, list) else ()
    for name, value in members:
        key = f"{prefix}.{name}" if prefix else str(name)
        if key in checker.excluded:
            continue
        if isinstance(value, str):
            name = str(name)
            if (
                key in checker.included
                or any(w in name for w in ("path", "directory", "file"))
                or name in ("source", "destination")
            ):
                yield value
        else:
            yield from _paths(checker, value, key, depth + 1)


def _normal(path: str) -> str:
    return "/" + posixpath.normpath(path).lstrip("/")


def _reads_only(args: Sequence[str], cwd: str, place: Place) -> bool:
    name, rest = args[0], args[1:]

    def inside(paths: Iterator[str]) -> bool:
        return not any(_escapes(path, cwd, place) for path in paths)

    if not place.holds(cwd):
        return False
    if name in _SAFE:
        if name == "cd":
            paths = [a for a in rest if not a.startswith("-")]
            return inside(iter(paths or ["~"]))
        if name in _READERS or name == "grep":
            return inside(_operands(rest, files=name == "grep", dash=True))
        return True
    plain = (a for a in rest if not a.startswith("-"))
    if name == "base64":
        return not _base64_writes(rest) and inside(plain)
    if name == "find":
        return _FIND.isdisjoint(args) and inside(plain)
    if _is_ripgrep(name):
        trusted = name.startswith(_SYSTEM) and not place.holds(posixpath.normpath(name))
        return trusted and not _ripgrep_runs(rest) and inside(_operands(rest, files=True, dash=False))
    if name == "git":
        found = None if _git_configured(args) else _git_subcommand(args)
        return found is not None and _git_reads(*found)
    if name == "sed" and len(args) <= 4 and len(args) > 2 and args[1] == "-n" and _PRINTED.fullmatch(args[2]):
        return inside(iter(a for a in args[3:4] if a))
    return False


def _operands(rest: Sequence[str], *, files: bool, dash: bool) -> Iterator[str]:
    """The arguments that may be paths, and the values of options; a file that is called like an option is not thought of."""
    ended = False
    waiting = iter(rest)
    for arg in waiting:
        if ended or not arg.startswith("-"):
            yield arg
        elif arg == "--":
            ended = True
        elif arg == "-":
            if not dash:
                yield arg
        elif files and arg.startswith(("-f", "--file")):
            if arg.startswith("--file="):
                yield arg[7:]
            elif arg == "--file" or len(arg) == 2:
                yield next(waiting, "")
            else:
                yield arg[2:]
        elif "=" in arg:
            yield arg.partition("=")[2]


def _escapes(arg: str, cwd: str, place: Place) -> bool:
    if not arg:
        return False
    if "$" in arg or "`" in arg:
        return True
    if arg == "~" or arg.startswith(("~/", "~\\")):
        if not place.home:
            raise CannotJudge("the home folder")
        return not place.holds(_normal(posixpath.join(place.home, arg[2:])))
    return arg.startswith("~") or not place.holds(place.resolved(arg, cwd))


def _is_ripgrep(name: str) -> bool:
    return posixpath.basename(name.rstrip("/")) in ("rg", "rg.exe")


def _ripgrep_runs(args: Sequence[str]) -> bool:
    return any(
        a in ("--search-zip", "-z", "--pre", "--hostname-bin") or a.startswith(("--pre=", "--hostname-bin=")) for a in args
    )


def _base64_writes(rest: Sequence[str]) -> bool:
    return any(a == "--output" or a.startswith(("-o", "--output=")) for a in rest)


def _git_configured(args: Sequence[str]) -> bool:
    return any(a == "--config-env" or a.startswith(("-c", "--config-env=")) for a in args)


def _git_subcommand(args: Sequence[str]) -> tuple[str, Sequence[str]] | None:
    """The subcommand and what follows it, where it is one that may only read."""
    waiting = iter(range(1, len(args)))
    for at in waiting:
        arg = args[at]
        if arg in ("-C", "-c", *_GIT_VALUES):
            next(waiting, None)
        elif not arg.startswith("-"):
            return (arg, args[at + 1 :]) if arg in _GIT_READS else None
    return None


def _git_reads(subcommand: str, rest: Sequence[str]) -> bool:
    if any(a in _GIT_WRITES or a.startswith(("--output=", "--exec=")) for a in rest):
        return False
    return subcommand != "branch" or all(a in _GIT_LISTS or a.startswith("--format=") for a in rest)
