import pytest

from dum.message import Parameters, Uri
from dum.message.uri import same_host


def test_every_part_of_a_sip_uri() -> None:
    uri = Uri.parse("SIPS:alice;day=tuesday:se%63ret@Atlanta.com:5061;transport=TCP;lr;maddr=[::1]?subject=x&to=y%20z")
    assert (uri.scheme, uri.user, uri.password) == ("sips", "alice;day=tuesday", "se%63ret")
    assert (uri.host, uri.port) == ("Atlanta.com", 5061)
    assert (uri.transport, uri.lr, uri.maddr, uri.secure) == ("tcp", True, "::1", True)
    assert uri.headers == (("subject", "x"), ("to", "y%20z"))
    assert str(uri).startswith("SIPS:alice;day")


def test_what_is_absent() -> None:
    uri = Uri.parse("sip:example.com")
    assert (uri.user, uri.password, uri.port, uri.transport, uri.maddr) == ("", None, None, None, None)
    assert [uri.lr, uri.secure, len(uri.parameters), uri.headers] == [False, False, 0, ()]


@pytest.mark.parametrize(
    "text",
    [
        *("", "alice", "sip:", "sip:@host", "sip:a b@host", "sip:a@b@c", "sip:host:port", "sip:host:65536", "sip:a@"),
        *("sip:host;", "sip:host;;a", "sip:[::1", "sip:2001:db8::1", "sip:-host", "sip:%4@host", "<sip:host>"),
        *("sip:a@host name", "tel:", "tel:()", "tel:abc;x y", "urn:", "http: //x", "1a:b", "sip:h\x00st"),
    ],
)
def test_broken(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Uri.parse(text)


def test_other_schemes() -> None:
    assert Uri.parse("tel:+1-201-555-0123;ext=5").user == "+1-201-555-0123"
    assert Uri.parse("tel:863;phone-context=x").parameters["phone-context"] == "x"
    urn = Uri.parse("urn:service:sos.fire")
    assert (urn.scheme, urn.opaque, urn.host) == ("urn", "service:sos.fire", "")
    assert str(Uri.parse("nobodyKnows:totally?opaque;content")) == "nobodyKnows:totally?opaque;content"


EQUIVALENT = [
    ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
    (
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ),
    (
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ),
    ("tel:+1-201-555-0123", "tel:+1.201.555.0123"),
    ("tel:+12015550123;ext=1;isub=2", "tel:+1(201)5550123;isub=2;ext=1"),
    ("urn:service:sos", "URN:service:sos"),
]
DIFFERENT = [
    ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
    ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
    ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
    ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
    ("sip:a@b", "sips:a@b"),
    ("sip:a@b", "sip:a:@b"),
    ("sip:a@b;user=phone", "sip:a@b"),
    ("sip:a@b;maddr=192.0.2.1", "sip:a@b"),
    ("tel:+12015550123", "tel:+12015550124"),
]


@pytest.mark.parametrize(("one", "other"), EQUIVALENT)
def test_equivalent(one: str, other: str) -> None:
    """RFC 3261 section 19.1.4's own pairs, and RFC 3966 section 4."""
    assert Uri.parse(one).equivalent(Uri.parse(other))
    assert Uri.parse(other).equivalent(Uri.parse(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different(one: str, other: str) -> None:
    assert not Uri.parse(one).equivalent(Uri.parse(other))
    assert not Uri.parse(other).equivalent(Uri.parse(one))


def test_build_escapes_and_brackets() -> None:
    uri = Uri.build("::1", user="I have @", port=5060, parameters=Parameters((("lr", None),)))
    assert str(uri) == "sip:I%20have%20%40@[::1]:5060;lr"
    with pytest.raises(ValueError, match="sip and sips"):
        Uri.build("host", scheme="tel")


def test_copies_with_other_parts() -> None:
    uri = Uri.parse("sip:a:b@[::1]:5060;x=1?h=v")
    assert str(uri.with_parameter("lr")) == "sip:a:b@[::1]:5060;x=1;lr?h=v"
    assert str(uri.without_parameter("X").without_headers()) == "sip:a:b@[::1]:5060"
    assert str(Uri.parse("tel:+123;a=1").without_parameter("a")) == "tel:+123"
    with pytest.raises(ValueError, match="no parameters"):
        Uri.parse("urn:a:b").with_parameter("lr")


def test_texts_decide_equality() -> None:
    assert Uri.parse("sip:a@b") == Uri.parse("sip:a@b")
    assert hash(Uri.parse("sip:a@b")) == hash(Uri.parse("sip:a@b"))
    assert Uri.parse("sip:a@b") != Uri.parse("sip:a@B")


def test_hosts() -> None:
    assert same_host("Example.com", "example.COM")
    assert same_host("::1", "0:0::1")
    assert not same_host("::1", "::2")
    assert not same_host("2001:db8:::1", "::1")
