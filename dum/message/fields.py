"""Header fields: their names and compact forms, which of them are lists, and the lines they come in."""

from __future__ import annotations

import re

_LINE = re.compile(r"\r\n(?![ \t])")
_FOLD = re.compile(r"[ \t]?\r\n[ \t]+")


def canonical(name: str) -> str:
    """The name by which a header field is known here: lower case, a compact form spelt out."""
    name = name.lower()
    return _spelt_out(name) if len(name) == 1 else name


def _spelt_out(letter: str) -> str:  # noqa: C901 - one registry, one table; a match costs threads nothing to share
    match letter:
        case "a":
            return "accept-contact"
        case "b":
            return "referred-by"
        case "c":
            return "content-type"
        case "d":
            return "request-disposition"
        case "e":
            return "content-encoding"
        case "f":
            return "from"
        case "i":
            return "call-id"
        case "j":
            return "reject-contact"
        case "k":
            return "supported"
        case "l":
            return "content-length"
        case "m":
            return "contact"
        case "n":
            return "identity-info"
        case "o":
            return "event"
        case "r":
            return "refer-to"
        case "s":
            return "subject"
        case "t":
            return "to"
        case "u":
            return "allow-events"
        case "v":
            return "via"
        case "x":
            return "session-expires"
        case "y":
            return "identity"
    return letter


def is_list(name: str) -> bool:
    """Whether the header of that canonical name is a comma-separated list, one value or many to a line."""
    return name in {
        "accept",
        "accept-contact",
        "accept-encoding",
        "accept-language",
        "accept-resource-priority",
        "alert-info",
        "allow",
        "allow-events",
        "call-info",
        "contact",
        "content-encoding",
        "content-language",
        "diversion",
        "error-info",
        "feature-caps",
        "geolocation",
        "history-info",
        "in-reply-to",
        "p-access-network-info",
        "p-asserted-identity",
        "p-associated-uri",
        "p-early-media",
        "p-preferred-identity",
        "p-visited-network-id",
        "path",
        "permission-missing",
        "proxy-require",
        "reason",
        "record-route",
        "recv-info",
        "reject-contact",
        "request-disposition",
        "require",
        "resource-priority",
        "route",
        "security-client",
        "security-server",
        "security-verify",
        "service-route",
        "supported",
        "trigger-consent",
        "unsupported",
        "via",
        "warning",
    }


def unfold(text: str) -> str:
    """Join folded lines: a line break followed by white space reads as one space (RFC 3261 section 7.3.1)."""
    if "\r\n " in text or "\r\n\t" in text:
        return _FOLD.sub(" ", text)
    return text


def raw_lines(head: str) -> list[str]:
    """The start line, then each header field with its continuation lines, exactly as written, without final CRLF."""
    return _LINE.split(head)


def name_of(line: str) -> str:
    """The canonical name of the header field on a raw line; "" for a line without a colon."""
    name, colon, _ = line.partition(":")
    return canonical(name.rstrip()) if colon else ""


def value_of(line: str) -> str:
    """The value of the header field on a raw line, unfolded and stripped."""
    return unfold(line.partition(":")[2]).strip(" \t")


def split_fields(head: str) -> list[tuple[str, str]]:
    """Every (name as written, value unfolded and stripped) of a head, in order; the start line is left out."""
    fields = []
    for line in unfold(head).split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.rstrip(" \t"), value.strip(" \t")))
    return fields
