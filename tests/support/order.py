"""Whether what left a stack left in the order in which it was decided: checked on the record of its outlet."""

from collections.abc import Iterable

from dum.message import Request, Response, parse
from tests.support.wire import ticks

# A transaction that has sent its final response is forgotten 64*T1 later: what comes then begins a new one (17.2.2).
FORGOTTEN = ticks(32.0)

type Sent = tuple[int, int, bytes]  # when, status, bytes
type Record = Iterable[tuple[int, bytes]]


class Stream:
    """What left one stack for one Call-ID."""

    def __init__(self) -> None:
        self.responses: dict[tuple[str, str], list[Sent]] = {}
        self.requests: dict[str, list[tuple[int, str, bytes]]] = {}


def streams(sent: Record) -> dict[str, Stream]:
    """The record of an outlet, by Call-ID."""
    found: dict[str, Stream] = {}
    for when, data in sent:
        message = parse(data)
        assert isinstance(message, Request | Response), message
        stream = found.setdefault(message.call_id, Stream())
        if isinstance(message, Response):
            transaction = (message.branch, message.cseq_method)
            stream.responses.setdefault(transaction, []).append((when, message.status, data))
        else:
            stream.requests.setdefault(message.from_tag, []).append((message.cseq, message.method, data))
    return found


def check_order(sent: Record) -> int:
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


def check_responses(responses: list[Sent]) -> None:
    """100 before other provisional ones, those before the final one, and one final response, always the same bytes."""
    ended = next((when for when, status, _ in responses if status >= 200), 0)
    later = [sent for sent in responses if sent[0] >= ended + FORGOTTEN]
    if ended and later and "INVITE" not in later[0][2].decode().partition("CSeq:")[2].partition("\r\n")[0]:
        check_responses(later)
        responses = responses[: -len(later)]
    statuses = [status for _, status, _ in responses]
    classes = [0 if status == 100 else 1 if status < 200 else 2 for status in statuses]
    assert classes == sorted(classes), statuses
    assert len({data for _, status, data in responses if status >= 200}) <= 1, statuses


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
