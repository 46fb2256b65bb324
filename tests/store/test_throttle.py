"""How long the next attempt to log in must wait."""

from actors.store.throttle import ADDRESS, LOCKED_S, NAME, address_subject, name_subject, until_ns

S = 1_000_000_000


def test_some_attempts_are_free_and_then_the_wait_doubles_up_to_the_lock_out() -> None:
    waits = [until_ns(NAME, failures, 0) // S for failures in range(18)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, LOCKED_S, LOCKED_S, LOCKED_S]
    assert until_ns(NAME, 10**9, 7) == 7 + LOCKED_S * S
    assert until_ns(ADDRESS, ADDRESS.free - 1, 7) == 0


def test_an_ipv6_network_is_one_address_and_a_name_is_not_written_down() -> None:
    assert address_subject("2001:db8::1") == address_subject("2001:db8::ffff:1") == "address:2001:db8::/64"
    assert address_subject("fe80::1%eth0") == "address:fe80::/64"
    assert address_subject("2001:db8:0:1::1") != address_subject("2001:db8::1")
    assert address_subject("::ffff:192.0.2.1") == address_subject("192.0.2.1") == "address:192.0.2.1"
    assert address_subject("") == "address:unknown"
    assert "hunter2" not in name_subject("hunter2")
    assert name_subject("\ud800") != name_subject("\0")
