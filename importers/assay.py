"""Assay: signed mandates, tool decisions, enforcement decisions, provider audit records, and the layers of a recorded run.

Every record names its schema, or is a CloudEvent whose type does. Run, mandate and tool call ids hold a run together:
a mandate is its intent, and the run that was decided under it is the same task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from importers.assay_events import EVENTS
from importers.assay_runner import LAYERS
from importers.assay_traces import TRACES, episode
from importers.shared.fields import Json, clip, mapping, moment, surest, text
from model.event import BadRecord, Parsed

_RECORDS: dict[str, Callable[[Json], Parsed]] = {**LAYERS, **TRACES}
# Summaries of what other records say one by one: accepted, and evidence of nothing more.
_SUMMARIES = frozenset(
    {"assay.runner.capability_surface.v0", "assay.runner.archive_manifest.v0", "assay.runner.observation_health.v0",
     "assay.runner.coverage_descriptor.v0", "mcp-agent.token-summary.export.v1"}
)  # fmt: skip
_EPISODES = frozenset({"episode_start", "episode_end", "step", "tool_call"})


class AssayReader:
    """Reads one file; holds no state."""

    def read(self, record: object) -> Parsed:
        entry = mapping(record)
        inner = entry.get("record")
        if isinstance(inner, dict) and "schema" in inner:
            entry = inner
        kind = text(entry.get("type"))
        if "specversion" in entry:
            return _cloud_event(entry, kind)
        schema = text(entry.get("schema"))
        if read := _RECORDS.get(schema):
            return read(entry)
        if schema in _SUMMARIES:
            return Parsed(type=schema, at=moment(entry.get("timestamp"))[0])
        if not schema and kind in _EPISODES and text(entry.get("episode_id")):
            return episode(entry, kind)
        if not schema:
            raise BadRecord("no Assay record: needs a schema, or a CloudEvent's specversion and type")
        return Parsed(type=clip(schema, 100), unknown_type=clip(schema, 100))


def _cloud_event(entry: Json, kind: str) -> Parsed:
    missing = [name for name in ("id", "type", "source", "time") if not text(entry.get(name))]
    if missing:
        raise BadRecord(f"an Assay event without {', '.join(missing)}")
    at, clock = moment(entry["time"])
    if at is None:
        raise BadRecord(f"an Assay event whose time cannot be read: {clip(text(entry['time']), 40)!r}")
    read = EVENTS.get(kind)
    events = read(entry, mapping(entry.get("data")), at, clock) if read else []
    identity = f"{text(entry['source'])}:{text(entry['id'])}"
    return Parsed(events=events, identity=identity, type=clip(kind, 100), at=at, unknown_type=None if read else clip(kind, 100))


class Assay:
    """Evidence written by Assay."""

    id = "assay"
    checks_chains = True
    title = "Assay evidence"
    evidence = "real"
    version = 2

    def sniff(self, sample: Sequence[object]) -> int:
        return surest(sample, _surely)

    def open(self) -> AssayReader:
        return AssayReader()


def _surely(record: Json) -> int:
    """How surely one record is of this format."""
    entry = mapping(record.get("record")) or record
    schema = text(entry.get("schema"))
    if schema.startswith("assay.") or schema in _RECORDS or schema in _SUMMARIES:
        return 95
    if "specversion" in record and text(record.get("type")).startswith("assay."):
        return 95
    if text(record.get("type")) in _EPISODES and "episode_id" in record:
        return 85
    return 0


IMPORTER = Assay()
