"""The parts of an OCSF event: who, by which credential, what on what, how it was decided and whether it was done."""

from __future__ import annotations

import re

from importers.cloudtrail_calls import call_name, service_of
from importers.cloudtrail_calls import classify as aws_call
from importers.cloudtrail_credentials import grants
from importers.cloudtrail_identity import session_name
from importers.kubernetes_request import Request
from importers.ocsf_names import said_effect
from importers.shared.agents import file_act
from importers.shared.api_calls import classify as http_call
from importers.shared.chat import json_of
from importers.shared.fields import Json, clip, dig, first_text, key, keys, mapping, number, session_id, text, trace_id
from importers.shared.told import Told, effect_of, session_key
from lang.names import host_name
from model.event import CredentialFact, Event, Key, Principal, Target
from model.words import Effect, EventKind, KeyRole, TargetClass, Verb

_AWS_KEY = re.compile(r"^A[KS]IA[A-Z0-9]{4,}$")
_DISPOSITIONS = {1: Effect.ALLOW, 2: Effect.DENY, 3: Effect.DENY, 4: Effect.DENY, 5: Effect.DENY, 6: Effect.DENY, 8: Effect.ALLOW,
                 19: Effect.ALLOW, 21: Effect.DENY, 22: Effect.ASK, 23: Effect.ASK, 24: Effect.DENY,
                 25: Effect.DENY, 26: Effect.DENY}  # fmt: skip
_ACTIONS = {1: Effect.ALLOW, 2: Effect.DENY}
_ACCESS = {1: Effect.ALLOW, 2: Effect.DENY}
"""Activities of Web Resource Access Activity: access was granted, it was denied."""
_NOT_DONE = {4001: (4, 5), 6004: (4,)}
"""Activities that say of themselves that nothing came of it: a connection that failed or was refused, access that ran into an error."""
_NAMED = (3001, 3003, 3004, 3005, 3006, 6001, 6002, 6004, 6006)
_FILES = {1: Verb.FILE_WRITE, 2: Verb.FILE_READ, 3: Verb.FILE_WRITE, 4: Verb.FILE_DELETE, 5: Verb.FILE_WRITE, 6: Verb.FILE_WRITE,
          7: Verb.FILE_WRITE, 8: Verb.FILE_READ, 9: Verb.FILE_READ, 14: Verb.FILE_READ}  # fmt: skip
_REFUSED = ("accessdenied", "unauthorized", "forbidden", "permission denied", "not authorized")
_PEOPLE = {1: "human", 2: "human", 3: "service", 4: "workload"}


def enrichments(entry: Json) -> Json:
    """Enrichments and unmapped members by name, whether written as the schema's list or as an object."""
    found: Json = dict(mapping(entry.get("unmapped")))
    stated = entry.get("enrichments")
    if isinstance(stated, dict):
        found.update(stated)
    for one in stated if isinstance(stated, list) else []:
        if isinstance(one, dict) and (name := text(one.get("name"))):
            found[name] = one.get("value")
    return found


def principal_of(entry: Json) -> Principal | None:
    actor = mapping(entry.get("actor"))
    user = mapping(actor.get("user")) or mapping(entry.get("user"))
    # The name that other logs know a role by is in `uid`, in what it was called before 1.0, or beside it.
    arn = next((one for one in ("uid", "uuid") if text(user.get(one)).startswith("arn:")), "uid_alt")
    name = first_text(user, "email_addr", arn, "uid_alt", "name", "uid")
    if not name:
        name = first_text(actor, "invoked_by", "app_name")
        return Principal(name, "service") if name else None
    kind = _PEOPLE.get(number(user.get("type_id")) or 0, "human" if "@" in name else "unknown")
    return Principal(name, kind)


def keys_of(entry: Json, class_uid: int) -> tuple[Key, ...]:
    """Request, correlation and trace; the session where a process or an API call states an agent's."""
    actor = mapping(entry.get("actor"))
    process = mapping(actor.get("process"))
    metadata = mapping(entry.get("metadata"))
    session = first_text(process, "session_uid") or first_text(mapping(process.get("session")), "uid")
    found: list[Key | None] = [session_key(session)] if session else []
    if class_uid // 1000 != 3 or _is_call(entry, class_uid):
        stated = first_text(mapping(actor.get("session")), "uid", "uid_alt")
        found.append(key(KeyRole.SCOPE, "session", session_id(stated)))
        user = mapping(actor.get("user"))
        role = session_name({"arn": user.get("uid"), "principalId": user.get("uid_alt")})
        role = role or session_name({"arn": user.get("uuid"), "principalId": user.get("uid")})
        found.append(key(KeyRole.SCOPE, "session", session_id(role)))
    trace = first_text(metadata, "trace_uid") or text(dig(entry, "trace", "uid"))
    request = text(dig(entry, "api", "request", "uid")) or text(dig(entry, "http_request", "uid"))
    found += [
        key(KeyRole.SCOPE, "trace", trace_id(trace)),
        key(KeyRole.CALL, "request", request),
        key(KeyRole.CALL, "ocsf.correlation", first_text(metadata, "correlation_uid")),
    ]
    return keys(*found)


