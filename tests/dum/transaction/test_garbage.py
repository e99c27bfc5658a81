"""No step of a transaction leaves a reference cycle: the collector of a free-threaded build stops every thread."""

import gc

from dum.effects import Effect
from dum.timers import RFC3261
from dum.transaction import client, invite_client, invite_server, server
from dum.transaction.cancel import cancellation
from dum.transaction.matching import client_key, response_key, server_key
from tests.dum.transaction.virtual_time import parsed_request, request, response


def exchanges() -> None:
    """A refused and an answered INVITE, and an OPTIONS, on both sides with all their timers."""
    for status in (486, 200):
        effects: list[Effect] = []
        data, invite = request("INVITE"), parsed_request(request("INVITE"))
        callee = invite_server.start(server_key(invite), "there", False, "u", RFC3261, effects)
        caller = invite_client.start(client_key(invite.branch, "INVITE"), data, "there", False, "u", RFC3261, effects)
        caller = invite_client.fire(caller, "A", 0, RFC3261, effects)
        for answer in (response(180), response(status)):
            callee = invite_server.respond(callee, answer.status, answer.encode(), RFC3261, effects)
            caller = invite_client.receive(caller, answer, RFC3261, effects)
            assert response_key(answer) == caller.key
        if status == 486:
            callee = invite_server.receive(callee, parsed_request(caller.ack), RFC3261, effects)
        caller = invite_client.fire(caller, "M" if status == 200 else "D", 0, RFC3261, effects)
        callee = invite_server.fire(callee, "L" if status == 200 else "I", 0, RFC3261, effects)
        assert caller.state == callee.state == "Terminated"
        assert cancellation(data)
    asked = client.start("c", request("OPTIONS"), "there", True, "u", RFC3261, effects)
    asked = client.receive(asked, response(200, "OPTIONS"), RFC3261, effects)
    answered = server.start("s", "there", True, "u", RFC3261, effects)
    answered = server.respond(answered, 200, b"", RFC3261, effects)
    assert asked.state == answered.state == "Terminated"


def test_the_collector_finds_nothing() -> None:
    exchanges()
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(20):
            exchanges()
        assert gc.collect() == 0
    finally:
        if enabled:
            gc.enable()
