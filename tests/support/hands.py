"""Threads that work in rounds: each round is dealt out, all begin together, and it is over when all are idle."""

import random
import threading
from collections.abc import Callable, Sequence


class Hands:
    """A pool of `count` threads behind a barrier; what one of them raises is raised by `work`."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._begin = threading.Barrier(count + 1)
        self._done = threading.Barrier(count + 1)
        self._dealt: list[list[Callable[[], object]]] = [[] for _ in range(count)]
        self._raised: list[BaseException] = []
        self._closed = False
        self._threads = [threading.Thread(target=self._hand, args=(number,), daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def work(self, tasks: Sequence[Callable[[], object]], seed: int = 0) -> None:
        """Have all tasks done and return; neighbours in `tasks` go to different threads and run side by side."""
        seats = list(range(self.count))
        random.Random(seed).shuffle(seats)
        for place, task in enumerate(tasks):
            self._dealt[seats[place % self.count]].append(task)
        self._begin.wait()
        self._done.wait()
        if self._raised:
            raise self._raised.pop()

    def close(self) -> None:
        """End the threads."""
        self._closed = True
        self._begin.wait()
        for thread in self._threads:
            thread.join()

    def _hand(self, number: int) -> None:
        while True:
            self._begin.wait()
            if self._closed:
                return
            mine = self._dealt[number]
            while mine:
                try:
                    mine.pop(0)()
                except BaseException as error:  # the calling thread raises it again
                    self._raised.append(error)
            self._done.wait()


def all_at_once(*tasks: Callable[[], object]) -> None:
    """Run each task in a thread of its own, all let go by one barrier; raises what the first of them raised."""
    hands = Hands(len(tasks))
    try:
        hands.work(tasks)
    finally:
        hands.close()
