"""How passwords are kept: bcrypt over base64 of the password's SHA-256.

bcrypt reads no more than 72 bytes, and none after a zero byte; the digest in base64 is 44 bytes of text, whatever the
password was.
"""

import base64
import hashlib

import bcrypt

COST = 12
"""Rounds as a power of two: about a quarter of a second for each check."""


def hash_password(password: str, cost: int = COST) -> str:
    """A salted hash, another one each time."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(cost)).decode("ascii")


def cost_of(password_hash: str) -> int:
    """At which the hash was made; 0 for a hash that is none."""
    parts = password_hash.split("$")
    return int(parts[2]) if len(parts) == 4 and parts[2].isdecimal() else 0


def check_password(password: str, password_hash: str) -> bool:
    """Whether the hash is of this password; False for a hash that is none."""
    try:
        return bcrypt.checkpw(_digest(password), password_hash.encode())
    except ValueError:
        return False


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
