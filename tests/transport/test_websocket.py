import base64
import os
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.conftest import Bench
from transport import Limits
from transport.websocket import WebSocketCodec

REGISTER = b"REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid\r\n\r\n"
OK = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def handshake(subprotocol: bytes = b"sip", extra: bytes = b"") -> bytes:
    key = base64.b64encode(os.urandom(16))
    offered = b"Sec-WebSocket-Protocol: " + subprotocol + b"\r\n" if subprotocol else b""
    return (
        b"GET / HTTP/1.1\r\nHost: sip-ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: " + key + b"\r\nOrigin: http://www.example.com\r\n" + offered + extra
    ) + b"Sec-WebSocket-Version: 13\r\n\r\n"


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask = 0x80 if masked else 0
    if len(payload) < 126:
        head = bytes([first, mask | len(payload)])
    elif len(payload) < 65536:
        head = bytes([first, mask | 126]) + struct.pack("!H", len(payload))
    else:
        head = bytes([first, mask | 127]) + struct.pack("!Q", len(payload))
    if not masked:
        return head + payload
    key = b"\x11\x22\x33\x44"
    return head + key + bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def opened(limits: Limits | None = None) -> WebSocketCodec:
    codec = WebSocketCodec(limits or Limits())
    assert codec.feed(handshake()) == []
    assert codec.established
    answer = codec.reply()
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"sec-websocket-protocol: sip\r\n" in answer.lower()
    return codec


def test_a_client_and_a_server_agree() -> None:
    """RFC 7118 section 4.1."""
    client, server = WebSocketCodec(Limits(), "example.com:8080", "/sip"), WebSocketCodec(Limits())
    request = client.start()
    assert request.startswith(b"GET /sip HTTP/1.1\r\nHost: example.com:8080\r\n")
    assert server.start() == b""
    server.feed(request)
    client.feed(server.reply())
    assert client.established
    assert server.established
    assert server.feed(client.encode(REGISTER) + client.encode(OK)) == [REGISTER, OK]
    assert client.feed(server.encode(OK)) == [OK]


def test_frames_in_the_same_read_as_the_handshake() -> None:
    server = WebSocketCodec(Limits())
    assert server.feed(handshake() + frame(TEXT, REGISTER) + frame(TEXT, OK)) == [REGISTER, OK]
    client, other = WebSocketCodec(Limits(), "example.com"), WebSocketCodec(Limits())
    other.feed(client.start())
    assert client.feed(other.reply() + other.encode(OK)) == [OK]


def test_pings_are_answered_and_count() -> None:
    """RFC 7118 section 6."""
    client, server = WebSocketCodec(Limits(), "example.com"), WebSocketCodec(Limits())
    assert client.ping() == b"", "before the handshake is over"
    server.feed(client.start())
    client.feed(server.reply())
    server.feed(client.ping())
    assert client.pings == 1
    client.feed(server.reply())
    assert client.pings == 0


def test_text_and_binary_frames_whole_or_in_fragments() -> None:
    codec = opened()
    assert codec.feed(frame(TEXT, REGISTER)) == [REGISTER]
    assert codec.feed(frame(BINARY, REGISTER)) == [REGISTER]
    codec.feed(frame(TEXT, REGISTER[:10], final=False))
    assert codec.partial
    assert codec.feed(frame(PING, b"between")) == []
    assert codec.feed(frame(0, REGISTER[10:])) == [REGISTER]
    assert not codec.partial


def test_bytes_that_are_no_text_are_sent_in_a_binary_frame() -> None:
    codec = opened()
    assert codec.encode(OK)[0] == 0x80 | TEXT
    assert codec.encode(OK + b"\xff")[0] == 0x80 | BINARY


