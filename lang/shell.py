"""A shell command line as the operations inside it.

`cd x && git push -f origin main` is one `repo.write` on `main`, forced. Pipes, lists, substitutions, here-documents,
functions, `bash -c`, `env`, `sudo`, `xargs`, `find -exec` and their kin are looked into. What cannot be parsed or is
known only when it runs is `Verb.UNKNOWN` with `certain=False`: never safe. A program that no table knows is `exec` with
its name; one that touches nothing outside (`cd`, `echo`, `ls`) has no operation.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import NamedTuple

from lang import (
    shell_agents,
    shell_cloud,
    shell_cluster,
    shell_files,
    shell_git,
    shell_guards,
    shell_net,
    shell_packages,
    shell_secrets,
)
from lang.shell_calls import Call, Nested, Opaque, steps, wordset
from lang.shell_ops import Classifier, made
from lang.shell_paths import path_class, path_flags, path_verb
from lang.shell_syntax import Assignment, Redirect, Script, SimpleCommand, Word, read_script
from model.event import Operation, Target
from model.words import TargetClass, Verb

__all__ = ["Assignment", "Redirect", "Shell", "SimpleCommand", "Word", "parse", "path_class", "path_flags", "path_verb"]

MAX_LENGTH = 65_536
"""Characters of a command that are looked at; a longer one is not parsed at all and never certain."""

_CACHED_LENGTH = 4_096
_MAX_DEPTH = 6
_MAX_SCRIPTS = 64
_MAX_COMMANDS = 2_000
_MAX_OPERATIONS = 400

_CLASSIFIERS: dict[str, Classifier] = {
    **shell_agents.CLASSIFIERS,
    **shell_files.CLASSIFIERS,
    **shell_net.CLASSIFIERS,
    **shell_packages.CLASSIFIERS,
    **shell_cloud.CLASSIFIERS,
    **shell_cluster.CLASSIFIERS,
    **shell_guards.CLASSIFIERS,
    **shell_secrets.CLASSIFIERS,
    **shell_git.CLASSIFIERS,
}
# Programs that act on nothing but the shell itself, the screen or the clock.
_NEUTRAL = wordset(
    ": [ [[ alias basename bg bind break caller cal cd clear column compgen complete compopt continue date declare df dirname dirs disown du echo "
    "enable env exit export expr factor false fc fg fortune free getconf getopt getopts groups hash help history hostname id info jobs let "
    "local locale logname logout ls exa eza lsof lscpu lsblk man mapfile mktemp nproc numfmt pathchk pgrep popd printenv printf ps pstree pushd pwd "
    "read readarray readlink readonly realpath return seq set shift shopt shuf sleep ss suspend sync tabs test time times top tput tr trap tree true "
    "tty type typeset ulimit umask unalias uname unset uptime users vmstat wait watch which whereis who whoami xargs yes netstat nohup"
)


class Shell(NamedTuple):
    """What a command line holds. `certain` is False where any part of it stayed unknown."""

    commands: tuple[SimpleCommand, ...] = ()
    operations: tuple[Operation, ...] = ()
    certain: bool = True


def parse(command: str) -> Shell:
    """The commands and operations of a command line, in source order; never raises."""
    if len(command) > MAX_LENGTH:
        return Shell((), (_unknown(command, "too-long"),), False)
    return _cached(command) if len(command) <= _CACHED_LENGTH else _parse(command)


class _Job(NamedTuple):
    script: str
    depth: int
    through: tuple[str, ...]
    remote: bool
    cwd: str | None


def _parse(source: str) -> Shell:
    commands: list[SimpleCommand] = []
    operations: list[Operation] = []
    todo: deque[_Job] = deque([_Job(source, 0, (), False, "")])
    scripts = 0
    while todo:
        job = todo.popleft()
        scripts += 1
        if scripts > _MAX_SCRIPTS or job.depth > _MAX_DEPTH:
            operations.append(_unknown(job.script, "nested-too-deeply"))
            continue
        script = read_script(job.script, job.cwd)
        if script.broken:
            operations.append(_unknown(script.broken, "syntax"))
        commands += script.commands[:_MAX_COMMANDS]
        if len(script.commands) > _MAX_COMMANDS:
            operations.append(_unknown(job.script, "too-long"))
        for one in script.commands[:_MAX_COMMANDS]:
            operations += _of_command(one, script, job, todo)
    distinct = list(dict.fromkeys(operations))
    if len(distinct) > _MAX_OPERATIONS:
        distinct = [*distinct[:_MAX_OPERATIONS], _unknown(source, "too-long")]
    return Shell(tuple(commands[:_MAX_COMMANDS]), tuple(distinct), all(operation.certain for operation in distinct))


_cached = lru_cache(maxsize=4_096)(_parse)


def _of_command(command: SimpleCommand, script: Script, job: _Job, todo: deque[_Job]) -> list[Operation]:
    found: list[Operation] = []
    for step in steps(command, job.through):
        if isinstance(step, Nested):
            if step.script is None:
                found.append(_unknown(command.text, "dynamic-script"))
            elif step.script.strip():
                todo.append(_Job(step.script, job.depth + 1, step.through, job.remote or step.remote, command.cwd))
        elif isinstance(step, Opaque):
            flags = ["piped-script"] if step.reason == "script from a pipe" else []
            found.append(_unknown(step.text or command.text, step.reason.replace(" ", "-"), *flags))
        else:
            found += _of_call(step, script)
    found += shell_files.redirected(command)
    found += shell_agents.variables(command)
    return [_far(operation) for operation in found] if job.remote else found


def _of_call(call: Call, script: Script) -> list[Operation]:
    call = shell_agents.module_of(call) or call
    classify = _CLASSIFIERS.get(call.name)
    if classify is not None:
        return list(classify(call))
    if call.name in script.functions or call.name in _NEUTRAL:
        return []
    if call.name.startswith("mkfs."):
        return list(shell_files.disk(call))
    return [made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name)]


def _far(operation: Operation) -> Operation:
    """An operation that another host carries out."""
    return Operation(operation.verb, operation.target, operation.text, (*operation.flags, "remote"), operation.certain)


def _unknown(text: str, *flags: str) -> Operation:
    return Operation(Verb.UNKNOWN, Target(), text[:400], flags, False)
