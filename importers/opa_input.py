"""What was asked of a policy: who, by which call of which session, to do what; read from the shapes `input` usually has.

Known shapes: Envoy's ext_authz request (plain or behind an MCP gateway), HTTP API requests {method, path, user},
Kubernetes admission reviews, and agent tool calls {tool, arguments, session, ...} including an agent's own hook input.
"""

from __future__ import annotations

from functools import lru_cache

from importers.hook_answers import GEMINI
from importers.opa_result import plain
from importers.shared.api_calls import classify
from importers.shared.fields import (
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
from importers.shared.hooks import hook_agent
from importers.shared.tool_calls import tool_call
from lang.names import repository_name
from model.event import Attr, CredentialFact, Key, Principal, Target
from model.words import KeyRole, TargetClass, Verb

_PLACES = {
    name: rank
    for rank, name in enumerate(
        ("context", "request", "agent", "session", "task", "tool_call", "toolCall", "call", "event", "metadata", "meta", "params")
    )
}
_BEHALF = ("on_behalf_of", "onBehalfOf", "delegator")
_TOOLS = ("tool_name", "toolName", "tool", "function", "function_name")
_ACTIONS = ("action", "operation", "verb", "permission")
_ARGUMENTS = ("tool_input", "toolInput", "arguments", "args", "tool_args", "parameters", "params", "input", "command", "argv")
_RESOURCES = ("resource", "target", "object", "entity")
_SESSIONS = ("session_id", "sessionId", "agent_session_id", "agentSessionId", "conversation_id", "conversationId", "thread_id",
             "threadId", "session")  # fmt: skip
_TASKS = ("task_id", "taskId", "run_id", "runId", "job_id", "jobId")
_CALLS = ("tool_use_id", "toolUseId", "tool_call_id", "toolCallId", "call_id", "callId")
_REQUESTS = ("request_id", "requestId", "x_request_id", "x-request-id", "correlation_id", "correlationId")
_WHO = ("user", "subject", "principal", "identity", "actor", "caller", "userInfo", "user_info", "client", "user_email")
_NAMES = ("email", "id", "name", "username", "preferred_username", "sub", "login", "user_id", "arn", "spiffe_id", "spiffeId")
_TOKENS = ("jwt_payload", "jwt", "claims", "token", "token_payload", "id_token")
_CLAIM_PLACES = frozenset({*_TOKENS, "attributes", "iss"})
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
_SPELLED = {spelling: (attr, rank) for attr, spellings in _ATTRS.items() for rank, spelling in enumerate(spellings)}
_KINDS = frozenset({"human", "workload", "agent", "service"})


class Question:
    """One question: its principal, agent, verb, tool, target, telling attributes, and the bearer token it was made with."""

    def __init__(self, asked: object) -> None:
        self._input: Json = {}
        root = self._input
        self._texts: dict[str, str] = {}
        self._values: Json = {}
        inner: list[tuple[int, Json]] = []
        for name, value in mapping(asked).items():
            if isinstance(value, list | dict):
                value = plain(value)
                if isinstance(value, dict) and (rank := _PLACES.get(name)) is not None:
                    inner.append((rank, value))
            root[name] = value
        self._note(root)
        inner.sort(key=lambda place: place[0])
        for _, place in inner:
            self._note(place)
        self._places = [root, *(place for _, place in inner)]
        self.attrs: dict[str, Attr] = {}
        self.verb, self.tool, self.target = Verb.UNKNOWN, "", Target()
        self._headers: Json = {}
        self._http_id = ""
        self._claims = self._find_claims()
        request = mapping(root.get("request"))
        http = mapping(dig(root.get("attributes"), "request", "http")) or mapping(request.get("http"))
        if http:
            self._envoy(http)
        elif "operation" in request and mapping(request.get("kind")).get("kind"):
            self._admission(request)
        elif (call := self._mcp_call(root)) is not None:
            self._mcp(call, self._first("mcp_server", "mcpServer", "server_name", "server"))
        elif "method" in root and "path" in root and not self._first(*_TOOLS):
            self._http_api(root)
        else:
            self._agent_tool()
        self.agent = self._agent_name()
        self.principal = self._who()
        self.token = self._token()
        self.token_id = text(self._claims.get("jti"))
        self._facts()

    def _note(self, place: Json) -> None:
        """Take up what this place says under names that no place before it used."""
        words, values = self._texts, self._values
        for name, value in place.items():
            if value is None or value == "":
                continue
            if name not in values:
                values[name] = value
            if name not in words:
                if isinstance(value, str):
                    words[name] = value
                elif found := text(value):
                    words[name] = found

    def _first(self, *names: str) -> str:
        """The first text under one of these names, at the top or in a member that usually holds such."""
        found = self._texts
        for name in names:
            if name in found:
                return found[name]
        return ""

    def _one(self, *names: str) -> object:
        """The first value of any type under one of these names."""
        values = self._values
        for name in names:
            if name in values:
                return values[name]
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
        self._http(text(root.get("method")), self._texts.pop("host", "") or text(self._headers.get("host")), written, "")

    def _http(self, method: str, host: str, path: str, scheme: str) -> None:
        self.tool = f"{method} {clip(path.partition('?')[0], 300)}".strip()
        vault = any(name.startswith("x-vault-") for name in self._headers)
        self.verb, self.target = classify(method, host, clip(path, 4000), vault)
        self.attrs["url"] = clip(f"{scheme or 'http'}://{host}{path}" if host else path, 2000)
        if agent := text(self._headers.get("user-agent")):
            self.attrs["user_agent"] = clip(agent, 300)

    def _mcp_call(self, root: Json) -> Json | None:
        """The parameters of a tool call as a gateway hands on the message itself, at the top or below a usual member."""
        for place in (root, *(mapping(root.get(name)) for name in ("request", "message", "body", "mcp", "parsed_body"))):
            if place.get("method") == "tools/call" and isinstance(place.get("params"), dict):
                return mapping(plain(place["params"]))
        return None

    def _mcp(self, params: Json, host: str) -> None:
        name = text(params.get("name"))
        self.tool, self.verb = name, Verb.MCP_CALL
        self.target = Target(TargetClass.MCP_SERVER, host, name)
        if host:
            self.attrs["mcp_server"] = host
        arguments = mapping(params.get("arguments"))
        for kind, names in (("command", ("command", "cmd")), ("path", ("path", "file_path"))):
            if value := first_text(arguments, *names):
                self.attrs[kind] = clip(value, 100_000)
        meta = mapping(params.get("_meta"))
        self._note({"tool_use_id": first_text(meta, "claudecode/toolUseId", "toolUseId", "tool_call_id")})

    def _admission(self, review: Json) -> None:
        kind = text(dig(review, "kind", "kind"))
        named = first_text(review, "name") or text(dig(review, "object", "metadata", "name"))
        self.verb, self.tool = Verb.CLUSTER_CALL, f"{text(review.get('operation'))} {kind}".strip()
        self.target = Target(TargetClass.CLUSTER, first_text(review, "namespace"), f"{kind}/{named}")
        self._note({"request_id": review.get("uid"), "user": review.get("userInfo")})

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
        if arguments is None:
            for name in ("tool_call", "toolCall", "call", "request", "params", "context"):
                arguments = self._arguments(mapping(self._input.get(name))) if arguments is None else arguments
        stated = self._one(*_ACTIONS)
        action = first_text(stated, "name", "id", "verb", "type") if isinstance(stated, dict) else text(stated)
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
        """The claims of the bearer token: as Envoy's filter notes them, or as policies are commonly handed them."""
        if _CLAIM_PLACES.isdisjoint(self._values):
            return {}
        filters = mapping(dig(self._input, "attributes", "metadataContext", "filterMetadata"))
        authn = mapping(filters.get("envoy.filters.http.jwt_authn"))
        candidates = [*authn.values(), *(self._values[name] for name in _TOKENS if name in self._values)]
        for candidate in candidates:
            found = plain(candidate)
            if isinstance(found, dict):
                inner = found.get("payload")
                found = inner if isinstance(inner, dict) and inner else found
                if "sub" in found or "iss" in found or "jti" in found:
                    return found
        if "sub" in self._values and "iss" in self._values:
            return next((place for place in self._places if "sub" in place and "iss" in place), {})
        return {}

    def _agent_name(self) -> str:
        stated = self._input.get("agent")
        if isinstance(stated, dict):
            if version := first_text(stated, "version"):
                self.attrs["agent_version"] = version
            return first_text(stated, "name", "product", "type", "id")
        named = text(stated) or self._first("agent_name", "agentName")
        if named or not {"hook_event_name", "transcript_path"} & self._values.keys():
            return named
        return "gemini-cli" if self._first("hook_event_name") in GEMINI else hook_agent(self._values)

    def _who(self) -> Principal | None:
        origin = self._first("origin")
        behalf = self._first(*_BEHALF)
        claims = self._claims
        if claims:
            actor = text(dig(claims, "act", "sub"))
            person = first_text(claims, "email", "preferred_username", "upn", "sub", "client_id", "azp")
            name = actor or person
            if name:
                return Principal(name, _kind_of(name, ""), origin, behalf or (person if actor else ""))
        for field in _WHO:
            if field not in self._values:
                continue
            stated = self._values[field]
            if isinstance(stated, dict):
                name, kind = first_text(stated, *_NAMES), first_text(stated, "kind", "type", "principal_type")
                behalf = behalf or first_text(stated, *_BEHALF)
            else:
                name, kind = text(stated), ""
            if name:
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
        headers = self._headers
        stated = trace_id(headers.get("traceparent")) or trace_id(self._first("traceparent", "trace_id", "traceId"))
        spans = [one for one in (stated, trace_id(trace)) if one]
        found: list[Key | None] = [*self._scopes(), *(Key(KeyRole.SCOPE, "trace", one) for one in spans)]
        if call := self._first(*_CALLS):
            found.append(key(KeyRole.CALL, "call", call))
        for request in (text(headers.get("x-request-id")), self._http_id, self._first(*_REQUESTS)):
            if request and request.lower() not in spans:
                found.append(key(KeyRole.CALL, "request", request))
        found.append(key(KeyRole.CALL, "opa.decision", decision_id))
        if subject := text(self._claims.get("sub")):
            found.append(key(KeyRole.REFERENCE, "oidc.subject", subject))
        if ticket := self.attrs.get("ticket"):
            found.append(key(KeyRole.REFERENCE, "ticket", text(ticket)))
        if commit := commit_id(self._first("commit", "commit_sha", "sha", "head_sha")):
            found.append(Key(KeyRole.REFERENCE, "commit", commit))
        pull = number(self._one("pull_number", "pr_number", "pull_request"))
        if pull and (repository := self.attrs.get("repository")):
            found.append(key(KeyRole.REFERENCE, "pr", f"{repository}#{pull}"))
        return keys(*found)

    def _scopes(self) -> list[Key | None]:
        """The session by what states it most plainly; a task's id only where no session is stated."""
        stated = self._one(*_SESSIONS)
        named = first_text(stated, "id", "session_id", "uuid") if isinstance(stated, dict) else text(stated)
        session = session_id(named) or named
        agent = self._first("agent_id", "agentId")
        if session and agent and len(agent) <= 24 and ("hook_event_name" in self._input or agent.isalnum()):
            return [key(KeyRole.SCOPE, "claude.agent", f"{session}/{agent}"), key(KeyRole.PARENT, "session", session)]
        found: list[Key | None] = [key(KeyRole.SCOPE, "session", session)] if session else []
        for header, value in self._headers.items():
            if header == "mcp-session-id":
                found.append(key(KeyRole.SCOPE, "mcp.session", text(value)))
            elif names_session(header.removeprefix("x-")):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
        for claim, value in self._claims.items():
            if any(mark in claim for mark in ("agent", "conversation", "thread", "task_id")):
                found.append(key(KeyRole.SCOPE, "session", session_id(value)))
        if not any(found) and (task := self._first(*_TASKS)):
            uuid = session_id(task)
            found.append(key(KeyRole.SCOPE, "session", uuid) if uuid else key(KeyRole.SCOPE, "task", task))
        if not any(found):
            found.append(key(KeyRole.SCOPE, "session", session_id(agent)))
        return found

    def _facts(self) -> None:
        """Attributes stated under a usual name, the better spelling first; repositories in one spelling."""
        best: dict[str, tuple[int, str]] = {}
        for name in self._texts:
            if (known := _SPELLED.get(name)) is not None and known[0] not in self.attrs:
                attr, rank = known
                if attr not in best or rank < best[attr][0]:
                    best[attr] = (rank, name)
        for attr, (_, name) in best.items():
            self.attrs[attr] = clip(self._texts[name], 500)
        repository = self.attrs.get("repository")
        if isinstance(repository, str):
            self.attrs["repository"] = _slug(repository)


@lru_cache(maxsize=4096)
def _slug(address: str) -> str:
    return repository_name(address) or address


@lru_cache(maxsize=4096)
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
