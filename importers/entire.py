"""Entire checkpoints: which agent session a commit came from, by the checkpoint's metadata and the commits' trailers.

`metadata.json` names checkpoint and session; a list of commits with their `Entire-Checkpoint` trailer, however it was
taken from git, names commit and checkpoint. Together they join a commit to its session.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importers.shared.agents import field, scope_id, scope_key
from importers.shared.fields import Json, commit_id, first_moment, first_text, key, keys, mapping, texts
from model.event import Attr, BadRecord, Event, Key, Parsed, Target
from model.words import Clock, EventKind, KeyRole, Phase, TargetClass, Vantage

POINT = "entire"

CHECKPOINT = re.compile(r"^[0-9a-f]{12}$")
_TRAILER = re.compile(r"^Entire-Checkpoint:[ \t]*([0-9a-f]{12})[ \t]*$", re.MULTILINE)
_TRAILERS = (
    "entire_checkpoint",
    "entire_checkpoints",
    "Entire-Checkpoint",
    "checkpoint",
    "checkpoints",
    "checkpoint_id",
    "checkpoint_ids",
)
_SHAS = ("sha", "commit", "commit_sha", "hash", "oid", "id")
_TIMES = ("committer_date", "commit_date", "author_date", "date", "committed_at", "created_at", "timestamp")
_MESSAGES = ("message", "body", "commit_message", "raw_message")
AGENTS = {
    "claude code": "claude-code", "gemini cli": "gemini-cli", "codex": "codex", "opencode": "opencode", "cursor": "cursor",
    "copilot cli": "copilot-cli", "factory ai droid": "droid", "amp": "amp",
}  # fmt: skip
_MAX_FILES = 100
_PLACE = re.compile(
    r"(?<![0-9a-z])([0-9a-f]{2})[/\\]([0-9a-f]{10})[/\\](\d{1,6})[/\\](?:metadata\.json|transcript\.jsonl|full\.jsonl)"
)


def session_at(place: str) -> tuple[Key, ...]:
    """The session of a checkpoint whose folder a file lies in, by the checkpoint and the folder's number."""
    m = _PLACE.search(place)
    return scope_key("entire.session", f"{m[1]}{m[2]}/{m[3]}") if m else ()


class Entire:
    id = "entire"
    title = "Entire checkpoints and commit trailers"
    evidence = "real"
    version = 3

    def sniff(self, sample: Sequence[object]) -> int:
        best = 0
        for record in sample:
            if isinstance(record, dict):
                if _is_metadata(record):
                    best = max(best, 92)
                elif _sha(record) and _checkpoints(record):
                    best = max(best, 90)
        return best

    def open(self) -> _Reader:
        return _Reader()


class _Reader:
    def __init__(self) -> None:
        self._beside: tuple[Key, ...] = ()

    def lies_at(self, place: str) -> None:
        """Entire's own transcript names no session; the metadata in the same folder does."""
        self._beside = session_at(place)

    def read(self, record: object) -> Parsed:
        if not isinstance(record, dict):
            raise BadRecord("not an object: a checkpoint or a commit is one JSON object")
        if _is_metadata(record):
            at, _ = first_moment(record, "created_at")
            return Parsed(list(_checkpoint(record, self._beside)), type="checkpoint", at=at)
        if not (sha := _sha(record)):
            raise BadRecord("neither a checkpoint (checkpoint_id, session_id) nor a commit (sha)")
        at, clock = first_moment(record, *_TIMES)
        found = _checkpoints(record)
        # A commit without a trailer says nothing of any session.
        return Parsed([_commit(record, sha, found, at, clock)] if found else [], type="commit", at=at)


def _held(record: Json) -> tuple[Key, ...]:
    """The sessions of a checkpoint's own summary: it names the folder of each, and no session by its id."""
    listed = record.get("sessions")
    folders = (
        first_text(mapping(one), "metadata", "transcript") for one in (listed if isinstance(listed, list) else [])[:_MAX_FILES]
    )
    return tuple(found for folder in folders for found in session_at(folder))


def _is_metadata(record: Json) -> bool:
    named = CHECKPOINT.match(field(record, "checkpoint_id")) is not None
    return named and bool(_sessions(record) or _held(record)) and any(
        name in record for name in ("strategy", "files_touched", "checkpoints_count", "token_usage")
    )  # fmt: skip


def _sessions(record: Json) -> tuple[str, ...]:
    """Session ids without the date some versions put before them."""
    listed: list[str] = [field(record, "session_id"), *texts(record.get("session_ids"))]
    inner = record.get("sessions")
    if isinstance(inner, list):
        listed += [one if isinstance(one, str) else first_text(mapping(one), "session_id", "id") for one in inner[:_MAX_FILES]]
    return tuple(dict.fromkeys(found for one in listed if (found := scope_id(one))))


def _checkpoint(record: Json, beside: tuple[Key, ...]) -> Iterator[Event]:
    """What is known of a session at a checkpoint, once for each session that shares it; a snapshot is no act of its own."""
    at, clock = first_moment(record, "created_at")
    point = field(record, "checkpoint_id")
    agent = field(record, "agent")
    files = texts(record.get("files_touched"))[:_MAX_FILES]
    attrs: dict[str, Attr] = {}
    if branch := field(record, "branch"):
        attrs["branch"] = branch[:500]
    if version := field(record, "cli_version"):
        attrs["user_agent"] = f"entire {version}"[:200]
    sessions = _sessions(record)
    scopes = [(*scope_key("session", session), *(beside if len(sessions) == 1 else ())) for session in sessions]
    for scope in scopes or [(held,) for held in _held(record)]:
        yield Event(
            EventKind.ACTION,
            Phase.STARTED,
            Vantage.WITNESS,
            POINT,
            at=at,
            clock=clock,
            agent=AGENTS.get(agent.lower(), ""),
            text=f"checkpoint {point}: {', '.join(files)}"[:2000] if files else f"checkpoint {point}",
            keys=keys(*scope, key(KeyRole.REFERENCE, "entire.checkpoint", point)),
            attrs=dict(attrs),
        )


def _sha(record: Json) -> str:
    return next((sha for name in _SHAS if len(sha := commit_id(record.get(name))) >= 7 and not CHECKPOINT.match(sha)), "")


def _checkpoints(record: Json) -> tuple[str, ...]:
    """Checkpoints by a member of their own or by the trailer in the message."""
    trailers = mapping(record.get("trailers"))
    listed = [one for name in _TRAILERS for one in (*texts(record.get(name)), *texts(trailers.get(name)))]
    for name in _MESSAGES:
        listed += _TRAILER.findall(field(record, name)[:100_000])
    return tuple(dict.fromkeys(one for one in listed if CHECKPOINT.match(one)))


def _commit(record: Json, sha: str, points: tuple[str, ...], at: int | None, clock: Clock) -> Event:
    """A commit as git has it; it stays where it was made, until a push says otherwise."""
    found: tuple[Key | None, ...] = (
        key(KeyRole.REFERENCE, "commit", sha),
        *(key(KeyRole.REFERENCE, "entire.checkpoint", p) for p in points),
    )
    return Event(
        EventKind.EFFECT,
        Phase.OBSERVED,
        Vantage.TARGET,
        "git",
        at=at,
        clock=clock,
        target=Target(TargetClass.REPOSITORY, "", sha),
        text=first_text(record, "subject", "title", "message")[:500],
        keys=keys(*found),
        attrs={"sha": sha},
    )


IMPORTER = Entire()
