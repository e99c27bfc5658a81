"""The SIP transaction layer inside memory transactions: which record takes what, and that every record goes."""

from typing import Any

from dum.effects import Effect, Hop, Send, StartTimer, StopTimer, ToClient, ToServer
from dum.timers import RFC3261
from dum.transaction.matching import client_key, response_key, server_key
from dum.transactions import TRYING, Transactions
from stm import atomically
from tests.dum.transaction.virtual_time import parsed_request, request, response

BRANCH = "z9hG4bK776asdhds"
THERE = Hop("UDP", "192.0.2.4", 5060)


def empty(transactions: Transactions) -> bool:
    maps: tuple[Any, ...] = (transactions.clients, transactions.servers, transactions.merged)
    return all(not held.snapshot() and not held.size() for held in maps)


def done(method: Any, *arguments: Any) -> tuple[Any, list[Effect]]:
    """Run one method in a memory transaction of its own; return its result and effects."""
    effects: list[Effect] = []
    result = atomically(lambda txn: method(txn, *arguments, effects))
    return result, effects


def started(transactions: Transactions, method: str = "INVITE", branch: str = BRANCH) -> tuple[str, bool]:
    """Open the server transaction of a request."""
    message = parsed_request(request(method, branch=branch))
    key = server_key(message)
    return key, bool(atomically(lambda txn: transactions.start_server(txn, message, key, "flow", False)))


def test_an_invite_from_its_arrival_to_its_end() -> None:
    transactions = Transactions(RFC3261)
    key, is_first = started(transactions)
    assert is_first
    _, effects = done(transactions.own_server, key, "usage", 0.2)
    assert [(type(effect), getattr(effect, "letter", "")) for effect in effects] == [(StartTimer, TRYING)]
    _, effects = done(transactions.respond, ToServer(key, 180, b"180"))
    assert [type(effect) for effect in effects] == [StopTimer, Send]
    _, effects = done(transactions.respond, ToServer(key, 200, b"200"))
    assert [effect.data for effect in effects if isinstance(effect, Send)] == [b"200"]
    done(transactions.fire_server, key, "L", 0)
    assert empty(transactions)


def test_the_same_request_by_two_paths() -> None:
    """The one that came second leaves the first its entry (8.2.2.2)."""
    transactions = Transactions(RFC3261)
    first, is_first = started(transactions)
    second, is_second_first = started(transactions, branch="z9hG4bKother")
    assert (is_first, is_second_first) == (True, False)
    for key in (second, first):
        done(transactions.respond, ToServer(key, 482, b"482"))
        assert transactions.merged.size() == 1 or key == first
        done(transactions.fire_server, key, "H", 0)
    assert empty(transactions)


def test_what_belongs_to_no_transaction_changes_nothing() -> None:
    transactions = Transactions(RFC3261)
    assert done(transactions.response, response(200)) == (None, [])
    assert done(transactions.fire_client, "cnobody", "A", 0) == (None, [])
    assert done(transactions.fire_server, "snobody", "J", 0) == ([], [])
    assert done(transactions.client_error, "cnobody") == (None, [])
    assert done(transactions.server_error, "snobody") == (("", []), [])
    assert done(transactions.respond, ToServer("snobody", 200, b"200")) == (None, [])
    assert done(transactions.own_server, "snobody", "usage", 0.2) == (None, [])
    atomically(lambda txn: transactions.forget_client(txn, "cnobody"))
    assert empty(transactions)


def test_a_client_transaction_hands_up_its_response_and_goes() -> None:
    transactions = Transactions(RFC3261)
    down = ToClient("BYE", BRANCH, request("BYE"), THERE)
    done(transactions.start_client, down, "usage")
    assert response_key(response(200, "BYE")) == client_key(BRANCH, "BYE")
    stepped, _ = done(transactions.response, response(200, "BYE"))
    assert stepped.owner == ("usage", "BYE")
    assert [up.message.status for up in stepped.to_user] == [200]
    assert not stepped.terminated
    stepped, _ = done(transactions.fire_client, client_key(BRANCH, "BYE"), "K", 0)
    assert stepped.terminated
    assert empty(transactions)


def test_a_client_transaction_that_nobody_hears_of() -> None:
    transactions = Transactions(RFC3261)
    done(transactions.start_client, ToClient("BYE", BRANCH, request("BYE"), THERE), "usage")
    stepped, _ = done(transactions.client_error, client_key(BRANCH, "BYE"))
    assert stepped.terminated
    assert [up.event for up in stepped.to_user] == ["TRANSPORT_ERROR"]
    assert empty(transactions)


def test_forgetting_a_client_transaction() -> None:
    transactions = Transactions(RFC3261)
    done(transactions.start_client, ToClient("INVITE", BRANCH, request("INVITE"), THERE), "usage")
    atomically(lambda txn: transactions.forget_client(txn, client_key(BRANCH, "INVITE")))
    assert empty(transactions)
