"""Many idle connections on one reactor: 10,000 over TCP, 2,000 over TLS.

Run: python -m perf.transport_connections [--tcp N] [--tls N]. The reactor runs in this process, its peers in another,
so that each stays below its limit of descriptors. Stated are: connections accepted a second (both ends on the same
cores), growth of this process's resident set for each connection (without the kernel's buffers), CPU of this process
while all are idle, and the time from a request on one of them, chosen at random, to its answer, beside the same with 10
connections. Needs the openssl command for the certificate of TLS.
"""

import argparse
import random
import resource
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from transport import Flow, Limits, Reactor, TlsSettings

REQUEST = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
ANSWER = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
PROBES = 3000
IDLE = 5.0


def allow_descriptors() -> None:
    """Raise the soft limit of descriptors to the hard one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def resident() -> int:
    """This process's resident set in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def peers(port: int, count: int, secure: bool) -> None:
    """The other process: open connections, then answer `probe` with times and leave at the end of input."""
    allow_descriptors()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    opened: list[socket.socket] = []
    for number in range(count):
        made = socket.socket()
        made.bind((f"127.0.0.{2 + number % 8}", 0))
        made.connect(("127.0.0.1", port))
        opened.append(context.wrap_socket(made) if secure else made)
    print("open", flush=True)
    for line in sys.stdin:
        if line.strip() == "probe":
            times = []
            for _ in range(PROBES):
                chosen = random.choice(opened)
                began = time.perf_counter()
                chosen.sendall(REQUEST)
                chosen.recv(1000)
                times.append((time.perf_counter() - began) * 1e6)
            cuts = statistics.quantiles(times, n=100)
            print(f"{cuts[49]:.0f} {cuts[98]:.0f}", flush=True)


class Served:
    """A reactor that answers every request, and its peers."""

    def __init__(self, transport: str, tls: TlsSettings | None) -> None:
        self.reactor = Reactor(self._answer, lambda flow, error: None, limits=Limits(connections=20_000), tls=tls)
        self.address = self.reactor.listen(f"{transport}:127.0.0.1:0")
        self.reactor.start()
        self.secure = transport == "tls"

    def _answer(self, batch: list[tuple[bytes, Flow]]) -> None:
        for _, flow in batch:
            self.reactor.send(flow, ANSWER)

    def connect(self, count: int) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            "-m",
            "perf.transport_connections",
            "--peers",
            str(self.address.port),
            str(count),
            str(int(self.secure)),
        ]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        return process


def probe(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("probe\n")
    process.stdin.flush()
    half, most = process.stdout.readline().split()
    return f"p50 {half} us, p99 {most} us"


def measure(transport: str, count: int, tls: TlsSettings | None) -> None:
    served = Served(transport, tls)
    few = served.connect(10)
    probe(few)
    print(f"{transport}: 10 connections: {probe(few)}")
    before, began, cpu = resident(), time.perf_counter(), time.process_time()
    many = served.connect(count)
    seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    memory = (resident() - before) / count
    cpu = time.process_time()
    time.sleep(IDLE)
    idle = (time.process_time() - cpu) / IDLE
    held = served.reactor.statistics()["connections"]
    print(f"{transport}: {held} connections: {count / seconds:.0f} accepted a second, {spent / count * 1e6:.0f} us CPU")
    print(f"{transport}: {held} connections: {memory:.0f} bytes each, {idle:.2%} of a core while idle")
    print(f"{transport}: {held} connections: {probe(many)}; 10 of them again: {probe(few)}")
    for process in (few, many):
        process.communicate()
    served.reactor.stop()


def certificate(folder: Path) -> TlsSettings:
    new = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=a"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-keyout", str(folder / "key.pem")]
    subprocess.run([*new, *key, "-out", str(folder / "certificate.pem")], check=True, capture_output=True)
    return TlsSettings(certificate=folder / "certificate.pem", key=folder / "key.pem")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tcp", type=int, default=10_000, metavar="N")
    parser.add_argument("--tls", type=int, default=2_000, metavar="N")
    parser.add_argument("--peers", nargs=3, type=int, metavar=("PORT", "COUNT", "SECURE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.peers:
        peers(chosen.peers[0], chosen.peers[1], bool(chosen.peers[2]))
        return
    allow_descriptors()
    measure("tcp", chosen.tcp, None)
    with tempfile.TemporaryDirectory() as folder:
        measure("tls", chosen.tls, certificate(Path(folder)))


if __name__ == "__main__":
    main()