def test_empty_messages_are_no_messages() -> None:
    codec = opened()
    assert codec.feed(frame(TEXT, b"") + frame(TEXT, b"\r\n\r\n") + frame(TEXT, b"\r\n" + OK)) == [OK]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (handshake(b""), b"400"),
        (handshake(b"chat, xmpp"), b"400"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
        (handshake().replace(b"Version: 13", b"Version: 99"), b"426"),
        (b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
    ],
)
def test_a_request_that_is_not_ours_is_refused(request_bytes: bytes, status: bytes) -> None:
    codec = WebSocketCodec(Limits())
    codec.feed(request_bytes)
    assert codec.error is not None
    assert codec.error.cause == "handshake"
    assert codec.reply().startswith(b"HTTP/1.1 " + status)
    assert codec.feed(handshake()) == []


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
def test_a_server_that_does_not_agree(answer: bytes) -> None:
    codec = WebSocketCodec(Limits(), "example.com")
    codec.start()
    codec.feed(answer)
    assert codec.error is not None
    assert codec.error.cause == "handshake"
    assert not codec.established
    assert codec.close() == b""


def test_a_server_that_does_not_speak_sip() -> None:
    server = WebSocketCodec(Limits())
    client = WebSocketCodec(Limits(), "example.com")
    server.feed(client.start())
    client.feed(
        server.reply().replace(b"Sec-WebSocket-Protocol: sip\r\n", b"").replace(b"sec-websocket-protocol: sip\r\n", b"")
    )
    assert client.error is not None
    assert "did not agree to the WebSocket subprotocol sip" in client.error.reason


ILLEGAL = {
    "unmasked": frame(TEXT, OK, masked=False),
    "reserved bits": frame(TEXT, OK, reserved=4),
    "reserved data opcode": frame(0x3, OK),
    "reserved control opcode": frame(0xB, b""),
    "continuation of nothing": frame(0, OK),
    "new message within a message": frame(TEXT, b"a", final=False) + frame(TEXT, b"b"),
    "fragmented control frame": frame(PING, b"", final=False),
    "control frame too long": frame(PING, b"x" * 126),
    "text that is no UTF-8": frame(TEXT, b"\xff\xfe"),
    "close with half a code": frame(CLOSE, b"\x03"),
    "close with a code that may not be sent": frame(CLOSE, struct.pack("!H", 1005)),
    "close with a reason that is no UTF-8": frame(CLOSE, struct.pack("!H", 1000) + b"\xff"),
    "length in more bytes than needed": bytes([0x81, 0x80 | 126, 0, 5]) + b"\0\0\0\0hello",
    "length with its highest bit set": bytes([0x81, 0xFF]) + b"\xff" * 8 + b"\0\0\0\0",
}


@pytest.mark.parametrize("kind", sorted(ILLEGAL))
def test_illegal_frames_end_the_stream_after_what_was_whole(kind: str) -> None:
    codec = opened()
    assert codec.feed(frame(TEXT, REGISTER) + ILLEGAL[kind]) == [REGISTER]
    assert codec.error is not None, kind
    assert codec.error.cause == "framing"
    assert codec.reply()[:1] in (b"\x88", b""), "at most a close frame"
    assert codec.feed(frame(TEXT, REGISTER)) == []


def test_sizes_are_bounded() -> None:
    codec = opened(Limits(message=4000, header=1000))
    codec.feed(frame(TEXT, b"x" * 3000, final=False))
    codec.feed(frame(0, b"x" * 1001, final=False))
    assert codec.error is not None
    assert codec.error.cause == "oversized"
    assert struct.pack("!H", 1009) in codec.reply()


def test_a_request_without_end_is_bounded() -> None:
    codec = WebSocketCodec(Limits())
    for _ in range(1000):
        codec.feed(b"GET / HTTP/1.1\r\n" + b"X-Header: " + b"y" * 1000 + b"\r\n")
        if codec.error is not None:
            break
    assert codec.error is not None
    assert codec.error.cause == "handshake"


