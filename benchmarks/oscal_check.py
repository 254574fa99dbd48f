"""What another program makes of our OSCAL: `make oscal-check` makes a pack of the demo store and has compliance-trestle judge it.

Trestle is installed from the package index into an environment that is thrown away afterwards: it brings some eighteen packages
of its own, too many for the tests. It reads each file as OSCAL (`import`) and runs its validators (`validate`); it does not hold
`oscal-version` against the content, which is what the tests' schemas are for. Ends with 1 where a file is refused.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from reports.exchange import OSCAL_VERSIONS
from review.pack.pack_wish import PackWish
from review.pack.packs import write_pack
from review.sitting.demo import make_demo
from review.workspace import open_workspace

TRESTLE = "compliance-trestle>=5.2,<6"
FRAMEWORKS = ("nist-sp800-53r5-selected", "nist-csf-2.0")


def packs(folder: Path, versions: list[str]) -> list[Path]:
    """The OSCAL files of packs of the demo store, one pack for each version."""
    os.environ["XDG_DATA_HOME"] = str(folder)
    demo = make_demo()
    files: list[Path] = []
    with open_workspace(str(demo.store), str(demo.folder / "org.yaml"), readonly=True) as work:
        for version in versions:
            out = folder / version
            write_pack(work, out, PackWish(frameworks=FRAMEWORKS, only=("oscal",), exchange={"oscal_version": version}))
            files += sorted(out.glob("oscal/*.json"))
    return files


def judge(trestle: Path, workspace: Path, files: list[Path]) -> int:
    """Import every file and validate all; prints what trestle says and returns how many it refused."""
    refused = 0
    workspace.mkdir()
    subprocess.run([trestle, "init", "--local"], cwd=workspace, check=True, capture_output=True)
    for n, file in enumerate(files):
        done = subprocess.run(
            [trestle, "import", "-f", file, "-o", f"document-{n}"], cwd=workspace, capture_output=True, text=True
        )
        refused += done.returncode != 0
        print(f"{'refused' if done.returncode else 'read'}  {file.parent.parent.name}  {file.name}")
        if done.returncode:
            print(done.stdout + done.stderr)
    done = subprocess.run([trestle, "validate", "-a"], cwd=workspace, capture_output=True, text=True)
    print((done.stdout + done.stderr).replace(str(workspace), "."))
    return refused + (done.returncode != 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--version", action="append", choices=OSCAL_VERSIONS, help="repeat for several (default: 1.1.2 and 1.2.1)"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = packs(folder, args.version or ["1.1.2", "1.2.1"])
        print(f"Installing {TRESTLE} into an environment to throw away")
        venv.create(folder / "env", with_pip=True)
        pip: list[str | Path] = [
            folder / "env" / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            TRESTLE,
        ]
        if subprocess.run(pip).returncode:
            print("It could not be installed; nothing was checked.", file=sys.stderr)
            return 1
        return 1 if judge(folder / "env" / "bin" / "trestle", folder / "workspace", files) else 0


if __name__ == "__main__":
    sys.exit(main())
