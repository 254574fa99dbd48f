"""GOV: whether what was done is what was asked for: the repository, the path, the environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chains.context import Context
from chains.detections.examples import answer, asked, chain, example, organisation, step
from chains.detections.reading import may_have_worked, operations, said, when
from chains.detections.registry import Hit, Unjudged, detection
from chains.detections.stated import (
    ENVIRONMENTS,
    Stated,
    Statement,
    environment,
    environments_forbidden,
    environments_said,
    names,
    opens,
    paths_allowed,
    paths_forbidden,
    stated,
    within,
    working_path,
)
from chains.match import asked_as
from chains.shelf import Again, where
from lang.names import repository_name
from model.chain import Step, TaskChain
from model.event import Target
from model.words import Phase, Severity, TargetClass, Vantage, Verb

_REPOSITORY = frozenset({Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_OPEN, Verb.PR_MERGE})
_PLACED = frozenset({Verb.SECRET_READ, Verb.SECRET_WRITE, Verb.TICKET_UPDATE, Verb.PACKAGE_PUBLISH, Verb.DB_QUERY, Verb.CI_RUN})
_FILES = frozenset({Verb.FILE_WRITE, Verb.FILE_DELETE, Verb.INSTRUCTIONS_WRITE, Verb.CI_MODIFY, Verb.GUARDRAIL_CHANGE})
_REACHES = frozenset({Verb.SECRET_READ, Verb.SECRET_WRITE, Verb.CREDENTIAL_ISSUE, Verb.CLOUD_CALL, Verb.CLUSTER_CALL, Verb.DB_QUERY,
                      Verb.REPO_WRITE, Verb.REPO_MERGE, Verb.PR_MERGE, Verb.PACKAGE_PUBLISH, Verb.EXEC})  # fmt: skip
_STAYS = frozenset({"local", "dry-run"})
_ALIASES = ("origin", "upstream", "fork")
_PAY, _WEB = "acme/pay", "acme/web"
_ORG = organisation(
    repositories={_PAY: {"owner": "team-pay", "project": "pay"}, _WEB: {"owner": "team-web", "project": "web"}},
    secrets={"kv/web/*": {"project": "web"}, "kv/prod/*": {"environment": "prod"}, "kv/staging/*": {"environment": "staging"}},
)


@detection(
    "GOV-04",
    "Intent/action mismatch: repository, path or resource",
    Severity.HIGH,
    needs=("intent scope", "action target"),
    looks_for="a push, a merge, a pull request or a secret of a repository or project that no intent names and the session does not work in; "
    "a file changed although an intent said to leave it alone",
    limits="Reading and fetching is never counted. A repository is within scope if the session works in it, if any intent names it or it "
    "belongs to a project that is named or worked in (`project` in the organisation file), or if it is a fork. Words are read for plain statements in "
    "English: `only change docs/`, `do not touch config/`. Where only the session's own repository states the scope, the finding is medium.",
    examples=(
        example("pushes to a repository of another project", True,
                asked(chain(step("repo.write", target="repository", name=_WEB, tool="yes")), "Fix the totals in acme/pay.", repository=_PAY),
                _ORG),
        example("the prompt names the other repository", False,
                asked(chain(step("repo.write", target="repository", name=_WEB, tool="yes")), "Rename it in pay and in web.", repository=_PAY),
                _ORG),
        example("fetches another repository", False,
                asked(chain(step("exec", command="git clone https://github.com/acme/web", tool="yes")), "Fix it.", repository=_PAY), _ORG),
        example("a fork of its own", False,
                asked(chain(step("repo.write", target="repository", name="dana/pay", tool="yes")), "Fix it.", repository=_PAY), _ORG),
        example("no scope is stated", False,
                asked(chain(step("repo.write", target="repository", name=_WEB, tool="yes")), "Fix it."), _ORG),
        example("the push was refused", False,
                asked(chain(step("repo.write", answer("deny"), target="repository", name=_WEB, tool="no")), "Fix it.", repository=_PAY),
                _ORG),
        example("a secret of another project", True,
                asked(chain(step("secret.read", target="secret_store", name="kv/web/key", tool="yes")), "Fix it.", repository=_PAY), _ORG),
        example("a file it was told to leave alone", True,
                asked(chain(step("file.write", target="filesystem", name="config/prod.yaml", tool="yes")),
                      "Fix the loader. Do not touch config/prod.yaml.", repository=_PAY)),
        example("a file outside the only folder named", True,
                asked(chain(step("file.write", target="filesystem", name="src/loader.py", tool="yes")), "Only change files in docs/.")),
        example("a file inside it", False,
                asked(chain(step("file.write", target="filesystem", name="docs/a.md", tool="yes")), "Only change files in docs/.")),
    ),
)  # fmt: skip
def outside_scope(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    scope = stated(task, around)
    yield from _outside_paths(task, scope)
    judged = Again(lambda: ((one, target) for one in task.steps if may_have_worked(one) for target in _claimed(one)))
    if not judged:
        return
    if task.task.parent and not around.above:
        yield Unjudged("what the task above was asked")
        return
    worked = scope.ordered.get("repository") or scope.ordered.get(TargetClass.REPOSITORY.value) or scope.session
    projects = {around.facts.resource(TargetClass.REPOSITORY, name).project.casefold() for name in worked}
    projects = (projects | scope.ordered.get("project", set())) - {""}
    text = scope.text
    found: dict[str, Hit] = {}
    for one, target in judged:
        project = around.facts.resource(target.cls, target.name, target.detail).project.casefold()
        if target.cls is TargetClass.REPOSITORY:
            fork = any(name.rpartition("/")[2] == target.name.rpartition("/")[2] for name in worked)
            here = target.name.rpartition("/")[2] in scope.folders
            inside = target.name in worked or fork or here or project in projects or names(text, target.name) or opens(text)
        else:
            inside = not project or not projects or project in projects or names(text, target.name)
        if inside or (project and names(text, project)):
            continue
        if not worked and not projects:
            yield Unjudged("a scope stated by prompt, ticket, mandate or session")
            return
        ordered = bool(scope.ordered.get("repository") or scope.ordered.get("project"))
        named = ordered or any(names(text, name) for name in worked)
        where = ", ".join(sorted(worked or projects)[:5])
        what = target.name + (f" (project {project})" if project else "")
        found.setdefault(
            target.name,
            Hit(
                anchor=f"scope:{target.name}",
                step=one.id,
                at=one.at,
                evidence=(*one.records, *_evidence(scope, text_of=where if named else "")),
                severity=None if named or project else Severity.MEDIUM,
                why=f"`{said(one)}` acted on {what} at {when(one.at)}; what is stated is {where}"
                f"{'' if named else ', where the session works,'} and no intent names the other",
                facts={"target": target.name, "scope": sorted(worked or projects)},
            ),
        )
    yield from found.values()


def _claimed(one: Step) -> Iterator[Target]:
    """What of somebody's a step wrote to, or read a secret of, under its full name."""
    own = [(o.verb, o.target) for o in operations(one) if not _STAYS.intersection(o.flags)]
    verbs = {verb for verb, _ in own}
    seen = [(i.verb, i.target) for i in (*one.effects, *one.decisions, *one.actions) if i.vantage is not Vantage.AGENT]
    if one.target.cls is TargetClass.REPOSITORY and verbs & _REPOSITORY:
        own.append((next(iter(verbs & _REPOSITORY)), one.target))
    for verb, target in dict.fromkeys((*own, *seen)):
        if verb in _REPOSITORY and target.cls is TargetClass.REPOSITORY:
            name = repository_name(target.name) if "/" in target.name else ""
            if name and name.partition("/")[0] not in _ALIASES:
                yield Target(TargetClass.REPOSITORY, name, target.detail)
        elif verb in _PLACED and target.name:
            yield target


