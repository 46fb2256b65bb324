import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain import wide


@given(st.integers(-(2**63) * wide.PART, (2**63) * wide.PART - 1))
def test_the_parts_fit_64_bits_and_join_to_the_sum(value: int) -> None:
    high, low = wide.part(value)
    assert 0 <= low < wide.PART
    assert wide.join(*msgspec.msgpack.decode(msgspec.msgpack.encode((high, low)))) == value


def test_a_sum_below_zero() -> None:
    assert wide.part(-1) == (-1, 10**18 - 1)
    assert wide.join(-1, 10**18 - 1) == -1


def test_a_sum_that_does_not_fit_is_refused() -> None:
    assert wide.part(2**63 * 10**18 - 1) == (2**63 - 1, 10**18 - 1)
    for value in (2**63 * 10**18, -(2**63) * 10**18 - 1):
        with pytest.raises(OverflowError):
            wide.part(value)
