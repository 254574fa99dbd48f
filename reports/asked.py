"""What is asked of a pack: one shape, checked in one place before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from reports.document import InputFile
from reports.earlier import Earlier
from reports.errors import PackError
from reports.library import Library, shipped
from reports.redaction import Redactor
from reports.renderers.base import Choices, Renderer, choose
from reports.renderers.folder import TemplateFolder
from reports.signing import Signer

REDACTION = "redaction"


@dataclass(frozen=True, kw_only=True)
class PackRequest:
    """`frameworks` are names of catalogues or labels of controls (see `Library.select`), `only` renderer ids (None is all),
    `also` renderer ids to make beside the usual ones, `full` puts the whole population into the page, `templates` stand before
    ours, `since` is an earlier report whose differences fill the annexe, `redactor` leaves out what is not to be shown,
    `signer` signs the manifest, `library` is what an organisation's own files make of the frameworks.

    Raises UnknownName for a framework or a format there is not, PackError for a comparison that would show what is left out.
    """

    frameworks: Sequence[str]
    only: Collection[str] | None = None
    also: Collection[str] = ()
    full: bool = False
    templates: TemplateFolder | None = None
    since: Earlier | None = None
    redactor: Redactor | None = None
    signer: Signer | None = None
    library: Library = field(default_factory=shipped)

    def __post_init__(self) -> None:
        self.library.select(self.frameworks)
        self.formats()
        shown = (self.since.document.get(REDACTION) or {}).get("profile") if self.since else None
        if self.since and self.redactor and shown != self.redactor.profile:
            raise PackError(
                f"the earlier report shows what `--redact {self.redactor.profile}` leaves out, and its differences would show it "
                "again; compare with one that was made with the same profile"
            )

    def formats(self) -> list[Renderer]:
        """The formats to make, as they are configured."""
        choices = Choices(self.full, self.templates, frozenset(self.also))
        return choose(None if self.only is None else set(self.only), choices)

    def inputs(self) -> list[InputFile]:
        """What went into the pack beside the store, by name and digest."""
        return inputs(self.templates, self.since)

    def options(self) -> str:
        """How the command that makes the pack again says it; what lies on somebody's machine has a placeholder."""
        said = " --full" if self.full else ""
        said += f" --only {','.join(sorted(self.only))}" if self.only is not None else ""
        said += " --pdf" if "pdf" in self.also else ""
        said += f" --redact {self.redactor.profile}" if self.redactor else ""
        said += " --templates DIR" if self.templates else ""
        return said + (" --since PACK" if self.since else "")


def inputs(templates: TemplateFolder | None, since: Earlier | None) -> list[InputFile]:
    """A folder of templates and an earlier report by name and SHA-256: a path would tell of somebody's machine."""
    made = [InputFile("templates", templates.name, templates.sha256)] if templates else []
    return made + ([InputFile("since", since.name, since.sha256)] if since else [])
