"""What a host is by its name alone: this machine or network, or a service made for passing data on to anybody."""

from __future__ import annotations

import ipaddress
import re

_LOCAL = re.compile(r"(?:^|\.)(?:localhost|local|internal|lan|home|corp|intranet|test|invalid|localdomain|svc)$")
_DROPS: dict[str, tuple[str, ...]] = {
    "paste service": (
        "pastebin.com", "paste.ee", "hastebin.com", "dpaste.org", "dpaste.com", "ghostbin.com", "termbin.com", "ix.io", "sprunge.us",
        "controlc.com", "rentry.co", "privatebin.net", "paste.rs", "paste.debian.net", "justpaste.it", "gist.github.com",
    ),
    "file drop": (
        "transfer.sh", "file.io", "0x0.st", "bashupload.com", "temp.sh", "catbox.moe", "litterbox.catbox.moe", "gofile.io", "tmpfiles.org",
        "uguu.se", "oshi.at", "anonfiles.com", "filebin.net", "wormhole.app", "send.vis.ee", "x0.at",
    ),
    "request bin": (
        "webhook.site", "requestbin.com", "requestbin.net", "pipedream.net", "requestcatcher.com", "beeceptor.com", "hookbin.com", "hookdeck.com",
        "oast.fun", "oast.pro", "oast.live", "oast.site", "oast.online", "oast.me", "oastify.com", "burpcollaborator.net", "interact.sh",
        "interactsh.com", "dnslog.cn", "ceye.io", "canarytokens.com", "postb.in", "mockbin.org", "typedwebhook.tools",
    ),
    "tunnel": (
        "ngrok.io", "ngrok.app", "ngrok-free.app", "ngrok.dev", "trycloudflare.com", "loca.lt", "localhost.run", "lhr.life", "lhr.rocks",
        "serveo.net", "localtunnel.me", "pagekite.me", "bore.pub", "telebit.io", "devtunnels.ms", "tunnelmole.net", "zrok.io", "pinggy.link",
    ),
}  # fmt: skip
_UNIX, _INET, _INET6 = 1, 2, 10
_LONGEST = 512
_KIND = {host: kind for kind, hosts in _DROPS.items() for host in hosts}


def is_local(host: str) -> bool:
    """Whether a host is this machine, a private address or a name that only a private network resolves."""
    bare = host.strip("[]").casefold()
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return "." not in bare or _LOCAL.search(bare) is not None
    return address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified


def drop_kind(host: str) -> str:
    """What kind of service takes data from anybody under this host's name: paste, file drop, request bin, tunnel; "" for none."""
    parts = host.casefold().rstrip(".").split(".")
    return next((kind for n in range(len(parts) - 1) if (kind := _KIND.get(".".join(parts[n:])))), "")


def socket_of(digits: str) -> tuple[str, str]:
    """Host (or path) and port of a socket address as the kernel keeps it, in hex digits; "" for what it does not say.

    The family comes first, in the machine's own order of bytes; only IPv4, IPv6 and Unix sockets name a peer.
    """
    try:
        data = bytes.fromhex(digits[:_LONGEST])
    except ValueError:
        return "", ""
    family = sum(data[:2])
    if family == _INET and len(data) >= 8:
        return str(ipaddress.IPv4Address(data[4:8])), str(int.from_bytes(data[2:4], "big"))
    if family == _INET6 and len(data) >= 24:
        return str(ipaddress.IPv6Address(data[8:24])), str(int.from_bytes(data[2:4], "big"))
    if family == _UNIX and len(data) > 2:
        # A name that begins with a zero byte lies in no folder.
        named = b"@" + data[3:] if data[2] == 0 else data[2:]
        return named.partition(b"\0")[0].decode("utf-8", "replace"), ""
    return "", ""