def used_of(told: Told, entry: Json) -> list[Event]:
    """The credential the actor showed, where the event names it."""
    user = mapping(mapping(entry.get("actor")).get("user"))
    ident = first_text(user, "credential_uid") or first_text(
        mapping(mapping(entry.get("actor")).get("session")), "credential_uid"
    )
    if not ident:
        return []
    aws = _AWS_KEY.match(ident) is not None
    kind = ("aws.access_key" if ident.startswith("AKIA") else "aws.session") if aws else "unknown"
    subject = told.principal.name if told.principal else ""
    return told.used(
        key(KeyRole.CREDENTIAL, "aws.key" if aws else "credential", ident), fact=CredentialFact(kind=kind, subject=subject)
    )


def given_of(told: Told, entry: Json) -> list[Event]:
    """The credentials that a call of AWS' own handed out or took back, as its response or its request tells."""
    service = text(dig(entry, "api", "service", "name"))
    if ".amazonaws." not in service and text(dig(entry, "cloud", "provider")).upper() != "AWS":
        return []
    user = mapping(mapping(entry.get("actor")).get("user"))
    used = first_text(user, "credential_uid")
    asked, answered = (mapping(json_of(dig(entry, "api", side, "data"))) for side in ("request", "response"))
    cloud = mapping(entry.get("cloud"))
    arn = next((text(user.get(one)) for one in ("uid", "uuid") if text(user.get(one)).startswith("arn:")), "")
    identity: Json = {"accessKeyId": used, "arn": arn, "userName": text(user.get("name"))}
    account = first_text(mapping(cloud.get("account")), "uid") or first_text(mapping(user.get("account")), "uid")
    name = call_name(text(dig(entry, "api", "operation")))
    via = key(KeyRole.VIA, "aws.key", used) if _AWS_KEY.match(used) else None
    return [
        told.event(EventKind.CREDENTIAL, one.phase, *one.names, via, credential=one.fact)
        for one in grants(name, told.verb, identity, asked, answered, account, text(cloud.get("region")), told.at)
    ]


def decision_of(entry: Json) -> tuple[Effect, str, str]:
    """Effect, rule and reason: the writer's own word, the authorizations, the disposition, the action; else unknown."""
    policy = mapping(entry.get("policy"))
    rule = (
        first_text(entry, "policy_rule")
        or first_text(mapping(entry.get("firewall_rule")), "name", "uid")
        or first_text(policy, "name", "uid")
    )
    reason = (
        first_text(entry, "status_detail") or first_text(mapping(entry.get("finding_info")), "desc") or first_text(policy, "desc")
    )
    stated = first_text(entry, "policy_decision")
    effect = Effect.ASK if stated == "warn" else effect_of(stated)
    if effect is Effect.ASK and stated == "warn":
        effect, reason = Effect.ALLOW, f"warned; {reason}".rstrip("; ")
    if effect is not Effect.UNKNOWN:
        return effect, rule, reason
    granted = dig(entry, "actor", "authorizations")
    for one in granted if isinstance(granted, list) else []:
        said = effect_of(mapping(one).get("decision"))
        if said is not Effect.UNKNOWN:
            named = mapping(mapping(one).get("policy"))
            return said, first_text(named, "name", "uid") or rule, first_text(named, "desc") or reason
    for name, table in (("disposition_id", _DISPOSITIONS), ("action_id", _ACTIONS)):
        said = table.get(number(entry.get(name)) or 0, Effect.UNKNOWN)
        if said is not Effect.UNKNOWN:
            return said, rule, reason or first_text(entry, name.removesuffix("_id"))
    said = said_effect(entry)
    if said is not Effect.UNKNOWN:
        return said, rule, reason
    asked = kubernetes_of(entry)
    if asked is not None and (judged := asked.decision()) is not None:
        return judged
    error = " ".join(text(dig(entry, "api", "response", name)) for name in ("error", "message"))
    code = _code(entry)
    if code in (401, 403) or any(mark in error.lower() for mark in _REFUSED):
        return Effect.DENY, rule, clip(error.strip() or f"status {code}", 500)
    if number(entry.get("class_uid")) == 6004:
        return _ACCESS.get(number(entry.get("activity_id")) or 0, Effect.UNKNOWN), rule, reason
    return Effect.UNKNOWN, "", ""


