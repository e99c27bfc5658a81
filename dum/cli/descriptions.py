"""Session descriptions of a user agent that signals calls and carries no media."""

from dum.message.sdp import SdpError, SessionDescription
from dum.message.sdp_answer import answer
from transport import Address, local_host_for

_OUTSIDE = {False: "192.0.2.1", True: "2001:db8::1"}


class Descriptions:
    """What one user agent offers and answers: G.711 audio, inactive, on the discard port. Immutable, thread-safe."""

    __slots__ = ("_capabilities", "offer")

    def __init__(self, address: Address) -> None:
        host = address.host
        if address.is_wildcard:
            try:
                host = local_host_for(_OUTSIDE[address.is_ipv6])
            except OSError:
                host = "::1" if address.is_ipv6 else "127.0.0.1"
        place = f"IN {'IP6' if address.is_ipv6 else 'IP4'} {host}"
        self.offer = (
            f"v=0\r\no=dum 1 1 {place}\r\ns=-\r\nc={place}\r\nt=0 0\r\n"
            "m=audio 9 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=inactive\r\n"
        ).encode()
        self._capabilities = SessionDescription.parse(self.offer)

    def answer_to(self, offer: bytes) -> bytes | None:
        """Return the answer to an offer, our own offer where there was none, None for one that can't be answered.

        That is one that does not follow RFC 8866, or that has nothing in common with what we can do (RFC 3264 5, 6).
        """
        if not offer:
            return self.offer
        try:
            answered = answer(SessionDescription.parse(offer), self._capabilities)
        except SdpError:
            return None
        if all(media.rejected for media in answered.media):
            return None
        return answered.encode()
