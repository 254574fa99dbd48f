"""Programs and redirections that read, write and delete files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lang.shell_calls import Call, wordset
from lang.shell_guards import services
from lang.shell_ops import Classifier, made, split
from lang.shell_paths import path_class, path_flags, path_verb
from lang.shell_syntax import SimpleCommand, Word
from model.event import Operation
from model.words import TargetClass, Verb

_FILES = TargetClass.FILESYSTEM
_MAX_PATHS = 60
_DEVICES = re.compile(r"^/dev/(?:null|stdout|stderr|stdin|tty|fd/\d+|zero|u?random|full)$")
_SOCKETS = re.compile(r"^/dev/(?:tcp|udp)/([^/]+)/(\w+)$")


def resolved(path: str, cwd: str | None) -> str:
    """A path from where the script began: a literal `cd` before it is put in front."""
    if not path or not cwd or path.startswith(("/", "~", "$")) or re.match(r"^[A-Za-z]:[\\/]", path):
        return path
    return f"{cwd.rstrip('/')}/{path.removeprefix('./')}"


def on_path(call: Call, word: Word, verb: Verb, flags: Iterable[str] = ()) -> Operation:
    """One operation on one path, with the verb of what a write there changes and the path's own flags.

    A dynamic path keeps no name; what its literal end says of a pipeline or a rule file still counts.
    """
    writes = verb is not Verb.FILE_READ
    text = resolved(word.text, call.command.cwd)
    kind = path_verb(text, True) if writes else Verb.FILE_READ
    shown = verb if verb is Verb.FILE_DELETE and kind is Verb.FILE_WRITE else kind
    told = [*flags, *path_flags(text, writes)]
    if verb is Verb.FILE_DELETE and shown is not verb:
        told.append("delete")
    known = word.literal and not (call.command.cwd is None and not text.startswith(("/", "~")))
    return made(call, shown, path_class(shown), text if word.literal else "", flags=told, certain=known)


def _each(call: Call, words: Iterable[Word], verb: Verb, flags: Iterable[str] = ()) -> Iterator[Operation]:
    words = list(words)
    told = list(flags)
    for word in words[:_MAX_PATHS]:
        # What a process substitution runs is read by itself; it names no file.
        if not _DEVICES.match(word.text) and (word.literal or not word.text.startswith(("<(", ">("))):
            yield on_path(call, word, verb, told)
    if call.open_ended or len(words) > _MAX_PATHS:
        yield made(call, verb, _FILES, flags=told, certain=False)


# Readers: options with a value, and how many operands stand before the files (a pattern, a program).
_READERS: dict[str, tuple[frozenset[str], int]] = {
    **dict.fromkeys(
        wordset("cat tac nl less more view zcat gzcat bzcat xzcat zstdcat zless rev wc file comm tsort"), (frozenset(), 0)
    ),
    **dict.fromkeys(
        ("bat", "batcat"), (wordset("-r -l -H --line-range --language --style --theme --paging --highlight-line"), 0)
    ),
    **dict.fromkeys(("xxd", "hexdump", "od", "strings"), (wordset("-s -l -c -n -A -j -N -t"), 0)),
    **dict.fromkeys(("head", "tail"), (wordset("-n -c --lines --bytes -s --pid"), 0)),
    **dict.fromkeys(("stat", "iconv"), (wordset("-c -f -t --format --printf"), 0)),
    "sort": (wordset("-k -t -o -S -T --key --field-separator --output"), 0),
    "uniq": (wordset("-f -s -w"), 0),
    **dict.fromkeys(("cut", "paste", "join"), (wordset("-d -f -c -b -1 -2 -j -o -t --delimiter --fields --output-delimiter"), 0)),
    **dict.fromkeys(("fold", "fmt"), (wordset("-w"), 0)),
    "column": (wordset("-s -o -c -N -R"), 0),
    **dict.fromkeys(wordset("md5sum sha1sum sha256sum sha512sum shasum cksum b2sum md5 base64 base32"), (wordset("-a -w"), 0)),
    **dict.fromkeys(wordset("diff cmp vimdiff colordiff sdiff diff3"), (wordset("-U -C -x -I -W --exclude --label"), 0)),
    **dict.fromkeys(
        wordset("grep egrep fgrep rg ag ack zgrep ugrep"),
        (
            wordset(
                "-e -f -m -A -B -C -g -t -T -d -D -j -M --include --exclude --exclude-dir --max-count --type --glob --context --regexp "
                "--max-depth --file --after-context --before-context --iglob --type-not"
            ),
            1,
        ),
    ),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), (wordset("-F -v -f -i"), 1)),
    **dict.fromkeys(wordset("jq yq gojq xq dasel"), (wordset("--indent -f --from-file -o -p -I"), 1)),
}
_JQ_PAIRS = wordset("--arg --argjson --slurpfile --rawfile")


def read(call: Call) -> Iterator[Operation]:
    """A program that reads the files it is given."""
    valued, skip = _READERS[call.name]
    given = call.args
    if call.name in ("jq", "gojq"):
        given = tuple(w for i, w in enumerate(given) if not any(given[k].text in _JQ_PAIRS for k in range(max(0, i - 2), i + 1)))
    args = split(given, valued)
    words = args.operands
    if skip and not args.has("-e", "-f", "--regexp", "--file", "--from-file", "--files"):
        words = words[skip:]
    words = tuple(word for word in words if word.text != "-")
    flags = (
        ["recursive"]
        if call.name in ("grep", "rg", "ag", "ack", "ugrep") and (call.name != "grep" or args.has("-r", "-R", "--recursive"))
        else []
    )
    if not words and "recursive" in flags and not call.command.piped and not call.open_ended:
        words = (Word("."),)
    yield from _each(call, words, Verb.FILE_READ, flags)
    if call.name == "sort" and (target := args.value("-o", "--output")):
        yield on_path(call, Word(target), Verb.FILE_WRITE)
    if call.name in ("awk", "gawk") and args.value("-i") == "inplace":
        yield from _each(call, words, Verb.FILE_WRITE)


def sourced(call: Call) -> Iterator[Operation]:
    """`source file`, and a shell or interpreter given a file: it is read and run."""
    for word in call.args[:1]:
        yield on_path(call, word, Verb.FILE_READ, ["run"])
        yield made(
            call, Verb.EXEC, TargetClass.UNKNOWN, word.text if word.literal else "", flags=["script"], certain=word.literal
        )


def sed(call: Call) -> Iterator[Operation]:
    """sed and perl -p: in place it writes its files, otherwise it reads them."""
    in_place = any(
        word.text.startswith(("-i", "--in-place")) or re.match(r"^-[a-zA-Z]*i(?:\.\w+)?$", word.text)
        for word in call.args
        if word.literal
    )
    args = split(call.args, wordset("-e -f --expression --file -l --line-length"))
    words = args.operands if args.has("-e", "--expression", "-f", "--file") else args.operands[1:]
    yield from _each(call, (w for w in words if w.text), Verb.FILE_WRITE if in_place else Verb.FILE_READ)


def remove(call: Call) -> Iterator[Operation]:
    """rm, unlink, shred, rmdir: `destructive` where whole trees go."""
    args = split(call.args, wordset("-n -s --iterations --size"))
    deep = args.has("-r", "-R", "--recursive") or call.name == "shred"
    flags = [*(["destructive"] if deep else []), *(["force"] if args.has("-f", "--force") else [])]
    yield from _each(call, args.operands, Verb.FILE_DELETE, flags)


def write(call: Call) -> Iterator[Operation]:
    """Programs whose every operand is written: tee, touch, mkdir, truncate, chmod's files."""
    args = split(call.args, wordset("-m --mode -d -t -r -s --size --date --reference -o --output-error"))
    words = args.operands
    flags: list[str] = []
    if call.name in ("chmod", "chown", "chgrp", "chattr", "setfacl", "xattr"):
        mode, words = (words[0].text if words else ""), words[1:]
        flags = ["mode"]
        if mode in ("777", "0777", "a+rwx", "o+w", "a+w", "ugo+rwx") or re.search(r"[ug]\+s|^[4267]7\d\d$", mode):
            flags.append("permissive")
    if call.name == "mkdir":
        flags = ["directory"]
    yield from _each(call, words, Verb.FILE_WRITE, flags)


