import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum.message import HeaderError, Limits, Malformed, Request, Response, parse, peek_call_id
from tests.dum.message.examples import BODY, invite, malformed, request
from tests.fuzz.grammar import messages, mutated


@settings(max_examples=150, deadline=None)
@given(messages())
def test_whatever_follows_the_grammar_is_read_and_comes_back(data: bytes) -> None:
    message = parse(data)
    assert not isinstance(message, Malformed), message
    assert message.encode() == data
    assert parse(message.encode()) == message
    assert peek_call_id(data) == message.call_id.encode()


def headers_blamed(message: Request | Response) -> list[str]:
    """The header that each typed property blames, if it raises."""
    blamed = []
    names = ("vias", "from_", "to", "contacts", "routes", "record_routes", "max_forwards", "expires", "content_type")
    for name in names:
        try:
            getattr(message, name)
        except HeaderError as error:
            blamed.append(error.header)
    return blamed


@settings(max_examples=150, deadline=None)
@given(st.one_of(mutated(messages()), mutated(st.just(invite())), st.binary(max_size=80)))
def test_whatever_comes_gives_a_value(data: bytes) -> None:
    message = parse(data)
    peek_call_id(data)
    if isinstance(message, Malformed):
        answer = message.response("here")
        assert answer is None or not isinstance(parse(answer.encode()), Request)
        return
    assert message.encode() in data
    again = parse(message.encode())
    assert again == message
    if isinstance(message, Request):
        message.check()
        read = parse(message.respond(200, to_tag="x").encode())
        assert isinstance(read, Response), (message.encode(), read)
    assert all(headers_blamed(message))


def test_line_ends_before_the_start_line_are_skipped() -> None:
    """RFC 3261 section 7.5."""
    assert request(b"\r\n\r\n" + invite()) == request(invite())


def test_the_body_is_exactly_content_length_octets() -> None:
    """RFC 3261 section 18.3."""
    message = request(invite(content_length="3"))
    assert message.body == BODY[:3]
    assert message.encode().endswith(b"\r\n\r\n" + BODY[:3])
    assert request(invite(content_length="")).body == BODY
    fault = malformed(invite(content_length="999"))
    assert (fault.status, fault.header) == (400, "Content-Length")


def test_on_a_stream_content_length_must_be_there() -> None:
    """RFC 3261 section 20.14."""
    assert isinstance(parse(invite(), stream=True), Request)
    fault = parse(invite(content_length=""), stream=True)
    assert isinstance(fault, Malformed)
    assert fault.reason == "Missing Content-Length"


def test_any_octets_survive() -> None:
    data = invite("X-Raw: \udcff\udc80é", body=bytes(range(256)))
    assert request(data).encode() == data
    assert request(data).respond(200).with_fields(append=[("X", "\udcff")]).encode().count(b"\xff") == 1


def test_limits_are_passed_on() -> None:
    fault = parse(invite(), limits=Limits(message=10))
    assert isinstance(fault, Malformed)
    assert fault.status == 513


@pytest.mark.parametrize(
    "spelling", ["Call-ID: x@y", "Call-ID:x@y", "call-id :  x@y", "i: x@y", "I:\r\n x@y ", "CALL-ID\r\n : x@y"]
)
def test_peek_sees_the_call_id_however_spelt(spelling: str) -> None:
    data = invite(spelling, call_id="")
    assert peek_call_id(data) == b"x@y" == request(data).call_id.encode()


def test_peek_at_rubbish() -> None:
    assert peek_call_id(b"") == peek_call_id(b"no such thing") == b""
    assert peek_call_id(invite("i: first", call_id="", body=b"\r\nCall-ID: second\r\n")) == b"first"


HARD: dict[str, Callable[[int], bytes]] = {
    "blanks in a value": lambda n: b"X: " + b" " * n + b"\n",
    "blanks before a colon": lambda n: b"X" + b" " * n + b"y:",
    "blanks in From": lambda n: b"f: " + b" " * n + b"x",
    "folds": lambda n: b"X:" + b"\r\n " * (n // 3),
    "open quote": lambda n: b'm: "' + b"\\a" * (n // 2),
    "many quotes": lambda n: b"m: " + b'"' * n,
    "open brackets": lambda n: b"m: " + b"<" * n,
    "brackets and commas": lambda n: b"m: " + b"<,>" * (n // 3),
    "parentheses": lambda n: b"m: " + b"(," * (n // 2),
    "semicolons": lambda n: b"m: <sip:a>" + b";" * n,
    "parameters": lambda n: b"m: <sip:a>" + b";a = b" * (n // 6),
    "escapes": lambda n: b"m: <sip:" + b"%41" * (n // 3) + b"@b>",
    "colons": lambda n: b"m: <sip:" + b"a:" * (n // 2) + b">",
    "ats": lambda n: b"m: <sip:" + b"a@" * (n // 2) + b">",
    "vias": lambda n: b"v: SIP/2.0/UDP a" + b",SIP/2.0/UDP a" * (n // 14),
    "a long number": lambda n: b"Expires: " + b"9" * n,
    "short lines": lambda n: b"\r\n".join([b"X:"] * (n // 4)),
    "content lengths": lambda n: b"\r\n".join([b"l: 0"] * (n // 6)),
}


def cost(data: bytes) -> float:
    """Processor seconds to read everything; the least of several, since others use the machine."""
    limits = Limits(line=10**7, head=10**7, fields=10**6)
    times = []
    for _ in range(4):
        start = time.thread_time()
        message = parse(data, limits=limits)
        fault = message.check() if isinstance(message, Request) else message
        if isinstance(fault, Malformed):
            fault.response("x")
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("inside", [True, False], ids=["inside", "cut"])
def test_cost_grows_no_faster_than_size(kind: str, inside: bool) -> None:
    """Eight times the size costs at most some twenty times as much; quadratic work would cost sixty-four times."""

    def data(size: int) -> bytes:
        line = HARD[kind](size)
        whole = invite(contact="", content_length="", body=b"").removesuffix(b"\r\n")
        return whole + line + (b"\r\n\r\n" if inside else b"")

    assert cost(data(64_000)) < 20 * cost(data(8_000)) + 0.002
