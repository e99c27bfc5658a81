"""What the set-up says."""

import pytest

from bootstrap.console import duration, say


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (8.4, "8 s"), (59.6, "1 min 0 s"), (151.0, "2 min 31 s"), (3600.0, "60 min 0 s")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to what make was asked to run."""
    say("here")
    assert capsys.readouterr() == ("", "sipdum: here\n")
