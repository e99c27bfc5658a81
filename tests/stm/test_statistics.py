"""statistics()."""

from stm import Ref, atomically, statistics


def test_commits_are_counted() -> None:
    record = Ref(0)
    before = statistics()
    atomically(txn_get := lambda txn: txn.get(record))
    atomically(lambda txn: txn.set(record, 1))
    atomically(txn_get)
    after = statistics()
    assert after["commits"] - before["commits"] == 3
    assert after["read_only"] - before["read_only"] == 2
    assert after["attempts"] - before["attempts"] == 3
    assert after["threads"] >= 1
