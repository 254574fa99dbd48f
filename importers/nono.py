"""nono's `audit-events.ndjson`: sandbox sessions, capability decisions, addresses opened, network decisions.

Every record is chained: `leaf_hash` is SHA-256 over a domain word and `event_json`, `chain_hash` over another one, the
previous chain hash and the leaf. The chain is computed again on import. A record that breaks it is kept, its events say so
(`chain_broken`, which AUD-03 tells) and the record is counted under a type of its own, so that it shows in the reconciliation.

A session's own `session.json` says in sum what that log tells record by record; it is heard where there was no such log yet.
"""

from __future__ import annotations

import hmac
import shlex
from collections.abc import Sequence
from hashlib import sha256

from importers.shared.agents import file_act, web_act
from importers.shared.fields import Json, clip, decode, first_text, key, keys, mapping, moment, number, text, texts, truth
from importers.shared.told import Told, effect_of, session_key
from importers.shared.transcript import objects
from model.event import BadRecord, Event, Key, Parsed, Principal, Target
from model.words import Effect, EventKind, KeyRole, Phase, TargetClass, Vantage, Verb

_EVENT = b"nono.audit.event.alpha\n"
_CHAIN = b"nono.audit.chain.alpha\n"
_ZERO = bytes(32)
BROKEN = "audit chain broken"
_KNOWN = frozenset(
    {"session_started", "session_ended", "capability_decision", "url_open", "network", "sandbox_runtime", "command_policy"}
)
_NO_ANSWER = frozenset({"upstream_connect_failed", "intercept_handshake_failed"})
"""Categories of what the proxy calls denied though nobody refused it: the other side could not be reached."""


_ASKED = {
    "approve_requested": Effect.ASK,
    "approve_granted": Effect.ALLOW,
    "approve_denied": Effect.DENY,
    "approve_timeout": Effect.DENY,
    "approve_error": Effect.DENY,
}
"""What came of asking a person or a backend about one request; without an answer the proxy lets nothing through."""


