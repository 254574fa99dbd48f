"""Paths as Claude Code's rules match them: .gitignore patterns from a root, links followed, protected places."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import msgspec

from policy.agents.claude_code.rules import Rule, name_set

_PROTECTED_FOLDERS = frozenset({".git", ".vscode", ".idea", ".husky", ".claude", ".cargo", ".devcontainer", ".yarn", ".mvn"})
_PROTECTED_FILES = name_set(
    ".gitconfig .gitmodules .bashrc .bash_profile .bash_login .bash_aliases .bash_logout .zshrc .zprofile .zshenv .zlogin "
    ".zlogout .profile .envrc .ripgreprc .mcp.json .claude.json .npmrc .yarnrc .yarnrc.yml .pnp.cjs .pnp.loader.mjs "
    ".pnpmfile.cjs bunfig.toml .bunfig.toml .bazelrc .bazelversion .bazeliskrc .pre-commit-config.yaml "
    "gradle-wrapper.properties maven-wrapper.properties .devcontainer.json pyrightconfig.json"
)
_MAX_LINKS = 40


_T = TypeVar("_T")
_S = TypeVar("_S")
FOLDERS = "the home folder or the folder the program was started in"
HOME, START = "/<home>", "/<start>"
"""Stand for the home folder and the folder the program was started in where nothing tells which they are."""


class Place(msgspec.Struct, frozen=True):
    """The machine as a call saw it: working folder, home, project folders (the one it was started in first), links known.

    `started` says that the first folder is known to be where the program was started, not only where it was at the time.
    """

    cwd: str
    home: str
    folders: tuple[str, ...]
    links: Mapping[str, str]
    started: bool = True

    def absolute(self, path: str, base: str | None = None) -> str:
        """A path as written, made absolute."""
        path = path.replace("\\", "/")
        if path == "~" or path.startswith("~/"):
            path = self.home + path[1:]
        found = posixpath.normpath(posixpath.join(self.cwd if base is None else base, path))
        return found[1:] if found.startswith("//") else found

    def followed(self, path: str) -> str:
        """Where a path leads when every link in it is followed."""
        for _ in range(_MAX_LINKS):
            at = next((link for link in self.links if path == link or path.startswith(link + "/")), None)
            if at is None:
                break
            path = posixpath.normpath(posixpath.join(posixpath.dirname(at), self.links[at])) + path[len(at) :]
        return path

    def both(self, path: str) -> tuple[str, ...]:
        """A path and, where it differs, what it leads to."""
        real = self.followed(path)
        return (path,) if real == path else (path, real)

    def inside(self, path: str) -> bool:
        """Whether a path and what it leads to lie in the project."""
        return all(any(within(one, folder) for folder in self.folders) for one in self.both(path))

    def uncertain(self, path: str) -> bool:
        """Whether nothing tells if a path lies in the project."""
        return not self.started and not self.inside(path)


def within(path: str, folder: str) -> bool:
    path, folder = path.casefold(), folder.rstrip("/").casefold()
    return path == folder or path.startswith(folder + "/")


def protected(path: str) -> bool:
    """Whether a change of a path is asked about whatever rule allows it."""
    parts = path.casefold().split("/")
    if parts[-1] in _PROTECTED_FILES or re.fullmatch(r"lefthook\..+|\.lefthook\..+", parts[-1]):
        return True
    for at, part in enumerate(parts):
        if part in _PROTECTED_FOLDERS and not (part == ".claude" and parts[at + 1 : at + 2] == ["worktrees"]):
            return True
        if part == ".config" and parts[at + 1 : at + 2] == ["git"]:
            return True
    return False


def matching(rules: Sequence[Rule], paths: Sequence[str], place: Place) -> Rule | None:
    """The rule that matches one of several paths.

    The patterns of one root are one list, as in a .gitignore: a later `!` takes out again what is not in a folder left out.
    """
    roots: dict[str, list[Rule]] = {}
    for rule in rules:
        roots.setdefault(_rooted(rule, place)[0], []).append(rule)
    for path in paths:
        for root, group in roots.items():
            if not within(path, root) or path == root.rstrip("/"):
                continue
            below = path[len(root.rstrip("/")) + 1 :]
            found = _ignored([(r, _rooted(r, place)[1]) for r in group], below)
            if found is not None:
                return found
    return None


def all_match(rules: Sequence[Rule], paths: Sequence[str], place: Place) -> Rule | None:
    """A rule where every path is matched by some rule: an allow needs the link and its target."""
    found = [matching(rules, (path,), place) for path in paths]
    return found[0] if found and all(found) else None


def unplaced(rules: Sequence[Rule], paths: Sequence[str], place: Place) -> Rule | None:
    """A rule whose root nothing tells and that would match one of the paths if the root were one of the folders above it."""
    for rule in rules:
        root, pattern = _rooted(rule, place)
        if not root.startswith((HOME, START)):
            continue
        for path in paths:
            parts = path.strip("/").split("/")
            if not path.startswith(root) and any(_ignored([(rule, pattern)], "/".join(parts[at:])) for at in range(len(parts))):
                return rule
    return None


def _rooted(rule: Rule, place: Place) -> tuple[str, str]:
    """The folder a pattern begins at and the pattern below it."""
    spec = rule.spec or ""
    if spec.startswith("//"):
        return "/", spec[1:]
    if spec.startswith("~/"):
        return place.home, spec[1:]
    if spec.startswith("/"):
        # The user's own file counts from its folder, all others from where the program was started.
        return posixpath.join(place.home, ".claude") if rule.layer == "user" else place.folders[0], spec
    return place.folders[0], spec.removeprefix("./")


def _ignored(patterns: Sequence[tuple[Rule, str]], below: str) -> Rule | None:
    """The rule that leaves a path out, where it or a folder above it is left out."""
    parts = below.split("/")
    for depth in range(1, len(parts) + 1):
        here = "/".join(parts[:depth]) + ("/" if depth < len(parts) else "")
        held: Rule | None = None
        for rule, pattern in patterns:
            negated = pattern.startswith("!")
            if _pattern(pattern[1:] if negated else pattern).matches(here):
                held = None if negated else rule
        if held is not None:
            return held
    return None


class _Token(msgspec.Struct, frozen=True):
    """One character of a name: one of these, or none of them."""

    chars: str
    among: bool = True


class _Pattern(msgspec.Struct, frozen=True):
    """One line of a .gitignore: its names from the root on (None for any number of folders), each in tokens."""

    names: tuple[tuple[_Token | None, ...] | None, ...]
    folder: bool

    def matches(self, below: str) -> bool:
        """Whether a path below the root, which ends in a slash where it is a folder, is what the line names."""
        if self.folder and not below.endswith("/"):
            return False
        return bool(self.names) and _fits(
            self.names, below.rstrip("/").casefold().split("/"), lambda name, part: _fits(name, part, _holds)
        )


def _holds(token: _Token, char: str) -> bool:
    return (char in token.chars) is token.among


def _fits(tokens: Sequence[_T | None], items: Sequence[_S], holds: Callable[[_T, _S], bool]) -> bool:
    """Whether items are matched one by one, where None stands for any number; going back to the last None alone is enough."""
    at = item = 0
    back: tuple[int, int] | None = None
    while item < len(items):
        token = tokens[at] if at < len(tokens) else None
        if at < len(tokens) and token is None:
            back, at = (at, item), at + 1
        elif token is not None and holds(token, items[item]):
            at, item = at + 1, item + 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            at, item = back[0] + 1, back[1]
        else:
            return False
    return all(token is None for token in tokens[at:])


@lru_cache(maxsize=4096)
def _pattern(text: str) -> _Pattern:
    """One line of a .gitignore read; case does not matter.

    `x/**` is read as `x`, which also names the folder itself and, where x holds no slash, one of that name at any depth.
    """
    if text in ("/**", "**"):
        return _Pattern((None,), False)
    text = text.removesuffix("/**")
    body = text.rstrip("/").casefold()
    names: list[tuple[_Token | None, ...] | None] = [
        None if name == "**" else _tokens(name) for name in body.lstrip("/").split("/")
    ]
    if "/" not in body:
        names.insert(0, None)
    return _Pattern(tuple(names) if body.strip("/") else (), text.endswith("/"))


def _tokens(name: str) -> tuple[_Token | None, ...]:
    found: list[_Token | None] = []
    for token in re.findall(r"\\.|\[[!^]?\]?[^\]]*\]|\*+|.", name, re.DOTALL):
        if token[0] == "*":
            found.append(None)
        elif token == "?":
            found.append(_Token("", False))
        elif token[0] == "[" and len(token) > 1:
            found.append(_class(token[1:-1]))
        else:
            found.append(_Token(token[-1]))
    return tuple(found)


def _class(inner: str) -> _Token:
    out = inner[:1] in ("!", "^")
    chars = ""
    for first, last, one in re.findall(r"(.)-(.)|(.)", inner[out:], re.DOTALL):
        chars += one or "".join(map(chr, range(ord(first), ord(last) + 1)))
    return _Token(chars, not out)
