"""Help topics: what zero trust, just-in-time access, MCP and secret rotation mean for agents, with the store's own figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median

from model.figures import Sums
from model.words import Verb
from review.errors import NotFoundError
from review.settings import nearest
from review.show.sentences import percent
from review.show.shares import share
from review.workspace import Workspace

Doc = dict[str, object]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: its id, a title, paragraphs, the detections that bear on it, and what the store's figures are."""

    id: str
    title: str
    text: tuple[str, ...]
    detections: tuple[str, ...]
    figures: Callable[[Workspace], Iterator[tuple[str, str]]]


def _governed(work: Workspace) -> Iterator[tuple[str, str]]:
    sums = _sums(work)
    yield "actions with a decision", _of(sums.decided, sums.actions)
    yield "actions whose effect somebody else saw", _of(sums.confirmed, sums.actions)
    yield "refused", f"{sums.refused:,}"
    yield "decided on the host that acts", _of(sums.near, sums.near + sums.far)
    yield "enforcement points seen", f"{len({one.point for one in work.store.coverage()}):,}"


def _in_time(work: Workspace) -> Iterator[tuple[str, str]]:
    sums = _sums(work)
    held = work.store.credentials()
    lives = [one.ttl_seconds for one in held if one.ttl_seconds is not None and one.ttl_seconds > 0]
    flags = Counter(flag for one in held for flag in one.flags)
    yield "actions that used a credential", _of(sums.held, sums.actions)
    yield "of these with one bound to the task", _of(sums.bound, sums.held)
    yield "credentials seen", f"{len(held):,}"
    yield "standing or long-lived", f"{flags['standing'] + flags['long_lived']:,}"
    yield "used after their task's end", f"{flags['used_after_task_end']:,}"
    yield "used in more than one task", f"{flags['reused']:,}"
    yield "median lifetime granted", f"{median(lives) / 60:,.0f} min over {len(lives):,}" if lives else "not known of any"


def _mcp(work: Workspace) -> Iterator[tuple[str, str]]:
    calls, decided, held, tools = 0, 0, 0, set()
    for row in work.store.habits():
        if row.verb == Verb.MCP_CALL.value:
            calls += row.sums.actions
            decided += row.sums.decided
            held += row.sums.held
            tools.add(row.tool)
    yield "calls to MCP servers", f"{calls:,}"
    yield "by tools of different names", f"{len(tools):,}"
    yield "calls with a decision", _of(decided, calls)
    yield "calls with a credential seen", _of(held, calls)


def _rotation(work: Workspace) -> Iterator[tuple[str, str]]:
    from chains.rotation import rotations

    held = work.store.credentials()
    flags = Counter(flag for one in held for flag in one.flags)
    yield "credentials seen", f"{len(held):,}"
    yield "seen to be replaced by another", f"{len(rotations(held)):,}"
    yield "revoked by somebody", f"{sum(1 for one in held if one.revoked is not None):,}"
    yield "not seen to be revoked", f"{flags['never_revoked']:,}"
    yield "seen in clear in a prompt, command, file or log", f"{flags['exposed']:,}"
    yield "issuance not seen", f"{flags['no_issuance_seen']:,}"


