"""The committed diagrams are those that the tables draw."""

from pathlib import Path

import pytest

from dum.draw import FIGURES, TITLES, action_label, drawn, event_label, main, pages
from dum.transaction import inform, invite_client, words

ROOT = Path(__file__).resolve().parents[2]


def test_committed_pages_are_up_to_date() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "docs/figures").glob("*.md")}
    assert committed == pages(), "run `make figures` and commit docs/figures"


def test_every_figure_has_a_title() -> None:
    assert set(TITLES) == set(FIGURES)


def test_a_page_shows_every_arc_once_in_diagram_and_table() -> None:
    figure = invite_client.FIGURE_5
    lines = drawn(figure, "title").splitlines()
    assert len([line for line in lines if "-->" in line]) == len(figure.arcs) + 2
    assert "    Calling --> Completed : 300-699 / start D, ACK sent, resp. to TU" in lines
    assert "| Calling | 300-699 | Completed | start D, ACK sent, resp. to TU | A B |" in lines
    assert "    [*] --> Calling : start / start A, start B, INVITE sent" in lines


@pytest.mark.parametrize(
    ("event", "label"),
    [
        (words.TIMER_A, "Timer A fires"),
        (words.TRANSPORT_ERROR, "Transport Err."),
        (words.R1XX, "1xx"),
        (words.R3XX_6XX, "300-699"),
        (words.TU_2XX_6XX, "200-699 from TU"),
        (words.REQUEST, "Request"),
        (words.ACK, "ACK"),
        ("SOMETHING_ELSE", "SOMETHING ELSE"),
    ],
)
def test_events_are_labelled_as_the_drawings_do(event: str, label: str) -> None:
    assert event_label(event) == label


def test_actions_are_labelled_as_the_drawings_do() -> None:
    assert action_label(invite_client.ack_sent) == "ACK sent"
    assert action_label(invite_client.reset_a) == "reset A"
    assert action_label(inform.resp_to_tu) == "resp. to TU"


def test_pages_are_written_where_asked(tmp_path: Path) -> None:
    assert main([str(tmp_path / "new" / "place")]) == 0
    assert {file.name for file in (tmp_path / "new" / "place").iterdir()} == set(pages())


def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage" in capsys.readouterr().err
