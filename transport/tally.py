"""Counting from many threads without a shared counter."""

import threading


class Tally:
    """Named counts; any thread may add, any thread may read the sum at any time.

    Each thread counts in a dictionary of its own, so that counting costs no lock and no shared cache line. The counts
    outlive the thread. A sum read while others count is exact for some moment of each thread.
    """

    __slots__ = ("_ended", "_local", "_lock", "_names", "_running")

    def __init__(self, *names: str) -> None:
        self._names = names
        self._local = threading.local()
        self._lock = threading.Lock()
        self._running: list[tuple[threading.Thread, dict[str, int]]] = []
        self._ended: dict[str, int] = dict.fromkeys(names, 0)

    def mine(self) -> dict[str, int]:
        """The calling thread's own counts, to add to: `mine()["datagrams_in"] += 1` for a name given at first."""
        try:
            counts: dict[str, int] = self._local.counts
        except AttributeError:
            counts = self._local.counts = self._register()
        return counts

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a count, which need not have been named before."""
        counts = self.mine()
        counts[name] = counts.get(name, 0) + amount

    def total(self) -> dict[str, int]:
        """The sums of all threads, those that ended included."""
        with self._lock:
            sums = self._ended.copy()
            for _, counts in self._running:
                _add(sums, counts.copy())
        return sums

    def _register(self) -> dict[str, int]:
        counts = dict.fromkeys(self._names, 0)
        with self._lock:
            running = []
            for thread, others in self._running:
                # Asked once: a thread that ends between two questions would be neither kept nor added up.
                if thread.is_alive():
                    running.append((thread, others))
                else:
                    _add(self._ended, others)
            self._running = [*running, (threading.current_thread(), counts)]
        return counts


def _add(sums: dict[str, int], counts: dict[str, int]) -> None:
    for name, amount in counts.items():
        sums[name] = sums.get(name, 0) + amount
