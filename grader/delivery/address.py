"""Where a webhook may go: https to addresses of the public internet, looked up once and then held fast.

A receiver's address is chosen by whoever configures the course, so it may point into our own network, by a
name that resolves there only at the second look-up too. Every address that the name has is checked, and
the connection is made to one of the very addresses that were checked.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec

MAX_URL = 2000
PORTS = {"https": 443, "http": 80}
# RFC 6052's prefix: the last 32 bits are an IPv4 address behind a translator.
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All that was given out of IPv6 so far (IANA's registry of its address space). Python calls the rest global,
# and with it old ways to spell an IPv4 address.
GIVEN_OUT = ipaddress.ip_network("2000::/3")
# Of the registries of special addresses: for protocols, relays and documentation.
SPECIAL = tuple(
    map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20"))
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class AddressRefusedError(ValueError):
    """A webhook may not go there; the text says why."""


class AddressUnknownError(Exception):
    """The name has no address just now."""


class Target(msgspec.Struct, frozen=True):
    """A receiver's URL in its parts; ``local``: a development setting allows http and any address."""

    scheme: str
    host: str
    port: int
    path: str
    local: bool = False


def target(url: str, *, local: bool = False) -> Target:
    """Take a URL apart; raises AddressRefusedError for what can be seen without asking the network."""
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise AddressRefusedError(f"this is no URL: {error}") from error
    if len(url) > MAX_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise AddressRefusedError(f"a URL has at most {MAX_URL} printable ASCII characters")
    if split.scheme not in ({"https", "http"} if local else {"https"}):
        raise AddressRefusedError("webhooks go over https only")
    if not split.hostname:
        raise AddressRefusedError("the URL names no host")
    if split.username is not None or split.password is not None:
        raise AddressRefusedError("the URL must hold no user name or password; requests are signed")
    if port == 0:
        raise AddressRefusedError("port 0 is no port")
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    made = Target(split.scheme, split.hostname, port or PORTS[split.scheme], path, local)
    literal = _literal(made.host)
    if literal is not None:
        _check(literal, local=local)
    return made


def pinned(goal: Target, resolve: Resolve) -> str:
    """The address to connect to.

    Raises AddressRefusedError where an address of the name is not public, AddressUnknownError where none is.
    """
    found = [_read(text) for text in resolve(goal.host, goal.port)]
    if not found:
        raise AddressUnknownError(f"{goal.host} has no address")
    for address in found:
        _check(address, local=goal.local)
    return str(found[0])


def system_resolver(host: str, port: int) -> Sequence[str]:
    """Every address that this host's resolver knows for a name; raises AddressUnknownError."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressUnknownError(f"{host} was not found: {error}") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: Address) -> bool:
    """Whether an address is one machine of the public internet.

    What wraps an IPv4 address is none, but behind NAT64, where it may be the only way to such a machine.
    """
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    if isinstance(address, ipaddress.IPv6Address) and address not in GIVEN_OUT:
        return False
    return address.is_global and not address.is_multicast and not any(address in net for net in SPECIAL)


def _check(address: Address, *, local: bool) -> None:
    if not local and not is_public(address):
        raise AddressRefusedError(f"{address} is no address of the public internet")


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _read(text: str) -> Address:
    # A scope (fe80::1%eth0) belongs to a local address, and such are refused.
    return ipaddress.ip_address(text.partition("%")[0])
