"""The second factor: time-based one-time passwords (RFC 6238: SHA-1, 6 digits, steps of 30 s), and recovery codes.

A user's secret is derived from the broker's key in `secrets/totp` and the user's nonce: a copy of the database alone
gives no codes. That key must be kept as long as the users: without it nobody's second factor works.
"""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
DRIFT_STEPS = 1
"""A telephone's clock may be so many steps early or late (RFC 6238, section 5.2)."""
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


def new_nonce() -> str:
    return secrets.token_hex(16)


def secret_of(key: bytes, nonce: str) -> bytes:
    """160 bits, as RFC 4226 recommends."""
    return hmac.digest(key, b"totp:" + nonce.encode(), hashlib.sha256)[:20]


def text_of(secret: bytes) -> str:
    """For a person to type into an app."""
    return base64.b32encode(secret).decode("ascii")


def uri(secret: bytes, username: str, issuer: str) -> str:
    """For a QR code (Google Authenticator's Key Uri Format)."""
    label = f"{quote(issuer, safe='')}:{quote(username, safe='')}"
    return f"otpauth://totp/{label}?secret={text_of(secret)}&issuer={quote(issuer, safe='')}&digits={DIGITS}"


def code(secret: bytes, step: int) -> str:
    """RFC 4226, section 5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_of(secret: bytes, given: str, now_s: int) -> int | None:
    """The step that the code is of; None where it is of none around now."""
    now = now_s // STEP_S
    found = None
    for step in range(max(now - DRIFT_STEPS, 0), now + DRIFT_STEPS + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode("utf-8", "surrogatepass")):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """80 bits each: as good as a key, so they need no slow hash."""
    return [
        base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode("ascii").lower() for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(given: str) -> str:
    plain = given.replace("-", "").replace(" ", "").lower()
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
