from dum.message.fields import canonical, is_list, name_of, raw_lines, split_fields, unfold, value_of

COMPACT = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}


def test_every_registered_compact_form() -> None:
    for letter, name in COMPACT.items():
        assert canonical(letter) == canonical(letter.upper()) == canonical(name.title()) == name
    assert canonical("z") == "z"


def test_what_is_a_list() -> None:
    assert all(is_list(name) for name in ("via", "contact", "route", "allow", "supported", "accept", "path", "warning"))
    assert not any(
        is_list(name) for name in ("date", "subject", "call-id", "authorization", "www-authenticate", "retry-after")
    )


def test_folding_reads_as_one_space_and_lines_stay_raw() -> None:
    head = "S\r\nSubject : I\r\n know\r\n\tyou\r\nX:"
    assert unfold(head) == "S\r\nSubject : I know you\r\nX:"
    assert raw_lines(head) == ["S", "Subject : I\r\n know\r\n\tyou", "X:"]
    assert name_of(raw_lines(head)[1]) == "subject"
    assert value_of(raw_lines(head)[1]) == "I know you"
    assert split_fields(head) == [("Subject", "I know you"), ("X", "")]
    assert name_of("no colon") == ""
