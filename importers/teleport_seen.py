"""What is seen inside a Teleport session: which events tell of an act, what was done with a file, what a database was asked."""

from __future__ import annotations

import re

from importers.shared.fields import Json, dig, first_text, mapping, number, text, texts
from model.words import Verb

_DISK_WRITES = 0o3
_MANY = 50
SEEN = {
    "session.command": Verb.EXEC,
    "exec": Verb.EXEC,
    "session.disk": Verb.FILE_READ,
    "session.network": Verb.NET_CONNECT,
    "kube.request": Verb.CLUSTER_CALL,
    "app.session.request": Verb.HTTP_REQUEST,
    "app.session.dynamodb.request": Verb.DB_QUERY,
    "mcp.session.request": Verb.MCP_CALL,
    "port": Verb.NET_CONNECT,
    "port.local": Verb.NET_CONNECT,
    "port.remote": Verb.NET_CONNECT,
    "port.remote_conn": Verb.NET_CONNECT,
    "x11-forward": Verb.NET_CONNECT,
    "sftp": Verb.FILE_READ,
    "scp": Verb.FILE_READ,
    "scp.download": Verb.FILE_READ,
    "scp.upload": Verb.FILE_WRITE,
    "desktop.directory.share": Verb.FILE_READ,
    "desktop.directory.read": Verb.FILE_READ,
    "desktop.directory.write": Verb.FILE_WRITE,
    "ssm.run": Verb.EXEC,
    "git.command": Verb.REPO_READ,
}
# What a database is asked goes by a name for each protocol; the rest of a prepared statement's life asks nothing.
QUERIES = re.compile(
    r"db\.session\.(?!start$|end$|result$|permissions\.|user\.|malformed_packet$|cassandra\.register$"
    r"|.*\.(?:bind|close|reset|fetch|send_long_data)$)"
)
# SFTP's own actions by number; what an open file is for, its flags say, in SFTP's numbers or the system's.
_SFTP_WRITES = frozenset({4, 7, 8, 12, 16, 18, 19})
_SFTP_DELETES = frozenset({11, 13})
_SFTP_WRITE_FLAGS = 0x02 | 0x08 | 0x10 | 0x40 | 0x200


def file_verb(entry: Json, kind: str, verb: Verb) -> Verb:
    """What was done with a file, as far as the action or the flags tell reading from writing; else the kind's own verb."""
    action, flags = number(entry.get("action")), number(entry.get("flags")) or 0
    if kind == "session.disk":
        return Verb.FILE_WRITE if flags & _DISK_WRITES else verb
    if kind == "sftp":
        wrote = action in _SFTP_WRITES or (action == 1 and flags & _SFTP_WRITE_FLAGS)
        return Verb.FILE_DELETE if action in _SFTP_DELETES else Verb.FILE_WRITE if wrote else verb
    return Verb.FILE_WRITE if kind == "scp" and entry.get("action") == "upload" else verb


def query(entry: Json, kind: str) -> str:
    """What a database was asked, in the words of its protocol: a statement, a procedure, a request, or what the event calls it."""
    said = first_text(entry, "db_query", "query") or text(dig(entry, "args", "sql")) or first_text(entry, "target")
    if said:
        return said
    listed = entry.get("children")
    batch = [first_text(mapping(one), "query") for one in listed[:_MANY]] if isinstance(listed, list) else []
    parts = [part for part in (first_text(entry, "procedure", "proc_name"), *texts(entry.get("parameters")), *batch) if part]
    asked = f"{first_text(entry, 'method')} {first_text(entry, 'path')}".strip()
    return "\n".join(parts) or asked or f"{kind.rpartition('.')[2]} {first_text(entry, 'schema_name')}".strip()
