"""One call in fair weather, brought to a point from which a test goes on."""

from collections.abc import Callable

from dum.events import AnswerWanted, Event
from tests.support.applications import Application, Party
from tests.support.pair import Pair
from tests.support.wire import Wire, ticks


def patient(application: Application, party: Party, event: Event) -> None:
    """An application that does nothing by itself but answer what a 2xx offers."""
    if isinstance(event, AnswerWanted):
        application.later(1, party, "ANSWER", 200, b"v=0\r\n")


class Scene:
    """One call in fair weather, brought to a point from which two things happen at once."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.pair = Pair(self.wire, patient, patient)
        self.caller, self.callee = self.pair.caller, self.pair.callee

    def place(self) -> "Scene":
        """An INVITE is on its way."""
        self.pair.place(1)
        self.wire.run(0)
        return self

    def arrived(self) -> "Scene":
        """The callee has the INVITE, and is to answer it."""
        self.place()
        return self.after(1)

    def ringing(self) -> "Scene":
        """The caller has heard it ring."""
        self.arrived()
        self.act(self.callee, "RING", 180)()
        return self.after(1)

    def established(self) -> "Scene":
        """The call stands on both sides."""
        self.ringing()
        self.act(self.callee, "ANSWER", 200)()
        return self.after(ticks(2.0))

    def after(self, delay: int) -> "Scene":
        """Time has passed."""
        self.wire.run(self.wire.now + delay)
        return self

    def act(self, application: Application, name: str, status: int = 480) -> Callable[[], None]:
        """What an application does to its call."""
        (party,) = [party for party in application.parties.values() if party.events or application is self.caller]
        body = b"v=0\r\n" if name == "ANSWER" else b""

        def run() -> None:
            party.commands.append(f"{name}: {application.attempt(party, name, status, body)}")

        return application.side.caused(f"{name} {len(party.commands)}", run)

    def end(self) -> None:
        """Let both end what still runs, and see that nothing is left."""
        self.after(ticks(40.0))
        self.pair.hang_up()
        self.wire.run()
        self.pair.check()
