"""The engine: one message, timer or command is one memory transaction through SIP transaction, dialog and usage.

This is the only file that opens memory transactions. What happens inside one is pure: the machines are stepped, their
records are put into the maps, and the effects that are left over go to the outbox of the lane. A lost race runs it
again with the same identifiers.
"""

import logging
from collections.abc import Callable
from typing import Any

from dum.core import Core
from dum.effects import Effect, Send
from dum.fsm import UnexpectedEvent
from dum.ids import Fresh, Ids
from dum.message import Malformed, Request, Response, parse
from dum.responding import destination_of
from dum.runner import Runner, Timer, lane_of
from dum.transaction.matching import server_key
from dum.usage.session import Agent, Command, Given, usage_key
from stm import Transaction, atomically

logger = logging.getLogger(__name__)


class Stack:
    """All SIP state of one manager, and the one way to change it. Thread-safe; never blocks on I/O.

    `make_owner(key)` makes the handle that the application is given for a new incoming call.
    """

    def __init__(self, agent: Agent, ids: Ids, runner: Runner, make_owner: Callable[[str], Any]) -> None:
        self.agent = agent
        self.ids = ids
        self.runner = runner
        self.make_owner = make_owner
        self.tally = runner.tally
        self.core = Core(agent)
        transactions = self.core.transactions
        self.client_transactions = transactions.clients
        self.server_transactions = transactions.servers
        self.merged = transactions.merged
        self.usages = self.core.usages
        runner.failed = self.transport_error

    @property
    def accepting(self) -> bool:
        """Whether new calls are taken; False while shutting down, when they are answered with 503."""
        return self.core.accepting

    @accepting.setter
    def accepting(self, accepting: bool) -> None:
        self.core.accepting = accepting

    def receive(self, data: bytes, flow: Any) -> None:
        """Take one framed message as it came from the wire; never raises, whatever the bytes are."""
        try:
            message = parse(data)
            if isinstance(message, Malformed):
                self._refuse(message, flow)
                return
            lane = lane_of(message.call_id)
            if isinstance(message, Response):
                self._take(lane, self._response, message, self.ids.fresh(), label="response")
            else:
                self._request_arrived(message, flow, lane)
        except UnexpectedEvent:
            logger.exception("a machine had no arc: its dialog is torn down; the message began %r", data[:80])
            self.tally.add("bugs")
            if not isinstance(message, Malformed):
                tag = message.to_tag if isinstance(message, Request) else message.from_tag
                self._take(lane, self._tear_down, usage_key(message.call_id, tag), label="tear down")
        except Exception:
            logger.exception("a message could not be worked off; it began %r", data[:80])
            self.tally.add("bugs")

    def fire(self, timer: Timer) -> None:
        """Take a timer that has run out; one that was stopped or replaced meanwhile changes nothing."""
        lane, key, letter, generation = timer
        try:
            self._take(lane, self._fire, key, letter, generation, self.ids.fresh(), label="timer")
        except Exception:
            logger.exception("timer %s of %s could not be worked off", letter, key)
            self.tally.add("bugs")

    def transport_error(self, lane: int, key: str) -> None:
        """Take the news that a SIP transaction's message could not be sent (RFC 3261 8.1.3.1, 17.1.4, 17.2.4)."""
        self.tally.add("transport_errors")
        try:
            self._take(lane, self._transport_error, key, self.ids.fresh(), label="transport error")
        except Exception:
            logger.exception("a transport error of %s could not be worked off", key)
            self.tally.add("bugs")

    def place(self, target: str, command: Command, make_owner: Callable[[str], Any]) -> Any:
        """Place a call to `target` and return its handle; ValueError for a target that no request can be sent to."""
        fresh, call_id = self.ids.fresh(), self.ids.call_id()
        owner = make_owner(usage_key(call_id, fresh.tag))
        given = Given(self.agent, fresh, command=command)
        try:
            self._take(lane_of(call_id), self._place, owner, call_id, target, given, label="place")
        except KeyError as error:
            raise ValueError(f"can't call {target!r}: no socket listens for {error.args[0]}") from None
        return owner

    def command(self, key: str, command: Command) -> None:
        """Do what the application asks of the usage `key`; raises Terminated or Refused."""
        given = Given(self.agent, self.ids.fresh(), command=command)
        self._take(lane_of(key.partition(" ")[2]), self._command, key, given, label=command.name)

    def _take(self, lane: int, step: Callable[..., None], *arguments: Any, label: str) -> None:
        """Run one step as a memory transaction, then carry out what it left to do."""
        atomically(step, lane, *arguments, label=label)
        self.runner.drain(lane)

    def _request_arrived(self, request: Request, flow: Any, lane: int) -> None:
        fresh = self.ids.fresh()
        request = request.with_received(flow.remote.host, flow.remote.port)
        key, source = server_key(request), destination_of(request, flow)
        given = Given(self.agent, fresh, request, server_key=key, source=source, flow=flow)
        is_new_call = request.method == "INVITE" and not request.to_tag
        owner = self.make_owner(usage_key(request.call_id, fresh.tag)) if is_new_call else None
        self._take(lane, self._request, given, owner, label=request.method)

    def _refuse(self, malformed: Malformed, flow: Any) -> None:
        """Answer a message that can't be read when the RFC says how, else drop it; counted either way."""
        self.tally.add("malformed")
        response = malformed.response(self.ids.fresh().tag)
        if response is None:
            self.tally.add("malformed_dropped")
        else:
            self._take(lane_of(response.call_id), self._put, [Send(flow, response.encode())], label="malformed")

    # The steps: what happens between the beginning of a memory transaction and its commit.

    def _put(self, txn: Transaction, lane: int, effects: list[Effect]) -> None:
        if effects:
            self.runner.put(txn, lane, effects)

    def _request(self, txn: Transaction, lane: int, given: Given, owner: Any) -> None:
        effects: list[Effect] = []
        self.core.request(txn, given, owner, effects)
        self._put(txn, lane, effects)

    def _response(self, txn: Transaction, lane: int, response: Response, fresh: Fresh) -> None:
        effects: list[Effect] = []
        self.core.response(txn, response, fresh, effects)
        self._put(txn, lane, effects)

    def _fire(self, txn: Transaction, lane: int, key: str, letter: str, generation: int, fresh: Fresh) -> None:
        effects: list[Effect] = []
        self.core.fire(txn, key, letter, generation, fresh, effects)
        self._put(txn, lane, effects)

    def _transport_error(self, txn: Transaction, lane: int, key: str, fresh: Fresh) -> None:
        effects: list[Effect] = []
        self.core.transport_error(txn, key, fresh, effects)
        self._put(txn, lane, effects)

    def _place(self, txn: Transaction, lane: int, owner: Any, call_id: str, target: str, given: Given) -> None:
        effects: list[Effect] = []
        self.core.place(txn, owner, call_id, target, given, effects)
        self._put(txn, lane, effects)

    def _command(self, txn: Transaction, lane: int, key: str, given: Given) -> None:
        effects: list[Effect] = []
        self.core.command(txn, key, given, effects)
        self._put(txn, lane, effects)

    def _tear_down(self, txn: Transaction, lane: int, key: str) -> None:
        effects: list[Effect] = []
        self.core.tear_down(txn, key, effects)
        self._put(txn, lane, effects)
