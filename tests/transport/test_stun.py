import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport import stun

# RFC 5769 section 2.2 and 2.3: what the attributes XOR-MAPPED-ADDRESS look like there.
ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
IPV4 = bytes.fromhex("002000080001a147e112a643")
IPV6 = bytes.fromhex("002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")


def success(attributes: bytes) -> bytes:
    return bytes.fromhex("0101") + len(attributes).to_bytes(2) + bytes.fromhex("2112a442") + ID + attributes


def test_a_request() -> None:
    request = stun.binding_request(ID)
    assert request == bytes.fromhex("000100002112a442") + ID
    assert stun.read(request) == (ID, None)


@pytest.mark.parametrize(("attribute", "host"), [(IPV4, "192.0.2.1"), (IPV6, "2001:db8:1234:5678:11:2233:4455:6677")])
def test_a_success_as_in_rfc_5769(attribute: bytes, host: str) -> None:
    assert stun.binding_success(ID, host, 32853) == success(attribute)
    assert stun.read(success(attribute)) == (ID, (host, 32853))


def test_other_attributes_are_passed_over() -> None:
    software = bytes.fromhex("8022000b7465737420766563746f7220")
    assert stun.read(success(software + IPV4)) == (ID, ("192.0.2.1", 32853))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\1",
        stun.binding_request(ID)[:-1],
        stun.binding_request(ID) + b"x",
        stun.binding_request(ID).replace(b"\x21\x12", b"\x21\x13"),
        success(b""),
        success(IPV4[:8]),
        success(IPV4[:4] + b"\0\3" + IPV4[6:]),
        b"\x01\x11" + success(IPV4)[2:],
    ],
)
def test_everything_else_is_none_of_ours(data: bytes) -> None:
    assert stun.read(data) is None


@given(st.binary(max_size=80))
def test_no_bytes_raise(data: bytes) -> None:
    stun.read(data)
    stun.read(success(data))
