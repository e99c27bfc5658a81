"""A reactor turned by hand: nothing sleeps, time moves only when the test says so."""

import gc
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from transport import Address, Flow, Limits, Reactor, TlsSettings, TransportError


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

    def __init__(self, limits: Limits | None = None, tls: TlsSettings | None = None) -> None:
        self.clock = VirtualClock()
        self.received: list[tuple[bytes, Flow]] = []
        self.failures: list[tuple[Flow, TransportError]] = []
        self.reactor = Reactor(self.received.extend, self._failed, limits=limits, clock=self.clock, tls=tls)

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

    def make(limits: Limits | None = None, tls: TlsSettings | None = None) -> Bench:
        made.append(Bench(limits, tls))
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


class Certificates:
    """An authority of its own, and what it issues: files that live as long as the test run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = folder / "authority.pem"
        self._openssl(
            *("req", "-x509", "-nodes", "-days", "3", "-subj", "/CN=Test Authority", *_NEW_KEY),
            *("-keyout", "authority.key", "-out", "authority.pem"),
        )

    def issue(self, name: str, alternatives: str, *, common_name: str = "nobody") -> tuple[Path, Path]:
        """A certificate and its key; `alternatives` as in openssl: `DNS:example.com,URI:sip:example.com`."""
        self._openssl(
            *("req", "-x509", "-nodes", "-days", "3", "-subj", f"/CN={common_name}", *_NEW_KEY),
            *("-CA", "authority.pem", "-CAkey", "authority.key", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            *(("-addext", f"subjectAltName={alternatives}") if alternatives else ()),
            *("-addext", "basicConstraints=critical,CA:FALSE"),
        )
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def settings(self, name: str, alternatives: str = "DNS:example.com", *, mutual: bool = False) -> TlsSettings:
        certificate, key = self.issue(name, alternatives)
        return TlsSettings(certificate=certificate, key=key, authorities=self.authority, mutual=mutual)

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made with the openssl command at the time of the test; no key is kept anywhere."""
    if shutil.which("openssl") is None:
        pytest.fail("the tests of TLS need the openssl command: install openssl")
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def secure_bench(make_bench: Callable[..., Bench], certificates: Certificates) -> Bench:
    """A bench with a certificate for example.com."""
    return make_bench(tls=certificates.settings("bench"))
