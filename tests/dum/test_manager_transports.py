"""Whole calls between two managers over every transport, to an address and to a name, with and without workers."""

import pytest

from dum import Call, DialogUsageManager, IncomingCall
from tests.transport.conftest import Certificates, certificates
from transport import TlsSettings

SESSION = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
__all__ = ["certificates"]

TRANSPORTS = ("udp", "tcp", "tls", "ws", "wss")


@pytest.fixture(scope="module")
def settings(certificates: Certificates) -> TlsSettings:
    """A certificate for this machine, signed by an authority that both sides trust."""
    return certificates.settings("localhost", "DNS:localhost,IP:127.0.0.1")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_to_an_address_and_one_to_a_name(transport: str, workers: int, settings: TlsSettings) -> None:
    listen = [f"{transport}:127.0.0.1:0"]
    server = DialogUsageManager(listen=listen, workers=workers, tls=settings)
    client = DialogUsageManager(listen=listen, workers=workers, tls=settings)

    @server.on(IncomingCall)
    def answer(call: Call) -> None:
        call.ring()
        call.answer(SESSION)

    with server, client:
        for host in ("127.0.0.1", "localhost"):
            target = f"sip:bob@{host}:{server.addresses[0].port};transport={transport}"
            call = client.call(target, offer=SESSION)
            call.wait_established(30)
            assert call.remote_body == SESSION
            call.end()
            assert call.wait_ended(30).status == 200
        assert server.statistics()["calls"] == 0


def test_a_certificate_for_another_name_ends_the_call(certificates: Certificates) -> None:
    wrong = certificates.settings("elsewhere", "DNS:elsewhere.example")
    with (
        DialogUsageManager(listen=["tls:127.0.0.1:0"], tls=wrong) as server,
        DialogUsageManager(listen=["tls:127.0.0.1:0"], tls=wrong) as client,
    ):
        call = client.call(f"sip:bob@localhost:{server.addresses[0].port};transport=tls", offer=SESSION)
        ended = call.wait_ended(30)
        assert (ended.status, ended.why) == (503, "transport")
