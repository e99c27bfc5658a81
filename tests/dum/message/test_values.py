import pytest

from dum.message import HeaderError, Request
from dum.message.values import (
    RetryAfter,
    Value,
    date,
    integer,
    option_tags,
    retry_after,
    tokens,
    value,
    values,
    warnings,
)
from tests.dum.message.examples import invite, request


def holding(*lines: str) -> Request:
    return request(invite(*lines, content_type="", body=b""))


def test_a_value_with_parameters() -> None:
    found = value(holding("Event: presence ; id=3;flag"), "Event")
    assert found is not None
    assert (found.value, found.parameters["id"], str(found)) == ("presence", "3", "presence;id=3;flag")
    assert found == Value.parse("presence;flag;id=3", "Event")
    assert value(holding(), "Event") is None


def test_several_values_and_their_preference() -> None:
    accepted = values(holding("Accept: application/sdp;q=0.5, text / plain"), "Accept")
    assert [(each.value, each.q) for each in accepted] == [("application/sdp", 0.5), ("text/plain", 1.0)]


@pytest.mark.parametrize("text", ["", "a b", "a;;b", ";a", '"a"', "a/b/c d"])
def test_broken_values_are_named(text: str) -> None:
    with pytest.raises(HeaderError) as caught:
        Value.parse(text, "Event")
    assert caught.value.header == "Event"


@pytest.mark.parametrize("text", ["1.1", "2", "-1", "0.1234", "x"])
def test_a_preference_out_of_range(text: str) -> None:
    with pytest.raises(HeaderError):
        _ = Value.parse(f"a;q={text}", "Accept").q


def test_option_tags_are_a_set_in_lower_case() -> None:
    message = holding("Supported: 100rel, Timer", "k: replaces")
    assert option_tags(message, "Supported") == {"100rel", "timer", "replaces"}
    assert tokens(message, "supported") == ("100rel", "Timer", "replaces")
    assert option_tags(message, "Require") == frozenset()
    with pytest.raises(HeaderError):
        option_tags(holding("Require: a b"), "Require")


def test_numbers_with_parameters() -> None:
    assert integer(holding("Min-SE: 90;x=1"), "Min-SE") == 90
    assert integer(holding(), "Min-SE") is None
    with pytest.raises(HeaderError):
        integer(holding("Min-SE: soon"), "Min-SE")


def test_retry_after() -> None:
    found = retry_after(holding("Retry-After: 18000 (I'm in a meeting);duration=3600"))
    assert found is not None
    assert (found.seconds, found.comment, found.duration) == (18000, "I'm in a meeting", 3600)
    assert str(found) == "18000 (I'm in a meeting);duration=3600"
    assert str(RetryAfter(5)) == "5"
    assert retry_after(holding()) is None
    for text in ("soon", "5 (open", "5;;", "5;duration=x"):
        with pytest.raises(HeaderError):
            retry_after(holding(f"Retry-After: {text}"))


def test_warnings() -> None:
    found = warnings(holding(r'Warning: 307 isi.edu "Session, \"x\"", 301 host:5060 "b"'))
    assert [(each.code, each.agent, each.text) for each in found] == [
        (307, "isi.edu", 'Session, "x"'),
        (301, "host:5060", "b"),
    ]
    assert str(found[0]) == r'307 isi.edu "Session, \"x\""'
    with pytest.raises(HeaderError):
        warnings(holding("Warning: soon"))


def test_date() -> None:
    assert date(holding("Date: Sat, 13 Nov 2010 23:29:00 GMT")) == (2010, 11, 13, 23, 29, 0)
    assert date(holding()) is None
    for text in ("Fri, 01 Jan 2010 16:00:00 EST", "Fri, 32 Jan 2010 16:00:00 GMT", "1 Jan 2010"):
        with pytest.raises(HeaderError, match="Bad Date"):
            date(holding(f"Date: {text}"))