def answer_of(entry: Json, class_uid: int, activity: int | None) -> bool | None:
    """Whether what was tried was done: by status, else by the response's code; None where neither is stated."""
    if activity in _NOT_DONE.get(class_uid, ()):
        return False
    status = number(entry.get("status_id"))
    if status in (1, 2):
        return status == 1
    word = text(entry.get("status")).lower()
    if word in ("success", "failure"):
        return word == "success"
    code = _code(entry)
    if code is not None and code >= 100:
        return code < 400
    return False if text(dig(entry, "api", "response", "error")) else None


def _is_call(entry: Json, class_uid: int) -> bool:
    """Whether an event of a class for accounts, access or resources is an API call: before 1.0 calls had class 3005, and those
    that change accounts or access still have the classes for these.
    """
    return class_uid in _NAMED and bool(text(dig(entry, "api", "operation")))


def _code(entry: Json) -> int | None:
    """The code of the answer; `http_status` is where it stood before there was a response."""
    found = number(dig(entry, "api", "response", "code")) or number(dig(entry, "http_response", "code"))
    return found or number(entry.get("http_status"))


def describe(told: Told, entry: Json, class_uid: int, activity: int | None, more: Json) -> bool:
    """Set verb, tool, target and telling attributes; False where the event does not say what was done."""
    server, tool = first_text(more, "server_name", "mcp_server", "server_id"), first_text(more, "tool_name", "mcp_tool")
    if tool:
        told.verb, told.tool = Verb.MCP_CALL, tool
        told.target = Target(TargetClass.MCP_SERVER, server, tool)
        told.note(mcp_server=server)
        code = text(dig(entry, "metadata", "event_code"))
        return not code or "call" in code
    if secret := first_text(more, "secret_name", "secret_path"):
        told.verb, told.tool = Verb.SECRET_READ, "secret"
        told.target = Target(TargetClass.SECRET_STORE, secret, first_text(more, "provider"))
        return True
    family = class_uid // 1000
    if class_uid == 1001:
        path = first_text(mapping(entry.get("file")), "path", "name")
        act = file_act(
            _FILES.get(activity or 0, Verb.FILE_READ if text(entry.get("operation")) == "read" else Verb.FILE_WRITE), path
        )
        told.verb, told.target = act.verb, act.target
        told.note(path=path)
        return bool(path)
    if class_uid == 1007:
        process = mapping(entry.get("process")) or mapping(dig(entry, "actor", "process"))
        command = first_text(process, "cmd_line") or first_text(mapping(process.get("file")), "path")
        told.verb = Verb.EXEC
        told.note(command=first_text(entry, "payload_command") or command)
        if program := first_text(mapping(process.get("file")), "path"):
            told.target = Target(TargetClass.FILESYSTEM, program)
        return True
    if class_uid == 3002:
        told.verb, told.tool = Verb.CREDENTIAL_ISSUE, "authentication"
        return activity in (None, 0, 1, 3, 4, 99)
    if family == 4:
        return _network(told, entry, class_uid)
    if class_uid == 6003 or _is_call(entry, class_uid):
        return _api(told, entry)
    if class_uid == 6005:
        named = first_text(mapping(entry.get("database")), "name", "uid") or first_text(
            mapping(entry.get("databucket")), "name", "uid"
        )
        named = named or first_text(mapping(entry.get("table")), "name", "uid")
        told.verb = Verb.DB_QUERY
        told.target = Target(TargetClass.DATABASE, named)
        told.note(command=first_text(mapping(entry.get("query_info")), "query_string"))
        return bool(named or "command" in told.attrs)
    if class_uid in _NAMED or family == 1:
        told.tool = first_text(entry, "activity_name", "class_name")
        told.target = Target(TargetClass.CLOUD if family != 1 else TargetClass.UNKNOWN, _resource(entry))
        return bool(told.target.name)
    return False


