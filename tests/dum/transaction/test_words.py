"""The words are those of the RFCs, each said once, and cheap to compare."""

import re

from dum.transaction import words
from dum.transaction.client import FIGURE_6
from dum.transaction.invite_client import FIGURE_5
from dum.transaction.invite_server import FIGURE_7
from dum.transaction.server import FIGURE_8

FIGURES = (FIGURE_5, FIGURE_6, FIGURE_7, FIGURE_8)
NAMES = {name: value for name, value in vars(words).items() if name.isupper()}


def test_states_are_spelt_as_in_the_drawings() -> None:
    drawn = {"Calling", "Trying", "Proceeding", "Completed", "Accepted", "Confirmed", "Terminated"}
    assert {value for value in NAMES.values() if not value.isupper()} == drawn
    assert {state for figure in FIGURES for state in figure.states} == drawn


def test_events_are_named_by_themselves() -> None:
    assert all(name == value or name == value.upper() for name, value in NAMES.items())


def test_every_event_belongs_to_a_figure() -> None:
    assert {event for figure in FIGURES for event in figure.events} == {v for v in NAMES.values() if v.isupper()}


def test_words_look_like_identifiers_so_that_the_compiler_interns_them() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_]+", value) for value in NAMES.values())
