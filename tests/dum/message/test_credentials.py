import pytest

from dum.message import HeaderError
from dum.message.credentials import Authentication, authentication_info, authentications
from tests.dum.message.examples import invite, request

CHALLENGE = (
    'Digest realm="atlanta.com",\r\n domain="sip:ss1.carrier.com", qop="auth,auth-int", '
    'nonce="f84f1cec\\"41", opaque="", stale=FALSE, algorithm=MD5'
)


def test_a_challenge() -> None:
    found = authentications(request(invite(f"WWW-Authenticate: {CHALLENGE}")), "WWW-Authenticate")
    assert len(found) == 1
    assert found[0].scheme == "digest"
    assert (found[0].get("REALM"), found[0].get("qop"), found[0].get("nonce")) == (
        "atlanta.com",
        "auth,auth-int",
        'f84f1cec"41',
    )
    assert (found[0].get("opaque", "none"), found[0].get("absent", "none")) == ("", "none")
    assert "stale" in found[0]
    assert "absent" not in found[0]
    assert found[0].encode(challenge=True) == CHALLENGE.replace("\r\n ", " ").replace("  ", " ")


def test_several_challenges_one_to_a_field() -> None:
    message = request(
        invite('WWW-Authenticate: Digest realm="a", algorithm=SHA-256', 'www-authenticate: Digest realm="a"')
    )
    assert [each.get("algorithm", "MD5") for each in authentications(message, "WWW-Authenticate")] == ["SHA-256", "MD5"]


def test_credentials_write_some_values_bare() -> None:
    made = Authentication("Digest", [("username", "bob"), ("qop", "auth"), ("nc", "00000001"), ("algorithm", "MD5")])
    assert made.encode(challenge=False) == 'Digest username="bob", qop=auth, nc=00000001, algorithm=MD5'
    assert Authentication.parse(made.encode(challenge=False), "Authorization") == made
    assert hash(Authentication.parse(made.encode(challenge=False), "Authorization")) == hash(made)
    assert "username" in repr(made)
    assert "bob" not in repr(made)


def test_a_scheme_with_one_word_or_none() -> None:
    assert Authentication.parse("Basic YWxhZGRpbg==", "Authorization").token68 == "YWxhZGRpbg=="
    assert Authentication.parse("Negotiate", "Authorization").encode(challenge=False) == "Negotiate"


@pytest.mark.parametrize(
    "text",
    ["", "Digest a b", 'Digest realm="x', 'Digest realm="a", REALM="b"', 'Digest realm="a" nonce="b"', "Digest a=1 b"],
)
def test_broken(text: str) -> None:
    with pytest.raises(HeaderError) as caught:
        Authentication.parse(text, "Authorization")
    assert caught.value.header == "Authorization"


def test_authentication_info() -> None:
    found = authentication_info(request(invite('Authentication-Info: nextnonce="47364c23", qop=auth')))
    assert found is not None
    assert (found.scheme, found.get("nextnonce")) == ("", "47364c23")
    assert authentication_info(request(invite())) is None
