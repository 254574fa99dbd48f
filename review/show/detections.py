"""Detections as people see them: the list with what each found and hides, one in full, and the tests of own ones."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from chains.detections import Detection, registry
from chains.facts import OrgFacts
from chains.own import try_tests
from lang.counted import count
from model.org import Exclusion
from review.documents import Doc
from review.errors import NotFoundError
from review.own import Own, read_file
from review.show.detection_pages import controls, page_document
from store import Store

if TYPE_CHECKING:
    from reports.library import Library

_COMMON = ("enabled", "severity", "at_most")
_BY = ("principal", "agent", "repository", "path", "when")


def detections(own: Own, facts: OrgFacts, store: Store | None) -> list[Doc]:
    """Every detection with its settings and what it found so far; figures are None where there is no store."""
    figures = _Figures(store)
    return [_row(one, own, facts, figures) for one in _all(own).values()]


class _Figures:
    """What detections found and hid over a whole store."""

    def __init__(self, store: Store | None) -> None:
        self.known = store is not None
        self.found = store.found_by() if store is not None else {}
        self.hidden = store.hidden() if store is not None else {}
        self.tasks = store.counts()["tasks"] if store is not None else 0

    def of(self, id: str) -> Doc:
        if not self.known:
            return dict.fromkeys(("findings", "blind_spots", "tasks", "share_of_tasks", "hidden", "hidden_by"))
        findings, spots, tasks = self.found.get(id, (0, 0, 0))
        why = self.hidden.get(id, {})
        return {
            "findings": findings,
            "blind_spots": spots,
            "tasks": tasks,
            "share_of_tasks": round(tasks / self.tasks, 4) if self.tasks else None,
            "hidden": sum(why.values()),
            "hidden_by": why,
        }


def _all(own: Own) -> dict[str, Detection]:
    return registry() | {one.id: one for one in own.detections}


def _row(one: Detection, own: Own, facts: OrgFacts, figures: _Figures) -> Doc:
    settings = facts.parameters(one.id)
    counted = figures.of(one.id)
    return {
        "id": one.id,
        "family": one.family,
        "severity": settings.get("severity") or one.severity.value,
        "title": one.title,
        "source": "own" if one.own else "built-in",
        "file": own.files.get(one.id),
        "enabled": settings.get("enabled") is not False,
        **counted,
        "at_most": settings.get("at_most"),
        "exclusions": [_exclusion(e, counted["hidden_by"]) for e in facts.org.exclusions.get(one.id, ())],
        "version": one.version,
        "implemented": True,
        "looks_for": one.looks_for,
        "limits": one.limits,
        "evidence_needed": list(one.needs),
        "parameters": [
            {"name": name, "default": default, "value": settings.get(name, default), "help": help}
            for name, (default, help) in sorted(one.parameters.items())
        ],
        "controls": controls(one),
    }


def _exclusion(one: Exclusion, why: dict[str, int] | None) -> Doc:
    stated = {name: value for name in _BY if (value := getattr(one, name))}
    return {"reason": one.reason, **stated, "hides": why.get(one.reason, 0) if why is not None else None}


def detection(own: Own, facts: OrgFacts, store: Store | None, id: str) -> Doc:
    """One detection in full; raises NotFoundError with near ids."""
    known = _all(own)
    wanted = id.upper()
    if wanted not in known:
        near = get_close_matches(wanted, known, 2, 0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise NotFoundError(f"no detection is called {id[:80]!r}{hint}; `remit detections` lists them")
    one = known[wanted]
    return page_document(one, own.definitions.get(wanted)) | _row(one, own, facts, _Figures(store))


def remarks(own: Own, facts: OrgFacts) -> list[str]:
    """What is wrong with the files of own detections and with the settings of detections, one sentence each."""
    known = _all(own)
    said = list(own.problems)
    for id in sorted({*facts.org.detections, *facts.org.exclusions} - set(known)):
        said.append(f"the organisation file sets up {id[:60]!r}, which is no detection here{_near(id, list(known))}")
    for one in known.values():
        declared = [*one.parameters, *_COMMON]
        for name in sorted(set(facts.parameters(one.id)) - set(declared)):
            near = _near(name, [*declared, "exclude"])
            said.append(f"the organisation file sets {name[:60]!r} of {one.id}, which it does not read{near}")
    return said


def _near(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, 1, 0.6)
    return f"; did you mean {near[0]}?" if near else ""


def sentence(row: Doc) -> str:
    state = "" if row["enabled"] else ", switched off"
    head = f"{row['id']} ({row['source']}, {row['severity']}{state}): {row['title']}"
    if row["findings"] is None:
        return head
    hidden = f", {row['hidden']} not reported" if row["hidden"] else ""
    return f"{head}; {count(row['findings'], 'finding')} in {count(row['tasks'], 'task')}{hidden}"


def tested(path: str, library: Library) -> Doc:
    """What is wrong with a file of own detections, the controls it names held against a library, and how its tests went; raises UnreadableError where it cannot be read."""
    found = read_file(path, library=library)
    tests = [result for one in found.definitions for result in try_tests(one)]
    return {
        "file": path,
        "ok": not found.errors and all(one.ok for one in tests),
        "detections": [one.id for one in found.definitions],
        "diagnostics": [
            {"line": d.line, "column": d.column, "severity": d.severity, "code": d.code, "message": d.message}
            for d in found.diagnostics
        ],
        "tests": [
            {
                "detection": one.detection,
                "wants": one.wanted,
                "title": one.test,
                "line": one.line,
                "ok": one.ok,
                "got": one.got,
                "missing": list(one.missing),
                "message": one.message,
            }
            for one in tests
        ],
    }
