import pytest

from dum.message import HeaderError, NameAddress, Parameters, Uri, split_name_address
from dum.message.name_address import parse_name_addresses


@pytest.mark.parametrize(
    ("text", "display", "uri", "parameters"),
    [
        ("<sip:a@b>", "", "sip:a@b", ""),
        ('"A. G. \\"Bell\\"" <sip:a@b>;tag=1', 'A. G. "Bell"', "sip:a@b", ";tag=1"),
        ("Alexander Bell<sip:a@b> ; tag = 1", "Alexander Bell", "sip:a@b", " ; tag = 1"),
        ("sip:a@b;tag=1", "", "sip:a@b", ";tag=1"),
        ('"<sip:not@this>,;" <sip:a@b;lr>', "<sip:not@this>,;", "sip:a@b;lr", ""),
        ("Élodie (home) <sip:a@b>", "Élodie (home)", "sip:a@b", ""),
        (r"\"Joe\" <sip:a@b>", r"\"Joe\"", "sip:a@b", ""),
        ("<sip:a@b ;maddr=c>", "", "sip:a@b;maddr=c", ""),
    ],
)
def test_cut_in_three(text: str, display: str, uri: str, parameters: str) -> None:
    assert split_name_address(text) == (display, uri, parameters)


@pytest.mark.parametrize(
    "text",
    [
        *("", "<sip:a@b", "sip:a@b>", '"Joe <sip:a@b>', "Bell, Alexander <sip:a@b>", "< sip:a@b >", "sip:a@b?x=y"),
        *("sip:a@b,", "<>", "<sip:a@b>x", "<sip:a@b>;;", "a;b <sip:c@d>", '"a" "b" <sip:c@d>', "<<sip:a@b>>"),
    ],
)
def test_broken(text: str) -> None:
    with pytest.raises(HeaderError) as caught:
        NameAddress.parse(text, "Contact")
    assert (caught.value.header, caught.value.reason) == ("Contact", "Bad Contact")


def test_text_comes_back_and_what_is_made_is_encoded() -> None:
    assert str(NameAddress.parse(" Bob  <sip:a@b>;q=1 ")) == "Bob  <sip:a@b>;q=1"
    made = NameAddress(Uri.parse("sip:a@b"), 'Bob "B"', Parameters((("tag", "x"),)))
    assert str(made) == '"Bob \\"B\\"" <sip:a@b>;tag=x'
    assert str(NameAddress(Uri.parse("sip:a@b"), "Bob")) == "Bob <sip:a@b>"
    assert NameAddress.parse(str(made)) == made
    assert hash(NameAddress.parse(str(made))) == hash(made)
    assert made.tag == "x"


def test_copies() -> None:
    address = NameAddress.parse("<sip:a@b>;tag=1")
    assert str(address.with_parameter("q", "0.5")) == "<sip:a@b>;tag=1;q=0.5"
    assert address.without_parameter("tag").tag == ""


def test_several_in_a_value() -> None:
    addresses = parse_name_addresses(("<sip:a@b>, <sip:c@d>;q=1", "sip:e@f"), "Contact")
    assert [str(address.uri) for address in addresses] == ["sip:a@b", "sip:c@d", "sip:e@f"]
    with pytest.raises(HeaderError, match="Bad Route") as caught:
        parse_name_addresses(("<sip:a@b",), "Route")
    assert caught.value.header == "Route"
