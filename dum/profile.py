"""Configuration: what a user agent says of itself, and where it can be reached."""

from dum.timers import RFC3261, Timing

# fmt: off
KNOWN_METHODS = frozenset((
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "UPDATE",
    "INFO", "MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH",
))
# fmt: on


class Profile:
    """What a user agent supports and how it behaves; immutable by convention, shared between threads.

    `allow` are the methods that its dialogs and transactions answer (RFC 3261 20.5), `supported` its option tags
    (20.37), `accept` the body types it understands in a request, `timing` its timers. `trying_after` is how long, in
    seconds, an INVITE may stay without any answer before 100 Trying is sent (17.2.1 says 200 ms). `from_uri` is the
    address that calls are placed from.
    """

    __slots__ = (
        "accept",
        "allow",
        "from_uri",
        "max_forwards",
        "supported",
        "timing",
        "trying_after",
        "user_agent",
    )

    def __init__(
        self,
        *,
        from_uri: str = "sip:anonymous@anonymous.invalid",
        allow: tuple[str, ...] = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"),
        supported: tuple[str, ...] = (),
        accept: tuple[str, ...] = ("application/sdp",),
        user_agent: str = "sipdum",
        max_forwards: int = 70,
        timing: Timing = RFC3261,
        trying_after: float = 0.2,
    ) -> None:
        self.from_uri = from_uri
        self.allow = allow
        self.supported = supported
        self.accept = accept
        self.user_agent = user_agent
        self.max_forwards = max_forwards
        self.timing = timing
        self.trying_after = trying_after


class Local:
    """Where this user agent is reached: the sent-by of its Via and the URI of its Contact, by place.

    A place is a transport and an address family, such as "UDP" or "UDP6". `places` maps it to a `host:port` text.
    """

    __slots__ = ("_contacts", "_vias")

    def __init__(self, places: dict[str, str]) -> None:
        self._vias: dict[str, str] = {}
        self._contacts: dict[str, str] = {}
        for place, sent_by in places.items():
            transport = place.removesuffix("6")
            self._vias[place] = f"SIP/2.0/{transport} {sent_by};rport;branch="
            parameter = "" if transport == "UDP" else f";transport={transport.lower()}"
            self._contacts[place] = f"<sip:{sent_by}{parameter}>"
        for place in places:
            # A host that is still a name may turn out to be an IPv6 one, which is all that some agents have.
            self._vias.setdefault(place.removesuffix("6"), self._vias[place])
            self._contacts.setdefault(place.removesuffix("6"), self._contacts[place])

    def via(self, place: str, branch: str) -> str:
        """Return the Via value of a new request (8.1.1.7, RFC 3581); KeyError for a place without socket."""
        return self._vias[place] + branch

    def contact(self, place: str) -> str:
        """Return the Contact value of this user agent (RFC 3261 8.1.1.8); KeyError for a place without socket."""
        return self._contacts[place]
