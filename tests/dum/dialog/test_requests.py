"""Requests within a dialog: RFC 3261 12.2.1.1, by loose and by strict routers."""

import pytest

from dum.dialog.dialog import Dialog, next_hop
from dum.dialog.requests import hop_of, request_within
from dum.message import Request, parse
from dum.profile import Local, Profile

LOCAL = Local({"UDP": "192.0.2.1:5060", "TCP": "192.0.2.1:5062", "UDP6": "[2001:db8::1]:5060"})


def dialog(target: str = "sip:bob@192.0.2.4", routes: tuple[str, ...] = (), remote_tag: str = "a6c85cf") -> Dialog:
    return Dialog(
        "a84b4c76e66710",
        "1928301774",
        remote_tag,
        314159,
        None,
        "Alice <sip:alice@atlanta.example.com>",
        "<sip:bob@biloxi.example.com>",
        target,
        routes,
        False,
        False,
    )


def sent(within: Dialog, method: str = "BYE", **more: object) -> Request:
    """A request as the peer reads it."""
    hop = hop_of(within)
    made = request_within(within, method, 314160, "z9hG4bKnew", hop, LOCAL, Profile(), **more)  # type: ignore[arg-type]
    message = parse(made.encode())
    assert isinstance(message, Request)
    assert message.check() is None
    return message


def test_the_fields_of_a_request() -> None:
    message = sent(dialog())
    assert message.method == "BYE"
    assert message.request_uri == "sip:bob@192.0.2.4"
    assert message.fields == (
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKnew"),
        ("Max-Forwards", "70"),
        ("From", "Alice <sip:alice@atlanta.example.com>;tag=1928301774"),
        ("To", "<sip:bob@biloxi.example.com>;tag=a6c85cf"),
        ("Call-ID", "a84b4c76e66710"),
        ("CSeq", "314160 BYE"),
        ("Content-Length", "0"),
    )


def test_a_peer_without_tag_gets_none() -> None:
    """12.1.1: an RFC 2543 peer."""
    assert sent(dialog(remote_tag="")).header("To") == "<sip:bob@biloxi.example.com>"


@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER"])
def test_a_target_refresh_has_our_contact(method: str) -> None:
    assert sent(dialog(), method).header("Contact") == "<sip:192.0.2.1:5060>"


def test_fields_and_body_are_added() -> None:
    message = sent(dialog(), "INFO", fields=[("Content-Type", "text/plain")], body=b"hello")
    assert (message.header("Content-Type"), message.body) == ("text/plain", b"hello")


class TestRouting:
    """Where it goes and what it carries."""

    def test_loose(self) -> None:
        routes = ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")
        message = sent(dialog(routes=routes))
        assert message.request_uri == "sip:bob@192.0.2.4"
        assert message.headers("Route") == routes
        assert hop_of(dialog(routes=routes)).host == "p1.example.com"

    def test_strict(self) -> None:
        routes = ("<sip:p1.example.com:5070>", "<sip:p2.example.com;lr>")
        message = sent(dialog(routes=routes))
        assert message.request_uri == "sip:p1.example.com:5070"
        assert message.headers("Route") == ("<sip:p2.example.com;lr>", "<sip:bob@192.0.2.4>")
        assert hop_of(dialog(routes=routes)).port == 5070

    def test_strict_with_one_route(self) -> None:
        message = sent(dialog(routes=("<sip:p1.example.com>",)))
        assert message.request_uri == "sip:p1.example.com"
        assert message.headers("Route") == ("<sip:bob@192.0.2.4>",)

    def test_strict_drops_what_a_request_uri_may_not_have(self) -> None:
        """19.1.1, table 1: neither headers nor the method parameter."""
        message = sent(dialog(routes=("<sip:p1.example.com;method=INVITE?Subject=x>",)))
        assert message.request_uri == "sip:p1.example.com"

    def test_the_target_as_well(self) -> None:
        within = dialog("sip:bob@192.0.2.4;ob;method=BYE?Replaces=x")
        assert sent(within).request_uri == "sip:bob@192.0.2.4;ob"

    def test_a_route_with_a_display_name(self) -> None:
        routes = ('"P <1>" <sip:p1.example.com;lr>',)
        message = sent(dialog(routes=routes))
        assert message.headers("Route") == routes
        assert hop_of(dialog(routes=routes)).host == "p1.example.com"

    def test_the_via_is_of_the_place_that_it_leaves_by(self) -> None:
        assert sent(dialog("sip:bob@192.0.2.4;transport=tcp")).top_via.transport == "TCP"
        assert sent(dialog("sip:bob@[2001:db8::2]")).top_via.host == "2001:db8::1"
        assert sent(dialog("sip:bob@192.0.2.4;transport=tcp"), "INVITE").header("Contact") == (
            "<sip:192.0.2.1:5062;transport=tcp>"
        )

    @pytest.mark.parametrize("target", ["", "tel:+15551234", "nonsense"])
    def test_a_target_that_cannot_be_sent_to(self, target: str) -> None:
        with pytest.raises(ValueError, match=r"(?i)uri|only"):
            hop_of(dialog(target))

    def test_a_transport_without_socket(self) -> None:
        within = dialog("sips:bob@192.0.2.4")
        with pytest.raises(KeyError):
            request_within(within, "BYE", 1, "z9hG4bKx", next_hop("sips:h", ()), LOCAL, Profile())

    def test_the_flow_is_preferred_while_it_lives(self) -> None:
        assert hop_of(dialog(), "flow").flow == "flow"


def test_a_field_that_cannot_be_sent_raises() -> None:
    with pytest.raises(ValueError, match="line"):
        sent(dialog(), fields=[("Subject", "a\r\nEvil: yes")])