def copy(call: Call) -> Iterator[Operation]:
    """cp, mv, ln, install: the last operand (or `-t`) is written, the others are read or, by mv, go."""
    args = split(call.args, wordset("-t --target-directory -S --suffix -m --mode -o -g --owner --group"))
    target = args.value("-t", "--target-directory")
    words = args.operands
    if call.name == "install" and args.has("-d", "--directory"):
        yield from _each(call, words, Verb.FILE_WRITE, ["directory"])
        return
    sources, last = (words, Word(target)) if target else (words[:-1], words[-1] if len(words) > 1 else None)
    if call.name == "mv":
        yield from (on_path(call, word, Verb.FILE_DELETE, ["moved"]) for word in sources[:_MAX_PATHS])
    elif call.name != "ln":
        yield from (on_path(call, word, Verb.FILE_READ) for word in sources[:_MAX_PATHS])
    if last is not None:
        landing = [last]
        # What lands in a folder keeps its name: `cp ci.yml .github/workflows/`.
        if last.literal and (last.text.endswith(("/", ".")) or len(sources) > 1 or target):
            landing = [
                Word(f"{last.text.rstrip('/')}/{word.text.rstrip('/').rpartition('/')[2]}", word.literal)
                for word in sources[:_MAX_PATHS]
            ]
        yield from (on_path(call, word, Verb.FILE_WRITE, ["link"] if call.name == "ln" else []) for word in landing)
    if call.open_ended or len(words) > _MAX_PATHS:
        yield made(call, Verb.FILE_WRITE, _FILES, certain=False)


