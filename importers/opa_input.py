"""What was asked of a policy: who, by which call of which session, to do what; read from the shapes `input` usually has.

Known shapes: Envoy's ext_authz request (plain or behind an MCP gateway), HTTP API requests {method, path, user},
Kubernetes admission reviews, and agent tool calls {tool, arguments, session, ...} including an agent's own hook input.
"""

from __future__ import annotations

from importers.api_calls import classify
from importers.fields import (
    Json,
    clip,
    commit_id,
    dig,
    first_text,
    key,
    keys,
    mapping,
    moment,
    names_session,
    number,
    session_id,
    text,
    texts,
    trace_id,
)
from importers.opa_result import plain
from importers.tool_calls import tool_call
from lang.names import repository_name
from model.event import Attr, CredentialFact, Key, Principal, Target
from model.words import KeyRole, TargetClass, Verb

_PLACES = (
    "context",
    "request",
    "agent",
    "session",
    "task",
    "tool_call",
    "toolCall",
    "call",
    "event",
    "metadata",
    "meta",
    "params",
)
_TOOLS = ("tool_name", "toolName", "tool", "function", "function_name")
_ACTIONS = ("action", "operation", "verb", "permission")
_ARGUMENTS = ("tool_input", "toolInput", "arguments", "args", "tool_args", "parameters", "params", "input", "command", "argv")
_RESOURCES = ("resource", "target", "object", "entity")
_SESSIONS = ("session_id", "sessionId", "agent_session_id", "agentSessionId", "conversation_id", "conversationId", "thread_id",
             "threadId", "session")  # fmt: skip
_TASKS = ("task_id", "taskId", "run_id", "runId", "job_id", "jobId")
_CALLS = ("tool_use_id", "toolUseId", "tool_call_id", "toolCallId", "call_id", "callId")
_REQUESTS = ("request_id", "requestId", "x_request_id", "x-request-id", "correlation_id", "correlationId")
_WHO = ("user", "subject", "principal", "identity", "actor", "caller", "userInfo", "user_info", "client")
_NAMES = ("email", "id", "name", "username", "preferred_username", "sub", "login", "user_id", "arn", "spiffe_id", "spiffeId")
_TOKENS = ("jwt_payload", "jwt", "claims", "token", "token_payload", "id_token")
_ATTRS = {
    "cwd": ("cwd", "working_directory", "workingDirectory"),
    "branch": ("branch", "git_branch", "gitBranch"),
    "repository": ("repository", "repo", "git_repository"),
    "project": ("project", "project_name"),
    "environment": ("environment", "env"),
    "ticket": ("ticket", "ticket_id", "ticketId", "issue_key"),
    "mode": ("permission_mode", "permissionMode", "mode", "approval_policy"),
    "sandbox": ("sandbox", "sandbox_mode"),
    "host": ("host", "hostname", "source_ip", "client_ip"),
    "origin": ("origin",),
    "model": ("model",),
    "agent_version": ("agent_version", "agentVersion"),
    "agent_type": ("agent_type", "agentType", "subagent_type"),
    "change_window": ("change_window", "changeWindow"),
    "mcp_server": ("mcp_server", "mcpServer", "server_name"),
}
_KINDS = frozenset({"human", "workload", "agent", "service"})


