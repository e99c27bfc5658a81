"""As much of STUN as keeps a UDP flow alive (RFC 8489 section 14.2, RFC 5626 sections 3.5.2 and 4.4.2).

A client that wants to keep a NAT binding open sends a Binding request on the SIP port, and learns from the answer which
address the other side sees. The first byte (0 or 1) tells STUN from SIP, which begins with a letter.
"""

import ipaddress
import struct
from typing import Final

_COOKIE: Final = 0x2112A442
_REQUEST: Final = 0x0001
_SUCCESS: Final = 0x0101
_XOR_MAPPED_ADDRESS: Final = 0x0020
_HEADER: Final = struct.Struct("!HHI12s")


def binding_request(transaction_id: bytes) -> bytes:
    """A Binding request with this transaction id of 12 bytes."""
    return _HEADER.pack(_REQUEST, 0, _COOKIE, transaction_id)


def binding_success(transaction_id: bytes, host: str, port: int) -> bytes:
    """The answer to a Binding request that came from `host` and `port`."""
    packed = ipaddress.ip_address(host.partition("%")[0]).packed
    mask = struct.pack("!I", _COOKIE) + transaction_id
    crossed = bytes(byte ^ other for byte, other in zip(packed, mask, strict=False))
    value = struct.pack("!BBH", 0, 1 if len(packed) == 4 else 2, port ^ (_COOKIE >> 16)) + crossed
    attribute = struct.pack("!HH", _XOR_MAPPED_ADDRESS, len(value)) + value
    return _HEADER.pack(_SUCCESS, len(attribute), _COOKIE, transaction_id) + attribute


def read(data: bytes) -> tuple[bytes, tuple[str, int] | None] | None:
    """The transaction id of a Binding request (with None) or of a success (with the mapped host and port).

    None for everything else: no STUN, another method, a success without an address, wrong lengths.
    """
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, transaction_id = _HEADER.unpack_from(data)
    if cookie != _COOKIE or length != len(data) - _HEADER.size or length % 4:
        return None
    if kind == _REQUEST:
        return transaction_id, None
    mapped = _mapped(data, transaction_id) if kind == _SUCCESS else None
    return (transaction_id, mapped) if mapped is not None else None


def _mapped(data: bytes, transaction_id: bytes) -> tuple[str, int] | None:
    position = _HEADER.size
    while position + 4 <= len(data):
        kind, length = struct.unpack_from("!HH", data, position)
        value = data[position + 4 : position + 4 + length]
        if kind == _XOR_MAPPED_ADDRESS and len(value) == length and (length, value[1]) in ((8, 1), (20, 2)):
            mask = struct.pack("!I", _COOKIE) + transaction_id
            packed = bytes(byte ^ other for byte, other in zip(value[4:], mask, strict=False))
            port: int = struct.unpack_from("!H", value, 2)[0] ^ (_COOKIE >> 16)
            return str(ipaddress.ip_address(packed)), port
        position += 4 + length + -length % 4
    return None
