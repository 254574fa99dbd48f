"""From a simple command to the program that really runs: `sudo env A=1 timeout 5 xargs git push` is a `git push`.

A wrapper is looked through; a shell given a script by `-c`, by a here-document, a pipe or `eval` yields that script for
reading. What runs but cannot be known (a variable as command name, code in another language) is said to be opaque.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lang.shell_inside import PROGRAMS, after_options, inside
from lang.shell_syntax import Assignment, SimpleCommand, Word


def wordset(text: str) -> frozenset[str]:
    """The words of a line, as tables of options are written here."""
    return frozenset(text.split())


class Call(NamedTuple):
    """One program call: its base name, the words after it, and the command it stands in.

    `through` names the wrappers looked through. `open_ended` says that further words come from elsewhere (xargs).
    """

    name: str
    args: tuple[Word, ...]
    command: SimpleCommand
    through: tuple[str, ...] = ()
    open_ended: bool = False
    text: str = ""


class Nested(NamedTuple):
    """A script inside a command, to be read in its turn; None where it is dynamic. `where` is `""` or a remote host."""

    script: str | None
    command: SimpleCommand
    through: tuple[str, ...] = ()
    remote: bool = False


class Opaque(NamedTuple):
    """Something that runs and cannot be seen: why, and the command it stands in."""

    reason: str
    command: SimpleCommand
    text: str = ""


Step = Call | Nested | Opaque

SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ksh", "ash", "fish", "mksh"})
# Programs that run the rest of their words: options that take a value, and how many words stand before the program.
_WRAPPERS: dict[str, tuple[frozenset[str], int]] = {
    "sudo": (wordset("-u -g -h -p -C -T -r -t -R -D --user --group --host --prompt --chdir --chroot --close-from"), 0),
    "doas": (frozenset({"-u", "-C"}), 0),
    "nohup": (frozenset(), 0),
    "time": (frozenset({"-f", "-o", "--format", "--output"}), 0),
    "nice": (frozenset({"-n", "--adjustment"}), 0),
    "ionice": (frozenset({"-c", "-n", "-p", "--class", "--classdata"}), 0),
    "timeout": (frozenset({"-k", "-s", "--kill-after", "--signal"}), 1),
    "gtimeout": (frozenset({"-k", "-s", "--kill-after", "--signal"}), 1),
    "stdbuf": (frozenset({"-i", "-o", "-e"}), 0),
    "setsid": (frozenset(), 0),
    "chrt": (frozenset(), 1),
    "taskset": (frozenset(), 1),
    "unbuffer": (frozenset(), 0),
    "chronic": (frozenset(), 0),
    "caffeinate": (frozenset({"-t", "-w"}), 0),
    "builtin": (frozenset(), 0),
    "command": (frozenset(), 0),
    "exec": (frozenset({"-a"}), 0),
    "coproc": (frozenset(), 0),
    "busybox": (frozenset(), 0),
    "toybox": (frozenset(), 0),
    "strace": (wordset("-e -o -p -s -u -E -P -a -b"), 0),
    "ltrace": (wordset("-e -o -p -s -u"), 0),
    "setarch": (frozenset(), 1),
    "unshare": (frozenset({"-S", "-G", "--setuid", "--setgid"}), 0),
    "nsenter": (frozenset({"-t", "-S", "-G"}), 0),
    "chroot": (frozenset({"--userspec", "--groups"}), 1),
    "firejail": (frozenset(), 0),
    "bwrap": (wordset("--setenv --unsetenv --chdir --hostname --uid --gid --proc --dev --tmpfs --dir"), 0),
    "systemd-run": (wordset("-p -u --unit --property -E --setenv --uid --gid -M"), 0),
    "dbus-run-session": (frozenset(), 0),
    "xvfb-run": (wordset("-s -n -e -f -w --server-args --server-num --error-file --auth-file --wait"), 0),
    "aws-vault": (wordset("-d --duration --region --mfa-token --backend"), 2),
    "direnv": (frozenset(), 2),
    "catchsegv": (frozenset(), 0),
    "then": (frozenset(), 0),
    "do": (frozenset(), 0),
    "else": (frozenset(), 0),
    "!": (frozenset(), 0),
}
# Runners whose sub-command `run` or `exec` runs the rest; the tool itself is reported too where it fetches or unlocks.
_RUNNERS: dict[str, frozenset[str]] = {
    "poetry": frozenset({"run"}),
    "pipenv": frozenset({"run"}),
    "pdm": frozenset({"run"}),
    "hatch": frozenset({"run"}),
    "rye": frozenset({"run"}),
    "uv": frozenset({"run"}),
    "conda": frozenset({"run"}),
    "bundle": frozenset({"exec"}),
    "pnpm": frozenset({"exec"}),
    "mise": frozenset({"exec", "x"}),
    "asdf": frozenset({"exec"}),
    "rbenv": frozenset({"exec"}),
    "pyenv": frozenset({"exec"}),
    "doppler": frozenset({"run"}),
    "op": frozenset({"run"}),
    "infisical": frozenset({"run"}),
    "chamber": frozenset({"exec"}),
    "teller": frozenset({"run"}),
    "dotenv": frozenset({"run"}),
    "dotenvx": frozenset({"run"}),
    "nix": frozenset({"run", "develop"}),
}
_RUNNER_VALUES = wordset(
    "-n -p -e -f -E -C --with --python --project --directory --env --env-file --config --profile --group --extra --package --cwd --name --prefix"
)
_UNLOCKING = frozenset({"doppler", "op", "infisical", "chamber", "teller", "aws-vault"})
_ENV_VALUES = frozenset({"-u", "--unset", "-C", "--chdir", "-S", "--split-string", "-P"})
_XARGS_VALUES = wordset(
    "-a -d -E -I -L -n -P -s --arg-file --delimiter --max-lines --max-args --max-procs --max-chars --replace --process-slot-var"
)
_PARALLEL_VALUES = wordset("-j -a -S --jobs --arg-file --sshlogin --delay --timeout --retries --joblog --colsep -n -N -L -I")
_FIND_EXEC = frozenset({"-exec", "-execdir", "-ok", "-okdir"})
_SHELL_VALUES = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_REMOTE_VALUES = wordset("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -B")
_MAX_THROUGH = 12


def steps(command: SimpleCommand, through: tuple[str, ...] = (), more: bool = False) -> Iterator[Step]:
    """The programs a simple command runs, innermost and wrappers' own, in order."""
    words = command.words
    while words:
        head = words[0]
        if not head.literal:
            yield Opaque("dynamic command name", command, head.text)
            return
        name = base_name(head.text)
        if through and name not in _WRAPPERS and head.text.partition("=")[0].isidentifier() and "=" in head.text:
            # `time A=1 program`: the grammar takes an assignment after a reserved word for a word.
            words = words[1:]
            continue
        if len(through) >= _MAX_THROUGH:
            yield Opaque("wrapped too deeply", command, head.text)
            return
        inside = _looked_into(name, words[1:], command, through, more)
        if inside is None:
            yield Call(name, words[1:], command, through, more, _text(words, command))
            return
        found, following, more = inside
        yield from found
        words, through = following, (*through, name)


