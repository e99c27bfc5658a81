"""Whether what left a stack left in the order in which it was decided: checked on the record of its outlet."""

from collections.abc import Iterable

from dum.message import Request, Response, parse


class Stream:
    """What left one stack for one Call-ID."""

    def __init__(self) -> None:
        self.responses: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
        self.requests: dict[str, list[tuple[int, str, bytes]]] = {}


def streams(sent: Iterable[bytes]) -> dict[str, Stream]:
    """The record of an outlet, by Call-ID."""
    found: dict[str, Stream] = {}
    for data in sent:
        message = parse(data)
        assert isinstance(message, Request | Response), message
        stream = found.setdefault(message.call_id, Stream())
        if isinstance(message, Response):
            transaction = (message.branch, message.cseq_method)
            stream.responses.setdefault(transaction, []).append((message.status, data))
        else:
            stream.requests.setdefault(message.from_tag, []).append((message.cseq, message.method, data))
    return found


def check_order(sent: Iterable[bytes]) -> int:
    """Assert the order of responses in each transaction and of requests in each dialog; return how many were seen."""
    seen = 0
    for stream in streams(sent).values():
        for responses in stream.responses.values():
            check_responses(responses)
            seen += len(responses)
        for requests in stream.requests.values():
            check_requests(requests)
            seen += len(requests)
    return seen


def check_responses(responses: list[tuple[int, bytes]]) -> None:
    """100 before other provisional ones, those before the final one, and one final response, always the same bytes."""
    statuses = [status for status, _ in responses]
    classes = [0 if status == 100 else 1 if status < 200 else 2 for status in statuses]
    assert classes == sorted(classes), statuses
    assert len({data for status, data in responses if status >= 200}) <= 1, statuses


def check_requests(requests: list[tuple[int, str, bytes]]) -> None:
    """New requests have rising CSeq numbers; an ACK or CANCEL has the number of an INVITE that left before it."""
    highest = -1
    seen: set[bytes] = set()
    invites: set[int] = set()
    for cseq, method, data in requests:
        if method == "INVITE":
            invites.add(cseq)
        if method in ("ACK", "CANCEL"):
            assert cseq in invites, (method, cseq)
        elif data not in seen:
            assert cseq > highest, (method, cseq, highest)
            highest = cseq
        seen.add(data)
