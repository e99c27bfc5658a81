"""The ACK for a 300-699 response: RFC 3261 section 17.1.1.3, made by the INVITE client transaction itself.

The ACK for a 2xx is another thing: a request of the dialog, made by the transaction user (13.2.2.4).
"""

from dum.message import Response
from dum.transaction.companion import companion


def acknowledgement(request: bytes, response: Response) -> bytes:
    """Return the encoded ACK for `response`, a 300-699 to the INVITE `request` (its header suffices).

    Request-URI, Via, Route, From, Call-ID and CSeq number are the INVITE's; To, with its tag, is the response's.
    """
    return companion(request, b"ACK", to=(response.header("To") or "").encode("utf-8", "surrogateescape"))
