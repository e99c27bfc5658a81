"""The SIP transaction layer: every transaction of the stack by its key, stepped inside a memory transaction.

It knows the four machines of dum/transaction and which of them a record belongs to, and nothing of dialogs. Each
method takes the memory transaction `txn` that it is part of and appends to `effects` what the runner has to carry out;
what a machine has for its user comes back as `ToUser`.
"""

from types import ModuleType
from typing import Any

from dum.effects import Effect, StartTimer, StopTimer, ToClient, ToServer, ToUser
from dum.message import Request, Response
from dum.timers import Timing
from dum.transaction import client, invite_client, invite_server, server
from dum.transaction.invite_client import InviteClient
from dum.transaction.invite_server import InviteServer
from dum.transaction.matching import client_key, response_key
from dum.transaction.words import PROCEEDING, TERMINATED
from stm import Map, Transaction

TRYING = "TRYING"  # the timer that has 100 Trying sent (17.2.1)

type Owner = tuple[str, str]


class Stepped:
    """What a step of a client transaction has for its user: `owner` is (usage key, method), or None for nobody."""

    __slots__ = ("is_invite", "owner", "terminated", "to_user")

    def __init__(self, owner: Owner | None, is_invite: bool, terminated: bool, to_user: list[ToUser]) -> None:
        self.owner = owner
        self.is_invite = is_invite
        self.terminated = terminated
        self.to_user = to_user


