"""The two requests that travel beside an INVITE, hop by hop and with its branch: CANCEL and the ACK of a failure.

Both are made from the INVITE's own bytes (RFC 3261 sections 9.1 and 17.1.1.3): its Request-URI, its topmost Via alone,
its Route fields, From, To, Call-ID and the number of its CSeq. Nothing is parsed further than needed, so that what
was sent comes back byte for byte; that is what the next hop compares.
"""

from collections.abc import Iterable

ROUTE = b"route"
NEEDED = {
    b"via": b"via",
    b"v": b"via",
    b"from": b"from",
    b"f": b"from",
    b"to": b"to",
    b"t": b"to",
    b"call-id": b"call-id",
    b"i": b"call-id",
    b"cseq": b"cseq",
}


def without_body(request: bytes) -> bytes:
    """Return the start line and header of a request, which are all that `companion` needs of it."""
    return request[: request.index(b"\r\n\r\n") + 4]


def companion(request: bytes, method: bytes, *, to: bytes | None = None, more: Iterable[bytes] = ()) -> bytes:
    """Return the encoded request of `method` that goes with the INVITE `request`, with or without its body.

    `to` replaces the value of To; `more` are whole header lines without their ends, put after the ones required.
    Raises ValueError when `request` lacks a field that every request must have: it is one of ours, so that is a bug.
    """
    start, *lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    values: dict[bytes, bytes] = {}
    routes: list[bytes] = []
    for line in _unfolded(lines):
        name, _, value = line.partition(b":")
        name = name.rstrip().lower()
        if name == ROUTE:
            routes.append(value.strip())
        elif name in NEEDED:
            values.setdefault(NEEDED[name], value.strip())
    missing = sorted(set(NEEDED.values()).difference(values))
    if missing:
        raise ValueError(f"request without {b', '.join(missing).decode()}: {start.decode(errors='replace')}")
    return b"\r\n".join(
        [
            method + start[start.index(b" ") :],
            b"Via: " + _first(values[b"via"]),
            b"Max-Forwards: 70",
            *(b"Route: " + route for route in routes),
            b"From: " + values[b"from"],
            b"To: " + (values[b"to"] if to is None else to),
            b"Call-ID: " + values[b"call-id"],
            b"CSeq: " + values[b"cseq"].split()[0] + b" " + method,
            *more,
            b"Content-Length: 0\r\n\r\n",
        ]
    )


def _unfolded(lines: Iterable[bytes]) -> list[bytes]:
    """Return header lines with every continuation line (RFC 3261 section 7.3.1) joined to the one that it continues."""
    unfolded: list[bytes] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and unfolded:
            unfolded[-1] += b" " + line.strip()
        else:
            unfolded.append(line)
    return unfolded


def _first(value: bytes) -> bytes:
    """Return the first of the values that commas separate; a comma within quotes separates nothing."""
    end = value.find(b",")
    while end >= 0 and value.count(b'"', 0, end) % 2:
        end = value.find(b",", end + 1)
    return value if end < 0 else value[:end].rstrip()