class NonoReader:
    """Reads one session's file in order; holds the head of its chain and its session id."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._head: bytes | None = None
        self._session = ""
        self._first = ""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        if _is_session(entry):
            return self._summary(entry)
        event = mapping(entry.get("event"))
        sequence = number(entry.get("sequence"))
        kind = text(event.get("type"))
        if sequence is None or not kind:
            raise BadRecord("not a nono audit record: needs sequence and event.type")
        leaf, chain = _hash(entry.get("leaf_hash")), _hash(entry.get("chain_hash"))
        if leaf is None or chain is None:
            raise BadRecord("a nono audit record whose leaf_hash or chain_hash is no SHA-256")
        fault = self._fault(entry, event, sequence, leaf, chain)
        self._next, self._head = sequence + 1, chain
        if sequence == 0:
            self._session, self._first = "", chain.hex()
        told = _told(kind)
        told.note(chain="checked")
        if fault:
            told.note(status=f"{BROKEN}: {fault}", chain_broken=fault)
        events = self._events(told, event, kind)
        counted = clip(kind, 80) if kind not in _KNOWN else f"{BROKEN}: {fault}" if fault else None
        if fault and not events:
            events = [told.event(EventKind.DECISION, Phase.POSTURE)]
        return Parsed(events=events, identity=chain.hex(), type=kind, at=told.at, unknown_type=counted)

    def _summary(self, entry: Json) -> Parsed:
        """What `session.json` says of a whole session."""
        self._session, self._first = text(entry.get("session_id")), ""
        parsed = Parsed(type="session", at=moment(entry.get("started"))[0])
        if mapping(entry.get("audit_integrity")):
            return parsed
        for kind in ("session_started", "session_ended"):
            if kind == "session_ended":
                parsed.events += [
                    event for one in objects(entry.get("network_events")) for event in self._network(_told("network"), one)
                ]
            if entry.get("started" if kind == "session_started" else "ended"):
                told = {**entry, "exit_code": None} if kind == "session_started" else entry
                parsed.events += self._events(_told(kind), told, kind)
        return parsed

    def _fault(self, entry: Json, event: Json, sequence: int, leaf: bytes, chain: bytes) -> str:
        """What is wrong with the record's place in the chain, "" where nothing is.

        Record 0 begins a chain, so files put one after another are no break. A log that begins later than its first record is no break but cannot be checked against what came before. The leaf
        of a record from which a secret was taken before it was read here cannot be computed again either.
        """
        stated = entry.get("prev_chain")
        previous = _hash(stated)
        if stated is not None and previous is None:
            return "prev_chain is no SHA-256"
        if sequence == 0 and previous is not None:
            return "the first record names a predecessor"
        if sequence != 0 and self._next is not None:
            if sequence != self._next:
                return f"record {sequence} follows record {self._next - 1}"
            if previous != self._head:
                return "prev_chain is not the hash of the record before"
        canonical = entry.get("event_json")
        if isinstance(canonical, str) and "REDACTED." not in canonical:
            if not hmac.compare_digest(sha256(_EVENT + canonical.encode("utf-8", "surrogatepass")).digest(), leaf):
                return "the event was changed: leaf_hash does not match event_json"
            try:
                same = decode(canonical.encode("utf-8", "surrogatepass")) == event
            except BadRecord:
                same = False
            if not same:
                return "event differs from event_json"
        if not hmac.compare_digest(sha256(_CHAIN + (previous or _ZERO) + leaf).digest(), chain):
            return "chain_hash does not follow from prev_chain and leaf_hash"
        return ""

    def _events(self, told: Told, event: Json, kind: str) -> list[Event]:
        match kind:
            case "session_started" | "session_ended":
                begin = kind == "session_started"
                told.at, told.clock = moment(event.get("started" if begin else "ended"))
                told.keys = self._scope()
                code = number(event.get("exit_code"))
                told.note(
                    command=shlex.join(texts(event.get("command"))),
                    status=told.attrs.get("status") or ("" if code is None else str(code)),
                )
                return [told.event(EventKind.ACTION, Phase.STARTED if begin else Phase.ENDED)]
            case "capability_decision":
                return self._capability(told, mapping(event.get("entry")))
            case "url_open":
                request = mapping(event.get("request"))
                self._note(told, request)
                act = web_act(text(request.get("url")))
                told.verb, told.target = act.verb, act.target
                told.note(url=text(request.get("url")))
                ok = truth(event.get("success"))
                return [told.observed(ok)]
            case "network":
                return self._network(told, mapping(event.get("event")))
            case "command_policy":
                return self._command(told, mapping(event.get("event")))
            case "sandbox_runtime":
                told.at, told.clock = moment(mapping(event.get("event")).get("timestamp"))
        return []

    def _scope(self) -> tuple[Key, ...]:
        """The session's id, which only requests name, and the file's first link, which all of its records share."""
        return keys(session_key(self._session), key(KeyRole.SCOPE, "nono.chain", self._first))

    def _note(self, told: Told, request: Json) -> None:
        """Keys of a request: the session it names, which later records of the file share, and its own id."""
        self._session = text(request.get("session_id")) or self._session
        call = key(KeyRole.CALL, "nono.request", text(request.get("request_id")))
        told.keys = (*self._scope(), *((call,) if call else ()))

    def _capability(self, told: Told, entry: Json) -> list[Event]:
        """A path the sandboxed program asked for, and what the supervisor or the human behind it answered."""
        request = mapping(entry.get("request"))
        told.at, told.clock = moment(entry.get("timestamp"))
        self._note(told, request)
        access = text(request.get("access")).lower()
        act = file_act(Verb.FILE_READ if access == "read" else Verb.FILE_WRITE, text(request.get("path")))
        told.verb, told.target = act.verb, act.target
        told.note(path=text(request.get("path")))
        stated = entry.get("decision")
        denied = mapping(mapping(stated).get("Denied"))
        word = "denied" if isinstance(stated, dict) and "Denied" in stated else text(stated)
        effect = Effect.DENY if word.lower() in ("denied", "timeout") else effect_of(word)
        reason = text(denied.get("reason")) or ("no answer in time" if word.lower() == "timeout" else text(request.get("reason")))
        return [told.verdict(effect, reason=reason, by=f"nono:{text(entry.get('backend'))}".rstrip(":"))]

    def _command(self, told: Told, event: Json) -> list[Event]:
        """A command that was asked for inside the sandbox, what the policy said of it, and how it ended where it was run."""
        told.at, told.clock = moment(event.get("timestamp"))
        self._note(told, event)
        told.verb = Verb.EXEC
        words = texts(event.get("argv_display")) or texts(event.get("command"))
        told.note(command=shlex.join(words), cwd=text(event.get("cwd_display")))
        effect = effect_of(event.get("decision"))
        events = [told.verdict(effect, rule=text(event.get("command")), reason=text(event.get("reason")))]
        if (code := number(event.get("exit_code"))) is not None and effect is not Effect.DENY:
            told.note(status=told.attrs.get("status") or str(code))
            events.append(told.result(code == 0))
        return events

    def _network(self, told: Told, event: Json) -> list[Event]:
        told.at, told.clock = moment(event.get("timestamp_unix_ms"), "ms")
        told.keys = self._scope()
        identity = mapping(event.get("spiffe_context"))
        if who := text(identity.get("workload_spiffe_id")):
            handed_on = mapping(identity.get("delegation"))
            told.principal = Principal(who, "workload", "", first_text(handed_on, "on_behalf_of", "authorized_by"))
            told.note(identity_proof="spiffe")
        host, port = first_text(event, "target"), first_text(event, "port")
        told.verb = Verb.HTTP_REQUEST if first_text(event, "method") else Verb.NET_CONNECT
        told.target = Target(TargetClass.NETWORK, host, first_text(event, "path") or port)
        told.note(url=f"https://{host}{first_text(event, 'path')}" if first_text(event, "method") else "")
        word, category = text(event.get("decision")), text(event.get("denial_category"))
        effect = _ASKED.get(word) or effect_of(word)
        if category in _NO_ANSWER:
            told.note(status=told.attrs.get("status") or first_text(event, "reason") or category)
            return [told.observed(False)]
        rule = first_text(event, "endpoint_policy_rule") or category or first_text(event, "mode")
        by = first_text(event, "approval_backend") if word in _ASKED and effect is not Effect.ASK else ""
        reason = first_text(event, "reason") or category
        events = [told.verdict(effect, rule=rule, reason=reason, by=f"nono:{by}" if by else "")]
        if (status := number(event.get("status"))) is not None and effect is Effect.ALLOW:
            events.append(told.observed(status < 400))
        return events


def _told(kind: str) -> Told:
    return Told("nono", "nono", Vantage.ENFORCER, tool=kind)


def _is_session(entry: Json) -> bool:
    """Whether this is a session's own file."""
    listed = ("command", "tracked_paths", "merkle_roots")
    return bool(text(entry.get("session_id")) and text(entry.get("started"))) and all(
        isinstance(entry.get(name), list) for name in listed
    )


def _hash(value: object) -> bytes | None:
    if not isinstance(value, str) or len(value) != 64:
        return None
    try:
        return bytes.fromhex(value)
    except ValueError:
        return None


class Nono:
    """The audit events of a nono sandbox session."""

    id = "nono"
    checks_chains = True
    title = "nono sandbox audit events"
    evidence = "documentation"
    version = 6

    def sniff(self, sample: Sequence[object]) -> int:
        named = ("sequence", "leaf_hash", "chain_hash", "event")
        found = (isinstance(record, dict) and (all(name in record for name in named) or _is_session(record)) for record in sample)
        return 96 if any(found) else 0

    def open(self) -> NonoReader:
        return NonoReader()


IMPORTER = Nono()