_ARCHIVE_VALUES = {
    "tar": wordset("-f --file -C --directory -T -X --exclude --strip-components -I --use-compress-program"),
    "unzip": wordset("-d -x -P"),
    "zip": wordset("-x -i -P -b"),
}


def archive(call: Call) -> Iterator[Operation]:
    """tar, zip, gzip and their kin: what goes in is read, what comes out is written, at names not known here."""
    args = split(call.args, _ARCHIVE_VALUES.get(call.name, frozenset()))
    first = call.args[0].text if call.args and call.args[0].literal else ""
    extracts = (
        call.name in ("unzip", "gunzip", "bunzip2", "unxz", "unrar")
        or ("x" in first.split("=")[0] and not first.startswith("--"))
        or args.has("--extract", "--get")
    )
    if call.name in ("gzip", "bzip2", "xz", "zstd", "7z"):
        extracts = args.has("-d", "--decompress") or first in ("x", "e")
    name = args.value("-f", "--file")
    words = args.operands[0 if first.startswith("-") or call.name != "tar" else 1 :]
    if not name and words and call.name in ("tar", "zip", "unzip", "7z"):
        name, words = (words[0].text if words[0].literal else ""), words[1:]
    if call.name == "tar" and ("t" in first.lstrip("-") and "x" not in first and "c" not in first):
        extracts = False
        words = ()
    if extracts:
        yield from _each(call, [Word(name)] if name and name != "-" else words[:1], Verb.FILE_READ)
        where = args.value("-C", "--directory", "-d")
        yield made(call, Verb.FILE_WRITE, _FILES, resolved(where or ".", call.command.cwd), flags=["archive"], certain=False)
    else:
        yield from _each(call, words, Verb.FILE_READ)
        if name and name != "-" and words:
            yield on_path(call, Word(name), Verb.FILE_WRITE)


def find(call: Call) -> Iterator[Operation]:
    """find by itself: `-delete` deletes below its starting points, `-fprint` writes. What `-exec` runs is read apart."""
    roots: list[Word] = []
    for word in call.args:
        if word.text.startswith(("-", "(", "!")) and word.literal:
            break
        roots.append(word)
    said = [word.text for word in call.args]
    if "-delete" in said:
        yield from _each(call, roots or [Word(".")], Verb.FILE_DELETE, ["destructive", "recursive"])
    for option in ("-fprint", "-fls", "-fprintf"):
        if option in said[:-1]:
            yield on_path(call, call.args[said.index(option) + 1], Verb.FILE_WRITE)


def disk(call: Call) -> Iterator[Operation]:
    """dd, mkfs and partitioning: writing to a device destroys what is on it."""
    if call.name == "dd":
        for word in call.args:
            name, _, value = word.text.partition("=")
            if name == "of" and not _DEVICES.match(value):
                yield on_path(call, Word(value, word.literal), Verb.FILE_WRITE, ["destructive"])
            elif name == "if" and not _DEVICES.match(value):
                yield on_path(call, Word(value, word.literal), Verb.FILE_READ)
        return
    words = split(call.args, wordset("-t -L -n -b -l -s")).operands
    yield from _each(call, words[-1:], Verb.FILE_WRITE, ["destructive"])


