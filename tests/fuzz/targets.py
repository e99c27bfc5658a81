"""What is fuzzed, and what must hold of each: a function takes bytes, and raises only when something is wrong."""

from collections.abc import Callable

from dum.message import HeaderError, Malformed, Message, Request, Response, Uri, parse, peek_call_id
from dum.message.check import fault_of, is_sound
from dum.message.credentials import authentications
from dum.message.extensions import (
    addresses,
    event,
    join,
    min_se,
    privacy,
    rack,
    reasons,
    refer_to,
    replaces,
    rseq,
    session_expires,
    subscription_state,
    target_dialog,
)
from dum.message.multipart import parse_multipart
from dum.message.routing import read_routing
from dum.message.sdp import SdpError, SessionDescription
from dum.message.sdp_answer import answer, answer_fault, hold
from dum.message.sipfrag import parse_sipfrag
from dum.message.typical import read_typical
from dum.message.values import date, option_tags, retry_after, values, warnings
from transport.framing import StreamCodec
from transport.limits import Limits
from transport.websocket import WebSocketCodec

READERS: list[Callable[[Message], object]] = [
    *(rseq, rack, event, subscription_state, session_expires, min_se, refer_to, replaces, join, target_dialog, reasons),
    *(privacy, retry_after, warnings, date),
    *(lambda message, name=name: addresses(message, name) for name in ("Path", "P-Asserted-Identity")),
    *(lambda message, name=name: values(message, name) for name in ("Accept", "Security-Client")),
    *(lambda message, name=name: option_tags(message, name) for name in ("Supported", "Require")),
    *(lambda message, name=name: authentications(message, name) for name in ("Authorization", "WWW-Authenticate")),
    *(lambda message, name=name: getattr(message, name) for name in ("vias", "from_", "to", "contacts", "routes")),
    *(lambda message, name=name: getattr(message, name) for name in ("record_routes", "max_forwards", "expires")),
]


def message(data: bytes) -> None:
    """One datagram: a value comes back, bytes survive, it can be answered, typed access raises HeaderError at most."""
    peek_call_id(data)
    found = parse(data)
    if isinstance(found, Malformed):
        reply = found.response("here")
        assert reply is None or not isinstance(parse(reply.encode()), Request)
        return
    assert found.encode() in data
    assert parse(found.encode()) == found
    _both_ways(found)
    changed = found.with_fields(append=(("X-Added", "yes"),))
    assert changed.header("x-added") == (found.header("x-added") or "yes")
    assert changed.body == found.body
    for read in READERS:
        try:
            read(found)
        except HeaderError as error:
            assert error.header  # noqa: PT017
    if isinstance(found, Request):
        _request(found)


def _both_ways(found: Message) -> None:
    head = found.encode().partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    typical = read_typical(head)
    if typical is not None:
        assert typical[2:] == read_routing(head, typical[0])


def _request(found: Request) -> None:
    assert not (is_sound(found.encode()) and fault_of(found))
    found.check()
    for status in (100, 200):
        answered = found.respond(status, to_tag="here")
        read = parse(answered.encode())
        assert isinstance(read, Response), read
        assert (read.call_id, read.cseq, read.branch, read.sent_by) == (
            found.call_id,
            found.cseq,
            found.branch,
            found.sent_by,
        )
        assert (read.from_tag, read.to_tag) == (found.from_tag, answered.to_tag)
    try:
        stamped = found.with_received("192.0.2.77", 7777)
    except HeaderError:
        return
    assert stamped.top_via.received in ("192.0.2.77", None) or found.top_via.received is not None


def session(data: bytes) -> None:
    """One session description: SdpError at most; it comes back; what answers it is an answer."""
    try:
        found = SessionDescription.parse(data)
    except SdpError:
        return
    assert SessionDescription.parse(found.encode()) == found
    given = answer(found, found)
    if all(found.connection_of(media) for media in found.media):
        assert not answer_fault(found, given), answer_fault(found, given)
    assert SessionDescription.parse(hold(found).encode()).origin.version == found.origin.version + 1


def pieces(data: bytes) -> None:
    """URIs, fragments and multipart bodies: their own error at most."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        uri = Uri.parse(text)
        assert str(uri) == text
        assert uri.equivalent(Uri.parse(text))
    except ValueError:
        pass
    for read in (parse_sipfrag, lambda body: parse_multipart(body, "multipart/mixed;boundary=b")):
        try:
            read(data)
        except HeaderError as error:
            assert error.header  # noqa: PT017


def stream(data: bytes) -> None:
    """Bytes on a stream: however they are cut, the same messages come out, and the parser agrees on their bodies."""
    whole = StreamCodec(Limits())
    found = whole.feed(data)
    cut = StreamCodec(Limits())
    step = 1 + len(data) % 13
    parts = [piece for start in range(0, len(data), step) for piece in cut.feed(data[start : start + step])]
    assert parts == found
    assert (cut.error is None) == (whole.error is None)
    for each in found:
        parsed = parse(each, stream=True)
        if not isinstance(parsed, Malformed):
            assert parsed.encode() == each


def websocket(data: bytes) -> None:
    """Bytes on a WebSocket after the handshake: nothing raised, however they are cut."""
    handshake = (
        b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
    )
    whole, cut = WebSocketCodec(Limits()), WebSocketCodec(Limits())
    found = whole.feed(handshake + data)
    cut.feed(handshake)
    step = 1 + len(data) % 13
    parts = [piece for start in range(0, len(data), step) for piece in cut.feed(data[start : start + step])]
    assert parts == found
    whole.reply()
    cut.reply()


TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": message,
    "session": session,
    "pieces": pieces,
    "stream": stream,
    "websocket": websocket,
}