TOPICS: dict[str, Topic] = {
    one.id: one
    for one in (
        Topic(
            "zero-trust",
            "Zero trust for agents",
            (
                "An agent is a workload that writes its own next step, out of text it did not choose. So where it runs, who started "
                "it and what it did a minute ago are no reasons to trust its next request: each one is decided for itself, by "
                "something the agent cannot talk to, on facts that hold at that moment.",
                "Three things make that checkable afterwards. A decision is recorded for every action, with the rule that made it. "
                "The identity is the agent's own, tied to the person it acts for, not the person's. The effect is seen by the "
                "target or a witness, not only told by the agent.",
                "An action without a decision is not thereby wrong, and silence outside an enforcement point's coverage proves "
                "nothing: Remit counts both apart.",
            ),
            ("GOV-01", "GOV-02", "GOV-08", "IDN-01", "IDN-02", "IDN-04", "OUT-01", "OUT-02"),
            _governed,
        ),
        Topic(
            "jit",
            "Just-in-time access",
            (
                "Access that is granted when a task needs it, for as long as it needs it and no wider: a credential issued in the "
                "task, with a lifetime of minutes, which ends with it. A standing key turns every prompt injection into whatever "
                "that key can do.",
                "It is only as safe as its three edges: the request must name a stated intent, the scope must be the one that is "
                "used, and the end must happen, by expiry or revocation. A short lifetime does not help where the same agent may "
                "ask again without anybody deciding.",
                "`remit policy mine --from grants` proposes rules in the place of standing credentials.",
            ),
            ("CRED-01", "CRED-02", "CRED-03", "CRED-05", "CRED-06", "CRED-09", "CRED-10"),
            _in_time,
        ),
        Topic(
            "mcp",
            "MCP servers and tools",
            (
                "A Model Context Protocol server hands an agent tools, and with them text the agent will follow. Its tool "
                "descriptions and answers are foreign input; its version may change between two calls; a token meant for it must "
                "not be passed on to what stands behind it.",
                "So a server is on a list, in a fixed version; its calls are decided like any other action; and it gets a token of "
                "its own audience. What a tool answered and what the agent did next are read together: instruction-like text "
                "before a privileged step is a finding.",
            ),
            ("SUP-03", "BND-06", "CRED-07", "GOV-01"),
            _mcp,
        ),
        Topic(
            "rotation",
            "Secret rotation",
            (
                "A secret that an agent has seen in clear has to be taken as known: it stands in a prompt, in a transcript, in "
                "whatever model read it. Rotation replaces it, revocation ends the old one, and both belong in the same record: a "
                "new secret beside a living old one is two secrets.",
                "Better than rotating often is having nothing to rotate: credentials issued for a task and gone after it. Where a "
                "standing secret must be, its rotation is an event somebody witnesses.",
                "Remit never stores a secret; it keeps a keyed digest by which two sightings of one are known to be the same.",
            ),
            ("CRED-01", "CRED-04", "CRED-05", "CRED-08"),
            _rotation,
        ),
    )
}


def topic(id: str) -> Topic:
    """The topic of that name; raises NotFoundError with the nearest."""
    if id not in TOPICS:
        raise NotFoundError(f"there is no help topic {id!r}{nearest(id, [*TOPICS, 'tour', 'keys'])}")
    return TOPICS[id]


def topic_document(one: Topic, work: Workspace | None) -> Doc:
    """A topic with the store's figures beside it; `figures` and counts are null where there is no store."""
    found = work.store.found_by() if work is not None else None
    return {
        "id": one.id,
        "title": one.title,
        "text": list(one.text),
        "figures": [{"what": what, "figure": figure} for what, figure in one.figures(work)] if work is not None else None,
        "detections": [
            {"id": id, "title": title, "findings": None if found is None else found.get(id, (0, 0, 0))[0]}
            for id, title in _titles(one.detections)
        ],
    }


def topic_lines(document: Doc) -> Iterator[str]:
    """A topic as paragraphs, the figures, then the detections that bear on it."""
    yield str(document["title"])
    for paragraph in _list(document["text"]):
        yield ""
        yield str(paragraph)
    yield ""
    if document["figures"] is None:
        yield "There is no store to take figures from yet: `remit import PATH`, or `remit demo`."
    else:
        yield "In this store:"
        for figure in _list(document["figures"]):
            yield f"  {figure['what']}: {figure['figure']}"
    yield ""
    yield "Detections that bear on it:"
    for row in _list(document["detections"]):
        count = row["findings"]
        told = "" if count is None else f": {count:,} finding{'s' if count != 1 else ''}"
        yield f"  {row['id']} {row['title']}{told}"


def _list(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value


def _titles(ids: tuple[str, ...]) -> list[tuple[str, str]]:
    from chains.detections import registry

    known = registry()
    return [(id, known[id].title) for id in ids]


def _sums(work: Workspace) -> Sums:
    """Everything that was counted, over all agents."""
    rows = [row.sums for row in work.store.shares("agent")]
    return Sums(**{name: sum(getattr(one, name) for one in rows) for name in Sums.__struct_fields__})


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({percent(share(part, whole))})" if whole else "none seen"
