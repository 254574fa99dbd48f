"""SUP: what comes in from outside, and what later runs with the pipeline's power."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chains.context import Context
from chains.detections.examples import answer, chain, context, example, org, step
from chains.detections.reading import operations, refused, said, when, words, writes
from chains.detections.registry import Hit, Unjudged, detection
from chains.facts import OrgFacts
from lang.counted import count
from lang.hosts import is_local
from lang.names import host_name
from lang.shell import parse
from model.chain import Step, TaskChain
from model.event import Operation
from model.words import Severity, TargetClass, Tri, Verb

_LANGUAGES = ("npm", "pypi", "cargo", "go", "rubygems", "packagist", "nuget", "maven", "docker")
_APPROVED = org(registries=("packages.acme.example",))


@detection(
    "SUP-01",
    "Package installed from unapproved registry or unpinned",
    Severity.HIGH,
    needs=("install commands", "registry", "version pin or hash"),
    looks_for="a package installed from a registry or an address that is not approved, or named without an exact version",
    limits="Installing what a lockfile or manifest names, and local or editable installs, are not looked at. An unpinned package from the "
    "usual registry is medium, not high. `npx` and `bunx` count where they are told to fetch. Which registry a package manager is set to "
    "use is known only where the command says so; the versions of system packages (apt, apk, brew) are the distribution's.",
    parameters={
        "ecosystems": (_LANGUAGES, "ecosystems in which a version must be pinned"),
        "unpinned": (True, "whether a package without an exact version is a finding"),
    },
    examples=(
        example("from an address that is not approved", True,
                chain(step("exec", command="pip install --index-url https://wheels.example.net/simple foo==1.2", tool="yes")), context(facts=_APPROVED)),
        example("from the approved registry, pinned", False,
                chain(step("exec", command="npm i left-pad@1.3.0 --registry https://packages.acme.example/npm", tool="yes")), context(facts=_APPROVED)),
        example("from a repository's branch", True,
                chain(step("exec", command="pip install git+https://git.example.net/a/b@main", tool="yes")), context(facts=_APPROVED)),
        example("without a version", True, chain(step("exec", command="uv add httpx", tool="yes"))),
        example("fetched and run at once", True, chain(step("exec", command="npx -y create-thing@latest", tool="yes"))),
        example("a tool of the project", False, chain(step("exec", command="npx jest --ci", tool="yes"))),
        example("what the lockfile says", False, chain(step("exec", command="npm ci && uv sync", tool="yes"))),
        example("hashes required", False, chain(step("exec", command="pip install -r requirements.txt --require-hashes", tool="yes"))),
        example("the project itself", False, chain(step("exec", command="pip install -e . && cargo install --path .", tool="yes"))),
        example("a system package", False, chain(step("exec", command="apt-get install -y jq", tool="yes"))),
        example("an image by its digest", False,
                chain(step("exec", command="docker pull reg.acme.example/a@sha256:" + "0" * 64, tool="yes"))),
        example("refused", False, chain(step("exec", answer("deny"), command="npm install left-pad", tool="no"))),
    ),
)  # fmt: skip
def installed(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    pinned = set(words(parameters["ecosystems"])) if parameters["unpinned"] is not False else set()
    found: dict[str, list[tuple[Step, str, Severity]]] = {}
    for one in task.steps:
        if refused(one) or one.outcome.tool is Tri.NO:
            continue
        for operation in operations(one):
            if operation.verb is not Verb.PACKAGE_INSTALL or {"lockfile", "local"}.intersection(operation.flags):
                continue
            if "run" in operation.flags and "fetch" not in operation.flags:
                continue
            name = operation.target.detail or operation.target.name
            for place in _places(operation):
                approved = around.facts.approved_registry(place)
                if approved is None:
                    approved = around.facts.approved_host(place)
                if approved is None:
                    yield Unjudged("approved registries")
                elif not approved:
                    found.setdefault(name, []).append((one, f"comes from {place}, which is not approved", Severity.HIGH))
            if "unpinned" in operation.flags and _ecosystem(operation) in pinned:
                found.setdefault(name, []).append((one, "is named without an exact version", Severity.MEDIUM))
    for name, seen in found.items():
        first = seen[0][0]
        yield Hit(
            anchor=f"package:{name}",
            step=first.id,
            at=first.at,
            evidence=[record for one, *_ in seen[:20] for record in one.records],
            severity=Severity.HIGH if any(severity is Severity.HIGH for *_, severity in seen) else Severity.MEDIUM,
            why=f"`{said(first)}` at {when(first.at)}: {name} {' and '.join(dict.fromkeys(how for _, how, _ in seen))}",
            facts={"package": name},
        )


def _places(operation: Operation) -> list[str]:
    """The registries and addresses a command names; none where it leaves that to its configuration."""
    named = [flag.partition("=")[2] for flag in operation.flags if flag.startswith("registry=")]
    named += [host_name(flag.partition("=")[2]) for flag in operation.flags if flag.startswith("git=")]
    if "." in operation.target.name and operation.target.cls is TargetClass.PACKAGE_REGISTRY and operation.target.detail:
        named.append(operation.target.name)
    return [place for place in dict.fromkeys(named) if place and not is_local(place)]


def _ecosystem(operation: Operation) -> str:
    """The ecosystem of an install: the target's name where it names no host, else told by the program."""
    if "." not in operation.target.name:
        return operation.target.name
    program = operation.text.split(" ", 1)[0].rpartition("/")[2]
    return {"docker": "docker", "podman": "docker", "npm": "npm", "pnpm": "npm", "yarn": "npm"}.get(
        program, "pypi" if "pip" in program else ""
    )


