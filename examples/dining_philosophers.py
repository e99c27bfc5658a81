"""Five philosophers, five forks, no deadlock: both forks are taken in one transaction, or none.

python examples/dining_philosophers.py
"""

from __future__ import annotations

import threading

from stm import Counter, Ref, Transaction, atomically, retry


def take(txn: Transaction, left: Ref[bool], right: Ref[bool]) -> None:
    """Pick both forks up; sleep while either is in use."""
    if txn.get(left) or txn.get(right):
        retry(txn)
    txn.set(left, True)
    txn.set(right, True)


def put_back(txn: Transaction, left: Ref[bool], right: Ref[bool], meals: Counter) -> None:
    """Put both forks down and count the meal."""
    txn.set(left, False)
    txn.set(right, False)
    meals.add(txn)


def dine(philosophers: int = 5, courses: int = 200) -> int:
    """Everybody eats every course; returns how many meals were had."""
    forks = [Ref(False) for _ in range(philosophers)]
    meals = Counter()

    def philosopher(seat: int) -> None:
        left, right = forks[seat], forks[(seat + 1) % philosophers]
        for _ in range(courses):
            atomically(take, left, right)
            atomically(put_back, left, right, meals)

    threads = [threading.Thread(target=philosopher, args=(seat,)) for seat in range(philosophers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return meals.peek()


if __name__ == "__main__":
    print(f"{dine()} meals")
