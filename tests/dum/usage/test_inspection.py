"""What every request has to pass before a usage sees it: RFC 3261 8.2, in its order."""

import pytest

from dum.message import Request
from dum.profile import KNOWN_METHODS, Profile
from dum.usage.inspection import refusal

PROFILE = Profile(supported=("timer",))
SDP = ("Content-Type", "application/sdp")


def request(method: str = "INVITE", uri: str = "sip:bob@h", body: bytes = b"", *fields: tuple[str, str]) -> Request:
    lines = [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
        ("From", "<sip:a@h>;tag=1"),
        ("To", "<sip:b@h>"),
        ("Call-ID", "c"),
        ("CSeq", f"1 {method}"),
    ]
    return Request.build(method, uri, lines + list(fields), body)


@pytest.mark.parametrize("method", PROFILE.allow)
def test_what_is_allowed_may_pass(method: str) -> None:
    assert refusal(request(method), PROFILE) is None


@pytest.mark.parametrize("method", sorted(KNOWN_METHODS - set(PROFILE.allow)))
def test_a_method_that_is_known_but_not_allowed_gets_405(method: str) -> None:
    """8.2.1."""
    assert refusal(request(method), PROFILE) == (405, (("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS"),))


@pytest.mark.parametrize("method", ["NEWMETHOD", "invite", "Bye"])
def test_a_method_that_is_not_known_gets_501(method: str) -> None:
    """21.5.2; methods are case-sensitive (7.1)."""
    found = refusal(request(method), PROFILE)
    assert found is not None
    assert found[0] == 501


@pytest.mark.parametrize("uri", ["tel:+15551234", "mailto:b@h", "soap.beep://h"])
def test_a_scheme_that_is_not_understood_gets_416(uri: str) -> None:
    """8.2.2.1."""
    assert refusal(request(uri=uri), PROFILE) == (416, ())


@pytest.mark.parametrize("uri", ["SIP:b@h", "sips:b@h", "SiPs:h"])
def test_schemes_are_compared_without_case(uri: str) -> None:
    assert refusal(request(uri=uri), PROFILE) is None


def test_an_extension_that_is_required_but_not_supported_gets_420() -> None:
    """8.2.2.3."""
    asked = request("INVITE", "sip:b@h", b"", ("Require", "timer, 100rel"), ("Require", "Foo"))
    assert refusal(asked, PROFILE) == (420, (("Unsupported", "100rel"), ("Unsupported", "Foo")))
    assert refusal(request("INVITE", "sip:b@h", b"", ("Require", "TIMER")), PROFILE) is None


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_ack_and_cancel_are_never_refused_for_an_extension(method: str) -> None:
    assert refusal(request(method, "sip:b@h", b"", ("Require", "foo")), PROFILE) is None


class TestBodies:
    """8.2.3."""

    def test_a_type_that_is_understood(self) -> None:
        assert refusal(request("INVITE", "sip:b@h", b"v=0", SDP), PROFILE) is None
        assert refusal(request("INVITE", "sip:b@h", b"v=0", ("c", "Application/SDP;charset=x")), PROFILE) is None

    def test_another_type_gets_415(self) -> None:
        asked = request("INVITE", "sip:b@h", b"x", ("Content-Type", "text/plain"))
        assert refusal(asked, PROFILE) == (415, (("Accept", "application/sdp"),))

    def test_another_type_that_is_optional_may_pass(self) -> None:
        optional = ("Content-Disposition", "session; Handling=Optional")
        asked = request("INVITE", "sip:b@h", b"x", ("Content-Type", "text/plain"), optional)
        assert refusal(asked, PROFILE) is None

    def test_an_encoding_that_is_not_understood_gets_415(self) -> None:
        asked = request("INVITE", "sip:b@h", b"x", SDP, ("Content-Encoding", "gzip"))
        assert refusal(asked, PROFILE) == (415, (("Accept-Encoding", "identity"),))
        identity = request("INVITE", "sip:b@h", b"x", SDP, ("Content-Encoding", "Identity"))
        assert refusal(identity, PROFILE) is None

    def test_a_type_means_nothing_without_a_body(self) -> None:
        assert refusal(request("INVITE", "sip:b@h", b"", ("Content-Type", "text/plain")), PROFILE) is None

    def test_a_body_without_a_type_may_pass(self) -> None:
        assert refusal(request("INVITE", "sip:b@h", b"v=0"), PROFILE) is None

    def test_the_body_of_a_bye_is_nobodys_business(self) -> None:
        assert refusal(request("BYE", "sip:b@h", b"x", ("Content-Type", "text/plain")), PROFILE) is None


def test_the_order_is_method_scheme_extension_body() -> None:
    faults = (("Require", "foo"), ("Content-Type", "text/plain"))
    statuses = []
    for asked in (
        request("FOO", "tel:1", b"x", *faults),
        request("INVITE", "tel:1", b"x", *faults),
        request("INVITE", "sip:h", b"x", *faults),
        request("INVITE", "sip:h", b"x", faults[1]),
    ):
        found = refusal(asked, PROFILE)
        assert found is not None
        statuses.append(found[0])
    assert statuses == [501, 416, 420, 415]