class Question:
    """One question: its principal, agent, verb, tool, target, telling attributes, and the bearer token it was made with."""

    def __init__(self, asked: object) -> None:
        self._input = root = {name: plain(value) for name, value in mapping(asked).items()}
        self._places = [root, *(found for name in _PLACES if (found := root.get(name)) and isinstance(found, dict))]
        self.attrs: dict[str, Attr] = {}
        self.verb, self.tool, self.target = Verb.UNKNOWN, "", Target()
        self._headers: Json = {}
        self._http_id = ""
        self._claims = self._find_claims()
        http = mapping(dig(root, "attributes", "request", "http")) or mapping(dig(root, "request", "http"))
        if http:
            self._envoy(http)
        elif mapping(dig(root, "request", "kind")).get("kind") and "operation" in mapping(root.get("request")):
            self._admission(mapping(root["request"]))
        elif "method" in root and "path" in root and not self._first(*_TOOLS):
            self._http_api(root)
        else:
            self._agent_tool()
        self.agent = self._agent_name()
        self.principal = self._who()
        self.token = self._token()
        self.token_id = text(self._claims.get("jti"))
        for name, spellings in _ATTRS.items():
            if name not in self.attrs and (value := self._first(*spellings)):
                self.attrs[name] = clip(value, 500)
        self._tidy()

    def _first(self, *names: str) -> str:
        """The first text under one of these names, at the top or in a member that usually holds such."""
        for name in names:
            for place in self._places:
                if (value := place.get(name)) and (found := text(value)):
                    return found
        return ""

    def _one(self, *names: str) -> object:
        """The first value of any type under one of these names."""
        for name in names:
            for place in self._places:
                if (value := place.get(name)) is not None and value != "":
                    return value
        return None

    # What is to be done

    def _envoy(self, http: Json) -> None:
        self._headers = headers = {name.lower(): value for name, value in mapping(plain(http.get("headers"))).items()}
        method = text(http.get("method")) or text(headers.get(":method"))
        path = text(http.get("path")) or text(headers.get(":path"))
        host = text(http.get("host")) or text(headers.get(":authority"))
        self._http_id = text(http.get("id"))
        address = text(dig(self._input, "attributes", "source", "address", "socketAddress", "address"))
        if address:
            self.attrs["host"] = address
        if environment := text(dig(self._input, "attributes", "contextExtensions", "environment")):
            self.attrs["environment"] = environment
        self._http(method, host, path, text(http.get("scheme")))
        body = mapping(plain(self._input.get("parsed_body")))
        if body.get("method") == "tools/call" and body.get("jsonrpc"):
            self._mcp(mapping(body.get("params")), host)

    def _http_api(self, root: Json) -> None:
        path = root.get("path")
        written = "/" + "/".join(texts(path)) if isinstance(path, list) else text(path)
        self._headers = {name.lower(): value for name, value in mapping(root.get("headers")).items()}
        self._http(text(root.get("method")), first_text(root, "host") or text(self._headers.get("host")), written, "")

    def _http(self, method: str, host: str, path: str, scheme: str) -> None:
        self.tool = f"{method} {clip(path.partition('?')[0], 300)}".strip()
        vault = any(name.startswith("x-vault-") for name in self._headers)
        self.verb, self.target = classify(method, host, clip(path, 4000), vault)
        self.attrs["url"] = clip(f"{scheme or 'http'}://{host}{path}" if host else path, 2000)
        if agent := text(self._headers.get("user-agent")):
            self.attrs["user_agent"] = clip(agent, 300)

    def _mcp(self, params: Json, host: str) -> None:
        name = text(params.get("name"))
        self.tool, self.verb = name, Verb.MCP_CALL
        self.target = Target(TargetClass.MCP_SERVER, host, name)
        self.attrs["mcp_server"] = host
        arguments = mapping(params.get("arguments"))
        for kind, names in (("command", ("command", "cmd")), ("path", ("path", "file_path"))):
            if value := first_text(arguments, *names):
                self.attrs[kind] = clip(value, 100_000)
        meta = mapping(params.get("_meta"))
        self._places.append({"tool_use_id": first_text(meta, "claudecode/toolUseId", "toolUseId", "tool_call_id")})

    def _admission(self, review: Json) -> None:
        kind = text(dig(review, "kind", "kind"))
        named = first_text(review, "name") or text(dig(review, "object", "metadata", "name"))
        self.verb, self.tool = Verb.CLUSTER_CALL, f"{text(review.get('operation'))} {kind}".strip()
        self.target = Target(TargetClass.CLUSTER, first_text(review, "namespace"), f"{kind}/{named}")
        self._places.append({"request_id": review.get("uid"), "user": review.get("userInfo")})

    def _agent_tool(self) -> None:
        named = self._one(*_TOOLS)
        arguments: object = None
        if isinstance(named, dict):
            self.tool = first_text(named, "name", "id")
            arguments = self._arguments(named)
        else:
            self.tool = text(named)
        if arguments is None:
            arguments = self._arguments(self._input)
        for name in ("tool_call", "toolCall", "call", "request", "params", "context"):
            if arguments is None:
                arguments = self._arguments(mapping(self._input.get(name)))
        stated = self._one(*_ACTIONS)
        action = text(stated) or first_text(mapping(stated), "name", "id", "verb", "type")
        if not self.tool:
            self.tool = action
        verb, self.target, attrs = tool_call(self.tool, action, plain(arguments), plain(self._one(*_RESOURCES)))
        self.verb = verb
        for name, value in attrs.items():
            self.attrs[name] = clip(value, 100_000) if isinstance(value, str) else value
        if (
            not self.target.name
            and self.verb.value.startswith(("repo.", "pr.", "ci."))
            and (repo := self._first("repository", "repo"))
        ):
            cls = TargetClass.CI_CD if self.verb.value.startswith("ci.") else TargetClass.REPOSITORY
            self.target = Target(cls, repository_name(repo) or repo, self._first("branch", "ref"))

    def _arguments(self, place: Json) -> object:
        for name in _ARGUMENTS:
            value = place.get(name)
            if isinstance(value, dict) and value:
                return value
            if isinstance(value, list | str) and value and name in ("command", "argv", "args"):
                return {"command": value}
        return None

    # Who asks

    def _find_claims(self) -> Json:
        filters = mapping(dig(self._input, "attributes", "metadataContext", "filterMetadata"))
        authn = mapping(filters.get("envoy.filters.http.jwt_authn"))
        for holder in (authn, *(one for one in authn.values() if isinstance(one, dict)), *self._places):
            for name in _TOKENS:
                found = plain(holder.get(name))
                if isinstance(found, dict) and (inner := found.get("payload")) and isinstance(inner, dict):
                    found = inner
                if isinstance(found, dict) and ("sub" in found or "iss" in found or "jti" in found):
                    return found
            if "sub" in holder and "iss" in holder:
                return holder
        return {}

    def _agent_name(self) -> str:
        stated = self._input.get("agent")
        if isinstance(stated, dict):
            if version := first_text(stated, "version"):
                self.attrs["agent_version"] = version
            return first_text(stated, "name", "product", "type", "id")
        named = text(stated) or self._first("agent_name", "agentName")
        if not named and ("hook_event_name" in self._input or "transcript_path" in self._input):
            return "claude-code"
        return named

    def _who(self) -> Principal | None:
        origin = self._first("origin")
        behalf = self._first("on_behalf_of", "onBehalfOf", "delegator")
        claims = self._claims
        if claims:
            actor = text(dig(claims, "act", "sub"))
            person = first_text(claims, "email", "preferred_username", "upn", "sub", "client_id", "azp")
            name = actor or person
            if name:
                return Principal(name, _kind_of(name, ""), origin, behalf or (person if actor else ""))
        for field in _WHO:
            stated = self._one(field)
            name = text(stated) or first_text(mapping(stated), *_NAMES)
            if name:
                kind = first_text(mapping(stated), "kind", "type", "principal_type")
                return Principal(name, _kind_of(name, kind), origin, behalf)
        for header in ("x-forwarded-user", "x-auth-request-email", "x-auth-request-user", "x-user-id", "x-user", "x-agent-id"):
            if name := text(self._headers.get(header)):
                return Principal(name, _kind_of(name, ""), origin, behalf)
        if peer := text(dig(self._input, "attributes", "source", "principal")):
            return Principal(peer, "workload", origin, behalf)
        return Principal(self.agent, "agent", origin, behalf) if self.agent else None

    def _token(self) -> CredentialFact | None:
        claims = self._claims
        if not text(claims.get("jti")):
            return None
        issued, expires = moment(claims.get("iat"), "s")[0], moment(claims.get("exp"), "s")[0]
        known = issued is not None and expires is not None and expires >= issued
        scope = claims.get("scope") or claims.get("scp")
        return CredentialFact(
            kind="jwt",
            issuer=text(claims.get("iss")),
            subject=text(claims.get("sub")),
            scope=tuple(scope.split()) if isinstance(scope, str) else texts(scope),
            ttl_seconds=(expires - issued) // 1_000_000 if known and expires is not None and issued is not None else None,
            expires=expires,
            label=first_text(claims, "azp", "client_id"),
        )

    # What it belongs to

    def keys(self, decision_id: str, trace: str) -> tuple[Key, ...]:
        """Scopes strongest first, then calls and references; ids that name nothing are left out."""
        headers, claims = self._headers, self._claims
        stated_trace = trace_id(headers.get("traceparent")) or trace_id(self._first("traceparent", "trace_id", "traceId"))
        spans = (stated_trace, trace_id(trace))
        found: list[Key | None] = [*self._scopes(), *(key(KeyRole.SCOPE, "trace", one) for one in spans)]
        request = text(headers.get("x-request-id"))
        http_id = "" if self._http_id.lower() in spans else self._http_id
        found += [key(KeyRole.CALL, "call", self._first(*_CALLS))]
        found += [key(KeyRole.CALL, "request", one) for one in (request, http_id, self._first(*_REQUESTS))]
        found.append(key(KeyRole.CALL, "opa.decision", decision_id))
        found.append(key(KeyRole.REFERENCE, "oidc.subject", text(claims.get("sub"))))
        found.append(key(KeyRole.REFERENCE, "ticket", text(self.attrs.get("ticket"))))
        found.append(key(KeyRole.REFERENCE, "commit", commit_id(self._first("commit", "commit_sha", "sha", "head_sha"))))
        repository = self.attrs.get("repository")
        pull = number(self._one("pull_number", "pr_number", "pull_request"))
        found.append(key(KeyRole.REFERENCE, "pr", f"{repository}#{pull}") if pull and repository else None)
        return keys(*found)

    def _scopes(self) -> list[Key | None]:
        stated = self._one(*_SESSIONS)
        named = text(stated) or first_text(mapping(stated), "id", "session_id", "uuid")
        session = session_id(named) or named
        agent = self._first("agent_id", "agentId")
        found: list[Key | None] = []
        if (
            session
            and agent
            and not session_id(agent)
            and ("hook_event_name" in self._input or agent.isalnum())
            and len(agent) <= 24
        ):
            return [key(KeyRole.SCOPE, "claude.agent", f"{session}/{agent}"), key(KeyRole.PARENT, "session", session)]
        found.append(key(KeyRole.SCOPE, "session", session))
        for header, value in self._headers.items():
            if header == "mcp-session-id":
                found.append(key(KeyRole.SCOPE, "mcp.session", text(value)))
            elif names_session(header.removeprefix("x-")):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
        for claim, value in self._claims.items():
            if any(mark in claim for mark in ("agent", "conversation", "thread", "task_id")):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
        if task := self._first(*_TASKS):
            uuid = session_id(task)
            found.append(key(KeyRole.SCOPE, "session", uuid) if uuid else key(KeyRole.SCOPE, "task", task))
        if not any(found):
            found.append(key(KeyRole.SCOPE, "session", session_id(agent)))
        return found

    def _tidy(self) -> None:
        """Repositories in one spelling; a claimed mode belongs to agents, not to HTTP inputs."""
        repository = self.attrs.get("repository")
        if isinstance(repository, str):
            self.attrs["repository"] = repository_name(repository) or repository


def _kind_of(name: str, stated: str) -> str:
    """The kind a principal states, or that its name proves."""
    word = stated.lower()
    if word in _KINDS:
        return word
    if word in ("user", "person", "employee"):
        return "human"
    if word in ("serviceaccount", "service_account", "machine"):
        return "workload"
    if name.startswith(("spiffe://", "system:serviceaccount:", "repo:")):
        return "workload"
    return "unknown"
