"""What the rules, the paths and the read-only commands together say of a Bash call."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

import msgspec

from lang.shell_syntax import SimpleCommand
from model.words import Effect
from policy.agents.base import Part
from policy.agents.claude_code.commands import Touch, only_changes_files, only_reads, touched
from policy.agents.claude_code.paths import FOLDERS, Place, all_match, matching, protected, unplaced
from policy.agents.claude_code.rules import Rule, Rules, first_match, has_star, is_prefix
from policy.agents.claude_code.shell import (
    Piece,
    Shell,
    allowed_forms,
    harmless_assignment,
    refused_forms,
    safely_assigned,
    shell,
    starts_unseen,
)

_UNSAFE_PATH = re.compile(r"[$`%]|^~[^/]|^=")
_UPWARDS = re.compile(r"(?:^|/)(?!\.{1,2}/)[^/]+/\.\.(?:/|$)")
_GLOB = re.compile(r"[*?\[\]{}]")
_DEVICES = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/stdin", "/dev/tty"})
_BEFORE = ("sudo", "doas", "env", "timeout", "time", "nice", "nohup", "stdbuf", "command", "builtin")


class Finding(msgspec.Struct, frozen=True):
    """What one check says: the effect, the rule behind it, why, and of which kind it is.

    Kinds: `rule`, `path`, `safety` (asked whatever rule allows it), `removal` (asked in every mode), `other`.
    """

    effect: Effect
    why: str = ""
    rule: Rule | None = None
    kind: str = "other"


class Judged(msgspec.Struct, frozen=True):
    """A Bash call judged: a refusal or a question by rule or path, and else whether every piece may run."""

    finding: Finding
    parts: tuple[Part, ...] = ()


def judge_bash(script: str, rules: Rules, place: Place, mode: str, dropped: Sequence[Rule] = ()) -> Judged:
    """A command without regard to rules for the whole tool; `dropped` are allow rules that the mode leaves out."""
    told = shell(script)
    parts = _parts(told, rules, mode, dropped)
    refused = _by_rule(told, rules, Effect.DENY) or _denied_path(told, rules, place)
    if refused is not None:
        return Judged(refused, parts)
    asked = _by_rule(told, rules, Effect.ASK) or _asked_path(told, rules, place)
    if asked is not None:
        return Judged(asked, parts)
    paths = list(_path_checks(told, rules, place, mode))
    for kind in ("removal", "safety"):
        worst = next((one for one in paths if one.kind == kind), None)
        if worst is not None:
            return Judged(worst, parts)
    if told.unchecked:
        return Judged(Finding(Effect.ASK, f"{told.unchecked} cannot be checked before it runs"), parts)
    unsafe = _compound(told, rules)
    if unsafe:
        return Judged(Finding(Effect.ASK, unsafe), parts)
    if paths:
        return Judged(paths[0], parts)
    open_ = next((one for one in parts if one.effect is not Effect.ALLOW), None)
    if open_ is not None:
        return Judged(Finding(Effect.ASK, f"`{open_.text}` matches no rule"), parts)
    rule = next((one.rule for one in parts if one.rule), "")
    held = next((r for r in rules.of("Bash", Effect.ALLOW) if r.text == rule), None)
    return Judged(Finding(Effect.ALLOW, "every part is allowed or only reads", held, "rule" if held else "other"), parts)


def _by_rule(told: Shell, rules: Rules, effect: Effect) -> Finding | None:
    held = rules.of("Bash", effect)
    if not held:
        return None
    forms = [told.text]
    for command in told.commands:
        forms += refused_forms(command)
    forms += [piece.text for piece in told.pieces]
    found = first_match(held, forms)
    return None if found is None else Finding(effect, f"{found.text} matches a part of the command", found, "rule")


def _parts(told: Shell, rules: Rules, mode: str, dropped: Sequence[Rule]) -> tuple[Part, ...]:
    """Every piece and what lets it run; where the script is not read in pieces, its commands."""
    allow = [r for r in rules.of("Bash", Effect.ALLOW) if r not in dropped]
    found: list[Part] = []
    for piece in told.pieces:
        refused = next(
            (
                (effect, rule)
                for effect in (Effect.DENY, Effect.ASK)
                if (rule := first_match(rules.of("Bash", effect), _piece_forms(piece)))
            ),
            None,
        )
        if refused is not None:
            found.append(Part(piece.text, refused[0], refused[1].text))
            continue
        rule = _allowing(piece, allow)
        if rule is not None:
            found.append(Part(piece.text, Effect.ALLOW, rule.text))
        else:
            found.append(Part(piece.text, Effect.ALLOW if _needs_no_rule(piece, mode) else Effect.ASK))
    return tuple(found)


def _piece_forms(piece: Piece) -> tuple[str, ...]:
    words = [word for word in piece.words if word is not None]
    return (piece.text, " ".join(words), *allowed_forms(piece))


def _allowing(piece: Piece, allow: Sequence[Rule]) -> Rule | None:
    if piece.kind != "command" or starts_unseen(piece):
        return None
    exact_only = _acts_on_what_it_finds(piece)
    usable = [r for r in allow if not exact_only or not (is_prefix(r.spec or "") or has_star(r.spec or ""))]
    return first_match(usable, allowed_forms(piece))


def _acts_on_what_it_finds(piece: Piece) -> bool:
    return piece.words[:1] == ("find",) and not only_reads(piece.words)


def _needs_no_rule(piece: Piece, mode: str) -> bool:
    if piece.kind == "test":
        return True
    if piece.kind == "assignment":
        return harmless_assignment(piece)
    if piece.kind != "command" or not safely_assigned(piece):
        return False
    return only_reads(piece.words) or (mode in ("acceptEdits", "auto") and only_changes_files(piece.words))


def _compound(told: Shell, rules: Rules) -> str:
    """What asks for the sake of how the pieces stand together."""
    names = [piece.words[0] if piece.words else "" for piece in told.pieces]
    moves = names.count("cd")
    if not moves:
        return ""
    if "git" in names:
        return "a change of folder before git may run what that folder's repository says"
    if moves > 1:
        return "the folder is changed more than once"
    files = [touch for command, touch in _touches(told) if _shown(command)[:1] != ("cd",)]
    if any(touch.writes for touch in files):
        return "the folder is changed before files are written"
    unread = rules.of("Read", Effect.DENY) or rules.whole("Read", Effect.DENY)
    if unread and any(touch.path and not touch.path.startswith(("/", "~")) for touch in files):
        return "the folder is changed before a file is read while a deny of reading holds"
    return ""


# -- paths


def _shown(command: SimpleCommand) -> tuple[str | None, ...]:
    """The words of a command behind what merely wraps it, each as far as the script tells."""
    words: tuple[str | None, ...] = tuple(
        w.text if w.literal or not re.search(r"[$`<>(]", w.text) else None for w in command.words
    )
    while words and words[0] is not None and posixpath.basename(words[0]) in _BEFORE and len(words) > 1:
        at = 1
        while at < len(words) and (words[at] is None or re.match(r"-|\d|\w+=", words[at] or "")):
            at += 1
        if at == len(words):
            break
        words = words[at:]
    if words and words[0] is not None and "/" in words[0]:
        words = (posixpath.basename(words[0]), *words[1:])
    return words


def _touches(told: Shell) -> Iterator[tuple[SimpleCommand, Touch]]:
    """Every file the script is seen to touch, by its commands and its redirections."""
    for command in told.commands:
        for touch in touched(_shown(command)):
            yield command, touch
        for redirect in command.redirects:
            target = redirect.target
            if redirect.operator in (">&", "<&") and re.fullmatch(r"\d+|-", target.text):
                continue
            if target.text in _DEVICES:
                continue
            yield command, Touch(target.text if target.literal else None, reads=not redirect.writes, writes=redirect.writes)


def _absolute(command: SimpleCommand, path: str, place: Place) -> str:
    if command.cwd is None and not path.startswith(("/", "~")):
        return ""
    return place.absolute(path, place.absolute(command.cwd) if command.cwd else None)


def _denied_path(told: Shell, rules: Rules, place: Place) -> Finding | None:
    return _ruled_path(told, rules, place, Effect.DENY)


def _asked_path(told: Shell, rules: Rules, place: Place) -> Finding | None:
    return _ruled_path(told, rules, place, Effect.ASK)


def _ruled_path(told: Shell, rules: Rules, place: Place, effect: Effect) -> Finding | None:
    reading, editing = rules.of("Read", effect), rules.of("Edit", effect)
    if not reading and not editing:
        return None
    for command, touch in _touches(told):
        path = _absolute(command, touch.path, place) if touch.path else ""
        if not path or _GLOB.search(touch.path or ""):
            continue
        paths = place.both(path)
        found = (matching(reading, paths, place) if touch.reads else None) or (
            matching(editing, paths, place) if touch.writes else None
        )
        if found is not None:
            return Finding(effect, f"{found.text} covers {touch.path}", found, "rule")
        if (touch.reads and unplaced(reading, paths, place)) or (touch.writes and unplaced(editing, paths, place)):
            return Finding(Effect.UNKNOWN, FOLDERS)
    return None


def _path_checks(told: Shell, rules: Rules, place: Place, mode: str) -> Iterator[Finding]:
    for command, touch in _touches(told):
        found = _path_check(command, touch, rules, place, mode)
        if found is not None:
            yield found


def _path_check(command: SimpleCommand, touch: Touch, rules: Rules, place: Place, mode: str) -> Finding | None:
    """Why a path is asked about, if it is."""
    written = touch.path
    if written is None:
        return Finding(Effect.ASK, "a path that only running tells", kind="path")
    if touch.removes and (critical := _critical(_absolute(command, written, place), written, place)):
        return Finding(Effect.ASK, f"a removal of {critical}", kind="removal")
    if _UNSAFE_PATH.search(written):
        return Finding(Effect.ASK, f"{written} is expanded by the shell", kind="path")
    if _UPWARDS.search(written):
        return Finding(Effect.ASK, f"{written} goes up again, which may follow a link", kind="path")
    if _GLOB.search(written):
        if touch.writes:
            return Finding(Effect.ASK, f"{written} stands for files only running tells", kind="path")
        written = written[: _GLOB.search(written).start()].rpartition("/")[0] or ("/" if written.startswith("/") else ".")  # type: ignore[union-attr]
    path = _absolute(command, written, place)
    if not path:
        return Finding(Effect.ASK, f"where {written} lies is not known", kind="path")
    paths = place.both(path)
    if touch.writes:
        if any(protected(one) for one in paths):
            return Finding(Effect.ASK, f"{written} is a protected file", kind="safety")
        if place.uncertain(path) and mode in ("acceptEdits", "auto"):
            return Finding(Effect.UNKNOWN, FOLDERS)
        if mode in ("acceptEdits", "auto") and place.inside(path):
            return None
        if all_match(rules.of("Edit", Effect.ALLOW), paths, place):
            return None
        return Finding(Effect.ASK, f"{written} would be written and no Edit rule allows it", kind="path")
    if place.uncertain(path):
        return Finding(Effect.UNKNOWN, FOLDERS)
    if place.inside(path) or any(all_match(rules.of(name, Effect.ALLOW), paths, place) for name in ("Read", "Edit")):
        return None
    return Finding(Effect.ASK, f"{written} lies outside the project", kind="path")


def _critical(path: str, written: str, place: Place) -> str:
    if written in ("*", "/*"):
        return written
    if not path:
        return ""
    if path == "/" or path.count("/") == 1 or path == place.home:
        return path
    if any(folder == path or folder.startswith(path + "/") for folder in (*place.folders[:1], place.cwd)):
        return f"{path}, the working folder or one above it"
    return ""
