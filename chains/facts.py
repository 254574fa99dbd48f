"""What the organisation file answers about resources, people, times and points; what it does not say is unknown."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from zoneinfo import ZoneInfo

import msgspec
import re2

from lang.times import parse_time
from model.org import Org, PointFact, Window
from model.words import TargetClass

_CACHE = 20_000
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLASSES = frozenset(c.value for c in TargetClass) | {"account"}


class ResourceFacts(msgspec.Struct, frozen=True):
    """What is known of one resource; "" is unknown."""

    owner: str = ""
    environment: str = ""
    classification: str = ""
    project: str = ""


NOTHING = ResourceFacts()


class OrgFacts:
    """Cached look-ups over one organisation file. Names are compared without regard to case."""

    def __init__(self, org: Org | None = None) -> None:
        self.org = org if org is not None else Org()
        self._globs = [(glob(r.match), r) for r in self.org.resources]
        self._resources: dict[tuple[str, str, str], ResourceFacts] = {}
        self._canonical: dict[str, str] = {}
        for name, aliases in sorted(self.org.identities.items()):
            for alias in (name, *aliases):
                self._canonical.setdefault(alias.casefold(), name)
        self._alias_globs = [
            (glob(alias), name) for name, aliases in sorted(self.org.identities.items()) for alias in aliases if "*" in alias
        ]
        self._identities: dict[str, str] = {}
        self._points = [(glob(p.id), glob(p.scope), p) for p in self.org.enforcement_points]
        self._windows = [_Span(w) for w in self.org.change_windows]
        self._ticket = re2.compile(self.org.ticket_pattern) if self.org.ticket_pattern else None

    def resource(self, cls: TargetClass | str, name: str, detail: str = "") -> ResourceFacts:
        """Owner, environment, classification and project of a resource: for each, the first match that states it wins.

        A glob is compared with `class:name/detail`, `class:name` and, where it names no class, with `name` alone.
        """
        if not name:
            return NOTHING
        key = (str(cls), name, detail)
        found = self._resources.get(key)
        if found is None:
            found = self._look(*key)
            if len(self._resources) >= _CACHE:
                self._resources.clear()
            self._resources[key] = found
        return found

    def _look(self, cls: str, name: str, detail: str) -> ResourceFacts:
        whole = [f"{cls}:{name}".casefold()]
        if detail:
            whole.append(f"{cls}:{name}/{detail}".casefold())
        bare = [text[len(cls) + 1 :] for text in whole]
        owner = environment = classification = project = ""
        for pattern, resource in self._globs:
            texts = whole if resource.match.partition(":")[0] in _CLASSES else bare
            if not any(pattern.match(text) for text in texts):
                continue
            owner = owner or resource.owner
            environment = environment or resource.environment
            classification = classification or resource.classification
            project = project or resource.project
            if owner and environment and classification and project:
                break
        return ResourceFacts(owner, environment, classification, project)

    def identity(self, name: str) -> str:
        """The one name of a person or workload under any of its aliases; an unknown name stands for itself."""
        if not name:
            return ""
        found = self._identities.get(name)
        if found is None:
            folded = name.casefold()
            found = self._canonical.get(folded) or next((to for p, to in self._alias_globs if p.match(folded)), name)
            if len(self._identities) >= _CACHE:
                self._identities.clear()
            self._identities[name] = found
        return found

    def names(self, name: str) -> tuple[str, ...]:
        """Every name under which the file knows who this is; the name alone where it does not."""
        canonical = self.identity(name)
        return (name, canonical, *self.org.identities.get(canonical, ()))

    def knows_identity(self, name: str) -> bool:
        """Whether the organisation file lists this name: only then does a difference prove two principals."""
        return self.identity(name) in self.org.identities

    def kind(self, name: str) -> str:
        """human, workload, agent, service, or "" where the file does not say."""
        return self.org.identity_kinds.get(self.identity(name), "")

    def in_change_window(self, environment: str, at: int | None) -> bool | None:
        """Whether a moment lies in a change window of an environment; None where no window or no time is known.

        A window without environment holds for every environment; with an unknown environment only such windows speak.
        """
        if at is None:
            return None
        spans = [s for s in self._windows if not s.environment or s.environment == environment]
        if not spans:
            return None
        return any(s.holds(at) for s in spans)

    def ttl_limit(self, environment: str) -> int | None:
        """The longest life in seconds a credential may have in an environment, `*` for the rest; None if not stated."""
        limits = self.org.ttl_seconds
        return limits.get(environment, limits.get("*")) if environment else limits.get("*")

    def approved_registry(self, name: str) -> bool | None:
        return _listed(self.org.approved_registries, name)

    def approved_mcp_server(self, name: str) -> bool | None:
        return _listed(self.org.approved_mcp_servers, name)

    def approved_host(self, name: str) -> bool | None:
        return _listed(self.org.approved_hosts, name)

    def expected_points(self, point: str = "") -> list[PointFact]:
        """The enforcement points the organisation says exist: all, or those whose id matches a point seen in a log."""
        return [p for pattern, _, p in self._points if not point or pattern.match(point.casefold())]

    def ticket_in(self, text: str) -> str:
        """The first ticket reference in a text by the organisation's pattern, "" if there is none or no pattern."""
        found = self._ticket.search(text[:20_000]) if self._ticket else None
        return str(found.group(0)) if found else ""

    @property
    def knows_tickets(self) -> bool:
        return self._ticket is not None

    def parameters(self, detection: str) -> dict[str, object]:
        """What the file sets for one detection."""
        return self.org.detections.get(detection, {})


