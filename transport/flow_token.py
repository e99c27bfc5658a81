"""Flow tokens: a flow written as text that only we can have written (RFC 5626 section 5.2).

An edge proxy or registrar puts the token into Record-Route or Path, and finds the flow again when it comes back. The
signature keeps others from naming flows that are not theirs.
"""

import base64
import binascii
import hmac
import os
from typing import Final

from transport.address import Address, Flow

_SIGNATURE: Final = 10


class FlowTokens:
    """Writes and reads tokens, signed with `secret`: by default a new random one, so that tokens end with the process.

    Raises ValueError for a secret shorter than 16 bytes. Safe from any thread.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes | None = None) -> None:
        if secret is not None and len(secret) < 16:
            raise ValueError(f"a secret of {len(secret)} bytes can be guessed: use at least 16 random bytes")
        self._secret: Final = secret if secret is not None else os.urandom(20)

    def write(self, flow: Flow) -> str:
        """The token of a flow: letters, digits, `-` and `_`, so that it may stand in the user part of a URI."""
        content = f"{flow.local} {flow.remote} {flow.serial}".encode()
        return _text(self._sign(content) + content)

    def read(self, token: str) -> tuple[Address, Address, int] | None:
        """The local and remote address and the serial number of a token of ours; None for any other text."""
        try:
            signed = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        signature, content = signed[:_SIGNATURE], signed[_SIGNATURE:]
        # One flow has one token: the last letter may carry bits that decode to nothing.
        if not hmac.compare_digest(signature, self._sign(content)) or _text(signed) != token:
            return None
        local, remote, serial = content.decode().split(" ")
        return Address.parse(local), Address.parse(remote), int(serial)

    def _sign(self, content: bytes) -> bytes:
        return hmac.digest(self._secret, content, "sha256")[:_SIGNATURE]


def _text(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
