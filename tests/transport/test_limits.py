import pytest

from transport import Limits


def test_defaults_are_consistent() -> None:
    limits = Limits()
    assert limits.header <= limits.message
    assert limits.datagram == 65_507


def test_every_limit_is_larger_than_zero() -> None:
    with pytest.raises(ValueError, match="idle_timeout=0: every limit must be larger than zero"):
        Limits(idle_timeout=0)


def test_a_datagram_is_at_most_what_udp_can_carry() -> None:
    with pytest.raises(ValueError, match="no datagram is larger"):
        Limits(datagram=70_000)


def test_headers_are_part_of_the_message() -> None:
    with pytest.raises(ValueError, match="headers are part of the message"):
        Limits(message=1000, header=2000)
