"""One-time passwords: RFC 6238's own values, and what is accepted when."""

import pytest

from web.auth import totp

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("time_s", "code"),
    [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ],
)
def test_the_values_of_rfc_6238_appendix_b(time_s: int, code: str) -> None:
    assert totp.code(SECRET, time_s // totp.STEP_S) == code
    assert totp.step_of(SECRET, code, time_s) == time_s // totp.STEP_S


def test_a_clock_may_be_a_step_off_and_no_more() -> None:
    accepted = [totp.step_of(SECRET, "287082", now_s) for now_s in (0, 29, 30, 59, 60, 89, 90, 120)]
    assert accepted == [1, 1, 1, 1, 1, 1, None, None]
    assert totp.step_of(SECRET, "²87082", 59) is None
    assert totp.step_of(SECRET, "\ud800", 59) is None


def test_secrets_differ_by_nonce_and_recovery_codes_are_read_as_people_write_them() -> None:
    secrets = {totp.secret_of(key, nonce) for key in (b"k" * 32, b"l" * 32) for nonce in ("a", "b")}
    assert len(secrets) == 4
    codes = totp.new_recovery_codes()
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert all(len(code) == 16 for code in codes)
    code = codes[0]
    assert totp.recovery_digest(f"{code[:8].upper()}-{code[8:]} ") == totp.recovery_digest(code)
    assert totp.uri(SECRET, "a:b@c", "Hedge row") == (
        "otpauth://totp/Hedge%20row:a%3Ab%40c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Hedge%20row&digits=6"
    )
