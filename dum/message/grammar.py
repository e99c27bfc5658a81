"""The small words of RFC 3261 section 25: tokens, quoted strings, escapes, lists split at commas.

Everything here costs time proportional to its input: patterns have one way to match, and an unterminated quote or
bracket ends the work at once.
"""

from __future__ import annotations

import re

from dum.message.errors import HeaderError

QUOTED = r'"[^"\\]*+(?:\\[\s\S][^"\\]*+)*+"'

TOKEN = r"[A-Za-z0-9\-.!%*_+`'~]"

_TOKEN = re.compile(rf"{TOKEN}+")
_SPECIAL = re.compile(rf'{QUOTED}|<[^>]*>|\([^()]*\)|[,"<]')
_ESCAPED_PAIR = re.compile(r"\\([\s\S])")
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")


def is_token(text: str) -> bool:
    """Whether the text is an RFC 3261 token."""
    return _TOKEN.fullmatch(text) is not None


def split_commas(text: str) -> list[str]:
    """Split a header value at its commas, except inside quotes, angle brackets and comments; values are stripped.

    Empty values between commas are left out, as RFC 3261 section 7.3.1 is read in the field. Raises HeaderError on
    a quote or an angle bracket that is never closed.
    """
    if "," not in text:
        if '"' in text or "<" in text:
            for match in _SPECIAL.finditer(text):
                _refuse_unclosed(match[0])
        text = text.strip()
        return [text] if text else []
    if '"' not in text and "<" not in text and "(" not in text:
        return [part for raw in text.split(",") if (part := raw.strip())]
    parts: list[str] = []
    start = 0
    for match in _SPECIAL.finditer(text):
        special = match[0]
        if special == ",":
            parts.append(text[start : match.start()].strip())
            start = match.end()
        else:
            _refuse_unclosed(special)
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _refuse_unclosed(special: str) -> None:
    if special == '"':
        raise HeaderError("Unterminated Quoted String")
    if special == "<":
        raise HeaderError("Unterminated Angle Bracket")


def quote(text: str) -> str:
    """The text as a quoted-string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The text inside a quoted-string, its pairs resolved; any other text as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED_PAIR.sub(r"\1", inner) if "\\" in inner else inner


def unescape(text: str) -> str:
    """Resolve %HH escapes, exactly once; octets above 127 are read as UTF-8 (RFC 3261 section 19.1.2)."""
    if "%" not in text:
        return text
    octets = text.encode("utf-8", "surrogateescape")
    resolved = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes((int(match[1], 16),)), octets)
    return resolved.decode("utf-8", "surrogateescape")


def escape(text: str, safe: str) -> str:
    """Escape as %HH every octet of the text that is neither an unreserved character nor in ``safe``."""
    allowed = f"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'(){safe}".encode()
    return "".join(
        [chr(octet) if octet in allowed else f"%{octet:02X}" for octet in text.encode("utf-8", "surrogateescape")]
    )


def bad_escape(text: str) -> bool:
    """Whether a % is not followed by two hexadecimal digits."""
    return "%" in text and text.count("%") != len(_PERCENT.findall(text))


def number(text: str, header: str, largest: int = 2**32 - 1) -> int:
    """A non-negative decimal number no larger than ``largest``. Raises HeaderError naming the header."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        raise HeaderError(f"Bad {header}", header)
    # A number of a million digits would cost quadratic time to convert.
    if len(text) > 20:
        text = text.lstrip("0") or "0"
    if len(text) > 20 or int(text) > largest:
        raise HeaderError(f"{header} Out of Range", header)
    return int(text)