def _evidence(scope: Stated, text_of: str) -> list[str]:
    """Records of the statements that name any of these."""
    named = [name.strip() for name in text_of.split(",") if name.strip()]
    return [one.record for one in scope.said if any(names(one.text.casefold(), name) for name in named)][:5]


def _outside_paths(task: TaskChain, scope: Stated) -> Iterator[Hit]:
    forbidden, allowed = paths_forbidden(scope.said), paths_allowed(scope.said)
    if not forbidden and not allowed:
        return
    text = _without(scope.text, forbidden)
    named: dict[str, bool] = {}
    for one in task.steps:
        if not may_have_worked(one):
            continue
        for o in operations(one):
            path = working_path(one, o.target.name) if o.verb in _FILES and o.target.cls is not TargetClass.REPOSITORY else ""
            if not path:
                continue
            broken = next((s for p, s in forbidden.items() if within(path, p) and _earlier(s, one)), None)
            how = "was to be left alone"
            if broken is None and allowed and path not in named:
                named[path] = names(text, path) or any(within(path, p) for p in allowed)
            if broken is None and allowed and not named[path]:
                broken, how = (
                    next((s for s in allowed.values() if _earlier(s, one)), None),
                    "lies outside what alone was to be changed",
                )
            if broken is not None:
                yield Hit(
                    anchor=one.call or one.id,
                    step=one.id,
                    at=one.at,
                    evidence=(broken.record, *one.records),
                    why=f"`{said(one)}` changed {path} at {when(one.at)}, which {how}: “{_quote(broken, path)}” ({when(broken.at)})",
                    facts={"path": path},
                )
                break


def _without(text: str, forbidden: Mapping[str, Statement]) -> str:
    for path in forbidden:
        text = text.replace(path.casefold(), " ")
    return text


def _earlier(one: Statement, step: Step) -> bool:
    return one.at is None or step.at is None or one.at <= step.at


