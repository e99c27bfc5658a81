"""What a transaction tells its user, and that telling changes nothing in the transaction."""

import pytest

from dum.effects import Effect, ToUser
from dum.fsm import Action
from dum.timers import RFC3261
from dum.transaction.inform import ack_to_tu, error_to_tu, resp_to_tu, timeout_to_tu


@pytest.mark.parametrize(
    ("action", "event", "message"),
    [
        (resp_to_tu, "RESPONSE", "given"),
        (ack_to_tu, "ACK", "given"),
        (timeout_to_tu, "TIMEOUT", None),
        (error_to_tu, "TRANSPORT_ERROR", None),
    ],
)
def test_it_is_one_effect_and_leaves_the_record_alone(action: Action, event: str, message: str | None) -> None:
    effects: list[Effect] = []
    action(object(), "given", RFC3261, effects)
    (told,) = effects
    assert isinstance(told, ToUser)
    assert (told.event, told.message) == (event, message)
