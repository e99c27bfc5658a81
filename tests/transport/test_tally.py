import threading

from transport.tally import Tally


def test_threads_count_apart_and_are_summed() -> None:
    tally = Tally("messages")
    barrier = threading.Barrier(4)

    def count() -> None:
        barrier.wait()
        for _ in range(10_000):
            tally.mine()["messages"] += 1
        tally.add("rare")

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tally.total() == {"messages": 40_000, "rare": 4}


def test_counts_outlive_their_threads_and_memory_does_not() -> None:
    tally = Tally("messages")
    for _ in range(100):
        thread = threading.Thread(target=tally.add, args=("messages",))
        thread.start()
        thread.join()
    assert tally.total() == {"messages": 100}
    assert len(tally._running) <= 1


class EndsWhileAskedAbout(threading.Thread):
    """Alive when first asked, over ever after."""

    asked = 0

    def is_alive(self) -> bool:
        self.asked += 1
        return self.asked == 1


def test_a_thread_that_ends_while_another_registers_is_not_lost() -> None:
    tally = Tally("messages")
    tally._running.append((EndsWhileAskedAbout(), {"messages": 200}))
    for expected in (201, 202, 203):
        thread = threading.Thread(target=tally.add, args=("messages",))
        thread.start()
        thread.join()
        assert tally.total() == {"messages": expected}


def test_sums_may_be_read_while_others_count() -> None:
    tally = Tally("messages")
    started, stop = threading.Event(), threading.Event()

    def count() -> None:
        number = 0
        while not stop.is_set():
            tally.add(f"new name {number % 500}")
            number += 1
            started.set()

    thread = threading.Thread(target=count)
    thread.start()
    started.wait()
    seen = [sum(tally.total().values()) for _ in range(500)]
    stop.set()
    thread.join()
    assert seen == sorted(seen)
