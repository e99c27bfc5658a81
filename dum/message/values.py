"""Header values of the common shapes: a value with parameters, a set of option tags, a number of seconds."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.grammar import TOKEN, number, quote
from dum.message.message import Message
from dum.message.parameters import EMPTY, Parameters

_VALUE = re.compile(r'[ \t]*([^\s;,"<>=]++(?:[ \t]*+/[ \t]*+[^\s;,"<>=]++)?)[ \t]*((?:;[\s\S]*)?)')
_RETRY_AFTER = re.compile(r"[ \t]*([0-9]++)[ \t]*(?:\(((?:[^()\\]|\\.)*+)\))?[ \t]*((?:;[\s\S]*)?)")
_WARNING = re.compile(r'([1-9][0-9]{2})[ \t]++([^\s"]++)[ \t]++"((?:[^"\\]|\\[\s\S])*+)"')
_OPTION_TAG = re.compile(rf"{TOKEN}++")


class Value:
    """An immutable ``value;name=parameter``: of Event, Content-Disposition, Accept, Security-Client and their kin.

    ``str`` encodes it. Two are equal when value and parameters are. Safe to share between threads.
    """

    __slots__ = ("parameters", "value")

    def __init__(self, value: str, parameters: Parameters = EMPTY) -> None:
        self.value = value
        self.parameters = parameters

    @classmethod
    def parse(cls, text: str, header: str) -> Value:
        """Read one value: a token, or two with a slash between. Raises HeaderError naming ``header``."""
        match = _VALUE.fullmatch(text)
        if match is None:
            raise HeaderError(f"Bad {header}", header)
        return cls("".join(match[1].split()), parse_parameters(match[2], header))

    @property
    def q(self) -> float:
        """The preference, 1.0 when none is given. Raises HeaderError for what is no number from 0 to 1."""
        text = self.parameters.get("q")
        return 1.0 if text is None else quality(text, "q")

    def __str__(self) -> str:
        return f"{self.value}{self.parameters}"

    def __repr__(self) -> str:
        return f"Value({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Value):
            return NotImplemented
        return self.value == other.value and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((self.value, self.parameters))


def parse_parameters(text: str, header: str) -> Parameters:
    """Parameters of a named header. Raises HeaderError naming it."""
    try:
        return Parameters.parse(text.rstrip(" \t"))
    except HeaderError as error:
        raise HeaderError(f"Bad {header}", header) from error


def quality(text: str, header: str) -> float:
    """A q value, 0 to 1 with at most three decimals. Raises HeaderError."""
    if re.fullmatch(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", text) is None:
        raise HeaderError(f"Bad {header}", header)
    return float(text)


def value(message: Message, header: str) -> Value | None:
    """The header as a Value, None when absent. Raises HeaderError."""
    text = message.header(header)
    return None if text is None else Value.parse(text, header)


def values(message: Message, header: str) -> tuple[Value, ...]:
    """Every value of a list header as a Value. Raises HeaderError."""
    return tuple([Value.parse(text, header) for text in message.headers(header)])


def integer(message: Message, header: str, largest: int = 2**32 - 1) -> int | None:
    """The header as a number, parameters left aside; None when absent. Raises HeaderError."""
    text = message.header(header)
    return None if text is None else number(text.partition(";")[0], header, largest)


def tokens(message: Message, header: str) -> tuple[str, ...]:
    """The tokens of a list header such as Allow or Allow-Events, as written. Raises HeaderError."""
    found = message.headers(header)
    for text in found:
        if _OPTION_TAG.fullmatch(text) is None:
            raise HeaderError(f"Bad {header}", header)
    return found


def option_tags(message: Message, header: str) -> frozenset[str]:
    """The option tags of Supported, Require, Proxy-Require or Unsupported, in lower case. Raises HeaderError."""
    return frozenset([text.lower() for text in tokens(message, header)])


class RetryAfter:
    """``seconds``, the ``comment`` ("" when none) and the ``duration`` (None when none) of Retry-After."""

    __slots__ = ("comment", "duration", "seconds")

    def __init__(self, seconds: int, comment: str = "", duration: int | None = None) -> None:
        self.seconds = seconds
        self.comment = comment
        self.duration = duration

    def __str__(self) -> str:
        comment = f" ({self.comment})" if self.comment else ""
        return f"{self.seconds}{comment}" + ("" if self.duration is None else f";duration={self.duration}")


def retry_after(message: Message) -> RetryAfter | None:
    """Retry-After (RFC 3261 section 20.33), None when absent. Raises HeaderError."""
    text = message.header("Retry-After")
    if text is None:
        return None
    match = _RETRY_AFTER.fullmatch(text)
    if match is None:
        raise HeaderError("Bad Retry-After", "Retry-After")
    duration = parse_parameters(match[3], "Retry-After").get("duration")
    seconds = number(match[1], "Retry-After")
    return RetryAfter(seconds, match[2] or "", None if duration is None else number(duration, "Retry-After"))


class WarningValue:
    """One Warning: ``code``, ``agent`` and ``text``."""

    __slots__ = ("agent", "code", "text")

    def __init__(self, code: int, agent: str, text: str) -> None:
        self.code = code
        self.agent = agent
        self.text = text

    def __str__(self) -> str:
        return f"{self.code} {self.agent} {quote(self.text)}"


def warnings(message: Message) -> tuple[WarningValue, ...]:
    """Every Warning (RFC 3261 section 20.43). Raises HeaderError."""
    found = []
    for text in message.headers("Warning"):
        match = _WARNING.fullmatch(text)
        if match is None:
            raise HeaderError("Bad Warning", "Warning")
        found.append(WarningValue(int(match[1]), match[2], re.sub(r"\\([\s\S])", r"\1", match[3])))
    return tuple(found)


_DATE = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) "
    r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9]|60) GMT"
)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def date(message: Message) -> tuple[int, int, int, int, int, int] | None:
    """Date as (year, month, day, hour, minute, second) in GMT, None when absent. Raises HeaderError."""
    text = message.header("Date")
    if text is None:
        return None
    match = _DATE.fullmatch(text)
    if match is None or not 1 <= int(match[1]) <= 31:
        raise HeaderError("Bad Date", "Date")
    day, month, year, hour, minute, second = match.groups()
    return int(year), _MONTHS.index(month) // 3 + 1, int(day), int(hour), int(minute), int(second)
