from transport import TransportError


def test_an_error_has_a_word_for_programs_and_a_sentence_for_people() -> None:
    error = TransportError("refused", "could not send to udp:192.0.2.1:5060: Connection refused")
    assert error.cause == "refused"
    assert str(error) == error.reason == "could not send to udp:192.0.2.1:5060: Connection refused"
