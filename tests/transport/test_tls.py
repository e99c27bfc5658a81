import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.transport.conftest import Bench, Certificates
from transport import Address, Flow, TlsSettings
from transport.tls import names, sip_domains

INVITE = b"INVITE sip:bob@example.com SIP/2.0\r\nContent-Length: 4\r\n\r\nbody"
OK = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"


@pytest.fixture(scope="module")
def settings(certificates: Certificates) -> TlsSettings:
    return certificates.settings("example", "DNS:example.com,DNS:*.example.net,IP:127.0.0.1")


@pytest.fixture
def served(make_bench: Callable[..., Bench], settings: TlsSettings) -> Bench:
    bench = make_bench(tls=settings)
    bench.listen("tls:127.0.0.1:0")
    return bench


def dial(client: Bench, server: Bench, domain: str | None) -> Flow:
    """Begin a connection, and turn both ends until it stands or has failed."""
    flow = client.reactor.flow_to(server.reactor.addresses[0], domain=domain)
    client.reactor.send(flow, INVITE)
    before = len(server.received)
    together(client, server, lambda: client.failures or len(server.received) > before)
    return flow


def together(client: Bench, server: Bench, condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        client.reactor.run_once(0.01)
        server.reactor.run_once(0.01)
    raise AssertionError(f"not reached: {client.failures!r}, {server.failures!r}")


def test_a_message_and_its_answer(served: Bench) -> None:
    flow = served.reactor.flow_to(served.reactor.addresses[0], domain="example.com")
    served.reactor.send(flow, INVITE)
    served.until(lambda: served.received)
    data, back = served.received[0]
    assert data == INVITE
    assert back.secure
    served.reactor.send(back, OK)
    served.until(lambda: len(served.received) == 2)
    assert served.received[1] == (OK, flow)
    assert served.reactor.peer_domains(flow) == ("example.com", "*.example.net")


def test_megabytes_pass(served: Bench) -> None:
    large = b"MESSAGE sip:a SIP/2.0\r\nContent-Length: 900000\r\n\r\n" + bytes(range(250)) * 3600
    flow = served.reactor.flow_to(served.reactor.addresses[0])
    for _ in range(3):
        served.reactor.send(flow, large)
    served.until(lambda: len(served.received) == 3, turns=2000)
    assert served.messages == [large] * 3


@pytest.mark.parametrize("domain", ["example.com", "EXAMPLE.com", "127.0.0.1", None])
def test_the_name_that_was_asked_for(
    make_bench: Callable[..., Bench], served: Bench, settings: TlsSettings, domain: str | None
) -> None:
    client = make_bench(tls=settings)
    dial(client, served, domain)
    assert client.failures == []


@pytest.mark.parametrize("domain", ["other.com", "sip.example.net", "127.0.0.2"])
def test_another_name_is_refused(
    make_bench: Callable[..., Bench], served: Bench, settings: TlsSettings, domain: str
) -> None:
    """RFC 5922 section 7.2: and wildcards do not count."""
    client = make_bench(tls=settings)
    flow = dial(client, served, domain)
    assert client.failures[0][0] == flow
    assert client.causes == ["handshake"]
    assert f"not for {domain}" in str(client.failures[0][1])


def test_an_unknown_authority_is_refused(make_bench: Callable[..., Bench], served: Bench, tmp_path: Path) -> None:
    stranger = Certificates(tmp_path)
    client = make_bench(tls=TlsSettings(authorities=stranger.authority))
    dial(client, served, "example.com")
    assert client.causes == ["handshake"]
    assert "is not trusted" in str(client.failures[0][1])
    together(client, served, lambda: served.failures)
    assert served.causes == ["handshake"]


def test_verification_can_be_switched_off(make_bench: Callable[..., Bench], served: Bench) -> None:
    client = make_bench(tls=TlsSettings(verify=False))
    dial(client, served, "other.com")
    assert client.failures == []


def test_mutual(make_bench: Callable[..., Bench], certificates: Certificates) -> None:
    server = make_bench(tls=certificates.settings("mutual", mutual=True))
    server.listen("tls:127.0.0.1:0")
    client = make_bench(tls=certificates.settings("client", "URI:sip:client.example.com"))
    dial(client, server, "example.com")
    assert server.reactor.peer_domains(server.received[0][1]) == ("client.example.com",)


def test_mutual_without_a_certificate(make_bench: Callable[..., Bench], certificates: Certificates) -> None:
    server = make_bench(tls=certificates.settings("demanding", mutual=True))
    server.listen("tls:127.0.0.1:0")
    client = make_bench(tls=TlsSettings(authorities=certificates.authority))
    dial(client, server, "example.com")
    together(client, server, lambda: server.failures and client.failures)
    assert "peer did not return a certificate" in str(server.failures[0][1])
    assert server.received == []


def test_a_server_has_a_certificate_for_each_name(make_bench: Callable[..., Bench], certificates: Certificates) -> None:
    """SNI."""
    certificate, key = certificates.issue("first", "DNS:first.example.com")
    further = {"second.example.com": certificates.issue("second", "DNS:second.example.com")}
    tls = TlsSettings(certificate=certificate, key=key, authorities=certificates.authority, further=further)
    server, client = make_bench(tls=tls), make_bench(tls=tls)
    server.listen("tls:127.0.0.1:0")
    for name in ("first.example.com", "second.example.com"):
        flow = dial(client, server, name)
        assert client.reactor.peer_domains(flow) == (name,)
    dial(client, server, "third.example.com")
    assert client.causes == ["handshake"]


def test_reload_serves_the_new_certificate_to_new_connections(
    make_bench: Callable[..., Bench], certificates: Certificates
) -> None:
    certificate, key = certificates.issue("reloaded", "DNS:old.example.com")
    tls = TlsSettings(certificate=certificate, key=key, authorities=certificates.authority)
    server, client = make_bench(tls=tls), make_bench(tls=TlsSettings(authorities=certificates.authority))
    server.listen("tls:127.0.0.1:0")
    old = dial(client, server, "old.example.com")
    certificates.issue("reloaded", "DNS:new.example.com")
    tls.reload()
    dial(client, server, "new.example.com")
    client.reactor.send(old, INVITE)
    together(client, server, lambda: len(server.received) == 3)
    assert client.failures == []


def test_a_reload_that_fails_changes_nothing(make_bench: Callable[..., Bench], certificates: Certificates) -> None:
    certificate, key = certificates.issue("spoilt", "DNS:example.com")
    tls = TlsSettings(certificate=certificate, key=key, authorities=certificates.authority)
    shutil.copy(certificates.authority, certificate)
    with pytest.raises(ssl.SSLError):
        tls.reload()
    server = make_bench(tls=tls)
    server.listen("tls:127.0.0.1:0")
    dial(server, server, "example.com")
    assert server.failures == []


def test_the_callers_mistakes_are_told_at_the_call(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a server needs a certificate"):
        bench.listen("tls:127.0.0.1:0")
    with pytest.raises(ValueError, match="a server needs a certificate"):
        TlsSettings().server()
    with pytest.raises(FileNotFoundError):
        TlsSettings(certificate=tmp_path / "missing.pem")


@pytest.fixture
def peer(served: Bench) -> Iterator[socket.socket]:
    address = served.reactor.addresses[0]
    with socket.create_connection((address.host, address.port), timeout=10.0) as made:
        served.until(lambda: served.count("connections_accepted"))
        yield made


@pytest.mark.parametrize(
    "garbage", [INVITE, b"\0" * 100, b"\x16\x03\x01\x00\x05hello", b"\x80\x2e\x01\x03\x01" + b"x" * 50]
)
def test_garbage_instead_of_a_handshake(served: Bench, peer: socket.socket, garbage: bytes) -> None:
    peer.sendall(garbage)
    served.until(lambda: served.failures)
    assert served.causes == ["handshake"]
    assert "no TLS with the peer" in str(served.failures[0][1])


def test_the_end_within_the_handshake(served: Bench, peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)
    served.until(lambda: served.failures)
    assert served.causes == ["handshake"]
    assert "during the TLS handshake" in str(served.failures[0][1])


def test_garbage_after_the_handshake(served: Bench) -> None:
    flow = served.reactor.flow_to(served.reactor.addresses[0], domain="example.com")
    served.reactor.send(flow, INVITE)
    served.until(lambda: served.received)
    connection: Any = flow.channel
    connection._socket.send(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    served.until(lambda: served.failures)
    assert served.causes[0] == "reset"
    assert "TLS broke" in str(served.failures[0][1])


def test_a_goodbye_is_the_end(served: Bench, certificates: Certificates) -> None:
    flow = served.reactor.flow_to(served.reactor.addresses[0], domain="example.com")
    served.reactor.send(flow, INVITE)
    served.until(lambda: served.received)
    served.reactor.close_flow(flow)
    served.turn(8)
    served.clock.advance(served.reactor.limits.half_close_timeout)
    served.until(lambda: len(served.failures) == 2)
    assert served.causes == ["closed", "closed"]


@pytest.mark.parametrize(
    ("alternatives", "subject", "domains"),
    [
        ((("URI", "sip:example.com"), ("DNS", "other.com")), "third.com", ("example.com",)),
        ((("URI", "SIP:Example.COM"), ("URI", "sip:b.com")), "", ("example.com", "b.com")),
        ((("URI", "sip:bob@example.com"), ("DNS", "other.com")), "", ()),
        ((("URI", "https://example.com"), ("DNS", "other.com")), "", ("other.com",)),
        ((("IP Address", "127.0.0.1"),), "Third.com", ("third.com",)),
        ((), "third.com", ("third.com",)),
        ((), "", ()),
    ],
)
def test_the_domains_of_a_certificate(alternatives: Any, subject: str, domains: tuple[str, ...]) -> None:
    """RFC 5922 section 7.1."""
    certificate: dict[str, Any] = {"subjectAltName": alternatives}
    if subject:
        certificate["subject"] = ((("countryName", "XX"),), (("commonName", subject),))
    assert sip_domains(certificate) == domains


def test_names_are_compared_whole() -> None:
    certificate = {"subjectAltName": (("DNS", "*.example.com"), ("DNS", "example.org"), ("IP Address", "::1"))}
    assert names(certificate, "Example.org.")
    assert names(certificate, "0:0:0:0:0:0:0:1")
    assert not names(certificate, "a.example.com")
    assert not names(certificate, "127.0.0.1")


def test_an_address_of_tls_is_secure() -> None:
    assert Address.parse("tls:example.com").port == 5061