@pytest.mark.parametrize(
    ("fed", "cause"),
    [(b"", "handshake"), (handshake(), "closed"), (handshake() + frame(TEXT, b"INV", final=False), "framing")],
)
def test_the_end_of_the_stream(fed: bytes, cause: str) -> None:
    codec = WebSocketCodec(Limits())
    codec.feed(fed)
    codec.ended()
    assert codec.error is not None
    assert codec.error.cause == cause


@pytest.mark.parametrize(("code", "cause"), [(1000, "closed"), (1001, "closed"), (1011, "framing")])
def test_a_close_is_answered(code: int, cause: str) -> None:
    codec = opened()
    codec.feed(frame(CLOSE, struct.pack("!H", code)))
    assert codec.error is not None
    assert codec.error.cause == cause
    assert codec.reply().startswith(b"\x88")
    assert codec.encode(OK) == b""


@given(st.lists(st.binary(max_size=60), max_size=10), st.booleans())
def test_no_bytes_raise(chunks: list[bytes], established: bool) -> None:
    codec = opened() if established else WebSocketCodec(Limits())
    for chunk in chunks:
        codec.feed(chunk)
        codec.reply()
    codec.ended()
    codec.close()


@given(st.lists(st.sampled_from(sorted(ILLEGAL)), min_size=1, max_size=3), st.integers(1, 40))
def test_illegal_frames_in_pieces_raise_nothing(kinds: list[str], size: int) -> None:
    codec = opened()
    stream = b"".join(ILLEGAL[kind] for kind in kinds)
    for start in range(0, len(stream), size):
        codec.feed(stream[start : start + size])
    codec.close()


@pytest.fixture
def peer(bench: Bench) -> Iterator[socket.socket]:
    address = bench.listen("ws:127.0.0.1:0")
    with socket.create_connection((address.host, address.port), timeout=10.0) as made:
        bench.until(lambda: bench.count("connections_accepted"))
        yield made


def test_over_a_socket(bench: Bench, peer: socket.socket) -> None:
    peer.sendall(handshake() + frame(TEXT, REGISTER))
    bench.until(lambda: bench.received)
    assert bench.messages == [REGISTER]
    bench.reactor.send(bench.received[0][1], OK)
    answer = peer.recv(10_000)
    while not answer.endswith(OK):
        answer += peer.recv(10_000)
    peer.sendall(frame(CLOSE, struct.pack("!H", 1000)))
    bench.until(lambda: bench.failures)
    assert bench.causes == ["closed"]


@pytest.mark.parametrize("kind", sorted(ILLEGAL))
def test_illegal_frames_close_the_connection(bench: Bench, peer: socket.socket, kind: str) -> None:
    peer.sendall(handshake() + ILLEGAL[kind])
    bench.until(lambda: bench.failures)
    assert bench.causes == ["framing"]
    while peer.recv(10_000):
        pass
    assert bench.count("connections") == 0
    assert bench.count("callback_errors") == 0


def test_a_request_that_is_not_ours_gets_its_answer_and_is_closed(bench: Bench, peer: socket.socket) -> None:
    peer.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    bench.until(lambda: bench.failures)
    assert bench.causes == ["handshake"]
    assert peer.recv(1000).startswith(b"HTTP/1.1 400")


def test_the_handshake_takes_only_so_long(bench: Bench, peer: socket.socket) -> None:
    peer.sendall(handshake()[:50])
    bench.turn()
    bench.clock.advance(bench.reactor.limits.connect_timeout)
    bench.turn()
    assert bench.causes == ["timeout"]


def test_wss(make_bench: Callable[..., Bench], secure_bench: Bench) -> None:
    address = secure_bench.listen("wss:127.0.0.1:0")
    flow = secure_bench.reactor.flow_to(address, domain="example.com")
    secure_bench.reactor.send(flow, REGISTER)
    secure_bench.until(lambda: secure_bench.received)
    assert secure_bench.messages == [REGISTER]
    assert secure_bench.received[0][1].secure