def _network(told: Told, entry: Json, class_uid: int) -> bool:
    place = mapping(entry.get("dst_endpoint"))
    host = first_text(place, "hostname", "domain", "ip")
    request = mapping(entry.get("http_request"))
    if class_uid == 4002:
        stated = request.get("url")
        url = text(stated) or first_text(mapping(stated), "url_string", "path")
        host = host or host_name(url) or first_text(mapping(stated), "hostname")
        path = url if url.startswith("/") else "/" + url.partition("://")[2].partition("/")[2]
        told.tool = f"{text(request.get('http_method'))} {path.partition('?')[0]}".strip()
        told.verb, told.target = http_call(text(request.get("http_method")), host, clip(path, 4000))
        told.note(url=url if "://" in url else f"http://{host}{path}" if host else url)
        return bool(host or url)
    if class_uid == 4003:
        host = first_text(mapping(entry.get("query")), "hostname") or host
    told.verb = Verb.NET_CONNECT
    told.target = Target(TargetClass.NETWORK, host, first_text(place, "port") or first_text(place, "ip"))
    if not host and (file := first_text(mapping(entry.get("file")), "path")):
        told.target = Target(TargetClass.NETWORK, file)
    return True


def _api(told: Told, entry: Json) -> bool:
    # Writers that have no name of a call tell the name that the event has in its own log.
    operation = text(dig(entry, "api", "operation")) or clip(text(dig(entry, "metadata", "event_code")), 200)
    service = text(dig(entry, "api", "service", "name"))
    if not operation:
        return False
    if (asked := kubernetes_of(entry)) is not None:
        told.verb, told.target = asked.action, asked.target
        told.tool = " ".join(part for part in (asked.verb, asked.resource) if part)
        told.note(command=asked.command, url=asked.uri)
        audit = key(KeyRole.CALL, "k8s.audit", first_text(mapping(dig(entry, "api", "request")), "uid"))
        told.keys = (*told.keys, *([audit] if audit else []))
        return True
    resources = entry.get("resources")
    named = (
        [{"ARN": first_text(one, "uid", "name")} for one in resources if isinstance(one, dict)]
        if isinstance(resources, list)
        else []
    )
    told.tool = f"{service_of(service)}:{operation}" if service else operation
    if ".amazonaws." in service or text(dig(entry, "cloud", "provider")).upper() == "AWS":
        told.verb, told.target = aws_call(
            service_of(service), call_name(operation), mapping(json_of(dig(entry, "api", "request", "data"))), named
        )
        return True
    cluster = "kubernetes" in service.lower() or text(dig(entry, "metadata", "product", "name")).lower().startswith("kube")
    told.verb = Verb.CLUSTER_CALL if cluster else Verb.CLOUD_CALL
    place = _resource(entry)
    told.target = (
        Target(TargetClass.CLUSTER, place, operation)
        if cluster
        else Target(TargetClass.CLOUD, f"{service}:{operation}".strip(":"), place)
    )
    return True


def kubernetes_of(entry: Json) -> Request | None:
    """The request of a Kubernetes audit event that was turned into OCSF, as Security Lake does with EKS; None for another event."""
    if not text(dig(entry, "metadata", "product", "version")).startswith("audit.k8s.io"):
        return None
    url = mapping(dig(entry, "http_request", "url"))
    uri = "?".join(part for part in (first_text(url, "path"), first_text(url, "query_string")) if part)
    held = entry.get("resources")
    resource = mapping(held[0]) if isinstance(held, list) and held else {}
    unmapped = mapping(entry.get("unmapped"))
    annotations = mapping(json_of(unmapped.get("annotations"))) or {
        name.removeprefix("annotations."): value for name, value in unmapped.items() if name.startswith("annotations.")
    }
    answer = mapping(dig(entry, "api", "response"))
    event: Json = {
        "verb": text(dig(entry, "api", "operation")),
        "requestURI": uri,
        "annotations": annotations,
        "responseStatus": {"code": answer.get("code"), "message": answer.get("message"), "reason": answer.get("error")},
        "requestObject": {"metadata": {"name": resource.get("name")}},
    }
    asked = Request(event)
    if asked.resource:
        return asked
    named = {"namespace": resource.get("namespace"), "resource": resource.get("type"), "name": resource.get("name")}
    return Request({**event, "objectRef": named})


def _resource(entry: Json) -> str:
    listed = [entry.get(name) for name in ("resources", "web_resources")]
    places = [one for held in listed if isinstance(held, list) for one in held]
    places += [entry.get(name) for name in ("resource", "web_resource", "app", "file", "user", "group", "entity")]
    return next(
        (found for one in places if isinstance(one, dict) and (found := first_text(one, "name", "uid", "url_string"))), ""
    )
