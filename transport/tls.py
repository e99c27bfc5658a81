"""TLS on a connection, and whom to trust (RFC 3261 section 26.3, RFC 5922).

`ssl.MemoryBIO` keeps TLS free of the socket: bytes in, bytes out, one lock, one place that meets the network. That is
also what lets several threads send on one connection, which a wrapped socket does not allow.
"""

import contextlib
import ipaddress
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from transport.errors import TransportError

_CHUNK: Final = 65_536
type Certificate = dict[str, Any]


class TlsSettings:
    """Our certificate, and whom we trust.

    `certificate` and `key` are PEM files (the key may be in the same file); a server needs them, a client only where
    the peer asks for one. `authorities` is a PEM file of trusted roots, by default the system's. `mutual` makes a
    server demand a certificate of its clients; `verify=False` makes a client accept anything, for tests.
    `further` maps host names to (certificate, key) for clients that ask for them (SNI).
    Raises OSError or ssl.SSLError when a file cannot be used. May be used by several reactors and threads.
    """

    def __init__(
        self,
        *,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        password: str | None = None,
        authorities: str | Path | None = None,
        mutual: bool = False,
        verify: bool = True,
        further: Mapping[str, tuple[str | Path, str | Path | None]] | None = None,
    ) -> None:
        self._certificate = certificate
        self._key = key
        self._password = password
        self._authorities = authorities
        self._mutual = mutual
        self._verify = verify
        self._further = dict(further or {})
        self._lock = threading.Lock()
        self._server: ssl.SSLContext | None = None
        self._client: ssl.SSLContext | None = None
        self.reload()

    def reload(self) -> None:
        """Read every file again, for connections made from now on.

        When one cannot be used, all stays as it was, and OSError or ssl.SSLError is raised.
        """
        with self._lock:
            client = self._new_client()
            server = self._new_server() if self._certificate is not None else None
            self._client, self._server = client, server

    @property
    def can_serve(self) -> bool:
        """Whether there is a certificate to serve with."""
        return self._server is not None

    def server(self) -> "TlsLayer":
        """TLS for a connection that was accepted. Raises ValueError without a certificate."""
        if self._server is None:
            raise ValueError("a server needs a certificate: TlsSettings(certificate=..., key=...)")
        return TlsLayer(self._server, None, verify=False)

    def client(self, domain: str) -> "TlsLayer":
        """TLS for a connection to `domain`, which the peer's certificate must name (RFC 5922 section 7.3)."""
        assert self._client is not None
        return TlsLayer(self._client, domain, verify=self._verify)

    def _new_client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The name is checked here and not by the library: RFC 5922 knows SIP URIs in certificates and no wildcards.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_REQUIRED if self._verify else ssl.CERT_NONE
        self._load_authorities(context, ssl.Purpose.SERVER_AUTH)
        if self._certificate is not None:
            context.load_cert_chain(self._certificate, self._key, self._password)
        return context

    def _new_server(self) -> ssl.SSLContext:
        assert self._certificate is not None
        context = self._server_context(self._certificate, self._key)
        if self._further:
            named = {name.lower(): self._server_context(*files) for name, files in self._further.items()}

            def choose(layer: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
                if name is not None and name.lower() in named:
                    layer.context = named[name.lower()]

            context.sni_callback = choose
        return context

    def _server_context(self, certificate: str | Path, key: str | Path | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key, self._password)
        if self._mutual:
            context.verify_mode = ssl.CERT_REQUIRED
            self._load_authorities(context, ssl.Purpose.CLIENT_AUTH)
        return context

    def _load_authorities(self, context: ssl.SSLContext, purpose: ssl.Purpose) -> None:
        if self._authorities is not None:
            context.load_verify_locations(self._authorities)
        else:
            context.load_default_certs(purpose)


class TlsLayer:
    """TLS of one connection, between its socket and its codec. Not thread-safe: the connection holds its lock."""

    __slots__ = ("_domain", "_in", "_layer", "_out", "_verify", "ended", "error", "established", "peer_domains")

    def __init__(self, context: ssl.SSLContext, domain: str | None, *, verify: bool) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._domain = domain
        self._verify = verify
        name = domain if domain is not None and not _is_ip_address(domain) else None
        self._layer = context.wrap_bio(self._in, self._out, server_side=domain is None, server_hostname=name)
        self.established = False
        self.ended = False
        self.error: TransportError | None = None
        self.peer_domains: tuple[str, ...] = ()

    def start(self) -> bytes:
        """What to send first."""
        self._handshake()
        return self.output()

    def receive(self, data: bytes) -> bytes:
        """What the peer said in these bytes; `error` is set when it cannot be understood."""
        self._in.write(data)
        if not self.established:
            self._handshake()
            if not self.established:
                return b""
        plain = []
        try:
            while True:
                chunk = self._layer.read(_CHUNK)
                if not chunk:
                    self.ended = True
                    break
                plain.append(chunk)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            self.error = TransportError("reset", f"TLS broke: {_reason(error)}")
        return b"".join(plain)

    def send(self, data: bytes) -> bytes:
        """The bytes that carry `data` to the peer."""
        if data:
            try:
                self._layer.write(data)
            except ssl.SSLError as error:
                self.error = TransportError("reset", f"TLS broke: {_reason(error)}")
        return self.output()

    def output(self) -> bytes:
        """What TLS itself has to say."""
        return self._out.read()

    def close(self) -> bytes:
        """The orderly end, as far as we are concerned."""
        # It would wait for the peer's own goodbye, for which we do not; or there was no handshake.
        with contextlib.suppress(ssl.SSLError, ValueError):
            self._layer.unwrap()
        return self.output()

    def cut_off(self) -> None:
        """The peer's bytes ended: an error within the handshake, tolerated without a goodbye later (as phones do)."""
        if not self.established and self.error is None:
            self.error = TransportError("handshake", "the peer closed the connection during the TLS handshake")

    def _handshake(self) -> None:
        try:
            self._layer.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLCertVerificationError as error:
            self.error = TransportError("handshake", f"the peer's certificate is not trusted: {error.verify_message}")
            return
        except ssl.SSLError as error:
            self.error = TransportError("handshake", f"no TLS with the peer: {_reason(error)}")
            return
        certificate: Certificate = self._layer.getpeercert() or {}
        self.peer_domains = sip_domains(certificate)
        if self._verify and self._domain is not None and not names(certificate, self._domain):
            found = ", ".join(self.peer_domains) or "nobody"
            self.error = TransportError(
                "handshake", f"the peer's certificate is for {found}, not for {self._domain} (RFC 5922 section 7.3)"
            )
            return
        self.established = True


def sip_domains(certificate: Certificate) -> tuple[str, ...]:
    """The domains that a certificate (in `SSLSocket.getpeercert` form) identifies, by RFC 5922 section 7.1.

    SIP URIs without a user part in subjectAltName; only when there is no SIP URI at all, its DNS names; without any of
    both, the subject's common name.
    """
    alternatives = certificate.get("subjectAltName", ())
    uris = [value for kind, value in alternatives if kind == "URI" and value.lower().startswith("sip:")]
    if uris:
        hosts = [uri[4:] for uri in uris if "@" not in uri]
        return tuple(host.partition(";")[0].lower() for host in hosts)
    found = tuple(value.lower() for kind, value in alternatives if kind == "DNS")
    if found:
        return found
    return tuple(
        value.lower() for group in certificate.get("subject", ()) for name, value in group if name == "commonName"
    )


def names(certificate: Certificate, domain: str) -> bool:
    """Whether a certificate is for `domain`: equality of whole names without wildcards (RFC 5922 section 7.2), or of an
    IP address with one in subjectAltName."""
    if _is_ip_address(domain):
        wanted = ipaddress.ip_address(domain)
        alternatives = certificate.get("subjectAltName", ())
        return any(kind == "IP Address" and ipaddress.ip_address(value) == wanted for kind, value in alternatives)
    return domain.lower().rstrip(".") in sip_domains(certificate)


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
