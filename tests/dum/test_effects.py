"""Effects are slotted values: what goes in is what they hold, and they read well in a log."""

import inspect
from typing import Any, get_args

import pytest

from dum import effects
from dum.effects import Send, StartTimer, StopTimer, ToUser

RECORDS = [
    cls for _, cls in inspect.getmembers(effects, inspect.isclass) if cls.__module__ == "dum.effects" and cls is not Any
]
EXAMPLES: dict[Any, Any] = {str: "word", bytes: b"OPTIONS sip:a SIP/2.0\r\n\r\n", float: 0.5, int: 7, bool: True}


def arguments(cls: type) -> dict[str, Any]:
    """A value for every parameter of a record's constructor, by its annotation."""
    parameters = inspect.signature(cls, eval_str=True).parameters
    return {name: EXAMPLES.get(parameter.annotation, object()) for name, parameter in parameters.items()}


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_holds_what_it_was_given_in_slots_alone(cls: type) -> None:
    given = arguments(cls)
    record = cls(*given.values())
    assert set(cls.__slots__) == set(given)  # type: ignore[attr-defined]
    assert {name: getattr(record, name) for name in given} == given
    assert not hasattr(record, "__dict__")


@pytest.mark.parametrize("cls", RECORDS)
def test_a_record_says_what_it_is(cls: type) -> None:
    assert repr(cls(*arguments(cls).values())).startswith(f"{cls.__name__}(")


def test_every_effect_is_a_record() -> None:
    assert set(get_args(effects.Effect.__value__)) <= set(RECORDS)


def test_a_message_is_shown_by_its_first_line() -> None:
    assert repr(Send("there", b"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\n", "k")) == "Send(b'BYE sip:a SIP/2.0', key='k')"


def test_timers_are_shown_with_letter_delay_and_generation() -> None:
    assert repr(StartTimer("k", "A", 0.5, 3)) == "StartTimer(A 0.5s #3, key='k')"
    assert repr(StopTimer("k", "A")) == "StopTimer(A, key='k')"


def test_what_can_be_left_out() -> None:
    assert Send("there", b"").key == ""
    assert StartTimer("k", "A", 1.0).generation == 0
    assert ToUser("TIMEOUT").message is None
