import pytest

from dum.message import HeaderError, Parameters, Via


def test_every_part() -> None:
    via = Via.parse(
        "SIP/2.0/udp Host.Example.com:5080;branch=z9hG4bKa;rport=99;received=192.0.2.9;maddr=[ff02::1];ttl=16"
    )
    assert (via.transport, via.host, via.port, via.branch) == ("UDP", "Host.Example.com", 5080, "z9hG4bKa")
    assert (via.rport, via.received, via.maddr, via.ttl) == (99, "192.0.2.9", "ff02::1", 16)
    assert via.sent_by == "host.example.com:5080"


def test_what_is_absent() -> None:
    via = Via.parse("SIP / 2.0 / TCP  [2001:DB8::1] ; rport")
    assert (via.host, via.port, via.branch, via.sent_by) == ("2001:DB8::1", None, "", "[2001:db8::1]")
    assert (via.rport, via.received, via.maddr, via.ttl) == (None, None, None, None)
    assert "rport" in via.parameters


@pytest.mark.parametrize(
    "text",
    ["", "SIP/2.0/UDP", "SIP/3.0/UDP host", "SIP/2.0/UDP host:99999", "SIP/2.0/UDP host;;", "SIP/2.0/UDP -x", "a b"],
)
def test_broken(text: str) -> None:
    with pytest.raises(HeaderError, match="Bad Via"):
        Via.parse(text)


@pytest.mark.parametrize("text", ["SIP/2.0/UDP h;rport=x", "SIP/2.0/UDP h;rport=70000"])
def test_a_broken_rport_raises_when_read(text: str) -> None:
    with pytest.raises(HeaderError):
        _ = Via.parse(text).rport


def test_made_and_read_are_equal() -> None:
    made = Via("TLS", "::1", 5061, Parameters((("branch", "z9hG4bKx"),)))
    assert str(made) == "SIP/2.0/TLS [::1]:5061;branch=z9hG4bKx"
    assert Via.parse(str(made)) == made
    assert hash(Via.parse(str(made))) == hash(made)