def base_name(word: str) -> str:
    """A program's name without its folder and without `.exe`."""
    return word.rstrip("/").rpartition("/")[2].removesuffix(".exe") or word


_Inside = tuple[list[Step], tuple[Word, ...], bool]


def _looked_into(
    name: str, args: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...], more: bool
) -> _Inside | None:
    """What a wrapper yields by itself and the words of the program it runs; None where the program is no wrapper."""
    if name in SHELLS:
        return [_shell(args, command, through)], (), more
    if name in _WRAPPERS:
        return _wrapper(name, args, command, through, more)
    if name in (
        "eval",
        "source",
        ".",
        "trap",
        "su",
        "runuser",
        "flock",
        "watch",
        "script",
        "nix-shell",
        "env",
        "xargs",
        "parallel",
        "find",
        "ssh",
        "tsh",
    ):
        return _special(name, args, command, through, more)
    if name in PROGRAMS and (rest := inside(name, args)):
        return [Call(name, args, command, through, text=command.text)], rest, more
    if name in _RUNNERS and args and args[0].text in _RUNNERS[name]:
        rest = after_options(args[1:], _RUNNER_VALUES)
        own: list[Step] = [Call(name, args, command, through, text=command.text)] if name in _UNLOCKING else []
        return (own, rest, more) if rest else None
    return None


