"""RFC 4475: the 49 torture messages, each with the behaviour its section asks of a plain user agent over UDP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dum.message import Malformed, Request, Response, Uri, parse
from dum.message.grammar import unescape

DATA = Path(__file__).parent / "data" / "rfc4475"

ACCEPTED = (
    *("wsinv", "intmeth", "esc01", "escnull", "esc02", "lwsdisp", "longreq", "dblreq", "semiuri", "transports"),
    *("mpart01", "unreason", "noreason"),
    # 3.1.2.12: a Date in EST is not worth a refusal to whoever does not need the date.
    "baddate",
    # 3.2: for the transaction layer to refuse or to match by RFC 2543.
    "badbranch",
    # 3.3 and 3.4: for the layers above: schemes, options, bodies, methods, bindings.
    *("unkscm", "novelsc", "unksm2", "bext01", "invut", "regaut01", "bcast", "zeromf", "cparam01", "cparam02"),
    *("regescrt", "sdp01", "inv2543"),
)
REFUSED = {
    **dict.fromkeys(("badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri", "lwsstart"), 400),
    **dict.fromkeys(("trws", "escruri", "regbadct", "badaspec", "baddn", "mismatch01", "mismatch02"), 400),
    **dict.fromkeys(("insuf", "multi01", "mcl01"), 400),
    "badvers": 505,
}
DROPPED = ("scalarlg", "bigcode")


def octets(name: str) -> bytes:
    return (DATA / f"{name}.dat").read_bytes()


def verdict(name: str) -> Request | Response | Malformed:
    message = parse(octets(name))
    return (message.check() or message) if isinstance(message, Request) else message


def accepted(name: str) -> Any:
    message = verdict(name)
    assert not isinstance(message, Malformed), message
    return message


def test_all_49_are_here() -> None:
    names = {path.stem for path in DATA.glob("*.dat")}
    assert len(names) == 49
    assert {*ACCEPTED, *REFUSED, *DROPPED} == names


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(name: str) -> None:
    message = accepted(name)
    whole = octets(name)
    assert whole.startswith(message.encode())
    again = parse(message.encode())
    assert again == message
    if isinstance(message, Request):
        answer = message.respond(200, to_tag="here")
        assert isinstance(parse(answer.encode()), Response)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_status_the_rfc_asks_for(name: str) -> None:
    message = verdict(name)
    assert isinstance(message, Malformed)
    assert message.status == REFUSED[name]
    answer = message.response("here")
    assert answer is not None
    assert answer.status == REFUSED[name]
    assert answer.encode().startswith(f"SIP/2.0 {REFUSED[name]} ".encode())


@pytest.mark.parametrize("name", DROPPED)
def test_bad_responses_are_dropped(name: str) -> None:
    message = verdict(name)
    assert isinstance(message, Malformed)
    assert not message.is_request
    assert message.response("here") is None


Fact = tuple[str, Callable[[Any], object], object]

FACTS: list[Fact] = [
    ("wsinv", lambda m: m.to_tag, "1918181833n"),
    ("wsinv", lambda m: m.from_.display, 'J Rosenberg \\"'),
    ("wsinv", lambda m: m.from_tag, "98asjd8"),
    ("wsinv", lambda m: m.max_forwards, 68),
    ("wsinv", lambda m: (m.cseq, m.cseq_method), (9, "INVITE")),
    ("wsinv", lambda m: [via.transport for via in m.vias], ["UDP", "TCP", "UDP"]),
    ("wsinv", lambda m: [via.branch for via in m.vias], ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]),
    ("wsinv", lambda m: m.sent_by, "192.0.2.2"),
    ("wsinv", lambda m: m.header("Subject"), ""),
    ("wsinv", lambda m: m.header("NewFangledHeader"), "newfangled value continued newfangled value"),
    ("wsinv", lambda m: m.headers("UnknownHeaderWithUnusualValue"), (";;,,;;,;",)),
    ("wsinv", lambda m: m.contacts[0].display, 'Quoted string ""'),
    ("wsinv", lambda m: m.contacts[0].parameters.items()[2], ("q", "0.33")),
    ("wsinv", lambda m: m.routes[0].uri.lr, True),
    ("wsinv", lambda m: len(m.body), 150),
    ("intmeth", lambda m: m.method, "!interesting-Method0123456789_*+`.%indeed'~"),
    ("intmeth", lambda m: m.uri.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"),
    ("intmeth", lambda m: m.uri.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"),
    ("intmeth", lambda m: m.branch, "z9hG4bK-.!%66*_+`'~"),
    ("intmeth", lambda m: m.to.display, "BEL:\x07 NUL:\x00 DEL:\x7f"),
    ("intmeth", lambda m: m.from_tag, "_token~1'+`*%!-."),
    ("intmeth", lambda m: m.call_id, "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"),
    ("intmeth", lambda m: m.header("extensionHeader-!.%*+_`'~"), "\ufeff大停電"),
    ("intmeth", lambda m: m.max_forwards, 255),
    ("esc01", lambda m: unescape(m.uri.user), "sips:user@example.com"),
    ("esc01", lambda m: m.uri.host, "example.net"),
    ("esc01", lambda m: m.to.uri.equivalent(Uri.parse("sip:user@example.com")), True),
    ("esc01", lambda m: unescape(m.from_.uri.user), "I have spaces"),
    ("esc01", lambda m: unescape(m.contacts[0].uri.parameters.items()[1][1]), "value%41"),
    ("escnull", lambda m: unescape(m.to.uri.user), "null-\0-null"),
    ("escnull", lambda m: [unescape(each.uri.user) for each in m.contacts], ["\0", "\0\0"]),
    ("esc02", lambda m: m.method, "RE%47IST%45R"),
    ("esc02", lambda m: len(m.contacts), 2),
    ("esc02", lambda m: m.header("C%6Fntact"), "<sip:alias2@host2.example.com>"),
    ("lwsdisp", lambda m: m.from_.display, "caller"),
    ("longreq", lambda m: len(m.vias), 34),
    ("longreq", lambda m: m.sent_by, "sip33.example.com"),
    ("longreq", lambda m: m.vias[-1].received, "192.0.2.5"),
    ("dblreq", lambda m: (m.method, m.body), ("REGISTER", b"")),
    ("semiuri", lambda m: m.uri.user, "user;par=u%40example.net"),
    ("semiuri", lambda m: m.uri.host, "example.com"),
    ("semiuri", lambda m: len(m.headers("Accept")), 6),
    ("transports", lambda m: [via.transport for via in m.vias], ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]),
    ("mpart01", lambda m: (m.content_type, len(m.body)), ("multipart/mixed", 553)),
    ("unreason", lambda m: m.reason.startswith("= 2**3 * 5**2 но сто девяносто девять"), True),
    ("unreason", lambda m: (m.status, m.cseq, len(m.body)), (200, 35, 154)),
    ("noreason", lambda m: (m.status, m.reason), (100, "")),
    ("badbranch", lambda m: m.branch, "z9hG4bK"),
    ("unkscm", lambda m: m.uri.scheme, "nobodyknowsthisscheme"),
    ("novelsc", lambda m: (m.uri.scheme, m.uri.opaque), ("soap.beep", "//192.0.2.103:3002")),
    ("unksm2", lambda m: (str(m.to.uri), m.from_tag), ("isbn:2983792873", "3234233")),
    ("bext01", lambda m: m.headers("require"), ("nothingSupportsThis", "nothingSupportsThisEither")),
    ("bcast", lambda m: (m.status, len(m.vias)), (200, 2)),
    ("zeromf", lambda m: m.max_forwards, 0),
    ("cparam01", lambda m: m.contacts[0].parameters.items(), (("unknownparam", None),)),
    ("cparam02", lambda m: str(m.contacts[0].uri), "sip:+19725552222@gw1.example.net;unknownparam"),
    ("cparam02", lambda m: len(m.contacts[0].parameters), 0),
    ("regescrt", lambda m: m.contacts[0].uri.headers, (("Route", "%3Csip:sip.example.com%3E"),)),
    ("sdp01", lambda m: m.headers("accept"), ("text/nobodyKnowsThis",)),
    ("inv2543", lambda m: (m.branch, m.from_tag, m.max_forwards), ("", "", None)),
    ("inv2543", lambda m: len(m.body), 105),
]


@pytest.mark.parametrize(("name", "read", "expected"), FACTS)
def test_fact(name: str, read: Callable[[Any], object], expected: object) -> None:
    assert read(accepted(name)) == expected


def test_on_a_stream_the_second_request_of_dblreq_is_another_message() -> None:
    """3.1.1.8: over a stream the framing ends the REGISTER, so parse is given each part on its own."""
    whole = octets("dblreq")
    first = accepted("dblreq").encode()
    assert isinstance(parse(first, stream=True), Request)
    assert isinstance(parse(whole[len(first) :]), Request)


@pytest.mark.parametrize(("name", "header"), [("mismatch01", "CSeq"), ("ncl", "Content-Length"), ("insuf", "From")])
def test_the_header_at_fault_is_named(name: str, header: str) -> None:
    message = verdict(name)
    assert isinstance(message, Malformed)
    assert message.header == header
