"""The same work by other libraries from PyPI, each in the way its own code does it, where they are installed."""

from collections.abc import Callable
from typing import Any

Work = Callable[[], object]


def sipmessage(data: bytes) -> dict[str, Work]:
    """sipmessage 0.7: typed accessors, the response made field by field."""
    import sipmessage as library  # type: ignore[import-not-found]

    def routing() -> object:
        message = library.Message.parse(data)
        return (
            message.via[0].parameters,
            message.from_address.parameters,
            message.to_address.parameters,
            message.call_id,
            message.cseq,
        )

    request: Any = library.Message.parse(data)

    def answer() -> bytes:
        response = library.Response(200, "OK")
        response.via = request.via
        response.from_address = request.from_address
        response.to_address = request.to_address
        response.call_id = request.call_id
        response.cseq = request.cseq
        return bytes(response)

    return {"parse": routing, "answer": answer, "keep": lambda: library.Message.parse(data)}


def opensip(data: bytes) -> dict[str, Work]:
    """opensip 0.2: raw headers, the response as its user agent makes it."""
    from opensip.headers import NameAddr, Via  # type: ignore[import-not-found]
    from opensip.message import Headers, SIPResponse, parse_message  # type: ignore[import-not-found]

    def routing() -> object:
        message = parse_message(data)
        headers = message.headers
        return (
            Via.parse(headers["Via"]),
            NameAddr.parse(headers["From"]),
            NameAddr.parse(headers["To"]),
            message.call_id,
            message.cseq,
        )

    request: Any = parse_message(data)

    def answer() -> bytes:
        headers = Headers()
        for via in request.headers.get_all("Via"):
            headers.add("Via", via)
        for name in ("From", "To", "Call-ID", "CSeq"):
            headers.add(name, request.headers[name])
        response = SIPResponse(status_code=200, reason="OK", headers=headers)
        return bytes(response.encode())

    return {"parse": routing, "answer": answer, "keep": lambda: parse_message(data)}


def aiosipua(data: bytes) -> dict[str, Work]:
    """aiosipua 0.7: typed accessors, the response copied header by header."""
    from aiosipua.message import SipMessage, SipResponse  # type: ignore[import-not-found]

    def routing() -> object:
        message = SipMessage.parse(data)
        return message.via[0], message.from_addr, message.to_addr, message.call_id, message.cseq

    request: Any = SipMessage.parse(data)

    def answer() -> bytes:
        response = SipResponse(status_code=200, reason_phrase="OK")
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.get_header_values(name):
                response.add_header(name, value)
        return bytes(response)

    return {"parse": routing, "answer": answer, "keep": lambda: SipMessage.parse(data)}


def sippy(data: bytes) -> dict[str, Work]:
    """sippy 2.5: the transaction identifier it files requests under, and its genResponse."""
    from sippy.SipRequest import SipRequest  # type: ignore[import-not-found]

    text = data.decode()

    def routing() -> object:
        return SipRequest(text).getTId(True, True, True)

    request: Any = SipRequest(text)
    request.getTId(True, True, True)
    return {
        "parse": routing,
        "answer": lambda: str(request.genResponse(200, "OK")).encode(),
        "keep": lambda: SipRequest(text),
    }


def installed(data: bytes) -> dict[str, dict[str, Work]]:
    """The libraries that can be imported here, by name."""
    found = {}
    for make in (sipmessage, opensip, aiosipua, sippy):
        try:
            found[make.__name__] = make(data)
        except ImportError as error:
            print(f"{make.__name__} left out: {error}")
    return found
