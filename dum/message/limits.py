"""Bounds on what a peer can make the parser do."""

from __future__ import annotations


class Limits:
    """Sizes and counts beyond which a message is refused as a value (``Malformed``), never by an exception.

    Sizes are in octets and inclusive. ``message`` bounds the whole message (513), ``head`` the start line and all
    header fields together (513), ``line`` one header field with its folded continuation lines (513), ``uri`` the
    Request-URI (414) and ``fields`` the number of header fields (513). A head of at most ``unquestioned`` octets can
    break none but ``message``. Immutable by convention; safe to share between threads.
    """

    __slots__ = ("fields", "head", "line", "message", "unquestioned", "uri")

    def __init__(
        self,
        *,
        message: int = 1_048_576,
        head: int = 65_536,
        line: int = 16_384,
        uri: int = 4_096,
        fields: int = 256,
    ) -> None:
        for name, value in (
            ("message", message),
            ("head", head),
            ("line", line),
            ("uri", uri),
            ("fields", fields),
        ):
            if value < 1:
                raise ValueError(f"limit {name!r} must be at least 1, not {value}")
        self.message = message
        self.head = head
        self.line = line
        self.uri = uri
        self.fields = fields
        # The shortest header line is "a:" and its line end.
        self.unquestioned = min(head, line, uri, 4 * fields)


DEFAULT = Limits()
