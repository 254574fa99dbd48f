"""An organisation's folder of templates: what it holds, and nothing outside of it."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from reports.errors import TemplateFault

MOST_FILES = 100
LARGEST = 1_000_000


class TemplateFolder:
    """Templates read once, by their path below the folder; `digests` are printed in the report.

    Raises TemplateFault where the folder cannot be read, where a file is no text, too large or a link to somewhere else,
    and where none of the files has the name of one of our templates: nothing would change, so a name is wrong.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.resolve().name
        if not path.is_dir():
            raise TemplateFault(f"{path} is no folder; --templates wants the folder of your own templates")
        self._texts: dict[str, str] = {}
        self.digests: dict[str, str] = {}
        found = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        if len(found) > MOST_FILES:
            raise TemplateFault(f"{path} holds more than {MOST_FILES} files; name a folder with templates alone")
        root = path.resolve()
        for file in found:
            name = file.relative_to(path).as_posix()
            if not file.resolve().is_relative_to(root):
                raise TemplateFault(
                    f"template {name} in {path} is a link to a file outside of the folder; copy that file into it"
                )
            data = self._data(file, name)
            try:
                self._texts[name] = data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise TemplateFault(f"template {name} in {path} is not UTF-8 text; save it as such") from error
            self.digests[name] = sha256(data).hexdigest()
        ours = {
            p.name
            for p in files("reports").joinpath("templates").iterdir()
            if p.name == "report.md" or p.name.endswith((".html", ".css"))
        }
        if not ours & set(self._texts):
            raise TemplateFault(f"{path} replaces no template; those there are: {', '.join(sorted(ours))}")

    @property
    def sha256(self) -> str:
        """One digest over all of them, as `sha256sum` over their sorted paths, and that over its lines, gives it."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.digests.items()))
        return sha256(lines.encode("utf-8")).hexdigest()

    def read(self, name: str) -> str | None:
        """The text of one template, None where the folder has none of that name."""
        return self._texts.get(name)

    def _data(self, file: Path, name: str) -> bytes:
        try:
            if file.stat().st_size > LARGEST:
                raise TemplateFault(f"template {name} in {self.path} is larger than {LARGEST} bytes")
            return file.read_bytes()
        except OSError as error:
            raise TemplateFault(f"template {name} in {self.path} cannot be read: {error.strerror or error}") from error
