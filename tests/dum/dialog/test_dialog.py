"""Dialogs: what they are made of on both sides (RFC 3261 12.1), how they change, and where their requests go."""

import pytest

from dum.dialog.dialog import (
    Dialog,
    by_callee,
    by_caller,
    contact_uri,
    is_in_order,
    next_hop,
    route_set_of_2xx,
)
from dum.message import HeaderError, Request, Response

type Fields = list[tuple[str, str]]

ROUTES = [("Record-Route", "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>")]
CONTACT = [("Contact", "Bob <sip:bob@192.0.2.4;ob>;expires=60")]


def fields(to_tag: str, seq: str) -> Fields:
    tag = f";tag={to_tag}" if to_tag else ""
    return [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776asdhds"),
        ("From", '"Alice, A." <sip:alice@atlanta.example.com>;tag=1928301774'),
        ("To", f"Bob <sip:bob@biloxi.example.com>{tag}"),
        ("Call-ID", "a84b4c76e66710"),
        ("CSeq", seq),
    ]


def request(more: Fields, method: str = "INVITE", seq: int = 314159) -> Request:
    return Request.build(method, "sip:bob@biloxi.example.com", fields("", f"{seq} {method}") + more)


def response(status: int, more: Fields) -> Response:
    return Response.build(status, None, fields("a6c85cf", "314159 INVITE") + more)


def dialog(**changes: object) -> Dialog:
    """A confirmed dialog of a caller."""
    made = by_caller(response(200, CONTACT), local_seq=314159)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


class TestOfTheCallee:
    """12.1.1."""

    def test_components(self) -> None:
        made = by_callee(request(ROUTES + CONTACT), "a6c85cf")
        assert (made.call_id, made.local_tag, made.remote_tag) == ("a84b4c76e66710", "a6c85cf", "1928301774")
        assert (made.local_seq, made.remote_seq) == (None, 314159)
        assert made.local_uri == "Bob <sip:bob@biloxi.example.com>"
        assert made.remote_uri == '"Alice, A." <sip:alice@atlanta.example.com>'
        assert made.remote_target == "sip:bob@192.0.2.4;ob"
        assert made.early

    def test_the_route_set_is_the_record_route_in_order(self) -> None:
        assert by_callee(request(ROUTES), "t").route_set == ("<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>")

    def test_secure_is_what_the_transaction_user_says(self) -> None:
        assert not by_callee(request([]), "t").secure
        assert by_callee(request([]), "t", secure=True).secure

    def test_without_contact_there_is_no_target(self) -> None:
        assert by_callee(request([]), "t").remote_target == ""

    @pytest.mark.parametrize("more", [[("Contact", "<<>")], [("Record-Route", "<<")]])
    def test_what_cannot_be_read_raises(self, more: Fields) -> None:
        with pytest.raises(HeaderError):
            by_callee(request(more), "t")


class TestOfTheCaller:
    """12.1.2."""

    def test_components(self) -> None:
        made = by_caller(response(180, ROUTES + CONTACT), local_seq=314159)
        assert (made.call_id, made.local_tag, made.remote_tag) == ("a84b4c76e66710", "1928301774", "a6c85cf")
        assert (made.local_seq, made.remote_seq) == (314159, None)
        assert made.local_uri == '"Alice, A." <sip:alice@atlanta.example.com>'
        assert made.remote_uri == "Bob <sip:bob@biloxi.example.com>"
        assert made.remote_target == "sip:bob@192.0.2.4;ob"

    def test_the_route_set_is_the_record_route_in_reverse(self) -> None:
        made = by_caller(response(180, ROUTES), local_seq=1)
        assert made.route_set == ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")

    def test_a_1xx_makes_an_early_one_and_a_2xx_a_confirmed_one(self) -> None:
        assert by_caller(response(199, []), local_seq=1).early
        assert not by_caller(response(200, []), local_seq=1).early

    def test_secure_is_what_the_transaction_user_says(self) -> None:
        assert not by_caller(response(200, []), local_seq=1).secure
        assert by_caller(response(200, []), local_seq=1, secure=True).secure

    @pytest.mark.parametrize("more", [[("Contact", "<<>")], [("Record-Route", "<<")]])
    def test_what_cannot_be_read_raises(self, more: Fields) -> None:
        with pytest.raises(HeaderError):
            by_caller(response(200, more), local_seq=1)


