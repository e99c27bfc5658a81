"""What a SIP transaction tells its transaction user: the actions that the four figures have in common."""

from typing import Any

from dum.effects import Effect, ToUser
from dum.timers import Timing


def resp_to_tu(record: Any, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Pass the response up."""
    effects.append(ToUser("RESPONSE", given))


def ack_to_tu(record: Any, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Pass the ACK up."""
    effects.append(ToUser("ACK", given))


def timeout_to_tu(record: Any, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Inform the transaction user that what it waits for did not come: a final response, or the ACK of a failure."""
    effects.append(ToUser("TIMEOUT"))


def error_to_tu(record: Any, given: Any, timing: Timing, effects: list[Effect]) -> None:
    """Inform the transaction user that the transport failed."""
    effects.append(ToUser("TRANSPORT_ERROR"))
