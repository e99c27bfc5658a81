"""Which transaction a message belongs to: RFC 3261 sections 17.1.3, 17.2.3 and 9.2, and RFC 2543 by rule."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum.message import MAGIC_COOKIE as AS_WRITTEN
from dum.message import Request, Response, parse
from dum.transaction.ack import acknowledgement
from dum.transaction.matching import (
    MAGIC_COOKIE,
    RFC2543,
    acknowledges,
    cancel_target_key,
    client_key,
    response_key,
    server_key,
)
from tests.dum.transaction.any_order import SETTINGS
from tests.dum.transaction.virtual_time import parsed_request, request, response

OLD = "1"  # a branch without the magic cookie


def changed(old: str, new: str, *, method: str = "INVITE", branch: str = OLD, to_tag: str = "") -> Request:
    """A request with one part replaced."""
    data = request(method, branch=branch, to_tag=to_tag)
    assert old.encode() in data
    return parsed_request(data.replace(old.encode(), new.encode()))


def plain(method: str, *, branch: str = "z9hG4bK776asdhds", to_tag: str = "") -> Request:
    """A request as it is."""
    return parsed_request(request(method, branch=branch, to_tag=to_tag))


def test_the_cookie_is_the_codecs() -> None:
    assert AS_WRITTEN.lower() == MAGIC_COOKIE


def test_a_response_finds_the_client_by_branch_and_method() -> None:
    assert response_key(response(200)) == client_key("z9hG4bK776asdhds", "INVITE")
    assert response_key(response(200, "CANCEL")) == client_key("z9hG4bK776asdhds", "CANCEL")
    assert response_key(response(200)) != client_key("z9hG4bK776asdhds", "CANCEL")
    assert response_key(response(200)) != client_key("z9hG4bK776asdhdt", "INVITE")


def test_branches_are_compared_without_case_and_methods_with() -> None:
    assert client_key("Z9HG4BKabC", "INVITE") == client_key("z9hG4bKABc", "INVITE")
    assert client_key("z9hG4bK1", "invite") != client_key("z9hG4bK1", "INVITE")
    assert server_key(plain("OPTIONS", branch="Z9HG4BKAB")) == server_key(plain("OPTIONS", branch="z9hg4bkab"))


def test_keys_say_whose_they_are() -> None:
    assert client_key("z9hG4bK1", "INVITE")[0] == "c"
    assert server_key(plain("INVITE"))[0] == "s"
    assert server_key(plain("INVITE", branch=OLD))[0] == "s"


def test_a_server_key_is_branch_sent_by_and_method() -> None:
    assert server_key(plain("INVITE")) == server_key(plain("INVITE"))
    assert server_key(plain("INVITE")) != server_key(plain("OPTIONS"))
    elsewhere = changed("pc33.atlanta", "pc34.atlanta", branch="z9hG4bK776asdhds")
    assert server_key(plain("INVITE")) != server_key(elsewhere)
    other_port = changed("example.com;branch", "example.com:5070;branch", branch="z9hG4bK776asdhds")
    assert server_key(plain("INVITE")) != server_key(other_port)
    shouted = changed("pc33.atlanta.example.com;b", "PC33.Atlanta.Example.COM;b", branch="z9hG4bK776asdhds")
    assert server_key(plain("INVITE")) == server_key(shouted)


@pytest.mark.parametrize("branch", ["z9hG4bK776asdhds", OLD])
def test_ack_and_cancel_find_the_invite(branch: str) -> None:
    invite = plain("INVITE", branch=branch)
    assert server_key(plain("ACK", branch=branch, to_tag="a6c85cf")) == server_key(invite)
    assert cancel_target_key(plain("CANCEL", branch=branch)) == server_key(invite)
    assert server_key(plain("CANCEL", branch=branch)) != server_key(invite)


def test_with_the_cookie_nothing_but_the_branch_counts() -> None:
    assert acknowledges(plain("ACK", to_tag="any"), server_key(plain("INVITE")), response(486).encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bob@biloxi.example.com SIP", "carol@biloxi.example.com SIP"),
        ("1928301774", "1928301775"),
        ("a84b4c76e66710", "a84b4c76e66711"),
        ("314159", "314160"),
        ("atlanta.example.com;branch", "atlanta.example.com:5061;branch"),
        ("branch=1", "branch=2"),
    ],
    ids=["Request-URI", "From tag", "Call-ID", "CSeq", "sent-by", "Via parameter"],
)
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_without_it_everything_that_the_rfc_names_counts(method: str, old: str, new: str) -> None:
    assert server_key(plain(method, branch=OLD)).startswith(RFC2543)
    assert server_key(changed(old, new, method=method)) != server_key(plain(method, branch=OLD))


def test_without_it_the_to_tag_counts_for_what_is_no_invite() -> None:
    assert server_key(plain("BYE", branch=OLD, to_tag="1")) != server_key(plain("BYE", branch=OLD, to_tag="2"))


def test_without_a_branch_at_all() -> None:
    bare = changed(";branch=1", "")
    assert bare.branch == ""
    assert server_key(bare).startswith(RFC2543)
    assert server_key(bare) == server_key(changed(";branch=1", "", method="ACK", to_tag="a6c85cf"))


def test_only_the_topmost_via_counts() -> None:
    via = "Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=1"
    one_line = changed(via, f"{via}, SIP/2.0/UDP below")
    two_lines = changed(via, f"{via}\r\nVia: SIP/2.0/UDP other")
    assert server_key(one_line) == server_key(two_lines) == server_key(plain("INVITE", branch=OLD))


def test_a_broken_via_below_the_topmost_does_no_harm() -> None:
    via = "Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=1"
    assert server_key(changed(via, f'{via}\r\nVia: SIP/2.0/UDP "')) == server_key(plain("INVITE", branch=OLD))


def test_without_the_cookie_an_ack_must_carry_the_tag_of_the_response() -> None:
    key = server_key(plain("INVITE", branch=OLD))
    refused = response(486, to_tag="a6c85cf").encode()
    assert acknowledges(plain("ACK", branch=OLD, to_tag="a6c85cf"), key, refused)
    assert not acknowledges(plain("ACK", branch=OLD, to_tag="another"), key, refused)
    assert not acknowledges(plain("ACK", branch=OLD, to_tag="a6c85cf"), key, b"no response at all")


SEEDS = [
    request("INVITE", branch=OLD),
    request("ACK", branch=OLD, to_tag="a6c85cf"),
    request("CANCEL"),
    request("INVITE", branch=OLD).replace(b";branch=1", b' ;x="a,b";branch=1 , SIP/2.0/TCP other'),
    response(486).encode(),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message with a few octets replaced, removed or put in."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(data)))
        data[place : place + draw(st.integers(0, 3))] = draw(
            st.sampled_from([b'"', b",", b";", b" ", b"\r\n ", b"<", b"=", b"\xff", b"", b"branch", b"\t", b":"])
        )
    return bytes(data)


@settings(SETTINGS, max_examples=400)
@given(damaged())
def test_whatever_can_be_parsed_can_be_matched_and_acknowledged(data: bytes) -> None:
    message = parse(data)
    if isinstance(message, Request):
        assert server_key(message).startswith("s")
        assert cancel_target_key(message).startswith("s")
        assert acknowledges(message, server_key(message), response(486).encode()) in (True, False)
        assert server_key(message) == server_key(parsed_request(message.encode()))
    elif isinstance(message, Response):
        assert response_key(message).startswith("c")
        assert isinstance(parse(acknowledgement(SEEDS[0], message)), Request)
