"""NameAddress: ``"display" <uri>;parameters``, the value of From, To, Contact, Route and their kin."""

from __future__ import annotations

import re

from dum.message.errors import HeaderError
from dum.message.grammar import QUOTED, is_token, quote, split_commas, unquote
from dum.message.parameters import EMPTY, Parameters
from dum.message.uri import Uri

# A display name outside quotes should be tokens; phones put nearly anything there. What would change how the rest is
# read (a comma, a semicolon, a quote) is refused, unless a backslash takes its meaning away: a phone that sends
# \"Joe\" <sip:...> is real. Nothing here can match white space in two ways, so the cost stays linear.
_NAME_ADDRESS = re.compile(
    rf'(?P<display>{QUOTED}\s*+|[^"<>,;\\]*+(?:\\.[^"<>,;\\]*+)*+)<(?P<uri>[^<>]*)>(?P<parameters>[\s\S]*)'
)
_ADDRESS = re.compile(r'(?P<uri>[^\s<>";,?]+)(?P<parameters>[\s\S]*)')
# A long URI is sometimes folded before or after a semicolon, which the grammar does not allow.
_AROUND_SEMICOLON = re.compile(r"[ \t]?;[ \t]?")


def split_name_address(text: str, header: str = "") -> tuple[str, str, str]:
    """Cut a value into display name (unquoted), URI text and parameter text. Raises HeaderError naming ``header``."""
    text = text.strip()
    match = _NAME_ADDRESS.fullmatch(text)
    if match is not None:
        uri = match[2]
        if " " in uri or "\t" in uri:
            uri = _AROUND_SEMICOLON.sub(";", uri)
        return unquote(match[1].rstrip()), uri, match[3]
    # Without angle brackets ";" begins the header's own parameters, and "," and "?" may not occur (section 20).
    match = _ADDRESS.fullmatch(text)
    if match is None or '"' in text.partition(";")[0]:
        raise HeaderError(f"Bad {header}" if header else "Bad Address", header)
    return "", match[1], match[2]


class NameAddress:
    """An immutable address: ``display`` (unquoted, "" when none), ``uri`` and header ``parameters``.

    ``str`` gives back the text it was read from, or encodes what it was made of. Two are equal when their display
    names, URI texts and parameters are. Safe to share between threads.
    """

    __slots__ = ("_text", "display", "parameters", "uri")

    def __init__(self, uri: Uri, display: str = "", parameters: Parameters = EMPTY, *, text: str = "") -> None:
        self.uri = uri
        self.display = display
        self.parameters = parameters
        self._text = text

    @classmethod
    def parse(cls, text: str, header: str = "") -> NameAddress:
        """Read one address. Raises HeaderError (a ValueError) naming ``header``."""
        display, uri, parameters = split_name_address(text, header)
        try:
            return cls(Uri.parse(uri), display, Parameters.parse(parameters), text=text.strip())
        except ValueError as error:
            raise HeaderError(f"Bad {header}" if header else "Bad Address", header) from error

    @property
    def tag(self) -> str:
        """The tag parameter, "" when there is none."""
        return self.parameters.get("tag") or ""

    def with_parameter(self, name: str, value: str | None = None) -> NameAddress:
        """A copy with one header parameter set; None makes a flag. Raises ValueError."""
        return NameAddress(self.uri, self.display, self.parameters.replaced(name, value))

    def without_parameter(self, name: str) -> NameAddress:
        """A copy without the header parameter."""
        return NameAddress(self.uri, self.display, self.parameters.without(name))

    def __str__(self) -> str:
        if self._text:
            return self._text
        display = self.display
        if display:
            display = f"{display} " if is_token(display) else f"{quote(display)} "
        return f"{display}<{self.uri}>{self.parameters}"

    def __repr__(self) -> str:
        return f"NameAddress({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NameAddress):
            return NotImplemented
        return self.display == other.display and self.uri == other.uri and self.parameters == other.parameters

    def __hash__(self) -> int:
        return hash((self.display, self.uri, self.parameters))


def parse_name_addresses(values: tuple[str, ...] | list[str], header: str) -> tuple[NameAddress, ...]:
    """Read every value of a list header; each may itself hold several. Raises HeaderError naming ``header``."""
    try:
        return tuple(NameAddress.parse(part, header) for value in values for part in split_commas(value))
    except HeaderError as error:
        raise HeaderError(error.reason if error.header else f"Bad {header}", header) from error
