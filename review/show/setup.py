"""What is set up, with a store's figures where there is one: for commands that are useful before anything is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from chains.facts import OrgFacts
from review import locations
from review.organisation import organisation, own_folder
from review.own import Own, load_own, own_paths
from review.workspace import open_workspace
from store import Store


@dataclass
class Setup:
    """The organisation's facts and own detections; `store` is None where nothing was imported yet."""

    facts: OrgFacts
    own: Own
    folder: Path | None
    base: Path | None
    store: Store | None = None

    def own_files(self) -> list[str]:
        """Every file of own detections, those with errors included."""
        return [str(path) for path in own_paths(self.folder, self.facts.org.own_detections, self.base, [])]

    def __enter__(self) -> Setup:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.store is not None:
            self.store.close()


def open_setup(store: str | None, org: str | None, detections: str | None) -> Setup:
    """Open what there is; raises RemitError where the organisation file or the store is wrong."""
    location = store or locations.default_store()
    path = locations.org_file(location, org)
    base = path.parent if path else None
    if locations.is_url(location) or Path(location).exists():
        work = open_workspace(location, org, detections=detections, readonly=True)
        return Setup(work.facts, work.own, work.detections_dir, base, work.store)
    facts = organisation(location, org)
    folder = own_folder(detections)
    return Setup(facts, load_own(folder, facts.org.own_detections, base), folder, base)