_LISTED = org(servers=("github", "tickets"))
_FETCHED = re.compile(r"^(?:npx|bunx|pnpx|uvx|pipx|uv|npm|pnpm|yarn|bun)\b")


@detection(
    "SUP-03",
    "MCP server (or other tool source) unapproved or unpinned",
    Severity.HIGH,
    needs=("tool server name, version, digest", "approved list"),
    looks_for="an MCP server that was used or added without being on the approved list, or that is started in whatever version is newest",
    limits="Servers are known by the name the agent calls them; without an approved list only how one is started can be judged. How a server "
    "is started is seen where a command adds it to an agent; a configuration file written by an edit tool is not looked into.",
    examples=(
        example("a server that is not on the list", True,
                chain(step("mcp.call", target="mcp_server", name="scraper", detail="fetch", tool="yes")), context(facts=_LISTED)),
        example("a server on the list", False,
                chain(step("mcp.call", target="mcp_server", name="github", detail="push", tool="yes")), context(facts=_LISTED)),
        example("added in its newest version", True,
                chain(step("exec", command="claude mcp add notes -- npx -y notes-mcp@latest", tool="yes")), context(facts=org(servers=("notes",)))),
        example("added in a fixed version", False,
                chain(step("exec", command="claude mcp add notes -- npx -y notes-mcp@1.4.2", tool="yes")), context(facts=org(servers=("notes",)))),
        example("a remote server at a host that is not approved", True,
                chain(step("exec", command="claude mcp add --transport http notes https://mcp.example.net/mcp", tool="yes")), context(facts=_LISTED)),
        example("no list", False, chain(step("mcp.call", target="mcp_server", name="scraper", detail="fetch", tool="yes"))),
        example("the call was refused", False,
                chain(step("mcp.call", answer("deny"), target="mcp_server", name="scraper", detail="fetch", tool="no")), context(facts=_LISTED)),
    ),
)  # fmt: skip
def tool_source(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    used: dict[str, list[Step]] = {}
    for one in task.steps:
        if refused(one):
            continue
        for operation in operations(one):
            if operation.verb is Verb.MCP_CALL and operation.target.name:
                used.setdefault(operation.target.name, []).append(one)
        if one.outcome.tool is not Tri.NO:
            yield from _added(one, around.facts)
    for name, steps in used.items():
        approved = around.facts.approved_mcp_server(name)
        if approved is None:
            yield Unjudged("approved MCP servers")
        elif not approved:
            first = steps[0]
            yield Hit(
                anchor=f"mcp:{name}",
                step=first.id,
                at=first.at,
                evidence=[record for one in steps[:20] for record in one.records],
                why=f"the MCP server {name} is not on the approved list; it was called {count(len(steps), 'time')}, first at {when(first.at)}",
                facts={"server": name, "calls": len(steps)},
            )


def _added(one: Step, facts: OrgFacts) -> Iterator[Hit | Unjudged]:
    """A server added to an agent by a command: whether it is approved, and whether its version is fixed."""
    for operation in one.operations:
        stated = _server(operation)
        if operation.verb is not Verb.GUARDRAIL_CHANGE or not stated:
            continue
        name, launch = stated.get("server", ""), stated.get("launch", "")
        approved = server_approved(operation, facts)
        told = [f"{name or 'the server'} is not on the approved list"] if approved is False else []
        if approved is None:
            yield Unjudged("approved MCP servers")
        if launch and _unfixed(launch):
            told.append(f"`{launch}` starts whatever version is newest")
        if told:
            yield Hit(
                anchor=one.call or one.id,
                step=one.id,
                at=one.at,
                evidence=one.records,
                why=f"`{said(one)}` at {when(one.at)} adds an MCP server: {'; '.join(told)}",
                facts={"server": name},
            )


def _server(operation: Operation) -> dict[str, str]:
    return dict(flag.split("=", 1) for flag in operation.flags if flag.startswith(("server=", "remote=", "launch=")))


def server_approved(operation: Operation, facts: OrgFacts) -> bool | None:
    """Whether the organisation approves the MCP server that an operation adds, by its name or its host; None where it says nothing."""
    stated = _server(operation)
    approved = facts.approved_mcp_server(stated.get("server", ""))
    if not approved and (remote := stated.get("remote", "")):
        by_host = facts.approved_host(remote)
        approved = by_host if approved is None or by_host else approved
    return approved


def _unfixed(launch: str) -> bool:
    """Whether a start command fetches a package or an image without saying which version."""
    if launch.startswith(("docker ", "podman ")):
        image = next((word for word in launch.split()[::-1] if "/" in word or ":" in word), "")
        last = image.rpartition("/")[2]
        return bool(image) and "@sha256:" not in image and (":" not in last or last.endswith(":latest"))
    found = parse(launch).operations if _FETCHED.match(launch) else ()
    return any(o.verb is Verb.PACKAGE_INSTALL and "unpinned" in o.flags for o in found)


@detection(
    "SUP-02",
    "CI/CD workflow or pipeline file changed by the agent",
    Severity.HIGH,
    needs=("file write or push events on workflow paths", "review and approval"),
    looks_for="a write to a pipeline definition, by an edit tool, by a shell command or as the target reports it",
    limits="Pipeline files are recognised by their usual paths; a script that a workflow calls is not one. A separate review of the change "
    "is told as a decision where one is on record, and does not silence this.",
    examples=(
        example(
            "edits a workflow", True, chain(step("ci.modify", target="ci_cd", name=".github/workflows/release.yml", tool="yes"))
        ),
        example(
            "an edit that failed",
            False,
            chain(step("ci.modify", target="ci_cd", name=".github/workflows/release.yml", tool="no")),
        ),
        example(
            "writes one through the shell",
            True,
            chain(step("exec", command="sed -i s/a/b/ .github/workflows/ci.yml", tool="yes")),
        ),
        example("reads one", False, chain(step("exec", command="cat .github/workflows/ci.yml", tool="yes"))),
        example("the edit was refused", False, chain(step("ci.modify", answer("deny"), name=".gitlab-ci.yml", tool="no"))),
    ),
)
def pipeline_changed(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    for one, names in writes(task, Verb.CI_MODIFY):
        yield Hit(
            anchor=one.call or one.id,
            step=one.id,
            at=one.at,
            evidence=one.records,
            why=f"the agent changed {names} at {when(one.at)}; it runs later with the pipeline's own power",
            facts={"paths": names},
        )
