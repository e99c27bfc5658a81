"""Broken messages: what a sound one turns into when it is cut, doubled, swapped or flipped."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

DATA = Path(__file__).parents[1] / "conformance" / "data"

NASTY = (
    *(
        b"",
        b"\0",
        b"\r\n",
        b"\r\n\r\n",
        b"\xff\xfe",
        b"%00",
        b'"',
        b"<",
        b">",
        b";",
        b",",
        b"=",
        b"@",
        b":",
        b" ",
        b"\t",
    ),
    *(b"4294967296", b"-1", b"99999999999999999999", b"z9hG4bK", b"SIP/2.0", b"sip:", b"[::1]", b"tel:+1", b"*"),
    *(b"INVITE", b"ACK", b"BYE", b"CANCEL", b"OPTIONS", b"REGISTER", b"100", b"180", b"200", b"487", b"700"),
)


def collected() -> list[bytes]:
    """The messages of RFC 4475 and RFC 5118, and those that others have collected."""
    return [path.read_bytes() for path in sorted(DATA.rglob("*")) if path.suffix in (".dat", ".sip")]


def broken(message: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """One to four mutations of a message."""
    for _ in range(random.randint(1, 4)):
        message = _once(message, others, random)
    return message[:65_507]


def _once(message: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = random.randrange(len(message) + 1)
    to = min(len(message), at + random.randint(1, 12))
    match random.randrange(8):
        case 0:
            return message[:at]
        case 1:
            return message[:at] + random.choice(NASTY) + message[to:]
        case 2:
            return message[:at] + random.choice(NASTY) + message[at:]
        case 3:
            return message[:at] + bytes([random.randrange(256)]) + message[at + 1 :]
        case 4:
            return message[:at] + message[at:to] * random.choice((2, 50)) + message[to:]
        case 5:
            other = random.choice(others)
            return message[:at] + other[random.randrange(len(other) + 1) :]
        case 6:
            return _lines_changed(message, random)
    return _word_replaced(message, random)


def _lines_changed(message: bytes, random: Random) -> bytes:
    """Leave out a line, or have it twice, or have two lines change places."""
    lines = message.split(b"\r\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    change = random.randrange(3)
    if change == 0:
        del lines[one]
    elif change == 1:
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)


def _word_replaced(message: bytes, random: Random) -> bytes:
    words = message.split(b" ")
    words[random.randrange(len(words))] = random.choice(NASTY)
    return b" ".join(words)
