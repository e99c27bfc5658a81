"""What goes wrong inside a message: the one exception that typed access to a header may raise."""

from __future__ import annotations


class HeaderError(ValueError):
    """A header field of a received message does not follow its grammar.

    Raised by the typed properties of a message (``top_via``, ``contacts``, ``expires`` ...) and by the typed
    parsers; ``header`` names the field ("" when the fault lies elsewhere), ``status`` is the answer the RFC asks
    for (400 unless said otherwise), and ``str(error)`` is fit for a reason phrase. ``parse`` never lets it out.
    """

    def __init__(self, reason: str, header: str = "", status: int = 400) -> None:
        super().__init__(reason)
        self.header = header
        self.status = status

    @property
    def reason(self) -> str:
        """The text for the reason phrase."""
        return str(self.args[0])
