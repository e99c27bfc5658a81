"""The mistakes that an application is told of say what to do, and are told apart."""

import pytest

from dum.errors import Refused, Terminated
from tests.dum.usage.one_call import OneCall


@pytest.mark.parametrize("error", [Refused, Terminated])
def test_neither_is_mistaken_for_the_other_or_for_a_bug(error: type[Exception]) -> None:
    assert error.__bases__ == (Exception,)
    assert str(error("the call has ended")) == "the call has ended"
    assert error.__doc__


def test_a_refusal_names_the_state() -> None:
    with pytest.raises(Refused, match="can't answer a call in state Preparative"):
        OneCall.placed().command("ANSWER")
