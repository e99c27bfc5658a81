import pytest

from dum.message import reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(100, "Trying"), (180, "Ringing"), (200, "OK"), (481, "Call/Transaction Does Not Exist"), (606, "Not Acceptable")],
)
def test_registered(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


def test_any_other_has_the_phrase_of_its_class() -> None:
    assert reason_phrase(499) == reason_phrase(400)
    assert reason_phrase(599) == "Server Error"
