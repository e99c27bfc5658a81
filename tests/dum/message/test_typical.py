"""The short way and the long way must never disagree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum.message import HeaderError
from dum.message.routing import read_routing
from dum.message.start_line import is_status_line, read_request_line, read_status_line
from dum.message.typical import Typical, read_typical, shared_method, stamp_via
from tests.dum.message.examples import invite, request
from tests.fuzz.grammar import messages, mutated


def head_of(data: bytes) -> str:
    return data.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")


def long_way(head: str) -> Typical:
    line = head.partition("\r\n")[0]
    if is_status_line(line):
        return "", read_status_line(line), *read_routing(head, "")
    method, _ = read_request_line(line, 10_000)
    return method, 0, *read_routing(head, method)


@settings(max_examples=150, deadline=None)
@given(st.one_of(messages(), mutated(messages()), mutated(st.just(invite()))))
def test_whatever_it_reads_the_long_way_reads_alike(data: bytes) -> None:
    head = head_of(data)
    short = read_typical(head)
    if short is None:
        return
    assert short == long_way(head)


def test_the_usual_message_takes_the_short_way() -> None:
    for data in (invite(), invite(via="SIP/2.0/TCP h;branch=z9hG4bKa;received=192.0.2.1", to="<sip:b@c>;tag=1;x=y")):
        assert read_typical(head_of(data)) == long_way(head_of(data))
        assert read_typical(head_of(data)) is not None
    answer = request(invite()).respond(200, to_tag="x").encode()
    assert read_typical(head_of(answer)) == long_way(head_of(answer))


@pytest.mark.parametrize(
    "line",
    [
        *(
            "Via : SIP/2.0/UDP x",
            "v: SIP/2.0/UDP x",
            "to: <sip:x>",
            "To: <sip:x>",
            "From: <sip:x>",
            "i: x",
            "cseq: 2 INVITE",
        ),
        *(
            "l: 3",
            "Content-Length: 3",
            "max-forwards: 1",
            "Max-Forwards: 1",
            "no colon",
            " folded",
            "X: a\nb",
            "X: a\rb",
        ),
    ],
)
def test_an_odd_line_takes_the_long_way(line: str) -> None:
    assert read_typical(head_of(invite(line))) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("via", "SIP/2.0/UDP host:70000;branch=a"),
        ("via", "SIP/2.0/UDP host"),
        ("via", "SIP/2.0/UDP a;branch=b, SIP/2.0/UDP c;branch=d"),
        ("via", "SIP/2.0/UDP a;branch=b;Branch=c"),
        ("from", "<sip:a@b>;tag=1;TAG=2"),
        ("from", '"x <sip:a@b>;tag=1'),
        ("via", "SIP/2.0/UDP a;branch=b<c"),
        ("via", "SIP/2.0/UDP -a;branch=b"),
        ("from", "<sip:a@b>;tag=1<2"),
        ("cseq", "2147483648 INVITE"),
        ("cseq", "2 BYE"),
        ("call_id", "a b"),
        ("content_length", "-1"),
    ],
)
def test_an_odd_value_takes_the_long_way(name: str, value: str) -> None:
    assert read_typical(head_of(invite(body=b"", **{name: value}))) is None


def test_the_long_way_is_taken_by_what_is_missing_too() -> None:
    assert read_typical("INVITE sip:a SIP/2.0") is None
    with pytest.raises(HeaderError, match="Missing Via"):
        long_way("INVITE sip:a SIP/2.0")


def test_known_methods_are_one_object() -> None:
    assert shared_method("".join(["INV", "ITE"])) is shared_method("INVITE")
    assert shared_method("invite") == "invite"


def test_stamping_leaves_what_is_odd() -> None:
    assert stamp_via(invite(via="SIP/2.0/UDP h;rport=5;branch=a"), "192.0.2.9", 5, False) is None
    assert stamp_via(invite(via="SIP/2.0/UDP h;branch=a;received=x"), "192.0.2.9", 5, False) is None
    assert stamp_via(invite(via='SIP/2.0/UDP h;a="b"'), "192.0.2.9", 5, False) is None
    stamped = stamp_via(invite(), "[2001:db8::9]", 5, False)
    assert stamped is not None
    assert b";branch=z9hG4bK74bf9;rport=5;received=[2001:db8::9]\r\n" in stamped
