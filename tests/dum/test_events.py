"""Events are frozen values that say what happened, to which call."""

import dataclasses
from typing import Any

import pytest

from dum import events
from dum.events import AnswerWanted, Ended, Established, Event, IncomingCall, Offered, Progress
from tests.dum.usage.one_call import OFFER, OneCall

KINDS = [AnswerWanted, Ended, Established, IncomingCall, Offered, Progress]


def example(kind: type[Event]) -> Event:
    """An event of this type whose fields hold their own names."""
    return kind(*[field.name for field in dataclasses.fields(kind)])


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_a_frozen_value(kind: type[Event]) -> None:
    event = example(kind)
    assert event == example(kind)
    assert hash(event) == hash(example(kind))
    assert event.call == "call"
    assert not hasattr(event, "__dict__")
    changeable: Any = event
    with pytest.raises(dataclasses.FrozenInstanceError):
        changeable.call = "another"


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_says_what_it_is(kind: type[Event]) -> None:
    assert repr(example(kind)).startswith(f"{kind.__name__}(call=")
    assert kind.__doc__


def test_every_event_is_listed_above() -> None:
    found = {cls for cls in vars(events).values() if isinstance(cls, type) and issubclass(cls, Event)}
    assert found == {Event, *KINDS}


def test_progress_shows_status_and_body_of_its_response() -> None:
    call = OneCall.placed().response(183, body=OFFER)
    (progress,) = call.told
    assert isinstance(progress, Progress)
    assert (progress.status, progress.body) == (183, OFFER)
