"""Jinja environments for HTML and Markdown: sandboxed, strict about unknown names, everything from outside escaped."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import FunctionLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from reports import charts
from reports.text import markdown


def _source(name: str) -> str | None:
    path = files("reports").joinpath("templates").joinpath(name)
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _finalise(value: object) -> object:
    return value if isinstance(value, Markup) else markdown("" if value is None else str(value))


def _environment(html: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(_source),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        finalize=(lambda value: "" if value is None else value) if html else _finalise,
    )
    environment.globals = {"charts": {"timeline": charts.timeline, "share": charts.share}, "range": range}
    return environment


@cache
def html() -> ImmutableSandboxedEnvironment:
    """Escapes every value for HTML."""
    return _environment(html=True)


@cache
def text() -> ImmutableSandboxedEnvironment:
    """Escapes every value for Markdown; template text is Markdown itself."""
    return _environment(html=False)
