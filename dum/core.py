"""The user agent core: RFC 3261 section 8.2 and 12.2.2, from a request to the usage that it belongs to and back.

Every method runs inside the memory transaction `txn` of one message, timer or command, and appends to `effects` what
the runner carries out after commit.
"""

from typing import Any

from dum.effects import Count, Effect, Forget, Send, Tell, ToClient, ToServer
from dum.errors import Terminated
from dum.events import Ended
from dum.ids import Fresh
from dum.message import HeaderError, Request, Response
from dum.transaction.cancel import answer, takes_effect
from dum.transaction.matching import cancel_target_key
from dum.transactions import TRYING, Stepped, Transactions
from dum.usage import callee, caller, inspection, invite
from dum.usage.accepting import own_fields
from dum.usage.session import Agent, Command, Given, InviteUsage, usage_key
from stm import Map, Transaction

_TIMEOUT = Command("TIMEOUT", 408, "no answer")
_TRANSPORT_ERROR = Command("TRANSPORT_ERROR", 503, "transport")
_REPEATERS = ("A", "E", "G", "2XX")  # the timers that send again what was sent before


class Core:
    """All usages of one user agent by their keys; thread-safe, because all of it is in memory transactions.

    `accepting` is False while the manager shuts down: new work is answered with 503.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.accepting = True
        self.transactions = Transactions(agent.profile.timing)
        self.usages: Map[str, InviteUsage] = Map()

    # Requests of the peer.

    def request(self, txn: Transaction, given: Given, owner: Any, effects: list[Effect]) -> None:
        """Take a request: to its server transaction, or to the usage that the ACK of a 2xx is for, or as a new one."""
        request: Request = given.message
        transactions = self.transactions
        record = transactions.servers.get(txn, given.server_key)
        if record is not None:
            if transactions.request_again(txn, record, request, effects):
                self._acknowledge(txn, given, effects)
            return
        if request.method == "ACK":
            self._acknowledge(txn, given, effects)
            return
        malformed = request.check()
        if malformed is not None:
            response = malformed.response(given.fresh.tag)
            if response is not None:
                effects.append(Send(given.source, response.encode()))
            effects.append(Count("malformed"))
            return
        if not transactions.start_server(txn, request, given.server_key, given.source, given.flow.reliable):
            self._answer(txn, given, 482, effects)
            return
        self._to_usage(txn, given, owner, effects)

    def _acknowledge(self, txn: Transaction, given: Given, effects: list[Effect]) -> None:
        """Take the ACK of a 2xx to its usage; one that belongs to nobody is dropped and counted (13.3.1.4)."""
        request: Request = given.message
        usage = self.usages.get(txn, usage_key(request.call_id, request.to_tag))
        if usage is None:
            effects.append(Count("stray_acks"))
            return
        own: list[Effect] = []
        self._keep(txn, usage, invite.ack(usage, given, self.agent.profile.timing, own), own, effects)

    def _to_usage(self, txn: Transaction, given: Given, owner: Any, effects: list[Effect]) -> None:
        """Take a new request to the usage it belongs to, or answer it here (RFC 3261 8.2, 12.2.2)."""
        request: Request = given.message
        method = request.method
        if method == "CANCEL":
            self._cancel(txn, given, effects)
            return
        refused = inspection.refusal(request, self.agent.profile)
        if refused is not None:
            self._answer(txn, given, refused[0], effects, refused[1])
        elif request.to_tag:
            self._within_dialog(txn, given, effects)
        elif method == "BYE":
            self._answer(txn, given, 481, effects)
        elif not self.accepting:
            self._answer(txn, given, 503, effects)
        elif method == "INVITE":
            self._new_call(txn, given, owner, effects)
        elif method == "OPTIONS":
            fields = own_fields(given, given.flow)
            fields.append(("Accept", ", ".join(self.agent.profile.accept)))
            self._answer(txn, given, 200, effects, tuple(fields))
        else:
            self._answer(txn, given, 405, effects, (("Allow", ", ".join(self.agent.profile.allow)),))

    def _new_call(self, txn: Transaction, given: Given, owner: Any, effects: list[Effect]) -> None:
        own: list[Effect] = []
        try:
            usage = callee.start(owner, given, own)
        except HeaderError:
            self._answer(txn, given, 400, effects)
            return
        self.usages.insert(txn, usage.key, usage)
        delay = self.agent.profile.trying_after
        self.transactions.own_server(txn, given.server_key, usage.key, delay, effects)
        self._settle(txn, usage.key, own, effects)

    def _within_dialog(self, txn: Transaction, given: Given, effects: list[Effect]) -> None:
        request: Request = given.message
        usage = self.usages.get(txn, usage_key(request.call_id, request.to_tag))
        if usage is None:
            self._answer(txn, given, 481, effects)
            return
        own: list[Effect] = []
        after = invite.request(usage, given, self.agent.profile.timing, own)
        self._keep(txn, usage, after, own, effects)
        if request.method == "INVITE":
            delay = self.agent.profile.trying_after
            self.transactions.own_server(txn, given.server_key, usage.key, delay, effects)

    def _cancel(self, txn: Transaction, given: Given, effects: list[Effect]) -> None:
        """Answer a CANCEL, and let the INVITE that it is for know while that has no final response (9.2)."""
        target = self.transactions.servers.get(txn, cancel_target_key(given.message))
        usage = self.usages.get(txn, target.owner[0]) if target is not None and target.owner[0] else None
        tag = "" if usage is None or usage.dialog is None else usage.dialog.local_tag
        self._answer(txn, given, answer(target), effects, to_tag=tag)
        if usage is not None and takes_effect(target):
            own: list[Effect] = []
            self._keep(txn, usage, invite.cancel(usage, given, self.agent.profile.timing, own), own, effects)

    def _answer(
        self,
        txn: Transaction,
        given: Given,
        status: int,
        effects: list[Effect],
        fields: tuple[tuple[str, str], ...] = (),
        to_tag: str = "",
    ) -> None:
        """Answer a request without a usage, through its server transaction (8.2.6)."""
        response = given.message.respond(status, to_tag=to_tag or given.fresh.tag, fields=fields)
        self.transactions.respond(txn, ToServer(given.server_key, status, response.encode()), effects)

    # Responses, timers and errors.

    def response(self, txn: Transaction, response: Response, fresh: Fresh, effects: list[Effect]) -> None:
        """Take a response; one that belongs to no request of ours is dropped and counted (18.1.2)."""
        stepped = self.transactions.response(txn, response, effects)
        if stepped is None:
            effects.append(Count("stray_responses"))
        else:
            self._stepped(txn, stepped, fresh, effects)

    def _stepped(self, txn: Transaction, stepped: Stepped, fresh: Fresh, effects: list[Effect]) -> None:
        """Take to its usage what a client transaction has passed up."""
        if stepped.owner is None:
            return
        key, method = stepped.owner
        for up in stepped.to_user:
            usage = self.usages.get(txn, key)
            if usage is None:
                return
            stand_in = None if up.message is not None else _TIMEOUT if up.event == "TIMEOUT" else _TRANSPORT_ERROR
            given = Given(self.agent, fresh, up.message, command=stand_in)
            own: list[Effect] = []
            self._keep(txn, usage, invite.response(usage, method, given, self.agent.profile.timing, own), own, effects)
        if stepped.terminated and stepped.is_invite:
            usage = self.usages.get(txn, key)
            if usage is not None:
                self._keep(txn, usage, invite.invite_transaction_ended(usage), [], effects)

    def fire(
        self, txn: Transaction, key: str, letter: str, generation: int, fresh: Fresh, effects: list[Effect]
    ) -> None:
        """Take a timer: of a client transaction ("c"), of a server transaction ("s"), or of a usage."""
        self._fire(txn, key, letter, generation, fresh, effects)
        if letter in _REPEATERS and any(type(effect) is Send for effect in effects):
            effects.append(Count("retransmissions"))

    def _fire(
        self, txn: Transaction, key: str, letter: str, generation: int, fresh: Fresh, effects: list[Effect]
    ) -> None:
        kind = key[0]
        if kind == "c":
            stepped = self.transactions.fire_client(txn, key, letter, generation, effects)
            if stepped is not None:
                self._stepped(txn, stepped, fresh, effects)
        elif kind == "s":
            if letter == TRYING:
                self._trying(txn, key, effects)
            else:
                self.transactions.fire_server(txn, key, letter, generation, effects)
        else:
            usage = self.usages.get(txn, key)
            if usage is not None:
                own: list[Effect] = []
                given = Given(self.agent, fresh)
                after = invite.fire(usage, letter, generation, given, self.agent.profile.timing, own)
                self._keep(txn, usage, after, own, effects)

    def _trying(self, txn: Transaction, key: str, effects: list[Effect]) -> None:
        record = self.transactions.servers.get(txn, key)
        usage = self.usages.get(txn, record.owner[0]) if record is not None else None
        received = usage.received if usage is not None else None
        if received is not None and received.request is not None and received.key == key:
            self.transactions.trying(txn, record, received.request, effects)

    def transport_error(self, txn: Transaction, key: str, fresh: Fresh, effects: list[Effect]) -> None:
        """Take the news that a message of the SIP transaction `key` could not be sent (8.1.3.1, 17.1.4, 17.2.4)."""
        if key[0] == "c":
            stepped = self.transactions.client_error(txn, key, effects)
            if stepped is not None:
                self._stepped(txn, stepped, fresh, effects)
            return
        owner, to_user = self.transactions.server_error(txn, key, effects)
        usage = self.usages.get(txn, owner) if owner and to_user else None
        if usage is not None:
            own: list[Effect] = []
            after = invite.unreachable(usage, key, Given(self.agent, fresh), self.agent.profile.timing, own)
            self._keep(txn, usage, after, own, effects)

    # What the application asks.

    def place(
        self, txn: Transaction, owner: Any, call_id: str, target: str, given: Given, effects: list[Effect]
    ) -> None:
        """Place a call; raises ValueError or KeyError as `caller.start` does."""
        own: list[Effect] = []
        usage = caller.start(owner, call_id, target, given, self.agent.profile.timing, own)
        self.usages.insert(txn, usage.key, usage)
        self._settle(txn, usage.key, own, effects)

    def command(self, txn: Transaction, key: str, given: Given, effects: list[Effect]) -> None:
        """Do what the application asks of a usage; raises Terminated or Refused."""
        usage = self.usages.get(txn, key)
        if usage is None:
            raise Terminated("this call has ended")
        own: list[Effect] = []
        self._keep(txn, usage, invite.command(usage, given, self.agent.profile.timing, own), own, effects)

    def tear_down(self, txn: Transaction, key: str, effects: list[Effect]) -> None:
        """End a usage that a bug has left without an arc, with all that waits for it."""
        usage = self.usages.pop(txn, key, None)
        if usage is None:
            return
        if usage.sent is not None:
            self.transactions.forget_client(txn, usage.sent.key)
        received = usage.received
        if received is not None and received.request is not None:
            response = received.request.respond(500, to_tag=usage.require_dialog().local_tag)
            self.transactions.respond(txn, ToServer(received.key, 500, response.encode()), effects)
        effects.append(Tell(usage.owner, Ended(usage.owner, 500, False, "bug")))

    # Where records and effects go.

    def _keep(
        self, txn: Transaction, usage: InviteUsage, after: InviteUsage, own: list[Effect], effects: list[Effect]
    ) -> None:
        """Write a usage back, or forget it in state Morgue, and pass on what it wants done."""
        if after is not usage:
            if after.state == invite.MORGUE:
                self.usages.pop(txn, usage.key)
            else:
                self.usages.set(txn, usage.key, after)
        self._settle(txn, usage.key, own, effects)

    def _settle(self, txn: Transaction, key: str, own: list[Effect], effects: list[Effect]) -> None:
        """Take what a usage passes down to its SIP transactions, and leave the rest to the runner."""
        for effect in own:
            if isinstance(effect, ToServer):
                self.transactions.respond(txn, effect, effects)
            elif isinstance(effect, ToClient):
                self.transactions.start_client(txn, effect, key, effects)
            elif isinstance(effect, Forget):
                self.transactions.forget_client(txn, effect.key)
            else:
                effects.append(effect)
