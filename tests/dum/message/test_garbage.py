"""Nothing here makes a reference cycle: the free-threaded collector stops the world, and need not run for messages."""

import gc

import pytest

from dum.message import HeaderError, Malformed, Request, parse
from dum.message.sdp import SessionDescription
from dum.message.sdp_answer import answer, hold, offer_of
from tests.dum.message.examples import BODY, invite, request
from tests.fuzz.engine import seeds


def use(data: bytes) -> None:
    message = parse(data)
    if isinstance(message, Malformed):
        message.response("here")
        return
    if isinstance(message, Request):
        message.check()
        message.with_received("192.0.2.9", 5).respond(200, to_tag="x", body=BODY)
    for name in ("vias", "contacts", "routes", "expires", "from_"):
        try:
            getattr(message, name)
        except HeaderError:
            continue
    session = offer_of(message.body)
    if isinstance(session, SessionDescription):
        hold(answer(session, session))


def test_no_cycle_is_left_by_good_and_bad_messages() -> None:
    wholes = [*seeds(), invite("Route: <", "Expires: x"), invite(cseq="x")]
    for data in wholes:
        use(data)
    gc.collect()
    gc.disable()
    try:
        for data in wholes:
            use(data)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_kept_message_is_small() -> None:
    """Issue: at most its own octets and 600 more; the objects it holds are few."""
    message = request(invite())
    held = [message, *(getattr(message, name) for name in ("call_id", "cseq", "from_tag", "branch", "sent_by"))]
    overhead = sum(map(object.__sizeof__, held)) + message.encode().__sizeof__() - len(message.encode())
    assert overhead < 600


def test_messages_have_no_dict() -> None:
    with pytest.raises(AttributeError):
        request(invite()).extra = 1  # type: ignore[attr-defined]
