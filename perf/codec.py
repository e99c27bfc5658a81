"""Processor time and memory of the message codec, beside other libraries on the same interpreter in the same run.

``python -m perf.codec [--rounds N] [--json]``. Every piece of work is timed in turns with all others (A B C A B C ...),
in processor time of the thread; the median of the rounds is quoted, for the machine is never quiet. Memory is what
tracemalloc counts for each of 2,000 messages that are kept, their own bytes among it.
"""

import argparse
import json
import platform
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable

from dum.message import Request, parse, peek_call_id
from dum.message.sdp import SessionDescription
from dum.message.values import option_tags, tokens, value
from perf.codec_message import BODY, FIELDS, URI, invite
from perf.codec_peers import Work, installed


def ours(data: bytes) -> dict[str, Work]:
    """Every measurement of this codec."""
    request = parse(data)
    assert isinstance(request, Request)
    contact = (("Contact", "<sip:bob@192.0.2.4>"),)

    def every_header() -> object:
        message = parse(data)
        assert isinstance(message, Request)
        uri = message.uri, message.vias, message.from_, message.to, message.contacts
        rest = message.max_forwards, tokens(message, "Allow"), option_tags(message, "Supported"), message.content_type
        return uri, rest, value(message, "Content-Type"), message.header("User-Agent")

    def checked() -> object:
        message = parse(data)
        assert isinstance(message, Request)
        return message.check()

    return {
        "parse": lambda: parse(data),
        "answer": lambda: request.respond(200, to_tag="8321234356").encode(),
        "answer with Contact and SDP": lambda: request.respond(
            200, to_tag="8321234356", fields=contact, body=BODY
        ).encode(),
        "every header typed": every_header,
        "parse and check": checked,
        "with received": lambda: request.with_received("192.0.2.9", 5099),
        "build an INVITE": lambda: Request.build("INVITE", URI, FIELDS, BODY).encode(),
        "peek at the Call-ID": lambda: peek_call_id(data),
        "session description": lambda: SessionDescription.parse(BODY),
        "keep": lambda: parse(data),
    }


def timed(work: Work, count: int) -> float:
    """Microseconds of processor time for one run."""
    start = time.thread_time_ns()
    for _ in range(count):
        work()
    return (time.thread_time_ns() - start) / count / 1000


def measure(all_work: dict[str, Work], rounds: int) -> dict[str, float]:
    """Medians by name, the work done in turns."""
    figures: dict[str, list[float]] = {name: [] for name in all_work}
    counts = {name: max(200, min(20_000, int(40_000 / max(timed(work, 200), 0.1)))) for name, work in all_work.items()}
    for _ in range(rounds):
        for name, work in all_work.items():
            figures[name].append(timed(work, counts[name]))
    return {name: statistics.median(values) for name, values in figures.items()}


def memory(make: Callable[[bytes], Callable[[], object]], data: bytes, count: int = 2_000) -> float:
    """Octets that one kept message takes, its raw bytes (each its own) included."""
    copies = [bytes(bytearray(data)) for _ in range(count)]
    made = [make(copy) for copy in copies[:1]]
    made[0]()
    del copies
    tracemalloc.start()
    kept = [make(bytes(bytearray(data)))() for _ in range(count)]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(kept) == count
    return size / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    data = invite()
    own = ours(data)
    peers = installed(data)
    work = {f"sipdum {name}": each for name, each in own.items() if name != "keep"}
    work |= {f"{peer} {name}": each[name] for peer, each in peers.items() for name in ("parse", "answer")}
    figures = measure(work, arguments.rounds)
    kept = {"sipdum": memory(lambda raw: lambda: parse(raw), data)}
    for peer in peers:
        kept[peer] = memory(lambda raw, peer=peer: installed_keep(peer, raw), data)  # type: ignore[misc]
    report = {
        "interpreter": f"{platform.python_version()}{'' if sys._is_gil_enabled() else ' free-threaded'}",
        "message octets": len(data),
        "microseconds": figures,
        "octets kept": kept,
    }
    print(json.dumps(report, indent=2) if arguments.json else table(report, figures, kept, len(data)))


def installed_keep(peer: str, raw: bytes) -> Work:
    """The parse of one peer over these very bytes."""
    from perf import codec_peers

    make: Callable[[bytes], dict[str, Work]] = getattr(codec_peers, peer)
    return make(raw)["keep"]


def table(report: dict[str, object], figures: dict[str, float], kept: dict[str, float], size: int) -> str:
    """The report for a person."""
    lines = [f"{report['interpreter']}, an INVITE of {size} octets", "", "microseconds of processor time, median"]
    for name, figure in figures.items():
        library, _, what = name.partition(" ")
        ratio = f"  {figure / figures[f'sipdum {what}']:5.1f} x" if library != "sipdum" else ""
        lines.append(f"  {name:36} {figure:8.2f}{ratio}")
    lines += ["", "octets for a kept message, raw bytes included"]
    lines += [f"  {name:36} {figure:8.0f}  raw + {figure - size:.0f}" for name, figure in kept.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
