"""The program a container is told to run: the words behind the image, the service or the `--`."""

from __future__ import annotations

from lang.shell_syntax import Word

ENGINES = frozenset({"docker", "podman", "nerdctl", "docker-compose", "podman-compose", "crictl"})
CLUSTERS = frozenset({"kubectl", "oc", "k3s", "lxc", "incus", "multipass"})
PROGRAMS = ENGINES | CLUSTERS
"""Whatever runs below one of these runs in a container."""

# Options that take the following word with them.
_ENGINE = frozenset(
    [
        "-H",
        "--host",
        "-c",
        "--context",
        "--config",
        "-l",
        "--log-level",
        "--connection",
        "--namespace",
        "--root",
        "--runroot",
        "--url",
    ]
)
_COMPOSE = frozenset(
    [
        "-f",
        "--file",
        "-p",
        "--project-name",
        "--profile",
        "--env-file",
        "--project-directory",
        "--ansi",
        "--progress",
        "--parallel",
    ]
)
_RUN = frozenset(
    [
        "-a",
        "--attach",
        "--add-host",
        "--annotation",
        "--arch",
        "--blkio-weight",
        "--cap-add",
        "--cap-drop",
        "--cgroup-parent",
        "--cgroupns",
        "--cidfile",
        "-c",
        "--cpu-shares",
        "--cpus",
        "--cpuset-cpus",
        "--cpuset-mems",
        "--cpu-quota",
        "--cpu-period",
        "--device",
        "--detach-keys",
        "--dns",
        "--dns-search",
        "--domainname",
        "--entrypoint",
        "-e",
        "--env",
        "--env-file",
        "--expose",
        "--gpus",
        "--group-add",
        "--health-cmd",
        "--health-interval",
        "--hostname",
        "-h",
        "--index",
        "--ip",
        "--ipc",
        "--isolation",
        "-l",
        "--label",
        "--label-file",
        "--link",
        "--log-driver",
        "--log-opt",
        "--mac-address",
        "-m",
        "--memory",
        "--memory-swap",
        "--mount",
        "--name",
        "--network",
        "--net",
        "--network-alias",
        "--pid",
        "--pids-limit",
        "--platform",
        "-p",
        "--publish",
        "--pull",
        "--restart",
        "--runtime",
        "--secret",
        "--security-opt",
        "--shm-size",
        "--stop-signal",
        "--stop-timeout",
        "--storage-opt",
        "--sysctl",
        "--tmpfs",
        "--ulimit",
        "-u",
        "--user",
        "--userns",
        "--uts",
        "-v",
        "--volume",
        "--volume-driver",
        "--volumes-from",
        "-w",
        "--workdir",
        "--pod",
        "--preserve-fd",
    ]
)
_RUNS = frozenset({"run", "exec", "create"})
_CLUSTER_RUNS = frozenset({"exec", "run", "debug"})


def after_options(words: tuple[Word, ...], valued: frozenset[str]) -> tuple[Word, ...]:
    """The words from the first that is no option; `valued` options take the following word with them."""
    position = 0
    while position < len(words):
        text = words[position].text
        if not words[position].literal or not text.startswith("-") or text == "-":
            break
        if text == "--":
            return words[position + 1 :]
        position += 2 if text in valued else 1
    return words[position:]


def inside(name: str, args: tuple[Word, ...]) -> tuple[Word, ...]:
    """The words of the program that this call runs in a container; none where it runs none, or the image's own."""
    if name in ENGINES:
        return _engine(name, args)
    if name in CLUSTERS:
        cut = next((i for i, word in enumerate(args) if word.text == "--" and word.literal), None)
        told = any(word.text in _CLUSTER_RUNS and word.literal for word in args[:cut])
        return args[cut + 1 :] if cut is not None and told else ()
    return ()


def _engine(name: str, args: tuple[Word, ...]) -> tuple[Word, ...]:
    rest = after_options(args, _COMPOSE if name.endswith("-compose") else _ENGINE)
    if rest and rest[0].text == "container":
        rest = rest[1:]
    elif rest and rest[0].text == "compose":
        rest = after_options(rest[1:], _COMPOSE)
    if not rest or rest[0].text not in _RUNS:
        return ()
    options = rest[1:]
    named = after_options(options, _RUN)
    given = options[: len(options) - len(named)]
    program = named[1:]
    for position, word in enumerate(given):
        if word.text == "--entrypoint" and position + 1 < len(given):
            return given[position + 1], *program
        if word.text.startswith("--entrypoint=") and len(word.text) > len("--entrypoint="):
            return Word(word.text.partition("=")[2], word.literal), *program
    return program