def glob(pattern: str) -> re.Pattern[str]:
    """A case-blind glob (`*`, `?`, `[abc]`) over a whole text; `**` means the same as `*`."""
    return re.compile(translate(re.sub(r"\*{2,}", "*", pattern.casefold())))


def _listed(patterns: tuple[str, ...] | None, name: str) -> bool | None:
    if patterns is None or not name:
        return None
    return any(glob(p).match(name.casefold()) for p in patterns)


class _Span:
    """A change window made ready to ask."""

    def __init__(self, window: Window) -> None:
        self.environment = window.environment
        self.days = frozenset(window.days) or frozenset(_DAYS)
        self.start = minutes(window.start) if window.start else 0
        self.end = minutes(window.end) if window.end else 24 * 60
        self.zone = UTC if window.zone == "UTC" else ZoneInfo(window.zone)
        self.fixed = bool(window.starts_at or window.ends_at)
        self.starts_at = parse_time(window.starts_at)[0]
        self.ends_at = parse_time(window.ends_at)[0]

    def holds(self, at: int) -> bool:
        if self.fixed:
            return (self.starts_at is None or at >= self.starts_at) and (self.ends_at is None or at < self.ends_at)
        moment = datetime.fromtimestamp(at // 1_000_000, UTC).astimezone(self.zone)
        minute = moment.hour * 60 + moment.minute
        if self.start < self.end:
            return _DAYS[moment.weekday()] in self.days and self.start <= minute < self.end
        yesterday = _DAYS[(moment - timedelta(days=1)).weekday()]
        return (_DAYS[moment.weekday()] in self.days and minute >= self.start) or (yesterday in self.days and minute < self.end)


def minutes(text: str) -> int:
    """Minutes since midnight of `HH:MM`; 24:00 is the end of the day. Raises ValueError otherwise."""
    found = re.fullmatch(r"(\d{1,2}):(\d\d)", text)
    value = int(found.group(1)) * 60 + int(found.group(2)) if found else -1
    if found is None or int(found.group(2)) > 59 or value > 24 * 60:
        raise ValueError(f"not a time of day: {text!r}; write HH:MM")
    return value
