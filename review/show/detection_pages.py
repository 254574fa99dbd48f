"""A detection in full: what it looks for, an example chain, parameters, controls, limits; as a document and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chains.context import Context
from chains.detections import Detection, Example, Hit, Unjudged
from chains.own import Definition
from chains.own.telling import span
from lang.times import iso
from model.chain import Coverage, Credential, Item, Step, TaskChain
from model.words import Effect, EventKind, Tri
from reports.crosswalk import Crosswalk, controls_of
from reports.crosswalk import load as load_crosswalk
from review.documents import Doc

_SHORT = 300


def page_document(one: Detection, definition: Definition | None = None) -> Doc:
    """Everything there is to say of a detection apart from a store's own figures and settings."""
    row = _crosswalk().detections.get(one.id)
    return {
        "id": one.id,
        "family": one.family,
        "title": one.title,
        "severity": one.severity.value,
        "version": one.version,
        "source": "own" if one.own else "built-in",
        "implemented": True,
        "looks_for": one.looks_for,
        "why_it_matters": " ".join(filter(None, (row.relevance.threat, row.relevance.control))) if row else "",
        "limits": one.limits,
        "evidence_needed": list(one.needs),
        "parameters": [
            {"name": name, "default": default, "help": help} for name, (default, help) in sorted(one.parameters.items())
        ],
        "controls": controls(one),
        "examples": [_example(one, sample) for sample in one.examples],
        "definition": _definition(definition) if definition is not None else None,
    }


def controls(one: Detection) -> list[Doc]:
    """What a detection speaks to: `[{"framework", "id"}]`."""
    return [{"framework": framework, "id": id} for framework, id in one.controls] if one.own else [*controls_of(one.id)]


def _crosswalk() -> Crosswalk:
    return load_crosswalk()


def _definition(one: Definition) -> Doc:
    """An own detection's conditions and tests as its file states them."""
    links = [{"when": stage.when} | ({"within": span(stage.within)} if stage.within else {}) for stage in one.stages]
    absent = one.without
    return {
        "over": one.over,
        "per": "task" if one.once else "step",
        "refused": one.refused,
        "links": links,
        "without": {
            "when": absent.when,
            "within": span(absent.within),
            "side": "before" if absent.before else "after",
            "seen_by": list(absent.seen_by),
        }
        if absent
        else None,
        "why": one.why,
        "references": list(one.references),
        "tests": [{"wants": test.wanted, "title": test.title} for test in one.tests],
        "digest": one.digest,
    }


def _example(one: Detection, sample: Example) -> Doc:
    """A chain that must or must not be seen, told step by step, and what the detection says of it."""
    chain, around = sample.chain()
    parameters = {name: default for name, (default, _) in one.parameters.items()}
    told = list(one.function(chain, around, parameters))
    return {
        "title": sample.title,
        "matches": sample.matches,
        "chain": list(_chain(chain, around)),
        "says": [hit.why for hit in told if isinstance(hit, Hit) and not hit.blind_spot],
        "blind_spots": [hit.why for hit in told if isinstance(hit, Hit) and hit.blind_spot],
        "cannot_judge": sorted({hit.fact for hit in told if isinstance(hit, Unjudged)}),
    }


def _chain(chain: TaskChain, around: Context) -> Iterator[str]:
    if chain.task.ended is not None:
        yield f"the task ran from {iso(chain.task.started)} to {iso(chain.task.ended)}"
    for intent in chain.intents:
        yield f"asked: {_short(intent.text)}"
    for step in chain.steps:
        yield _step(step)
    for credential in sorted(around.credentials.values(), key=lambda c: c.id):
        yield _credential(credential)
    for event in sorted(chain.events.values(), key=lambda e: (e.at or 0, e.id)):
        if event.kind is EventKind.CREDENTIAL:
            yield f"{iso(event.at) or 'no time'}: {event.phase.value} by {event.point}: {_short(event.text or 'a credential')}"
    for child in sorted(around.children):
        yield f"child task {child}"
    for coverage in around.coverages:
        yield _coverage(coverage)
    for conflict in around.conflicts:
        yield f"record {conflict} was seen with different bytes"
    for record in around.oversized:
        yield f"record {record} is larger than 4 MB"
    for point, skew in sorted(around.skews.items()):
        yield f"the clock of {point} stands {abs(skew) / 1e6:.0f} s {'ahead' if skew > 0 else 'behind'}"


def _step(step: Step) -> str:
    what = step.title or step.target.name or step.tool
    parts = [f"{iso(step.at) or 'no time'}: {step.verb.value}" + (f" `{_short(what)}`" if what else "")]
    named = "/".join(filter(None, (step.target.name, step.target.detail)))
    if named and named not in parts[0]:
        parts.append(f"on {step.target.cls.value} {named}")
    parts += [f"{item.decision.effect.value} by {item.decision.by or item.point}" for item in step.decisions if item.decision]
    parts += [_item(item) for item in (*step.credential_events, *step.effects)]
    outcome = step.outcome
    parts += [
        f"{name} {value.value}"
        for name, value in (("tool", outcome.tool), ("effect", outcome.effect))
        if value is not Tri.UNKNOWN
    ]
    if outcome.permitted is not Effect.UNKNOWN and not step.decisions:
        parts.append(f"answered {outcome.permitted.value}")
    if step.mode:
        parts.append(f"mode {step.mode}")
    return "; ".join(parts)


def _item(item: Item) -> str:
    return f"{item.phase.value} by {item.point} at {iso(item.at) or 'no time'}" + (f" ({_short(item.text)})" if item.text else "")