class Transactions:
    """All SIP transactions; thread-safe, because all of it is in memory transactions.

    The owner of a server transaction is (usage key or "", key in `merged` or "").
    """

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.clients: Map[str, Any] = Map()
        self.servers: Map[str, Any] = Map()
        self.merged: Map[str, str] = Map()

    # Servers.

    def start_server(self, txn: Transaction, request: Request, key: str, source: Any, reliable: bool) -> bool:
        """Open the server transaction of a new request; False when the request came here before on another path.

        That one is a merged request (RFC 3261 8.2.2.2): no To tag, and From tag, Call-ID and CSeq of another
        transaction that goes on.
        """
        merged = ""
        if not request.to_tag:
            merged = f"{request.from_tag} {request.cseq} {request.method} {request.call_id}"
            if self.merged.get(txn, merged) is not None:
                merged, is_first = "", False
            else:
                is_first = True
                self.merged.insert(txn, merged, key)
        else:
            is_first = True
        module = invite_server if request.method == "INVITE" else server
        effects: list[Effect] = []
        self.servers.insert(txn, key, module.start(key, source, reliable, ("", merged), self.timing, effects))
        return is_first

    def own_server(self, txn: Transaction, key: str, usage_key: str, delay: float, effects: list[Effect]) -> None:
        """Note which usage an INVITE server transaction belongs to; 100 Trying is sent if it is slow (17.2.1)."""
        record = self.servers.get(txn, key)
        if record is None:
            return
        owned = record.copy()
        owned.owner = (usage_key, record.owner[1])
        self.servers.set(txn, key, owned)
        if not record.response and record.state == PROCEEDING:
            effects.append(StartTimer(key, TRYING, delay))

    def request_again(self, txn: Transaction, record: Any, request: Request, effects: list[Effect]) -> list[ToUser]:
        """Take a retransmitted request, or the ACK that belongs to an INVITE server transaction (17.2.3)."""
        own: list[Effect] = []
        after = _server_module(record).receive(record, request, self.timing, own)
        self._keep_server(txn, record, after)
        return _divided(own, effects)

    def respond(self, txn: Transaction, down: ToServer, effects: list[Effect]) -> None:
        """Pass a response of the transaction user down; one whose transaction is gone is dropped."""
        record = self.servers.get(txn, down.key)
        if record is None:
            return
        if type(record) is InviteServer and not record.response:
            effects.append(StopTimer(down.key, TRYING))
        after = _server_module(record).respond(record, down.status, down.data, self.timing, effects)
        self._keep_server(txn, record, after)

    def trying(self, txn: Transaction, record: Any, request: Request, effects: list[Effect]) -> None:
        """Send 100 Trying for an INVITE that nothing was sent for yet."""
        after = invite_server.trying(record, request.respond(100).encode(), self.timing, effects)
        self._keep_server(txn, record, after)

    def fire_server(
        self, txn: Transaction, key: str, letter: str, generation: int, effects: list[Effect]
    ) -> list[ToUser]:
        """Take a timer of a server transaction."""
        record = self.servers.get(txn, key)
        if record is None:
            return []
        own: list[Effect] = []
        after = _server_module(record).fire(record, letter, generation, self.timing, own)
        self._keep_server(txn, record, after)
        return _divided(own, effects)

    def server_error(self, txn: Transaction, key: str, effects: list[Effect]) -> tuple[str, list[ToUser]]:
        """Take the news that a response could not be sent; returns the key of the usage it was for as well."""
        record = self.servers.get(txn, key)
        if record is None:
            return "", []
        own: list[Effect] = []
        after = _server_module(record).transport_error(record, self.timing, own)
        self._keep_server(txn, record, after)
        return record.owner[0], _divided(own, effects)

    def _keep_server(self, txn: Transaction, record: Any, after: Any) -> None:
        """Write a step's record back; one that did not change is left alone, so that the step stays read-only."""
        if after is record:
            return
        if after.state == TERMINATED:
            self.servers.pop(txn, record.key)
            if record.owner[1]:
                self.merged.pop(txn, record.owner[1], None)
        else:
            self.servers.set(txn, record.key, after)

    # Clients.

    def start_client(self, txn: Transaction, down: ToClient, usage_key: str, effects: list[Effect]) -> None:
        """Open a client transaction for a new request; `down.heard` tells whether its user waits for the answer."""
        key = client_key(down.branch, down.method)
        owner = (usage_key, down.method) if down.heard else None
        module = invite_client if down.method == "INVITE" else client
        hop = down.destination
        self.clients.insert(txn, key, module.start(key, down.data, hop, hop.reliable, owner, self.timing, effects))

    def forget_client(self, txn: Transaction, key: str) -> None:
        """Destroy a client transaction whose answer is not waited for any more (9.1)."""
        self.clients.pop(txn, key, None)

    def response(self, txn: Transaction, response: Response, effects: list[Effect]) -> Stepped | None:
        """Take a response to its client transaction (17.1.3), or return None when it has none."""
        record = self.clients.get(txn, response_key(response))
        if record is None:
            return None
        own: list[Effect] = []
        after = _client_module(record).receive(record, response, self.timing, own)
        return self._keep_client(txn, record, after, own, effects)

    def fire_client(
        self, txn: Transaction, key: str, letter: str, generation: int, effects: list[Effect]
    ) -> Stepped | None:
        """Take a timer of a client transaction, or return None when that is gone."""
        record = self.clients.get(txn, key)
        if record is None:
            return None
        own: list[Effect] = []
        after = _client_module(record).fire(record, letter, generation, self.timing, own)
        return self._keep_client(txn, record, after, own, effects)

    def client_error(self, txn: Transaction, key: str, effects: list[Effect]) -> Stepped | None:
        """Take the news that a request could not be sent (17.1.4), or return None when nobody waits for it."""
        record = self.clients.get(txn, key)
        if record is None:
            return None
        own: list[Effect] = []
        after = _client_module(record).transport_error(record, self.timing, own)
        return self._keep_client(txn, record, after, own, effects)

    def _keep_client(
        self, txn: Transaction, record: Any, after: Any, own: list[Effect], effects: list[Effect]
    ) -> Stepped:
        terminated = after.state == TERMINATED
        if terminated:
            self.clients.pop(txn, record.key)
        elif after is not record:
            self.clients.set(txn, record.key, after)
        return Stepped(record.owner, type(record) is InviteClient, terminated, _divided(own, effects))


def _server_module(record: Any) -> ModuleType:
    return invite_server if type(record) is InviteServer else server


def _client_module(record: Any) -> ModuleType:
    return invite_client if type(record) is InviteClient else client


def _divided(own: list[Effect], effects: list[Effect]) -> list[ToUser]:
    """Return what is for the transaction user; the rest goes to `effects`."""
    to_user: list[ToUser] = []
    for effect in own:
        if type(effect) is ToUser:
            to_user.append(effect)
        else:
            effects.append(effect)
    return to_user
