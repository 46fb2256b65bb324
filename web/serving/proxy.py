"""Where a request comes from, behind proxies: X-Forwarded-For counts as far as trusted proxies have written it."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """ValueError for what is no network, such as 10.0.0.0/8, and no address."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The last address that no trusted proxy has, going from the peer back through the X-Forwarded-For headers.

    What stands before it was written by somebody whom we do not trust. Where an entry is no address, it is the proxy's
    that has passed it on.
    """
    address = peer
    entries = [entry.strip() for header in forwarded for entry in header.split(",")]
    while entries and is_trusted(address, trusted):
        parsed = _parsed(entries.pop())
        if parsed is None:
            break
        address = str(parsed)
    return address


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in trusted)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed
