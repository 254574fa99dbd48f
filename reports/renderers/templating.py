"""Jinja environments for HTML and Markdown: sandboxed, strict about unknown names, everything from outside escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, Template, TemplateNotFound, nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from reports import charts, wording
from reports.errors import TemplateFault
from reports.renderers import figures
from reports.renderers.folder import TemplateFolder
from reports.text import excerpt, markdown

OURS = "remit/"
"""Before a template's name: the one that came with the tool, whatever the organisation's folder holds."""
LONGEST = 2000
"""Characters of one value shown in a page; report.json and the tables have it whole."""
ROUNDS = 5_000_000
"""Loop rounds that an organisation's templates may take in one page."""
REPEATS = 100_000
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?)\d*Z")
_STAMP = Markup('<time datetime="{}Z">{}</time>')
_WIDTH = re.compile(r"[0-9]{4}|\*")
_UNBOUNDED = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "replace", "rjust", "zfill"})
_OF_DICT = frozenset(dir(dict))
_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Sandbox(ImmutableSandboxedEnvironment):
    """Templates read the document and nothing else; what could take time or memory without bound is refused."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, loader: BaseLoader, html: bool) -> None:
        super().__init__(
            loader=loader,
            autoescape=html,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            finalize=_shown if html else _finalise,
        )
        self.rounds = 0
        for name in _UNBOUNDED:
            self.filters.pop(name, None)
        self.filters |= {"stamp": stamp if html else str, "counted": self._counted, "spaced": spaced, "setting": setting}
        self.globals = {"range": self.globals["range"], "charts": _CHARTS, **_WORDS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno, environment=self)
        return tree

    def _counted(self, values: Iterable[Any]) -> Iterable[Any]:
        """The values of a loop; every round counts towards what one page may take."""
        return values

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As it is, but without the detour over a failure that a member of a document takes otherwise: most of a page is these."""
        if type(obj) is dict and attribute not in _OF_DICT and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, str) and attr in _UNBOUNDED:
            return False
        return super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("powers are not for templates")
        if operator == "*" and not (_small(left) and _small(right)):
            raise SecurityError("a product of this size is not for templates")
        if operator == "%" and isinstance(left, str) and _WIDTH.search(left):
            raise SecurityError("a field of this width is not for templates")
        return super().call_binop(context, operator, left, right)


class Bounded(Sandbox):
    """The sandbox of an organisation's own templates: also counts the rounds of all loops."""

    def _counted(self, values: Iterable[Any]) -> Iterator[Any]:
        for value in values:
            self.rounds += 1
            if self.rounds > ROUNDS:
                raise SecurityError(f"more than {ROUNDS} rounds of loops in one page")
            yield value


class _Loader(BaseLoader):
    """An organisation's folder before our own templates."""

    def __init__(self, folder: TemplateFolder | None) -> None:
        self._folder = folder

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, None]:
        name = template.removeprefix(OURS)
        text = self._folder.read(name) if self._folder and name == template else None
        if text is None:
            path = files("reports").joinpath("templates").joinpath(name)
            if "/" in name or not path.is_file():
                raise TemplateNotFound(template)
            text = path.read_text(encoding="utf-8")
        return text, template, None


def _small(value: Any) -> bool:
    return (len(value) if hasattr(value, "__len__") else abs(value)) <= REPEATS


def _shown(value: object) -> object:
    if value is None:
        return ""
    return excerpt(value, LONGEST) if type(value) is str else value


def _finalise(value: object) -> object:
    return value if isinstance(value, Markup) else markdown("" if value is None else excerpt(str(value), LONGEST))


def stamp(value: str) -> Markup:
    """A moment as HTML's `time`, whose machine form has milliseconds at most; anything else as plain text."""
    found = _INSTANT.fullmatch(value)
    return _STAMP.format(found.group(1), value) if found else escape(value)


def spaced(name: str) -> str:
    """A name of the program's as words."""
    return name.replace("_", " ")


def setting(value: object) -> str:
    """A parameter as people write it: lists joined, yes and no, and a word where nothing is set."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value in (None, "") else str(value)


_CHARTS = {
    "timeline": charts.timeline,
    "share": charts.share,
    "coverage": charts.coverage,
    "columns": charts.columns,
    "bars": charts.bars,
}
_WORDS: dict[str, Any] = {
    "severities": figures.SEVERITIES,
    "shares": wording.SHARES,
    "states": wording.STATES,
    "elsewhere": wording.ELSEWHERE,
    "by_its_text": wording.BY_ITS_TEXT,
    "bands": figures.bands,
    "counted": figures.counted,
    "keyed": figures.keyed,
    "span": figures.span,
    "within": figures.within,
    "without": figures.without,
    "having": figures.having,
}


@cache
def _own(html: bool) -> Sandbox:
    return Sandbox(_Loader(None), html)


class Page:
    """One page format: its template, ours or the organisation's, written to a file piece by piece."""

    def __init__(self, name: str, *, html: bool, folder: TemplateFolder | None) -> None:
        self._name, self._folder = name, folder
        self._environment = Bounded(_Loader(folder), html) if folder else _own(html)

    def write(self, path: Path, **values: Any) -> None:
        """Render into `path`; raises TemplateFault with template and line where an organisation's template is at fault."""
        self._environment.rounds = 0
        if self._folder is None:
            self._template().stream(**values).dump(str(path), "utf-8")
            return
        try:
            self._template().stream(**values).dump(str(path), "utf-8")
        except TemplateSyntaxError as error:
            raise self._fault(error.name or self._name, error.lineno, error.message or "it cannot be read") from error
        except TemplateNotFound as error:
            raise self._fault(*_place(error, self._name), f"there is no template {error.name}") from error
        except (TemplateError, *_FAULTS) as error:
            raise self._fault(*_place(error, self._name), str(error) or type(error).__name__) from error

    def _template(self) -> Template:
        return self._environment.get_template(self._name)

    def _fault(self, name: str, line: int, why: str) -> TemplateFault:
        place = self._folder.path if self._folder else ""
        return TemplateFault(f"template {name} in {place}, line {line}: {excerpt(why, 200)}")


def _place(error: BaseException, otherwise: str) -> tuple[str, int]:
    """The last template and line that a traceback went through."""
    name, line, trace = otherwise, 1, error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if "__jinja_template__" in trace.tb_frame.f_globals or code.co_filename.endswith((".html", ".md", ".css")):
            name, line = code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return name, line
