"""A reactor turned by hand: nothing sleeps, time moves only when the test says so."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from transport import Address, Flow, Limits, Reactor, TransportError


class VirtualClock:
    """Seconds that pass only by `advance`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Bench:
    """A reactor on a virtual clock with everything it handed up."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.clock = VirtualClock()
        self.received: list[tuple[bytes, Flow]] = []
        self.failures: list[tuple[Flow, TransportError]] = []
        self.reactor = Reactor(self.received.extend, self._failed, limits=limits, clock=self.clock)

    def _failed(self, flow: Flow, error: TransportError) -> None:
        self.failures.append((flow, error))

    @property
    def messages(self) -> list[bytes]:
        return [data for data, _ in self.received]

    @property
    def causes(self) -> list[str]:
        return [error.cause for _, error in self.failures]

    def count(self, name: str) -> int:
        return self.reactor.statistics().get(name, 0)

    def turn(self, turns: int = 4) -> None:
        """Do what is ready now."""
        for _ in range(turns):
            self.reactor.run_once(0.0)

    def until(self, condition: Callable[[], object], turns: int = 200) -> None:
        """Turn until the condition holds; each turn waits for readiness, never for time alone."""
        for _ in range(turns):
            if condition():
                return
            self.reactor.run_once(0.1)
        raise AssertionError(f"not reached: received {self.messages[:5]!r}, failures {self.failures!r}")

    def listen(self, text: str = "udp:127.0.0.1:0") -> Address:
        return self.reactor.listen(text)


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    """Makes benches and stops their reactors at the end."""
    made: list[Bench] = []

    def make(limits: Limits | None = None) -> Bench:
        made.append(Bench(limits))
        return made[-1]

    yield make
    for bench in made:
        assert bench.reactor.stop()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """One bench with the default limits."""
    return make_bench()


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def no_descriptor_leak() -> Iterator[None]:
    """Fails the test when it leaves more descriptors open than it found."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("this system does not list a process's descriptors in /proc/self/fd")
    gc.collect()
    before = open_descriptors()
    yield
    gc.collect()
    assert open_descriptors() <= before