def _quote(one: Statement, about: str) -> str:
    """The line of a statement that speaks of something, shortened."""
    lines = [" ".join(line.split()) for line in one.text.splitlines() if line.strip()]
    told = next(
        (line for line in lines if any(part in line for part in about.split("/") if len(part) > 2)), lines[0] if lines else ""
    )
    return told if len(told) <= 160 else told[:159] + "…"


@detection(
    "GOV-05",
    "Intent/action mismatch: environment",
    Severity.HIGH,
    needs=("intent environment", "action environment"),
    looks_for="work stated for one environment that reached a further reaching one: staging was named and production was acted in, or an "
    "environment was acted in that an intent said to leave alone",
    limits="Where a resource belongs is told by the organisation file or by the log. An environment is stated by the words of an intent, of the "
    "task's own or of those above it, or by a field of its log. Reaching a lesser environment than the one named is no finding; which is the lesser is told by `order`.",
    parameters={"order": (list(ENVIRONMENTS), "environments, the least far-reaching first")},
    examples=(
        example("staging was named, production read", True,
                asked(chain(step("secret.read", target="secret_store", name="kv/prod/db", environment="prod", tool="yes")),
                      "Check the queue in staging."), _ORG),
        example("production was named", False,
                asked(chain(step("secret.read", target="secret_store", name="kv/prod/db", environment="prod", tool="yes")),
                      "Compare staging with production."), _ORG),
        example("production was to be left alone", True,
                asked(chain(step("cloud.call", target="cloud", name="ecs:UpdateService", environment="prod", tool="yes")),
                      "Why is production slow? Don't change anything in production."), _ORG),
        example("a lesser environment than the one named", False,
                asked(chain(step("secret.read", target="secret_store", name="kv/staging/db", environment="staging", tool="yes")),
                      "Release to production."), _ORG),
        example("no environment is named", False,
                asked(chain(step("secret.read", target="secret_store", name="kv/prod/db", environment="prod", tool="yes")), "Fix the queue."),
                _ORG),
        example("it was refused", False,
                asked(chain(step("secret.read", answer("deny"), target="secret_store", name="kv/prod/db", environment="prod", tool="no")),
                      "Check the queue in staging."), _ORG),
    ),
)  # fmt: skip
def other_environment(task: TaskChain, around: Context, parameters: dict[str, object]) -> Iterator[Hit | Unjudged]:
    reached = where(task.steps, lambda one: bool(one.environment) and may_have_worked(one) and _reaches(one))
    if not reached:
        if any(_reaches(one) and one.target.name for one in task.steps if one.verb is not Verb.EXEC):
            yield Unjudged("environment of what was acted on")
        return
    scope = stated(task, around)
    said_of = environments_said(scope.said, around.facts)
    fields = {environment(name) for name in scope.ordered.get("environment", set())}
    fields |= {
        environment(str(e.attrs["environment"])) for e in task.events.values() if _states_environment(e.vantage, e.phase, e.attrs)
    }
    barred = environments_forbidden(scope.said)
    if not said_of and not fields and not barred:
        yield Unjudged("environment in the task's intent")
        return
    given = parameters["order"]
    order = [environment(str(name)) for name in given] if isinstance(given, list | tuple) else list(ENVIRONMENTS)
    found: dict[str, Hit] = {}
    for one in reached:
        here = environment(one.environment)
        forbidden = barred.get(here)
        if forbidden is not None and not _earlier(forbidden, one):
            forbidden = None
        if here in found or (forbidden is None and not _further(here, set(said_of) | fields, fields, order)):
            continue
        told = [forbidden] if forbidden else list(said_of.values())
        words = f"“{_quote(told[0], '')}”" if told else f"stated: {', '.join(sorted(fields))}"
        named = (
            f"{one.environment} was to be left alone"
            if forbidden
            else f"the work was stated for {', '.join(sorted({*said_of, *fields}))}"
        )
        found[here] = Hit(
            anchor=f"scope:{here}",
            step=one.id,
            at=one.at,
            evidence=(*(s.record for s in told[:3]), *one.records),
            why=f"`{said(one)}` acted in {one.environment} at {when(one.at)}; {named}: {words}",
            facts={"environment": one.environment, "stated": sorted({*said_of, *fields})},
        )
    yield from found.values()


def _reaches(one: Step) -> bool:
    done = [(o.verb, o.target) for o in operations(one)] + [(i.verb, i.target) for i in one.effects]
    return any(asked_as(verb, target) in _REACHES for verb, target in done)


def _states_environment(vantage: Vantage, phase: Phase, attrs: Mapping[str, object]) -> bool:
    """Whether a record of the agent's own, which is no call, says where the session works."""
    return bool(attrs.get("environment")) and vantage is Vantage.AGENT and phase in (Phase.STARTED, Phase.POSTURE, Phase.PROMPT)


def _further(here: str, named: set[str], fields: set[str], order: list[str]) -> bool:
    """Whether an environment reaches further than any that was named; of those without a place in the order fields must speak."""
    if not named or here in named:
        return False
    if here in order and named <= set(order):
        return order.index(here) > max(order.index(name) for name in named)
    return bool(fields) and here not in fields
