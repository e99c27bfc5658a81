"""The engine: one message, timer or command is one memory transaction through SIP transaction, dialog and usage.

This is the only file that opens memory transactions. What happens inside one is pure: the machines are stepped, their
records are put into the maps, and the effects that are left over go to the outbox of the lane. A lost race runs it
again with the same identifiers.
"""

import logging
from collections.abc import Callable
from typing import Any

from dum.effects import Count, Effect, Send, StartTimer, StopTimer, Tell, ToClient, ToServer, ToUser
from dum.errors import Terminated
from dum.events import Ended
from dum.fsm import UnexpectedEvent
from dum.ids import Fresh, Ids
from dum.message import HeaderError, Malformed, Request, Response, parse
from dum.responding import destination_of
from dum.runner import Runner, Timer, lane_of
from dum.transaction import client, invite_client, invite_server, server
from dum.transaction.cancel import takes_effect
from dum.transaction.matching import cancel_target_key, client_key, response_key, server_key
from dum.transaction.words import TERMINATED
from dum.usage import callee, caller, inspection, invite
from dum.usage.accepting import own_fields
from dum.usage.session import Agent, Command, Given, InviteUsage, usage_key
from stm import Map, Transaction, atomically

logger = logging.getLogger(__name__)

_STAND_INS = {
    "TIMEOUT": Command("TIMEOUT", 408, "no answer"),
    "TRANSPORT_ERROR": Command("TRANSPORT_ERROR", 503, "transport"),
}


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
        self.accepting = True
        self.client_transactions: Map[str, Any] = Map()
        self.server_transactions: Map[str, Any] = Map()
        self.merged: Map[str, str] = Map()
        self.usages: Map[str, InviteUsage] = Map()
        runner.failed = self.transport_error

    # What comes in. Each of these is one memory transaction, followed by the effects that it left.

    def receive(self, data: bytes, flow: Any) -> None:
        """Take one framed message as it came from the wire; never raises, whatever the bytes are."""
        message = parse(data)
        if isinstance(message, Malformed):
            self._refuse_malformed(message, flow)
            return
        lane = lane_of(message.call_id)
        try:
            if isinstance(message, Response):
                atomically(self._response, message, lane, self.ids.fresh(), label="response")
            else:
                self._receive_request(message, flow, lane)
        except UnexpectedEvent:
            logger.exception("a machine had no arc: the dialog of Call-ID %s is torn down", message.call_id)
            self.tally.add("bugs")
            atomically(self._tear_down, message, lane)
        except Exception:
            logger.exception("a message of Call-ID %s could not be worked off", message.call_id)
            self.tally.add("bugs")
        self.runner.drain(lane)

    def _receive_request(self, request: Request, flow: Any, lane: int) -> None:
        fresh = self.ids.fresh()
        request = request.with_received(flow.remote.host, flow.remote.port)
        source = destination_of(request, flow)
        is_new_call = request.method == "INVITE" and not request.to_tag
        owner = self.make_owner(usage_key(request.call_id, fresh.tag)) if is_new_call else None
        given = Given(self.agent, fresh, request, server_key=server_key(request), source=source, flow=flow)
        atomically(self._request, given, owner, lane, label=request.method)

    def fire(self, timer: Timer) -> None:
        """Take a timer that has run out; one that was stopped or replaced meanwhile changes nothing."""
        lane, key, letter, generation = timer
        try:
            atomically(self._fire, lane, key, letter, generation, self.ids.fresh(), label="timer")
        except Exception:
            logger.exception("timer %s of %s could not be worked off", letter, key)
            self.tally.add("bugs")
        self.runner.drain(lane)

    def transport_error(self, lane: int, key: str) -> None:
        """Take the news that a SIP transaction's message could not be sent (RFC 3261 8.1.3.1, 17.1.4, 17.2.4)."""
        self.tally.add("transport_errors")
        try:
            atomically(self._transport_error, lane, key, self.ids.fresh(), label="transport error")
        except Exception:
            logger.exception("a transport error of %s could not be worked off", key)
            self.tally.add("bugs")
        self.runner.drain(lane)

    def place(self, target: str, command: Command, make_owner: Callable[[str], Any]) -> Any:
        """Place a call to `target` and return its handle; ValueError for a target that no request can be sent to."""
        fresh, call_id = self.ids.fresh(), self.ids.call_id()
        lane = lane_of(call_id)
        owner = make_owner(usage_key(call_id, fresh.tag))
        given = Given(self.agent, fresh, command=command)
        try:
            atomically(self._place, owner, call_id, target, given, lane, label="place")
        except KeyError as error:
            raise ValueError(f"can't call {target!r}: no socket listens for transport {error.args[0]}") from None
        self.runner.drain(lane)
        return owner

    def command(self, key: str, command: Command) -> None:
        """Do what the application asks of the usage `key`; raises Terminated or Refused."""
        lane = lane_of(key.partition(" ")[2])
        given = Given(self.agent, self.ids.fresh(), command=command)
        atomically(self._command, key, given, lane, label=command.name)
        self.runner.drain(lane)

    # Inside the memory transaction.

    def _request(self, txn: Transaction, given: Given, owner: Any, lane: int) -> None:
        request: Request = given.message
        effects: list[Effect] = []
        record = self.server_transactions.get(txn, given.server_key)
        if record is not None:
            self._request_again(txn, record, given, effects)
        elif request.method == "ACK":
            self._acknowledge(txn, given, effects)
        else:
            self._new_request(txn, given, owner, effects)
        self._put(txn, lane, effects)

    def _request_again(self, txn: Transaction, record: Any, given: Given, effects: list[Effect]) -> None:
        """Take a retransmitted request, or the ACK that belongs to an INVITE server transaction (17.2.3)."""
        module = invite_server if type(record) is invite_server.InviteServer else server
        own: list[Effect] = []
        after = module.receive(record, given.message, self.agent.profile.timing, own)
        self._keep_server(txn, record, after)
        for effect in own:
            if type(effect) is ToUser:
                self._acknowledge(txn, given, effects)
            else:
                effects.append(effect)

    def _acknowledge(self, txn: Transaction, given: Given, effects: list[Effect]) -> None:
        """Take the ACK of a 2xx to its usage; one that belongs to nobody is dropped and counted (13.3.1.4)."""
        request: Request = given.message
        usage = self.usages.get(txn, usage_key(request.call_id, request.to_tag))
        if usage is None:
            effects.append(Count("stray_acks"))
            return
        own: list[Effect] = []
        after = invite.ack(usage, given, self.agent.profile.timing, own)
        self._keep_usage(txn, usage, after)
        self._settle(txn, after, own, effects)

    def _new_request(self, txn: Transaction, given: Given, owner: Any, effects: list[Effect]) -> None:
        request: Request = given.message
        merged = ""
        malformed = request.check()
        if malformed is not None:
            response = malformed.response(given.fresh.tag)
            if response is not None:
                effects.append(Send(given.source, response.encode()))
            return
        if not request.to_tag:
            merged = f"{request.from_tag} {request.cseq} {request.method} {request.call_id}"
        key, timing = given.server_key, self.agent.profile.timing
        module = invite_server if request.method == "INVITE" else server
        record: Any = module.start(key, given.source, given.flow.reliable, ("", merged), timing, effects)
        if merged and self.merged.get(txn, merged) is not None:
            record.owner = ("", "")
            self.server_transactions.insert(txn, key, record)
            self._answer(txn, given, 482, effects)
            return
        if merged:
            self.merged.insert(txn, merged, key)
        self.server_transactions.insert(txn, key, record)
        self._to_usage(txn, record, given, owner, merged, effects)

    def _to_usage(
        self, txn: Transaction, record: Any, given: Given, owner: Any, merged: str, effects: list[Effect]
    ) -> None:
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
            self._within_dialog(txn, record, given, merged, effects)
        elif method == "INVITE":
            self._new_call(txn, record, given, owner, merged, effects)
        elif method == "OPTIONS":
            fields = own_fields(given, given.flow)
            fields.append(("Accept", ", ".join(self.agent.profile.accept)))
            self._answer(txn, given, 200 if self.accepting else 503, effects, tuple(fields))
        elif method == "BYE":
            self._answer(txn, given, 481, effects)
        else:
            allow = (("Allow", ", ".join(self.agent.profile.allow)),)
            self._answer(txn, given, 405, effects, allow)

    def _new_call(
        self, txn: Transaction, record: Any, given: Given, owner: Any, merged: str, effects: list[Effect]
    ) -> None:
        if not self.accepting:
            self._answer(txn, given, 503, effects)
            return
        own: list[Effect] = []
        try:
            usage = callee.start(owner, given, own)
        except HeaderError:
            self._answer(txn, given, 400, effects)
            return
        self.usages.insert(txn, usage.key, usage)
        self._own(txn, record, given, usage.key, merged, effects)
        self._settle(txn, usage, own, effects)

    def _own(self, txn: Transaction, record: Any, given: Given, owner: str, merged: str, effects: list[Effect]) -> None:
        """Note which usage an INVITE server transaction belongs to, and have 100 Trying sent if it is slow (17.2.1)."""
        after = record.copy()
        after.owner = (owner, merged)
        self.server_transactions.set(txn, given.server_key, after)
        effects.append(StartTimer(given.server_key, "TRYING", self.agent.profile.trying_after))

    def _within_dialog(self, txn: Transaction, record: Any, given: Given, merged: str, effects: list[Effect]) -> None:
        request: Request = given.message
        usage = self.usages.get(txn, usage_key(request.call_id, request.to_tag))
        if usage is None:
            self._answer(txn, given, 481, effects)
            return
        own: list[Effect] = []
        after = invite.request(usage, given, self.agent.profile.timing, own)
        if request.method == "INVITE":
            self._own(txn, record, given, usage.key, merged, effects)
        self._keep_usage(txn, usage, after)
        self._settle(txn, after, own, effects)

    def _cancel(self, txn: Transaction, given: Given, effects: list[Effect]) -> None:
        """Answer a CANCEL, and let the INVITE that it is for know while that has no final response (9.2)."""
        target = self.server_transactions.get(txn, cancel_target_key(given.message))
        usage = self.usages.get(txn, target.owner[0]) if target is not None and target.owner[0] else None
        if target is None:
            self._answer(txn, given, 481, effects)
            return
        tag = "" if usage is None or usage.dialog is None else usage.dialog.local_tag
        self._answer(txn, given, 200, effects, to_tag=tag)
        if usage is not None and takes_effect(target):
            own: list[Effect] = []
            after = invite.cancel(usage, given, self.agent.profile.timing, own)
            self._keep_usage(txn, usage, after)
            self._settle(txn, after, own, effects)

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
        self._to_server(txn, ToServer(given.server_key, status, response.encode()), effects)

    def _response(self, txn: Transaction, response: Response, lane: int, fresh: Fresh) -> None:
        record = self.client_transactions.get(txn, response_key(response))
        if record is None:
            self._put(txn, lane, [Count("stray_responses")])
            return
        module = invite_client if type(record) is invite_client.InviteClient else client
        own: list[Effect] = []
        after = module.receive(record, response, self.agent.profile.timing, own)
        self._client_stepped(txn, record, after, own, fresh, lane)

    def _client_stepped(
        self, txn: Transaction, record: Any, after: Any, own: list[Effect], fresh: Fresh, lane: int
    ) -> None:
        """Keep a client transaction and pass up what it has for its user."""
        if after.state == TERMINATED:
            self.client_transactions.pop(txn, record.key)
        else:
            self.client_transactions.set(txn, record.key, after)
        effects: list[Effect] = []
        for effect in own:
            if type(effect) is not ToUser:
                effects.append(effect)
            elif record.owner is not None:
                self._to_user(txn, record.owner, effect, fresh, effects)
        if after.state == TERMINATED and type(record) is invite_client.InviteClient and record.owner is not None:
            self._invite_transaction_ended(txn, record.owner[0])
        self._put(txn, lane, effects)

    def _to_user(
        self, txn: Transaction, owner: tuple[str, str], up: ToUser, fresh: Fresh, effects: list[Effect]
    ) -> None:
        usage = self.usages.get(txn, owner[0])
        if usage is None:
            return
        own: list[Effect] = []
        given = Given(self.agent, fresh, up.message, command=_STAND_INS.get(up.event))
        after = invite.response(usage, owner[1], given, self.agent.profile.timing, own)
        self._keep_usage(txn, usage, after)
        self._settle(txn, after, own, effects)

    def _invite_transaction_ended(self, txn: Transaction, key: str) -> None:
        usage = self.usages.get(txn, key)
        if usage is not None:
            self._keep_usage(txn, usage, invite.invite_transaction_ended(usage))

    def _fire(self, txn: Transaction, lane: int, key: str, letter: str, generation: int, fresh: Fresh) -> None:
        timing = self.agent.profile.timing
        own: list[Effect] = []
        if key[0] == "c":
            record = self.client_transactions.get(txn, key)
            if record is not None:
                module = invite_client if type(record) is invite_client.InviteClient else client
                after = module.fire(record, letter, generation, timing, own)
                self._client_stepped(txn, record, after, own, fresh, lane)
            return
        if key[0] == "s":
            self._fire_server(txn, key, letter, generation, own)
        else:
            usage = self.usages.get(txn, key)
            if usage is not None:
                outcome: list[Effect] = []
                after_usage = invite.fire(usage, letter, generation, Given(self.agent, fresh), timing, outcome)
                self._keep_usage(txn, usage, after_usage)
                self._settle(txn, after_usage, outcome, own)
        self._put(txn, lane, own)

    def _fire_server(self, txn: Transaction, key: str, letter: str, generation: int, effects: list[Effect]) -> None:
        record = self.server_transactions.get(txn, key)
        if record is None:
            return
        timing = self.agent.profile.timing
        own: list[Effect] = []
        if letter == "TRYING":
            usage = self.usages.get(txn, record.owner[0])
            if usage is None or usage.received is None or usage.received.request is None:
                return
            after = invite_server.trying(record, usage.received.request.respond(100).encode(), timing, own)
        else:
            module = invite_server if type(record) is invite_server.InviteServer else server
            after = module.fire(record, letter, generation, timing, own)
        self._keep_server(txn, record, after)
        effects.extend(effect for effect in own if type(effect) is not ToUser)

    def _transport_error(self, txn: Transaction, lane: int, key: str, fresh: Fresh) -> None:
        timing = self.agent.profile.timing
        own: list[Effect] = []
        if key[0] == "c":
            record = self.client_transactions.get(txn, key)
            if record is not None:
                module = invite_client if type(record) is invite_client.InviteClient else client
                after = module.transport_error(record, timing, own)
                self._client_stepped(txn, record, after, own, fresh, lane)
            return
        record = self.server_transactions.get(txn, key)
        if record is None:
            return
        module = invite_server if type(record) is invite_server.InviteServer else server
        after = module.transport_error(record, timing, own)
        self._keep_server(txn, record, after)
        effects: list[Effect] = [effect for effect in own if type(effect) is not ToUser]
        usage = self.usages.get(txn, record.owner[0]) if len(effects) != len(own) and record.owner[0] else None
        if usage is not None:
            outcome: list[Effect] = []
            after_usage = invite.unreachable(usage, key, Given(self.agent, fresh), timing, outcome)
            self._keep_usage(txn, usage, after_usage)
            self._settle(txn, after_usage, outcome, effects)
        self._put(txn, lane, effects)

    def _place(self, txn: Transaction, owner: Any, call_id: str, target: str, given: Given, lane: int) -> None:
        own: list[Effect] = []
        usage = caller.start(owner, call_id, target, given, self.agent.profile.timing, own)
        self.usages.insert(txn, usage.key, usage)
        effects: list[Effect] = []
        self._settle(txn, usage, own, effects)
        self._put(txn, lane, effects)

    def _command(self, txn: Transaction, key: str, given: Given, lane: int) -> None:
        usage = self.usages.get(txn, key)
        if usage is None:
            raise Terminated("this call has ended")
        own: list[Effect] = []
        after = invite.command(usage, given, self.agent.profile.timing, own)
        self._keep_usage(txn, usage, after)
        effects: list[Effect] = []
        self._settle(txn, after, own, effects)
        self._put(txn, lane, effects)

    # Where records and effects go.

    def _settle(self, txn: Transaction, usage: InviteUsage, own: list[Effect], effects: list[Effect]) -> None:
        """Take what a usage passes down to its SIP transactions, and leave the rest to the runner."""
        for effect in own:
            kind = type(effect)
            if kind is ToServer:
                self._to_server(txn, effect, effects)  # type: ignore[arg-type]
            elif kind is ToClient:
                self._to_client(txn, usage, effect, effects)  # type: ignore[arg-type]
            else:
                effects.append(effect)

    def _to_server(self, txn: Transaction, down: ToServer, effects: list[Effect]) -> None:
        record = self.server_transactions.get(txn, down.key)
        if record is None:
            return
        timing = self.agent.profile.timing
        if type(record) is invite_server.InviteServer:
            if not record.response:
                effects.append(StopTimer(down.key, "TRYING"))
            after: Any = invite_server.respond(record, down.status, down.data, timing, effects)
        else:
            after = server.respond(record, down.status, down.data, timing, effects)
        self._keep_server(txn, record, after)

    def _to_client(self, txn: Transaction, usage: InviteUsage, down: ToClient, effects: list[Effect]) -> None:
        key = client_key(down.branch, down.method)
        owner = None if down.method == "CANCEL" else (usage.key, down.method)
        module = invite_client if down.method == "INVITE" else client
        record: Any = module.start(
            key, down.data, down.destination, down.destination.reliable, owner, self.agent.profile.timing, effects
        )
        self.client_transactions.insert(txn, key, record)

    def _keep_server(self, txn: Transaction, record: Any, after: Any) -> None:
        if after.state == TERMINATED:
            self.server_transactions.pop(txn, record.key)
            if record.owner[1]:
                self.merged.pop(txn, record.owner[1], None)
        else:
            self.server_transactions.set(txn, record.key, after)

    def _keep_usage(self, txn: Transaction, usage: InviteUsage, after: InviteUsage) -> None:
        if after.state == invite.MORGUE:
            self.usages.pop(txn, usage.key)
        else:
            self.usages.set(txn, usage.key, after)

    def _put(self, txn: Transaction, lane: int, effects: list[Effect]) -> None:
        if effects:
            self.runner.put(txn, lane, effects)

    # What is wrong.

    def _refuse_malformed(self, malformed: Malformed, flow: Any) -> None:
        """Answer a message that can't be read when the RFC says how, else drop it; counted either way."""
        self.tally.add("malformed")
        response = malformed.response(self.ids.fresh().tag)
        if response is None:
            self.tally.add("malformed_dropped")
            return
        lane = lane_of(response.call_id)
        atomically(self._put, lane, [Send(flow, response.encode())])
        self.runner.drain(lane)

    def _tear_down(self, txn: Transaction, message: Request | Response, lane: int) -> None:
        """End the usage that a bug has left without an arc, so that nothing of it stays behind."""
        tag = message.to_tag if isinstance(message, Request) else message.from_tag
        usage = self.usages.pop(txn, usage_key(message.call_id, tag), None)
        if usage is not None:
            self._put(txn, lane, [Tell(usage.owner, Ended(usage.owner, 500, False, "bug"))])
