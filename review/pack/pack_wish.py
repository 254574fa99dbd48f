"""What a pack is asked to be: one shape for the command line, the configuration file, the dashboard, and a pack made again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from reports.input import PackInput
from reports.text import when
from review.errors import RemitError
from review.show.filters import moment

_TIMES = {"from": "start", "to": "end", "as_of": "as_of", "reviewed_until": "reviewed_until"}
"""Moments by their names in a manifest."""
_EXCHANGE = ("oscal_version", "import_ap", "import_ssp", "system_id", "ocsf_version")
_PATHS = ("templates", "since")
"""Paths of this machine: a manifest names what lay there, and its digest."""
_LABELS = ("organisation", "system", "sample_seed", "sample_size")


class PackWish(msgspec.Struct, frozen=True, kw_only=True):
    """Moments in microseconds, None where open; of everything else, None or an empty value is what is usual.

    `last` is a span up to the as-of moment in place of `start` and `end`; `only` are formats made alone, `also` formats made
    beside the usual ones, `redact` is a profile of `reports.redaction`, `exchange` sets fields of `reports.exchange.Exchange`,
    `templates` and `since` are the paths of a folder of templates and of an earlier pack. Raises RemitError for a period that is none.
    """

    frameworks: tuple[str, ...] = ()
    start: int | None = None
    end: int | None = None
    as_of: int | None = None
    reviewed_until: int | None = None
    last: int | None = None
    only: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()
    full: bool = False
    redact: str | None = None
    exchange: dict[str, str] = {}
    organisation: str | None = None
    system: str | None = None
    sample_seed: str | None = None
    sample_size: int | None = None
    templates: str | None = None
    since: str | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end < self.start:
            raise RemitError("the period ends before it begins; --to must not lie before --from")
        if self.last is not None and (self.start is not None or self.end is not None):
            raise RemitError("a period is --last, or --from and --to; give one of them")

    def label(self, given: PackInput) -> None:
        """Set what the report is called and how its samples are drawn, where that is stated."""
        for name in _LABELS:
            if (value := getattr(self, name)) is not None:
                setattr(given, name, value)

    def parameters(self) -> dict[str, Any]:
        """As a manifest states it, moments in ISO 8601, without what only this machine can tell: its paths."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("last", *_PATHS):
            del told[name]
        times = {name: when(told.pop(field)) for name, field in _TIMES.items()}
        return {name: sorted(value) if name in ("only", "also") and value else value for name, value in {**told, **times}.items()}


def wished(options: Mapping[str, Any]) -> PackWish:
    """The wish that options of `remit report` state, by their names in the program; raises RemitError where one cannot be read."""
    frameworks = [name for chosen in options["framework"] for name in chosen.split(",")]
    only = [name.strip() for name in options["only"].split(",")] if options["only"] else None
    times: dict[str, Any] = {field: _moment(options[field], f"--{name.replace('_', '-')}") for name, field in _TIMES.items()}
    same: dict[str, Any] = {name: options[name] for name in ("full", "redact", "templates", "since", *_LABELS)}
    return PackWish(
        frameworks=tuple(frameworks),
        last=_span(options["last"]) if options["last"] else None,
        only=tuple(only) if only else None,
        also=("pdf",) if options["pdf"] else (),
        exchange={name: options[name] for name in _EXCHANGE if options[name] is not None},
        **times,
        **same,
    )


def recorded(parameters: Mapping[str, Any]) -> PackWish:
    """The wish that a manifest states, without templates and earlier pack: neither is the store's. Raises RemitError where it states none."""
    known = set(PackWish.__struct_fields__) - {*_TIMES, *_PATHS}
    said = {name: value for name, value in parameters.items() if name in known}
    try:
        times = {field: _moment(parameters.get(name) or None, name) for name, field in _TIMES.items()}
        return msgspec.convert({**said, **times}, PackWish)
    except (msgspec.ValidationError, TypeError, AttributeError) as error:
        raise RemitError(f"the pack does not say what it was made with: {error}") from error


def _moment(text: str | None, what: str) -> int | None:
    return None if text is None else moment(text, what)


def _span(text: str) -> int:
    from review.pack.report_config import span

    found = span(text)
    if found is None:
        raise RemitError(f"--last: {text[:40]!r} is no span; write '30 days', '2 weeks' or '36 hours'")
    return found
