import pytest
from hypothesis import given
from hypothesis import strategies as st

from dum.message import HeaderError
from dum.message.grammar import bad_escape, escape, is_token, number, quote, split_commas, unescape, unquote


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("", []),
        (" a , b ", ["a", "b"]),
        ("a,,b,", ["a", "b"]),
        ('"a, b" <sip:x>, c', ['"a, b" <sip:x>', "c"]),
        ("<sip:a,b@c>,d", ["<sip:a,b@c>", "d"]),
        (r'"a\"," <sip:x>,c', [r'"a\"," <sip:x>', "c"]),
        ("Server (a, b), c", ["Server (a, b)", "c"]),
        ("a(,b", ["a(", "b"]),
    ],
)
def test_commas_split_outside_quotes_brackets_and_comments(text: str, parts: list[str]) -> None:
    assert split_commas(text) == parts


@pytest.mark.parametrize("text", ['"a, b', "<sip:a", 'a, "b', "a, <b", '"a', r'"a\"'])
def test_what_is_never_closed_is_refused(text: str) -> None:
    with pytest.raises(HeaderError, match="Unterminated"):
        split_commas(text)


@given(st.text())
def test_quoting_comes_back(text: str) -> None:
    assert unquote(quote(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaping_comes_back(text: str) -> None:
    assert unescape(escape(text, "")) == text
    assert not bad_escape(escape(text, ""))


def test_unescaping_is_done_once() -> None:
    """RFC 4475 section 3.1.1.3."""
    assert unescape("value%25%34%31") == "value%41"
    assert unescape("%zz%4") == "%zz%4"
    assert bad_escape("%zz")
    assert bad_escape("a%4")


def test_tokens() -> None:
    assert is_token("a-Z.9!%*_+`'~")
    assert not any(is_token(text) for text in ("", "a b", "a;b", "é", "a\n"))


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "٣", "0x10", "1 2", "4294967296", "9" * 5000])
def test_numbers_out_of_grammar_or_range(text: str) -> None:
    with pytest.raises(HeaderError):
        number(text, "Expires")


def test_numbers() -> None:
    assert number(" 0068 ", "Expires") == 68
    assert number("0" * 4000 + "7", "Expires") == 7
