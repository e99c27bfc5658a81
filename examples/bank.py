"""A bank whose tellers are threads: money moves between accounts, waits for cover, and is never lost.

python examples/bank.py
"""

from __future__ import annotations

import random
import threading

from stm import Fifo, Ref, Transaction, atomically, retry


class Bank:
    """Accounts as records, and a statement line for every transfer, in the order in which they happened."""

    def __init__(self, accounts: int, balance: int) -> None:
        self.accounts = [Ref(balance) for _ in range(accounts)]
        self.statement: Fifo[tuple[int, int, int]] = Fifo()

    def transfer(self, txn: Transaction, source: int, target: int, amount: int) -> None:
        """Move the amount; sleep until the source account has it."""
        balance = txn.get(self.accounts[source])
        if balance < amount:
            retry(txn)
        txn.set(self.accounts[source], balance - amount)
        txn.set(self.accounts[target], txn.get(self.accounts[target]) + amount)
        self.statement.put(txn, (source, target, amount))

    def total(self, txn: Transaction) -> int:
        """What all accounts hold together, at one instant."""
        return sum(txn.get(account) for account in self.accounts)


def run(tellers: int = 4, transfers: int = 500, accounts: int = 10) -> int:
    """Let the tellers work, audit while they do, and return the final total."""
    bank = Bank(accounts, 100)

    def work(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(transfers):
            source, target = chance.sample(range(accounts), 2)
            atomically(bank.transfer, source, target, chance.randint(1, 5), label="transfer")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(tellers)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert atomically(bank.total, label="audit") == accounts * 100
    for thread in threads:
        thread.join()
    assert len(bank.statement.take_nowait()) == tellers * transfers
    return atomically(bank.total)


if __name__ == "__main__":
    print(f"all accounts together: {run()}")
