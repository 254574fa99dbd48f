"""Writes `docs/detections/`: a page for every built-in detection, and the index; `make detections-doc`.

Everything on a page is the detection's own: its metadata and examples, and the crosswalk's controls. A test holds the pages against the code.
"""

from __future__ import annotations

from pathlib import Path

from chains.detections import registry
from model.conditions import EVENT_FIELDS, OUTCOME_FIELDS
from model.request import Field
from reports.crosswalk import load as load_crosswalk
from review.show.detection_pages import markdown, page_document

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "detections"
OWN = ROOT / "docs" / "own-detections.md"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {f"{one.id}.md": markdown(page_document(one)) for one in registry().values()}
    return made | {"README.md": index()}


def index() -> str:
    """The list of all detections, and of what the crosswalk knows and nothing looks for yet."""
    known = registry()
    rows = [f"| [{one.id}]({one.id}.md) | {one.title} | {one.severity.value} | {len(one.examples)} |" for one in known.values()]
    missing = [f"{row.id} ({row.title})" for row in load_crosswalk().detections.values() if row.id not in known]
    parts = [
        "# Detections",
        "Each page is written by `make detections-doc` from the detection itself: what it looks for, example chains, parameters, controls and "
        "limits. Detections of your own: [own-detections.md](../own-detections.md).",
        "\n".join(["| id | title | severity | examples |", "| --- | --- | --- | ---: |", *rows]),
    ]
    if missing:
        parts.append(f"Known to the crosswalk and not looked for: {', '.join(missing)}.")
    return "\n\n".join(parts) + "\n"


def attributes(fields: tuple[Field, ...]) -> str:
    """Attributes as a table, as the page on own detections has them."""
    lines = ["| attribute | type | meaning |", "| --- | --- | --- |"]
    for field in fields:
        values = f": {', '.join(f'`{v}`' for v in field.values)}" if field.values else ""
        lines.append(f"| `{field.name}` | {field.type} | {field.doc}{values} |")
    return "\n".join(lines)


def own_page(text: str) -> str:
    """The page on own detections with its tables of attributes as they are now."""
    for name, fields in (("outcome", OUTCOME_FIELDS), ("event", EVENT_FIELDS)):
        head, mark, rest = text.partition(f"<!-- {name} -->\n")
        after = rest.lstrip("\n").split("\n\n", 1) if rest.lstrip("\n").startswith("|") else ["", rest.lstrip("\n")]
        text = f"{head}{mark}{attributes(fields)}\n" + (f"\n{after[1]}" if len(after) > 1 and after[1] else "")
    return text


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")
    OWN.write_text(own_page(OWN.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
