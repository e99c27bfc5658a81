import pytest

from dum.message import Limits, Malformed, Request, parse
from tests.dum.message.examples import invite


def status(data: bytes, **limits: int) -> int:
    message = parse(data, limits=Limits(**limits))
    return message.status if isinstance(message, Malformed) else 0


def test_each_limit_is_inclusive_and_has_its_status() -> None:
    data = invite()
    head = data.index(b"\r\n\r\n")
    assert (status(data, message=len(data)), status(data, message=len(data) - 1)) == (0, 513)
    assert (status(data, line=head - 1, head=head), status(data, line=head - 1, head=head - 1)) == (0, 513)
    assert (status(data, fields=9), status(data, fields=8)) == (0, 513)
    uri = len("sip:bob@example.net")
    assert (status(data, uri=uri), status(data, uri=uri - 1)) == (0, 414)


def test_a_folded_line_counts_as_one() -> None:
    data = invite("Subject: " + "x" * 500 + "\r\n " + "y" * 500)
    assert status(data, line=900) == 513
    assert status(data, line=1100) == 0


def test_the_defaults_let_long_messages_pass() -> None:
    assert isinstance(parse(invite("Identity: " + "x" * 16_000)), Request)
    assert status(invite("Identity: " + "x" * 17_000), head=100_000) == 513


def test_a_limit_below_one_is_the_callers_mistake() -> None:
    with pytest.raises(ValueError, match="'fields' must be at least 1"):
        Limits(fields=0)
