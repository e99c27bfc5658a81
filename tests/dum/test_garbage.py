"""Garbage to the port: nothing is raised or logged as a bug, nothing stays behind, and the next call works."""

import logging
import socket
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dum import Call, DialogUsageManager, IncomingCall
from tests.support.mutation import broken, collected
from tests.support.pair import Pair
from tests.support.scene import Scene
from tests.support.wire import Side, Wire, ticks

PATIENCE = 20.0
SEEDS = st.integers(0, 2**32 - 1).map(Random)
STAGES = (Scene.place, Scene.arrived, Scene.ringing, Scene.established)


@cache
def of_a_call() -> list[bytes]:
    """All the messages of one call: identifiers follow from what happens, so the next call on a wire has the same."""
    scene = Scene().established()
    scene.act(scene.caller, "END")()
    scene.end()
    return [data for side in scene.pair.sides for lane in side.sent.values() for _, data in lane]


@cache
def everything() -> list[bytes]:
    return collected() + of_a_call()


def check(side: Side) -> None:
    """Nothing is left of what came, and no bug was met."""
    assert side.leftovers() == {}


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes(data: bytes) -> None:
    with Wire() as wire:
        side = wire.join("10.0.0.2")
        wire.deliver(1, side, data, "192.0.2.1")
        wire.run(100)
        check(side)


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_mutations_and_a_call_beside_them(random: Random) -> None:
    with Wire() as wire:
        pair = Pair(wire)
        for _ in range(5):
            data = broken(random.choice(everything()), everything(), random)
            wire.deliver(random.randint(1, 100), random.choice(pair.sides), data, "192.0.2.1")
        pair.place(1)
        wire.run(ticks(60.0))
        pair.hang_up()
        wire.run()
        for side in pair.sides:
            check(side)
        placed = [party for party in pair.caller.parties.values() if "IncomingCall" not in party.history()]
        (caller,) = [party for party in placed if party.events]
        assert caller.established == 1
        assert caller.ends[0].status == 200


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(STAGES), SEEDS)
def test_mutations_of_the_messages_of_a_call_that_runs(stage: object, random: Random) -> None:
    """They hit its very dialog and transactions: it may end by them, once, and nothing stays behind."""
    assert callable(stage)
    scene = stage(Scene())
    for _ in range(5):
        data = broken(random.choice(of_a_call()), of_a_call(), random)
        scene.wire.deliver(random.randint(1, 20), random.choice(scene.pair.sides), data, "192.0.2.1")
    scene.after(ticks(40.0))
    scene.pair.hang_up()
    scene.wire.run()
    scene.pair.hang_up()
    scene.wire.run()
    for side in scene.pair.sides:
        check(side)
    for party in scene.pair.told():
        assert len(party.ends) == 1, party.history()


def test_messages_to_nobody() -> None:
    """A response without a request and an ACK without a call are dropped, and counted."""
    strays = [data for data in of_a_call() if data.startswith((b"SIP/2.0", b"ACK"))]
    with Wire() as wire:
        side = wire.join("10.0.0.2")
        for data in strays:
            wire.deliver(1, side, data, "192.0.2.1")
        wire.run()
        check(side)
        counted = side.stack.tally.total()
        assert counted["stray_acks"] == sum(data.startswith(b"ACK") for data in strays)
        assert counted["stray_responses"] == sum(data.startswith(b"SIP/2.0") for data in strays)
        assert [sent for lane in side.sent.values() for sent in lane] == []


def garbage(random: Random) -> list[bytes]:
    """What is thrown at a port, datagram by datagram."""
    invite = next(data for data in of_a_call() if data.startswith(b"INVITE"))
    filler = b"X-Filler: " + b"x" * 1000 + b"\r\n"
    head, _, rest = invite.partition(b"\r\n")
    return [
        *(random.randbytes(random.randint(0, 1500)) for _ in range(200)),
        *(invite[:size] for size in range(0, len(invite), 7)),
        *(broken(random.choice(everything()), everything(), random) for _ in range(1000)),
        *(data for data in of_a_call() if data.startswith((b"SIP/2.0", b"ACK"))),
        *(random.randbytes(65_507), b"\r\n" * 32_000, b"INVITE " * 9_000, invite + b"x" * 64_000),
        head + b"\r\n" + filler * 64 + rest,
        *(b"", b"\0", b"\r\n\r\n", b"SIP/2.0", b"SIP/2.0 200 OK\r\n\r\n"),
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_garbage_to_a_real_port(workers: int, caplog: pytest.LogCaptureFixture) -> None:
    server = DialogUsageManager(workers=workers)
    ours = b"v=0\r\n"

    @server.on(IncomingCall)
    def answer(call: Call) -> None:
        call.answer(ours)

    place = server.addresses[0]
    with caplog.at_level(logging.WARNING), server, DialogUsageManager(workers=workers) as client:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            for number, data in enumerate(garbage(Random(workers))):
                peer.sendto(data, (place.host, place.port))
                if number % 100 == 99:
                    a_call_works(client, place.port)
        a_call_works(client, place.port)
        found = server.statistics()
    assert found["malformed"] > 100
    assert found["stray_responses"] > 0
    assert "bugs" not in found
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def a_call_works(client: DialogUsageManager, port: int) -> None:
    call = client.call(f"sip:bob@127.0.0.1:{port}", offer=b"v=0\r\n")
    call.wait_established(PATIENCE)
    call.end()
    assert call.wait_ended(PATIENCE).status == 200
