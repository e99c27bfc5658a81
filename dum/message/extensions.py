"""Typed headers of the extensions that the usages speak, read from a message; HeaderError if one is broken."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.grammar import TOKEN, number, quote
from dum.message.message import Message
from dum.message.name_address import NameAddress, parse_name_addresses
from dum.message.parameters import Parameters
from dum.message.values import Value, integer, parse_parameters, tokens, value

_RACK = re.compile(rf"([0-9]++)[ \t]++([0-9]++)[ \t]++({TOKEN}++)[ \t]*+")
_CALL_ID = re.compile(r"[ \t]*([^\s;,]++)[ \t]*((?:;[\s\S]*)?)")


def rseq(message: Message) -> int | None:
    """RSeq, 1 to 2**32 - 1 (RFC 3262 section 7.1); None when absent."""
    found = integer(message, "RSeq")
    if found == 0:
        raise HeaderError("Bad RSeq", "RSeq")
    return found


def rack(message: Message) -> tuple[int, int, str] | None:
    """RAck as (RSeq, CSeq number, method) (RFC 3262 section 7.2); None when absent."""
    text = message.header("RAck")
    if text is None:
        return None
    match = _RACK.fullmatch(text)
    if match is None:
        raise HeaderError("Bad RAck", "RAck")
    return number(match[1], "RAck"), number(match[2], "RAck", 2**31 - 1), match[3]


def event(message: Message) -> Value | None:
    """Event: ``value`` is the package with its templates, ``parameters`` may hold id (RFC 6665 section 8.2.1)."""
    return value(message, "Event")


def allow_events(message: Message) -> tuple[str, ...]:
    """Allow-Events (RFC 6665 section 8.2.2)."""
    return tokens(message, "Allow-Events")


class SubscriptionState:
    """Subscription-State: ``state`` in lower case (active, pending, terminated or another).

    ``reason`` in lower case ("" when none), ``expires`` and ``retry_after`` (seconds or None).
    """

    __slots__ = ("expires", "reason", "retry_after", "state")

    def __init__(
        self, state: str, reason: str = "", expires: int | None = None, retry_after: int | None = None
    ) -> None:
        self.state = state
        self.reason = reason
        self.expires = expires
        self.retry_after = retry_after

    def __str__(self) -> str:
        reason = f";reason={self.reason}" if self.reason else ""
        expires = "" if self.expires is None else f";expires={self.expires}"
        return f"{self.state}{reason}{expires}" + (
            "" if self.retry_after is None else f";retry-after={self.retry_after}"
        )


def subscription_state(message: Message) -> SubscriptionState | None:
    """Subscription-State (RFC 6665 section 8.2.3); None when absent."""
    found = value(message, "Subscription-State")
    if found is None:
        return None
    parameters = found.parameters
    return SubscriptionState(
        found.value.lower(),
        (parameters.get("reason") or "").lower(),
        _seconds(parameters, "expires", "Subscription-State"),
        _seconds(parameters, "retry-after", "Subscription-State"),
    )


def _seconds(parameters: Parameters, name: str, header: str) -> int | None:
    text = parameters.get(name)
    return None if text is None else number(text, header)


class SessionExpires:
    """Session-Expires: ``seconds`` and ``refresher`` ("uac", "uas" or "" when none)."""

    __slots__ = ("refresher", "seconds")

    def __init__(self, seconds: int, refresher: str = "") -> None:
        self.seconds = seconds
        self.refresher = refresher

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


def session_expires(message: Message) -> SessionExpires | None:
    """Session-Expires (RFC 4028 section 4); None when absent."""
    found = value(message, "Session-Expires")
    if found is None:
        return None
    refresher = (found.parameters.get("refresher") or "").lower()
    if refresher not in ("", "uac", "uas"):
        raise HeaderError("Bad Session-Expires", "Session-Expires")
    return SessionExpires(number(found.value, "Session-Expires"), refresher)


def min_se(message: Message) -> int | None:
    """Min-SE in seconds (RFC 4028 section 5); None when absent."""
    return integer(message, "Min-SE")


def min_expires(message: Message) -> int | None:
    """Min-Expires in seconds (RFC 3261 section 20.23); None when absent."""
    return integer(message, "Min-Expires")


def refer_to(message: Message) -> NameAddress | None:
    """Refer-To (RFC 3515 section 2.1); None when absent. A second one is a fault."""
    values = message.headers("Refer-To")
    if len(values) > 1:
        raise HeaderError("Repeated Refer-To", "Refer-To")
    return NameAddress.parse(values[0], "Refer-To") if values else None


def referred_by(message: Message) -> NameAddress | None:
    """Referred-By (RFC 3892); None when absent."""
    text = message.header("Referred-By")
    return None if text is None else NameAddress.parse(text, "Referred-By")


class DialogIdentifier:
    """The dialog that Replaces, Join or Target-Dialog names, as its holder knows it.

    ``call_id``; ``local_tag`` and ``remote_tag`` seen from the receiver of the header (to-tag is local for Replaces and
    Join, local-tag for Target-Dialog is the sender's word and is turned round here); ``early_only`` of Replaces.
    """

    __slots__ = ("call_id", "early_only", "local_tag", "remote_tag")

    def __init__(self, call_id: str, local_tag: str, remote_tag: str, early_only: bool = False) -> None:
        self.call_id = call_id
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.early_only = early_only

    def __str__(self) -> str:
        """As a value of Replaces or Join."""
        early = ";early-only" if self.early_only else ""
        return f"{self.call_id};to-tag={self.local_tag};from-tag={self.remote_tag}{early}"


def replaces(message: Message) -> DialogIdentifier | None:
    """Replaces (RFC 3891 section 6.1); None when absent. A second one, or with Join, is a fault."""
    found = _dialog(message, "Replaces", "to-tag", "from-tag")
    if found is not None and message.header("Join") is not None:
        raise HeaderError("Replaces With Join", "Replaces")
    return found


def join(message: Message) -> DialogIdentifier | None:
    """Join (RFC 3911 section 7.1); None when absent."""
    return _dialog(message, "Join", "to-tag", "from-tag")


def target_dialog(message: Message) -> DialogIdentifier | None:
    """Target-Dialog (RFC 4538 section 7); None when absent."""
    return _dialog(message, "Target-Dialog", "remote-tag", "local-tag")


def parse_replaces(text: str) -> DialogIdentifier:
    """A Replaces value, as Refer-To's URI carries it (unescape it first)."""
    return _identifier(text, "Replaces", "to-tag", "from-tag")


def _dialog(message: Message, header: str, local: str, remote: str) -> DialogIdentifier | None:
    values = message.headers(header)
    if len(values) > 1:
        raise HeaderError(f"Repeated {header}", header)
    return _identifier(values[0], header, local, remote) if values else None


def _identifier(text: str, header: str, local: str, remote: str) -> DialogIdentifier:
    match = _CALL_ID.fullmatch(text)
    if match is None:
        raise HeaderError(f"Bad {header}", header)
    parameters = parse_parameters(match[2], header)
    local_tag, remote_tag = parameters.get(local), parameters.get(remote)
    if not local_tag or not remote_tag:
        raise HeaderError(f"Bad {header}", header)
    return DialogIdentifier(match[1], local_tag, remote_tag, "early-only" in parameters)


class Reason:
    """One Reason: ``protocol`` in upper case (SIP, Q.850 ...), ``cause`` (int or None) and ``text`` ("" when none)."""

    __slots__ = ("cause", "protocol", "text")

    def __init__(self, protocol: str, cause: int | None = None, text: str = "") -> None:
        self.protocol = protocol
        self.cause = cause
        self.text = text

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        return f"{self.protocol}{cause}" + (f";text={quote(self.text)}" if self.text else "")


def reasons(message: Message) -> tuple[Reason, ...]:
    """Every Reason (RFC 3326)."""
    found = []
    for text in message.headers("Reason"):
        each = Value.parse(text, "Reason")
        cause = _seconds(each.parameters, "cause", "Reason")
        found.append(Reason(each.value.upper(), cause, each.parameters.get("text") or ""))
    return tuple(found)


def addresses(message: Message, header: str) -> tuple[NameAddress, ...]:
    """Every address of a header whose values are addresses.

    Path (RFC 3327), Service-Route (RFC 3608), P-Asserted-Identity and P-Preferred-Identity (RFC 3325),
    P-Associated-URI, History-Info, Diversion, Alert-Info, Call-Info, Error-Info.
    """
    return parse_name_addresses(message.headers(header), header)


def privacy(message: Message) -> frozenset[str]:
    """The values of Privacy in lower case (RFC 3323 section 4.2); empty when absent."""
    text = message.header("Privacy") or ""
    return frozenset([part.lower() for part in text.replace(",", ";").replace(" ", ";").split(";") if part])


def entity_tag(message: Message) -> str:
    """SIP-ETag (RFC 3903 section 11.3.1), "" when absent."""
    return _token(message, "SIP-ETag")


def if_match(message: Message) -> str:
    """SIP-If-Match (RFC 3903 section 11.3.2), "" when absent."""
    return _token(message, "SIP-If-Match")


def _token(message: Message, header: str) -> str:
    values = tokens(message, header)
    return values[0] if values else ""
