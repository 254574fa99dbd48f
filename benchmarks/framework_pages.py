"""Writes `docs/frameworks/`: a page for every catalogue of the package, and the index; `make frameworks-doc`.

Everything on a page comes from the catalogue and the crosswalk. A test holds the pages against them.
"""

from __future__ import annotations

from pathlib import Path

from reports.library import shipped
from review.pack.framework_pages import listing, markdown, page_document

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "frameworks"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    known = shipped()
    made = {f"{one.id}.md": markdown(page_document(known, one)) for one in known.frameworks.values()}
    return made | {"README.md": index()}


def index() -> str:
    """The list of all frameworks."""
    rows = [
        f"| [{row['id']}]({row['id']}.md) | {row['title']} | {row['edition']} | {row['assessable']} | {row['mapped']} |"
        for row in listing(shipped())
    ]
    return (
        "\n\n".join(
            [
                "# Frameworks",
                "Each page is written by `make frameworks-doc` from the catalogue and the crosswalk: which detections speak to an entry, "
                "what imported evidence shows of it and what it does not, and what cannot be assessed from it. Catalogues, crosswalks and "
                "readings of your own: [frameworks.md](../frameworks.md).",
                "\n".join(
                    [
                        "| id | title | edition | entries that get a result | with a detection |",
                        "| --- | --- | --- | ---: | ---: |",
                        *rows,
                    ]
                ),
            ]
        )
        + "\n"
    )


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    made = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
