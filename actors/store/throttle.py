"""How long the next attempt to log in must wait: by user name and by address, known or not.

Some attempts are free, then the wait doubles with each, up to the lock-out's. They are forgotten a day after the last.
"""

import hashlib
import ipaddress
from functools import lru_cache
from typing import NamedTuple

SECOND_NS = 1_000_000_000
LOCKED_S = 900
FORGET_AFTER_NS = 24 * 3_600 * SECOND_NS


class Limit(NamedTuple):
    prefix: str
    free: int
    """Attempts without a success that cost nothing."""


NAME = Limit("name", 5)
ADDRESS = Limit("address", 50)
"""Many people may share one."""


def name_subject(username: str) -> str:
    """Hashed: what is typed into the field for the name is sometimes the password."""
    return f"name:{hashlib.sha256(username.encode('utf-8', 'surrogatepass')).hexdigest()}"


def address_subject(address: str) -> str:
    return f"address:{network_of(address)}"


@lru_cache(10_000)
def network_of(address: str) -> str:
    """What counts as one address: an IPv6 client has 64 bits to choose from. "unknown" for what is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if parsed.version == 6 and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def until_ns(limit: Limit, failures: int, last_ns: int) -> int:
    """When the next attempt may be made, after so many in a row, the last at `last_ns`."""
    over = failures - limit.free
    return last_ns + min(2 ** min(over, 20), LOCKED_S) * SECOND_NS if over >= 0 else 0