def _wrapper(name: str, args: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...], more: bool) -> _Inside | None:
    valued, skip = _WRAPPERS[name]
    if name == "command" and args and args[0].text in ("-v", "-V"):
        return [], (), more
    if name in ("aws-vault", "direnv") and not (args and args[0].text == "exec"):
        return None
    if name == "sudo" and args and args[0].text in ("-e", "--edit", "sudoedit"):
        return None
    rest = after_options(args, valued)
    own: list[Step] = [Call(name, args, command, through, text=command.text)] if name in _UNLOCKING else []
    if name == "sudo":
        while rest and "=" in rest[0].text and rest[0].text.partition("=")[0].isidentifier():
            rest = rest[1:]
    if skip:
        rest = after_options(rest[skip:], frozenset())
    if not rest and name in ("sudo", "doas") and any(word.text in ("-i", "-s", "--login", "--shell") for word in args):
        return [Opaque("interactive shell", command, name)], (), more
    return own, rest, more


def _special(name: str, args: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...], more: bool) -> _Inside | None:
    inner = (*through, name)
    if name == "env":
        return _env(args, command, inner, more)
    if name == "eval":
        return [_joined(args, command, inner)], (), more
    if name == "trap":
        named = [w for w in args if not w.text.startswith("-")]
        if len(named) < 2:
            return [], (), more
        return [Nested(named[0].text if named[0].literal else None, command, inner)], (), more
    if name in ("su", "runuser", "flock", "script", "nix-shell"):
        return _by_option(name, args, command, inner, more)
    if name == "watch":
        rest = after_options(args, frozenset({"-n", "--interval"}))
        return [_joined(rest, command, inner)], (), more
    if name == "xargs":
        rest = after_options(args, _XARGS_VALUES)
        marks = [args[i + 1].text for i in range(len(args) - 1) if args[i].text in ("-I", "--replace")]
        marks += [word.text[2:] or "{}" for word in args if word.text[:2] in ("-I", "-i") and word.text != "-I"]
        filled = _filled(rest, marks[0] if marks else "{}")
        return [], filled, filled == rest
    if name == "parallel":
        rest = after_options(args, _PARALLEL_VALUES)
        cut = next((i for i, word in enumerate(rest) if word.text.startswith(":::")), len(rest))
        return [], rest[:cut], True
    if name == "find":
        return _find(args, command, inner)
    if name == "ssh":
        return _ssh(args, command, through, more)
    if name == "tsh" and args and args[0].text == "ssh":
        return _ssh(args[1:], command, through, more)
    if name == "tsh" and args and args[0].text == "kubectl":
        return [], args, more
    return None


def _env(args: tuple[Word, ...], command: SimpleCommand, inner: tuple[str, ...], more: bool) -> _Inside:
    for position, word in enumerate(args):
        if word.text in ("-S", "--split-string") and position + 1 < len(args):
            return [_joined(args[position + 1 :], command, inner)], (), more
    rest = after_options(args, _ENV_VALUES)
    while rest and "=" in rest[0].text:
        rest = rest[1:]
    return [], rest, more


def _by_option(name: str, args: tuple[Word, ...], command: SimpleCommand, inner: tuple[str, ...], more: bool) -> _Inside:
    """`su -c script`, `flock file program ...`, `script -c program`: a script by option, else a program by position."""
    wanted = ("-c", "--command", "--run")
    for position, word in enumerate(args):
        if word.text in wanted and position + 1 < len(args):
            script = args[position + 1]
            return [Nested(script.text if script.literal else None, command, inner)], (), more
        if word.text.startswith("--command="):
            return [Nested(word.text.partition("=")[2] if word.literal else None, command, inner)], (), more
    if name == "flock":
        rest = after_options(args, frozenset({"-w", "--wait", "-E", "--timeout"}))
        return [], rest[1:], more
    return [Opaque("interactive shell", command, name)], (), more


