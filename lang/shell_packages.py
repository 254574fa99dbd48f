"""Package managers and container registries: what is installed from where, pinned or not, and what is published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from lang.names import host_name
from lang.shell_calls import Call, wordset
from lang.shell_ops import Args, Classifier, made, split
from lang.shell_syntax import Word
from model.event import Operation
from model.words import TargetClass, Verb

_REGISTRY = TargetClass.PACKAGE_REGISTRY
_MAX_PACKAGES = 40
_REGISTRY_OPTIONS = (
    "--registry",
    "--index-url",
    "-i",
    "--index",
    "--default-index",
    "--source",
    "-s",
    "--repository-url",
    "--repository",
    "--publish-url",
)
_FURTHER_OPTIONS = ("--extra-index-url", "--find-links", "-f", "--extra-index")
_ADDRESS = re.compile(
    r"^(?:git\+|https?:|ssh:|git@|git:|github:|gitlab:|bitbucket:|file:|link:)|\.(?:tgz|tar\.gz|whl|zip|gem|deb|rpm)$"
)
_LOCAL = re.compile(r"^(?:\.{1,2}(?:/|$)|/|~|\.\[)")
_NPM_EXACT = re.compile(r"^(?:@[^@/]+/)?[^@/]+@(?:npm:.+@)?v?\d++\.\d++\.\d++[\w.+-]*+$")


class Manager(NamedTuple):
    """One package manager: its ecosystem and its sub-commands; `pinned` recognises an exact version."""

    ecosystem: str
    install: frozenset[str] = frozenset()
    publish: frozenset[str] = frozenset()
    run: frozenset[str] = frozenset()
    pinned: re.Pattern[str] = re.compile(r"(?!)")
    valued: frozenset[str] = frozenset()


_NPM_VALUES = wordset(
    "--registry --prefix -C --workspace -w --tag --otp --access --loglevel --cache --userconfig --filter --dir --package -p --cwd"
)
_PIP_VALUES = wordset(
    "-i --index-url --extra-index-url -r --requirement -c --constraint -t --target --python -p --index --default-index -f --find-links --trusted-host "
    "--prefix --root --platform --python-version --cache-dir --proxy --timeout --with --from --group --extra --project --directory --only-binary "
    "--no-binary -e --editable --optional --source --repository --publish-url --repository-url -u --username --password --token --upgrade-package --dev-group -G -E"
)
_PIP_EXACT = re.compile(r"^[A-Za-z0-9._\[\],-]+={2,3}[^*]+$|@[0-9a-f]{40}$")
_MANAGERS: dict[str, Manager] = {
    "npm": Manager(
        "npm",
        wordset("install i add ci in isntall update up upgrade clean-install"),
        wordset("publish pub unpublish deprecate dist-tag"),
        wordset("exec x"),
        _NPM_EXACT,
        _NPM_VALUES,
    ),
    "pnpm": Manager("npm", wordset("install i add update up"), wordset("publish"), wordset("dlx"), _NPM_EXACT, _NPM_VALUES),
    "yarn": Manager("npm", wordset("install add upgrade up"), wordset("publish"), wordset("dlx"), _NPM_EXACT, _NPM_VALUES),
    "bun": Manager("npm", wordset("install i add update"), wordset("publish"), wordset("x"), _NPM_EXACT, _NPM_VALUES),
    "deno": Manager("npm", wordset("install add cache"), wordset("publish"), frozenset(), _NPM_EXACT, _NPM_VALUES),
    "pip": Manager("pypi", wordset("install download wheel"), frozenset(), frozenset(), _PIP_EXACT, _PIP_VALUES),
    "uv": Manager("pypi", wordset("add sync"), wordset("publish"), frozenset(), _PIP_EXACT, _PIP_VALUES),
    "poetry": Manager(
        "pypi", wordset("add install update"), wordset("publish"), frozenset(), re.compile(r"(?:==|@)\d[\w.]*$"), _PIP_VALUES
    ),
    "pdm": Manager("pypi", wordset("add install update sync"), wordset("publish"), frozenset(), _PIP_EXACT, _PIP_VALUES),
    "pipenv": Manager("pypi", wordset("install sync update"), frozenset(), frozenset(), _PIP_EXACT, _PIP_VALUES),
    "pipx": Manager("pypi", wordset("install upgrade inject"), frozenset(), wordset("run"), _PIP_EXACT, _PIP_VALUES),
    "twine": Manager("pypi", frozenset(), wordset("upload"), frozenset(), valued=_PIP_VALUES),
    "hatch": Manager("pypi", frozenset(), wordset("publish"), frozenset(), valued=wordset("-r --repo -u --user -a --auth")),
    "conda": Manager(
        "conda",
        wordset("install create update"),
        frozenset(),
        frozenset(),
        re.compile(r"=\d"),
        wordset("-n --name -c --channel -p --prefix -f --file"),
    ),
    "mamba": Manager(
        "conda",
        wordset("install create update"),
        frozenset(),
        frozenset(),
        re.compile(r"=\d"),
        wordset("-n --name -c --channel -p --prefix -f --file"),
    ),
    "cargo": Manager(
        "cargo",
        wordset("add install update fetch"),
        wordset("publish yank owner"),
        frozenset(),
        re.compile(r"@=?\d+\.\d+\.\d+$"),
        wordset(
            "--version --vers --git --branch --tag --rev --path --registry --index --features -F -p --package --manifest-path --root --token"
        ),
    ),
    "go": Manager(
        "go",
        wordset("get install"),
        frozenset(),
        frozenset(),
        re.compile(r"@v?\d+\.\d+"),
        wordset("-C -modfile -mod -tags -ldflags"),
    ),
    "gem": Manager(
        "rubygems",
        wordset("install update fetch"),
        wordset("push yank owner"),
        frozenset(),
        re.compile(r":\d"),
        wordset("-v --version -s --source -i --install-dir --host --key"),
    ),
    "bundle": Manager(
        "rubygems",
        wordset("install add update"),
        frozenset(),
        frozenset(),
        valued=wordset("--version -v --source --git --path --gemfile --jobs -j"),
    ),
    "composer": Manager(
        "packagist",
        wordset("install require update"),
        frozenset(),
        frozenset(),
        re.compile(r":\d+\.\d+\.\d+$"),
        wordset("-d --working-dir --repository"),
    ),
    "dotnet": Manager(
        "nuget", frozenset(), wordset("nuget"), frozenset(), valued=wordset("-s --source -k --api-key -v --version")
    ),
    "nuget": Manager(
        "nuget", wordset("install restore"), wordset("push"), frozenset(), valued=wordset("-Source -ApiKey -Version")
    ),
    "mvn": Manager("maven", frozenset(), wordset("deploy release:perform"), frozenset()),
    "apt": Manager(
        "apt",
        wordset("install upgrade full-upgrade dist-upgrade build-dep"),
        frozenset(),
        frozenset(),
        re.compile(r"="),
        wordset("-t --target-release -o -c"),
    ),
    "apk": Manager(
        "apk",
        wordset("add upgrade"),
        frozenset(),
        frozenset(),
        re.compile(r"="),
        wordset("-t --virtual -X --repository -p --root"),
    ),
    "yum": Manager(
        "rpm",
        wordset("install update upgrade localinstall groupinstall"),
        frozenset(),
        frozenset(),
        re.compile(r"-\d[\w.]*-\d"),
        wordset("--enablerepo --disablerepo -c --installroot"),
    ),
    "pacman": Manager("pacman", wordset("-S -Sy -Syu -U -Syyu"), frozenset(), frozenset()),
    "brew": Manager("brew", wordset("install upgrade reinstall tap"), frozenset(), frozenset(), re.compile(r"@\d")),
    "snap": Manager("snap", wordset("install refresh"), frozenset(), frozenset()),
    "flatpak": Manager("flatpak", wordset("install update"), frozenset(), frozenset()),
    "choco": Manager("choco", wordset("install upgrade"), wordset("push"), frozenset()),
    "winget": Manager("winget", wordset("install upgrade"), frozenset(), frozenset()),
    "nix-env": Manager("nix", wordset("-i -iA --install"), frozenset(), frozenset()),
    "vsce": Manager("vscode", frozenset(), wordset("publish"), frozenset()),
}
_ALIASES = {
    "pip3": "pip",
    "pip3.11": "pip",
    "apt-get": "apt",
    "aptitude": "apt",
    "dnf": "yum",
    "microdnf": "yum",
    "zypper": "yum",
    "micromamba": "mamba",
    "bundler": "bundle",
    "gradlew": "gradle",
}
_RUNNERS = {"npx": "npm", "bunx": "npm", "pnpx": "npm", "uvx": "pypi"}
_BARE_INSTALLS = {"yarn": "lockfile", "bundle": "lockfile"}


def manager(call: Call) -> Iterator[Operation]:
    """A package manager's sub-command; `name` of the target is the registry's host, else the ecosystem, `detail` the package."""
    name = _ALIASES.get(call.name, call.name)
    one = _MANAGERS[name]
    words = list(call.args)
    if name == "uv" and words and words[0].text in ("pip", "tool"):
        if words[0].text == "tool" and len(words) > 1 and words[1].text == "run":
            yield from _runs(call, words[2:], "pypi", _MANAGERS["uv"])
            return
        words, one = words[1:], _MANAGERS["pip"]._replace(install=wordset("install sync upgrade"))
    if name == "yarn" and words and words[0].text in ("npm", "global"):
        words = words[1:]
    args = split(words, one.valued)
    said = args.words()
    action = said[0] if said else ""
    if name in ("pacman", "nix-env"):
        action = next((option for option, _ in args.options if option in one.install), "")
        args = Args(args.options, (Word(action), *args.operands))
    if not action:
        if name in _BARE_INSTALLS and not args.operands:
            yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, one.ecosystem, flags=[_BARE_INSTALLS[name]])
        elif args.operands:
            yield made(call, Verb.UNKNOWN, _REGISTRY, one.ecosystem, certain=False)
        return
    registry, flags = _registry(args, one.ecosystem)
    if action in one.publish and not (name == "dotnet" and "push" not in said) and not args.has("--dry-run"):
        flags += ["destructive"] if action in ("unpublish", "yank") else []
        yield made(call, Verb.PACKAGE_PUBLISH, _REGISTRY, registry, " ".join(w for w in said[1:2] if w), flags, args.known)
    elif action in one.install:
        yield from _installs(call, args.after(1), one, registry, flags, action)
    elif action in one.run:
        yield from _runs(call, words[1:], one.ecosystem, one)
    elif name == "npm" and action == "config" and len(said) > 2 and said[1] == "set" and "registry" in said[2]:
        yield made(
            call, Verb.GUARDRAIL_CHANGE, _REGISTRY, host_name(said[-1].partition("=")[2] or said[-1]), "registry", ["registry"]
        )
    elif name in ("npm", "pnpm") and action in ("login", "adduser", "token"):
        yield made(call, Verb.CREDENTIAL_ISSUE, _REGISTRY, registry)
    else:
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, name, action, certain=args.known)


def _registry(args: Args, ecosystem: str) -> tuple[str, list[str]]:
    named = next((v for v in args.values(*_REGISTRY_OPTIONS) if "//" in v), "")
    flags = [f"registry={host_name(named)}"] if named else []
    flags += [f"registry={host_name(v) or v}" for v in args.values(*_FURTHER_OPTIONS) if "//" in v]
    if args.has("--trusted-host", "--allow-unauthenticated", "--no-gpg-check", "--nogpgcheck", "--allow-untrusted"):
        flags.append("insecure")
    return host_name(named) or ecosystem, flags


def _installs(call: Call, args: Args, one: Manager, registry: str, flags: list[str], action: str) -> Iterator[Operation]:
    if action in ("ci", "clean-install", "sync") and not args.operands:
        flags = [*flags, "lockfile"]
    files = args.values("-r", "--requirement", "--file", "-f")
    if args.has("--require-hashes", "--frozen-lockfile", "--immutable", "--locked"):
        flags = [*flags, "lockfile"]
    if not args.operands:
        origin = [f"git={value}" for value in args.values("--git")]
        yield made(
            call, Verb.PACKAGE_INSTALL, _REGISTRY, registry, " ".join(files), [*flags, *origin, *(["unpinned"] if origin else [])]
        )
        return
    version = args.value("--version", "-v", "--vers", "--rev", "--tag")
    for package in args.operands[:_MAX_PACKAGES]:
        text = package.text if package.literal else ""
        if _LOCAL.match(text):
            yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, registry, text, [*flags, "local"])
            continue
        told = [*flags]
        if _ADDRESS.search(text):
            told.append(f"registry={host_name(text.removeprefix('git+'))}")
        if text and not one.pinned.search(text) and not version and "lockfile" not in flags:
            told.append("unpinned")
        yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, registry, text, told, package.literal)
    if len(args.operands) > _MAX_PACKAGES or call.open_ended:
        yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, registry, flags=flags, certain=False)


def _runs(call: Call, words: list[Word], ecosystem: str, one: Manager) -> Iterator[Operation]:
    """A package fetched where it is not there yet, and run at once."""
    args = split(words, wordset("-p --package --from --with --python --registry -c --call --index-url --index"))
    package = args.value("-p", "--package", "--from", "--spec") or next(iter(args.words()), "")
    if not package and not args.operands:
        return
    registry, flags = _registry(args, ecosystem)
    if package and not one.pinned.search(package):
        flags.append("unpinned")
    # npx and bunx run what lies in the project first: they fetch where told to, or where a version is asked for.
    if call.name not in ("npx", "bunx", "npm", "bun") or args.has("-y", "--yes", "-p", "--package") or "@" in package[1:]:
        flags.append("fetch")
    known = bool(package)
    yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, registry, package, [*flags, "run"], known)
    yield made(call, Verb.EXEC, TargetClass.UNKNOWN, next(iter(args.words()), package), flags=["package"], certain=known)


def runner(call: Call) -> Iterator[Operation]:
    """npx, uvx and their kin."""
    ecosystem = _RUNNERS[call.name]
    yield from _runs(call, list(call.args), ecosystem, _MANAGERS["npm" if ecosystem == "npm" else "pip"])


_DOCKER_VALUES = wordset(
    "-H --host -c --context --config -l --log-level -t --tag -f --file -u --username -p --password -v --volume -e --env --name --network --mount -w --workdir "
    "--platform --build-arg --target --entrypoint --env-file --cap-add --device --security-opt --label --publish --user --cpus -m --memory --pid --restart"
)


def docker(call: Call) -> Iterator[Operation]:
    """docker, podman and their kin: pushing publishes, pulling and running install."""
    runs = any(word.text in ("run", "exec", "create", "rm", "rmi") for word in call.args[:3])
    args = split(call.args, _DOCKER_VALUES - wordset("-t -f --tag --file") if runs else _DOCKER_VALUES)
    said = args.words()
    if said[:1] == ["image"] or said[:1] == ["container"]:
        args, said = args.after(1), said[1:]
    action = said[0] if said else ""
    image = said[1] if len(said) > 1 else ""
    if action == "push":
        yield made(call, Verb.PACKAGE_PUBLISH, _REGISTRY, _image_host(image), image, certain=args.known)
    elif action == "pull":
        yield made(call, Verb.PACKAGE_INSTALL, _REGISTRY, _image_host(image), image, _image_flags(image), args.known)
    elif action in ("run", "create"):
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, image, "container", _container_flags(args), bool(image))
    elif action == "exec":
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, image, "container", ["container"], args.known)
    elif action == "login":
        yield made(call, Verb.CREDENTIAL_ISSUE, _REGISTRY, host_name(image) if image else "")
    elif action in ("rm", "rmi", "prune", "system", "volume", "network", "compose", "stack", "swarm", "service", "kill", "stop"):
        lost = action in ("rm", "rmi", "prune") or any(w in ("prune", "rm", "down") for w in said[1:3])
        yield made(
            call,
            Verb.EXEC,
            TargetClass.UNKNOWN,
            call.name,
            action,
            ["destructive"] if lost and (args.has("-f", "-v", "--volumes", "-a") or "prune" in said) else [],
        )
    elif action in ("build", "buildx", "bake"):
        if args.has("--push"):
            yield made(call, Verb.PACKAGE_PUBLISH, _REGISTRY, _image_host(args.value("-t", "--tag")), args.value("-t", "--tag"))
        yield made(call, Verb.EXEC, TargetClass.UNKNOWN, call.name, action)


def _image_host(image: str) -> str:
    first, slash, _ = image.partition("/")
    return host_name(first) if slash and ("." in first or ":" in first or first == "localhost") else "docker"


def _image_flags(image: str) -> list[str]:
    last = image.rpartition("/")[2]
    return [] if "@sha256:" in image or (":" in last and not last.endswith(":latest")) else ["unpinned"]


def _container_flags(args: Args) -> list[str]:
    flags = ["container"]
    if (
        args.has("--privileged")
        or "host" in (args.value("--pid"), args.value("--network"))
        or args.value("--cap-add") in ("ALL", "SYS_ADMIN")
    ):
        flags.append("privileged")
    if any(
        volume.partition(":")[0] in ("/", "/etc", "/root", "/var/run/docker.sock", "~")
        for volume in args.values("-v", "--volume")
    ):
        flags.append("host-mount")
    return flags


CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys((*_MANAGERS, *_ALIASES), manager),
    **dict.fromkeys(_RUNNERS, runner),
    **dict.fromkeys(("docker", "podman", "nerdctl", "buildah"), docker),
}
del CLASSIFIERS["gradlew"]