class TestConfirmed:
    """13.2.2.4: what the 2xx says replaces what the 1xx said."""

    def test_route_set_and_target_are_those_of_the_2xx(self) -> None:
        early = by_caller(response(180, [*ROUTES, ("Contact", "<sip:early@192.0.2.9>")]), local_seq=7)
        early = early.with_remote_seq(3)
        made = route_set_of_2xx(early, response(200, CONTACT))
        assert made.route_set == ()
        assert made.remote_target == "sip:bob@192.0.2.4;ob"
        assert not made.early
        assert (made.local_seq, made.remote_seq, made.remote_tag) == (7, 3, "a6c85cf")
        assert early.early
        assert len(early.route_set) == 2

    def test_the_record_route_of_the_2xx_is_reversed(self) -> None:
        made = route_set_of_2xx(dialog(), response(200, ROUTES))
        assert made.route_set == ("<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>")

    def test_a_2xx_without_contact_keeps_the_target(self) -> None:
        assert route_set_of_2xx(dialog(), response(200, [])).remote_target == "sip:bob@192.0.2.4;ob"

    def test_one_that_is_confirmed_stays_itself(self) -> None:
        made = dialog()
        assert made.confirmed() is made
        assert not by_caller(response(180, []), local_seq=1).confirmed().early


class TestChanges:
    """Each change makes a new dialog that differs in one component."""

    @pytest.mark.parametrize(
        ("changed", "name", "value"),
        [
            (dialog().with_local_seq(9), "local_seq", 9),
            (dialog().with_remote_seq(9), "remote_seq", 9),
            (dialog().with_target("sip:new@192.0.2.9"), "remote_target", "sip:new@192.0.2.9"),
        ],
    )
    def test_one_component(self, changed: Dialog, name: str, value: object) -> None:
        before = dialog()
        for component in Dialog.__slots__:
            expected = value if component == name else getattr(before, component)
            assert getattr(changed, component) == expected, component

    @pytest.mark.parametrize("target", ["", "sip:bob@192.0.2.4;ob"])
    def test_a_target_refresh_that_changes_nothing(self, target: str) -> None:
        made = dialog()
        assert made.with_target(target) is made


class TestOrder:
    """12.2.2: the CSeq number of the peer rises."""

    @pytest.mark.parametrize(
        ("remote_seq", "in_order"), [(None, True), (314158, True), (314159, False), (314160, False)]
    )
    def test_above_the_last_one(self, remote_seq: int | None, in_order: bool) -> None:
        assert is_in_order(dialog(remote_seq=remote_seq), request([], "BYE")) is in_order


def test_contact_is_the_first_uri() -> None:
    assert contact_uri(request([("Contact", "<sip:a@h>, <sip:b@h>")])) == "sip:a@h"
    assert contact_uri(request([("Contact", "sip:a@h;expires=3")])) == "sip:a@h"
    assert contact_uri(request([])) == ""


class TestNextHop:
    """8.1.2 and RFC 3263: transport, host and port; port 0 leaves it to DNS and the defaults."""

    @pytest.mark.parametrize(
        ("target", "hop"),
        [
            ("sip:bob@biloxi.example.com", ("UDP", "biloxi.example.com", 0)),
            ("sip:bob@biloxi.example.com:5070", ("UDP", "biloxi.example.com", 5070)),
            ("sip:bob@h;transport=tcp", ("TCP", "h", 0)),
            ("sip:bob@h;transport=TLS", ("TLS", "h", 0)),
            ("sip:bob@h:80;transport=ws", ("WS", "h", 80)),
            ("sips:bob@h", ("TLS", "h", 0)),
            ("sips:bob@h:5071;transport=tcp", ("TLS", "h", 5071)),
            ("sips:bob@h;transport=ws", ("WSS", "h", 0)),
            ("sip:bob@h;maddr=192.0.2.9", ("UDP", "192.0.2.9", 0)),
            ("sip:bob@h:5070;maddr=192.0.2.9;transport=tcp", ("TCP", "192.0.2.9", 5070)),
            ("sip:[2001:db8::2]:5070", ("UDP", "2001:db8::2", 5070)),
            ("SIP:h", ("UDP", "h", 0)),
        ],
    )
    def test_of_the_target(self, target: str, hop: tuple[str, str, int]) -> None:
        found = next_hop(target, ())
        assert (found.transport, found.host, found.port) == hop
        assert found.flow is None

    def test_the_first_route_comes_before_the_target(self) -> None:
        routes = ("Proxy <sip:p1.example.com:5070;lr;transport=tcp>", "<sip:p2.example.com;lr>")
        found = next_hop("sips:bob@h", routes)
        assert (found.transport, found.host, found.port) == ("TCP", "p1.example.com", 5070)

    def test_the_flow_is_kept(self) -> None:
        flow = object()
        assert next_hop("sip:h", (), flow).flow is flow

    @pytest.mark.parametrize("target", ["", "bob", "sip:", "tel:+15551234", "mailto:bob@h", "sip:h:99999", "<>"])
    def test_no_sip_uri(self, target: str) -> None:
        with pytest.raises(ValueError, match=r"(?i)uri|only|port|host"):
            next_hop(target, ())