def _find(args: tuple[Word, ...], command: SimpleCommand, inner: tuple[str, ...]) -> _Inside:
    """Every `-exec`; the search itself stays a call of `find`, for what it deletes or writes by itself."""
    found: list[Step] = [Call("find", args, command, inner[:-1], text=command.text)]
    position = 0
    while position < len(args):
        if args[position].text in _FIND_EXEC and args[position].literal:
            stop = next((i for i in range(position + 1, len(args)) if args[i].text in (";", "+")), len(args))
            part = command._replace(words=_filled(args[position + 1 : stop], "{}"))
            found += steps(part, inner)
            position = stop
        position += 1
    return found, (), False


def _ssh(args: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...], more: bool) -> _Inside:
    own: list[Step] = [Call("ssh", args, command, through, more, command.text)]
    rest = after_options(args, _REMOTE_VALUES)
    if len(rest) > 1:
        script = _joined(rest[1:], command, (*through, "ssh"))
        own.append(script._replace(remote=True))
    elif rest and (command.given or command.fed):
        word = command.given or command.fed
        own.append(Nested(word.text if word and word.literal else None, command, (*through, "ssh"), remote=True))
    return own, (), more


def _shell(args: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...]) -> Step:
    """What a shell runs: a `-c` script, a file, or what it reads."""
    position = 0
    while position < len(args):
        word = args[position]
        if not word.literal:
            return Opaque("dynamic script", command, word.text)
        text = word.text
        if text in _SHELL_VALUES or (text[:1] in "-+" and text[1:2] != "-" and text.endswith("o") and "c" not in text):
            position += 2
            continue
        if text == "--":
            position += 1
            break
        if not text.startswith(("-", "+")) or text == "-":
            break
        if not text.startswith("--") and "c" in text[1:]:
            script = next((w for w in args[position + 1 :] if not w.text.startswith(("-", "+")) or not w.literal), None)
            return Nested(script.text if script and script.literal else None, command, (*through, "sh"))
        if text in ("--version", "--help") or (not text.startswith("--") and "n" in text[1:]):
            return Call("true", (), command, through)
        if not text.startswith("--") and "s" in text[1:]:
            position = len(args)
            break
        position += 1
    if position < len(args) and args[position].text != "-" and args[position].text != "/dev/stdin":
        return Call("run-script", args[position:], command, through, text=command.text)
    read = command.given or command.fed
    if read is not None:
        # Variables in a here-document are for the inner reader to find dynamic; the words around them are plain.
        return Nested(read.text if read.literal or command.given else None, command, (*through, "sh"))
    source = next((r for r in command.redirects if r.operator == "<"), None)
    if source is not None and source.target.literal:
        return Call("run-script", (source.target,), command, through, text=command.text)
    if command.piped or source is not None or any(not w.literal for w in args):
        return Opaque("script from a pipe", command, command.text)
    return Opaque("interactive shell", command, command.text)


def _joined(words: tuple[Word, ...], command: SimpleCommand, through: tuple[str, ...]) -> Nested:
    known = all(word.literal for word in words)
    return Nested(" ".join(word.text for word in words) if known else None, command, through)


def _filled(words: tuple[Word, ...], mark: str) -> tuple[Word, ...]:
    """Words in which the mark stands for something that only running tells."""
    return tuple(Word(word.text, False) if mark and mark in word.text else word for word in words)


_ASSIGNING = wordset("env /usr/bin/env export sudo /usr/bin/sudo cross-env declare typeset setx")


def assignments(command: SimpleCommand) -> Iterator[Assignment]:
    """Leading assignments, and those that `env` or `export` make by their arguments."""
    yield from command.assignments
    if any(word.text in _ASSIGNING for word in command.words[:3]):
        for word in command.words[1:]:
            name, equals, value = word.text.partition("=")
            if equals and name.isidentifier():
                yield Assignment(name, Word(value, word.literal))


def _text(words: tuple[Word, ...], command: SimpleCommand) -> str:
    """The source of a call: that of its command, or its own words where wrappers stand before it."""
    return command.text if words is command.words or len(words) == len(command.words) else " ".join(w.text for w in words)[:400]
