"""The timer values of RFC 3261 table 4, as one immutable record that an application can choose."""

from math import inf


class Timing:
    """T1, T2 and T4 of RFC 3261 section 17.1.1.1 and what follows from them, all in seconds.

    Immutable by convention and safe to share between threads. There is no global T1: every stack is given its own.
    Raises ValueError when a value is not positive and finite or T2 is smaller than T1.
    """

    __slots__ = (
        "t1",
        "t2",
        "t4",
        "timer_b",
        "timer_c",
        "timer_d",
        "timer_f",
        "timer_h",
        "timer_i",
        "timer_j",
        "timer_k",
        "timer_l",
        "timer_m",
    )

    def __init__(self, t1: float = 0.5, t2: float = 4.0, t4: float = 5.0, *, timer_c: float = 180.0) -> None:
        if not (0 < t1 <= t2 < inf and 0 < t4 < inf and 0 < timer_c < inf):
            raise ValueError(f"timers must be positive seconds with T2 >= T1, got T1={t1} T2={t2} T4={t4} C={timer_c}")
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
        self.timer_b = 64 * t1
        self.timer_c = timer_c
        self.timer_d = max(32.0, 64 * t1)
        self.timer_f = 64 * t1
        self.timer_h = 64 * t1
        self.timer_i = t4
        self.timer_j = 64 * t1
        self.timer_k = t4
        self.timer_l = 64 * t1
        self.timer_m = 64 * t1

    def doubled(self, retransmissions: int) -> float:
        """Return the interval before the next retransmission of an INVITE request: T1 doubled each time (17.1.1.2)."""
        return float(self.t1 * (1 << min(retransmissions, 16)))

    def doubled_to_t2(self, retransmissions: int) -> float:
        """Return the interval before the next retransmission that never exceeds T2 (17.1.2.2, 17.2.1, 13.3.1.4)."""
        return min(float(self.t1 * (1 << min(retransmissions, 16))), self.t2)


RFC3261 = Timing()
