"""A request as Cedar sees it: which attribute stands where, and the published Cedar schema made from the request schema."""

from __future__ import annotations

from typing import Any

from lang.cel.requests import writable
from lang.cel.typed import Value
from model.request import FIELD, FIELDS, Field
from model.words import TargetClass, Verb

PRINCIPAL = "Agent"
ACTION = "Action"
# Types whose members other entities lie in, with the attribute that says in which.
PARENTS = {"User": "principal.on_behalf_of", "Owner": "resource.owner", "Environment": "resource.environment"}
RESOURCES = {
    c.value: "".join(word.title() for word in c.value.split("_")) + ("Task" if c.value == "agent" else "") for c in TargetClass
}
TYPES = frozenset({PRINCIPAL, ACTION, *PARENTS, *RESOURCES.values()})
GROUPS = ("agent", "action", "credential")
"""Groups of the request that are records inside `context`; `context.*` of the request are names of `context` itself."""

_CEDAR_TYPES = {"string": "String", "int": "Long", "bool": "Bool", "list<string>": "Set<String>", "timestamp": "datetime"}
MAPPING = (
    f'principal is {PRINCIPAL}::"<principal.id>", action is {ACTION}::"<action.verb>", resource is by its class '
    f"{', '.join(sorted(set(RESOURCES.values())))}; everything else is in context"
)


def groups_of_verbs() -> dict[str, str]:
    """The group each verb belongs to: `repo` for `repo.write`; verbs without a dot have none."""
    return {verb.value: verb.value.partition(".")[0] for verb in Verb if "." in verb.value}


def place(path: tuple[str, ...]) -> Field | None:
    """The attribute of our schema that a Cedar path reads: `("context", "agent", "name")` is `agent.name`."""
    names = _names(path)
    return FIELD.get(".".join(names)) if names else None


def is_group(path: tuple[str, ...]) -> bool:
    """Whether a path stands for a record of attributes, which is always there."""
    prefix = ".".join((*_names(path), ""))
    return len(path) > 1 and any(name.startswith(prefix) for name in FIELD)


def _names(path: tuple[str, ...]) -> tuple[str, ...]:
    root, *rest = path
    if root == "context" and rest and rest[0] in GROUPS:
        return tuple(rest)
    return path if root in ("principal", "resource", "context") else ()


def schema_text(verbs: frozenset[str] | None = None, types: frozenset[str] | None = None) -> str:
    """The published schema, in Cedar's own notation. Every attribute is optional: a log need not state it.

    `verbs` and `types` leave only some actions and types of resource in it; parents and groups are always there.
    """

    def record(group: str, indent: str, more: tuple[str, ...] = ()) -> str:
        lines: list[str] = []
        for f in FIELDS:
            name, _, below = f.name.removeprefix(f"{group}.").partition(".")
            if not f.name.startswith(f"{group}."):
                continue
            if not below:
                lines.append(f'{indent}  "{name}"?: {_CEDAR_TYPES[f.type]},')
            elif (line := f'{indent}  "{name}": {record(f"{group}.{name}", f"{indent}  ")},') not in lines:
                lines.append(line)
        return "{\n" + "\n".join((*lines, *more)) + f"\n{indent}}}"

    inner = tuple(f"    {group}: {record(group, '    ')}," for group in GROUPS)
    kinds = sorted(name for name in set(RESOURCES.values()) if types is None or name in types)
    actions = [
        f'"{verb.value}"' + (f' in [Action::"{group}"]' if group else "")
        for verb, group in _verbs()
        if verbs is None or verb.value in verbs
    ]
    return "\n".join(
        [
            *(f"entity {name};" for name in PARENTS),
            f"entity {PRINCIPAL} in [User] {record('principal', '')};",
            *(f"entity {name} in [Owner, Environment] {record('resource', '')};" for name in kinds),
            *(f'action "{group}";' for group in sorted(set(groups_of_verbs().values()))),
            f"type Context = {record('context', '', inner)};",
            *(
                f"action {v} appliesTo {{ principal: {PRINCIPAL}, resource: [{', '.join(kinds)}], context: Context }};"
                for v in actions
            ),
            "",
        ]
    )


def _verbs() -> list[tuple[Verb, str]]:
    groups = groups_of_verbs()
    return [(verb, groups.get(verb.value, "")) for verb in Verb]


def question(request: dict[str, Value]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A request as Cedar's own request and the entities that belong to it; what is missing is left out.

    An identity that is missing is empty: whoever reads it must know that, Cedar cannot.
    """
    context: dict[str, Any] = {group: {} for group in GROUPS}
    attrs: dict[str, dict[str, Any]] = {"principal": {}, "resource": {}}
    for field in FIELDS:
        group, *between, key = field.name.split(".")
        at = attrs[group] if group in attrs else context[group] if group in GROUPS else context
        for step in between:
            at = at.setdefault(step, {})
        if field.name in request:
            value = writable(field, request[field.name])
            at[key] = {"__extn": {"fn": "datetime", "arg": value}} if field.type == "timestamp" else value
    verb = str(request.get("action.verb", ""))
    uids = {
        "principal": {"type": PRINCIPAL, "id": str(request.get("principal.id", ""))},
        "action": {"type": ACTION, "id": verb},
        "resource": {
            "type": RESOURCES.get(str(request.get("resource.class")), "Unknown"),
            "id": str(request.get("resource.name", "")),
        },
    }
    parents: dict[str, list[dict[str, str]]] = {"principal": [], "resource": [], "action": []}
    for kind, name in PARENTS.items():
        if name in request:
            parents[name.partition(".")[0]].append({"type": kind, "id": str(request[name])})
    family = groups_of_verbs().get(verb)
    if family:
        parents["action"].append({"type": ACTION, "id": family})
    entities = [{"uid": uids[var], "attrs": attrs.get(var, {}), "parents": parents[var]} for var in uids]
    return {**uids, "context": context}, entities
