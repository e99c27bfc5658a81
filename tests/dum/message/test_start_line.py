import pytest

from dum.message import HeaderError
from dum.message.start_line import is_status_line, read_request_line, read_status_line


def test_a_request_line() -> None:
    assert read_request_line("INVITE sip:bob@example.net SIP/2.0", 100) == ("INVITE", "sip:bob@example.net")
    assert read_request_line("INVITE sip:bob@example.net sip/2.0", 100) == ("INVITE", "sip:bob@example.net")


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("INVITE sip:b SIP/3.0", 505),
        ("INVITE sip:b SIP/2.1", 505),
        ("INVITE sip:b HTTP/1.1", 400),
        ("INVITE  sip:b SIP/2.0", 400),
        ("INVITE sip:b SIP/2.0 ", 400),
        ("INVITE <sip:b> SIP/2.0", 400),
        ('INVITE "sip:b" SIP/2.0', 400),
        ("INV@TE sip:b SIP/2.0", 400),
        ("INVITE sip:b", 400),
        ("", 400),
        ("INVITE sip:bbbbbbbbbbbb SIP/2.0", 414),
    ],
)
def test_what_is_wrong_with_a_request_line(line: str, status: int) -> None:
    with pytest.raises(HeaderError) as caught:
        read_request_line(line, 10)
    assert caught.value.status == status


@pytest.mark.parametrize(("line", "status"), [("SIP/2.0 200 OK", 200), ("SIP/2.0 699 ", 699), ("sip/2.0 100", 100)])
def test_a_status_line(line: str, status: int) -> None:
    assert is_status_line(line)
    assert read_status_line(line) == status


@pytest.mark.parametrize(
    "line", ["SIP/2.0 099 x", "SIP/2.0 700 x", "SIP/2.0 2000 x", "SIP/2.0  200 x", "SIP/3.0 200 x", "SIP/2.0 ٢٠٠ x"]
)
def test_a_bad_status_line(line: str) -> None:
    with pytest.raises(HeaderError, match="Bad Status-Line"):
        read_status_line(line)