def schedule(call: Call) -> Iterator[Operation]:
    """crontab, at, systemctl enable and launchctl load: something is to run later."""
    args = split(call.args, wordset("-u -f -t"))
    words = args.words()
    if call.name == "crontab" and not args.has("-l"):
        flags = ["persistence", *(["destructive"] if args.has("-r") else [])]
        yield made(call, Verb.FILE_WRITE, _FILES, "crontab", flags=flags)
    elif call.name in ("at", "batch"):
        yield made(call, Verb.UNKNOWN, _FILES, "at", flags=["persistence"], certain=False)
    elif call.name in ("systemctl", "launchctl", "service", "update-rc.d") and words:
        changes = words[0] in ("enable", "load", "bootstrap", "link", "edit", "submit")
        yield made(
            call,
            Verb.EXEC,
            TargetClass.UNKNOWN,
            call.name,
            " ".join(w for w in words[:3] if w),
            ["persistence"] if changes else [],
            args.known,
        )
        yield from services(call)


def patch(call: Call) -> Iterator[Operation]:
    """patch: the files it changes stand in the patch, not on the command line."""
    args = split(call.args, wordset("-p -i --input -d --directory -o --output"))
    if args.operands:
        yield on_path(call, args.operands[0], Verb.FILE_WRITE)
    else:
        yield made(call, Verb.FILE_WRITE, _FILES, certain=False)


_PATCHED = re.compile(r"^\*\*\* (?:(Update|Add|Delete) File|Move to): (.{1,2000})$", re.MULTILINE)


def agent_patch(call: Call) -> Iterator[Operation]:
    """`apply_patch`, which coding agents put into a shell's way: the patch is its argument or a here-document."""
    given = call.args[0] if call.args else call.command.given or call.command.fed
    named = _PATCHED.findall(given.text) if given is not None else []
    if given is None or not named:
        yield made(call, Verb.FILE_WRITE, _FILES, certain=False)
    for what, path in named[:_MAX_PATHS]:
        yield on_path(call, Word(path.strip()), Verb.FILE_DELETE if what == "Delete" else Verb.FILE_WRITE)


def redirected(command: SimpleCommand) -> Iterator[Operation]:
    """What the redirections of a command read and write."""
    call = Call("", (), command)
    for redirect in command.redirects:
        target = redirect.target
        if redirect.operator.endswith("&") and (target.text.isdigit() or target.text == "-"):
            continue
        if _DEVICES.match(target.text):
            continue
        if socket := _SOCKETS.match(target.text):
            yield made(call, Verb.NET_CONNECT, TargetClass.NETWORK, socket.group(1), socket.group(2), ["raw"])
        elif redirect.operator == "<":
            yield on_path(call, target, Verb.FILE_READ)
        elif redirect.writes:
            device = target.text.startswith("/dev/") and target.literal
            yield on_path(
                call, target, Verb.FILE_WRITE, ["destructive"] if device else ["append"] if ">>" in redirect.operator else []
            )


CLASSIFIERS: dict[str, Classifier] = {
    **dict.fromkeys(_READERS, read),
    **dict.fromkeys(("source", ".", "run-script"), sourced),
    **dict.fromkeys(("sed", "gsed"), sed),
    **dict.fromkeys(("rm", "unlink", "shred", "rmdir", "srm", "trash", "trash-put", "rimraf"), remove),
    **dict.fromkeys(
        ("tee", "touch", "mkdir", "truncate", "chmod", "chown", "chgrp", "chattr", "setfacl", "mkfifo", "sponge", "xattr"), write
    ),
    **dict.fromkeys(("cp", "mv", "ln", "install", "ditto"), copy),
    **dict.fromkeys(("tar", "zip", "unzip", "gzip", "gunzip", "bzip2", "bunzip2", "xz", "unxz", "zstd", "7z", "unrar"), archive),
    **dict.fromkeys(
        ("dd", "mkfs", "mkfs.ext4", "mkfs.xfs", "mkfs.btrfs", "mkswap", "wipefs", "fdisk", "parted", "sgdisk", "blkdiscard"), disk
    ),
    **dict.fromkeys(("crontab", "at", "batch", "systemctl", "launchctl", "service", "update-rc.d"), schedule),
    "find": find,
    "patch": patch,
    **dict.fromkeys(("apply_patch", "applypatch"), agent_patch),
}
