"""Programs that talk over the network, and database clients: who is addressed, and what is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from lang.names import host_name
from lang.shell_calls import Call, wordset
from lang.shell_inside import after_options
from lang.shell_ops import Args, Classifier, made, split, tried
from lang.shell_paths import path_class, path_flags, path_verb
from lang.shell_rest import over_address
from lang.shell_secrets import over_http
from lang.shell_syntax import Word
from model.event import Operation, Target
from model.words import TargetClass, Verb

_NET, _DB, _FILES = TargetClass.NETWORK, TargetClass.DATABASE, TargetClass.FILESYSTEM
_CURL_VALUES = wordset(
    "-X --request -H --header -d --data --data-raw --data-binary --data-urlencode --data-ascii --json -F --form --form-string -T --upload-file -o --output "
    "-u --user -A --user-agent -e --referer -b --cookie -c --cookie-jar -x --proxy -m --max-time --connect-timeout --retry --retry-delay --resolve --cacert "
    "--cert -E --key -w --write-out --url --limit-rate --interface --dns-servers -K --config -r --range --max-redirs --aws-sigv4 --oauth2-bearer -D "
    "--dump-header --unix-socket --socks5 --socks5-hostname -t --output-dir --retry-max-time -y -Y -C -Q -z --ciphers --create-file-mode --proto --tlsv1"
)
_WGET_VALUES = wordset(
    "-O --output-document -o --output-file -P --directory-prefix -U --user-agent --header --post-data --post-file --method --body-data --body-file -t --tries "
    "-T --timeout -a --append-output -i --input-file --user --password -e --execute --ca-certificate -w --wait -l --level -A -R -D --referer -Q"
)
_SENDING = (
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--data-ascii",
    "--json",
    "-F",
    "--form",
    "--form-string",
)
_UPLOADING = ("-T", "--upload-file", "--post-file", "--body-file")
_HOST_FIRST = re.compile(r"https?://(?:[^\s/$`{}()@]*@)?[a-z0-9.-]+(?::\d+)?(?=[/?])", re.I)
_METHODS = wordset("GET POST PUT PATCH DELETE HEAD OPTIONS")


def curl(call: Call) -> Iterator[Operation]:
    """curl and wget: one request per address; a file written by `-o` is a write, a file sent is a read."""
    wget = call.name.startswith("wget")
    args = split(call.args, _WGET_VALUES if wget else _CURL_VALUES)
    if args.has("--version", "--help", "-h") and not args.operands:
        return
    sent = args.values(*_SENDING, "--post-data", "--body-data")
    files = [v.lstrip("@") for v in args.values(*_UPLOADING)] + [
        v.partition("@")[2].partition(";")[0] for v in sent if "@" in v[:1] or "=@" in v
    ]
    method = (
        args.value("-X", "--request", "--method")
        or ("PUT" if args.has(*_UPLOADING) and not wget else "POST" if sent or files else "GET")
    ).upper()
    flags = [f"method={method}"] if method != "GET" else []
    flags += (
        ["upload"] if files or args.has(*_UPLOADING) else ["data"] if sent or any(args.has(option) for option in _SENDING) else []
    )
    flags += ["insecure"] if args.has("-k", "--insecure", "--no-check-certificate") else []
    headers = [word.text for option, word in args.options if word is not None and option in ("-H", "--header")]
    addresses = [*args.values("--url"), *args.words()]
    for address, word in zip(addresses, (*args.values("--url"), *args.operands), strict=True):
        told = _request(call, address, flags)
        if not told.target.name and isinstance(word, Word) and (found := _HOST_FIRST.match(word.text)):
            # The host is written out and only what comes after it is put in: where data goes is known.
            told = replace(told, target=Target(_NET, host_name(found.group())))
        kept = list(over_http(call, word.text if isinstance(word, Word) else address, method, headers))
        yield replace(told, flags=(*told.flags, "secret-store")) if kept else told
        yield from kept or over_address(call, word.text if isinstance(word, Word) else address, method)
    if not addresses:
        yield made(call, Verb.HTTP_REQUEST, _NET, flags=flags, certain=False)
    for path in files:
        if path and path != "-":
            yield made(call, Verb.FILE_READ, _FILES, path, flags=path_flags(path, False))
    targets = args.values("-O", "--output-document") if wget else args.values("-o", "--output")
    for path in targets:
        if path not in ("-", "/dev/null"):
            verb = path_verb(path, True)
            yield made(call, verb, path_class(verb), path, flags=["download", *path_flags(path, True)])


def _request(call: Call, address: str, flags: list[str]) -> Operation:
    host = host_name(address)
    # Where a variable takes the host's place, the path alone says too little.
    known = bool(address) and bool(host) and "$" not in host and not call.open_ended
    detail = re.sub(r"^[a-z][a-z0-9+.-]*://[^/?#]*", "", address, flags=re.I).partition("?")[0] if "://" in address else ""
    return made(call, Verb.HTTP_REQUEST, _NET, host if known else "", detail, flags, known)


def httpie(call: Call) -> Iterator[Operation]:
    args = split(call.args, wordset("-a --auth -A --auth-type --session -o --output --verify --proxy --timeout -j --json"))
    words = args.words()
    method = words[0] if words and words[0] in _METHODS else ""
    rest = words[1:] if method else words
    if rest:
        data = len(rest) > 1
        method = method or ("POST" if data and any("=" in word and "==" not in word for word in rest[1:]) else "GET")
        flags = [*([f"method={method}"] if method != "GET" else []), *(["data"] if data else [])]
        yield _request(call, rest[0] if "://" in rest[0] or not rest[0] else f"http://{rest[0]}", flags)
        yield from over_address(call, rest[0], method)


_CONNECT_VALUES = {
    "ssh": wordset("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -B"),
    "sftp": wordset("-B -b -c -D -F -i -J -l -o -P -R -S -s"),
    "nc": wordset("-i -p -q -s -w -X -x -e -c -g -G -I -O -T -V"),
    "telnet": wordset("-l -b -e -n"),
    "ftp": wordset("-P -s"),
    "nmap": wordset("-p -oN -oX -oG -oA -T --script -iL --top-ports --exclude"),
}


def connect(call: Call) -> Iterator[Operation]:
    """A connection to a host: ssh, nc, telnet and the like."""
    name = {"ncat": "nc", "netcat": "nc"}.get(call.name, call.name)
    args = split(_host_first(call) if name == "ssh" else call.args, _CONNECT_VALUES.get(name, frozenset()))
    words = args.words()
    if args.has("-V", "--version") and not words:
        return
    host = next(iter(words), "")
    flags = [
        flag
        for flag, options in (("listen", ("-l", "--listen")), ("exec", ("-e", "-c", "--exec")))
        if name == "nc" and args.has(*options)
    ]
    flags += ["tunnel"] if name == "ssh" and args.has("-L", "-R", "-D", "-W") else []
    flags += ["insecure"] if "StrictHostKeyChecking=no" in args.values("-o") else []
    port = words[1] if name in ("nc", "telnet", "ftp") and len(words) > 1 else args.value("-p")
    where = host_name(host.rpartition("@")[2]) if host else ""
    yield made(call, Verb.NET_CONNECT, _NET, where, port, flags, bool(where) or "listen" in flags)


def _host_first(call: Call) -> tuple[Word, ...]:
    """ssh's options and host without the remote command, whose options are not ssh's."""
    rest = after_options(call.args, _CONNECT_VALUES["ssh"])
    return call.args[: len(call.args) - len(rest) + 1]


_SCP_VALUES = wordset("-c -D -F -i -J -l -o -P -S -X")
_RSYNC_VALUES = wordset(
    "-e --rsh -f --filter --exclude --include --exclude-from --files-from --rsync-path --password-file --port --bwlimit -T --temp-dir"
)


def copy_over(call: Call) -> Iterator[Operation]:
    """scp and rsync: hosts connected to, files read and written here."""
    args = split(call.args, _SCP_VALUES if call.name == "scp" else _RSYNC_VALUES)
    words = args.words()
    remote = [word for word in words if _remote(word)]
    for word in dict.fromkeys(_host(word) for word in remote):
        flags = ["upload"] if words and _remote(words[-1]) else ["download"]
        flags += ["destructive"] if args.has("--delete", "--delete-after", "--delete-before") else []
        flags += tried(args, "-n")
        yield made(call, Verb.NET_CONNECT, _NET, word, flags=flags, certain=bool(word))
    for position, word in enumerate(words):
        if word and not _remote(word):
            writes = position == len(words) - 1
            verb = path_verb(word, writes)
            flags = ["destructive", *tried(args, "-n")] if writes and args.has("--delete") else []
            yield made(call, verb, path_class(verb), word, flags=[*flags, *path_flags(word, writes)])
    if not args.known:
        yield made(call, Verb.NET_CONNECT, _NET, certain=False)


def _remote(word: str) -> bool:
    return "://" in word or re.match(r"^(?:[\w.-]+@)?[\w.-]+:(?!\\)", word) is not None


def _host(word: str) -> str:
    return host_name(word) if "://" in word else host_name(word.partition(":")[0].rpartition("@")[2])


def look_up(call: Call) -> Iterator[Operation]:
    """Name look-ups and probes; a name asked for can carry data out."""
    names = [
        w
        for w in split(call.args, wordset("-p -t -c -i -W -w -s -connect -servername -h")).words()
        if w and not w.startswith(("@", "+"))
    ]
    name = names[-1] if names else ""
    if call.name == "openssl":
        if "s_client" not in names:
            return
        name = split(call.args, wordset("-connect -servername")).value("-connect")
    yield made(call, Verb.NET_CONNECT, _NET, host_name(name), call.name, certain=bool(name))


_DB_DESTROYS = re.compile(
    r"(?i)\b(?:drop\s+(?:table|database|schema|view|index|user|role|column|keyspace)|truncate\b|delete\s+from\b(?![^;]*\bwhere\b)|alter\s+table\s+\S+\s+drop"
    r"|flushall|flushdb|dropdatabase|deletemany\s*\(\s*\{\s*\}|\.drop\s*\(|\.remove\s*\(\s*\{\s*\})"
)
_DB_WRITES = re.compile(
    r"(?i)\b(?:insert|update|delete|create|alter|grant|revoke|copy|merge|replace|set|del|hset|insertone|insertmany|updateone|updatemany)\b"
)
_CLIENTS: dict[str, tuple[frozenset[str], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    # program: options with a value, options of the statement, of the host, of the database
    "psql": (
        wordset("-c --command -f --file -h --host -d --dbname -U --username -p --port -v --set -o --output -F -P -L -R -T"),
        ("-c", "--command"),
        ("-h", "--host"),
        ("-d", "--dbname"),
    ),
    "mysql": (
        wordset("-e --execute -h --host -D --database -u --user -P --port -S --socket --defaults-file --protocol"),
        ("-e", "--execute"),
        ("-h", "--host"),
        ("-D", "--database"),
    ),
    "sqlite3": (wordset("-cmd -separator -init -newline -nullvalue -vfs"), ("-cmd",), (), ()),
    "mongosh": (
        wordset("--eval --host -u --username -p --password --port --authenticationDatabase -f --file"),
        ("--eval",),
        ("--host",),
        (),
    ),
    "redis-cli": (wordset("-h -p -a -n -u --user --pass -s -r -i --eval -x --tls --cacert"), (), ("-h",), ("-n",)),
    "clickhouse-client": (
        wordset("-q --query -h --host -d --database -u --user --password --port"),
        ("-q", "--query"),
        ("-h", "--host"),
        ("-d", "--database"),
    ),
    "cqlsh": (wordset("-e --execute -k --keyspace -u -p -f --file"), ("-e", "--execute"), (), ("-k", "--keyspace")),
    "sqlcmd": (wordset("-S -d -U -P -Q -q -i -o -v"), ("-Q", "-q"), ("-S",), ("-d",)),
    "duckdb": (wordset("-c -cmd -init -s -f"), ("-c", "-cmd", "-s"), (), ()),
    "snowsql": (wordset("-q --query -a -u -d --dbname -s -w -r -f -c"), ("-q", "--query"), ("-a",), ("-d", "--dbname")),
    "bq": (wordset("--project_id --location --format --destination_table --max_rows -n"), (), (), ()),
    "influx": (
        wordset("-execute -database -host --org -o --host -t --token"),
        ("-execute",),
        ("-host", "--host"),
        ("-database",),
    ),
}
_DB_ALIASES = {
    "mariadb": "mysql",
    "sqlite": "sqlite3",
    "mongo": "mongosh",
    "valkey-cli": "redis-cli",
    "pgcli": "psql",
    "mycli": "mysql",
    "usql": "psql",
    "cockroach": "psql",
}


def database(call: Call) -> Iterator[Operation]:
    """A database client; `destructive` where the statement drops, truncates or deletes without a condition."""
    name = _DB_ALIASES.get(call.name, call.name)
    valued, statements, hosts, names = _CLIENTS[name]
    args = split(call.args, valued)
    words = args.words()
    if args.has("--version", "--help") and not words:
        return
    given = call.command.given or call.command.fed
    texts = [*args.values(*statements), *words, *([given.text] if given else [])]
    statement = "; ".join(texts)
    flags = ["destructive"] if _DB_DESTROYS.search(statement) else ["write"] if _DB_WRITES.search(statement) else []
    unseen = any(not word.literal for _, word in args.options if word is not None) or not args.known
    unseen = unseen or (call.command.piped and given is None) or bool(args.values("-f", "--file", "-i"))
    where = _where(args, words, name, hosts, names)
    yield made(call, Verb.DB_QUERY, _DB, where, (args.value(*statements) or "")[:200], flags, not unseen)


def _where(args: Args, words: list[str], name: str, hosts: tuple[str, ...], names: tuple[str, ...]) -> str:
    address = next((word for word in (*args.values(*names), args.value("-u"), *words) if "://" in word), "")
    if address:
        path = re.sub(r"^[^:]+://[^/]*/?", "", address).partition("?")[0]
        return "/".join(filter(None, (host_name(address), path)))
    base = args.value(*names)
    if not base and name in ("psql", "mysql", "sqlite3", "duckdb", "mongosh"):
        base = next(iter(words), "")
    host = args.value(*hosts)
    return "/".join(filter(None, (host_name(host) or host, base)))


def dump(call: Call) -> Iterator[Operation]:
    """Dumps and restores of whole databases."""
    args = split(
        call.args,
        wordset("-h --host -U -u --username --user -d --dbname -f --file -p --port -F -n -t --db --archive --out -o -P"),
    )
    lost = ["destructive"] if call.name in ("dropdb", "mysqladmin") and (call.name == "dropdb" or "drop" in args.words()) else []
    name = args.value("-d", "--dbname", "--db") or next(iter(args.words()), "")
    yield made(
        call,
        Verb.DB_QUERY,
        _DB,
        "/".join(filter(None, (args.value("-h", "--host"), name))),
        call.name,
        lost or ["dump"],
        args.known,
    )


CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys(("curl", "wget", "wget2", "curlie"), curl),
    **dict.fromkeys(("http", "https", "xh", "xhs"), httpie),
    **dict.fromkeys(("ssh", "sftp", "nc", "ncat", "netcat", "telnet", "ftp", "nmap", "mosh", "socat"), connect),
    **dict.fromkeys(("scp", "rsync"), copy_over),
    **dict.fromkeys(("dig", "nslookup", "host", "ping", "ping6", "traceroute", "whois", "openssl"), look_up),
    **dict.fromkeys((*_CLIENTS, *_DB_ALIASES), database),
    **dict.fromkeys(
        ("pg_dump", "pg_dumpall", "pg_restore", "mysqldump", "mongodump", "mongorestore", "dropdb", "createdb", "mysqladmin"),
        dump,
    ),
}
