"""RFC 5118: IPv6 torture messages."""

from pathlib import Path
from typing import Any

import pytest

from dum.message import Malformed, Request, Uri, parse

DATA = Path(__file__).parent / "data" / "rfc5118"


def verdict(name: str) -> Any:
    message = parse((DATA / name).read_bytes())
    return (message.check() or message) if isinstance(message, Request) else message


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir()))
def test_all_but_the_one_without_brackets_are_accepted(name: str) -> None:
    message = verdict(name)
    assert isinstance(message, Malformed) == (name == "ipv6-bad")


def test_an_address_without_brackets_is_refused() -> None:
    """Section 4.2."""
    message = verdict("ipv6-bad")
    assert (message.status, message.reason) == (400, "Bad Request-URI")


def test_the_last_group_is_not_a_port() -> None:
    """Section 4.3."""
    uri = verdict("port-ambiguous").uri
    assert (uri.host, uri.port) == ("2001:db8::10:5070", None)


def test_a_port_after_the_brackets() -> None:
    """Section 4.4."""
    uri = Uri.parse("sip:[2001:db8::10]:5070")
    assert (uri.host, uri.port) == ("2001:db8::10", 5070)


@pytest.mark.parametrize("received", ["[2001:db8::9:255]", "2001:db8::9:255"])
def test_received_with_and_without_brackets(received: str) -> None:
    """Section 4.5: brackets are a fault that must be survived."""
    whole = (DATA / "via-received-param-with-delim").read_bytes()
    message = parse(whole.replace(b"[2001:db8::9:255]", received.encode()))
    assert isinstance(message, Request)
    assert message.top_via.received == "2001:db8::9:255"


def test_both_families_in_one_message() -> None:
    """Section 4.7."""
    message = verdict("mult-ip-in-header")
    assert [":" in via.host for via in message.vias] == [True, False, True]


def test_an_address_mapped_from_ipv4() -> None:
    """Section 4.8, and the example's own fault: a Content-Length 9 octets short cuts the body."""
    message = verdict("ipv4-mapped-ipv6")
    assert (message.top_via.host, message.top_via.port) == ("::ffff:192.0.2.10", 19823)
    assert message.sent_by == "[::ffff:192.0.2.10]:19823"
    assert len(message.body) == 236


def test_two_and_three_colons() -> None:
    """Section 4.10: the three colons of the old grammar are no address; being liberal is allowed."""
    assert verdict("ipv6-correct-abnf-2-colons").uri.host == "2001:db8::192.0.2.1"
    assert verdict("ipv6-bug-abnf-3-colons").uri.host == "2001:db8:::192.0.2.1"


def test_addresses_compare_by_value() -> None:
    """RFC 5954 section 4."""
    assert Uri.parse("sip:[2001:db8::1]").equivalent(Uri.parse("sip:[2001:0DB8:0:0::1]"))
    assert not Uri.parse("sip:[2001:db8::1]").equivalent(Uri.parse("sip:[2001:db8::2]"))
