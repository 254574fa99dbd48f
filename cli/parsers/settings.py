"""What is about this installation: settings, help, formats, frameworks, detections."""

from __future__ import annotations

from cli.parsers.words import Place, formats


def declare(place: Place) -> None:
    sub = place.command(
        "config", "settings:config", "where things lie, what is set and where from, whether it is valid, and the schemas"
    )
    sub.add_argument("action", choices=("path", "show", "validate", "schema"))
    sub.add_argument("what", nargs="?", choices=("org", "settings"), default="org", help="whose schema; org.yaml's by default")
    formats(sub, lines=False)
    sub = place.command("help", "helping:help_on", "help on a topic, with this store's own figures; the keys; the tour")
    sub.add_argument("topic", nargs="?", metavar="TOPIC", help="zero-trust, jit, mcp, rotation, keys or tour; none lists them")
    formats(sub, lines=False)
    sub = place.command("completion", "settings:completion", "print a completion script for your shell")
    sub.add_argument("shell", choices=("bash", "zsh", "fish"))
    formats(place.command("formats", "listing:formats", "log formats this installation reads"))
    sub = place.command(
        "frameworks",
        "frameworks:frameworks",
        "framework catalogues a report can speak to: all, one of them, two editions compared",
    )
    sub.add_argument(
        "what",
        nargs="*",
        metavar="ID | LABEL | compare ID ID",
        help="a framework by id or short name, a control's label in any spelling, or two editions to lay side by side",
    )
    formats(sub)
    sub = place.command(
        "detections", "detections:detections", "the detections, built-in and own: list, show, test, import Sigma rules"
    )
    sub.add_argument("action", nargs="?", choices=("list", "show", "test", "import-sigma"), default="list")
    sub.add_argument("what", nargs="*", metavar="ID|FILE", help="the id to show, the files to test, the Sigma rules to import")
    sub.add_argument("--out", metavar="FILE", help="where import-sigma writes, instead of standard output")
    formats(sub)
