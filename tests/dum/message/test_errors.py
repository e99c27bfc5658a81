import pytest

from dum.message import HeaderError
from tests.dum.message.examples import invite, request


def test_it_is_a_value_error_that_knows_header_status_and_reason() -> None:
    error = HeaderError("Bad Expires", "Expires")
    assert isinstance(error, ValueError)
    assert (error.header, error.status, error.reason, str(error)) == ("Expires", 400, "Bad Expires", "Bad Expires")


def test_a_typed_property_raises_it_and_text_access_does_not() -> None:
    message = request(invite("Expires: soon"))
    with pytest.raises(HeaderError) as caught:
        _ = message.expires
    assert caught.value.header == "Expires"
    assert message.header("Expires") == "soon"