def _credential(one: Credential) -> str:
    life = "no expiry" if one.ttl_seconds == -1 else f"{one.ttl_seconds} s" if one.ttl_seconds is not None else "unknown life"
    uses = [f"{iso(use.at) or 'at no known time'} in {use.task or 'no task'}" for use in one.use_list[:4]]
    used = f"; used {', '.join(uses)}" if uses else ""
    scope = f"; scope {', '.join(one.scope)}" if one.scope else ""
    return f"credential {one.kind or one.key}: issued {iso(one.issued) or 'unseen'}, {life}{scope}{used}"


def _coverage(one: Coverage) -> str:
    gaps = "".join(f", not from {iso(gap.start)} to {iso(gap.end)}" for gap in one.gaps)
    what = f" and decides on {', '.join(v.value for v in one.verbs) or 'anything'}" if one.decides else ""
    return f"{one.point} was watched for {one.scope} from {iso(one.start)} to {iso(one.end)}{gaps}{what}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def markdown(doc: Doc) -> str:
    """The page of one detection."""
    parts = [
        f"# {doc['id']}: {doc['title']}",
        f"Severity: {doc['severity']}. Family: {doc['family']}. Version {doc['version']}, {doc['source']}.",
        f"## What it looks for\n\n{_sentence(doc['looks_for'])}",
    ]
    if doc["why_it_matters"]:
        parts.append(f"## Why it matters\n\n{doc['why_it_matters']}")
    if doc["definition"]:
        parts.append("## Conditions\n\n" + "\n".join(_conditions(doc["definition"])))
    shown = [one for wanted in (True, False) for one in doc["examples"] if one["matches"] is wanted]
    if shown:
        parts.append("## Example chains\n\n" + "\n\n".join(_example_part(one) for one in _picked(shown)))
    parts.append("## Evidence it needs\n\n" + "\n".join(f"- {need}" for need in doc["evidence_needed"]))
    parts.append("## Parameters\n\n" + _parameters(doc))
    parts.append("## Controls\n\n" + _controls(doc["controls"]))
    parts.append(f"## Limits\n\n{_sentence(doc['limits'])}")
    parts.append("## What it cannot judge\n\n" + _unjudged(doc))
    return "\n\n".join(parts) + "\n"


def _picked(shown: list[Doc]) -> list[Doc]:
    """One chain that is seen, one that is not, and every one that says something else than a plain yes or no."""
    first = [next((one for one in shown if one["matches"] is wanted), None) for wanted in (True, False)]
    odd = [one for one in shown if one["blind_spots"] or one["cannot_judge"]]
    return [one for n, one in enumerate(shown) if one in first or one in odd][:6] if shown else []


def _example_part(one: Doc) -> str:
    head = f"**{'Seen' if one['matches'] else 'Not seen'}: {one['title']}**"
    lines = [f"{n}. {_plain(line)}" for n, line in enumerate(one["chain"], 1)]
    says = [f"> {_plain(text)}" for text in one["says"]]
    says += [f"> Blind spot: {_plain(text)}" for text in one["blind_spots"]]
    says += [f"> Cannot judge without {_plain(text)}" for text in one["cannot_judge"]]
    return "\n\n".join(filter(None, (head, "\n".join(lines), "\n>\n".join(says))))


def _conditions(definition: Doc) -> Iterator[str]:
    yield f"Over {definition['over']}, one finding for each {definition['per']}."
    yield ""
    for n, link in enumerate(definition["links"], 1):
        yield f"{n}. `{' '.join(link['when'].split())}`" + (f" within {link['within']}" if "within" in link else "")
    if absent := definition["without"]:
        seen = f", as {', '.join(absent['seen_by'])} would have seen it" if absent["seen_by"] else ""
        yield f"\nand within {absent['within']} {absent['side']} it nothing with `{' '.join(absent['when'].split())}`{seen}"


def _parameters(doc: Doc) -> str:
    lines = [f"| `{p['name']}` | {_value(p['default'])} | {_cell(p['help'])} |" for p in doc["parameters"]]
    common = "`enabled`, `severity`, `at_most` and `exclude` are set in `org.yaml` under `detections`, as for every detection."
    if not lines:
        return f"None of its own. {common}"
    return "\n".join(["| name | default | meaning |", "| --- | --- | --- |", *lines]) + f"\n\n{common}"


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"`{_cell(str(v))}`" for v in value) or "none"
    return f"`{_cell(str(value))}`" if value not in ("", None) else "none"


def _controls(found: Iterable[Doc]) -> str:
    by_framework: dict[str, list[str]] = {}
    for one in found:
        by_framework.setdefault(one["framework"], []).append(one["id"])
    if not by_framework:
        return "None stated."
    rows = [f"| {framework} | {', '.join(ids)} |" for framework, ids in sorted(by_framework.items())]
    return "\n".join(["| framework | controls |", "| --- | --- |", *rows])


def _unjudged(doc: Doc) -> str:
    facts = sorted({fact for one in doc["examples"] for fact in one["cannot_judge"]})
    blind = any(one["blind_spots"] for one in doc["examples"])
    lines = [f"- a task without {fact}: it says so, and does not fire" for fact in facts]
    if blind or (doc["definition"] and doc["definition"]["without"]):
        lines.append("- an absence at a time nobody was watching: it is told as a blind spot, never as a finding")
    lines.append("- what no imported record tells: without the evidence above its silence says nothing, and the reports say that")
    return "\n".join(lines)


def _sentence(text: str) -> str:
    text = _plain(text).strip()
    if not text:
        return "Nothing is stated."
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _plain(text: str) -> str:
    """Markup in what a log or an author wrote is text and nothing else; code marks are ours."""
    return "".join(f"\\{c}" if c in "*_<>[]|" else c for c in text) if "`" not in text else text.replace("<", "&lt;")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
