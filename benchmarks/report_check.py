"""Checks report.html as browsers and validators see it: axe-core in Chromium, and the Nu checker where Java is there.

`make report-check` fetches both tools into a cache folder; they are no part of the project. Exits with 1 where one of them
objects, with 2 where one cannot be run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from reports.catalogue import frameworks
from tests.reports_sample import build_pack, classified, sample

AXE = "node_modules/axe-core/axe.min.js"
NU = "node_modules/vnu-jar/build/dist/vnu.jar"
VIEWS: tuple[tuple[Literal["screen", "print"], int], ...] = (("screen", 1280), ("screen", 400), ("print", 1280))
RUN = "axe.run(document, {resultTypes: ['violations', 'incomplete']})"


def chromium() -> str:
    """The browser on this machine, "" where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), "")


def cache() -> Path:
    """Where the fetched tools lie."""
    return Path(os.environ.get("REPORT_CHECK", ".cache/report-check"))


def accessibility(
    pages: list[Path], axe: Path, browser: str, views: Sequence[tuple[Literal["screen", "print"], int]] = VIEWS
) -> list[str]:
    """One sentence for each rule of axe-core that a page breaks, in each view."""
    from playwright.sync_api import sync_playwright

    script, told = axe.read_text(encoding="utf-8"), []
    with sync_playwright() as driver:
        chrome = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        try:
            for media, width in views:
                # The page forbids every script, also the checker's.
                view = chrome.new_context(viewport={"width": width, "height": 900}, bypass_csp=True).new_page()
                for page in pages:
                    view.goto(page.resolve().as_uri())
                    view.emulate_media(media=media)
                    view.evaluate(script)
                    found: dict[str, Any] = view.evaluate(RUN)
                    for rule in found["violations"]:
                        first = rule["nodes"][0]["html"][:160]
                        told.append(
                            f"{page.name}, {media} {width}: {rule['id']} ({rule['impact']}) {len(rule['nodes'])} times, first {first}"
                        )
        finally:
            chrome.close()
    return told


def validity(pages: list[Path], jar: Path) -> list[str]:
    """What the Nu checker objects to, warnings too."""
    ran = subprocess.run(
        ["java", "-jar", str(jar), "--format", "gnu", *map(str, pages)], capture_output=True, text=True, check=False
    )
    return [line for line in ran.stderr.splitlines() if line.strip() and "No errors found" not in line]


def sample_pages(folder: Path) -> list[Path]:
    """A page over all frameworks with hostile texts, and one with the whole population."""
    build_pack(sample(classifications=classified()), folder / "all", [f.id for f in frameworks()], {"html"})
    build_pack(sample(), folder / "full", ["owasp-asi-2026"], {"html"}, full=True)
    return [folder / "all" / "report.html", folder / "full" / "report.html"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", type=Path, help="pages to check (default: two made from the tests' sample)")
    given = parser.parse_args()
    axe, jar, browser = cache() / AXE, cache() / NU, chromium()
    for there, what in (
        (axe.is_file(), axe),
        (jar.is_file(), jar),
        (bool(browser), "Chromium"),
        (bool(shutil.which("java")), "java"),
    ):
        if not there:
            print(f"report-check: {what} is missing; `make report-check` fetches axe-core and vnu-jar, the rest is the machine's")
            return 2
    with TemporaryDirectory() as held:
        pages = given.pages or sample_pages(Path(held))
        objections = [*validity(pages, jar), *accessibility(pages, axe, browser)]
    for objection in objections:
        print(objection)
    print(f"{len(pages)} pages, {len(VIEWS)} views each: {len(objections)} objections")
    return 1 if objections else 0


if __name__ == "__main__":
    sys.exit(main())
