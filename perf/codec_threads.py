"""How far two threads get with the codec: time of two processes over time of two threads, the same work in each.

``python -m perf.codec_threads [--rounds N]``. The processes share nothing, so 1.0 says that the threads share nothing
that hurts; what the machine loses both sides lose. Taken pair by pair in turn, the median quoted.
"""

import argparse
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable

from dum.message import Request, parse
from perf.codec_message import invite

COUNT = 20_000


def parsing() -> None:
    """Read the INVITE again and again."""
    data = invite()
    for _ in range(COUNT):
        parse(data)


def answering() -> None:
    """Read it, stamp it, answer it twice."""
    data = invite()
    for _ in range(COUNT // 4):
        request = parse(data)
        assert isinstance(request, Request)
        request = request.with_received("192.0.2.9", 5099)
        request.respond(180, to_tag="8321234356")
        request.respond(200, to_tag="8321234356", fields=(("Contact", "<sip:bob@192.0.2.4>"),))


def wait_and_run(
    work: Callable[[], None], start: "multiprocessing.synchronize.Barrier", spent: "multiprocessing.Queue[float]"
) -> None:
    """One process: wait for the other, then work."""
    work()
    start.wait()
    begun = time.monotonic()
    work()
    spent.put(time.monotonic() - begun)


def by_processes(work: Callable[[], None]) -> float:
    """Seconds that two processes need, each doing the work."""
    context = multiprocessing.get_context("spawn")
    start, spent = context.Barrier(2), context.Queue()
    processes = [context.Process(target=wait_and_run, args=(work, start, spent)) for _ in range(2)]
    for process in processes:
        process.start()
    longest = max(spent.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    return float(longest)


def by_threads(work: Callable[[], None]) -> float:
    """Seconds that two threads need, each doing the work."""
    start = threading.Barrier(2)
    spent: list[float] = []

    def run() -> None:
        start.wait()
        begun = time.monotonic()
        work()
        spent.append(time.monotonic() - begun)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return max(spent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for work in (parsing, answering):
        work()
        pairs = [(by_processes(work), by_threads(work)) for _ in range(arguments.rounds)]
        ratios = [processes / threads for processes, threads in pairs]
        shown = " ".join(f"{ratio:.2f}" for ratio in sorted(ratios))
        print(f"{work.__name__:10} efficiency {statistics.median(ratios):.2f}  ({shown})")


if __name__ == "__main__":
    main()
