"""A Hypothesis state machine over one transaction: anything may happen in any order, and the invariants must hold."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.dum.transaction.virtual_time import TERMINATED, VirtualTime

# A loaded machine is no reason to fail: neither a deadline nor a slow start says anything about a pure function.
SETTINGS = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def going_on(machine: "AnyOrder") -> bool:
    """Whether the transaction has not ended."""
    return bool(machine.virtual.record.state != TERMINATED)


def over(machine: "AnyOrder") -> bool:
    """Whether it has."""
    return not going_on(machine)


class AnyOrder(RuleBasedStateMachine):
    """Time passes, timers fire late, the transport fails; a subclass adds what its transaction receives.

    `endless` names the states that may wait for ever, because the RFC gives them no timer. VirtualTime.check and
    VirtualTime.step hold their invariants after every step.
    """

    endless: frozenset[str] = frozenset()
    virtual: VirtualTime

    def begin(self, reliable: bool) -> VirtualTime:
        """Start a transaction of the kind under test."""
        raise NotImplementedError

    @initialize(reliable=st.booleans())
    def start(self, reliable: bool) -> None:
        self.virtual = self.begin(reliable)

    @precondition(over)
    @rule(reliable=st.booleans())
    def start_again(self, reliable: bool) -> None:
        self.virtual = self.begin(reliable)

    @precondition(going_on)
    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.virtual.run(until=self.virtual.now + seconds)

    @precondition(going_on)
    @rule(data=st.data(), generation=st.integers(0, 8))
    def late_timer(self, data: st.DataObject, generation: int) -> None:
        """A timer that does not live in this state fired while it was being stopped."""
        figure, before = self.virtual.figure, self.virtual.record
        letters = "".join(figure.timers.values())
        letter = data.draw(st.sampled_from(letters))
        if letter not in figure.timers.get(before.state, ""):
            assert self.virtual.step("fire", letter, generation) is before

    @precondition(going_on)
    @rule(letter=st.sampled_from("AEG"), behind=st.integers(1, 3))
    def stale_timer(self, letter: str, behind: int) -> None:
        """A repeating timer fired while it was being replaced."""
        if letter in self.virtual.timers:
            before = self.virtual.record
            assert self.virtual.step("fire", letter, self.virtual.timers[letter][1] - behind) is before

    @precondition(going_on)
    @rule()
    def fail(self) -> None:
        self.virtual.step("transport_error")

    @invariant()
    def nothing_is_left_behind(self) -> None:
        if over(self):
            assert not self.virtual.timers
            assert self.virtual.log[-1][1] == TERMINATED

    @invariant()
    def a_time_out_is_told_once_and_last(self) -> None:
        assert "TIMEOUT" not in [event for _, event in self.virtual.told[:-1]]

    def teardown(self) -> None:
        """Left alone, it ends."""
        if going_on(self) and self.virtual.record.state not in self.endless:
            self.virtual.run()
            assert over(self)
